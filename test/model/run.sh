#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks link.pml with Spin: the scheme of doc/wire-format must hold, each mutant must fail.
#   run.sh               what CI checks; with NHN_NIGHTLY set the larger bounds as well
#   run.sh GROUP...      these groups of the file checks only
#   run.sh trace NAME    the shortest counter-example of a mutant, step by step
# NHN_JOBS checks run at once, else one a core; each takes up to 3 GB.
# shellcheck disable=SC2086	# option lists are split on purpose
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=test/shell/checks.sh
. ../shell/checks.sh
for tool in spin gcc; do
	command -v $tool >/dev/null || skip "$tool is missing, which checks the model: run devtools/setup"
done
model=$PWD/link.pml
list=$PWD/checks
jobs=${NHN_JOBS:-$(nproc)}
work=$(mktemp -d) || exit 1
on_exit "rm -rf $work"
TIMEFORMAT='cpu seconds %U'

# spin_run SEARCH EXPECTED OPTIONS: Spin's words into the file log
spin_run()
{
	local args=-m1000000 flags options=$3 optimize="-O1 -fno-dse -fno-tree-dse"	# a third less to compile
	case $1 in
	dfs) flags="-DSAFETY -DCOLLAPSE" ;;
	bfs) flags="-DSAFETY -DCOLLAPSE -DBFS" args= ;;
	bit) flags="-DSAFETY -DBITSTATE" args="-w34 -m1000000" ;;	# a sample, not a proof
	*) flags="-DCOLLAPSE -DNFAIR=5" args="-a -f -m1000000 -N $1" options="$3 -DFAIR -DLIVENESS" ;;
	esac
	[ "$2" = holds ] || optimize=-O0	# takes longer to compile than to run
	spin -a $options "$model" && gcc -w $optimize $flags -DMEMLIM=3000 -o pan pan.c && time ./pan $args
}

verdict_of()	# LOG
{
	if grep -q 'errors: 1' "$1"; then echo fails
	elif grep -q 'Search not completed\|too small' "$1"; then echo UNFINISHED
	elif grep -q 'errors: 0' "$1"; then echo holds
	else echo BROKEN
	fi
}

field()	# PATTERN LOG
{
	sed -n "s/$1/\\1/p" "$2" | tail -n 1
}

# check NUMBER GROUP SEARCH EXPECTED BREAKS OPTIONS NAME: its line into $work/NUMBER.out
check()
{
	local verdict what mark='!' log=$work/$1/log
	mkdir "$work/$1" && cd "$work/$1" || exit 1
	spin_run "$3" "$4" "$6" >"$log" 2>&1
	verdict=$(verdict_of "$log")
	what=$(field '^pan:1: \(.*\) (at depth.*' "$log" | sed 's/\[[^]]*]*\]/[]/g; s/assertion violated/violates/')
	case $4:$verdict in
	holds:holds) mark=' ' ;;
	*:fails) [ "${what#"$4"}" = "$what" ] || mark=' ' ;;
	esac
	{
		printf '%s %-6s %-10s %10s states  depth %6s %6s s %5.0f MB  %-7s %s\n' "$mark" "$2" "$verdict" \
			"$(field '^ *\([0-9.e+]*\) states, stored.*' "$log")" "$(field '.*depth reached \([0-9]*\),.*' "$log")" \
			"$(field 'cpu seconds \(.*\)' "$log")" \
			"$(field '^ *\([0-9.]*\)	total actual memory.*' "$log")" "$5" "$7"
		[ -z "$what" ] || printf '%71s%s\n' '' "$what"
		[ "$verdict" != BROKEN ] || cat "$log"
	} >"$work/$1.tmp"
	mv "$work/$1.tmp" "$work/$1.out"
	rm -rf "${work:?}/$1"
}

# lines PATTERN: fields of the checks whose line begins so
lines()
{
	grep -E "^$1" "$list" | sed 's/ *| */|/g'
}

# Print what is done, in the order of the list.
print_done()
{
	while [ -f "$work/$printed.out" ]; do
		cat "$work/$printed.out"
		printed=$((printed + 1))
	done
}

run()	# GROUPS...
{
	local started=0 running=0 printed=0 group search expected breaks options name surprises
	lines "($(IFS='|'; echo "$*")) " >"$work/list"
	[ -s "$work/list" ] || { echo "run.sh: no group '$*' in checks: see its head" >&2; return 1; }
	while IFS='|' read -r group search expected breaks options name; do
		if [ $running -ge "$jobs" ]; then
			wait -n
			running=$((running - 1))
			print_done
		fi
		[ "$group" != mutant ] || options="-DK0=1 -DK1=1 $options -D${name%%:*}"
		check $started "$group" "$search" "$expected" "$breaks" "$options" "$name" &
		started=$((started + 1))
		running=$((running + 1))
	done <"$work/list"
	wait
	print_done
	surprises=$(cat "$work"/*.out | grep -c '^!')
	echo "$printed checks, $surprises unexpected, $SECONDS s"
	[ "$printed" = "$started" ] && [ "$surprises" = 0 ]
}

trace()	# NAME
{
	local group search expected breaks options name
	lines "mutant .*\| $1:" | head -n 1 >"$work/list"
	[ -s "$work/list" ] || { echo "run.sh: no mutant '$1' in checks: grep M_ checks" >&2; return 1; }
	IFS='|' read -r group search expected breaks options name <"$work/list"
	options="-DK0=1 -DK1=1 $options -D$1"
	[ "$search" != dfs ] || search=bfs
	cd "$work" || return
	echo "$name"
	spin_run "$search" fails "$options" >log 2>&1
	[ "$search" = bfs ] || options="$options -DFAIR -DLIVENESS"
	spin $options -k link.pml.trail -t "$model" 2>/dev/null | grep -E 'side [01]:|CYCLE|failed|violated'
}

case ${1:-} in
trace) trace "${2:?which mutant}" ;;
'') run scheme mutant rude spare ${NHN_NIGHTLY:+deep} ;;
*) run "$@" ;;
esac
