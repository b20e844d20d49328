/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A link: two areas made into channels, and the handshake that survives a
 * restart of either side.
 *
 * Nothing here waits, allocates, reads a clock or calls the kernel. The caller
 * gives memory, time and random numbers, and calls nhn_link_control() now and
 * then: about every 1000 polls while it polls, and at least once a
 * beat_period_us. Source of the scheme: doc/wire-format, "Handshake".
 *
 * A peer that is stopped, slow or dead is waited for, never overruled. After a
 * restart of the peer the link comes up again, both ways, when the caller has
 * polled each channel empty, given back what it holds and been answered
 * -ESTALE: so a program that only sends must poll as well.
 *
 * Threads: all calls on one link from one thread at a time, with its channels'
 * calls. A program that bursts on several threads calls nhn_link_look() from
 * any one of them and nhn_link_step() only while no other is in a channel call.
 */
#ifndef NHN_LINK_H
#define NHN_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_channel_control.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Defaults of a host: a beat each 10 ms, late after ten of them. */
#define NHN_BEAT_PERIOD_US 10000u
#define NHN_BEAT_MISSES 10u

/** Events told at once at most, and the time after which one more may be. */
#define NHN_LINK_EVENTS_MAX 32u
#define NHN_LINK_EVENTS_NS 1000000000u

/** What a user sees of a link. */
enum nhn_link_state {
	NHN_LINK_CLOSED,     /**< not started, or closed */
	NHN_LINK_WAIT_HOST,  /**< a guest that has seen no host it can follow */
	NHN_LINK_WAIT_PEER,  /**< no peer with a valid header of this layout yet */
	NHN_LINK_WAIT_DRAIN, /**< the peer, or the own program, has not read out the last session */
	NHN_LINK_WAIT_READER, /**< the peer has not yet confirmed that it reads */
	NHN_LINK_UP,	      /**< messages flow both ways */
	NHN_LINK_STALLED,     /**< up, but the peer's heartbeat is late: sending pauses */
	NHN_LINK_BROKEN,      /**< the peer broke the rules, or somebody else wrote the own area */
};

/** What happened, for a log. */
enum nhn_link_event_kind {
	NHN_LINK_EVENT_STATE,	 /**< state changed: value is the old enum nhn_link_state */
	NHN_LINK_EVENT_REFUSED,	 /**< the peer's header does not fit: refusal says why; told once a
				  *   cause until a header is accepted */
	NHN_LINK_EVENT_FAULT,	 /**< channel broken: value is the enum nhn_fault */
	NHN_LINK_EVENT_INTRUDER, /**< own session or beat changed under us: value is what was found
				  */
};

struct nhn_link;

struct nhn_link_event {
	enum nhn_link_event_kind kind;
	const struct nhn_refusal *refusal; /**< NULL but for NHN_LINK_EVENT_REFUSED */
	uint32_t channel;
	uint32_t value;
};

/** How the writer's direction stands (doc/wire-format, "Control step"). */
enum nhn_tx_state {
	NHN_TX_WAIT_DRAIN,
	NHN_TX_WAIT_READER,
	NHN_TX_UP,
};

/** How the reader's direction stands. */
enum nhn_rx_state {
	NHN_RX_IDLE,
	NHN_RX_WAIT_OPEN,
	NHN_RX_READING,
	NHN_RX_DRAINING,
};

/** All that a link needs from its user. */
struct nhn_link_config {
	enum nhn_role role;
	void *own_area;	       /**< written by this side only; aligned to NHN_AREA_ALIGN */
	const void *peer_area; /**< never written */
	uint64_t own_bytes;
	uint64_t peer_bytes;
	/** Host: the layout of both areas. Guest: channels 0 follows any layout of one use;
	 *  else the host must offer exactly that many. */
	struct nhn_layout layout;
	enum nhn_use use;	 /**< guest: use that the host's channels must have */
	uint32_t link_id;	 /**< host's, for logs and for pairing of split devices */
	uint32_t beat_period_us; /**< host: 0 means NHN_BEAT_PERIOD_US. A guest takes the host's */
	uint32_t beat_misses;	 /**< host: 0 means NHN_BEAT_MISSES */
	uint32_t mtu;		 /**< of Ethernet */
	uint8_t mac[6];		 /**< of Ethernet */
	uint32_t random;	 /**< any number, another at each start: a first session number */
	/** Told of what happens, from within nhn_link_*; NULL: nobody. */
	void (*event)(void *context, const struct nhn_link *link,
		      const struct nhn_link_event *event);
	void *event_context;
};

/** A link. Private: use the functions. About 21 KiB, aligned to a cache line. */
struct nhn_link {
	struct nhn_tx tx[NHN_CHANNELS_MAX];
	struct nhn_rx rx[NHN_CHANNELS_MAX];
	uint32_t attention __attribute__((aligned(NHN_LINE_BYTES))); /**< a channel has a fault */

	struct nhn_link_config config __attribute__((aligned(NHN_LINE_BYTES)));
	struct nhn_control *own;
	const struct nhn_control NHN_FOREIGN *peer;
	enum nhn_link_state state;
	enum nhn_tx_state tx_state;
	enum nhn_rx_state rx_state;
	bool started; /**< the own area is formatted for this session */
	bool broken;
	bool intruder;		  /**< somebody else writes the own area */
	bool late;		  /**< the peer's heartbeat */
	bool paused;		  /**< sending stands still because of it */
	uint32_t session;	  /**< own, even; 0 before the first start */
	uint32_t tx_peer;	  /**< peer session the own ring is open for */
	uint32_t rx_peer;	  /**< peer session last acknowledged */
	uint32_t refused_session; /**< peer session whose header was refused */
	uint32_t refused_causes;  /**< told since the last header that was accepted */
	uint64_t refusals;	  /**< headers refused */
	uint32_t events_left;	  /**< that may still be told */
	uint64_t events_refilled_ns;
	uint64_t events_untold;	 /**< beyond that */
	uint32_t broken_session; /**< peer session that broke the rules */
	uint32_t beat;		 /**< own, as stored */
	uint32_t beat_seen;	 /**< peer's, as last loaded */
	uint64_t beat_seen_ns;
	uint64_t beat_sent_ns;
	uint64_t beat_period_ns; /**< in force: the host's */
	uint64_t beat_late_ns;
	uint32_t discarded;		       /**< own, as stored */
	struct nhn_layout layout;	       /**< in force */
	struct nhn_layout laid;		       /**< that the own cells were last cleared for */
	struct nhn_header peer_header;	       /**< the checked copy */
	uint64_t faults[NHN_FAULT_CURSOR + 1]; /**< counted by cause */
	uint64_t sessions;		       /**< of the peer, acknowledged */
	struct nhn_cursor nowhere; /**< takes the cursors once somebody else writes the own area */
};

/** Halve a joint region: the first half is the host's area, the second the guest's. */
void nhn_link_joint(struct nhn_link_config *config, enum nhn_role role, void *base,
		    uint64_t region_bytes);

/**
 * Take up a link. A host formats its area and stands open at once; a guest
 * writes nothing before it has seen a valid host.
 * @return 0; -EINVAL: areas too small or unaligned; -EPROTO: the layout does not fit, or the
 *         own area holds somebody else's bytes (left untouched): @p refusal says what
 */
int nhn_link_init(struct nhn_link *link, const struct nhn_link_config *config,
		  struct nhn_refusal *refusal);

/** Close: the peer sees this side gone at once. Accepts a link whose init failed. */
void nhn_link_finish(struct nhn_link *link);

/**
 * Beat, and look whether nhn_link_step() has something to do. Touches no channel.
 * @param now_ns any steady clock, the same at each call
 */
bool nhn_link_look(struct nhn_link *link, uint64_t now_ns);

/** Take the steps that are due: at most one a direction. Bounded by counting and clearing
 * the rings of all channels once. */
void nhn_link_step(struct nhn_link *link, uint64_t now_ns);

/** One control step: nhn_link_look(), then nhn_link_step() if due. @return the state after */
enum nhn_link_state nhn_link_control(struct nhn_link *link, uint64_t now_ns);

/** What the user sees. */
static inline enum nhn_link_state
nhn_link_state(const struct nhn_link *link)
{
	return link->state;
}

/** Writer of a channel; @p channel below link->layout.channels. Valid until finish. */
static inline struct nhn_tx *
nhn_link_tx(struct nhn_link *link, uint32_t channel)
{
	return &link->tx[channel];
}

/** Reader of a channel. */
static inline struct nhn_rx *
nhn_link_rx(struct nhn_link *link, uint32_t channel)
{
	return &link->rx[channel];
}

/**
 * What the writers send in: another number after each restart of either side.
 * @return 0: no peer reads
 */
static inline uint64_t
nhn_link_tx_pairing(const struct nhn_link *link)
{
	/* After a fault nothing more is sent in this session. */
	if (link->broken || link->tx_state == NHN_TX_WAIT_DRAIN)
		return 0;
	return (uint64_t)link->session << 32 | link->tx_peer;
}

/** What the readers read in, by the same numbers. @return 0: no peer writes */
static inline uint64_t
nhn_link_rx_pairing(const struct nhn_link *link)
{
	return link->rx_state == NHN_RX_IDLE ? 0 : (uint64_t)link->session << 32 | link->rx_peer;
}

/** Messages that restarts of the peer discarded on the own ring, over all sessions; wraps. */
static inline uint32_t
nhn_link_discarded(const struct nhn_link *link)
{
	return link->discarded;
}

/** The same as the peer counts it on its ring. */
static inline uint32_t
nhn_link_peer_discarded(const struct nhn_link *link)
{
	return nhn_foreign_relaxed(&link->peer->discarded);
}

/** Store the own probe word (release): see nhn_link_probe_load(). */
static inline void
nhn_link_probe_store(struct nhn_link *link, uint32_t value)
{
	nhn_store_release(&link->own->probe, value);
}

/**
 * Load the peer's probe word (acquire). The two words, each on a line of its
 * own, measure what one line costs to cross: the limit of any round trip.
 */
static inline uint32_t
nhn_link_probe_load(const struct nhn_link *link)
{
	return nhn_foreign_acquire(&link->peer->probe);
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_LINK_H */
