/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <rte_lcore.h>
#include <rte_malloc.h>

#include <nhn_link_text.h>
#include <nhn_place.h>

#include "link.h"
#include "say.h"
#include "service.h"

/** A file that its creator is just giving a size is tried again: 20 times 10 ms. */
#define OPEN_TRIES 20
#define OPEN_PAUSE_NS 10000000

/* ---- events ---- */

/** On the lcore, which must not wait for a log: the sentence is left for the control thread. */
static void
event_note(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	struct event_box *box = context;

	if (box->written - nhn_load_acquire(&box->read) == EVENTS_KEPT) {
		nhn_store_relaxed(&box->untold, box->untold + 1);
		return;
	}
	nhn_link_event_text(link, event, box->text[box->written % EVENTS_KEPT], EVENT_BYTES);
	nhn_store_release(&box->written, box->written + 1);
}

void
link_events_say(struct link *link)
{
	struct event_box *box = &link->events;
	uint32_t untold = nhn_load_relaxed(&box->untold);

	while (box->read != nhn_load_acquire(&box->written)) {
		say("link %s: %s", link->config.name, box->text[box->read % EVENTS_KEPT]);
		nhn_store_release(&box->read, box->read + 1);
	}
	if (untold != box->untold_told)
		say("link %s: %u more events were not told.", link->config.name,
		    untold - box->untold_told);
	box->untold_told = untold;
}

/* ---- files ---- */

static void
sentence_say(void *context, const char *sentence)
{
	const struct link *link = context;

	say("link %s: %s", link->config.name, sentence);
}

struct last_sentence {
	char text[1024];
};

static void
sentence_keep(void *context, const char *sentence)
{
	struct last_sentence *last = context;

	snprintf(last->text, sizeof(last->text), "%s", sentence);
}

static int
region_open(struct link *link, struct nhn_region *region, struct nhn_region_config *config)
{
	const struct timespec pause = {.tv_nsec = OPEN_PAUSE_NS};
	struct last_sentence last = {.text = ""};
	int tries = OPEN_TRIES;
	int ret;

	config->log = sentence_keep;
	config->log_context = &last;
	while ((ret = nhn_region_open(region, config)) == -EAGAIN && --tries > 0)
		nanosleep(&pause, NULL);
	config->log = sentence_say;
	config->log_context = link;
	if (last.text[0] != '\0')
		sentence_say(link, last.text);
	return ret;
}

static void
region_config(struct nhn_region_config *region, const struct link_config *config, const char *path)
{
	nhn_region_config_init(region);
	region->path = path;
	region->size = config->size;
	region->create = config->create;
	region->mode = config->mode;
	region->group = config->group;
	region->survive_truncation = true;
}

/**
 * Where the own area is the worker's stores go: to the node of its lcore, in memory and kept
 * there. A preference: what came of it is told, and a link on another node works too.
 */
static void
area_place(struct link *link)
{
	struct nhn_place_config place;
	struct nhn_place_result result;
	char text[NHN_PLACE_TEXT_MAX];

	nhn_place_config_init(&place);
	place.node = (int)rte_lcore_to_socket_id(link->config.lcore);
	nhn_place(link->own.base, link->own.length, &place, &result);
	nhn_place_text(&result, text, sizeof(text));
	say("link %s: its memory is %s.", link->config.name, text);
}

static int
files_open(struct link *link)
{
	int ret;

	region_config(&link->own_config, &link->config, link->config.path);
	link->own_config.lock_byte = NHN_LOCK_BYTE_HOST;
	ret = region_open(link, &link->own, &link->own_config);
	if (ret != 0)
		return ret;
	area_place(link);
	if (link->config.peer[0] == '\0')
		return 0;
	region_config(&link->peer_config, &link->config, link->config.peer);
	link->peer_config.access = NHN_REGION_READ_ONLY;
	return region_open(link, &link->peer, &link->peer_config);
}

/* ---- the link on them ---- */

static void
areas_set(const struct link *link, struct nhn_link_config *config)
{
	if (link->peer.base == NULL) {
		nhn_link_joint(config, NHN_ROLE_HOST, link->own.base, link->own.length);
		return;
	}
	config->role = NHN_ROLE_HOST;
	config->own_area = link->own.base;
	config->own_bytes = link->own.length;
	config->peer_area = link->peer.base;
	config->peer_bytes = link->peer.length;
}

static int
session_open(struct link *link)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	char sentence[256];
	int ret;

	memset(&config, 0, sizeof(config));
	areas_set(link, &config);
	config.layout = link->config.layout;
	config.use = NHN_USE_MSG;
	config.link_id = link->config.id;
	config.event = event_note;
	config.event_context = &link->events;
	if (getrandom(&config.random, sizeof(config.random), 0) != sizeof(config.random))
		config.random = (uint32_t)nhn_worker_now_ns(NULL);
	ret = nhn_link_init(&link->link, &config, &refusal);
	if (ret == 0) {
		nhn_endpoint_init(&link->endpoint, &link->link, nhn_worker_now_ns, NULL);
		return 0;
	}
	if (ret == -EPROTO)
		say("link %s: %s", link->config.name,
		    nhn_refusal_text(&refusal, sentence, sizeof(sentence)));
	else
		say("link %s: its files are too small for a link, expected more bytes: see size.",
		    link->config.name);
	return ret;
}

struct link *
link_open(const struct link_config *config, struct board *board)
{
	struct link *link = rte_zmalloc_socket(NULL, sizeof(*link), NHN_AREA_ALIGN,
					       (int)rte_lcore_to_socket_id(config->lcore));

	if (link == NULL) {
		say("link %s: there is no memory for it, expected %zu KiB: give EAL more by -m.",
		    config->name, sizeof(*link) / 1024);
		return NULL;
	}
	link->config = *config;
	link->service = &services[config->service];
	link->board = board;
	link->own.fd = -1;
	link->peer.fd = -1;
	if (files_open(link) == 0 && session_open(link) == 0)
		return link;
	link_close(link);
	return NULL;
}

void
link_close(struct link *link)
{
	if (link == NULL)
		return;
	nhn_link_finish(&link->link);
	link_events_say(link);
	nhn_region_close(&link->peer);
	nhn_region_close(&link->own);
	rte_free(link);
}

/** The sentence is said when the answer is another than the last one. */
static int
region_look(struct link *link, const struct nhn_region *region, struct nhn_region_config *config)
{
	struct last_sentence last = {.text = ""};
	int ret;

	config->log = sentence_keep;
	config->log_context = &last;
	ret = nhn_region_check(region, config);
	if (ret != 0 && ret != link->damage)
		say("link %s: %s SIGHUP opens it anew.", link->config.name, last.text);
	return ret;
}

bool
link_check(struct link *link)
{
	int ret = region_look(link, &link->own, &link->own_config);

	if (ret == 0 && link->peer.base != NULL)
		ret = region_look(link, &link->peer, &link->peer_config);
	link->damage = ret;
	return ret == 0;
}
