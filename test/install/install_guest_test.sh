#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples in a real guest, one boot: without DPDK through sysfs, then with the
# driver, which the guest's EAL loads from its plugin folder; host_dpdk on the host.
#
# usage: install_guest_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/install/package.sh
. "$here/package.sh"
[ "$(id -u)" = 0 ] || skip "run as root: the guest's modules and memory need it"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is missing: run devtools/setup"
work=$(mktemp -d /dev/shm/nahanni-install.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'
mkdir "$work/tmp"
export TMPDIR=$work/tmp

# $0 is the examples' folder, $1 the installed driver. EAL's own folder is where its
# other plugins lie; there the driver stands as meson installs it by default.
# shellcheck disable=SC2016	# the guest's shell expands
in_guest='
try() { echo "== $1"; shift; "$@"; echo "status $?"; }
for language in c c++; do
	try "plain $language" "$0/$language/guest_plain" $NHN_BDF
done
folder=$(dirname "$(ls /usr/lib/*/dpdk/pmds-*/librte_bus_pci.so* | head -n 1)")
ln -s "$1" "$folder/librte_net_nahanni.so"
echo vfio-pci >/sys/bus/pci/devices/$NHN_BDF/driver_override
echo $NHN_BDF >/sys/bus/pci/drivers_probe
try held "$0/c/guest_plain" $NHN_BDF
for language in c c++; do
	try "pmd $language" "$0/$language/guest_pmd" -l 0 --no-telemetry
done
try plugin "$0/c/host_dpdk" --no-huge -m 64 --no-pci --no-telemetry -l 0 --vdev net_nahanni0,role=host,path=/root/memory'

said()	# WHAT PATTERN STATUS: the try of that name, whose lines go to try.log
{
	sed -n "/^== $1\$/,/^status/p" "$work/guest.log" >"$work/try"
	sed '/^== /d; /^status/d' "$work/try" >"$work/try.log"
	grep -q -- "$2" "$work/try.log" && grep -q "^status $3\$" "$work/try"
}

package_and_examples
"$examples/c++/host_dpdk" --no-pci --no-huge -m 64 --no-telemetry --file-prefix "nahanni-$$" --lcores 0@0,1@0 \
	-- "$work/memory" >"$work/host.log" 2>&1 &
host_pid=$!
wait_for test -s "$work/memory"
check "host_dpdk makes the memory" $? "$work/host.log"
"$here/../../devtools/vm" --host-cpu "$(($(nproc) > 1))" --bind none --shm "$work/memory" --time-limit 120 \
	--put "$examples" --put "$plugins/librte_net_nahanni.so" \
	-- sh -c "$in_guest" "$examples" "$plugins/librte_net_nahanni.so" >"$work/guest.log" 2>&1
check "the guest ends well" $? "$work/guest.log"
for language in c c++; do
	said "plain $language" 'came back unchanged' 0
	told $? "guest without EAL, $language" "$work/try.log" "$work/host.log"
	said "pmd $language" 'came back unchanged' 0
	told $? "guest with the driver, $language" "$work/try.log" "$work/host.log"
done
said held 'vfio-pci' 1
told $? "guest_plain says who holds the device" "$work/try.log"
said plugin 'usage: host_dpdk' 2
check "EAL loads the driver from its plugin folder by itself" $? "$work/try.log"
kill -TERM $host_pid
wait $host_pid && grep -q '^600 messages sent back' "$work/host.log"
told $? "host_dpdk served four guests" "$work/host.log"
finish
