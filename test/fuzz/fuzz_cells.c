/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream of cells against a reader. Input: the channel's shape and both cursors, then steps:
 * write a cell near the reader's place, peek, release, stop and start the reader.
 *
 * The writer's area is as large as its layout needs and no larger. The rules are
 * checked by what is known of the memory, not by the library's own formulas.
 */

#include <errno.h>
#include <stdbool.h>

#include <nhn_channel_control.h>

#include "fuzz.h"

#define PAIRING 5u
#define STEPS_MAX 400u
#define VIEWS_MAX 32u
#define DATA_BYTES_MAX 16384u

enum step {
	STEP_RAW,  /* a message within its cell */
	STEP_DESC, /* one in the data ring, near where it is expected */
	STEP_ANY,  /* a commit word as the input has it */
	STEP_PEEK,
	STEP_RELEASE,
	STEP_RESTART,
	STEPS,
};

static struct reader {
	struct nhn_rx rx;
	struct nhn_layout layout;
	struct nhn_cursor cursor;
	uint32_t attention;
	uint8_t *area;
	size_t area_bytes;
	uint8_t *cells;
	uint8_t *data;
	uint32_t cell_bytes;
	uint32_t count;
	uint32_t inline_bytes;
	uint32_t data_bytes;
	uint32_t next; /* in the data ring: where the range after the last one lent may begin */
	bool broken;
	uint8_t lent[DATA_BYTES_MAX / 64]; /* lines of the data ring that are held */
} reader;

static void
reader_open(struct fuzz_input *input)
{
	static const uint32_t uses[] = {NHN_USE_RAW, NHN_USE_ETHERNET, NHN_USE_MSG};
	static const uint32_t data[] = {4096, 0, 8192, DATA_BYTES_MAX};
	uint8_t shape = fuzz_u8(input);
	struct nhn_channel_entry *entry = &reader.layout.entry[0];

	memset(&reader, 0, sizeof(reader));
	nhn_layout_uniform(&reader.layout, 1, (enum nhn_use)uses[shape % 3], 16u << (shape >> 6),
			   data[shape >> 4 & 3]);
	if (shape & 8)
		entry->cell_bytes = 128;
	reader.cell_bytes = entry->cell_bytes;
	reader.count = entry->cells;
	reader.data_bytes = entry->data_bytes;
	reader.inline_bytes = reader.cell_bytes - (entry->use == NHN_USE_ETHERNET ? 20
						   : entry->use == NHN_USE_MSG	  ? 16
										  : 4);
	reader.area_bytes = 8192 + (size_t)reader.count * reader.cell_bytes + reader.data_bytes;
	reader.area = fuzz_memory(reader.area_bytes);
	reader.cells = reader.area + 8192;
	reader.data = reader.cells + (size_t)reader.count * reader.cell_bytes;
	reader.cursor.cells = NHN_CURSOR_START + fuzz_u8(input);
	reader.cursor.data = NHN_DATA_START + fuzz_u16(input);
	nhn_rx_init(&reader.rx, &reader.layout, 0, reader.area, &reader.cursor, &reader.attention);
	nhn_rx_start(&reader.rx, PAIRING);
	reader.next = reader.cursor.data;
}

static uint8_t *
cell_of(uint32_t index)
{
	return reader.cells + (size_t)(index % reader.count) * reader.cell_bytes;
}

static uint32_t *
word_of(uint32_t index)
{
	return (uint32_t *)(void *)(cell_of(index) + reader.cell_bytes - 4);
}

/* The upper half of the commit word of this index: committed, pairing, lap. */
static uint32_t
upper_of(uint32_t index)
{
	return 0x8000u | PAIRING << 8 | (index / reader.count & 255u);
}

/* ---- the writer ---- */

static void
write_desc(struct fuzz_input *input, uint8_t *cell)
{
	uint32_t length = fuzz_u32(input);
	uint32_t lines = fuzz_near(input);
	uint8_t odd = fuzz_u8(input);
	struct nhn_descriptor descriptor;

	/* Likely right: the next line, or the next begin of the ring. */
	descriptor.position = reader.rx.data_head + lines * 64;
	if (odd & 1)
		descriptor.position += -descriptor.position & (reader.data_bytes - 1);
	if (odd & 2)
		descriptor.position += odd >> 2;
	descriptor.length = length;
	memcpy(cell, &descriptor, sizeof(descriptor));
}

static void
step_write(struct fuzz_input *input, enum step step)
{
	uint32_t index = reader.rx.head + fuzz_near(input);
	uint32_t low = step == STEP_DESC ? NHN_KIND_DESC << 8 | fuzz_u8(input)
					 : NHN_KIND_RAW << 8 | fuzz_u8(input);
	uint32_t word = upper_of(index) << 16 | low;

	if (step == STEP_DESC)
		write_desc(input, cell_of(index));
	else
		fuzz_take(input, cell_of(index), 8);
	if (step == STEP_ANY)
		word ^= fuzz_u32(input);
	nhn_store_release(word_of(index), word);
}

/* ---- the reader ---- */

/* Bytes of the data ring are lent once until they are given back, in the ring's order. */
static void
check_lent(uint32_t offset, uint32_t length)
{
	uint32_t line;

	FUZZ_CHECK(offset % 64 == 0);
	FUZZ_CHECK((offset - reader.next) % reader.data_bytes < reader.data_bytes / 2);
	reader.next = offset + (length + 63) / 64 * 64;

	for (line = offset / 64; line <= (offset + length - 1) / 64; line++) {
		FUZZ_CHECK(!reader.lent[line]);
		reader.lent[line] = 1;
	}
}

static void
check_view(const struct nhn_view *view, uint32_t index)
{
	const uint8_t *data = nhn_foreign_lend(view->data);
	uint32_t sum = 0;
	uint32_t i;

	FUZZ_CHECK(view->index == index);
	if (data == cell_of(index)) {
		FUZZ_CHECK(view->length <= reader.inline_bytes);
	} else {
		FUZZ_CHECK(data >= reader.data && data < reader.area + reader.area_bytes);
		FUZZ_CHECK(view->length >= 1 && view->length <= reader.data_bytes / 2);
		FUZZ_CHECK(view->length <= (size_t)(reader.area + reader.area_bytes - data));
		check_lent((uint32_t)(data - reader.data), view->length);
	}
	if (reader.layout.entry[0].use == NHN_USE_ETHERNET)
		FUZZ_CHECK(nhn_foreign_lend(nhn_rx_metadata(&reader.rx, view)) ==
			   cell_of(index) + 108);
	for (i = 0; i < view->length; i++)
		sum += data[i];
	__asm__ volatile("" : : "r"(sum));
}

static void
step_peek(uint32_t count)
{
	struct nhn_view views[VIEWS_MAX];
	uint32_t head = reader.rx.head;
	uint32_t word = *word_of(head);
	bool plain = word >> 16 == upper_of(head) && (word >> 8 & 255) == NHN_KIND_RAW &&
		     (word & 255) <= reader.inline_bytes;
	bool stale = reader.rx.stale;
	int n = nhn_rx_peek(&reader.rx, views, count);
	int i;

	FUZZ_CHECK(n <= (int)count && (n > 0 || n == (stale ? -ESTALE : 0)));
	FUZZ_CHECK(reader.rx.head == head + (uint32_t)(n > 0 ? n : 0));
	for (i = 0; i < n; i++)
		check_view(&views[i], head + (uint32_t)i);
	if (reader.broken)
		FUZZ_CHECK(n <= 0);
	else if (plain && count != 0)
		FUZZ_CHECK(n >= 1);
	if (!reader.broken && reader.rx.fault != NHN_FAULT_NONE) {
		FUZZ_CHECK(reader.attention == 1);
		reader.broken = true;
	}
}

static void
step_release(void)
{
	uint32_t index = reader.rx.released;
	bool changed = false;

	for (; index != reader.rx.head; index++)
		changed |= *word_of(index) >> 16 != upper_of(index);
	/* What was held when the channel broke cannot be trusted either. */
	changed |= reader.broken && nhn_rx_holds(&reader.rx);
	FUZZ_CHECK(nhn_rx_release(&reader.rx) == (changed ? -ESTALE : 0));
	FUZZ_CHECK(!nhn_rx_holds(&reader.rx));
	FUZZ_CHECK(reader.rx.head - reader.cursor.cells < reader.count / 4 || changed);
	FUZZ_CHECK(reader.cursor.data % 64 == 0);
	memset(reader.lent, 0, sizeof(reader.lent));
	reader.broken |= changed;
}

/* As the link does it once nothing is held. */
static void
step_restart(void)
{
	uint8_t stale;

	step_release();
	nhn_rx_stop(&reader.rx);
	FUZZ_CHECK(reader.cursor.cells == reader.rx.head);
	stale = reader.rx.stale;
	nhn_rx_init(&reader.rx, &reader.layout, 0, reader.area, &reader.cursor, &reader.attention);
	nhn_rx_start(&reader.rx, PAIRING);
	reader.rx.stale = stale;
	reader.next = reader.cursor.data;
	reader.attention = 0;
	reader.broken = false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct fuzz_input input = {bytes, count};
	uint32_t step;

	reader_open(&input);
	for (step = 0; step < STEPS_MAX && input.left != 0; step++) {
		uint8_t what = fuzz_u8(&input);

		switch ((enum step)(what % STEPS)) {
		case STEP_PEEK:
			step_peek((what / STEPS) % (VIEWS_MAX + 1));
			break;
		case STEP_RELEASE:
			step_release();
			break;
		case STEP_RESTART:
			step_restart();
			break;
		default:
			step_write(&input, (enum step)(what % STEPS));
		}
	}
	free(reader.area);
	return 0;
}
