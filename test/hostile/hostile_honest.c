/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an honest peer would write next, given the victim's private state. It
 * remembers nothing, so it goes on from whatever the hostile side has left.
 */

#include "hostile.h"

static struct nhn_control *
control_of(const struct hostile *h)
{
	return (struct nhn_control *)(void *)h->peer;
}

static void
put(struct hostile *h, uint32_t *word, uint32_t value)
{
	nhn_store_release(word, value);
	h->honest++;
}

void
hostile_header(const struct hostile *h, struct nhn_header *header)
{
	const struct nhn_layout *layout =
		h->role == NHN_ROLE_HOST ? &h->offers[h->offer] : &h->link->layout;

	memset(header, 0, sizeof(*header));
	header->magic = NHN_MAGIC;
	header->version_major = NHN_VERSION_MAJOR;
	header->version_minor = 7; /* is tolerated */
	header->role = h->role;
	header->area_bytes = h->bytes;
	header->beat_period_us = 1000;
	header->beat_misses = 100;
	header->mtu = h->mtu;
	header->channels = (uint16_t)layout->channels;
	memcpy(header->table, layout->entry, sizeof(header->table));
	header->crc = nhn_header_crc(header);
}

void
hostile_header_put(struct hostile *h, const struct nhn_header *header)
{
	nhn_store_words(&control_of(h)->header, header, sizeof(*header));
}

static bool
session_valid(uint32_t session)
{
	return session != 0 && session % 2 == 0;
}

/* Whether the victim will have nothing more to do with this session. */
static bool
life_over(const struct nhn_link *link, uint32_t session)
{
	if (!session_valid(session) || session == link->refused_session ||
	    session == link->broken_session)
		return true;
	return link->started && link->rx_state == NHN_RX_IDLE && session == link->rx_peer;
}

static void
begin_life(struct hostile *h, uint32_t session)
{
	const struct nhn_link *link = h->link;
	struct nhn_control *words = control_of(h);
	struct nhn_header header;

	put(h, &words->session, session | 1);
	if (h->offer_count > 1 && hostile_chance(h, 4))
		h->offer = hostile_below(h, h->offer_count);
	hostile_header(h, &header);
	hostile_header_put(h, &header);
	put(h, &words->seen, 0);
	put(h, &words->open, 0);
	do
		session = (session | 1) + 1;
	while (session == 0 || life_over(link, session) || session == link->rx_peer);
	put(h, &words->session, session);
}

/* The victim may take all that it sent for read, or some of it. */
static void
read_all(struct hostile *h, uint32_t channel)
{
	const struct nhn_tx *tx = &h->link->tx[channel];
	struct nhn_cursor *cursor = &control_of(h)->cursor[channel];

	if (h->no_reading)
		return;
	put(h, &cursor->data, tx->data_tail);
	put(h, &cursor->cells, tx->tail);
}

/* A descriptor of a range that fits. Returns whether there was room for it. */
static bool
describe(struct hostile *h, const struct nhn_rx *rx, uint32_t *cell)
{
	uint32_t bytes = rx->data_bytes;
	uint32_t length = bytes != 0 ? 1 + hostile_below(h, bytes / 2) : 0;
	uint32_t padded = (length + 63) & ~63u;
	uint32_t position = rx->data_head;
	uint32_t left = bytes - (position & (bytes - 1));

	if (padded > left)
		position += left;
	if (length == 0 || position + padded - rx->data_released > bytes ||
	    position - rx->data_head >= bytes / 2)
		return false;
	put(h, &cell[0], position);
	put(h, &cell[1], length);
	return true;
}

/* What is said in the low half of a commit word. */
static uint32_t
fill(struct hostile *h, const struct nhn_rx *rx, uint32_t *cell, bool inlined)
{
	bool ranged = !inlined && describe(h, rx, cell);
	uint32_t channel = (uint32_t)(rx - h->link->rx);

	if (h->messages != NULL)
		return hostile_message(h, channel, (uint8_t *)cell, ranged ? cell[1] : 0);
	return ranged ? NHN_KIND_DESC << NHN_COMMIT_KIND_SHIFT
		      : NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT |
				hostile_below(h, rx->inline_bytes + 1u);
}

static void
send_one(struct hostile *h, const struct nhn_rx *rx, uint8_t *cells, uint32_t index, bool inlined)
{
	uint32_t bytes = rx->cell_bytes;
	uint64_t offset = (uint64_t)(index & (rx->cell_count - 1)) * bytes;
	uint32_t *cell = (uint32_t *)(void *)(cells + offset);
	uint32_t *commit = cell + bytes / 4 - 1;
	uint32_t lap = index >> (rx->lap_shift & 31) & NHN_COMMIT_LAP_MASK;
	uint32_t upper = (rx->tag | lap) << NHN_COMMIT_LAP_SHIFT;

	if (cells + offset + bytes > h->peer + h->bytes)
		return; /* a racing thread may have read it in the making */
	if (h->link->rx_state == NHN_RX_DRAINING)
		put(h, commit, 0); /* a dead writer commits nothing more */
	else
		put(h, commit, upper | fill(h, rx, cell, inlined));
}

/* A message where the victim looks next, or as many as the ring has room for. */
static void
send_some(struct hostile *h, uint32_t channel)
{
	const struct nhn_rx *rx = &h->link->rx[channel];
	uint8_t *cells = h->peer + nhn_layout_offset(&h->link->layout, channel) % h->bytes;
	uint32_t head = nhn_load_relaxed(&rx->head);
	uint32_t room = rx->cell_count - (head - nhn_load_relaxed(&rx->released));
	uint32_t i;

	send_one(h, rx, cells, head, hostile_chance(h, 2));
	if (h->messages != NULL && h->messages[channel].begun)
		return; /* what goes on is known of the next cell only */
	if (hostile_chance(h, 256) && room <= rx->cell_count)
		for (i = 1; i < room; i++)
			send_one(h, rx, cells, head + i, true);
}

void
hostile_honest(struct hostile *h)
{
	const struct nhn_link *link = h->link;
	struct nhn_control *words = control_of(h);
	uint32_t session = nhn_load_relaxed(&words->session);
	uint32_t channels = nhn_load_relaxed(&link->layout.channels);
	uint32_t channel = channels > 1 ? hostile_below(h, channels) % NHN_CHANNELS_MAX : 0;

	if (!h->no_beat)
		put(h, &words->beat, words->beat + 1);
	if (life_over(link, session)) {
		begin_life(h, session);
		return;
	}
	if (!link->started)
		return;
	put(h, &words->open, link->session);
	put(h, &words->seen,
	    link->tx_state == NHN_TX_WAIT_DRAIN ? link->session : link->session | 1);
	read_all(h, channel);
	if (link->rx[channel].tag != NHN_TAG_NONE)
		send_some(h, channel);
}
