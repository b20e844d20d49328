#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# nahanni-check as a user has it: exit codes, the table, JSON, links, wrong options by the
# word that is wrong, and that it writes nothing. What each check says is the unit tests'.
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

finish
