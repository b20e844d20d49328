/* SPDX-License-Identifier: BSD-3-Clause */

/* What the kernel's own threads do on the cores in use. */

#include <stdio.h>
#include <string.h>

#include "check_internal.h"

#define WORKQUEUE "/sys/devices/virtual/workqueue/"
/* Of a mask of all CPUs that are known. */
#define MASK_BYTES (NHN_CHECK_CPUS_MAX / 32 * 9 + 2)
#define NAMED_MAX 4
/* A second: more than the once or twice of statistics and of a watchdog. */
#define KERNEL_FAIL_HZ 10

/* Into a mask: the CPUs but ours. */
static void
workqueue_remedy(const struct nhn_check *check, const char *file, struct nhn_check_result *result)
{
	char mask[MASK_BYTES], path[64];
	struct check_cpus rest;

	if (!nhn_check_others(check, result, &rest))
		return;
	snprintf(path, sizeof(path), WORKQUEUE "%s", file);
	nhn_check_note_mask(result, &rest, path);
	if (nhn_check_cpus_mask(&rest, mask, sizeof(mask)))
		CHECK_ADD(result->remedy, "%secho %s > %s", result->remedy[0] != '\0' ? "; " : "",
			  mask, path);
}

static int
check_workqueues(struct nhn_check *check, struct nhn_check_result *result)
{
	static const char *const files[] = {"cpumask", "writeback/cpumask"};
	char mask[MASK_BYTES], found[NHN_CHECK_TEXT_MAX] = "";
	bool open = false;

	nhn_check_want(result, "unbound work not on %s", check->machine.cores);
	for (unsigned int i = 0; i < 2; i++) {
		struct check_cpus set;
		int rc = nhn_check_read_line(check, mask, sizeof(mask),
					     "sys/devices/virtual/workqueue/%s", files[i]);

		if (rc == 0)
			rc = nhn_check_cpus_parse_mask(mask, &set);
		/* Writeback has a file of its own only where the kernel was asked for it. */
		if (rc != 0 && i == 0)
			return nhn_check_skip_file(result, WORKQUEUE "cpumask", rc);
		if (rc != 0)
			continue;
		set = nhn_check_cpus_and(&set, &check->online);
		CHECK_ADD(found, "%s%s: %s", i > 0 ? "; " : "", files[i],
			  nhn_check_cpus_list(&set).text);
		if (!nhn_check_cpus_meet(&set, &check->cores))
			continue;
		open = true;
		workqueue_remedy(check, files[i], result);
	}
	return open ? nhn_check_fail(result, "%s", found) : nhn_check_pass(result, "%s", found);
}

/* How often a thread began to run on our cores between the moments, as far as can be told. */
static uint64_t
ran(const struct nhn_check *check, const struct check_thread *thread)
{
	const struct check_thread *before;

	if (!thread->kernel || !thread->interrupted || thread->last_cpu < 0 ||
	    !nhn_check_cpus_has(&check->cores, (unsigned int)thread->last_cpu))
		return 0;
	before = nhn_check_thread_before(check, thread);
	if (before == NULL || before->switches > thread->switches)
		return thread->switches;
	return thread->switches - before->switches;
}

static int
check_kernel_threads(struct nhn_check *check, struct nhn_check_result *result)
{
	const struct check_cpus rest = nhn_check_cpus_minus(&check->online, &check->cores);
	const struct check_moment *after = &check->after;
	char list[NHN_CHECK_TEXT_MAX] = "";
	unsigned int named = 0, kernel = 0;
	uint64_t most = 0;

	nhn_check_want(result, "none runs on %s", check->machine.cores);
	for (unsigned int i = 0; i < after->thread_count; i++) {
		const struct check_thread *thread = &after->threads[i];
		const uint64_t times = ran(check, thread);

		kernel += thread->kernel;
		if (times == 0)
			continue;
		if (named++ < NAMED_MAX)
			CHECK_ADD(list, "%s%s %llu times on %d", named > 1 ? ", " : "",
				  thread->name, (unsigned long long)times, thread->last_cpu);
		if (times <= most)
			continue;
		most = times;
		/* One that may run elsewhere can be moved; the others do work that came here. */
		if (nhn_check_cpus_meet(&thread->affinity, &rest))
			nhn_check_remedy(result, "taskset -cp %s %d",
					 nhn_check_cpus_list(&rest).text, thread->tid);
		else
			nhn_check_remedy(result,
					 "see workqueues, stat_interval and rcu_nocbs; work of "
					 "these cores' own system calls stays: make none");
	}
	if (kernel == 0)
		return nhn_check_skip(result, "no thread of the kernel is visible here");
	if (named == 0)
		return nhn_check_pass(result, "none ran in %.1f s", check->seconds);
	return (double)most / check->seconds > KERNEL_FAIL_HZ
		       ? nhn_check_fail(result, "in %.1f s: %s%s", check->seconds, list,
					named > NAMED_MAX ? " ..." : "")
		       : nhn_check_warn(result, "in %.1f s: %s%s", check->seconds, list,
					named > NAMED_MAX ? " ..." : "");
}

const struct check_entry nhn_check_work_table[] = {
	{{"workqueues", "work without a core of its own goes elsewhere",
	  "The kernel hands unbound work, such as writing to disks, to any core of these masks.",
	  false},
	 check_workqueues},
	{{"kernel-threads", "threads of the kernel do not run there",
	  "Each time one runs, the thread that polls waits for it.", true},
	 check_kernel_threads},
	{{NULL, NULL, NULL, false}, NULL},
};
