/* SPDX-License-Identifier: BSD-3-Clause */
/* Seeded content: each byte of a message is a function of a seed and its number. */
#ifndef NHN_TEST_PATTERN_H
#define NHN_TEST_PATTERN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* splitmix64: seeded, so that a failure can be repeated. */
static inline uint64_t
pattern_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to limit - 1. */
static inline uint32_t
pattern_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(((pattern_random(state) >> 32) * limit) >> 32);
}

/* Where the bytes of one message begin to be drawn. */
static inline uint64_t
pattern_begin(uint64_t seed, uint64_t number)
{
	uint64_t state = seed ^ number * UINT64_C(0xd6e8feb86659fd93);

	return pattern_random(&state);
}

static inline void
pattern_fill(void *to, uint32_t length, uint64_t seed, uint64_t number)
{
	uint64_t word = pattern_begin(seed, number);
	uint8_t *byte = to;
	uint32_t i;

	for (i = 0; i + 8 <= length; i += 8, word += UINT64_C(0x9e3779b97f4a7c15))
		memcpy(byte + i, &word, 8);
	memcpy(byte + i, &word, length - i);
}

static inline bool
pattern_matches(const void *from, uint32_t length, uint64_t seed, uint64_t number)
{
	uint64_t word = pattern_begin(seed, number);
	const uint8_t *byte = from;
	uint64_t wrong = 0;
	uint64_t found;
	uint32_t i;

	for (i = 0; i + 8 <= length; i += 8, word += UINT64_C(0x9e3779b97f4a7c15)) {
		memcpy(&found, byte + i, 8);
		wrong |= found ^ word;
	}
	return wrong == 0 && memcmp(byte + i, &word, length - i) == 0;
}

/* A message's length, 0 to longest: mostly short, now and then anything. */
static inline uint32_t
pattern_length(uint64_t seed, uint64_t number, uint32_t longest)
{
	uint64_t state = ~pattern_begin(seed, number);
	uint32_t limit = longest;

	switch (pattern_below(&state, 16)) {
	case 0:
		break;
	case 1:
	case 2:
		limit = longest / 8;
		break;
	default:
		limit = longest < 160 ? longest : 160;
	}
	return pattern_below(&state, limit + 1);
}

#endif /* NHN_TEST_PATTERN_H */
