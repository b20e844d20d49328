/* SPDX-License-Identifier: BSD-3-Clause */
/* A port of the PMD in one process: what it gives back, and what it refuses. */

#include <errno.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>

#include <rte_pmd_nahanni.h>

#include "port_rig.h"

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
test_frames_stay_with_the_caller_while_down(void **state)
{
	struct rte_eth_stats stats;
	struct rte_mbuf *frame;

	(void)state;
	rig_configure(port, 1);
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
	rig_configure(port, 1);
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
	rig_configure(port, 1);
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
	static const char *const names[] = {
		"link_discarded",     "link_peer_discarded", "link_fault_cursor",
		"link_events_untold", "memory_lost",
	};
	size_t i;

	(void)state;
	rig_configure(port, 1);
	assert_int_equal(rte_eth_dev_start(port), 0);
	for (i = 0; i < RTE_DIM(names); i++)
		assert_int_equal(rig_xstat(port, names[i]), 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

/** Of ordinary memory. The line is in the first cache: only a machine that is stopped waits. */
static void
test_loads_are_measured_at_each_opening(void **state)
{
	(void)state;
	assert_int_equal(rig_xstat(port, "area_own_load_ns"), 0);
	assert_int_equal(rig_xstat(port, "area_peer_load_ns"), 0);
	assert_non_null(rte_pmd_nahanni_link_get(port));
	assert_in_range(rig_xstat(port, "area_own_load_ns"), 1, UINT32_MAX);
	assert_in_range(rig_xstat(port, "area_peer_load_ns"), 1, UINT32_MAX);
	print_message("a load takes %u ns (own), %u ns (peer's)\n",
		      (unsigned int)rig_xstat(port, "area_own_load_ns"),
		      (unsigned int)rig_xstat(port, "area_peer_load_ns"));
}

static void
test_deferred_start_is_refused(void **state)
{
	const struct rte_eth_rxconf rx = {.rx_deferred_start = 1};
	const struct rte_eth_txconf tx = {.tx_deferred_start = 1};

	(void)state;
	rig_configure(port, 1);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, 64, 0, &rx, pool), -ENOTSUP);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 64, 0, &tx), -ENOTSUP);
}

/** Looked at once a second while the link is down. */
static void
test_a_removed_file_is_noticed(void **state)
{
	uint64_t end = rte_get_timer_cycles() + 60 * rte_get_timer_hz();
	struct rte_mbuf *frame;

	(void)state;
	rig_configure(port, 1);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(unlink(memory_path), 0);
	while (rig_xstat(port, "memory_lost") == 0 && rte_get_timer_cycles() < end)
		rte_eth_rx_burst(port, 0, &frame, 1);
	assert_int_equal(rig_xstat(port, "memory_lost"), 1);
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frames_stay_with_the_caller_while_down, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bounds_of_the_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_message_link_of_an_unstarted_port, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_xstats_name_the_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loads_are_measured_at_each_opening, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_deferred_start_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_removed_file_is_noticed, setup, teardown),
	};

	if (rig_start((char *)"port_test") != 0)
		return 1;
	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
