/* SPDX-License-Identifier: BSD-3-Clause */

/* What changes the speed of the cores in use. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_internal.h"

#define CPU_FOLDER "sys/devices/system/cpu"

/* Siblings of our cores, as the kernel lists them: those that are online. */
struct smt {
	struct check_cpus busy;	  /* that the scheduler uses */
	struct check_cpus shared; /* of our cores, whose sibling is one of ours, too */
	bool known;
};

static void
smt_read(const struct nhn_check *check, struct smt *smt)
{
	memset(smt, 0, sizeof(*smt));
	for (int cpu = 0; (cpu = nhn_check_cpus_next(&check->cores, cpu)) >= 0; cpu++) {
		struct check_cpus siblings, own = {0}, ours, open;

		if (nhn_check_read_cpus(check, &siblings,
					CPU_FOLDER "/cpu%d/topology/thread_siblings_list",
					cpu) != 0)
			continue;
		smt->known = true;
		nhn_check_cpus_set(&own, (unsigned int)cpu);
		siblings = nhn_check_cpus_minus(&siblings, &own);
		ours = nhn_check_cpus_and(&siblings, &check->cores);
		if (!nhn_check_cpus_empty(&ours))
			nhn_check_cpus_set(&smt->shared, (unsigned int)cpu);
		open = nhn_check_cpus_minus(&siblings, &check->cores);
		open = nhn_check_cpus_minus(&open, &check->isolated);
		smt->busy = nhn_check_cpus_or(&smt->busy, &open);
	}
}

static int
check_smt(struct nhn_check *check, struct nhn_check_result *result)
{
	struct smt smt;

	smt_read(check, &smt);
	nhn_check_want(result, "no sibling of %s that does anything", check->machine.cores);
	if (!smt.known)
		return nhn_check_skip_file(result, "/" CPU_FOLDER "/cpuN/topology", -ENOENT);
	nhn_check_remedy(result,
			 "kernel parameter nosmt, or echo off > /" CPU_FOLDER "/smt/control");
	nhn_check_note_write(result, "off", "/" CPU_FOLDER "/smt/control");
	if (!nhn_check_cpus_empty(&smt.busy))
		return nhn_check_fail(result, "siblings that the scheduler uses: %s",
				      nhn_check_cpus_list(&smt.busy).text);
	if (!nhn_check_cpus_empty(&smt.shared))
		return nhn_check_warn(result, "siblings of each other: %s",
				      nhn_check_cpus_list(&smt.shared).text);
	return nhn_check_pass(result, "none");
}

static int
check_governor(struct nhn_check *check, struct nhn_check_result *result)
{
	struct check_cpus slow = {0}, fixed = {0};
	char governor[32], first[32] = "";
	bool known = false;

	nhn_check_want(result, "performance");
	nhn_check_remedy(result, "cpupower -c %s frequency-set -g performance",
			 check->machine.cores);
	for (int cpu = 0; (cpu = nhn_check_cpus_next(&check->cores, cpu)) >= 0; cpu++) {
		bool by_hand;

		if (nhn_check_read_line(check, governor, sizeof(governor),
					CPU_FOLDER "/cpu%d/cpufreq/scaling_governor", cpu) != 0)
			continue;
		known = true;
		if (strcmp(governor, "performance") == 0)
			continue;
		/* Somebody sets the clock by hand, and it stays as it is. */
		by_hand = strcmp(governor, "userspace") == 0;
		nhn_check_cpus_set(by_hand ? &fixed : &slow, (unsigned int)cpu);
		if (by_hand)
			continue;
		if (first[0] == '\0')
			snprintf(first, sizeof(first), "%s", governor);
		nhn_check_note_write(result, "performance",
				     "/" CPU_FOLDER "/cpu%d/cpufreq/scaling_governor", cpu);
	}
	if (!known)
		return nhn_check_skip(result, "no governor is told of here%s",
				      check->machine.role == NHN_CHECK_ROLE_GUEST
					      ? ": it is the host's affair"
					      : "");
	if (!nhn_check_cpus_empty(&slow))
		return nhn_check_fail(result, "%s on %s", first, nhn_check_cpus_list(&slow).text);
	if (!nhn_check_cpus_empty(&fixed))
		return nhn_check_warn(result, "userspace on %s", nhn_check_cpus_list(&fixed).text);
	return nhn_check_pass(result, "performance");
}

static int
check_turbo(struct nhn_check *check, struct nhn_check_result *result)
{
	long long value;

	nhn_check_want(result, "off");
	if (nhn_check_read_number(check, &value, CPU_FOLDER "/intel_pstate/no_turbo") == 0) {
		if (value != 0)
			return nhn_check_pass(result, "no_turbo %lld", value);
		nhn_check_remedy(result, "echo 1 > /" CPU_FOLDER "/intel_pstate/no_turbo");
		nhn_check_note_write(result, "1", "/" CPU_FOLDER "/intel_pstate/no_turbo");
		return nhn_check_warn(result, "no_turbo 0");
	}
	if (nhn_check_read_number(check, &value, CPU_FOLDER "/cpufreq/boost") == 0) {
		if (value == 0)
			return nhn_check_pass(result, "boost 0");
		nhn_check_remedy(result, "echo 0 > /" CPU_FOLDER "/cpufreq/boost");
		nhn_check_note_write(result, "0", "/" CPU_FOLDER "/cpufreq/boost");
		return nhn_check_warn(result, "boost %lld", value);
	}
	return nhn_check_skip(
		result, "no switch for it is here%s",
		check->machine.role == NHN_CHECK_ROLE_GUEST ? ": it is the host's affair" : "");
}

const struct check_entry nhn_check_power_table[] = {
	{{"smt", "no hardware thread shares their physical core",
	  "Two hardware threads of a core share its units and its L1 and L2: each slows the other"
	  " by half, at any time.",
	  false},
	 check_smt},
	{{"governor", "the clock stays as it is",
	  "A governor that follows the load changes the clock, and each change stops the core for"
	  " tens of microseconds.",
	  false},
	 check_governor},
	{{"turbo", "the clock does not depend on the neighbours",
	  "With turbo the clock follows how many cores are busy and how warm they are.", false},
	 check_turbo},
	{{NULL, NULL, NULL, false}, NULL},
};
