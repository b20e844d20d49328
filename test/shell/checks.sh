# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the shell tests share: count checks, show logs of the failed ones.

passed=0
failed=0
at_exit=()

skip()
{
	echo "SKIP: $*"
	exit 77
}

# on_exit COMMAND: run it whatever happens, the last named first
on_exit()
{
	at_exit=("$1" "${at_exit[@]+"${at_exit[@]}"}")
	# shellcheck disable=SC2154	# the loop assigns it
	trap 'for command in "${at_exit[@]}"; do eval "$command"; done' EXIT
	trap 'exit 130' INT TERM HUP
}

# wait_for COMMAND...: until it succeeds, 60 s at most
wait_for()
{
	for _ in $(seq 600); do
		"$@" 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

# all_arrived JSON SAMPLES: ipc-perf's report tells of so many, none lost or changed.
# Where the limit was never steady it keeps fewer, which is the machine's doing.
all_arrived()
{
	/usr/bin/python3 - "$1" "$2" <<-'END'
	import json, sys
	report = json.load(open(sys.argv[1]))["runs"][0]
	wanted = {"lost": 0, "duplicates": 0, "misordered": 0, "corrupt": 0}
	if report["outcome"] != "unsteady limit":
	    wanted["samples"] = int(sys.argv[2])
	sys.exit({key: report[key] for key in wanted} != wanted)
	END
}

# check NAME STATUS LOGS...
check()
{
	local name=$1 status=$2
	shift 2
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $name"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $name"
	for log in "$@"; do
		echo "--- $(basename "$log")"
		tail -n 25 "$log"
	done
}

finish()
{
	echo "$passed passed, $failed failed"
	[ $failed = 0 ] && [ $passed != 0 ]
	exit
}
