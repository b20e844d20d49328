/* SPDX-License-Identifier: BSD-3-Clause */
/* A decoder as small as can be; test/readback has readers that are not ours. */

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
#include <zlib.h>

#include <nhn_histogram.h>
#include <nhn_hlog.h>

#define HEAD_BYTES 40

static struct nhn_histogram hist;
static uint64_t decoded[NHN_HISTOGRAM_COUNTS];
static char text[1 << 20];
static uint8_t compressed[1 << 20], encoded[1 << 20];

static int
setup(void **state)
{
	(void)state;
	nhn_histogram_init(&hist);
	return 0;
}

static uint64_t
big_endian(const uint8_t *from, size_t bytes)
{
	uint64_t value = 0;

	while (bytes-- != 0)
		value = value << 8 | *from++;
	return value;
}

static size_t
from_base64(const char *from, uint8_t *to)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0, count = 0;
	size_t bytes = 0;

	for (; *from != '\0' && *from != '='; from++) {
		const char *letter = strchr(letters, *from);

		assert_non_null(letter);
		bits = bits << 6 | (uint32_t)(letter - letters);
		count += 6;
		if (count >= 8)
			to[bytes++] = (uint8_t)(bits >> (count -= 8));
	}
	return bytes;
}

static size_t
next_word(const uint8_t *from, int64_t *value)
{
	uint64_t zigzag = 0;
	size_t i = 0;

	do {
		zigzag |= (uint64_t)(i < 8 ? from[i] & 0x7f : from[i]) << (7 * i);
	} while (from[i++] >= 0x80 && i < 9);
	*value = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
	return i;
}

/* @return how many counts the histogram of this text has */
static size_t
decode(const char *base64)
{
	const size_t bytes = from_base64(base64, compressed);
	uLongf length = sizeof(encoded);
	size_t at = HEAD_BYTES, index = 0;
	int64_t value;

	memset(decoded, 0, sizeof(decoded));
	assert_int_equal(big_endian(compressed, 4), 0x1c849314);
	assert_int_equal(big_endian(compressed + 4, 4), bytes - 8);
	assert_int_equal(uncompress(encoded, &length, compressed + 8, bytes - 8), Z_OK);
	assert_int_equal(big_endian(encoded, 4), 0x1c849313);
	assert_int_equal(big_endian(encoded + 4, 4), length - HEAD_BYTES);
	assert_int_equal(big_endian(encoded + 8, 4), 0);
	assert_int_equal(big_endian(encoded + 12, 4), 3);
	assert_int_equal(big_endian(encoded + 16, 8), 1);
	assert_int_equal(big_endian(encoded + 24, 8), 100000000000);
	assert_int_equal(big_endian(encoded + 32, 8), 0x3ff0000000000000);
	while (at < length) {
		at += next_word(encoded + at, &value);
		if (value < 0)
			index += (size_t)-value;
		else
			decoded[index++] = (uint64_t)value;
		assert_true(index <= NHN_HISTOGRAM_COUNTS);
	}
	assert_int_equal(at, length);
	return index;
}

/* The line up to the histogram must be *expected*. @return as decode() */
static size_t
write_interval(const char *tag, double start_s, double length_s, const char *expected)
{
	FILE *out = fmemopen(text, sizeof(text), "w");
	char *histogram;

	assert_non_null(out);
	assert_int_equal(nhn_hlog_interval(out, tag, start_s, length_s, &hist), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
	text[strlen(text) - 1] = '\0';
	histogram = strrchr(text, ',') + 1;
	assert_int_equal(strncmp(text, expected, (size_t)(histogram - text)), 0);
	assert_int_equal(strlen(expected), histogram - text);
	return decode(histogram);
}

static void
test_begin(void **state)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	assert_int_equal(nhn_hlog_begin(out, "first\n[StartTime: 7", 1795429557.25), 0);
	assert_int_equal(nhn_hlog_begin(out, NULL, 0), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "#[Histogram log format version 1.3]\n"
				  "# first\n"
				  "# [StartTime: 7\n"
				  "#[StartTime: 1795429557.250 (seconds since epoch)]\n"
				  "#[BaseTime: 1795429557.250 (seconds since epoch)]\n"
				  "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
				  "\"Interval_Compressed_Histogram\"\n"
				  "#[Histogram log format version 1.3]\n"
				  "#[StartTime: 0.000 (seconds since epoch)]\n"
				  "#[BaseTime: 0.000 (seconds since epoch)]\n"
				  "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
				  "\"Interval_Compressed_Histogram\"\n");
}

static void
test_counts_come_back(void **state)
{
	uint64_t state_ = 1;

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		state_ = state_ * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		nhn_histogram_record(&hist, 1 + (state_ >> 30) / (1 + (state_ & 0xffff)));
	}
	assert_true(hist.above == 0 && hist.below == 0);
	write_interval("rtt", 0.5, 0.25, "Tag=rtt,0.500,0.250,13480.493,");
	assert_memory_equal(decoded, hist.counts, sizeof(decoded));
}

/* Each length of a word, from one byte to nine. */
static void
test_large_counts(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 63; bits++) {
		hist.counts[1 + bits] = UINT64_C(1) << bits;
		hist.counts[100 + 2 * bits] = (UINT64_C(1) << bits) - 1;
	}
	hist.counts[NHN_HISTOGRAM_COUNTS - 1] = INT64_MAX;
	hist.total = 1;
	assert_int_equal(write_interval(NULL, 0, 0, "0.000,0.000,137438.953,"),
			 NHN_HISTOGRAM_COUNTS);
	assert_memory_equal(decoded, hist.counts, sizeof(decoded));
}

static void
test_counts_that_no_reader_has(void **state)
{
	(void)state;
	hist.counts[5] = UINT64_MAX;
	hist.total = UINT64_MAX;
	assert_int_equal(write_interval(NULL, 0, 0, "0.000,0.000,0.000,"), 6);
	assert_true(decoded[5] == INT64_MAX);
}

static void
test_empty(void **state)
{
	(void)state;
	assert_int_equal(write_interval(NULL, 3, 1, "3.000,1.000,0.000,"), 1);
	assert_int_equal(decoded[0], 0);
}

static void
test_out_of_range(void **state)
{
	const uint32_t last = nhn_histogram_index(NHN_HISTOGRAM_HIGHEST_NS);

	(void)state;
	nhn_histogram_record(&hist, 0);
	nhn_histogram_record(&hist, 0);
	nhn_histogram_record(&hist, NHN_HISTOGRAM_HIGHEST_NS);
	nhn_histogram_record(&hist, NHN_HISTOGRAM_HIGHEST_NS + 1);
	nhn_histogram_record(&hist, UINT64_MAX);
	assert_int_equal(write_interval(NULL, 0, 0, "0.000,0.000,100059.316,"), last + 1);
	assert_int_equal(decoded[0], 2);
	assert_int_equal(decoded[last], 3);
}

static void
test_refusals(void **state)
{
	static const char *const bad_tags[] = {"", "a,b", "a b", "a\n", "\t", "\x7f"};
	static const double bad_times[] = {-1, 2e12, (double)NAN, (double)INFINITY};
	FILE *out = fmemopen(text, sizeof(text), "w");
	FILE *unwritable = fopen("/dev/null", "r");

	(void)state;
	assert_non_null(out);
	assert_non_null(unwritable);
	for (size_t i = 0; i < sizeof(bad_tags) / sizeof(bad_tags[0]); i++)
		assert_int_equal(nhn_hlog_interval(out, bad_tags[i], 0, 0, &hist), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_times) / sizeof(bad_times[0]); i++) {
		assert_int_equal(nhn_hlog_interval(out, NULL, bad_times[i], 0, &hist), -EINVAL);
		assert_int_equal(nhn_hlog_interval(out, NULL, 0, bad_times[i], &hist), -EINVAL);
		assert_int_equal(nhn_hlog_begin(out, NULL, bad_times[i]), -EINVAL);
	}
	assert_int_equal(ftell(out), 0);
	fclose(out);
	assert_int_equal(nhn_hlog_begin(unwritable, NULL, 0), -EIO);
	assert_int_equal(nhn_hlog_interval(unwritable, NULL, 0, 0, &hist), -EIO);
	fclose(unwritable);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_begin, setup),
		cmocka_unit_test_setup(test_counts_come_back, setup),
		cmocka_unit_test_setup(test_large_counts, setup),
		cmocka_unit_test_setup(test_counts_that_no_reader_has, setup),
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_out_of_range, setup),
		cmocka_unit_test_setup(test_refusals, setup),
	};

	return cmocka_run_group_tests_name("hlog", tests, NULL, NULL);
}
