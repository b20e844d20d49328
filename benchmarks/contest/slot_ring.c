/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <stdlib.h>

#include "slot_ring.h"

#define LINE_BYTES 64u

static uint32_t
ring_bytes(const struct contest_place *place)
{
	const uint32_t *own = place->contestant->variant;
	const uint32_t bytes = own != NULL ? *own : SLOT_RING_BYTES;
	const uint32_t lines_bytes = place->ring * LINE_BYTES;

	return lines_bytes > bytes ? lines_bytes : bytes;
}

static size_t
ring_distance(const struct contest_place *place)
{
	return sizeof(struct slot_ring) + ring_bytes(place);
}

size_t
slot_shared_bytes(const struct contest_place *place)
{
	return 2 * place->links * ring_distance(place);
}

void *
slot_peer_new(size_t peer_bytes, const struct contest_place *place, char *why, size_t why_bytes)
{
	struct slot_links *links = calloc(1, peer_bytes);
	const size_t distance = ring_distance(place);
	uint8_t *memory = place->shared;
	uint32_t i;

	if (links == NULL) {
		snprintf(why, why_bytes, "no memory: %zu bytes wanted", peer_bytes);
		return NULL;
	}
	links->count = place->links;
	links->slots = place->ring != 0 ? place->ring : SLOTS;
	links->ring_bytes = ring_bytes(place);
	for (i = 0; i < place->links; i++) {
		void *to_far = memory;
		void *to_near = memory + distance;

		links->tx[i].ring = place->side == CONTEST_NEAR ? to_far : to_near;
		links->rx[i].ring = place->side == CONTEST_NEAR ? to_near : to_far;
		memory += 2 * distance;
	}
	return links;
}

void *
slot_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return slot_peer_new(sizeof(struct slot_links), place, why, why_bytes);
}

/* No slot lies in more lines than it must. */
static uint32_t
stride_of(uint32_t size)
{
	uint32_t stride = 8;

	while (stride < size && stride < LINE_BYTES)
		stride *= 2;
	return size <= stride ? stride : (size + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

static void
end_shape(struct slot_end *end, uint32_t slots, uint32_t stride)
{
	end->mask = slots - 1;
	end->stride = stride;
	end->chunk_mask = 0;
	while (2 * (end->chunk_mask + 1) * stride <= SLOT_CHUNK_BYTES)
		end->chunk_mask = 2 * end->chunk_mask + 1;
}

/* The reader drops what it did not take: each side writes its own words only. */
int
slot_prepare(void *peer, uint32_t size)
{
	struct slot_links *links = peer;
	uint32_t stride = stride_of(size);
	uint32_t slots = links->slots;
	uint32_t i;

	while (slots > 2 && (size_t)slots * stride > links->ring_bytes)
		slots /= 2;
	for (i = 0; i < links->count; i++) {
		struct slot_end *tx = &links->tx[i];
		struct slot_end *rx = &links->rx[i];

		end_shape(tx, slots, stride);
		end_shape(rx, slots, stride);
		tx->limit = tx->index; /* looks when it sends */
		rx->index = nhn_load_acquire(&rx->ring->written);
		rx->limit = rx->index;
		nhn_store_relaxed(&rx->ring->sleeping, 0);
		nhn_store_release(&rx->ring->taken, rx->index);
	}
	return 0;
}
