#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# --cores and --strict of ipc-perf and nahanni-worker as a user has them.
#
# usage: cores_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
perf=$build/app/ipc-perf
daemon=$build/app/nahanni-worker

work=$(mktemp -d /dev/shm/nahanni-cores-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'
export RUNTIME_DIRECTORY=$work/run
mkdir "$work/run"
out=$work/out
err=$work/err
conf=$work/test.conf
core=$(($(nproc) - 1))
isolated=$(cat /sys/devices/system/cpu/isolated 2>/dev/null)

# perf_ends STATUS WORDS...: a run without a far end
perf_ends()
{
	local status=$1
	shift
	timeout 60 "$perf" "$@" --mode synthetic --samples 1000 >"$out" 2>"$err"
	[ $? = "$status" ]
}

# worker_ends STATUS WORDS...: a check of the configuration
worker_ends()
{
	local status=$1
	shift
	timeout 60 "$daemon" "$@" --config "$conf" --check >"$out" 2>"$err"
	[ $? = "$status" ]
}

configure()	# LINES...
{
	printf '[worker]\nlcores = 9\n' >"$conf"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$conf"
	printf '[link a]\nid = 1\nservice = echo\npath = %s\nsize = 1M\ndata-bytes = 64K\n' "$work/a" >>"$conf"
	chmod 600 "$conf"
}

# json PYTHON: true of the runs and the near end of $work/r.json
json()
{
	/usr/bin/python3 -c "
import json, sys
document = json.load(open('$work/r.json'))
near, checks = document['near'], document['runs'][0]['checks']
sys.exit(not ($1))"
}

says()	# TEXT
{
	grep -qF -- "$1" "$err"
}

# ---- ipc-perf ----

perf_ends 0 -- --cores 0 --json "$work/r.json" && json "near['core'] == 0 and
	[entry['id'] for entry in checks][:3] == ['cores', 'isolcpus', 'nohz_full'] and
	all(set(entry) == {'id', 'status', 'found', 'wanted', 'why', 'remedy'} for entry in checks) and
	checks[0]['status'] == 'warn'"
check "--cores 0 runs there, and the result has its checks" $? "$out" "$err"
grep -q '^check       warn cores: 0, with CPU 0 among them; remedy: ' "$out"
check "so has the text" $? "$out"
perf_ends 0 -- --json "$work/r.json" && json "checks == []" && ! grep -q '^check  ' "$out"
check "without --cores nothing is judged" $? "$out" "$err"
perf_ends 0 -- --cores auto --json "$work/r.json" && says '--cores auto: core' &&
	json "near['core'] == int('$(sed -n 's/.*--cores auto: core \([0-9]*\):.*/\1/p' "$err")') and checks"
check "--cores auto says what it took, and runs there" $? "$err"
perf_ends 2 -- --cores 99999 && says "--cores is '99999', expected auto"
check "--cores 99999 is refused" $? "$err"
perf_ends 2 -- --cores 999 && says '--cores is 999, expected cores out of 0' && says 'this process can run on no core 999'
check "--cores 999 is refused, naming what there is" $? "$err"
perf_ends 2 -- --cores 0-1 && says '--cores is 0-1'
check "two cores are refused" $? "$err"
perf_ends 2 -l 0 -- --cores 0 && says '--cores is given together with -l of EAL'
check "--cores with -l is refused" $? "$err"
perf_ends 2 --main-lcore "$core" -- --cores "$core" && says '--cores is given together with --main-lcore of EAL' && ! grep -q '^EAL: ' "$err"
check "--cores with --main-lcore is refused, by us" $? "$err"
timeout 60 taskset -c 0 "$perf" -- --mode synthetic --samples 1000 --cores "$core" >"$out" 2>"$err"
status=$?
[ "$core" = 0 ] || { [ $status = 2 ] && says "--cores is $core, expected cores out of 0:"; }
check "a core outside of taskset's is refused" $? "$err"
if [ -z "$isolated" ]; then
	perf_ends 2 -- --cores "$core" --strict && says 'fail isolcpus: isolated: none; ' &&
		says '; remedy: kernel parameter isolcpus=' && says "Strict refuses core $core: " && [ ! -s "$out" ]
	check "--strict refuses a core that is not isolated" $? "$out" "$err"
	perf_ends 2 -l "$core" -- --strict && says "Strict refuses core $core: "
	check "also one of -l" $? "$err"
	timeout 60 "$perf" -- --mode pong --link "role=host,path=$work/p,size=1M" --cores "$core" --strict >"$out" 2>"$err"
	[ $? = 2 ] && says "Strict refuses core $core: "
	check "a far end too" $? "$err"
fi
timeout 60 "$perf" -- --mode pong --link "role=host,path=$work/p,size=1M" --cores 0 >"$work/far" 2>&1 &
far=$!
wait_for test -s "$work/p"
timeout 60 "$perf" -- --mode ping --samples 2000 --link "role=guest,path=$work/p" --cores "$core" \
	--json "$work/r.json" >"$out" 2>"$err" && json "near['core'] == $core and document['runs'][0]['far']['core'] == 0 and checks"
check "both ends by --cores" $? "$err" "$work/far"
kill -TERM $far 2>/dev/null
wait $far

# ---- nahanni-worker ----

configure
worker_ends 0 -- --cores "$core" && says "the lcores are, in order, on core $core: " && says 'is good: 1 links on 1 lcores'
check "the worker's lcore 9 is on a CPU of another number" $? "$err"
configure "cores = auto"
worker_ends 0 && says 'the lcores are, in order, on core'
check "cores = auto" $? "$err"
worker_ends 2 -l 0 -- && says 'cores of [worker] is given together with -l of EAL'
check "with -l it is refused" $? "$err"
worker_ends 2 --main-lcore 0 -- && says 'cores of [worker] is given together with --main-lcore of EAL'
check "with --main-lcore, which would not be kept, too" $? "$err"
configure "cores = 0,1"
worker_ends 2 && says 'cores of [worker] is 0,1'
check "two CPUs for one lcore are refused" $? "$err"
configure "strict = perhaps"
worker_ends 2 && says "test.conf:3: strict is 'perhaps', expected yes or no"
check "a strict that is none is refused, by file and line" $? "$err"
if [ -z "$isolated" ]; then
	configure "cores = $core" "strict = yes"
	worker_ends 2 && says "Strict refuses core $core: " && ! says 'is good'
	check "strict refuses a CPU that is not isolated" $? "$err"
	configure
	sed -i "s/^lcores = 9/lcores = $core/" "$conf"
	worker_ends 2 -- --strict && says "Strict refuses core $core: "
	check "also that of an lcore's number" $? "$err"
fi

finish
