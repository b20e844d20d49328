/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of a hostile peer: as an honest one would go on, and spoiled. Even channels carry
 * a program's messages, of the others every second one is its victim's client. */

#include "hostile.h"

/* What a reply answers: the id of the last cell that the victim sent. */
static uint32_t
id_asked(const struct hostile *h, uint32_t channel)
{
	const struct nhn_tx *tx = &h->link->tx[channel];
	struct nhn_message_head head;

	if (tx->cells == NULL)
		return 0;
	memcpy(&head, nhn_tx_cell(tx, tx->tail - 1) + tx->inline_bytes, sizeof(head));
	return head.id;
}

static struct nhn_message_head
head_new(struct hostile *h, uint32_t channel)
{
	struct nhn_message_head head = {.type = (uint16_t)hostile_below(h, 4)};

	head.id = channel == 1 ? id_asked(h, channel) : hostile_below(h, 8);
	if (channel == 1)
		head.flags = NHN_MESSAGE_REPLY;
	else
		head.flags = channel == 2 ? NHN_MESSAGE_REQUEST : (uint16_t)hostile_below(h, 8);
	if (hostile_chance(h, 16))
		head.flags |= NHN_MESSAGE_REFUSED;
	return head;
}

/* A few bytes, or more than a cell, a piece, a buffer, or than any. */
static uint32_t
length_any(struct hostile *h, uint32_t least)
{
	static const uint32_t limits[] = {48, 48, 200, 2000, 5000, 100000};

	if (hostile_chance(h, 64))
		return UINT32_MAX - hostile_below(h, 2);
	return least + hostile_below(h, limits[hostile_below(h, 6)]);
}

static uint32_t
pack_put(struct hostile *h, uint8_t *cell, uint32_t inline_bytes)
{
	uint32_t room = nhn_msg_pack_bytes(inline_bytes);
	struct nhn_pack_head pack = {.type = 1};

	pack.message_bytes = (uint8_t)(1 + hostile_below(h, room));
	pack.messages = (uint8_t)(room / pack.message_bytes);
	memcpy(cell + room, &pack, sizeof(pack));
	return NHN_KIND_PACK << NHN_COMMIT_KIND_SHIFT |
	       (uint32_t)pack.message_bytes * pack.messages;
}

uint32_t
hostile_message(struct hostile *h, uint32_t channel, uint8_t *cell, uint32_t length)
{
	const struct nhn_msg_rx *reader = &h->messages[channel];
	uint32_t inline_bytes = h->link->rx[channel].inline_bytes & 127;
	struct nhn_message_head head = reader->head;
	uint32_t left = head.length - reader->peeked;
	bool ranged = length != 0;

	if (!reader->begun && !ranged && hostile_chance(h, 16))
		return pack_put(h, cell, inline_bytes);
	if (!reader->begun) {
		head = head_new(h, channel);
		head.length = length_any(h, length);
		left = head.length;
	}
	if (length > left || length == 0) { /* a range that is longer is none */
		ranged = false;
		length = left < inline_bytes ? left : inline_bytes;
	}
	if (reader->begun && hostile_chance(h, 32)) {
		head.flags |= NHN_MESSAGE_ABORTED;
		ranged = false;
		length = 0;
	}
	memcpy(cell + inline_bytes, &head, sizeof(head));
	return ranged ? NHN_KIND_DESC << NHN_COMMIT_KIND_SHIFT
		      : NHN_KIND_MSG << NHN_COMMIT_KIND_SHIFT | length;
}

/* ---- spoiled ---- */

static void
head_spoil(struct hostile *h, struct nhn_message_head *head, uint32_t peeked)
{
	const uint32_t lengths[] = {0,		1,	    peeked,	      peeked + 1,
				    peeked - 1, UINT32_MAX, head->length + 1, head->length - 1};

	switch (hostile_below(h, 5)) {
	case 0:
		head->id += hostile_below(h, 2) ? 1 : 4;
		break;
	case 1:
		head->length = lengths[hostile_below(h, 8)];
		break;
	case 2:
		head->type++;
		break;
	case 3:
		head->flags ^= NHN_MESSAGE_ABORTED;
		break;
	default:
		head->flags ^= (uint16_t)(1u << hostile_below(h, 16));
	}
}

void
hostile_message_spoil(struct hostile *h)
{
	static const uint32_t kinds[] = {NHN_KIND_MSG,	NHN_KIND_MSG,  NHN_KIND_MSG,
					 NHN_KIND_PACK, NHN_KIND_DESC, NHN_KIND_RAW};
	uint32_t channel = hostile_channel(h);
	uint32_t index = hostile_index(h, channel);
	uint32_t inline_bytes = h->link->rx[channel].inline_bytes & 124;
	uint64_t offset = hostile_cell_offset(h, channel, index);
	uint8_t cell[128 + sizeof(struct nhn_message_head)];
	uint32_t low = 0;
	uint32_t words[3];
	uint32_t i;

	if (h->messages == NULL)
		return;
	memset(cell, 0, sizeof(cell));
	low = hostile_message(h, channel, cell, 0);
	head_spoil(h, (struct nhn_message_head *)(void *)(cell + inline_bytes),
		   h->messages[channel].peeked);
	if (hostile_chance(h, 4))
		low = kinds[hostile_below(h, 6)] << NHN_COMMIT_KIND_SHIFT | hostile_below(h, 64);
	memcpy(words, cell + inline_bytes, sizeof(words));
	for (i = 0; i < 3; i++)
		hostile_put(h, offset + inline_bytes + 4 * i, words[i]);
	hostile_put(h,
		    hostile_cell_offset(h, channel, index) + h->link->rx[channel].cell_bytes -
			    NHN_COMMIT_BYTES,
		    hostile_commit(h, channel, index, low >> NHN_COMMIT_KIND_SHIFT, low & 255));
}
