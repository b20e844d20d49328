/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the two ends say to each other, in the messages that are measured.
 *
 * A message is a header and, after it, bytes of a pattern. The near end leads,
 * the far end obeys:
 *
 *     ECHO   answered with the same bytes
 *     STAMP  the same, and the far end puts its clock into bytes 8 to 15 of the answer
 *     CALL   checked, and answered with as many bytes as SERVE ordered
 *     DATA   checked and counted, not answered
 *     LIMIT  answered as ECHO; then n words, each on a line of its own: the near end stores
 *            the numbers after LIMIT's into its word, the far end each into its own
 *     ORDER  a struct order follows the header; answered by REPLY
 *     REPLY  to an order, a struct reply follows the header
 *     END    answered as ECHO; then the far end ends
 *
 * The pattern's begin depends on the sequence number, so that a body of an
 * earlier message under a new header is seen as corrupt. Sequence numbers of
 * each direction and each stream (probe, bulk) count by one.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdint.h>

/** Of this file: both ends must have the same. */
#define PROTOCOL_VERSION 3u

struct protocol_header {
	uint32_t sequence;
	uint32_t command; /**< kind << PROTOCOL_KIND_SHIFT | argument */
};

enum protocol_kind {
	PROTOCOL_ECHO = 1,
	PROTOCOL_LIMIT = 2, /**< argument: words to exchange */
	PROTOCOL_END = 3,
	PROTOCOL_STAMP = 4,
	PROTOCOL_CALL = 5,
	PROTOCOL_DATA = 6,
	PROTOCOL_ORDER = 7,
	PROTOCOL_REPLY = 8,
};

#define PROTOCOL_KIND_SHIFT 24
#define PROTOCOL_ARGUMENT_MASK 0xffffffu
/** Messages that STAMP needs: header and clock. */
#define PROTOCOL_STAMP_BYTES 16u

static inline uint32_t
protocol_command(enum protocol_kind kind, uint32_t argument)
{
	return (uint32_t)kind << PROTOCOL_KIND_SHIFT | argument;
}

/** Places in the pattern where a message may begin, 64 bytes apart. */
#define PROTOCOL_PHASES 64u
#define PROTOCOL_PHASE_BYTES 64u

/** Bytes of a pattern for messages of @p length bytes. */
static inline uint64_t
protocol_pattern_bytes(uint32_t length)
{
	return (uint64_t)length + PROTOCOL_PHASES * PROTOCOL_PHASE_BYTES;
}

/** Where in the pattern the bytes after a message's header come from. */
static inline const uint8_t *
protocol_pattern_at(const uint8_t *pattern, uint32_t sequence)
{
	return pattern + sequence % PROTOCOL_PHASES * PROTOCOL_PHASE_BYTES;
}

enum order_kind {
	ORDER_HELLO = 1, /**< who are you: struct reply_hello */
	ORDER_SERVE,	 /**< how to poll and what to answer, from now on; counts begin anew */
	ORDER_COUNTS,	 /**< struct reply_counts since SERVE */
	ORDER_CLOCK,	 /**< struct reply_clock: when it came and when the answer went */
	ORDER_FLOOR,	 /**< answered; then the far end only reads its clock for duration_ns */
	ORDER_LOOK,	 /**< struct reply_look: what disturbed the far end since the last one */
	ORDER_SOURCE,	 /**< answered; then the far end sends count DATA in bursts, and goes on
			  *   serving between bursts */
	ORDER_FETCH,	 /**< struct reply_fetch: a part of a histogram of the far end */
};

/** What ORDER_FETCH is of. */
enum far_histogram {
	FAR_FLOOR, /**< gaps of ORDER_FLOOR since SERVE */
	FAR_WORK,  /**< how long each workload took since SERVE */
};

/** After the header of an ORDER. 48 bytes, so that it fits every frame and cell. */
struct order {
	uint32_t kind;	     /**< enum order_kind */
	uint32_t size;	     /**< SERVE, SOURCE: bytes of DATA and CALL messages */
	uint32_t reply_size; /**< SERVE: bytes of the answers to CALL */
	uint32_t burst;	     /**< SERVE: taken in one poll at most; SOURCE: sent at once */
	uint32_t wait;	     /**< SERVE: enum wait */
	uint32_t what;	/**< FETCH: enum far_histogram; SERVE: number of the far end's next DATA */
	uint64_t count; /**< SOURCE: messages; FETCH: first index of the histogram; SERVE: number
			 *   of the next probe, and of the next DATA in the upper half */
	uint64_t duration_ns; /**< SERVE: workload between polls, 0: none; FLOOR: how long */
	uint64_t seed;	      /**< SERVE: of the pattern */
};

/** After the header of a REPLY; the kind's struct follows. */
struct reply {
	uint32_t kind;	/**< of the order */
	int32_t status; /**< 0, or -errno: the order was not obeyed */
};

/** Bytes of a REPLY at most: fits the smallest MTU and data ring in use. */
#define REPLY_BYTES_MAX 1024u

struct reply_hello {
	uint32_t version;  /**< PROTOCOL_VERSION */
	int32_t core;	   /**< its lcore's CPU */
	uint64_t clock_hz; /**< of its counter */
	char system[96];   /**< kernel, machine */
	char dpdk[32];
	char topology[192]; /**< of its core, in a line */
	char host[64];	    /**< its node name */
};

struct reply_clock {
	uint64_t received_ns; /**< its clock, at the order's arrival */
	uint64_t sent_ns;     /**< its clock, as the answer is written */
};

/** Counts of one end. Of a stream each: lost is what is missing between numbers seen. */
struct reply_counts {
	uint64_t received; /**< messages of ECHO, STAMP, CALL and DATA, each once */
	uint64_t sent;	   /**< answers and DATA */
	uint64_t lost;
	uint64_t duplicates;
	uint64_t misordered;
	uint64_t corrupt;
	uint64_t dropped; /**< answers that could not be sent */
	uint64_t strange; /**< messages that are none of the near end's */
	uint64_t bulk;	  /**< of received: DATA */
	/* The far end's own rate, without pauses: (bulk - trains) / active_ns. */
	uint64_t active_ns;   /**< own clock: from burst to burst of DATA less than 1 ms apart, and
			       *   a cycle a byte: a train */
	uint64_t trains;      /**< of bulk: those in the first burst of each train */
	uint64_t source_next; /**< number of the next DATA that the far end would send */
	int64_t minor_faults, major_faults, voluntary_switches, involuntary_switches;
};

/** Lines of /proc/interrupts told at most, those that grew most. */
#define LOOK_LINES 6u

struct reply_look {
	uint64_t window_ns; /**< since the last look */
	uint64_t voluntary, involuntary, minor_faults, major_faults;
	uint64_t run_delay_ns; /**< waited for a core */
	uint64_t steal_ns;
	uint64_t tick_ns; /**< resolution of steal_ns */
	uint64_t sees;	  /**< NHN_SEES_*: sources that this end has */
	struct {
		char name[12];	/**< "LOC", "42" */
		char what[36];	/**< "Local timer interrupts" */
		uint64_t count; /**< more than at the last look */
	} line[LOOK_LINES];
};

/** Pairs of index and count that are not zero, from order.count on. */
struct reply_fetch {
	uint64_t total, below, above, min_ns, max_ns;
	uint32_t next; /**< first index of the next part; 0: this is the last */
	uint32_t pairs;
	/* pairs times struct fetch_pair follow */
};

struct fetch_pair {
	uint32_t index;
	uint32_t unused;
	uint64_t count;
};

/** Messages may stand at any address: copy them in and out. */

#endif /* PROTOCOL_H */
