/* SPDX-License-Identifier: BSD-3-Clause */

#include "run.h"

static enum outcome
ping_round(struct run *run)
{
	return run->calls->trips(run->way, &run->near, run->round_messages, run->round);
}

const struct engine engine_ping = {
	.name = "ping",
	.help = "Sends a message, waits for the answer, notes the time between, and goes on at"
		" once: the round trip of an idle link. A stall costs one sample (closed loop).",
	.loop = "closed",
	.latency = "round trip",
	.uses = USES_LINK | USES_SIZE,
	.round = ping_round,
};
