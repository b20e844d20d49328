/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the contestants that are ethdev ports have in common: a message is a frame, its
 * head included, in one mbuf; link i is queue i. Include contest_loops.h after it.
 */
#ifndef PEER_PORT_H
#define PEER_PORT_H

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "contest.h"

/** Of an Ethernet frame, head included, without its check sum, which none of these carries. */
#define PORT_FRAME_MIN 60u
#define PORT_FRAME_MAX 1518u
#define PORT_MTU (PORT_FRAME_MAX - RTE_ETHER_HDR_LEN)
/** Of an mbuf, and of a driver's own buffers: what DPDK and memif have unless told otherwise. */
#define PORT_ROOM 2048u
/** Where the number lies: behind the head, even. */
#define PORT_AT 16u
#define PORT_LINKS_MAX 8u
#define PORT_PATH_BYTES 108

/** As the guides of the drivers have it. */
#define PORT_RING 1024u
#define PORT_RING_MIN 16u

/** Of Nahanni's driver: descriptors at most, and the memory of a port, or of a direction. */
#define PORT_NAHANNI_RING_MAX 32768u
#define PORT_NAHANNI_BYTES "16M"

/** What all of them have in a struct contestant. */
#define PORT                                                                                       \
	.size_min = PORT_FRAME_MIN, .size_max = PORT_FRAME_MAX, .at = PORT_AT, .queues = true,     \
	.loops = &peer_loops

/** What a driver's file knows. */
struct port_setup {
	char name[32];	     /**< of the virtual device, or the address of the PCI device */
	char arguments[512]; /**< its own */
	bool pci;
	char second[32];	     /**< address of a PCI device that it needs, too; "": none */
	bool follows;		     /**< this side closes when the other one has */
	bool far;		     /**< which side this is */
	char ready[PORT_PATH_BYTES]; /**< near makes it when it has started, far waits; "": not */
	char files[2][PORT_PATH_BYTES]; /**< near removes them; "": none */
	uint16_t mtu;			/**< 0: the driver takes longer frames without being told */
	uint16_t descriptors;		/**< of each ring */
	uint32_t held;			/**< mbufs that rings hold, at most, a link */
};

/** Frames made; those from next on are not sent yet, and go first the next time. */
struct port_frames {
	uint32_t next, count;
	struct rte_mbuf *mbuf[CONTEST_BURST_MAX];
};

struct peer {
	uint16_t port;
	uint16_t links;
	bool started;
	struct rte_mempool *pool;
	struct port_setup setup;
	struct port_frames frames[PORT_LINKS_MAX];
};

/**
 * A path of the contestant's, which ends in @p what, the same at both sides: no two openings
 * share one, so that a side that opens early does not meet what the other one has yet to close.
 */
void port_path(char *path, const struct contest_place *place, const char *what);

/** Entries of each ring. */
static inline uint32_t
port_ring(const struct contest_place *place)
{
	return place->ring != 0 ? place->ring : PORT_RING;
}

/** Make the device and start its port. @return NULL with the reason in @p why */
struct peer *port_begin(const struct contest_place *place, const struct port_setup *setup,
			char *why, size_t why_bytes);

/** Wait until the link is up. @return @p peer, or NULL with the reason in @p why */
void *port_meet(struct peer *peer, char *why, size_t why_bytes);

/** Both; as contestant::open. */
void *port_open(const struct contest_place *place, const struct port_setup *setup, char *why,
		size_t why_bytes);

/** As contestant::close. */
void port_close(void *peer);

/** As contestant::prepare. */
int port_prepare(void *peer, uint32_t size);

/** Make @p count frames. @return whether there were mbufs for them */
static inline bool
port_fill(struct peer *peer, struct port_frames *frames, struct contest_work *work, uint32_t count)
{
	struct contest_work own = *work;
	uint32_t i;

	if (unlikely(rte_pktmbuf_alloc_bulk(peer->pool, frames->mbuf, count) != 0))
		return false;
	for (i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = frames->mbuf[i];

		mbuf->data_len = (uint16_t)own.size;
		mbuf->pkt_len = own.size;
		contest_write(&own, rte_pktmbuf_mtod(mbuf, void *));
	}
	contest_sent(work, &own);
	frames->next = 0;
	frames->count = count;
	return true;
}

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct port_frames *frames = &peer->frames[link];
	uint32_t sent;

	if (likely(frames->next == frames->count) &&
	    unlikely(!port_fill(peer, frames, work, count)))
		return 0;
	sent = rte_eth_tx_burst(peer->port, (uint16_t)link, frames->mbuf + frames->next,
				(uint16_t)(frames->count - frames->next));
	frames->next += sent;
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct rte_mbuf *mbuf[CONTEST_BURST_MAX];
	const uint32_t got = rte_eth_rx_burst(peer->port, (uint16_t)link, mbuf, (uint16_t)count);
	struct contest_work own = *work;
	uint32_t i;

	if (got == 0)
		return 0;
	for (i = 0; i < got; i++)
		contest_read(&own, rte_pktmbuf_mtod(mbuf[i], const void *));
	contest_got(work, &own);
	rte_pktmbuf_free_bulk(mbuf, got);
	return got;
}

#endif /* PEER_PORT_H */
