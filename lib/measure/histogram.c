/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <nhn_histogram.h>

/* 1.96, the 97.5 % point of the normal distribution, squared: (49/25)^2. */
#define Z_SQUARED_NUM 2401
#define Z_SQUARED_DEN 625

#define HALF_STEPS (1u << (NHN_HISTOGRAM_STEP_BITS - 1))

__extension__ typedef unsigned __int128 u128;

void
nhn_histogram_init(struct nhn_histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min_ns = UINT64_MAX;
}

void
nhn_histogram_add(struct nhn_histogram *dst, const struct nhn_histogram *src)
{
	dst->total += src->total;
	dst->below += src->below;
	dst->above += src->above;
	if (src->min_ns < dst->min_ns)
		dst->min_ns = src->min_ns;
	if (src->max_ns > dst->max_ns)
		dst->max_ns = src->max_ns;
	for (uint32_t i = 0; i < NHN_HISTOGRAM_COUNTS; i++)
		dst->counts[i] += src->counts[i];
}

void
nhn_histogram_step(uint32_t index, uint64_t *low_ns, uint64_t *high_ns)
{
	const uint32_t bucket = index < 2 * HALF_STEPS ? 0 : index / HALF_STEPS - 1;
	const uint64_t step = index - bucket * HALF_STEPS;

	*low_ns = step << bucket;
	*high_ns = ((step + 1) << bucket) - 1;
	if (*high_ns > NHN_HISTOGRAM_HIGHEST_NS)
		*high_ns = NHN_HISTOGRAM_HIGHEST_NS;
}

static uint32_t
index_at_rank(const struct nhn_histogram *h, uint64_t rank)
{
	uint64_t seen = h->below;
	uint32_t index = 0;

	/* Bounded: another thread may be recording, and total is ahead of counts. */
	while ((seen += h->counts[index]) < rank && index < NHN_HISTOGRAM_COUNTS - 1)
		index++;
	return index;
}

int
nhn_histogram_at_rank(const struct nhn_histogram *h, uint64_t rank, uint64_t *low_ns,
		      uint64_t *high_ns)
{
	if (rank == 0 || rank > h->total)
		return -ERANGE;

	if (rank <= h->below) {
		*low_ns = 0;
		*high_ns = NHN_HISTOGRAM_LOWEST_NS - 1;
	} else if (rank > h->total - h->above) {
		*low_ns = NHN_HISTOGRAM_HIGHEST_NS + 1;
		*high_ns = UINT64_MAX;
	} else {
		nhn_histogram_step(index_at_rank(h, rank), low_ns, high_ns);
	}

	if (*low_ns < h->min_ns)
		*low_ns = h->min_ns;
	if (*high_ns > h->max_ns)
		*high_ns = h->max_ns;
	return 0;
}

uint64_t
nhn_histogram_rank(uint64_t total, uint32_t num, uint32_t den)
{
	return (uint64_t)(((u128)total * num + den - 1) / den);
}

uint64_t
nhn_histogram_needed(uint32_t num, uint32_t den)
{
	uint64_t scarce;

	if (num == 0 || num >= den)
		return 0;
	scarce = num < den - num ? num : den - num;
	return (NHN_HISTOGRAM_SCARCE_SAMPLES * (uint64_t)den + scarce - 1) / scarce;
}

static int
check_carries(const struct nhn_histogram *h, uint32_t num, uint32_t den)
{
	const uint64_t needed = nhn_histogram_needed(num, den);

	if (needed == 0)
		return -EINVAL;
	return h->total < needed ? -ERANGE : 0;
}

int
nhn_histogram_percentile(const struct nhn_histogram *h, uint32_t num, uint32_t den,
			 uint64_t *value_ns)
{
	const int ret = check_carries(h, num, den);
	uint64_t low_ns;

	if (ret != 0)
		return ret;
	return nhn_histogram_at_rank(h, nhn_histogram_rank(h->total, num, den), &low_ns, value_ns);
}

/* In integers, so that the library needs no libm and every machine agrees. */
static uint64_t
sqrt_ceil(u128 square)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1) {
		const u128 tried = root | bit;

		if (tried * tried <= square)
			root |= bit;
	}
	return (u128)root * root < square ? root + 1 : root;
}

static uint64_t
rank_margin(uint64_t total, uint32_t num, uint32_t den)
{
	const uint64_t den_squared = (uint64_t)den * den;
	const u128 variance =
		((u128)total * ((uint64_t)num * (den - num)) + den_squared - 1) / den_squared;

	return sqrt_ceil((variance * Z_SQUARED_NUM + Z_SQUARED_DEN - 1) / Z_SQUARED_DEN);
}

/*
 * Both ranks exist: with m >= 100 samples expected on the scarcer side, the
 * margin is at most 1.96 * sqrt(m) + 2 < m - 2.
 */
int
nhn_histogram_interval(const struct nhn_histogram *h, uint32_t num, uint32_t den, uint64_t *low_ns,
		       uint64_t *high_ns)
{
	const int ret = check_carries(h, num, den);
	uint64_t low_rank, high_rank, margin, inner_ns;

	if (ret != 0)
		return ret;
	margin = rank_margin(h->total, num, den);
	low_rank = (uint64_t)((u128)h->total * num / den) - margin;
	high_rank = nhn_histogram_rank(h->total, num, den) + margin + 1;

	nhn_histogram_at_rank(h, low_rank, low_ns, &inner_ns);
	nhn_histogram_at_rank(h, high_rank, &inner_ns, high_ns);
	return 0;
}
