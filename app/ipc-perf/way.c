/* SPDX-License-Identifier: BSD-3-Clause */
/* What all ways share: their making, links over files, and what a run may ask. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_common.h>

#include <nhn_link_text.h>

#include "say.h"
#include "way_internal.h"

/** The host's layout, halved until it fits its area. */
#define HOST_CELLS 128u
#define HOST_DATA_BYTES (1u << 20)
#define CELL_BYTES 64u

struct way *
way_new(const struct way_calls *calls, const struct nhn_clock *clock,
	const volatile sig_atomic_t *stopped)
{
	struct way *way = aligned_alloc(_Alignof(struct way), sizeof(*way));

	if (way == NULL) {
		say("There is no memory for a link, expected some KiB: end other programs.");
		return NULL;
	}
	memset(way, 0, sizeof(*way));
	way->calls = calls;
	way->clock = clock;
	way->stopped = stopped;
	way->lanes = 1;
	/* Until it was up once. */
	way->down = true;
	way->order_sequence = (uint32_t)nhn_clock_now();
	return way;
}

void
way_free(struct way *way)
{
	free(way);
}

bool
way_has_words(const struct way *way)
{
	return way->link != NULL || way->own_word != NULL;
}

struct nhn_link *
way_link(const struct way *way)
{
	return way->link;
}

bool
way_down(const struct way *way)
{
	return way->down;
}

uint64_t
way_restarts(const struct way *way)
{
	if (way->link == NULL)
		return way->reconnects;
	if (way->sessions_first == 0)
		return 0;
	return way->link->sessions - way->sessions_first;
}

void
way_link_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	char text[512];

	(void)context;
	if (event->kind != NHN_LINK_EVENT_STATE)
		say("%s", nhn_link_event_text(link, event, text, sizeof(text)));
}

static bool
layout_fits(const struct nhn_link_config *config)
{
	struct nhn_refusal refusal;

	return nhn_layout_check(&config->layout, RTE_MIN(config->own_bytes, config->peer_bytes),
				&refusal) == 0;
}

void
way_layout_uniform(struct nhn_link_config *config, enum nhn_use use, uint32_t channels)
{
	uint32_t cells = HOST_CELLS;
	uint32_t data_bytes = HOST_DATA_BYTES;
	uint32_t i;

	nhn_layout_uniform(&config->layout, channels, use, cells, data_bytes);
	while (!layout_fits(config) && cells > NHN_CELLS_MIN) {
		if (data_bytes >= cells * CELL_BYTES)
			data_bytes /= 2;
		else
			cells /= 2;
		nhn_layout_uniform(&config->layout, channels, use, cells, data_bytes);
	}
	for (i = 0; i < channels; i++)
		config->layout.entry[i].priority = (uint8_t)i;
}

bool
way_layout_more(struct nhn_link_config *config, enum nhn_use use)
{
	struct nhn_layout *layout = &config->layout;
	struct nhn_channel_entry *more = &layout->entry[layout->channels];

	*more = layout->entry[0];
	more->use = (uint8_t)use;
	more->priority = (uint8_t)layout->channels++;
	while (!layout_fits(config)) {
		if (more->data_bytes > NHN_DATA_BYTES_MIN) {
			more->data_bytes /= 2;
		} else if (more->cells > NHN_CELLS_MIN) {
			more->cells /= 2;
		} else {
			memset(more, 0, sizeof(*more));
			layout->channels--;
			return false;
		}
	}
	return true;
}

int
way_files_open(struct way *way, const struct link_option *option, enum nhn_use use,
	       void (*layout)(struct nhn_link_config *config))
{
	struct nhn_link_config config = {
		.use = use,
		.event = way_link_event,
	};
	struct nhn_refusal refusal;
	char text[512];
	int ret = memory_open(&way->memory, option);

	if (ret != 0)
		return ret;
	memory_areas(&way->memory, option->role, &config);
	if (option->role == NHN_ROLE_HOST)
		layout(&config);
	if (getrandom(&config.random, sizeof(config.random), GRND_NONBLOCK) < 0)
		config.random = (uint32_t)nhn_clock_now();
	way->link = &way->own_link;
	ret = nhn_link_init(way->link, &config, &refusal);
	if (ret != 0)
		say("%s: %s.", option->path, nhn_refusal_text(&refusal, text, sizeof(text)));
	return ret;
}

/** The memory of a link that stays down may be the cause. Lost once, lost for good. */
static bool
memory_is_lost(struct way *way, uint64_t now_ns)
{
	if (way->lost || now_ns < way->look_ns)
		return way->lost;
	way->look_ns = now_ns + MEMORY_LOOK_NS;
	way->lost = memory_lost(&way->memory);
	return way->lost;
}

bool
way_words_lost(struct way *way)
{
	if (way->own_word != NULL && !way->lost)
		way->lost = memory_lost(&way->memory);
	return way->lost;
}

enum watch
way_link_watch(struct way *way, uint64_t now_ns, enum nhn_link_state state)
{
	if (*way->stopped)
		return WATCH_STOPPED;
	/* Before it is up, too: a peer that dies meanwhile left each of them to be read out. A
	 * guest has none before it has seen a host. */
	if (likely(way->link->layout.channels != 0))
		way->lanes = way->link->layout.channels;
	if (likely(state == NHN_LINK_UP)) {
		way->look_ns = now_ns + MEMORY_LOOK_NS;
		return WATCH_UP;
	}
	if (unlikely(memory_is_lost(way, now_ns)))
		return WATCH_LOST;
	return state == NHN_LINK_STALLED ? WATCH_UP : WATCH_DOWN;
}
