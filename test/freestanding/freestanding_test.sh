#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The core compiles without a C library, for each machine, and asks for memcpy and memset
# only: no header but the compiler's own is in reach, and the undefined symbols of all of it,
# linked into one, are read. Nor has it memory of its own.
#
# usage: freestanding_test.sh SOURCES...
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
root=$(cd "$here/../.." && pwd) || exit 1
core=(lib/wire lib/channel lib/link lib/msg)
warnings=(-Wall -Wextra -Wshadow -Wconversion -Werror)
compilers=(gcc clang aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc riscv64-unknown-elf-gcc)
sources=()
for file in "$@"; do sources+=("$(realpath "$file")"); done

work=$(mktemp -d) || skip "no folder for temporary files"
on_exit "rm -rf '$work'"

# What makes text needs snprintf; nothing else is left out.
test_sources()
{
	local file found
	found=$(for folder in "${core[@]}"; do
		for file in "$root/$folder"/*.c; do
			[ ! -f "$file" ] || [[ " ${sources[*]} " == *" $file "* ]] || echo "${file#"$root/"}"
		done
	done)
	[ "$found" = lib/link/link_text.c ]
	check "all of ${core[*]} is core, but ${found//$'\n'/ }" $?
}

# The machine's own options; no header is found but those that come with the compiler.
options_of()	# COMPILER
{
	options=(-std=c11 -O2 -ffreestanding -nostdlib -nostdinc)
	case $1 in
	clang) options+=(-isystem "$(clang -print-resource-dir)/include") ;;
	*) options+=(-isystem "$("$1" -print-file-name=include)") ;;
	esac
	for folder in "${core[@]}"; do options+=("-I$root/$folder"); done
}

compile()	# COMPILER OPTIONS...: $work/core.o
{
	local file objects=()
	for file in "${sources[@]}"; do
		objects+=("$work/$(basename "$file" .c).o")
		"$@" "${options[@]}" "${warnings[@]}" -c "$file" -o "${objects[-1]}" || return 1
	done
	"$@" -nostdlib -r "${objects[@]}" -o "$work/core.o"
}

test_core()	# COMPILER OPTIONS...
{
	local options=() nm undefined own text
	options_of "$1"
	compile "$@" >"$work/log" 2>&1
	check "$*: the core compiles" $? "$work/log" || return
	nm=$("$1" -print-prog-name=nm)
	undefined=$("$nm" -u "$work/core.o" | awk '{ print $2 }' | sort | tr '\n' ' ')
	text=$(size "$work/core.o" | awk 'NR == 2 { print $1 }')
	[ "$undefined" = "memcpy memset " ]
	check "$*: $text bytes, undefined: $undefined" $?
	own=$("$nm" "$work/core.o" | grep -i ' [bdc] ')
	[ -z "$own" ]
	check "$*: no memory of its own $own" $?
}

test_headers()	# COMPILER
{
	local options=() header
	options_of "$1"
	for folder in "${core[@]}"; do
		for header in "$root/$folder"/nhn_*.h; do
			[ ! -f "$header" ] || "$1" "${options[@]}" "${warnings[@]}" -include "$header" -fsyntax-only -x c /dev/null ||
				echo "$header"
		done
	done >"$work/log" 2>&1
	[ ! -s "$work/log" ]
	check "$1: each header compiles alone" $? "$work/log"
}

for compiler in "${compilers[@]}"; do
	command -v "$compiler" >/dev/null || skip "$compiler is missing: run devtools/setup"
done
test_sources
for compiler in "${compilers[@]}"; do
	test_core "$compiler"
	test_headers "$compiler"
done
# As a kernel is compiled, which keeps no vector registers; and with moves for small copies.
for compiler in gcc clang aarch64-linux-gnu-gcc; do
	test_core $compiler -mgeneral-regs-only
done
test_core riscv64-unknown-elf-gcc -march=rv64ima_zicsr_zifencei -mabi=lp64
for compiler in gcc clang aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc; do
	test_core $compiler -Dmemcpy=__builtin_memcpy -Dmemset=__builtin_memset
done
finish
