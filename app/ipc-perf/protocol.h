/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What ping and pong say to each other, in the messages that are measured.
 *
 * A message is this header and a pattern. Pong answers each with the same
 * bytes. After the answer to LIMIT(n) ping stores n words, one after the other,
 * into its probe word, and pong stores each into its own. The words are the
 * sequence numbers after LIMIT's, so that no word of an earlier block passes
 * for one of this. After the answer to END pong ends.
 *
 * The pattern's begin depends on the sequence number, so that a body of an
 * earlier message under a new header is seen as corrupt.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdint.h>

struct protocol_header {
	uint32_t sequence;
	uint32_t command; /**< kind << PROTOCOL_KIND_SHIFT | argument */
};

enum protocol_kind {
	PROTOCOL_ECHO = 1,
	PROTOCOL_LIMIT = 2, /**< argument: words to exchange */
	PROTOCOL_END = 3,
};

#define PROTOCOL_KIND_SHIFT 24
#define PROTOCOL_ARGUMENT_MASK 0xffffffu

static inline uint32_t
protocol_command(enum protocol_kind kind, uint32_t argument)
{
	return (uint32_t)kind << PROTOCOL_KIND_SHIFT | argument;
}

/** Places in the pattern where a message may begin, 64 bytes apart. */
#define PROTOCOL_PHASES 64u
#define PROTOCOL_PHASE_BYTES 64u

/** Bytes of a pattern for messages of @p length bytes. */
static inline uint64_t
protocol_pattern_bytes(uint32_t length)
{
	return (uint64_t)length + PROTOCOL_PHASES * PROTOCOL_PHASE_BYTES;
}

/** Where in the pattern the bytes after a message's header come from. */
static inline const uint8_t *
protocol_pattern_at(const uint8_t *pattern, uint32_t sequence)
{
	return pattern + sequence % PROTOCOL_PHASES * PROTOCOL_PHASE_BYTES;
}

#endif /* PROTOCOL_H */
