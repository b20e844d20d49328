/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Closed loops of the near end: round trips of messages and of words, and what is
 * asked beside them. After loop.h.
 */
#ifndef LOOP_TRIPS_H
#define LOOP_TRIPS_H

#include "loop_order.h"

/** xorshift64*: of the gaps before messages. */
static inline uint64_t
loop_random_below(struct near *near, uint64_t limit)
{
	__extension__ unsigned __int128 product;
	uint64_t x = near->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	near->random = x;
	x *= UINT64_C(0x2545f4914f6cdd1d);
	product = x;
	product *= limit;
	return (uint64_t)(product >> 64);
}

/** Silence before a message; the link is kept meanwhile. */
static __attribute__((noinline)) enum outcome
loop_gap_before(struct way *way, struct near *near)
{
	const uint64_t begun = nhn_clock_now();
	const uint64_t gap =
		near->gap_cycles + loop_random_below(near, near->gap_random_cycles + 1);
	uint32_t spins = 0;

	while (nhn_clock_now() - begun < gap) {
		if (likely(++spins % WATCH_POLLS != 0))
			continue;
		switch (way_watch(way)) {
		case WATCH_STOPPED:
			return OUTCOME_STOPPED;
		case WATCH_LOST:
			return OUTCOME_LOST;
		case WATCH_RESTARTED:
			return OUTCOME_RESTART;
		default:
			break;
		}
	}
	return OUTCOME_OK;
}

/** One round trip. What comes after the second clock read is not measured. */
static inline enum outcome
loop_trip(struct way *way, struct near *near, uint32_t command, uint32_t skip, uint64_t *sent,
	  uint64_t *received, uint64_t *far_ns)
{
	const uint32_t sequence = near->sequence;
	struct message message;
	enum outcome outcome;
	enum answer answer;

	way->waited_ns = 0;
	*sent = nhn_clock_now();
	outcome = loop_send(way, near, sequence, command, near->length);
	if (unlikely(outcome != OUTCOME_OK))
		return outcome;
	near->sequence = sequence + 1;
	near->sent++;
	do {
		outcome = loop_receive(way, &message);
		*received = nhn_clock_now_ordered();
		if (unlikely(outcome != OUTCOME_OK)) {
			loop_abandon(way, near, 1, outcome);
			return outcome;
		}
		if (likely(loop_whole(near, &message, near->length, sequence, command, skip))) {
			stream_note(&near->answers, sequence);
			answer = ANSWER_EXPECTED;
			if (skip != sizeof(struct protocol_header))
				*far_ns = loop_stamp_of(&message);
		} else {
			answer = loop_other(near, &message);
		}
		if (unlikely(way_release(way, LANE_FIRST, &message) != 0)) {
			near->answers.corrupt++;
			answer = ANSWER_CORRUPT;
		}
	} while (unlikely(answer == ANSWER_STRAY));
	return likely(answer == ANSWER_EXPECTED) ? OUTCOME_OK : OUTCOME_VOID;
}

/** The block's loop, for one command: both are constants in it. */
static inline __attribute__((always_inline)) enum outcome
loop_trips_of(struct way *way, struct near *near, uint64_t trips, struct nhn_histogram *rtt,
	      bool stamp)
{
	const uint32_t command = protocol_command(stamp ? PROTOCOL_STAMP : PROTOCOL_ECHO, 0);
	const uint32_t skip = stamp ? PROTOCOL_STAMP_BYTES : sizeof(struct protocol_header);
	const bool gaps = near->gap_cycles != 0 || near->gap_random_cycles != 0;
	const uint64_t *threshold_ns = loop_gap_threshold(near);
	uint64_t i;

	for (i = 0; i < trips; i++) {
		uint64_t sent, received, ns, far_ns = 0;
		enum outcome outcome = gaps ? loop_gap_before(way, near) : OUTCOME_OK;

		if (likely(outcome == OUTCOME_OK))
			outcome = loop_trip(way, near, command, skip, &sent, &received, &far_ns);
		if (unlikely(outcome != OUTCOME_OK)) {
			loop_heard(way, i != 0);
			return outcome;
		}
		ns = nhn_clock_ns(way->clock, received - sent);
		nhn_histogram_record(rtt, ns);
		if (stamp)
			loop_stamp(way, near, far_ns, sent, received);
		if (unlikely(ns > *threshold_ns))
			loop_gap(way, near, ns, true);
	}
	way->silent_ns = 0;
	return OUTCOME_OK;
}

static enum outcome
loop_trips(struct way *way, struct near *near, uint64_t trips, struct nhn_histogram *rtt)
{
	if (near->stamp && near->length >= PROTOCOL_STAMP_BYTES)
		return loop_trips_of(way, near, trips, rtt, true);
	return loop_trips_of(way, near, trips, rtt, false);
}

/** Send a bare header and wait for the same one: LIMIT and END. */
static enum outcome
loop_ask(struct way *way, struct near *near, uint32_t command)
{
	const struct protocol_header asked = {way->order_sequence++, command};
	struct protocol_header header;
	struct message message;
	enum outcome outcome;
	bool answered = false;

	way->waited_ns = 0;
	outcome = loop_send_bytes(way, near, &asked, sizeof(asked));
	while (outcome == OUTCOME_OK && !answered) {
		outcome = loop_receive(way, &message);
		if (outcome != OUTCOME_OK)
			break;
		/* Ports fill short frames up. */
		memset(&header, 0, sizeof(header));
		memcpy(&header, message.data, RTE_MIN(message.length, (uint32_t)sizeof(header)));
		answered = header.sequence == asked.sequence && header.command == command;
		if (!answered)
			loop_other(near, &message);
		way_release(way, LANE_FIRST, &message);
	}
	return outcome;
}

/** Every WATCH_SPINS-th spin on one word: a restart shows in polls. */
static __attribute__((noinline)) enum outcome
loop_limit_patience(struct way *way, struct near *near, bool first)
{
	enum outcome outcome;

	if (first)
		way->waited_ns = 0;
	outcome = loop_patience(way);
	if (loop_take_other(way, near, LANE_FIRST) < 0 && outcome == OUTCOME_OK)
		return OUTCOME_RESTART;
	return outcome == OUTCOME_VOID && way_words_lost(way) ? OUTCOME_LOST : outcome;
}

static enum outcome
loop_limit(struct way *way, struct near *near, uint32_t trips, struct nhn_histogram *limit)
{
	uint32_t word = way->order_sequence;
	enum outcome outcome = loop_ask(way, near, protocol_command(PROTOCOL_LIMIT, trips));
	uint32_t i;

	way->order_sequence += trips;
	for (i = 0; i < trips && outcome == OUTCOME_OK; i++) {
		uint64_t begun = nhn_clock_now();
		uint32_t spins = 0;
		uint64_t cycles;

		way_word_store(way, ++word);
		while (way_word_load(way) != word) {
			if (likely(++spins % WATCH_SPINS != 0))
				continue;
			outcome = loop_limit_patience(way, near, spins == WATCH_SPINS);
			if (outcome != OUTCOME_OK)
				return outcome;
		}
		cycles = nhn_clock_now_ordered() - begun;
		nhn_histogram_record(limit, nhn_clock_ns(way->clock, cycles));
	}
	return outcome;
}

static enum outcome
loop_end(struct way *way, struct near *near)
{
	return loop_ask(way, near, protocol_command(PROTOCOL_END, 0));
}

static enum outcome
loop_wait_up(struct way *way)
{
	struct message message;
	uint32_t stray;
	enum watch watch;

	do {
		watch = way_watch(way);
		way_drain(way);
		/* What an earlier run left behind is no answer of this one. */
		for (stray = 0; stray < WATCH_POLLS && way_poll(way, LANE_FIRST, &message, 1) > 0;
		     stray++)
			way_release(way, LANE_FIRST, &message);
	} while (watch == WATCH_DOWN);
	if (watch == WATCH_LOST)
		return OUTCOME_LOST;
	if (watch == WATCH_STOPPED)
		return OUTCOME_STOPPED;
	way->down = false;
	way->silent_ns = 0;
	way->watched = nhn_clock_now();
	if (way->link != NULL)
		way->sessions_heard = way->link->sessions;
	if (way->sessions_first == 0)
		way->sessions_first = way->sessions_heard;
	return OUTCOME_OK;
}

/** A far end that is started anew meanwhile waits for this end to read out what was left. */
static bool
loop_keep_reading(struct way *way)
{
	struct message message;
	int got = way_poll(way, LANE_FIRST, &message, 1);

	way_drain(way);
	if (got > 0)
		way_release(way, LANE_FIRST, &message);
	return got >= 0;
}

static enum outcome
loop_keep(struct way *way)
{
	switch (way_watch(way)) {
	case WATCH_DOWN:
		return loop_keep_reading(way) ? OUTCOME_OK : OUTCOME_RESTART;
	case WATCH_STOPPED:
		return OUTCOME_STOPPED;
	case WATCH_LOST:
		return OUTCOME_LOST;
	case WATCH_RESTARTED:
		return OUTCOME_RESTART;
	default:
		return OUTCOME_OK;
	}
}

#endif /* LOOP_TRIPS_H */
