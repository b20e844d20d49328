#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A real guest that dies and comes back while the host's process lives, in both
# layouts: QEMU killed and started again, the guest reset by its monitor. After
# each a counted run must arrive whole.
#
# usage: restart_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"

# shellcheck disable=SC2154	# rig.sh sets it
ping_in_guest="exec \"\$0\" -l 0 -- --mode ping --size 60 --samples \"\$1\" --json /root/out.json --link $guest_link"
pong_in_guest="exec \"\$0\" -l 0 -- --mode pong --link $guest_link"

# The host answers, and lives on.
test_qemu_killed()
{
	memory_new
	host_pong channel
	guest_start "$work/first.log" -- sh -c "$ping_in_guest" "$perf" "$endless"
	up "$work/first.log"
	check "$layout: the first guest asks" $? "$work/host.log" "$work/first.log"
	sleep 1
	guest_kill
	guest_start "$work/guest.log" --get "/root/out.json:$work/out.json" -- sh -c "$ping_in_guest" "$perf" "$samples"
	guest_wait && ended "$pong_pid" "$work/host.log" && all_arrived "$work/out.json" "$samples"
	check "$layout: QEMU killed and started again, the host's process lived" $? "$work/host.log" "$work/first.log" "$work/guest.log"
	sed -n 's/^ipc-perf: \(the link is up after .*\)/  second guest: \1/p' "$work/guest.log"
}

# The host asks, and lives on.
test_guest_reset()
{
	local ping_pid
	memory_new
	guest_start "$work/guest.log" --monitor "$work/monitor" -- sh -c "$pong_in_guest" "$perf"
	"$perf" -l 0 -- --mode ping --size 60 --samples "$endless" --link "$host_link" --json "$work/living.json" >"$work/living.log" 2>&1 &
	ping_pid=$!
	up "$work/living.log"
	check "$layout: the guest answers" $? "$work/living.log" "$work/guest.log"
	sleep 1
	local reset=$SECONDS
	guest_reset
	wait_for grep -q 'pong was restarted' "$work/living.log"
	echo "  traffic again $((SECONDS - reset)) s after the reset, the guest's boot among them"
	kill -INT $ping_pid
	ended $ping_pid "$work/living.log"
	restarted "$work/living.json" >>"$work/living.log" && host_ping_whole channel 60 && guest_wait
	check "$layout: guest reset, the host's process lived" $? "$work/living.log" "$work/host.log" "$work/guest.log"
}

for layout in joint split; do
	layout_take $layout
	test_qemu_killed
	test_guest_reset
done
finish
