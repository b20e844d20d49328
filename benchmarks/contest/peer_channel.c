/* SPDX-License-Identifier: BSD-3-Clause */
/* channel, channel-long, channel-split: lone messages and bursts of lib/channel, a cell each, in
 * place. */

#include "peer_ours.h"

#define BODY_BYTES 60u

/** What is looked at of a link that has nothing, as lib/worker does with many links. */
struct watch {
	const uint32_t NHN_FOREIGN *word;
	uint32_t expected;
};

struct peer {
	struct ours ours;
	bool watching; /**< there is more than one link */
	struct watch watch[CONTEST_LINKS_MAX];
	struct nhn_tx *tx[CONTEST_LINKS_MAX];
	struct nhn_rx *rx[CONTEST_LINKS_MAX];
};

/* Between two messages nothing but the ring is stored to: the work is a copy in registers. */
CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct nhn_tx *tx = peer->tx[link];
	struct contest_work own = *work;
	struct nhn_tx_run run = nhn_tx_begin(tx);
	uint32_t sent;

	for (sent = 0; sent < count; sent++) {
		uint8_t *body = nhn_tx_reserve_at(&run, own.size);

		if (__builtin_expect(body == NULL, 0))
			break;
		contest_write(&own, body);
		nhn_tx_commit_at(&run, body, own.size);
	}
	nhn_tx_end(&run);
	contest_sent(work, &own);
	return sent;
}

static inline void
watch_next(struct peer *peer, uint32_t link)
{
	const struct nhn_rx *rx = peer->rx[link];
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);

	peer->watch[link].word = nhn_rx_commit_place(&ring, nhn_rx_cell(&ring, rx->head));
	peer->watch[link].expected = nhn_rx_expected(&ring, rx->head);
}

static inline bool
watch_sees(const struct watch *watch)
{
	return nhn_foreign_acquire(watch->word) >> NHN_COMMIT_LAP_SHIFT == watch->expected;
}

/* A restart's -ESTALE is no message; control gets the link up again. */
CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct nhn_rx *rx = peer->rx[link];
	struct contest_work own = *work;
	struct nhn_rx_run run;
	struct nhn_view view;
	uint32_t got;

	if (peer->watching && !watch_sees(&peer->watch[link]))
		return 0;
	run = nhn_rx_begin(rx);
	for (got = 0; got < count && nhn_rx_next(&run, &view); got++) {
		contest_read(&own, nhn_foreign_lend(view.data));
		nhn_rx_read(&run);
	}
	contest_got(work, &own);
	/* Never of a peer that keeps the rules: what was read is void. */
	if (__builtin_expect(nhn_rx_end(&run) != 0 && got != 0, 0))
		work->misordered++;
	if (peer->watching)
		watch_next(peer, link);
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
	ours_wait(&peer->ours, peer->rx[0]);
}

#include "contest_loops.h"

static void *
channel_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = ours_open(sizeof(*peer), place, why, why_bytes);
	uint32_t i;

	if (peer == NULL)
		return NULL;
	peer->watching = place->links > 1;
	for (i = 0; i < place->links; i++) {
		peer->tx[i] = nhn_link_tx(peer->ours.link[i], 0);
		peer->rx[i] = nhn_link_rx(peer->ours.link[i], 0);
	}
	return peer;
}

static int
channel_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	struct nhn_view view;
	uint32_t i;

	(void)size;
	ours_prepare(&peer->ours);
	for (i = 0; i < peer->ours.links; i++) {
		while (nhn_rx_peek(peer->rx[i], &view, 1) > 0)
			nhn_rx_release(peer->rx[i]);
		watch_next(peer, i);
	}
	return 0;
}

static const struct ours_shape joint = {.use = NHN_USE_RAW, .channels = 1};
static const struct ours_shape longer = {
	.use = NHN_USE_RAW, .channels = 1, .cells = OURS_CELLS_LONG};
static const struct ours_shape split = {.use = NHN_USE_RAW, .channels = 1, .split = true};

#define CHANNEL                                                                                    \
	.size_min = CONTEST_SIZE_MIN, .size_max = BODY_BYTES, .shared_bytes = ours_shared_bytes,   \
	.open = channel_open, .close = ours_close, .prepare = channel_prepare,                     \
	.loops = &peer_loops

const struct contestant contestant_channel = {
	.name = "channel",
	.what = "lib/channel: 128 cells of 64 bytes, written and read in place",
	.variant = &joint,
	.links_max = CONTEST_LINKS_MAX,
	.ring_min = NHN_CELLS_MIN,
	.ring_max = OURS_RING_MAX,
	CHANNEL,
};

/* For bursts: more cells than both cores' second caches hold. */
const struct contestant contestant_channel_long = {
	.name = "channel-long",
	.what = "channel of 65536 cells: for bursts, its lines are in neither core's own caches",
	.variant = &longer,
	.links_max = 1,
	CHANNEL,
};

const struct contestant contestant_channel_split = {
	.name = "channel-split",
	.what = "channel, each side's area mapped read-only at the other",
	.variant = &split,
	.links_max = CONTEST_LINKS_MAX,
	.ring_min = NHN_CELLS_MIN,
	.ring_max = OURS_RING_MAX,
	CHANNEL,
};
