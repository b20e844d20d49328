/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of calls restarts, or the layout does: no reply goes to whom it is not for, and
 * none is in the way. */

#include "rpc_rig.h"

/* ---- the client restarts ---- */

static void
test_replies_to_a_client_that_is_gone(void **state)
{
	uint32_t i;

	(void)state;
	begin_put_off(5, 100);
	client_restarts();
	poll_controls(2);
	assert_int_equal(pay(&service.debt[0]), -ECONNRESET);
	poll_up();
	for (i = 1; i < 5; i++) /* the new client has calls of the same ids */
		expect_begun(&calls[i], (uint16_t)(200 + i), 10);
	for (i = 1; i < 5; i++)
		assert_int_equal(pay(&service.debt[i]), -ECONNRESET);
	assert_int_equal(server.reset, 5);
	poll_both(100);
	assert_int_equal(client.late + client.strange, 0);
	for (i = 5; i < 9; i++)
		assert_int_equal(pay(&service.debt[i]), 0);
	for (i = 1; i < 5; i++) {
		poll_ended(&calls[i]);
		expect_answered(&calls[i]);
	}
}

/* It died with many requests committed: all are served, no reply stands in the way. */
static void
test_client_dies_with_requests_unread(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 10; i++)
		expect_begun(&calls[i], (uint16_t)i, 40);
	client_restarts();
	for (i = 0; i < 3; i++) {
		nhn_endpoint_control(&rig.host.endpoint);
		nhn_endpoint_control(&rig.guest.endpoint);
	}
	poll_up();
	assert_int_equal(server.requests, 10);
	assert_int_equal(server.reset, 10);
	expect_works(20);
	assert_int_equal(client.late + client.strange, 0);
}

/* A long reply is on its way, with more requests behind it. */
static void
test_client_dies_while_it_is_replied_to(void **state)
{
	uint16_t type = type_of_long_reply();
	uint32_t turns;

	(void)state;
	for (turns = 0; turns < 10; turns++) {
		uint64_t lost = rig.guest.endpoint.tx[0].lost;

		service.reply_longest = 30000;
		expect_begun(&calls[0], type, 10);
		expect_begun(&calls[1], type, 10);
		expect_begun(&calls[2], type, 10);
		while (client.receiving == NULL)
			poll_both(1);
		poll_both(turns);
		client_restarts();
		poll_up();
		assert_int_equal(rig.guest.endpoint.tx[0].lost, lost + 1);
		service.reply_longest = 100;
		expect_works((uint16_t)(type + 1));
		assert_int_equal(client.late + client.strange, 0);
	}
}

static void
test_client_dies_while_it_requests(void **state)
{
	uint32_t turns;

	(void)state;
	for (turns = 0; turns < 12; turns++) {
		uint64_t requests = server.requests;

		expect_begun(&calls[0], 5, 30000);
		poll_both(turns);
		client_restarts();
		poll_up();
		assert_int_equal(server.requests, requests);
		expect_works(6);
	}
}

/* A reply that waits for room is for nobody once its client is gone. */
static void
test_waiting_reply_is_dropped(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < RIG_CELLS; i++)
		assert_int_equal(message_send(&rig.guest.endpoint.tx[0], 1, 2), 0);
	expect_begun(&calls[0], 5, 10);
	for (i = 0; i < 100; i++)
		nhn_endpoint_poll(&rig.guest.endpoint);
	assert_int_equal(server.requests, 1);
	client_restarts();
	poll_up();
	assert_int_equal(server.reset, 1);
	poll_both(100);
	assert_int_equal(client.late + client.strange, 0);
	expect_works(1);
}

static void
test_both_restart(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 10; i++) {
		begin_put_off(4, 100);
		if (i % 2)
			assert_int_equal(pay(&service.debt[0]), 0);
		client_restarts();
		server_restarts();
		poll_up();
		assert_int_equal(client.late + client.strange + server.strange, 0);
		expect_works(9);
	}
}

/* A peer that broke the rules is replied to no more. */
static void
test_reply_to_a_broken_peer(void **state)
{
	(void)state;
	begin_put_off(2, 100);
	assert_int_equal(nhn_rx_break(&rig.guest.link.rx[0], NHN_FAULT_KIND), -ESTALE);
	nhn_endpoint_control(&rig.guest.endpoint);
	assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_BROKEN);
	assert_int_equal(pay(&service.debt[0]), -ECONNRESET);
	poll_controls(3);
	assert_int_equal(pay(&service.debt[1]), -ECONNRESET);
	expect_ended(&calls[0], -ECONNRESET);
	expect_ended(&calls[1], -ECONNRESET);
	client_restarts(); /* this life of it is heard no more */
	poll_up();
	expect_works(6);
}

/* ---- a layout ---- */

/* The channel is not in the new one: its calls end all the same, deadlines come. */
static void
test_layout_without_the_channel(void **state)
{
	static struct nhn_rpc_client back;
	static struct nhn_rpc_slot back_slots[4];
	struct nhn_rpc_call call[2] = {{.deadline_ns = NHN_NEVER_NS}, {.deadline_ns = 0}};

	(void)state;
	assert_int_equal(nhn_rpc_client_init(&back, &rig.guest.endpoint, 3, back_slots, 4), 0);
	assert_int_equal(nhn_rpc_client_call(&back, &call[0]), 0);
	while (nhn_msg_ready(&rig.host.endpoint.rx[3])) {
		struct nhn_msg_piece piece;

		nhn_msg_peek(&rig.host.endpoint.rx[3], &piece, 1);
		nhn_msg_release(&rig.host.endpoint.rx[3]);
	}
	rig_lay(1, 32, 4096, 64);
	client_restarts();
	poll_up();
	assert_int_equal(rig.guest.link.layout.channels, 1);
	assert_int_equal(call[0].result, -ECONNRESET);
	assert_int_equal(back.reset, 1);
	assert_true(nhn_rpc_client_call(&back, &call[1]) < 0);
	assert_int_equal(back.open, 0);
	expect_works(1);
	rig_lay(4, 16, 4096, 64); /* and back */
	client_restarts();
	poll_up();
	expect_works(2);
	assert_int_equal(nhn_rpc_client_call(&back, &call[0]), 0);
}

/* The guest comes anew and serves nothing. */
static void
guest_goes(void)
{
	static uint32_t turn;

	if (++turn == 4) {
		rig.look = NULL;
		node_begin(&rig.guest);
		rig.look = guest_goes;
	}
	nhn_link_control(&rig.guest.link, rig.now_ns);
}

/* What the peer left on another channel has first to be read: without end else. */
static void
test_call_that_waits_is_held_up(void **state)
{
	struct nhn_rpc_call call;

	(void)state;
	assert_int_equal(message_send(&rig.guest.endpoint.tx[1], 5, 50), 0);
	rig.look = guest_goes;
	nhn_rpc_call_init(&call, 1, "request", 7, NULL, 0, NHN_NEVER_NS);
	assert_int_equal(nhn_rpc_client_call_wait(&client, &call), -EBUSY);
	assert_int_equal(call.result, -EBUSY);
	assert_int_equal(client.calls, 1);
	assert_int_equal(client.open, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rpc_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reply_to_a_broken_peer),
		TEST(test_replies_to_a_client_that_is_gone),
		TEST(test_client_dies_with_requests_unread),
		TEST(test_client_dies_while_it_is_replied_to),
		TEST(test_client_dies_while_it_requests),
		TEST(test_waiting_reply_is_dropped),
		TEST(test_both_restart),
		TEST(test_layout_without_the_channel),
		TEST(test_call_that_waits_is_held_up),
	};

	return cmocka_run_group_tests_name("rpc_client_restart", tests, NULL, NULL);
}
