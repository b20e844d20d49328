/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

#include <nhn_check.h>

/** What was looked at. */
struct report {
	const struct nhn_check_machine *machine;
	const char *root;		  /**< NULL: this machine */
	struct nhn_check_result *results; /**< in the order of the table */
	unsigned int count;
	unsigned int counts[4]; /**< by status */
};

/** Worst first. @param colours  of a terminal */
void output_text(const struct report *report, bool colours);

/** @return 0 or -ENOMEM */
int output_json(const struct report *report);

#endif /* OUTPUT_H */
