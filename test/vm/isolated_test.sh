#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An isolated core of a guest is left alone: while ipc-perf polls on it, no interrupt comes
# to it, and nahanni-check's verdicts are what is true there. Kernels with and without
# PREEMPT_RT, each with the parameters and without.
#
# usage: isolated_test.sh BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=test/shell/checks.sh
. "$here/../shell/checks.sh"
build=$(cd "$1" && pwd) || exit 1
# shellcheck source=test/vm/rig.sh
. "$here/rig.sh"
judge=$build/app/nahanni-check
[ -x "$judge" ] || skip "this build has no nahanni-check"
parameters='isolcpus=managed_irq,domain,1 nohz_full=1 rcu_nocbs=1 tsc=reliable'
ping_pid=
layout_take joint

# Runs in the guest, on CPU 0 while ipc-perf polls on CPU 1.
cat >"$work/measure" <<'END_OF_GUEST'
perf=$1
judge=$2

fact()
{
	echo "$1: $(cat 2>/dev/null)" >>/root/facts
}

interrupts()
{
	cat /proc/interrupts
	sed -n 's/^nonvoluntary_ctxt_switches:/switches: 0/p' "/proc/$pong/status"
}

# What is true, wherever it can be from other files than those that the verdicts come from.
awk '/Cpus_allowed_list/ { print $2 }' /proc/self/status | fact "CPUs of a new process"
dmesg | sed -n 's/.*NO_HZ: Full dynticks CPUs: \(.*\)\./\1/p' | fact "CPUs without tick"
dmesg | sed -n 's/.*Offload RCU callbacks from CPUs: \(.*\)\./\1/p' | fact "CPUs without callbacks"
uname -v | fact kernel
grep -c constant_tsc /proc/cpuinfo | fact "constant_tsc"
cd /proc/sys/kernel || exit
fact "throttling" <sched_rt_runtime_us
fact "timer_migration" <timer_migration
fact "nmi_watchdog" <nmi_watchdog
fact "soft_watchdog" <soft_watchdog
fact "CPUs of watchdogs" <watchdog_cpumask
cd /sys/devices/virtual/workqueue || exit
fact "mask of work" <cpumask
fact "mask of writeback" <writeback/cpumask
fact "mask of interrupts" </proc/irq/default_smp_affinity
fact "stat_interval" </proc/sys/vm/stat_interval
# Not in a kernel with PREEMPT_RT.
{ cat /sys/kernel/mm/transparent_hugepage/enabled || echo none; } 2>/dev/null | fact "huge pages"
fact "clock" </sys/devices/system/clocksource/clocksource0/current_clocksource
fact "mce" </sys/devices/system/machinecheck/machinecheck1/check_interval
cd /root || exit
"$judge" --json --cores 1 --sample-ms 300 >still.json

"$perf" -l 1 -- --mode pong --link "pci=$NHN_BDF" >pong.log 2>&1 &
pong=$!
until grep -q 'link is up' pong.log 2>/dev/null; do
	[ -d "/proc/$pong" ] || break
	sleep 0.2
done
# What ipc-perf's start gave the kernel to do on its core is done in the next seconds.
sleep 2.5
for attempt in 1 2 3; do
	log=$(wc -l <pong.log)
	interrupts >before
	from=$(cut -d ' ' -f 1 /proc/uptime)
	sleep 4
	interrupts >after
	to=$(cut -d ' ' -f 1 /proc/uptime)
	# A host too busy for its end of the link makes the far end say so, which takes the kernel.
	[ "$log" = "$(wc -l <pong.log)" ] && break
done
echo "$attempt" | fact "attempts"
awk "BEGIN { print $to - $from }" </dev/null | fact "seconds"
"$judge" --json --cores 1 --only local-interrupts,switches,kernel-threads >polling.json
echo "measured"
# For the places where it is found, should it hang.
grep -E 'r-xp.*(ipc-perf|nahanni|librte_eal|libc\.so)' "/proc/$pong/maps"
# Tells a guest that stands still from a far end that waits, and a far end that said nothing
# from one that had said too much: a link tells 32 events at once and one a second.
while sleep 5; do
	echo "up $(cut -d ' ' -f 1 /proc/uptime) s; far end, state and ticks: $(cut -d ' ' -f 3,14,15 "/proc/$pong/stat"), system call: $(cat "/proc/$pong/syscall"), lines said: $(wc -l <pong.log)"
	tail -n 2 pong.log
done &
watch=$!
# The host ends it.
wait $pong
status=$?
kill $watch
cat pong.log
exit $status
END_OF_GUEST

# measure FLAVOUR PARAMETERS: facts, before, after, still.json, polling.json in $work. Once
# more where not all was seen, or the near end did not last until then; their words are shown.
measure()
{
	measure_once "$@" && return
	echo "the guest did not measure in time, or the near end ended by itself, once more:"
	load_average
	tail -n 15 "$work/host.log" "$work/guest.log"
	guest_kill
	measure_once "$@" || guest_kill
}

measure_once()
{
	local lasted status
	memory_new
	# The last guest's words too: what is started below empties its log only when it runs.
	rm -f "$work"/{facts,before,after,out.json,guest.log,host.log}
	local options=(--smp 2 --append "$2") file
	[ "$1" = standard ] || options+=(--rt)
	for file in facts before after still.json polling.json; do
		options+=(--get "/root/$file:$work/$file")
	done
	guest_start "$work/guest.log" --time-limit 160 --monitor "$work/monitor" "${options[@]}" --put "$judge" --put "$work/measure:/root/measure" \
		-- sh /root/measure "$perf" "$judge"
	"$perf" -l 0 -- --mode ping --duration 140s --gaps off --link "$host_link" >"$work/host.log" 2>&1 &
	ping_pid=$!
	# A busy machine boots for minutes.
	wait_for grep -qx measured "$work/guest.log" || wait_for grep -qx measured "$work/guest.log"
	lasted=$?
	kill -0 $ping_pid 2>/dev/null || lasted=1
	# The far end stays; ^C would wait for the end of a round, which is long on a busy host.
	kill -KILL $ping_pid
	wait $ping_pid 2>/dev/null
	[ $lasted = 0 ] || return
	# A run that comes to its end ends the far end too; one that is stopped does not.
	# In the foreground, for else it is told twice, and then does not close its session.
	timeout --foreground -k 10 45 "$perf" -l 0 -- --mode ping --duration 500ms --gaps off --link "$host_link" --json "$work/out.json" >"$work/host.log" 2>&1
	status=$?
	: >"$work/words"
	if [ $status = 124 ] || [ $status = 137 ]; then
		{ load_average; words; places; grep r-xp "$work/guest.log"; } >"$work/words" 2>&1
		guest_kill
	else
		guest_wait
		status=$?
	fi
	verdict_of "measured" $status "$work/guest.log" "$work/host.log" "$work/words"
	# What was lost or changed no busy machine explains.
	[ ! -s "$work/out.json" ] || { whole; check "$name: every message whole" $? "$work/host.log"; }
	return 0
}

load_average()
{
	echo "load of this machine, which has $(nproc) cores: $(cat /proc/loadavg)"
}

# What the last run had.
whole()
{
	/usr/bin/python3 - "$work/out.json" <<-'END'
	import json, sys
	report = json.load(open(sys.argv[1]))["runs"][0]
	sys.exit(any(report[key] for key in ("lost", "duplicates", "misordered", "corrupt")))
	END
}

# The lines that came to CPU 1, each with how often.
deltas()
{
	awk 'FNR == NR { was[$1] = $3; next }
		$3 != was[$1] { sub(":", "", $1); print $1, $3 - was[$1] }' "$work/before" "$work/after"
}

# Lines that may come to an isolated core that polls, with the reason. There are none: neither
# the tick (LOC), nor calls (CAL, TLB), wake-ups (RES) and work (IWI) from other cores.
allowed=""

left_alone()
{
	local line
	while read -r line; do
		[[ " $allowed " == *" ${line% *} "* ]] || { echo "came: $line"; return 1; }
	done <"$work/deltas"
	grep -q '^LOC:' "$work/after" && grep -q '^switches:' "$work/after" && long_enough
}

long_enough()
{
	awk -F ': ' '$1 == "seconds" { print; exit $2 < 4 }' "$work/facts"
}

# Without the parameters the same look must see the tick, of 250 a second.
disturbed()
{
	awk '$1 == "LOC" { ticks = $2 } END { exit ticks < 400 }' "$work/deltas" && long_enough
}

# The verdicts against the facts: as many lines as there are differences.
judged()
{
	/usr/bin/python3 - "$work" <<-'END'
	import json, sys
	work = sys.argv[1]
	facts = dict(line.rstrip("\n").split(": ", 1) for line in open(work + "/facts"))
	deltas = dict(line.split() for line in open(work + "/deltas"))

	def verdicts(name):
	    return {each["id"]: each["status"] for each in json.load(open(f"{work}/{name}.json"))["checks"]}

	def has(mask):
	    return bool(int(mask.replace(",", ""), 16) & 2)

	def passes(condition, otherwise="fail"):
	    return "pass" if condition else otherwise

	ticks = int(deltas.get("LOC", 0)) / float(facts["seconds"])
	watched = "1" in facts["CPUs of watchdogs"]
	rt = "PREEMPT_RT" in facts["kernel"]
	truth = {
	    "cores": passes(True),
	    "isolcpus": passes(facts["CPUs of a new process"] == "0"),
	    "nohz_full": passes(facts["CPUs without tick"] == "1" and ticks == 0),
	    "rcu_nocbs": passes(facts["CPUs without callbacks"] == "1"),
	    "irqaffinity": passes(not has(facts["mask of interrupts"])),
	    "rt-kernel": passes(rt, "warn"),
	    "rt-throttling": passes(facts["throttling"] == "-1"),
	    "timer_migration": passes(facts["timer_migration"] == "0", "warn"),
	    "nmi_watchdog": passes(not watched or facts["nmi_watchdog"] == "0" and facts["soft_watchdog"] == "0",
	        "fail" if facts["nmi_watchdog"] == "1" else "warn"),
	    "stat_interval": passes(int(facts["stat_interval"]) >= 10, "warn"),
	    "mce": passes(facts["mce"] == "0", "warn"),
	    "workqueues": passes(not has(facts["mask of work"]) and not has(facts["mask of writeback"])),
	    "thp": "skip" if facts["huge pages"] == "none" else passes("[never]" in facts["huge pages"], "warn" if "[madvise]" in facts["huge pages"] else "fail"),
	    "hugepages": passes(True),
	    "clocksource": passes(facts["clock"] == "tsc"),
	    "tsc": passes(facts["constant_tsc"] == "2"),
	    "bar": "skip",
	}
	differences = 0
	for given, wanted in ((verdicts("still"), truth),
	        (verdicts("polling"), {"local-interrupts": passes(ticks < 2, "fail" if ticks >= 50 else "warn")})):
	    for id, status in wanted.items():
	        differences += given[id] != status
	        print("says" if given[id] == status else "WRONG", id, given[id], "" if given[id] == status else f"for {status}")
	sys.exit(differences)
	END
}

# verdict FILE ID STATUS
verdict()
{
	/usr/bin/python3 - "$work/$1.json" "$2" "$3" <<-'END'
	import json, sys
	sys.exit([each["status"] for each in json.load(open(sys.argv[1]))["checks"] if each["id"] == sys.argv[2]] != [sys.argv[3]])
	END
}

all_verdicts()	# STATUS
{
	local id
	for id in isolcpus nohz_full rcu_nocbs; do
		verdict still "$id" "$1" || { echo "$id is not $1"; return 1; }
	done
	verdict polling local-interrupts "$1"
}

# What the last measurement must have shown, each with its evidence.
judge_isolated()
{
	left_alone >"$work/came" 2>&1
	verdict_of "nothing comes to the core that polls" $? "$work/came" "$work/deltas"
	all_verdicts pass >"$work/came" 2>&1
	verdict_of "isolation passes" $? "$work/came" "$work/judged"
	verdict polling switches pass && verdict polling kernel-threads pass
	verdict_of "nothing takes the core" $? "$work/polling.json"
}

judge_as_it_comes()
{
	disturbed >"$work/came" 2>&1
	verdict_of "the tick is seen" $? "$work/came" "$work/deltas"
	all_verdicts fail >"$work/came" 2>&1
	verdict_of "isolation fails" $? "$work/came" "$work/judged"
}

# In the last attempt a miss is a failure; before it, a reason to measure once more.
verdict_of()	# WHAT STATUS EVIDENCE...
{
	if [ "$2" = 0 ] || [ "$attempt" = $attempts ]; then
		check "$name: $1" "$2" "${@:3}"
		return
	fi
	missed=1
	echo "$name: $1: not in attempt $attempt of $attempts:"
	tail -n 30 "${@:3}"
}

# Host, QEMU and the guest's two vCPUs share two cores here: a core of the host that was taken
# from them shows in the guest. What breaks isolation comes in every attempt.
attempts=3

attempts_of()	# FLAVOUR PARAMETERS: none for a guest as it comes
{
	local attempt missed
	for ((attempt = 1; attempt <= attempts; attempt++)); do
		missed=
		measure "$1" "$2"
		deltas >"$work/deltas"
		echo "$name: came to CPU 1 in $(sed -n 's/^seconds: //p' "$work/facts") s: $(paste -s -d , "$work/deltas")"
		judged >"$work/judged" 2>&1
		verdict_of "verdicts are true" $? "$work/judged" "$work/facts"
		if [ -n "$2" ]; then
			judge_isolated
		else
			judge_as_it_comes
		fi
		[ -n "$missed" ] || return
	done
}

for flavour in standard rt; do
	name="$flavour, isolated"
	attempts_of $flavour "$parameters"
	name="$flavour, as it comes"
	attempts_of $flavour ""
done
finish
