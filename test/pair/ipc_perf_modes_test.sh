#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Every mode of ipc-perf over every way, and over ports of another driver: both
# ends count every message and check every byte.
#
# usage: ipc_perf_modes_test.sh BUILD_FOLDER
set -u
# shellcheck source=test/pair/ipc_perf_rig.sh
. "$(dirname "$0")/ipc_perf_rig.sh"

# mode VIA MODE OPTIONS... -- EXPRESSIONS...
mode()
{
	local via=$1 mode=$2 options=()
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	steadily mode_once "$@"
	check "$via, $mode ${options[*]}" $? "$work/near.log" "$work/pong.log"
}

# shellcheck disable=SC2317	# steadily calls it
mode_once()
{
	pong "$via"
	timeout 120 "$perf" -l 0 -- --mode "$mode" --via "$via" --link "role=guest,path=$work/memory" \
		--json "$work/out.json" "${options[@]}" >"$work/near.log" 2>&1 &&
		wait "$pong" && report 'run["met"]' 'clean(run)' "$@"
}

steady='run["outcome"] in ("complete", "unsteady limit")'
all='run["samples"] == 20000 or run["outcome"] == "unsteady limit"'

modes()	# VIA SIZE LARGE
{
	mode "$1" ping --size "$2" --samples 20k -- "$all" 'run["there_ns"]["n"] > 0' \
		'run["offset"]["begin"]["error_ns"] > 0' 'run["floor_ns"]["n"] > 0' 'run["far_floor_ns"]["n"] > 0' \
		'run["limit_ns"]["n"] > 0' 'run["far"]["core"] is not None'
	mode "$1" paced --size "$2" --rate 20k --samples 20k -- "$steady" 'run["latency_ns"]["n"] == run["messages"]' \
		'run["loop"] == "open"'
	mode "$1" flood --size "$2" --burst 32 --samples 200k -- "$steady" 'run["latency_ns"] is None' \
		'run["rate"]["messages_per_s"] > 0' 'run["counts"]["far"]["bulk"] >= run["messages"]'
	mode "$1" flood --size "$3" --burst 8 --samples 20k -- "$steady" 'run["counts"]["far"]["bulk"] >= run["messages"]'
	mode "$1" duplex --size "$2" --burst 32 --samples 200k -- "$steady" 'run["rate"]["back_messages_per_s"] > 0' \
		'run["counts"]["near"]["bulk"] >= run["messages"]'
	mode "$1" rpc --size "$2" --reply-size "$3" --depth 8 --samples 20k -- "$all"
	mode "$1" idle-wake --size "$2" --idle 20us --wait sleep --samples 2k -- "$steady"
	mode "$1" workload --size "$2" --work 20us --samples 2k -- "$steady" 'run["far_work_ns"]["n"] > 0'
	mode "$1" ping --sweep "size=$2,$3" --samples 5k -- 'len(runs) == 2' 'runs[0]["sweep"]["over"] == "size"'
	mode "$1" paced --sweep rate=5k,20k --duration 1s -- 'len(runs) == 2' 'runs[1]["rate"]["asked"] == 20000'
	mode "$1" flood --sweep burst=1,32 --duration 500ms -- 'len(runs) == 2'
}

modes channel 60 1500
modes msg 48 5000
modes ethdev 64 1500
for size in 8 16; do mode channel ping --size $size --samples 5k -- "$steady"; done
mode msg ping --size 1M --samples 200 -- "$steady"
mode channel mixed --size 60 --bulk-size 1024 --burst 8 --samples 20k -- "$all" \
	'run["extra_ns"]["n"] == run["samples"]' 'run["counts"]["far"]["bulk"] > 0'
mode msg mixed --size 48 --bulk-size 64K --burst 8 --samples 20k -- "$all" 'run["counts"]["far"]["bulk"] > 0'

# Two ports of DPDK's own memif driver: the same code, another driver. The limit's
# words are in a file of their own.
port()	# NAME MODE OPTIONS... -- EXPRESSIONS...
{
	local mode=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	steadily port_once "$@"
	check "memif, $mode ${options[*]}" $? "$work/near.log" "$work/pong.log"
}

# shellcheck disable=SC2317	# steadily calls it
port_once()
{
	rm -f "$work/memif" "$work/limit" "$work/out.json"
	"$perf" -l "$other_core" --no-huge -m 128 --no-pci --file-prefix "far$$" \
		--vdev "net_memif0,role=server,socket-abstract=no,socket=$work/memif" \
		-- --mode pong --link "port=net_memif0,limit=$work/limit" >"$work/pong.log" 2>&1 &
	pong=$!
	wait_for test -S "$work/memif"
	timeout 120 "$perf" -l 0 --no-huge -m 128 --no-pci --file-prefix "near$$" \
		--vdev "net_memif0,role=client,socket-abstract=no,socket=$work/memif" \
		-- --mode "$mode" --link "port=net_memif0,limit=$work/limit" --json "$work/out.json" \
		"${options[@]}" >"$work/near.log" 2>&1 &&
		wait "$pong" && report 'run["met"]' 'clean(run)' "$@"
}

port ping --size 64 --samples 20k -- "$all" 'run["limit_ns"]["n"] > 0' 'run["link"]["kind"] == "port"'
port paced --size 64 --rate 20k --samples 20k -- "$steady"
port flood --size 1500 --samples 50k -- "$steady"
port duplex --size 64 --samples 50k -- "$steady"
port rpc --size 64 --reply-size 512 --depth 4 --samples 20k -- "$all"
finish
