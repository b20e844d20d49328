#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Fuzz each target for 30 s, NHN_NIGHTLY=1 for 600 s, two at a time. Clang builds
# them here, whatever compiler built the rest: gcc has no libFuzzer.
#
# usage: test/fuzz/run.sh [--merge] FOLDER [TARGET...]
#   FOLDER   where programs, new inputs and those that broke a rule go
#   --merge  then take into test/fuzz/corpus the fewest inputs that reach every
#            edge that was reached
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1
seconds=30
[ -z "${NHN_NIGHTLY:-}" ] || seconds=600
merge=
broken=0
running=()

# An input's most bytes: the whole of a header; a block of a control block and steps; ...
declare -A longest=([header]=1100 [attach]=4500 [cells]=1024 [messages]=1024 [devargs]=256)

skip()
{
	echo "fuzz: SKIP: $*"
	exit 77
}

flags=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -g -O2 -I"$here"
	"-fsanitize=fuzzer,address,undefined" -fno-sanitize-recover=all)
for folder in wire channel link msg region; do flags+=(-I"$root/lib/$folder"); done

build()	# TARGET
{
	local sources=("$root"/lib/{wire,channel,link,msg}/*.c) dpdk=()
	if [ "$1" = devargs ]; then
		sources=("$root"/drivers/net/nahanni/nahanni_args.c "$root"/lib/region/region_rights.c)
		read -ra dpdk <<<"$(pkg-config --cflags libdpdk | sed 's/-I/-isystem/g')"
		dpdk+=(-I"$root/drivers/net/nahanni" -lrte_kvargs -lrte_pci -lrte_eal)
	fi
	clang "${flags[@]}" "$here/fuzz_$1.c" "${sources[@]}" "${dpdk[@]}" -o "$folder/fuzz_$1"
}

fuzz()	# TARGET: in the background, becomes the fuzzer
{
	# An endless loop is found late rather than a machine that stood still taken for one.
	local options=(-timeout=120 -len_control=0 -print_final_stats=1 "-max_len=${longest[$1]}"
		"-max_total_time=$seconds" "-artifact_prefix=$folder/$1-")
	[ ! -f "$here/$1.dict" ] || options+=("-dict=$here/$1.dict")
	mkdir -p "$folder/new/$1"
	exec "$folder/fuzz_$1" "${options[@]}" "$folder/new/$1" "$here/corpus/$1" >"$folder/$1.log" 2>&1
}

word()	# TARGET PATTERN: the last word of its kind in a log
{
	grep -oE "$2" "$folder/$1.log" | tail -n 1 | grep -oE '[0-9]+' | head -n 1
}

told()	# TARGET STATUS
{
	local input
	if [ "$2" = 0 ]; then
		printf 'fuzz: %-8s %9s runs in %s s, %4s edges, %5s features, %4s inputs in corpus\n' "$1" \
			"$(word "$1" 'number_of_executed_units: [0-9]+')" "$seconds" "$(word "$1" 'cov: [0-9]+')" \
			"$(word "$1" 'ft: [0-9]+')" "$(word "$1" 'corp: [0-9]+')"
		return
	fi
	broken=$((broken + 1))
	input=$(sed -n 's/.*Test unit written to //p' "$folder/$1.log")
	grep -E 'broken by this input|ERROR: |runtime error|SUMMARY|^ +#[0-9] ' "$folder/$1.log" | head -n 20
	echo "fuzz: $1 FAILED, log: $folder/$1.log"
	[ -z "$input" ] || echo "fuzz: replay it: $folder/fuzz_$1 $input"
}

pair()	# TARGETS
{
	local target
	for target in "$@"; do
		fuzz "$target" &
		running+=($!)
	done
	for target in "$@"; do
		wait "${running[0]}"
		told "$target" $?
		running=("${running[@]:1}")
	done
}

# Edges only, not how often: a few files that a review can hold. What was written
# by hand, seed-*, stays.
merge()	# TARGET
{
	rm -rf "$folder/merged" && mkdir "$folder/merged"
	cp "$here/corpus/$1"/seed-* "$folder/merged"
	"$folder/fuzz_$1" -set_cover_merge=1 -use_counters=0 "-max_len=${longest[$1]}" "$folder/merged" "$here/corpus/$1" \
		"$folder/new/$1" >"$folder/$1.merge.log" 2>&1 || exit 1
	rm -rf "$here/corpus/$1"
	mv "$folder/merged" "$here/corpus/$1"
}

[ "${1:-}" != --merge ] || { merge=1; shift; }
[ $# -ge 1 ] || { sed -n '6,9s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1" && folder=$(cd "$1" && pwd) || exit 1
shift
targets=("$@")
[ $# -gt 0 ] || targets=(header attach cells messages devargs)
command -v clang >/dev/null || skip "clang is missing: run devtools/setup"
if ! pkg-config --exists libdpdk; then
	echo "fuzz: devargs is left out: libdpdk is missing: run devtools/setup"
	mapfile -t targets < <(printf '%s\n' "${targets[@]}" | grep -v devargs)
fi

for target in "${targets[@]}"; do
	build "$target" || { echo "fuzz: fuzz_$target does not build" >&2; exit 1; }
done
trap '[ ${#running[@]} = 0 ] || kill "${running[@]}" 2>/dev/null; wait' EXIT
trap 'exit 130' INT TERM HUP
for ((first = 0; first < ${#targets[@]}; first += 2)); do
	pair "${targets[@]:first:2}"
done
[ "$broken" = 0 ] || exit 1
for target in ${merge:+"${targets[@]}"}; do merge "$target"; done
