#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
# In the guest of a contest: give its devices their drivers, then be the far side.
#
# usage: guest_far.sh DRIVER "BDF..." CONTROL_BDF PROGRAM [ARGUMENT]...
driver=$1 devices=$2 control=$3
shift 3

for device in $devices; do
	folder=/sys/bus/pci/devices/$device
	echo "$driver" >"$folder/driver_override"
	# virtio_pci has those of vhost-user.
	[ ! -e "$folder/driver" ] || echo "$device" >"$folder/driver/unbind"
	echo "$device" >/sys/bus/pci/drivers_probe
	[ ! -e "/sys/bus/pci/drivers/$driver/$device" ] || continue
	echo "guest_far: $driver does not take $device: see the kernel's messages" >&2
	exit 1
done
# No driver has it: what drivers do first.
echo 1 >"/sys/bus/pci/devices/$control/enable"
# After the devices of vhost-user have their driver, or virtio_net would take them.
while read -r module; do
	insmod "/vm/modules/$module" || echo "guest_far: $module does not load" >&2
done </vm/modules/later
exec "$@"
