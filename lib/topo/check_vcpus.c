/* SPDX-License-Identifier: BSD-3-Clause */

/* QEMU's vCPU threads: each alone on an isolated core, none on a core of ours. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_internal.h"

#define NAMED_MAX 4

struct vcpus {
	unsigned int found, bad, nameless;
	int nameless_pid;
	char list[NHN_CHECK_TEXT_MAX];
};

/* Another thread of a program that may run there, or NULL. Those of the kernel may anywhere. */
static const struct check_thread *
neighbour(const struct nhn_check *check, const struct check_thread *vcpu, unsigned int core)
{
	for (unsigned int i = 0; i < check->after.thread_count; i++) {
		const struct check_thread *thread = &check->after.threads[i];

		if (thread != vcpu && !thread->kernel && thread->pid != getpid() &&
		    nhn_check_cpus_has(&thread->affinity, core))
			return thread;
	}
	return NULL;
}

static bool __attribute__((format(printf, 3, 4)))
bad(struct vcpus *vcpus, const struct check_thread *thread, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (vcpus->bad++ < NAMED_MAX)
		CHECK_ADD(vcpus->list, "%s%s of %d (thread %d) %s", vcpus->bad > 1 ? "; " : "",
			  thread->name, thread->pid, thread->tid, what);
	return false;
}

/* Is a thread of a program pinned to it? */
static bool
is_taken(const struct nhn_check *check, unsigned int core)
{
	for (unsigned int i = 0; i < check->after.thread_count; i++) {
		const struct check_thread *thread = &check->after.threads[i];

		if (!thread->kernel && nhn_check_cpus_has(&thread->affinity, core) &&
		    nhn_check_cpus_count(&thread->affinity) == 1)
			return true;
	}
	return false;
}

/* One to be named in a remedy; -1: none. */
static int
free_core(const struct nhn_check *check)
{
	struct check_cpus rest = nhn_check_cpus_and(&check->isolated, &check->online);

	if (strcmp(check->machine.cores_from, "given") == 0)
		rest = nhn_check_cpus_minus(&rest, &check->cores);
	for (int cpu = 0; (cpu = nhn_check_cpus_next(&rest, cpu)) >= 0; cpu++)
		if (!is_taken(check, (unsigned int)cpu))
			return cpu;
	return -1;
}

static bool
judge(const struct nhn_check *check, const struct check_thread *thread, struct vcpus *vcpus)
{
	const struct check_thread *other;
	int core;

	if (nhn_check_cpus_count(&thread->affinity) != 1)
		return bad(vcpus, thread, "may run on %s",
			   nhn_check_cpus_list(&thread->affinity).text);
	core = nhn_check_cpus_next(&thread->affinity, 0);
	/* The isolated ones, where none was given, are those of the guests too. */
	if (strcmp(check->machine.cores_from, "given") == 0 &&
	    nhn_check_cpus_has(&check->cores, (unsigned int)core))
		return bad(vcpus, thread, "is on %d, one of the cores in use", core);
	if (!nhn_check_cpus_has(&check->isolated, (unsigned int)core))
		return bad(vcpus, thread, "is on %d, which is not isolated", core);
	other = neighbour(check, thread, (unsigned int)core);
	if (other != NULL)
		return bad(vcpus, thread, "shares %d with %s (thread %d)", core, other->name,
			   other->tid);
	return true;
}

static bool
has_vcpus(const struct nhn_check *check, int pid)
{
	for (unsigned int i = 0; i < check->after.thread_count; i++)
		if (check->after.threads[i].pid == pid &&
		    nhn_check_thread_vcpu(&check->after.threads[i]))
			return true;
	return false;
}

static void
judge_all(const struct nhn_check *check, struct vcpus *vcpus, struct nhn_check_result *result)
{
	const int core = free_core(check);
	char to[16] = "CORE";

	if (core >= 0)
		snprintf(to, sizeof(to), "%d", core);
	for (unsigned int i = 0; i < check->after.thread_count; i++) {
		const struct check_thread *thread = &check->after.threads[i];

		if (nhn_check_thread_vcpu(thread)) {
			vcpus->found++;
			if (!judge(check, thread, vcpus) && vcpus->bad == 1)
				nhn_check_remedy(result,
						 "taskset -cp %s %d; libvirt: <vcpupin>, and"
						 " <emulatorpin> for QEMU's other threads",
						 to, thread->tid);
		} else if (thread->tid == thread->pid && nhn_check_thread_qemu(thread) &&
			   !has_vcpus(check, thread->pid)) {
			vcpus->nameless++;
			vcpus->nameless_pid = thread->pid;
		}
	}
}

static int
check_vcpus(struct nhn_check *check, struct nhn_check_result *result)
{
	struct vcpus vcpus = {.found = 0};

	nhn_check_want(result, "each alone on an isolated core, none on a core in use");
	judge_all(check, &vcpus, result);
	if (vcpus.bad > 0)
		return nhn_check_fail(result, "%s%s", vcpus.list,
				      vcpus.bad > NAMED_MAX ? " ..." : "");
	if (vcpus.nameless > 0) {
		nhn_check_remedy(result, "start QEMU with -name NAME,debug-threads=on");
		return nhn_check_warn(result, "QEMU %d does not name its vCPU threads",
				      vcpus.nameless_pid);
	}
	if (vcpus.found == 0)
		return nhn_check_skip(result, "no QEMU is visible here");
	return nhn_check_pass(result, "%u, each alone on an isolated core", vcpus.found);
}

const struct check_entry nhn_check_vcpus_table[] = {
	{{"vcpus", "QEMU's vCPU threads have cores of their own",
	  "While another thread runs on the core of a vCPU, QEMU's own ones among them, the guest"
	  " stands still for milliseconds.",
	  true},
	 check_vcpus},
	{{NULL, NULL, NULL, false}, NULL},
};
