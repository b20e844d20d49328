/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of lib/channel: over files, or over the memory of a probed PCI device. */

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_ethdev.h>

#include <rte_pmd_nahanni.h>

#include "port.h"
#include "say.h"
#include "way_internal.h"

/** The first channel is FIFO for everything; the second has the bulk of mixed only. */
#define WAY_DATA_LANE LANE_FIRST

static inline void *
way_reserve(struct way *way, uint32_t lane, uint32_t length)
{
	return nhn_tx_reserve(way->tx[lane], length);
}

static inline bool
way_commit(struct way *way, uint32_t lane, void *body, uint32_t length)
{
	nhn_tx_commit(way->tx[lane], body, length);
	return true;
}

/* One at a time: a peek of more looks at the next cell, which is not committed. */
static inline int
way_poll(struct way *way, uint32_t lane, struct message *message, uint32_t ahead)
{
	struct nhn_view view = {.data = NULL}; /* the compiler cannot follow the count */
	int got = nhn_rx_peek(way->rx[lane], &view, 1);

	(void)ahead;
	if (got > 0) {
		message->data = nhn_foreign_lend(view.data);
		message->length = view.length;
	}
	return got;
}

static inline int
way_release(struct way *way, uint32_t lane, struct message *message)
{
	(void)message;
	return nhn_rx_release(way->rx[lane]);
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
	return nhn_rx_holds(way->rx[lane]) ? nhn_rx_release(way->rx[lane]) : 0;
}

static inline int
way_echo(struct way *way, struct message *message, bool stamp)
{
	uint8_t *body = nhn_tx_reserve(way->tx[LANE_FIRST], message->length);
	int ret;

	if (body == NULL)
		return 0;
	memcpy(body, message->data, message->length);
	ret = nhn_rx_release(way->rx[LANE_FIRST]);
	if (unlikely(ret != 0))
		return ret;
	if (stamp)
		message_stamp(body, way->clock);
	nhn_tx_commit(way->tx[LANE_FIRST], body, message->length);
	return 1;
}

/* Between two messages nothing but the ring is stored to. */
static inline uint32_t
way_send_data(struct way *way, uint32_t lane, const uint8_t *pattern, uint32_t sequence,
	      uint32_t length, uint32_t count)
{
	const uint32_t command = protocol_command(PROTOCOL_DATA, 0);
	struct nhn_tx *tx = way->tx[lane];
	struct nhn_tx_run run = nhn_tx_begin(tx);
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint8_t *body = nhn_tx_reserve_at(&run, length);

		if (unlikely(body == NULL))
			break;
		message_fill(body, sequence + i, command, pattern, length);
		nhn_tx_commit_at(&run, body, length);
	}
	nhn_tx_end(&run);
	return i;
}

static inline bool
way_flush(struct way *way, uint32_t lane)
{
	(void)way;
	(void)lane;
	return true;
}

static uint32_t
way_unsend(struct way *way, uint32_t lane)
{
	(void)way;
	(void)lane;
	return 0;
}

static inline uint32_t
way_message_max(const struct way *way)
{
	const struct nhn_tx *tx = way->tx[LANE_FIRST];

	return RTE_MAX(tx->data_bytes / 2, (uint32_t)tx->inline_bytes);
}

static void
way_drain(struct way *way)
{
	struct message message;
	uint32_t i;

	if (way->lanes <= LANE_BULK)
		return;
	for (i = 0; i < WATCH_POLLS && way_poll(way, LANE_BULK, &message, 1) > 0; i++)
		way_release(way, LANE_BULK, &message);
}

static enum watch
way_watch(struct way *way)
{
	uint64_t now_ns = nhn_clock_ns(way->clock, nhn_clock_now());
	enum nhn_link_state state = nhn_link_control(way->link, now_ns);

	return way_link_watch(way, now_ns, state);
}

static inline bool
way_serve_other(struct way *way, struct far *far)
{
	(void)way;
	(void)far;
	return false;
}

static inline bool
way_busy(const struct way *way)
{
	(void)way;
	return false;
}

static inline bool
way_pending(struct way *way, uint32_t lane)
{
	(void)way;
	(void)lane;
	return false;
}

#include "way_loops.h"

#include "loop_rpc.h"

#define WAY_RPC loop_rpc
#include "loop_calls.h"

static void
channel_layout(struct nhn_link_config *config)
{
	way_layout_uniform(config, NHN_USE_RAW, 1);
	way_layout_more(config, NHN_USE_RAW);
}

static int
channel_open(struct way *way, const struct options *options)
{
	uint32_t lane;
	int ret;

	if (options->link.pci) {
		ret = port_find(options->link.bdf, &way->port);
		if (ret != 0)
			return ret;
		way->link = rte_pmd_nahanni_link_get(way->port);
		if (way->link == NULL) {
			say("The port %s gives no message link (net_nahanni says why above),"
			    " expected one: see that the host side runs on this device's memory.",
			    options->link.bdf);
			return -EPROTO;
		}
	} else {
		ret = way_files_open(way, &options->link, NHN_USE_RAW, channel_layout);
		if (ret != 0)
			return ret;
	}
	for (lane = 0; lane < LANES; lane++) {
		way->tx[lane] = nhn_link_tx(way->link, lane);
		way->rx[lane] = nhn_link_rx(way->link, lane);
	}
	return 0;
}

static void
channel_close(struct way *way)
{
	if (way->link == &way->own_link)
		nhn_link_finish(way->link);
	else if (way->link != NULL)
		rte_eth_dev_close(way->port);
	memory_close(&way->memory);
}

static void
channel_bounds(const struct way *way, struct way_bounds *bounds)
{
	bounds->min = MESSAGE_BYTES_MIN;
	bounds->max = way_message_max(way);
	bounds->limited_by = "half the channel's data ring";
}

static const char *
channel_mixed_refusal(const struct way *way)
{
	return way->lanes > LANE_BULK
		       ? NULL
		       : "the host laid out one channel, expected two: let a host over"
			 " a file of 1 MiB or more lay them out, or take --via msg";
}

const struct way_calls way_channel = {
	.name = "channel",
	.open = channel_open,
	.close = channel_close,
	.bounds = channel_bounds,
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
	.mixed_refusal = channel_mixed_refusal,
	.end = call_end,
	.serve = loop_serve,
};
