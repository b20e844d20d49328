#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# injection_test.sh INJECT: a polling loop is stopped, meets storms of interrupts and page
# faults, and has to share its core. Each must be named right: at once, or, as a loaded
# machine makes gaps of its own, more often than not.
set -u
inject=$1
tries=5
failed=0 skipped=0

try()	# INJECTION: until it is named right more often than wrong; 0, 1 or 77
{
	local right=0 wrong=0 output i
	for ((i = 0; i < tries; i++)); do
		output=$(timeout 60 "$inject" "$1")
		case $? in
		0) right=$((right + 1)) ;;
		1) wrong=$((wrong + 1)); echo "$output" ;;
		2) echo "$1: made no gap, try $((i + 1))" ;;
		77) echo "$1: $output"; return 77 ;;
		*) echo "$1: ended by a signal or by time"; return 1 ;;
		esac
		[ $right -le $wrong ] || return 0
	done
	if [ $((right + wrong)) = 0 ]; then
		echo "$1: made no gap in $tries tries"
		return 77
	fi
	echo "$1: named right $right times, wrong $wrong times"
	return 1
}

for injection in stop calls shootdowns faults switches; do
	# Elsewhere a shootdown needs no interrupt.
	[ $injection != shootdowns ] || [ "$(uname -m)" = x86_64 ] || continue
	try $injection
	case $? in
	0) echo "$injection: named right" ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
done
[ $failed = 0 ] || exit 1
[ $skipped = 0 ] || exit 77
