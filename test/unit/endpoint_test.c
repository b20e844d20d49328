/* SPDX-License-Identifier: BSD-3-Clause */
/* An endpoint: which step a poll does, to the step. */

#include "endpoint_rig.h"

/* ---- priority ---- */

/* A message of a more urgent channel waits for no step at all but the one under way. */
static void
test_urgent_sends_first(void **state)
{
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	send_on(3, 12 * 1024);
	for (i = 2; i <= 4; i++) {
		assert_int_equal(poll_host(), -EINPROGRESS);
		assert_int_equal(sent_of(3), i * 1024);
	}
	send_on(1, 3 * 1024);
	assert_int_equal(poll_host(), -EINPROGRESS);
	assert_int_equal(sent_of(1), 2 * 1024);
	send_on(0, 2 * 1024);
	assert_int_equal(poll_host(), -EINPROGRESS);
	assert_false(nhn_msg_busy(host_tx(0)));
	assert_int_equal(sent_of(1), 2 * 1024);
	assert_int_equal(poll_host(), -EINPROGRESS);
	assert_false(nhn_msg_busy(host_tx(1)));
	assert_int_equal(sent_of(3), 4 * 1024); /* stood still all the while */
	for (i = 5; i <= 12; i++) {
		assert_int_equal(poll_host(), -EINPROGRESS);
		assert_int_equal(sent_of(3), i * 1024);
	}
	assert_false(nhn_msg_busy(host_tx(3)));
	assert_int_equal(poll_host(), -EAGAIN); /* nothing is left to do */
}

/* It is named at the very next poll, in the middle of any other message. */
static void
test_urgent_is_read_first(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector = {rig.in, sizeof(rig.in)};
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	nhn_msg_buffer_init(&buffer, &vector, 1);
	send_on(2, 8 * 1024);
	while (nhn_msg_send_step(host_tx(2)) != 0)
		continue;
	for (i = 0; i < 8; i++) {
		assert_int_equal(poll_guest(), 2);
		assert_int_equal(nhn_msg_receive(guest_rx(2), &buffer), i < 7 ? -EINPROGRESS : 0);
		send_on(i % 2, 100);
		assert_int_equal(poll_guest(), i % 2);
		receive_on(i % 2);
	}
	assert_int_equal(poll_guest(), -EAGAIN);
}

/* A step of a long piece is something taken: the same channel has the next poll too. */
static void
test_long_message_is_read_at_each_poll(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector = {rig.in, sizeof(rig.in)};
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	nhn_msg_buffer_init(&buffer, &vector, 1);
	send_on(2, 8 * 1024);
	while (nhn_msg_send_step(host_tx(2)) != 0)
		continue;
	send_on(3, 10);
	for (i = 0; i < 8; i++) {
		assert_int_equal(poll_guest(), 2);
		assert_int_equal(nhn_msg_receive(guest_rx(2), &buffer), i < 7 ? -EINPROGRESS : 0);
	}
	assert_int_equal(poll_guest(), 3);
}

/* Reading of an urgent channel goes before sending of another, and the other way. */
static void
test_urgent_of_reading_and_sending(void **state)
{
	const struct nhn_message_head head = message_head(1, 20);
	struct nhn_msg_tx *back = &rig.guest.endpoint.tx[0];
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	send_on(1, 12 * 1024);
	for (i = 0; i < 3; i++)
		assert_int_equal(nhn_msg_send(back, &head, rig.out), 0);
	for (i = 0; i < 3; i++) {
		struct nhn_msg_piece piece;

		assert_int_equal(poll_host(), 0);
		assert_int_equal(nhn_msg_peek(&rig.host.endpoint.rx[0], &piece, 1), 1);
		assert_int_equal(nhn_msg_release(&rig.host.endpoint.rx[0]), 0);
	}
	assert_int_equal(sent_of(1), 1024);
	assert_int_equal(nhn_msg_send(&rig.guest.endpoint.tx[2], &head, rig.out), 0);
	for (i = 2; i <= 12; i++) {
		assert_int_equal(poll_host(), -EINPROGRESS);
		assert_int_equal(sent_of(1), i * 1024);
	}
	assert_int_equal(poll_host(), 2);
}

static void
test_order_of_priorities(void **state)
{
	static const uint8_t priority[6][4] = {{0, 1, 2, 3}, {3, 2, 1, 0},     {5, 5, 5, 5},
					       {3, 1, 2, 1}, {255, 0, 255, 0}, {1, 0, 0, 7}};
	static const uint32_t order[6][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 1, 2, 3},
					     {1, 3, 2, 0}, {1, 3, 0, 2}, {1, 2, 0, 3}};
	uint32_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		rig_close();
		rig_open(RIG_BYTES);
		begin_with(priority[i][0], priority[i][1], priority[i][2], priority[i][3]);
		expect_order(order[i]);
	}
}

/* ---- reading and sending of one channel ---- */

/* Neither can keep the other from its turn. */
static void
test_reading_and_sending_take_turns(void **state)
{
	const struct nhn_message_head head = message_head(7, 5 * 1024);
	struct nhn_msg_tx *tx = &rig.guest.endpoint.tx[1];
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	for (i = 0; i < 10; i++)
		send_on(1, 30);
	assert_int_equal(nhn_msg_send(tx, &head, rig.out), -EINPROGRESS);
	for (i = 1; i <= 4; i++) {
		assert_int_equal(poll_guest(), 1);
		assert_int_equal(tx->sent + tx->filled * (tx->body != NULL), i * 1024);
		drain_guest(1);
		assert_int_equal(poll_guest(), -EINPROGRESS);
		assert_int_equal(tx->sent + tx->filled * (tx->body != NULL), (i + 1) * 1024);
	}
	for (i = 0; i < 6; i++) { /* nothing to send: reading has every turn */
		assert_int_equal(poll_guest(), 1);
		drain_guest(1);
	}
	assert_int_equal(poll_guest(), -EAGAIN);
}

/* Sending that has no room takes no turn. */
static void
test_reading_goes_on_while_sending_is_blocked(void **state)
{
	struct nhn_message_head head = message_head(7, 40 * 1024);
	struct nhn_msg_tx *tx = &rig.guest.endpoint.tx[1];
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	assert_int_equal(nhn_msg_send(tx, &head, rig.out), -EINPROGRESS);
	while (nhn_msg_send_step(tx) != -EAGAIN)
		continue;
	for (i = 0; i < 10; i++)
		send_on(1, 30);
	send_on(2, 30);
	for (i = 0; i < 10; i++) {
		assert_int_equal(poll_guest(), 1);
		drain_guest(1);
	}
	assert_int_equal(poll_guest(), 2); /* nor does it stand in the way of others */
	drain_guest(2);
	assert_int_equal(poll_guest(), -EAGAIN);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_urgent_sends_first),
		TEST(test_urgent_is_read_first),
		TEST(test_long_message_is_read_at_each_poll),
		TEST(test_urgent_of_reading_and_sending),
		TEST(test_order_of_priorities),
		TEST(test_reading_and_sending_take_turns),
		TEST(test_reading_goes_on_while_sending_is_blocked),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
