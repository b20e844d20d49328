/* SPDX-License-Identifier: BSD-3-Clause */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nhn_clock.h>
#include <nhn_floor.h>
#include <nhn_histogram.h>

static struct nhn_histogram gaps;
static struct nhn_clock clock_;

static int
setup(void **state)
{
	(void)state;
	nhn_histogram_init(&gaps);
	return nhn_clock_init(&clock_);
}

/* What the gaps are together: at least and at most, as each is rounded to its step. */
static void
sum_of_gaps(uint64_t *least_ns, uint64_t *most_ns)
{
	*least_ns = 0;
	*most_ns = gaps.below;
	for (uint32_t i = 1; i < NHN_HISTOGRAM_COUNTS; i++) {
		const uint32_t shift = i < 2048 ? 0 : i / 1024 - 1;
		const uint64_t step = i - shift * 1024;

		*least_ns += (step << shift) * gaps.counts[i];
		*most_ns += ((step + 1) << shift) * gaps.counts[i];
	}
}

/* No hole between the gaps, and nothing before or after them: true however slow this is. */
static void
test_gaps_fill_the_duration(void **state)
{
	const uint64_t duration_ns = 20000000;
	uint64_t begin, took_ns, least_ns, most_ns;

	(void)state;
	begin = nhn_clock_now_ordered();
	nhn_floor_run(&clock_, duration_ns, &gaps);
	took_ns = nhn_clock_ns(&clock_, nhn_clock_now_ordered() - begin);
	assert_true(gaps.total > 0);
	assert_int_equal(gaps.above, 0);
	sum_of_gaps(&least_ns, &most_ns);
	assert_true(least_ns <= took_ns + 1);
	assert_true(most_ns >= duration_ns);
}

static void
test_no_duration_is_one_gap(void **state)
{
	(void)state;
	nhn_floor_run(&clock_, 0, &gaps);
	assert_int_equal(gaps.total, 1);
}

static void
test_runs_add_up(void **state)
{
	uint64_t first;

	(void)state;
	nhn_floor_run(&clock_, 1000000, &gaps);
	first = gaps.total;
	nhn_floor_run(&clock_, 1000000, &gaps);
	assert_true(gaps.total > first);
}

/* A slow counter, by its own account: the gaps are its periods. */
static void
test_unit_is_the_clocks(void **state)
{
	struct nhn_clock slow;

	(void)state;
	assert_int_equal(nhn_clock_init_hz(&slow, NHN_CLOCK_HZ_MIN), 0);
	nhn_floor_run(&slow, 100000000, &gaps);
	assert_true(gaps.total > 0);
	for (uint64_t value_ns = 1; value_ns < 1000; value_ns++)
		assert_int_equal(gaps.counts[nhn_histogram_index(value_ns)], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_gaps_fill_the_duration, setup),
		cmocka_unit_test_setup(test_no_duration_is_one_gap, setup),
		cmocka_unit_test_setup(test_runs_add_up, setup),
		cmocka_unit_test_setup(test_unit_is_the_clocks, setup),
	};

	return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
