/* SPDX-License-Identifier: BSD-3-Clause */

/* Which cores are in use, and what the kernel keeps away from them. */

#include <errno.h>
#include <string.h>

#include "check_internal.h"

#define CPU_FOLDER "/sys/devices/system/cpu"

static int
check_cores(struct nhn_check *check, struct nhn_check_result *result)
{
	const struct check_cpus absent = nhn_check_cpus_minus(&check->cores, &check->online);
	const char *cores = check->machine.cores;
	const struct check_cpus none = {0};
	char list[NHN_CHECK_LIST_MAX];

	nhn_check_want(result, "cores that are online and isolated, without CPU 0");
	if (nhn_check_cpus_empty(&check->online))
		return nhn_check_skip(result, CPU_FOLDER "/online tells nothing");
	if (!nhn_check_cpus_empty(&absent)) {
		nhn_check_remedy(result, "--cores with CPUs out of %s", check->machine.online);
		return nhn_check_fail(result, "%s, of which %s are not online", cores,
				      nhn_check_cpus_list(&absent).text);
	}
	nhn_check_isolable(check, &none, list, sizeof(list));
	if (strcmp(check->machine.cores_from, "allowed") == 0) {
		nhn_check_remedy(result,
				 "--cores LIST, or isolate some: isolcpus=domain,managed_irq,%s",
				 list);
		return nhn_check_warn(result,
				      "%s: all that may be used, for none is isolated and none was"
				      " named",
				      cores);
	}
	if (nhn_check_cpus_has(&check->cores, 0)) {
		if (nhn_check_cpus_count(&check->cores) == 1)
			nhn_check_remedy(result,
					 "leave CPU 0 to the kernel: --cores with others of %s",
					 check->machine.online);
		else
			nhn_check_remedy(result, "leave CPU 0 to the kernel: --cores %s", list);
		return nhn_check_warn(result, "%s, with CPU 0 among them", cores);
	}
	return nhn_check_pass(result, "%s (%s)", cores, check->machine.cores_from);
}

/* Isolated cores that are not in use are no harm: a guest's vCPUs may be there. */
static int
check_isolcpus(struct nhn_check *check, struct nhn_check_result *result)
{
	const struct check_cpus open = nhn_check_cpus_minus(&check->cores, &check->isolated);
	char list[NHN_CHECK_LIST_MAX];

	nhn_check_want(result, "%s within the isolated ones", check->machine.cores);
	if (!nhn_check_exists(check, CPU_FOLDER "/isolated"))
		return nhn_check_skip_file(result, CPU_FOLDER "/isolated", -ENOENT);
	if (nhn_check_cpus_empty(&open))
		return nhn_check_pass(result, "isolated: %s", check->machine.isolated);
	nhn_check_isolable(check, &check->isolated, list, sizeof(list));
	nhn_check_remedy(result, "kernel parameter isolcpus=domain,managed_irq,%s", list);
	return nhn_check_fail(result, "isolated: %s; %s not", check->machine.isolated,
			      nhn_check_cpus_list(&open).text);
}

static int
check_nohz_full(struct nhn_check *check, struct nhn_check_result *result)
{
	const struct check_cpus open = nhn_check_cpus_minus(&check->cores, &check->nohz_full);
	char list[NHN_CHECK_LIST_MAX];

	nhn_check_want(result, "%s within nohz_full", check->machine.cores);
	if (!nhn_check_exists(check, CPU_FOLDER "/isolated"))
		return nhn_check_skip_file(result, CPU_FOLDER, -ENOENT);
	nhn_check_isolable(check, &check->nohz_full, list, sizeof(list));
	if (!nhn_check_exists(check, CPU_FOLDER "/nohz_full")) {
		nhn_check_remedy(
			result, "a kernel with CONFIG_NO_HZ_FULL=y, and its parameter nohz_full=%s",
			list);
		return nhn_check_fail(result, "this kernel has no nohz_full");
	}
	if (nhn_check_cpus_empty(&open))
		return nhn_check_pass(result, "nohz_full: %s", check->machine.nohz_full);
	nhn_check_remedy(result, "kernel parameter nohz_full=%s", list);
	return nhn_check_fail(result, "nohz_full: %s; %s not", check->machine.nohz_full,
			      nhn_check_cpus_list(&open).text);
}

/* The kernel shows it nowhere but in its command line; nohz_full implies it. */
static int
check_rcu_nocbs(struct nhn_check *check, struct nhn_check_result *result)
{
	char value[NHN_CHECK_LIST_MAX] = "", list[NHN_CHECK_LIST_MAX];
	struct check_cpus offloaded = {0}, open;

	nhn_check_want(result, "%s within rcu_nocbs or nohz_full", check->machine.cores);
	if (!nhn_check_exists(check, "proc/cmdline"))
		return nhn_check_skip_file(result, "/proc/cmdline", -ENOENT);
	if (nhn_check_parameter(check, "rcu_nocbs", value, sizeof(value)) &&
	    nhn_check_cpus_parse(value, &check->online, &offloaded) != 0)
		memset(&offloaded, 0, sizeof(offloaded));
	offloaded = nhn_check_cpus_or(&offloaded, &check->nohz_full);
	open = nhn_check_cpus_minus(&check->cores, &offloaded);
	if (nhn_check_cpus_empty(&open))
		return nhn_check_pass(result, "offloaded: %s",
				      nhn_check_cpus_list(&offloaded).text);
	nhn_check_isolable(check, &offloaded, list, sizeof(list));
	nhn_check_remedy(result, "kernel parameter rcu_nocbs=%s", list);
	return nhn_check_fail(result, "offloaded: %s; %s not", nhn_check_cpus_list(&offloaded).text,
			      nhn_check_cpus_list(&open).text);
}

/* isolcpus= without managed_irq: queues of NVMe and network cards keep their interrupts. */
static bool
lacks_managed_irq(const struct nhn_check *check)
{
	char value[NHN_CHECK_LIST_MAX];

	return nhn_check_parameter(check, "isolcpus", value, sizeof(value)) &&
	       strstr(value, "managed_irq") == NULL;
}

static int
check_irqaffinity(struct nhn_check *check, struct nhn_check_result *result)
{
	char list[NHN_CHECK_LIST_MAX];
	struct check_cpus set, rest;
	char mask[NHN_CHECK_CPUS_MAX / 32 * 9 + 2];
	int rc = nhn_check_read_line(check, mask, sizeof(mask), "proc/irq/default_smp_affinity");

	nhn_check_want(result, "a default affinity without %s", check->machine.cores);
	if (rc == 0)
		rc = nhn_check_cpus_parse_mask(mask, &set);
	if (rc != 0)
		return nhn_check_skip_file(result, "/proc/irq/default_smp_affinity", rc);
	/* Bits of CPUs that are not there are set as well. */
	set = nhn_check_cpus_and(&set, &check->online);
	if (nhn_check_cpus_meet(&set, &check->cores)) {
		if (nhn_check_others(check, result, &rest)) {
			nhn_check_note_mask(result, &rest, "/proc/irq/default_smp_affinity");
			nhn_check_remedy(result, "kernel parameter irqaffinity=%s",
					 nhn_check_cpus_list(&rest).text);
		}
		return nhn_check_fail(result, "new interrupts may come to %s",
				      nhn_check_cpus_list(&set).text);
	}
	if (lacks_managed_irq(check)) {
		nhn_check_isolable(check, &check->isolated, list, sizeof(list));
		nhn_check_remedy(result, "kernel parameter isolcpus=domain,managed_irq,%s", list);
		return nhn_check_warn(result, "default: %s; but isolcpus= has not managed_irq",
				      nhn_check_cpus_list(&set).text);
	}
	return nhn_check_pass(result, "default: %s", nhn_check_cpus_list(&set).text);
}

const struct check_entry nhn_check_cores_table[] = {
	{{"cores", "the cores in use are there, and are not CPU 0",
	  "What is judged are the cores that carry messages, and CPU 0 does work of the kernel that"
	  " goes nowhere else.",
	  false},
	 check_cores},
	{{"isolcpus", "the scheduler keeps away from them",
	  "Without isolation the scheduler puts any thread on these cores, and ours waits for its"
	  " time slice: milliseconds.",
	  false},
	 check_isolcpus},
	{{"nohz_full", "no timer tick while one thread runs",
	  "The tick interrupts a polling thread 100 to 1000 times a second, for microseconds each.",
	  false},
	 check_nohz_full},
	{{"rcu_nocbs", "RCU callbacks are run elsewhere",
	  "Callbacks of RCU that run on these cores hold them for as long as their list is.",
	  false},
	 check_rcu_nocbs},
	{{"irqaffinity", "new interrupts go elsewhere",
	  "A device that starts later gets its interrupts on a core that the default affinity"
	  " allows.",
	  false},
	 check_irqaffinity},
	{{NULL, NULL, NULL, false}, NULL},
};
