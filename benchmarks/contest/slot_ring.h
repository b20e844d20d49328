/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of slots from one writer to one reader, by Lamport ("Specifying concurrent program
 * modules", 1983), each end with a copy of the other one's index that it renews where the ring
 * looks full or empty: FastForward's and MCRingBuffer's idea, in the form of rigtorp's SPSCQueue.
 *
 * Slots are of one size, chosen before each round. An index is published after each
 * SLOT_CHUNK_BYTES of slots, so that long messages overlap, and at the end of a burst.
 */
#ifndef SLOT_RING_H
#define SLOT_RING_H

#include <nhn_word.h>

#include "contest.h"

#define SLOT_LINKS_MAX 64u
#define SLOTS 1024u
#define SLOTS_MIN 16u
#define SLOTS_MAX 65536u
#define SLOT_RING_BYTES (256u << 10)
#define SLOT_CHUNK_BYTES 4096u

/* Shared. The indexes run freely; slots follow. */
struct slot_ring {
	uint32_t written __attribute__((aligned(128)));
	uint32_t taken __attribute__((aligned(128)));
	uint32_t sleeping __attribute__((aligned(128))); /* the reader does, or is about to */
	uint8_t slots[] __attribute__((aligned(128)));
};

/* An end's own, private. */
struct slot_end {
	struct slot_ring *ring;
	uint32_t index; /* of the next slot */
	uint32_t limit; /* the other end's index as last seen, plus the slots at the writer */
	uint32_t mask;	/* slots - 1 */
	uint32_t stride;
	uint32_t chunk_mask; /* slots of a chunk - 1 */
};

/* Both ends of the links at one side: what a struct peer of such rings begins with. */
struct slot_links {
	uint32_t count;
	uint32_t ring_bytes; /* of a ring's slots */
	struct slot_end tx[SLOT_LINKS_MAX];
	struct slot_end rx[SLOT_LINKS_MAX];
	uint32_t slots; /* of a ring, at most */
};

/*
 * contestant::shared_bytes. contestant::variant is the bytes of a ring's slots, a uint32_t that
 * is a multiple of 128, or NULL: SLOT_RING_BYTES. They are more where place->ring lines are.
 */
size_t slot_shared_bytes(const struct contest_place *place);

/*
 * A peer of @p peer_bytes, zeroed but for its links, whose rings lie in place->shared. NULL and
 * why: no memory. free() ends it.
 */
void *slot_peer_new(size_t peer_bytes, const struct contest_place *place, char *why,
		    size_t why_bytes);

/* contestant::open, of a peer that is its links alone. */
void *slot_open(const struct contest_place *place, char *why, size_t why_bytes);

/* contestant::prepare: as many slots as fit, 2 at least, place->ring or SLOTS at most. */
int slot_prepare(void *peer, uint32_t size);

/* Where to write the next message, or NULL: full. */
static inline uint8_t *
slot_reserve(struct slot_end *tx)
{
	if (tx->index == tx->limit) {
		tx->limit = nhn_load_acquire(&tx->ring->taken) + tx->mask + 1;
		if (tx->index == tx->limit)
			return NULL;
	}
	return tx->ring->slots + (size_t)(tx->index & tx->mask) * tx->stride;
}

/* The next message, or NULL: none. */
static inline const uint8_t *
slot_peek(struct slot_end *rx)
{
	if (rx->index == rx->limit) {
		rx->limit = nhn_load_acquire(&rx->ring->written);
		if (rx->index == rx->limit)
			return NULL;
	}
	return rx->ring->slots + (size_t)(rx->index & rx->mask) * rx->stride;
}

static inline bool
slot_ends_chunk(const struct slot_end *end)
{
	return (end->index & end->chunk_mask) == 0;
}

/* Go on to the next slot. */
static inline void
slot_next(struct slot_end *end, uint32_t *published)
{
	end->index++;
	if (slot_ends_chunk(end))
		nhn_store_release(published, end->index);
}

/*
 * End a burst of one slot at least, which was made with @p own, a copy of the end in registers:
 * publish what slot_next() has not.
 */
static inline void
slot_keep(struct slot_end *end, const struct slot_end *own, uint32_t *published)
{
	end->index = own->index;
	end->limit = own->limit;
	if (!slot_ends_chunk(own))
		nhn_store_release(published, own->index);
}

static inline uint32_t
slot_send(struct slot_end *tx, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	struct slot_end end = *tx;
	uint32_t sent;

	for (sent = 0; sent < count; sent++) {
		uint8_t *body = slot_reserve(&end);

		if (body == NULL)
			break;
		contest_write(&own, body);
		slot_next(&end, &end.ring->written);
	}
	if (sent == 0)
		return 0;
	slot_keep(tx, &end, &end.ring->written);
	contest_sent(work, &own);
	return sent;
}

static inline uint32_t
slot_receive(struct slot_end *rx, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	struct slot_end end = *rx;
	uint32_t got;

	for (got = 0; got < count; got++) {
		const uint8_t *body = slot_peek(&end);

		if (body == NULL)
			break;
		contest_read(&own, body);
		slot_next(&end, &end.ring->taken);
	}
	if (got == 0)
		return 0;
	slot_keep(rx, &end, &end.ring->taken);
	contest_got(work, &own);
	return got;
}

/* The one order that lib never needs: earlier stores before later loads. */
static inline void
slot_fence(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lock; addl $0, -4(%%rsp)" : : : "memory", "cc");
#elif defined(__aarch64__)
	__asm__ volatile("dmb ish" : : : "memory");
#else
	__asm__ volatile("fence rw, rw" : : : "memory");
#endif
}

/* Whether the reader of what was just sent has to be woken, which the caller then does. */
static inline bool
slot_must_wake(struct slot_end *tx)
{
	slot_fence();
	if (__builtin_expect(nhn_load_relaxed(&tx->ring->sleeping) == 0, 1))
		return false;
	nhn_store_relaxed(&tx->ring->sleeping, 0);
	return true;
}

/* Say that this end goes to sleep; @return false where something came meanwhile. */
static inline bool
slot_may_sleep(struct slot_end *rx)
{
	nhn_store_relaxed(&rx->ring->sleeping, 1);
	slot_fence();
	return slot_peek(rx) == NULL;
}

static inline void
slot_awake(struct slot_end *rx)
{
	nhn_store_relaxed(&rx->ring->sleeping, 0);
}

#endif /* SLOT_RING_H */
