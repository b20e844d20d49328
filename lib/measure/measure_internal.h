/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What .hgrm and .hlog share: a histogram as HdrHistogram keeps it, and numbers as
 * its Java library prints them. Not installed.
 *
 * Samples out of range have no place of their own there. Those below are zeros, which
 * HdrHistogram counts at index 0; those above are counted in the step of the highest
 * value, so that they remain the last in rank and no percentile gets better.
 */
#ifndef MEASURE_INTERNAL_H
#define MEASURE_INTERNAL_H

#include <stdint.h>
#include <stdio.h>

#include <nhn_histogram.h>

#define HDR_DIGITS 3
#define HDR_SUB_BUCKETS (1u << NHN_HISTOGRAM_STEP_BITS)

/** Samples of the step, out of range included. */
uint64_t nhn_hdr_count(const struct nhn_histogram *h, uint32_t index);

/** Index of the last step that holds samples; 0 when there are none. */
uint32_t nhn_hdr_last(const struct nhn_histogram *h);

/** The step's lowest and highest value. The last step ends above the range. */
void nhn_hdr_step(uint32_t index, uint64_t *low_ns, uint64_t *high_ns);

/** What HdrHistogram calls the maximum: the end of the last step that holds samples. */
uint64_t nhn_hdr_max(const struct nhn_histogram *h);

/**
 * Print as Java's "%<width>.<decimals>f" in Locale.US: the shortest digits that tell
 * *value* from its neighbours, rounded half up. C's printf() rounds the binary value
 * instead and differs in the last digit where that is a tie; its decimal point depends
 * on the locale.
 *
 * @param value  not negative, below 10^30; not a number is printed as NaN.
 */
void nhn_hdr_print(FILE *out, int width, int decimals, double value);

#endif /* MEASURE_INTERNAL_H */
