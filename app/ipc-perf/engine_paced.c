/* SPDX-License-Identifier: BSD-3-Clause */

#include "run.h"

/** A round that is this many times longer than planned is given up: the rate is too high. */
#define LATE_FACTOR 4

static enum outcome
paced_round(struct run *run)
{
	const double hz = (double)run->clock->hz;
	struct schedule *schedule = &run->schedule;

	*schedule = (struct schedule){
		.period_cycles = hz / (double)run->settings->rate,
		.messages = run->round_messages,
		.messages_max = run->round_messages * LATE_FACTOR,
	};
	schedule->stop_after_cycles =
		(uint64_t)(schedule->period_cycles * (double)schedule->messages_max);
	return run->calls->paced(run->way, &run->near, schedule, run->round);
}

const struct engine engine_paced = {
	.name = "paced",
	.help = "Sends at a fixed rate, whether answers come or not, and counts the latency of each"
		" message from the time it was meant to be sent: a stall costs every message that"
		" had to wait for it (open loop).",
	.loop = "open",
	.latency = "from the intended send to the answer",
	.uses = USES_LINK | USES_SIZE | USES_RATE,
	.round = paced_round,
};
