/* SPDX-License-Identifier: BSD-3-Clause */
/* What lies in the memory of the two sides: layouts, and the rings of former lives. */

#include "side.h"

void
side_layout(struct nhn_layout *layout, uint32_t which)
{
	nhn_layout_uniform(layout, which == 2 ? 3 : 2, NHN_USE_RAW, NHN_CELLS_MIN,
			   NHN_DATA_BYTES_MIN);
	if (which == 0) {
		layout->entry[1].data_bytes = 0;
	} else if (which == 1) {
		layout->entry[0].data_bytes = 0;
	} else {
		layout->entry[0].cells = 2 * NHN_CELLS_MIN;
		layout->entry[1].cell_bytes = 128;
		layout->entry[1].data_bytes = 0;
	}
}

static void
ring_age(uint8_t *cells, uint32_t count, uint32_t pairing)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t index = NHN_CURSOR_START + i;
		uint32_t word = NHN_COMMIT_COMMITTED | NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT |
				(pairing & NHN_COMMIT_PAIRING_MASK) << NHN_COMMIT_PAIRING_SHIFT |
				(index / count & NHN_COMMIT_LAP_MASK) << NHN_COMMIT_LAP_SHIFT | 16;

		memcpy(cells + (size_t)(index % count + 1) * 64 - NHN_COMMIT_BYTES, &word,
		       sizeof(word));
	}
}

static void
area_age(uint8_t *area, uint32_t session, uint32_t pairing)
{
	struct nhn_control *control = (struct nhn_control *)(void *)area;
	struct nhn_layout layout;
	uint32_t i;

	side_layout(&layout, 0);
	control->session = session;
	control->header.magic = NHN_MAGIC;
	memcpy(control->laid, layout.entry, sizeof(layout.entry));
	for (i = 0; i < NHN_CHANNELS_MAX; i++) {
		control->cursor[i].cells = NHN_CURSOR_START;
		control->cursor[i].data = NHN_DATA_START;
	}
	for (i = 0; i < layout.channels; i++)
		ring_age(area + nhn_layout_offset(&layout, i), layout.entry[i].cells, pairing);
}

void
side_memory_age(uint8_t *memory)
{
	const uint32_t host = 99, guest = 201; /* odd: closed. 102 and 204 come next */
	const uint32_t pairing = (102 + 204) / 2;

	memset(memory, 0, 2 * (size_t)SIDE_AREA_BYTES);
	area_age(memory, host, pairing);
	area_age(memory + SIDE_AREA_BYTES, guest, pairing);
}
