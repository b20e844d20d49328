/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls of lib/msg, each inside its bound of foreign loads, and memory for messages
 * that shows each byte written beside it. */
#ifndef NHN_TEST_VICTIM_MSG_H
#define NHN_TEST_VICTIM_MSG_H

#include <nhn_relay.h>
#include <nhn_rpc.h>

#include "hostile_link.h"

enum msg_call {
	MSG_PEEK,
	MSG_RELEASE,
	MSG_RECEIVE,
	MSG_FRONT,
	MSG_SKIP,
	MSG_SEND,
	MSG_SEND_STEP,
	MSG_SEND_PACKED,
	MSG_RELAY,
	MSG_RPC_CALL,
	MSG_POLL,
	MSG_CALLS,
};

extern struct hostile_call msg_calls[MSG_CALLS];

/* ---- guarded memory ---- */

#define GUARDED_PARTS 3u
#define GUARDED_BYTES 4096u
#define GUARDED_CANARY 0xa5

/** A vector of parts with canaries before, between and behind them. */
struct guarded {
	struct iovec vector[GUARDED_PARTS];
	uint32_t bytes; /* of all parts */
	bool ended;	/* nothing may be written any more */
	uint64_t sum;	/* of all bytes as it ended */
	uint8_t memory[GUARDED_BYTES];
};

/** Lay out room for @p bytes, in three parts, one of them empty now and then. */
void guarded_init(struct guarded *guarded, uint32_t bytes, uint64_t seed);
/** No canary was written over; after guarded_end() no byte at all. */
bool guarded_whole(const struct guarded *guarded);
/** The call that may write here is over. */
void guarded_end(struct guarded *guarded);
/** Whether the first bytes of it are a message of test/unit/pattern.h. */
bool guarded_matches(const struct guarded *guarded, uint32_t length, uint64_t seed,
		     uint64_t number);

/* ---- calls ---- */

int msg_peek(struct hostile *h, struct nhn_msg_rx *rx, struct nhn_msg_piece *pieces,
	     uint32_t count);
int msg_release(struct hostile *h, struct nhn_msg_rx *rx);
int msg_receive(struct hostile *h, struct nhn_msg_rx *rx, struct nhn_msg_buffer *buffer);
int msg_front(struct hostile *h, struct nhn_msg_rx *rx, struct nhn_message_head *head);
void msg_skip(struct hostile *h, struct nhn_msg_rx *rx);
int msg_send(struct hostile *h, struct nhn_msg_tx *tx, const struct nhn_message_head *head,
	     const void *data);
int msg_send_step(struct hostile *h, struct nhn_msg_tx *tx);
uint32_t msg_send_packed(struct hostile *h, struct nhn_msg_tx *tx, uint32_t message_bytes,
			 uint32_t count);
int msg_relay(struct hostile *h, struct nhn_msg_rx *from, struct nhn_msg_tx *to, uint32_t id);
int msg_rpc_call(struct hostile *h, struct nhn_rpc_client *client, struct nhn_rpc_call *call);
/** @param clients of the endpoint: their deadlines are looked at by the control step */
int msg_poll(struct hostile *h, struct nhn_endpoint *endpoint, uint32_t clients);

#endif /* NHN_TEST_VICTIM_MSG_H */
