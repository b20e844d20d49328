# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests of ipc-perf share: the program, a folder, the far end. Sourced with BUILD_FOLDER.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
perf=$build/app/ipc-perf
other_core=$(($(nproc) > 1))

work=$(mktemp -d /dev/shm/nahanni-ipc-perf-test.XXXXXX) || skip "/dev/shm is not writable"
on_exit "rm -rf '$work'"
# shellcheck disable=SC2016	# at the exit
on_exit 'kill $(jobs -p) 2>/dev/null; wait'

report()	# EXPRESSIONS...
{
	/usr/bin/python3 "$here/../shell/report.py" "$work/out.json" "$@"
}

# pong VIA: of a new link over a file
pong()
{
	rm -f "$work/memory" "$work"/out.*
	"$perf" -l "$other_core" -- --mode pong --via "$1" --link "role=host,path=$work/memory" >"$work/pong.log" 2>&1 &
	pong=$!
	wait_for test -s "$work/memory"
}

pong_end()
{
	kill "$pong" 2>/dev/null
	wait "$pong" 2>/dev/null
}

# steadily COMMAND...: run ipc-perf, and twice more where a run kept no round because the limit
# moved in each, and did nothing wrong: that is the machine's doing. Paced rounds last a second, so
# a run has few.
steadily()
{
	local status
	for _ in 1 2 3; do
		rm -f "$work/out.json"
		"$@"
		status=$?
		pong_end
		[ $status != 0 ] && report 'all(clean(r) for r in runs)' \
			'any(r["outcome"] == "unsteady limit" and r["rounds"]["kept"] == 0 for r in runs)' \
			>"$work/unsteady.log" 2>&1 || return $status
	done
	return $status
}
