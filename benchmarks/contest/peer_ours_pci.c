/* SPDX-License-Identifier: BSD-3-Clause */
/* The far side in a guest whose devices vfio-pci holds: the driver's mapping is the only one. */

#include <stdio.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <rte_pmd_nahanni.h>

#include "contest_eal.h"
#include "peer_ours.h"

#define ADDRESS_BYTES 64

/*
 * Of a split link the driver has to know which device is only read before that comes. It stays
 * until the end, maybe from an earlier opening.
 */
static int
devices_add(const char *device, uint16_t *port)
{
	const int length = (int)strcspn(device, ",");
	const char *peer = strchr(device, '=');
	char own[ADDRESS_BYTES];
	int ret;

	snprintf(own, sizeof(own), "%.*s", length, device);
	ret = rte_eal_hotplug_add("pci", own, peer != NULL ? device + length + 1 : "");
	if (ret == 0 && peer != NULL)
		ret = rte_eal_hotplug_add("pci", peer + 1, "");
	return ret != 0 && ret != -EEXIST ? ret : rte_eth_dev_get_port_by_name(own, port);
}

struct nhn_link *
ours_pci_open(const struct contest_place *place, const char *device, uint16_t *port, char *why,
	      size_t why_bytes)
{
	const struct ours_shape *shape = place->contestant->variant;
	struct nhn_link *link;
	int ret;

	if (contest_eal(place, why, why_bytes) != 0)
		return NULL;
	ret = devices_add(device, port);
	if (ret != 0) {
		snprintf(why, why_bytes,
			 "EAL does not take %s (%s), expected ivshmem devices bound to vfio-pci:"
			 " see its messages above",
			 device, rte_strerror(-ret));
		return NULL;
	}
	link = shape->use == NHN_USE_RAW ? rte_pmd_nahanni_link_get(*port)
					 : rte_pmd_nahanni_msg_link_get(*port, shape->channels);
	if (link == NULL)
		snprintf(why, why_bytes,
			 "the port of %s gives no link (%s), expected one of the near side's"
			 " layout: see the driver's messages above",
			 device, rte_strerror(rte_errno));
	return link;
}

void
ours_pci_close(uint16_t port)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(port, &info) == 0 && rte_eth_dev_close(port) == 0)
		rte_dev_remove(info.device);
}
