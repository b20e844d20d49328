#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# ipc-perf and the PMD between two processes on a file: sizes, both ways, a
# killed ping, and what each wrong input is answered with.
#
# usage: ipc_perf_test.sh BUILD_FOLDER
set -u
# shellcheck source=test/pair/ipc_perf_rig.sh
. "$(dirname "$0")/ipc_perf_rig.sh"
samples=20000

testpmd=$(command -v dpdk-testpmd) || skip "dpdk-testpmd is missing: run devtools/setup"

ping()	# VIA SIZE
{
	"$perf" -l 0 -- --mode ping --via "$1" --link "role=guest,path=$work/memory" --size "$2" \
		--samples $samples --json "$work/out.json" >"$work/ping.log" 2>&1
}

test_size()	# VIA SIZE
{
	pong "$1"
	ping "$1" "$2" && wait $pong && all_arrived "$work/out.json" $samples
	check "$1, $2 bytes: $samples messages there and back" $? "$work/ping.log" "$work/pong.log"
}

test_ping_killed()	# VIA
{
	pong "$1"
	"$perf" -l 0 -- --mode ping --via "$1" --link "role=guest,path=$work/memory" --size 64 --samples 1000000000 >"$work/first.log" 2>&1 &
	local first=$!
	wait_for grep -q 'waiting for pong' "$work/first.log"
	sleep 1
	kill -KILL $first
	wait $first 2>/dev/null
	ping "$1" 64 && wait $pong && all_arrived "$work/out.json" $samples
	check "$1: ping killed and started again, pong served both" $? "$work/ping.log" "$work/pong.log"
}

# A guest's first host dies when its ring is open for the guest and before it has said that it
# reads the guest's: so the memory is left as such a host leaves it.
# shellcheck disable=SC2016	# Python's
half_up='
import struct, sys, time
with open(sys.argv[1], "r+b", 0) as memory:
    half = memory.seek(0, 2) // 2
    def words(area):	# session, seen, open
        memory.seek(area)
        return struct.unpack("<3I", memory.read(12))
    host, guest = words(0)[0], words(half)[0]
    while guest == 0 or guest % 2 or words(half)[1] != host:
        time.sleep(0.01)
        guest = words(half)[0]
    memory.seek(4)
    memory.write(struct.pack("<2I", guest, guest))
    while words(half)[1] != host | 1:
        time.sleep(0.01)
'

test_killed_half_up()	# VIA
{
	local first
	rm -f "$work/memory" "$work/out.json"
	"$perf" -l 0 -- --mode ping --via "$1" --link "role=host,path=$work/memory" >"$work/first.log" 2>&1 &
	first=$!
	wait_for grep -q 'waiting for pong' "$work/first.log"
	kill -KILL $first
	wait $first 2>/dev/null
	"$perf" -l "$other_core" -- --mode pong --via "$1" --link "role=guest,path=$work/memory" >"$work/pong.log" 2>&1 &
	pong=$!
	timeout 60 /usr/bin/python3 -c "$half_up" "$work/memory" >>"$work/first.log" 2>&1 &&
		timeout 100 "$perf" -l 0 -- --mode ping --via "$1" --link "role=host,path=$work/memory" \
			--samples $samples --json "$work/out.json" >"$work/ping.log" 2>&1 &&
		wait $pong && all_arrived "$work/out.json" $samples
	check "$1: ping killed while its link came up first, pong served the next" $? "$work/first.log" "$work/ping.log" "$work/pong.log"
	kill $pong 2>/dev/null
}

# Debian's testpmd on both ends, all frames of txonly counted again by rxonly
# but those that were on their way at the end: a ring at most.
test_testpmd()
{
	local options=(--no-huge -m 256 --no-pci --no-telemetry -d librte_net_nahanni.so)
	local host guest sent got
	rm -f "$work/memory"
	export LD_LIBRARY_PATH=$build/drivers:$build/lib
	timeout -s INT 60 "$testpmd" "${options[@]}" --lcores "0@0,1@0" --file-prefix "a$$" \
		--vdev "net_nahanni0,role=host,path=$work/memory,size=4M" -- --forward-mode=rxonly \
		--total-num-mbufs=4096 --stats-period 1 >"$work/host.log" 2>&1 </dev/null &
	host=$!
	wait_for test -s "$work/memory"
	timeout -s INT 6 "$testpmd" "${options[@]}" --lcores "0@$other_core,1@$other_core" --file-prefix "b$$" \
		--vdev "net_nahanni0,role=guest,path=$work/memory" -- --forward-mode=txonly \
		--total-num-mbufs=4096 --stats-period 1 >"$work/guest.log" 2>&1 </dev/null &
	guest=$!
	wait $guest
	sleep 1
	kill -INT $host
	wait $host
	unset LD_LIBRARY_PATH
	sent=$(sed -n 's/.*TX-packets: \([0-9]*\) .*/\1/p' "$work/guest.log" | tail -n 1)
	got=$(sed -n 's/.*RX-packets: \([0-9]*\) .*/\1/p' "$work/host.log" | tail -n 1)
	[ "${sent:-0}" -gt 1000 ] && [ "$sent" = "$got" ]
	check "stock testpmd: $sent frames sent, $got received" $? "$work/host.log" "$work/guest.log"
}

# refused STATUS TEXT COMMAND...: ends so, and says so
refused()
{
	local wanted=$1 text=$2 status
	shift 2
	timeout 60 "$@" >"$work/refused.log" 2>&1 </dev/null
	status=$?
	[ $status = "$wanted" ] && grep -qE -- "$text" "$work/refused.log"
	check "refused, status $status of $wanted: $text" $? "$work/refused.log"
}

test_bad_options()
{
	local link="role=host,path=$work/new"
	refused 2 '--mode' "$perf" -- --link "$link"
	refused 2 '--link' "$perf" -- --mode ping
	refused 2 'frobnicate' "$perf" -- --mode ping --link "$link" --frobnicate
	refused 2 "chief" "$perf" -- --mode ping --link "role=chief,path=$work/new"
	refused 2 "colour" "$perf" -- --mode ping --link "$link,colour=red"
	refused 2 '0' "$perf" -- --mode ping --link "$link" --size 60 --samples 0
	refused 2 '12x' "$perf" -- --mode ping --link "$link" --size 60 --samples 12x
	refused 2 '7' "$perf" -- --mode ping --link "$link" --size 7 --samples 1000
	refused 2 'absent' "$perf" -- --mode ping --link "role=guest,path=$work/absent" --size 60 --samples 1000
	refused 2 'power of two' "$perf" -- --mode ping --link "$link,size=3000000"
	refused 2 '00:1f.7' "$perf" -- --mode ping --link pci=0000:00:1f.7 --size 60 --samples 1000
	refused 2 'nowhere' "$perf" -- --mode ping --link "$link" --size 60 --samples 1000 --json "$work/nowhere/out.json"
	[ ! -e "$work/new" ]
	check "nothing was created by what was refused" $?
}

test_bad_memory()
{
	local before
	head -c 65536 /dev/urandom >"$work/foreign"
	before=$(sha256sum <"$work/foreign")
	refused 2 'left untouched' "$perf" -- --mode pong --link "role=host,path=$work/foreign"
	[ "$before" = "$(sha256sum <"$work/foreign")" ]
	check "foreign file untouched" $?
	head -c 100 /dev/zero >"$work/small"
	refused 2 '100' "$perf" -- --mode pong --link "role=host,path=$work/small"
	pong channel
	refused 2 'another process|holds' "$perf" -l 0 -- --mode ping --link "role=host,path=$work/memory" --size 60 --samples 1000
	kill -INT $pong
	wait $pong
	check "^C ends pong with status 0" $? "$work/pong.log"
}

test_bad_devargs()
{
	local vdev=(env "LD_LIBRARY_PATH=$build/drivers:$build/lib" "$testpmd" --no-huge -m 128 --no-pci --no-telemetry
		--file-prefix "c$$" -l 0 -d librte_net_nahanni.so --vdev)
	refused 1 "expected role=host\|guest" "${vdev[@]}" "net_nahanni0,role=host,path=$work/new,colour=red"
	refused 1 "role is 'chief', expected host or guest" "${vdev[@]}" "net_nahanni0,role=chief,path=$work/new"
	refused 1 "path is missing" "${vdev[@]}" "net_nahanni0,role=host"
	refused 1 "role is missing" "${vdev[@]}" "net_nahanni0,path=$work/new"
	refused 1 "queues is '65', expected 1 to 64" "${vdev[@]}" "net_nahanni0,role=host,path=$work/new,queues=65"
	refused 1 "size is 'big'" "${vdev[@]}" "net_nahanni0,role=host,path=$work/new,size=big"
	refused 1 "power of two" "${vdev[@]}" "net_nahanni0,role=host,path=$work/new,size=24M"
	refused 1 "absent" "${vdev[@]}" "net_nahanni0,role=guest,path=$work/absent"
}

for size in 8 60 61 1500 65536; do test_size channel $size; done
for size in 64 122 123 1500; do test_size ethdev $size; done
for via in channel ethdev; do test_ping_killed $via; done
for via in channel msg; do test_killed_half_up $via; done
test_testpmd
test_bad_options
test_bad_memory
test_bad_devargs
finish
