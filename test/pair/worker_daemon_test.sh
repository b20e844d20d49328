#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# nahanni-worker as a user has it: its services with guests' programs over files, reload, a
# kill, what systemd and telemetry are told, and each bad configuration by file and line.
#
# usage: worker_daemon_test.sh BUILD_FOLDER
set -u
shopt -s lastpipe # what checks the end of a pipe counts here
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
daemon=$build/app/nahanni-worker
client=$build/test/pair/worker_client
core=$(($(nproc) - 1))

work=$(mktemp -d /dev/shm/nahanni-daemon-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'
# Where EAL's telemetry socket is, whoever this user is.
export RUNTIME_DIRECTORY=$work/run
mkdir "$work/run"
conf=$work/test.conf
daemon_log=$work/daemon.log

# link NAME ID SERVICE LINES...: a section
link()
{
	printf '\n[link %s]\nid = %s\nservice = %s\npath = %s\nsize = 1M\ndata-bytes = 64K\n' \
		"$1" "$2" "$3" "$work/$1"
	shift 3
	[ $# = 0 ] || printf '%s\n' "$@"
}

worker()	# LINES...
{
	printf '; a test\n[worker]\nlcores = %s\nidle-after-us = 100\n' "$core"
	[ $# = 0 ] || printf '%s\n' "$@"
}

# The links that all stages begin with.
links()
{
	link echo 1 echo
	link left 2 forward "to = 3"
	link right 3 forward "to = 2"
	link sink 4 sink
	link two 5 echo "channels = 2" "priorities = 0,1"
	link split 6 echo "peer = $work/split-guest"
	link port7 7 forward "to = message-id"
	link port8 8 forward "to = message-id" "full = drop"
}

daemon_start()
{
	"$daemon" --config "$conf" >>"$daemon_log" 2>&1 &
	pid=$!
	wait_for grep -q 'serving' "$daemon_log"
}

daemon_end()
{
	kill -TERM $pid
	wait $pid
	ended=$?
}

# told NAME PATTERN: the daemon's log has it
told()
{
	wait_for grep -qE -- "$2" "$daemon_log"
	check "$1" $? "$daemon_log"
}

# telemetry COMMAND: the answer as JSON
telemetry()
{
	/usr/bin/python3 - "$RUNTIME_DIRECTORY/dpdk/rte/dpdk_telemetry.v2" "$1" <<-'END'
	import json, socket, sys
	sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	sock.connect(sys.argv[1])
	sock.recv(4096)
	sock.send(sys.argv[2].encode())
	print(json.dumps(json.loads(sock.recv(65536))))
	END
}

# Datagrams of a NOTIFY_SOCKET, a line each.
notify_listen()
{
	export NOTIFY_SOCKET=$work/notify
	/usr/bin/python3 - "$NOTIFY_SOCKET" >"$work/notified" <<-'END' &
	import socket, sys
	sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	sock.bind(sys.argv[1])
	while True:
	    print(sock.recv(4096).decode().replace("\n", " "), flush=True)
	END
	wait_for test -S "$work/notify"
}

# ---- services ----

test_echo()
{
	timeout 60 "$client" "$work/echo" send=2000 receive=2000 window=8 sizes=0,1,47,48,49,1024,4096,20000 >"$work/c.log" 2>&1
	check "echo: 2000 messages of 0 to 20000 bytes came back" $? "$work/c.log" "$daemon_log"
	timeout 60 "$client" "$work/echo" send=12 receive=12 window=2 sizes=1000000,1,3000000 >"$work/c.log" 2>&1
	check "echo: messages larger than all rings came back" $? "$work/c.log" "$daemon_log"
	for channel in 0 1; do
		timeout 60 "$client" "$work/two" channel=$channel send=300 receive=300 window=8 sizes=10,5000 >"$work/c.log" 2>&1
		check "echo: channel $channel of two" $? "$work/c.log" "$daemon_log"
	done
	timeout 60 "$client" "$work/split-guest,$work/split" send=300 receive=300 window=8 sizes=10,200000 >"$work/c.log" 2>&1
	check "echo: a split link" $? "$work/c.log" "$daemon_log"
}

# Both send and receive at once; the ids pass unchanged.
test_forward()
{
	local one other
	timeout 60 "$client" "$work/left" send=500 receive=500 sizes=16,100000,0,2000 go="$work/go" >"$work/c.log" 2>&1 &
	one=$!
	timeout 60 "$client" "$work/right" send=500 receive=500 sizes=16,100000,0,2000 go="$work/go" >"$work/d.log" 2>&1 &
	other=$!
	# What is sent while nobody reads is dropped.
	wait_for grep -q 'is up' "$work/c.log" && wait_for grep -q 'is up' "$work/d.log" && touch "$work/go"
	wait $other
	check "forward: the right guest has all of the left one" $? "$work/d.log" "$daemon_log"
	wait $one
	check "forward: the left guest has all of the right one" $? "$work/c.log" "$daemon_log"
}

# The id names the port, and is the sender's behind the switch.
test_switch()
{
	local one
	timeout 60 "$client" "$work/port8" receive=200 sizes=16,300000,48 expect=7 >"$work/d.log" 2>&1 &
	one=$!
	wait_for grep -q 'is up' "$work/d.log"
	timeout 60 "$client" "$work/port7" send=200 sizes=16,300000,48 id=8 >"$work/c.log" 2>&1
	wait $one
	check "switch: messages to 8 came from 7" $? "$work/c.log" "$work/d.log" "$daemon_log"
	timeout 60 "$client" "$work/port7" send=5 sizes=16,100000 id=99 >"$work/c.log" 2>&1
	timeout 60 "$client" "$work/port7" send=5 sizes=16,100000 id=8 >"$work/c.log" 2>&1
	wait_for counted 7 '"dropped": 10'
	check "switch: what has no destination, or nobody there, is dropped" $? "$daemon_log"
}

counted()	# ID TEXT
{
	telemetry "/nahanni/service,$1" | grep -q -- "$2"
}

test_sink()
{
	timeout 60 "$client" "$work/sink" send=300 sizes=1,100,200000 >"$work/c.log" 2>&1
	check "sink: takes all" $? "$work/c.log" "$daemon_log"
	wait_for counted 4 '"messages": 300, "bytes": 20010100'
	check "sink: counts messages and bytes" $? "$daemon_log"
}

test_telemetry()
{
	telemetry /nahanni/links | grep -q '\[1, 2, 3, 4, 5, 6, 7, 8\]'
	check "telemetry: all links" $? "$daemon_log"
	telemetry /nahanni/link,1 | grep -q '"name": "echo"'
	check "telemetry: a link" $? "$daemon_log"
	telemetry /nahanni/worker >"$work/answer"
	grep -q '"links": .8.' "$work/answer"
	check "telemetry: an lcore" $? "$work/answer"
	counted 99 null
	check "telemetry: no such link" $? "$daemon_log"
}

# The files have their host already; looking at them does no harm.
test_second_daemon()
{
	timeout 60 "$daemon" --config "$conf" --check >"$work/refused.log" 2>&1
	check "--check while the daemon runs" $? "$work/refused.log"
	timeout 60 "$daemon" --config "$conf" >"$work/refused.log" 2>&1
	[ $? = 1 ] && grep -q 'another process already holds' "$work/refused.log"
	check "a second daemon for the same files ends with 1" $? "$work/refused.log"
}

# ---- reload and restart ----

# A guest of echo exchanges from the first to the second, and is to notice nothing between.
guest_begin()
{
	"$client" "$work/echo" send=endless receive=as-sent window=4 sizes=30,3000,100000 >"$work/e.log" 2>&1 &
	guest=$!
	wait_for grep -q 'is up' "$work/e.log"
}

guest_end()	# NAME
{
	sleep 0.3
	kill -TERM $guest
	wait $guest && grep -q 'restarts 0 stale 0' "$work/e.log" && ! grep -q 'sent 0 ' "$work/e.log"
	check "$1: a guest of a link that stays noticed nothing" $? "$work/e.log" "$daemon_log"
}

reload()	# PATTERN: what the log is to say of it
{
	: >"$daemon_log"
	kill -HUP $pid
	wait_for grep -qE -- "$1" "$daemon_log"
}

test_reload()
{
	{ worker; links; link new 20 echo; } >"$conf"
	reload '9 links, of which 1 are new or changed; 0 were removed'
	check "reload: a link is added" $? "$daemon_log"
	timeout 60 "$client" "$work/new" send=50 receive=50 window=4 sizes=100 >"$work/c.log" 2>&1
	check "reload: it serves" $? "$work/c.log" "$daemon_log"
	# The file is the same: it is opened again after the old link was closed.
	{ worker; links; link new 21 sink; } >"$conf"
	reload '9 links, of which 1 are new or changed; 1 were removed or changed'
	check "reload: a link is changed" $? "$daemon_log"
	timeout 60 "$client" "$work/new" send=50 sizes=100 >"$work/c.log" 2>&1 && wait_for counted 21 '"messages": 50'
	check "reload: it serves as changed" $? "$work/c.log" "$daemon_log"
	{ worker; links; } >"$conf"
	reload '8 links, of which 0 are new or changed; 1 were removed'
	check "reload: a link is removed" $? "$daemon_log"
	telemetry /nahanni/links | grep -q '\[1, 2, 3, 4, 5, 6, 7, 8\]'
	check "reload: it is gone" $? "$daemon_log"
}

# In the middle of a message: its sender goes on with others.
test_destination_removed()
{
	local sender receiver
	"$client" "$work/port8" receive=1000000 sizes=3000000 expect=7 others=pass >"$work/d.log" 2>&1 &
	receiver=$!
	wait_for grep -q 'is up' "$work/d.log"
	"$client" "$work/port7" send=endless sizes=3000000 id=8 >"$work/c.log" 2>&1 &
	sender=$!
	wait_for grep -q 'is up' "$work/c.log"
	sleep 0.3
	# Its ring is full then, and the message in the middle.
	kill -STOP $receiver
	sleep 0.3
	{ worker; links | sed '/link port8/,$d'; } >"$conf"
	reload '7 links, of which 0 are new or changed; 1 were removed'
	check "reload: a destination in use is removed" $? "$daemon_log"
	sleep 0.2
	kill -TERM $sender
	wait $sender && grep -q 'restarts 0 stale 0' "$work/c.log"
	check "reload: who sent to it goes on" $? "$work/c.log" "$daemon_log"
	wait_for counted 7 '"lost": 1'
	check "reload: its message was counted as lost: $(telemetry /nahanni/service,7)" $? "$daemon_log"
	kill -KILL $receiver
	wait $receiver 2>/dev/null
	{ worker; links; } >"$conf"
	reload '8 links, of which 1 are new or changed'
	check "reload: and it is added again" $? "$daemon_log"
}

messages_of()	# ID: what its service has done
{
	telemetry "/nahanni/service,$1" | grep -oE '"messages": [0-9]+' | grep -oE '[0-9]+'
}

# A link that goes in the middle of its messages leaves nothing that holds up others.
test_sender_removed()
{
	local turn before others=()
	"$client" "$work/port8" receive=1000000 sizes=5000,40000 expect=7 others=pass >"$work/d.log" 2>&1 &
	others+=($!)
	"$client" "$work/port7" send=endless sizes=5000,40000 id=8 >"$work/c.log" 2>&1 &
	others+=($!)
	wait_for grep -q 'is up' "$work/c.log" && wait_for grep -q 'is up' "$work/d.log"
	for turn in 1 2 3; do
		{ worker; links; link port9 9 forward "to = message-id"; } >"$conf"
		reload '9 links, of which 1 are new or changed'
		"$client" "$work/port9" send=endless sizes=5000,40000 id=8 >"$work/e.log" 2>&1 &
		others+=($!)
		wait_for grep -q 'is up' "$work/e.log"
		sleep 0.2
		{ worker; links; } >"$conf"
		reload '8 links, of which 0 are new or changed; 1 were removed'
		before=$(messages_of 7)
		sleep 0.3
		[ "$(messages_of 7)" -gt "$before" ]
		check "reload: a sender is removed in the middle, the other goes on ($turn)" $? "$daemon_log"
		kill -KILL "${others[-1]}"
	done
	kill -KILL "${others[@]}" 2>/dev/null
	wait "${others[@]}" 2>/dev/null
}

# With full=drop a receiver that was killed holds up nobody for long.
test_receiver_killed()
{
	local receiver sender before
	"$client" "$work/port8" receive=1000000 sizes=300000 expect=7 others=pass >"$work/d.log" 2>&1 &
	receiver=$!
	wait_for grep -q 'is up' "$work/d.log"
	{ worker; links | sed 's/^id = 7$/&\nfull = drop/'; } >"$conf"
	reload '8 links'
	"$client" "$work/port7" send=endless sizes=300000 id=8 >"$work/c.log" 2>&1 &
	sender=$!
	wait_for grep -q 'is up' "$work/c.log"
	sleep 0.2
	kill -KILL $receiver
	sleep 2.5
	before=$(telemetry /nahanni/service,7)
	sleep 0.3
	[ "$(telemetry /nahanni/service,7)" != "$before" ]
	check "forward: a killed receiver holds up nobody for long with full=drop" $? "$daemon_log"
	kill -KILL $sender
	wait $receiver $sender 2>/dev/null
	{ worker; links; } >"$conf"
	reload '8 links'
}

# A guest that stands still in the middle of a message does not hold up another for long.
test_sender_stopped()
{
	local stopped receiver
	{ worker; links; link port9 9 forward "to = message-id"; } >"$conf"
	reload '9 links'
	"$client" "$work/port8" receive=20 sizes=16,3000 expect=9 others=pass >"$work/d.log" 2>&1 &
	receiver=$!
	wait_for grep -q 'is up' "$work/d.log"
	"$client" "$work/port7" send=endless sizes=8000000 id=8 >"$work/c.log" 2>&1 &
	stopped=$!
	wait_for grep -q 'is up' "$work/c.log"
	sleep 0.3
	kill -STOP $stopped
	timeout 60 "$client" "$work/port9" send=20 sizes=16,3000 id=8 >"$work/e.log" 2>&1
	wait $receiver
	check "switch: a sender that stands still is given up" $? "$work/d.log" "$work/e.log" "$daemon_log"
	kill -KILL $stopped
	wait $stopped 2>/dev/null
	{ worker; links; } >"$conf"
	reload '8 links'
}

# bad NAME PATTERN: the configuration of stdin changes nothing
bad()
{
	cat >"$conf"
	reload 'all goes on as before' && grep -qE -- "$2" "$daemon_log"
	check "reload, $1: $2" $? "$daemon_log"
}

test_bad_reload()
{
	{ worker; links; link new 20 echo; link bad 21 nonsense; } | bad "unknown service" "test.conf:[0-9]+: service is 'nonsense'"
	worker "budget = 64" | bad "another [worker]" 'test.conf:2: \[worker\] has changed'
	truncate -s 1M "$work/open"
	chmod 666 "$work/open"
	{ worker; links; link new 20 echo; link open 21 echo; } | bad "unsafe file" 'test.conf:[0-9]+: .*/open has mode 0666'
	rm -f "$work/open"
	truncate -s 1M "$work/held"
	/usr/bin/python3 -c 'import fcntl, sys, time
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX, 1, 0)
open(sys.argv[1] + ".locked", "w")
time.sleep(60)' "$work/held" &
	holder=$!
	wait_for test -e "$work/held.locked"
	{ worker; links; link new 20 echo; link held 21 echo; } | bad "file of another host" 'test.conf:[0-9]+: the link held cannot be opened'
	kill $holder
	wait $holder 2>/dev/null
	rm "$conf"
	reload 'all goes on as before'
	check "reload, no file: all goes on" $? "$daemon_log"
	telemetry /nahanni/links | grep -q '\[1, 2, 3, 4, 5, 6, 7, 8\]'
	check "reload: after bad ones all links are there, and no other" $? "$daemon_log"
	! grep -q "$work/new" "/proc/$pid/maps"
	check "reload: after bad ones no file is open that was to be new" $? "$daemon_log"
	{ worker; links; } >"$conf"
}

# The guest repeats what was under way, and goes on.
test_killed()
{
	guest_begin
	sleep 0.3
	kill -KILL $pid
	wait $pid 2>/dev/null
	: >"$daemon_log"
	daemon_start
	wait_for ups 2
	sleep 0.3
	kill -TERM $guest
	wait $guest && grep -q 'restarts 1 stale 1' "$work/e.log"
	check "daemon killed and started again: the guest went on" $? "$work/e.log" "$daemon_log"
}

# shellcheck disable=SC2317	# by wait_for
ups()	# N: times that the guest's link came up
{
	[ "$(grep -c 'link is up' "$work/e.log")" -ge "$1" ]
}

test_files_damaged()
{
	rm "$work/new"
	{ worker; links; link new 20 echo; } >"$conf"
	reload '9 links'
	rm "$work/new"
	truncate -s 1M "$work/new"
	wait_for grep -q 'link new: .*SIGHUP opens it anew' "$daemon_log" && wait_for grep -q '1 with damaged files' "$work/notified"
	check "a file replaced is told of" $? "$daemon_log" "$work/notified"
	reload '9 links, of which 1 are new or changed'
	timeout 60 "$client" "$work/new" send=50 receive=50 window=4 sizes=100 >"$work/c.log" 2>&1
	check "and opened anew by SIGHUP" $? "$work/c.log" "$daemon_log"
}

test_notified()
{
	grep -q 'READY=1 STATUS=8 links' "$work/notified" && grep -qE 'RELOADING=1 MONOTONIC_USEC=[0-9]+' "$work/notified"
	check "systemd was told of the start and of reloads" $? "$work/notified"
	daemon_end
	[ $ended = 0 ]
	check "SIGTERM: ended with $ended, expected 0" $? "$daemon_log"
	told "the end: counters of each link" 'link echo: echo: [0-9]+ messages'
	wait_for grep -q STOPPING=1 "$work/notified"
	check "systemd was told of the end" $? "$work/notified"
}

# ---- bad configurations ----

# refused STATUS PATTERN OPTIONS...: of the configuration of stdin
refused()
{
	local wanted=$1 text=$2 status
	shift 2
	cat >"$conf"
	timeout 60 "$daemon" "$@" --config "$conf" --check >"$work/refused.log" 2>&1
	status=$?
	[ $status = "$wanted" ] && grep -qE -- "$text" "$work/refused.log"
	check "refused, status $status of $wanted: $text" $? "$work/refused.log"
}

# Line 1 is a comment, 2 [worker], 3 lcores; the first link begins at line 6.
test_refusals()
{
	{ worker; link a 1 echo "nonsense = 1"; } | refused 2 'test.conf:12: the key nonsense is unknown'
	{ worker; link a 1 forward "to = 9"; } | refused 2 'test.conf:12: .*link 9, which is unknown'
	{ worker; link a 1 echo; link b 2 echo "peer = $work/a"; } | refused 2 'test.conf:19: the file .*/a of the link b is the link a.s too'
	{ worker; link a 1 echo "peer = $work/../${work##*/}/a"; } | refused 2 'test.conf:12: .*for path and for peer'
	{ worker; link a 1 echo; link b 1 echo; } | refused 2 'test.conf:14: the id 1'
	{ worker; link a 1 echo; link a 2 echo; } | refused 2 'test.conf:13: the section \[link a\] is there twice'
	{ worker; link a 1 echo "id = 2"; } | refused 2 'test.conf:12: the key id is given twice'
	{ worker; link a 1 echo "lcore = 99"; } | refused 2 'test.conf:12: lcore 99 of the link a is not the worker'
	{ printf '; two\n[worker]\nlcores = 1,2\n'; link a 1 forward "to = 2"; link b 2 echo "lcore = 2"; } |
		refused 2 'test.conf:11: the link a of lcore 1 forwards to the link b of lcore 2, expected both on one'
	{ worker; link a 1 forward; } | refused 2 'test.conf:6: .*has no to'
	{ worker; link a 1 echo "to = 1"; } | refused 2 'test.conf:12: .*does not forward'
	{ worker; link a 1 echo "mode = 666"; } | refused 2 "test.conf:12: mode is '666'"
	{ worker; link a 1 echo "cells = 17"; } | refused 2 "test.conf:12: cells is '17'"
	{ worker; link a 0 echo; } | refused 2 "test.conf:7: id is '0'"
	{ worker; link a 1 echo "priorities = 0,1"; } | refused 2 'test.conf:12: priorities names 2'
	{ worker; link a 1 echo "just words"; } | refused 2 'test.conf:12: the line is neither'
	{ worker; echo "[oops"; } | refused 2 'test.conf:5: the section.s name has no end'
	{ worker; echo "[nonsense]"; } | refused 2 'test.conf:5: the section \[nonsense\] is unknown'
	{ echo "id = 1"; worker; } | refused 2 'test.conf:1: the key id stands in no section'
	{ worker; worker; } | refused 2 'test.conf:6: the section \[worker\] is there twice'
	{ worker "lcores = 1"; } | refused 2 'test.conf:5: the key lcores is given twice'
	printf '[worker]\nlcores = 1,2-3,1\n' | refused 2 'test.conf:2: lcore 1 is named twice'
	printf '[worker]\nlcores =\n' | refused 2 "test.conf:2: lcores is ''"
	printf '[worker]\nidle = deadline\n' | refused 2 "test.conf:2: idle is 'deadline'"
	link a 1 echo | refused 2 'section \[worker\] is missing'
	printf '[worker]\nlcores = 127\n' | refused 2 'test.conf:2: EAL has no lcore 127'
	printf '[worker]\nlcores = 0\n' | refused 2 'test.conf:2: lcore 0 is EAL.s main lcore' -l 0 --
	{ worker; link a 1 echo "create = no"; } | refused 2 'test.conf:9: the file .*/a of the link a cannot be found'
	{ worker; link a 1 echo "channels = 64"; } | refused 2 'test.conf:9: the channels of the link a do not fit'
	worker | refused 1 'EAL could not start' --nonsense --
	chmod 664 "$conf"
	"$daemon" --config "$conf" --check >"$work/refused.log" 2>&1
	[ $? = 2 ] && grep -q 'nobody else who may write it' "$work/refused.log"
	check "refused: a configuration that others may write" $? "$work/refused.log"
	rm "$conf"
	[ ! -e "$work/a" ]
	check "nothing was created by what was refused" $?
}

test_unsafe_files()
{
	truncate -s 1M "$work/a"
	chmod 666 "$work/a"
	{ worker; link a 1 echo; } | refused 2 'test.conf:9: .*/a (has mode|is a symbolic)'
	rm "$work/a"
	ln -s "$work/b" "$work/a"
	truncate -s 1M "$work/b"
	{ worker; link a 1 echo; } | refused 2 'test.conf:9: .*/a (has mode|is a symbolic)'
	rm "$work/a" "$work/b"
	truncate -s 2M "$work/a"
	{ worker; link a 1 echo; } | refused 2 'test.conf:9: .*/a.*2097152 bytes'
	rm "$work/a"
}

test_options()
{
	"$daemon" >"$work/refused.log" 2>&1
	[ $? = 2 ] && grep -q 'expected --config FILE' "$work/refused.log"
	check "no option: status 2" $? "$work/refused.log"
	"$daemon" --help | grep -q 'SYNOPSIS' && "$daemon" --version | grep -q 'nahanni-worker [0-9]'
	check "--help and --version" $?
	sed "s,/dev/shm/,$work/,; s,^lcores.*,lcores = $core,; s,^lcore .*,lcore = $core,; s,^group.*,group = $(id -g)," \
		"$here/../../config/nahanni-worker.conf" >"$conf"
	"$daemon" --config "$conf" --check >"$work/refused.log" 2>&1
	check "the example configuration is good" $? "$work/refused.log"
}

test_options
test_refusals
test_unsafe_files
{ worker; links; } >"$conf"
notify_listen
: >"$daemon_log"
daemon_start
told "serving" 'serving 8 links on 1 lcores'
test_echo
test_forward
test_switch
test_sink
test_telemetry
test_second_daemon
guest_begin
test_reload
test_destination_removed
guest_end "reload"
guest_begin
test_bad_reload
guest_end "bad reload"
test_sender_removed
test_receiver_killed
test_sender_stopped
test_killed
test_files_damaged
test_notified
finish
