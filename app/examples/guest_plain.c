/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest without DPDK: the ivshmem device is mapped through sysfs. Sends messages
 * and receives their echoes. Needs libnahanni only; in the guest, root.
 *
 *     host:   ./host_dpdk --no-pci --no-huge -m 64 -l 0,1 -- /dev/shm/nahanni
 *     guest:  ./guest_plain 0000:00:02.0        the address, as lspci -D shows it
 *
 * The device must not be bound to vfio-pci: then use guest_pmd.
 */
#include "exchange.h"

static struct nhn_node node;

int
main(int argc, char **argv)
{
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: guest_plain PCI_ADDRESS\n");
		return 2;
	}
	ret = example_open(&node, NHN_ROLE_GUEST, argv[1]);
	if (ret != 0) {
		fprintf(stderr, "%s: no link: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	ret = exchange(&node.endpoint);
	nhn_node_close(&node);
	return ret;
}
