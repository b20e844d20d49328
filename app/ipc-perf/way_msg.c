/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of lib/msg: over files, or over the memory of a probed PCI device. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_ethdev.h>

#include <nhn_rpc.h>

#include <rte_pmd_nahanni.h>

#include "port.h"
#include "say.h"
#include "way_internal.h"

/** Longest message: the buffers of both lanes are as long. */
#define MSG_BYTES_MAX (16u << 20)
/** The channel of calls, after those of the lanes. */
#define MSG_RPC_CHANNEL LANES
#define MSG_CHANNELS (LANES + 1)
/** The urgent channel stays free for trips and orders. */
#define WAY_DATA_LANE LANE_BULK

/** Go on with a message of several steps. @return whether nothing is left to send */
static inline bool
way_flush(struct way *way, uint32_t lane)
{
	struct nhn_msg_tx *tx = &way->endpoint.tx[lane];

	if (unlikely(nhn_msg_busy(tx)))
		nhn_msg_send_step(tx);
	return !nhn_msg_busy(tx);
}

/** A long one has a place of its own, free as soon as the one before is sent. */
static inline void *
way_reserve(struct way *way, uint32_t lane, uint32_t length)
{
	struct nhn_msg_tx *tx = &way->endpoint.tx[lane];

	if (unlikely(!way_flush(way, lane)))
		return NULL;
	if (likely(length <= tx->tx->inline_bytes))
		return nhn_msg_reserve(tx, length);
	/* What finds no room is not worth writing. */
	if (nhn_msg_reserve(tx, RTE_MIN(length, tx->tx->data_bytes / 8)) == NULL)
		return NULL;
	return way->lane[lane].out;
}

static inline bool
way_commit(struct way *way, uint32_t lane, void *body, uint32_t length)
{
	const struct nhn_message_head head = {.length = length};
	struct nhn_msg_tx *tx = &way->endpoint.tx[lane];
	int ret;

	if (likely(body != way->lane[lane].out)) {
		nhn_msg_commit(tx, &head, body);
		return true;
	}
	/* Taken: polls and the next reserve go on with it. */
	ret = nhn_msg_send(tx, &head, body);
	return ret == 0 || ret == -EINPROGRESS;
}

/**
 * A step of putting a message together that is no cell's. Bulk goes by small ones, so that
 * what is urgent waits for one at most.
 * @return as way_poll()
 */
static __attribute__((noinline)) int
msg_copy_step(struct way *way, uint32_t lane, struct message *message)
{
	struct msg_lane *own = &way->lane[lane];
	const struct nhn_msg_piece *piece = &own->piece;
	const uint32_t left = piece->length - own->copied;
	const uint32_t bytes = lane == LANE_BULK ? RTE_MIN(left, NHN_MSG_STEP_BYTES) : left;
	const bool fits = piece->messages == 1 && (piece->head.flags & NHN_MESSAGE_ABORTED) == 0 &&
			  piece->head.length <= MSG_BYTES_MAX &&
			  (uint64_t)piece->offset + piece->length <= piece->head.length;

	if (fits)
		nhn_foreign_copy(own->in + piece->offset + own->copied, piece->data + own->copied,
				 bytes);
	own->copied += bytes;
	if (fits && own->copied != piece->length)
		return 0;
	own->holding = false;
	own->begun = fits && piece->offset + piece->length != piece->head.length;
	/* Broken: the next poll tells. */
	if (nhn_msg_release(&way->endpoint.rx[lane]) != 0)
		return 0;
	if (!fits || own->begun)
		return 0;
	own->private = true;
	message->data = own->in;
	message->length = piece->head.length;
	return 1;
}

/* One at a time: a peek of more looks at the next cell, which is not committed. */
static inline int
way_poll(struct way *way, uint32_t lane, struct message *message, uint32_t ahead)
{
	struct nhn_msg_rx *rx = &way->endpoint.rx[lane];
	struct msg_lane *own = &way->lane[lane];
	struct nhn_msg_piece piece;
	int got;

	(void)ahead;
	way_flush(way, lane);
	if (unlikely(own->holding))
		return msg_copy_step(way, lane, message);
	got = nhn_msg_peek(rx, &piece, 1);
	if (got <= 0) {
		if (unlikely(got < 0))
			own->begun = false;
		return got;
	}
	if (likely(piece.length <= rx->rx->inline_bytes && piece.length == piece.head.length &&
		   piece.messages == 1 && piece.head.flags == 0)) {
		own->private = false;
		message->data = nhn_foreign_lend(piece.data);
		message->length = piece.length;
		return 1;
	}
	own->piece = piece;
	own->copied = 0;
	own->holding = true;
	return msg_copy_step(way, lane, message);
}

static inline int
way_release(struct way *way, uint32_t lane, struct message *message)
{
	struct msg_lane *own = &way->lane[lane];

	(void)message;
	if (likely(!own->private))
		return nhn_msg_release(&way->endpoint.rx[lane]);
	/* Given up in the middle of its echo. */
	if (unlikely(own->echoing))
		nhn_msg_cancel(&way->endpoint.tx[lane]);
	own->echoing = false;
	return 0;
}

static inline void
way_keep(struct way *way, uint32_t lane, struct message *message)
{
	(void)way;
	(void)lane;
	(void)message;
}

static inline int
way_settle(struct way *way, uint32_t lane)
{
	struct nhn_msg_rx *rx = &way->endpoint.rx[lane];

	/* A piece that is not all copied goes later, and those kept with it. */
	return nhn_rx_holds(rx->rx) && !way->lane[lane].holding ? nhn_msg_release(rx) : 0;
}

/** The buffer goes back as it is; it is free again when all of it is sent. */
static __attribute__((noinline)) int
msg_echo_long(struct way *way, struct message *message, bool stamp)
{
	const struct nhn_message_head head = {.length = message->length};
	struct nhn_msg_tx *tx = &way->endpoint.tx[LANE_FIRST];
	struct msg_lane *own = &way->lane[LANE_FIRST];
	int ret = -EINPROGRESS;

	if (!own->echoing) {
		if (!way_flush(way, LANE_FIRST))
			return 0;
		if (stamp)
			message_stamp(own->in, way->clock);
		ret = nhn_msg_send(tx, &head, own->in);
		own->echoing = ret == -EINPROGRESS;
		if (ret != 0 && !own->echoing)
			return 0;
	}
	while (ret == -EINPROGRESS)
		ret = nhn_msg_send_step(tx);
	if (ret == -EAGAIN)
		return 0;
	own->echoing = false;
	return ret == 0 ? 1 : -ESTALE;
}

static inline int
way_echo(struct way *way, struct message *message, bool stamp)
{
	const struct nhn_message_head head = {.length = message->length};
	struct nhn_msg_tx *tx = &way->endpoint.tx[LANE_FIRST];
	uint8_t *body;
	int ret;

	if (unlikely(way->lane[LANE_FIRST].private))
		return msg_echo_long(way, message, stamp);
	body = way_reserve(way, LANE_FIRST, message->length);
	if (unlikely(body == NULL))
		return 0;
	memcpy(body, message->data, message->length);
	ret = nhn_msg_release(&way->endpoint.rx[LANE_FIRST]);
	if (unlikely(ret != 0))
		return ret;
	if (stamp)
		message_stamp(body, way->clock);
	nhn_msg_commit(tx, &head, body);
	return 1;
}

static inline uint32_t
way_send_data(struct way *way, uint32_t lane, const uint8_t *pattern, uint32_t sequence,
	      uint32_t length, uint32_t count)
{
	const uint32_t command = protocol_command(PROTOCOL_DATA, 0);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint8_t *body = way_reserve(way, lane, length);

		if (unlikely(body == NULL))
			break;
		message_fill(body, sequence + i, command, pattern, length);
		if (unlikely(!way_commit(way, lane, body, length)))
			break;
	}
	return i;
}

/* The lanes of DATA carry nothing else. */
static uint32_t
way_unsend(struct way *way, uint32_t lane)
{
	struct nhn_msg_tx *tx = &way->endpoint.tx[lane];
	const bool half = tx->sending == NHN_MSG_SENDING;

	nhn_msg_cancel(tx);
	return half ? 1 : 0;
}

static inline uint32_t
way_message_max(const struct way *way)
{
	(void)way;
	return MSG_BYTES_MAX;
}

static enum watch
way_watch(struct way *way)
{
	nhn_endpoint_control(&way->endpoint);
	return way_link_watch(way, way->endpoint.now, nhn_link_state(way->link));
}

/** Whether the next poll goes on with a message. */
static inline bool
way_busy(const struct way *way)
{
	const struct msg_lane *own = &way->lane[LANE_FIRST];

	return own->holding || own->begun || nhn_msg_busy(&way->endpoint.tx[LANE_FIRST]);
}

static void way_drain(struct way *way);
static inline bool way_serve_other(struct way *way, struct far *far);

static inline bool
way_pending(struct way *way, uint32_t lane)
{
	return way->lane[lane].holding || nhn_msg_ready(&way->endpoint.rx[lane]);
}

#include "way_loops.h"

#include "loop_msg_rpc.h"

#define WAY_RPC msg_rpc_run
#include "loop_calls.h"

static void
way_drain(struct way *way)
{
	struct message message;
	uint32_t i;

	if (way->lanes <= LANE_BULK)
		return;
	for (i = 0; i < WATCH_POLLS && way_poll(way, LANE_BULK, &message, 1) > 0; i++)
		way_release(way, LANE_BULK, &message);
	for (i = 0; i < WATCH_POLLS && msg_rpc_step(way); i++)
		;
}

static inline bool
way_serve_other(struct way *way, struct far *far)
{
	way->rpc->far = far;
	return msg_rpc_step(way);
}

static uint64_t
msg_now_ns(void *context)
{
	const struct way *way = context;

	return nhn_clock_ns(way->clock, nhn_clock_now());
}

static void
msg_layout(struct nhn_link_config *config)
{
	way_layout_uniform(config, NHN_USE_MSG, MSG_CHANNELS);
}

/** Memory that is not touched costs nothing. @return 0 or -ENOMEM, said */
static int
msg_memory_take(struct way *way)
{
	bool whole = true;
	uint32_t i;

	for (i = 0; i < LANES; i++) {
		way->lane[i].in = malloc(MSG_BYTES_MAX);
		way->lane[i].out = malloc(MSG_BYTES_MAX);
		whole = whole && way->lane[i].in != NULL && way->lane[i].out != NULL;
	}
	way->rpc = calloc(1, sizeof(*way->rpc));
	whole = whole && way->rpc != NULL;
	if (whole && way->far) {
		way->rpc->memory = malloc(MSG_BYTES_MAX);
		whole = way->rpc->memory != NULL;
	}
	if (whole)
		return 0;
	say("There is no memory for messages of %u bytes, expected 80 MiB: end other programs.",
	    MSG_BYTES_MAX);
	return -ENOMEM;
}

static int
msg_link_open(struct way *way, const struct options *options)
{
	int ret;

	if (!options->link.pci)
		return way_files_open(way, &options->link, NHN_USE_MSG, msg_layout);
	ret = port_find(options->link.bdf, &way->port);
	if (ret != 0)
		return ret;
	way->link = rte_pmd_nahanni_msg_link_get(way->port, MSG_CHANNELS);
	if (way->link != NULL)
		return 0;
	say("The port %s gives no link of %u message channels (net_nahanni says why above),"
	    " expected one: see that the host side runs --via msg on this device's memory.",
	    options->link.bdf, MSG_CHANNELS);
	return -EPROTO;
}

static int
msg_open(struct way *way, const struct options *options)
{
	int ret;

	way->far = options->settings.engine == NULL;
	ret = msg_memory_take(way);
	if (ret == 0)
		ret = msg_link_open(way, options);
	if (ret == 0)
		ret = nhn_endpoint_init(&way->endpoint, way->link, msg_now_ns, way);
	if (ret != 0)
		return ret;
	way->rpc->way = way;
	if (way->far) {
		nhn_rpc_server_init(&way->rpc->server, &way->endpoint, MSG_RPC_CHANNEL, msg_serve,
				    way->rpc, way->rpc->memory, MSG_BYTES_MAX);
		return 0;
	}
	return nhn_rpc_client_init(&way->rpc->client, &way->endpoint, MSG_RPC_CHANNEL,
				   way->rpc->slots, NEAR_OPEN_MAX);
}

static void
msg_close(struct way *way)
{
	uint32_t i;

	if (way->link == &way->own_link)
		nhn_link_finish(way->link);
	else if (way->link != NULL)
		rte_eth_dev_close(way->port);
	memory_close(&way->memory);
	for (i = 0; i < LANES; i++) {
		free(way->lane[i].in);
		free(way->lane[i].out);
	}
	if (way->rpc != NULL) {
		free(way->rpc->replies);
		free(way->rpc->memory);
	}
	free(way->rpc);
}

static void
msg_bounds(const struct way *way, struct way_bounds *bounds)
{
	bounds->min = MESSAGE_BYTES_MIN;
	bounds->max = way_message_max(way);
	bounds->limited_by = "the buffers of both ends";
}

static const char *
msg_mixed_refusal(const struct way *way)
{
	return way->lanes > LANE_BULK
		       ? NULL
		       : "the host laid out one channel, expected three: give it more"
			 " memory";
}

const struct way_calls way_msg = {
	.name = "msg",
	.open = msg_open,
	.close = msg_close,
	.bounds = msg_bounds,
	.wait_up = loop_wait_up,
	.keep = loop_keep,
	.order = call_order,
	.trips = call_trips,
	.limit = call_limit,
	.paced = call_paced,
	.rpc = call_rpc,
	.flood = call_flood,
	.duplex = call_duplex,
	.mixed = call_mixed,
	.mixed_refusal = msg_mixed_refusal,
	.end = call_end,
	.serve = loop_serve,
};
