#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Each library exports what its installed headers declare, no more and no less,
# under the version node of this version; the driver is installed where EAL loads
# plugins by itself.
#
# usage: symbols_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
work=$(mktemp -d) || exit 1
on_exit "rm -rf '$work'"

# declared INCLUDE_FOLDER HEADERS...: the functions and objects that they declare and do
# not define. gcc writes the functions; objects are few and stand on one line.
declared()
{
	local folder=$1 header
	shift
	for header in "$@"; do
		gcc -std=gnu11 -D_GNU_SOURCE -I"$folder" -x c -c "$folder/$header" -o "$work/object" \
			-aux-info "$work/prototypes" || return
		grep -F "/* $folder/$header:" "$work/prototypes" | grep -v '\*/ static' |
			sed -E 's/^[^(]*[ *]([A-Za-z0-9_]+) \(.*/\1/'
		sed -nE 's/^extern [^(]*[ *]([A-Za-z0-9_]+)(\[.*\])?;.*/\1/p' "$folder/$header"
	done | sort -u
}

# exported LIBRARY: with their versions, without the node's own name
exported()
{
	nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { print $3 }' | sort -u
}

# same_symbols NAME HEADERS...: and the soname; the driver's has no number
same_symbols()
{
	local name=$1 library=$libraries/$1.so
	shift
	[ "$name" != librte_net_nahanni ] || library=$driver
	declared "$include" "$@" | sed "s/\$/@@NAHANNI_$abi/" >"$work/declared"
	exported "$library" >"$work/exported"
	diff "$work/declared" "$work/exported" >"$work/diff" && [ -s "$work/exported" ]
	check "$name exports what its headers declare (< declared, > exported)" $? "$work/diff"
	[ "$name" != librte_net_nahanni ] || return 0
	[ "$(soname "$library")" = "$name.so.$abi" ]
	check "its soname has the version $abi" $?
}

soname()
{
	readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'
}

DESTDIR=$work/root meson install -C "$build" --no-rebuild >"$work/install.log" 2>&1
check "meson install" $? "$work/install.log"
[ "$failed" = 0 ] || finish
include=$(dirname "$(find "$work/root" -name nhn_wire.h)")
libraries=$(dirname "$(find "$work/root" -name libnahanni.so)")
abi=$(sed -n 's/^Version: \([0-9]*\.[0-9]*\).*/\1/p' "$libraries/pkgconfig/libnahanni.pc")
# Headers by their library; what no other one has is libnahanni's.
tools=(nhn_cause.h nhn_check.h nhn_clock.h nhn_floor.h nhn_hgrm.h nhn_histogram.h nhn_hlog.h nhn_interrupts.h nhn_percentiles.h nhn_place.h nhn_topo.h)
worker=(nhn_worker.h)
mapfile -t core < <(cd "$include" && printf '%s\n' nhn_*.h |
	grep -vxF "$(printf '%s\n' "${tools[@]}" "${worker[@]}")")

same_symbols libnahanni "${core[@]}"
same_symbols libnahanni-tools "${tools[@]}"
[ ! -e "$libraries/libnahanni-worker.so" ] || same_symbols libnahanni-worker "${worker[@]}"

driver=$(find "$work/root" -type f -name librte_net_nahanni.so)
if [ -e "$build/drivers/librte_net_nahanni.so" ]; then
	same_symbols librte_net_nahanni rte_pmd_nahanni.h
	plugins=$(pkg-config --variable=plugindir "$libraries/pkgconfig/librte_net_nahanni.pc")
	# shellcheck disable=SC2046	# compiler options
	default=$(echo RTE_EAL_PMD_PATH | gcc $(pkg-config --cflags libdpdk) -E -P -include rte_build_config.h - | tail -n 1 | tr -d '"')
	[ "$driver" = "$work/root$plugins/librte_net_nahanni.so" ] &&
		{ [ "$plugins" = "$default" ] || meson introspect --buildoptions "$build" |
			grep -q '"dpdk_plugin_dir", "value": "[^"]'; }
	check "the driver lies in EAL's plugin folder, $plugins" $?
	[ "$(readlink "$libraries/librte_net_nahanni.so")" = "$plugins/librte_net_nahanni.so" ]
	check "the linker's name leads there" $?
fi
finish
