/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_PERCENTILES_H
#define NHN_PERCENTILES_H

/**
 * @file
 * The percentiles every report of this project quotes, and their text table.
 */

#include <stdint.h>
#include <stdio.h>

#include <nhn_histogram.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Entries of nhn_percentiles[]. */
#define NHN_PERCENTILES 7

/** A percentile as an exact rational, with the name it is printed under. */
struct nhn_percentile {
	const char *name;
	uint32_t num;
	uint32_t den;
};

/** p50, p90, p99, p99.9, p99.99, p99.999, p99.9999, in this order. */
extern const struct nhn_percentile nhn_percentiles[NHN_PERCENTILES];

/**
 * The entry of nhn_percentiles[] by its name, as "p99.9".
 *
 * @return NULL when there is none of that name.
 */
const struct nhn_percentile *nhn_percentile_find(const char *name);

/**
 * Print a histogram as a table of text lines: N and the samples out of range,
 * then min, each percentile with its 95 % interval
 * (nhn_histogram_interval()), and max, in ns. A percentile that N cannot carry
 * is printed as "-" with the number of samples it needs.
 *
 * @param title  printed on the first line.
 * @return 0, or -EIO when *out* is in error.
 */
int nhn_percentiles_print(FILE *out, const char *title, const struct nhn_histogram *h);

#ifdef __cplusplus
}
#endif

#endif /* NHN_PERCENTILES_H */
