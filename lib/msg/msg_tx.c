/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of messages: all but the short way of a message that fits a cell. */

#include <nhn_msg_run.h>

#include "msg_internal.h"

int
nhn_msg_tx_init(struct nhn_msg_tx *msg, struct nhn_link *link, uint32_t channel)
{
	memset(msg, 0, sizeof(*msg));
	if (!msg_channel_fits(link, channel))
		return -EINVAL;
	msg->tx = nhn_link_tx(link, channel);
	msg->link = link;
	msg->policy = &nhn_msg_policy_default;
	return 0;
}

int
nhn_msg_no_room(struct nhn_msg_tx *msg)
{
	if (msg->lossy) {
		msg->dropped++;
		return 0;
	}
	if (nhn_link_tx_pairing(msg->link) == 0)
		return -ENOTCONN;
	return msg->tx - msg->link->tx < (ptrdiff_t)msg->link->layout.channels ? -EAGAIN : -EINVAL;
}

static uint32_t
cells_used(const struct nhn_tx *tx)
{
	return tx->tail - (tx->limit - tx->cell_count);
}

static uint32_t
data_used(const struct nhn_tx *tx)
{
	return tx->data_tail - (tx->data_limit - tx->data_bytes);
}

/** Not below a quarter of the ring: readers tell by quarters what they gave back. */
static void
keep_highest(uint32_t *high, uint32_t used, uint32_t ring)
{
	if (*high < ring / 4)
		*high = ring / 4;
	if (*high < used)
		*high = used;
}

void
nhn_msg_raise_watermark(struct nhn_msg_tx *msg)
{
	struct nhn_tx *tx = msg->tx;

	if (!tx->up) /* closed: the limit says nothing */
		return;
	nhn_tx_update(tx);
	keep_highest(&msg->cells_high, cells_used(tx), tx->cell_count);
	keep_highest(&msg->data_high, data_used(tx), tx->data_bytes);
}

struct nhn_msg_watermark
nhn_msg_watermarks(struct nhn_msg_tx *msg)
{
	struct nhn_msg_watermark mark;

	nhn_msg_raise_watermark(msg);
	mark.cell_count = msg->tx->cell_count;
	mark.data_bytes = msg->tx->data_bytes;
	/* A restart may have laid smaller rings. */
	mark.cells = msg->cells_high < mark.cell_count ? msg->cells_high : mark.cell_count;
	mark.data = msg->data_high < mark.data_bytes ? msg->data_high : mark.data_bytes;
	msg->cells_high = 0;
	msg->data_high = 0;
	return mark;
}

/* ---- long messages ---- */

/** Bytes of the next fragment. What is left and fits a cell goes in the cell. */
static uint32_t
fragment_bytes(const struct nhn_msg_tx *msg, uint32_t left)
{
	const struct nhn_tx *tx = msg->tx;
	uint32_t most = tx->data_bytes / 4;

	if (most > msg->policy->fragment_bytes)
		most = msg->policy->fragment_bytes;
	if (most < tx->inline_bytes)
		most = tx->inline_bytes;
	return left < most ? left : most;
}

/** Of so many bytes to come, those that are fetched ahead. */
static uint32_t
fetch_bytes(const struct nhn_msg_tx *msg, uint32_t bytes)
{
	return bytes < msg->policy->fetch_bytes ? bytes : msg->policy->fetch_bytes;
}

bool
msg_fragment_begin(struct nhn_msg_tx *msg, uint32_t most)
{
	msg->fragment = fragment_bytes(msg, most);
	msg->filled = 0;
	msg->body = nhn_tx_reserve(msg->tx, msg->fragment);
	return msg->body != NULL;
}

void
msg_fragment_end(struct nhn_msg_tx *msg)
{
	if (msg->stream)
		nhn_fence_streamed();
	nhn_msg_publish(msg, &msg->head, msg->body, msg->fragment);
	if (msg->fragment > msg->tx->inline_bytes) {
		if (data_used(msg->tx) > msg->data_high)
			nhn_msg_raise_watermark(msg);
		if (!msg->stream)
			nhn_tx_fetch_data(msg->tx, fetch_bytes(msg, msg->fragment));
	}
	msg->sent += msg->fragment;
	msg->body = NULL;
}

int
msg_send_end(struct nhn_msg_tx *msg, int result)
{
	msg->relay = NULL;
	msg->sending = NHN_MSG_SENT;
	msg->body = NULL;
	msg->result = result;
	return result;
}

static int
send_lost(struct nhn_msg_tx *msg)
{
	msg->lost++;
	return msg_send_end(msg, -ECONNRESET);
}

/** Tell the reader that no more comes. */
static int
abort_step(struct nhn_msg_tx *msg)
{
	struct nhn_message_head head = msg->head;
	uint8_t *cell = nhn_tx_reserve(msg->tx, 0);

	if (cell == NULL)
		return -EAGAIN;
	head.flags |= NHN_MESSAGE_ABORTED;
	nhn_msg_publish(msg, &head, cell, 0);
	msg_send_end(msg, -ECANCELED);
	return 0;
}

int
nhn_msg_send_step(struct nhn_msg_tx *msg)
{
	uint32_t bytes;

	if (msg->sending == NHN_MSG_SENT)
		return 0;
	if (msg->pairing != nhn_link_tx_pairing(msg->link))
		return send_lost(msg);
	if (msg->sending == NHN_MSG_ABORTING)
		return abort_step(msg);
	if (msg->relay != NULL) /* nhn_msg_relay() goes on */
		return -EAGAIN;
	if (msg->body == NULL && !msg_fragment_begin(msg, msg->head.length - msg->sent))
		return -EAGAIN;
	bytes = msg->fragment - msg->filled;
	if (bytes > NHN_MSG_STEP_BYTES)
		bytes = NHN_MSG_STEP_BYTES;
	NHN_POINT("message/step");
	msg_gather(&msg->from, msg->body + msg->filled, bytes, msg->stream);
	msg->filled += bytes;
	if (msg->filled == msg->fragment)
		msg_fragment_end(msg);
	else if (!msg->stream)
		msg_fetch_lines(msg->body + msg->filled,
				fetch_bytes(msg, msg->fragment - msg->filled));
	return msg->sent == msg->head.length ? msg_send_end(msg, 0) : -EINPROGRESS;
}

bool
nhn_msg_settle(struct nhn_msg_tx *msg)
{
	/* One that was given up has first to be told of. */
	if (msg->sending == NHN_MSG_ABORTING)
		nhn_msg_send_step(msg);
	return !nhn_msg_busy(msg);
}

int
nhn_msg_sendv(struct nhn_msg_tx *msg, const struct nhn_message_head *head,
	      const struct iovec *vector, uint32_t vectors)
{
	if (msg_vector_bytes(vector, vectors) != head->length ||
	    (head->flags & ~NHN_MESSAGE_FLAGS) != 0)
		return -EINVAL;
	if (!nhn_msg_settle(msg))
		return nhn_msg_no_room(msg);
	msg->head = *head;
	msg->pairing = nhn_link_tx_pairing(msg->link);
	msg->sent = 0;
	msg->stream = head->length >= msg->policy->stream_bytes && msg->tx->data_bytes != 0 &&
		      msg->tx->data_bytes <= msg->policy->stream_ring_bytes;
	msg_vector_init(&msg->from, vector, vectors);
	if (!msg_fragment_begin(msg, head->length))
		return nhn_msg_no_room(msg);
	msg->sending = NHN_MSG_SENDING;
	return nhn_msg_send_step(msg);
}

int
nhn_msg_send_long(struct nhn_msg_tx *msg, const struct nhn_message_head *head, const void *data)
{
	if (msg->sending == NHN_MSG_SENDING) /* single may be in use */
		return nhn_msg_no_room(msg);
	msg->single.iov_base = (void *)(uintptr_t)data;
	msg->single.iov_len = head->length;
	return nhn_msg_sendv(msg, head, &msg->single, 1);
}

void
nhn_msg_cancel(struct nhn_msg_tx *msg)
{
	if (msg->sending != NHN_MSG_SENDING)
		return;
	if (msg->sent == 0) {
		msg_send_end(msg, -ECANCELED);
		return;
	}
	msg->aborted++;
	msg->relay = NULL;
	msg->sending = NHN_MSG_ABORTING;
	nhn_msg_send_step(msg);
}

/* ---- many in a cell ---- */

/**
 * By words, as small messages were stored just before: a longer load would take bytes of several
 * stores, and wait until these have left the core, behind those to the ring.
 */
static inline void
pack_copy(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
	uint64_t word;

	for (; bytes >= sizeof(word); bytes -= (uint32_t)sizeof(word)) {
		memcpy(&word, from, sizeof(word));
		memcpy(to, &word, sizeof(word));
		from += sizeof(word);
		to += sizeof(word);
	}
	memcpy(to, from, bytes);
}

uint32_t
nhn_msg_send_packed(struct nhn_msg_tx *msg, uint16_t type, const void *messages,
		    uint32_t message_bytes, uint32_t count)
{
	const uint8_t *from = messages;
	struct nhn_pack pack;
	uint32_t fit = 0;
	uint32_t sent;

	if (!nhn_pack_begin(&pack, msg, type, message_bytes))
		return 0;
	while (fit * message_bytes <= pack.last) /* no division: at most 120 turns */
		fit++;
	for (sent = 0; sent < count; sent += pack.messages) {
		uint8_t *body = nhn_pack_next(&pack); /* of a new cell: the last one is full */

		if (body == NULL)
			break;
		pack.messages = count - sent < fit ? count - sent : fit;
		pack.at = pack.messages * message_bytes;
		pack_copy(body, from, pack.at);
		from += pack.at;
	}
	nhn_pack_end(&pack, msg);
	if (sent < count && msg->lossy) {
		msg->dropped += count - sent;
		sent = count;
	}
	return sent;
}
