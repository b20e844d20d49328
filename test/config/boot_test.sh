#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The files of config/ in force: a machine of Debian's kernel and systemd boots with the kernel
# parameters, the sysctl file, the udev rule and the units, and is asked what became of them.
#
# usage: boot_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
config=$root/config
guest=$root/.cache/guest
daemon=$build/app/nahanni-worker
PATH=$PATH:/usr/sbin:/sbin

[ "$(id -u)" = 0 ] || skip "run as root"
for tool in qemu-system-x86_64:qemu-system-x86 /lib/systemd/systemd:systemd udevadm:udev busybox:busybox-static \
	cpio:cpio depmod:kmod systemd-sysusers:systemd; do
	command -v "${tool%:*}" >/dev/null || skip "${tool%:*} is missing: install the package ${tool#*:}, or run devtools/setup"
done
[ -x "$daemon" ] || skip "this build has no nahanni-worker"
"$root/devtools/setup" --vm >&2 || skip "no kernel of a guest: see the message of devtools/setup"
release=$(sed -n '2s/^linux-image-//p' "$guest/version")

work=$(mktemp -d -t nahanni-boot.XXXXXX) || skip "no temporary folder"
on_exit "rm -rf '$work'"
tree=$work/root
facts=$work/facts

# Where a file of this machine is in the guest: what was built is not below somebody's home,
# which the unit hides.
place()
{
	echo "${1/#"$build"//opt/nahanni}"
}

# put FILES...: with the libraries they load. Links stay links: a second copy of a DPDK bus
# would register it twice.
put()
{
	local file library real from
	for file in "$@"; do
		for library in "$file" $(ldd "$file" 2>/dev/null | grep -oE '/[^ )]+'); do
			library=$(realpath -s "$library")
			from=$(realpath "$library")
			library=$(place "$library")
			real=$(place "$from")
			mkdir -p "$tree$(dirname "$real")" "$tree$(dirname "$library")"
			[ -e "$tree$real" ] || cp --preserve=mode "$from" "$tree$real"
			[ -e "$tree$library" ] || ln -s "$real" "$tree$library"
		done
	done
}

programs()
{
	local eal plugin
	put /lib/systemd/systemd /lib/systemd/systemd-sysctl /lib/systemd/systemd-udevd /usr/bin/udevadm /usr/bin/systemctl /usr/bin/systemd-tmpfiles
	put "$(command -v busybox)" "$daemon"
	ln -sf udevadm "$tree/usr/bin/systemd-udevd"
	# DPDK's plugins that the daemon needs, from the folder that EAL has built in.
	eal=$(ldd "$daemon" | sed -n 's/.*librte_eal.* => \([^ ]*\) .*/\1/p')
	for plugin in "$(dirname "$(realpath "$eal")")"/dpdk/pmds-*/librte_{mempool_ring,bus_vdev,bus_pci}.so*; do
		put "$plugin"
	done
	for tool in sh basename kill cat grep sleep chmod readlink ls mount tail dmesg id stat sed tr; do
		[ -e "$tree/bin/$tool" ] || ln -s busybox "$tree/bin/$tool"
	done
}

modules()
{
	mkdir -p "$tree/lib/modules/$release/kernel"
	cp "$guest"/modules/*.ko "$tree/lib/modules/$release/kernel/"
	# Some of what they name is built in.
	depmod -b "$tree" "$release" 2>/dev/null
}

# What nothing of ours is in: the bare bones of a boot.
system_units()
{
	local unit
	mkdir -p "$tree/lib/systemd/system" "$tree/etc/systemd/system"
	for unit in basic.target sysinit.target slices.target sockets.target paths.target timers.target local-fs.target local-fs-pre.target \
		shutdown.target umount.target final.target systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
		systemd-udev-trigger.service systemd-sysctl.service kmod-static-nodes.service; do
		cp "/lib/systemd/system/$unit" "$tree/lib/systemd/system/" 2>/dev/null
	done
	cat >"$tree/lib/systemd/system/check.service" <<-'END'
	[Unit]
	After=nahanni-worker.service nahanni-partition.service systemd-udev-trigger.service systemd-sysctl.service
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /check
	END
	target guest nahanni-worker.service systemd-udev-trigger.service systemd-udevd.service systemd-sysctl.service
	target partition nahanni-worker.service nahanni-partition.service
}

target()	# NAME UNITS...
{
	{
		printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=check.service\n'
		shift
		printf 'Wants=%s\n' "$@"
	} >"$tree/lib/systemd/system/$1.target"
}

# Ours, as they are but for the path of the program and the CPUs of this machine, which has four.
our_files()
{
	mkdir -p "$tree"/etc/{nahanni,udev/rules.d,sysctl.d,systemd/system/nahanni-worker.service.d}
	sed "s,/usr/local/bin/nahanni-worker,$(place "$daemon")," "$config/nahanni-worker.service" >"$tree/etc/systemd/system/nahanni-worker.service"
	sed 's/^AllowedCPUs=1-5/AllowedCPUs=1-3/' "$config/systemd/nahanni.slice" >"$tree/etc/systemd/system/nahanni.slice"
	cp "$config/systemd/nahanni-partition.service" "$tree/etc/systemd/system/"
	sed 's/^;\(mode\|group\)/\1/' "$config/nahanni-worker.conf" >"$tree/etc/nahanni/worker.conf"
	cp "$config/sysctl/90-nahanni.conf" "$tree/etc/sysctl.d/"
	cp "$config/udev/60-nahanni.rules" "$tree/etc/udev/rules.d/"
	systemd-sysusers --root="$tree" "$config/systemd/nahanni-sysusers.conf" >/dev/null 2>&1
	printf '[Service]\nStandardOutput=append:/run/daemon.log\nStandardError=inherit\nSlice=nahanni.slice\n' >"$tree/etc/systemd/system/nahanni-worker.service.d/log.conf"
	cat "$here/boot_facts.sh" >"$tree/check"
}

initramfs()
{
	mkdir -p "$tree"/{dev,proc,sys,run,tmp,root,var,home,usr/bin,usr/sbin,usr/lib,usr/lib64}
	for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$tree/$folder"; done
	programs
	modules
	system_units
	our_files
	echo nahanni-test >"$tree/etc/hostname"
	: >"$tree/etc/machine-id"
	echo 'ID=test' >"$tree/etc/os-release"
	ln -s lib/systemd/systemd "$tree/init"
	chmod -R go-w "$tree"
	(cd "$tree" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$work/initramfs"
}

# boot TARGET PARAMETERS: what /check finds is in $facts afterwards
boot()
{
	truncate -s 0 "$facts"
	timeout 240 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35,accel=tcg,kernel-irqchip=split -cpu max -smp 4 -m 1024 -device intel-iommu,intremap=on \
		-object memory-backend-memfd,id=shm,share=on,size=1M -device ivshmem-plain,memdev=shm \
		-kernel "$guest/kernel" -initrd "$work/initramfs" -serial "file:$work/console" -serial "file:$facts" \
		-append "console=ttyS0 panic=-1 no_timer_check systemd.unit=$1.target systemd.log_target=console systemd.show_status=1 systemd.unified_cgroup_hierarchy=1 $2" \
		</dev/null >"$work/qemu.log" 2>&1
	sed -i 's/\r$//' "$facts"
	cp "$facts" "$work/$target"
	grep -q '^end$' "$facts"
	check "boot: $1.target came to its end" $? "$facts" "$work/console" "$work/qemu.log"
}

# is NAME VALUE
is()
{
	grep -qxF "$1: $2" "$facts"
	check "$target: $1 is ${2:-nothing}" $? "$work/$target"
}

# line FILE: the parameters, by the command that the file's own comment tells
line()
{
	local command
	command=$(sed -n 's/^#     \(sed .*\)/\1/p' "$config/kernel/$1")
	# shellcheck disable=SC2034	# the command has them
	(cd "$config/kernel" && ISOLATED=2-3 HOUSEKEEPING=0-1 HUGEPAGES=$2 && eval "$command")
}

as_guest()
{
	target=guest
	boot guest "$(line guest.cmdline 20)"
	is "isolated CPUs" 2-3
	is "CPUs without tick" 2-3
	is "CPUs of interrupts" 3
	# These follow from the two above: rcu_nocbs= and nosoftlockup are not needed.
	is "CPUs whose RCU callbacks are done elsewhere" 2-3
	is "CPUs of the lockup detectors" 0-1
	is "CPUs of unbound work" 3
	is "hugepages" 20
	is "IOMMU" yes
	is "unknown parameters" ""
	is "driver of the ivshmem device" vfio-pci
	is "driver by the rule for uio_pci_generic" uio_pci_generic
	is "driver by the rule for vfio-pci" vfio-pci
	is "sysctl files" "as they say"
	is "daemon" active
	is "daemon's capabilities" 0000000000000000
	is "daemon's seccomp" 2
	is "daemon's new privileges" 1
	is "daemon's lcore on CPU" 2
	is "daemon's user" nahanni
	is "file of vm2" "660 nahanni kvm 16777216"
	is "file of vm3" "660 nahanni kvm 16777216"
	is "daemon's slice" nahanni.slice
	is "daemon after a reload" "active, reloaded"
	is "writes outside of /dev/shm" refused
}

as_host()
{
	target=host
	boot partition "$(line host.cmdline 0) nohz_ful=2"
	is "isolated CPUs" 2-3
	is "CPUs without tick" 2-3
	is "CPUs of interrupts" 3
	is "size of hugepages" "1048576 kB"
	# Misspelled above: the kernel tells.
	is "unknown parameters" nohz_ful=2
}

as_partition()
{
	target=partition
	boot partition ""
	is "partition" isolated
	# What the partition of this kernel leaves to tuned's profile.
	is "CPUs of unbound work" f
	is "CPUs of nahanni.slice" 1-3
	is "CPUs of system.slice" 0
	is "daemon" active
	is "daemon's lcore on CPU" 2
	# Not asked for in this boot: the rule, the sysctl file and the parameters did it above.
	is "driver of the ivshmem device" none
	is "sysctl files" "not as they say"
	is "isolated CPUs" ""
	is "partition once stopped" member
}

initramfs
as_guest
as_partition
as_host
finish
