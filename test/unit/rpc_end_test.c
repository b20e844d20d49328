/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends of calls other than a reply: deadlines, cancels, lengths that do not fit, messages that
 * are no replies. What is left of them disturbs no later call. */

#include "rpc_rig.h"

/* Begin a call whose server puts the answer off, and see the request served. */
static void
begin_deferred(struct a_call *call, uint16_t type)
{
	uint32_t debts = service.debts;

	service.defer = true;
	expect_begun(call, type, 10);
	while (service.debts == debts)
		poll_both(1);
}

/* ---- deadlines ---- */

static void
begin_until(struct a_call *call, uint64_t deadline_ns)
{
	memset(&call->call, 0, sizeof(call->call));
	call->call.deadline_ns = deadline_ns;
	call->call.done = call_done;
	call->call.context = call;
	call->done = 0;
	assert_int_equal(nhn_rpc_client_call(&client, &call->call), 0);
}

static void
test_deadline(void **state)
{
	uint64_t begun_ns;

	(void)state;
	begin_deferred(&calls[0], 1);
	begin_deferred(&calls[1], 2);
	begun_ns = rig.now_ns;
	begin_until(&calls[3], begun_ns + 9 * RIG_MS);
	begin_until(&calls[4], begun_ns + 6 * RIG_MS);
	while (calls[4].call.result == -EINPROGRESS)
		nhn_endpoint_poll(&rig.host.endpoint); /* the guest's clock does not run */
	assert_int_equal(rig.now_ns, begun_ns + 6 * RIG_MS);
	expect_ended(&calls[4], -ETIMEDOUT);
	while (calls[3].call.result == -EINPROGRESS)
		nhn_endpoint_poll(&rig.host.endpoint);
	assert_int_equal(rig.now_ns, begun_ns + 9 * RIG_MS);
	expect_ended(&calls[3], -ETIMEDOUT);
	assert_int_equal(client.timeouts, 2);
	assert_int_equal(calls[0].call.result, -EINPROGRESS); /* without a deadline */
	assert_int_equal(pay(&service.debt[0]), 0);
	poll_ended(&calls[0]);
	expect_answered(&calls[0]);
	assert_int_equal(client.open, 1);
}

/* The reply to a call that is no more is dropped, though its slot has a new call. */
static void
late_reply(bool cancel)
{
	uint64_t late = client.late;

	client_begin(1);
	client.late = late;
	service.debts = 0;
	begin_deferred(&calls[0], 7);
	if (cancel) {
		nhn_rpc_client_cancel(&client, &calls[0].call);
		assert_int_equal(calls[0].call.result, -ECANCELED);
		assert_int_equal(calls[0].done, 0); /* its program knows */
		nhn_rpc_client_cancel(&client, &calls[0].call);
		assert_int_equal(client.cancelled, 1);
	} else {
		calls[0].call.deadline_ns = 1;
		client.deadline_ns = 1;
		poll_controls(1);
		expect_ended(&calls[0], -ETIMEDOUT);
	}
	begin_deferred(&calls[1], 8);
	assert_int_equal(pay(&service.debt[0]), 0);
	poll_both(10);
	assert_int_equal(client.late, late + 1);
	assert_int_equal(calls[1].call.result, -EINPROGRESS);
	assert_int_equal(calls[0].in[0], 0xee);
	assert_int_equal(pay(&service.debt[1]), 0);
	poll_ended(&calls[1]);
	expect_answered(&calls[1]);
	assert_int_equal(calls[0].done, cancel ? 0 : 1);
}

static void
test_late_replies(void **state)
{
	(void)state;
	service.reply_longest = 60;
	late_reply(true);
	late_reply(false);
	service.reply_longest = 1000;
	late_reply(true);
	late_reply(false);
	assert_int_equal(client.late, 4);
}

/* Long ones are dropped piece by piece. */
static void
test_late_long_reply(void **state)
{
	uint16_t type = 0;
	uint32_t i;

	(void)state;
	service.reply_longest = 30000;
	while (reply_length_of(type) < 20000)
		type++;
	for (i = 0; i < 5; i++) {
		service.debts = 0;
		begin_deferred(&calls[0], type);
		nhn_rpc_client_cancel(&client, &calls[0].call);
		assert_int_equal(pay(&service.debt[0]), -EINPROGRESS);
		while (nhn_msg_busy(&rig.guest.endpoint.tx[0]))
			poll_both(1);
		expect_works((uint16_t)(type + 1));
		assert_int_equal(client.late, i + 1);
		assert_int_equal(calls[0].in[0], 0xee);
	}
}

/* ---- in the middle ---- */

/* The request is half sent: its server never hears of it, and of the next one all. */
static void
test_cancel_while_the_request_is_sent(void **state)
{
	uint32_t turns;

	(void)state;
	for (turns = 0; turns < 25; turns++) {
		assert_int_equal(call_begin(&calls[0], 5, 30000, 100), 0);
		poll_both(turns);
		assert_ptr_equal(client.sending, &calls[0].call);
		nhn_rpc_client_cancel(&client, &calls[0].call);
		assert_null(client.sending);
		memset(calls[0].out, 0, sizeof(calls[0].out)); /* its memory is free */
		while (nhn_msg_busy(&rig.host.endpoint.tx[0]))
			poll_both(1);
		expect_works((uint16_t)(100 + turns));
	}
	assert_int_equal(server.requests, 25);
	assert_int_equal(client.cancelled, 25);
	assert_int_equal(client.open, 0);
}

static void
test_end_while_the_reply_is_received(void **state)
{
	uint16_t type = 0;
	uint32_t turns;

	(void)state;
	service.reply_longest = 30000;
	while (reply_length_of(type) < 20000)
		type++;
	for (turns = 0; turns < 30; turns++) {
		uint8_t kept[RPC_BYTES];

		expect_begun(&calls[0], type, 10);
		while (client.receiving == NULL)
			poll_both(1);
		poll_both(turns / 2);
		if (turns % 2) {
			nhn_rpc_client_cancel(&client, &calls[0].call);
		} else {
			calls[0].call.deadline_ns = client.deadline_ns = 1;
			nhn_endpoint_control(&rig.host.endpoint);
			expect_ended(&calls[0], -ETIMEDOUT);
		}
		memcpy(kept, calls[0].in, sizeof(kept));
		expect_works((uint16_t)(type + 1));
		assert_memory_equal(kept, calls[0].in, sizeof(kept)); /* its memory is free */
	}
	assert_int_equal(client.late, 0);
	assert_int_equal(client.replies, 30);
	assert_int_equal(client.open, 0);
}

/* The server's program gives up a reply that it had begun. */
static void
test_reply_is_given_up(void **state)
{
	uint16_t type = 0;
	uint32_t i;

	(void)state;
	service.reply_longest = 30000;
	while (reply_length_of(type) < 20000)
		type++;
	for (i = 1; i < 5; i++) {
		expect_begun(&calls[0], type, 10);
		while (client.receiving == NULL)
			poll_both(1);
		nhn_msg_cancel(&rig.guest.endpoint.tx[0]);
		poll_ended(&calls[0]);
		expect_ended(&calls[0], -ECANCELED);
		assert_int_equal(client.cancelled, i);
		expect_works((uint16_t)(type + i));
	}
}

/* ---- lengths ---- */

static void
test_request_too_long(void **state)
{
	uint32_t length;

	(void)state;
	service.memory_bytes = 300;
	server_begin();
	expect_begun(&calls[0], 1, 300);
	poll_ended(&calls[0]);
	expect_answered(&calls[0]);
	for (length = 301; length < 30000; length += length / 3) {
		uint64_t refused = server.refused;

		expect_begun(&calls[0], 1, length);
		poll_ended(&calls[0]);
		expect_ended(&calls[0], -EOPNOTSUPP);
		assert_int_equal(calls[0].call.status, NHN_RPC_TOO_LONG);
		assert_int_equal(calls[0].call.length, 0);
		assert_int_equal(server.refused, refused + 1);
		assert_int_equal(client.refused, refused + 1);
		assert_null(client.sending); /* the rest is not sent for nothing */
		expect_works((uint16_t)length);
	}
}

static void
test_reply_too_long(void **state)
{
	uint32_t i;

	(void)state;
	service.reply_longest = 30000;
	for (i = 0; i < 300; i++) {
		uint32_t length = reply_length_of((uint16_t)i);

		if (length == 0)
			continue;
		assert_int_equal(call_begin(&calls[0], (uint16_t)i, 10, length - 1), 0);
		poll_ended(&calls[0]);
		expect_ended(&calls[0], -EMSGSIZE);
		assert_int_equal(calls[0].call.length, length);
		assert_int_equal(calls[0].call.status, status_of((uint16_t)i));
		assert_int_equal(calls[0].in[0], 0xee);
		assert_int_equal(call_begin(&calls[0], (uint16_t)i, 10, length), 0);
		poll_ended(&calls[0]);
		expect_answered(&calls[0]);
	}
}

/* ---- a server that cannot answer ---- */

static int
serve_nothing(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	static struct iovec endless[2];

	(void)context;
	endless[0] = (struct iovec){service.memory, UINT32_MAX};
	endless[1] = (struct iovec){service.memory, 1};
	reply->vector = endless;
	reply->vectors = 2; /* more than a message can have */
	return request->type == 1 ? -EIO : 0;
}

static void
test_serve_fails(void **state)
{
	uint16_t type;

	(void)state;
	for (type = 1; type <= 2; type++) {
		nhn_rpc_server_init(&server, &rig.guest.endpoint, 0, serve_nothing, NULL,
				    service.memory, service.memory_bytes);
		expect_begun(&calls[0], type, 100);
		poll_ended(&calls[0]);
		expect_ended(&calls[0], -EOPNOTSUPP);
		assert_int_equal(calls[0].call.status, NHN_RPC_FAILED);
		assert_int_equal(server.refused, 1);
		server_begin();
		expect_works(10);
	}
}

/* ---- from within ---- */

static void
done_begins_another(struct nhn_rpc_call *call)
{
	struct a_call *mine = call->context;

	mine->done++;
	assert_int_equal(call->result, 0);
	assert_int_equal(client.open, 0); /* this one's slot is free again */
	if (mine->done < 20)
		assert_int_equal(nhn_rpc_client_call(&client, call), 0);
}

/* The same memory, from within the end of it; there is one slot. */
static void
test_done_begins_another_call(void **state)
{
	uint32_t turns = 0;

	(void)state;
	service.reply_longest = 3000;
	client_begin(1);
	assert_int_equal(call_begin(&calls[0], 1, 1000, RPC_BYTES), 0);
	calls[0].call.done = done_begins_another;
	while (calls[0].done < 20 && turns++ < 10000)
		poll_both(1);
	assert_int_equal(calls[0].done, 20);
	assert_int_equal(client.calls, 20);
	assert_int_equal(client.replies, 20);
	calls[0].done = 1;
	expect_answered(&calls[0]);
}

/* ---- messages that are none of the scheme ---- */

static void
strange_on(struct nhn_msg_tx *tx, uint16_t flags, uint32_t length)
{
	const struct nhn_message_head head = {.id = 1, .length = length, .type = 3, .flags = flags};

	assert_int_not_equal(nhn_msg_send(tx, &head, rig.out), -EINVAL);
	while (nhn_msg_busy(tx))
		poll_both(1);
	poll_both(30);
}

static void
test_strange_messages(void **state)
{
	struct nhn_msg_tx *from_server = &rig.guest.endpoint.tx[0];
	struct nhn_msg_tx *from_client = &rig.host.endpoint.tx[0];

	(void)state;
	begin_deferred(&calls[0], 9);
	strange_on(from_server, 0, 10);
	strange_on(from_server, NHN_MESSAGE_REQUEST, 0);
	strange_on(from_server, NHN_MESSAGE_REFUSED, 9000);
	assert_int_equal(nhn_msg_send_packed(from_server, 1, rig.out, 8, 10), 10);
	poll_both(50);
	assert_int_equal(client.strange, 13);
	strange_on(from_server, NHN_MESSAGE_REPLY, 9000); /* of no call */
	strange_on(from_server, NHN_MESSAGE_REPLY | NHN_MESSAGE_REFUSED, 0);
	assert_int_equal(client.late, 2);
	strange_on(from_client, 0, 10);
	strange_on(from_client, NHN_MESSAGE_REPLY, 9000);
	assert_int_equal(nhn_msg_send_packed(from_client, 1, rig.out, 8, 10), 10);
	poll_both(50);
	assert_int_equal(server.strange, 12);
	assert_int_equal(server.requests, 1);
	assert_int_equal(calls[0].call.result, -EINPROGRESS);
	expect_works(10);
	assert_int_equal(pay(&service.debt[0]), 0);
	poll_ended(&calls[0]);
	expect_answered(&calls[0]);
}

/* ---- the call that waits ---- */

#define LATER_NS (rig.now_ns + 2000 * (uint64_t)RIG_MS) /* an end of a test that fails */

static void
guest_polls(void)
{
	struct nhn_msg_piece piece;
	uint32_t i;

	rig.look = NULL;
	nhn_endpoint_control(&rig.guest.endpoint);
	for (i = 0; i < 30; i++) {
		int channel = nhn_endpoint_poll(&rig.guest.endpoint);

		if (channel >= 0) /* its client restarted */
			assert_int_equal(nhn_msg_peek(&rig.guest.endpoint.rx[channel], &piece, 1),
					 -ESTALE);
	}
	rig.look = guest_polls;
}

static int
call_wait(struct a_call *call, uint16_t type, uint32_t length, uint64_t deadline_ns)
{
	*call = (struct a_call){.call.type = type, .call.deadline_ns = deadline_ns};
	pattern_fill(call->out, length, RPC_SEED_REQUEST, type);
	memset(call->in, 0xee, sizeof(call->in));
	call->request = (struct iovec){call->out, length};
	call->reply = (struct iovec){call->in, RPC_BYTES};
	call->call.request = &call->request;
	call->call.requests = 1;
	call->call.reply = &call->reply;
	call->call.replies = 1;
	return nhn_rpc_client_call_wait(&client, &call->call);
}

static void
test_call_that_waits(void **state)
{
	uint64_t deadline_ns;
	uint16_t i;

	(void)state;
	service.reply_longest = 20000;
	rig.look = guest_polls;
	for (i = 0; i < 50; i++) {
		assert_int_equal(call_wait(&calls[0], i, i * 300u, LATER_NS), 0);
		calls[0].done = 1;
		expect_answered(&calls[0]);
	}
	service.defer = true;
	deadline_ns = rig.now_ns + 9 * RIG_MS;
	assert_int_equal(call_wait(&calls[0], 1, 10, deadline_ns), -ETIMEDOUT);
	assert_int_equal(calls[0].call.result, -ETIMEDOUT);
	assert_true(rig.now_ns >= deadline_ns && rig.now_ns <= deadline_ns + 2 * RIG_MS);
	assert_int_equal(client.open, 0);
	for (i = 0; i < RPC_SLOTS; i++) /* no slot is free until the deadline */
		while (call_begin(&calls[i], i, 10, 10) != 0)
			nhn_endpoint_poll(&rig.host.endpoint);
	assert_int_equal(call_wait(&calls[20], 1, 10, rig.now_ns + 9 * RIG_MS), -ETIMEDOUT);
	assert_int_equal(client.open, RPC_SLOTS);
}

static void
test_call_that_waits_without_a_peer(void **state)
{
	uint64_t deadline_ns;

	(void)state;
	node_begin(&rig.host);
	client_begin(RPC_SLOTS);
	deadline_ns = rig.now_ns + 9 * RIG_MS;
	assert_int_equal(call_wait(&calls[0], 1, 10, deadline_ns), -ETIMEDOUT);
	assert_int_equal(rig.now_ns, deadline_ns);
	rig.look = guest_polls;
	assert_int_equal(call_wait(&calls[0], 1, 10, LATER_NS), 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rpc_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_deadline),
		TEST(test_late_replies),
		TEST(test_late_long_reply),
		TEST(test_cancel_while_the_request_is_sent),
		TEST(test_end_while_the_reply_is_received),
		TEST(test_reply_is_given_up),
		TEST(test_request_too_long),
		TEST(test_reply_too_long),
		TEST(test_serve_fails),
		TEST(test_done_begins_another_call),
		TEST(test_strange_messages),
		TEST(test_call_that_waits),
		TEST(test_call_that_waits_without_a_peer),
	};

	return cmocka_run_group_tests_name("rpc_end", tests, NULL, NULL);
}
