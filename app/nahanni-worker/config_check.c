/* SPDX-License-Identifier: BSD-3-Clause */
/* What must fit together: ids, files, destinations, lcores. */

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_lcore.h>

#include "config.h"

/* ---- two links ---- */

/** A file by what it is, one that does not exist by its folder and name. */
struct file_identity {
	dev_t device;
	ino_t inode;
	char name[CFG_VALUE_LEN]; /**< empty: it exists */
};

static void
identify(const char *path, struct file_identity *identity)
{
	char copy[CFG_VALUE_LEN];
	struct stat status;

	memset(identity, 0, sizeof(*identity));
	if (stat(path, &status) != 0) {
		snprintf(copy, sizeof(copy), "%s", path);
		snprintf(identity->name, sizeof(identity->name), "%s", basename(copy));
		snprintf(copy, sizeof(copy), "%s", path);
		if (stat(dirname(copy), &status) != 0)
			memset(&status, 0, sizeof(status));
	}
	identity->device = status.st_dev;
	identity->inode = status.st_ino;
}

static bool
same_file(const char *a, const char *b)
{
	struct file_identity one, other;

	if (a[0] == '\0' || b[0] == '\0')
		return false;
	if (strcmp(a, b) == 0)
		return true;
	identify(a, &one);
	identify(b, &other);
	return one.device == other.device && one.inode == other.inode &&
	       strcmp(one.name, other.name) == 0 && one.inode != 0;
}

/** A file of a link is of no other, and not both of one. */
static int
file_check(const struct config *config, uint32_t i, enum link_key key)
{
	const struct config_link *link = &config->links[i];
	const char *path = key == LINK_PATH ? link->link.path : link->link.peer;
	uint32_t j;

	if (key == LINK_PEER && same_file(link->link.path, path))
		return config_complain(config, config_link_spot(link, key),
				       "the link %s has the file %s for path and for peer,"
				       " expected two files.",
				       link->link.name, path);
	for (j = 0; j < i; j++) {
		const struct link_config *other = &config->links[j].link;

		if (same_file(other->path, path) || same_file(other->peer, path))
			return config_complain(config, config_link_spot(link, key),
					       "the file %s of the link %s is the link %s's too,"
					       " expected another: a file is of one link.",
					       path, link->link.name, other->name);
	}
	return 0;
}

static int
names_check(const struct config *config, uint32_t i)
{
	const struct config_link *link = &config->links[i];
	const struct config_spot heading = {.section = link->section, .entry = -1};
	uint32_t j;

	for (j = 0; j < i; j++) {
		const struct link_config *other = &config->links[j].link;

		if (strcmp(other->name, link->link.name) == 0)
			return config_complain(config, heading,
					       "the section [link %s] is there twice, expected"
					       " once.",
					       other->name);
		if (other->id == link->link.id)
			return config_complain(config, config_link_spot(link, LINK_ID),
					       "the id %u of the link %s is the link %s's too,"
					       " expected another.",
					       other->id, link->link.name, other->name);
	}
	return 0;
}

/* ---- lcores and destinations ---- */

/** A link's lcore: one of the worker's, by default its first. */
static int
lcore_check(const struct config *config, struct config_link *link)
{
	const struct worker_config *worker = &config->worker;
	uint32_t i;

	if (link->link.lcore == NHN_WORKER_ANY_LCORE)
		link->link.lcore = worker->lcores[0];
	for (i = 0; i < worker->lcore_count; i++)
		if (worker->lcores[i] == link->link.lcore)
			return 0;
	return config_complain(config, config_link_spot(link, LINK_LCORE),
			       "lcore %u of the link %s is not the worker's, expected one of"
			       " lcores in [worker].",
			       link->link.lcore, link->link.name);
}

static int
destination_check(const struct config *config, const struct config_link *link)
{
	const struct config_spot spot = config_link_spot(link, LINK_TO);
	const struct link_config *other = NULL;
	uint32_t i;

	for (i = 0; i < config->link_count; i++)
		if (config->links[i].link.id == link->link.to)
			other = &config->links[i].link;
	if (other == NULL)
		return config_complain(config, spot,
				       "the link %s forwards to the link %u, which is unknown,"
				       " expected the id of a [link].",
				       link->link.name, link->link.to);
	if (other == &link->link)
		return config_complain(config, spot,
				       "the link %s forwards to itself, expected another link, or"
				       " service=echo.",
				       link->link.name);
	if (other->lcore != link->link.lcore)
		return config_complain(config, spot,
				       "the link %s of lcore %u forwards to the link %s of lcore"
				       " %u, expected both on one lcore.",
				       link->link.name, link->link.lcore, other->name,
				       other->lcore);
	if (other->layout.channels < link->link.layout.channels)
		return config_complain(config, spot,
				       "the link %s of %u channels forwards to the link %s of %u,"
				       " expected as many: each goes to the one of its number.",
				       link->link.name, link->link.layout.channels, other->name,
				       other->layout.channels);
	return 0;
}

static int
service_check(const struct config *config, const struct config_link *link)
{
	const struct config_spot heading = {.section = link->section, .entry = -1};

	if (link->link.service != SERVICE_FORWARD) {
		enum link_key key = link->entry[LINK_TO] >= 0 ? LINK_TO : LINK_FULL;

		if (link->entry[key] < 0)
			return 0;
		return config_complain(config, config_link_spot(link, key),
				       "the link %s has %s and does not forward, expected it with"
				       " service=forward.",
				       link->link.name, key == LINK_TO ? "to" : "full");
	}
	if (link->entry[LINK_TO] < 0)
		return config_complain(config, heading,
				       "the link %s forwards and has no to, expected to=ID or"
				       " to=message-id.",
				       link->link.name);
	return link->link.to_message_id ? 0 : destination_check(config, link);
}

int
config_check(const struct config *config)
{
	uint32_t i;
	int ret = 0;

	if (config->link_count > config->worker.links_max)
		return config_complain(config, config->worker_spot,
				       "there are %u links, expected links-max at most, which is"
				       " %u.",
				       config->link_count, config->worker.links_max);
	for (i = 0; i < config->link_count && ret == 0; i++) {
		ret = names_check(config, i);
		if (ret == 0)
			ret = file_check(config, i, LINK_PATH);
		if (ret == 0 && config->links[i].link.peer[0] != '\0')
			ret = file_check(config, i, LINK_PEER);
		if (ret == 0)
			ret = lcore_check(config, &config->links[i]);
	}
	for (i = 0; i < config->link_count && ret == 0; i++)
		ret = service_check(config, &config->links[i]);
	return ret;
}

int
config_check_lcores(const struct config *config)
{
	uint32_t i;

	for (i = 0; i < config->worker.lcore_count; i++) {
		unsigned int lcore = config->worker.lcores[i];

		if (rte_eal_lcore_role(lcore) == ROLE_OFF)
			return config_complain(config, config->lcores_spot,
					       "EAL has no lcore %u, expected one that its -l"
					       " names and this process may run on.",
					       lcore);
		if (lcore == rte_get_main_lcore() || rte_eal_lcore_role(lcore) != ROLE_RTE)
			return config_complain(config, config->lcores_spot,
					       "lcore %u is EAL's main lcore or a service lcore,"
					       " expected a worker lcore: the main one controls.",
					       lcore);
	}
	return 0;
}
