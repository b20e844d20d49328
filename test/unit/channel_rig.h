/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel's two ends on the same memory, for the channel tests. */
#ifndef NHN_TEST_CHANNEL_RIG_H
#define NHN_TEST_CHANNEL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nhn_channel_control.h>

#include "pattern.h"

#define RIG_PAIRING 5u
#define RIG_SEED UINT64_C(0x6e616861)

struct rig {
	struct nhn_tx tx;
	struct nhn_rx rx;
	struct nhn_cursor cursor; /* the reader's shared words */
	struct nhn_layout layout;
	uint8_t *area; /* the writer's, of exactly the bytes the layout needs */
	uint32_t tx_attention;
	uint32_t rx_attention;
	uint64_t sent;
	uint64_t taken;
};

static inline void
rig_open(struct rig *rig, enum nhn_use use, uint16_t cell_bytes, uint32_t cells,
	 uint32_t data_bytes)
{
	struct nhn_refusal refusal;
	size_t bytes;

	memset(rig, 0, sizeof(*rig));
	nhn_layout_uniform(&rig->layout, 1, use, cells, data_bytes);
	rig->layout.entry[0].cell_bytes = cell_bytes;
	bytes = (size_t)nhn_layout_offset(&rig->layout, 1);
	assert_int_equal(nhn_layout_check(&rig->layout, bytes, &refusal), 0);
	rig->area = aligned_alloc(4096, bytes);
	assert_non_null(rig->area);
	memset(rig->area, 0xa5, bytes); /* committed bits of nobody */
	rig->cursor.cells = NHN_CURSOR_START;
	rig->cursor.data = NHN_DATA_START;
	nhn_rx_init(&rig->rx, &rig->layout, 0, rig->area, &rig->cursor, &rig->rx_attention);
	nhn_tx_init(&rig->tx, &rig->layout, 0, rig->area, &rig->cursor, &rig->tx_attention);
	nhn_tx_open(&rig->tx);
	nhn_rx_start(&rig->rx, RIG_PAIRING);
	nhn_tx_start(&rig->tx, RIG_PAIRING);
}

static inline void
rig_close(struct rig *rig)
{
	free(rig->area);
	rig->area = NULL;
}

/* Send the next message. Returns whether there was room. */
static inline bool
rig_send(struct rig *rig, uint32_t length)
{
	void *body = nhn_tx_reserve(&rig->tx, length);

	if (body == NULL)
		return false;
	pattern_fill(body, length, RIG_SEED, rig->sent);
	nhn_tx_commit(&rig->tx, body, length);
	rig->sent++;
	return true;
}

/* Peek the one next message, which must be there, and check it. */
static inline void
rig_peek(struct rig *rig, uint32_t length)
{
	struct nhn_view view = {0};

	assert_int_equal(nhn_rx_peek(&rig->rx, &view, 1), 1);
	assert_int_equal(view.length, length);
	assert_true(pattern_matches(view.data, view.length, RIG_SEED, rig->taken));
	rig->taken++;
}

static inline void
rig_take(struct rig *rig, uint32_t length)
{
	rig_peek(rig, length);
	assert_int_equal(nhn_rx_release(&rig->rx), 0);
}

static inline void
rig_expect_empty(struct rig *rig)
{
	struct nhn_view view;

	assert_int_equal(nhn_rx_peek(&rig->rx, &view, 1), 0);
}

/* The commit word of a cell, as a hostile writer reaches it. */
static inline uint32_t *
rig_word(struct rig *rig, uint32_t index)
{
	return nhn_tx_commit_word(&rig->tx, nhn_tx_cell(&rig->tx, index));
}

/* ---- the one of a test program, opened anew for each test ---- */

#define CELLS 16u
#define DATA 4096u

static struct rig rig;

static inline void
reopen(enum nhn_use use, uint16_t cell_bytes, uint32_t cells, uint32_t data_bytes)
{
	rig_close(&rig);
	rig_open(&rig, use, cell_bytes, cells, data_bytes);
}

static inline void
again(void)
{
	reopen(NHN_USE_RAW, 64, CELLS, DATA);
}

static inline int
setup(void **state)
{
	(void)state;
	again();
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* What an honest writer would commit there. */
static inline uint32_t
commit_word(uint32_t index, uint32_t kind, uint32_t length)
{
	uint32_t lap = index / CELLS % 256;

	return 1u << 31 | RIG_PAIRING << 24 | lap << 16 | kind << 8 | length;
}

#endif /* NHN_TEST_CHANNEL_RIG_H */
