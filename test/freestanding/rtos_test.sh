#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The core in a program of no C library, as an RTOS guest has it (doc/guides/rtos), against a
# host that is an ordinary process of this machine: messages there and back, and a killed host.
#
# usage: rtos_test.sh PAIR_SIDE SOURCES...
#   PAIR_SIDE is the host, SOURCES are the core
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
pair_side=$1
shift
messages=100000
compiler=aarch64-linux-gnu-gcc
emulator=qemu-aarch64

for tool in $compiler $emulator; do
	command -v "$tool" >/dev/null || skip "$tool is missing: run devtools/setup"
done
work=$(mktemp -d /dev/shm/nahanni-rtos-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'

# Else the loop of its memset would become a call of memset.
test_build()	# SOURCES...
{
	local options=(-std=c11 -O2 -ffreestanding -nostdlib -static -mgeneral-regs-only
		-fno-tree-loop-distribute-patterns -nostdinc -isystem "$($compiler -print-file-name=include)")
	for file in "$@"; do options+=(-I"$(dirname "$file")"); done
	$compiler "${options[@]}" -Wall -Wextra -Wshadow -Wconversion -Werror \
		-o "$work/rtos_side" "$here/rtos_side.c" "$@" >"$work/build.log" 2>&1
	check "a program of the core and nothing else links" $? "$work/build.log"
}

# host LEDGER MESSAGES SECONDS: a host, killed after so many seconds
host()
{
	timeout -s KILL "$3" "$pair_side" host "$work/region" "$work/$1" "$2" echo >"$work/host.log" 2>&1
}

guest_start()
{
	truncate -s 1M "$work/region"
	timeout 200 $emulator "$work/rtos_side" "$work/region" >"$work/guest.log" 2>&1 &
	guest=$!
}

# One guest, and hosts that come and go.
test_guest()
{
	guest_start
	host first $messages 60
	check "$messages messages came back as they went" $? "$work/host.log" "$work/guest.log"
	host second 1000000000 1
	[ $? = 137 ]
	check "the second host is killed while it sends" $? "$work/host.log" "$work/guest.log"
	host third $messages 60
	check "the third host: $messages messages came back" $? "$work/host.log" "$work/guest.log"
	kill $guest
	wait $guest
	[ $? = 143 ]
	check "the guest ran until it was ended" $?
}

test_build "$@"
[ "$failed" = 0 ] || finish
test_guest
finish
