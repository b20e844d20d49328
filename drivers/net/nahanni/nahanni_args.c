/* SPDX-License-Identifier: BSD-3-Clause */
/* Needs rte_kvargs, rte_pci, lib/region and a log only: test/fuzz takes it alone. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include <nhn_region.h>

#include "nahanni_args.h"
#include "nahanni_log.h"

/** A decimal number at the begin of @p text. @return what follows it, or NULL */
static const char *
number_parse(const char *text, uint64_t *number)
{
	char *end;

	/* strtoull() would take blanks and signs. */
	if (text[0] < '0' || text[0] > '9')
		return NULL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 ? end : NULL;
}

static int
role_parse(struct nahanni_args *args, const char *value)
{
	if (strcmp(value, "host") == 0) {
		args->role = NHN_ROLE_HOST;
	} else if (strcmp(value, "guest") == 0) {
		args->role = NHN_ROLE_GUEST;
	} else {
		NAHANNI_LOG(ERR, "role is '%s', expected host or guest", value);
		return -EINVAL;
	}
	return 0;
}

static int
path_parse(struct nahanni_args *args, const char *value)
{
	args->path = value;
	return 0;
}

static int
peer_parse(struct nahanni_args *args, const char *value)
{
	args->peer = value;
	return 0;
}

/** Bytes, or with a suffix. @return whether it is such a number */
static bool
bytes_parse(const char *value, uint64_t *bytes)
{
	static const char suffixes[] = "kKmMgG";
	const char *end = number_parse(value, bytes);
	const char *suffix = end != NULL && *end != '\0' ? strchr(suffixes, *end) : NULL;
	unsigned int shift = suffix != NULL ? 10 * (unsigned int)((suffix - suffixes) / 2 + 1) : 0;

	if (suffix != NULL)
		end++;
	if (end == NULL || *end != '\0' || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

static int
size_parse(struct nahanni_args *args, const char *value)
{
	if (bytes_parse(value, &args->size) && args->size >= NHN_REGION_SIZE_MIN &&
	    (args->size & (args->size - 1)) == 0)
		return 0;
	NAHANNI_LOG(ERR,
		    "size is '%s', expected bytes, a power of two of at least %" PRIu64
		    ", such as 16M",
		    value, NHN_REGION_SIZE_MIN);
	return -EINVAL;
}

static int
offset_parse(struct nahanni_args *args, const char *value)
{
	if (bytes_parse(value, &args->offset) && args->offset % NHN_REGION_OFFSET_ALIGN == 0)
		return 0;
	NAHANNI_LOG(ERR, "offset is '%s', expected bytes, a multiple of %" PRIu64 ", such as 2M",
		    value, NHN_REGION_OFFSET_ALIGN);
	return -EINVAL;
}

static int
mode_parse(struct nahanni_args *args, const char *value)
{
	if (nhn_region_mode_parse(value, &args->mode) == 0)
		return 0;
	NAHANNI_LOG(ERR,
		    "mode is '%s', expected 3 or 4 octal digits that let the owner read and write "
		    "and others not write, such as 0660",
		    value);
	return -EINVAL;
}

static int
group_parse(struct nahanni_args *args, const char *value)
{
	/* Whether there is such a group is asked when the file is created. */
	args->group = value;
	return 0;
}

static int
queues_parse(struct nahanni_args *args, const char *value)
{
	uint64_t queues;
	const char *end = number_parse(value, &queues);

	if (end == NULL || *end != '\0' || queues < 1 || queues > NHN_CHANNELS_MAX) {
		NAHANNI_LOG(ERR, "queues is '%s', expected 1 to %u", value, NHN_CHANNELS_MAX);
		return -EINVAL;
	}
	args->queues = (uint16_t)queues;
	return 0;
}

/** rte_pci_addr_parse() leaves its numbers to strtoul(). */
static int
address_parse(const char *value, struct rte_pci_addr *address)
{
	if (value[strspn(value, "0123456789abcdefABCDEF:.")] != '\0')
		return -EINVAL;
	return rte_pci_addr_parse(value, address) == 0 ? 0 : -EINVAL;
}

static int
peer_address_parse(struct nahanni_args *args, const char *value)
{
	args->peer_device = true;
	if (address_parse(value, &args->peer_address) == 0)
		return 0;
	NAHANNI_LOG(ERR, "peer is '%s', expected a PCI address such as 0000:00:04.0", value);
	return -EINVAL;
}

struct key {
	const char *name; /**< NULL: the end */
	int (*parse)(struct nahanni_args *args, const char *value);
};

static const struct key vdev_keys[] = {
	{"role", role_parse},	  {"path", path_parse},	    {"peer", peer_parse},
	{"size", size_parse},	  {"mode", mode_parse},	    {"group", group_parse},
	{"queues", queues_parse}, {"offset", offset_parse}, {NULL, NULL},
};
static const struct key pci_keys[] = {
	{"role", role_parse}, {"peer", peer_address_parse}, {NULL, NULL}};

static const struct probe_keys {
	const struct key *keys;
	const char *help;
} probe_keys[] = {
	[NAHANNI_PROBE_VDEV] = {vdev_keys, NAHANNI_VDEV_ARGS},
	[NAHANNI_PROBE_PCI] = {pci_keys, NAHANNI_PCI_ARGS},
};

static int
pair_parse(struct nahanni_args *args, const struct probe_keys *probe,
	   const struct rte_kvargs_pair *pair)
{
	const struct key *key = probe->keys;

	while (key->name != NULL && strcmp(key->name, pair->key) != 0)
		key++;
	if (key->name == NULL) {
		NAHANNI_LOG(ERR, "found the unknown key '%s', expected %s", pair->key, probe->help);
		return -EINVAL;
	}
	if (pair->value == NULL || pair->value[0] == '\0') {
		NAHANNI_LOG(ERR, "%s has no value, expected %s", pair->key, probe->help);
		return -EINVAL;
	}
	if (rte_kvargs_count(args->list, pair->key) > 1) {
		NAHANNI_LOG(ERR, "%s is given twice, expected each key once: leave one out",
			    pair->key);
		return -EINVAL;
	}
	return key->parse(args, pair->value);
}

/** What must be there, and what goes together. */
static int
vdev_check(const struct nahanni_args *args)
{
	if (args->role == 0 || args->path == NULL) {
		NAHANNI_LOG(ERR, "%s is missing, expected " NAHANNI_VDEV_ARGS,
			    args->role == 0 ? "role" : "path");
		return -EINVAL;
	}
	if (args->peer != NULL && strcmp(args->peer, args->path) == 0) {
		NAHANNI_LOG(ERR,
			    "path and peer are both '%s', expected two files: path is the one this "
			    "side writes, peer the one it reads",
			    args->path);
		return -EINVAL;
	}
	if (args->role == NHN_ROLE_GUEST && (args->mode != 0 || args->group != NULL)) {
		NAHANNI_LOG(ERR,
			    "%s is given with role=guest, expected it with role=host only: the "
			    "host creates the files",
			    args->mode != 0 ? "mode" : "group");
		return -EINVAL;
	}
	return 0;
}

int
nahanni_args_parse(const char *text, enum nahanni_probe probe, struct nahanni_args *args)
{
	unsigned int i;
	int ret = 0;

	*args = (struct nahanni_args){.queues = 1};
	args->list = rte_kvargs_parse(text != NULL ? text : "", NULL);
	if (args->list == NULL) {
		NAHANNI_LOG(ERR, "found '%s', expected %s", text, probe_keys[probe].help);
		return -EINVAL;
	}
	for (i = 0; i < args->list->count && ret == 0; i++)
		ret = pair_parse(args, &probe_keys[probe], &args->list->pairs[i]);
	if (probe == NAHANNI_PROBE_PCI) {
		/* A guest of its own host, unless two guests share the device. */
		if (args->role == 0)
			args->role = NHN_ROLE_GUEST;
		args->queues = NHN_CHANNELS_MAX;
	} else if (ret == 0) {
		ret = vdev_check(args);
	}
	if (ret != 0)
		nahanni_args_free(args);
	return ret;
}

void
nahanni_args_free(struct nahanni_args *args)
{
	rte_kvargs_free(args->list);
	*args = (struct nahanni_args){.list = NULL};
}

bool
nahanni_args_name_peer(const char *text, const struct rte_pci_addr *address)
{
	struct rte_kvargs *list = rte_kvargs_parse(text, NULL);
	const char *value = list != NULL ? rte_kvargs_get(list, "peer") : NULL;
	struct rte_pci_addr named;
	bool same;

	same = value != NULL && address_parse(value, &named) == 0 &&
	       rte_pci_addr_cmp(&named, address) == 0;
	rte_kvargs_free(list);
	return same;
}
