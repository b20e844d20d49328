/* SPDX-License-Identifier: BSD-3-Clause */
/* packed: small messages of lib/msg, as many in a cell as fit. */

#include <nhn_msg_run.h>

#include "peer_ours.h"

struct peer {
	struct ours ours;
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	struct nhn_pack pack;
	uint32_t sent;

	(void)link;
	if (!nhn_pack_begin(&pack, &peer->tx, 0, own.size))
		return 0;
	for (sent = 0; sent < count; sent++) {
		void *body = nhn_pack_next(&pack);

		if (body == NULL)
			break;
		contest_write(&own, body);
	}
	nhn_pack_end(&pack, &peer->tx);
	contest_sent(work, &own);
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	struct nhn_msg_run run = nhn_msg_run_begin(&peer->rx);
	struct nhn_msg_piece piece;
	uint32_t got = 0;

	(void)link;
	/* A cell has as many messages as the sender had in a burst at most, which is ours too. */
	while (got != count && nhn_msg_run_next(&run, &piece) && piece.messages <= count - got) {
		const uint8_t *bytes = nhn_foreign_lend(piece.data);
		const uint8_t *end = bytes + piece.length;

		if (__builtin_expect(piece.head.length != own.size, 0)) /* of a round before */
			own.misordered++;
		else
			for (; bytes != end; bytes += own.size)
				contest_read(&own, bytes);
		got += piece.messages;
		nhn_msg_run_read(&run);
	}
	contest_got(work, &own);
	if (__builtin_expect(nhn_msg_run_end(&run) != 0, 0) && got != 0)
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
	struct nhn_msg_piece piece;

	(void)size;
	ours_prepare(&peer->ours);
	while (nhn_msg_peek(&peer->rx, &piece, 1) > 0)
		nhn_msg_release(&peer->rx);
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
