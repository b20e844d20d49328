#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Open reports in headless Chromium: report_test.js has the checks.
#
# usage: report_test.sh WRITER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
modules=$here/../../.cache/npm/node_modules

for need in node chromium; do
	command -v $need >/dev/null || { echo "SKIP: no $need: run devtools/setup"; exit 77; }
done
[ -d "$modules/puppeteer-core" ] || { echo "SKIP: no puppeteer-core: run devtools/setup"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
NODE_PATH=$modules node "$here/report_test.js" "$1" "$work" "$(command -v chromium)"
