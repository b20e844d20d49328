/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the loop of the far end looks at and waits for: link and signals, room for an
 * answer, the words of the limit. First of loop_serve.h.
 */
#ifndef LOOP_SERVE_WAIT_H
#define LOOP_SERVE_WAIT_H

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "far.h"
#include "protocol.h"
#include "way_internal.h"

/** Empty polls of the first lane between two looks at what is not ordered. */
#define SERVE_OTHER_POLLS 16u
/** After something came on another lane it is looked at as often as the first, for so long. */
#define SERVE_EAGER_POLLS 4096u
/** Empty polls between two looks around where each may be a sleep. */
#define SERVE_SLEEP_POLLS 64u
/** The far end's floor is measured in parts: the link wants its steps. */
#define SERVE_FLOOR_NS UINT64_C(5000000)

/** Bytes moved between two looks around at most. */
#define SERVE_LOOK_BYTES (UINT64_C(4) << 20)
/** Polls of a ring that is read out: its cells, and the steps of its bytes. */
#define SERVE_READ_POLLS 4096u

/** Orders before the last one that may come late. */
#define SERVE_ORDERS_LATE 64u

/** What the loop knows beside struct far. */
struct serve {
	uint32_t eager;	   /**< empty polls after which other lanes are looked at, each time */
	uint32_t burst;	   /**< taken in one poll at most */
	uint32_t watch;	   /**< empty polls between two looks around, less 1: a mask */
	bool had;	   /**< a message since the last empty poll */
	uint64_t bytes;	   /**< moved since the last look for their sake */
	enum outcome ends; /**< OUTCOME_OK: END came */
};

/** What the orders in force mean for the loop. */
static void
serve_orders_take(const struct far *far, struct serve *serve)
{
	serve->burst = RTE_MAX(far->serve.burst, 1u);
	serve->watch = (far->serve.wait == WAIT_SLEEP ? SERVE_SLEEP_POLLS : WATCH_POLLS) - 1;
}

/** A look around. @return whether to go on */
static __attribute__((noinline)) bool
serve_look(struct way *way, struct far *far, struct serve *serve)
{
	enum watch watch = way_watch(way);

	if (unlikely(way->restarted) && (watch == WATCH_UP || watch == WATCH_DOWN))
		watch = WATCH_RESTARTED;
	switch (watch) {
	case WATCH_STOPPED:
		serve->ends = OUTCOME_STOPPED;
		return false;
	case WATCH_LOST:
		serve->ends = OUTCOME_LOST;
		return false;
	case WATCH_RESTARTED:
		way->restarted = false;
		far_forget(far);
		serve_orders_take(far, serve);
		return true;
	default:
		return true;
	}
}

/** Whether to go on waiting for room. A restart is noted: the next look around tells.
 *  @param begun cycles when the link was up last */
static bool
serve_hold(struct way *way, uint64_t *begun)
{
	uint64_t hold_cycles = way->clock->hz * (ANSWER_HOLD_NS / 1000000000);
	enum watch watch = way_watch(way);

	if (watch == WATCH_RESTARTED)
		way->restarted = true;
	if (watch == WATCH_UP || watch == WATCH_RESTARTED)
		*begun = nhn_clock_now();
	return watch == WATCH_UP || watch == WATCH_RESTARTED ||
	       (watch == WATCH_DOWN && nhn_clock_now() - *begun <= hold_cycles);
}

/**
 * No room for an answer at once. Wait for it while the link is up, which
 * includes a near end that stands still; else only as long as a handshake takes,
 * for a link whose near end is dead comes up when its messages are given back.
 * @return as way_echo(): 0, given up
 */
static __attribute__((noinline)) int
serve_echo_wait(struct way *way, struct message *message, bool stamp)
{
	uint64_t begun = nhn_clock_now();
	int answered;

	while ((answered = way_echo(way, message, stamp)) == 0) {
		if (!serve_hold(way, &begun)) {
			way_release(way, LANE_FIRST, message);
			return 0;
		}
	}
	return answered;
}

/** Send an answer of the far end's own: a reply to an order or to a CALL. */
static __attribute__((noinline)) bool
serve_send(struct way *way, const struct protocol_header *header, const void *bytes,
	   uint32_t length)
{
	uint64_t begun = nhn_clock_now();
	uint8_t *body;

	while ((body = way_reserve(way, LANE_FIRST, sizeof(*header) + length)) == NULL)
		if (!serve_hold(way, &begun))
			return false;
	memcpy(body, header, sizeof(*header));
	memcpy(body + sizeof(*header), bytes, length);
	while (!way_commit(way, LANE_FIRST, body, sizeof(*header) + length))
		if (!serve_hold(way, &begun))
			return false;
	return true;
}

/** The word does not come. @return as way_poll(); -ENOLINK: the link is not up */
static __attribute__((noinline)) int
serve_limit_look(struct way *way, struct message *message)
{
	enum watch watch = way_watch(way);
	int got;

	if (watch == WATCH_RESTARTED)
		return -ESTALE;
	if (watch != WATCH_UP)
		return -ENOLINK;
	got = way_poll(way, LANE_FIRST, message, 1);
	/* The near end gave it up: this end may have lost what it would see it by. */
	if (got > 0)
		way_words_lost(way);
	return got;
}

/**
 * Answer the words of a limit block.
 * @return 0: done, or given up; 1: @p message came instead, so the near end is elsewhere;
 *         -ESTALE: a new near end
 */
static int
serve_limit(struct way *way, struct far *far, uint32_t word, uint32_t trips,
	    struct message *message)
{
	uint32_t i;

	/* A port without words has no limit block: the header's echo is all. */
	if (!way_has_words(way))
		return 0;
	for (i = 0; i < trips; i++) {
		uint32_t spins = 0;
		int got = 0;

		word++;
		while (way_word_load(way) != word) {
			if (likely(++spins % WATCH_SPINS != 0))
				continue;
			got = serve_limit_look(way, message);
			if (got != 0)
				return got > 0 || got == -ESTALE ? got : 0;
		}
		way_word_store(way, word);
	}
	far->limit_trips += trips;
	return 0;
}

#endif /* LOOP_SERVE_WAIT_H */
