/* SPDX-License-Identifier: BSD-3-Clause */
/* A port that is told that its reader is far: rte_pmd_nahanni_distance_set(). */

#include "port_mbuf_rig.h"

/** To a far reader bursts are written past the caches and committed at their end. */
static void
test_bursts_to_a_far_reader(void **state)
{
	static const uint32_t lengths[] = {1518, 60, 109, 108, 200, 64, 2000, 14};
	struct rte_mbuf *frames[40]; /* more than are held at a time */
	struct rte_mbuf *many[CELLS + 4];
	uint64_t before;
	uint16_t gone, i;

	(void)state;
	assert_int_equal(rte_pmd_nahanni_distance_set(RTE_MAX_ETHPORTS - 1, 470), -ENODEV);
	both_start(0, rx_pool);
	assert_int_equal(rte_pmd_nahanni_distance_set(host, 470), 0);
	bursts_pass();
	before = stats_of(host).obytes;
	for (i = 0; i < RTE_DIM(frames); i++)
		frames[i] = frame_make(lengths[i % RTE_DIM(lengths)] / 4 + 14, 1 + i % 2);
	assert_int_equal(rte_eth_tx_burst(host, 0, frames, RTE_DIM(frames)), RTE_DIM(frames));
	for (i = 0; i < RTE_DIM(frames); i++) {
		before += lengths[i % RTE_DIM(lengths)] / 4 + 14;
		frame_take(lengths[i % RTE_DIM(lengths)] / 4 + 14);
	}
	assert_int_equal(stats_of(host).obytes, before);
	/* One that is too long is dropped; those around it go. */
	frames[0] = frame_make(1518, 1);
	frames[1] = frame_make(FRAME_LONGEST + 1, SEGMENTS_MOST);
	sent--;
	frames[2] = frame_make(300, 1);
	assert_int_equal(rte_eth_tx_burst(host, 0, frames, 3), 3);
	assert_int_equal(stats_of(host).oerrors, 1);
	frame_take(1518);
	frame_take(300);
	/* What finds no cell stays the caller's. An empty poll first gives all cells back. */
	assert_int_equal(rte_eth_rx_burst(guest, 0, frames, 1), 0);
	for (i = 0; i < RTE_DIM(many); i++)
		many[i] = frame_make(60, 1);
	gone = rte_eth_tx_burst(host, 0, many, RTE_DIM(many));
	assert_int_equal(gone, CELLS);
	rte_pktmbuf_free_bulk(many + gone, RTE_DIM(many) - gone);
	for (i = 0; i < gone; i++)
		frame_take(60);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	sent = taken;
	assert_int_equal(rte_pmd_nahanni_distance_set(host, 80), 0);
	bursts_pass();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bursts_to_a_far_reader, setup, teardown),
	};

	if (rig_start((char *)"port_far_test") != 0)
		return 1;
	return cmocka_run_group_tests_name("port_far", tests, NULL, NULL);
}
