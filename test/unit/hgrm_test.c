/* SPDX-License-Identifier: BSD-3-Clause */
/* The expected texts are the Java library's own; test/readback compares many more. */

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nhn_hgrm.h>
#include <nhn_histogram.h>

#define HEAD "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
#define FOOT "#[Buckets =           27, SubBuckets     =         2048]\n"

static struct nhn_histogram hist;
static char text[65536];

static int
setup(void **state)
{
	(void)state;
	nhn_histogram_init(&hist);
	return 0;
}

static void
record_many(uint64_t value_ns, uint64_t times)
{
	for (uint64_t i = 0; i < times; i++)
		nhn_histogram_record(&hist, value_ns);
}

static void
write_text(double unit_ns)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	assert_int_equal(nhn_hgrm_write(out, &hist, unit_ns), 0);
	assert_int_equal(fclose(out), 0);
}

static void
test_empty(void **state)
{
	(void)state;
	write_text(1);
	assert_string_equal(text,
			    HEAD "#[Mean    =        0.000, StdDeviation   =        0.000]\n"
				 "#[Max     =        0.000, Total count    =            0]\n" FOOT);
}

static void
test_text_ns(void **state)
{
	(void)state;
	record_many(1, 5);
	record_many(2, 3);
	record_many(5000, 1);
	record_many(3000001, 1);
	write_text(1);
	assert_string_equal(text,
			    HEAD "       1.000 0.000000000000          5           1.00\n"
				 "       1.000 0.100000000000          5           1.11\n"
				 "       1.000 0.200000000000          5           1.25\n"
				 "       1.000 0.300000000000          5           1.43\n"
				 "       1.000 0.400000000000          5           1.67\n"
				 "       1.000 0.500000000000          5           2.00\n"
				 "       2.000 0.550000000000          8           2.22\n"
				 "       2.000 0.600000000000          8           2.50\n"
				 "       2.000 0.650000000000          8           2.86\n"
				 "       2.000 0.700000000000          8           3.33\n"
				 "       2.000 0.750000000000          8           4.00\n"
				 "       2.000 0.775000000000          8           4.44\n"
				 "       2.000 0.800000000000          8           5.00\n"
				 "    5003.000 0.825000000000          9           5.71\n"
				 "    5003.000 0.850000000000          9           6.67\n"
				 "    5003.000 0.875000000000          9           8.00\n"
				 "    5003.000 0.887500000000          9           8.89\n"
				 "    5003.000 0.900000000000          9          10.00\n"
				 " 3000319.000 0.912500000000         10          11.43\n"
				 " 3000319.000 1.000000000000         10\n"
				 "#[Mean    =   300430.900, StdDeviation   =   899622.935]\n"
				 "#[Max     =  3000319.000, Total count    =           10]\n" FOOT);
}

static void
test_text_us(void **state)
{
	(void)state;
	record_many(1, 1);
	record_many(5000, 1);
	record_many(3000001, 1);
	write_text(1000);
	assert_non_null(strstr(text, "\n       0.001 0.000000000000          1           1.00\n"));
	assert_non_null(strstr(text, "\n       5.003 0.400000000000          2           1.67\n"));
	assert_non_null(strstr(text, "\n    3000.319 1.000000000000          3\n"));
	assert_non_null(strstr(text, "#[Max     =     3000.319, Total count    =            3]\n"));
}

/* Zeros first, and what is above the range last, in the step of its end. */
static void
test_out_of_range(void **state)
{
	(void)state;
	record_many(0, 2);
	record_many(7, 1);
	record_many(NHN_HISTOGRAM_HIGHEST_NS, 1);
	record_many(NHN_HISTOGRAM_HIGHEST_NS + 1, 1);
	record_many(UINT64_MAX, 1);
	write_text(1);
	assert_string_equal(text, HEAD
			    "       0.000 0.000000000000          2           1.00\n"
			    "       0.000 0.100000000000          2           1.11\n"
			    "       0.000 0.200000000000          2           1.25\n"
			    "       0.000 0.300000000000          2           1.43\n"
			    "       7.000 0.400000000000          3           1.67\n"
			    "       7.000 0.500000000000          3           2.00\n"
			    "100059316223.000 0.550000000000          6           2.22\n"
			    "100059316223.000 1.000000000000          6\n"
			    "#[Mean    = 50012880897.167, StdDeviation   = 50012880894.833]\n"
			    "#[Max     = 100059316223.000, Total count    =            6]\n" FOOT);
}

/* 0.9999267578125 exactly: printf() would round the tie to the even digit, 2. */
static void
test_ties_are_rounded_up(void **state)
{
	(void)state;
	record_many(7, UINT64_C(1) << 20);
	record_many(8, 1);
	write_text(3);
	assert_non_null(strstr(text, "\n       2.333 0.999926757813    1048576       13653.33\n"));
	assert_non_null(strstr(text, "\n       2.667 0.999999141693    1048577     1165084.44\n"));
}

/* More samples than a double tells apart: the levels end all the same. */
static void
test_huge_counts_end(void **state)
{
	(void)state;
	hist.total = (UINT64_C(1) << 62) + 1;
	hist.counts[10] = UINT64_C(1) << 62;
	hist.counts[20] = 1;
	write_text(1);
	assert_non_null(strstr(text, "      20.000 1.000000000000 4611686018427387905\n"));
}

static void
test_refusals(void **state)
{
	static const double bad[] = {0, -1, 1e-7, 1e13, (double)NAN, (double)INFINITY};
	FILE *unwritable = fopen("/dev/null", "r");

	(void)state;
	assert_non_null(unwritable);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *out = fmemopen(text, sizeof(text), "w");

		assert_non_null(out);
		assert_int_equal(nhn_hgrm_write(out, &hist, bad[i]), -EINVAL);
		assert_int_equal(ftell(out), 0);
		fclose(out);
	}
	assert_int_equal(nhn_hgrm_write(unwritable, &hist, 1), -EIO);
	fclose(unwritable);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_text_ns, setup),
		cmocka_unit_test_setup(test_text_us, setup),
		cmocka_unit_test_setup(test_out_of_range, setup),
		cmocka_unit_test_setup(test_ties_are_rounded_up, setup),
		cmocka_unit_test_setup(test_huge_counts_end, setup),
		cmocka_unit_test_setup(test_refusals, setup),
	};

	return cmocka_run_group_tests_name("hgrm", tests, NULL, NULL);
}
