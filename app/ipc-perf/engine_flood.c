/* SPDX-License-Identifier: BSD-3-Clause */

#include "run.h"

static void
flood_order(const struct settings *settings, struct order *order)
{
	order->burst = settings->burst;
}

static enum outcome
flood_round(struct run *run)
{
	return run->calls->flood(run->way, &run->near, run->round_messages, &run->moved);
}

const struct engine engine_flood = {
	.name = "flood",
	.help = "Sends bursts as fast as the far end takes them, which checks every byte: messages"
		" a second, from the first send until the far end has the last one.",
	.loop = "none",
	.uses = USES_LINK | USES_SIZE | USES_BURST,
	.order = flood_order,
	.round = flood_round,
};
