/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CHECK_FIXTURES_H
#define CHECK_FIXTURES_H

/* What is spoiled on the machine where all is well, and what the check has to say then. */

#include "check_rig.h"

#define EDITS_MAX 4

struct fixture {
	const char *id;
	enum nhn_check_status status;
	const char *found, *remedy; /* parts of them */
	struct rig_edit edits[EDITS_MAX];
	/* "PATH=VALUE" of each write, joined by blanks; NULL: there is none */
	const char *write;
	const char *cores; /* NULL: as the rig has them; "": as the check finds them */
	double load_ns;	   /* of the BAR; 0: as the rig has it */
};

#define PASS NHN_CHECK_PASS
#define WARN NHN_CHECK_WARN
#define FAIL NHN_CHECK_FAIL
#define SKIP NHN_CHECK_SKIP

#define CPU "sys/devices/system/cpu/"
#define KERNEL "proc/sys/kernel/"
#define HUGE0 "sys/devices/system/node/node0/hugepages/hugepages-2048kB/"
#define HUGE1 "sys/devices/system/node/node1/hugepages/hugepages-2048kB/"
#define SOURCE "sys/devices/system/clocksource/clocksource0/"
#define IDLE CPU "cpu2/cpuidle/state1/"
#define LEAVE_ONE "leave a core to the kernel: --cores with fewer of them"
#define TUNED "usr/lib/tuned/realtime-virtual-host/tuned.conf"

/* Cores, the kernel, interrupts and its threads. */
static const struct fixture fixtures_system[] = {
	{"cores", FAIL, "9 are not online", "out of 0-7", .cores = "2,9"},
	{"cores", WARN, "CPU 0 among", "--cores 2", .cores = "0,2"},
	{"cores", WARN, "CPU 0 among", "others of 0-7", .cores = "0"},
	{"cores", WARN, "0-7: all", "managed_irq,1-7", .edits = {{CPU "isolated", "\n"}},
	 .cores = ""},
	{"cores", PASS, "2-7 (isolated)", "", .cores = ""},
	{"cores", SKIP, "online", "", .edits = {{CPU "online", NULL}}},
	{"isolcpus", FAIL, "isolated: 4-7; 2-3 not", "isolcpus=domain,managed_irq,2-7",
	 .edits = {{CPU "isolated", "4-7\n"}}},
	{"isolcpus", FAIL, "isolated: none", "managed_irq,2-3", .edits = {{CPU "isolated", "\n"}}},
	{"isolcpus", FAIL, "none", "isolcpus", .edits = {{CPU "isolated", "two to seven\n"}}},
	{"isolcpus", PASS, "2-7", "",
	 .edits = {{CPU "isolated", "\n"}, {"sys/fs/cgroup/cpuset.cpus.isolated", "2-7\n"}}},
	{"isolcpus", SKIP, "is not there", "", .edits = {{CPU "isolated", NULL}}},
	{"nohz_full", FAIL, "3 not", "nohz_full=2-3", .edits = {{CPU "nohz_full", "2\n"}}},
	{"nohz_full", FAIL, "none; 2-3 not", "nohz_full=2-3",
	 .edits = {{CPU "nohz_full", "(null)\n"}}},
	{"nohz_full", FAIL, "no nohz_full", "CONFIG_NO_HZ_FULL",
	 .edits = {{CPU "nohz_full", NULL}}},
	{"rcu_nocbs", PASS, "2-7", "",
	 .edits = {{CPU "nohz_full", NULL}, {"proc/cmdline", "rcu_nocbs=2-N\n"}}},
	{"rcu_nocbs", PASS, "offloaded: 0-7", "",
	 .edits = {{CPU "nohz_full", NULL}, {"proc/cmdline", "a rcu_nocbs=all b\n"}}},
	{"rcu_nocbs", FAIL, "none; 2-3 not", "rcu_nocbs=2-3",
	 .edits = {{CPU "nohz_full", NULL}, {"proc/cmdline", "quiet -- rcu_nocbs=2-3\n"}}},
	{"rcu_nocbs", SKIP, "is not there", "", .edits = {{"proc/cmdline", NULL}}},
	{"irqaffinity", FAIL, "come to 0-7", "irqaffinity=0-1,4-7",
	 .edits = {{"proc/irq/default_smp_affinity", "ffffffff,ffffffff\n"}},
	 .write = "/proc/irq/default_smp_affinity=f3"},
	/* All are in use: CPU 0 is not to get what is to leave them. */
	{"irqaffinity", FAIL, "come to 0-1", LEAVE_ONE, .cores = "0-7"},
	{"irqs", FAIL, "42 (PCI-MSI 5-edge nvme0q1) 891 times on 0", LEAVE_ONE, .cores = "0-7"},
	{"irqs", WARN, "but 1 may: 42", LEAVE_ONE,
	 .edits = {{"after/proc/interrupts", "CPU0 CPU2 CPU3 CPU6\n42: 9 1 1 0 nvme\n"}},
	 .cores = "0-7"},
	{"irqaffinity", WARN, "not managed_irq", "managed_irq,2-7",
	 .edits = {{"proc/cmdline", "isolcpus=2-7\n"}}},
	{"irqaffinity", SKIP, "form", "", .edits = {{"proc/irq/default_smp_affinity", "xyz\n"}}},
	{"rt-kernel", WARN, "PREEMPT_DYNAMIC", "rt",
	 .edits = {{KERNEL "version", "#1 SMP PREEMPT_DYNAMIC Debian\n"}}},
	{"rt-kernel", FAIL, "no preemption", "linux-image-rt",
	 .edits = {{KERNEL "version", "#1 SMP Deb\n"}}},
	{"rt-kernel", FAIL, "preempt=none", "rt",
	 .edits = {{KERNEL "version", "#1 SMP PREEMPT_DYNAMIC\n"},
		   {"proc/cmdline", "preempt=none\n"}}},
	{"rt-kernel", PASS, "PREEMPT_RT", "",
	 .edits = {{KERNEL "version", "#1 SMP\n"}, {"sys/kernel/realtime", "1\n"}}},
	{"rt-kernel", SKIP, "is not there", "", .edits = {{KERNEL "version", NULL}}},
	{"rt-throttling", FAIL, "950000 of 1000000", "sysctl -w kernel.sched_rt_runtime_us=-1",
	 .edits = {{KERNEL "sched_rt_runtime_us", "950000\n"}},
	 .write = "/proc/sys/kernel/sched_rt_runtime_us=-1"},
	{"rt-throttling", FAIL, "950000 of 1000000",
	 "sched_rt_runtime_us=-1; for each of 3: echo 0 > ",
	 .edits = {{KERNEL "sched_rt_runtime_us", "950000\n"},
		   {"sys/kernel/debug/sched/fair_server/cpu3/runtime", "50000000\n"}},
	 .write = "/proc/sys/kernel/sched_rt_runtime_us=-1"
		  " /sys/kernel/debug/sched/fair_server/cpu3/runtime=0"},
	{"rt-throttling", WARN, "ordinary threads on 3", "fair_server",
	 .edits = {{"sys/kernel/debug/sched/fair_server/cpu2/runtime", "0\n"},
		   {"sys/kernel/debug/sched/fair_server/cpu3/runtime", "50000000\n"}},
	 .write = "/sys/kernel/debug/sched/fair_server/cpu3/runtime=0"},
	{"rt-throttling", PASS, "no limit", "",
	 .edits = {{KERNEL "sched_rt_runtime_us", "1000000\n"}}},
	{"rt-throttling", SKIP, "form", "",
	 .edits = {{KERNEL "sched_rt_runtime_us", "12 apples\n"}}},
	{"timer_migration", WARN, "1", "kernel.timer_migration=0",
	 .edits = {{KERNEL "timer_migration", "1\n"}},
	 .write = "/proc/sys/kernel/timer_migration=0"},
	{"timer_migration", SKIP, "is not there", "", .edits = {{KERNEL "timer_migration", NULL}}},
	{"nmi_watchdog", FAIL, "1, on 2-3 too", "kernel.nmi_watchdog=0",
	 .edits = {{KERNEL "nmi_watchdog", "1\n"}}, .write = "/proc/sys/kernel/nmi_watchdog=0"},
	{"nmi_watchdog", FAIL, "1 and soft_watchdog, on 2-3 too",
	 "kernel.nmi_watchdog=0 kernel.soft_watchdog=0",
	 .edits = {{KERNEL "nmi_watchdog", "1\n"}, {KERNEL "soft_watchdog", "1\n"}},
	 .write = "/proc/sys/kernel/nmi_watchdog=0 /proc/sys/kernel/soft_watchdog=0"},
	{"nmi_watchdog", WARN, "soft_watchdog 1", "kernel.soft_watchdog=0",
	 .edits = {{KERNEL "soft_watchdog", "1\n"}}, .write = "/proc/sys/kernel/soft_watchdog=0"},
	{"nmi_watchdog", PASS, "not on 2-3", "",
	 .edits = {{KERNEL "nmi_watchdog", "1\n"}, {KERNEL "watchdog_cpumask", "0-1\n"}}},
	{"numa_balancing", FAIL, "1", "kernel.numa_balancing=0",
	 .edits = {{KERNEL "numa_balancing", "1\n"}}, .write = "/proc/sys/kernel/numa_balancing=0"},
	{"numa_balancing", WARN, "one node", "kernel.numa_balancing=0",
	 .edits = {{KERNEL "numa_balancing", "1\n"}, {"sys/devices/system/node/online", "0\n"}},
	 .write = "/proc/sys/kernel/numa_balancing=0"},
	{"numa_balancing", PASS, "not in this kernel", "",
	 .edits = {{KERNEL "numa_balancing", NULL}}},
	{"stat_interval", WARN, "1 s", "vm.stat_interval=10",
	 .edits = {{"proc/sys/vm/stat_interval", "1\n"}}, .write = "/proc/sys/vm/stat_interval=10"},
	{"stat_interval", SKIP, "form", "", .edits = {{"proc/sys/vm/stat_interval", "\n"}}},
	{"mce", WARN, "every 300 s", "echo 0 > ",
	 .edits = {{"sys/devices/system/machinecheck/machinecheck2/check_interval", "300\n"}},
	 .write = "/sys/devices/system/machinecheck/machinecheck2/check_interval=0"},
	{"mce", PASS, "ignore_ce", "",
	 .edits = {{"sys/devices/system/machinecheck/machinecheck2/check_interval", "300\n"},
		   {"sys/devices/system/machinecheck/machinecheck2/ignore_ce", "1\n"}}},
	{"mce", SKIP, "is not there", "", .edits = {{"sys/devices/system/machinecheck", NULL}}},
	{"irqs", FAIL, "42 (PCI-MSI 5-edge nvme0q1) 3 times on 3",
	 "echo 0-1,4-7 > /proc/irq/42/smp_affinity_list",
	 .edits = {{"after/proc/interrupts",
		    "CPU0 CPU2 CPU3 CPU6\n42: 900 1 4 0 PCI-MSI 5-edge  nvme0q1\n"}},
	 .write = "/proc/irq/42/smp_affinity_list=0-1,4-7"},
	{"irqs", FAIL, "77 (new) 2 times on 2", "/proc/irq/77/",
	 .edits = {{"after/proc/interrupts",
		    "CPU0 CPU2 CPU3 CPU6\n42: 900 1 1 0 nvme\n77: 0 2 0 0 new\n"}},
	 .write = "/proc/irq/77/smp_affinity_list=0-1,4-7"},
	/* Given up and taken again: its count began anew. */
	{"irqs", FAIL, "42 (nvme) 2 times on 2", "/proc/irq/42/",
	 .edits = {{"proc/interrupts", "CPU0 CPU2\n42: 0 10 nvme\n"},
		   {"after/proc/interrupts", "CPU0 CPU2\n42: 0 2 nvme\n"}},
	 .write = "/proc/irq/42/smp_affinity_list=0-1,4-7"},
	{"irqs", WARN, "but 1 may: 42", "echo 0-1,4-7 > ",
	 .edits = {{"proc/irq/42/effective_affinity_list", "2\n"}},
	 .write = "/proc/irq/42/smp_affinity_list=0-1,4-7"},
	{"irqs", WARN, "but 1 may: 42", "smp_affinity_list",
	 .edits = {{"proc/irq/42/effective_affinity_list", NULL},
		   {"proc/irq/42/smp_affinity_list", "0-7\n"}},
	 .write = "/proc/irq/42/smp_affinity_list=0-1,4-7"},
	{"irqs", SKIP, "came or went", "",
	 .edits = {{"after/proc/interrupts",
		    "CPU0 CPU2 CPU6\n42: 900 1 4 PCI-MSI 5-edge  nvme0q1\n"}}},
	{"irqs", SKIP, "form", "", .edits = {{"proc/interrupts", "\001\002 nonsense\n"}}},
	{"irqs", SKIP, "is not there", "", .edits = {{"after/proc/interrupts", NULL}}},
	{"local-interrupts", FAIL, "LOC (Local timer interrupts) 250 a second on 2", "nohz_full=",
	 .edits = {{"after/proc/interrupts",
		    "CPU0 CPU2 CPU3 CPU6\nLOC: 0 257 8 0 Local timer interrupts\n"}}},
	{"local-interrupts", WARN, "CAL (Function call) 9 a second on 3", "mlockall()",
	 .edits = {{"after/proc/interrupts", "CPU0 CPU2 CPU3 CPU6\nCAL: 0 0 9 0 Function call\n"}}},
	{"local-interrupts", SKIP, "form", "", .edits = {{"proc/interrupts", ""}}},
	{"workqueues", FAIL, "cpumask: 0-7; writeback/cpumask: 0-1",
	 "echo f3 > /sys/devices/virtual/workqueue/cpumask",
	 .edits = {{"sys/devices/virtual/workqueue/cpumask", "ff\n"}},
	 .write = "/sys/devices/virtual/workqueue/cpumask=f3"},
	{"workqueues", FAIL, "writeback/cpumask: 0-7", "writeback/cpumask",
	 .edits = {{"sys/devices/virtual/workqueue/writeback/cpumask", "ff\n"}},
	 .write = "/sys/devices/virtual/workqueue/writeback/cpumask=f3"},
	{"workqueues", SKIP, "is not there", "",
	 .edits = {{"sys/devices/virtual/workqueue", NULL}}},
	{"kernel-threads", WARN, "kworker/2:1 3 times on 2", "stat_interval",
	 .edits = {{"thread", "20 20 kworker/2:1 kernel 2 2 10 0 13 0"}}},
	/* Another thread of the same number. */
	{"kernel-threads", WARN, "kworker/2:1 4 times on 2", "stat_interval",
	 .edits = {{"thread", "20 20 kworker/2:1 kernel 2 2 50 0 4 0"}}},
	{"kernel-threads", WARN, "x) S 1 5 times on 2", "stat_interval",
	 .edits = {{"thread", "33 33 x)_S_1 kernel 2 2 1 0 6 0"}}},
	{"kernel-threads", FAIL, "kworker/u16:0 89 times on 3", "taskset -cp 0-1,4-7 21",
	 .edits = {{"thread", "21 21 kworker/u16:0 kernel 0-7 3 10 0 99 0"}}},
	{"kernel-threads", SKIP, "no thread of the kernel", "",
	 .edits = {{"proc/20", NULL}, {"after/proc/20", NULL}, {"after/proc/21", NULL}}},
};

#endif /* CHECK_FIXTURES_H */
