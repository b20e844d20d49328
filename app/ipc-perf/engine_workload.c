/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_clock.h>

#include "run.h"

static void
workload_order(const struct settings *settings, struct order *order)
{
	order->duration_ns = settings->work_ns;
}

/** Messages come at any instant of the work: a random gap as long as the work. */
static enum outcome
workload_round(struct run *run)
{
	run->near.gap_cycles = 0;
	run->near.gap_random_cycles =
		(uint64_t)((double)run->settings->work_ns * 1e-9 * (double)run->clock->hz);
	return run->calls->trips(run->way, &run->near, run->round_messages, run->round);
}

const struct engine engine_workload = {
	.name = "workload",
	.help = "The far end polls only between workloads of a fixed number of steps, as control"
		" loops do: the round trip as its client sees it, and how long each workload took"
		" with the link's polls between them.",
	.loop = "closed",
	.latency = "round trip to a busy far end",
	.uses = USES_LINK | USES_SIZE | USES_WORK,
	.order = workload_order,
	.round = workload_round,
};
