/* SPDX-License-Identifier: BSD-3-Clause */
/* What two ports do with mbufs: where sent ones go, what received ones hold, and what becomes
 * of frames while there are none. */

#include "port_mbuf_rig.h"

/* ---- sent ---- */

static void
test_sent_mbufs_go_back(void **state)
{
	(void)state;
	both_start(0, rx_pool);
	bursts_pass();
}

static void
test_sent_mbufs_go_back_by_the_fast_way(void **state)
{
	uint32_t lap;

	(void)state;
	both_start(RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE | RTE_ETH_TX_OFFLOAD_MULTI_SEGS, rx_pool);
	for (lap = 0; lap < 100; lap++)
		bursts_pass();
}

/** Without the offload an mbuf may be somebody else's too, and of any pool. */
static void
test_shared_mbufs_are_kept(void **state)
{
	struct rte_mbuf *frames[2];

	(void)state;
	both_start(0, rx_pool);
	frames[0] = frame_make(100, 1);
	frames[1] = rte_pktmbuf_alloc(rx_pool);
	assert_non_null(frames[1]);
	pattern_fill(rte_pktmbuf_append(frames[1], 100), 100, SEED, sent++);
	rte_mbuf_refcnt_update(frames[0], 1);
	assert_int_equal(rte_eth_tx_burst(host, 0, frames, 2), 2);
	assert_int_equal(rte_mempool_in_use_count(pool), 1);
	assert_int_equal(rte_mempool_in_use_count(rx_pool), 0);
	assert_int_equal(rte_mbuf_refcnt_read(frames[0]), 1);
	rte_pktmbuf_free(frames[0]);
	frame_take(100);
	frame_take(100);
}

/** What did not go stays the caller's; a frame that is too long is dropped, all of it. */
static void
test_only_what_went_is_freed(void **state)
{
	struct rte_mbuf *frames[CELLS + 4];
	uint16_t gone, i;

	(void)state;
	both_start(RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE | RTE_ETH_TX_OFFLOAD_MULTI_SEGS, rx_pool);
	for (i = 0; i < RTE_DIM(frames); i++)
		frames[i] = frame_make(60, 1);
	gone = rte_eth_tx_burst(host, 0, frames, RTE_DIM(frames));
	assert_int_equal(gone, CELLS);
	assert_int_equal(rte_mempool_in_use_count(pool), RTE_DIM(frames) - gone);
	assert_int_equal(rte_eth_tx_burst(host, 0, frames + gone, 1), 0);
	assert_int_equal(rte_mempool_in_use_count(pool), RTE_DIM(frames) - gone);
	rte_pktmbuf_free_bulk(frames + gone, RTE_DIM(frames) - gone);
	for (i = 0; i < gone; i++)
		frame_take(60);
	sent = taken; /* the others never went */
	frames[0] = frame_make(FRAME_LONGEST + 1, SEGMENTS_MOST);
	assert_int_equal(rte_eth_tx_burst(host, 0, frames, 1), 1);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	assert_int_equal(stats_of(host).oerrors, 1);
	assert_int_equal(stats_of(host).opackets, gone);
}

/* ---- received ---- */

/** Leave in an mbuf what a program may have left there, and give it back. */
static void
mbuf_spoil(struct rte_mbuf *mbuf)
{
	mbuf->data_off = 3;
	mbuf->port = 77;
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_TX_TCP_CKSUM;
	mbuf->packet_type = UINT32_MAX;
	mbuf->pkt_len = UINT32_MAX;
	mbuf->data_len = UINT16_MAX;
	mbuf->vlan_tci = UINT16_MAX;
	memset(mbuf->buf_addr, 0xee, mbuf->buf_len);
	rte_pktmbuf_free(mbuf);
}

static void
pool_spoil(struct rte_mempool *mbufs)
{
	struct rte_mbuf *all[RX_MBUFS];
	uint32_t i;

	assert_int_equal(rte_pktmbuf_alloc_bulk(mbufs, all, RX_MBUFS), 0);
	for (i = 0; i < RX_MBUFS; i++)
		mbuf_spoil(all[i]);
}

/** Nothing of what was there before, and no byte written beside the frame. */
static void
frame_expect_clean(const struct rte_mbuf *frame, uint32_t length, uint64_t flags)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);

	assert_int_equal(frame->data_off, RTE_PKTMBUF_HEADROOM);
	assert_int_equal(rte_mbuf_refcnt_read(frame), 1);
	assert_int_equal(frame->nb_segs, 1);
	assert_null(frame->next);
	assert_int_equal(frame->port, guest);
	assert_int_equal(frame->ol_flags, flags);
	assert_int_equal(frame->packet_type, 0);
	assert_int_equal(frame->vlan_tci, 0);
	frame_expect(frame, length);
	assert_int_equal(bytes[-1], 0xee);
	assert_int_equal(bytes[length], 0xee);
}

/** Frames of all lengths, each into an mbuf that was used before. */
static void
lengths_pass(struct rte_mempool *mbufs, uint64_t flags)
{
	static const uint32_t lengths[] = {14, 15, 47, 48, 49, 60, 63, 64, 65, 107, 108, 109, 1518};
	struct rte_mbuf *frame;
	uint32_t lap;
	size_t i;

	for (lap = 0; lap < 8; lap++) { /* more than the spares of a queue */
		for (i = 0; i < RTE_DIM(lengths); i++) {
			frame_send(lengths[i], lap % 4 + 1);
			assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 1);
			assert_ptr_equal(frame->pool, mbufs);
			frame_expect_clean(frame, lengths[i], flags);
			mbuf_spoil(frame);
		}
	}
}

static void
test_received_mbufs_are_as_new(void **state)
{
	(void)state;
	both_start(0, rx_pool);
	pool_spoil(rx_pool);
	lengths_pass(rx_pool, 0);
	assert_int_equal(stats_of(guest).ierrors, 0);
}

/** Its mbufs never own their bytes: the flag that says so belongs to them. */
static void
test_pinned_external_buffers_stay_external(void **state)
{
	const uint16_t room = RTE_MBUF_DEFAULT_BUF_SIZE;
	struct rte_pktmbuf_extmem memory = {.elt_size = room, .buf_len = RX_MBUFS * room};
	struct rte_mempool *pinned;

	(void)state;
	memory.buf_ptr = rte_malloc("pinned", memory.buf_len, RTE_CACHE_LINE_SIZE);
	assert_non_null(memory.buf_ptr);
	memory.buf_iova = rte_malloc_virt2iova(memory.buf_ptr);
	pinned = rte_pktmbuf_pool_create_extbuf("pinned", RX_MBUFS, 0, 0, room, 0, &memory, 1);
	assert_non_null(pinned);
	both_start(0, pinned);
	pool_spoil(pinned);
	lengths_pass(pinned, RTE_MBUF_F_EXTERNAL);
	assert_int_equal(rte_vdev_uninit(GUEST_PORT), 0);
	assert_int_equal(rte_mempool_in_use_count(pinned), 0);
	rte_mempool_free(pinned);
	rte_free(memory.buf_ptr);
}

/* ---- without mbufs ---- */

static void
test_empty_pool_counts_while_a_frame_waits(void **state)
{
	struct rte_mbuf *all[RX_MBUFS];
	struct rte_mbuf *frame;
	uint32_t i;

	(void)state;
	both_start(0, rx_pool);
	assert_int_equal(rte_pktmbuf_alloc_bulk(rx_pool, all, RX_MBUFS), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 0);
	assert_int_equal(stats_of(guest).rx_nombuf, 0);
	frame_send(60, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 0);
		assert_int_equal(stats_of(guest).rx_nombuf, i + 1);
	}
	rte_pktmbuf_free(all[0]); /* one will do */
	frame_take(60);
	assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 0);
	assert_int_equal(stats_of(guest).rx_nombuf, 3);
	assert_int_equal(stats_of(guest).ipackets, 1);
	assert_int_equal(stats_of(guest).imissed, 0);
	rte_pktmbuf_free_bulk(all + 1, RX_MBUFS - 1);
}

/** So that the next frames wait for no pool. */
static void
test_idle_poll_takes_mbufs_ahead(void **state)
{
	struct rte_mbuf *rest[RX_MBUFS];
	struct rte_mbuf *frame;
	uint32_t left;

	(void)state;
	both_start(0, rx_pool);
	assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 0);
	left = rte_mempool_avail_count(rx_pool);
	assert_true(left > 0 && left < RX_MBUFS);
	assert_int_equal(rte_pktmbuf_alloc_bulk(rx_pool, rest, left), 0);
	frame_send(60, 1);
	frame_take(60);
	assert_int_equal(stats_of(guest).rx_nombuf, 0);
	rte_pktmbuf_free_bulk(rest, left);
}

static uint32_t
length_of(uint32_t number)
{
	return 60 + number * 7 % 120;
}

/** The burst takes what there are mbufs for, chunk by chunk and then one by one. */
static void
test_partial_burst_loses_nothing(void **state)
{
	struct rte_mbuf *frames[WAITING];
	uint32_t i;

	(void)state;
	both_start(0, rx_pool);
	for (i = 0; i < WAITING; i++)
		frame_send(length_of(i), 1);
	assert_int_equal(rte_eth_rx_burst(guest, 0, frames, WAITING), RX_MBUFS);
	assert_int_equal(stats_of(guest).rx_nombuf, 1);
	assert_int_equal(rte_eth_rx_burst(guest, 0, frames + RX_MBUFS, WAITING - RX_MBUFS), 0);
	assert_int_equal(stats_of(guest).rx_nombuf, 2);
	for (i = 0; i < RX_MBUFS; i++)
		frame_expect(frames[i], length_of(i));
	rte_pktmbuf_free_bulk(frames, RX_MBUFS);
	assert_int_equal(rte_eth_rx_burst(guest, 0, frames, WAITING), WAITING - RX_MBUFS);
	for (; i < WAITING; i++)
		frame_expect(frames[i - RX_MBUFS], length_of(i));
	rte_pktmbuf_free_bulk(frames, WAITING - RX_MBUFS);
	assert_int_equal(stats_of(guest).ipackets, WAITING);
	assert_int_equal(stats_of(guest).ierrors, 0);
}

/**
 * A receiver that keeps frames for a while, so that its pool is empty time and again. A quarter
 * of the cells may be free and not told yet.
 */
static void
test_random_bursts_lose_nothing(void **state)
{
	struct rte_mbuf *kept[RX_MBUFS + WAITING];
	uint64_t random = SEED;
	uint32_t held = 0;
	uint32_t round, count, i;

	(void)state;
	both_start(0, rx_pool);
	for (round = 0; round < 20000; round++) {
		count = pattern_below(&random, 8);
		for (i = 0; i < count && sent - taken < CELLS - CELLS / 4; i++)
			frame_send(length_of((uint32_t)sent), 1);
		count = pattern_below(&random, WAITING);
		count = rte_eth_rx_burst(guest, 0, kept + held, (uint16_t)count);
		for (i = 0; i < count; i++)
			frame_expect(kept[held + i], length_of((uint32_t)taken));
		held += count;
		if (pattern_below(&random, 16) == 0) {
			rte_pktmbuf_free_bulk(kept, held);
			held = 0;
		}
	}
	rte_pktmbuf_free_bulk(kept, held);
	while (taken < sent)
		frame_take(length_of((uint32_t)taken));
	assert_true(stats_of(guest).rx_nombuf > 0);
	assert_int_equal(stats_of(guest).ipackets, sent);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sent_mbufs_go_back),
		TEST(test_sent_mbufs_go_back_by_the_fast_way),
		TEST(test_shared_mbufs_are_kept),
		TEST(test_only_what_went_is_freed),
		TEST(test_received_mbufs_are_as_new),
		TEST(test_pinned_external_buffers_stay_external),
		TEST(test_empty_pool_counts_while_a_frame_waits),
		TEST(test_idle_poll_takes_mbufs_ahead),
		TEST(test_partial_burst_loses_nothing),
		TEST(test_random_bursts_lose_nothing),
	};

	if (rig_start((char *)"port_mbuf_test") != 0)
		return 1;
	return cmocka_run_group_tests_name("port_mbuf", tests, NULL, NULL);
}
