/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PING_H
#define PING_H

#include "options.h"
#include "protocol.h"
#include "way.h"

/** Round trips of each kind that come first and are left out. */
#define WARMUP_TRIPS 10000u
/** Round trips of a limit block. */
#define LIMIT_TRIPS 10000u
/** Messages of a round: a twentieth of all between these. */
#define ROUND_MESSAGES_MIN UINT64_C(1000)
#define ROUND_MESSAGES_MAX UINT64_C(50000)
/** Rounds run at most, over those planned. */
#define ROUNDS_FACTOR 3u
/** A round is dropped when its limits before and after differ by more. */
#define LIMIT_DRIFT 0.20
/** Of the pattern in all messages. */
#define PATTERN_SEED UINT64_C(0x6e6168616e6e69)

/** What an answer is. */
enum answer {
	ANSWER_EXPECTED,
	ANSWER_CORRUPT, /**< taken for the expected one */
	ANSWER_STRAY,	/**< not the expected one, which may still come */
};

/** The asking side: what its loops use, and what they count. */
struct ping {
	const uint8_t *pattern;
	uint32_t length;	/**< bytes of a message */
	uint32_t sequence;	/**< of the next message */
	uint32_t lost_sequence; /**< of the last message lost, if lost is not 0 */
	uint64_t lost;
	uint64_t duplicates;
	uint64_t misordered;
	uint64_t corrupt;
};

/** What the process cost itself in the measured loops. */
struct usage {
	int64_t minor_faults;
	int64_t major_faults;
	int64_t voluntary_switches;
	int64_t involuntary_switches;
};

/** Results of a run. 1.1 MiB: on the heap. */
struct results {
	struct nhn_histogram rtt;    /**< of the rounds kept */
	struct nhn_histogram limit;  /**< of the blocks beside them */
	struct nhn_histogram round;  /**< of the round that runs */
	struct nhn_histogram before; /**< limit block before it */
	struct nhn_histogram after;
	struct ping ping;
	struct usage usage;
	double *ratios; /**< of the rounds kept, ascending when the run is over */
	uint32_t rounds_planned;
	uint32_t rounds_kept;
	uint32_t rounds_dropped;
	uint64_t round_messages;   /**< of a full round */
	uint64_t sessions_before;  /**< of pong, when the link was up first */
	uint64_t restarts;	   /**< of pong since */
	enum outcome outcome;	   /**< OUTCOME_OK: all rounds that may be run were run */
	bool complete;		   /**< as many rounds kept as planned */
	enum nhn_link_state state; /**< of the link when the rounds ended */
};

/** The pattern of all messages of @p length bytes, without period and the same in each run.
 *  @return to be freed, or NULL */
uint8_t *ping_pattern_new(uint32_t length);

/** Compare an answer that does not look as expected. Counts it. */
enum answer ping_classify(struct ping *ping, const struct message *message, uint32_t sequence);

/** Run all rounds. @return 0, or -errno with a sentence said: nothing was measured */
int ping_run(struct way *way, const struct options *options, struct results *results);
void ping_results_free(struct results *results);

#endif /* PING_H */
