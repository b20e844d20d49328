/* SPDX-License-Identifier: BSD-3-Clause */
/* A client at the host and a server at the guest, on channel 0. The bytes of a request and of
 * its reply follow from the request's type, which is another one for each call. */
#ifndef NHN_TEST_RPC_RIG_H
#define NHN_TEST_RPC_RIG_H

#include <nhn_rpc.h>

#include "msg_rig.h"

#define RPC_SLOTS 16u
#define RPC_CALLS 64u
#define RPC_BYTES 40000u /* a request or a reply has at most */
#define RPC_SEED_REQUEST 11u
#define RPC_SEED_REPLY 12u

/* A call with all its memory. */
struct a_call {
	struct nhn_rpc_call call;
	struct iovec request;
	struct iovec reply;
	uint32_t done; /* times that it was told */
	uint8_t out[RPC_BYTES];
	uint8_t in[RPC_BYTES + 64];
};

/* A request that is answered later. */
struct a_debt {
	struct nhn_rpc_token token;
	uint16_t type;
	struct iovec vector;
	uint8_t bytes[RPC_BYTES];
};

static struct nhn_rpc_client client;
static struct nhn_rpc_slot slots[65536];
static struct nhn_rpc_server server;
static struct a_call calls[RPC_CALLS];

static struct {
	uint8_t memory[RPC_BYTES];
	uint32_t memory_bytes;
	struct a_debt now; /* answered from within serve() */
	struct a_debt debt[RPC_CALLS];
	uint32_t debts;
	bool defer;		/* to debt[] */
	uint32_t reply_longest; /* of a reply */
	uint16_t last_type;
} service;

/* ---- server ---- */

static inline uint32_t
reply_length_of(uint16_t type)
{
	return pattern_length(9, type, service.reply_longest);
}

static inline uint16_t
status_of(uint16_t type)
{
	return (uint16_t)(type ^ 0x5555);
}

static inline struct nhn_rpc_reply
reply_of(struct a_debt *debt, uint16_t type)
{
	struct nhn_rpc_reply reply = {
		.status = status_of(type), .vector = &debt->vector, .vectors = 1};
	uint32_t length = reply_length_of(type);

	assert_true(length <= RPC_BYTES);
	debt->vector.iov_base = debt->bytes;
	debt->vector.iov_len = length;
	pattern_fill(debt->bytes, length, RPC_SEED_REPLY, type);
	return reply;
}

static inline int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	struct a_debt *debt = &service.debt[service.debts % RPC_CALLS];

	assert_ptr_equal(context, &service);
	assert_int_equal(reply->status, 0);
	assert_null(reply->vector);
	assert_true(
		pattern_matches(request->data, request->length, RPC_SEED_REQUEST, request->type));
	service.last_type = request->type;
	if (!service.defer) {
		*reply = reply_of(&service.now, request->type);
		return 0;
	}
	debt->token = request->token;
	debt->type = request->type;
	service.debts++;
	return -EINPROGRESS;
}

/* Answer what was put off. */
static inline int
pay(struct a_debt *debt)
{
	const struct nhn_rpc_reply reply = reply_of(debt, debt->type);

	return nhn_rpc_server_reply(&server, &debt->token, &reply);
}

static inline void
server_begin(void)
{
	nhn_rpc_server_init(&server, &rig.guest.endpoint, 0, serve, &service, service.memory,
			    service.memory_bytes);
}

/* ---- client ---- */

static inline void
client_begin(uint32_t slot_count)
{
	memset(slots, 0xa5, sizeof(slots));
	assert_int_equal(nhn_rpc_client_init(&client, &rig.host.endpoint, 0, slots, slot_count), 0);
}

static inline void
call_done(struct nhn_rpc_call *call)
{
	struct a_call *mine = call->context;

	assert_ptr_equal(&mine->call, call);
	assert_int_not_equal(call->result, -EINPROGRESS);
	mine->done++;
}

/* Begin a call of this type, with room for @p room bytes of its reply. */
static inline int
call_begin(struct a_call *call, uint16_t type, uint32_t length, uint32_t room)
{
	memset(call, 0xee, sizeof(*call));
	memset(&call->call, 0, sizeof(call->call));
	call->done = 0;
	pattern_fill(call->out, length, RPC_SEED_REQUEST, type);
	call->request.iov_base = call->out;
	call->request.iov_len = length;
	call->reply.iov_base = call->in;
	call->reply.iov_len = room;
	call->call.type = type;
	call->call.request = &call->request;
	call->call.requests = 1;
	call->call.reply = &call->reply;
	call->call.replies = 1;
	call->call.deadline_ns = NHN_NEVER_NS;
	call->call.done = call_done;
	call->call.context = call;
	return nhn_rpc_client_call(&client, &call->call);
}

static inline void
expect_begun(struct a_call *call, uint16_t type, uint32_t length)
{
	assert_int_equal(call_begin(call, type, length, RPC_BYTES), 0);
	assert_int_equal(call->call.result, -EINPROGRESS);
}

/* It was answered, once, by the reply to its own request. */
static inline void
expect_answered(const struct a_call *call)
{
	uint16_t type = call->call.type;
	uint32_t length = reply_length_of(type);

	assert_int_equal(call->call.result, 0);
	assert_int_equal(call->done, 1);
	assert_int_equal(call->call.status, status_of(type));
	assert_int_equal(call->call.length, length);
	assert_true(pattern_matches(call->in, length, RPC_SEED_REPLY, type));
	assert_int_equal(call->in[length], 0xee);
}

static inline void
expect_ended(const struct a_call *call, int result)
{
	assert_int_equal(call->call.result, result);
	assert_int_equal(call->done, 1);
}

/* ---- both ---- */

/* The program has no channel of its own here: it hears of restarts only. */
static inline void
poll_one(struct node *node)
{
	int channel = nhn_endpoint_poll(&node->endpoint);
	struct nhn_msg_piece piece;

	if (channel >= 0)
		assert_int_equal(nhn_msg_peek(&node->endpoint.rx[channel], &piece, 1), -ESTALE);
}

static inline void
poll_both(uint32_t turns)
{
	while (turns-- > 0) {
		poll_one(&rig.host);
		poll_one(&rig.guest);
	}
}

/* Until a call ended. */
static inline void
poll_ended(const struct a_call *call)
{
	uint32_t turns = 0;

	while (call->call.result == -EINPROGRESS) {
		poll_both(1);
		assert_true(turns++ < 20000);
	}
}

/* Control steps of both, each with some polls that tell what they brought. */
static inline void
poll_controls(uint32_t turns)
{
	while (turns-- > 0) {
		nhn_endpoint_control(&rig.host.endpoint);
		nhn_endpoint_control(&rig.guest.endpoint);
		poll_both(20);
	}
}

static inline void
poll_up(void)
{
	uint32_t turns = 0;

	do {
		poll_controls(1);
		assert_true(turns++ < RIG_TURNS);
	} while (!rig_is_up());
}

/* A call goes all the way: nothing is left in the way. */
static inline void
expect_works(uint16_t type)
{
	bool defer = service.defer;

	service.defer = false;
	expect_begun(&calls[RPC_CALLS - 1], type, 100);
	poll_ended(&calls[RPC_CALLS - 1]);
	expect_answered(&calls[RPC_CALLS - 1]);
	service.defer = defer;
}

/* The guest dies, and begins anew with a server. */
static inline void
server_restarts(void)
{
	node_begin(&rig.guest);
	server_begin();
}

static inline void
client_restarts(void)
{
	node_begin(&rig.host);
	client_begin(RPC_SLOTS);
}

/* The server puts off @p count calls, beginning with this type. */
static inline void
begin_put_off(uint32_t count, uint16_t type)
{
	uint32_t i;

	service.defer = true;
	service.debts = 0;
	for (i = 0; i < count; i++)
		expect_begun(&calls[i], (uint16_t)(type + i), 10);
	for (i = 0; i < 1000 && service.debts < count; i++)
		poll_both(1);
	assert_int_equal(service.debts, count);
}

static inline uint16_t
type_of_long_reply(void)
{
	uint16_t type = 0;

	service.reply_longest = 30000;
	while (reply_length_of(type) < 20000)
		type++;
	return type;
}

static inline int
rpc_setup(void **state)
{
	setup(state);
	memset(&service, 0, sizeof(service));
	service.memory_bytes = RPC_BYTES;
	service.reply_longest = 200;
	rig_begin();
	client_begin(RPC_SLOTS);
	server_begin();
	return 0;
}

#endif /* NHN_TEST_RPC_RIG_H */
