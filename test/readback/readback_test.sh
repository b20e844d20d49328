#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Readers that are not ours find in our .hlog what we wrote, and print our .hgrm.
#
# usage: readback_test.sh java|javascript WRITE_LOGS
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
work=$(mktemp -d) || exit 1
on_exit "rm -rf '$work'"
jar=/usr/share/java/hdrhistogram.jar
modules=$here/../../.cache/npm/node_modules

case $1 in
java)
	{ [ -r "$jar" ] && command -v java >/dev/null; } ||
		skip "no java or no $jar: run devtools/setup"
	reader=(java -cp "$jar" "$here/ReadBack.java") ;;
javascript)
	{ [ -d "$modules/hdr-histogram-js" ] && command -v node >/dev/null; } ||
		skip "no node or no $modules/hdr-histogram-js: run devtools/setup"
	reader=(node "$here/read_back.js" "$modules") ;;
*)
	echo "readback_test: no reader '$1'" >&2
	exit 2 ;;
esac

mkdir "$work/logs"
"$2" "$work/logs" >"$work/write" 2>&1
check "logs are written" $? "$work/write"
"${reader[@]}" "$work/logs" >"$work/read" 2>&1
status=$?
check "$(tail -n 1 "$work/read")" $status "$work/read"
finish
