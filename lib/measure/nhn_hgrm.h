/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_HGRM_H
#define NHN_HGRM_H

/**
 * @file
 * A histogram as HdrHistogram's percentile distribution, the text form `.hgrm` that
 * its plotters read.
 *
 * The lines are those of outputPercentileDistribution() of the Java library by Gil Tene
 * (https://hdrhistogram.org) with 5 ticks a half distance, to the character: value at
 * or below which the share *Percentile* of the samples lies, that share, how many
 * samples that are, and 1 / (1 - share). A value is the end of its step, as always
 * there; so is the maximum in the last lines, where nhn_histogram::max_ns is exact.
 * Mean and standard deviation are taken from the middles of the steps.
 *
 * Samples below the range are shown at value 0. Those above are shown in the step that
 * holds NHN_HISTOGRAM_HIGHEST_NS, whose end is 100059316223 ns: last, as they are by
 * rank, but at a smaller value than they had.
 */

#include <stdio.h>

#include <nhn_histogram.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Steps by which the shares approach 1, in each half of what is left. */
#define NHN_HGRM_TICKS 5

/** Least and largest unit that nhn_hgrm_write() takes, in ns. */
#define NHN_HGRM_UNIT_MIN_NS 1e-6
#define NHN_HGRM_UNIT_MAX_NS 1e12

/**
 * Write *h* to *out*. Decimal points are points in every locale. No other thread may
 * record meanwhile: the lines would contradict each other.
 *
 * @param unit_ns  ns in a unit of the values written: 1.0 for ns, 1000.0 for us.
 * @return 0, or -EINVAL unless NHN_HGRM_UNIT_MIN_NS <= *unit_ns* <=
 *   NHN_HGRM_UNIT_MAX_NS, or -EIO when *out* is in error.
 */
int nhn_hgrm_write(FILE *out, const struct nhn_histogram *h, double unit_ns);

#ifdef __cplusplus
}
#endif

#endif /* NHN_HGRM_H */
