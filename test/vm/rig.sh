# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests with a real guest share, for both layouts. Needs $build and
# test/shell/checks.sh; gives $work, and what $layout says.

# shellcheck disable=SC2154	# the test sets it
perf=$build/app/ipc-perf
vm=$here/../../devtools/vm
samples=${NHN_NIGHTLY:+1000000}
samples=${samples:-10000}
# Round trips that no run ends with.
# shellcheck disable=SC2034	# the tests use it
endless=1000000000
guest_pid=

[ "$(id -u)" = 0 ] || skip "run as root: the guest's modules and memory need it"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is missing: run devtools/setup"
work=$(mktemp -d /dev/shm/nahanni-vm-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'
# A guest that is killed leaves its folder behind.
mkdir "$work/tmp"
export TMPDIR=$work/tmp

# In a guest's command, which is given ipc-perf's path as $0: the own device, and
# of a split link the one that is read.
# shellcheck disable=SC2016,SC2034	# the guest's shell expands; the tests use it
guest_link='pci=$NHN_BDF${NHN_PEER_BDF:+,peer=$NHN_PEER_BDF}'

layout_take()	# joint|split [ORDER]: of the devices, "own-first" or "peer-first"
{
	layout=$1
	if [ "$layout" = joint ]; then
		files=("$work/memory")
		host_link=role=host,path=$work/memory
		devices=(--shm "$work/memory")
		return
	fi
	files=("$work/h2g" "$work/g2h")
	host_link=role=host,path=$work/h2g,peer=$work/g2h
	devices=(--layout split --shm "$work/g2h" --shm-host "$work/h2g")
	[ "${2:-own-first}" = own-first ] ||
		devices=(--layout split --shm-host "$work/h2g" --shm "$work/g2h")
}

# Memory as it is before anything has run. The host's file must be there for QEMU.
memory_new()
{
	# Logs too: what is started in the background empties its own when it runs, and until then
	# who waits for a line would find the last run's.
	rm -f "${files[@]}" "$work"/*.json "$work"/*.log "$work/monitor"
	truncate -s 16M "${files[@]}"
}

# guest_start LOG OPTIONS... -- COMMAND...: QEMU on the second core, as $guest_pid
guest_start()
{
	local log=$1
	shift
	"$vm" --host-cpu "$(($(nproc) > 1))" "${devices[@]}" --time-limit 240 --put "$perf" "$@" >"$log" 2>&1 &
	guest_pid=$!
}

guest_wait()
{
	wait "$guest_pid"
	local status=$?
	guest_pid=
	return $status
}

# QEMU dies with the script that started it, by the same signal.
guest_kill()
{
	kill -KILL "$guest_pid"
	wait "$guest_pid" 2>/dev/null
	guest_pid=
}

# up LOG: ipc-perf says that its link is up. A busy machine boots for minutes.
up()
{
	wait_for grep -q 'link is up' "$1" || wait_for grep -q 'link is up' "$1" || wait_for grep -q 'link is up' "$1"
}

guest_reset()
{
	/usr/bin/python3 - "$work/monitor" <<-'END'
	import socket, sys
	monitor = socket.socket(socket.AF_UNIX)
	monitor.connect(sys.argv[1])
	answer = monitor.makefile("rb")
	answer.readline()
	monitor.sendall(b"system_reset\n")
	answer.readline()
	END
}

word()	# FILE OFFSET BYTES
{
	od -A n -t u4 -j "$2" -N "$3" "$1"
}

# How far the handshake got (doc/wire-format), and twice, for a beat that moves is an end that
# polls.
words()
{
	local side offset file
	for _ in 1 2; do
		for side in host guest; do
			offset=0
			file=${files[0]}
			[ $side = host ] || file=${files[-1]}
			[ $side = host ] || [ ${#files[@]} != 1 ] || offset=$((8 << 20))
			echo "$side: session, seen, open, discarded: $(word "$file" $offset 16), beat: $(word "$file" $((offset + 64)) 4)"
		done
		sleep 6
	done
}

# Where the guest's CPUs are, some times: by the far end's maps a loop has a name.
places()
{
	timeout 30 /usr/bin/python3 - "$work/monitor" <<-'END'
	import re, socket, sys, time
	monitor = socket.socket(socket.AF_UNIX)
	monitor.connect(sys.argv[1])
	for _ in range(8):
	    monitor.sendall(b"info registers -a\n")
	    time.sleep(0.2)
	    print("RIP of each CPU:", *re.findall(r"RIP=(\w+)", monitor.recv(1 << 16).decode(errors="replace")))
	END
}

# ended PID LOG: a process of the host's ends within 200 s; else its log tells where it and the
# link are, and it is killed.
ended()
{
	local pid=$1 log=$2 task
	for _ in $(seq 2000); do
		[ -d "/proc/$pid" ] || break
		sleep 0.1
	done
	if [ -d "/proc/$pid" ]; then
		{
			echo "did not end: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
			for task in "/proc/$pid/task"/*; do
				cat "$task/comm" "$task/syscall" "$task/wchan"
				echo
			done
			words
			[ ! -S "$work/monitor" ] || places
		} >>"$log" 2>&1
		kill -KILL "$pid"
	fi
	wait "$pid"
}

host_ping()	# VIA SIZE SAMPLES
{
	rm -f "$work/out.json"
	"$perf" -l 0 -- --mode ping --via "$1" --size "$2" --samples "$3" --link "$host_link" \
		--json "$work/out.json" >"$work/host.log" 2>&1 &
	ended $! "$work/host.log"
}

# Counted, whole.
host_ping_whole()	# VIA SIZE
{
	host_ping "$1" "$2" "$samples" && all_arrived "$work/out.json" "$samples"
}

host_pong()	# VIA: as $pong_pid
{
	"$perf" -l 0 -- --mode pong --via "$1" --link "$host_link" >"$work/host.log" 2>&1 &
	# shellcheck disable=SC2034	# the tests wait for it
	pong_pid=$!
}

# restarted JSON: the run saw pong restarted, lost at most what was under way then,
# and nothing else was wrong
restarted()
{
	/usr/bin/python3 - "$1" <<-'END'
	import json, sys
	report = json.load(open(sys.argv[1]))["runs"][0]
	wrong = report["duplicates"] + report["misordered"] + report["corrupt"]
	print("restarts", report["restarts"], "lost", report["lost"], "wrong", wrong)
	sys.exit(not (report["restarts"] >= 1 and report["lost"] <= report["restarts"] and wrong == 0))
	END
}
