/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#include "daemon.h"
#include "say.h"
#include "service.h"

/* ---- links ---- */

struct board *
daemon_board(struct daemon *daemon, uint32_t lcore)
{
	struct board *board = daemon->boards;

	while (board->lcore != lcore) /* which the configuration's check has found there */
		board++;
	return board;
}

static bool
link_message(void *context, struct nhn_endpoint *endpoint, uint32_t channel)
{
	struct link *link = context;

	(void)endpoint;
	/* Rounds go on between link_leave() and its removal: nothing is to be begun anew. */
	return !link->leaving && link->service->message(link, channel);
}

/* On the link's lcore. */

static void
link_enter(void *context, struct nhn_endpoint *endpoint)
{
	struct link *link = context;

	(void)endpoint;
	link->board->link[link->config.id] = link;
}

static void
link_leave(void *context, struct nhn_endpoint *endpoint)
{
	(void)endpoint;
	service_leave(context);
}

static void
list_set(struct daemon *daemon, uint32_t id, struct link *link)
{
	pthread_mutex_lock(&daemon->mutex);
	daemon->link[id] = link;
	pthread_mutex_unlock(&daemon->mutex);
}

int
daemon_add(struct daemon *daemon, struct link *link)
{
	const struct nhn_worker_link served = {
		.id = link->config.id,
		.name = link->config.name,
		.endpoint = &link->endpoint,
		.lcore = link->config.lcore,
		.message = link_message,
		.context = link,
	};
	int ret = nhn_worker_add(daemon->worker, &served);

	if (ret != 0) {
		say("link %s: it cannot be added (%s), expected room for it: see links-max and"
		    " EAL's -m.",
		    link->config.name, strerror(-ret));
		link_close(link);
		return ret;
	}
	nhn_worker_run(daemon->worker, link->config.id, link_enter, link);
	list_set(daemon, link->config.id, link);
	daemon->links++;
	return 0;
}

void
daemon_remove(struct daemon *daemon, struct link *link)
{
	list_set(daemon, link->config.id, NULL);
	daemon->links--;
	nhn_worker_run(daemon->worker, link->config.id, link_leave, link);
	nhn_worker_remove(daemon->worker, link->config.id);
	daemon_count_say(link);
	link_close(link);
}

void
daemon_count_say(const struct link *link)
{
	const struct service_counters *counters = &link->counters;

	say("link %s: %s: %" PRIu64 " messages, %" PRIu64 " bytes, %" PRIu64 " dropped, %" PRIu64
	    " lost by restarts, %" PRIu64 " given up by their senders.",
	    link->config.name, link->service->name, counters->messages, counters->bytes,
	    counters->dropped, counters->lost, counters->given_up);
}

/* ---- begin and end ---- */

static int
boards_make(struct daemon *daemon)
{
	const struct worker_config *config = &daemon->config;
	uint32_t i;

	daemon->boards = calloc(config->lcore_count, sizeof(*daemon->boards));
	if (daemon->boards == NULL) {
		say("There is no memory for %u lcores, expected some KiB: end other programs.",
		    config->lcore_count);
		return -ENOMEM;
	}
	for (i = 0; i < config->lcore_count; i++)
		daemon->boards[i].lcore = config->lcores[i];
	return 0;
}

static int
worker_make(struct daemon *daemon)
{
	const struct worker_config *config = &daemon->config;
	const struct nhn_worker_config worker = {
		.name = config->name,
		.links_max = config->links_max,
		.budget = config->budget,
		.lcores = config->lcores,
		.lcore_count = config->lcore_count,
		.launch = NHN_WORKER_LAUNCH_LCORE,
		.idle = config->idle,
		.idle_after_us = config->idle_after_us,
		.idle_sleep_us = config->idle_sleep_us,
	};

	daemon->worker = nhn_worker_create(&worker);
	if (daemon->worker != NULL)
		return 0;
	say("The worker could not be made (%s), expected that it can with this [worker]: see the"
	    " message above.",
	    rte_strerror(rte_errno));
	return -rte_errno;
}

static int
links_open(struct daemon *daemon, const struct config *config)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < config->link_count && ret == 0; i++) {
		const struct link_config *one = &config->links[i].link;
		struct link *link = link_open(one, daemon_board(daemon, one->lcore));

		ret = link == NULL ? -EIO : daemon_add(daemon, link);
	}
	return ret;
}

int
daemon_start(struct daemon *daemon, const struct config *config)
{
	int ret;

	memset(daemon, 0, sizeof(*daemon));
	pthread_mutex_init(&daemon->mutex, NULL);
	daemon->config_path = config->path;
	daemon->config = config->worker;
	telemetry_begin(daemon);
	ret = boards_make(daemon);
	if (ret == 0)
		ret = worker_make(daemon);
	if (ret == 0)
		ret = links_open(daemon, config);
	if (ret == 0)
		ret = nhn_worker_start(daemon->worker);
	return ret;
}

void
daemon_stop(struct daemon *daemon)
{
	uint32_t id;

	telemetry_end();
	if (daemon->worker != NULL)
		nhn_worker_stop(daemon->worker);
	for (id = 1; id <= LINK_ID_MAX; id++)
		if (daemon->link[id] != NULL)
			daemon_remove(daemon, daemon->link[id]);
	nhn_worker_destroy(daemon->worker);
	free(daemon->boards);
	pthread_mutex_destroy(&daemon->mutex);
}

/* ---- now and then ---- */

static void
link_look(void *context, struct nhn_endpoint *endpoint)
{
	(void)endpoint;
	service_look(context);
}

void
daemon_tell(struct daemon *daemon)
{
	uint32_t id;

	for (id = 1; id <= LINK_ID_MAX; id++)
		if (daemon->link[id] != NULL)
			link_events_say(daemon->link[id]);
}

uint32_t
daemon_check(struct daemon *daemon)
{
	uint32_t damaged = 0;
	uint32_t id;

	for (id = 1; id <= LINK_ID_MAX; id++)
		if (daemon->link[id] != NULL)
			damaged += !link_check(daemon->link[id]);
	return damaged;
}

void
daemon_look(struct daemon *daemon)
{
	uint32_t id;

	for (id = 1; id <= LINK_ID_MAX; id++)
		if (daemon->link[id] != NULL)
			nhn_worker_run(daemon->worker, id, link_look, daemon->link[id]);
}

uint32_t
daemon_up(struct daemon *daemon)
{
	struct nhn_worker_link_stats stats;
	uint32_t up = 0;
	uint32_t id;

	for (id = 1; id <= LINK_ID_MAX; id++)
		if (daemon->link[id] != NULL &&
		    nhn_worker_link_stats_get(daemon->worker, id, &stats) == 0)
			up += stats.state == NHN_LINK_UP;
	return up;
}
