#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The contest of benchmarks/run with a guest: each contestant is opened between this host and
# one real guest under vfio-pci, carries short rounds, is opened again, where it can with a
# smaller ring, and loses nothing.
#
# usage: contest_guest_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
[ -x "$build/benchmarks/contest/contest-guest" ] || skip "no contest-guest was built"
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"

cat >"$work/contest.py" <<-'END_OF_PYTHON'
	import os, pathlib, sys, types

	sys.path.insert(0, sys.argv[1])
	sys.dont_write_bytecode = True
	from suite import driver, guest

	work = pathlib.Path(sys.argv[3])
	options = types.SimpleNamespace(build=sys.argv[2], near_core=0, quick=True, folder=work,
	                                far_core=int((os.cpu_count() or 1) > 1))
	# Of sockets few: each one waits for QEMU and the vCPU to take turns on a core.
	KERNELS = ("virtio-net", "virtio-serial", "vsock")

	def rounds(contest, name, size):
	    few = name in KERNELS
	    for work, burst, messages in (("trips", 1, 50 if few else 1000),
	                                  ("rate", 32, 1000 if few else 20000)):
	        answer = contest.order("round", contestant=name, work=work, size=size, burst=burst,
	                               messages=messages)
	        whole = (answer["received"] == messages and answer["lost"] == 0
	                 and answer["misordered"] == 0)
	        print("whole" if whole else "not whole", name, work, size, answer["received"],
	              answer["lost"], answer["misordered"], flush=True)

	why = guest.why_not(options)
	if why is not None:
	    print(why)
	    sys.exit(77)
	session = next(one for one in guest.sessions(options) if one.where == "guest-vfio")
	contest = driver.Contest(session, work / "near.log")
	try:
	    contest.begin()
	    for entry in contest.order("list")["contestants"]:
	        name = entry["name"]
	        if name == "limit":
	            continue
	        for size, ring in ((60, 0), (60, 64), (1500, 0), (65536, 0)):
	            if not entry["size_min"] <= size <= entry["size_max"]:
	                continue
	            if ring > entry["ring_max"]:
	                continue
	            try:
	                contest.order("open", contestant=name, links=1, ring=ring)
	                rounds(contest, name, size)
	                contest.order("close", contestant=name)
	            except driver.Refused as error:
	                print("refused", name, error, flush=True)
	                break
	finally:
	    print("ended", contest.stop(), "starts", contest.starts)
END_OF_PYTHON

timeout -s INT 240 /usr/bin/python3 "$work/contest.py" "$here/../../benchmarks" "$build" "$work" >"$work/out.txt" 2>"$work/err.txt"
status=$?
[ $status != 77 ] || skip "$(cat "$work/out.txt")"
check "the contest runs and ends" $status "$work/out.txt" "$work/err.txt" "$work/near.log" "$work/guest-vfio.log"
for name in channel channel-split msg ethdev ethdev-split vhost-split vhost-packed virtio-net virtio-serial; do
	[ "$name" != virtio-net ] || [ -e /dev/net/tun ] || continue
	grep -q "^whole $name trips" "$work/out.txt" && grep -q "^whole $name rate" "$work/out.txt" &&
		! grep -q -E "^(not whole|refused) $name " "$work/out.txt"
	check "$name: nothing lost or misordered, opened again" $? "$work/out.txt"
done
grep -q '^whole vsock' "$work/out.txt" || grep -q '^refused vsock .*vhost_vsock' "$work/out.txt"
check "vsock runs, or is missed by name" $? "$work/out.txt"
grep -qx 'ended 0 starts 1' "$work/out.txt"
check "one guest was enough, and ended well" $? "$work/out.txt" "$work/near.log" "$work/guest-vfio.log"
left=$(find /dev/shm -maxdepth 1 -name 'nahanni-guest-vfio.*' -newer "$work/contest.py")
[ -z "$left" ] && ! grep -l -s -F nahanni-guest-vfio /proc/[0-9]*/cmdline
check "nothing is left behind" $? "$work/out.txt"
finish
