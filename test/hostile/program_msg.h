/* SPDX-License-Identifier: BSD-3-Clause */
/* A program of lib/msg on a hostile link: channel 0 is its own, on 1 it is a client, on 2 a
 * server. It does all that may be done, in an order drawn by chance. */
#ifndef NHN_TEST_PROGRAM_MSG_H
#define NHN_TEST_PROGRAM_MSG_H

#include "victim_msg.h"

#define PROGRAM_CALLS 6u
#define PROGRAM_SLOTS 8u
#define PROGRAM_LATER 4u
#define PROGRAM_CELL_DATA 4096u

struct program_call {
	struct nhn_rpc_call call;
	struct guarded memory;
	struct iovec request;
	bool open;
};

struct program {
	struct link_victim *victim;
	struct nhn_endpoint endpoint;
	struct nhn_rpc_client client;
	struct nhn_rpc_slot slots[PROGRAM_SLOTS];
	struct program_call call[PROGRAM_CALLS];
	struct nhn_rpc_server server;
	struct guarded server_memory;
	struct nhn_rpc_token later[PROGRAM_LATER];
	uint32_t laters;
	struct guarded memory; /* of its own channel */
	struct nhn_msg_buffer buffer;
	bool peeking; /* a message that was begun by peek goes on so */
	bool relaying;
	bool honest; /* replies are an echo, none comes later */
	struct iovec reply;
};

/** What was reached, over all rounds. */
struct program_reached {
	uint64_t received; /* whole */
	uint64_t pieces;
	uint64_t relayed; /* whole, back to where they came from */
	uint64_t packed;  /* pieces of several messages */
	uint64_t too_long;
	uint64_t aborted;
	uint64_t stale;
	uint64_t skipped;
	uint64_t sent;
	uint64_t cancelled;
	uint64_t lost;
	uint64_t served;
	uint64_t late;
	uint64_t strange;
	uint64_t refused;
	uint64_t ends[7]; /* of calls: 0 and the errors below */
};

extern struct program_reached program_reached;
extern const int program_results[7];

/** Take up a victim's link that has begun. Calls of a former life are forgotten.
 *  @param client channel of its client, 1 or 2; the other one is its server's */
void program_begin(struct program *program, struct link_victim *victim, uint32_t client);
/** Count what the counters of this life say. */
void program_end(struct program *program);
/** One thing of all. */
void program_turn(struct program *program);
/** Only poll, and drop what comes. */
void program_poll(struct program *program);
/** Begin call @p index. @return as nhn_rpc_client_call() */
int program_call(struct program *program, uint32_t index, uint32_t request, uint32_t reply,
		 uint64_t deadline_ns);
void program_reached_print(void);

#endif /* NHN_TEST_PROGRAM_MSG_H */
