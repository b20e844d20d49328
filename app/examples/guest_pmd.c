/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest with DPDK: the driver net_nahanni maps the ivshmem device, and lends the
 * link of a port that is not started to this program. Sends messages and receives
 * their echoes, as guest_plain does.
 *
 *     host:   ./host_dpdk --no-pci --no-huge -m 64 -l 0,1 -- /dev/shm/nahanni
 *     guest:  ./guest_pmd -l 0
 *
 * The device is bound to vfio-pci or uio_pci_generic: dpdk-devbind.py --bind.
 */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_pmd_nahanni.h>

#include "exchange.h"

static struct nhn_endpoint endpoint;

/** The first port of our driver, or RTE_MAX_ETHPORTS. */
static uint16_t
find_port(void)
{
	struct rte_eth_dev_info info;
	uint16_t port;

	RTE_ETH_FOREACH_DEV (port)
		if (rte_eth_dev_info_get(port, &info) == 0 &&
		    strcmp(info.driver_name, "net_nahanni") == 0)
			return port;
	return RTE_MAX_ETHPORTS;
}

int
main(int argc, char **argv)
{
	struct nhn_link *link;
	uint16_t port;
	int ret = 1;

	if (rte_eal_init(argc, argv) < 0)
		return 1;
	port = find_port();
	link = rte_pmd_nahanni_msg_link_get(port, 1);
	if (link == NULL) {
		fprintf(stderr, "no link from port %u: %s\n", port, rte_strerror(rte_errno));
	} else {
		nhn_endpoint_init(&endpoint, link, nhn_node_now_ns, NULL);
		ret = exchange(&endpoint);
		rte_eth_dev_close(port); /* and with it the link */
	}
	rte_eal_cleanup();
	return ret;
}
