/* SPDX-License-Identifier: BSD-3-Clause */
/* The ethdev operations, the same under both probes. */

#include <inttypes.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_version.h>

#include "nahanni.h"

RTE_LOG_REGISTER_DEFAULT(nahanni_logtype, NOTICE);

void
nahanni_log_sentence(void *context, const char *sentence)
{
	RTE_SET_USED(context);
	NAHANNI_LOG(ERR, "%s", sentence);
}

int
nahanni_version_check(void)
{
	if (rte_version_year() == RTE_VER_YEAR && rte_version_month() == RTE_VER_MONTH &&
	    rte_version_minor() == RTE_VER_MINOR)
		return 0;
	NAHANNI_LOG(ERR,
		    "built for DPDK %d.%02d.%d, running on %s, and DPDK's driver interface may "
		    "differ between the two: build again (devtools/setup, ninja)",
		    RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR, rte_version());
	return -ENOTSUP;
}

/** Cells of a queue: as many as the largest number of descriptors asked for. */
static uint32_t
cells_wanted(const struct rte_eth_dev_data *data)
{
	uint32_t cells = NHN_CELLS_MIN;
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		const struct nahanni_queue *rx = data->rx_queues[i];
		const struct nahanni_queue *tx = data->tx_queues[i];

		cells = RTE_MAX(cells, (uint32_t)rx->descriptors);
		cells = RTE_MAX(cells, (uint32_t)tx->descriptors);
	}
	return rte_align32pow2(cells);
}

static int
dev_configure(struct rte_eth_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->data;

	if (data->nb_rx_queues == data->nb_tx_queues)
		return 0;
	NAHANNI_LOG(ERR, "%s: %u rx and %u tx queues asked for, expected as many of each",
		    data->name, data->nb_rx_queues, data->nb_tx_queues);
	return -EINVAL;
}

/** The longest frame that an mbuf takes; ethdev has seen to it that there is a headroom. */
static uint32_t
mbuf_room(struct rte_mempool *pool)
{
	return (uint32_t)(rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM);
}

/** Whether a frame of the MTU fits one mbuf. */
static int
mbufs_fit(const struct rte_eth_dev_data *data, struct rte_mempool *pool)
{
	uint32_t room = mbuf_room(pool);
	uint32_t frame = data->mtu + NHN_FRAME_OVERHEAD;

	if (room >= frame)
		return 0;
	NAHANNI_LOG(ERR,
		    "%s: mbufs of %s have room for %u bytes, expected at least %u for an MTU of "
		    "%u: take larger mbufs or a smaller MTU",
		    data->name, pool->name, room, frame, data->mtu);
	return -EINVAL;
}

/** Whether frames of the MTU fit what the queues and their descriptors left of the memory. */
static int
frames_fit(const struct nahanni_port *port, const struct nhn_layout *layout)
{
	uint32_t most = layout->entry[0].data_bytes / 2;
	uint64_t bytes = RTE_MIN(port->own_bytes, port->peer_bytes);
	uint32_t frame = port->data->mtu + NHN_FRAME_OVERHEAD;

	if (frame <= most)
		return 0;
	NAHANNI_LOG(ERR,
		    "%s: an MTU of %u needs frames of %u bytes, the area of %" PRIu64
		    " bytes carries %u: take a larger size, fewer queues or fewer descriptors",
		    port->data->name, port->data->mtu, frame, bytes, most);
	return -EINVAL;
}

/** Whether each queue is set up, and each receive queue's mbufs take a frame. */
static int
queues_ready(const struct rte_eth_dev_data *data)
{
	const struct nahanni_queue *rx;
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		rx = data->rx_queues[i];
		if (rx == NULL || data->tx_queues[i] == NULL) {
			NAHANNI_LOG(ERR, "%s: %s queue %u is not set up, expected all %u of each",
				    data->name, rx == NULL ? "rx" : "tx", i, data->nb_rx_queues);
			return -EINVAL;
		}
		if (mbufs_fit(data, rx->pool) != 0)
			return -EINVAL;
	}
	return 0;
}

/** Open the link for frames. The lock publishes all of it to whoever asks for the status. */
static int
frames_open(struct nahanni_port *port, struct nhn_link_config *config)
{
	const struct rte_eth_dev_data *data = port->data;
	uint32_t i;
	int ret;

	rte_spinlock_lock(&port->lock);
	ret = nahanni_link_open(port, config);
	if (ret == 0) {
		for (i = 0; i < data->nb_rx_queues; i++) {
			struct nahanni_queue *tx = data->tx_queues[i];

			((struct nahanni_queue *)data->rx_queues[i])->rx =
				nhn_link_rx(port->link, i);
			tx->tx = nhn_link_tx(port->link, i);
			tx->fast_free = (data->dev_conf.txmode.offloads &
					 RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE) != 0;
		}
		port->stepping = false;
		port->next_step_ns = 0;
		port->next_check_ns = 0;
		nhn_store_release(&port->gate, 0);
		port->service = NAHANNI_FRAMES;
	}
	rte_spinlock_unlock(&port->lock);
	return ret;
}

static int
dev_start(struct rte_eth_dev *dev)
{
	struct nahanni_port *port = dev->data->dev_private;
	struct nhn_link_config config = {.use = NHN_USE_ETHERNET};
	int ret = queues_ready(dev->data);

	if (ret == 0 && port->args.peer_device)
		ret = nahanni_peer_take(port);
	if (ret != 0)
		return ret;
	nahanni_layout_fit(port, &config.layout, dev->data->nb_rx_queues, NHN_USE_ETHERNET,
			   cells_wanted(dev->data));
	ret = frames_fit(port, &config.layout);
	return ret != 0 ? ret : frames_open(port, &config);
}

static void
queue_free(struct nahanni_queue *queue)
{
	if (queue == NULL)
		return;
	if (queue->spare_count != 0)
		rte_mempool_put_bulk(queue->pool, (void **)queue->spare, queue->spare_count);
	rte_free(queue);
}

static void
rx_queue_release(struct rte_eth_dev *dev, uint16_t index)
{
	queue_free(dev->data->rx_queues[index]);
	dev->data->rx_queues[index] = NULL;
}

static void
tx_queue_release(struct rte_eth_dev *dev, uint16_t index)
{
	queue_free(dev->data->tx_queues[index]);
	dev->data->tx_queues[index] = NULL;
}

static int
dev_stop(struct rte_eth_dev *dev)
{
	struct nahanni_port *port = dev->data->dev_private;
	struct rte_eth_link down = {.link_status = RTE_ETH_LINK_DOWN};

	rte_spinlock_lock(&port->lock);
	nhn_link_finish(port->link);
	port->service = NAHANNI_STOPPED;
	rte_spinlock_unlock(&port->lock);
	rte_eth_linkstatus_set(dev, &down);
	return 0;
}

int
nahanni_dev_close(struct rte_eth_dev *dev)
{
	struct nahanni_port *port = dev->data->dev_private;
	uint16_t i;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	dev_stop(dev);
	/* ethdev frees the arrays of queues only. */
	for (i = 0; i < dev->data->nb_rx_queues; i++)
		rx_queue_release(dev, i);
	for (i = 0; i < dev->data->nb_tx_queues; i++)
		tx_queue_release(dev, i);
	nahanni_files_close(port);
	nahanni_peer_give_back(port);
	nahanni_args_free(&port->args);
	if (port->lock_fd >= 0)
		close(port->lock_fd);
	port->lock_fd = -1;
	rte_free(port->link);
	port->link = NULL;
	return 0;
}

/** Longest frame of any configuration: half the data ring of a lone queue. */
static uint32_t
frame_bytes_max(const struct nahanni_port *port)
{
	struct nhn_layout layout;

	nahanni_layout_fit(port, &layout, 1, NHN_USE_ETHERNET, NHN_CELLS_MIN);
	return RTE_MIN(layout.entry[0].data_bytes / 2, (uint32_t)UINT16_MAX);
}

static int
dev_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	const struct nahanni_port *port = dev->data->dev_private;
	struct rte_eth_desc_lim limit = {.nb_max = 32768, .nb_min = NHN_CELLS_MIN, .nb_align = 1};

	info->max_rx_queues = port->args.queues;
	info->max_tx_queues = port->args.queues;
	info->max_mac_addrs = 1;
	info->min_rx_bufsize = RTE_ETHER_MIN_LEN;
	info->max_rx_pktlen = frame_bytes_max(port);
	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = (uint16_t)(info->max_rx_pktlen - NHN_FRAME_OVERHEAD);
	info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	info->rx_desc_lim = limit;
	info->tx_desc_lim = limit;
	info->default_rxportconf.ring_size = NAHANNI_CELLS_DEFAULT;
	info->default_txportconf.ring_size = NAHANNI_CELLS_DEFAULT;
	info->default_rxportconf.burst_size = NAHANNI_RX_CHUNK;
	info->default_txportconf.burst_size = NAHANNI_RX_CHUNK;
	info->default_rxportconf.nb_queues = 1;
	info->default_txportconf.nb_queues = 1;
	return 0;
}

/** The handshake tells; asking is also what moves it before the first burst. */
static int
link_update(struct rte_eth_dev *dev, int wait_to_complete)
{
	struct nahanni_port *port = dev->data->dev_private;
	struct rte_eth_link link = {
		.link_speed = RTE_ETH_SPEED_NUM_UNKNOWN,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = RTE_ETH_LINK_DOWN,
	};
	/* As long as other drivers wait: 9 s in all, and at least one look. */
	uint32_t tries = wait_to_complete ? 90000 : 1;

	if (dev->data->dev_started) {
		do {
			nahanni_control(port);
			if (nhn_link_state(port->link) == NHN_LINK_UP)
				link.link_status = RTE_ETH_LINK_UP;
			else if (tries > 1)
				rte_delay_us_sleep(100);
		} while (link.link_status == RTE_ETH_LINK_DOWN && --tries > 0);
	}
	return rte_eth_linkstatus_set(dev, &link);
}

static struct nahanni_queue *
queue_new(struct rte_eth_dev *dev, uint16_t descriptors, unsigned int socket)
{
	struct nahanni_queue *queue;

	queue = rte_zmalloc_socket("net_nahanni queue", sizeof(*queue), RTE_CACHE_LINE_SIZE,
				   (int)socket);
	if (queue == NULL) {
		NAHANNI_LOG(ERR, "%s: no memory for a queue of %zu bytes", dev->data->name,
			    sizeof(*queue));
		return NULL;
	}
	queue->port = dev->data->dev_private;
	queue->descriptors = descriptors;
	return queue;
}

/** The queues of a port start and stop together. */
static int
start_with_port(const struct rte_eth_dev_data *data, const char *kind, uint16_t index,
		uint8_t deferred)
{
	if (!deferred)
		return 0;
	NAHANNI_LOG(ERR,
		    "%s: %s queue %u asks for a deferred start, expected none: queues start with "
		    "their port",
		    data->name, kind, index);
	return -ENOTSUP;
}

/** What stands at rearm_data of an mbuf that was received. */
static uint64_t
rearm_data(uint16_t port_id)
{
	struct rte_mbuf mbuf = {
		.data_off = RTE_PKTMBUF_HEADROOM,
		.refcnt = 1,
		.nb_segs = 1,
		.port = port_id,
	};
	uint64_t data;

	memcpy(&data, &mbuf.rearm_data, sizeof(data));
	return data;
}

static int
rx_queue_setup(struct rte_eth_dev *dev, uint16_t index, uint16_t descriptors, unsigned int socket,
	       const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct nahanni_queue *queue;
	int ret = start_with_port(dev->data, "rx", index, conf->rx_deferred_start);

	if (ret == 0)
		ret = mbufs_fit(dev->data, pool);
	if (ret != 0)
		return ret;
	queue = queue_new(dev, descriptors, socket);
	if (queue == NULL)
		return -ENOMEM;
	queue->pool = pool;
	queue->frame_bytes = mbuf_room(pool);
	queue->rearm_data = rearm_data(dev->data->port_id);
	dev->data->rx_queues[index] = queue;
	return 0;
}

static int
tx_queue_setup(struct rte_eth_dev *dev, uint16_t index, uint16_t descriptors, unsigned int socket,
	       const struct rte_eth_txconf *conf)
{
	int ret = start_with_port(dev->data, "tx", index, conf->tx_deferred_start);

	if (ret != 0)
		return ret;
	dev->data->tx_queues[index] = queue_new(dev, descriptors, socket);
	return dev->data->tx_queues[index] != NULL ? 0 : -ENOMEM;
}

/** Within the bounds of dev_infos_get(); start looks whether the queues leave room for it. */
static int
mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	RTE_SET_USED(mtu);
	/* The peer learns of it at the next start. */
	return dev->data->dev_started ? -EBUSY : 0;
}

/** The peer learns of it at the next start. */
static int
mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *address)
{
	rte_ether_addr_copy(address, dev->data->mac_addrs);
	return 0;
}

/** A link of two ends: every frame is for the other. */
static int
all_frames(struct rte_eth_dev *dev)
{
	RTE_SET_USED(dev);
	return 0;
}

static const struct eth_dev_ops nahanni_ops = {
	.dev_configure = dev_configure,
	.dev_start = dev_start,
	.dev_stop = dev_stop,
	.dev_close = nahanni_dev_close,
	.dev_infos_get = dev_infos_get,
	.link_update = link_update,
	.rx_queue_setup = rx_queue_setup,
	.rx_queue_release = rx_queue_release,
	.tx_queue_setup = tx_queue_setup,
	.tx_queue_release = tx_queue_release,
	.stats_get = nahanni_stats_get,
	.stats_reset = nahanni_stats_reset,
	.xstats_get = nahanni_xstats_get,
	.xstats_get_names = nahanni_xstats_get_names,
	.mtu_set = mtu_set,
	.mac_addr_set = mac_addr_set,
	.promiscuous_enable = all_frames,
	.promiscuous_disable = all_frames,
	.allmulticast_enable = all_frames,
	.allmulticast_disable = all_frames,
};

bool
nahanni_dev_ours(const struct rte_eth_dev *dev)
{
	return dev->dev_ops == &nahanni_ops;
}

int
nahanni_dev_init(struct rte_eth_dev *dev)
{
	struct nahanni_port *port = dev->data->dev_private;

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) {
		NAHANNI_LOG(ERR,
			    "%s: membarrier(2) is refused (%s), expected Linux 4.14 or later "
			    "and no filter on it",
			    dev->data->name, strerror(errno));
		return -ENOTSUP;
	}
	port->link = rte_zmalloc("net_nahanni link", sizeof(*port->link), NHN_LINE_BYTES);
	dev->data->mac_addrs = rte_zmalloc("net_nahanni mac", RTE_ETHER_ADDR_LEN, 0);
	if (port->link == NULL || dev->data->mac_addrs == NULL) {
		NAHANNI_LOG(ERR, "%s: no memory for the link", dev->data->name);
		rte_free(port->link);
		return -ENOMEM;
	}
	rte_eth_random_addr(dev->data->mac_addrs->addr_bytes);
	rte_spinlock_init(&port->lock);
	port->data = dev->data;
	port->ns_per_cycle_q32 = ((uint64_t)NS_PER_S << 32) / rte_get_tsc_hz();
	dev->data->dev_flags |= RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS;
	dev->dev_ops = &nahanni_ops;
	dev->rx_pkt_burst = nahanni_rx_burst;
	dev->tx_pkt_burst = nahanni_tx_burst;
	return 0;
}
