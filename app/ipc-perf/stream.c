/* SPDX-License-Identifier: BSD-3-Clause */

#include "stream.h"

/** A later one than expected: what is between is lost, unless it comes yet. */
static void
note_ahead(struct stream *stream, uint32_t skipped)
{
	stream->lost += skipped;
	stream->received++;
	stream->next += skipped + 1;
	stream->seen = (skipped < STREAM_WINDOW - 1 ? stream->seen << (skipped + 1) : 0) | 1;
}

void
stream_give_up(struct stream *stream, uint32_t count)
{
	stream->lost += count;
	stream->next += count;
	stream->seen = count < STREAM_WINDOW ? stream->seen << count : 0;
}

void
stream_note_other(struct stream *stream, uint32_t sequence)
{
	uint32_t back = stream->next - 1 - sequence;
	uint64_t bit;

	if ((int32_t)(sequence - stream->next) >= 0) {
		note_ahead(stream, sequence - stream->next);
		return;
	}
	bit = back < STREAM_WINDOW ? UINT64_C(1) << back : 0;
	if ((stream->seen & bit) != 0) {
		stream->duplicates++;
		return;
	}
	stream->misordered++;
	/* It was counted as lost, unless it is of a time before the stream. */
	if (bit == 0 || stream->lost == 0)
		return;
	stream->seen |= bit;
	stream->received++;
	stream->lost--;
}
