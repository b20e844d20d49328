/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one core of net_nahanni under its two probes.
 *
 * Bursts against control: a burst thread stores its queue's busy word, then
 * loads the port's gate; control stores the gate, then loads all busy words.
 * Each of the two must see the other's store, which on one side alone would
 * need a full fence a burst. membarrier(2) puts both fences on control's side,
 * which needs them at a change of the link's state only.
 */
#ifndef NAHANNI_H
#define NAHANNI_H

#include <stdbool.h>
#include <stdint.h>

#include <ethdev_driver.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_spinlock.h>

#include <nhn_link.h>
#include <nhn_region.h>

#include "nahanni_args.h"
#include "nahanni_log.h"

/** Control runs at every 1024th burst call of a queue: some microseconds of polling. */
#define NAHANNI_CONTROL_CALLS 1024u
/** A step of the link's state stops all queues for a moment: not more often than this. */
#define NAHANNI_STEP_INTERVAL_NS 20000u
/** While the link is not up, its files are looked at this often. */
#define NAHANNI_CHECK_INTERVAL_NS 1000000000u
/** Frames a receive takes at a time; also the mbufs a queue keeps ready. */
#define NAHANNI_RX_CHUNK 32u
/** Frames to a far reader that are written before the first of them is committed, at most. */
#define NAHANNI_TX_HELD 32u
/** Cells of a queue where the program names no number of descriptors. */
#define NAHANNI_CELLS_DEFAULT 1024u
/**
 * Largest data ring of a queue of frames: as much as the second caches of two cores, and more.
 * A line that is in neither comes sooner than one that the other core has (doc/performance).
 */
#define NAHANNI_DATA_BYTES_MAX (1u << 22)

struct nahanni_port;

/** One direction of one queue: of its thread alone, but for busy and the counts. */
struct nahanni_queue {
	struct nhn_tx *tx;
	struct nhn_rx *rx;
	struct nahanni_port *port;
	uint32_t busy; /**< 1 within a burst */
	uint32_t calls;
	uint64_t packets;
	uint64_t bytes;
	uint64_t errors; /**< frames too long, too short or rewritten under the reader */
	uint64_t no_mbuf;
	struct rte_mempool *pool;
	uint64_t rearm_data;  /**< rx: of a received mbuf */
	uint32_t frame_bytes; /**< rx: longest frame that an mbuf takes */
	uint16_t descriptors;
	uint16_t spare_count;
	bool fast_free; /**< tx: all mbufs are of one pool, and nobody else's */
	struct rte_mbuf *spare[NAHANNI_RX_CHUNK]; /**< raw, ready for the next frames */
} __rte_cache_aligned;

/** What the port's link serves. */
enum nahanni_service {
	NAHANNI_STOPPED,
	NAHANNI_MESSAGES, /**< rte_pmd_nahanni_link_get() has given it away */
	NAHANNI_FRAMES,	  /**< the port is started */
};

/** A file of a vdev. */
struct nahanni_file {
	struct nhn_region region;
	struct nhn_region_config config;
	int found; /**< by the last check: 0, or what is wrong with it */
};

struct nahanni_port {
	uint32_t gate;	     /**< 1: bursts do nothing, control is at work */
	uint32_t far;	     /**< 1: bursts of long frames are written past the caches */
	rte_spinlock_t lock; /**< of control: whoever fails to get it goes on */
	bool stepping;	     /**< the gate is closed, a queue was still busy */
	uint64_t next_step_ns;
	uint64_t next_check_ns;
	uint64_t ns_per_cycle_q32; /**< 32.32 fixed point */
	struct rte_eth_dev_data *data;
	struct nhn_link *link;
	enum nahanni_service service;
	void *own_area;	       /**< written by this side only */
	const void *peer_area; /**< PCI, split: NULL until the port is started */
	uint64_t own_bytes;
	uint64_t peer_bytes;   /**< 0 where peer_area is NULL */
	uint32_t own_load_ns;  /**< of a load of the own area, as the link was opened; 0: never */
	uint32_t peer_load_ns; /**< the same of the peer's area */
	struct nahanni_args args;
	int lock_fd;		       /**< PCI: holds the role's lock */
	struct nahanni_file own_file;  /**< vdev: where own_area is, joint: and peer_area */
	struct nahanni_file peer_file; /**< vdev, split: where peer_area is */
};

/** For regions: a sentence as an error. */
void nahanni_log_sentence(void *context, const char *sentence);

/** What both probes do once arguments and memory are there: ops, MAC, data. */
int nahanni_dev_init(struct rte_eth_dev *dev);
/** Undo nahanni_dev_init(). */
int nahanni_dev_close(struct rte_eth_dev *dev);
/** Whether this build fits the running DPDK: its driver interface promises nothing. */
int nahanni_version_check(void);

/** Whether a port is of this driver. */
bool nahanni_dev_ours(const struct rte_eth_dev *dev);

/** Both areas are halves of one memory. */
void nahanni_memory_joint(struct nahanni_port *port, void *base, uint64_t bytes);

/** Open what the arguments name. @return 0, or -errno with nothing open, logged */
int nahanni_files_open(struct nahanni_port *port);
/** Accepts a port that has no files. */
void nahanni_files_close(struct nahanni_port *port);
/** Log what is wrong with the files, once a cause. Calls the kernel. */
void nahanni_files_check(struct nahanni_port *port);

/** Whether a PCI device is named as the peer of another one: then it gets no port. */
bool nahanni_peer_named(const struct rte_pci_addr *address);
/** Take such a device, whose memory is mapped. @return 0, or -errno, logged */
int nahanni_peer_add(const struct rte_pci_addr *address, const char *name, void *base,
		     uint64_t bytes);
/** @return 0; -ENODEV: no such device was added; -EBUSY: a port reads it now, logged */
int nahanni_peer_remove(const struct rte_pci_addr *address, const char *name);
/** Find the peer's area of a split PCI port. @return 0, or -errno, logged */
int nahanni_peer_take(struct nahanni_port *port);
/** Accepts a port that has taken none. */
void nahanni_peer_give_back(const struct nahanni_port *port);

/** Channels with the largest data rings that fit the port's areas. */
void nahanni_layout_fit(const struct nahanni_port *port, struct nhn_layout *layout,
			uint32_t channels, enum nhn_use use, uint32_t cells);
/**
 * Measure a load of each area, and warn where it is an access of the bus. Control's work:
 * below a millisecond, without memory.
 * @param now_ns a clock; NULL: the system's
 */
void nahanni_load_measure(struct nahanni_port *port, uint64_t (*now_ns)(void *context),
			  void *context);
/** Open the link for one service, closing what was open. */
int nahanni_link_open(struct nahanni_port *port, struct nhn_link_config *config);

int nahanni_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats);
int nahanni_stats_reset(struct rte_eth_dev *dev);
int nahanni_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int count);
int nahanni_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
			     unsigned int count);

/** One control step, or none when another thread is at it. Never blocks. */
void nahanni_control(struct nahanni_port *port);

uint16_t nahanni_rx_burst(void *queue, struct rte_mbuf **frames, uint16_t count);
uint16_t nahanni_tx_burst(void *queue, struct rte_mbuf **frames, uint16_t count);

#endif /* NAHANNI_H */
