/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo_internal.h"

struct address {
	unsigned int domain, bus, device, function;
};

/* "0000:00:03.0" or "00:03.0", and nothing else, as it becomes part of a path. */
static bool
parse_address(const char *text, struct address *address)
{
	int end = 0;

	if (text == NULL || text[strspn(text, "0123456789abcdefABCDEF:.")] != '\0')
		return false;
	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &address->domain, &address->bus, &address->device,
		   &address->function, &end) == 4 &&
	    text[end] == '\0')
		return address->device < 32 && address->function < 8;
	address->domain = 0;
	return sscanf(text, "%2x:%2x.%1x%n", &address->bus, &address->device, &address->function,
		      &end) == 3 &&
	       text[end] == '\0' && address->device < 32 && address->function < 8;
}

static void
device_file(char *name, size_t size, const struct address *address, const char *file)
{
	snprintf(name, size, "sys/bus/pci/devices/%04x:%02x:%02x.%x/%s", address->domain,
		 address->bus, address->device, address->function, file);
}

/* What the kernel says; -1 when the firmware did not tell it. */
static int
node_by_sysfs(const struct nhn_topo *topo, const struct address *address, int *node)
{
	char name[80], *text, *end;
	long number;
	int rc;

	device_file(name, sizeof(name), address, "numa_node");
	rc = nhn_topo_sysfs_read(topo->root, name, &text);
	if (rc == -ENOENT) {
		/* A kernel that knows of no nodes has no such file, but the device's. */
		device_file(name, sizeof(name), address, "vendor");
		rc = nhn_topo_sysfs_read(topo->root, name, &text);
		free(text);
		return rc;
	}
	if (rc != 0)
		return rc;
	number = strtol(text, &end, 10);
	rc = end != text && *end == '\0' && number >= -1 && number <= NHN_TOPO_CPU_MAX ? 0 : -EIO;
	if (rc == 0)
		*node = (int)number;
	free(text);
	return rc;
}

/* In a described machine a device hangs on what it is nearest to. */
static int
node_by_hwloc(const struct nhn_topo *topo, const struct address *address, int *node)
{
	hwloc_obj_t object = hwloc_get_pcidev_by_busid(topo->hwloc, address->domain, address->bus,
						       address->device, address->function);

	if (object == NULL)
		return -ENOENT;
	object = hwloc_get_non_io_ancestor_obj(topo->hwloc, object);
	if (object != NULL && hwloc_bitmap_weight(object->nodeset) == 1)
		*node = hwloc_bitmap_first(object->nodeset);
	return 0;
}

int
nhn_topo_device_node(const struct nhn_topo *topo, const char *address, int *node)
{
	struct address parsed;
	int rc;

	*node = -1;
	if (!parse_address(address, &parsed))
		return -EINVAL;
	rc = topo->root != NULL ? node_by_sysfs(topo, &parsed, node)
				: node_by_hwloc(topo, &parsed, node);
	/* Where there is one node only, nobody needs to tell. */
	if (rc == 0 && *node < 0 && topo->nodes == 1)
		*node = (int)hwloc_get_obj_by_type(topo->hwloc, HWLOC_OBJ_NUMANODE, 0)->os_index;
	return rc;
}
