/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_channel_control.h>

static uint8_t
log2_of(uint32_t power_of_two)
{
	uint8_t shift = 0;

	/* Not __builtin_ctz: where no instruction counts zeros it calls the compiler's library. */
	while (power_of_two >> shift > 1)
		shift++;
	return shift;
}

/** A cursor between the last one and the tail is one the reader can have reached. */
static bool
cursor_possible(uint32_t cursor, uint32_t last, uint32_t tail)
{
	return cursor - last <= tail - last;
}

/** A peer whose cursor lies makes no room; control decides whether it is a lie. */
static void
tx_suspect(struct nhn_tx *tx)
{
	tx->fault = NHN_FAULT_CURSOR;
	nhn_store_relaxed(tx->attention, 1);
}

static void
tx_refresh_cells(struct nhn_tx *tx)
{
	uint32_t last = tx->limit - tx->cell_count;
	uint32_t cursor = nhn_foreign_acquire(&tx->cursor->cells); /* B */

	if (cursor_possible(cursor, last, tx->tail))
		tx->limit = cursor + tx->cell_count;
	else
		tx_suspect(tx);
}

bool
nhn_tx_refresh(struct nhn_tx *tx)
{
	if (tx->up)
		tx_refresh_cells(tx);
	if ((int32_t)(tx->limit - tx->tail) > 0)
		return true;
	tx->full++;
	return false;
}

static void
tx_refresh_data(struct nhn_tx *tx)
{
	uint32_t last = tx->data_limit - tx->data_bytes;
	uint32_t data = nhn_foreign_acquire(&tx->cursor->data); /* B */

	if (data % NHN_LINE_BYTES == 0 && cursor_possible(data, last, tx->data_tail))
		tx->data_limit = data + tx->data_bytes;
	else
		tx_suspect(tx);
}

void
nhn_tx_update(struct nhn_tx *tx)
{
	if (!tx->up)
		return;
	tx_refresh_cells(tx);
	tx_refresh_data(tx);
}

void *
nhn_tx_reserve_data(struct nhn_tx *tx, uint32_t length)
{
	uint32_t offset = tx->data_tail & (tx->data_bytes - 1);
	uint32_t needed;

	if (length > tx->data_bytes / 2)
		return NULL;
	needed = (length + NHN_LINE_BYTES - 1) & ~(NHN_LINE_BYTES - 1);
	if (offset + needed > tx->data_bytes) { /* contiguous: skip to the ring's begin */
		needed += tx->data_bytes - offset;
		offset = 0;
	}
	if (tx->data_limit - tx->data_tail < needed)
		tx_refresh_data(tx);
	if (tx->data_limit - tx->data_tail < needed) {
		tx->full++;
		return NULL;
	}
	return tx->data + offset;
}

void
nhn_tx_fetch_data(const struct nhn_tx *tx, uint32_t bytes)
{
	const uint32_t offset = tx->data_tail & (tx->data_bytes - 1);
	uint32_t i;

	if (bytes > tx->data_limit - tx->data_tail || bytes > tx->data_bytes - offset)
		return;
	for (i = 0; i < bytes; i += NHN_LINE_BYTES)
		nhn_fetch_for_writing(tx->data + offset + i);
}

int
nhn_rx_break(struct nhn_rx *rx, enum nhn_fault fault)
{
	/* The first cause is told: what was held then fails its release as well. */
	if (rx->tag == NHN_TAG_NONE)
		return -ESTALE;
	rx->tag = NHN_TAG_NONE;
	rx->fault = fault;
	nhn_store_relaxed(rx->attention, 1);
	return -ESTALE;
}

int
nhn_rx_describe(struct nhn_rx *rx, struct nhn_view *view)
{
	struct nhn_descriptor copy;

	nhn_foreign_copy(&copy, view->data, sizeof(copy));
	if (!nhn_descriptor_valid(&copy, rx->data_head, rx->data_head - rx->data_released,
				  rx->data_bytes))
		return nhn_rx_break(rx, NHN_FAULT_DESCRIPTOR);
	view->data = rx->data + (copy.position & (rx->data_bytes - 1));
	view->length = copy.length;
	rx->data_head =
		copy.position + ((copy.length + NHN_LINE_BYTES - 1) & ~(NHN_LINE_BYTES - 1));
	return 0;
}

int
nhn_rx_peek_other(struct nhn_rx *rx, uint32_t word, struct nhn_view *view)
{
	uint32_t kind = word >> NHN_COMMIT_KIND_SHIFT & NHN_COMMIT_KIND_MASK;

	if (kind == NHN_KIND_RAW)
		return nhn_rx_break(rx, NHN_FAULT_LENGTH);
	if (kind != NHN_KIND_DESC)
		return nhn_rx_break(rx, NHN_FAULT_KIND);
	return nhn_rx_describe(rx, view);
}

void
nhn_rx_publish(struct nhn_rx *rx)
{
	/* Data first: a writer that sees the cells given back sees their bytes too. */
	NHN_POINT("publish/data");
	nhn_store_release(&rx->cursor->data, rx->data_released); /* B */
	NHN_POINT("publish/cells");
	nhn_store_release(&rx->cursor->cells, rx->released); /* B */
	NHN_POINT("publish/done");
	rx->data_published = rx->data_released;
	rx->published = rx->released;
}

void
nhn_tx_init(struct nhn_tx *tx, const struct nhn_layout *layout, uint32_t channel, uint8_t *own_area,
	    const struct nhn_cursor NHN_FOREIGN *cursor, uint32_t *attention)
{
	const struct nhn_channel_entry *entry = &layout->entry[channel];

	memset(tx, 0, sizeof(*tx));
	tx->cells = own_area + nhn_layout_offset(layout, channel);
	tx->data = tx->cells + (size_t)entry->cells * entry->cell_bytes;
	tx->cell_count = entry->cells;
	tx->cell_bytes = (uint8_t)entry->cell_bytes;
	tx->lap_shift = log2_of(entry->cells);
	tx->inline_bytes = (uint8_t)nhn_inline_bytes(entry->use, entry->cell_bytes);
	tx->data_bytes = entry->data_bytes;
	tx->cursor = cursor;
	tx->attention = attention;
}

void
nhn_tx_stop(struct nhn_tx *tx)
{
	tx->up = 0;
	tx->limit = tx->tail; /* the hot path's only look */
}

void
nhn_tx_open(struct nhn_tx *tx)
{
	uint32_t i;

	/* Any cursor is a good base: it is where the reader will begin (D). */
	tx->tail = nhn_foreign_acquire(&tx->cursor->cells);
	tx->data_tail = nhn_foreign_acquire(&tx->cursor->data) & ~(NHN_LINE_BYTES - 1);
	tx->data_limit = tx->data_tail + tx->data_bytes;
	tx->fault = NHN_FAULT_NONE;
	nhn_tx_stop(tx);
	for (i = 0; i < tx->cell_count; i++) {
		NHN_POINT("open/clear");
		nhn_store_relaxed(nhn_tx_commit_word(tx, nhn_tx_cell(tx, i)), 0);
	}
}

/** Bits of a commit word that are the same in all of a pairing. */
static uint32_t
pairing_tag(uint32_t pairing)
{
	return NHN_COMMIT_COMMITTED | (pairing & NHN_COMMIT_PAIRING_MASK)
					      << NHN_COMMIT_PAIRING_SHIFT;
}

void
nhn_tx_start(struct nhn_tx *tx, uint32_t pairing)
{
	tx->tag = pairing_tag(pairing);
	tx->up = 1;
}

uint32_t
nhn_tx_count_committed(const uint8_t NHN_FOREIGN *cells, uint32_t count, uint32_t cell_bytes,
		       uint32_t cursor)
{
	const uint8_t lap_shift = log2_of(count);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t index = cursor + i;
		const uint8_t NHN_FOREIGN *end =
			cells + ((size_t)(index & (count - 1)) + 1) * cell_bytes;
		uint32_t word = nhn_foreign_relaxed(
			(const uint32_t NHN_FOREIGN *)(const void NHN_FOREIGN *)(end -
										 NHN_COMMIT_BYTES));
		uint32_t lap = (index >> lap_shift) & NHN_COMMIT_LAP_MASK;

		if (!(word & NHN_COMMIT_COMMITTED) ||
		    (word >> NHN_COMMIT_LAP_SHIFT & NHN_COMMIT_LAP_MASK) != lap)
			break;
	}
	return i;
}

void
nhn_rx_park(struct nhn_rx *rx, const void NHN_FOREIGN *peer_area)
{
	memset(rx, 0, sizeof(*rx));
	rx->cells = (const uint8_t NHN_FOREIGN *)peer_area;
	rx->cell_count = 4; /* a quarter is 1: a release of nothing publishes nothing */
	rx->cell_bytes = NHN_LINE_BYTES;
	rx->tag = NHN_TAG_NONE;
	rx->data_quarter = UINT32_MAX;
}

void
nhn_rx_init(struct nhn_rx *rx, const struct nhn_layout *layout, uint32_t channel,
	    const void NHN_FOREIGN *peer_area, struct nhn_cursor *cursor, uint32_t *attention)
{
	const struct nhn_channel_entry *entry = &layout->entry[channel];

	memset(rx, 0, sizeof(*rx));
	rx->cells = (const uint8_t NHN_FOREIGN *)peer_area + nhn_layout_offset(layout, channel);
	rx->data = rx->cells + (size_t)entry->cells * entry->cell_bytes;
	rx->cell_count = entry->cells;
	rx->cell_bytes = (uint8_t)entry->cell_bytes;
	rx->lap_shift = log2_of(entry->cells);
	rx->inline_bytes = (uint8_t)nhn_inline_bytes(entry->use, entry->cell_bytes);
	rx->data_bytes = entry->data_bytes;
	rx->data_quarter = entry->data_bytes != 0 ? entry->data_bytes / 4 : UINT32_MAX;
	rx->cursor = cursor;
	rx->attention = attention;
	rx->tag = NHN_TAG_NONE;
	rx->head = nhn_load_relaxed(&cursor->cells);
	rx->data_head = nhn_load_relaxed(&cursor->data) & ~(NHN_LINE_BYTES - 1);
	rx->released = rx->head;
	rx->data_released = rx->data_head;
	nhn_rx_publish(rx);
}

void
nhn_rx_start(struct nhn_rx *rx, uint32_t pairing)
{
	rx->tag = pairing_tag(pairing) >> NHN_COMMIT_LAP_SHIFT;
}

bool
nhn_rx_drained(const struct nhn_rx *rx)
{
	return !nhn_rx_holds(rx) && !nhn_rx_waits(rx);
}

void
nhn_rx_stop(struct nhn_rx *rx)
{
	if (rx->tag != NHN_TAG_NONE)
		rx->stale = 1;
	rx->tag = NHN_TAG_NONE;
	nhn_rx_publish(rx);
}
