#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A real guest and a host process: both bindings, both directions, messages and
# frames, a killed host, a foreign memory, an unbound device, stock testpmd.
#
# usage: guest_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
vm=$here/../../devtools/vm
perf=$build/app/ipc-perf
plugin=$build/drivers/librte_net_nahanni.so
testpmd=$(command -v dpdk-testpmd) || skip "dpdk-testpmd is missing: run devtools/setup"
samples=${NHN_NIGHTLY:+1000000}
samples=${samples:-100000}

[ "$(id -u)" = 0 ] || skip "run as root: the guest's modules and memory need it"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is missing: run devtools/setup"
work=$(mktemp -d /dev/shm/nahanni-guest-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'

# guest LOG OPTIONS... -- COMMAND...: QEMU on the second core
guest()
{
	local log=$1
	shift
	"$vm" --host-cpu "$(($(nproc) > 1))" --shm "$work/memory" --time-limit 120 "$@" >"$log" 2>&1
}

# The guest's shell knows the device's address.
# shellcheck disable=SC2016
in_guest='exec "$0" -l 0 -- --mode "$1" --via "$2" --size "$3" --samples "$4" --json /root/out.json --link pci=$NHN_BDF'
# shellcheck disable=SC2016
pong_in_guest='exec "$0" -l 0 -- --mode pong --via "$1" --link pci=$NHN_BDF'

host_ping()	# VIA SIZE SAMPLES
{
	"$perf" -l 0 -- --mode ping --via "$1" --size "$2" --samples "$3" \
		--link "role=host,path=$work/memory" --json "$work/out.json" >"$work/host.log" 2>&1
}

host_asks()	# BIND VIA SIZE
{
	rm -f "$work/memory" "$work/out.json"
	guest "$work/guest.log" --bind "$1" --put "$perf" -- sh -c "$pong_in_guest" "$perf" "$2" &
	local guest_pid=$! status
	host_ping "$2" "$3" "$samples"
	status=$?
	wait $guest_pid && [ $status = 0 ] && all_arrived "$work/out.json" "$samples"
	check "host asks, guest answers: $1, $2, $3 bytes" $? "$work/host.log" "$work/guest.log"
}

guest_asks()	# BIND VIA SIZE
{
	rm -f "$work/memory" "$work/out.json"
	"$perf" -l 0 -- --mode pong --via "$2" --link "role=host,path=$work/memory" >"$work/host.log" 2>&1 &
	local host_pid=$! status
	guest "$work/guest.log" --bind "$1" --put "$perf" --get "/root/out.json:$work/out.json" \
		-- sh -c "$in_guest" "$perf" ping "$2" "$3" "$samples"
	status=$?
	[ $status = 0 ] || kill $host_pid
	wait $host_pid && [ $status = 0 ] && all_arrived "$work/out.json" "$samples"
	check "guest asks, host answers: $1, $2, $3 bytes" $? "$work/host.log" "$work/guest.log"
}

host_killed()
{
	rm -f "$work/memory" "$work/out.json"
	guest "$work/guest.log" --put "$perf" -- sh -c "$pong_in_guest" "$perf" channel &
	local guest_pid=$! first
	"$perf" -l 0 -- --mode ping --link "role=host,path=$work/memory" --size 60 --samples 1000000000 >"$work/first.log" 2>&1 &
	first=$!
	wait_for grep -q 'link is up' "$work/guest.log"
	kill -KILL $first
	wait $first 2>/dev/null
	host_ping channel 60 "$samples" && all_arrived "$work/out.json" "$samples" && wait $guest_pid
	check "host killed while it asks, started again: the guest never stopped" $? "$work/host.log" "$work/guest.log"
}

foreign_memory()
{
	local bytes=1048576
	head -c $bytes /dev/urandom >"$work/memory"
	cp "$work/memory" "$work/before"
	guest "$work/guest.log" --size $bytes --put "$perf" -- timeout 5 sh -c "$pong_in_guest" "$perf" channel
	cmp "$work/memory" "$work/before" >>"$work/guest.log" 2>&1
	check "a guest writes nothing to memory that is not ours" $? "$work/guest.log"
	"$perf" -l 0 -- --mode pong --link "role=host,path=$work/memory" >"$work/host.log" 2>&1
	[ $? = 2 ] && grep -q 'left untouched' "$work/host.log" && cmp "$work/memory" "$work/before" >>"$work/host.log"
	check "a host refuses memory that is not ours and leaves it untouched" $? "$work/host.log"
	rm -f "$work/memory"
}

unbound_device()
{
	guest "$work/guest.log" --bind none --put "$perf" -- sh -c "$pong_in_guest" "$perf" channel
	[ $? = 2 ] && grep -q 'vfio-pci' "$work/guest.log"
	check "a device without driver is named, with the remedy" $? "$work/guest.log"
}

# Debian's testpmd, which loads net_avp as well, frames both ways.
stock_testpmd()	# BIND
{
	rm -f "$work/memory"
	# A name without a slash: EAL would refuse a path below a world-writable folder.
	LD_LIBRARY_PATH=$build/drivers:$build/lib timeout -s INT 120 "$testpmd" --lcores 0@0,1@0 --no-huge -m 256 \
		--no-pci --file-prefix "nahanni-$$" -d librte_net_nahanni.so --vdev "net_nahanni0,role=host,path=$work/memory" \
		-- --forward-mode=io --total-num-mbufs=4096 --stats-period 1 >"$work/host.log" 2>&1 </dev/null &
	local host_pid=$!
	# shellcheck disable=SC2016
	guest "$work/guest.log" --bind "$1" --hugepages 128 --put "$plugin" --put "$testpmd" -- sh -c \
		'chmod 755 /; LD_LIBRARY_PATH=${1%/*} timeout -s INT 12 "$2" --lcores 0@0,1@0 -a $NHN_BDF --no-telemetry -m 128 -d librte_net_nahanni.so -- --forward-mode=io --tx-first --total-num-mbufs=2048 --stats-period 1 </dev/null' \
		sh "$plugin" "$testpmd"
	kill -INT $host_pid
	wait $host_pid
	local host guest
	host=$(sed -n 's/.*RX-packets: \([0-9]*\) .*RX-dropped.*/\1/p' "$work/host.log" | tail -n 1)
	guest=$(sed -n 's/.*RX-packets: \([0-9]*\) .*RX-dropped.*/\1/p' "$work/guest.log" | tail -n 1)
	[ "${host:-0}" -gt 1000 ] && [ "${guest:-0}" -gt 1000 ]
	check "stock testpmd in the guest and on the host, $1: frames both ways" $? "$work/host.log" "$work/guest.log"
}

host_killed
foreign_memory
unbound_device
finish
