/* SPDX-License-Identifier: BSD-3-Clause */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"

#define TICK_NS 10.0

static struct nhn_histogram latency;

static double
median_of(uint64_t first_ns, uint32_t first, uint64_t second_ns, uint32_t second)
{
	nhn_histogram_init(&latency);
	while (first-- != 0)
		nhn_histogram_record(&latency, first_ns);
	while (second-- != 0)
		nhn_histogram_record(&latency, second_ns);
	return near_median_ns(&latency, TICK_NS);
}

/* A step of the histogram is wider than a tick there, and all samples are one value in it. */
static void
test_equal_samples_of_a_wide_step(void **state)
{
	(void)state;
	assert_float_equal(median_of(4000123, 1, 0, 0), 4000123, TICK_NS);
	assert_float_equal(median_of(4000123, 300, 0, 0), 4000123, TICK_NS);
	assert_float_equal(median_of(100, 299, 4000123, 300), 4000123, 4000123 / 1024.0);
	/* The highest sample ends its step early; the step before it is within a tick. */
	assert_float_equal(median_of(8199, 100, 8200, 300), 8200, TICK_NS);
}

static void
test_spread_over_a_tick(void **state)
{
	(void)state;
	assert_float_equal(median_of(100, 200, 0, 0), 100, TICK_NS / 2);
	assert_float_equal(median_of(100, 100, 110, 300), 108, 2);
	assert_float_equal(median_of(1, 0, 2, 0), 0, 0);
}

static void
test_out_of_range(void **state)
{
	const uint64_t above_ns = NHN_HISTOGRAM_HIGHEST_NS + 5;

	(void)state;
	assert_float_equal(median_of(above_ns, 3, 0, 0), above_ns, TICK_NS);
	assert_float_equal(median_of(0, 3, 0, 0), 0, TICK_NS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_samples_of_a_wide_step),
		cmocka_unit_test(test_spread_over_a_tick),
		cmocka_unit_test(test_out_of_range),
	};

	return cmocka_run_group_tests_name("near_figures", tests, NULL, NULL);
}
