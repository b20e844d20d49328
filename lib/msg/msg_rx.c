/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of messages: parts of long ones, packs, and copies to the caller's memory. */

#include "msg_internal.h"

bool
msg_channel_fits(const struct nhn_link *link, uint32_t channel)
{
	const struct nhn_layout *layout = &link->layout;
	uint32_t use = link->config.use; /* a guest's, whatever layout it follows */

	if (link->config.role == NHN_ROLE_HOST)
		use = channel < layout->channels ? layout->entry[channel].use : NHN_USE_MSG;
	return channel < NHN_CHANNELS_MAX && use == NHN_USE_MSG;
}

int
nhn_msg_rx_init(struct nhn_msg_rx *msg, struct nhn_link *link, uint32_t channel)
{
	memset(msg, 0, sizeof(*msg));
	if (!msg_channel_fits(link, channel))
		return -EINVAL;
	msg->rx = nhn_link_rx(link, channel);
	return 0;
}

int
nhn_msg_forget(struct nhn_msg_rx *msg)
{
	if (msg->begun || msg->holding)
		msg->lost++;
	msg->begun = false;
	msg->holding = false;
	msg->skipping = false;
	msg->into = NULL;
	return -ESTALE;
}

static bool
heads_equal(const struct nhn_message_head *a, const struct nhn_message_head *b)
{
	return a->id == b->id && a->length == b->length && a->type == b->type &&
	       a->flags == b->flags;
}

/** A pack's head stands at the end of where another cell's head is. */
static int
take_pack(struct nhn_msg_rx *msg, struct nhn_msg_piece *piece)
{
	struct nhn_pack_head head;

	/* Out of the copy that there is: what the peer wrote is not loaded again. */
	memcpy(&head, (const uint8_t *)&piece->head + sizeof(piece->head) - sizeof(head),
	       sizeof(head));
	return nhn_msg_pack_piece(msg, head, piece);
}

/** The last cell of a message that its sender gave up. */
static int
take_aborted(struct nhn_msg_rx *msg, struct nhn_msg_piece *piece)
{
	struct nhn_message_head head = piece->head;

	head.flags &= (uint16_t)~NHN_MESSAGE_ABORTED;
	if (!msg->begun || piece->length != 0 || !heads_equal(&head, &msg->head))
		return nhn_rx_break(msg->rx, NHN_FAULT_MESSAGE);
	piece->offset = msg->peeked;
	msg->begun = false;
	msg->aborted++;
	return 0;
}

/** A part of a message: its first or one that goes on, the last one too. */
static int
take_part(struct nhn_msg_rx *msg, struct nhn_msg_piece *piece)
{
	const struct nhn_message_head *head = &piece->head;

	if (!msg->begun) {
		msg->head = *head;
		msg->peeked = 0;
	}
	/* No part is empty but of an empty message, so that each goes on. */
	if ((head->flags & ~NHN_MESSAGE_FLAGS) != 0 || !heads_equal(head, &msg->head) ||
	    piece->length > head->length - msg->peeked || (piece->length == 0 && head->length != 0))
		return nhn_rx_break(msg->rx, NHN_FAULT_MESSAGE);
	piece->offset = msg->peeked;
	msg->peeked += piece->length;
	msg->begun = msg->peeked != head->length;
	return 0;
}

int
nhn_msg_peek_other(struct nhn_msg_rx *msg, uint32_t word, struct nhn_msg_piece *piece)
{
	uint32_t kind = word >> NHN_COMMIT_KIND_SHIFT & NHN_COMMIT_KIND_MASK;
	struct nhn_rx *rx = msg->rx;
	struct nhn_view view;

	if (kind == NHN_KIND_PACK)
		return take_pack(msg, piece);
	if (kind == NHN_KIND_DESC) {
		view.data = piece->data;
		view.length = 0;
		view.index = 0; /* it has no part in this */
		if (nhn_rx_describe(rx, &view) != 0)
			return -ESTALE;
		piece->data = view.data;
		piece->length = view.length;
	} else if (kind != NHN_KIND_MSG) {
		return nhn_rx_break(rx, NHN_FAULT_KIND);
	} else if (piece->length > rx->inline_bytes) {
		return nhn_rx_break(rx, NHN_FAULT_LENGTH);
	}
	if ((piece->head.flags & NHN_MESSAGE_ABORTED) != 0)
		return take_aborted(msg, piece);
	return take_part(msg, piece);
}

/* ---- to the caller's memory ---- */

void
nhn_msg_buffer_init(struct nhn_msg_buffer *buffer, const struct iovec *vector, uint32_t vectors)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->vector = vector;
	buffer->vectors = vectors;
	buffer->capacity = msg_vector_bytes(vector, vectors);
	msg_vector_init(&buffer->to, vector, vectors);
}

/** Of a pack the messages go one by one: none must go before the look of the release. */
static int
pack_keep(struct nhn_msg_rx *msg)
{
	nhn_foreign_copy(msg->pack, msg->piece.data, msg->piece.length);
	msg->piece.data = (const uint8_t NHN_FOREIGN *)nhn_foreign_of(msg->pack);
	return nhn_msg_release(msg);
}

int
msg_hold(struct nhn_msg_rx *msg)
{
	int count;

	if (msg->holding)
		return 0;
	count = nhn_msg_peek(msg, &msg->piece, 1);
	if (count <= 0)
		return count == 0 ? -EAGAIN : count;
	if (msg->piece.messages > 1 && pack_keep(msg) != 0)
		return -EAGAIN; /* torn: -ESTALE follows */
	msg->holding = true;
	msg->taken = 0;
	return 0;
}

int
msg_let_go(struct nhn_msg_rx *msg)
{
	msg->holding = false;
	return nhn_msg_release(msg);
}

void
msg_skip_step(struct nhn_msg_rx *msg)
{
	if (!msg->begun) {
		msg->skipping = false;
		msg->skipped++;
	}
	msg_let_go(msg);
}

void
nhn_msg_skip(struct nhn_msg_rx *msg)
{
	if (!msg->holding && !msg->begun)
		return;
	if (msg->holding && msg->piece.messages > 1) { /* one out of a pack */
		msg->taken += msg->piece.head.length;
		msg->skipped++;
		if (msg->taken == msg->piece.length)
			msg_let_go(msg);
		return;
	}
	msg->skipping = true;
}

int
nhn_msg_front(struct nhn_msg_rx *msg, struct nhn_message_head *head)
{
	int ret;

	/* A message of which no piece is held is known by its head. */
	if (!msg->holding && msg->begun && !msg->skipping) {
		*head = msg->head;
		return 0;
	}
	ret = msg_hold(msg);
	if (ret != 0)
		return ret;
	if (msg->skipping) {
		msg_skip_step(msg);
		return -EAGAIN;
	}
	*head = msg->piece.head;
	return 0;
}

/** Ask for what the next step will copy: its writer has committed it. */
static void
fetch_next(const struct nhn_msg_rx *msg)
{
	const uint32_t left = msg->piece.length - msg->taken;
	const uint32_t bytes = left < NHN_MSG_STEP_BYTES ? left : NHN_MSG_STEP_BYTES;
	uint32_t i;

	for (i = 0; i < bytes; i += NHN_LINE_BYTES)
		nhn_foreign_prefetch(msg->piece.data + msg->taken + i);
}

/** Copy a step of the piece held. @return 0: all of the message is there */
static int
receive_step(struct nhn_msg_rx *msg, struct nhn_msg_buffer *buffer)
{
	const struct nhn_msg_piece *piece = &msg->piece;
	uint32_t bytes = piece->length - msg->taken;
	bool whole;

	if (piece->messages > 1)
		bytes = piece->head.length;
	if (bytes > NHN_MSG_STEP_BYTES)
		bytes = NHN_MSG_STEP_BYTES;
	msg_scatter(&buffer->to, piece->data + msg->taken, bytes);
	msg->taken += bytes;
	whole = piece->messages > 1 || piece->offset + msg->taken == piece->head.length;
	if (msg->taken != piece->length)
		fetch_next(msg);
	else if (msg_let_go(msg) != 0)
		return -EINPROGRESS;
	return whole ? 0 : -EINPROGRESS;
}

int
nhn_msg_receive(struct nhn_msg_rx *msg, struct nhn_msg_buffer *buffer)
{
	int ret = msg_hold(msg);

	if (ret != 0)
		return ret;
	if (msg->skipping) {
		msg_skip_step(msg);
		return -EAGAIN;
	}
	if ((msg->piece.head.flags & NHN_MESSAGE_ABORTED) != 0) {
		msg_let_go(msg);
		return -ECANCELED;
	}
	/* The first byte of a message: of a piece, or of one in a pack. */
	if (msg->piece.offset == 0 && (msg->taken == 0 || msg->piece.messages > 1)) {
		buffer->head = msg->piece.head;
		if (buffer->head.length > buffer->capacity)
			return -EMSGSIZE;
		msg_vector_init(&buffer->to, buffer->vector, buffer->vectors);
		buffer->from = msg;
		msg->into = buffer;
	} else if (buffer->from != msg || msg->into != buffer) {
		return -EINVAL; /* it stands elsewhere: its end could be passed */
	}
	return receive_step(msg, buffer);
}
