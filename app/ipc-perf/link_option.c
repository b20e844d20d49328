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

#define KEYS                                                                                       \
	"role=host,path=FILE[,peer=FILE][,size=BYTES[K|M|G]][,offset=BYTES[K|M|G]][,mode=OCTAL][," \
	"group=NAME],"                                                                             \
	" role=guest,path=FILE[,peer=FILE], pci=BDF[,role=host|guest][,peer=BDF],"                 \
	" or port=NAME[,limit=FILE]"

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

/** A file or a device: the checks know which. */
static int
peer_parse(struct link_option *link, const char *value)
{
	if (value[0] == '\0') {
		say("--link has an empty peer, expected peer=FILE or peer=BDF: name what holds the"
		    " other side's area.");
		return -EINVAL;
	}
	link->peer = strdup(value);
	return link->peer != NULL ? 0 : -ENOMEM;
}

/** Bytes, or with a suffix. @return whether it is such a number */
static bool
bytes_parse(const char *value, uint64_t *bytes)
{
	static const char suffixes[] = "kKmMgG";
	char digits[24];
	size_t length = strspn(value, "0123456789");
	const char *suffix = value[length] != '\0' ? strchr(suffixes, value[length]) : NULL;
	unsigned int shift = suffix != NULL ? 10 * (unsigned int)((suffix - suffixes) / 2 + 1) : 0;

	if (length >= sizeof(digits) || value[length + (suffix != NULL)] != '\0')
		return false;
	memcpy(digits, value, length);
	digits[length] = '\0';
	if (number_parse(digits, bytes) != 0 || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

static int
size_parse(struct link_option *link, const char *value)
{
	if (bytes_parse(value, &link->bytes) && link->bytes >= NHN_REGION_SIZE_MIN &&
	    (link->bytes & (link->bytes - 1)) == 0)
		return 0;
	say("--link has size=%s, expected bytes, a power of two of at least %" PRIu64
	    ", as of any PCI BAR: size=16M.",
	    value, NHN_REGION_SIZE_MIN);
	return -EINVAL;
}

static int
offset_parse(struct link_option *link, const char *value)
{
	if (bytes_parse(value, &link->offset) && link->offset % NHN_REGION_OFFSET_ALIGN == 0)
		return 0;
	say("--link has offset=%s, expected bytes, a multiple of %" PRIu64
	    ", where the memory begins in the file of an nvdimm: offset=2M.",
	    value, NHN_REGION_OFFSET_ALIGN);
	return -EINVAL;
}

static int
mode_parse(struct link_option *link, const char *value)
{
	if (nhn_region_mode_parse(value, &link->mode) == 0)
		return 0;
	say("--link has mode=%s, expected 3 or 4 octal digits that let the owner read and write and"
	    " others not write: mode=0660.",
	    value);
	return -EINVAL;
}

static int
group_parse(struct link_option *link, const char *value)
{
	if (nhn_region_group_parse(value, &link->group) == 0)
		return 0;
	say("--link has group=%s, expected a group of this machine, by name or number: group=kvm.",
	    value);
	return -EINVAL;
}

/** @param name at least PCI_PRI_STR_SIZE bytes */
static int
address_parse(const char *key, const char *value, char *name)
{
	struct rte_pci_addr address;

	/* rte_pci_addr_parse() leaves its numbers to strtoul(). */
	if (value[strspn(value, "0123456789abcdefABCDEF:.")] == '\0' &&
	    rte_pci_addr_parse(value, &address) == 0) {
		rte_pci_device_name(&address, name, PCI_PRI_STR_SIZE);
		return 0;
	}
	say("--link has %s=%s, expected an address such as 0000:00:03.0: lspci -D lists them, the"
	    " device is 1af4:1110.",
	    key, value);
	return -EINVAL;
}

static int
pci_parse(struct link_option *link, const char *value)
{
	link->pci = true;
	return address_parse("pci", value, link->bdf);
}

static int
port_parse(struct link_option *link, const char *value)
{
	if (value[0] == '\0') {
		say("--link has an empty port, expected port=NAME: name a port as EAL does, such as"
		    " net_memif0 or 0000:00:04.0.");
		return -EINVAL;
	}
	link->port = strdup(value);
	return link->port != NULL ? 0 : -ENOMEM;
}

static int
limit_parse(struct link_option *link, const char *value)
{
	if (value[0] == '\0') {
		say("--link has an empty limit, expected limit=FILE: name a file that both ends"
		    " share, such as /dev/shm/limit.");
		return -EINVAL;
	}
	link->limit = strdup(value);
	return link->limit != NULL ? 0 : -ENOMEM;
}

static const struct link_key {
	const char *name;
	int (*parse)(struct link_option *link, const char *value);
} link_keys[] = {
	{"role", role_parse},	  {"path", path_parse}, {"peer", peer_parse},
	{"size", size_parse},	  {"mode", mode_parse}, {"group", group_parse},
	{"pci", pci_parse},	  {"port", port_parse}, {"limit", limit_parse},
	{"offset", offset_parse},
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

/** The peer's device gets its full name, as the own one. */
static int
pci_check(struct link_option *link)
{
	char name[PCI_PRI_STR_SIZE];

	if (link->path != NULL || link->bytes != 0 || link->offset != 0 || link->mode != 0 ||
	    link->group != (gid_t)-1) {
		say("--link has pci= beside keys of a file, expected %s: a PCI device has its own"
		    " size.",
		    KEYS);
		return -EINVAL;
	}
	if (link->role == 0)
		link->role = NHN_ROLE_GUEST;
	if (link->peer == NULL)
		return 0;
	if (address_parse("peer", link->peer, name) != 0)
		return -EINVAL;
	if (strcmp(name, link->bdf) == 0) {
		say("--link has %s for pci and for peer, expected two devices: pci is the one this"
		    " side writes, peer the one it reads.",
		    name);
		return -EINVAL;
	}
	free(link->peer);
	link->peer = strdup(name);
	return link->peer != NULL ? 0 : -ENOMEM;
}

static int
files_check(const struct link_option *link)
{
	const char *host_only = link->bytes != 0	   ? "size"
				: link->mode != 0	   ? "mode"
				: link->group != (gid_t)-1 ? "group"
							   : NULL;

	if (link->path == NULL || link->role == 0) {
		say("--link lacks %s, expected %s.", link->path == NULL ? "path" : "role", KEYS);
		return -EINVAL;
	}
	if (link->peer != NULL && strcmp(link->path, link->peer) == 0) {
		say("--link has %s for path and for peer, expected two files: path is the one this"
		    " side writes, peer the one it reads.",
		    link->path);
		return -EINVAL;
	}
	if (link->role == NHN_ROLE_GUEST && host_only != NULL) {
		say("--link has %s= with role=guest, expected it with role=host only: the host"
		    " creates the file, the guest takes what there is.",
		    host_only);
		return -EINVAL;
	}
	return 0;
}

static int
port_check(const struct link_option *link)
{
	if (!link->pci && link->role == 0 && link->path == NULL && link->peer == NULL &&
	    link->bytes == 0 && link->offset == 0 && link->mode == 0 && link->group == (gid_t)-1)
		return 0;
	say("--link has port= beside keys of another link, expected %s: the port is made by EAL's"
	    " options before --.",
	    KEYS);
	return -EINVAL;
}

static int
keys_check(struct link_option *link)
{
	if (link->port != NULL)
		return port_check(link);
	if (link->limit != NULL) {
		say("--link has limit= without port=, expected %s: other links have words of their"
		    " own.",
		    KEYS);
		return -EINVAL;
	}
	return link->pci ? pci_check(link) : files_check(link);
}

int
link_option_parse(struct link_option *link, const char *text)
{
	struct rte_kvargs *list = rte_kvargs_parse(text, NULL);
	unsigned int i;
	int ret = 0;

	link->group = (gid_t)-1;
	link->text = strdup(text);
	if (link->text == NULL)
		ret = -ENOMEM;
	if (list == NULL) {
		say("--link has '%s', which is no list of keys and values, expected %s.", text,
		    KEYS);
		return -EINVAL;
	}
	for (i = 0; i < list->count && ret == 0; i++)
		ret = pair_parse(link, list, &list->pairs[i]);
	if (ret == 0)
		ret = keys_check(link);
	rte_kvargs_free(list);
	return ret;
}

void
link_option_free(struct link_option *link)
{
	free(link->text);
	free(link->path);
	free(link->peer);
	free(link->port);
	free(link->limit);
}
