#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# nahanni-check --apply and --undo on a real kernel, in a guest of two CPUs: the kernel's
# values before, after --apply for CPU 1, and after --undo, which must be those before.
#
# usage: apply_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
program=$build/app/nahanni-check
[ -x "$program" ] || skip "no nahanni-check was built"
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"

# In the guest, given the program's path. Each look is of all that was planned and of all
# affinities, whether planned or not.
# shellcheck disable=SC2016	# the guest's shell expands
in_guest='
mkdir -p /run
program=$0
look()
{
	for path in $planned /proc/irq/default_smp_affinity /proc/irq/*/smp_affinity_list \
		/sys/devices/virtual/workqueue/cpumask /proc/sys/kernel/sched_rt_runtime_us; do
		[ ! -e "$path" ] || echo "$path: $(cat "$path")"
	done
}
"$program" --apply --dry-run --cores 1 --sample-ms 200 >plan.txt
echo "dry-run $?" >status.txt
planned=$(sed -n "s/^would  *[^ ]*  *\([^ ]*\): .*/\1/p" plan.txt)
look >before.txt
"$program" --apply --json --cores 1 --sample-ms 200 >applied.json
echo "apply $?" >>status.txt
look >applied.txt
ls -ln /run/nahanni-check/applied.json >state.txt
"$program" --apply --cores 1 2>again.txt
echo "again $?" >>status.txt
"$program" --undo >undone.txt
echo "undo $?" >>status.txt
look >after.txt
[ ! -e /run/nahanni-check ]
echo "removed $?" >>status.txt
'
names=(plan.txt status.txt before.txt applied.json applied.txt state.txt again.txt undone.txt after.txt)
gets=()
for name in "${names[@]}"; do gets+=(--get "/root/$name:$work/$name"); done

timeout 300 "$vm" --smp 2 --time-limit 240 --put "$program" "${gets[@]}" -- \
	sh -c "$in_guest" "$program" >"$work/guest.log" 2>&1
check "a guest of two CPUs applies and undoes" $? "$work/guest.log"
cat "$work/status.txt"
# What --apply said, against what the kernel then had; a value may be refused, never lost.
/usr/bin/python3 - "$work" >"$work/compared.txt" <<-'END'
	import json, sys

	def values(name):
	    with open(f"{sys.argv[1]}/{name}") as file:
	        return dict(line.rstrip("\n").split(": ", 1) for line in file if ": " in line)

	before, during, after = values("before.txt"), values("applied.txt"), values("after.txt")
	report = json.load(open(f"{sys.argv[1]}/applied.json"))
	changed = {path for path in before if before[path] != during[path]}
	told = {entry["path"] for entry in report["writes"] if entry["outcome"] == "set"}
	refused = {entry["path"]: entry["note"] for entry in report["writes"] if entry["outcome"] != "set"}
	print("changed", sorted(changed))
	print("refused", refused)
	print("differ after --undo", {path for path in before if before[path] != after.get(path)})
	wanted = {"/proc/irq/default_smp_affinity", "/proc/sys/kernel/sched_rt_runtime_us",
	          "/sys/devices/virtual/workqueue/cpumask"}
	sys.exit(not (changed == told and wanted <= told and before == after))
END
check "it changed what it says, and --undo restored each value" $? "$work/compared.txt" "$work/applied.json" "$work/undone.txt"
cat "$work/compared.txt"
refused=$(grep -c '"outcome": "failed"' "$work/applied.json")
grep -qx "apply $((refused > 0))" "$work/status.txt" && grep -qx 'dry-run 0' "$work/status.txt" &&
	grep -qx 'undo 0' "$work/status.txt"
check "the exit codes are those of what it says" $? "$work/status.txt"
grep -qx 'again 3' "$work/status.txt" && grep -q -- '--undo' "$work/again.txt"
check "a second --apply is refused" $? "$work/status.txt" "$work/again.txt"
grep -q '^-rw------- .* 0 .* 0 ' "$work/state.txt" && grep -qx 'removed 0' "$work/status.txt"
check "the state was root's own, and is gone" $? "$work/state.txt" "$work/status.txt"
finish
