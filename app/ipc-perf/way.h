/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A way to move messages: channel, msg or ethdev, behind one small table.
 *
 * The table is called once a block of messages. What runs once a message is in
 * loop_*.h, which each way compiles with its own inline functions, so that the
 * loops pay no indirect call. They do not allocate, and neither log nor call
 * the kernel while the link is up.
 */
#ifndef WAY_H
#define WAY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <nhn_clock.h>
#include <nhn_histogram.h>
#include <nhn_link.h>

/** How a part of a run ended. */
enum outcome {
	OUTCOME_OK,
	OUTCOME_VOID,	 /**< messages were lost: the block is void, go on with the next */
	OUTCOME_RESTART, /**< the far end was restarted: the block is void, tell it its orders */
	OUTCOME_STOPPED, /**< by a signal, or stop at the prompt */
	OUTCOME_GONE,	 /**< no answer within PATIENCE_NS, or no link within DOWN_PATIENCE_NS */
	OUTCOME_LOST,	 /**< the link's memory was truncated or replaced */
	OUTCOME_REFUSED, /**< the far end would not obey: said */
};

/** Sizes of --size that a link carries. */
struct way_bounds {
	uint32_t min;
	uint32_t max;
	const char *limited_by;
};

struct far;
struct moved;
struct near;
struct options;
struct order;
struct schedule;
struct way;

struct way_calls {
	const char *name; /**< of --via */
	/** Bytes of --size that are not the message's own. */
	uint32_t overhead_bytes;
	/** Open the link. @return 0, or -errno with a sentence said */
	int (*open)(struct way *way, const struct options *options);
	/** Accepts a way whose open failed. */
	void (*close)(struct way *way);
	/** Valid once the link was up. */
	void (*bounds)(const struct way *way, struct way_bounds *bounds);
	/** Wait until messages flow; drops what an earlier run left. */
	enum outcome (*wait_up)(struct way *way);
	/**
	 * A control step and a look at signals, for pauses between blocks: call it at least
	 * every heartbeat while no block runs.
	 */
	enum outcome (*keep)(struct way *way);
	/** Send an order and wait for its reply: @p reply_bytes at most after struct reply. */
	enum outcome (*order)(struct way *way, struct near *near, const struct order *order,
			      void *reply, uint32_t reply_bytes);
	/** Round trips of a message each, closed loop; ECHO, or STAMP where near->stamp. */
	enum outcome (*trips)(struct way *way, struct near *near, uint64_t trips,
			      struct nhn_histogram *rtt);
	/** Round trips of a word each. Only where way->words. */
	enum outcome (*limit)(struct way *way, struct near *near, uint32_t trips,
			      struct nhn_histogram *limit);
	/** Messages at their times; latency from the intended time to the answer. */
	enum outcome (*paced)(struct way *way, struct near *near, struct schedule *schedule,
			      struct nhn_histogram *latency);
	/** CALLs, near->depth open at once; latency of each from its send to its answer. */
	enum outcome (*rpc)(struct way *way, struct near *near, uint64_t calls,
			    struct nhn_histogram *latency, struct moved *moved);
	/** DATA in bursts of near->burst, until the far end has all. */
	enum outcome (*flood)(struct way *way, struct near *near, uint64_t messages,
			      struct moved *moved);
	/** DATA both ways at once: the far end was ordered to SOURCE @p messages. */
	enum outcome (*duplex)(struct way *way, struct near *near, uint64_t messages,
			       struct moved *moved);
	/** Round trips on the urgent way while bulk is kept flowing on the other one. */
	enum outcome (*mixed)(struct way *way, struct near *near, uint64_t trips,
			      struct nhn_histogram *rtt, struct moved *moved);
	/** NULL, or why this link cannot carry two kinds of traffic apart. */
	const char *(*mixed_refusal)(const struct way *way);
	/** Tell the far end to end. */
	enum outcome (*end)(struct way *way, struct near *near);
	/** The far end: obey until told to end. */
	enum outcome (*serve)(struct way *way, struct far *far);
};

/** Ways by --via. A port of another driver than net_nahanni is VIA_ETHDEV too. */
extern const struct way_calls way_channel;
extern const struct way_calls way_msg;
extern const struct way_calls way_ethdev;

/** Empty polls between two looks at link, signals and deadline. */
#define WATCH_POLLS 1024u
/** Spins on a word between two such looks. */
#define WATCH_SPINS 4096u
/** An answer over a link that is up and takes longer will not come. */
#define PATIENCE_NS UINT64_C(5000000000)
/** As long a link that is down may take to come up: a guest boots in less. */
#define DOWN_PATIENCE_NS UINT64_C(60000000000)
/** A link that is down for longer is said to be. */
#define DOWN_SAID_NS UINT64_C(1000000000)
/** Two looks count as at most this much: more is time off the core. */
#define PATIENCE_STEP_NS UINT64_C(10000000)
/** Ports of other drivers may drop frames: an answer that takes longer is lost. */
#define PORT_ANSWER_NS UINT64_C(200000000)

/* What the run may ask of an open way, in way.c. */

/** Bytes of the largest struct way: each way's own begins with struct way_common. */
struct way *way_new(const struct way_calls *calls, const struct nhn_clock *clock,
		    const volatile sig_atomic_t *stopped);
void way_free(struct way *way);

/** Whether the limit can be measured: probe words of a link, or limit=FILE of a port. */
bool way_has_words(const struct way *way);
/** The nahanni link, or NULL: a port of another driver. */
struct nhn_link *way_link(const struct way *way);
/** Whether the link was down at the last look. */
bool way_down(const struct way *way);
/** Restarts of the far end since the way was opened, as far as seen. */
uint64_t way_restarts(const struct way *way);

#endif /* WAY_H */
