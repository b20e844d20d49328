/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether each primitive does what it should: content by a pattern made from a seed, odd
 * sizes, wraps, known answers. Then each is run as micro/primitives does, and has to be right
 * after that as well.
 *
 * usage: validate
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primitive.h"

struct totals {
	uint32_t right;
	uint32_t wrong;
};

static bool
validate(const struct primitive *p, void *context)
{
	struct totals *totals = context;
	void *state = p->open(p);
	bool right;
	uint32_t turn;

	if (state == NULL)
		return false;
	right = p->validate(p, state);
	for (turn = 0; turn < 3 && right; turn++)
		primitive_turn(p, state);
	right = right && p->validate(p, state);
	if (p->close != NULL)
		p->close(state);
	free(state);
	if (right)
		totals->right++;
	else
		totals->wrong++;
	return true;
}

/* Clocks of two cores may differ, and one that is moved between them would go back. */
static void
pin(void)
{
	const int core = primitive_first_core();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return;
	fprintf(stderr, "validate: core %d cannot be used: %s\n", core, strerror(errno));
	exit(1);
}

int
main(int argc, char **argv)
{
	struct totals totals = {0, 0};

	(void)argv;
	if (argc != 1) {
		fprintf(stderr, "usage: validate\n");
		return 2;
	}
	pin();
	if (!primitive_each(validate, &totals))
		return 1;
	printf("validate: %u primitives are right, %u wrong\n", totals.right, totals.wrong);
	return totals.wrong == 0 ? 0 : 1;
}
