/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nhn_histogram.h>
#include <nhn_percentiles.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct nhn_histogram hist, other, both;

/* N mod 10000 > 5000 is where a rounded rank and a ceiled one part for p99.99. */
static const uint64_t sizes[] = {
	1,     2,     3,     199,    200,    999,     1001,    5001,	9999,	 10000,
	10001, 15001, 17777, 100003, 999999, 1000000, 1000003, 1005001, 1009999,
};

/* splitmix64: seeded, so that a failure can be repeated. */
static uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Spread over all magnitudes of the range, as a latency with a long tail is. */
static uint64_t
random_value(uint64_t *state)
{
	const uint64_t magnitude = random_next(state) % 37;

	return 1 +
	       (random_next(state) & ((UINT64_C(2) << magnitude) - 1)) % NHN_HISTOGRAM_HIGHEST_NS;
}

static int
compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t *
sorted_samples(uint64_t total, uint64_t seed)
{
	uint64_t *samples = malloc(total * sizeof(*samples));

	assert_non_null(samples);
	for (uint64_t i = 0; i < total; i++) {
		samples[i] = random_value(&seed);
		nhn_histogram_record(&hist, samples[i]);
	}
	qsort(samples, total, sizeof(*samples), compare_u64);
	return samples;
}

/* The rank rule by its wording: count up until p * N samples are reached. */
static uint64_t
oracle_rank(uint64_t total, const struct nhn_percentile *p)
{
	uint64_t rank = 1;

	while (rank * p->den < total * p->num)
		rank++;
	return rank;
}

static void
record_many(struct nhn_histogram *h, uint64_t value_ns, uint64_t times)
{
	for (uint64_t i = 0; i < times; i++)
		nhn_histogram_record(h, value_ns);
}

static void
assert_within_step(uint64_t given_ns, uint64_t exact_ns)
{
	assert_true(given_ns >= exact_ns);
	assert_true((given_ns - exact_ns) * 1000 <= exact_ns);
}

static uint64_t
percentile(uint32_t num, uint32_t den)
{
	uint64_t value_ns;

	assert_int_equal(nhn_histogram_percentile(&hist, num, den, &value_ns), 0);
	return value_ns;
}

static void
assert_at_rank(uint64_t rank, uint64_t low_expected, uint64_t high_expected)
{
	uint64_t low, high;

	assert_int_equal(nhn_histogram_at_rank(&hist, rank, &low, &high), 0);
	assert_int_equal(low, low_expected);
	assert_int_equal(high, high_expected);
}

static void
assert_interval(uint32_t num, uint32_t den, uint64_t low_expected, uint64_t high_expected)
{
	uint64_t low, high;

	assert_int_equal(nhn_histogram_interval(&hist, num, den, &low, &high), 0);
	assert_int_equal(low, low_expected);
	assert_int_equal(high, high_expected);
}

static int
setup(void **state)
{
	(void)state;
	nhn_histogram_init(&hist);
	nhn_histogram_init(&other);
	nhn_histogram_init(&both);
	return 0;
}

static void
test_empty(void **state)
{
	uint64_t low, high;

	(void)state;
	assert_int_equal(hist.total, 0);
	assert_int_equal(hist.min_ns, UINT64_MAX);
	assert_int_equal(hist.max_ns, 0);
	assert_int_equal(nhn_histogram_at_rank(&hist, 0, &low, &high), -ERANGE);
	assert_int_equal(nhn_histogram_at_rank(&hist, 1, &low, &high), -ERANGE);
	assert_int_equal(nhn_histogram_percentile(&hist, 1, 2, &high), -ERANGE);
}

static void
test_rank_matches_sorted_samples(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		uint64_t *samples;

		nhn_histogram_init(&hist);
		samples = sorted_samples(sizes[n], 7 + n);
		for (size_t i = 0; i < NHN_PERCENTILES; i++) {
			const struct nhn_percentile *p = &nhn_percentiles[i];
			const uint64_t rank = oracle_rank(sizes[n], p);
			uint64_t low, high;

			assert_int_equal(nhn_histogram_rank(sizes[n], p->num, p->den), rank);
			assert_int_equal(nhn_histogram_at_rank(&hist, rank, &low, &high), 0);
			assert_true(low <= samples[rank - 1]);
			assert_within_step(high, samples[rank - 1]);
			if (sizes[n] >= nhn_histogram_needed(p->num, p->den))
				assert_int_equal(percentile(p->num, p->den), high);
		}
		assert_int_equal(hist.min_ns, samples[0]);
		assert_int_equal(hist.max_ns, samples[sizes[n] - 1]);
		free(samples);
	}
}

/* Two values, the step between them at the rank: one sample decides. */
static void
test_rank_is_exact_to_one_sample(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		for (size_t i = 0; i < NHN_PERCENTILES; i++) {
			const struct nhn_percentile *p = &nhn_percentiles[i];
			const uint64_t rank = oracle_rank(sizes[n], p);

			if (sizes[n] < nhn_histogram_needed(p->num, p->den))
				continue;
			nhn_histogram_init(&hist);
			record_many(&hist, 10, rank);
			record_many(&hist, 20, sizes[n] - rank);
			assert_int_equal(percentile(p->num, p->den), 10);

			hist.counts[nhn_histogram_index(10)]--;
			hist.counts[nhn_histogram_index(20)]++;
			assert_int_equal(percentile(p->num, p->den), 20);
		}
	}
}

/* A second sample at the top keeps max_ns from hiding the step's own end. */
static void
assert_value_resolved(uint64_t value_ns)
{
	uint64_t low, high;

	nhn_histogram_init(&hist);
	nhn_histogram_record(&hist, value_ns);
	nhn_histogram_record(&hist, NHN_HISTOGRAM_HIGHEST_NS);
	hist.min_ns = 0;
	assert_int_equal(hist.below + hist.above, 0);
	assert_int_equal(nhn_histogram_at_rank(&hist, 1, &low, &high), 0);
	assert_true(low <= value_ns && value_ns <= high);
	assert_within_step(high, low);
}

static void
test_three_digits_over_the_range(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (uint64_t power = 2; power < NHN_HISTOGRAM_HIGHEST_NS; power *= 2) {
		assert_value_resolved(power - 1);
		assert_value_resolved(power);
		assert_value_resolved(power + 1);
	}
	for (unsigned int i = 0; i < 2000; i++)
		assert_value_resolved(random_value(&seed));
	assert_value_resolved(NHN_HISTOGRAM_HIGHEST_NS - 1);
	assert_value_resolved(NHN_HISTOGRAM_HIGHEST_NS);
}

/* Every step follows the one before it, without a gap and without a shared value. */
static void
test_steps_are_contiguous(void **state)
{
	uint64_t value_ns = 1, low, high;
	uint32_t index = 1;

	(void)state;
	while (value_ns <= NHN_HISTOGRAM_HIGHEST_NS) {
		assert_int_equal(nhn_histogram_index(value_ns), index);
		hist.counts[index - 1] = 0;
		hist.counts[index] = hist.total = 1;
		hist.min_ns = 0;
		hist.max_ns = UINT64_MAX;
		assert_int_equal(nhn_histogram_at_rank(&hist, 1, &low, &high), 0);
		assert_true(low == value_ns);
		assert_int_equal(nhn_histogram_index(high), index);
		value_ns = high + 1;
		index++;
	}
	assert_true(index <= NHN_HISTOGRAM_COUNTS);
}

static void
test_range_edges(void **state)
{
	uint64_t low, high;

	(void)state;
	nhn_histogram_record(&hist, 0);
	nhn_histogram_record(&hist, NHN_HISTOGRAM_LOWEST_NS);
	nhn_histogram_record(&hist, NHN_HISTOGRAM_HIGHEST_NS);
	nhn_histogram_record(&hist, NHN_HISTOGRAM_HIGHEST_NS + 1);
	nhn_histogram_record(&hist, UINT64_MAX);
	assert_int_equal(hist.total, 5);
	assert_int_equal(hist.below, 1);
	assert_int_equal(hist.above, 2);
	assert_int_equal(hist.min_ns, 0);
	assert_true(hist.max_ns == UINT64_MAX);

	assert_at_rank(1, 0, 0);
	assert_at_rank(2, 1, 1);
	/* The highest value's step starts at 1490 << 26. */
	assert_at_rank(3, UINT64_C(1490) << 26, NHN_HISTOGRAM_HIGHEST_NS);
	assert_at_rank(4, NHN_HISTOGRAM_HIGHEST_NS + 1, UINT64_MAX);
	assert_at_rank(5, NHN_HISTOGRAM_HIGHEST_NS + 1, UINT64_MAX);
	assert_int_equal(nhn_histogram_at_rank(&hist, 6, &low, &high), -ERANGE);
}

/* 2 % of the samples lost above the range must show in p99. */
static void
test_lost_tail_takes_part_in_ranks(void **state)
{
	(void)state;
	record_many(&hist, 100, 9800);
	record_many(&hist, UINT64_C(300000000000), 200);
	assert_int_equal(percentile(99, 100), UINT64_C(300000000000));
}

static void
test_step_is_cut_at_min_and_max(void **state)
{
	(void)state;
	record_many(&hist, 1000000, 1000);
	assert_at_rank(500, 1000000, 1000000);
	nhn_histogram_record(&hist, 2000000);
	assert_int_equal(percentile(1, 2), 1000447);
}

static void
test_merge_equals_recording_into_one(void **state)
{
	uint64_t seed = 3;

	(void)state;
	nhn_histogram_add(&hist, &other);
	assert_memory_equal(&hist, &other, sizeof(hist));
	for (unsigned int i = 0; i < 100000; i++) {
		const uint64_t value_ns = random_next(&seed) >> (random_next(&seed) & 63);

		nhn_histogram_record(i % 3 == 0 ? &hist : &other, value_ns);
		nhn_histogram_record(&both, value_ns);
	}
	assert_true(both.below > 0 && both.above > 0);
	nhn_histogram_add(&hist, &other);
	assert_memory_equal(&hist, &both, sizeof(hist));
}

static void
test_refuses_what_n_cannot_carry(void **state)
{
	static const uint64_t needed[NHN_PERCENTILES] = {200,	  1000,	    10000,    100000,
							 1000000, 10000000, 100000000};

	(void)state;
	for (size_t i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *p = &nhn_percentiles[i];
		uint64_t low = 77, high = 77;

		assert_int_equal(nhn_histogram_needed(p->num, p->den), needed[i]);
		record_many(&hist, 5, needed[i] - 1 - hist.total);
		assert_int_equal(nhn_histogram_percentile(&hist, p->num, p->den, &low), -ERANGE);
		assert_int_equal(nhn_histogram_interval(&hist, p->num, p->den, &low, &high),
				 -ERANGE);
		assert_true(low == 77 && high == 77);
		nhn_histogram_record(&hist, 5);
		assert_int_equal(nhn_histogram_percentile(&hist, p->num, p->den, &low), 0);
		assert_int_equal(nhn_histogram_interval(&hist, p->num, p->den, &low, &high), 0);
	}
	assert_int_equal(nhn_histogram_needed(1, 1000), 100000);
	assert_int_equal(nhn_histogram_needed(2, 3), 300);
}

static void
test_refuses_what_is_no_percentile(void **state)
{
	static const uint32_t bad[][2] = {{0, 1}, {1, 1}, {2, 1}, {0, 0}, {1, 0}};
	uint64_t low, high;

	(void)state;
	record_many(&hist, 5, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(nhn_histogram_needed(bad[i][0], bad[i][1]), 0);
		assert_int_equal(nhn_histogram_percentile(&hist, bad[i][0], bad[i][1], &high),
				 -EINVAL);
		assert_int_equal(nhn_histogram_interval(&hist, bad[i][0], bad[i][1], &low, &high),
				 -EINVAL);
	}
}

/* P(low_rank <= B < high_rank) for B binomial: the interval's exact coverage. */
static double
binomial_coverage(uint64_t total, double p, uint64_t low_rank, uint64_t high_rank)
{
	double mass = 1, covered = 0;

	for (uint64_t i = 0; i < total; i++)
		mass *= p;
	for (uint64_t k = total; k > 0 && k >= low_rank; k--) {
		if (k < high_rank)
			covered += mass;
		mass *= (double)k / (double)(total - k + 1) * (1 - p) / p;
	}
	return covered;
}

static void
test_interval_covers_95_percent(void **state)
{
	(void)state;
	for (size_t i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *p = &nhn_percentiles[i];
		const uint64_t total = nhn_histogram_needed(p->num, p->den);
		const uint64_t rank = oracle_rank(total, p);
		uint64_t low, high;
		double coverage;

		/* Near the percentile the value tells the rank: rank + 1000 - N p. */
		nhn_histogram_init(&hist);
		record_many(&hist, 1, rank < 1000 ? 0 : rank - 1000);
		for (uint64_t r = rank < 1000 ? 1 : rank - 999; r <= total; r++)
			nhn_histogram_record(&hist, r + 1000 - rank);
		assert_int_equal(nhn_histogram_interval(&hist, p->num, p->den, &low, &high), 0);
		coverage = binomial_coverage(total, (double)p->num / p->den, low + rank - 1000,
					     high + rank - 1000);
		assert_true(coverage >= 0.95);
		assert_true(coverage <= 0.97);
	}
}

static void
test_interval_by_hand(void **state)
{
	(void)state;
	for (uint64_t value_ns = 1; value_ns <= 1000; value_ns++)
		nhn_histogram_record(&hist, value_ns);
	/* 1.96 * sqrt(1000 / 4) = 30.99 */
	assert_interval(1, 2, 500 - 31, 500 + 31 + 1);
	/* 1.96 * sqrt(1000 * 0.09) = 18.59 */
	assert_interval(9, 10, 900 - 19, 900 + 19 + 1);
}

static void
test_huge_counts(void **state)
{
	(void)state;
	assert_int_equal(nhn_histogram_rank(UINT64_MAX, 9999, 10000),
			 UINT64_MAX - UINT64_MAX / 10000);
	assert_int_equal(nhn_histogram_rank(UINT64_MAX, UINT32_MAX, UINT32_MAX), UINT64_MAX);
	hist.total = UINT64_C(1) << 62;
	hist.counts[nhn_histogram_index(10)] = hist.total / 2;
	hist.counts[nhn_histogram_index(20)] = hist.total / 2;
	hist.min_ns = 10;
	hist.max_ns = 20;
	assert_interval(1, 2, 10, 20);
	assert_interval(UINT32_MAX - 1, UINT32_MAX, 20, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_rank_matches_sorted_samples, setup),
		cmocka_unit_test_setup(test_rank_is_exact_to_one_sample, setup),
		cmocka_unit_test_setup(test_three_digits_over_the_range, setup),
		cmocka_unit_test_setup(test_steps_are_contiguous, setup),
		cmocka_unit_test_setup(test_range_edges, setup),
		cmocka_unit_test_setup(test_lost_tail_takes_part_in_ranks, setup),
		cmocka_unit_test_setup(test_step_is_cut_at_min_and_max, setup),
		cmocka_unit_test_setup(test_merge_equals_recording_into_one, setup),
		cmocka_unit_test_setup(test_refuses_what_n_cannot_carry, setup),
		cmocka_unit_test_setup(test_refuses_what_is_no_percentile, setup),
		cmocka_unit_test_setup(test_interval_covers_95_percent, setup),
		cmocka_unit_test_setup(test_interval_by_hand, setup),
		cmocka_unit_test_setup(test_huge_counts, setup),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
