#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
# In the machine that boot_test.sh boots, under busybox: tell what became of config/.
exec >/dev/ttyS1 2>&1

tell()	# NAME VALUE
{
	echo "$1: $2"
}

cgroup=/sys/fs/cgroup

# The driver of the one ivshmem device, or none.
find_device()
{
	for device in /sys/bus/pci/devices/*; do
		[ "$(cat "$device/vendor"):$(cat "$device/device")" != 0x1af4:0x1110 ] || return 0
	done
}

driver()
{
	if [ -e "$device/driver" ]; then
		basename "$(readlink "$device/driver")"
	else
		echo none
	fi
}

# The rule for another driver, and an event as of a device that was just plugged in.
rule_for()	# DRIVER
{
	sed -i "s/vfio-pci\|uio_pci_generic/$1/g" /etc/udev/rules.d/60-nahanni.rules
	[ ! -e "$device/driver" ] || basename "$device" >"$device/driver/unbind"
	udevadm control --reload
	udevadm trigger --action=add --settle "$device"
	tell "driver by the rule for $1" "$(driver)"
}

# Rule and driver are there a moment after the trigger.
udevadm settle --timeout=20 2>/dev/null
find_device

tell "isolated CPUs" "$(cat /sys/devices/system/cpu/isolated)"
tell "CPUs without tick" "$(cat /sys/devices/system/cpu/nohz_full)"
tell "CPUs of interrupts" "$(cat /proc/irq/default_smp_affinity)"
tell "CPUs whose RCU callbacks are done elsewhere" "$(dmesg | sed -n 's/.*Offload RCU callbacks from CPUs: \(.*\)\./\1/p')"
tell "CPUs of the lockup detectors" "$(cat /proc/sys/kernel/watchdog_cpumask)"
tell "CPUs of unbound work" "$(cat /sys/devices/virtual/workqueue/cpumask)"
tell "hugepages" "$(cat /proc/sys/vm/nr_hugepages)"
tell "size of hugepages" "$(sed -n 's/^Hugepagesize: *//p' /proc/meminfo)"
tell "IOMMU" "$([ -e /sys/kernel/iommu_groups/0 ] && echo yes)"
tell "unknown parameters" "$(dmesg | sed -n 's/.*Unknown kernel command line parameters "\([^"]*\)".*/\1/p' | tr ' ' '\n' | grep -v '^BOOT_IMAGE' | tr '\n' ' ' | sed 's/ *$//')"
tell "driver of the ivshmem device" "$(driver)"

same="as they say"
while read -r key _ value; do
	case $key in '' | '#'*) continue ;; esac
	[ "$(cat "/proc/sys/$(echo "$key" | tr . /)")" = "$value" ] || same="not as they say"
done </etc/sysctl.d/90-nahanni.conf
tell "sysctl files" "$same"

tell "daemon" "$(systemctl is-active nahanni-worker)"
pid=$(systemctl show -P MainPID nahanni-worker)
status=/proc/$pid/status
tell "daemon's capabilities" "$(sed -n 's/^CapBnd:\t//p' "$status")"
tell "daemon's seccomp" "$(sed -n 's/^Seccomp:\t//p' "$status")"
tell "daemon's new privileges" "$(sed -n 's/^NoNewPrivs:\t//p' "$status")"
tell "daemon's user" "$(stat -c %U "/proc/$pid")"
tell "daemon's slice" "$(systemctl show -P Slice nahanni-worker)"
for task in "/proc/$pid"/task/*; do
	case $(cat "$task/comm") in rte-worker-*) tell "daemon's lcore on CPU" "$(sed -n 's/^Cpus_allowed_list:\t//p' "$task/status")" ;; esac
done
tell "file of vm2" "$(stat -c '%a %U %G %s' /dev/shm/vm2)"
tell "file of vm3" "$(stat -c '%a %U %G %s' /dev/shm/vm3-from-host)"
systemctl reload nahanni-worker
tell "daemon after a reload" "$(systemctl is-active nahanni-worker), $(grep -o 'reloaded' /run/daemon.log)"
# With the daemon's own mounts, as root even.
if (echo >"/proc/$pid/root/etc/nahanni/worker.conf") 2>/dev/null; then
	tell "writes outside of /dev/shm" "not refused"
else
	tell "writes outside of /dev/shm" refused
fi

if systemctl is-active systemd-udevd >/dev/null; then
	# The first takes the driver's module along, the second finds it there.
	rule_for uio_pci_generic
	rule_for vfio-pci
fi

tell "partition" "$(cat $cgroup/nahanni.slice/cpuset.cpus.partition)"
tell "CPUs of nahanni.slice" "$(cat $cgroup/nahanni.slice/cpuset.cpus.effective)"
tell "CPUs of system.slice" "$(cat $cgroup/system.slice/cpuset.cpus.effective)"
systemctl stop nahanni-partition
tell "partition once stopped" "$(cat $cgroup/nahanni.slice/cpuset.cpus.partition)"
tail -n 5 /run/daemon.log
systemctl status --no-pager --full --lines=0 nahanni-worker nahanni-partition
echo end
sleep 1
systemctl --force --force poweroff
