#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Is the model in step with the code? Looks for each name of the table in
# link.pml's head both in the file of lib/ on its right and in the model, for
# each row, state and handshake word of the code in that table, and compares
# the words that the code stores with release. It finds what was renamed, added
# or removed; that a step still does the same is for a reader of the change.
#   in_step.sh [LIB]    LIB: another lib/ to compare with
set -u
cd "$(dirname "$0")" || exit 1
lib=${1:-../../lib}
breaches=0

breach()
{
	echo "in_step.sh: $*" >&2
	breaches=$((breaches + 1))
}

# Lines "FILE NAME" out of the table: " *   name name ...   lib/FILE"
table()
{
	local file line name
	sed -n 's/^ \*   \(.*[A-Za-z]\)[[:space:]]\{1,\}lib\/\([a-z/_]*\.[ch]\)$/\2 \1/p' link.pml |
		while read -r file line; do
			for name in $line; do echo "$file $name"; done
		done
}

model=$(grep -hv '^ \*   .*lib/' ./*.pml)
names=$(table)
[ "$(wc -l <<<"$names")" -gt 50 ] || breach "the table in link.pml's head was not found"

while read -r file name; do
	grep -qw -- "$name" "$lib/$file" ||
		breach "link.pml names $name of lib/$file, which is not there: rename it in the model, and see whether its step changed"
	grep -qiw -- "$name" <<<"$model" ||
		breach "link.pml's head names $name, but the model does not have it: take it out, or model it"
done <<<"$names"

# known KIND NAMES...: what the code has, the table must name
known()
{
	local kind=$1 name
	shift
	[ $# != 0 ] || breach "no $kind was found in lib/: mend this script"
	for name in "$@"; do
		grep -qw -- "$name" <<<"$names" ||
			breach "the code has the $kind $name, which the model does not know: model it and name it in link.pml's head"
	done
}

# shellcheck disable=SC2046	# one word a name
{
	known row $(grep -owE 'ROW_[TR]X_[A-Z]+' "$lib/link/link.c" | sort -u)
	known state $(sed -n '/^enum nhn_[tr]x_state {/,/^}/p' "$lib/link/nhn_link.h" | grep -owE 'NHN_[TR]X_[A-Z_]+' | sort -u)
	known word $(sed -n '/^struct nhn_control {/,/^}/s/^\tuint32_t \([a-z]*\);.*/\1/p' "$lib/wire/nhn_wire.h")
	known word $(sed -n '/^struct nhn_cursor {/,/^}/s/^\tuint32_t \([a-z]*\);.*/\1/p' "$lib/wire/nhn_wire.h")
}

# " *   FILE: words" of the head: what that file stores with release, in order
while read -r file words; do
	found=$(grep -oE 'nhn_store_(release|words)\([^,]*' "$lib/${file%:}" | sed 's/.*[(>&]//; s/.*tx$/commit_word/' | xargs)
	[ "$found" = "$words" ] ||
		breach "lib/${file%:} stores with release: $found; link.pml's head has: $words"
done < <(sed -n 's/^ \*   \([a-z/_]*\.[ch]: .*\)/\1/p' link.pml)

[ $breaches = 0 ] || { echo "in_step.sh: $breaches breaches" >&2; exit 1; }
echo "in_step.sh: $(wc -l <<<"$names") names of lib/ are in the model"
