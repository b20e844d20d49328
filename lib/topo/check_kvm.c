/* SPDX-License-Identifier: BSD-3-Clause */

/* Parameters of the kvm modules that make a guest stand still, or exit. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_internal.h"

#define MODULES "sys/module"

struct parameter {
	const char *module, *name;
	enum nhn_check_status status; /* of a value that is not `good` */
	/* Values that are well: words between blanks. */
	const char *good;
	/* What to write at run time; NULL: it takes a new load of the module. */
	const char *mend;
};

static const struct parameter parameters[] = {
	{"kvm_intel", "ept", NHN_CHECK_FAIL, " Y 1 ", NULL},
	{"kvm_amd", "npt", NHN_CHECK_FAIL, " Y 1 ", NULL},
	{"kvm_intel", "ple_gap", NHN_CHECK_WARN, " 0 ", NULL},
	{"kvm_amd", "pause_filter_count", NHN_CHECK_WARN, " 0 ", NULL},
	{"kvm", "kvmclock_periodic_sync", NHN_CHECK_WARN, " N 0 ", NULL},
	{"kvm", "nx_huge_pages_recovery_ratio", NHN_CHECK_WARN, " 0 ", "0"},
};

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

/* The recovery of huge pages does nothing where none was split. */
static bool
is_moot(const struct nhn_check *check, const struct parameter *parameter)
{
	char value[32];

	return strcmp(parameter->name, "nx_huge_pages_recovery_ratio") == 0 &&
	       nhn_check_read_line(check, value, sizeof(value),
				   MODULES "/kvm/parameters/nx_huge_pages") == 0 &&
	       strcmp(value, "Y") != 0;
}

/* The value of one that is not as it should be. False: it is, or is not there. */
static bool
is_bad(const struct nhn_check *check, const struct parameter *parameter, char *value, size_t size)
{
	char word[40];

	if (nhn_check_read_line(check, value, size, MODULES "/%s/parameters/%s", parameter->module,
				parameter->name) != 0)
		return false;
	snprintf(word, sizeof(word), " %s ", value);
	return strstr(parameter->good, word) == NULL && !is_moot(check, parameter);
}

static void
remedy_add(struct nhn_check_result *result, const struct parameter *parameter)
{
	const char *between = result->remedy[0] != '\0' ? "; " : "";

	/* "Y" or "0": the first of the good values. */
	if (parameter->mend == NULL) {
		CHECK_ADD(result->remedy,
			  "%secho options %s %s=%c > /etc/modprobe.d/nahanni-%s-%s.conf", between,
			  parameter->module, parameter->name, parameter->good[1], parameter->module,
			  parameter->name);
		return;
	}
	CHECK_ADD(result->remedy, "%secho %s > /" MODULES "/%s/parameters/%s", between,
		  parameter->mend, parameter->module, parameter->name);
	nhn_check_note_write(result, parameter->mend, "/" MODULES "/%s/parameters/%s",
			     parameter->module, parameter->name);
}

static int
check_kvm(struct nhn_check *check, struct nhn_check_result *result)
{
	char value[32], list[NHN_CHECK_TEXT_MAX] = "";
	enum nhn_check_status worst = NHN_CHECK_PASS;
	unsigned int bad = 0;

	nhn_check_want(result, "no parameter that makes a polling guest exit");
	if (!nhn_check_exists(check, MODULES "/kvm_intel") &&
	    !nhn_check_exists(check, MODULES "/kvm_amd"))
		return nhn_check_skip(result, "neither kvm_intel nor kvm_amd is loaded");
	for (unsigned int i = 0; i < PARAMETERS; i++) {
		if (!is_bad(check, &parameters[i], value, sizeof(value)))
			continue;
		CHECK_ADD(list, "%s%s.%s=%s", bad++ > 0 ? ", " : "", parameters[i].module,
			  parameters[i].name, value);
		remedy_add(result, &parameters[i]);
		if (parameters[i].status > worst)
			worst = parameters[i].status;
	}
	if (bad == 0)
		return nhn_check_pass(result, "as they should be");
	return worst == NHN_CHECK_FAIL ? nhn_check_fail(result, "%s", list)
				       : nhn_check_warn(result, "%s", list);
}

const struct check_entry nhn_check_kvm_table[] = {
	{{"kvm", "parameters of KVM let the guest run",
	  "Without tables in hardware each change of the guest's own exits; the others stop a"
	  " polling vCPU now and then, or at each pause.",
	  false},
	 check_kvm},
	{{NULL, NULL, NULL, false}, NULL},
};
