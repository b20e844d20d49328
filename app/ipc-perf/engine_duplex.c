/* SPDX-License-Identifier: BSD-3-Clause */

#include "run.h"

static void
duplex_order(const struct settings *settings, struct order *order)
{
	order->burst = settings->burst;
}

static enum outcome
duplex_round(struct run *run)
{
	const struct order source = {
		.kind = ORDER_SOURCE,
		.size = run->near.length,
		.burst = run->settings->burst,
		.count = run->round_messages,
	};
	enum outcome outcome = run->calls->order(run->way, &run->near, &source, NULL, 0);

	if (outcome != OUTCOME_OK)
		return outcome;
	return run->calls->duplex(run->way, &run->near, run->round_messages, &run->moved);
}

const struct engine engine_duplex = {
	.name = "duplex",
	.help = "Both ends send bursts at once and check what comes: messages a second, each way.",
	.loop = "none",
	.uses = USES_LINK | USES_SIZE | USES_BURST,
	.order = duplex_order,
	.round = duplex_round,
};
