/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's rte_ring in the shared memory, of one producer and one consumer. Messages of up to
 * 64 bytes are the ring's elements, written and read in place by the "peek zero copy"
 * functions. Of longer ones the ring carries the number of a buffer, and a second ring brings it
 * back; the sender asks that one only when it has fewer buffers left than the burst takes.
 */

#include <stdio.h>
#include <stdlib.h>

/* The functions that work in place are still called experimental. */
#define ALLOW_EXPERIMENTAL_API
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "contest.h"

#define ELEMENT_MAX 64u
#define ELEMENTS 1024u
#define ELEMENTS_MIN 16u
#define ELEMENTS_MAX 65536u
#define BUFFERS_MAX 512u
#define SIZE_MAX_BYTES 65536u
#define LINKS_MAX 64u
/** Of all links together, but at least two of the longest messages a link and way. */
#define BUFFER_BYTES (1u << 20)

/** One way of one link. */
struct lane {
	struct rte_ring *ring;
	struct rte_ring *back;
	uint8_t *buffers;
	/* The sender's. */
	bool fresh;	 /**< all buffers are here, and not counted yet */
	uint32_t spares; /**< buffers that are here */
	uint32_t spare[BUFFERS_MAX];
};

struct peer {
	uint32_t links;
	uint32_t elements;     /**< of a ring */
	uint32_t buffers_max;  /**< of a lane */
	uint32_t buffer_bytes; /**< of a lane */
	struct lane sent[LINKS_MAX];
	struct lane received[LINKS_MAX];
};

/* Two links may carry messages of different sizes; a ring does not care. */
static inline bool
in_elements(const struct contest_work *work)
{
	return work->size <= ELEMENT_MAX;
}

/** Bytes of one; none crosses a cache line. */
static inline uint32_t
element_bytes(const struct contest_work *work)
{
	if (work->size <= 8)
		return 8;
	if (work->size <= 16)
		return 16;
	return work->size <= 32 ? 32 : ELEMENT_MAX;
}

static inline void *
element_at(const struct rte_ring_zc_data *data, uint32_t bytes, uint32_t i)
{
	uint8_t *first = data->ptr1;

	if (i >= data->n1) {
		first = data->ptr2;
		i -= data->n1;
	}
	return first + (size_t)i * bytes;
}

static inline uint32_t
elements_send(struct lane *lane, struct contest_work *work, uint32_t count)
{
	const uint32_t bytes = element_bytes(work);
	struct contest_work own = *work;
	struct rte_ring_zc_data data;
	uint32_t i;

	count = rte_ring_enqueue_zc_burst_elem_start(lane->ring, bytes, count, &data, NULL);
	if (count == 0)
		return 0;
	for (i = 0; i < count; i++)
		contest_write(&own, element_at(&data, bytes, i));
	rte_ring_enqueue_zc_elem_finish(lane->ring, count);
	contest_sent(work, &own);
	return count;
}

static inline uint32_t
elements_receive(struct lane *lane, struct contest_work *work, uint32_t count)
{
	const uint32_t bytes = element_bytes(work);
	struct contest_work own = *work;
	struct rte_ring_zc_data data;
	uint32_t i;

	count = rte_ring_dequeue_zc_burst_elem_start(lane->ring, bytes, count, &data, NULL);
	if (count == 0)
		return 0;
	for (i = 0; i < count; i++)
		contest_read(&own, element_at(&data, bytes, i));
	rte_ring_dequeue_zc_elem_finish(lane->ring, count);
	contest_got(work, &own);
	return count;
}

/** From buffer to buffer: none shares a line with another. */
static inline uint32_t
buffer_stride(const struct contest_work *work)
{
	return RTE_ALIGN(work->size, RTE_CACHE_LINE_SIZE);
}

static inline void *
buffer_at(const struct lane *lane, uint32_t stride, uint32_t number)
{
	return lane->buffers + (size_t)number * stride;
}

static void
buffers_count(const struct peer *peer, struct lane *lane, const struct contest_work *work)
{
	const uint32_t buffers =
		RTE_MIN(peer->buffers_max, peer->buffer_bytes / buffer_stride(work));

	for (lane->spares = 0; lane->spares < buffers; lane->spares++)
		lane->spare[lane->spares] = lane->spares;
	lane->fresh = false;
}

static inline uint32_t
buffers_send(const struct peer *peer, struct lane *lane, struct contest_work *work, uint32_t count)
{
	const uint32_t stride = buffer_stride(work);
	struct contest_work own = *work;
	const uint32_t *numbers;
	uint32_t i;

	if (lane->spares < count) {
		if (lane->fresh)
			buffers_count(peer, lane, work);
		lane->spares += rte_ring_dequeue_burst_elem(lane->back, lane->spare + lane->spares,
							    sizeof(uint32_t),
							    BUFFERS_MAX - lane->spares, NULL);
	}
	if (lane->spares < count)
		count = lane->spares;
	if (count == 0)
		return 0;
	lane->spares -= count;
	numbers = lane->spare + lane->spares;
	for (i = 0; i < count; i++)
		contest_write(&own, buffer_at(lane, stride, numbers[i]));
	contest_sent(work, &own);
	/* There are more elements than buffers: all go. */
	return rte_ring_enqueue_burst_elem(lane->ring, numbers, sizeof(uint32_t), count, NULL);
}

static inline uint32_t
buffers_receive(struct lane *lane, struct contest_work *work, uint32_t count)
{
	const uint32_t stride = buffer_stride(work);
	struct contest_work own = *work;
	uint32_t numbers[CONTEST_BURST_MAX];
	uint32_t i;

	count = rte_ring_dequeue_burst_elem(lane->ring, numbers, sizeof(uint32_t), count, NULL);
	if (count == 0)
		return 0;
	for (i = 0; i < count; i++)
		contest_read(&own, buffer_at(lane, stride, numbers[i]));
	contest_got(work, &own);
	return rte_ring_enqueue_burst_elem(lane->back, numbers, sizeof(uint32_t), count, NULL);
}

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct lane *lane = &peer->sent[link];

	return in_elements(work) ? elements_send(lane, work, count)
				 : buffers_send(peer, lane, work, count);
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct lane *lane = &peer->received[link];

	return in_elements(work) ? elements_receive(lane, work, count)
				 : buffers_receive(lane, work, count);
}

#include "contest_loops.h"

static uint32_t
elements_of(const struct contest_place *place)
{
	return place->ring != 0 ? place->ring : ELEMENTS;
}

static size_t
ring_bytes(const struct contest_place *place, uint32_t element)
{
	return RTE_ALIGN(sizeof(struct rte_ring) + elements_of(place) * element,
			 RTE_CACHE_LINE_SIZE);
}

static uint32_t
buffer_bytes(const struct contest_place *place)
{
	return RTE_ALIGN(RTE_MAX(BUFFER_BYTES / place->links, 2 * SIZE_MAX_BYTES),
			 RTE_CACHE_LINE_SIZE);
}

static size_t
lane_bytes(const struct contest_place *place)
{
	return ring_bytes(place, ELEMENT_MAX) + ring_bytes(place, sizeof(uint32_t)) +
	       buffer_bytes(place);
}

static size_t
shared_bytes(const struct contest_place *place)
{
	return 2 * place->links * lane_bytes(place);
}

/* The sender gets both rings of a way empty. */
static int
lane_prepare(struct lane *lane, uint32_t elements)
{
	const unsigned int flags = RING_F_SP_ENQ | RING_F_SC_DEQ;

	lane->fresh = true;
	lane->spares = 0;
	if (rte_ring_init(lane->ring, "contest", elements, flags) != 0)
		return -1;
	return rte_ring_init(lane->back, "contest back", elements, flags) != 0 ? -1 : 0;
}

static int
ring_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	uint32_t i;
	int ret = 0;

	(void)size;
	for (i = 0; i < peer->links && ret == 0; i++)
		ret = lane_prepare(&peer->sent[i], peer->elements);
	return ret;
}

static void
lane_place(struct lane *lane, const struct contest_place *place, uint8_t *shared)
{
	lane->ring = (struct rte_ring *)(void *)shared;
	shared += ring_bytes(place, ELEMENT_MAX);
	lane->back = (struct rte_ring *)(void *)shared;
	lane->buffers = shared + ring_bytes(place, sizeof(uint32_t));
}

static void *
ring_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	const size_t bytes = lane_bytes(place);
	uint8_t *shared = place->shared;
	uint32_t i;

	if (peer == NULL) {
		snprintf(why, why_bytes, "no memory for rte-ring");
		return NULL;
	}
	peer->links = place->links;
	peer->elements = elements_of(place);
	/* Fewer than a ring holds, which is one less than it has elements. */
	peer->buffers_max = RTE_MIN(BUFFERS_MAX, peer->elements / 2);
	peer->buffer_bytes = buffer_bytes(place);
	for (i = 0; i < place->links; i++, shared += 2 * bytes) {
		const bool near = place->side == CONTEST_NEAR;

		lane_place(near ? &peer->sent[i] : &peer->received[i], place, shared);
		lane_place(near ? &peer->received[i] : &peer->sent[i], place, shared + bytes);
	}
	return peer;
}

const struct contestant contestant_rte_ring = {
	.name = "rte-ring",
	.what = "DPDK rte_ring of 1024, one producer and one consumer: up to 64 bytes in its"
		" elements, in place, else buffers whose numbers go by one ring and return by"
		" another (its programmer's guide)",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = SIZE_MAX_BYTES,
	.links_max = LINKS_MAX,
	.ring_min = ELEMENTS_MIN,
	.ring_max = ELEMENTS_MAX,
	.shared_bytes = shared_bytes,
	.open = ring_open,
	.close = free,
	.prepare = ring_prepare,
	.loops = &peer_loops,
};
