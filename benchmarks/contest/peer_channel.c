/* SPDX-License-Identifier: BSD-3-Clause */
/* channel, channel-split: lone messages and bursts of lib/channel, a cell each, in place. */

#include <stdio.h>
#include <stdlib.h>

#include "peer_ours.h"

/** Cells that are looked at together. */
#define VIEWS 32u
#define BODY_BYTES 60u
/** The least that the format has: between lone messages all of it stays in a first-level cache. */
#define SHORT_CELLS NHN_CELLS_MIN

/** What is looked at of a link that has nothing, as lib/worker does with many links. */
struct watch {
	const uint32_t NHN_FOREIGN *word;
	uint32_t expected;
};

struct peer {
	bool watching; /**< there is more than one link */
	struct watch watch[CONTEST_LINKS_MAX];
	struct nhn_tx *tx[CONTEST_LINKS_MAX];
	struct nhn_rx *rx[CONTEST_LINKS_MAX];
	struct ours ours;
};

/* Between two messages nothing but the ring is stored to: the work is a copy in registers. */
static inline uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct nhn_tx *tx = peer->tx[link];
	struct contest_work own = *work;
	uint32_t tail = tx->tail;
	uint32_t sent;

	for (sent = 0; sent < count; sent++) {
		uint8_t *body = nhn_tx_reserve_at(tx, tail, own.size);

		if (__builtin_expect(body == NULL, 0))
			break;
		contest_write(&own, body);
		tail = nhn_tx_commit_at(tx, tail, body, own.size);
	}
	nhn_tx_end(tx, tail);
	contest_sent(work, &own);
	return sent;
}

static inline void
watch_next(struct peer *peer, uint32_t link)
{
	const struct nhn_rx *rx = peer->rx[link];
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);

	peer->watch[link].word = nhn_rx_commit_place(&ring, rx->head);
	peer->watch[link].expected = nhn_rx_expected(&ring, rx->head);
}

static inline bool
watch_sees(const struct watch *watch)
{
	return nhn_foreign_acquire(watch->word) >> NHN_COMMIT_LAP_SHIFT == watch->expected;
}

/* A restart's -ESTALE is no message; control gets the link up again. */
static inline uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct nhn_rx *rx = peer->rx[link];
	const uint32_t most = count < VIEWS ? count : VIEWS;
	struct nhn_view views[VIEWS];
	struct contest_work own = *work;
	int seen, i;

	seen = !peer->watching || watch_sees(&peer->watch[link]) ? nhn_rx_peek(rx, views, most) : 0;
	if (seen <= 0)
		return 0;
	for (i = 0; i < seen; i++)
		contest_read(&own, nhn_foreign_lend(views[i].data));
	contest_got(work, &own);
	/* Never of a peer that keeps the rules: what was read is void. */
	if (__builtin_expect(nhn_rx_release(rx) != 0, 0))
		work->misordered++;
	if (peer->watching)
		watch_next(peer, link);
	return (uint32_t)seen;
}

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

static const struct ours_shape joint = {.name = "channel", .use = NHN_USE_RAW, .channels = 1};
static const struct ours_shape shorter = {
	.name = "channel-short", .use = NHN_USE_RAW, .channels = 1, .cells = SHORT_CELLS};
static const struct ours_shape split = {
	.name = "channel-split", .use = NHN_USE_RAW, .channels = 1, .split = true};

static void *
open_shape(const struct ours_shape *shape, const struct contest_place *place, char *why,
	   size_t why_bytes)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	uint32_t i;

	if (peer == NULL) {
		snprintf(why, why_bytes, "no memory for %zu bytes", sizeof(*peer));
		return NULL;
	}
	if (ours_open(&peer->ours, shape, place, why, why_bytes) != 0) {
		free(peer);
		return NULL;
	}
	peer->watching = place->links > 1;
	for (i = 0; i < place->links; i++) {
		peer->tx[i] = nhn_link_tx(peer->ours.link[i], 0);
		peer->rx[i] = nhn_link_rx(peer->ours.link[i], 0);
	}
	return peer;
}

static void *
channel_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return open_shape(&joint, place, why, why_bytes);
}

static void *
channel_short_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return open_shape(&shorter, place, why, why_bytes);
}

static void *
channel_split_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return open_shape(&split, place, why, why_bytes);
}

static void
channel_close(void *opened)
{
	struct peer *peer = opened;

	ours_close(&peer->ours);
	free(peer);
}

static size_t
channel_shared_bytes(uint32_t links)
{
	return ours_shared_bytes(&joint, links);
}

static size_t
channel_short_shared_bytes(uint32_t links)
{
	return ours_shared_bytes(&shorter, links);
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

const struct contestant contestant_channel = {
	.name = "channel",
	.what = "lib/channel: 1024 cells of 64 bytes, written and read in place",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = BODY_BYTES,
	.links_max = CONTEST_LINKS_MAX,
	.shared_bytes = channel_shared_bytes,
	.open = channel_open,
	.close = channel_close,
	.prepare = channel_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_channel_short = {
	.name = "channel-short",
	.what = "channel of 16 cells: for lone messages, which then cross between first-level "
		"caches",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = BODY_BYTES,
	.links_max = CONTEST_LINKS_MAX,
	.shared_bytes = channel_short_shared_bytes,
	.open = channel_short_open,
	.close = channel_close,
	.prepare = channel_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_channel_split = {
	.name = "channel-split",
	.what = "channel, each side's area mapped read-only at the other",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = BODY_BYTES,
	.links_max = CONTEST_LINKS_MAX,
	.shared_bytes = channel_shared_bytes,
	.open = channel_split_open,
	.close = channel_close,
	.prepare = channel_prepare,
	.loops = &peer_loops,
};
