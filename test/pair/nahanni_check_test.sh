#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# nahanni-check as a user has it: exit codes, the table, JSON, links, wrong options by the
# word that is wrong, that it writes nothing unless told to --apply, and that --undo takes
# that back. What each check says is the unit tests'.
#
# usage: nahanni_check_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
program=$build/app/nahanni-check
[ -x "$program" ] || skip "no nahanni-check was built"

work=$(mktemp -d /tmp/nahanni-check-test.XXXXXX) || exit 1
on_exit "rm -rf '$work'"
out=$work/out
err=$work/err
root=$work/root

# put NAME TEXT: a file of the fake machine
put()
{
	mkdir -p "$(dirname "$root/$1")"
	printf '%s\n' "$2" >"$root/$1"
}

# ends STATUS ARGUMENTS...: it ends so, within a user's patience
ends()
{
	local status=$1
	shift
	timeout 20 "$program" "$@" >"$out" 2>"$err"
	[ $? = "$status" ]
}

# wrong WORD ACCEPTED ARGUMENTS...: refused by a sentence with both
wrong()
{
	local word=$1 accepted=$2
	shift 2
	ends 2 "$@" && grep -qF -- "$word" "$err" && grep -qF -- "$accepted" "$err" && [ ! -s "$out" ]
	check "refused: $*" $? "$out" "$err"
}

# json PYTHON: true of what was written, as `report`
json()
{
	/usr/bin/python3 -c "
import json, sys
report = json.load(open('$out'))
checks = {entry['id']: entry for entry in report['checks']}
sys.exit(not ($1))"
}

put sys/devices/system/cpu/online 0-3
put sys/devices/system/cpu/isolated 2-3
put sys/kernel/mm/transparent_hugepage/enabled 'always madvise [never]'
put sys/kernel/mm/ksm/run 0
mkdir "$root/after"

ends 0 --root "$root" --only thp,ksm
check "all well: 0" $? "$out" "$err"
grep -q '^pass  thp ' "$out" && grep -q '^0 fail, 0 warn, 2 pass, 0 skip: ' "$out"
check "its table and verdict" $? "$out"
put sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
ends 0 --root "$root" --only thp,ksm && grep -q '^warn  thp ' "$out" && grep -q ' remedy  *echo never > ' "$out"
check "a warning: 0" $? "$out" "$err"
put sys/kernel/mm/transparent_hugepage/enabled '[always] madvise never'
ends 1 --root "$root" --only ksm,thp && [ "$(sed -n 3p "$out" | cut -c 1-9)" = "fail  thp" ]
check "a fail: 1, and it comes first" $? "$out" "$err"
ends 1 --json --root "$root" --only thp && json "[*checks] == ['thp'] and report['counts']['fail'] == 1 and
	checks['thp']['writes'] == [{'path': '/sys/kernel/mm/transparent_hugepage/enabled', 'value': 'never'}]"
check "--only, as JSON" $? "$out" "$err"
ends 0 --json --root "$root" --only cores && json "report['machine']['cores'] == '2-3' and
	report['machine']['cores_from'] == 'isolated' and checks['cores']['status'] == 'pass'"
check "the isolated cores are those in use" $? "$out" "$err"
ends 1 --root "$root" --only cores --cores 2,9 && grep -q '9 are not online' "$out"
check "cores that are not there" $? "$out" "$err"

# This machine, whatever it is.
timeout 20 "$program" --json >"$out" 2>"$err"
status=$?
"$program" --list >"$work/list"
json "report['schema'] == 'nahanni-check' and report['schema_version'] == 1 and
	[*checks] == [line.split()[0] for line in open('$work/list')] and
	all(set(entry) == {'id', 'title', 'status', 'found', 'wanted', 'why', 'remedy', 'writes', 'writes_more'}
		for entry in report['checks']) and
	all(entry['found'] and entry['wanted'] and entry['why'] for entry in report['checks']) and
	all(bool(entry['remedy']) == (entry['status'] in ('warn', 'fail')) for entry in report['checks']) and
	sum(report['counts'].values()) == len(checks) and
	(report['counts']['fail'] > 0) == ($status == 1)"
check "this machine, as JSON" $? "$out" "$err"
SECONDS=0
timeout 20 "$program" >"$out" 2>"$err"
[ $? = $status ] && [ $SECONDS -lt 10 ] && ! grep -q $'\033' "$out" && [ ! -s "$err" ]
check "this machine, as text without colours, in ten seconds" $? "$out" "$err"
if command -v script >/dev/null; then
	TERM=xterm timeout 20 script -qec "$program --root $root --only thp" "$out" >/dev/null </dev/null
	grep -q $'\033\[1;31mfail' "$out"
	check "colours on a terminal" $? "$out"
	NO_COLOR=1 TERM=xterm timeout 20 script -qec "$program --root $root --only thp" "$out" >/dev/null </dev/null
	! grep -q $'\033' "$out"
	check "but not with NO_COLOR" $? "$out"
fi
if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
	mkdir "$work/lib" && cp "$build"/lib/libnahanni*.so.[0-9]*[0-9] "$work/lib" && cp "$program" "$work" && chmod 755 "$work"
	LD_LIBRARY_PATH=$work/lib timeout 20 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$work/nahanni-check" --sample-ms 50 >"$out" 2>"$err"
	[ $? -le 1 ] && grep -q ' fail, ' "$out"
	check "as a user without rights" $? "$out" "$err"
fi
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	timeout 60 strace -f -o "$work/calls" -e trace=file,write "$program" --sample-ms 10 >"$out" 2>"$err"
	! grep -E 'O_(WRONLY|RDWR|CREAT)|^[0-9]+ +(write\(([03-9]|1[0-9])|unlink|rename|mkdir|chmod|chown|truncate)' "$work/calls"
	check "it opens nothing for writing" $? "$work/calls"
fi

# Links: files, and a device that a folder stands for.
file=dev/shm/link
mkdir -p "$root/dev/shm"
truncate -s 1M "$root/$file"
chmod 600 "$root/$file"
ends 0 --root "$root" --only file --link "role=host,path=/$file,size=1M,group=kvm" && grep -q '^pass  file' "$out"
check "--link as ipc-perf has it" $? "$out" "$err"
cp "$root/$file" "$root/$file.peer"
chmod 666 "$root/$file.peer"
ends 1 --root "$root" --only file --link "path=/$file,peer=/$file.peer" && grep -q 'chmod 600 /dev/shm/link.peer' "$out"
check "a peer that everybody may write" $? "$out" "$err"
bdf=0000:00:03.0
for value in vendor=0x1af4 device=0x1110 subsystem_vendor=0x1af4 subsystem_device=0x1100 enable=1; do
	put "sys/bus/pci/devices/$bdf/${value%=*}" "${value#*=}"
done
truncate -s 64K "$root/sys/bus/pci/devices/$bdf/resource2"
ends 0 --json --root "$root" --only bar --link pci=$bdf && json "checks['bar']['status'] in ('pass', 'warn') and
	'$bdf: ' in checks['bar']['found'] and ' ns a load' in checks['bar']['found']"
check "loads of a device are measured" $? "$out" "$err"
ends 0 --json --root "$root" --only bar --link pci=0000:00:04.0 && json "checks['bar']['status'] == 'skip' and
	'0000:00:04.0' in checks['bar']['found']"
check "a device that is not there is skipped, and why" $? "$out" "$err"

wrong "'nonsense'" "--list" --only thp,nonsense
wrong "''" "--list" --only ""
wrong "'3-'" "2-5,8" --cores 3- --root "$root"
wrong "'both'" "host or guest" --role both
wrong "'0'" "from 1 to 60000" --sample-ms 0
wrong "'1s'" "from 1 to 60000" --sample-ms 1s
wrong "'colour=red'" "path=FILE" --link colour=red
wrong "neither path nor pci" "pci=ADDRESS" --link role=host
wrong "both path and pci" "pci=ADDRESS" --link path=/a,pci=b
wrong "no value for path" "path=FILE" --link path=
wrong "path twice" "once" --link path=/a,path=/b
wrong "--jsom" "--json" --jsom
wrong "--json" "none" --json=yes
wrong "--root" "one" --root
wrong "'extra'" "options only" --json extra
wrong "--json is given twice" "once" --json --json
wrong "/nowhere" "proc and sys" --root /nowhere
options=()
for i in $(seq 33); do options+=(--link "path=/$i"); done
wrong "more than 32" "first" "${options[@]}"

ends 0 --help && grep -q '^EXIT STATUS' "$out" && ends 0 --version && grep -q '^nahanni-check [0-9]' "$out"
check "--help and --version" $? "$out"
undocumented=$(awk '{ print $1 }' "$work/list" | while read -r id; do
	grep -q "^\`\`$id\`\`" "$here/../../doc/guides/nahanni-check.rst" || echo "$id"
done)
[ -z "$undocumented" ]
check "the manual has each check $undocumented" $?
timeout 20 "$program" --root "$root" --only thp >/dev/full 2>"$err"
[ $? = 3 ] && grep -q 'cannot be written' "$err"
check "an output that cannot be written: 3" $? "$err"
timeout 20 "$program" --json --root "$root" --only thp >/dev/full 2>"$err"
[ $? = 3 ]
check "nor as JSON" $? "$err"

# --apply and --undo, on a tree that stands for a machine.
tree=$work/tree
state=$tree/run/nahanni-check/applied.json
thp=sys/kernel/mm/transparent_hugepage/enabled
ours=(--only "thp,ksm,timer_migration,stat_interval,rt-throttling,workqueues,irqs,irqaffinity" --cores 2-3)
would()	# the paths of writes that an --apply lists, done or not
{
	sed -n 's/^\(would\|set\) .* \(\/[^ ]*\): .*/\2/p' "$out" | sort
}
tree_new()
{
	rm -rf "$tree" && mkdir "$tree" && root=$tree
	put sys/devices/system/cpu/online 0-3
	put $thp 'always [madvise] never'
	put sys/kernel/mm/ksm/run 1
	put sys/devices/virtual/workqueue/cpumask 0000000f
	put proc/sys/kernel/timer_migration 1
	put proc/sys/kernel/sched_rt_runtime_us 950000
	put proc/sys/vm/stat_interval 1
	put proc/irq/default_smp_affinity f
	put proc/irq/7/smp_affinity_list 0-3
	put proc/interrupts "            CPU0       CPU1       CPU2       CPU3
   7:          1          0          0          0   IO-APIC   7-edge      disk"
	mkdir -p "$tree/after" "$tree/run"
	cp -r "$tree/proc" "$tree/after"
	rm -rf "$work/tree.before" && cp -a "$tree" "$work/tree.before"
}
# same: the tree is as it was, byte for byte, and nothing was left in it
same()
{
	diff -r "$work/tree.before" "$tree" >"$work/diff" && [ ! -e "$tree/run/nahanni-check" ]
}
holds()	# FILE TEXT
{
	[ "$(cat "$tree/$1")" = "$2" ]
}

tree_new
ends 0 --apply --dry-run --root "$tree" "${ours[@]}" && grep -q "^would .* /$thp: always \[madvise\] never -> never$" "$out" && same
check "--apply --dry-run says it and writes nothing" $? "$out" "$err" "$work/diff"
ends 0 --apply --json --root "$tree" "${ours[@]}" && /usr/bin/python3 - "$out" "$state" <<-'END'
	import json, sys
	report, state = (json.load(open(name)) for name in sys.argv[1:])
	keys = ("id", "path", "old", "new")
	done = [{key: entry[key] for key in keys} for entry in report["writes"]]
	by_path = {entry["path"]: entry for entry in done}
	sys.exit(not (report["schema"] == "nahanni-check-apply" and report["schema_version"] == 1 and
	    report["action"] == "apply" and not report["dry_run"] and report["state"] == sys.argv[2] and
	    all(entry["outcome"] == "set" for entry in report["writes"]) and len(done) == len(by_path) == 8 and
	    by_path["/proc/irq/7/smp_affinity_list"]["new"] == "0-1" and
	    by_path["/sys/kernel/mm/ksm/run"] == {"id": "ksm", "path": "/sys/kernel/mm/ksm/run", "old": "1\n", "new": "2"} and
	    "irqaffinity=0-1" in report["kernel_parameters"].split() and state["writes"] == done))
	END
check "--apply as JSON, and its state" $? "$out" "$err" "$state"
holds $thp never && holds proc/sys/kernel/sched_rt_runtime_us -1 && holds proc/irq/7/smp_affinity_list 0-1 &&
	holds sys/kernel/mm/ksm/run 2 && [ "$(stat -c %a "$state")" = 600 ]
check "the values are there, the state is 0600" $? "$state"
ends 3 --apply --root "$tree" "${ours[@]}" && grep -q 'there already.*--undo' "$err" && [ ! -s "$out" ]
check "a second --apply is refused" $? "$out" "$err"
ends 0 --undo --dry-run --root "$tree" && [ "$(grep -c '^would' "$out")" = 8 ] && holds $thp never && [ -e "$state" ]
check "--undo --dry-run says it and writes nothing" $? "$out" "$err"
ends 0 --undo --json --root "$tree" && [ "$(grep -c '"outcome": "restored"' "$out")" = 8 ] && same
check "--undo restores the tree byte for byte" $? "$out" "$err" "$work/diff"
ends 3 --undo --root "$tree" && grep -q 'no state' "$err"
check "a second --undo: no state" $? "$err"

ends 0 --apply --root "$tree" --state "$work/own.json" "${ours[@]}" && [ ! -e "$state" ] &&
	ends 0 --undo --root "$tree" --state "$work/own.json" && same && [ ! -e "$work/own.json" ]
check "--state names another file" $? "$out" "$err"

# What one switch hides of another: a dry run names all that --apply sets.
root=$tree put proc/sys/kernel/nmi_watchdog 1
root=$tree put proc/sys/kernel/soft_watchdog 1
root=$tree put sys/kernel/debug/sched/fair_server/cpu2/runtime 50000000
rm -rf "$work/tree.before" && cp -a "$tree" "$work/tree.before"
hidden=(--root "$tree" --only "nmi_watchdog,rt-throttling" --cores 2-3)
ends 0 --apply --dry-run "${hidden[@]}" && would >"$work/would" && [ "$(wc -l <"$work/would")" = 4 ] &&
	ends 0 --apply "${hidden[@]}" && would | diff "$work/would" - >"$work/diff" &&
	holds proc/sys/kernel/soft_watchdog 0
check "--apply --dry-run names what --apply sets" $? "$out" "$err" "$work/would"
ends 0 --undo --root "$tree" && same
check "and --undo restores it" $? "$out" "$err" "$work/diff"

# All cores are in use: interrupts cannot go elsewhere, and CPU 0 is not named for them.
busy=(--root "$tree" --only "irqs,irqaffinity" --cores 0-3)
ends 0 --apply "${busy[@]}" && grep -q '^by hand .* irqs .*leave a core' "$out" && grep -q '^by hand .* irqaffinity .*leave a core' "$out" &&
	! grep -qE '^(set|reboot)|irqaffinity=|echo' "$out" && same
check "with all cores in use no interrupt is moved, and none by hand" $? "$out" "$err" "$work/diff"
tree_new

# More writes than a result holds: it looks again for the rest.
for i in $(seq 100 170); do
	root=$tree put "proc/irq/$i/smp_affinity_list" 0-3
	echo " $i: 1 0 0 0 IO-APIC $i-edge disk" | tee -a "$tree/after/proc/interrupts" >>"$tree/proc/interrupts"
done
rm -rf "$work/tree.before" && cp -a "$tree" "$work/tree.before"
ends 0 --apply --root "$tree" "${ours[@]}" && [ "$(grep -lx 0-1 "$tree"/proc/irq/*/smp_affinity_list | wc -l)" = 72 ] &&
	[ ! -s "$err" ] && ends 0 --undo --root "$tree" && same
check "72 interrupts, which are more than a result holds" $? "$out" "$err" "$work/diff"
tree_new

# Another one's value is not ours to change; the rest is restored.
ends 0 --apply --root "$tree" "${ours[@]}"
root=$tree put proc/sys/vm/stat_interval 5
ends 1 --undo --root "$tree" && grep -q '^foreign .*stat_interval.*it has 5' "$out" && holds proc/sys/vm/stat_interval 5 &&
	holds proc/sys/kernel/timer_migration 1 && [ ! -e "$state" ]
check "a value that another one changed is left alone" $? "$out" "$err"
cp "$work/tree.before/proc/sys/vm/stat_interval" "$tree/proc/sys/vm"
same
check "and only that" $? "$work/diff"

# Told in the state, but not yet written.
ends 0 --apply --root "$tree" "${ours[@]}"
cp "$work/tree.before/$thp" "$tree/$thp"
ends 0 --undo --root "$tree" && grep -q '^as-before .*thp' "$out" && same
check "a write of the state that was not done" $? "$out" "$err" "$work/diff"
ends 0 --apply --root "$tree" "${ours[@]}"
rm "$tree/sys/kernel/mm/ksm/run"
ends 1 --undo --root "$tree" && grep -q '^gone .*ksm' "$out" && [ ! -e "$state" ]
check "a file that is gone" $? "$out" "$err"

# A real kill at each of its system calls that change something.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	tree_new
	killed=0
	lost=
	for call in write fsync renameat; do
		for when in 1 2 3 5 7 8 9 14 16; do
			# The shell's own "Killed" goes where the program's words go.
			{
				timeout 20 strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$when \
					"$program" --apply --root "$tree" "${ours[@]}" >"$out" || killed=$((killed + 1))
			} 2>"$err"
			timeout 20 "$program" --undo --root "$tree" >>"$out" 2>>"$err" || [ ! -e "$state" ] || lost+=" $call:$when"
			rm -rf "$tree/run/nahanni-check"
			same || { lost+=" $call:$when"; tree_new; }
		done
	done
	[ -z "$lost" ] && [ $killed -ge 15 ]
	check "killed $killed times at a call, and undone:${lost:- none lost}" $? "$work/diff" "$err"
fi

# States that are not this program's.
tree_new
refused_state()	# WORD NAME: neither takes it
{
	ends 3 --apply --root "$tree" "${ours[@]}" && grep -q "$1" "$err" && ends 3 --undo --root "$tree" && grep -q "$1" "$err"
	check "refused: $2" $? "$out" "$err"
	rm -rf "$tree/run/nahanni-check"
	same
	check "and nothing is written" $? "$work/diff"
	mkdir -m 700 "$tree/run/nahanni-check"
}
mkdir -m 700 "$tree/run/nahanni-check"
printf '{}' >"$work/victim"
ln -s "$work/victim" "$state"
refused_state 'symbolic link' "a state that is a symbolic link"
[ "$(cat "$work/victim")" = '{}' ]
check "what it points to is as it was" $?
ln -s "$work/nothing" "$state"
refused_state 'symbolic link' "one that points nowhere"
[ ! -e "$work/nothing" ]
check "which is not made" $?
printf '{}' >"$state"
chmod 644 "$state"
refused_state 'mode 644' "a state that others may read"
if [ "$(id -u)" = 0 ]; then
	printf '{}' >"$state"
	chmod 600 "$state"
	chown 65534 "$state"
	refused_state 'user 65534' "a state of another user"
fi
chmod 777 "$tree/run/nahanni-check"
refused_state 'mode 777' "a folder that everybody may write"
# bad_state WORD TEXT: --undo refuses it
bad_state()
{
	printf '%s' "$2" >"$state"
	chmod 600 "$state"
	ends 3 --undo --root "$tree" && grep -qF -- "$1" "$err" && rm "$state"
	check "no state: ${2//[$'\n\t']/ }" $? "$out" "$err"
}
bad_state 'no JSON' '{"schema": '
bad_state 'schema' '{"schema": "nahanni-check", "schema_version": 1, "writes": []}'
bad_state 'version 1' '{"schema": "nahanni-check-applied", "schema_version": 2, "writes": []}'
for path in /etc/passwd /proc/../etc/passwd; do
	bad_state 'write 0' '{"schema": "nahanni-check-applied", "schema_version": 1, "writes":
		[{"id": "x", "path": "'$path'", "old": "a", "new": "b"}]}'
done
rmdir "$tree/run/nahanni-check"

# Without rights to one of the files.
if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
	chown -R 65534 "$tree"
	chown 0 "$tree/$thp"
	as_nobody()
	{
		LD_LIBRARY_PATH=$work/lib timeout 20 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/nahanni-check" "$@" >"$out" 2>"$err"
	}
	as_nobody --apply --root "$tree" "${ours[@]}"
	[ $? = 1 ] && grep -q '^failed .*thp.*Permission denied' "$out" && [ "$(grep -c '^set ' "$out")" = 7 ] && ! grep -q thp "$state"
	check "a file that cannot be written: 1, the others are set" $? "$out" "$err"
	chown 0 "$tree/proc/sys/vm/stat_interval"
	as_nobody --undo --root "$tree"
	[ $? = 1 ] && grep -q '^failed .*stat_interval' "$out" && [ "$(grep -c '"path"' "$state")" = 1 ]
	check "what cannot be restored stays in the state" $? "$out" "$err"
	chown 65534 "$tree/proc/sys/vm/stat_interval"
	as_nobody --undo --root "$tree" && same
	check "and is restored later" $? "$out" "$err" "$work/diff"
fi
tree_new
timeout 20 "$program" --apply --root "$tree" "${ours[@]}" >/dev/full 2>"$err"
[ $? = 3 ] && [ -e "$state" ] && ends 0 --undo --root "$tree" && same
check "an output that is lost: 3, and it can be undone" $? "$out" "$err"
wrong "--apply and --undo" "one of them" --apply --undo
wrong "--dry-run is given alone" "--apply or --undo" --dry-run
wrong "--state is given alone" "--apply or --undo" --state x
wrong "--only is given with --undo" "--state" --undo --only thp
wrong "--cores is given with --undo" "--state" --undo --cores 1
ends 3 --apply --root "$tree" --state "$work/none/file" && grep -q 'none.*make it' "$err"
check "a state without a folder: 3" $? "$err"

finish
