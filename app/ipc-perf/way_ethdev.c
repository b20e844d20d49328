/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of one queue pair through the ethdev API: a vdev over a file, or a probed PCI port. */

#include <errno.h>
#include <inttypes.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include <rte_pmd_nahanni.h>

#include "eal_args.h"
#include "port.h"
#include "say.h"
#include "way.h"

/** Frames under way are one, and the PMD keeps some ready: far below this. */
#define POOL_MBUFS 2048u
#define POOL_CACHE 64u
#define RING_DESCRIPTORS 1024u
/** IEEE 802, local experimental EtherType 1. */
#define ETHER_TYPE 0x88b5u

static inline void *
way_reserve(struct way *way, uint32_t length)
{
	uint32_t frame_bytes = length + RTE_ETHER_HDR_LEN;
	struct rte_ether_hdr *header;

	if (likely(way->frame == NULL))
		way->frame = rte_pktmbuf_alloc(way->pool);
	if (unlikely(way->frame == NULL))
		return NULL;
	way->frame->data_len = (uint16_t)frame_bytes;
	way->frame->pkt_len = frame_bytes;
	header = rte_pktmbuf_mtod(way->frame, struct rte_ether_hdr *);
	*header = way->header;
	return header + 1;
}

static inline bool
way_commit(struct way *way, void *body, uint32_t length)
{
	RTE_SET_USED(body);
	RTE_SET_USED(length);
	if (unlikely(rte_eth_tx_burst(way->port, 0, &way->frame, 1) == 0))
		return false;
	way->frame = NULL;
	return true;
}

static inline int
way_poll(struct way *way, struct message *message)
{
	const struct rte_ether_hdr *header;

	if (rte_eth_rx_burst(way->port, 0, &message->mbuf, 1) == 0)
		return 0;
	header = rte_pktmbuf_mtod(message->mbuf, const struct rte_ether_hdr *);
	if (unlikely(header->ether_type != RTE_BE16(ETHER_TYPE))) {
		rte_pktmbuf_free(message->mbuf);
		return 0;
	}
	message->data = (const uint8_t *)(header + 1);
	message->length = (uint32_t)(message->mbuf->data_len - RTE_ETHER_HDR_LEN);
	return 1;
}

static inline int
way_release(struct way *way, struct message *message)
{
	RTE_SET_USED(way);
	rte_pktmbuf_free(message->mbuf);
	return 0;
}

static inline int
way_echo(struct way *way, struct message *message)
{
	return rte_eth_tx_burst(way->port, 0, &message->mbuf, 1);
}

/** The memory of a link that stays down may be the cause: the port looks, and logs why. */
static bool
way_memory_lost(struct way *way)
{
	uint64_t now_ns = nhn_clock_ns(way->clock, nhn_clock_now());
	uint64_t value = 0;

	if (way->lost || now_ns < way->look_ns)
		return way->lost;
	way->look_ns = now_ns + MEMORY_LOOK_NS;
	way->lost =
		rte_eth_xstats_get_by_id(way->port, &way->lost_id, &value, 1) == 1 && value != 0;
	return way->lost;
}

static enum watch
way_watch(struct way *way)
{
	enum nhn_link_state state = nhn_link_state(way->link);
	struct rte_eth_link link;
	bool first;

	if (*way->stopped)
		return WATCH_STOPPED;
	/* Asking also moves the link on, where no burst does. */
	rte_eth_link_get_nowait(way->port, &link);
	if (unlikely(state != NHN_LINK_UP) && way_memory_lost(way))
		return WATCH_LOST;
	if (state != NHN_LINK_UP && state != NHN_LINK_STALLED)
		return WATCH_DOWN;
	if (likely(way->sessions == way->link->sessions))
		return WATCH_UP;
	first = way->sessions == 0;
	way->sessions = way->link->sessions;
	return first ? WATCH_UP : WATCH_RESTARTED;
}

#include "engine_ping.h"
#include "engine_pong.h"

static int
queues_setup(struct way *way)
{
	const struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	unsigned int socket = rte_socket_id();
	uint16_t rx = RING_DESCRIPTORS;
	uint16_t tx = RING_DESCRIPTORS;
	int ret;

	way->pool = rte_pktmbuf_pool_create("ipc-perf", POOL_MBUFS, POOL_CACHE, 0,
					    RTE_MBUF_DEFAULT_BUF_SIZE, (int)socket);
	if (way->pool == NULL) {
		say("There is no memory for %u mbufs (%s), expected some MiB: give EAL more by -m"
		    " or free hugepages.",
		    POOL_MBUFS, rte_strerror(rte_errno));
		return -ENOMEM;
	}
	ret = rte_eth_dev_configure(way->port, 1, 1, &conf);
	if (ret == 0)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(way->port, &rx, &tx);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(way->port, 0, rx, socket, NULL, way->pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(way->port, 0, tx, socket, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(way->port);
	if (ret != 0)
		say("Port %u cannot be started with one queue pair (%s), expected that it can: see"
		    " the messages of net_nahanni above.",
		    way->port, rte_strerror(-ret));
	return ret;
}

static int
ethdev_open(struct way *way, const struct options *options)
{
	int ret = port_find(options->link.pci ? options->link.bdf : VDEV_NAME, &way->port);

	if (ret == 0)
		ret = queues_setup(way);
	if (ret == 0)
		ret = rte_eth_macaddr_get(way->port, &way->header.src_addr);
	if (ret != 0)
		return ret;
	memset(&way->header.dst_addr, 0xff, sizeof(way->header.dst_addr));
	way->header.ether_type = RTE_BE16(ETHER_TYPE);
	way->link = rte_pmd_nahanni_probe(way->port);
	if (way->link != NULL)
		return rte_eth_xstats_get_id_by_name(way->port, "memory_lost", &way->lost_id);
	say("Port %u has no probe words (%s), expected those of net_nahanni.", way->port,
	    rte_strerror(rte_errno));
	return -rte_errno;
}

static void
ethdev_close(struct way *way)
{
	/* Each step is harmless where the open did not come so far. */
	if (way->pool == NULL)
		return;
	rte_eth_dev_stop(way->port);
	rte_eth_dev_close(way->port);
	rte_pktmbuf_free(way->frame);
	rte_mempool_free(way->pool);
}

static void
ethdev_bounds(const struct way *way, struct way_bounds *bounds)
{
	uint16_t mtu = 0;

	rte_eth_dev_get_mtu(way->port, &mtu);
	bounds->min = FRAME_BYTES_MIN;
	bounds->max = (uint32_t)mtu + RTE_ETHER_HDR_LEN;
	bounds->limited_by = "the port's MTU and the Ethernet header";
}

const struct way_calls way_ethdev = {
	.open = ethdev_open,
	.close = ethdev_close,
	.watch = way_watch,
	.bounds = ethdev_bounds,
	.overhead_bytes = RTE_ETHER_HDR_LEN,
	.wait_up = engine_wait_up,
	.exchange = engine_exchange,
	.limit = engine_limit,
	.end = engine_end,
	.serve = engine_serve,
};
