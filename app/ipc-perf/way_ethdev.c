/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames through the ethdev API: a port of net_nahanni, over files or a probed PCI
 * device, or a port of any other driver, which has no link to ask for restarts.
 */

#include <errno.h>
#include <inttypes.h>

#include <rte_branch_prediction.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include <rte_pmd_nahanni.h>

#include "eal_args.h"
#include "port.h"
#include "say.h"
#include "way_internal.h"

/** The first queue is FIFO for everything; the second has the bulk of mixed only. */
#define WAY_DATA_LANE LANE_FIRST
/** Both rings of two queues full, bursts in hand, and what a PMD keeps ready. */
#define POOL_MBUFS 4096u
#define POOL_CACHE 256u
/** Of all queues together, so that a second one takes no more memory of a link. */
#define RING_DESCRIPTORS 1024u
/** IEEE 802, local experimental EtherType 1. */
#define ETHER_TYPE 0x88b5u
/** Frames given back at once. */
#define KEPT_MAX 64u

/** Room for a message in a frame; shorter ones are filled up to the smallest frame. */
static inline uint8_t *
frame_fill(struct way *way, struct rte_mbuf *frame, uint32_t length)
{
	uint32_t bytes = RTE_MAX(length + RTE_ETHER_HDR_LEN, FRAME_BYTES_MIN);
	struct rte_ether_hdr *header = rte_pktmbuf_mtod(frame, struct rte_ether_hdr *);

	frame->data_len = (uint16_t)bytes;
	frame->pkt_len = bytes;
	*header = way->header;
	return (uint8_t *)(header + 1);
}

static inline void *
way_reserve(struct way *way, uint32_t lane, uint32_t length)
{
	if (likely(way->frame[lane] == NULL))
		way->frame[lane] = rte_pktmbuf_alloc(way->pool);
	if (unlikely(way->frame[lane] == NULL))
		return NULL;
	return frame_fill(way, way->frame[lane], length);
}

static inline bool
way_commit(struct way *way, uint32_t lane, void *body, uint32_t length)
{
	RTE_SET_USED(body);
	RTE_SET_USED(length);
	if (unlikely(rte_eth_tx_burst(way->port, (uint16_t)lane, &way->frame[lane], 1) == 0))
		return false;
	way->frame[lane] = NULL;
	return true;
}

static inline int
way_poll(struct way *way, uint32_t lane, struct message *message, uint32_t ahead)
{
	struct frames *frames = &way->received[lane];
	const struct rte_ether_hdr *header;

	if (unlikely(frames->next != frames->count)) {
		message->mbuf = frames->mbuf[frames->next++];
	} else if (ahead == 1) {
		if (rte_eth_rx_burst(way->port, (uint16_t)lane, &message->mbuf, 1) == 0)
			return 0;
	} else {
		frames->next = 0;
		frames->count =
			rte_eth_rx_burst(way->port, (uint16_t)lane, frames->mbuf, (uint16_t)ahead);
		if (frames->count == 0)
			return 0;
		message->mbuf = frames->mbuf[frames->next++];
	}
	header = rte_pktmbuf_mtod(message->mbuf, const struct rte_ether_hdr *);
	if (unlikely(message->mbuf->data_len < sizeof(*header) ||
		     header->ether_type != RTE_BE16(ETHER_TYPE))) {
		rte_pktmbuf_free(message->mbuf);
		return 0;
	}
	message->data = (const uint8_t *)(header + 1);
	message->length = (uint32_t)(message->mbuf->data_len - RTE_ETHER_HDR_LEN);
	return 1;
}

static inline int
way_release(struct way *way, uint32_t lane, struct message *message)
{
	RTE_SET_USED(way);
	RTE_SET_USED(lane);
	rte_pktmbuf_free(message->mbuf);
	return 0;
}

static inline int
way_settle(struct way *way, uint32_t lane)
{
	struct frames *kept = &way->kept;

	RTE_SET_USED(lane);
	if (kept->count != 0)
		rte_pktmbuf_free_bulk(kept->mbuf, kept->count);
	kept->count = 0;
	return 0;
}

static inline void
way_keep(struct way *way, uint32_t lane, struct message *message)
{
	struct frames *kept = &way->kept;

	kept->mbuf[kept->count++] = message->mbuf;
	if (unlikely(kept->count == KEPT_MAX))
		way_settle(way, lane);
}

static inline int
way_echo(struct way *way, struct message *message, bool stamp)
{
	if (stamp)
		message_stamp((uint8_t *)(uintptr_t)message->data, way->clock);
	return rte_eth_tx_burst(way->port, LANE_FIRST, &message->mbuf, 1);
}

static inline bool
way_flush(struct way *way, uint32_t lane)
{
	struct frames *unsent = &way->unsent[lane];

	if (likely(unsent->next == unsent->count))
		return true;
	unsent->next += rte_eth_tx_burst(way->port, (uint16_t)lane, unsent->mbuf + unsent->next,
					 (uint16_t)(unsent->count - unsent->next));
	return unsent->next == unsent->count;
}

/* What the port does not take goes first the next time. */
static inline uint32_t
way_send_data(struct way *way, uint32_t lane, const uint8_t *pattern, uint32_t sequence,
	      uint32_t length, uint32_t count)
{
	const uint32_t command = protocol_command(PROTOCOL_DATA, 0);
	struct frames *unsent = &way->unsent[lane];
	uint32_t i;

	if (unlikely(!way_flush(way, lane)) ||
	    unlikely(rte_pktmbuf_alloc_bulk(way->pool, unsent->mbuf, count) != 0))
		return 0;
	for (i = 0; i < count; i++)
		message_fill(frame_fill(way, unsent->mbuf[i], length), sequence + i, command,
			     pattern, length);
	unsent->count = count;
	unsent->next = rte_eth_tx_burst(way->port, (uint16_t)lane, unsent->mbuf, (uint16_t)count);
	return count;
}

static uint32_t
way_unsend(struct way *way, uint32_t lane)
{
	struct frames *unsent = &way->unsent[lane];
	const uint32_t count = unsent->count - unsent->next;

	rte_pktmbuf_free_bulk(unsent->mbuf + unsent->next, count);
	unsent->next = unsent->count = 0;
	return count;
}

static inline uint32_t
way_message_max(const struct way *way)
{
	const uint32_t room = RTE_MBUF_DEFAULT_BUF_SIZE - RTE_PKTMBUF_HEADROOM - RTE_ETHER_HDR_LEN;
	uint16_t mtu = 0;

	rte_eth_dev_get_mtu(way->port, &mtu);
	return RTE_MIN(mtu, room);
}

static void
way_drain(struct way *way)
{
	struct message message;
	uint32_t i;

	if (way->lanes <= LANE_BULK)
		return;
	for (i = 0; i < WATCH_POLLS && way_poll(way, LANE_BULK, &message, FRAMES_MAX) > 0; i++)
		way_release(way, LANE_BULK, &message);
}

/** The memory of a link that stays down may be the cause: the port looks, and logs why. */
static bool
port_memory_lost(struct way *way)
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
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};
	enum nhn_link_state state;
	bool first;

	if (*way->stopped)
		return WATCH_STOPPED;
	/* Asking also moves a link of net_nahanni on, where no burst does. */
	state = way->link != NULL ? nhn_link_state(way->link) : NHN_LINK_UP;
	rte_eth_link_get_nowait(way->port, &link);
	if (unlikely(way->lost))
		return WATCH_LOST;
	if (way->link == NULL)
		return link.link_status == RTE_ETH_LINK_UP ? WATCH_UP : WATCH_DOWN;
	if (unlikely(state != NHN_LINK_UP) && port_memory_lost(way))
		return WATCH_LOST;
	if (state != NHN_LINK_UP && state != NHN_LINK_STALLED)
		return WATCH_DOWN;
	if (likely(way->sessions == way->link->sessions))
		return WATCH_UP;
	first = way->sessions == 0;
	way->sessions = way->link->sessions;
	return first ? WATCH_UP : WATCH_RESTARTED;
}

static inline bool
way_serve_other(struct way *way, struct far *far)
{
	RTE_SET_USED(way);
	RTE_SET_USED(far);
	return false;
}

static inline bool
way_busy(const struct way *way)
{
	(void)way;
	return false;
}

static inline bool
way_pending(struct way *way, uint32_t lane)
{
	(void)way;
	(void)lane;
	return false;
}

#include "way_loops.h"

#include "loop_rpc.h"

#define WAY_RPC loop_rpc
#include "loop_calls.h"

/** A second queue for bulk, where the port has one both ways. */
static uint16_t
queues_wanted(const struct way *way)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(way->port, &info) != 0)
		return 1;
	return info.max_rx_queues >= LANES && info.max_tx_queues >= LANES ? LANES : 1;
}

static int
queue_setup(struct way *way, uint16_t queue, uint16_t descriptors)
{
	unsigned int socket = rte_socket_id();
	uint16_t rx = descriptors;
	uint16_t tx = descriptors;
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(way->port, &rx, &tx);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(way->port, queue, rx, socket, NULL, way->pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(way->port, queue, tx, socket, NULL);
	return ret;
}

static int
port_start(struct way *way, uint16_t queues)
{
	const struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	uint16_t queue;
	int ret = rte_eth_dev_configure(way->port, queues, queues, &conf);

	for (queue = 0; queue < queues && ret == 0; queue++)
		ret = queue_setup(way, queue, (uint16_t)(RING_DESCRIPTORS / queues));
	if (ret == 0)
		ret = rte_eth_dev_start(way->port);
	if (ret == 0)
		way->lanes = queues;
	return ret;
}

static int
queues_setup(struct way *way)
{
	uint16_t queues = queues_wanted(way);
	int ret;

	way->pool = rte_pktmbuf_pool_create("ipc-perf", POOL_MBUFS, POOL_CACHE, 0,
					    RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	if (way->pool == NULL) {
		say("There is no memory for %u mbufs (%s), expected some MiB: give EAL more by -m"
		    " or free hugepages.",
		    POOL_MBUFS, rte_strerror(rte_errno));
		return -ENOMEM;
	}
	ret = port_start(way, queues);
	if (ret != 0 && queues > 1)
		ret = port_start(way, 1);
	if (ret != 0)
		say("Port %u cannot be started with one queue pair (%s), expected that it can: see"
		    " the messages of its driver above.",
		    way->port, rte_strerror(-ret));
	return ret;
}

/** The link of net_nahanni behind a started port. */
static int
nahanni_open(struct way *way)
{
	way->link = rte_pmd_nahanni_probe(way->port);
	if (way->link != NULL)
		return rte_eth_xstats_get_id_by_name(way->port, "memory_lost", &way->lost_id);
	say("Port %u has no probe words (%s), expected those of net_nahanni.", way->port,
	    rte_strerror(rte_errno));
	return -rte_errno;
}

static int
ethdev_open(struct way *way, const struct options *options)
{
	const struct link_option *link = &options->link;
	bool ours = true;
	int ret;

	way->far = options->settings.engine == NULL;
	if (link->port != NULL)
		ret = port_find_any(link->port, &way->port, &ours);
	else
		ret = port_find(link->pci ? link->bdf : VDEV_NAME, &way->port);
	if (ret == 0)
		ret = queues_setup(way);
	if (ret == 0)
		ret = rte_eth_macaddr_get(way->port, &way->header.src_addr);
	if (ret != 0)
		return ret;
	memset(&way->header.dst_addr, 0xff, sizeof(way->header.dst_addr));
	way->header.ether_type = RTE_BE16(ETHER_TYPE);
	if (ours)
		return nahanni_open(way);
	/* Others filter by address. */
	rte_eth_promiscuous_enable(way->port);
	if (link->limit == NULL)
		return 0;
	return words_open(&way->memory, link->limit, way->far, &way->own_word, &way->peer_word);
}

static void
ethdev_close(struct way *way)
{
	uint32_t lane;

	memory_close(&way->memory);
	/* Each step is harmless where the open did not come so far. */
	if (way->pool == NULL)
		return;
	for (lane = 0; lane < LANES; lane++) {
		struct frames *received = &way->received[lane];
		struct frames *unsent = &way->unsent[lane];

		rte_pktmbuf_free_bulk(received->mbuf + received->next,
				      received->count - received->next);
		rte_pktmbuf_free_bulk(unsent->mbuf + unsent->next, unsent->count - unsent->next);
		rte_pktmbuf_free(way->frame[lane]);
	}
	rte_eth_dev_stop(way->port);
	rte_eth_dev_close(way->port);
	rte_mempool_free(way->pool);
}

static void
ethdev_bounds(const struct way *way, struct way_bounds *bounds)
{
	bounds->min = FRAME_BYTES_MIN;
	bounds->max = way_message_max(way) + RTE_ETHER_HDR_LEN;
	bounds->limited_by = "the port's MTU and the Ethernet header";
}

static const char *
ethdev_mixed_refusal(const struct way *way)
{
	return way->lanes > LANE_BULK
		       ? NULL
		       : "the port has one queue each way, expected two: give the device"
			 " queues=2 or such, or take --via msg";
}

const struct way_calls way_ethdev = {
	.name = "ethdev",
	.overhead_bytes = RTE_ETHER_HDR_LEN,
	.open = ethdev_open,
	.close = ethdev_close,
	.bounds = ethdev_bounds,
	.wait_up = loop_wait_up,
	.keep = loop_keep,
	.order = call_order,
	.trips = call_trips,
	.limit = call_limit,
	.paced = call_paced,
	.rpc = call_rpc,
	.flood = call_flood,
	.duplex = call_duplex,
	.mixed = call_mixed,
	.mixed_refusal = ethdev_mixed_refusal,
	.end = call_end,
	.serve = loop_serve,
};
