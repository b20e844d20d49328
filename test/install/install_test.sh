#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The installed package: what its pkg-config files say, that the examples are made of
# it and of nothing in the source tree, and that they run, in C and in C++ together.
#
# usage: install_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/install/package.sh
. "$here/package.sh"
work=$(mktemp -d /dev/shm/nahanni-install.XXXXXX) || exit 1
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'
other_core=$(($(nproc) > 1))
eal=(--no-pci --no-huge -m 64 --no-telemetry)

test_pkg_config()
{
	local libs
	libs=$(pkg-config --libs libnahanni libnahanni-tools)
	[[ $libs == *-lnahanni* && $libs == *-lnahanni-tools* && $libs != *rte_* ]]
	check "libnahanni.pc names no DPDK: $libs" $?
	[ "$(pkg-config --cflags libnahanni)" = "-I$prefix/include/nahanni " ] ||
		[ "$(pkg-config --cflags libnahanni)" = "-I$prefix/include/nahanni" ]
	check "its headers are named as <nhn_link.h>" $?
	ldd "$examples/c/guest_plain" >"$work/ldd"
	grep -q "libnahanni.so[.0-9]* => $prefix/" "$work/ldd" && ! grep -q rte_ "$work/ldd"
	check "guest_plain loads the installed library, and none of DPDK" $? "$work/ldd"
	[ -e "$plugins" ] || return 0
	[ "$(pkg-config --print-requires librte_net_nahanni | sort | xargs)" = "libdpdk libnahanni" ]
	check "librte_net_nahanni.pc requires libdpdk and libnahanni" $?
	[ "$(pkg-config --variable=plugindir librte_net_nahanni)" = "$plugins" ]
	check "and names the plugin folder" $?
}

# What the compiler read, from its own list.
test_nothing_of_the_source()
{
	local language
	for language in c c++; do
		cat "$examples/$language"/*.d | tr -s ' \\\n' '\n' | grep '^/' | xargs realpath | sort -u >"$work/read"
		grep "^$source_root/" "$work/read" | grep -v "^$(realpath "$prefix")/" >"$work/ours"
		[ ! -s "$work/ours" ] && grep -q "^$(realpath "$prefix")/include/nahanni/nhn_msg.h" "$work/read"
		check "$language: none of the headers read is of the source tree" $? "$work/ours"
	done
}

# pair NAME SERVER CLIENT SAYS: two processes over a new file; the client's end is its verdict
pair()
{
	local name=$1 server status
	rm -f "$work/memory"
	timeout 60 taskset -c 0 "$2" "$work/memory" >"$work/server.log" 2>&1 &
	server=$!
	wait_for test -s "$work/memory"
	timeout 60 taskset -c "$other_core" "$3" "$work/memory" >"$work/client.log" 2>&1
	status=$?
	# pack_receiver ends by itself when it has all.
	[[ $status = 0 && $2 == *pack* ]] || kill -TERM $server
	wait $server && [ $status = 0 ] && cat "$work"/{server,client}.log | grep -q "$4"
	told $? "$name" "$work/client.log" "$work/server.log"
}

test_pairs()	# LANGUAGE LANGUAGE
{
	pair "$1 serves $2" "$examples/$1/rpc_server" "$examples/$2/rpc_client" '17 requests served'
	pair "$1 serves $2, calls at once" "$examples/$1/rpc_server" "$examples/$2/rpc_client_many" '10000 calls, 10000 right'
	pair "$1 receives packed from $2" "$examples/$1/pack_receiver" "$examples/$2/pack_sender" '1048576 readings received, 0 wrong'
}

host_start()	# LANGUAGE: host_dpdk, as $host_pid
{
	timeout 120 "$examples/$1/host_dpdk" "${eal[@]}" --file-prefix "nahanni-host-$$" --lcores 0@0,1@0 \
		-- "$work/memory" >"$work/host.log" 2>&1 &
	host_pid=$!
}

host_stop()
{
	kill -TERM "$host_pid"
	wait "$host_pid"
}

# shellcheck disable=SC2317	# wait_for calls it
drivers_mapped()	# PID COUNT
{
	[ "$(awk '/librte_net_nahanni/ { print $5 }' "/proc/$1/maps" | sort -u | wc -l)" = "$2" ]
}

guest_start()	# LANGUAGE PLUGIN: guest_pmd on the file, as $guest_pid, which waits for the host
{
	rm -f "$work/memory"
	truncate -s 16M "$work/memory"
	"$examples/$1/guest_pmd" "${eal[@]}" --file-prefix "nahanni-guest-$$" -l "$other_core" -d "$2" \
		--vdev "net_nahanni0,role=guest,path=$work/memory" >"$work/guest.log" 2>&1 &
	guest_pid=$!
}

# EAL loads the driver that the program is linked with: it must find it loaded.
test_one_driver()	# LANGUAGE
{
	guest_start "$1" "$plugins"
	wait_for drivers_mapped $guest_pid 1
	check "$1: EAL loads the folder of the driver that guest_pmd is linked with: one copy" $? "$work/guest.log"
	host_start "$1"
	wait $guest_pid
	told $? "$1: guest_pmd" "$work/guest.log" "$work/host.log"
	host_stop
	told $? "$1: host_dpdk" "$work/host.log"
}

# The check above sees a second copy when there is one.
test_copy_is_seen()
{
	mkdir -p "$place/copy"
	cp "$plugins/librte_net_nahanni.so" "$place/copy/"
	guest_start c "$place/copy"
	wait_for drivers_mapped $guest_pid 2
	check "a copy elsewhere would be a second driver" $? "$work/guest.log"
	kill $guest_pid
	wait $guest_pid 2>/dev/null
	rm -rf "$place/copy"
}

test_programs()
{
	env -i "$prefix/bin/ipc-perf" --help >"$work/perf.log" 2>&1
	check "the installed ipc-perf runs" $? "$work/perf.log"
	command -v dpdk-testpmd >/dev/null || return 0
	rm -f "$work/memory"
	timeout 60 dpdk-testpmd "${eal[@]}" --file-prefix "nahanni-pmd-$$" --lcores 0@0,1@0 -d "$plugins" \
		--vdev "net_nahanni0,role=host,path=$work/memory" -- --total-num-mbufs=2048 </dev/null >"$work/testpmd.log" 2>&1
	check "stock testpmd takes the driver from the installed folder" $? "$work/testpmd.log"
}

package_and_examples
test_pkg_config
test_nothing_of_the_source
test_pairs c c++
test_pairs c++ c
if [ -e "$plugins" ]; then
	test_programs
	test_one_driver c
	test_one_driver c++
	test_copy_is_seen
fi
finish
