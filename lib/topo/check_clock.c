/* SPDX-License-Identifier: BSD-3-Clause */

/* The clock that deadlines and measurements are read from. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

#define FOLDER "sys/devices/system/clocksource/clocksource0"

static bool
has_word(const char *line, const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = line; (at = strstr(at, word)) != NULL; at += length)
		if ((at == line || at[-1] == ' ' || at[-1] == '\t') &&
		    strchr(" \t\n", at[length]) != NULL)
			return true;
	return false;
}

/* Read from user space, but through pages that the hypervisor rewrites. */
static bool
is_of_hypervisor(const char *name)
{
	return strcmp(name, "kvm-clock") == 0 || strncmp(name, "hyperv_clocksource_tsc", 22) == 0;
}

static bool
is_of_processor(const char *name)
{
	return strcmp(name, "tsc") == 0 || strcmp(name, "arch_sys_counter") == 0 ||
	       strcmp(name, "riscv_clocksource") == 0;
}

static int
check_clocksource(struct nhn_check *check, struct nhn_check_result *result)
{
	char name[64], others[256];
	int rc = nhn_check_read_line(check, name, sizeof(name), FOLDER "/current_clocksource");

	nhn_check_want(result, "tsc");
	if (rc != 0)
		return nhn_check_skip_file(result, "/" FOLDER "/current_clocksource", rc);
	if (is_of_processor(name))
		return nhn_check_pass(result, "%s", name);
	if (nhn_check_read_line(check, others, sizeof(others), FOLDER "/available_clocksource") ==
		    0 &&
	    has_word(others, "tsc")) {
		nhn_check_remedy(result, "echo tsc > /" FOLDER "/current_clocksource");
		nhn_check_note_write(result, "tsc", "/" FOLDER "/current_clocksource");
	} else {
		nhn_check_remedy(result, "kernel parameters tsc=reliable clocksource=tsc");
	}
	return is_of_hypervisor(name) ? nhn_check_warn(result, "%s", name)
				      : nhn_check_fail(result, "%s", name);
}

static int
check_tsc(struct nhn_check *check, struct nhn_check_result *result)
{
	const bool guest = check->machine.role == NHN_CHECK_ROLE_GUEST;
	char *cpuinfo, *flags;
	bool constant, nonstop;
	int rc = nhn_check_read_all(check, &cpuinfo, "proc/cpuinfo");

	nhn_check_want(result, "constant_tsc and nonstop_tsc");
	if (rc != 0)
		return nhn_check_skip_file(result, "/proc/cpuinfo", rc);
	flags = strstr(cpuinfo, "\nflags");
	if (flags != NULL)
		flags[1 + strcspn(flags + 1, "\n")] = '\0';
	constant = flags != NULL && has_word(flags, "constant_tsc");
	nonstop = flags != NULL && has_word(flags, "nonstop_tsc");
	rc = flags == NULL;
	free(cpuinfo);
	if (rc != 0)
		return nhn_check_skip(result, "this processor has no TSC");
	nhn_check_remedy(
		result, "%s",
		guest ? "QEMU's -cpu host,+invtsc; the guest's kernel parameter tsc=reliable"
		      : "firmware: switch on the invariant TSC; else another machine");
	if (constant && nonstop)
		return nhn_check_pass(result, "constant_tsc and nonstop_tsc");
	if (constant)
		return nhn_check_warn(result, "constant_tsc, but not nonstop_tsc");
	return nhn_check_fail(result, "not constant_tsc%s", nonstop ? "" : " and not nonstop_tsc");
}

const struct check_entry nhn_check_clock_table[] = {
	{{"clocksource", "the time is read from the processor",
	  "Reading another clock takes a bus access or a call of the kernel: up to microseconds,"
	  " and they queue.",
	  false},
	 check_clocksource},
	{{"tsc", "the time counter runs evenly",
	  "A counter that changes its pace with the clock, or stops while a core sleeps, measures"
	  " nothing.",
	  false},
	 check_tsc},
	{{NULL, NULL, NULL, false}, NULL},
};
