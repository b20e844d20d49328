/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Requests and replies of the near end, as messages of a channel or frames: many
 * open at once. After loop.h. A way with calls of its own has its own loop.
 */
#ifndef LOOP_RPC_H
#define LOOP_RPC_H

#include "loop.h"

/** Where the time of a CALL's send stands. */
static inline uint64_t *
loop_call_at(struct way *way, uint32_t sequence)
{
	return &way->sent_at[sequence & (NEAR_OPEN_MAX - 1)];
}

/** Send a CALL if there is room. @return whether it was sent */
static inline bool
loop_call_send(struct way *way, struct near *near)
{
	const uint64_t now = nhn_clock_now();
	uint8_t *body = way_reserve(way, LANE_FIRST, near->length);

	if (unlikely(body == NULL))
		return false;
	message_fill(body, near->sequence, protocol_command(PROTOCOL_CALL, 0), near->pattern,
		     near->length);
	if (unlikely(!way_commit(way, LANE_FIRST, body, near->length)))
		return false;
	*loop_call_at(way, near->sequence) = now;
	near->sequence++;
	near->sent++;
	return true;
}

/** Take a reply. @param open of CALLs. @return as loop_pace_take() */
static inline int
loop_call_take(struct way *way, struct near *near, uint64_t open, const uint64_t *threshold_ns,
	       struct nhn_histogram *latency)
{
	struct protocol_header header = {0, 0};
	struct message message;
	uint64_t at, ns;
	int got = way_poll(way, LANE_FIRST, &message, 1);

	if (got <= 0)
		return got;
	at = nhn_clock_now_ordered();
	if (likely(message.length >= sizeof(header)))
		memcpy(&header, message.data, sizeof(header));
	if (unlikely(near->sequence - 1 - header.sequence >= (uint32_t)open ||
		     !loop_whole(near, &message, near->reply_length, header.sequence,
				 protocol_command(PROTOCOL_CALL, 0), sizeof(header)))) {
		if (loop_other(near, &message) == ANSWER_CORRUPT)
			got = -EBADMSG;
		else
			got = 0;
		way_release(way, LANE_FIRST, &message);
		return got;
	}
	if (unlikely(way_release(way, LANE_FIRST, &message) != 0)) {
		near->answers.corrupt++;
		return -EBADMSG;
	}
	stream_note(&near->answers, header.sequence);
	ns = nhn_clock_ns(way->clock, at - *loop_call_at(way, header.sequence));
	nhn_histogram_record(latency, ns);
	if (unlikely(ns > *threshold_ns))
		loop_gap(way, near, ns, near->depth <= 1);
	return 1;
}

static enum outcome
loop_rpc(struct way *way, struct near *near, uint64_t calls, struct nhn_histogram *latency,
	 struct moved *moved)
{
	const uint64_t *threshold_ns = loop_gap_threshold(near);
	const uint64_t depth = RTE_MIN(RTE_MAX(near->depth, 1u), NEAR_OPEN_MAX);
	const uint64_t bytes = (uint64_t)near->length + near->reply_length;
	const uint64_t begun = nhn_clock_now();
	uint64_t sent = 0, received = 0;
	enum outcome outcome = OUTCOME_OK;

	way->waited_ns = 0;
	while (received != calls && outcome == OUTCOME_OK) {
		int got;

		if (sent != calls && sent - received < depth && loop_call_send(way, near))
			sent++;
		got = loop_call_take(way, near, sent - received, threshold_ns, latency);
		if (unlikely(got < 0)) {
			outcome = got == -ESTALE ? OUTCOME_RESTART : OUTCOME_VOID;
			break;
		}
		if (likely(got > 0)) {
			received++;
			way->waited_ns = 0;
		}
		/* Also where replies never end. */
		if (unlikely(loop_look_due(way, got > 0 ? bytes : 0)))
			outcome = loop_patience(way);
	}
	moved->messages = received;
	moved->cycles = nhn_clock_now() - begun;
	if (outcome != OUTCOME_OK) {
		loop_heard(way, received != 0);
		loop_abandon(way, near, sent - received, outcome);
	} else {
		way->silent_ns = 0;
	}
	return outcome;
}

#endif /* LOOP_RPC_H */
