/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * msg, msg-split: messages of any size of lib/msg, over two channels, the second for bulk and
 * less urgent. What fits a cell is written and read in place; longer ones are copied by the
 * policy that lib/msg has for cores as far apart as these are.
 */

#include <errno.h>

#include <nhn_msg.h>

#include "peer_ours.h"

#define CHANNELS 2u
/** Of mixed; its messages go step by step, so that urgent ones wait for one at most. */
#define BULK 1u
/** As plain-copy has it. */
#define DATA_BYTES (1u << 20)
#define PIECES 32u

struct channel {
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;
	struct nhn_msg_buffer buffer;
	struct iovec memory; /**< of buffer */
};

struct peer {
	struct ours ours;
	struct channel channel[CHANNELS];
};

static uint32_t
send_short(struct nhn_msg_tx *tx, struct contest_work *work, uint32_t count)
{
	const struct nhn_message_head head = {.length = work->size};
	struct contest_work own = *work;
	uint32_t sent;

	for (sent = 0; sent < count; sent++) {
		void *body = nhn_msg_reserve(tx, own.size);

		if (__builtin_expect(body == NULL, 0))
			break;
		contest_write(&own, body);
		nhn_msg_commit(tx, &head, body);
	}
	contest_sent(work, &own);
	return sent;
}

/** @return as nhn_msg_send_step() */
static int
send_step(struct nhn_msg_tx *tx, struct contest_work *work)
{
	const struct nhn_message_head head = {.length = work->size};
	int ret;

	if (nhn_msg_busy(tx))
		return nhn_msg_send_step(tx);
	ret = nhn_msg_send(tx, &head, contest_written(work));
	if (ret != 0 && ret != -EINPROGRESS)
		contest_unwrite(work);
	return ret;
}

static uint32_t
send_long(struct nhn_msg_tx *tx, struct contest_work *work, uint32_t count, bool steps)
{
	uint32_t sent = 0;
	int ret;

	do {
		ret = send_step(tx, work);
		sent += ret == 0;
	} while (sent != count && (ret == 0 || (ret == -EINPROGRESS && !steps)));
	return sent;
}

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct nhn_msg_tx *tx = &peer->channel[link].tx;

	if (work->size <= tx->tx->inline_bytes)
		return send_short(tx, work, count);
	return send_long(tx, work, count, link == BULK);
}

static uint32_t
receive_short(struct nhn_msg_rx *rx, struct contest_work *work, uint32_t count)
{
	const uint32_t most = count < PIECES ? count : PIECES;
	struct nhn_msg_piece pieces[PIECES];
	struct contest_work own = *work;
	const int seen = nhn_msg_peek(rx, pieces, most);
	int i;

	if (seen <= 0)
		return 0;
	for (i = 0; i < seen; i++)
		contest_read(&own, nhn_foreign_lend(pieces[i].data));
	contest_got(work, &own);
	if (__builtin_expect(nhn_msg_release(rx) != 0, 0))
		work->misordered++;
	return (uint32_t)seen;
}

static uint32_t
receive_long(struct channel *channel, struct contest_work *work, uint32_t count, bool steps)
{
	uint32_t got = 0;
	int ret;

	if (channel->memory.iov_base != work->sink || channel->memory.iov_len != work->size) {
		channel->memory.iov_base = work->sink;
		channel->memory.iov_len = work->size;
		nhn_msg_buffer_init(&channel->buffer, &channel->memory, 1);
	}
	do {
		ret = nhn_msg_receive(&channel->rx, &channel->buffer);
		if (ret == 0) {
			contest_took(work);
			got++;
		}
	} while (got != count && (ret == 0 || (ret == -EINPROGRESS && !steps)));
	return got;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct channel *channel = &peer->channel[link];

	if (work->size <= channel->rx.rx->inline_bytes)
		return receive_short(&channel->rx, work, count);
	return receive_long(channel, work, count, link == BULK);
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
	ours_wait(&peer->ours, peer->channel[0].rx.rx);
}

#include "contest_loops.h"

static void *
msg_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = ours_open(sizeof(*peer), place, why, why_bytes);
	uint32_t i;

	if (peer == NULL)
		return NULL;
	for (i = 0; i < CHANNELS; i++) {
		nhn_msg_tx_init(&peer->channel[i].tx, peer->ours.link[0], i);
		nhn_msg_rx_init(&peer->channel[i].rx, peer->ours.link[0], i);
	}
	return peer;
}

/* What was not sent to its end is given up; what is there is dropped. */
static int
msg_prepare(void *opened, uint32_t size)
{
	struct nhn_message_head head;
	struct peer *peer = opened;
	uint32_t i;

	(void)size;
	ours_prepare(&peer->ours);
	for (i = 0; i < CHANNELS; i++) {
		struct channel *channel = &peer->channel[i];

		nhn_msg_cancel(&channel->tx);
		channel->tx.policy = nhn_msg_policy_for(contest_limit_ns());
		while (nhn_msg_ready(&channel->rx))
			if (nhn_msg_front(&channel->rx, &head) == 0)
				nhn_msg_skip(&channel->rx);
	}
	return 0;
}

static const struct ours_shape joint = {
	.use = NHN_USE_MSG, .channels = CHANNELS, .data_bytes = DATA_BYTES};
static const struct ours_shape split = {
	.use = NHN_USE_MSG, .channels = CHANNELS, .data_bytes = DATA_BYTES, .split = true};

#define MSG                                                                                        \
	.size_min = CONTEST_SIZE_MIN, .size_max = CONTEST_SIZE_MAX, .links_max = CHANNELS,         \
	.ring_min = NHN_CELLS_MIN, .ring_max = OURS_RING_MAX, .shared_bytes = ours_shared_bytes,   \
	.open = msg_open, .close = ours_close, .prepare = msg_prepare, .loops = &peer_loops

const struct contestant contestant_msg = {
	.name = "msg",
	.what = "lib/msg: a cell up to 48 bytes, in place; longer ones copied into a data ring of "
		"1 MiB and out of it, past the caches where the limit is 200 ns or more",
	.variant = &joint,
	MSG,
};

const struct contestant contestant_msg_split = {
	.name = "msg-split",
	.what = "msg, each side's area mapped read-only at the other",
	.variant = &split,
	MSG,
};
