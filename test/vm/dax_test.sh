#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# How long loads take, told by the driver in a guest of both bindings; and the remedy
# where that is long: a device-dax node of an nvdimm on the link's file, mapped
# write-back by the guest, messages and frames both ways.
#
# usage: dax_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"
plugin=$build/drivers/librte_net_nahanni.so
testpmd=$(command -v dpdk-testpmd) || skip "dpdk-testpmd is missing: run devtools/setup"
cache=$here/../../.cache

# In the order of their loading. The kernel's package is the one of devtools/vm.
dax_modules="nvdimm/libnvdimm acpi/nfit/nfit nvdimm/nd_btt nvdimm/nd_pmem dax/device_dax dax/dax_pmem"
modules_take()
{
	local package module folder
	package=$(sed -n 2p "$cache/guest/version") || return 1
	[ ! -e "$cache/guest-dax/$package" ] || return 0
	mkdir "$work/package" && cd "$work/package" || return 1
	timeout 300 apt-get download -q -o APT::Sandbox::User= "$package" >apt.log 2>&1 &&
		dpkg -x "$package"_*.deb . || return 1
	folder=$(echo lib/modules/*/kernel/drivers)
	mkdir new || return 1
	for module in $dax_modules; do
		cp "$folder/$module.ko" new/ || return 1
	done
	: >"new/$package"
	rm -rf "$cache/guest-dax"
	mv new "$cache/guest-dax"
	cd / && rm -rf "$work/package"
}

# QEMU with an nvdimm beside what devtools/vm gives it.
qemu_with_nvdimm()
{
	local real
	real=$(command -v qemu-system-x86_64)
	mkdir -p "$work/bin"
	cat >"$work/bin/qemu-system-x86_64" <<-SHIM
	#!/bin/sh
	exec $real "\$@" -machine nvdimm=on -m slots=2,maxmem=4G \\
		-object memory-backend-file,id=nvdimm-memory,share=on,size=18M,mem-path=$work/memory \\
		-device nvdimm,id=nvdimm,memdev=nvdimm-memory
	SHIM
	chmod 755 "$work/bin/qemu-system-x86_64"
}

# The namespace becomes a device-dax node, as by ndctl create-namespace -f -e
# namespace0.0 -m devdax -a 2M; then the command.
cat >"$work/dax.sh" <<-'END_OF_GUEST'
	for module in libnvdimm nfit nd_btt nd_pmem device_dax dax_pmem; do
		insmod "/dax/$module.ko" || exit 1
	done
	cd /sys/bus/nd/devices || exit 1
	for i in $(seq 100); do [ ! -e namespace0.0/driver ] || break; usleep 50000; done
	echo namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind
	seed=$(cat region0/dax_seed)
	echo ram >"$seed/mode"
	echo 2097152 >"$seed/align"
	echo 3f1c6a50-2b1a-4d53-9a37-6f6b8c9d0e11 >"$seed/uuid"
	echo namespace0.0 >"$seed/namespace"
	echo "$seed" >/sys/bus/nd/drivers/dax_pmem/bind || exit 1
	[ -c /dev/dax0.0 ] || exit 1
	cd /root && exec "$@"
END_OF_GUEST

in_guest()	# LOG OPTIONS... -- COMMAND...: with the node
{
	local log=$1
	shift
	PATH=$work/bin:$PATH "$vm" --host-cpu "$(($(nproc) > 1))" --bind none --time-limit 240 --put "$cache/guest-dax:/dax" \
		--put "$work/dax.sh:/dax.sh" --put "$perf" "$@" >"$log" 2>&1
}

# The rig's, with the namespace's own bytes before the link's.
# shellcheck disable=SC2034	# the rig uses it
host_link=role=host,path=$work/memory,size=16M,offset=2M
new_memory()
{
	rm -f "$work/memory" "$work/out.json"
	truncate -s 18M "$work/memory"
}

host_asks()	# VIA SIZE
{
	new_memory
	in_guest "$work/guest.log" -- sh /dax.sh "$perf" -l 0 -- --mode pong --via "$1" --link role=guest,path=/dev/dax0.0 &
	local guest=$! status
	host_ping_whole "$1" "$2"
	status=$?
	[ $status = 0 ] || kill $guest
	wait $guest && [ $status = 0 ]
	check "device-dax: host asks, guest answers: $1, $2 bytes" $? "$work/host.log" "$work/guest.log"
}

# loads_told LOG: both figures of a port, and no warning of uncached memory: under TCG
# there is none.
loads_told()
{
	sed -n 's/.*\(area_[a-z]*_load_ns: [0-9]*\).*/\1/p' "$1"
	grep -q 'area_own_load_ns: [1-9]' "$1" && grep -q 'area_peer_load_ns: [1-9]' "$1" && ! grep -q UNCACHED "$1"
}

printf 'show port xstats 0\nquit\n' >"$work/commands"
# shellcheck disable=SC2034
eal="--lcores 0@0,1@0 --no-telemetry -m 128 -d librte_net_nahanni.so"
xstats="-- --cmdline-file=/commands -i --disable-link-check --total-num-mbufs=2048 </dev/null"
put_testpmd=(--hugepages 128 --put "$plugin" --put "$testpmd" --put "$work/commands:/commands")

for bind in vfio-pci uio_pci_generic; do
	# shellcheck disable=SC2016	# the guest's shell expands
	"$vm" --host-cpu "$(($(nproc) > 1))" --bind $bind --time-limit 240 "${put_testpmd[@]}" -- sh -c \
		'chmod 755 /; LD_LIBRARY_PATH=${1%/*} timeout -s INT 60 "$2" -a $NHN_BDF '"$eal $xstats" \
		sh "$plugin" "$testpmd" >"$work/guest.log" 2>&1
	loads_told "$work/guest.log"
	check "the driver tells what a load takes, $bind" $? "$work/guest.log"
done

modules_take || { echo "skipped: no modules of device-dax: apt offers no $(sed -n 2p "$cache/guest/version")"; finish; }
qemu_with_nvdimm
host_asks channel 1500
host_asks ethdev 1500
finish
