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

/** What a burst has no room for goes with the next one, whole and in order. */
static void
burst_refused(uint16_t count, uint32_t length, uint16_t least, uint16_t most)
{
	struct rte_mbuf *frames[CELLS + 4];
	uint16_t gone, i;

	for (i = 0; i < count; i++)
		frames[i] = frame_make(length, 1);
	gone = rte_eth_tx_burst(host, 0, frames, count);
	assert_in_range(gone, least, most);
	assert_int_equal(rte_mempool_in_use_count(pool), count - gone);
	while (taken < sent - (count - gone))
		frame_take(length);
	assert_int_equal(rte_eth_rx_burst(guest, 0, &frames[0], 1), 0);
	assert_int_equal(rte_eth_tx_burst(host, 0, frames + gone, count - gone), count - gone);
	while (taken < sent)
		frame_take(length);
	assert_int_equal(rte_eth_rx_burst(guest, 0, &frames[0], 1), 0);
}

/** The frame that is refused comes after some that are held. */
static void
test_refused_behind_held(void **state)
{
	struct rte_mbuf *none;

	(void)state;
	both_start(0, rx_pool);
	assert_int_equal(rte_pmd_nahanni_distance_set(host, 470), 0);
	bursts_pass();
	/* An empty poll gives all cells back. */
	assert_int_equal(rte_eth_rx_burst(guest, 0, &none, 1), 0);
	/* One cell is in use, and so all but one of two full holds find room. */
	frame_send(60, 1);
	burst_refused(CELLS + 4, 60, CELLS - 1, CELLS - 1);
	/* The data ring has 32 KiB, and a frame of 1518 bytes takes 24 lines: 21 at most fit. */
	burst_refused(24, 1518, 20, 21);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bursts_to_a_far_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_behind_held, setup, teardown),
	};

	if (rig_start((char *)"port_far_test") != 0)
		return 1;
	return cmocka_run_group_tests_name("port_far", tests, NULL, NULL);
}
