/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A side of a link against a peer whose every byte the input writes. Input: the
 * side's shape, then steps: the peer's control block or any part of it, single
 * words right or wrong, cells; and the calls of the side's own program.
 *
 * Both areas are as large as they say and no larger, and the peer's must be
 * found as the input left it.
 */

#include <errno.h>
#include <stdbool.h>

#include <nhn_link_text.h>

#include "fuzz.h"

#define STEPS_MAX 128u
#define CHANNEL_BYTES 8192u /* 32 cells of 128 bytes and a data ring of 4096 */
#define LENGTHS 2100u	    /* half a data ring, and some more */
#define BEGIN_NS UINT64_C(5000000000)

static struct side {
	struct nhn_link link;
	struct nhn_link_config config;
	struct nhn_layout layout; /* to begin with */
	struct nhn_control *peer; /* its area */
	uint8_t *peer_as_written;
	size_t bytes; /* of each area */
	uint64_t now_ns;
	uint64_t latest_ns;
	uint64_t told; /* events since init */
	uint64_t begun_ns;
} side;

static const enum nhn_use uses[] = {NHN_USE_RAW, NHN_USE_ETHERNET, NHN_USE_MSG};

/* ---- what must hold ---- */

static void
on_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	char text[160];

	(void)context;
	FUZZ_CHECK(nhn_link_event_text(link, event, text, sizeof(text)) == text);
	FUZZ_CHECK(text[0] != '\0' && strlen(text) < sizeof(text));
	/* However the peer behaves it fills no log. */
	side.told++;
	FUZZ_CHECK(side.told <=
		   NHN_LINK_EVENTS_MAX + 1 + (side.latest_ns - side.begun_ns) / NHN_LINK_EVENTS_NS);
}

static uint64_t
channel_bytes(uint32_t channel)
{
	const struct nhn_channel_entry *entry = &side.link.layout.entry[channel];

	return (uint64_t)entry->cells * entry->cell_bytes + entry->data_bytes;
}

/* Where a channel begins, counted from the format's words alone. */
static uint64_t
channel_offset(uint32_t channel)
{
	uint64_t offset = 8192;
	uint32_t i;

	for (i = 0; i < channel; i++)
		offset += (channel_bytes(i) + 4095) / 4096 * 4096;
	return offset;
}

static bool
within_channel(uint32_t channel, const void *area, const void *place, uint64_t length)
{
	const uint8_t *begin = (const uint8_t *)area + channel_offset(channel);
	const uint8_t *end = begin + channel_bytes(channel);
	const uint8_t *byte = place;

	return byte >= begin && byte <= end && length <= (uint64_t)(end - byte);
}

static void
check_channel(uint32_t channel)
{
	const struct nhn_tx *tx = nhn_link_tx(&side.link, channel);
	const struct nhn_rx *rx = nhn_link_rx(&side.link, channel);

	FUZZ_CHECK(channel_offset(channel) + channel_bytes(channel) <= side.bytes);
	FUZZ_CHECK(tx->limit - tx->tail <= tx->cell_count);
	FUZZ_CHECK(tx->data_limit - tx->data_tail <= tx->data_bytes);
	FUZZ_CHECK(rx->data_head - rx->data_released <= rx->data_bytes);
}

static void
check_side(void)
{
	const struct nhn_link *link = &side.link;
	uint32_t i;

	FUZZ_CHECK(nhn_link_state_text(nhn_link_state(link))[0] != '\0');
	if (!link->started)
		return;
	FUZZ_CHECK(link->session != 0 && link->session % 2 == 0);
	FUZZ_CHECK(link->layout.channels >= 1 && link->layout.channels <= NHN_CHANNELS_MAX);
	/* The host's layout is its own choice, a guest's is as its program wants it. */
	if (side.config.layout.channels != 0)
		FUZZ_CHECK(link->layout.channels == side.config.layout.channels);
	for (i = 0; i < link->layout.channels; i++) {
		if (side.config.role == NHN_ROLE_HOST)
			FUZZ_CHECK(memcmp(&link->layout.entry[i], &side.layout.entry[i],
					  sizeof(link->layout.entry[i])) == 0);
		FUZZ_CHECK(link->layout.entry[i].use == side.config.use);
		check_channel(i);
	}
}

/* ---- the peer ---- */

/* The peer stores: the only way to its area here. */
static void
peer_store(size_t offset, const void *bytes, size_t count)
{
	if (offset >= side.bytes)
		return;
	if (count > side.bytes - offset)
		count = side.bytes - offset;
	memcpy((uint8_t *)side.peer + offset, bytes, count);
	memcpy(side.peer_as_written + offset, bytes, count);
}

static void
peer_store_word(size_t offset, uint32_t value)
{
	peer_store(offset, &value, sizeof(value));
}

/* Any part of the area, up to the whole control block. */
static void
step_block(struct fuzz_input *input)
{
	static uint8_t block[NHN_CONTROL_BYTES];
	size_t offset = fuzz_u16(input);
	size_t count = fuzz_u16(input) % (NHN_CONTROL_BYTES + 1);

	if (count > input->left)
		count = input->left;
	fuzz_take(input, block, count);
	peer_store(offset, block, count);
}

/* Make the header as it stands one that is looked into. */
static void
step_seal(struct fuzz_input *input)
{
	uint8_t what = fuzz_u8(input);
	struct nhn_header header = side.peer->header;

	header.magic = NHN_MAGIC;
	header.version_major = NHN_VERSION_MAJOR;
	header.role = side.config.role == NHN_ROLE_HOST ? NHN_ROLE_GUEST : NHN_ROLE_HOST;
	if (what & 1)
		header.area_bytes = side.bytes;
	if (what & 2) {
		header.beat_period_us = 1000 + what;
		header.beat_misses = 3;
	}
	if (what & 4)
		header.channels = 1 + (what >> 4 & 3);
	header.crc = nhn_header_crc(&header);
	peer_store(offsetof(struct nhn_control, header), &header, sizeof(header));
}

/* A right table: the side's own, or one of few shapes. */
static void
step_table(struct fuzz_input *input)
{
	uint8_t shape = fuzz_u8(input);
	struct nhn_header header = side.peer->header;
	struct nhn_layout layout = side.link.started ? side.link.layout : side.layout;

	if (shape & 1)
		nhn_layout_uniform(&layout, 1 + (shape >> 1 & 3), uses[(shape >> 3) % 3],
				   16u << (shape >> 5 & 1), 4096u << (shape >> 6 & 1));
	header.channels = (uint16_t)layout.channels;
	memcpy(header.table, layout.entry, sizeof(header.table));
	peer_store(offsetof(struct nhn_control, header), &header, sizeof(header));
}

/* What a peer that keeps the rules would store now: a word of the handshake, that it lives,
 * and that it has read all that was sent. */
static void
step_honest(void)
{
	const struct nhn_link *link = &side.link;
	uint32_t session = side.peer->session;
	uint32_t i;

	if (session == 0 || session % 2 != 0)
		peer_store_word(offsetof(struct nhn_control, session), (session | 1) + 1);
	else if ((side.peer->seen & ~1u) != link->session)
		peer_store_word(offsetof(struct nhn_control, seen), link->session);
	else if (side.peer->open != link->session)
		peer_store_word(offsetof(struct nhn_control, open), link->session);
	else if (link->own->open == session)
		peer_store_word(offsetof(struct nhn_control, seen), link->session | 1);
	peer_store_word(offsetof(struct nhn_control, beat), side.peer->beat + 1);
	for (i = 0; link->tx_state == NHN_TX_UP && i < link->layout.channels; i++) {
		size_t cursor = offsetof(struct nhn_control, cursor) + i * 64;

		peer_store_word(cursor, link->tx[i].tail);
		peer_store_word(cursor + 4, link->tx[i].data_tail);
	}
}

/* A word of the handshake or of a cursor, near a value that means something. */
static void
step_word(struct fuzz_input *input)
{
	static const size_t words[] = {
		offsetof(struct nhn_control, session), offsetof(struct nhn_control, seen),
		offsetof(struct nhn_control, open), offsetof(struct nhn_control, beat)};
	uint8_t what = fuzz_u8(input);
	uint32_t by = fuzz_near(input);
	uint32_t channel = what >> 3 & 3;
	size_t cursor = offsetof(struct nhn_control, cursor) + channel * sizeof(struct nhn_cursor);
	const struct nhn_tx *tx = nhn_link_tx(&side.link, channel);

	switch (what & 7) {
	case 4:
		peer_store_word(cursor, tx->tail + by);
		break;
	case 5:
		peer_store_word(cursor + 4, tx->data_tail + by * 64);
		break;
	case 6:
		peer_store_word(cursor + (by & 4), fuzz_u32(input));
		break;
	case 7:
		peer_store_word((size_t)fuzz_u16(input) * 4, fuzz_u32(input));
		break;
	default:
		peer_store_word(words[what & 3],
				(what & 128 ? side.peer->session : side.link.session) + by);
	}
}

/* A cell near the reader's place, of the right lap and pairing. */
static void
step_cell(struct fuzz_input *input)
{
	uint8_t what = fuzz_u8(input);
	uint32_t channel = what & 3;
	const struct nhn_rx *rx = nhn_link_rx(&side.link, channel);
	const struct nhn_channel_entry *entry = &side.link.layout.entry[channel];
	uint32_t index = rx->head + (what >> 5) - (what >> 1 & 8);
	uint32_t kind = what & 4 ? NHN_KIND_DESC : NHN_KIND_RAW;
	uint32_t low = kind << 8 | fuzz_u8(input);
	struct nhn_descriptor descriptor;
	uint32_t upper;
	size_t cell;

	if (channel >= side.link.layout.channels)
		return;
	cell = channel_offset(channel) + (size_t)(index % entry->cells) * entry->cell_bytes;
	upper = 0x8000u | ((side.link.session / 2 + side.link.rx_peer / 2) & 127u) << 8 |
		(index / entry->cells & 255u);
	if (what & 4) {
		uint8_t lines = fuzz_u8(input);

		descriptor.position = rx->data_head + (lines < 128 ? 0 : lines * 64u);
		descriptor.length = fuzz_u16(input) % LENGTHS;
		peer_store(cell, &descriptor, sizeof(descriptor));
	}
	if (what & 8)
		low ^= fuzz_u32(input);
	peer_store_word(cell + entry->cell_bytes - 4, upper << 16 ^ low);
}

/* ---- the side ---- */

static void
side_init(void)
{
	struct nhn_refusal refusal;
	int ret;

	side.told = 0;
	side.begun_ns = side.now_ns;
	side.latest_ns = side.now_ns;
	ret = nhn_link_init(&side.link, &side.config, &refusal);
	FUZZ_CHECK(ret == 0 || (ret == -EPROTO && refusal.cause != NHN_REFUSAL_NONE));
}

static void
step_control(struct fuzz_input *input)
{
	static const int64_t by_ns[] = {1000000, 0, 20000000, 400000000, 2000000000, -1000000};

	side.now_ns += (uint64_t)by_ns[fuzz_u8(input) % 6];
	if (side.now_ns > side.latest_ns)
		side.latest_ns = side.now_ns;
	nhn_link_control(&side.link, side.now_ns);
}

/* A program may poll any channel at any time. */
static void
step_peek(struct fuzz_input *input)
{
	uint8_t what = fuzz_u8(input);
	uint32_t channel = what >> 4 & 3;
	uint32_t count = what & 15;
	struct nhn_view views[15];
	uint32_t sum = 0;
	uint32_t k;
	int i, n;

	n = nhn_rx_peek(nhn_link_rx(&side.link, channel), views, count);
	FUZZ_CHECK(n <= (int)count && (n >= 0 || n == -ESTALE));
	for (i = 0; i < n; i++) {
		const uint8_t *data = nhn_foreign_lend(views[i].data);

		FUZZ_CHECK(channel < side.link.layout.channels);
		FUZZ_CHECK(within_channel(channel, side.peer, data, views[i].length));
		for (k = 0; k < views[i].length; k++)
			sum += data[k];
	}
	__asm__ volatile("" : : "r"(sum));
}

static void
step_release(struct fuzz_input *input)
{
	struct nhn_rx *rx = nhn_link_rx(&side.link, fuzz_u8(input) & 3);
	int ret = nhn_rx_release(rx);

	FUZZ_CHECK((ret == 0 || ret == -ESTALE) && !nhn_rx_holds(rx));
}

static void
send(uint32_t channel, uint32_t reserve, uint32_t commit)
{
	struct nhn_tx *tx = nhn_link_tx(&side.link, channel);
	uint8_t *body = nhn_tx_reserve(tx, reserve);

	if (body == NULL)
		return;
	FUZZ_CHECK(channel < side.link.layout.channels && tx->up);
	FUZZ_CHECK(within_channel(channel, side.config.own_area, body, reserve));
	memset(body, 0xa5, reserve);
	nhn_tx_commit(tx, body, commit);
}

static void
step_send(struct fuzz_input *input)
{
	static const uint8_t bytes[LENGTHS];
	uint8_t what = fuzz_u8(input);
	uint32_t length = what & 4 ? fuzz_u16(input) % LENGTHS : fuzz_u8(input) & 63;
	const struct nhn_slice twice[2] = {{bytes, length}, {bytes, length / 2}};
	uint32_t i;

	for (i = 0; i <= what >> 5; i++)
		send(what & 3, length, what & 8 ? length / 2 : length);
	if (what & 16)
		FUZZ_CHECK(nhn_tx_burst(nhn_link_tx(&side.link, what & 3), twice, 2) <= 2);
}

/* In a joint device the peer reaches this side's area as well. */
static void
step_intrude(struct fuzz_input *input)
{
	uint32_t place = fuzz_u16(input) % (uint32_t)(side.bytes / 4);

	((uint32_t *)side.config.own_area)[place] = fuzz_u32(input);
}

static void
step_restart(struct fuzz_input *input)
{
	if (fuzz_u8(input) & 1) /* else killed */
		nhn_link_finish(&side.link);
	side_init();
}

/* ---- the input ---- */

static void (*const steps[])(struct fuzz_input *input) = {
	step_control, step_peek, step_release, step_send, step_word,	step_cell,
	step_block,   step_seal, step_table,   NULL,	  step_restart, step_intrude,
};

static void
side_open(struct fuzz_input *input)
{
	uint8_t shape = fuzz_u8(input);
	uint8_t layout = fuzz_u8(input);
	uint32_t channels = layout & 1 ? 3 : 1;
	enum nhn_use use = uses[(layout >> 1) % 3];

	memset(&side, 0, sizeof(side));
	side.now_ns = BEGIN_NS;
	side.bytes = NHN_CONTROL_BYTES + (size_t)channels * CHANNEL_BYTES;
	side.config.role = shape & 1 ? NHN_ROLE_GUEST : NHN_ROLE_HOST;
	side.config.own_area = fuzz_memory(side.bytes);
	side.peer = fuzz_memory(side.bytes);
	side.peer_as_written = fuzz_memory(side.bytes);
	side.config.peer_area = side.peer;
	side.config.own_bytes = side.bytes;
	side.config.peer_bytes = side.bytes;
	side.config.use = use;
	side.config.random = 0xfffffff0u + (shape >> 4);
	side.config.event = on_event;
	nhn_layout_uniform(&side.layout, channels, use, 16u << (layout >> 6 & 1),
			   layout & 128 && use != NHN_USE_ETHERNET ? 0 : 4096);
	if (!(shape & 1) || (shape & 2)) /* else a guest that follows any number of channels */
		side.config.layout = side.layout;
	side_init();
}

/* A peer that keeps all rules, until the link is up: rings are fuzzed from there on. */
static void
side_up(void)
{
	static const uint8_t own_table = 0;
	static const uint8_t all_right = 3;
	struct fuzz_input table = {&own_table, 1};
	struct fuzz_input seal = {&all_right, 1};
	uint32_t turn;

	step_table(&table);
	step_seal(&seal);
	for (turn = 0; turn < 8; turn++) {
		step_honest();
		side.now_ns += 1000000;
		nhn_link_control(&side.link, side.now_ns);
	}
	FUZZ_CHECK(nhn_link_state(&side.link) == NHN_LINK_UP);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct fuzz_input input = {bytes, count};
	uint32_t step;

	side_open(&input);
	if (fuzz_u8(&input) & 1)
		side_up();
	for (step = 0; step < STEPS_MAX && input.left != 0; step++) {
		uint8_t what = fuzz_u8(&input) % (sizeof(steps) / sizeof(steps[0]));

		if (steps[what] != NULL)
			steps[what](&input);
		else
			step_honest();
		check_side();
	}
	FUZZ_CHECK(memcmp(side.peer, side.peer_as_written, side.bytes) == 0);
	nhn_link_finish(&side.link);
	free(side.config.own_area);
	free(side.peer);
	free(side.peer_as_written);
	return 0;
}
