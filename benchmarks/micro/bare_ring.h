/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least ring that carries 60-byte messages between two processes: a cell a
 * message, the lap as its last word, the reader's cursor every quarter ring.
 * No session, no restart, no peer that may lie, nothing fetched ahead.
 */
#ifndef BARE_RING_H
#define BARE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_word.h>

#define BARE_CELLS 1024u
#define BARE_BODY 60u

struct bare_cell {
	uint8_t body[BARE_BODY];
	uint32_t lap; /* 1 and up */
};

struct bare_ring {
	struct bare_cell cell[BARE_CELLS];
	uint32_t cursor __attribute__((aligned(64)));
};

/* Each end's own, private. */
struct bare_end {
	struct bare_ring *ring;
	uint32_t index;
	uint32_t cursor;
};

static inline uint32_t
bare_lap(uint32_t index)
{
	return index / BARE_CELLS + 1;
}

/* Where to write the next message, or NULL: full. */
static inline uint8_t *
bare_reserve(struct bare_end *tx)
{
	if (tx->index - tx->cursor == BARE_CELLS) {
		tx->cursor = nhn_load_acquire(&tx->ring->cursor);
		if (tx->index - tx->cursor == BARE_CELLS)
			return NULL;
	}
	return tx->ring->cell[tx->index % BARE_CELLS].body;
}

static inline void
bare_commit(struct bare_end *tx)
{
	nhn_store_release(&tx->ring->cell[tx->index % BARE_CELLS].lap, bare_lap(tx->index));
	tx->index++;
}

/* The next message, or NULL: none. */
static inline const uint8_t *
bare_peek(const struct bare_end *rx)
{
	const struct bare_cell *cell = &rx->ring->cell[rx->index % BARE_CELLS];

	return nhn_load_acquire(&cell->lap) == bare_lap(rx->index) ? cell->body : NULL;
}

static inline void
bare_release(struct bare_end *rx)
{
	if (++rx->index % (BARE_CELLS / 4) == 0)
		nhn_store_release(&rx->ring->cursor, rx->index);
}

#endif /* BARE_RING_H */
