/* SPDX-License-Identifier: BSD-3-Clause */
/* A side of calls restarts: the calls to it end at once, what it had replied still comes, and
 * nothing of the old life reaches the new one. */

#include "rpc_rig.h"

/* ---- the server restarts ---- */

static void
test_open_calls_end(void **state)
{
	uint32_t i;

	(void)state;
	begin_put_off(8, 100);
	server_restarts();
	poll_controls(2); /* one that sees it gone, one that tells */
	for (i = 0; i < 8; i++)
		expect_ended(&calls[i], -ECONNRESET);
	assert_int_equal(client.reset, 8);
	assert_int_equal(client.open, 0);
	assert_int_equal(pay(&service.debt[0]), -ECONNRESET);
	poll_up();
	assert_int_equal(pay(&service.debt[1]), -ECONNRESET); /* of a former life */
	for (i = 0; i < 8; i++)
		assert_int_equal(calls[i].done, 1);
	expect_works(1);
	assert_int_equal(client.late + client.strange, 0);
}

/* Replied before the death and not yet received: these calls are answered, no others. */
static void
replies_before_death(uint32_t replied, uint32_t longest)
{
	uint64_t reset = client.reset;
	uint32_t i;

	service.reply_longest = longest;
	begin_put_off(8, 100);
	for (i = 0; i < replied; i++)
		assert_int_equal(pay(&service.debt[7 - i]), 0);
	server_restarts();
	for (i = 0; i < 3; i++) {
		nhn_endpoint_control(&rig.host.endpoint);
		nhn_endpoint_control(&rig.guest.endpoint);
	}
	poll_up();
	for (i = 0; i < 8 - replied; i++)
		expect_ended(&calls[i], -ECONNRESET);
	for (; i < 8; i++)
		expect_answered(&calls[i]);
	assert_int_equal(client.reset, reset + 8 - replied);
	assert_int_equal(client.late, 0);
	expect_works(1);
}

static void
test_replies_committed_before_death(void **state)
{
	uint32_t replied;

	(void)state;
	for (replied = 0; replied <= 8; replied++)
		replies_before_death(replied, 400);
}

/* Half of the reply is there: the call ends, and what is half there is no reply to anybody. */
static void
test_death_while_it_replies(void **state)
{
	uint16_t type = type_of_long_reply();
	uint32_t turns;

	(void)state;
	for (turns = 0; turns < 12; turns++) {
		service.reply_longest = 30000;
		expect_begun(&calls[0], type, 10);
		while (client.receiving == NULL)
			poll_both(1);
		poll_both(turns);
		server_restarts();
		service.reply_longest = 100;
		poll_up();
		expect_ended(&calls[0], -ECONNRESET);
		assert_int_equal(client.reset, turns + 1);
		assert_int_equal(client.late + client.strange, 0);
		assert_int_equal(rig.host.endpoint.rx[0].lost, turns + 1);
		expect_works((uint16_t)(type + 1));
	}
}

static void
test_death_while_the_request_is_sent(void **state)
{
	uint32_t turns;

	(void)state;
	for (turns = 0; turns < 12; turns++) {
		expect_begun(&calls[0], 5, 30000);
		poll_both(turns);
		assert_ptr_equal(client.sending, &calls[0].call);
		server_restarts();
		poll_up();
		expect_ended(&calls[0], -ECONNRESET);
		assert_null(client.sending);
		assert_int_equal(client.reset, turns + 1);
		expect_works(6);
	}
	assert_int_equal(rig.host.endpoint.tx[0].lost, 12);
}

/* A call that done() would begin finds no peer yet; one begun with the new peer stays. */
static int answer_in_done;

static void
done_calls_again(struct nhn_rpc_call *call)
{
	call_done(call);
	answer_in_done = call_begin(&calls[30], 77, 10, RPC_BYTES);
}

static void
test_call_from_within_the_end(void **state)
{
	(void)state;
	begin_put_off(2, 100);
	calls[0].call.done = done_calls_again;
	server_restarts();
	poll_up();
	expect_ended(&calls[0], -ECONNRESET);
	expect_ended(&calls[1], -ECONNRESET);
	assert_int_equal(answer_in_done, -ENOTCONN);
	expect_works(1);
}

/* Control steps and no polls, until calls to the new server can begin. The end of the old one
 * is not told by then. */
static void
new_server_unheard(void)
{
	uint64_t pairing = nhn_link_tx_pairing(&rig.host.link);
	uint32_t turns = 0;

	server_restarts();
	while (nhn_link_tx_pairing(&rig.host.link) == pairing || !rig.host.link.tx[0].up) {
		nhn_endpoint_control(&rig.host.endpoint);
		nhn_endpoint_control(&rig.guest.endpoint);
		assert_true(turns++ < RIG_TURNS);
	}
	assert_true(rig.host.link.rx[0].stale);
}

/* What is told then does not end the calls to the new one. */
static void
test_calls_to_the_new_peer_stay(void **state)
{
	uint32_t i;

	(void)state;
	begin_put_off(3, 100);
	new_server_unheard();
	expect_begun(&calls[9], 9, 10);
	for (i = 0; i < 3; i++)
		expect_ended(&calls[i], -ECONNRESET);
	service.defer = false;
	poll_up();
	poll_ended(&calls[9]);
	expect_answered(&calls[9]);
	assert_int_equal(client.reset, 3);
}

/* The new one dies as well before it wrote a word: no second -ESTALE comes, yet the call
 * ends. */
static void
test_new_peer_dies_unheard(void **state)
{
	(void)state;
	begin_put_off(3, 100);
	new_server_unheard();
	expect_begun(&calls[9], 9, 10);
	poll_both(10);
	assert_int_equal(rig.host.link.rx_state, NHN_RX_WAIT_OPEN);
	assert_int_equal(calls[9].call.result, -EINPROGRESS);
	server_restarts();
	nhn_endpoint_control(&rig.guest.endpoint); /* it stands anew before the client looks */
	nhn_endpoint_control(&rig.host.endpoint);
	assert_int_equal(rig.host.link.rx_state, NHN_RX_IDLE);
	poll_up();
	expect_ended(&calls[9], -ECONNRESET);
	assert_int_equal(client.reset, 4);
	expect_works(3);
}

/* done() begins two calls with the new peer, while others of the old one are still to end. */
static void
done_calls_twice(struct nhn_rpc_call *call)
{
	call_done(call);
	expect_begun(&calls[30], 77, 10);
	expect_begun(&calls[31], 78, 10);
}

static void
test_calls_to_the_new_peer_from_within(void **state)
{
	uint64_t pairing;
	uint32_t i;

	(void)state;
	begin_put_off(6, 100);
	assert_int_equal(pay(&service.debt[4]), 0); /* its slot is the next free one */
	poll_ended(&calls[4]);
	calls[0].call.done = done_calls_twice;
	pairing = nhn_link_tx_pairing(&rig.host.link);
	server_restarts();
	/* The program steps the link itself: the client is not asked in between. */
	for (i = 0; i < RIG_TURNS &&
		    (nhn_link_tx_pairing(&rig.host.link) == pairing || !rig.host.link.tx[0].up);
	     i++)
		rig_steps(1);
	service.defer = false;
	poll_up();
	for (i = 0; i < 6; i++)
		if (i != 4)
			expect_ended(&calls[i], -ECONNRESET);
	poll_ended(&calls[30]);
	poll_ended(&calls[31]);
	expect_answered(&calls[30]);
	expect_answered(&calls[31]);
	assert_int_equal(client.reset, 5);
}

/* The dead one's messages on another channel are unread, so that its end is not told: a call
 * whose request was on its way ends all the same. */
static void
test_request_ends_before_the_drain(void **state)
{
	uint32_t turns;

	(void)state;
	expect_begun(&calls[0], 5, 30000);
	assert_int_equal(message_send(&rig.guest.endpoint.tx[1], 1, 8), 0);
	for (turns = 0; turns < 20; turns++) /* channel 1 is named, and not read */
		nhn_endpoint_poll(&rig.guest.endpoint);
	server_restarts();
	nhn_endpoint_control(&rig.guest.endpoint);
	nhn_endpoint_control(&rig.host.endpoint);
	for (turns = 0; turns < 5; turns++)
		nhn_endpoint_poll(&rig.host.endpoint);
	nhn_endpoint_control(&rig.host.endpoint);
	expect_ended(&calls[0], -ECONNRESET);
	assert_int_equal(client.reset, 1);
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_WAIT_DRAIN);
	expect_received(&rig.host.endpoint.rx[1], 1, 8);
	poll_up();
	assert_int_equal(client.reset, 1);
	assert_int_equal(calls[0].done, 1);
	expect_works(6);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rpc_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_calls_end),
		TEST(test_replies_committed_before_death),
		TEST(test_death_while_it_replies),
		TEST(test_death_while_the_request_is_sent),
		TEST(test_call_from_within_the_end),
		TEST(test_calls_to_the_new_peer_stay),
		TEST(test_new_peer_dies_unheard),
		TEST(test_calls_to_the_new_peer_from_within),
		TEST(test_request_ends_before_the_drain),
	};

	return cmocka_run_group_tests_name("rpc_restart", tests, NULL, NULL);
}
