/* SPDX-License-Identifier: BSD-3-Clause */
/* What runs between two rounds: the limit, the noise floor, the times of one way. */

#include <string.h>

#include <rte_common.h>

#include <nhn_floor.h>

#include "run_internal.h"

/** A run whose rounds are long has blocks of as much time at most. */
#define STAMP_NS_MAX UINT64_C(20000000)
/** Exchanges of clocks before the stamped trips of a round. */
#define STAMP_EXCHANGES 20u

enum outcome
run_limit_block(struct run *run, struct nhn_histogram *limit)
{
	enum outcome outcome;

	nhn_histogram_init(limit);
	if (run->way == NULL || !way_has_words(run->way))
		return OUTCOME_OK;
	outcome = run->calls->limit(run->way, &run->near, LIMIT_TRIPS, limit);
	if (outcome != OUTCOME_VOID)
		return outcome;
	nhn_histogram_init(limit);
	return OUTCOME_OK;
}

enum outcome
run_floor_block(struct run *run, uint64_t duration_ns)
{
	const struct order order = {.kind = ORDER_FLOOR, .duration_ns = duration_ns};
	enum outcome outcome = OUTCOME_OK;

	if (run->engine->uses & USES_LINK)
		outcome = run->calls->order(run->way, &run->near, &order, NULL, 0);
	if (outcome != OUTCOME_OK)
		return outcome;
	nhn_floor_run(run->clock, duration_ns, &run->result->floor);
	return run->way != NULL ? run->calls->keep(run->way) : OUTCOME_OK;
}

/** As many as fit the time, by what the last round's took. Its round trips are in no figure. */
enum outcome
run_stamp_block(struct run *run)
{
	struct near *near = &run->near;
	struct nhn_histogram *scratch = &run->result->round;
	const uint64_t gap_cycles = near->gap_cycles;
	const uint64_t random_cycles = near->gap_random_cycles;
	struct offset now = {.known = false};
	enum outcome outcome;
	uint64_t trips = STAMP_TRIPS;
	uint64_t trip_ns;

	if (run->engine->latency == NULL || near->length < PROTOCOL_STAMP_BYTES ||
	    run->result->latency.total == 0)
		return OUTCOME_OK;
	trip_ns = 1 + nhn_clock_ns(run->clock, gap_cycles + random_cycles);
	if (scratch->total != 0)
		trip_ns += scratch->max_ns / 4;
	trips = RTE_MAX(RTE_MIN(trips, STAMP_NS_MAX / trip_ns), UINT64_C(1));
	nhn_histogram_init(scratch);
	/* Two calibrations of one counter drift apart by some ns a second. */
	outcome = run_offset(run, &now, STAMP_EXCHANGES);
	if (outcome != OUTCOME_OK)
		return outcome;
	near->stamp = true;
	outcome = run->calls->trips(run->way, near, trips, scratch);
	near->stamp = false;
	return outcome;
}

enum outcome
run_far_look(struct run *run, struct nhn_look_delta *look)
{
	const struct order order = {.kind = ORDER_LOOK};
	struct reply_look reply;
	enum outcome outcome;
	unsigned int i;

	outcome = run->calls->order(run->way, &run->near, &order, &reply, sizeof(reply));
	if (outcome != OUTCOME_OK)
		return outcome;
	memset(look, 0, sizeof(*look));
	look->window_ns = reply.window_ns;
	look->voluntary = reply.voluntary;
	look->involuntary = reply.involuntary;
	look->minor_faults = reply.minor_faults;
	look->major_faults = reply.major_faults;
	look->run_delay_ns = reply.run_delay_ns;
	look->steal_ns = reply.steal_ns;
	look->tick_ns = reply.tick_ns;
	look->sees = (uint32_t)reply.sees;
	for (i = 0; i < LOOK_LINES && reply.line[i].count != 0; i++) {
		snprintf(look->line[i].name, sizeof(look->line[i].name), "%.*s",
			 (int)sizeof(reply.line[i].name) - 1, reply.line[i].name);
		snprintf(look->line[i].what, sizeof(look->line[i].what), "%.*s",
			 (int)sizeof(reply.line[i].what) - 1, reply.line[i].what);
		look->line[i].count = reply.line[i].count;
	}
	look->lines = i;
	return OUTCOME_OK;
}
