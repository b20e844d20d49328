#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The prompt of ipc-perf: commands from a pipe, from a file and from a terminal
# with completion; scenarios; files saved; what is refused.
#
# usage: ipc_perf_prompt_test.sh BUILD_FOLDER
set -u
# shellcheck source=test/pair/ipc_perf_rig.sh
. "$(dirname "$0")/ipc_perf_rig.sh"

test_pipe()
{
	pong channel
	printf '%s\n' 'set size 60' 'set samples 20k' 'show config' 'start' 'show stats' 'show histogram' 'show floor' \
		'show link' 'show topology' 'show gaps' 'set mode flood' 'set burst 16' 'start' 'show runs' \
		"save $work/out.json" "save $work/out.csv" "report $work/out.html" 'help' 'quit' |
		timeout 120 "$perf" -l 0 -- --interactive --link "role=guest,path=$work/memory" >"$work/near.log" 2>&1 &&
		wait "$pong" && report 'len(runs) == 2' 'runs[0]["mode"] == "ping"' 'runs[1]["settings"]["burst"] == "16"' 'all(r["met"] for r in runs)' &&
		grep -q '"ipc-perf"' "$work/out.html" && grep -q '^1,' "$work/out.csv"
	check "two runs from a pipe, shown, saved and reported; quit ends the far end" $? "$work/near.log" "$work/pong.log"
	pong_end
}

test_file()
{
	pong channel
	printf '%s\n' 'set mode rpc' 'set depth 4' 'set size 60' 'set samples 5k' 'start' 'clear' 'start' "save $work/out.json" >"$work/commands"
	timeout 120 "$perf" -l 0 -- --cmdline-file "$work/commands" --link "role=guest,path=$work/memory" >"$work/near.log" 2>&1 </dev/null &&
		report 'len(runs) == 1' 'run["mode"] == "rpc"' 'run["met"]'
	check "commands from a file; clear forgets" $? "$work/near.log"
	pong_end
	pong channel
	printf '%s\n' 'set size 60' 'set sise 61' >"$work/commands"
	timeout 60 "$perf" -l 0 -- --cmdline-file "$work/commands" --link "role=guest,path=$work/memory" >"$work/near.log" 2>&1 </dev/null
	[ $? = 2 ] && grep -q 'sise' "$work/near.log" && grep -q 'commands.*2' "$work/near.log"
	check "a wrong word in a command file: named with file and line, status 2" $? "$work/near.log"
	pong_end
}

# The prompt answers while a run is under way; stop ends it; a word is completed.
test_terminal()
{
	pong channel
	timeout 90 /usr/bin/python3 - "$perf" "role=guest,path=$work/memory" >"$work/near.log" 2>&1 <<-'END'
	import os, pty, select, sys, time
	pid, fd = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], [sys.argv[1], "-l", "0", "--", "-i", "--link", sys.argv[2]])
	text = b""

	def expect(what, seconds=20):
	    global text
	    end = time.time() + seconds
	    while what not in text:
	        if time.time() > end or not select.select([fd], [], [], end - time.time())[0]:
	            sys.exit(f"no {what!r} in {text!r}")
	        text += os.read(fd, 4096)
	    text = text[text.index(what) + len(what):]

	expect(b"ipc-perf> ")
	os.write(fd, b"set durat\t")
	expect(b"set duration")
	os.write(fd, b" 60s\n")
	expect(b"ipc-perf> ")
	os.write(fd, b"set mode idle\t")
	expect(b"idle-wake")
	os.write(fd, b"\nset mode ping\n")
	os.write(fd, b"start\n")
	time.sleep(3)
	os.write(fd, b"show stats\n")
	expect(b"show stats")
	expect(b"ipc-perf> ")
	os.write(fd, b"stop\n")
	expect(b"STOPPED")
	os.write(fd, b"bogus\n")
	expect(b"bogus")
	os.write(fd, b"quit\n")
	while True:
	    try:
	        if not os.read(fd, 4096):
	            break
	    except OSError:
	        break
	_, status = os.waitpid(pid, 0)
	print("status", os.waitstatus_to_exitcode(status))
	END
	grep -q '^status [01]' "$work/near.log"
	check "a terminal: completion, show and stop while a run is under way" $? "$work/near.log"
	pong_end
}

# shellcheck disable=SC2317	# steadily calls it
scenario_once()
{
	pong channel
	timeout 120 "$perf" -l 0 -- --scenario "$work/two.cfg" --json "$work/out.json" --link "role=guest,path=$work/memory" >"$work/near.log" 2>&1 &&
		report 'len(runs) == 2' '[r["name"] for r in runs] == ["idle", "loaded"]' 'all(r["met"] for r in runs)'
}

test_scenario()
{
	cat >"$work/two.cfg" <<-'END'
	[all]
	size = 60
	samples = 5k
	[idle]
	mode = ping
	expect = lost<1
	[loaded]
	mode = paced
	rate = 5k
	END
	steadily scenario_once
	check "a scenario of two runs" $? "$work/near.log"
	for file in "$here"/../../config/ipc-perf-*.cfg; do
		timeout 60 "$perf" -- --scenario "$file" --link "role=guest,path=$work/absent" >"$work/near.log" 2>&1
		grep -q absent "$work/near.log"
		check "$(basename "$file") is read, and only its link is missing" $? "$work/near.log"
	done
}

# refused STATUS TEXT OPTIONS...
refused()
{
	local wanted=$1 text=$2
	shift 2
	timeout 60 "$perf" -l 0 -- "$@" >"$work/near.log" 2>&1 </dev/null
	[ $? = "$wanted" ] && grep -qE -- "$text" "$work/near.log"
	check "refused, status $wanted: $text" $? "$work/near.log"
}

test_refused()
{
	local link="role=guest,path=$work/memory"
	truncate -s 16M "$work/memory"
	printf '[a]\nmode = ping\nsise = 60\n' >"$work/bad.cfg"
	refused 2 'bad.cfg.*\[?a\]?.*sise' --scenario "$work/bad.cfg" --link "$link"
	refused 2 'nowhere.cfg' --scenario "$work/nowhere.cfg" --link "$link"
	refused 2 "rate is '5x'" --mode paced --rate 5x --link "$link"
	refused 2 "duration is '5'" --mode ping --duration 5 --link "$link"
	refused 2 'rate.*ping' --mode ping --rate 5k --link "$link"
	refused 2 'p99<20' --mode ping --expect 'p99<20' --link "$link"
	refused 2 'p42' --mode ping --expect 'p42<20us' --link "$link"
	refused 2 'mode is .pang' --mode pang --link "$link"
	refused 2 'port' --mode ping --link port=nothing_here
	refused 2 'commands-absent' --cmdline-file "$work/commands-absent" --link "$link"
}

test_pipe
test_file
test_terminal
test_scenario
test_refused
finish
