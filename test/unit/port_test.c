/* SPDX-License-Identifier: BSD-3-Clause */
/* A port of the PMD in one process: what it gives back, and what it refuses. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <rte_pmd_nahanni.h>

#define MBUFS 255u
#define PATH_BYTES 128

static struct rte_mempool *pool;
static char memory_path[PATH_BYTES];
static uint16_t port;

static int
setup(void **state)
{
	char args[PATH_BYTES + 64];

	(void)state;
	snprintf(memory_path, sizeof(memory_path), "/dev/shm/nahanni-port-test.%d", (int)getpid());
	snprintf(args, sizeof(args), "role=host,path=%s,size=1M", memory_path);
	if (rte_vdev_init("net_nahanni0", args) != 0)
		return -1;
	return rte_eth_dev_get_port_by_name("net_nahanni0", &port);
}

static int
teardown(void **state)
{
	(void)state;
	rte_vdev_uninit("net_nahanni0");
	unlink(memory_path);
	return 0;
}

static void
configure(uint16_t queues)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	assert_int_equal(rte_eth_dev_configure(port, queues, queues, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 64, 0, NULL), 0);
}

static void
test_close_gives_all_mbufs_back(void **state)
{
	struct rte_mbuf *frames[4];
	unsigned int before = rte_mempool_avail_count(pool);

	(void)state;
	configure(1);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_rx_burst(port, 0, frames, 4), 0);
	assert_true(rte_mempool_avail_count(pool) < before);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_close(port), 0);
	assert_int_equal(rte_mempool_avail_count(pool), before);
}

static void
test_frames_stay_with_the_caller_while_down(void **state)
{
	struct rte_eth_stats stats;
	struct rte_mbuf *frame;

	(void)state;
	configure(1);
	assert_int_equal(rte_eth_dev_start(port), 0);
	frame = rte_pktmbuf_alloc(pool);
	assert_non_null(rte_pktmbuf_append(frame, 64));
	assert_int_equal(rte_eth_tx_burst(port, 0, &frame, 1), 0);
	rte_pktmbuf_free(frame);
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(stats.opackets, 0);
	assert_int_equal(stats.oerrors, 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static void
test_bounds_of_the_mtu(void **state)
{
	struct rte_eth_dev_info info;

	(void)state;
	configure(1);
	assert_int_equal(rte_eth_dev_info_get(port, &info), 0);
	assert_int_not_equal(rte_eth_dev_set_mtu(port, (uint16_t)(info.max_mtu + 1)), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, 9000), 0);
	assert_int_equal(rte_eth_dev_start(port), -EINVAL); /* mbufs of 2 KiB */
	assert_int_equal(rte_eth_dev_set_mtu(port, 1500), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, 1400), -EBUSY);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static void
test_message_link_of_an_unstarted_port(void **state)
{
	struct nhn_link *link = rte_pmd_nahanni_link_get(port);

	(void)state;
	assert_non_null(link);
	assert_int_equal(link->layout.entry[0].use, NHN_USE_RAW);
	assert_ptr_equal(rte_pmd_nahanni_link_get(port), link);
	assert_null(rte_pmd_nahanni_probe(port));
	assert_int_equal(rte_errno, ENETDOWN);
	configure(1);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_null(rte_pmd_nahanni_link_get(port));
	assert_int_equal(rte_errno, EBUSY);
	assert_non_null(rte_pmd_nahanni_probe(port));
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_null(rte_pmd_nahanni_link_get(RTE_MAX_ETHPORTS - 1));
	assert_int_equal(rte_errno, ENODEV);
}

static void
test_xstats_name_the_link(void **state)
{
	uint64_t id;

	(void)state;
	configure(1);
	assert_int_equal(rte_eth_xstats_get_id_by_name(port, "link_discarded", &id), 0);
	assert_int_equal(rte_eth_xstats_get_id_by_name(port, "link_fault_cursor", &id), 0);
}

int
main(void)
{
	char *eal[] = {(char *)"port_test", (char *)"--no-huge", (char *)"-m",
		       (char *)"64",	    (char *)"--no-pci",	 (char *)"--no-shconf",
		       (char *)"-l",	    (char *)"0",	 (char *)"--no-telemetry"};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_close_gives_all_mbufs_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_stay_with_the_caller_while_down, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bounds_of_the_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_message_link_of_an_unstarted_port, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_xstats_name_the_link, setup, teardown),
	};

	if (rte_eal_init((int)RTE_DIM(eal), eal) < 0) {
		fprintf(stderr, "port_test: EAL does not start: see its message above\n");
		return 1;
	}
	pool = rte_pktmbuf_pool_create("frames", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (pool == NULL) {
		fprintf(stderr, "port_test: no mbuf pool: %s\n", rte_strerror(rte_errno));
		return 1;
	}
	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
