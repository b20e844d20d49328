/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least ring that carries 60-byte messages between two processes: a cell a message, the
 * message's number as its last word, the reader's cursor every quarter ring. No session, no
 * restart, no peer that may lie, nothing fetched ahead.
 */
#ifndef BARE_RING_H
#define BARE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_word.h>

/** Unless told otherwise. */
#define BARE_CELLS 1024u
#define BARE_BODY 60u

struct bare_cell {
	uint8_t body[BARE_BODY];
	uint32_t number; /* 1 and up, of the message that is in it */
};

/* Shared, zeroed; BARE_BYTES() of it. */
struct bare_ring {
	uint32_t cursor __attribute__((aligned(128)));
	struct bare_cell cell[] __attribute__((aligned(128)));
};

/* Of a ring of so many cells, a power of two. */
#define BARE_BYTES(cells) (sizeof(struct bare_ring) + (cells) * sizeof(struct bare_cell))

/* Each end's own, private. */
struct bare_end {
	struct bare_ring *ring;
	uint32_t mask; /* cells - 1 */
	uint32_t index;
	uint32_t cursor;
};

static inline struct bare_cell *
bare_cell(const struct bare_end *end)
{
	return &end->ring->cell[end->index & end->mask];
}

/* Where to write the next message, or NULL: full. */
static inline uint8_t *
bare_reserve(struct bare_end *tx)
{
	if (tx->index - tx->cursor > tx->mask) {
		tx->cursor = nhn_load_acquire(&tx->ring->cursor);
		if (tx->index - tx->cursor > tx->mask)
			return NULL;
	}
	return bare_cell(tx)->body;
}

static inline void
bare_commit(struct bare_end *tx)
{
	nhn_store_release(&bare_cell(tx)->number, tx->index + 1);
	tx->index++;
}

/* The next message, or NULL: none. */
static inline const uint8_t *
bare_peek(const struct bare_end *rx)
{
	const struct bare_cell *cell = bare_cell(rx);

	return nhn_load_acquire(&cell->number) == rx->index + 1 ? cell->body : NULL;
}

static inline void
bare_release(struct bare_end *rx)
{
	if ((++rx->index & (rx->mask >> 2)) == 0)
		nhn_store_release(&rx->ring->cursor, rx->index);
}

#endif /* BARE_RING_H */
