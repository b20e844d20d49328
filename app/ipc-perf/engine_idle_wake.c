/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_clock.h>

#include "run.h"

static void
idle_wake_order(const struct settings *settings, struct order *order)
{
	order->wait = settings->wait;
}

static enum outcome
idle_wake_round(struct run *run)
{
	run->near.gap_cycles =
		(uint64_t)((double)run->settings->idle_ns * 1e-9 * (double)run->clock->hz);
	/* So that the silence never beats in time with the far end's sleeps. */
	run->near.gap_random_cycles = run->near.gap_cycles / 4;
	return run->calls->trips(run->way, &run->near, run->round_messages, run->round);
}

const struct engine engine_idle_wake = {
	.name = "idle-wake",
	.help = "Round trips after a silence of idle, and up to a quarter more by random, in which"
		" the far end polls, pauses or sleeps as --wait says: what the first message after "
		"a"
		" pause costs.",
	.loop = "closed",
	.latency = "round trip after silence",
	.uses = USES_LINK | USES_SIZE | USES_IDLE | USES_WAIT,
	.order = idle_wake_order,
	.round = idle_wake_round,
};
