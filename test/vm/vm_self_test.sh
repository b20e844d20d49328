#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Test of devtools/vm itself: what goes in and out of the guest, what it
# refuses, and that nothing of it is left behind.

set -u

vm=$(cd "$(dirname "$0")/../.." && pwd -P)/devtools/vm
passed=0
failed=0

skip()
{
	echo "skipped: $*"
	exit 77
}

check()
{
	local what=$1
	shift
	if "$@"; then
		echo "ok $what"
		passed=$((passed + 1))
	else
		echo "FAILED $what: exit status $status, output:"
		sed 's/^/  /' "$scratch/stdout" "$scratch/stderr"
		failed=$((failed + 1))
	fi
}

# Run the VM; its status goes to $status. TMPDIR makes its files findable.
vm()
{
	TMPDIR=$scratch/tmp "$vm" "$@" >"$scratch/stdout" 2>"$scratch/stderr"
	status=$?
}

# Status $1, and a line of stderr with $2.
ended_with()
{
	[ "$status" -eq "$1" ] && grep -q -- "$2" "$scratch/stderr"
}

# Every process of the VM has a path below our TMPDIR among its arguments.
nothing_left()
{
	[ -z "$(ls -A "$scratch/tmp")" ] &&
		! grep -l -s -F "$scratch/tmp" /proc/[0-9]*/cmdline
}

test_refusals()
{
	vm --size 24M -- true
	check "24M refused by name" ended_with 125 "--size 24M is not a power of two"
	vm --frobnicate -- true
	check "unknown option refused" ended_with 125 "unknown option --frobnicate"
	vm --put "$scratch/absent" -- true
	check "absent file refused" ended_with 125 "--put $scratch/absent does not exist"
	vm
	check "no command refused" ended_with 125 "no command"
	vm --qemu "frobnicate" -- true
	check "no option of QEMU refused" ended_with 125 "--qemu frobnicate is no option of QEMU"
	vm --layout both -- true
	check "unknown layout refused" ended_with 125 "--layout both is not known"
	vm --layout split --shm "$scratch/shm" -- true
	check "half a split layout refused" ended_with 125 "wants one --shm .* and one --shm-host"
	vm --shm-host "$scratch/shm" -- true
	check "memory to be read refused in a joint layout" ended_with 125 "--shm-host is given with --layout joint"
	vm --layout split --shm "$scratch/shm" --shm-host "$scratch/absent" -- true
	check "absent memory of the host refused" ended_with 125 "--shm-host $scratch/absent does not exist: start the host"
	: >"$scratch/empty"
	vm --layout split --shm "$scratch/shm" --shm-host "$scratch/empty" -- true
	check "memory of the host of another size refused" ended_with 125 "$scratch/empty has 0 bytes and the device 16777216"
}

printed_and_returned()
{
	[ "$status" -eq 7 ] && [ "$(cat "$scratch/stdout")" = "it's \$HOME \"here\"" ]
}

test_command()
{
	# shellcheck disable=SC2016 # the guest's shell expands
	vm -- sh -c 'echo "$1"; exit 7' sh "it's \$HOME \"here\""
	check "output and exit status handed back" printed_and_returned
}

files_intact()
{
	[ "$status" -eq 0 ] &&
		cmp "$scratch/sent" "$scratch/got" &&
		cmp "$scratch/sent" "$scratch/folder/a b"
}

output_whole()
{
	[ "$(cksum <"$scratch/stdout")" = "$(seq 300000 | cksum)" ]
}

test_files()
{
	head -c 3000001 /dev/urandom >"$scratch/sent"
	vm --put "$scratch/sent" --get "$scratch/sent:$scratch/got" \
		--get "/root/out:$scratch/folder" \
		-- sh -c "mkdir out && cp '$scratch/sent' 'out/a b' && seq 300000"
	check "binary files handed back intact" files_intact
	check "long output whole" output_whole
	vm --get "/absent:$scratch/absent" -- true
	check "absent file of the guest named" ended_with 125 "no /absent"
}

memory_shared()
{
	[ "$status" -eq 0 ] && [ "$(head -c 5 "$scratch/shm")" = hello ]
}

test_shared_memory()
{
	# The third resource is BAR2, the memory.
	# shellcheck disable=SC2016
	vm --size 1M --shm "$scratch/shm" --shm "$scratch/shm2" --bind none \
		-- sh -c 'set -- $NHN_BDFS; [ $# -eq 2 ] && [ "$1" = $NHN_BDF ] &&
			[ "$(cat /sys/bus/pci/devices/$2/device)" = 0x1110 ] &&
			read -r start _ <<-END &&
				$(sed -n 3p /sys/bus/pci/devices/$1/resource)
			END
			echo 2 >/sys/bus/pci/devices/$1/enable 2>/dev/null
			i=0; for byte in 0x68 0x65 0x6c 0x6c 0x6f; do
				devmem $((start + i)) 8 $byte || exit 1
				i=$((i + 1))
			done'
	check "guest's stores reach the shared file" memory_shared
}

# A process of the VM has as much memory as a guest has, such that others can map it, too.
memory_is_shared()
{
	local file range rights
	while read -r file; do
		while read -r range rights _; do
			[ "$rights" = rw-s ] && ((0x${range#*-} - 0x${range%-*} >= 1024 << 20)) && return 0
		done < <(cat "${file%/*}/maps" 2>/dev/null)
	done < <(grep -l -s -F "$scratch/tmp" /proc/[0-9]*/cmdline)
	return 1
}

watch_memory()
{
	until memory_is_shared; do sleep 0.2; done
	: >"$scratch/shared"
}

test_more_devices()
{
	watch_memory &
	# shellcheck disable=SC2016
	vm --share-memory --qemu "-object rng-builtin,id=rng  -device virtio-rng-pci,rng=rng,addr=0x18" \
		-- sh -c 'cat /sys/bus/pci/devices/0000:00:18.0/vendor && [ -s /vm/modules/later ]'
	kill $! 2>/dev/null
	wait
	check "a device of --qemu, modules for later" bound_to 0x1af4
	check "memory of the guest that others can map" test -e "$scratch/shared"
}

bound_to()
{
	[ "$status" -eq 0 ] && [ "$(cat "$scratch/stdout")" = "$1" ]
}

two_addresses()
{
	local own peer
	[ "$status" -eq 0 ] && read -r own peer <"$scratch/stdout" && [ -n "$peer" ] && [ "$own" != "$peer" ]
}

test_split_layout()
{
	# shellcheck disable=SC2016
	vm --layout split -- sh -c 'echo $NHN_BDF $NHN_PEER_BDF && [ "$NHN_BDFS" = "$NHN_BDF $NHN_PEER_BDF" ]'
	check "split layout with private memory: two devices" two_addresses
}

test_bindings()
{
	local driver
	for driver in vfio-pci uio_pci_generic; do
		# shellcheck disable=SC2016
		vm --bind "$driver" -- \
			sh -c 'basename "$(readlink /sys/bus/pci/devices/$NHN_BDF/driver)"'
		check "$driver bound" bound_to "$driver"
	done
}

test_time_limit()
{
	vm --time-limit 12 -- sleep 100
	check "time limit gives 124" ended_with 124 "give a longer --time-limit"
	check "nothing left after the time limit" nothing_left
}

# Send the signal $1 to a running VM.
stop_by_signal()
{
	local pid
	TMPDIR=$scratch/tmp "$vm" -- sleep 100 >"$scratch/stdout" 2>"$scratch/stderr" &
	pid=$!
	sleep 3
	kill -s "$1" "$pid"
	wait "$pid" 2>/dev/null
	status=$?
}

no_process_left()
{
	sleep 0.5
	! grep -l -s -F "$scratch/tmp" /proc/[0-9]*/cmdline
}

test_signals()
{
	stop_by_signal TERM
	check "nothing left after SIGTERM" nothing_left
	stop_by_signal KILL
	check "no process left after SIGKILL" no_process_left
}

test_panic()
{
	vm -- sh -c 'echo c >/proc/sysrq-trigger'
	check "kernel panic reported" ended_with 125 "ended before the command"
	check "console shown" grep -q "console:.*panic" "$scratch/stderr"
}

[ "$(id -u)" -eq 0 ] || skip "needs root to fetch the guest kernel and to install QEMU"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed: run devtools/setup"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tmp"

test_refusals
test_command
test_files
test_shared_memory
test_split_layout
test_more_devices
test_bindings
test_panic
test_time_limit
test_signals
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
