/* SPDX-License-Identifier: BSD-3-Clause */
/* Nothing at all, words, the clock, the histogram. */

#include <stdlib.h>

#include <nhn_clock.h>
#include <nhn_histogram.h>
#include <nhn_word.h>
#include "../../test/unit/pattern.h"

#include "primitive.h"

#define WORDS 256u

struct words {
	uint32_t word[WORDS];
	uint64_t value[WORDS]; /* drawn: 1 ns to 16 ms, as much in each power of two */
	struct nhn_clock clock;
	struct nhn_histogram histogram;
};

static void *
words_open(const struct primitive *p)
{
	struct words *words = primitive_memory(sizeof(*words));
	uint64_t random = PRIMITIVE_SEED;
	uint32_t i;

	(void)p;
	for (i = 0; i < WORDS; i++)
		words->value[i] = 1 + (pattern_random(&random) >> (40 + i % 24));
	nhn_histogram_init(&words->histogram);
	if (nhn_clock_init_hz(&words->clock, 2500000000u) != 0)
		abort();
	return words;
}

/* ---- null ---- */

static void
null_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	uint32_t i;

	(void)state;
	for (i = 0; i < operations; i++)
		primitive_apart();
}

static bool
null_validate(const struct primitive *p, void *state)
{
	const uint8_t *byte = state;
	void *fresh = words_open(p);
	bool same;

	primitive_turn(p, state);
	same = memcmp(byte, fresh, sizeof(struct words)) == 0;
	free(fresh);
	return same || primitive_differs(p, "changed memory, expected nothing done");
}

/* ---- words ---- */

static void
store_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	struct words *words = state;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		nhn_store_release(&words->word[i % WORDS], i);
		primitive_apart();
	}
}

static void
load_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	struct words *words = state;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep(nhn_load_acquire(&words->word[i % WORDS]));
		primitive_apart();
	}
}

/* Each value comes back, and no other word changes. */
static bool
words_validate(const struct primitive *p, void *state)
{
	struct words *words = state;
	uint64_t random = PRIMITIVE_SEED;
	uint32_t expected[WORDS] = {0};
	uint32_t i;

	for (i = 0; i < 16 * WORDS; i++) {
		const uint32_t at = pattern_below(&random, WORDS);
		const uint32_t value = i == 0 ? UINT32_MAX : (uint32_t)pattern_random(&random);
		uint32_t found;

		nhn_store_release(&words->word[at], value);
		expected[at] = value;
		found = nhn_load_acquire(&words->word[at]);
		if (found != value)
			return primitive_differs(p, "word %u is 0x%x, expected 0x%x", at, found,
						 value);
	}
	if (memcmp(words->word, expected, sizeof(expected)) != 0)
		return primitive_differs(p, "a word changed that was not stored to");
	return true;
}

/* ---- clock ---- */

static void
now_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	uint32_t i;

	(void)state;
	for (i = 0; i < operations; i++)
		primitive_keep(nhn_clock_now());
}

static void
now_ordered_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	uint32_t i;

	(void)state;
	for (i = 0; i < operations; i++)
		primitive_keep(nhn_clock_now_ordered());
}

static bool
now_validate(const struct primitive *p, void *state)
{
	uint64_t last = nhn_clock_now_ordered();
	const uint64_t begin = last;
	uint32_t i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		const uint64_t now = nhn_clock_now_ordered();

		if (now < last)
			return primitive_differs(p, "went back by %llu cycles",
						 (unsigned long long)(last - now));
		last = now;
	}
	return last != begin || primitive_differs(p, "stands still");
}

static void
clock_ns_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	struct words *words = state;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep(nhn_clock_ns(&words->clock, words->value[i % WORDS]));
		primitive_apart();
	}
}

/* Where 2^48 / hz is whole, all bits are known; elsewhere the error has a bound. */
static bool
clock_ns_validate(const struct primitive *p, void *state)
{
	static const struct {
		uint64_t hz, cycles, ns;
	} known[] = {
		{1000000000, 0, 0},  {1000000000, UINT64_MAX, UINT64_MAX},
		{2000000000, 7, 3},  {4000000000, UINT64_MAX, UINT64_MAX / 4},
		{500000000, 21, 42},
	};
	struct words *words = state;
	struct nhn_clock clock;
	uint32_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint64_t ns;

		if (nhn_clock_init_hz(&clock, known[i].hz) != 0)
			return primitive_differs(p, "refuses %llu Hz",
						 (unsigned long long)known[i].hz);
		ns = nhn_clock_ns(&clock, known[i].cycles);
		if (ns != known[i].ns)
			return primitive_differs(p, "%llu cycles are %llu ns, expected %llu",
						 (unsigned long long)known[i].cycles,
						 (unsigned long long)ns,
						 (unsigned long long)known[i].ns);
	}
	for (i = 0; i < WORDS; i++) {
		const uint64_t exact = words->value[i] * 2 / 5;
		const uint64_t ns = nhn_clock_ns(&words->clock, words->value[i]);

		if (ns + 1 < exact || ns > exact + 1)
			return primitive_differs(p,
						 "%llu cycles of 2.5 GHz are %llu ns, "
						 "expected %llu or one beside it",
						 (unsigned long long)words->value[i],
						 (unsigned long long)ns, (unsigned long long)exact);
	}
	return true;
}

/* ---- histogram ---- */

static void
record_run(const struct primitive *p, void *state)
{
	const uint32_t operations = p->operations;
	struct words *words = state;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		nhn_histogram_record(&words->histogram, words->value[i % WORDS]);
		primitive_apart();
	}
}

/* The step of a value, found by the width that the documents give. */
static uint32_t
step_of(uint64_t value)
{
	uint32_t bucket = 0;

	while (value >> bucket >= 2048)
		bucket++;
	return bucket * 1024 + (uint32_t)(value >> bucket);
}

static bool
record_validate(const struct primitive *p, void *state)
{
	static const uint64_t edges[] = {0,    1,    2047,	   2048,	  2049,
					 4095, 4096, 99999999999u, 100000000000u, 100000000001u};
	struct words *words = state;
	struct nhn_histogram *h = &words->histogram;
	uint64_t *expected = primitive_memory(sizeof(h->counts));
	bool same;
	uint32_t i;

	nhn_histogram_init(h);
	for (i = 0; i < WORDS; i++) {
		nhn_histogram_record(h, words->value[i]);
		expected[step_of(words->value[i])]++;
	}
	for (i = 0; i < 10; i++) {
		nhn_histogram_record(h, edges[i]);
		if (edges[i] >= 1 && edges[i] <= 100000000000u)
			expected[step_of(edges[i])]++;
	}
	same = memcmp(h->counts, expected, sizeof(h->counts)) == 0;
	free(expected);
	if (!same)
		return primitive_differs(p, "a sample is at another step than its value's");
	if (h->total == WORDS + 10 && h->below == 1 && h->above == 1 && h->min_ns == 0 &&
	    h->max_ns == 100000000001u)
		return true;
	return primitive_differs(p,
				 "%llu samples, %llu below, %llu above, expected %u, 1 and 1, from "
				 "0 to 100000000001 ns",
				 (unsigned long long)h->total, (unsigned long long)h->below,
				 (unsigned long long)h->above, WORDS + 10);
}

#define ROW(name_, run_, validate_)                                                                \
	{                                                                                          \
		.name = name_, .operations = 1024, .open = words_open, .run = run_,                \
		.validate = validate_,                                                             \
	}

const struct primitive primitives_word[] = {
	ROW("null", null_run, null_validate),
	ROW("word-store-release", store_run, words_validate),
	ROW("word-load-acquire", load_run, words_validate),
	ROW("clock-now", now_run, now_validate),
	ROW("clock-now-ordered", now_ordered_run, now_validate),
	ROW("clock-ns", clock_ns_run, clock_ns_validate),
	ROW("histogram-record", record_run, record_validate),
	{.name = NULL},
};
