#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The split layout in a real guest: what it cannot write, traffic over both
# bindings and both orders of the devices, a killed host, what is refused, and
# the device that is read removed under testpmd.
#
# usage: split_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"
plugin=$build/drivers/librte_net_nahanni.so
testpmd=$(command -v dpdk-testpmd) || skip "dpdk-testpmd is missing: run devtools/setup"

# Store into the first and into the last line of both devices, and say what is
# read there before and after.
# shellcheck disable=SC2016	# the guest's shell expands
stores_in_guest='
for bdf in $NHN_PEER_BDF $NHN_BDF; do
	echo 1 >/sys/bus/pci/devices/$bdf/enable
	read -r start end _ <<-END
		$(sed -n 3p /sys/bus/pci/devices/$bdf/resource)
	END
	for address in $start $((end - 63)); do
		before=$(devmem $address 32)
		devmem $address 32 0xdeadbeef
		echo $before $(devmem $address 32)
	done
done'

word_at()	# FILE OFFSET
{
	od -A n -t x4 -j "$2" -N 4 "$1" | tr -d ' \n' | tr a-f A-F | sed 's/^/0x/'
}

test_stores()
{
	local first last
	memory_new
	head -c 16M /dev/urandom >"$work/h2g"
	cp "$work/h2g" "$work/before"
	guest_start "$work/guest.log" --bind none -- sh -c "$stores_in_guest"
	guest_wait
	check "a guest that stores into both devices ends well" $? "$work/guest.log"
	cmp "$work/h2g" "$work/before" >"$work/cmp.log" 2>&1
	check "its stores into the host's area change nothing" $? "$work/cmp.log" "$work/guest.log"
	first=$(word_at "$work/h2g" 0)
	last=$(word_at "$work/h2g" $((16777216 - 64)))
	[ "$(cat "$work/guest.log")" = "$first $first
$last $last
0x00000000 0xDEADBEEF
0x00000000 0xDEADBEEF" ]
	check "it reads the host's bytes, and writes its own area" $? "$work/guest.log"
	rm -f "$work/before"
}

# One guest that answers and asks by turns. Its host is killed once.
# shellcheck disable=SC2154	# rig.sh sets guest_link
by_turns="
pong() { \"\$0\" -l 0 -- --mode pong --via \$1 --link $guest_link; }
ping() { \"\$0\" -l 0 -- --mode ping --via \$1 --link $guest_link --size \$2 --samples $samples --json /root/\$1.json; }
pong channel && ping channel 1500 && pong ethdev && ping ethdev 1500"

test_traffic()	# BIND ORDER
{
	local first
	layout_take split "$2"
	memory_new
	guest_start "$work/guest.log" --bind "$1" --get "/root/channel.json:$work/channel.json" \
		--get "/root/ethdev.json:$work/ethdev.json" -- sh -c "$by_turns" "$perf"
	"$perf" -l 0 -- --mode ping --size 60 --samples "$endless" --link "$host_link" >"$work/first.log" 2>&1 &
	first=$!
	up "$work/first.log"
	check "$1, $2: the guest answers" $? "$work/first.log" "$work/guest.log"
	sleep 1
	kill -KILL $first
	wait $first 2>/dev/null
	host_ping_whole channel 60
	check "$1, $2: host killed while it asks, started again: channel" $? "$work/host.log" "$work/guest.log"
	sed -n 's/^ipc-perf: \(the link is up after .*\)/  second host: \1/p' "$work/host.log"
	host_pong channel
	wait "$pong_pid"
	check "$1, $2: host answers: channel" $? "$work/host.log" "$work/guest.log"
	host_ping_whole ethdev 64
	check "$1, $2: host asks: ethdev" $? "$work/host.log" "$work/guest.log"
	host_pong ethdev
	wait "$pong_pid"
	check "$1, $2: host answers: ethdev" $? "$work/host.log" "$work/guest.log"
	guest_wait && all_arrived "$work/channel.json" "$samples" && all_arrived "$work/ethdev.json" "$samples"
	check "$1, $2: all that the guest asked arrived" $? "$work/guest.log"
}

# Arguments that ipc-perf itself would not make. EAL takes the first of a device.
# shellcheck disable=SC2016	# the guest's shell expands
refusals_in_guest='
try() { echo "== $1"; shift; "$perf" -l 0 "$@" -- --mode pong --link pci=$NHN_BDF; echo "status $?"; }
perf=$0
try alone -a $NHN_BDF,peer=$NHN_PEER_BDF
try itself -a $NHN_BDF,peer=$NHN_BDF
try both -a $NHN_BDF,peer=$NHN_PEER_BDF -a $NHN_PEER_BDF,peer=$NHN_BDF
try absent -a $NHN_BDF,peer=0000:00:1f.7
try key -a $NHN_BDF,colour=red
try twice -a $NHN_BDF,peer=$NHN_PEER_BDF,peer=$NHN_PEER_BDF
try address -a $NHN_BDF,peer=nowhere'

said()	# WHAT TEXT: the try of that name was refused so
{
	sed -n "/^== $1\$/,/^status/p" "$work/guest.log" >"$work/try.log"
	grep -q -- "$2" "$work/try.log" && grep -q '^status 2$' "$work/try.log"
	check "refused in the guest ($1): $2" $? "$work/try.log"
}

test_refusals()
{
	memory_new
	guest_start "$work/guest.log" -- sh -c "$refusals_in_guest" "$perf"
	guest_wait
	check "the guest that tries what is refused ends well" $? "$work/guest.log"
	said alone 'its peer 0000:00:03.0 was not probed'
	said itself 'it is named as its own peer'
	said both 'its peer 0000:00:03.0 was not probed'
	said absent 'its peer 0000:00:1f.7 was not probed'
	said key "unknown key 'colour', expected \[role=host|guest\]\[,peer=BDF\]"
	said twice 'peer is given twice'
	said address "peer is 'nowhere'"
}

# The host's testpmd sends; the guest's loses its device and gets it again.
# shellcheck disable=SC2016	# the guest's shell expands
removal_in_guest='
chmod 755 /
{
	echo device detach $NHN_PEER_BDF
	echo port stop 0
	echo device detach $NHN_PEER_BDF
	echo port start 0
	echo port attach $NHN_PEER_BDF
	echo port start 0
	echo set fwd rxonly
	echo start
	sleep 5
	echo show port stats 0
	echo quit
} | LD_LIBRARY_PATH=${1%/*} "$2" --lcores 0@0,1@0 -a $NHN_BDF,peer=$NHN_PEER_BDF -a $NHN_PEER_BDF --no-telemetry \
	-m 128 -d librte_net_nahanni.so -- -i --total-num-mbufs=2048 --disable-link-check'

test_removal()
{
	local host frames
	memory_new
	LD_LIBRARY_PATH=$build/drivers:$build/lib "$testpmd" --lcores 0@0,1@0 --no-huge -m 256 --no-pci --no-telemetry \
		--file-prefix "nahanni-$$" -d librte_net_nahanni.so --vdev "net_nahanni0,$host_link" -- --forward-mode=txonly \
		--total-num-mbufs=4096 --stats-period 1 >"$work/host.log" 2>&1 </dev/null &
	host=$!
	guest_start "$work/guest.log" --hugepages 128 --put "$plugin" --put "$testpmd" \
		-- sh -c "$removal_in_guest" sh "$plugin" "$testpmd"
	guest_wait
	check "testpmd in a guest ends well" $? "$work/guest.log"
	kill -INT $host
	wait $host
	grep -q '0000:00:03.0: the port 0000:00:02.0 reads it' "$work/guest.log"
	check "the device that a started port reads is not removed" $? "$work/guest.log"
	grep -q 'Device 0000:00:03.0 is detached' "$work/guest.log" &&
		[ "$(grep -c 'its peer 0000:00:03.0 was not probed' "$work/guest.log")" = 1 ]
	check "it is when the port is stopped, which then starts only with a new one" $? "$work/guest.log"
	frames=$(sed -n 's/.*RX-packets: \([0-9]*\) .*/\1/p' "$work/guest.log" | tail -n 1)
	[ "${frames:-0}" -gt 1000 ]
	check "stock testpmd on both ends, after that: $frames frames" $? "$work/host.log" "$work/guest.log"
}

layout_take split
test_stores
test_traffic vfio-pci own-first
test_traffic uio_pci_generic peer-first
layout_take split
test_refusals
test_removal
finish
