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

static struct nhn_region region;
static struct nhn_link link_to_host;
static struct nhn_endpoint endpoint;

static int
open_link(const char *address)
{
	struct nhn_region_config where;
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	int ret;

	nhn_region_config_init(&where);
	where.kind = NHN_REGION_PCI;
	where.path = address;
	where.log = example_log;
	ret = nhn_region_open(&region, &where);
	if (ret != 0)
		return ret;
	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, NHN_ROLE_GUEST, region.base, region.length);
	config.use = NHN_USE_MSG;
	config.random = (uint32_t)example_now_ns(NULL);
	ret = nhn_link_init(&link_to_host, &config, &refusal);
	if (ret == 0)
		nhn_endpoint_init(&endpoint, &link_to_host, example_now_ns, NULL);
	return ret;
}

int
main(int argc, char **argv)
{
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: guest_plain PCI_ADDRESS\n");
		return 2;
	}
	ret = open_link(argv[1]);
	if (ret != 0)
		fprintf(stderr, "%s: no link: %s\n", argv[1], strerror(-ret));
	else
		ret = exchange(&endpoint);
	nhn_link_finish(&link_to_host);
	nhn_region_close(&region);
	return ret != 0;
}
