/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of ports share: EAL without hugepages, and a port that is set up. */
#ifndef PORT_RIG_H
#define PORT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define MBUFS 255u
#define PATH_BYTES 128

static struct rte_mempool *pool;

/** @return 0, or 1 with a sentence printed */
static inline int
rig_start(char *name)
{
	char *eal[] = {name,	     (char *)"--no-huge", (char *)"-m",
		       (char *)"64", (char *)"--no-pci",  (char *)"--no-shconf",
		       (char *)"-l", (char *)"0",	  (char *)"--no-telemetry"};

	if (rte_eal_init((int)RTE_DIM(eal), eal) < 0) {
		fprintf(stderr, "%s: EAL does not start: see its message above\n", name);
		return 1;
	}
	pool = rte_pktmbuf_pool_create("frames", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (pool == NULL) {
		fprintf(stderr, "%s: no mbuf pool: %s\n", name, rte_strerror(rte_errno));
		return 1;
	}
	return 0;
}

/** One queue pair set up of as many as are configured. */
static inline void
rig_configure(uint16_t port, uint16_t queues)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	assert_int_equal(rte_eth_dev_configure(port, queues, queues, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 64, 0, NULL), 0);
}

static inline uint64_t
rig_xstat(uint16_t port, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}

#endif /* PORT_RIG_H */
