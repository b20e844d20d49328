/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Round trips of the near end on the first lane, while bulk is kept flowing on the
 * other one. After loop_flood.h.
 */
#ifndef LOOP_MIXED_H
#define LOOP_MIXED_H

#include "loop_flood.h"

/**
 * Wait for the answer; between two polls goes a burst of bulk at most, so that the answer
 * waits for one at most.
 */
static inline enum outcome
loop_mixed_receive(struct way *way, struct near *near, struct message *message)
{
	for (;;) {
		enum outcome outcome;
		uint32_t sent;
		int got = way_poll(way, LANE_FIRST, message, 1);

		if (got > 0)
			return OUTCOME_OK;
		if (unlikely(got < 0))
			return OUTCOME_RESTART;
		sent = loop_burst_send(way, near, LANE_BULK, UINT64_MAX);
		if (likely(!loop_look_due(way, (uint64_t)sent * near->bulk_length)))
			continue;
		outcome = loop_patience(way);
		if (unlikely(outcome != OUTCOME_OK))
			return outcome;
	}
}

static inline enum outcome
loop_mixed_trip(struct way *way, struct near *near, uint64_t *cycles)
{
	const uint32_t command = protocol_command(PROTOCOL_ECHO, 0);
	const uint32_t sequence = near->sequence;
	struct message message;
	enum outcome outcome;
	enum answer answer;
	uint64_t sent;

	way->waited_ns = 0;
	sent = nhn_clock_now();
	outcome = loop_send(way, near, sequence, command, near->length);
	if (unlikely(outcome != OUTCOME_OK))
		return outcome;
	near->sequence = sequence + 1;
	near->sent++;
	do {
		outcome = loop_mixed_receive(way, near, &message);
		*cycles = nhn_clock_now_ordered() - sent;
		if (unlikely(outcome != OUTCOME_OK)) {
			loop_abandon(way, near, 1, outcome);
			return outcome;
		}
		answer = ANSWER_EXPECTED;
		if (likely(loop_whole(near, &message, near->length, sequence, command,
				      sizeof(struct protocol_header))))
			stream_note(&near->answers, sequence);
		else
			answer = loop_other(near, &message);
		if (unlikely(way_release(way, LANE_FIRST, &message) != 0)) {
			near->answers.corrupt++;
			answer = ANSWER_CORRUPT;
		}
	} while (unlikely(answer == ANSWER_STRAY));
	return likely(answer == ANSWER_EXPECTED) ? OUTCOME_OK : OUTCOME_VOID;
}

static enum outcome
loop_mixed(struct way *way, struct near *near, uint64_t trips, struct nhn_histogram *rtt,
	   struct moved *moved)
{
	const uint64_t *threshold_ns = loop_gap_threshold(near);
	const uint64_t bulk_before = near->bulk_sent;
	uint64_t before = 0, begun, ended = 0, i;
	enum outcome outcome = loop_bulk_count(way, near, &before);

	begun = nhn_clock_now();
	for (i = 0; i < trips && outcome == OUTCOME_OK; i++) {
		uint32_t sent = loop_burst_send(way, near, LANE_BULK, UINT64_MAX);
		uint64_t cycles, ns;

		/* Answers may come so soon that none of the polls is empty. */
		way->waited_ns = 0;
		outcome = loop_turn(way, near, sent);
		if (likely(outcome == OUTCOME_OK))
			outcome = loop_mixed_trip(way, near, &cycles);
		if (unlikely(outcome != OUTCOME_OK)) {
			loop_heard(way, i != 0);
			break;
		}
		ns = nhn_clock_ns(way->clock, cycles);
		nhn_histogram_record(rtt, ns);
		if (unlikely(ns > *threshold_ns))
			loop_gap(way, near, ns, false);
	}
	if (outcome == OUTCOME_OK)
		outcome = loop_flushed(way, near, LANE_BULK);
	moved->messages = near->bulk_sent - bulk_before;
	if (outcome == OUTCOME_OK)
		outcome = loop_bulk_arrived(way, near, before + moved->messages, &ended);
	moved->cycles = ended - begun;
	return loop_bulk_end(way, near, LANE_BULK, before + near->bulk_sent - bulk_before, outcome);
}

#endif /* LOOP_MIXED_H */
