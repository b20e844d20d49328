/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_HISTOGRAM_H
#define NHN_HISTOGRAM_H

/**
 * @file
 * A histogram of durations in nanoseconds: fixed memory, three significant
 * decimal digits over 1 ns .. 100 s, constant cost per sample.
 *
 * The bucket scheme is that of HdrHistogram by Gil Tene
 * (https://hdrhistogram.org), with lowest discernible value 1 and three
 * significant digits, so counts[] has HdrHistogram's order and length. Bucket 0
 * holds 0..2047 in steps of 1; each further bucket b holds
 * 1024 << b .. (2048 << b) - 1 in 1024 steps of 1 << b:
 *
 *   index    0 .. 2047   2048 .. 3071   3072 .. 4095   ...   27648 .. 28671
 *   values   0 .. 2047   2048 .. 4095   4096 .. 8191   ...    2^36 .. 2^37 - 1
 *   step             1              2              4                   2^26
 *
 * A step is at most 1/1024 of the values it holds: an error below 0.1 %.
 *
 * Samples out of range are counted and take part in the ranks: those below sort
 * before all others, those above sort after all others. So a lost tail cannot
 * flatter a percentile.
 *
 * One thread writes a histogram; others may read it once that thread has handed
 * it over. No function allocates or calls the kernel.
 */

#include <assert.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Range of the values kept in counts[], in ns, both ends included. */
#define NHN_HISTOGRAM_LOWEST_NS UINT64_C(1)
#define NHN_HISTOGRAM_HIGHEST_NS UINT64_C(100000000000)

/** log2 of the steps in bucket 0: 2048 is the first power of two >= 2 * 10^3. */
#define NHN_HISTOGRAM_STEP_BITS 11
/** Buckets until NHN_HISTOGRAM_HIGHEST_NS is covered: 2048 << 26 > 10^11. */
#define NHN_HISTOGRAM_BUCKETS 27
/** Entries of counts[]: bucket 0 has two halves, every other one half. */
#define NHN_HISTOGRAM_COUNTS ((NHN_HISTOGRAM_BUCKETS + 1) << (NHN_HISTOGRAM_STEP_BITS - 1))

/**
 * Samples that must lie on the scarcer side of a percentile before it is given:
 * N * min(p, 1 - p) >= 100, so p50 needs 200 samples and p99.99 needs 10^6.
 */
#define NHN_HISTOGRAM_SCARCE_SAMPLES 100

/**
 * The histogram: 229416 bytes, in memory of the caller. The fields may be read
 * directly.
 */
struct nhn_histogram {
	uint64_t total;			       /**< N: all samples, out of range included */
	uint64_t below;			       /**< samples below NHN_HISTOGRAM_LOWEST_NS */
	uint64_t above;			       /**< samples above NHN_HISTOGRAM_HIGHEST_NS */
	uint64_t min_ns;		       /**< exact, of all samples; UINT64_MAX when N is 0 */
	uint64_t max_ns;		       /**< exact, of all samples; 0 when N is 0 */
	uint64_t counts[NHN_HISTOGRAM_COUNTS]; /**< samples in range, by index */
};
static_assert(sizeof(struct nhn_histogram) == 229416, "size given above");
static_assert((UINT64_C(1) << (NHN_HISTOGRAM_STEP_BITS + NHN_HISTOGRAM_BUCKETS - 1)) >
		      NHN_HISTOGRAM_HIGHEST_NS,
	      "the last bucket must cover the highest value");

/**
 * Make an empty histogram. Writes all of it, so that recording meets no page
 * fault later.
 */
void nhn_histogram_init(struct nhn_histogram *h);

/** Add all samples of *src* to *dst*, as if each had been recorded there. */
void nhn_histogram_add(struct nhn_histogram *dst, const struct nhn_histogram *src);

/** Index into counts[] of a value not above NHN_HISTOGRAM_HIGHEST_NS. */
static inline uint32_t
nhn_histogram_index(uint64_t value_ns)
{
	const uint64_t bucket_0 = (UINT64_C(1) << NHN_HISTOGRAM_STEP_BITS) - 1;
	const uint32_t bits = 64 - (uint32_t)__builtin_clzll(value_ns | bucket_0);
	const uint32_t bucket = bits - NHN_HISTOGRAM_STEP_BITS;

	return (bucket << (NHN_HISTOGRAM_STEP_BITS - 1)) + (uint32_t)(value_ns >> bucket);
}

/** Count one sample, of any value. */
static inline void
nhn_histogram_record(struct nhn_histogram *h, uint64_t value_ns)
{
	h->total++;
	if (value_ns < h->min_ns)
		h->min_ns = value_ns;
	if (value_ns > h->max_ns)
		h->max_ns = value_ns;

	if (value_ns < NHN_HISTOGRAM_LOWEST_NS)
		h->below++;
	else if (value_ns > NHN_HISTOGRAM_HIGHEST_NS)
		h->above++;
	else
		h->counts[nhn_histogram_index(value_ns)]++;
}

/**
 * The bounds of the rank-th smallest sample, as narrow as the histogram knows
 * them: the ends of its step, within the range, min_ns and max_ns. Walks
 * counts[] once.
 *
 * @param rank  1 (smallest) .. total (largest).
 * @return 0, or -ERANGE when there is no such sample.
 */
int nhn_histogram_at_rank(const struct nhn_histogram *h, uint64_t rank, uint64_t *low_ns,
			  uint64_t *high_ns);

/**
 * The lowest and the highest value that counts[*index*] stands for, in ns.
 *
 * @param index  below NHN_HISTOGRAM_COUNTS.
 */
void nhn_histogram_step(uint32_t index, uint64_t *low_ns, uint64_t *high_ns);

/**
 * The rank that stands for percentile num/den of *total* samples:
 * ceil(total * num / den), in exact arithmetic.
 *
 * @param den  not 0, and not below *num*.
 */
uint64_t nhn_histogram_rank(uint64_t total, uint32_t num, uint32_t den);

/**
 * How many samples percentile num/den needs (NHN_HISTOGRAM_SCARCE_SAMPLES).
 *
 * @return that number, or 0 unless 0 < num < den.
 */
uint64_t nhn_histogram_needed(uint32_t num, uint32_t den);

/**
 * A percentile p = num/den, exact rational (p99.99 is 9999, 10000): the
 * smallest recorded value with at least ceil(p * N) samples at or below it.
 *
 * What is returned is the highest value that shares that value's step, and not
 * more than max_ns, as HdrHistogram's value at percentile: never below the
 * true one, and at most 0.1 % above it. Where the sample is above the range,
 * it is max_ns.
 *
 * @return 0, or -EINVAL unless 0 < num < den, or -ERANGE when N is below
 *   nhn_histogram_needed(). On error *value_ns* is unchanged.
 */
int nhn_histogram_percentile(const struct nhn_histogram *h, uint32_t num, uint32_t den,
			     uint64_t *value_ns);

/**
 * A 95 % confidence interval of percentile num/den by order statistics: how
 * many of N samples lie below the percentile is binomial, taken as normal, so
 * the samples of ranks floor(N p) - w and ceil(N p) + w + 1 enclose it, with
 * w = ceil(1.96 * sqrt(N p (1 - p))). Ends are rounded outward to their steps.
 *
 * It supposes independent samples. Latencies follow each other in bursts, so
 * the true uncertainty is larger; the spread between rounds shows it.
 *
 * @return as nhn_histogram_percentile().
 */
int nhn_histogram_interval(const struct nhn_histogram *h, uint32_t num, uint32_t den,
			   uint64_t *low_ns, uint64_t *high_ns);

#ifdef __cplusplus
}
#endif

#endif /* NHN_HISTOGRAM_H */
