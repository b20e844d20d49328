/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Calls of lib/msg over its own channel: the near end is the client, the far end
 * the server. For way_msg.c, after way_loops.h.
 */
#ifndef LOOP_MSG_RPC_H
#define LOOP_MSG_RPC_H

#include "loop.h"

#include "loop_serve.h"

/** A call of the near end. */
struct msg_call {
	struct nhn_rpc_call call;
	struct msg_rpc *rpc;
	struct msg_call *next; /**< of those that are free */
	uint64_t sent_at;      /**< cycles */
	struct protocol_header header;
	struct iovec request[2];
	struct iovec reply;
};

/** Either end's; the far end's fields are the last ones. */
struct msg_rpc {
	struct nhn_rpc_client client;
	struct nhn_rpc_slot slots[NEAR_OPEN_MAX];
	struct msg_call calls[NEAR_OPEN_MAX];
	uint8_t *replies; /**< near->depth times near->reply_length */
	uint64_t replies_bytes;
	struct msg_call *free;
	struct way *way;
	struct near *near;
	struct nhn_histogram *latency;
	uint64_t received;
	enum outcome outcome; /**< of the block, as far as calls tell */

	struct nhn_rpc_server server;
	struct far *far;
	uint8_t *memory; /**< MSG_BYTES_MAX: a request */
	struct protocol_header header;
	struct iovec vector[2]; /**< of a reply */
};

/** A step of sending and one of receiving. @return whether there was one */
static inline bool
msg_rpc_step(struct way *way)
{
	const struct nhn_channel_handler *handler = way->endpoint.handler[MSG_RPC_CHANNEL];
	struct nhn_msg_tx *tx = &way->endpoint.tx[MSG_RPC_CHANNEL];
	bool moved = false;

	if (way->lanes <= MSG_RPC_CHANNEL)
		return false;
	if (nhn_msg_ready(&way->endpoint.rx[MSG_RPC_CHANNEL]))
		moved = handler->receive(handler->context);
	if (unlikely(nhn_msg_busy(tx)))
		moved |= nhn_msg_send_step(tx) != -EAGAIN;
	else if (unlikely(handler->waiting && handler->send != NULL))
		moved |= handler->send(handler->context);
	return moved;
}

/** The end of a call: its reply is checked, and its place is free. */
static void
msg_call_done(struct nhn_rpc_call *done)
{
	const uint64_t at = nhn_clock_now_ordered();
	struct msg_call *call = done->context;
	struct msg_rpc *rpc = call->rpc;
	struct near *near = rpc->near;
	const struct message message = {.data = call->reply.iov_base, .length = done->length};
	uint64_t ns;

	call->next = rpc->free;
	rpc->free = call;
	if (unlikely(done->result != 0)) {
		rpc->outcome = done->result == -ECONNRESET   ? OUTCOME_RESTART
			       : done->result == -EOPNOTSUPP ? OUTCOME_REFUSED
							     : OUTCOME_VOID;
		return;
	}
	if (unlikely(!loop_whole(near, &message, near->reply_length, call->header.sequence,
				 call->header.command, sizeof(call->header)))) {
		near->answers.corrupt++;
		rpc->outcome = OUTCOME_VOID;
		return;
	}
	stream_note(&near->answers, call->header.sequence);
	rpc->received++;
	ns = nhn_clock_ns(rpc->way->clock, at - call->sent_at);
	nhn_histogram_record(rpc->latency, ns);
	if (unlikely(ns > *loop_gap_threshold(near)))
		loop_gap(rpc->way, near, ns, near->depth <= 1);
}

/** Begin a call, if there is room. @return whether it was begun */
static inline bool
msg_call_begin(struct msg_rpc *rpc)
{
	struct near *near = rpc->near;
	struct msg_call *call = rpc->free;
	const uint32_t sequence = near->sequence;

	/* An earlier one is still being sent. */
	if (nhn_msg_busy(&rpc->way->endpoint.tx[MSG_RPC_CHANNEL]))
		return false;
	call->header.sequence = sequence;
	call->header.command = protocol_command(PROTOCOL_CALL, 0);
	call->request[0].iov_base = &call->header;
	call->request[0].iov_len = sizeof(call->header);
	call->request[1].iov_base = (void *)(uintptr_t)protocol_pattern_at(near->pattern, sequence);
	call->request[1].iov_len = near->length - sizeof(call->header);
	call->call.requests = call->request[1].iov_len != 0 ? 2 : 1;
	call->sent_at = nhn_clock_now();
	if (unlikely(nhn_rpc_client_call(&rpc->client, &call->call) != 0))
		return false;
	rpc->free = call->next;
	near->sequence++;
	near->sent++;
	return true;
}

/** Before a block: places for the calls and their replies. @return false: no memory, said */
static bool
msg_calls_take(struct msg_rpc *rpc, struct near *near, uint32_t depth)
{
	const uint64_t bytes = (uint64_t)depth * near->reply_length;
	uint32_t i;

	if (bytes > rpc->replies_bytes) {
		free(rpc->replies);
		rpc->replies = malloc(bytes);
		rpc->replies_bytes = rpc->replies != NULL ? bytes : 0;
	}
	if (rpc->replies == NULL) {
		say("There is no memory for %u replies of %u bytes, expected that they fit: ask for"
		    " a smaller --depth or --reply-size.",
		    depth, near->reply_length);
		return false;
	}
	rpc->free = NULL;
	for (i = 0; i < depth; i++) {
		struct msg_call *call = &rpc->calls[i];

		call->reply.iov_base = rpc->replies + (uint64_t)i * near->reply_length;
		call->reply.iov_len = near->reply_length;
		call->rpc = rpc;
		call->call = (struct nhn_rpc_call){
			.request = call->request,
			.reply = &call->reply,
			.replies = 1,
			.deadline_ns = NHN_NEVER_NS,
			.done = msg_call_done,
			.context = call,
			/* Not open: see msg_calls_drop(). */
			.result = 0,
		};
		call->next = rpc->free;
		rpc->free = call;
	}
	return true;
}

/** What is open when a block ends. @return calls */
static uint64_t
msg_calls_drop(struct msg_rpc *rpc, uint32_t depth)
{
	uint64_t open = 0;
	uint32_t i;

	for (i = 0; i < depth; i++) {
		if (rpc->calls[i].call.result != -EINPROGRESS)
			continue;
		nhn_rpc_client_cancel(&rpc->client, &rpc->calls[i].call);
		rpc->calls[i].call.result = 0;
		open++;
	}
	return open;
}

/** A turn of the block in which nothing moved. */
static inline enum outcome
msg_rpc_idle(struct way *way, struct near *near)
{
	if (likely(++way->polls % WATCH_POLLS != 0))
		return OUTCOME_OK;
	/* A restart shows on the first channel too. */
	if (loop_take_other(way, near, LANE_FIRST) < 0)
		return OUTCOME_RESTART;
	return loop_patience(way);
}

static enum outcome
msg_rpc_calls(struct way *way, struct msg_rpc *rpc, uint64_t calls)
{
	enum outcome outcome = OUTCOME_OK;
	uint64_t sent = 0;

	way->waited_ns = 0;
	while (rpc->received != calls && outcome == OUTCOME_OK) {
		uint64_t before = rpc->received;

		if (sent != calls && rpc->free != NULL && msg_call_begin(rpc))
			sent++;
		msg_rpc_step(way);
		if (unlikely(rpc->outcome != OUTCOME_OK))
			return rpc->outcome;
		if (likely(rpc->received != before))
			way->waited_ns = 0;
		outcome = msg_rpc_idle(way, rpc->near);
	}
	return outcome;
}

static enum outcome
msg_rpc_run(struct way *way, struct near *near, uint64_t calls, struct nhn_histogram *latency,
	    struct moved *moved)
{
	const uint32_t depth = RTE_MIN(RTE_MAX(near->depth, 1u), NEAR_OPEN_MAX);
	struct msg_rpc *rpc = way->rpc;
	enum outcome outcome;
	const uint64_t sent_before = near->sent;
	uint64_t begun, open;

	if (!msg_calls_take(rpc, near, depth))
		return OUTCOME_REFUSED;
	rpc->near = near;
	rpc->latency = latency;
	rpc->received = 0;
	rpc->outcome = OUTCOME_OK;
	begun = nhn_clock_now();
	outcome = msg_rpc_calls(way, rpc, calls);
	moved->messages = rpc->received;
	moved->cycles = nhn_clock_now() - begun;
	if (outcome == OUTCOME_OK)
		return outcome;
	open = msg_calls_drop(rpc, depth);
	if (outcome == OUTCOME_STOPPED)
		near->sent -= open;
	else
		/* Those that ended by a restart are not open any more. */
		near->unanswered += near->sent - sent_before - rpc->received;
	if (outcome == OUTCOME_REFUSED)
		say("The far end refused a call, expected that it answers: run the same ipc-perf"
		    " at both ends.");
	return outcome;
}

/** A request at the far end: checked, and answered with the bytes of its number. */
static int
msg_serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	const struct message message = {.data = request->data, .length = request->length};
	struct msg_rpc *rpc = context;
	struct far *far = rpc->far;

	if (far == NULL || message.length < sizeof(rpc->header) || far->pattern == NULL ||
	    far->serve.reply_size < sizeof(rpc->header))
		return -EINVAL;
	memcpy(&rpc->header, message.data, sizeof(rpc->header));
	if (unlikely(!serve_whole(far, &message, &rpc->header))) {
		far->probes.corrupt++;
		return -EINVAL;
	}
	stream_note(&far->probes, rpc->header.sequence);
	far->answered++;
	rpc->vector[0].iov_base = &rpc->header;
	rpc->vector[0].iov_len = sizeof(rpc->header);
	rpc->vector[1].iov_base =
		(void *)(uintptr_t)protocol_pattern_at(far->pattern, rpc->header.sequence);
	rpc->vector[1].iov_len = far->serve.reply_size - sizeof(rpc->header);
	reply->vector = rpc->vector;
	reply->vectors = rpc->vector[1].iov_len != 0 ? 2 : 1;
	return 0;
}

#endif /* LOOP_MSG_RPC_H */
