/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a run found. All memory is fixed: it does not grow with the samples.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <nhn_cause.h>
#include <nhn_clock.h>
#include <nhn_histogram.h>

#include "protocol.h"
#include "settings.h"
#include "way.h"

/** Slices of a run's time; two neighbours become one when all are used. */
#define SLICES 128u
/** Rounds whose ratio or rate is kept; from then on every second one, then every fourth, ... */
#define SERIES_MAX 4096u

/** A part of the run's time. */
struct slice {
	uint64_t begin_ns; /**< since the run began */
	uint64_t end_ns;
	uint64_t messages;
	struct nhn_histogram latency;
};

/** One number a round. */
struct series {
	uint32_t count;
	uint32_t every; /**< rounds a value */
	uint32_t skipped;
	double values[SERIES_MAX];
};

/** Where a series lies. All 0 when it is empty. */
struct spread {
	double min, quarter, median, three_quarters, max;
};

/** What the process cost itself in the measured loops. */
struct usage {
	int64_t minor_faults;
	int64_t major_faults;
	int64_t voluntary_switches;
	int64_t involuntary_switches;
};

/** Far clock less near clock, by the exchange with the shortest round trip. */
struct offset {
	bool known;
	int64_t offset_ns;
	uint64_t error_ns; /**< the true one is within +- this */
	uint64_t when_ns;  /**< of the near clock */
};

/** Counts of both ends. */
struct both_counts {
	struct reply_counts near;
	struct reply_counts far;
	bool far_known;
};

/** Results of a run. About 32 MiB: on the heap, all of it touched before the run. */
struct result {
	struct settings settings;
	char via[16];
	struct timespec begun;	/**< wall clock */
	uint64_t run_ns;	/**< from the first round to the last */
	uint64_t measured_ns;	/**< of that in kept rounds */
	enum outcome outcome;	/**< OUTCOME_OK: all rounds that may be run were run */
	bool complete;		/**< as many kept as planned, or as long */
	const char *link_state; /**< when the rounds ended */

	struct nhn_histogram latency; /**< of the rounds kept: engine.latency says what */
	struct nhn_histogram extra;   /**< engine.extra says what */
	struct nhn_histogram limit;   /**< of the blocks beside the rounds kept */
	struct nhn_histogram floor;   /**< gaps of the near core, between rounds */
	struct nhn_histogram far_floor;
	struct nhn_histogram far_work;
	struct nhn_histogram there; /**< one way */
	struct nhn_histogram back;

	struct nhn_histogram round; /**< scratch: of the round that runs */
	struct nhn_histogram round_extra;
	struct nhn_histogram before; /**< limit block before it */
	struct nhn_histogram after;

	uint64_t round_messages;
	uint32_t rounds_planned; /**< 0: by time */
	uint32_t rounds_kept;
	uint32_t rounds_dropped;  /**< by the limit's drift */
	uint32_t rounds_void;	  /**< by lost messages or a restart */
	struct series ratios;	  /**< p50 over the limit's, of the rounds kept */
	struct series rates;	  /**< messages a second, of the rounds kept */
	struct series back_rates; /**< duplex: from the far end */

	uint64_t messages; /**< of the rounds kept */
	double rate;	   /**< messages a second: the median of rates; paced: sent over time */
	double far_rate;   /**< as the far end counted DATA by its own clock; 0: none */
	uint64_t late;	   /**< paced: sent more than a period late */
	uint64_t late_most_ns;
	uint64_t paced_intervals; /**< paced: between messages sent, and ... */
	uint64_t paced_cycles;	  /**< ... how long all of them were */
	uint64_t warmup_messages; /**< that came first and are in no figure */
	bool rate_held;		  /**< paced: within 0.1 %, and no round ended late */

	struct both_counts counts;
	uint64_t restarts;  /**< of the far end, since the run began */
	struct usage usage; /**< of this thread in the rounds' loops */
	struct offset offset_begin, offset_end;
	struct reply_hello far; /**< who was at the far end; version 0: not known */
	struct nhn_gaps gaps;	/**< the largest, with causes */
	double recorder_ns;	/**< cost of recording a sample, as found before the run */

	uint32_t slices;
	uint64_t slice_ns; /**< shortest slice: doubles when all are used */
	struct slice slice[SLICES];
};

/** @return NULL: no memory */
struct result *result_new(void);
/** Make it empty for a run of these settings. */
void result_begin(struct result *result, const struct settings *settings, const char *via);
void result_free(struct result *result);

/** Take the round that ran: into the sums and into a slice. */
void result_keep(struct result *result, uint64_t begin_ns, uint64_t end_ns, uint64_t messages);

void series_add(struct series *series, double value);
struct spread series_spread(const struct series *series);

/** Bytes of the messages that the rate is of. */
uint32_t result_rate_bytes(const struct result *result);

/** Whether the run did what was asked: nothing lost or wrong, not cut off. */
bool result_met(const struct result *result);
/** "complete", "unsteady limit", "stopped", "link gone", "memory lost", "refused". */
const char *result_outcome(const struct result *result);
/**
 * A figure by its name: p50 ... p99.9999, min, max (ns); lost, duplicates, misordered,
 * corrupt, samples, rate, ratio, late, restarts, out-of-range.
 * @return 0; -ENOENT: no such figure; -ERANGE: the run has too few samples for it, or none
 */
int result_metric(const struct result *result, const char *name, double *value);
/** Whether a figure of that name exists, and whether it is a time. @return 0 or -ENOENT */
int result_metric_check(const char *name, bool *is_time);

/**
 * What a reader must know before any figure, the gravest first: cut off, lost messages, a rate
 * not held, an unsteady limit, samples out of range, thresholds missed.
 * @return whether there is one; @p text gets one sentence of up to @p bytes
 */
bool result_warning(const struct result *result, unsigned int index, char *text, size_t bytes);

/** Thresholds missed. Those that N cannot carry are missed. */
uint32_t result_expects_missed(const struct result *result);

#endif /* RESULT_H */
