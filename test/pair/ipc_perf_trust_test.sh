#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Whether ipc-perf can be believed: a source of known values, a deliberate stall,
# injected disturbances named by cause, thresholds, an early end, constant memory.
#
# usage: ipc_perf_trust_test.sh BUILD_FOLDER
set -u
# shellcheck source=test/pair/ipc_perf_rig.sh
. "$(dirname "$0")/ipc_perf_rig.sh"

# In the background it is the process itself that $! names.
near()	# OPTIONS...
{
	[ "$BASHPID" = $$ ] || exec "$perf" -l 0 -- --link "role=guest,path=$work/memory" --json "$work/out.json" "$@" >"$work/near.log" 2>&1
	"$perf" -l 0 -- --link "role=guest,path=$work/memory" --json "$work/out.json" "$@" >"$work/near.log" 2>&1
}

# Sample i is i ns, so percentile p is ceil(p N) within a histogram's step; 15,001
# is a number whose rank is easily rounded wrongly.
test_synthetic()	# N
{
	rm -f "$work/out.json"
	"$perf" -l 0 -- --mode synthetic --samples "$1" --json "$work/out.json" --csv "$work/out.csv" \
		--hgrm "$work/out.hgrm" --hlog "$work/out.hlog" >"$work/near.log" 2>&1 &&
		report "run['samples'] == $1" "run['latency_ns']['min'] == 1" "run['latency_ns']['max'] == $1" \
			"all(run['latency_ns'][name] is None or -(-$1 * part // whole) <= run['latency_ns'][name] <= -(-$1 * part // whole) * 1.001
				for name, part, whole in (('p50', 1, 2), ('p90', 9, 10), ('p99', 99, 100), ('p99.9', 999, 1000), ('p99.99', 9999, 10000)))" \
			"$1 < 10**6 or run['latency_ns']['p99.99'] is not None"
	check "synthetic source of $1 samples: every percentile is the known one" $? "$work/near.log"
	grep -q "#\[Max *= *[0-9.]*, Total count *= *$1\]" "$work/out.hgrm" &&
		grep -q '^#\[Histogram log format version 1' "$work/out.hlog" &&
		/usr/bin/python3 - "$work/out.csv" "$work/out.json" <<-'END'
	import csv, json, sys
	rows = list(csv.DictReader(open(sys.argv[1], newline="")))
	hist = json.load(open(sys.argv[2]))["runs"][0]["latency_ns"]
	found = {row["metric"]: row["value"] for row in rows if row["histogram"] == "latency"}
	names = [name for name in hist if name.startswith("p")]
	sys.exit(not names or any((found[name] == "") != (hist[name] is None) or
	         (hist[name] is not None and int(found[name]) != hist[name]) for name in names))
	END
	check "the same figures in CSV, .hgrm and .hlog" $? "$work/out.csv" "$work/out.hgrm"
}

# Three stops, of which one at least is within a round, and not in the blocks between.
stop_thrice()	# PROCESS
{
	for _ in 1 2 3; do
		sleep 0.75
		kill -STOP "$1"
		sleep 0.1
		kill -CONT "$1"
	done
}

# Every message that was meant for the time of a stall has waited: at 10,000 a
# second and 100 ms some 900 waited for more than 10 ms. One would in a closed loop.
test_stall()
{
	until_named far paced --rate 10k
	report "run['loop'] == 'open'" "run['lost'] == 0" "run['latency_ns']['max'] >= 100 * 10**6" "over(run, 10 * 10**6) >= 800"
	check "a stall of 100 ms at the far end has its full weight in paced mode" $? "$work/near.log"
	until_named near ping
}

# Three runs at most: on a machine that takes the cores away for as long as the stop lasts,
# the stop has no name of its own, and where the limit moves in each round none is kept.
until_named()	# END MODE OPTIONS...
{
	local end=$1 near_pid stopped named
	shift
	for _ in 1 2 3; do
		pong channel
		# What the attempt before said must not count.
		: >"$work/near.log"
		near --mode "$@" --duration 4s --size 60 &
		near_pid=$!
		wait_for grep -q 'link is up' "$work/near.log"
		stopped=$pong
		[ "$end" = far ] || stopped=$near_pid
		stop_thrice "$stopped"
		wait $near_pid
		pong_end
		report "run['rounds']['kept'] > 0" "any(gap['gap_ns'] >= 90 * 10**6 and gap['where'] == '$end' and 'stop' in gap['cause'] for gap in run['gaps'])"
		named=$?
		[ $named != 0 ] || break
	done
	check "the stop of the $end end is named" $named "$work/near.log"
}

# shellcheck disable=SC2317	# steadily calls it
rate_not_held_once()
{
	pong channel
	near --mode paced --rate 500M --duration 500ms --size 60
	report "run['rate']['held'] is False" "'RATE NOT HELD' in run['warnings'][0]" && grep -q 'RATE NOT HELD' "$work/near.log"
}

test_rate_not_held()
{
	steadily rate_not_held_once
	check "a rate that nobody can hold: the first warning says so" $? "$work/near.log"
}

test_expect()
{
	pong channel
	near --mode ping --samples 20k --size 60 --expect 'p50<10s' --expect 'lost<1' &&
		report "all(expect['met'] for expect in run['expect'])"
	check "thresholds met: status 0" $? "$work/near.log"
	pong_end
	pong channel
	near --mode ping --samples 20k --size 60 --expect 'p50<1ns'
	[ $? = 3 ] && report "not run['expect'][0]['met']" && grep -q 'THRESHOLD MISSED' "$work/near.log"
	check "a threshold missed: status 3" $? "$work/near.log"
	pong_end
	pong channel
	near --mode ping --samples 2k --size 60 --expect 'p99.99<10s'
	[ $? = 3 ]
	check "a threshold that N cannot carry is missed" $? "$work/near.log"
	pong_end
}

test_interrupted()
{
	local near_pid
	pong channel
	near --mode ping --duration 60s --size 60 &
	near_pid=$!
	wait_for grep -q 'link is up' "$work/near.log"
	sleep 2.5
	kill -INT $near_pid
	wait $near_pid
	[ $? = 1 ] && report "run['outcome'] == 'stopped'" "run['samples'] > 0" "run['latency_ns']['p50'] > 0" "run['lost'] == 0"
	check "^C ends with the results so far, status 1" $? "$work/near.log"
	[ "$(grep -c '%' "$work/near.log")" -ge 1 ]
	check "progress is told once a second in lines" $? "$work/near.log"
	pong_end
}

# The largest amount of memory that was ever in use, in KiB.
peak()	# SAMPLES
{
	/usr/bin/python3 - "$perf" "$1" <<-'END'
	import resource, subprocess, sys
	subprocess.run([sys.argv[1], "-l", "0", "--", "--mode", "synthetic", "--samples", sys.argv[2]],
	               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
	END
}

test_memory()
{
	local few many
	few=$(peak 100k)
	many=$(peak 10M)
	[ -n "$few" ] && [ $((many - few)) -lt 1024 ]
	check "memory of 100 k samples and of 10 M: $few and $many KiB" $?
}

test_synthetic 15001
test_synthetic 1996789
test_stall
test_rate_not_held
test_expect
test_interrupted
test_memory
finish
