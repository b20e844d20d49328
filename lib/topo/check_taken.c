/* SPDX-License-Identifier: BSD-3-Clause */

/* Time that somebody else takes from the threads on the cores in use. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_internal.h"

/* The share of all time since boot that is worth a word. */
#define STEAL_WARN 0.001
#define SWITCHES_FAIL_HZ 10
#define NAMED_MAX 4
/* Numbers behind "cpuN": user nice system idle iowait irq softirq steal. */
#define TIMES 8
#define TIME_STEAL 7

/* Of the line "cpuN" of /proc/stat. False: it is not there. */
static bool
stat_steal(const char *stat, int cpu, uint64_t *steal, uint64_t *total)
{
	char name[16];
	size_t length;

	*steal = *total = 0;
	length = (size_t)snprintf(name, sizeof(name), "cpu%d ", cpu);
	for (const char *line = stat; *line != '\0';) {
		if (strncmp(line, name, length) == 0) {
			const char *word = line + length;

			for (int i = 0; i < TIMES; i++) {
				char *end;
				const uint64_t ticks = strtoull(word, &end, 10);

				if (end == word)
					return false;
				*total += ticks;
				if (i == TIME_STEAL)
					*steal = ticks;
				word = end;
			}
			return true;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

struct stolen {
	uint64_t now; /* ticks on our cores between the moments */
	uint64_t ever, total;
	unsigned int cores; /* that are told of */
	struct check_cpus on;
};

static void
stolen_count(const struct nhn_check *check, struct stolen *stolen)
{
	memset(stolen, 0, sizeof(*stolen));
	for (int cpu = 0; (cpu = nhn_check_cpus_next(&check->cores, cpu)) >= 0; cpu++) {
		uint64_t before, after, total;

		if (!stat_steal(check->before.stat, cpu, &before, &total) ||
		    !stat_steal(check->after.stat, cpu, &after, &total))
			continue;
		stolen->cores++;
		stolen->ever += after;
		stolen->total += total;
		/* The kernel lets it go back a little at times. */
		if (after <= before)
			continue;
		stolen->now += after - before;
		nhn_check_cpus_set(&stolen->on, (unsigned int)cpu);
	}
}

static int
check_steal(struct nhn_check *check, struct nhn_check_result *result)
{
	struct stolen stolen;
	double share;

	nhn_check_want(result, "0");
	if (check->before.stat_rc != 0 || check->after.stat_rc != 0)
		return nhn_check_skip_file(result, "/proc/stat",
					   check->before.stat_rc != 0 ? check->before.stat_rc
								      : check->after.stat_rc);
	stolen_count(check, &stolen);
	if (stolen.cores == 0)
		return nhn_check_skip(result, "/proc/stat tells of none of %s",
				      check->machine.cores);
	share = stolen.total != 0 ? (double)stolen.ever / (double)stolen.total : 0;
	nhn_check_remedy(result,
			 "on the host, for each vCPU thread: taskset -cp ISOLATED_CORE TID");
	if (stolen.now != 0)
		return nhn_check_fail(result, "%llu ticks in %.1f s on %s",
				      (unsigned long long)stolen.now, check->seconds,
				      nhn_check_cpus_list(&stolen.on).text);
	if (share > STEAL_WARN)
		return nhn_check_warn(result, "none in %.1f s, but %.2f %% of the time since boot",
				      check->seconds, share * 100);
	return nhn_check_pass(result, "none in %.1f s", check->seconds);
}

/* Those that matter: vCPUs, and threads of programs that are pinned to our cores. */
static bool
is_ours(const struct nhn_check *check, const struct check_thread *thread)
{
	if (thread->kernel || !thread->interrupted || thread->pid == getpid())
		return false;
	if (nhn_check_thread_vcpu(thread))
		return true;
	return nhn_check_cpus_count(&thread->affinity) == 1 &&
	       nhn_check_cpus_within(&thread->affinity, &check->cores);
}

static int
check_switches(struct nhn_check *check, struct nhn_check_result *result)
{
	char list[NHN_CHECK_TEXT_MAX] = "";
	unsigned int ours = 0, named = 0;
	uint64_t most = 0;

	nhn_check_want(result, "none of a thread that is pinned to %s", check->machine.cores);
	nhn_check_remedy(result, "nothing else on its core: isolcpus=, and taskset -cp CORE TID");
	for (unsigned int i = 0; i < check->after.thread_count; i++) {
		const struct check_thread *thread = &check->after.threads[i];
		const struct check_thread *before;
		uint64_t times;

		if (!is_ours(check, thread))
			continue;
		before = nhn_check_thread_before(check, thread);
		if (before == NULL || before->involuntary > thread->involuntary)
			continue;
		ours++;
		times = thread->involuntary - before->involuntary;
		if (times > most)
			most = times;
		if (times != 0 && named++ < NAMED_MAX)
			CHECK_ADD(list, "%s%s (thread %d) %llu times", named > 1 ? ", " : "",
				  thread->name, thread->tid, (unsigned long long)times);
	}
	if (ours == 0)
		return nhn_check_skip(result, "no thread of a program is pinned to one of %s",
				      check->machine.cores);
	if (most == 0)
		return nhn_check_pass(result, "none of %u threads in %.1f s", ours, check->seconds);
	return (double)most / check->seconds >= SWITCHES_FAIL_HZ
		       ? nhn_check_fail(result, "in %.1f s: %s", check->seconds, list)
		       : nhn_check_warn(result, "in %.1f s: %s", check->seconds, list);
}

const struct check_entry nhn_check_taken_table[] = {
	{{"steal", "the hypervisor lets these cores run",
	  "While the host runs something else on the core of a vCPU, the guest stands still.",
	  true},
	 check_steal},
	{{"switches", "nothing takes the core from a pinned thread",
	  "Each involuntary switch of a thread that polls means that another one had its core.",
	  true},
	 check_switches},
	{{NULL, NULL, NULL, false}, NULL},
};
