/* SPDX-License-Identifier: BSD-3-Clause */
/* The near side: orders from stdin, rounds, answers on stdout. */
#ifndef NEAR_H
#define NEAR_H

#include <jansson.h>

#include "meeting.h"

struct near {
	struct side *side;
	const char *folder;
	uint32_t number;   /**< of the last order to the far side */
	uint32_t openings; /**< so far */
	uint64_t run;	   /**< contest_place::run */
};

/** One round, asked and measured. */
struct round {
	struct meeting_order order;
	const struct contestant *contestant;
	uint64_t interval_ns;
	struct meeting_answer far;
	struct meeting_usage usage;
	uint64_t ns;
	uint64_t lost;
	uint64_t misordered;
	double limit_ns[2]; /**< median before and after */
	struct nhn_histogram latency;
};

/** Serve orders until the input ends. @return exit status */
int near_run(struct side *side, const char *folder);

/** @return whether the process that near forked has ended */
bool near_far_ended(const struct near *near);

/** Wait until the far side's @p word is @p number. @return false with the reason in @p why */
bool near_wait(struct near *near, const uint32_t *word, uint32_t number, char *why);

/** Give an order that near has no part in. @return 0, or -1 with the reason in @p why */
int near_order(struct near *near, const struct meeting_order *order, struct meeting_answer *far,
	       char *why);

/**
 * Have all contestants that --device names get that going which a guest's devices need.
 * @return 0, or -1 with the reason in @p why
 */
int near_offer(const struct near *near, char *why);

/** Open a contestant at both sides. @return 0, or -1 with the reason in @p why */
int near_open(struct near *near, const char *name, uint32_t links, uint32_t ring,
	      struct meeting_answer *far, char *why);

/** Close it at both sides. */
int near_close(struct near *near, const char *name, char *why);

/** Run round->order, without limit. @return 0, or -1 with the reason in @p why */
int near_round(struct near *near, struct round *round, char *why);

/** @return percentiles by name; null where there are too few samples */
json_t *near_percentiles(const struct nhn_histogram *latency);

/**
 * The median to parts of what the time counter can tell apart, @p tick_ns: on some machines
 * that is 10 ns, a tenth of what is measured. Samples of one tick are taken as spread evenly
 * over it: the median of grouped data.
 * @return 0 without samples
 */
double near_median_ns(const struct nhn_histogram *latency, double tick_ns);

/** @return [highest value of the step in ns, samples] of each step that has some */
json_t *near_histogram(const struct nhn_histogram *latency);

#endif /* NEAR_H */
