/* SPDX-License-Identifier: BSD-3-Clause */

#include <stddef.h>
#include <time.h>

#include "nhn_region.h"

/* Some hundred loads: below a millisecond even where each is a bus access. */
#define BATCHES 15
#define LOADS 32

static uint64_t
monotonic_ns(void *context)
{
	struct timespec now = {.tv_sec = 0};

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * What was loaded, less itself, is where the next load goes: none can begin before
 * the one before it has ended. The compiler knows neither that the difference is 0
 * nor that memory has the value still.
 */
static void
load_in_turn(const uint8_t *line)
{
	size_t offset = 0;
	unsigned int i;

	for (i = 0; i < LOADS; i++) {
		size_t word = *(const uint32_t *)(const void *)(line + offset);
		size_t same;

		__asm__ volatile("" : "+r"(word) : : "memory");
		same = word;
		__asm__ volatile("" : "+r"(same));
		offset = word - same;
	}
	__asm__ volatile("" : : "r"(offset) : "memory");
}

uint32_t
nhn_region_load_ns(const void *line, uint64_t (*now_ns)(void *context), void *context)
{
	uint64_t spans[BATCHES], begin, span;
	unsigned int i, at;

	if (now_ns == NULL)
		now_ns = monotonic_ns;
	/* The line's first load may find neither its page nor its line. */
	load_in_turn(line);
	for (i = 0; i < BATCHES; i++) {
		begin = now_ns(context);
		load_in_turn(line);
		span = now_ns(context) - begin;
		for (at = i; at > 0 && spans[at - 1] > span; at--)
			spans[at] = spans[at - 1];
		spans[at] = span;
	}
	span = spans[BATCHES / 2] / LOADS + 1;
	return span < UINT32_MAX ? (uint32_t)span : UINT32_MAX;
}
