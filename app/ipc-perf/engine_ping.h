/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The measured loops of the asking side. A way's .c file includes this after
 * it has defined
 *
 *     static inline void *way_reserve(struct way *, uint32_t length)
 *         room for a message, or NULL: none now
 *     static inline bool way_commit(struct way *, void *body, uint32_t length)
 *         send it; false: none now
 *     static inline int way_poll(struct way *, struct message *)
 *         1: a message; 0: none; -ESTALE: pong was restarted
 *     static inline int way_release(struct way *, struct message *)
 *         give it back; -ESTALE: it changed meanwhile
 *     static enum watch way_watch(struct way *)
 *
 * so that the loops pay no indirect call. They do not allocate, and neither log
 * nor call the kernel while the link is up.
 */
#ifndef ENGINE_PING_H
#define ENGINE_PING_H

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <nhn_link_text.h>

#include "ping.h"
#include "say.h"

/** The link went down or came up: another wait begins. What lasts is said. */
static void
engine_down_note(struct way *way, bool down)
{
	if (down != way->down) {
		if (way->down_said && !down)
			say("the link is up again");
		way->down = down;
		way->down_said = false;
		way->waited_ns = 0;
	} else if (down && !way->down_said && way->waited_ns > DOWN_SAID_NS) {
		say("the link is %s; waiting up to %u s for pong to come back",
		    nhn_link_state_text(nhn_link_state(way->link)),
		    (unsigned int)(DOWN_PATIENCE_NS / 1000000000));
		way->down_said = true;
	}
}

/**
 * Every WATCH_POLLS-th empty poll: may we go on waiting? Only time in which this
 * side polled counts: when the machine stood still, so did pong.
 */
static __attribute__((noinline)) enum outcome
engine_patience(struct way *way)
{
	enum watch watch = way_watch(way);
	uint64_t now = nhn_clock_now();
	uint64_t step_ns = nhn_clock_ns(way->clock, now - way->watched);
	bool down = nhn_link_state(way->link) != NHN_LINK_UP;

	way->watched = now;
	if (watch == WATCH_STOPPED)
		return OUTCOME_STOPPED;
	if (watch == WATCH_LOST)
		return OUTCOME_LOST;
	engine_down_note(way, down);
	if (watch == WATCH_RESTARTED)
		return OUTCOME_VOID;
	way->waited_ns += RTE_MIN(step_ns, PATIENCE_STEP_NS);
	return way->waited_ns > (down ? DOWN_PATIENCE_NS : PATIENCE_NS) ? OUTCOME_GONE : OUTCOME_OK;
}

/** No room to send: the link comes up again only if we go on reading. */
static __attribute__((noinline)) enum outcome
engine_wait_room(struct way *way, struct ping *ping)
{
	enum outcome outcome = OUTCOME_OK;
	struct message message;

	if (++way->polls % WATCH_POLLS == 0)
		outcome = engine_patience(way);
	if (way_poll(way, &message) > 0) {
		ping_classify(ping, &message, ping->sequence);
		way_release(way, &message);
	}
	/* Nothing is under way that a restart could lose. */
	return outcome == OUTCOME_VOID ? OUTCOME_OK : outcome;
}

static inline enum outcome
engine_send(struct way *way, struct ping *ping, uint32_t sequence, uint32_t command)
{
	const struct protocol_header header = {.sequence = sequence, .command = command};
	enum outcome outcome;
	uint8_t *body;

	while (unlikely((body = way_reserve(way, ping->length)) == NULL)) {
		outcome = engine_wait_room(way, ping);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	memcpy(body, &header, sizeof(header));
	memcpy(body + sizeof(header), protocol_pattern_at(ping->pattern, sequence),
	       ping->length - sizeof(header));
	while (unlikely(!way_commit(way, body, ping->length))) {
		outcome = engine_wait_room(way, ping);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

static inline enum outcome
engine_receive(struct way *way, struct message *message)
{
	for (;;) {
		enum outcome outcome;
		int got = way_poll(way, message);

		if (likely(got > 0))
			return OUTCOME_OK;
		if (unlikely(got < 0))
			return OUTCOME_VOID;
		if (likely(++way->polls % WATCH_POLLS != 0))
			continue;
		outcome = engine_patience(way);
		if (unlikely(outcome != OUTCOME_OK))
			return outcome;
	}
}

static inline enum answer
engine_check(struct ping *ping, const struct message *message, uint32_t sequence, uint32_t command)
{
	struct protocol_header header;

	if (unlikely(message->length != ping->length))
		return ping_classify(ping, message, sequence);
	memcpy(&header, message->data, sizeof(header));
	if (unlikely(header.sequence != sequence || header.command != command ||
		     memcmp(message->data + sizeof(header),
			    protocol_pattern_at(ping->pattern, sequence),
			    ping->length - sizeof(header)) != 0))
		return ping_classify(ping, message, sequence);
	return ANSWER_EXPECTED;
}

/** One round trip. What comes after the second clock read is not measured. */
static inline enum outcome
engine_trip(struct way *way, struct ping *ping, uint32_t command, uint64_t *cycles)
{
	uint32_t sequence = ping->sequence++;
	struct message message;
	enum outcome outcome;
	enum answer answer;
	uint64_t begun;

	way->waited_ns = 0;
	begun = nhn_clock_now();
	outcome = engine_send(way, ping, sequence, command);
	do {
		if (likely(outcome == OUTCOME_OK))
			outcome = engine_receive(way, &message);
		*cycles = nhn_clock_now_ordered() - begun;
		if (unlikely(outcome != OUTCOME_OK)) {
			if (outcome != OUTCOME_STOPPED) {
				ping->lost++;
				ping->lost_sequence = sequence;
			}
			return outcome;
		}
		answer = engine_check(ping, &message, sequence, command);
		if (unlikely(way_release(way, &message) != 0)) {
			ping->corrupt++;
			answer = ANSWER_CORRUPT;
		}
	} while (unlikely(answer == ANSWER_STRAY));
	return likely(answer == ANSWER_EXPECTED) ? OUTCOME_OK : OUTCOME_VOID;
}

static enum outcome
engine_exchange(struct way *way, struct ping *ping, uint32_t trips, struct nhn_histogram *rtt)
{
	const uint32_t command = protocol_command(PROTOCOL_ECHO, 0);
	uint32_t i;

	for (i = 0; i < trips; i++) {
		uint64_t cycles;
		enum outcome outcome = engine_trip(way, ping, command, &cycles);

		if (likely(outcome == OUTCOME_OK))
			nhn_histogram_record(rtt, nhn_clock_ns(way->clock, cycles));
		else if (outcome != OUTCOME_VOID)
			return outcome;
	}
	return OUTCOME_OK;
}

/** Every WATCH_SPINS-th spin on one word: a restart shows in polls. */
static __attribute__((noinline)) enum outcome
engine_limit_patience(struct way *way, struct ping *ping, bool first)
{
	enum outcome outcome;
	struct message message;
	int got;

	if (first)
		way->waited_ns = 0;
	outcome = engine_patience(way);
	got = way_poll(way, &message);
	if (got > 0) {
		ping_classify(ping, &message, ping->sequence);
		way_release(way, &message);
	}
	return got < 0 && outcome == OUTCOME_OK ? OUTCOME_VOID : outcome;
}

static enum outcome
engine_limit(struct way *way, struct ping *ping, uint32_t trips, struct nhn_histogram *limit)
{
	const uint32_t command = protocol_command(PROTOCOL_LIMIT, trips);
	uint32_t word = ping->sequence;
	uint64_t cycles;
	enum outcome outcome = engine_trip(way, ping, command, &cycles);
	uint32_t i;

	ping->sequence += trips;
	for (i = 0; i < trips && outcome == OUTCOME_OK; i++) {
		uint64_t begun = nhn_clock_now();
		uint32_t spins = 0;

		nhn_link_probe_store(way->link, ++word);
		while (nhn_link_probe_load(way->link) != word) {
			if (likely(++spins % WATCH_SPINS != 0))
				continue;
			outcome = engine_limit_patience(way, ping, spins == WATCH_SPINS);
			if (outcome != OUTCOME_OK)
				return outcome;
		}
		cycles = nhn_clock_now_ordered() - begun;
		nhn_histogram_record(limit, nhn_clock_ns(way->clock, cycles));
	}
	return outcome;
}

static enum outcome
engine_end(struct way *way, struct ping *ping)
{
	uint64_t cycles;

	return engine_trip(way, ping, protocol_command(PROTOCOL_END, 0), &cycles);
}

static enum outcome
engine_wait_up(struct way *way)
{
	struct message message;
	uint32_t stray;
	enum watch watch;

	do {
		watch = way_watch(way);
		/* What an earlier run left behind is no answer of this one. */
		for (stray = 0; stray < WATCH_POLLS && way_poll(way, &message) > 0; stray++)
			way_release(way, &message);
	} while (watch == WATCH_DOWN);
	if (watch == WATCH_LOST)
		return OUTCOME_LOST;
	return watch == WATCH_STOPPED ? OUTCOME_STOPPED : OUTCOME_OK;
}

#endif /* ENGINE_PING_H */
