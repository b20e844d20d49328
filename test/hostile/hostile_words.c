/* SPDX-License-Identifier: BSD-3-Clause */
/* Which word is rewritten, and to what. */

#include "hostile.h"

#define HEADER offsetof(struct nhn_control, header)
#define TABLE (HEADER + offsetof(struct nhn_header, table))

/* Numbers that some check of the format compares with, and their neighbours. */
static const uint32_t limits[] = {
	0,
	1,
	2,
	3,
	4,
	15,
	16,
	17,
	63,
	64,
	65,
	128,
	255,
	4095,
	4096,
	4097,
	65535,
	65536,
	NHN_VERSION_MAJOR,
	NHN_CELLS_MAX,
	NHN_CELLS_MAX + 1,
	NHN_CELLS_MAX * 2,
	NHN_DATA_BYTES_MAX,
	NHN_DATA_BYTES_MAX * 2,
	60000000,
	60000001,
	INT32_MAX,
	1u << 31,
	UINT32_MAX - 63,
	UINT32_MAX,
	NHN_MAGIC,
	NHN_MAGIC_FORMATTING,
	NHN_USE_RAW | 64u << 16,
	NHN_USE_MSG | 64u << 16,
	NHN_USE_RAW | 128u << 16,
	NHN_USE_ETHERNET | 64u << 16,
	NHN_USE_ETHERNET | 128u << 16,
};

static uint32_t
odd_value(struct hostile *h, uint32_t old)
{
	switch (hostile_below(h, 8)) {
	case 0:
		return old + 1;
	case 1:
		return old - 1;
	case 2:
		return old ^ 1u << hostile_below(h, 32);
	case 3:
		return old + 64 * (hostile_below(h, 64) - 32);
	case 4:
		return 0 - old;
	case 5:
		return (uint32_t)pattern_random(&h->random);
	default:
		return limits[hostile_below(h, sizeof(limits) / sizeof(limits[0]))];
	}
}

static uint32_t *
word_at(const struct hostile *h, uint8_t *area, uint64_t offset)
{
	/* A racing thread may have read an offset in the making. */
	return (uint32_t *)(void *)(area + offset % h->bytes / 4 * 4);
}

static void
put_word(struct hostile *h, uint32_t *word, uint32_t value)
{
	uint32_t last = h->old_next++ % (sizeof(h->old) / sizeof(h->old[0]));

	h->old[last].word = (uint8_t *)word;
	h->old[last].value = nhn_load_relaxed(word);
	nhn_store_relaxed(word, value);
	h->words++;
}

static void
put(struct hostile *h, uint8_t *area, uint64_t offset, uint32_t value)
{
	put_word(h, word_at(h, area, offset), value);
}

void
hostile_put(struct hostile *h, uint64_t offset, uint32_t value)
{
	put(h, h->peer, offset, value);
}

static void
put_odd(struct hostile *h, uint8_t *area, uint64_t offset)
{
	uint32_t *word = word_at(h, area, offset);

	put_word(h, word, odd_value(h, nhn_load_relaxed(word)));
}

/* ---- the control block ---- */

static void
aim_live(struct hostile *h)
{
	static const size_t words[] = {
		offsetof(struct nhn_control, session), offsetof(struct nhn_control, session),
		offsetof(struct nhn_control, seen),    offsetof(struct nhn_control, seen),
		offsetof(struct nhn_control, open),    offsetof(struct nhn_control, discarded),
		offsetof(struct nhn_control, beat),    offsetof(struct nhn_control, probe),
	};
	const struct nhn_link *link = h->link;
	const uint32_t known[] = {
		link->session,	   link->session | 1,	  link->session - 2,	link->rx_peer,
		link->tx_peer,	   link->rx_peer + 1,	  link->rx_peer + 2,	link->rx_peer - 2,
		link->tx_peer | 1, link->refused_session, link->broken_session,
	};
	size_t offset = words[hostile_below(h, sizeof(words) / sizeof(words[0]))];

	if (hostile_chance(h, 3))
		put_odd(h, h->peer, offset);
	else
		put(h, h->peer, offset, known[hostile_below(h, sizeof(known) / sizeof(known[0]))]);
}

/* A number that is right by itself, for a bound that more than one field makes. */
static void
spoil_row(struct hostile *h, struct nhn_header *header)
{
	struct nhn_channel_entry *row = &header->table[hostile_below(h, 2)];

	switch (hostile_below(h, 6)) {
	case 0:
		row->cells = NHN_CELLS_MIN << hostile_below(h, 17);
		break;
	case 1:
		row->data_bytes = NHN_DATA_BYTES_MIN << hostile_below(h, 19);
		break;
	case 2:
		row->cell_bytes = (uint16_t)(32 << hostile_below(h, 4));
		break;
	default:
		header->mtu = hostile_below(h, 10000);
	}
}

static void
spoil_word(struct hostile *h, struct nhn_header *header)
{
	size_t offset =
		hostile_below(h, 2) ? 8 + 4 * hostile_below(h, 14) : 64 + 4 * hostile_below(h, 16);
	uint8_t *field = (uint8_t *)header + offset;
	uint32_t value;

	memcpy(&value, field, sizeof(value));
	value = odd_value(h, value);
	memcpy(field, &value, sizeof(value));
}

/* One or two fields of a header that is right but for them. */
static void
aim_header(struct hostile *h)
{
	struct nhn_header header;
	uint32_t fields = 1 + hostile_below(h, 2);
	uint32_t session = nhn_load_relaxed((uint32_t *)(void *)h->peer);

	hostile_header(h, &header);
	while (fields-- > 0) {
		if (hostile_chance(h, 3))
			spoil_row(h, &header);
		else
			spoil_word(h, &header);
		h->words++;
	}
	header.crc = nhn_header_crc(&header);
	if (hostile_chance(h, 8))
		header.crc = odd_value(h, header.crc);
	if (hostile_chance(h, 16))
		header.magic = odd_value(h, header.magic);
	hostile_header_put(h, &header);
	if (!hostile_chance(h, 4)) /* shall be looked at */
		put(h, h->peer, offsetof(struct nhn_control, session), (session | 1) + 1);
}

/* ---- channels ---- */

uint32_t
hostile_channel(struct hostile *h)
{
	uint32_t channels = nhn_load_relaxed(&h->link->layout.channels);

	return channels > 1 ? hostile_below(h, channels) % NHN_CHANNELS_MAX : 0;
}

static void
aim_cursor(struct hostile *h)
{
	uint32_t channel = hostile_channel(h);
	const struct nhn_tx *tx = &h->link->tx[channel];
	uint32_t first = tx->limit - tx->cell_count;
	uint32_t data_first = tx->data_limit - tx->data_bytes;
	const uint32_t cells[] = {tx->tail,  tx->tail + 1,  tx->tail - 1,
				  first,     first - 1,	    first + 1,
				  tx->limit, tx->limit + 1, first + (1u << 31)};
	const uint32_t data[] = {tx->data_tail,	    tx->data_tail + 64, tx->data_tail - 64,
				 tx->data_tail + 1, data_first,		data_first - 64,
				 data_first + 32,   tx->data_limit,	tx->data_limit + 64};
	size_t offset = offsetof(struct nhn_control, cursor) + channel * sizeof(struct nhn_cursor);

	if (hostile_chance(h, 3))
		put_odd(h, h->peer, offset + 4 * hostile_below(h, 2));
	else if (hostile_below(h, 2))
		put(h, h->peer, offset, cells[hostile_below(h, sizeof(cells) / sizeof(cells[0]))]);
	else
		put(h, h->peer, offset + offsetof(struct nhn_cursor, data),
		    data[hostile_below(h, sizeof(data) / sizeof(data[0]))]);
}

uint64_t
hostile_cell_offset(const struct hostile *h, uint32_t channel, uint32_t index)
{
	const struct nhn_rx *rx = &h->link->rx[channel];

	return nhn_layout_offset(&h->link->layout, channel) +
	       (uint64_t)(index & (rx->cell_count - 1)) * rx->cell_bytes;
}

static uint64_t
commit_offset(const struct hostile *h, uint32_t channel, uint32_t index)
{
	return hostile_cell_offset(h, channel, index) + h->link->rx[channel].cell_bytes -
	       NHN_COMMIT_BYTES;
}

uint32_t
hostile_index(struct hostile *h, uint32_t channel)
{
	const struct nhn_rx *rx = &h->link->rx[channel];
	uint32_t head = nhn_load_relaxed(&rx->head);
	uint32_t held = head - nhn_load_relaxed(&rx->released);

	if (held != 0 && hostile_chance(h, 3))
		return head - 1 - hostile_below(h, held);
	return head + hostile_below(h, 4);
}

uint32_t
hostile_commit(const struct hostile *h, uint32_t channel, uint32_t index, uint32_t kind,
	       uint32_t length)
{
	const struct nhn_rx *rx = &h->link->rx[channel];
	uint32_t lap = index >> (rx->lap_shift & 31) & NHN_COMMIT_LAP_MASK;

	return (rx->tag | lap) << NHN_COMMIT_LAP_SHIFT | kind << NHN_COMMIT_KIND_SHIFT | length;
}

static void
aim_commit(struct hostile *h)
{
	static const uint8_t kinds[] = {NHN_KIND_RAW,  NHN_KIND_RAW, NHN_KIND_RAW,  NHN_KIND_RAW,
					NHN_KIND_DESC, NHN_KIND_MSG, NHN_KIND_PACK, 0};
	uint32_t channel = hostile_channel(h);
	const struct nhn_rx *rx = &h->link->rx[channel];
	const uint32_t lengths[] = {0, 1, rx->inline_bytes, rx->inline_bytes + 1u, 255};
	uint32_t kind = hostile_chance(h, 16) ? hostile_below(h, 256)
					      : kinds[hostile_below(h, sizeof(kinds))];
	uint32_t length = hostile_below(h, 4) ? hostile_below(h, rx->inline_bytes + 1u)
					      : lengths[hostile_below(h, 5)];
	uint32_t index = hostile_index(h, channel);
	uint32_t word = hostile_commit(h, channel, index, kind, length);

	if (hostile_chance(h, 8))
		word ^= 1u << hostile_below(h, 32);
	put(h, h->peer, commit_offset(h, channel, index), word);
}

static void
aim_descriptor(struct hostile *h)
{
	uint32_t channel = hostile_channel(h);
	const struct nhn_rx *rx = &h->link->rx[channel];
	uint32_t bytes = rx->data_bytes;
	uint32_t next = rx->data_head;
	uint32_t left = bytes - (next & (bytes - 1)); /* up to the ring's end */
	const uint32_t positions[] = {next,
				      next,
				      next,
				      next + 64,
				      next - 64,
				      next + 1,
				      next + left,
				      next + left - 64,
				      next + bytes,
				      next - bytes,
				      next + bytes / 2};
	const uint32_t lengths[] = {
		0,     1,    63,       64,	  65,	      bytes / 2,      bytes / 2 + 1,
		bytes, left, left + 1, 0u - next, UINT32_MAX, UINT32_MAX - 62};
	uint32_t index = hostile_index(h, channel);
	uint64_t cell = hostile_cell_offset(h, channel, index);

	put(h, h->peer, cell, positions[hostile_below(h, sizeof(positions) / 4)]);
	put(h, h->peer, cell + 4,
	    hostile_below(h, 3) ? hostile_below(h, bytes / 2 + 1)
				: lengths[hostile_below(h, sizeof(lengths) / 4)]);
	if (hostile_chance(h, 16))
		put_odd(h, h->peer, cell + 4 * hostile_below(h, 2));
	put(h, h->peer, commit_offset(h, channel, index),
	    hostile_commit(h, channel, index, NHN_KIND_DESC, hostile_below(h, 2) ? 0 : 255));
}

/* ---- anything ---- */

static void
put_byte(struct hostile *h, uint8_t *area, uint64_t offset)
{
	uint32_t *word = word_at(h, area, offset);
	uint32_t shift = 8 * hostile_below(h, 4);
	uint32_t value = nhn_load_relaxed(word) & ~(255u << shift);

	put_word(h, word, value | hostile_below(h, 256) << shift);
}

static void
aim_byte(struct hostile *h)
{
	put_byte(h, h->peer, hostile_below(h, (uint32_t)h->bytes));
}

static void
aim_replay(struct hostile *h)
{
	uint32_t which = hostile_below(h, sizeof(h->old) / sizeof(h->old[0]));

	if (h->old[which].word != NULL)
		put_word(h, (uint32_t *)(void *)h->old[which].word, h->old[which].value);
}

/* A peer that can write the victim's area: what the victim stored, or will take over. */
static void
aim_own(struct hostile *h)
{
	uint32_t channel = hostile_channel(h);
	const struct nhn_tx *tx = &h->link->tx[channel];
	uint32_t cell =
		(nhn_load_relaxed(&tx->tail) - 2 + hostile_below(h, 4)) & (tx->cell_count - 1);

	if (h->own == NULL)
		return;
	switch (hostile_below(h, 8)) {
	case 0: /* the own session and beat end the victim's life: rarely */
		if (hostile_chance(h, 32))
			put_odd(h, h->own, 64 * hostile_below(h, 2));
		break;
	case 1: /* seen, open, discarded */
		put_odd(h, h->own, 4 + 4 * hostile_below(h, 3));
		break;
	case 2:
		put_odd(h, h->own, HEADER + 4 * hostile_below(h, 32));
		break;
	case 3:
		put_odd(h, h->own, offsetof(struct nhn_control, laid) + 4 * hostile_below(h, 16));
		break;
	case 4:
		put_odd(h, h->own,
			offsetof(struct nhn_control, cursor) + channel * 64 +
				4 * hostile_below(h, 2));
		break;
	case 5:
		put_odd(h, h->own,
			nhn_layout_offset(&h->link->layout, channel) +
				((uint64_t)cell + 1) * tx->cell_bytes - 4);
		break;
	default:
		put_byte(h, h->own, 256 + hostile_below(h, (uint32_t)h->bytes - 256));
	}
}

void
hostile_rewrite(struct hostile *h)
{
	static void (*const aims[AIMS])(struct hostile * h) = {
		[AIM_HONEST] = hostile_honest, [AIM_LIVE] = aim_live,
		[AIM_HEADER] = aim_header,     [AIM_CURSOR] = aim_cursor,
		[AIM_COMMIT] = aim_commit,     [AIM_DESCRIPTOR] = aim_descriptor,
		[AIM_BYTE] = aim_byte,	       [AIM_REPLAY] = aim_replay,
		[AIM_OWN] = aim_own,	       [AIM_MESSAGE] = hostile_message_spoil,
	};
	const uint8_t *weight = h->profile->weight;
	uint32_t sum = 0;
	uint32_t aim, draw;

	for (aim = 0; aim < AIMS; aim++)
		sum += weight[aim];
	draw = hostile_below(h, sum);
	for (aim = 0; draw >= weight[aim]; aim++)
		draw -= weight[aim];
	aims[aim](h);
}
