#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Three real guests at once on one lcore of one worker: each asks the worker, then they
# ask each other through it, which relays with one copy; all contents are checked. One is
# killed in the middle of a message, the others go on, and a fourth takes its place.
#
# usage: many_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"
program=$build/test/vm/switch_guest
cores=0-$(($(nproc) - 1))
asked=500

# boot NUMBER NAME COMMAND...: a guest whose memory is that of link NUMBER, as $booted.
# Three vCPUs and the worker on two cores: all of them rest, and none has a core of its own.
# shellcheck disable=SC2016	# the guest's shell expands
boot()
{
	local memory=$work/memory$1 name=$2
	shift 2
	# shellcheck disable=SC2154	# rig.sh sets it
	"$vm" --bind none --hugepages 0 --memory 320 --shm "$memory" --time-limit 240 --put "$program" \
		-- sh -c 'exec "$0" $NHN_BDF rest "$@"' "$program" "$@" >"$work/$name.log" 2>&1 &
	booted=$!
}

# said NAME TEXT: within minutes, for a busy machine boots slowly
said()
{
	wait_for grep -q "$2" "$work/$1.log" || wait_for grep -q "$2" "$work/$1.log"
}

# whole NAME ID COUNT SIZE: so many round trips with that guest, and all of them right
whole()
{
	said "$1" "^ping $2: $3 of $4 bytes, lost" &&
		grep -q "^ping $2: $3 of $4 bytes, lost 0, wrong 0, late 0;" "$work/$1.log"
	check "$1 asks $([ "$2" = 0 ] && echo the worker || echo "guest $2"), $3 of $4 bytes" $? "$work/$1.log" "$work/host.log"
	sed -n "s/^ping $2: $3 of $4 bytes, .*; \(.*\)/  \1/p" "$work/$1.log"
}

"$build/test/vm/switch_host" --no-pci --no-huge -m 64 --no-shconf --no-telemetry --lcores "0@($cores),1@($cores)" \
	-- rest "$work/memory1" "$work/memory2" "$work/memory3" >"$work/host.log" 2>&1 &
host=$!
wait_for grep -q 'serving 3 guests' "$work/host.log"
check "one lcore serves three links" $? "$work/host.log"

boot 1 guest1 ping 0 $asked 60 ping 2 $asked 60 ping 2 - 60 stop 2
guest1=$booted
boot 2 guest2 ping 0 $asked 60 pong
guest2=$booted
boot 3 guest3 ping 0 $asked 60 ping 1 $asked 60 ping 1 50 100000 half 1
guest3=$booted

said guest3 '^half 1:'
check "guest3 is in the middle of a message to guest1" $? "$work/guest3.log" "$work/host.log"
{
	kill -KILL "$guest3"
	wait "$guest3"
} 2>/dev/null
said host '^guest 3: stalled'
check "guest3 is killed, and missed" $? "$work/host.log"
for guest in 1 2 3; do whole guest$guest 0 $asked 60; done
whole guest1 2 $asked 60
whole guest3 1 $asked 60
whole guest3 1 50 100000

boot 3 guest4 ping 0 $asked 60 ping 1 $asked 60 ping 1 50 100000 stop 1
guest4=$booted
wait "$guest4"
check "a fourth takes its place" $? "$work/guest4.log" "$work/host.log"
whole guest4 0 $asked 60
whole guest4 1 $asked 60
whole guest4 1 50 100000
wait "$guest1"
check "guest1 asked guest2 all the while" $? "$work/guest1.log" "$work/host.log"
tail -n 2 "$work/guest1.log" | sed 's/^/  /'
grep -q 'wrong 0, given up by their sender 1$' "$work/guest1.log"
check "guest1 was told of the message without an end, once" $? "$work/guest1.log"
wait "$guest2"
check "guest2 answered all the while" $? "$work/guest2.log" "$work/host.log"

kill -INT $host
wait $host
check "the worker ends well" $? "$work/host.log"
grep -q '^guest 3: relayed .*, cut 1, sessions 2$' "$work/host.log" && ! grep -q '^guest [12]: .*, cut [1-9]' "$work/host.log"
check "nothing was lost but what the dead guest had begun" $? "$work/host.log"
grep '^worker:' "$work/host.log"
finish
