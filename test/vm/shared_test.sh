#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# One device that two real guests share: no process of the machine takes part, one guest
# is the link's host. Messages and frames both ways, both layouts; the guest that is the
# host killed and booted again; a second host by mistake.
#
# usage: shared_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"
few=2000

# In a guest's script: pong LINK VIA, ping LINK VIA SIZE. $0 is ipc-perf.
# shellcheck disable=SC2016	# the guest's shell expands
calls='
pong() { "$0" -l 0 -- --mode pong --link "$1" --via $2; }
ping() { "$0" -l 0 -- --mode ping --link "$1" --via $2 --size $3 --samples $4 --json /root/$2.json; }
'
# shellcheck disable=SC2016
host_end='pci=$NHN_BDF,role=host${NHN_PEER_BDF:+,peer=$NHN_PEER_BDF}'
# shellcheck disable=SC2154	# rig.sh sets it
guest_end=$guest_link

# boot NAME CORE OPTIONS... -- SCRIPT: as $booted, its JSON reports to NAME.VIA.json
boot()
{
	local name=$1 core=$2 options=()
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	# shellcheck disable=SC2154	# rig.sh sets it
	"$vm" --host-cpu "$core" "${options[@]}" --time-limit 240 --put "$perf" -- sh -c "$calls $2" "$perf" \
		>"$work/$name.log" 2>&1 &
	booted=$!
}

last=$(($(nproc) - 1))

# Either end asks and answers in turn. Each new program is a new session of its end.
test_both_ways()	# LAYOUT
{
	local first
	rm -f "$work"/*.json "$work"/memory*
	truncate -s 16M "$work/memory" "$work/memory2"
	if [ "$1" = joint ]; then
		host_devices=(--shm "$work/memory")
		guest_devices=(--shm "$work/memory")
	else
		host_devices=(--layout split --shm "$work/memory" --shm-host "$work/memory2")
		guest_devices=(--layout split --shm "$work/memory2" --shm-host "$work/memory")
	fi
	boot host 0 "${host_devices[@]}" --get "/root/ethdev.json:$work/host.ethdev.json" \
		-- "pong $host_end channel && pong $host_end ethdev && ping $host_end ethdev 1500 $few"
	first=$booted
	boot guest "$last" "${guest_devices[@]}" --bind uio_pci_generic --get "/root/channel.json:$work/guest.channel.json" \
		--get "/root/ethdev.json:$work/guest.ethdev.json" \
		-- "ping $guest_end channel 60 $few && ping $guest_end ethdev 64 $few && pong $guest_end ethdev"
	wait "$booted" && all_arrived "$work/guest.channel.json" $few && all_arrived "$work/guest.ethdev.json" $few
	check "$1: the link's guest asks, by messages and by frames" $? "$work/guest.log" "$work/host.log"
	wait "$first" && all_arrived "$work/host.ethdev.json" $few
	check "$1: the link's host asks by frames" $? "$work/host.log" "$work/guest.log"
	latency "$work/guest.channel.json" "guest to guest, channel, 60 bytes"
	latency "$work/guest.ethdev.json" "guest to guest, ethdev, 64 bytes"
	latency "$work/host.ethdev.json" "guest to guest, ethdev, 1500 bytes"
}

latency()	# JSON WHAT
{
	/usr/bin/python3 - "$@" <<-'END'
	import json, sys
	report = json.load(open(sys.argv[1]))["runs"][0]
	rtt, limit = report["latency_ns"], report["limit_ns"]
	print(f"  {sys.argv[2]}: p50 {rtt['p50']} p90 {rtt['p90']} max {rtt['max']} ns; a line there and back: p50 {limit['p50']} ns")
	END
}

# shellcheck disable=SC2317	# wait_for calls it
serves_again()
{
	[ "$(grep -c 'pong: serving' "$work/second.log")" = 2 ]
}

# The one that asks is not done before the other has been killed: some seconds.
test_hosts_come_and_go()
{
	local first second third asking
	rm -f "$work"/*.json "$work"/memory*
	truncate -s 16M "$work/memory"
	boot first 0 --shm "$work/memory" -- "pong $host_end channel"
	first=$booted
	boot asking "$last" --shm "$work/memory" --get "/root/channel.json:$work/asking.json" -- "ping $guest_end channel 60 4000000"
	asking=$booted
	up "$work/first.log"
	check "a guest asks another" $? "$work/asking.log" "$work/first.log"
	sleep 0.5
	{
		kill -KILL "$first"
		wait "$first"
	} 2>/dev/null
	boot second 0 --shm "$work/memory" -- "pong $host_end channel; pong $host_end channel"
	second=$booted
	wait "$asking" # lost messages are its failure
	restarted "$work/asking.json"
	check "the guest that is the host is killed and boots again, nothing is wrong" $? "$work/asking.log" "$work/second.log"
	wait_for serves_again
	# Of the machine, whose lock on the file says nothing to a guest.
	"$perf" -l 0 -- --mode pong --link "role=host,path=$work/memory" >"$work/third.log" 2>&1 &
	third=$!
	wait_for grep -q 'somebody else writes this side' "$work/second.log"
	check "a second host on the memory is noticed by the first" $? "$work/second.log" "$work/third.log"
	kill "$second" "$third"
	wait "$second" "$third"
}

test_both_ways joint
test_both_ways split
test_hosts_come_and_go
finish
