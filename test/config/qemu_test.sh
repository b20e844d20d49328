#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The lines of config/qemu and the definitions of config/libvirt, the latter translated by
# libvirt's own driver, started by QEMU: it has the devices, their sizes, and maps the host's
# area of a split link for reading only. Under TCG, without hugepages.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
config=$here/../../config
PATH=$PATH:/usr/sbin:/sbin

[ "$(id -u)" = 0 ] || skip "run as root"
for tool in qemu-system-x86_64:qemu-system-x86 virsh:libvirt-clients setpriv:util-linux; do
	command -v "${tool%:*}" >/dev/null || skip "${tool%:*} is missing: install the package ${tool#*:}, or run devtools/setup"
done
[ -e "$(find /usr/lib -name libvirt_driver_qemu.so -print -quit)" ] ||
	skip "libvirt's driver of QEMU is missing: install the package libvirt-daemon-driver-qemu, or run devtools/setup"

# The path of a socket has 107 bytes at most.
work=$(mktemp -d /tmp/nahanni-qemu.XXXXXX) || skip "/tmp is not writable"
on_exit "rm -rf '$work'"
guest=nahanni-config-test-$$
on_exit "rm -f /dev/shm/$guest* /run/nahanni-$guest.qmp"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'
socket=$work/monitor
bytes=$((16 << 20))

# What this machine cannot be asked for: KVM, pages of 1 GiB, 2 GiB of memory.
here_too()
{
	sed -e 's/accel=kvm/accel=tcg/' -e 's/^-cpu .*/-cpu max/' -e 's/hugetlb=on,hugetlbsize=1G,//' \
		-e 's/^-m 2G/-m 128M/' -e 's/size=2G/size=128M/' -e "s,unix:/run/[^,]*,unix:$socket," "$1"
}

# look NAME WANTED ARGUMENTS...: start QEMU and compare what it has
look()
{
	local name=$1 wanted=$2
	shift 2
	rm -f "$socket"
	qemu-system-x86_64 "$@" </dev/null >"$work/qemu.log" 2>&1 &
	# Ends QEMU too.
	"$here/qemu_probe.py" "$socket" $! >"$work/has" 2>"$work/probe.log" || kill $! 2>/dev/null
	wait $!
	[ "$(cat "$work/has")" = "$wanted" ]
	check "$name" $? "$work/has" "$work/probe.log" "$work/qemu.log"
}

files()	# NAMES...: of their size, as the host's process makes them
{
	rm -f /dev/shm/"$guest"*
	[ $# = 0 ] || truncate -s "$bytes" "$@"
}

joint="1e $bytes $guest $bytes rw"
split="1d $bytes $guest-from-host $bytes r
1e $bytes $guest-from-guest $bytes rw"

lines()
{
	local line
	"$config/qemu/qemu-line" joint "$guest" >"$work/joint"
	"$config/qemu/qemu-line" split "$guest" 16M >"$work/split"
	for line in joint split; do
		here_too "$work/$line" >"$work/$line.tcg"
		# Both in one word list, as the usage says.
		[ "$(grep -cvE '^-[a-z]+ [^ ]+$' "$work/$line")" = 0 ]
		check "qemu: $line.args is an option and a value a line" $?
	done
	files
	# shellcheck disable=SC2046	# an option and its value are two words
	look "qemu: the joint line starts, one device, QEMU makes the file" "$joint" \
		-S -display none -nodefaults $(cat "$work/joint.tcg")
	files "/dev/shm/$guest-from-host"
	# shellcheck disable=SC2046
	look "qemu: the split line starts, two devices, one mapped for reading only" "$split" \
		-S -display none -nodefaults $(cat "$work/split.tcg")
	files "/dev/shm/$guest-from-host"
	# shellcheck disable=SC2046
	look "qemu: without readonly=on both are writable, which is seen" "${split/ r/ rw}" \
		-S -display none -nodefaults $(sed 's/readonly=on,//' "$work/split.tcg")
	truncate -s 1M "/dev/shm/$guest-from-host"
	# shellcheck disable=SC2046
	timeout 20 qemu-system-x86_64 -S -display none -nodefaults $(cat "$work/split.tcg") >"$work/qemu.log" 2>&1
	grep -q "does not match 'size'" "$work/qemu.log"
	check "qemu: with a host's file of another size it does not start" $? "$work/qemu.log"
}

# refused NAME ARGUMENTS...
refused()
{
	local name=$1
	shift
	"$config/qemu/qemu-line" "$@" >"$work/line" 2>&1
	[ $? = 2 ] && ! grep -q '^-' "$work/line"
	check "qemu-line: refuses $name" $? "$work/line"
}

words()
{
	refused "no layout" both vm1
	refused "a comma in the name" joint vm1,readonly=off
	refused "a slash in the name" joint ../vm1
	refused "an odd size" joint vm1 24M
	refused "a size of nothing" joint vm1 0
	refused "a size that is none" joint vm1 16Q
	refused "a size of its sign bit" joint vm1 99999999999999999999
	refused "nothing at all"
}

# By libvirt's driver inside of virsh, without a daemon, as a user who may do nothing. What
# is asked of this machine's kernel is replaced: KVM, and with it the host's own CPU.
translate()	# NAME FILE
{
	sed -e "s/type='kvm'/type='qemu'/" -e "s/mode='host-passthrough' check='none' migratable='off'/mode='maximum'/" \
		-e "/name='invtsc'/d" -e "s,\(mem-path=/dev/shm/\)vm3,\1$guest," -e "s/<shmem name='vm1'>/<shmem name='$guest'>/" \
		"$2" >"$work/$1.here.xml"
	[ "$huge" = yes ] || sed -i '/<memoryBacking>/,/<\/memoryBacking>/d' "$work/$1.here.xml"
	# shellcheck disable=SC2016	# the inner shell's
	HOME=$work/libvirt timeout 60 "${own_mounts[@]}" sh -c '[ "$3" = no ] || { mount -t hugetlbfs -o pagesize=1G none "$1/huge" && chmod 1777 "$1/huge"; }
		exec setpriv --reuid 65534 --regid 65534 --clear-groups virsh -c "qemu:///embed?root=$1/libvirt" \
			domxml-to-native qemu-argv "$2"' - "$work" "$work/$1.here.xml" "$huge" >"$work/$1.argv" 2>"$work/virsh.log"
}

# hugetlbfs is mounted for this alone, and only looked at. Where this test may not, or has no
# pages of 1 GiB, the definition is translated without them.
look_for_hugepages()
{
	huge=yes
	own_mounts=(unshare -m)
	echo "hugetlbfs_mount = \"$work/huge\"" >"$work/libvirt/etc/qemu.conf"
	"${own_mounts[@]}" mount -t hugetlbfs -o pagesize=1G none "$work/huge" 2>"$work/mount.log" && return
	huge=no
	own_mounts=()
	rm "$work/libvirt/etc/qemu.conf"
	echo "libvirt: <memoryBacking> is left to the schema: $(cat "$work/mount.log")"
}

definitions()
{
	local name arguments
	mkdir -p "$work/libvirt/etc" "$work/huge"
	chmod 755 "$work"
	look_for_hugepages
	chown -R 65534:65534 "$work/libvirt"
	for name in joint split; do
		translate $name "$config/libvirt/$name.xml"
		check "libvirt: its driver takes $name.xml" $? "$work/virsh.log"
		[ -s "$work/$name.argv" ] || continue
		"$here/libvirt_argv.py" "$socket" "$huge" <"$work/$name.argv" >"$work/$name.words"
		mapfile -t arguments <"$work/$name.words"
		files
		[ $name = joint ] || files "/dev/shm/$guest-from-host"
		look "libvirt: QEMU starts $name.xml and has the devices" "${!name}" "${arguments[@]:1}"
		[ "$(grep -c 'driver":"intel-iommu.*"intremap":"on"' "$work/$name.words")" = 1 ]
		check "libvirt: $name.xml has an IOMMU that remaps interrupts" $? "$work/$name.words"
	done
	# Taken by the schema, refused by the driver: it looked.
	sed "s/<size unit='M'>16/<size unit='M'>24/" "$config/libvirt/joint.xml" >"$work/odd.xml"
	translate odd "$work/odd.xml"
	grep -q 'power of two' "$work/virsh.log"
	check "libvirt: its driver refuses a size that is no power of two" $? "$work/virsh.log"
}

words
lines
definitions
finish
