/* SPDX-License-Identifier: BSD-3-Clause */

/* The kernel itself, and its switches under /proc/sys/kernel. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

#define KERNEL "/proc/sys/kernel/"

static int
check_rt_kernel(struct nhn_check *check, struct nhn_check_result *result)
{
	char version[NHN_CHECK_TEXT_MAX], preempt[32] = "";
	long long realtime;
	int rc = nhn_check_read_line(check, version, sizeof(version), "proc/sys/kernel/version");

	nhn_check_want(result, "PREEMPT_RT");
	nhn_check_remedy(result, "apt install linux-image-rt-amd64, and boot it");
	if (nhn_check_read_number(check, &realtime, "sys/kernel/realtime") == 0 && realtime == 1)
		return nhn_check_pass(result, "PREEMPT_RT");
	if (rc != 0)
		return nhn_check_skip_file(result, KERNEL "version", rc);
	if (strstr(version, "PREEMPT_RT") != NULL || strstr(version, "PREEMPT RT") != NULL)
		return nhn_check_pass(result, "PREEMPT_RT");
	nhn_check_parameter(check, "preempt", preempt, sizeof(preempt));
	if (strcmp(preempt, "none") == 0 || strcmp(preempt, "voluntary") == 0)
		return nhn_check_fail(result, "preempt=%s", preempt);
	if (strstr(version, "PREEMPT") != NULL)
		return nhn_check_warn(result, "%s",
				      strstr(version, "PREEMPT_DYNAMIC") != NULL ? "PREEMPT_DYNAMIC"
										 : "PREEMPT");
	return nhn_check_fail(result, "no preemption within the kernel: %s", version);
}

/* From 6.12 on a server of ordinary threads takes the place of throttling: where there are some. */
static struct check_cpus
fair_servers_off(struct nhn_check *check, struct nhn_check_result *result)
{
	struct check_cpus served = {0};

	for (int cpu = 0; (cpu = nhn_check_cpus_next(&check->cores, cpu)) >= 0; cpu++) {
		long long runtime;

		if (nhn_check_read_number(check, &runtime,
					  "sys/kernel/debug/sched/fair_server/cpu%d/runtime",
					  cpu) != 0 ||
		    runtime == 0)
			continue;
		nhn_check_cpus_set(&served, (unsigned int)cpu);
		nhn_check_note_write(result, "0",
				     "/sys/kernel/debug/sched/fair_server/cpu%d/runtime", cpu);
	}
	if (!nhn_check_cpus_empty(&served))
		CHECK_ADD(result->remedy,
			  "%sfor each of %s: echo 0 > /sys/kernel/debug/sched/fair_server/cpuN/"
			  "runtime",
			  result->remedy[0] != '\0' ? "; " : "", nhn_check_cpus_list(&served).text);
	return served;
}

static int
check_rt_throttling(struct nhn_check *check, struct nhn_check_result *result)
{
	long long runtime, period;
	struct check_cpus served;
	bool limited;
	int rc = nhn_check_read_number(check, &runtime, "proc/sys/kernel/sched_rt_runtime_us");

	nhn_check_want(result, "sched_rt_runtime_us -1");
	if (rc != 0)
		return nhn_check_skip_file(result, KERNEL "sched_rt_runtime_us", rc);
	if (nhn_check_read_number(check, &period, "proc/sys/kernel/sched_rt_period_us") != 0)
		period = 1000000;
	limited = runtime >= 0 && runtime < period;
	if (limited) {
		nhn_check_remedy(result, "sysctl -w kernel.sched_rt_runtime_us=-1");
		nhn_check_note_write(result, "-1", KERNEL "sched_rt_runtime_us");
	}
	served = fair_servers_off(check, result);
	if (limited)
		return nhn_check_fail(result, "real-time threads have %lld of %lld us", runtime,
				      period);
	if (nhn_check_cpus_empty(&served))
		return nhn_check_pass(result, "no limit");
	return nhn_check_warn(result, "no limit, but a server of ordinary threads on %s",
			      nhn_check_cpus_list(&served).text);
}

static int
check_timer_migration(struct nhn_check *check, struct nhn_check_result *result)
{
	long long on;
	int rc = nhn_check_read_number(check, &on, "proc/sys/kernel/timer_migration");

	nhn_check_want(result, "0");
	if (rc != 0)
		return nhn_check_skip_file(result, KERNEL "timer_migration", rc);
	if (on == 0)
		return nhn_check_pass(result, "0");
	nhn_check_remedy(result, "sysctl -w kernel.timer_migration=0");
	nhn_check_note_write(result, "0", KERNEL "timer_migration");
	return nhn_check_warn(result, "%lld", on);
}

/* Which CPUs the watchdogs watch: where the kernel does not tell, all. */
static bool
watched(const struct nhn_check *check)
{
	struct check_cpus mask;

	return nhn_check_read_cpus(check, &mask, "proc/sys/kernel/watchdog_cpumask") != 0 ||
	       nhn_check_cpus_meet(&mask, &check->cores);
}

static void
switch_off(struct nhn_check_result *result, const char *watchdog)
{
	CHECK_ADD(result->remedy, "%skernel.%s=0", result->remedy[0] != '\0' ? " " : "sysctl -w ",
		  watchdog);
	nhn_check_note_write(result, "0", KERNEL "%s", watchdog);
}

static int
check_nmi_watchdog(struct nhn_check *check, struct nhn_check_result *result)
{
	long long hard, soft;
	int rc = nhn_check_read_number(check, &hard, "proc/sys/kernel/nmi_watchdog");

	nhn_check_want(result, "0, or cores that watchdog_cpumask leaves out");
	if (rc != 0)
		return nhn_check_skip_file(result, KERNEL "nmi_watchdog", rc);
	if (!watched(check))
		return nhn_check_pass(result, "%lld, not on %s", hard, check->machine.cores);
	if (nhn_check_read_number(check, &soft, "proc/sys/kernel/soft_watchdog") != 0)
		soft = 0;
	if (hard != 0)
		switch_off(result, "nmi_watchdog");
	if (soft != 0)
		switch_off(result, "soft_watchdog");
	if (hard != 0)
		return nhn_check_fail(result, "%lld%s, on %s too", hard,
				      soft != 0 ? " and soft_watchdog" : "", check->machine.cores);
	if (soft != 0)
		return nhn_check_warn(result, "0, but soft_watchdog %lld on %s too", soft,
				      check->machine.cores);
	return nhn_check_pass(result, "0");
}

/* More than one node with memory? Where nothing tells: yes. */
static bool
several_nodes(const struct nhn_check *check)
{
	struct check_cpus nodes;

	return nhn_check_read_cpus(check, &nodes, "sys/devices/system/node/online") != 0 ||
	       nhn_check_cpus_count(&nodes) != 1;
}

static int
check_numa_balancing(struct nhn_check *check, struct nhn_check_result *result)
{
	long long on;
	int rc = nhn_check_read_number(check, &on, "proc/sys/kernel/numa_balancing");

	nhn_check_want(result, "0");
	if (rc == -ENOENT && nhn_check_exists(check, "proc/sys/kernel"))
		return nhn_check_pass(result, "not in this kernel");
	if (rc != 0)
		return nhn_check_skip_file(result, KERNEL "numa_balancing", rc);
	if (on == 0)
		return nhn_check_pass(result, "0");
	nhn_check_remedy(result, "sysctl -w kernel.numa_balancing=0");
	nhn_check_note_write(result, "0", KERNEL "numa_balancing");
	if (!several_nodes(check))
		return nhn_check_warn(result, "%lld, on a machine of one node", on);
	return nhn_check_fail(result, "%lld", on);
}

const struct check_entry nhn_check_kernel_table[] = {
	{{"rt-kernel", "the kernel can be interrupted at any place",
	  "Without PREEMPT_RT a thread that is woken waits until a driver or a system call of"
	  " another lets go of the core.",
	  false},
	 check_rt_kernel},
	{{"rt-throttling", "real-time threads are not stopped",
	  "A polling thread with a real-time priority is stopped for 50 ms of each second.", false},
	 check_rt_throttling},
	{{"timer_migration", "timers stay where they were set",
	  "With it an idle CPU's timers are handed to a busy one, and a polling core is always"
	  " busy.",
	  false},
	 check_timer_migration},
	{{"nmi_watchdog", "no watchdog on these cores",
	  "The watchdogs interrupt each core that they watch every few seconds, and the hard one"
	  " does so by an NMI that nothing can hold off.",
	  false},
	 check_nmi_watchdog},
	{{"numa_balancing", "pages are not unmapped to see who uses them",
	  "It unmaps pages again and again, and each next access is a page fault in the middle of a"
	  " poll.",
	  false},
	 check_numa_balancing},
	{{NULL, NULL, NULL, false}, NULL},
};
