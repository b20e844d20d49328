/* SPDX-License-Identifier: BSD-3-Clause */
/* A section [link NAME]. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include <nhn_region.h>

#include "config.h"
#include "values.h"

static int
id_take(struct config_link *link, const char *value)
{
	return uint32_parse(value, 1, LINK_ID_MAX, &link->link.id);
}

/** An absolute one: where the daemon stands is systemd's choice. */
static int
file_take(char *path, const char *value)
{
	if (value[0] != '/' || strlen(value) >= CFG_VALUE_LEN)
		return -EINVAL;
	memcpy(path, value, strlen(value) + 1);
	return 0;
}

static int
path_take(struct config_link *link, const char *value)
{
	return file_take(link->link.path, value);
}

static int
peer_take(struct config_link *link, const char *value)
{
	return file_take(link->link.peer, value);
}

static int
size_take(struct config_link *link, const char *value)
{
	return power_parse(value, NHN_REGION_SIZE_MIN, INT64_MAX, &link->link.size);
}

static int
create_take(struct config_link *link, const char *value)
{
	return yes_parse(value, &link->link.create);
}

static int
mode_take(struct config_link *link, const char *value)
{
	return nhn_region_mode_parse(value, &link->link.mode);
}

static int
group_take(struct config_link *link, const char *value)
{
	return nhn_region_group_parse(value, &link->link.group);
}

static int
lcore_take(struct config_link *link, const char *value)
{
	return uint32_parse(value, 0, RTE_MAX_LCORE - 1, &link->link.lcore);
}

static int
channels_take(struct config_link *link, const char *value)
{
	return uint32_parse(value, 1, NHN_CHANNELS_MAX, &link->link.layout.channels);
}

static int
cells_take(struct config_link *link, const char *value)
{
	uint64_t cells;

	if (power_parse(value, NHN_CELLS_MIN, NHN_CELLS_MAX, &cells) != 0)
		return -EINVAL;
	link->link.layout.entry[0].cells = (uint32_t)cells;
	return 0;
}

static int
data_bytes_take(struct config_link *link, const char *value)
{
	uint64_t bytes;

	if (power_parse(value, 0, NHN_DATA_BYTES_MAX, &bytes) != 0 ||
	    (bytes != 0 && bytes < NHN_DATA_BYTES_MIN))
		return -EINVAL;
	link->link.layout.entry[0].data_bytes = (uint32_t)bytes;
	return 0;
}

static int
priorities_take(struct config_link *link, const char *value)
{
	link->priority_count = list_parse(value, UINT8_MAX, link->priorities, NHN_CHANNELS_MAX);
	return link->priority_count > 0 ? 0 : -EINVAL;
}

static int
service_take(struct config_link *link, const char *value)
{
	static const char *const names[SERVICES] = {
		[SERVICE_ECHO] = "echo",
		[SERVICE_FORWARD] = "forward",
		[SERVICE_SINK] = "sink",
	};
	uint32_t i;

	for (i = 0; i < SERVICES; i++)
		if (strcmp(value, names[i]) == 0) {
			link->link.service = (enum service_kind)i;
			return 0;
		}
	return -EINVAL;
}

static int
to_take(struct config_link *link, const char *value)
{
	link->link.to_message_id = strcmp(value, "message-id") == 0;
	return link->link.to_message_id ? 0 : uint32_parse(value, 1, LINK_ID_MAX, &link->link.to);
}

static int
full_take(struct config_link *link, const char *value)
{
	if (strcmp(value, "wait") != 0 && strcmp(value, "drop") != 0)
		return -EINVAL;
	link->link.full_drop = value[0] == 'd';
	return 0;
}

static const struct key {
	const char *name;
	int (*take)(struct config_link *link, const char *value);
	const char *expected;
} keys[LINK_KEYS] = {
	[LINK_ID] = {"id", id_take, "a number from 1 to 1023"},
	[LINK_PATH] = {"path", path_take, "an absolute path of less than 255 bytes"},
	[LINK_PEER] = {"peer", peer_take, "an absolute path of less than 255 bytes"},
	[LINK_SIZE] = {"size", size_take, "bytes, a power of two from 64K on, also with K, M, G"},
	[LINK_CREATE] = {"create", create_take, "yes or no"},
	[LINK_MODE] = {"mode", mode_take,
		       "octal digits such as 0660: the owner can read and write, others not write"},
	[LINK_GROUP] = {"group", group_take, "the name or number of a group of this machine"},
	[LINK_LCORE] = {"lcore", lcore_take, "the number of one lcore"},
	[LINK_CHANNELS] = {"channels", channels_take, "a number from 1 to 64"},
	[LINK_CELLS] = {"cells", cells_take, "a power of two from 16 to 1048576"},
	[LINK_DATA_BYTES] = {"data-bytes", data_bytes_take,
			     "0, or a power of two from 4K to 1G, also with K, M, G"},
	[LINK_PRIORITIES] = {"priorities", priorities_take,
			     "a number from 0 to 255 for each channel, such as 0,1"},
	[LINK_SERVICE] = {"service", service_take, "echo, forward or sink"},
	[LINK_TO] = {"to", to_take, "the id of a link, 1 to 1023, or message-id"},
	[LINK_FULL] = {"full", full_take, "wait or drop"},
};

static int
entry_take(const struct config *config, struct config_link *link, int at,
	   const struct rte_cfgfile_entry *entry)
{
	const struct config_spot spot = {.section = link->section, .entry = at};
	uint32_t i = 0;

	while (i < LINK_KEYS && strcmp(entry->name, keys[i].name) != 0)
		i++;
	if (i == LINK_KEYS)
		return config_complain(config, spot,
				       "the key %s is unknown in a [link], expected id, path,"
				       " peer, size, create, mode, group, lcore, channels, cells,"
				       " data-bytes, priorities, service, to or full.",
				       entry->name);
	if (link->entry[i] >= 0)
		return config_complain(config, spot, "the key %s is given twice, expected once.",
				       entry->name);
	link->entry[i] = at;
	if (keys[i].take(link, entry->value) != 0)
		return config_complain(config, spot, "%s is '%s', expected %s.", entry->name,
				       entry->value, keys[i].expected);
	return 0;
}

static void
defaults(struct config_link *link, int section)
{
	uint32_t i;

	link->section = section;
	for (i = 0; i < LINK_KEYS; i++)
		link->entry[i] = -1;
	link->link.create = true;
	link->link.group = (gid_t)-1;
	link->link.lcore = NHN_WORKER_ANY_LCORE;
	nhn_layout_uniform(&link->link.layout, 1, NHN_USE_MSG, 1024, 1u << 20);
}

/** All channels are as the first, but for their priorities. */
static int
layout_finish(const struct config *config, struct config_link *link)
{
	struct nhn_layout *layout = &link->link.layout;
	uint32_t i;

	nhn_layout_uniform(layout, layout->channels, NHN_USE_MSG, layout->entry[0].cells,
			   layout->entry[0].data_bytes);
	if (link->priority_count != 0 && (uint32_t)link->priority_count != layout->channels)
		return config_complain(config, config_link_spot(link, LINK_PRIORITIES),
				       "priorities names %d, expected one for each of the %u"
				       " channels.",
				       link->priority_count, layout->channels);
	for (i = 0; i < (uint32_t)link->priority_count; i++)
		layout->entry[i].priority = (uint8_t)link->priorities[i];
	return 0;
}

int
config_take_link(struct config *config, int section, const char *name,
		 const struct rte_cfgfile_entry *entries, int count)
{
	static const enum link_key needed[] = {LINK_ID, LINK_PATH, LINK_SERVICE};
	struct config_link *link = &config->links[config->link_count++];
	const struct config_spot spot = {.section = section, .entry = -1};
	uint32_t i;
	int at, ret;

	defaults(link, section);
	snprintf(link->link.name, sizeof(link->link.name), "%s", name);
	if (name[0] == '\0')
		return config_complain(config, spot, "a link has no name, expected [link NAME].");
	for (at = 0; at < count; at++) {
		ret = entry_take(config, link, at, &entries[at]);
		if (ret != 0)
			return ret;
	}
	for (i = 0; i < RTE_DIM(needed); i++)
		if (link->entry[needed[i]] < 0)
			return config_complain(config, spot,
					       "the link %s has no %s, expected %s=: %s.", name,
					       keys[needed[i]].name, keys[needed[i]].name,
					       keys[needed[i]].expected);
	return layout_finish(config, link);
}
