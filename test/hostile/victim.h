/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program does with a channel, against a hostile peer: each call inside its
 * bound, each message read to its last byte and looked at where it lies. */
#ifndef NHN_TEST_VICTIM_H
#define NHN_TEST_VICTIM_H

#include "hostile.h"

/** Calls of lib/channel. */
enum victim_call {
	CALL_RESERVE,
	CALL_RESERVE_LONG,
	CALL_COMMIT,
	CALL_BURST,
	CALL_PEEK,
	CALL_RELEASE,
	CALL_NEXT,
	CALL_READ,
	CALL_END,
	CALL_IDLE,
	CALL_METADATA,
	VICTIM_CALLS,
};

extern struct hostile_call victim_calls[VICTIM_CALLS];

/** What was reached, over all rounds. */
struct victim_reached {
	uint64_t sent;
	uint64_t full;
	uint64_t delivered;
	uint64_t described;  /* of them by a descriptor */
	uint64_t held_most;  /* cells held at once */
	uint64_t burst_most; /* messages of one peek */
	uint64_t stale;
	uint64_t overrun; /* releases refused, and ends of a run */
};

extern struct victim_reached victim_reached;

/** Most messages of a burst here: more than one byte counts. */
#define VICTIM_BURST 300u

/** Send one message or a burst on a channel, of any length. */
void victim_send(struct hostile *h, struct nhn_tx *tx);

/** Peek, read and mostly release, or take messages in a run. */
void victim_receive(struct hostile *h, struct nhn_rx *rx);

/** Give back what is held. */
void victim_release(struct hostile *h, struct nhn_rx *rx);

void victim_reached_print(void);

#endif /* NHN_TEST_VICTIM_H */
