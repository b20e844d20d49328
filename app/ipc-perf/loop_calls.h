/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The blocks as struct way_calls has them: what is left by a restart of the far end
 * is done when they return OUTCOME_RESTART. Last of the loops; WAY_RPC is the way's
 * loop of calls.
 */
#ifndef LOOP_CALLS_H
#define LOOP_CALLS_H

#include "loop.h"

/** A channel tells of a restart before the new far end is taken up: wait until it is. */
static enum outcome
loop_after(struct way *way, enum outcome outcome)
{
	struct message message;

	if (likely(outcome != OUTCOME_RESTART) || way->link == NULL)
		return outcome;
	way->waited_ns = 0;
	while (way->link->sessions == way->sessions_heard ||
	       nhn_link_state(way->link) != NHN_LINK_UP) {
		outcome = loop_patience(way);
		if (outcome != OUTCOME_OK && outcome != OUTCOME_RESTART)
			return outcome;
		if (way_poll(way, LANE_FIRST, &message, 1) > 0)
			way_release(way, LANE_FIRST, &message);
	}
	way->sessions_heard = way->link->sessions;
	return OUTCOME_RESTART;
}

/** What a block waits for is known to the way. */
static inline void
loop_before(struct way *way, const struct near *near)
{
	way->answer_ns = near->answer_ns;
}

static enum outcome
call_order(struct way *way, struct near *near, const struct order *order, void *reply,
	   uint32_t reply_bytes)
{
	loop_before(way, near);
	return loop_after(way, loop_order(way, near, order, reply, reply_bytes));
}

static enum outcome
call_trips(struct way *way, struct near *near, uint64_t trips, struct nhn_histogram *rtt)
{
	loop_before(way, near);
	return loop_after(way, loop_trips(way, near, trips, rtt));
}

static enum outcome
call_limit(struct way *way, struct near *near, uint32_t trips, struct nhn_histogram *limit)
{
	loop_before(way, near);
	return loop_after(way, loop_limit(way, near, trips, limit));
}

static enum outcome
call_paced(struct way *way, struct near *near, struct schedule *schedule,
	   struct nhn_histogram *latency)
{
	loop_before(way, near);
	return loop_after(way, loop_paced(way, near, schedule, latency));
}

static enum outcome
call_rpc(struct way *way, struct near *near, uint64_t calls, struct nhn_histogram *latency,
	 struct moved *moved)
{
	loop_before(way, near);
	return loop_after(way, WAY_RPC(way, near, calls, latency, moved));
}

static enum outcome
call_flood(struct way *way, struct near *near, uint64_t messages, struct moved *moved)
{
	loop_before(way, near);
	return loop_after(way, loop_flood(way, near, messages, moved));
}

static enum outcome
call_duplex(struct way *way, struct near *near, uint64_t messages, struct moved *moved)
{
	loop_before(way, near);
	return loop_after(way, loop_duplex(way, near, messages, moved));
}

static enum outcome
call_mixed(struct way *way, struct near *near, uint64_t trips, struct nhn_histogram *rtt,
	   struct moved *moved)
{
	loop_before(way, near);
	return loop_after(way, loop_mixed(way, near, trips, rtt, moved));
}

static enum outcome
call_end(struct way *way, struct near *near)
{
	loop_before(way, near);
	return loop_end(way, near);
}

#endif /* LOOP_CALLS_H */
