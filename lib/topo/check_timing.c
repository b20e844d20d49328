/* SPDX-License-Identifier: BSD-3-Clause */

/* What the kernel does on every core from time to time. */

#include <errno.h>
#include <string.h>

#include "check_internal.h"

/* Seconds: as tuned's profiles for real time set it. */
#define STAT_INTERVAL_S 10
#define STAT_INTERVAL "/proc/sys/vm/stat_interval"
#define MACHINECHECK "/sys/devices/system/machinecheck"

static int
check_stat_interval(struct nhn_check *check, struct nhn_check_result *result)
{
	long long seconds;
	int rc = nhn_check_read_number(check, &seconds, "proc/sys/vm/stat_interval");

	nhn_check_want(result, "at least %d s", STAT_INTERVAL_S);
	if (rc != 0)
		return nhn_check_skip_file(result, STAT_INTERVAL, rc);
	if (seconds >= STAT_INTERVAL_S)
		return nhn_check_pass(result, "%lld s", seconds);
	nhn_check_remedy(result, "sysctl -w vm.stat_interval=%d", STAT_INTERVAL_S);
	nhn_check_note_write(result, "10", STAT_INTERVAL);
	return nhn_check_warn(result, "%lld s", seconds);
}

/* One value for all CPUs, shown at each: 0 never. */
static int
check_mce(struct nhn_check *check, struct nhn_check_result *result)
{
	const int cpu = nhn_check_cpus_next(&check->cores, 0);
	long long seconds, ignored = 0;
	int rc = nhn_check_read_number(
		check, &seconds, "sys/devices/system/machinecheck/machinecheck%d/check_interval",
		cpu);

	nhn_check_want(result, "check_interval 0");
	if (rc != 0)
		return nhn_check_skip_file(result, MACHINECHECK, rc);
	if (nhn_check_read_number(check, &ignored,
				  "sys/devices/system/machinecheck/machinecheck%d/ignore_ce",
				  cpu) == 0 &&
	    ignored != 0)
		return nhn_check_pass(result, "ignore_ce %lld: no polling", ignored);
	if (seconds == 0)
		return nhn_check_pass(result, "0: no polling");
	nhn_check_remedy(result, "echo 0 > " MACHINECHECK "/machinecheck%d/check_interval", cpu);
	nhn_check_note_write(result, "0", MACHINECHECK "/machinecheck%d/check_interval", cpu);
	return nhn_check_warn(result, "every %lld s", seconds);
}

const struct check_entry nhn_check_timing_table[] = {
	{{"stat_interval", "statistics of memory are gathered seldom",
	  "A worker of each core gathers them once in this time, at first once a second.", false},
	 check_stat_interval},
	{{"mce", "the machine-check registers are not polled",
	  "A timer of each core reads them every few minutes, and slow firmware makes that long.",
	  false},
	 check_mce},
	{{NULL, NULL, NULL, false}, NULL},
};
