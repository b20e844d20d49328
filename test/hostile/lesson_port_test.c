/* SPDX-License-Identifier: BSD-3-Clause */
/* Lessons of others, on a port of net_nahanni: what becomes of mbufs. Each script fails
 * when the check that it exercises is taken out of the driver or the library. */

#include <dirent.h>
#include <malloc.h>

#include <rte_bus_vdev.h>
#include <rte_malloc.h>

#include "port_peer.h"

static struct port_victim victim;
static struct hostile *const hostile = &victim.hostile;

static void
open_port(uint16_t descriptors, size_t bytes)
{
	memset(&victim, 0, sizeof(victim));
	hostile_begin(hostile, 1);
	hostile->role = NHN_ROLE_GUEST;
	hostile->mtu = 1500;
	victim.queues = 1;
	victim.descriptors = descriptors;
	victim.bytes = bytes;
	port_victim_open(&victim);
	assert_true(port_victim_start(&victim));
	port_peer_begin(&victim);
	assert_true(port_peer_up(&victim));
}

static int
setup(void **state)
{
	(void)state;
	open_port(16, 65536);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	hostile->script = NULL;
	port_victim_stop(&victim);
	port_victim_close(&victim); /* and every mbuf is back */
	return 0;
}

static uint64_t
errors(void)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(victim.port, &stats), 0);
	return stats.ierrors;
}

static struct nhn_tx *
peer_tx(void)
{
	return nhn_link_tx(&port_peer, 0);
}

static uint8_t *
peer_cell(uint32_t back)
{
	return nhn_tx_cell(peer_tx(), peer_tx()->tail - 1 - back);
}

static void
expect_nothing(void)
{
	struct rte_mbuf *frames[8];

	assert_int_equal(rte_eth_rx_burst(victim.port, 0, frames, 8), 0);
}

/*
 * CVE-2022-2132: a chain of descriptors shorter than the header that was to stand in
 * it. Here: frames shorter than an Ethernet header, inline and by descriptor, are
 * dropped and counted, and the next one arrives. And frames to send whose first
 * segments are that short.
 */
static void
test_vhost_2022_2132_shorter_than_a_header(void **state)
{
	struct rte_mbuf *first, *second;
	struct nhn_view view;
	uint16_t length;

	(void)state;
	for (length = 0; length < RTE_ETHER_HDR_LEN; length++) {
		uint64_t before = errors();

		port_peer_send(&victim, 0, length, 0);
		expect_nothing();
		assert_int_equal(errors(), before + 1);
		port_peer_send(&victim, 0, 200, 0); /* by descriptor, and cut */
		((uint32_t *)(void *)peer_cell(0))[1] = length != 0 ? length : 1;
		expect_nothing();
		assert_int_equal(errors(), before + 2);
		first = port_frame_new(&victim, length, 0);
		second = port_frame_new(&victim, 100, 0);
		assert_int_equal(rte_pktmbuf_chain(first, second), 0);
		assert_int_equal(rte_eth_tx_burst(victim.port, 0, &first, 1), 1);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&port_peer, 0), &view, 1), 1);
		assert_int_equal(view.length, length + 100);
		assert_int_equal(nhn_rx_release(nhn_link_rx(&port_peer, 0)), 0);
	}
	port_peer_to_victim(&victim, 0, RTE_ETHER_HDR_LEN, 1);
}

/* The other end of it: longer than the mbuf, up to what a descriptor may name. */
static void
test_vhost_2018_1059_longer_than_the_mbuf(void **state)
{
	uint32_t room = RTE_MBUF_DEFAULT_BUF_SIZE - RTE_PKTMBUF_HEADROOM;
	uint32_t most = peer_tx()->data_bytes / 2;
	uint32_t length;

	(void)state;
	for (length = room + 1; length <= most; length += 97) {
		uint64_t before = errors();

		port_peer_send(&victim, 0, length, 0);
		expect_nothing();
		assert_int_equal(errors(), before + 1);
	}
	port_peer_to_victim(&victim, 0, (uint16_t)room, 1);
}

static void
turn_length_long(struct hostile *h)
{
	uint32_t *word = nhn_tx_commit_word(peer_tx(), peer_cell(0));

	if (h->lends == 0)
		return;
	*word |= 255;
	((uint32_t *)(void *)peer_cell(0))[1] = 2048;
}

/* Hyper-V vmbus: the clamped length was not the one that was used. It turns long once
 * the frame is about to be copied. */
static void
test_vmbus_length_turns_long_before_the_copy(void **state)
{
	static const uint16_t lengths[] = {60, 108, 109, 1000};
	struct rte_mbuf *frame;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(lengths); i++) {
		port_peer_send(&victim, 0, lengths[i], i);
		hostile->script = turn_length_long;
		hostile_enter(hostile);
		assert_int_equal(rte_eth_rx_burst(victim.port, 0, &frame, 1), 1);
		hostile->inside = false;
		hostile->script = NULL;
		assert_int_equal(hostile->lends, 1);
		assert_int_equal(frame->pkt_len, lengths[i]);
		port_frame_check(&victim, frame);
		port_frame_free(frame);
	}
}

/* CVE-2024-11614: offsets of a checksum that the guest asked for lay outside the frame,
 * and were loaded again after the check. Metadata is nothing that a port acts on. */
static void
test_vhost_2024_11614_metadata_is_not_believed(void **state)
{
	struct nhn_frame_metadata *metadata;
	struct rte_mbuf *frame;
	uint32_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		port_peer_send(&victim, 0, 20 + i, i);
		metadata = nhn_tx_metadata(peer_tx(), peer_tx()->tail - 1);
		pattern_fill(metadata, sizeof(*metadata), 5, i);
		assert_int_equal(rte_eth_rx_burst(victim.port, 0, &frame, 1), 1);
		port_frame_check(&victim, frame); /* no flag is set */
		assert_int_equal(frame->tx_offload | frame->vlan_tci | frame->hash.rss |
					 frame->packet_type,
				 0);
		assert_true(pattern_matches(rte_pktmbuf_mtod(frame, void *), 20 + i, 1, i));
		port_frame_free(frame);
	}
}

/* XSA-216: and what a port sends holds no byte of it beside the frame. */
static void
test_xsa_216_metadata_is_zero(void **state)
{
	static const struct nhn_frame_metadata none;
	uint32_t i;

	(void)state;
	memset(hostile->own + NHN_CONTROL_BYTES, 0xdd, hostile->bytes - NHN_CONTROL_BYTES);
	for (i = 0; i < 100; i++) {
		struct rte_mbuf *frame = port_frame_new(&victim, (uint16_t)(14 + i * 3), i);
		struct nhn_view view;

		assert_int_equal(rte_eth_tx_burst(victim.port, 0, &frame, 1), 1);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&port_peer, 0), &view, 1), 1);
		assert_memory_equal(nhn_rx_metadata(nhn_link_rx(&port_peer, 0), &view), &none,
				    sizeof(none));
		assert_int_equal(nhn_rx_release(nhn_link_rx(&port_peer, 0)), 0);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&port_peer, 0), &view, 1), 0);
	}
}

/* memif: a burst of more frames than a byte counts, both ways, in one call. */
static void
test_memif_burst_over_255(void **state)
{
	struct rte_mbuf *frames[PORT_BURST];
	uint16_t i, found;

	(void)state;
	teardown(NULL);
	open_port(512, 1 << 20);
	for (i = 0; i < PORT_BURST; i++)
		port_peer_send(&victim, 0, 14 + i, i);
	found = rte_eth_rx_burst(victim.port, 0, frames, PORT_BURST);
	assert_int_equal(found, PORT_BURST);
	for (i = 0; i < found; i++) {
		port_frame_check(&victim, frames[i]);
		assert_int_equal(frames[i]->pkt_len, 14 + i);
		assert_true(pattern_matches(rte_pktmbuf_mtod(frames[i], void *), 14u + i, 1, i));
	}
	found = rte_eth_tx_burst(victim.port, 0, frames, PORT_BURST);
	assert_int_equal(found, PORT_BURST);
	for (i = 0; i < found; i++) {
		struct nhn_view view;

		assert_int_equal(nhn_rx_peek(nhn_link_rx(&port_peer, 0), &view, 1), 1);
		assert_true(view.length == 14u + i &&
			    pattern_matches(nhn_foreign_lend(view.data), view.length, 1, i));
		assert_int_equal(nhn_rx_release(nhn_link_rx(&port_peer, 0)), 0);
	}
}

/* ---- nothing is left behind ---- */

static void
rewrite_held(struct hostile *h)
{
	if (h->lends == 5) /* the fifth of eight is being copied */
		*nhn_tx_commit_word(peer_tx(), peer_cell(3)) &= ~(1u << 31);
}

/* CVE-2019-14818: what was allocated for a message that was then refused. A burst is
 * rewritten under the driver's copy: none of it is delivered, all of its mbufs are back. */
static void
test_vhost_2019_14818_refused_burst_leaks_no_mbuf(void **state)
{
	uint64_t overruns = 0;
	unsigned int free_before;
	uint32_t i, k;

	(void)state;
	expect_nothing(); /* the queue's spare mbufs are taken */
	free_before = port_mbufs_free();
	for (i = 0; i < 2 * PORT_MBUFS / 8; i++) {
		uint64_t before = errors();

		for (k = 0; k < 8; k++)
			port_peer_send(&victim, 0, 64, k);
		hostile->script = rewrite_held;
		hostile_enter(hostile);
		expect_nothing();
		hostile->inside = false;
		hostile->script = NULL;
		assert_int_equal(errors(), before + 8);
		port_victim_control(&victim);
		overruns = victim.link->faults[NHN_FAULT_OVERRUN];
		nhn_link_finish(&port_peer);
		port_peer_begin(&victim);
		assert_true(port_peer_up(&victim));
	}
	assert_int_equal(overruns, 2 * PORT_MBUFS / 8);
	expect_nothing();
	assert_in_range(port_mbufs_free(), free_before, free_before + 32);
	port_peer_to_victim(&victim, 0, 64, 1);
}

struct left_behind {
	uint32_t descriptors;
	size_t heap;
	size_t eal_heap;
};

static struct left_behind
left_behind(void)
{
	struct left_behind left = {.descriptors = 0};
	struct rte_malloc_socket_stats stats;
	struct mallinfo2 heap = mallinfo2();
	DIR *folder = opendir("/proc/self/fd");

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		left.descriptors++;
	closedir(folder);
	assert_int_equal(rte_malloc_get_socket_stats(0, &stats), 0);
	left.eal_heap = stats.heap_allocsz_bytes;
	left.heap = heap.uordblks + heap.hblkhd;
	return left;
}

static void
expect_nothing_left(const struct left_behind *before)
{
	struct left_behind after = left_behind();

	assert_int_equal(after.descriptors, before->descriptors);
	assert_int_equal(after.eal_heap, before->eal_heap);
	assert_int_equal(after.heap, before->heap);
}

/* CVE-2020-10726: descriptors were left by each repetition of a control message. Lives of
 * a peer, then lives of the port. */
static void
test_vhost_2020_10726_restarts_leak_nothing(void **state)
{
	struct left_behind before;
	uint32_t i;

	(void)state;
	port_peer_begin(&victim);
	assert_true(port_peer_up(&victim));
	before = left_behind();
	for (i = 0; i < 10000; i++) {
		port_peer_begin(&victim);
		assert_true(port_peer_up(&victim));
	}
	expect_nothing_left(&before);
	teardown(NULL);
	setup(NULL);
	teardown(NULL);
	before = left_behind();
	for (i = 0; i < 100; i++) {
		setup(NULL);
		port_victim_stop(&victim);
		assert_true(port_victim_start(&victim));
		teardown(NULL);
	}
	expect_nothing_left(&before);
	setup(NULL);
}

int
main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vhost_2022_2132_shorter_than_a_header),
		TEST(test_vhost_2018_1059_longer_than_the_mbuf),
		TEST(test_vmbus_length_turns_long_before_the_copy),
		TEST(test_vhost_2024_11614_metadata_is_not_believed),
		TEST(test_xsa_216_metadata_is_zero),
		TEST(test_memif_burst_over_255),
		TEST(test_vhost_2019_14818_refused_burst_leaks_no_mbuf),
		TEST(test_vhost_2020_10726_restarts_leak_nothing),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, argc, argv, 0);

	if (ret == 0)
		ret = port_rig_start(argv[0]);
	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_port", tests, NULL, NULL);
}
