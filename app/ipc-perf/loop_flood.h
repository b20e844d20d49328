/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * DATA of the near end in bursts: one way, and both ways at once. After
 * loop_order.h.
 */
#ifndef LOOP_FLOOD_H
#define LOOP_FLOOD_H

#include "loop_order.h"

/** DATA sent in a burst: what settings allow, and the rest of the round. */
static inline uint32_t
loop_burst(const struct near *near, uint64_t left)
{
	const uint32_t burst = RTE_MIN(RTE_MAX(near->burst, 1u), (uint32_t)BURST_MAX);

	return left < burst ? (uint32_t)left : burst;
}

/** Send a burst, or what there is room for. @return messages */
static inline uint32_t
loop_burst_send(struct way *way, struct near *near, uint32_t lane, uint64_t left)
{
	uint32_t sent = way_send_data(way, lane, near->pattern, near->bulk_sequence,
				      near->bulk_length, loop_burst(near, left));

	near->bulk_sequence += sent;
	near->bulk_sent += sent;
	return sent;
}

/** Take DATA of the far end, up to a burst. @return messages; -ESTALE: a restart */
static inline int
loop_burst_take(struct way *way, struct near *near, uint32_t lane)
{
	const uint32_t burst = loop_burst(near, UINT64_MAX);
	struct protocol_header header;
	struct message message;
	uint32_t i;
	int got = 0;

	for (i = 0; i < burst; i++) {
		got = way_poll(way, lane, &message, burst);
		if (got <= 0)
			break;
		if (likely(message.length >= sizeof(header))) {
			memcpy(&header, message.data, sizeof(header));
			if (likely(header.command == protocol_command(PROTOCOL_DATA, 0)))
				loop_bulk(near, &message, header.sequence);
			else
				loop_other(near, &message);
		} else {
			near->bulk.corrupt++;
		}
		way_keep(way, lane, &message);
	}
	if (i != 0 && unlikely(way_settle(way, lane) != 0))
		near->bulk.corrupt++;
	return i != 0 ? (int)i : got;
}

/** The end of a turn of so many DATA; some look around, also where there is always room. */
static inline enum outcome
loop_turn(struct way *way, const struct near *near, uint32_t moved)
{
	if (likely(moved != 0))
		way->waited_ns = 0;
	if (likely(!loop_look_due(way, (uint64_t)moved * near->bulk_length)))
		return OUTCOME_OK;
	return loop_patience(way);
}

/** A restart shows on the first lane. @return 0 or -ESTALE */
static inline int
loop_restart_look(struct way *way, struct near *near, uint32_t lane)
{
	return lane == LANE_FIRST ? 0 : loop_take_other(way, near, LANE_FIRST);
}

/** What is taken and not yet on its way must go first. */
static enum outcome
loop_flushed(struct way *way, struct near *near, uint32_t lane)
{
	enum outcome outcome = OUTCOME_OK;

	way->waited_ns = 0;
	while (outcome == OUTCOME_OK && !way_flush(way, lane))
		outcome = loop_wait_room(way, near);
	return outcome;
}

static enum outcome
loop_flood(struct way *way, struct near *near, uint64_t messages, struct moved *moved)
{
	const uint64_t sent_before = near->bulk_sent;
	uint64_t left = messages, before = 0, begun, ended = 0;
	enum outcome outcome = loop_bulk_count(way, near, &before);

	way->waited_ns = 0;
	begun = nhn_clock_now();
	while (left != 0 && outcome == OUTCOME_OK) {
		uint32_t sent = loop_burst_send(way, near, WAY_DATA_LANE, left);

		left -= sent;
		/* A restart of the far end shows to who reads. */
		if (unlikely(loop_take_other(way, near, LANE_FIRST) < 0))
			outcome = OUTCOME_RESTART;
		else
			outcome = loop_turn(way, near, sent);
	}
	if (outcome == OUTCOME_OK)
		outcome = loop_flushed(way, near, WAY_DATA_LANE);
	if (outcome == OUTCOME_OK)
		outcome = loop_bulk_arrived(way, near, before + messages, &ended);
	moved->messages = messages - left;
	moved->cycles = ended - begun;
	return loop_bulk_end(way, near, WAY_DATA_LANE, before + near->bulk_sent - sent_before,
			     outcome);
}

/** A turn of both directions at once. @param last_at set when something came */
static inline enum outcome
loop_duplex_turn(struct way *way, struct near *near, uint64_t *left, uint64_t *last_at)
{
	uint32_t sent = *left != 0 ? loop_burst_send(way, near, WAY_DATA_LANE, *left) : 0;
	int got = loop_burst_take(way, near, WAY_DATA_LANE);

	*left -= sent;
	if (got > 0)
		*last_at = nhn_clock_now();
	if (unlikely(loop_restart_look(way, near, WAY_DATA_LANE) < 0 ||
		     (got < 0 && WAY_DATA_LANE == LANE_FIRST)))
		return OUTCOME_RESTART;
	return loop_turn(way, near, sent + (got > 0 ? (uint32_t)got : 0));
}

/** DATA of the far end that came, whole or not, or will not come. */
static inline uint64_t
loop_bulk_seen(const struct near *near)
{
	return near->bulk.received + near->bulk.lost + near->bulk.corrupt;
}

/** A block is void: what the far end had sent until then and did not come is lost. */
static enum outcome
loop_duplex_missing(struct way *way, struct near *near)
{
	const struct order order = {.kind = ORDER_COUNTS};
	struct reply_counts counts = {.received = 0};
	enum outcome outcome = loop_order(way, near, &order, &counts, sizeof(counts));
	const uint32_t missing = (uint32_t)counts.source_next - near->bulk.next;

	if (outcome != OUTCOME_OK)
		return outcome;
	if ((int32_t)missing > 0)
		stream_give_up(&near->bulk, missing);
	return OUTCOME_VOID;
}

/** Take the rest of the far end's DATA. */
static enum outcome
loop_duplex_rest(struct way *way, struct near *near, uint64_t wanted, uint64_t *last_at)
{
	enum outcome outcome = OUTCOME_OK;
	uint64_t left = 0;

	way->waited_ns = 0;
	while (outcome == OUTCOME_OK && loop_bulk_seen(near) < wanted)
		outcome = loop_duplex_turn(way, near, &left, last_at);
	return outcome;
}

static enum outcome
loop_duplex(struct way *way, struct near *near, uint64_t messages, struct moved *moved)
{
	const uint64_t sent_before = near->bulk_sent;
	const uint64_t back_before = near->bulk.received;
	const uint64_t wanted = loop_bulk_seen(near) + messages;
	const uint64_t begun = nhn_clock_now();
	uint64_t left = messages, before = 0, ended = begun, last_at = begun;
	enum outcome outcome = loop_bulk_count(way, near, &before);

	way->waited_ns = 0;
	while (left != 0 && outcome == OUTCOME_OK)
		outcome = loop_duplex_turn(way, near, &left, &last_at);
	if (outcome == OUTCOME_OK)
		outcome = loop_flushed(way, near, WAY_DATA_LANE);
	/* Asked at once: DATA of the far end is taken while the answer is waited for. */
	near->taking = WAY_DATA_LANE != LANE_FIRST;
	if (outcome == OUTCOME_OK)
		outcome = loop_bulk_arrived(way, near, before + messages, &ended);
	near->taking = false;
	/* What came beside that answer came before it. */
	last_at = RTE_MAX(last_at, ended);
	if (outcome == OUTCOME_OK)
		outcome = loop_duplex_rest(way, near, wanted, &last_at);
	moved->messages = messages - left;
	moved->cycles = ended - begun;
	moved->back_messages = near->bulk.received - back_before;
	moved->back_cycles = last_at - begun;
	outcome = loop_bulk_end(way, near, WAY_DATA_LANE, before + near->bulk_sent - sent_before,
				outcome);
	return unlikely(outcome == OUTCOME_VOID) ? loop_duplex_missing(way, near) : outcome;
}

#endif /* LOOP_FLOOD_H */
