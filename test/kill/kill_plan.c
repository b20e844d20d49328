/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include "kill_plan.h"
#include "pattern.h"

#define ACTIONS 2u
#define SIDES 2u

const struct kill_point kill_points[] = {
	{"attach/region", KILL_AT_START, 1},
	{"attach/link", KILL_AT_START, 1},
	{"first/magic", KILL_AT_FIRST, 1},
	{"first/cursors", KILL_AT_FIRST, 1},
	{"start/odd", KILL_AT_START, 1},
	{"start/seen", KILL_AT_START, 1},
	{"start/open", KILL_AT_START, 1},
	{"start/header", KILL_AT_START, 1},
	{"start/magic", KILL_AT_START, 1},
	{"start/even", KILL_AT_START, 1},
	{"start/done", KILL_AT_START, 1},
	{"end/stop", KILL_AT_DRAIN, 1},
	{"drain/poll", KILL_AT_DRAIN, 1},
	{"drain/stop", KILL_AT_DRAIN, 1},
	{"drain/done", KILL_AT_DRAIN, 1},
	{"acknowledge/seen", KILL_AT_PAIR, 1},
	{"acknowledge/done", KILL_AT_PAIR, 1},
	{"open/count", KILL_AT_PAIR, 1},
	{"open/clear", KILL_AT_PAIR, 32},
	{"open/laid", KILL_AT_PAIR, 1},
	{"open/open", KILL_AT_PAIR, 1},
	{"open/done", KILL_AT_PAIR, 1},
	{"confirm/seen", KILL_AT_PAIR, 1},
	{"confirm/done", KILL_AT_PAIR, 1},
	{"up/go", KILL_AT_PAIR, 1},
	{"send/body", KILL_AT_RUN, 500},
	{"send/describe", KILL_AT_RUN, 200},
	{"send/commit", KILL_AT_RUN, 500},
	{"send/committed", KILL_AT_RUN, 500},
	{"receive/read", KILL_AT_RUN, 500},
	{"receive/release", KILL_AT_RUN, 300},
	{"publish/data", KILL_AT_RUN, 100},
	{"publish/cells", KILL_AT_RUN, 100},
	{"publish/done", KILL_AT_RUN, 100},
	{"beat", KILL_AT_RUN, 16},
	{"foreign/lend", KILL_AT_RUN, 1000},
	{"foreign/load", KILL_AT_RUN, 8000},
	{"foreign/copy", KILL_AT_RUN, 200},
	{"finish/odd", KILL_AT_FINISH, 1},
};
#define POINTS ((uint32_t)(sizeof(kill_points) / sizeof(kill_points[0])))
_Static_assert(POINTS <= KILL_POINTS_MAX, "the table of hits has a row a point");

#ifdef NHN_POINTS
const uint32_t kill_point_count = POINTS;
#else
const uint32_t kill_point_count;
#endif

/* ---- which point, which side, which action: each in turn, over the seeds ---- */

static bool
early(const struct kill_point *point)
{
	return point->when == KILL_AT_FIRST || point->when == KILL_AT_START;
}

/* The ordinal-th of all combinations; the first round can be at early points only, and
 * only the first one can be at those of an area never used. */
static void
choose(struct kill_injury *injury, uint64_t ordinal, bool first)
{
	uint32_t fitting[POINTS];
	uint32_t count = 0;
	uint32_t cell, i;

	for (i = 0; i < POINTS; i++)
		if (first ? early(&kill_points[i]) : kill_points[i].when != KILL_AT_FIRST)
			fitting[count++] = i;
	/* A prime step, so that the rounds of one run are unlike each other. */
	cell = (uint32_t)(ordinal * 61 % ((uint64_t)count * SIDES * ACTIONS));
	injury->point = fitting[cell / (SIDES * ACTIONS)];
	injury->who = cell / ACTIONS % SIDES;
	injury->action = cell % ACTIONS == 0 ? KILL_DEAD : KILL_STOPPED;
}

static enum kill_cause
any_cause(uint64_t *random)
{
	switch (pattern_below(random, 4)) {
	case 0:
		return KILL_BY_OWN_START;
	case 1:
		return KILL_BY_PEER_START;
	default:
		return KILL_BY_NOTHING;
	}
}

static enum kill_cause
cause_of(enum kill_when when, uint64_t *random)
{
	switch (when) {
	case KILL_AT_FIRST:
	case KILL_AT_START:
		return KILL_BY_OWN_START;
	case KILL_AT_PAIR:
		return pattern_below(random, 2) ? KILL_BY_OWN_START : KILL_BY_PEER_START;
	case KILL_AT_DRAIN:
		return KILL_BY_PEER_START;
	case KILL_AT_FINISH:
		return KILL_BY_FINISH;
	case KILL_AT_RUN:
		break;
	}
	return any_cause(random);
}

static void
at_point(struct kill_injury *injury, uint64_t *random)
{
	const struct kill_point *point = &kill_points[injury->point];

	injury->cause = cause_of(point->when, random);
	/* After a start the first messages are meant, not the hundredth. */
	if (injury->cause != KILL_BY_NOTHING && point->when == KILL_AT_RUN)
		injury->passes = 1 + pattern_below(random, 4);
	else
		injury->passes = 1 + pattern_below(random, point->passes);
	/* Else there may be no pairing, or no session, to end. */
	injury->wait_up = point->when == KILL_AT_DRAIN || point->when == KILL_AT_FINISH ||
			  pattern_below(random, 3) != 0;
}

static void
at_random(struct kill_injury *injury, uint64_t *random)
{
	injury->point = KILL_NO_POINT;
	injury->who = pattern_below(random, SIDES);
	injury->action = pattern_below(random, 3) != 0 ? KILL_DEAD : KILL_STOPPED;
	injury->cause = pattern_below(random, 4) == 0 ? KILL_BY_FINISH : any_cause(random);
	injury->wait_up = pattern_below(random, 3) != 0;
	injury->instant_us = pattern_below(random, injury->cause == KILL_BY_NOTHING ? 6000 : 1500);
}

static void
draw_rest(struct kill_injury *injury, uint64_t *random)
{
	uint32_t i;

	for (i = 0; i < KILL_PEER_DEATHS_MAX && pattern_below(random, 3) == 0; i++)
		injury->peer_after_us[i] = pattern_below(random, 1000);
	injury->peer_deaths = i;
	injury->peer_early = pattern_below(random, 2);
	injury->killed_stopped = pattern_below(random, 3) == 0;
	injury->pause_us = pattern_below(random, 3000);
	if (pattern_below(random, 4) == 0)
		injury->pause_us += 3 * KILL_LATE_US / 2;
	injury->first = pattern_below(random, SIDES);
	injury->gap_us = pattern_below(random, 2) ? 0 : pattern_below(random, 2000);
}

void
kill_plan_make(struct kill_plan *plan, uint64_t seed)
{
	uint64_t random = seed;
	uint32_t i;

	memset(plan, 0, sizeof(*plan));
	plan->seed = seed;
	/* One layout, the other, or a new one with each life of the host. */
	plan->layout[0] = pattern_below(&random, 2);
	plan->layout[1] = pattern_below(&random, 4) == 0 ? 1 - plan->layout[0] : plan->layout[0];
	for (i = 0; i < SIDES; i++) /* every other run passes the wrap of the numbers */
		plan->first_session[i] = pattern_below(&random, 2)
						 ? (uint32_t)pattern_random(&random)
						 : UINT32_MAX - pattern_below(&random, 10);
	for (i = 0; i < KILL_ROUNDS; i++) {
		struct kill_injury *injury = &plan->round[i];
		uint64_t ordinal = i == 0 ? seed : seed * (KILL_ROUNDS - 1) + i;

		if (kill_point_count != 0 && (i == 0 || ordinal % 4 != 3)) {
			choose(injury, i == 0 ? seed : ordinal - ordinal / 4, i == 0);
			at_point(injury, &random);
		} else {
			at_random(injury, &random);
		}
		draw_rest(injury, &random);
	}
	/* Nobody lives yet. */
	plan->round[0].wait_up = false;
	plan->round[0].cause = KILL_BY_OWN_START;
}

void
kill_plan_print(const struct kill_plan *plan)
{
	static const char *const side[] = {"host", "guest"};
	static const char *const cause[] = {"while running", "at its start", "at the peer's start",
					    "at its end"};
	uint32_t i, j;

	printf("seed %llu: layouts %u and %u, first sessions %u and %u\n",
	       (unsigned long long)plan->seed, plan->layout[0], plan->layout[1],
	       plan->first_session[0], plan->first_session[1]);
	for (i = 0; i < KILL_ROUNDS; i++) {
		const struct kill_injury *injury = &plan->round[i];

		printf("  %u: %s, %s %s ", i, injury->wait_up ? "once up" : "at once",
		       side[injury->who],
		       injury->action == KILL_DEAD ? "killed"
		       : injury->killed_stopped	   ? "stopped, then killed,"
						   : "stopped");
		if (injury->point == KILL_NO_POINT)
			printf("after %u us", injury->instant_us);
		else
			printf("at pass %u of %s", injury->passes, kill_points[injury->point].name);
		printf(" %s", cause[injury->cause]);
		for (j = 0; j < injury->peer_deaths; j++)
			printf(", peer killed %u us later", injury->peer_after_us[j]);
		if (injury->peer_deaths != 0 && injury->peer_early)
			printf(" and started");
		printf(", %u us of rest, %s first by %u us\n", injury->pause_us,
		       side[injury->first], injury->gap_us);
	}
}

void
kill_layout(struct nhn_layout *layout, uint32_t index)
{
	if (index == 0)
		nhn_layout_uniform(layout, KILL_CHANNELS, NHN_USE_RAW, 16, KILL_DATA);
	else
		nhn_layout_uniform(layout, 1, NHN_USE_RAW, 32, KILL_DATA);
}
