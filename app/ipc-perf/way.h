/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A way to move messages: channel or ethdev, behind one small table.
 *
 * The table is called once a block of messages. What runs once a message is in
 * engine_ping.h and engine_pong.h, which each way compiles with its own inline
 * functions.
 */
#ifndef WAY_H
#define WAY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ether.h>

#include <nhn_clock.h>
#include <nhn_histogram.h>
#include <nhn_link.h>

#include "memory.h"
#include "options.h"

/** Empty polls between two looks at link, signals and deadline. */
#define WATCH_POLLS 1024u
/** Spins on a probe word between two such looks. */
#define WATCH_SPINS 4096u
/** An answer over a link that is up and takes longer will not come. */
#define PATIENCE_NS UINT64_C(5000000000)
/** As long a link that is down may take to come up: a guest boots in less. */
#define DOWN_PATIENCE_NS UINT64_C(60000000000)
/** A link that is down for longer is said to be. */
#define DOWN_SAID_NS UINT64_C(1000000000)
/** Two looks count as at most this much: more is time off the core. */
#define PATIENCE_STEP_NS UINT64_C(10000000)

struct ping;
struct pong;
struct way;

/** What a look at link and signals found. */
enum watch {
	WATCH_UP,
	WATCH_DOWN,
	WATCH_RESTARTED, /**< ethdev: up again; channels tell by -ESTALE */
	WATCH_STOPPED,	 /**< by a signal */
	WATCH_LOST,	 /**< the link's memory was truncated or replaced: said */
};

/** How a part of a run ended. */
enum outcome {
	OUTCOME_OK,
	OUTCOME_VOID,	 /**< a message lost or corrupt: no sample, go on */
	OUTCOME_STOPPED, /**< by a signal */
	OUTCOME_GONE,	 /**< no answer within PATIENCE_NS, or no link within DOWN_PATIENCE_NS */
	OUTCOME_LOST,	 /**< the link's memory was truncated or replaced */
};

/** A message that was received. */
struct message {
	const uint8_t *data;
	uint32_t length;       /**< bytes */
	struct rte_mbuf *mbuf; /**< ethdev: that holds it */
};

/** Sizes of --size that a link carries. */
struct way_bounds {
	uint32_t min;
	uint32_t max;
	const char *limited_by;
};

struct way_calls {
	/** Open the link. @return 0, or -errno with a sentence said */
	int (*open)(struct way *way, const struct options *options);
	/** Accepts a way whose open failed. */
	void (*close)(struct way *way);
	/** One control step, and a look around. */
	enum watch (*watch)(struct way *way);
	/** Valid once the link was up. */
	void (*bounds)(const struct way *way, struct way_bounds *bounds);
	/** Bytes of --size that are not the message's own. */
	uint32_t overhead_bytes;
	/** Wait until messages flow. @return OUTCOME_OK or OUTCOME_STOPPED */
	enum outcome (*wait_up)(struct way *way);
	/** Round trips of a message each. */
	enum outcome (*exchange)(struct way *way, struct ping *ping, uint32_t trips,
				 struct nhn_histogram *rtt);
	/** Round trips of a probe word each. */
	enum outcome (*limit)(struct way *way, struct ping *ping, uint32_t trips,
			      struct nhn_histogram *limit);
	/** Tell pong to end. */
	enum outcome (*end)(struct way *way, struct ping *ping);
	/** Answer until told to end. */
	enum outcome (*serve)(struct way *way, struct pong *pong);
};

/** An open way. The first members are what the loops use. */
struct way {
	struct nhn_tx *tx;	     /**< channel */
	struct nhn_rx *rx;	     /**< channel */
	struct rte_mbuf *frame;	     /**< ethdev: reserved and not yet sent */
	struct rte_mempool *pool;    /**< ethdev */
	uint16_t port;		     /**< ethdev, and PCI */
	struct rte_ether_hdr header; /**< ethdev: of each frame */
	struct nhn_link *link; /**< the channel's, or the started port's for its probe words */
	uint32_t polls;	       /**< empty ones, wraps */
	uint64_t watched;      /**< cycles at the last look */
	uint64_t waited_ns;    /**< for what is under way */
	bool down;	       /**< the link, at the last look */
	bool down_said;
	const struct nhn_clock *clock;

	const struct way_calls *calls;
	const volatile sig_atomic_t *stopped; /**< set by a signal */
	uint64_t sessions;	  /**< ethdev: of the peer, when the link was last seen up */
	bool lost;		  /**< the memory */
	uint64_t look_ns;	  /**< when to look at the memory again */
	uint64_t lost_id;	  /**< ethdev: of the xstat that tells */
	struct memory memory;	  /**< channel over files */
	struct nhn_link own_link; /**< channel over files */
};

extern const struct way_calls way_channel;
extern const struct way_calls way_ethdev;

#endif /* WAY_H */
