/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include "output.h"

/* What decides comes first, what is well last but what was not seen. */
static const enum nhn_check_status order[] = {
	NHN_CHECK_FAIL,
	NHN_CHECK_WARN,
	NHN_CHECK_PASS,
	NHN_CHECK_SKIP,
};

#define ID_WIDTH 17

static const char *
colour(bool colours, enum nhn_check_status status)
{
	static const char *const sequences[] = {"\033[32m", "\033[33m", "\033[1;31m", "\033[2m"};

	return colours ? sequences[status] : "";
}

static void
print_machine(const struct report *report)
{
	const struct nhn_check_machine *machine = report->machine;

	printf("%s%s%s%s%s, cores in use: %s (%s)\n\n", nhn_check_role_name(machine->role),
	       machine->kernel[0] != '\0' ? ", Linux " : "", machine->kernel,
	       machine->processor[0] != '\0' ? ", " : "", machine->processor, machine->cores,
	       machine->cores_from);
}

static void
print_result(const struct nhn_check_result *result, bool colours)
{
	printf("%s%-4s%s  %-*s  %s\n", colour(colours, result->status),
	       nhn_check_status_name(result->status), colours ? "\033[0m" : "", ID_WIDTH,
	       result->id, result->found);
	if (result->status != NHN_CHECK_FAIL && result->status != NHN_CHECK_WARN)
		return;
	printf("      %-*s  %s\n", ID_WIDTH, "  wanted", result->wanted);
	printf("      %-*s  %s\n", ID_WIDTH, "  why", result->why);
	printf("      %-*s  %s\n", ID_WIDTH, "  remedy", result->remedy);
}

static const char *
verdict(const struct report *report)
{
	if (report->counts[NHN_CHECK_FAIL] > 0)
		return "this machine gives no known worst case";
	if (report->counts[NHN_CHECK_WARN] > 0)
		return "nothing decisive is wrong";
	return report->counts[NHN_CHECK_PASS] > 0 ? "all that was seen is well"
						  : "nothing could be seen";
}

void
output_text(const struct report *report, bool colours)
{
	print_machine(report);
	for (unsigned int turn = 0; turn < 4; turn++)
		for (unsigned int i = 0; i < report->count; i++)
			if (report->results[i].status == order[turn])
				print_result(&report->results[i], colours);
	printf("\n%u fail, %u warn, %u pass, %u skip: %s\n", report->counts[NHN_CHECK_FAIL],
	       report->counts[NHN_CHECK_WARN], report->counts[NHN_CHECK_PASS],
	       report->counts[NHN_CHECK_SKIP], verdict(report));
}
