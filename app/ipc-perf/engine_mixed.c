/* SPDX-License-Identifier: BSD-3-Clause */

#include "run.h"

static void
mixed_order(const struct settings *settings, struct order *order)
{
	order->burst = settings->burst;
}

/** The same trips without bulk come first: what the bulk adds shows beside them. */
static enum outcome
mixed_round(struct run *run)
{
	enum outcome outcome =
		run->calls->trips(run->way, &run->near, run->round_messages, run->extra);

	if (outcome != OUTCOME_OK)
		return outcome;
	return run->calls->mixed(run->way, &run->near, run->round_messages, run->round,
				 &run->moved);
}

const struct engine engine_mixed = {
	.name = "mixed",
	.help = "Round trips of control messages on the urgent channel (or first queue) while bulk"
		" messages fill the other one; beside them the same trips without bulk.",
	.loop = "closed",
	.latency = "round trip under bulk",
	.extra = "round trip without bulk",
	.uses = USES_LINK | USES_SIZE | USES_BURST | USES_BULK_SIZE,
	.order = mixed_order,
	.round = mixed_round,
};
