/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The loop of the answering side. A way's .c file includes this after it has
 * defined the functions named in engine_ping.h, and
 *
 *     static inline int way_echo(struct way *, struct message *)
 *         answer with the same bytes and give the message back; 1: answered;
 *         0: no room now; -ESTALE: it changed meanwhile and is not answered
 */
#ifndef ENGINE_PONG_H
#define ENGINE_PONG_H

#include <string.h>

#include <rte_branch_prediction.h>

#include "pong.h"
#include "protocol.h"

/**
 * No room for an answer at once. Wait for it while the link is up, which
 * includes a ping that stands still; else only as long as a handshake takes,
 * for a link whose ping is dead comes up when its messages are given back.
 * @return as way_echo(): 0, given up
 */
static __attribute__((noinline)) int
engine_echo_wait(struct way *way, struct message *message)
{
	uint64_t begun = nhn_clock_now();
	uint64_t hold_cycles = way->clock->hz * (ANSWER_HOLD_NS / 1000000000);
	int answered;

	while ((answered = way_echo(way, message)) == 0) {
		enum watch watch = way_watch(way);

		if (watch == WATCH_UP)
			begun = nhn_clock_now();
		else if (watch != WATCH_DOWN || nhn_clock_now() - begun > hold_cycles) {
			way_release(way, message);
			return 0;
		}
	}
	return answered;
}

/**
 * Answer the words of a limit block.
 * @return 0: done, or given up; 1: @p message came instead, so ping is elsewhere
 */
static int
engine_limit_serve(struct way *way, struct pong *pong, uint32_t word, uint32_t trips,
		   struct message *message)
{
	uint32_t i;

	for (i = 0; i < trips; i++) {
		uint32_t spins = 0;

		word++;
		while (nhn_link_probe_load(way->link) != word) {
			if (likely(++spins % WATCH_SPINS != 0))
				continue;
			if (way_watch(way) != WATCH_UP)
				return 0;
			if (way_poll(way, message) > 0)
				return 1;
		}
		nhn_link_probe_store(way->link, word);
	}
	pong->limit_trips += trips;
	return 0;
}

/** Whether a message is one of ping's. */
static inline bool
engine_header_read(const struct message *message, struct protocol_header *header)
{
	uint32_t kind;

	if (unlikely(message->length < sizeof(*header)))
		return false;
	memcpy(header, message->data, sizeof(*header));
	kind = header->command >> PROTOCOL_KIND_SHIFT;
	return likely(kind >= PROTOCOL_ECHO && kind <= PROTOCOL_END);
}

/** Every WATCH_POLLS-th empty poll: may we go on serving? */
static __attribute__((noinline)) enum outcome
engine_look(struct way *way)
{
	switch (way_watch(way)) {
	case WATCH_STOPPED:
		return OUTCOME_STOPPED;
	case WATCH_LOST:
		return OUTCOME_LOST;
	default:
		return OUTCOME_OK;
	}
}

static enum outcome
engine_serve(struct way *way, struct pong *pong)
{
	struct message message;
	int got = 0;

	for (;;) {
		struct protocol_header header;
		enum outcome outcome;
		uint32_t kind;
		int answered;

		if (got == 0)
			got = way_poll(way, &message);
		if (got <= 0) {
			/* -ESTALE: a new ping; whatever it asks is answered like any other. */
			got = 0;
			if (likely(++way->polls % WATCH_POLLS != 0))
				continue;
			outcome = engine_look(way);
			if (unlikely(outcome != OUTCOME_OK))
				return outcome;
			continue;
		}
		got = 0;
		if (unlikely(!engine_header_read(&message, &header))) {
			pong->strange++;
			way_release(way, &message);
			continue;
		}
		answered = way_echo(way, &message);
		if (unlikely(answered == 0))
			answered = engine_echo_wait(way, &message);
		if (unlikely(answered <= 0)) {
			pong->dropped++;
			continue;
		}
		pong->answered++;
		kind = header.command >> PROTOCOL_KIND_SHIFT;
		if (likely(kind == PROTOCOL_ECHO))
			continue;
		if (kind == PROTOCOL_END)
			return OUTCOME_OK;
		got = engine_limit_serve(way, pong, header.sequence,
					 header.command & PROTOCOL_ARGUMENT_MASK, &message);
	}
}

#endif /* ENGINE_PONG_H */
