/* SPDX-License-Identifier: BSD-3-Clause */
/* packed: small messages of lib/msg, as many in a cell as fit. */

#include <nhn_msg.h>

#include "peer_ours.h"

/** Of all messages in a cell: none is longer. */
#define CELL_BODY_BYTES NHN_PACK_MESSAGE_BYTES_MAX
#define PIECES 32u

struct peer {
	struct ours ours;
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;
	uint32_t pieces; /**< peeked and not released */
	uint32_t piece;	 /**< of them, that the next message is in */
	uint32_t taken;	 /**< messages of it */
	struct nhn_msg_piece ahead[PIECES];
	uint8_t messages[CONTEST_BURST_MAX * CELL_BODY_BYTES];
};

/* The sender's program has its messages one behind the other. */
CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	uint8_t *message = peer->messages;
	uint32_t i, sent;

	(void)link;
	for (i = 0; i < count; i++, message += own.size)
		contest_write(&own, message);
	sent = nhn_msg_send_packed(&peer->tx, 0, peer->messages, own.size, count);
	work->written += sent;
	return sent;
}

/* @return whether there is a message */
static inline bool
look(struct peer *peer, uint32_t count)
{
	int seen;

	if (peer->piece != peer->pieces)
		return true;
	seen = nhn_msg_peek(&peer->rx, peer->ahead, count < PIECES ? count : PIECES);
	if (seen <= 0)
		return false;
	peer->pieces = (uint32_t)seen;
	peer->piece = 0;
	peer->taken = 0;
	return true;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	uint32_t got = 0;

	(void)link;
	if (!look(peer, count))
		return 0;
	while (got != count && peer->piece != peer->pieces) {
		const struct nhn_msg_piece *piece = &peer->ahead[peer->piece];
		const uint8_t *bytes = nhn_foreign_lend(piece->data);
		uint32_t taken = peer->taken;

		for (; got != count && taken != piece->messages; got++, taken++)
			contest_read(&own, bytes + taken * own.size);
		peer->taken = taken;
		if (taken == piece->messages) {
			peer->piece++;
			peer->taken = 0;
		}
	}
	contest_got(work, &own);
	if (peer->piece == peer->pieces && __builtin_expect(nhn_msg_release(&peer->rx) != 0, 0))
		work->misordered++;
	return got;
}

#define PEER_TURNS
static inline void
peer_turn(struct peer *peer)
{
	ours_turn(&peer->ours);
}

#define PEER_WAITS
static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	(void)work;
	ours_wait(&peer->ours, peer->rx.rx);
}

#include "contest_loops.h"

static void *
packed_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = ours_open(sizeof(*peer), place, why, why_bytes);

	if (peer == NULL)
		return NULL;
	nhn_msg_tx_init(&peer->tx, peer->ours.link[0], 0);
	nhn_msg_rx_init(&peer->rx, peer->ours.link[0], 0);
	return peer;
}

static int
packed_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;

	(void)size;
	ours_prepare(&peer->ours);
	while (look(peer, PIECES)) {
		peer->piece = peer->pieces;
		nhn_msg_release(&peer->rx);
	}
	return 0;
}

static const struct ours_shape shape = {
	.use = NHN_USE_MSG, .channels = 1, .cells = OURS_CELLS_LONG};

const struct contestant contestant_packed = {
	.name = "packed",
	.what = "lib/msg: messages of a burst packed into cells of 64 bytes, 7 of 8 bytes;"
		" 65536 cells",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = NHN_PACK_MESSAGE_BYTES_MAX,
	.links_max = 1,
	.ring_min = NHN_CELLS_MIN,
	.ring_max = OURS_RING_MAX,
	.variant = &shape,
	.shared_bytes = ours_shared_bytes,
	.open = packed_open,
	.close = ours_close,
	.prepare = packed_prepare,
	.loops = &peer_loops,
};
