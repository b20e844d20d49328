/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of lib/channel: over a file, or over the memory of a probed PCI device. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <nhn_link_text.h>

#include <rte_pmd_nahanni.h>

#include "port.h"
#include "say.h"
#include "way.h"

/** The host's layout, halved until it fits its half of the region. */
#define HOST_CELLS 1024u
#define HOST_DATA_BYTES (1u << 20)
#define CELL_BYTES 64u
/** Byte of the file that is locked: one process a role. */
#define HOST_LOCK_BYTE 0
#define GUEST_LOCK_BYTE 1
/** A file that its creator is just giving a size is tried again: 100 times 10 ms. */
#define OPEN_TRIES 100
#define OPEN_PAUSE_NS 10000000

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

static enum watch
way_watch(struct way *way)
{
	enum nhn_link_state state =
		nhn_link_control(way->link, nhn_clock_ns(way->clock, nhn_clock_now()));

	if (*way->stopped)
		return WATCH_STOPPED;
	return state == NHN_LINK_UP || state == NHN_LINK_STALLED ? WATCH_UP : WATCH_DOWN;
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

/** Keep the last sentence: it is said when the last try has failed. */
struct last_sentence {
	char text[1024];
};

static void
sentence_keep(void *context, const char *sentence)
{
	struct last_sentence *last = context;

	strncpy(last->text, sentence, sizeof(last->text) - 1);
}

static int
region_open(struct nhn_region *region, const struct link_option *link)
{
	const struct timespec pause = {.tv_nsec = OPEN_PAUSE_NS};
	struct last_sentence last = {.text = ""};
	struct nhn_region_config config;
	int tries = OPEN_TRIES;
	int ret;

	nhn_region_config_init(&config);
	config.path = link->path;
	config.size = link->bytes;
	config.create = link->role == NHN_ROLE_HOST;
	config.lock_byte = link->role == NHN_ROLE_HOST ? HOST_LOCK_BYTE : GUEST_LOCK_BYTE;
	config.log = sentence_keep;
	config.log_context = &last;
	ret = nhn_region_open(region, &config);
	while (ret == -EAGAIN && --tries > 0) {
		nanosleep(&pause, NULL);
		ret = nhn_region_open(region, &config);
	}
	if (ret != 0)
		say("%s", last.text);
	return ret;
}

static void
host_layout(struct nhn_link_config *config)
{
	uint32_t cells = HOST_CELLS;
	uint32_t data_bytes = HOST_DATA_BYTES;
	struct nhn_refusal refusal;

	nhn_layout_uniform(&config->layout, 1, NHN_USE_RAW, cells, data_bytes);
	while (nhn_layout_check(&config->layout, config->own_bytes, &refusal) != 0 &&
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
	int ret = region_open(&way->region, option);

	if (ret != 0)
		return ret;
	nhn_link_joint(&config, option->role, way->region.base, way->region.length);
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
	/* The port's own link is closed with the port, by EAL's cleanup. */
	if (way->link == &way->own_link)
		nhn_link_finish(way->link);
	nhn_region_close(&way->region);
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
