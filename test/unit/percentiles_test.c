/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nhn_histogram.h>
#include <nhn_percentiles.h>

static struct nhn_histogram hist;

static void
test_each_is_what_its_name_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < NHN_PERCENTILES; i++) {
		const struct nhn_percentile *p = &nhn_percentiles[i];
		char name[32];

		/* No more decimals than the name has: they end in a nine or a zero. */
		snprintf(name, sizeof(name), "p%.10g", 100.0 * p->num / p->den);
		assert_string_equal(name, p->name);
		assert_true(i == 0 || (uint64_t)p->num * p[-1].den > (uint64_t)p[-1].num * p->den);
	}
	assert_string_equal(nhn_percentiles[NHN_PERCENTILES - 1].name, "p99.9999");
}

static void
test_find(void **state)
{
	static const char *const unknown[] = {"", "p", "p99.", "p99.99999", "p5", "99", "P50"};

	(void)state;
	for (size_t i = 0; i < NHN_PERCENTILES; i++)
		assert_ptr_equal(nhn_percentile_find(nhn_percentiles[i].name), &nhn_percentiles[i]);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_null(nhn_percentile_find(unknown[i]));
}

/* As if recorded, in no time. */
static void
make_two_values(uint64_t total, uint64_t low_count)
{
	nhn_histogram_init(&hist);
	hist.total = total;
	hist.counts[nhn_histogram_index(10)] = low_count;
	hist.counts[nhn_histogram_index(20)] = total - low_count;
	hist.min_ns = 10;
	hist.max_ns = 20;
}

/*
 * The smallest value with at least ceil(p * N) samples, to one sample, for each
 * percentile that N can carry. All but two have N mod 10000 > 5000.
 */
static void
test_rank_is_exact_to_one_sample(void **state)
{
	static const uint64_t totals[] = {
		1009999,   17777777,	100000000,  100009999,
		123456789, 99999999999, 3963999999, UINT64_C(4503599627379999),
	};

	(void)state;
	for (size_t n = 0; n < sizeof(totals) / sizeof(totals[0]); n++) {
		for (size_t i = 0; i < NHN_PERCENTILES; i++) {
			const struct nhn_percentile *p = &nhn_percentiles[i];
			/* ceil(N p) is N less floor(N (1 - p)). */
			const uint64_t rank = totals[n] - totals[n] / p->den * (p->den - p->num) -
					      totals[n] % p->den * (p->den - p->num) / p->den;
			uint64_t value_ns;

			if (totals[n] < nhn_histogram_needed(p->num, p->den))
				continue;
			assert_int_equal(nhn_histogram_rank(totals[n], p->num, p->den), rank);
			make_two_values(totals[n], rank);
			assert_int_equal(nhn_histogram_percentile(&hist, p->num, p->den, &value_ns),
					 0);
			assert_int_equal(value_ns, 10);
			make_two_values(totals[n], rank - 1);
			assert_int_equal(nhn_histogram_percentile(&hist, p->num, p->den, &value_ns),
					 0);
			assert_int_equal(value_ns, 20);
		}
	}
}

static void
test_last_one_is_printed(void **state)
{
	char text[2048];
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	make_two_values(100009999, 100009898);
	assert_int_equal(nhn_percentiles_print(out, "many", &hist), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "  p99.999              10             10             10\n"));
	/* The rank is 100009899; of the 101 at 20 the interval has some and not others. */
	assert_non_null(strstr(text, "  p99.9999             20             10             20\n"));
}

static void
assert_printed(const char *expected)
{
	char text[2048];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	assert_int_equal(nhn_percentiles_print(out, "round trip", &hist), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
}

static void
test_print(void **state)
{
	FILE *unwritable = fopen("/dev/null", "r");

	(void)state;
	nhn_histogram_init(&hist);
	assert_non_null(unwritable);
	assert_int_equal(nhn_percentiles_print(unwritable, "round trip", &hist), -EIO);
	fclose(unwritable);
	assert_printed("round trip\n"
		       "  N 0, of which below 1 ns 0, above 100 s 0\n"
		       "                       ns      95 % from        95 % to\n"
		       "  min                   -\n"
		       "  p50                   -   needs 200 samples\n"
		       "  p90                   -   needs 1000 samples\n"
		       "  p99                   -   needs 10000 samples\n"
		       "  p99.9                 -   needs 100000 samples\n"
		       "  p99.99                -   needs 1000000 samples\n"
		       "  p99.999               -   needs 10000000 samples\n"
		       "  p99.9999              -   needs 100000000 samples\n"
		       "  max                   -\n");

	for (uint64_t value_ns = 0; value_ns <= 998; value_ns++)
		nhn_histogram_record(&hist, value_ns);
	nhn_histogram_record(&hist, UINT64_C(100000000001));
	assert_printed("round trip\n"
		       "  N 1000, of which below 1 ns 1, above 100 s 1\n"
		       "                       ns      95 % from        95 % to\n"
		       "  min                   0\n"
		       "  p50                 499            468            531\n"
		       "  p90                 899            880            919\n"
		       "  p99                   -   needs 10000 samples\n"
		       "  p99.9                 -   needs 100000 samples\n"
		       "  p99.99                -   needs 1000000 samples\n"
		       "  p99.999               -   needs 10000000 samples\n"
		       "  p99.9999              -   needs 100000000 samples\n"
		       "  max        100000000001\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_what_its_name_says),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_rank_is_exact_to_one_sample),
		cmocka_unit_test(test_last_one_is_printed),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("percentiles", tests, NULL, NULL);
}
