/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include <rte_common.h>

#include <nhn_wire.h>

#include "near.h"

/* SplitMix64. */
void
near_pattern_fill(uint8_t *pattern, uint32_t length, uint64_t seed)
{
	uint64_t *word = (uint64_t *)(void *)pattern;
	uint64_t words = (protocol_pattern_bytes(length) + 7) / 8;
	uint64_t state = seed;
	uint64_t i;

	for (i = 0; i < words; i++) {
		uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		word[i] = z ^ z >> 31;
	}
}

uint8_t *
near_pattern_new(uint32_t length, uint64_t seed)
{
	uint64_t bytes = RTE_ALIGN_CEIL(protocol_pattern_bytes(length), (uint64_t)NHN_LINE_BYTES);
	uint8_t *pattern = aligned_alloc(NHN_LINE_BYTES, bytes);

	if (pattern != NULL)
		near_pattern_fill(pattern, length, seed);
	return pattern;
}
