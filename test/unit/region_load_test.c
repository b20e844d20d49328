/* SPDX-License-Identifier: BSD-3-Clause */
/* What a load is said to take, by a clock that the test moves. */

#include <stdalign.h>

#include "region_place.h"

/* Each second call ends a span: that of call 2n + 1 takes spans[n], in a circle. */
struct steps {
	const uint64_t *spans;
	unsigned int count;
	unsigned int calls;
	uint64_t now;
};

static uint64_t
stepping(void *context)
{
	struct steps *s = context;

	s->now += s->calls % 2 == 0 ? 1000000 : s->spans[s->calls / 2 % s->count];
	s->calls++;
	return s->now;
}

static const alignas(64) uint32_t line[16] = {0x494e484e};

static uint32_t
load_with(const uint64_t *spans, unsigned int count)
{
	struct steps s = {.spans = spans, .count = count};
	uint32_t ns = nhn_region_load_ns(line, stepping, &s);

	assert_int_equal(s.calls, 30);
	return ns;
}

static void
load_is_a_part_of_the_span(void **state)
{
	const uint64_t none = 0, cached = 32, bus = 32 * 300, endless = UINT64_MAX;

	(void)state;
	assert_int_equal(load_with(&none, 1), 1);
	assert_int_equal(load_with(&cached, 1), 2);
	assert_int_equal(load_with(&bus, 1), 301);
	assert_int_equal(load_with(&endless, 1), UINT32_MAX);
}

/* Seven of fifteen that were interrupted change nothing, and eight do. */
static void
median_is_told(void **state)
{
	const uint64_t few[] = {32, 9600, 32, 9600, 32, 9600, 32, 9600,
				32, 9600, 32, 9600, 32, 9600, 32};
	const uint64_t many[] = {9600, 32, 9600, 32, 9600, 32, 9600, 32,
				 9600, 32, 9600, 32, 9600, 32, 9600};

	(void)state;
	assert_int_equal(load_with(few, 15), 2);
	assert_int_equal(load_with(many, 15), 301);
}

/* Mapped for reading, as a split peer's; the bytes are as before. */
static void
region_is_read_only(void **state)
{
	struct place *p = *state;

	write_pattern(p->path, NHN_REGION_SIZE_MIN);
	p->config.access = NHN_REGION_READ_ONLY;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_in_range(nhn_region_load_ns(p->region.base + 256, NULL, NULL), 1, UINT32_MAX);
	assert_pattern(p->path, NHN_REGION_SIZE_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(load_is_a_part_of_the_span),
		TEST(median_is_told),
		TEST(region_is_read_only),
	};

	return cmocka_run_group_tests_name("region_load", tests, NULL, NULL);
}
