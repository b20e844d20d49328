/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The near end: what its loops use, and what they count. The loops themselves
 * are in loop_*.h, compiled by each way.
 */
#ifndef NEAR_H
#define NEAR_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_cause.h>
#include <nhn_histogram.h>

#include "protocol.h"
#include "stream.h"

/** Largest count of requests open at once: settings.h. */
#define NEAR_OPEN_MAX 1024u

struct near {
	/* set by the run */
	const uint8_t *pattern; /**< protocol_pattern_bytes(longest message) */
	uint32_t length;	/**< bytes of a message, without the way's overhead */
	uint32_t reply_length;	/**< of an answer to CALL */
	uint32_t bulk_length;	/**< of DATA, as length */
	uint32_t burst;
	uint32_t depth;		     /**< CALLs open at once */
	uint64_t gap_cycles;	     /**< trips: silence before each message */
	uint64_t gap_random_cycles;  /**< trips: and 0 to as many more, by random */
	bool stamp;		     /**< trips, paced: STAMP instead of ECHO */
	int64_t offset_ns;	     /**< far clock less near clock */
	struct nhn_histogram *there; /**< one-way times, where stamp is set */
	struct nhn_histogram *back;
	struct nhn_gaps *gaps; /**< samples over its threshold are noted */
	struct nhn_observer *observer;
	uint64_t begun;	    /**< cycles when the rounds began: gaps count from there */
	uint64_t answer_ns; /**< longer than else an answer may take: the far end's work */

	/* the loops' own */
	uint32_t sequence;	/**< of the next message, but DATA */
	uint32_t bulk_sequence; /**< of the next DATA */
	uint64_t random;	/**< state of the gaps' generator, not 0 */
	uint64_t sent;		/**< messages, but orders, words and DATA */
	uint64_t bulk_sent;	/**< DATA */
	uint64_t bulk_known;	/**< bulk_sent when all of it was last known to have arrived */
	uint64_t bulk_unknown;	/**< DATA of blocks that ended before that was known: lost */
	bool taking;		/**< DATA while an order is waited for: duplex */
	struct stream answers;	/**< of ECHO, STAMP and CALL */
	struct stream bulk;	/**< DATA of the far end: duplex */
	uint64_t unanswered;	/**< messages whose answer was given up, by a restart or silence */
};

/** The open loop: message i is meant for begin + i * period. */
struct schedule {
	double period_cycles;
	uint64_t messages;	    /**< of the round, at least; it goes on while it is late */
	uint64_t messages_max;	    /**< of the round, at most */
	uint64_t stop_after_cycles; /**< later than this the round is given up */
	/* results */
	uint64_t sent;
	uint64_t cycles; /**< from the first intended time to the last one sent */
	uint64_t late;	 /**< messages sent more than one period after their time */
	uint64_t late_most_cycles;
	bool held; /**< the round ended with nothing late */
};

/** What a round moved. */
struct moved {
	uint64_t messages;
	uint64_t cycles;	/**< from the first send to the last message known received */
	uint64_t back_messages; /**< duplex: from the far end */
	uint64_t back_cycles;
};

/** The bytes of all messages of up to @p length bytes: without period, of @p seed.
 *  @return to be freed, or NULL */
uint8_t *near_pattern_new(uint32_t length, uint64_t seed);
/** The same into memory of at least protocol_pattern_bytes(), rounded up to NHN_LINE_BYTES. */
void near_pattern_fill(uint8_t *pattern, uint32_t length, uint64_t seed);

#endif /* NEAR_H */
