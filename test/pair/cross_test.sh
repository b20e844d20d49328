#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A pair whose sides are of two kinds of machine, one of them emulated by qemu-user: on one
# file, in all three mixtures. Shows that the layout, the locks and the code are the same
# there. It shows nothing of the order of memory accesses: qemu-user runs on this machine's.
# That is test/threads.
#
# usage: cross_test.sh MACHINE PAIR_SIDE SOURCES...
#   PAIR_SIDE is this machine's program, SOURCES are those of libnahanni
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
machine=$1
native=$2
shift 2
messages=300000
long_messages=30000

compiler=$(command -v "$machine-linux-gnu-gcc") || skip "$machine-linux-gnu-gcc is missing: run devtools/setup"
emulator=$(command -v "qemu-$machine") || skip "qemu-$machine is missing: run devtools/setup"
work=$(mktemp -d /dev/shm/nahanni-cross-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'

test_build()	# SOURCES...
{
	local includes=(-I"$here" -I"$here/../unit") file
	for file in "$@"; do includes+=(-I"$(dirname "$file")"); done
	"$compiler" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror "${includes[@]}" \
		-o "$work/pair_side" "$here/pair_side_main.c" "$here/pair_side.c" "$@" >"$work/build.log" 2>&1
	check "libnahanni and a side of a pair compile for $machine" $? "$work/build.log"
}

# side KIND ROLE LEDGER [MESSAGES OPTION]: of kind $machine or native, until it has sent and read all
side()
{
	local emulated=()
	[ "$1" = native ] || emulated=("$emulator" -L "/usr/$machine-linux-gnu" "$work/pair_side")
	exec timeout 60 "${emulated[@]:-$native}" "$2" "$work/region" "$work/$3" "${@:4}"
}

test_pair()	# HOST_KIND GUEST_KIND MESSAGES [OPTION]
{
	local host guest begin=${EPOCHREALTIME/./}
	rm -f "$work/region" "$work/ledger"
	side "$1" host ledger "${@:3}" >"$work/host.log" 2>&1 &
	host=$!
	side "$2" guest ledger "${@:3}" >"$work/guest.log" 2>&1 &
	guest=$!
	wait $host && wait $guest
	check "$1 host, $2 guest: ${*:3} messages each way, $(((${EPOCHREALTIME/./} - begin) / 1000)) ms" $? \
		"$work/host.log" "$work/guest.log"
}

test_mixtures()	# MESSAGES [OPTION]
{
	test_pair "$machine" "$machine" "$@"
	test_pair native "$machine" "$@"
	test_pair "$machine" native "$@"
}

# The lock of a role holds between an emulated process and others.
test_second_host()	# FIRST_KIND SECOND_KIND
{
	local first
	rm -f "$work/region" "$work/ledger"
	side "$1" host ledger $messages >"$work/host.log" 2>&1 &
	first=$!
	wait_for test -s "$work/region"
	sleep 0.2
	(side "$2" host other $messages) >"$work/second.log" 2>&1
	[ $? = 1 ] && kill -0 $first
	check "$1 host holds the file: a second, $2 one is refused" $? "$work/host.log" "$work/second.log"
	kill $first
	wait $first
}

test_build "$@"
[ "$failed" = 0 ] || finish
test_mixtures $messages
test_mixtures $long_messages msg
test_second_host native "$machine"
test_second_host "$machine" native
finish
