/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether each primitive does what it should: content by a pattern made from a seed, odd
 * sizes, wraps, known answers. Each is measured before as micro/primitives does it, so that
 * what is proven is what is measured.
 *
 * usage: validate
 */

#include <stdio.h>
#include <stdlib.h>

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
	for (turn = 0; turn < 3; turn++)
		primitive_turn(p, state);
	right = p->validate(p, state);
	/* And that its run() finds all as it was. */
	primitive_turn(p, state);
	if (p->close != NULL)
		p->close(state);
	free(state);
	if (right)
		totals->right++;
	else
		totals->wrong++;
	return true;
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
	if (!primitive_each(validate, &totals))
		return 1;
	printf("validate: %u primitives are right, %u wrong\n", totals.right, totals.wrong);
	return totals.wrong == 0 ? 0 : 1;
}
