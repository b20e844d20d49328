/* SPDX-License-Identifier: BSD-3-Clause */
/* A message from a reader to a writer, fragment by fragment. */

#include <nhn_relay.h>

#include "msg_internal.h"

/** The writer takes the message that begins here. @return 0, -EAGAIN or -ENOTCONN */
static int
relay_begin(const struct nhn_msg_rx *from, struct nhn_msg_tx *to, uint32_t id)
{
	/* What it was to send of an earlier message was skipped. */
	if (to->relay == from)
		nhn_msg_cancel(to);
	if (!nhn_msg_settle(to))
		return -EAGAIN;
	to->pairing = nhn_link_tx_pairing(to->link);
	if (to->pairing == 0)
		return -ENOTCONN;
	to->head = from->piece.head;
	to->head.id = id;
	to->sent = 0;
	to->stream = false;
	to->relay = from;
	to->sending = NHN_MSG_SENDING;
	return 0;
}

/** The message has no end: its receiver is told. */
static void
relay_break(const struct nhn_msg_rx *from, struct nhn_msg_tx *to)
{
	if (to->relay == from)
		nhn_msg_cancel(to);
}

/** @return whether a part of this fragment can be copied now */
static bool
fragment_ready(const struct nhn_msg_rx *from, struct nhn_msg_tx *to)
{
	uint32_t left = from->piece.length - from->taken;

	return to->body != NULL || msg_fragment_begin(to, left);
}

static int
relay_part(struct nhn_msg_rx *from, struct nhn_msg_tx *to)
{
	uint32_t bytes;
	bool torn = false;

	if (!fragment_ready(from, to)) {
		if (to->sent == 0) /* not begun: whoever finds room first may */
			msg_send_end(to, 0);
		return -EAGAIN;
	}
	bytes = to->fragment - to->filled;
	if (bytes > NHN_MSG_STEP_BYTES)
		bytes = NHN_MSG_STEP_BYTES;
	nhn_foreign_copy(to->body + to->filled, from->piece.data + from->taken, bytes);
	to->filled += bytes;
	from->taken += bytes;
	/* Looked at before the last bytes go: what was torn gets no end. */
	if (from->taken == from->piece.length)
		torn = msg_let_go(from) != 0;
	if (torn) {
		relay_break(from, to);
		return -EINPROGRESS;
	}
	if (to->filled != to->fragment)
		return -EINPROGRESS;
	msg_fragment_end(to);
	return to->sent == to->head.length ? msg_send_end(to, 0) : -EINPROGRESS;
}

/** All of a pack, or as many of it as there is room for. */
static int
relay_pack(struct nhn_msg_rx *from, struct nhn_msg_tx *to)
{
	const struct nhn_msg_piece *piece = &from->piece;
	const uint32_t each = piece->head.length;
	uint32_t left = piece->messages;
	uint32_t taken, sent;

	if (nhn_link_tx_pairing(to->link) == 0)
		return -ENOTCONN;
	if (to->relay == from) /* of an earlier message, which was skipped */
		nhn_msg_cancel(to);
	for (taken = from->taken; taken != 0; taken -= each)
		left--;
	sent = nhn_msg_send_packed(to, piece->head.type,
				   nhn_foreign_lend(piece->data + from->taken), each, left);
	from->taken += sent * each;
	if (sent == left && msg_let_go(from) == 0)
		return 0;
	return sent != 0 ? -EINPROGRESS : -EAGAIN;
}

int
nhn_msg_relay(struct nhn_msg_rx *from, struct nhn_msg_tx *to, uint32_t id)
{
	const struct nhn_msg_piece *piece = &from->piece;
	int ret = msg_hold(from);

	if (ret == -ESTALE)
		relay_break(from, to);
	if (ret != 0)
		return ret;
	if (from->skipping) {
		msg_skip_step(from);
		return -EAGAIN;
	}
	if (piece->messages > 1)
		return relay_pack(from, to);
	if (piece->head.flags & NHN_MESSAGE_ABORTED) {
		relay_break(from, to);
		msg_let_go(from);
		return -ECANCELED;
	}
	if (piece->offset == 0 && from->taken == 0)
		ret = relay_begin(from, to, id);
	else if (to->relay != from || nhn_msg_send_step(to) == -ECONNRESET)
		ret = -ECONNRESET;
	if (ret == -ECONNRESET)
		nhn_msg_skip(from);
	return ret == 0 ? relay_part(from, to) : ret;
}

void
nhn_msg_relay_cancel(struct nhn_msg_rx *from, struct nhn_msg_tx *to)
{
	relay_break(from, to);
	nhn_msg_skip(from);
}
