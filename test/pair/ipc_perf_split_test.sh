#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# ipc-perf between two processes on two files: what each side can write, a killed
# pong, files truncated and replaced under both, and what is refused.
#
# usage: ipc_perf_split_test.sh BUILD_FOLDER
set -u
# shellcheck source=test/pair/ipc_perf_rig.sh
. "$(dirname "$0")/ipc_perf_rig.sh"
samples=20000
endless=1000000000

# Of this user, whoever it is.
group=$(id -gn)
host="role=host,path=$work/h2g,peer=$work/g2h,size=1M,mode=0660,group=$group"
guest="role=guest,path=$work/g2h,peer=$work/h2g"

pong_start()	# VIA
{
	"$perf" -l "$other_core" -- --mode pong --via "$1" --link "$host" >"$work/pong.log" 2>&1 &
	pong=$!
	wait_for test -s "$work/g2h" && wait_for test -s "$work/h2g"
}

ping()	# VIA SIZE SAMPLES
{
	exec "$perf" -l 0 -- --mode ping --via "$1" --link "$guest" --size "$2" --samples "$3" \
		--json "$work/out.json" >"$work/ping.log" 2>&1
}

files_new()
{
	rm -f "$work/h2g" "$work/g2h" "$work/out.json"
}

# mapped PID FILE: how the process maps it
mapped()
{
	sed -n "s,^[^ ]* \([^ ]*\) .* $work/$2\$,\1,p" "/proc/$1/maps"
}

test_size()	# VIA SIZE
{
	files_new
	pong_start "$1"
	(ping "$1" "$2" $samples) && wait $pong && all_arrived "$work/out.json" $samples
	check "$1, $2 bytes, split: $samples messages there and back" $? "$work/ping.log" "$work/pong.log"
}

test_files()	# VIA
{
	files_new
	pong_start "$1"
	wait_for grep -q 'serving' "$work/pong.log"
	[ "$(mapped $pong h2g) $(mapped $pong g2h)" = "rw-s r--s" ]
	check "$1: the host maps its file writable, the guest's only to be read" $?
	[ "$(stat -c '%a %G %s' "$work/h2g" "$work/g2h")" = "660 $group 1048576
660 $group 1048576" ]
	check "$1: the host gives both files mode, group and size" $?
	kill -INT $pong
	wait $pong
}

# Ping waits for pong, says so, and counts what was under way.
test_pong_killed()	# VIA
{
	local pinging
	files_new
	pong_start "$1"
	ping "$1" 64 $endless &
	pinging=$!
	wait_for grep -q 'link is up' "$work/ping.log"
	sleep 1
	kill -KILL $pong
	wait $pong 2>/dev/null
	wait_for grep -q 'waiting up to 60 s for pong' "$work/ping.log"
	pong_start "$1"
	wait_for grep -q 'pong was restarted, 1 times' "$work/ping.log"
	kill -INT $pinging
	wait $pinging
	[ $? = 1 ] && /usr/bin/python3 - "$work/out.json" <<-'END'
	import json, sys
	report = json.load(open(sys.argv[1]))["runs"][0]
	wrong = report["duplicates"] + report["misordered"] + report["corrupt"]
	sys.exit(not (report["restarts"] == 1 and report["lost"] <= 1 and wrong == 0))
	END
	check "$1: pong killed and started again, ping went on" $? "$work/ping.log" "$work/pong.log"
	(ping "$1" 64 $samples) && wait $pong && all_arrived "$work/out.json" $samples
	check "$1: the new pong serves a new ping" $? "$work/ping.log" "$work/pong.log"
}

# Both sides end and say why.
test_memory_lost()	# VIA WHAT COMMAND...
{
	local via=$1 what=$2 pinging ping_status pong_status
	shift 2
	files_new
	pong_start "$via"
	ping "$via" 64 $endless &
	pinging=$!
	wait_for grep -q 'link is up' "$work/ping.log"
	sleep 1
	"$@"
	wait $pinging
	ping_status=$?
	wait $pong
	pong_status=$?
	[ "$ping_status $pong_status" = "1 1" ] && grep -q "$what" "$work/ping.log" && grep -q "$what" "$work/pong.log" &&
		grep -q '"memory lost"' "$work/out.json" && grep -q 'memory is lost' "$work/pong.log"
	check "$via: file $what: ping ended with $ping_status, pong with $pong_status, expected 1" $? "$work/ping.log" "$work/pong.log"
}

# A pong on new files is not the one that ping waits for.
test_files_replaced()	# VIA
{
	local pinging
	files_new
	pong_start "$1"
	ping "$1" 64 $endless &
	pinging=$!
	wait_for grep -q 'link is up' "$work/ping.log"
	kill -KILL $pong
	wait $pong 2>/dev/null
	rm "$work/h2g" "$work/g2h"
	pong_start "$1"
	wait $pinging
	[ $? = 1 ] && grep -q 'under us' "$work/ping.log" && grep -q '"memory lost"' "$work/out.json"
	check "$1: files replaced while pong was gone: ping ends and says so" $? "$work/ping.log" "$work/pong.log"
	kill -INT $pong
	wait $pong
}

# refused STATUS TEXT OPTIONS...: ends so, and says so
refused()
{
	local wanted=$1 text=$2 status
	shift 2
	timeout 60 "$perf" -l 0 -- --mode ping --size 64 --samples 1000 "$@" >"$work/refused.log" 2>&1 </dev/null
	status=$?
	[ $status = "$wanted" ] && grep -qE -- "$text" "$work/refused.log"
	check "refused, status $status of $wanted: $text" $? "$work/refused.log"
}

test_refusals()
{
	local link="role=host,path=$work/h2g"
	files_new
	refused 2 "for path and for peer, expected two files" --link "$link,peer=$work/h2g"
	refused 2 "has an empty peer" --link "$link,peer="
	refused 2 "has peer twice" --link "$link,peer=$work/g2h,peer=$work/g2h"
	for mode in 66 0999 0666 0400 rw; do refused 2 "mode=$mode, expected" --link "$link,mode=$mode"; done
	refused 2 "group=no-such-group, expected" --link "$link,group=no-such-group"
	refused 2 "mode= with role=guest" --link "role=guest,path=$work/h2g,mode=0660"
	refused 2 "group= with role=guest" --link "role=guest,path=$work/h2g,group=$group"
	for size in 0x100000 +1M -1M 010M 1MM 17179869184G; do refused 2 "power of two" --link "$link,size=$size"; done
	refused 2 "g2h cannot be found" --link "$guest"
	refused 2 "for pci and for peer, expected two devices" --link "pci=0000:00:1f.7,peer=00:1f.7"
	refused 2 "peer=/dev/shm/x, expected an address" --link "pci=0000:00:1f.7,peer=/dev/shm/x"
	refused 2 "beside keys of a file" --link "pci=0000:00:1f.7,mode=0660"
	refused 2 "beside keys of a file" --link "pci=0000:00:1f.7,role=host,path=/dev/shm/x"
	refused 2 "role=chief, expected" --link "pci=0000:00:1f.7,role=chief"
	[ ! -e "$work/h2g" ] && [ ! -e "$work/g2h" ]
	check "nothing was created by what was refused" $?
}

test_wrong_files()
{
	files_new
	pong_start channel
	refused 2 "h2g: another process already holds this role" --link "role=guest,path=$work/h2g,peer=$work/g2h"
	ln "$work/g2h" "$work/link"
	refused 2 "are one file, expected two" --link "role=guest,path=$work/g2h,peer=$work/link"
	rm "$work/link"
	kill -INT $pong
	wait $pong
	truncate -s 2M "$work/g2h"
	refused 2 "g2h: it has 2097152 bytes, and 1048576 were asked for" --link "$host"
}

# One side has halves of a file, the other whole files: whoever follows says so.
test_other_layout()	# HOST_LINK GUEST_LINK SENTENCE
{
	local pinging
	"$perf" -l "$other_core" -- --mode pong --link "$1" >"$work/pong.log" 2>&1 &
	pong=$!
	wait_for grep -q serving "$work/pong.log"
	"$perf" -l 0 -- --mode ping --size 64 --samples 1000 --link "$2" >"$work/ping.log" 2>&1 &
	pinging=$!
	wait_for grep -q "$3" "$work/ping.log"
	check "$1 and $2 do not meet: $3" $? "$work/ping.log" "$work/pong.log"
	kill -INT $pinging $pong
	wait $pinging $pong
}

for via in channel ethdev; do
	for size in 64 1500; do test_size $via $size; done
	test_files $via
	test_pong_killed $via
	test_memory_lost $via truncated truncate -s 0 "$work/g2h"
	test_files_replaced $via
done
test_refusals
test_wrong_files
files_new
test_other_layout "$host" "role=guest,path=$work/h2g" "area has 1048576 bytes, the shared memory 524288"
files_new
truncate -s 1M "$work/g2h"
test_other_layout "role=host,path=$work/h2g,size=1M" "$guest" "area has 524288 bytes, the shared memory 1048576"
finish
