/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls and replies: in any order, of any length, each to its own. */

#include "rpc_rig.h"

static void
test_call_and_reply(void **state)
{
	uint32_t i;

	(void)state;
	service.reply_longest = 30000;
	for (i = 0; i < 400; i++) {
		uint32_t length = pattern_length(8, i, 30000);

		expect_begun(&calls[0], (uint16_t)i, length);
		poll_ended(&calls[0]);
		assert_int_equal(service.last_type, i);
		expect_answered(&calls[0]);
	}
	assert_int_equal(client.calls, 400);
	assert_int_equal(client.replies, 400);
	assert_int_equal(server.requests, 400);
	assert_int_equal(client.open, 0);
	assert_int_equal(client.late + client.strange + client.reset + client.refused, 0);
	assert_int_equal(server.reset + server.strange + server.refused, 0);
}

/* No request, no reply, nobody to tell. */
static void
test_call_of_nothing(void **state)
{
	struct nhn_rpc_call call = {.type = 0, .deadline_ns = NHN_NEVER_NS};
	uint32_t turns = 0;

	(void)state;
	service.reply_longest = 0;
	assert_int_equal(nhn_rpc_client_call(&client, &call), 0);
	while (call.result == -EINPROGRESS && turns++ < 1000)
		poll_both(1);
	assert_int_equal(call.result, 0);
	assert_int_equal(call.length, 0);
	assert_int_equal(call.status, status_of(0));
}

/* In parts that have nothing to do with the fragments. */
static void
test_parts(void **state)
{
	struct a_call *call = &calls[0];
	struct iovec request[3], reply[4];
	uint16_t type = 0;

	(void)state;
	service.reply_longest = 9000;
	while (reply_length_of(type) < 4000)
		type++;
	*call = (struct a_call){.call.type = type, .call.deadline_ns = NHN_NEVER_NS};
	pattern_fill(call->out, 5000, RPC_SEED_REQUEST, type);
	request[0] = (struct iovec){call->out, 1};
	request[1] = (struct iovec){NULL, 0};
	request[2] = (struct iovec){call->out + 1, 4999};
	reply[0] = (struct iovec){call->in, 3};
	reply[1] = (struct iovec){call->in + 3, 0};
	reply[2] = (struct iovec){call->in + 3, 1500};
	reply[3] = (struct iovec){call->in + 1503, 9000};
	call->call.request = request;
	call->call.requests = 3;
	call->call.reply = reply;
	call->call.replies = 4;
	call->call.done = call_done;
	call->call.context = call;
	memset(call->in, 0xee, sizeof(call->in));
	assert_int_equal(nhn_rpc_client_call(&client, &call->call), 0);
	poll_ended(call);
	expect_answered(call);
}

/* ---- many in flight ---- */

static void
begin_many(uint32_t count, uint16_t first_type, uint32_t longest)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t turns = 0;

		while (call_begin(&calls[i], (uint16_t)(first_type + i),
				  pattern_length(7, first_type + i, longest),
				  RPC_BYTES) == -EAGAIN) {
			poll_both(1); /* an earlier request is on its way */
			assert_true(turns++ < 1000);
		}
	}
	for (i = 0; i < 3000 && service.debts < count; i++)
		poll_both(1);
	assert_int_equal(service.debts, count);
}

/* Pay the debts in an order of the seed, as soon as each can be paid. */
static void
pay_all(uint64_t *random)
{
	while (service.debts != 0) {
		uint32_t which = pattern_below(random, service.debts);
		struct a_debt *debt = &service.debt[which];
		int ret = pay(debt);

		assert_true(ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN);
		while (nhn_msg_busy(&rig.guest.endpoint.tx[0]))
			poll_both(1);
		poll_both(pattern_below(random, 3));
		if (ret != -EAGAIN)
			service.debt[which] = service.debt[--service.debts];
	}
	poll_both(2000);
}

static void
test_replies_in_any_order(void **state)
{
	uint64_t random = 31;
	uint32_t round, i;

	(void)state;
	service.defer = true;
	service.reply_longest = 9000;
	for (round = 0; round < 60; round++) {
		begin_many(RPC_SLOTS, (uint16_t)(round * 100), 9000);
		assert_int_equal(client.open, RPC_SLOTS);
		for (i = 0; i < RPC_SLOTS; i++)
			assert_int_equal(calls[i].done, 0);
		pay_all(&random);
		for (i = 0; i < RPC_SLOTS; i++)
			expect_answered(&calls[i]);
	}
	assert_int_equal(client.late + client.strange, 0);
	assert_int_equal(client.open, 0);
}

static void
test_slots_run_out(void **state)
{
	uint64_t random = 1;

	(void)state;
	service.defer = true;
	begin_many(RPC_SLOTS, 100, 40);
	assert_int_equal(call_begin(&calls[20], 500, 10, 10), -EAGAIN);
	assert_int_equal(client.calls, RPC_SLOTS);
	assert_int_equal(calls[20].done, 0);
	service.debts = 1;
	pay_all(&random);
	expect_answered(&calls[0]);
	assert_int_equal(call_begin(&calls[20], 500, 10, 10), 0);
	assert_int_equal(call_begin(&calls[21], 501, 10, 10), -EAGAIN);
}

/* No room for the request: the call is not begun, its slot is free again. */
static void
test_no_room_for_the_request(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < RPC_SLOTS; i++)
		expect_begun(&calls[i], (uint16_t)i, 8);
	client_begin(RPC_SLOTS); /* with all slots free; the ring is full */
	for (i = 0; i < 2 * RPC_SLOTS; i++)
		assert_int_equal(call_begin(&calls[0], 100, 8, 10), -EAGAIN);
	assert_int_equal(client.open, 0);
	assert_int_equal(client.calls, 0);
}

static void
test_call_refused(void **state)
{
	struct iovec request[2] = {{rig.out, UINT32_MAX}, {rig.out, 1}};
	struct nhn_rpc_call call = {.request = request, .requests = 2};

	(void)state;
	assert_int_equal(nhn_rpc_client_call(&client, &call), -EINVAL);
	node_begin(&rig.host);
	client_begin(1);
	assert_int_equal(call_begin(&calls[0], 1, 10, 10), -ENOTCONN);
	assert_int_equal(call_begin(&calls[0], 1, 10000, 10), -ENOTCONN);
	assert_int_equal(client.open, 0);
}

static void
test_slot_counts(void **state)
{
	struct nhn_rpc_client other;
	uint32_t id = 0;
	uint32_t i;

	(void)state;
	assert_int_equal(nhn_rpc_client_init(&other, &rig.host.endpoint, 1, slots, 0), -EINVAL);
	assert_int_equal(nhn_rpc_client_init(&other, &rig.host.endpoint, 1, slots, 3), -EINVAL);
	assert_int_equal(nhn_rpc_client_init(&other, &rig.host.endpoint, 1, slots, 131072),
			 -EINVAL);
	assert_int_equal(
		nhn_rpc_client_init(&other, &rig.host.endpoint, NHN_CHANNELS_MAX, slots, 1),
		-EINVAL);
	client_begin(1);
	slots[0].id = UINT32_MAX - 3; /* ids wrap */
	for (i = 0; i < 10; i++) {
		expect_begun(&calls[0], (uint16_t)i, 10);
		assert_true(i == 0 || calls[0].call.id == id + 1);
		assert_int_equal(call_begin(&calls[1], 500, 10, 10), -EAGAIN);
		id = calls[0].call.id;
		poll_ended(&calls[0]);
		expect_answered(&calls[0]);
	}
	client_begin(65536);
	service.defer = true;
	service.debts = 0;
	for (i = 0; i < 10; i++) {
		uint64_t random = i;

		begin_many(RPC_CALLS - 10, (uint16_t)(i * 60), 100);
		pay_all(&random);
	}
	for (i = 0; i < RPC_CALLS - 10; i++)
		expect_answered(&calls[i]);
	assert_int_equal(client.late + client.strange, 0);
}

/* ---- replies of the server ---- */

static int
serve_within(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	struct nhn_rpc_reply answer = reply_of(&service.now, request->type);

	(void)reply;
	assert_ptr_equal(context, &service);
	assert_int_not_equal(nhn_rpc_server_reply(&server, &request->token, &answer), -EAGAIN);
	return -EINPROGRESS;
}

static void
test_reply_from_within_serve(void **state)
{
	uint32_t i;

	(void)state;
	service.reply_longest = 5000;
	nhn_rpc_server_init(&server, &rig.guest.endpoint, 0, serve_within, &service, service.memory,
			    service.memory_bytes);
	for (i = 0; i < 50; i++) {
		expect_begun(&calls[0], (uint16_t)i, i * 30);
		poll_ended(&calls[0]);
		expect_answered(&calls[0]);
	}
}

/* One that waits for something itself: the next request does not come in the middle. */
static int
serve_that_waits(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	uint64_t requests = server.requests;
	uint32_t i;

	for (i = 0; i < 100; i++) {
		nhn_endpoint_advance(&rig.guest.endpoint);
		nhn_endpoint_step(&rig.guest.endpoint);
	}
	assert_int_equal(server.requests, requests);
	return serve(context, request, reply);
}

static void
test_serve_that_waits(void **state)
{
	uint32_t i;

	(void)state;
	nhn_rpc_server_init(&server, &rig.guest.endpoint, 0, serve_that_waits, &service,
			    service.memory, service.memory_bytes);
	for (i = 0; i < 5; i++)
		expect_begun(&calls[i], (uint16_t)i, 40);
	for (i = 0; i < 5; i++) {
		poll_ended(&calls[i]);
		expect_answered(&calls[i]);
	}
	assert_int_equal(server.requests, 5);
}

/* The next request is served when the reply is sent: serve() may write where it was. */
static void
test_one_reply_at_a_time(void **state)
{
	uint32_t i;

	(void)state;
	service.reply_longest = 30000;
	for (i = 0; reply_length_of((uint16_t)i) < 20000; i++)
		continue;
	expect_begun(&calls[0], (uint16_t)i, 10);
	expect_begun(&calls[1], (uint16_t)(i + 1), 10);
	for (i = 0; i < 100; i++)
		nhn_endpoint_poll(&rig.guest.endpoint); /* alone: the ring is full */
	assert_int_equal(server.requests, 1);
	assert_true(nhn_msg_busy(&rig.guest.endpoint.tx[0]));
	poll_ended(&calls[1]);
	expect_answered(&calls[0]);
	expect_answered(&calls[1]);
}

/* No room for even the first bytes of the reply: it waits, and then is sent. */
static void
test_reply_waits_for_room(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < RPC_SLOTS; i++)
		assert_int_equal(message_send(&rig.guest.endpoint.tx[0], 1, 2), 0);
	expect_begun(&calls[0], 5, 10);
	expect_begun(&calls[1], 6, 10);
	for (i = 0; i < 100; i++)
		assert_true(nhn_endpoint_poll(&rig.guest.endpoint) < 0);
	assert_int_equal(server.requests, 1);
	assert_true(nhn_endpoint_pending(&rig.guest.endpoint));
	poll_ended(&calls[1]);
	expect_answered(&calls[0]);
	expect_answered(&calls[1]);
	assert_false(nhn_endpoint_pending(&rig.guest.endpoint));
	assert_int_equal(client.strange + client.late, RPC_SLOTS);
}

/* ---- both ways, on two channels ---- */

static struct nhn_rpc_client back;

static int
serve_back(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	assert_int_equal(request->length, 0);
	*reply = reply_of(context, request->type);
	return 0;
}

static void
call_back(struct a_call *call, uint16_t type)
{
	*call = (struct a_call){.call.type = type, .call.deadline_ns = NHN_NEVER_NS};
	memset(call->in, 0xee, sizeof(call->in));
	call->reply = (struct iovec){call->in, RPC_BYTES};
	call->call.reply = &call->reply;
	call->call.replies = 1;
	call->call.done = call_done;
	call->call.context = call;
	assert_int_equal(nhn_rpc_client_call(&back, &call->call), 0);
}

static void
test_calls_both_ways(void **state)
{
	static struct nhn_rpc_slot back_slots[4];
	static struct nhn_rpc_server back_server;
	static struct a_debt debt;
	uint32_t i;

	(void)state;
	service.reply_longest = 9000;
	nhn_rpc_server_init(&back_server, &rig.host.endpoint, 1, serve_back, &debt, NULL, 0);
	assert_int_equal(nhn_rpc_client_init(&back, &rig.guest.endpoint, 1, back_slots, 4), 0);
	for (i = 0; i < 100; i++) {
		expect_begun(&calls[0], (uint16_t)i, i * 50);
		call_back(&calls[1], (uint16_t)(1000 + i));
		poll_ended(&calls[0]);
		poll_ended(&calls[1]);
		expect_answered(&calls[0]);
		expect_answered(&calls[1]);
	}
	assert_int_equal(back.replies, 100);
	assert_int_equal(client.replies, 100);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rpc_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_call_and_reply),
		TEST(test_call_of_nothing),
		TEST(test_parts),
		TEST(test_replies_in_any_order),
		TEST(test_slots_run_out),
		TEST(test_no_room_for_the_request),
		TEST(test_call_refused),
		TEST(test_slot_counts),
		TEST(test_reply_from_within_serve),
		TEST(test_serve_that_waits),
		TEST(test_one_reply_at_a_time),
		TEST(test_reply_waits_for_room),
		TEST(test_calls_both_ways),
	};

	return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
