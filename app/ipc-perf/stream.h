/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One direction of one stream of messages: what came, by its sequence numbers.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

/** Numbers before the next that are told apart: later ones count as misordered. */
#define STREAM_WINDOW 64u

/** Zeroed but for next: a new stream. */
struct stream {
	uint32_t next;	     /**< number expected */
	uint64_t seen;	     /**< bit i: number next - 1 - i came */
	uint64_t received;   /**< each number once */
	uint64_t lost;	     /**< numbers skipped and not come later */
	uint64_t duplicates; /**< numbers that came before */
	uint64_t misordered; /**< numbers that came after later ones */
	uint64_t corrupt;    /**< messages of another length or other bytes; in no other count */
};

/** Cold: a number that is not the next. */
void stream_note_other(struct stream *stream, uint32_t sequence);

/** Cold: the next numbers will not come. */
void stream_give_up(struct stream *stream, uint32_t count);

/** Count a message that is whole. */
static inline void
stream_note(struct stream *stream, uint32_t sequence)
{
	if (__builtin_expect(sequence != stream->next, 0)) {
		stream_note_other(stream, sequence);
		return;
	}
	stream->next++;
	stream->seen = stream->seen << 1 | 1;
	stream->received++;
}

#endif /* STREAM_H */
