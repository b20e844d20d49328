#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The program that benchmarks/run measures with: every contestant carries messages at its least
# and its largest size, bad orders are refused, a side that dies is told of, nothing is left.
#
# usage: contest_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
contest=$build/benchmarks/contest/contest

[ "$(nproc)" -ge 2 ] || skip "two cores are needed, here is one"
[ -x "$contest" ] || skip "this build has no contest: run devtools/setup"
work=$(mktemp -d /tmp/nahanni-contest-test.XXXXXX) || skip "/tmp is not writable"
on_exit "rm -rf '$work'"
mkdir "$work/folder"

# What has a name and could outlive its processes.
names()
{
	find /dev/shm /dev/mqueue /dev/hugepages -mindepth 1 -maxdepth 1 2>/dev/null | grep -E 'contest|nahanni|iox|iceoryx|rtemap'
	find "$work/folder" -mindepth 1
}

# orders WHAT SECONDS: each line that it prints is a check
orders()
{
	local line status
	timeout "$2" /usr/bin/python3 "$here/contest_orders.py" "$1" "$contest" "$work/folder" >"$work/lines" 2>"$work/$1.log"
	status=$?
	while read -r line; do
		case $line in
		ok*) check "$1: ${line#ok }" 0 ;;
		*) check "$1: ${line#not ok }" 1 ;;
		esac
	done <"$work/lines"
	grep -q '^not ok' "$work/lines" || check "$1: all" $status "$work/$1.log"
}

# usage_error OPTIONS...
usage_error()
{
	timeout 20 "$contest" "$@" >"$work/out" 2>"$work/err" </dev/null
	[ $? = 2 ] && grep -q usage "$work/err"
	check "usage error: $*" $? "$work/err"
}

names >"$work/before"
orders missing 20
orders refusals 30
orders rounds 240
orders rings 120
orders killed 20
orders killed-in-round 20
orders near-killed 20
usage_error --cores one
usage_error --cores 1,1
usage_error --dance
usage_error stray
names | diff "$work/before" - >"$work/left" 2>&1
check "nothing is left behind" $? "$work/left"
finish
