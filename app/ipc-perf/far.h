/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The far end (--mode pong): obeys the orders that come over the link.
 */
#ifndef FAR_H
#define FAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <nhn_cause.h>
#include <nhn_clock.h>
#include <nhn_histogram.h>

#include "protocol.h"
#include "stream.h"
#include "way.h"

/** An answer that has no room for as long, with the link down, is dropped. */
#define ANSWER_HOLD_NS UINT64_C(1000000000)

/** What its loop uses, and what it counts. 0.5 MiB: on the heap. */
struct far {
	struct order serve;	 /**< the last ORDER_SERVE */
	uint8_t *pattern;	 /**< of its seed and sizes; NULL: nothing can be checked */
	uint32_t pattern_length; /**< longest message it is for */
	uint64_t pattern_seed;
	uint64_t pattern_bytes; /**< of its memory */
	struct stream probes;	/**< ECHO, STAMP, CALL */
	struct stream bulk;	/**< DATA */
	uint64_t answered;
	uint64_t limit_trips;
	uint64_t dropped;
	uint64_t strange;
	uint64_t source_left; /**< DATA to be sent */
	uint32_t source_burst;
	uint32_t source_length;
	uint32_t source_sequence;
	uint64_t source_sent;
	uint64_t bulk_last;    /**< cycles at the last DATA since SERVE; 0: none */
	uint64_t bulk_active;  /**< cycles between DATA of one train */
	uint64_t bulk_trains;  /**< DATA that came first of a train */
	uint64_t train_cycles; /**< later than this after the last one begins another train */
	struct nhn_histogram floor;
	struct nhn_histogram work;
	struct nhn_observer observer;
	const struct nhn_clock *clock;
	uint32_t work_parts;	  /**< of the workload: the link gets its steps between them */
	uint32_t work_turns;	  /**< of a part */
	bool numbered;		  /**< probes.next is known, by SERVE or a first message */
	bool obeyed;		  /**< the last order, so that it is not obeyed again ... */
	uint32_t order_sequence;  /**< ... when a port made its sender repeat it */
	uint32_t reply_bytes;	  /**< of the answer to it */
	uint32_t size_max;	  /**< longest message that the way carries */
	uint64_t idle_at;	  /**< cycles at the last message: WAIT_SLEEP */
	uint64_t answered_before; /**< SERVE: for the sum at the end */
	uint64_t dropped_before;  /**< SERVE */
	uint64_t strange_before;  /**< SERVE */
	uint8_t reply[REPLY_BYTES_MAX];
	struct rusage usage_before; /**< SERVE */
	char place[192];	    /**< of this end's core, in a line; empty: not known */
};

/** Serve until told to end or stopped. */
enum outcome far_run(struct way *way, const struct nhn_clock *clock);

/* Called by the loop of loop_serve.h, in far.c: cold. */

/**
 * Obey an order.
 * @param reply REPLY_BYTES_MAX bytes: struct reply and what follows it
 * @return bytes of the reply
 */
uint32_t far_obey(struct far *far, const struct order *order, uint64_t received_cycles,
		  void *reply);

/** A part of the work between two polls: as many turns each time. */
void far_work(struct far *far);
/** Another near end: what was ordered is no more. */
void far_forget(struct far *far);
/** Only read the clock for a while. */
void far_floor(struct far *far, uint64_t duration_ns);
/** How long an ORDER_FLOOR lasts. */
uint64_t far_floor_ns(const struct order *order);
/** Sleep for as long as nothing came. @param had a message since the last call */
void far_sleep(struct far *far, bool had);

/** So many DATA came, in a burst. */
static inline void
far_arrived(struct far *far, uint64_t count)
{
	uint64_t now, gap;

	if (count == 0)
		return;
	now = nhn_clock_now();
	gap = now - far->bulk_last;
	if (__builtin_expect(far->bulk_last == 0 || gap >= far->train_cycles, 0))
		far->bulk_trains += count;
	else
		far->bulk_active += gap;
	far->bulk_last = now;
}

/** Count a probe by its number. Without SERVE the first one begins. */
static inline void
far_note(struct far *far, uint32_t sequence)
{
	if (__builtin_expect(!far->numbered, 0)) {
		far->probes.next = sequence;
		far->numbered = true;
	}
	stream_note(&far->probes, sequence);
}

#endif /* FAR_H */
