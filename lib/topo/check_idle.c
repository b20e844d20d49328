/* SPDX-License-Identifier: BSD-3-Clause */

/* How long a core takes to wake, by the sleep states that it may enter. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

#define CPU_FOLDER "sys/devices/system/cpu"
#define STATES_MAX 16
/* C1 wakes in 1-2 us, C1E in 10, C6 in 50-200. */
#define WAKE_PASS_US 2
#define WAKE_WARN_US 20
/* PM_QOS_CPU_LATENCY_DEFAULT_VALUE: nobody asks for less. */
#define NO_LIMIT_US 2000000000

/* What somebody who holds /dev/cpu_dma_latency asks for. False: it cannot be read. */
static bool
global_limit(const struct nhn_check *check, long long *limit_us)
{
	int32_t value;

	*limit_us = NO_LIMIT_US;
	if (nhn_check_read_bytes(check, &value, sizeof(value), "dev/cpu_dma_latency") !=
	    sizeof(value))
		return false;
	*limit_us = value;
	return true;
}

/* The same for one core: "n/a" asks for no latency at all, 0 for nothing. */
static long long
core_limit(const struct nhn_check *check, int cpu)
{
	char text[32], *end;
	long long value;

	if (nhn_check_read_line(check, text, sizeof(text),
				CPU_FOLDER "/cpu%d/power/pm_qos_resume_latency_us", cpu) != 0)
		return NO_LIMIT_US;
	if (strcmp(text, "n/a") == 0)
		return 0;
	value = strtoll(text, &end, 10);
	return end != text && *end == '\0' && value > 0 ? value : NO_LIMIT_US;
}

struct deepest {
	long long wake_us; /* of the slowest state that may be entered; -1: none is known */
	int cpu;
	char name[32];
};

/* States that wake slower than the limit are not entered; the others may be switched off. */
static void
core_states(const struct nhn_check *check, int cpu, long long limit_us, struct deepest *deepest,
	    struct nhn_check_result *result)
{
	for (int state = 0; state < STATES_MAX; state++) {
		long long wake_us, off = 0;

		if (nhn_check_read_number(check, &wake_us,
					  CPU_FOLDER "/cpu%d/cpuidle/state%d/latency", cpu,
					  state) != 0)
			return;
		nhn_check_read_number(check, &off, CPU_FOLDER "/cpu%d/cpuidle/state%d/disable", cpu,
				      state);
		if (off != 0 || wake_us > limit_us)
			continue;
		if (wake_us > WAKE_PASS_US)
			nhn_check_note_write(result, "1",
					     "/" CPU_FOLDER "/cpu%d/cpuidle/state%d/disable", cpu,
					     state);
		if (wake_us <= deepest->wake_us)
			continue;
		deepest->wake_us = wake_us;
		deepest->cpu = cpu;
		nhn_check_read_line(check, deepest->name, sizeof(deepest->name),
				    CPU_FOLDER "/cpu%d/cpuidle/state%d/name", cpu, state);
	}
}

static int
check_c_states(struct nhn_check *check, struct nhn_check_result *result)
{
	struct deepest deepest = {.wake_us = -1};
	long long global_us;
	const bool known = global_limit(check, &global_us);
	const char *held = !known		     ? "; /dev/cpu_dma_latency may not be read"
			   : global_us < NO_LIMIT_US ? "; /dev/cpu_dma_latency is held"
						     : "; nobody holds /dev/cpu_dma_latency";

	nhn_check_want(result, "no state that wakes in more than %d us", WAKE_PASS_US);
	for (int cpu = 0; (cpu = nhn_check_cpus_next(&check->cores, cpu)) >= 0; cpu++) {
		const long long core_us = core_limit(check, cpu);

		core_states(check, cpu, core_us < global_us ? core_us : global_us, &deepest,
			    result);
	}
	if (deepest.wake_us < 0 && !nhn_check_exists(check, CPU_FOLDER "/cpu%d/cpuidle/state0",
						     nhn_check_cpus_next(&check->cores, 0)))
		return nhn_check_skip(result, "no sleep states are told of here%s",
				      check->machine.role == NHN_CHECK_ROLE_GUEST
					      ? ": they are the host's affair"
					      : "");
	if (deepest.wake_us <= WAKE_PASS_US)
		return nhn_check_pass(
			result, "%s%s",
			deepest.name[0] != '\0' ? deepest.name : "no state is entered", held);
	nhn_check_remedy(result,
			 "hold it at 0 while it runs: exec 3>/dev/cpu_dma_latency; printf"
			 " '\\0\\0\\0\\0' >&3; or cpupower -c %s idle-set -D %d",
			 check->machine.cores, WAKE_PASS_US + 1);
	return deepest.wake_us > WAKE_WARN_US
		       ? nhn_check_fail(result, "%s of %d wakes in %lld us%s", deepest.name,
					deepest.cpu, deepest.wake_us, held)
		       : nhn_check_warn(result, "%s of %d wakes in %lld us%s", deepest.name,
					deepest.cpu, deepest.wake_us, held);
}

const struct check_entry nhn_check_idle_table[] = {
	{{"c-states", "the cores wake at once",
	  "A core that sleeps deeply takes up to hundreds of microseconds to wake, and a sleeping"
	  " neighbour changes the clock of the others.",
	  false},
	 check_c_states},
	{{NULL, NULL, NULL, false}, NULL},
};
