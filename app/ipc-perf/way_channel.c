/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of lib/channel: over a file, or over the memory of a probed PCI device. */

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <rte_common.h>
#include <rte_ethdev.h>

#include <nhn_link_text.h>

#include <rte_pmd_nahanni.h>

#include "port.h"
#include "say.h"
#include "way.h"

/** The host's layout, halved until it fits its area. */
#define HOST_CELLS 1024u
#define HOST_DATA_BYTES (1u << 20)
#define CELL_BYTES 64u

static inline void *
way_reserve(struct way *way, uint32_t length)
{
	return nhn_tx_reserve(way->tx, length);
}

static inline bool
way_commit(struct way *way, void *body, uint32_t length)
{
	nhn_tx_commit(way->tx, body, length);
	return true;
}

static inline int
way_poll(struct way *way, struct message *message)
{
	struct nhn_view view = {.data = NULL}; /* the compiler cannot follow the count */
	int got = nhn_rx_peek(way->rx, &view, 1);

	if (got > 0) {
		message->data = nhn_foreign_lend(view.data);
		message->length = view.length;
	}
	return got;
}

static inline int
way_release(struct way *way, struct message *message)
{
	(void)message;
	return nhn_rx_release(way->rx);
}

static inline int
way_echo(struct way *way, struct message *message)
{
	void *body = nhn_tx_reserve(way->tx, message->length);
	int ret;

	if (body == NULL)
		return 0;
	memcpy(body, message->data, message->length);
	ret = nhn_rx_release(way->rx);
	if (unlikely(ret != 0))
		return ret;
	nhn_tx_commit(way->tx, body, message->length);
	return 1;
}

/** The memory of a link that stays down may be the cause. Lost once, lost for good. */
static bool
way_memory_lost(struct way *way, uint64_t now_ns)
{
	if (way->lost || now_ns < way->look_ns)
		return way->lost;
	way->look_ns = now_ns + MEMORY_LOOK_NS;
	way->lost = memory_lost(&way->memory);
	return way->lost;
}

static enum watch
way_watch(struct way *way)
{
	uint64_t now_ns = nhn_clock_ns(way->clock, nhn_clock_now());
	enum nhn_link_state state = nhn_link_control(way->link, now_ns);

	if (*way->stopped)
		return WATCH_STOPPED;
	if (likely(state == NHN_LINK_UP)) {
		way->look_ns = now_ns + MEMORY_LOOK_NS;
		return WATCH_UP;
	}
	if (unlikely(way_memory_lost(way, now_ns)))
		return WATCH_LOST;
	return state == NHN_LINK_STALLED ? WATCH_UP : WATCH_DOWN;
}

#include "engine_ping.h"
#include "engine_pong.h"

/** Problems only: a change of state is no news in a run that waits for ever. */
static void
channel_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	char text[512];

	(void)context;
	if (event->kind != NHN_LINK_EVENT_STATE)
		say("%s", nhn_link_event_text(link, event, text, sizeof(text)));
}

static void
host_layout(struct nhn_link_config *config)
{
	uint32_t cells = HOST_CELLS;
	uint32_t data_bytes = HOST_DATA_BYTES;
	uint64_t area_bytes = RTE_MIN(config->own_bytes, config->peer_bytes);
	struct nhn_refusal refusal;

	nhn_layout_uniform(&config->layout, 1, NHN_USE_RAW, cells, data_bytes);
	while (nhn_layout_check(&config->layout, area_bytes, &refusal) != 0 &&
	       cells > NHN_CELLS_MIN) {
		if (data_bytes >= cells * CELL_BYTES)
			data_bytes /= 2;
		else
			cells /= 2;
		nhn_layout_uniform(&config->layout, 1, NHN_USE_RAW, cells, data_bytes);
	}
}

static int
file_link_open(struct way *way, const struct link_option *option)
{
	struct nhn_link_config config = {
		.use = NHN_USE_RAW,
		.event = channel_event,
	};
	struct nhn_refusal refusal;
	char text[512];
	int ret = memory_open(&way->memory, option);

	if (ret != 0)
		return ret;
	memory_areas(&way->memory, option->role, &config);
	if (option->role == NHN_ROLE_HOST)
		host_layout(&config);
	if (getrandom(&config.random, sizeof(config.random), GRND_NONBLOCK) < 0)
		config.random = (uint32_t)nhn_clock_now();
	way->link = &way->own_link;
	ret = nhn_link_init(way->link, &config, &refusal);
	if (ret != 0)
		say("%s: %s.", option->path, nhn_refusal_text(&refusal, text, sizeof(text)));
	return ret;
}

static int
channel_open(struct way *way, const struct options *options)
{
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
		ret = file_link_open(way, &options->link);
		if (ret != 0)
			return ret;
	}
	way->tx = nhn_link_tx(way->link, 0);
	way->rx = nhn_link_rx(way->link, 0);
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
	bounds->min = CHANNEL_BYTES_MIN;
	bounds->max = way->tx->data_bytes / 2;
	if (bounds->max < way->tx->inline_bytes)
		bounds->max = way->tx->inline_bytes;
	bounds->limited_by = "half the channel's data ring";
}

const struct way_calls way_channel = {
	.open = channel_open,
	.close = channel_close,
	.watch = way_watch,
	.bounds = channel_bounds,
	.wait_up = engine_wait_up,
	.exchange = engine_exchange,
	.limit = engine_limit,
	.end = engine_end,
	.serve = engine_serve,
};
