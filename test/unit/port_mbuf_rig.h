/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ports, host and guest, and frames between them, each known by its pattern. */
#ifndef PORT_MBUF_RIG_H
#define PORT_MBUF_RIG_H

#include <stdlib.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_malloc.h>

#include <nhn_link.h>
#include <rte_pmd_nahanni.h>

#include "pattern.h"
#include "port_rig.h"

#define HOST_PORT "net_nahanni0"
#define GUEST_PORT "net_nahanni1"
/** Each side's area carries CELLS and frames of up to 16 KiB. */
#define MEMORY "128K"
#define CELLS 64u
#define FRAME_LONGEST 16384u
#define SEED UINT64_C(0x6d627566)
#define LOOKS 1000000u
/** Of the pool that frames are received into: one chunk of the driver, and less than another. */
#define RX_MBUFS 45u
#define WAITING 60u
#define SEGMENT_ROOM 2048u
#define SEGMENTS_MOST 9u

static char memory_path[PATH_BYTES];
static struct rte_mempool *rx_pool;
static uint16_t host, guest;
static uint64_t sent, taken;

static inline int
port_open(const char *name, const char *role, uint16_t *port)
{
	char args[PATH_BYTES + 64];
	int ret;

	snprintf(args, sizeof(args), "role=%s,path=%s,size=" MEMORY, role, memory_path);
	ret = rte_vdev_init(name, args);
	return ret != 0 ? ret : rte_eth_dev_get_port_by_name(name, port);
}

static inline int
setup(void **state)
{
	(void)state;
	snprintf(memory_path, sizeof(memory_path), "/dev/shm/nahanni-mbuf-test.%d", (int)getpid());
	sent = 0;
	taken = 0;
	rx_pool = rte_pktmbuf_pool_create("received", RX_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (rx_pool == NULL || port_open(HOST_PORT, "host", &host) != 0)
		return -1;
	return port_open(GUEST_PORT, "guest", &guest);
}

/** Both pools are whole again once the ports are gone. */
static inline int
teardown(void **state)
{
	unsigned int missing;

	(void)state;
	rte_vdev_uninit(HOST_PORT);
	rte_vdev_uninit(GUEST_PORT);
	unlink(memory_path);
	missing = rte_mempool_in_use_count(pool) + rte_mempool_in_use_count(rx_pool);
	rte_mempool_free(rx_pool);
	if (missing != 0)
		print_error("%u mbufs were not given back\n", missing);
	return missing == 0 ? 0 : -1;
}

static inline void
port_start(uint16_t port, uint64_t offloads, struct rte_mempool *mbufs)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.txmode.offloads = offloads;
	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, CELLS, 0, NULL, mbufs), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, CELLS, 0, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
}

static inline bool
is_up(uint16_t port)
{
	return nhn_link_state(rte_pmd_nahanni_probe(port)) == NHN_LINK_UP;
}

/** Up without a poll: neither queue has taken an mbuf yet. */
static inline void
both_start(uint64_t offloads, struct rte_mempool *mbufs)
{
	struct rte_eth_link link;
	uint32_t look = 0;

	port_start(host, offloads, pool);
	port_start(guest, 0, mbufs);
	do {
		assert_int_equal(rte_eth_link_get_nowait(host, &link), 0);
		assert_int_equal(rte_eth_link_get_nowait(guest, &link), 0);
		assert_true(++look < LOOKS);
	} while (!is_up(host) || !is_up(guest));
}

/** The next frame, in as many segments. */
static inline struct rte_mbuf *
frame_make(uint32_t length, uint32_t segments)
{
	static uint8_t bytes[SEGMENTS_MOST * SEGMENT_ROOM];
	struct rte_mbuf *frame = NULL;
	uint32_t done = 0;
	uint32_t i;

	pattern_fill(bytes, length, SEED, sent++);
	for (i = 0; i < segments; i++) {
		const uint32_t part = i + 1 < segments ? length / segments : length - done;
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

		assert_non_null(mbuf);
		memcpy(rte_pktmbuf_append(mbuf, (uint16_t)part), bytes + done, part);
		done += part;
		if (frame == NULL)
			frame = mbuf;
		else
			assert_int_equal(rte_pktmbuf_chain(frame, mbuf), 0);
	}
	return frame;
}

static inline void
frame_send(uint32_t length, uint32_t segments)
{
	struct rte_mbuf *frame = frame_make(length, segments);

	assert_int_equal(rte_eth_tx_burst(host, 0, &frame, 1), 1);
}

/** It is the next one, and whole. */
static inline void
frame_expect(const struct rte_mbuf *frame, uint32_t length)
{
	assert_int_equal(frame->pkt_len, length);
	assert_int_equal(frame->data_len, length);
	assert_true(pattern_matches(rte_pktmbuf_mtod(frame, const void *), length, SEED, taken));
	taken++;
}

static inline void
frame_take(uint32_t length)
{
	struct rte_mbuf *frame;

	assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 1);
	frame_expect(frame, length);
	rte_pktmbuf_free(frame);
}

static inline struct rte_eth_stats
stats_of(uint16_t port)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	return stats;
}

/** Bursts of one kind and mixed; 0 segments ends a burst. */
static inline void
bursts_pass(void)
{
	static const uint32_t bursts[][4] = {{1, 1, 1, 1}, {1},	      {2},	 {3, 3},
					     {1, 2, 1},	   {2, 1, 1}, {1, 1, 3}, {4, 1, 2, 9}};
	struct rte_mbuf *frames[4];
	uint16_t count, k;
	size_t i;

	for (i = 0; i < RTE_DIM(bursts); i++) {
		for (count = 0; count < 4 && bursts[i][count] != 0; count++)
			frames[count] = frame_make(200, bursts[i][count]);
		assert_int_equal(rte_eth_tx_burst(host, 0, frames, count), count);
		assert_int_equal(rte_mempool_in_use_count(pool), 0);
		for (k = 0; k < count; k++)
			frame_take(200);
	}
}

#endif /* PORT_MBUF_RIG_H */
