/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies, chosen by size and by the ring's footprint: benchmarks/copies finds the numbers. */

#include "msg_internal.h"

const struct nhn_msg_policy nhn_msg_policy_default = {
	.fragment_bytes = 65536,
	.fetch_bytes = 2048,
	.stream_bytes = 4096,
	.stream_ring_bytes = 256u << 10,
};

static const struct nhn_msg_policy policy_near = {
	.fragment_bytes = 65536,
	.fetch_bytes = 2048,
	.stream_bytes = UINT32_MAX,
};

static const struct nhn_msg_policy policy_far = {
	.fragment_bytes = 65536,
	.fetch_bytes = 2048,
	.stream_bytes = 4096,
	.stream_ring_bytes = 2u << 20,
};

const struct nhn_msg_policy *
nhn_msg_policy_for(uint64_t trip_ns)
{
	return trip_ns < NHN_FAR_TRIP_NS ? &policy_near : &policy_far;
}

void
msg_fetch_lines(const uint8_t *from, uint32_t bytes)
{
	const uint8_t *end = from + bytes;

	for (; from < end; from += NHN_LINE_BYTES)
		nhn_fetch_for_writing(from);
}

void
msg_vector_init(struct nhn_vector *at, const struct iovec *vector, uint32_t vectors)
{
	at->part = vector;
	at->parts = vectors;
	at->offset = 0;
}

uint64_t
msg_vector_bytes(const struct iovec *vector, uint32_t vectors)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < vectors; i++)
		bytes += vector[i].iov_len;
	return bytes;
}

/** The next bytes that stand together, @p bytes at most, passed over. Empty parts count as
 * work of the caller's: their number is his. */
static uint8_t *
vector_next(struct nhn_vector *at, uint32_t *bytes)
{
	uint8_t *next;
	size_t left;

	while ((left = at->part->iov_len - at->offset) == 0) {
		at->part++;
		at->parts--;
		at->offset = 0;
	}
	if (*bytes > left)
		*bytes = (uint32_t)left;
	next = (uint8_t *)at->part->iov_base + at->offset;
	at->offset += *bytes;
	return next;
}

void
msg_gather(struct nhn_vector *from, uint8_t *to, uint32_t bytes, bool stream)
{
	while (bytes != 0) {
		uint32_t part = bytes;
		const uint8_t *next = vector_next(from, &part);

		if (stream)
			nhn_copy_streamed(to, next, part);
		else
			memcpy(to, next, part);
		to += part;
		bytes -= part;
	}
}

void
msg_scatter(struct nhn_vector *to, const uint8_t NHN_FOREIGN *from, uint32_t bytes)
{
	while (bytes != 0) {
		uint32_t part = bytes;
		uint8_t *next = vector_next(to, &part);

		nhn_foreign_copy(next, from, part);
		from += part;
		bytes -= part;
	}
}
