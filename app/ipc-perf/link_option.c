/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_kvargs.h>

#include <nhn_region.h>

#include "options.h"
#include "say.h"

#define KEYS "role=host,path=FILE[,size=BYTES[K|M|G]], role=guest,path=FILE, or pci=BDF"

static int
role_parse(struct link_option *link, const char *value)
{
	if (strcmp(value, "host") == 0)
		link->role = NHN_ROLE_HOST;
	else if (strcmp(value, "guest") == 0)
		link->role = NHN_ROLE_GUEST;
	else {
		say("--link has role=%s, expected role=host or role=guest: one side of a link is"
		    " the host, the other the guest.",
		    value);
		return -EINVAL;
	}
	return 0;
}

static int
path_parse(struct link_option *link, const char *value)
{
	if (value[0] == '\0') {
		say("--link has an empty path, expected path=FILE: name the file that both sides"
		    " share, such as /dev/shm/nahanni.");
		return -EINVAL;
	}
	link->path = strdup(value);
	return link->path != NULL ? 0 : -ENOMEM;
}

static int
size_parse(struct link_option *link, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	/* rte_str_to_size() takes the suffix, but also signs and whatever follows. */
	if (digits != 0 && (value[digits] == '\0' ||
			    (strchr("kKmMgG", value[digits]) != NULL && value[digits + 1] == '\0')))
		link->bytes = rte_str_to_size(value);
	if (link->bytes >= NHN_REGION_SIZE_MIN && (link->bytes & (link->bytes - 1)) == 0)
		return 0;
	say("--link has size=%s, expected bytes, a power of two of at least %" PRIu64
	    ", as of any PCI BAR: size=16M.",
	    value, NHN_REGION_SIZE_MIN);
	return -EINVAL;
}

static int
pci_parse(struct link_option *link, const char *value)
{
	struct rte_pci_addr address;

	if (rte_pci_addr_parse(value, &address) != 0) {
		say("--link has pci=%s, expected an address such as 0000:00:03.0: lspci -D lists"
		    " them, the device is 1af4:1110.",
		    value);
		return -EINVAL;
	}
	link->pci = true;
	rte_pci_device_name(&address, link->bdf, sizeof(link->bdf));
	return 0;
}

static const struct link_key {
	const char *name;
	int (*parse)(struct link_option *link, const char *value);
} link_keys[] = {
	{"role", role_parse},
	{"path", path_parse},
	{"size", size_parse},
	{"pci", pci_parse},
};

static int
pair_parse(struct link_option *link, const struct rte_kvargs *list,
	   const struct rte_kvargs_pair *pair)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(link_keys); i++) {
		if (strcmp(pair->key, link_keys[i].name) != 0)
			continue;
		if (pair->value == NULL) {
			say("--link has %s without a value, expected %s.", pair->key, KEYS);
			return -EINVAL;
		}
		if (rte_kvargs_count(list, pair->key) > 1) {
			say("--link has %s twice, expected each key once: leave one out.",
			    pair->key);
			return -EINVAL;
		}
		return link_keys[i].parse(link, pair->value);
	}
	say("--link has the unknown key '%s', expected %s.", pair->key, KEYS);
	return -EINVAL;
}

/** What belongs together. */
static int
link_check(const struct link_option *link)
{
	if (link->pci && (link->path != NULL || link->role != 0 || link->bytes != 0)) {
		say("--link has pci= beside keys of a file, expected %s: a PCI device is always"
		    " the guest's side and has its own size.",
		    KEYS);
		return -EINVAL;
	}
	if (!link->pci && (link->path == NULL || link->role == 0)) {
		say("--link lacks %s, expected %s.", link->path == NULL ? "path" : "role", KEYS);
		return -EINVAL;
	}
	if (link->role == NHN_ROLE_GUEST && link->bytes != 0) {
		say("--link has size= with role=guest, expected it with role=host only: the host"
		    " creates the file, the guest takes what there is.");
		return -EINVAL;
	}
	return 0;
}

int
link_option_parse(struct link_option *link, const char *text)
{
	struct rte_kvargs *list = rte_kvargs_parse(text, NULL);
	unsigned int i;
	int ret = 0;

	if (list == NULL) {
		say("--link has '%s', which is no list of keys and values, expected %s.", text,
		    KEYS);
		return -EINVAL;
	}
	for (i = 0; i < list->count && ret == 0; i++)
		ret = pair_parse(link, list, &list->pairs[i]);
	if (ret == 0)
		ret = link_check(link);
	rte_kvargs_free(list);
	return ret;
}
