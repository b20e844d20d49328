/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGHUP: first all of the new configuration is checked and what is new is opened; only then
 * is anything that runs changed. A file that a leaving link still holds cannot be opened
 * before that one is closed, and is checked without.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "say.h"

/** What becomes of a link of the new configuration. */
enum fate {
	FATE_KEEP, /**< it runs as it is */
	FATE_NEW,  /**< its files are nobody's: opened first */
	FATE_LATE, /**< its files are a leaving link's */
};

struct plan {
	const struct config *config;
	enum fate *fate; /**< by place in config->links */
	struct link **opened;
	bool stays[LINK_ID_MAX + 1]; /**< of the links that run */
};

static bool
unchanged(const struct link *link, const struct link_config *config)
{
	/* Both were zeroed before they were filled. One with damaged files is made anew. */
	return link != NULL && link->damage == 0 &&
	       memcmp(&link->config, config, sizeof(*config)) == 0;
}

static bool
path_held(const struct link *link, const char *path)
{
	return path[0] != '\0' &&
	       (strcmp(path, link->config.path) == 0 || strcmp(path, link->config.peer) == 0);
}

/** Whether a link that leaves has one of these files, by name. */
static bool
files_held(const struct daemon *daemon, const struct plan *plan, const struct link_config *config)
{
	uint32_t id;

	for (id = 1; id <= LINK_ID_MAX; id++) {
		const struct link *link = daemon->link[id];

		if (link == NULL || plan->stays[id])
			continue;
		if (path_held(link, config->path) || path_held(link, config->peer))
			return true;
	}
	return false;
}

static void
fates_decide(const struct daemon *daemon, struct plan *plan)
{
	const struct config *config = plan->config;
	uint32_t i;

	for (i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i].link;

		plan->stays[link->id] = unchanged(daemon->link[link->id], link);
	}
	for (i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i].link;

		if (plan->stays[link->id])
			plan->fate[i] = FATE_KEEP;
		else
			plan->fate[i] = files_held(daemon, plan, link) ? FATE_LATE : FATE_NEW;
	}
}

/** Nothing that runs is touched. */
static int
plan_check(struct daemon *daemon, const struct plan *plan)
{
	const struct config *config = plan->config;
	uint32_t i;
	int ret = 0;

	if (memcmp(&config->worker, &daemon->config, sizeof(config->worker)) != 0)
		return config_complain(config, config->worker_spot,
				       "[worker] has changed, expected it as at the start: start"
				       " the daemon again for that.");
	for (i = 0; i < config->link_count && ret == 0; i++)
		if (plan->fate[i] != FATE_KEEP)
			ret = config_check_files(config, &config->links[i]);
	return ret;
}

static struct link *
link_open_for(struct daemon *daemon, const struct config_link *link)
{
	return link_open(&link->link, daemon_board(daemon, link->link.lcore));
}

static int
new_open(struct daemon *daemon, struct plan *plan)
{
	const struct config *config = plan->config;
	uint32_t i;

	for (i = 0; i < config->link_count; i++) {
		const struct config_link *link = &config->links[i];

		if (plan->fate[i] != FATE_NEW)
			continue;
		plan->opened[i] = link_open_for(daemon, link);
		if (plan->opened[i] == NULL)
			return config_complain(config, config_link_spot(link, LINK_PATH),
					       "the link %s cannot be opened, expected what the"
					       " message above says.",
					       link->link.name);
	}
	return 0;
}

static void
new_close(struct plan *plan)
{
	uint32_t i;

	for (i = 0; i < plan->config->link_count; i++)
		link_close(plan->opened[i]);
}

/** From here on there is no way back. @return 0, or -EIO: not all could be opened, said */
static int
plan_carry_out(struct daemon *daemon, struct plan *plan)
{
	const struct config *config = plan->config;
	uint32_t added = 0, removed = 0;
	uint32_t id, i;
	int ret = 0;

	for (id = 1; id <= LINK_ID_MAX; id++) {
		if (daemon->link[id] == NULL || plan->stays[id])
			continue;
		daemon_remove(daemon, daemon->link[id]);
		removed++;
	}
	for (i = 0; i < config->link_count; i++) {
		if (plan->fate[i] == FATE_KEEP)
			continue;
		if (plan->fate[i] == FATE_LATE)
			plan->opened[i] = link_open_for(daemon, &config->links[i]);
		if (plan->opened[i] == NULL || daemon_add(daemon, plan->opened[i]) != 0)
			ret = -EIO;
		else
			added++;
	}
	say("reloaded %s: %u links, of which %u are new or changed; %u were removed or changed.",
	    config->path, daemon->links, added, removed);
	return ret;
}

static int
config_apply(struct daemon *daemon, const struct config *config)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int ret = -ENOMEM;

	if (plan == NULL)
		return ret;
	plan->config = config;
	plan->fate = calloc((size_t)config->link_count + 1, sizeof(*plan->fate));
	plan->opened = calloc((size_t)config->link_count + 1, sizeof(struct link *));
	if (plan->fate != NULL && plan->opened != NULL) {
		daemon_check(daemon); /* whose files are damaged is opened anew */
		fates_decide(daemon, plan);
		ret = plan_check(daemon, plan);
		if (ret == 0) {
			ret = new_open(daemon, plan);
			if (ret != 0)
				new_close(plan);
		}
		if (ret == 0)
			ret = plan_carry_out(daemon, plan);
		else
			say("%s is not taken: all goes on as before.", config->path);
	}
	free(plan->fate);
	free(plan->opened);
	free(plan);
	return ret;
}

int
daemon_reload(struct daemon *daemon)
{
	struct config config;
	int ret = config_load(&config, daemon->config_path);

	if (ret != 0) {
		say("%s is not taken: all goes on as before.", daemon->config_path);
		return ret;
	}
	ret = config_apply(daemon, &config);
	config_free(&config);
	return ret;
}
