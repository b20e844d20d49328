#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What the measured loop costs beside its messages, exactly: system calls, page
# faults and allocations of a long run are those of a short one, at both ends.
#
# usage: hot_loop_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
perf=$build/app/ipc-perf
short=100000
long=500000

[ "$(nproc)" -ge 2 ] || skip "two cores are needed, this machine has one"
command -v strace >/dev/null || skip "strace is missing: run devtools/setup"
work=$(mktemp -d /dev/shm/nahanni-hot-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'

# pair VIA SAMPLES NAME TOOL...: pong, then ping under the tool, NAME-ping and NAME-pong are its outputs
pair()
{
	local via=$1 samples=$2 name=$3 pong status
	shift 3
	rm -f "$work/memory"
	NHN_ALLOCATIONS=$work/$name-pong.allocations "${@//NAME/$work/$name-pong}" "$perf" -l 1 -- --mode pong \
		--via "$via" --link "role=host,path=$work/memory" >"$work/pong.log" 2>&1 &
	pong=$!
	wait_for test -s "$work/memory"
	NHN_ALLOCATIONS=$work/$name-ping.allocations "${@//NAME/$work/$name-ping}" "$perf" -l 0 -- --mode ping \
		--via "$via" --link "role=guest,path=$work/memory" --size 64 --samples "$samples" --gaps off \
		--json "$work/$name.json" >"$work/ping.log" 2>&1
	status=$?
	wait $pong && return $status
}

# System calls of the thread that measures, between the two looks at its own usage
# around each round; --gaps off, since naming a gap takes further looks.
calls_in_loop()	# TRACE
{
	awk '/getrusage\(RUSAGE_THREAD/ { looks++; within = looks % 2; who = $1; next }
		within && $1 == who { count++ }
		END { print looks < 2 || within ? "no pairs of getrusage" : count + 0 }' "$1"
}

test_system_calls()	# VIA
{
	local in_short in_long pong_short pong_long
	pair "$1" $short short strace -f -o NAME.strace && pair "$1" $long long strace -f -o NAME.strace
	check "$1: runs under strace" $? "$work/ping.log" "$work/pong.log"
	in_short=$(calls_in_loop "$work/short-ping.strace")
	in_long=$(calls_in_loop "$work/long-ping.strace")
	[ "$in_short" = 0 ] && [ "$in_long" = 0 ]
	check "$1: system calls in ping's loop: $in_short of $short, $in_long of $long, expected 0" $?
	# Pong has no such marks; what it calls while it serves would grow with the run.
	pong_short=$(wc -l <"$work/short-pong.strace")
	pong_long=$(wc -l <"$work/long-pong.strace")
	[ $((pong_long - pong_short)) -lt $(((long - short) / 1000)) ]
	check "$1: system calls of pong: $pong_short of $short, $pong_long of $long messages" $?
}

faults()	# JSON
{
	/usr/bin/python3 -c 'import json, sys; u = json.load(open(sys.argv[1]))["runs"][0]["usage"]; print(u["minor_faults"] + u["major_faults"])' "$1"
}

test_faults_and_allocations()	# VIA
{
	local found
	pair "$1" $short short env "LD_PRELOAD=$build/test/pair/libcount_allocations.so" &&
		pair "$1" $long long env "LD_PRELOAD=$build/test/pair/libcount_allocations.so"
	check "$1: runs with counted allocations" $? "$work/ping.log" "$work/pong.log"
	found="$(faults "$work/short.json") $(faults "$work/long.json")"
	[ "$found" = "0 0" ]
	check "$1: page faults in ping's loop: $found, expected 0 0" $?
	# Of ping those in the rounds; its report has more the longer the run was.
	found="$(cut -d ' ' -f 2- "$work/short-ping.allocations") $(cut -d ' ' -f 2- "$work/long-ping.allocations")"
	[[ $found =~ ^0\ [1-9][0-9]*\ 0\ [1-9][0-9]*$ ]]
	check "$1: allocations in ping's rounds, and rounds, of a short and a long run: $found, expected 0" $?
	found="$(cut -d ' ' -f 1 "$work/short-pong.allocations") $(cut -d ' ' -f 1 "$work/long-pong.allocations")"
	[ "${found% *}" = "${found#* }" ]
	check "$1: allocations of pong, short and long run: $found, expected equal" $?
}

for via in channel ethdev; do
	test_system_calls $via
	test_faults_and_allocations $via
done
finish
