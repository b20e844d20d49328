/* SPDX-License-Identifier: BSD-3-Clause */
/* What answers must look like, and what is wrong with one that does not. */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "ping.h"

enum answer
ping_classify(struct ping *ping, const struct message *message, uint32_t sequence)
{
	struct protocol_header header;
	uint32_t got;

	if (message->length != ping->length) {
		ping->corrupt++;
		return ANSWER_CORRUPT;
	}
	memcpy(&header, message->data, sizeof(header));
	got = header.sequence;
	/* Of the right number and yet not as expected, or of no number's bytes. */
	if (got == sequence ||
	    memcmp(message->data + sizeof(header), protocol_pattern_at(ping->pattern, got),
		   ping->length - sizeof(header)) != 0) {
		ping->corrupt++;
		return ANSWER_CORRUPT;
	}
	/* An earlier one was answered before, unless it was counted as lost. */
	if ((int32_t)(got - sequence) < 0 && !(ping->lost != 0 && got == ping->lost_sequence))
		ping->duplicates++;
	else
		ping->misordered++;
	return ANSWER_STRAY;
}

/* SplitMix64. */
uint8_t *
ping_pattern_new(uint32_t length)
{
	uint64_t words = (protocol_pattern_bytes(length) + 7) / 8;
	uint64_t *pattern =
		aligned_alloc(NHN_LINE_BYTES, RTE_ALIGN_CEIL(words * 8, (uint64_t)NHN_LINE_BYTES));
	uint64_t state = PATTERN_SEED;
	uint64_t i;

	for (i = 0; i < words && pattern != NULL; i++) {
		uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		pattern[i] = z ^ z >> 31;
	}
	return (uint8_t *)pattern;
}
