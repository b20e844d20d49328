#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# That devtools/check finds foreign memory used as an object, also behind a file whose
# library is missing, and says so where sparse is: on a tree of three files.
#
# usage: foreign_check_test.sh SOURCE_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
root=$(cd "$1" && pwd) || exit 1
for program in sparse git clang-format shellcheck; do
	command -v $program >/dev/null || skip "$program is missing: run devtools/setup"
done

work=$(mktemp -d /tmp/nahanni-foreign-check-test.XXXXXX) || exit 1
on_exit "rm -rf '$work'"
tree=$work/tree
said=$work/said
code=$tree/benchmarks/micro
mkdir -p "$tree/lib" "$tree/devtools" "$code"
cp -r "$root/lib/wire" "$tree/lib"
cp "$root/devtools/check" "$tree/devtools"
cp "$root/.clang-format" "$tree"
git -C "$tree" init -q || skip "git makes no repository here"

# uses EXPRESSION: a file that has it as the value of foreign memory
uses()
{
	printf '%s\n' '/* SPDX-License-Identifier: BSD-3-Clause */' '#include <nhn_foreign.h>' '' \
		'uint32_t use(const uint32_t NHN_FOREIGN *word);' '' 'uint32_t' \
		'use(const uint32_t NHN_FOREIGN *word)' '{' "	return $1;" '}' >"$code/use.c"
}
# told TEXT: the check says so, within a user's patience
told()
{
	timeout 120 "$tree/devtools/check" >"$said" 2>&1
	grep -q -- "$1" "$said"
}

printf '%s\n' '/* SPDX-License-Identifier: BSD-3-Clause */' '#include <nng/none.h>' >"$code/lacks.c"
uses 'nhn_foreign_acquire(word)'
told 'all hold$'
check "a good file behind one whose library is missing" $? "$said"
uses '*word'
told 'micro/use.c:9:.* dereference of noderef expression'
check "a bad one there is found" $? "$said"

mkdir "$work/bin"
cp -s /usr/bin/* "$work/bin" 2>/dev/null
rm -f "$work/bin/sparse"
PATH=$work/bin told 'sparse is missing: run devtools/setup'
check "and a missing sparse is" $? "$said"

finish
