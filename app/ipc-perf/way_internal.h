/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What an open way holds. For way*.c and the loops that they compile.
 *
 * A way has lanes: 0 carries everything, 1 bulk beside urgent messages where the
 * link has a second channel or queue.
 */
#ifndef WAY_INTERNAL_H
#define WAY_INTERNAL_H

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include <nhn_clock.h>
#include <nhn_endpoint.h>
#include <nhn_link.h>

#include "memory.h"
#include "near.h"
#include "options.h"
#include "protocol.h"
#include "way.h"

#define LANE_FIRST 0u
#define LANE_BULK 1u
#define LANES 2u

/** Frames taken or sent at once at most. */
#define FRAMES_MAX BURST_MAX

/** What a look at link and signals found. */
enum watch {
	WATCH_UP,
	WATCH_DOWN,
	WATCH_RESTARTED, /**< ethdev: up again; channels tell by -ESTALE */
	WATCH_STOPPED,	 /**< by a signal */
	WATCH_LOST,	 /**< the link's memory was truncated or replaced: said */
};

/** A message that was received. */
struct message {
	const uint8_t *data;
	uint32_t length;       /**< bytes */
	struct rte_mbuf *mbuf; /**< ethdev: that holds it */
};

/** ethdev: frames in a row, those before next are gone. */
struct frames {
	uint32_t next;
	uint32_t count;
	struct rte_mbuf *mbuf[FRAMES_MAX];
};

/** msg: a message of several steps, in and out, of a lane. */
struct msg_lane {
	uint8_t *in;  /**< MSG_BYTES_MAX: a message that is no cell's is put together here */
	uint8_t *out; /**< MSG_BYTES_MAX: a message that is being sent */
	struct nhn_msg_piece piece; /**< peeked, and not all of it copied */
	uint32_t copied;	    /**< of piece */
	bool holding;		    /**< piece is valid */
	bool begun;		    /**< a message of which more is to come */
	bool private;		    /**< the message last polled stands in the buffer in */
	bool echoing;		    /**< the buffer in is being sent */
};

struct msg_rpc;

/** An open way. The first members are what the loops use. */
struct way {
	struct nhn_tx *tx[LANES];      /**< channel */
	struct nhn_rx *rx[LANES];      /**< channel */
	struct rte_mbuf *frame[LANES]; /**< ethdev: reserved and not yet sent */
	struct rte_mempool *pool;      /**< ethdev */
	uint16_t port;		       /**< ethdev, and PCI */
	struct rte_ether_hdr header;   /**< ethdev: of each frame */
	struct nhn_link *link; /**< the channels', or the started port's for its probe words;
				*   NULL: a port of another driver */
	uint32_t lanes;	       /**< that there are, once the link has a layout */
	uint32_t polls;	       /**< empty ones, wraps */
	uint64_t watched;      /**< cycles at the last look */
	uint64_t waited_ns;    /**< for what is under way */
	uint64_t silent_ns;    /**< port: without an answer, over blocks */
	uint64_t answer_ns;    /**< an answer may take as much longer: near->answer_ns */
	bool down;	       /**< the link, at the last look */
	bool down_said;
	const struct nhn_clock *clock;
	uint32_t order_sequence; /**< of the next ORDER, LIMIT or END */
	uint32_t *own_word;	 /**< port: limit=FILE, else NULL */
	const uint32_t NHN_FOREIGN *peer_word;

	const struct way_calls *calls;
	const volatile sig_atomic_t *stopped; /**< set by a signal */
	bool far;			      /**< this is the far end */
	uint64_t sessions;	  /**< ethdev: of the peer, when the link was last seen up */
	uint64_t sessions_heard;  /**< of the peer, as far as OUTCOME_RESTART told */
	uint64_t sessions_first;  /**< of the peer, when the link was up first */
	uint64_t reconnects;	  /**< port: it was down and came up again */
	bool lost;		  /**< the memory */
	uint64_t look_ns;	  /**< when to look at the memory again */
	uint64_t lost_id;	  /**< ethdev: of the xstat that tells */
	bool restarted;		  /**< far: noted while it waited for room, to be told yet */
	struct memory memory;	  /**< files; port: limit=FILE */
	struct nhn_link own_link; /**< channel, msg over files */

	struct frames received[LANES]; /**< ethdev: and not yet polled */
	struct frames unsent[LANES];   /**< ethdev: DATA that the port did not take yet */
	struct frames kept;	       /**< ethdev: read, to be freed */

	struct nhn_endpoint endpoint;	 /**< msg */
	struct msg_lane lane[LANES];	 /**< msg */
	struct msg_rpc *rpc;		 /**< msg */
	uint64_t sent_at[NEAR_OPEN_MAX]; /**< cycles, by the low bits of a CALL's number */
};

/** A header and the bytes of its number. */
static inline void
message_fill(uint8_t *body, uint32_t sequence, uint32_t command, const uint8_t *pattern,
	     uint32_t length)
{
	const struct protocol_header header = {.sequence = sequence, .command = command};

	memcpy(body, &header, sizeof(header));
	memcpy(body + sizeof(header), protocol_pattern_at(pattern, sequence),
	       length - sizeof(header));
}

/** The clock of this end, into an answer. */
static inline void
message_stamp(uint8_t *body, const struct nhn_clock *clock)
{
	uint64_t now_ns = nhn_clock_ns(clock, nhn_clock_now());

	memcpy(body + sizeof(struct protocol_header), &now_ns, sizeof(now_ns));
}

/** Store the own word of the limit. */
static inline void
way_word_store(struct way *way, uint32_t value)
{
	if (way->own_word != NULL)
		nhn_store_release(way->own_word, value);
	else
		nhn_link_probe_store(way->link, value);
}

/** Load the peer's word of the limit. */
static inline uint32_t
way_word_load(const struct way *way)
{
	return way->peer_word != NULL ? nhn_foreign_acquire(way->peer_word)
				      : nhn_link_probe_load(way->link);
}

/* Common to ways over files and channels, in way.c. */

/** Problems only: a change of state is no news in a run that waits for ever. */
void way_link_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event);
/** Open the files' memory and way->own_link over it. @return 0, or -errno with a sentence said */
int way_files_open(struct way *way, const struct link_option *option, enum nhn_use use,
		   void (*layout)(struct nhn_link_config *config));
/** A layout that fits both areas: 128 cells and 1 MiB a channel, or halves of them. */
void way_layout_uniform(struct nhn_link_config *config, enum nhn_use use, uint32_t channels);
/** Another channel beside them, of less if need be. @return whether it fits */
bool way_layout_more(struct nhn_link_config *config, enum nhn_use use);
/** port: the words were not answered: whether limit=FILE is lost, which is then said. Lost once,
 *  lost for good. */
bool way_words_lost(struct way *way);
/** Control step of way->link and a look around: for ways that own the link. */
enum watch way_link_watch(struct way *way, uint64_t now_ns, enum nhn_link_state state);

#endif /* WAY_INTERNAL_H */
