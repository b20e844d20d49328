/* SPDX-License-Identifier: BSD-3-Clause */
/* Waits of an endpoint, under a clock that moves at each look: 1 ms every control step. The
 * peer acts when the clock is looked at. */

#include "msg_rig.h"

#define LONG 60000u
#define LATER_NS (rig.now_ns + 2000 * (uint64_t)RIG_MS) /* an end of a test that fails */

static struct {
	struct nhn_msg_buffer buffer; /* of the guest */
	struct iovec vector;
	int received; /* what its receive answered last, but -EAGAIN and -EINPROGRESS */
	uint32_t turn;
} peer;

static int
begin(void **state)
{
	memset(&peer, 0, sizeof(peer));
	peer.received = -EAGAIN;
	return setup(state);
}

static struct nhn_endpoint *
host(void)
{
	return &rig.host.endpoint;
}

static uint64_t
in_ms(uint32_t milliseconds)
{
	return rig.now_ns + (uint64_t)milliseconds * RIG_MS;
}

static int
send_wait(uint32_t number, uint32_t length, uint64_t deadline_ns)
{
	const struct nhn_message_head head = message_head(number, length);
	const struct iovec vector = {rig.out, length};

	pattern_fill(rig.out, length, 1, number);
	return nhn_endpoint_send_wait(host(), 0, &head, &vector, 1, deadline_ns);
}

/* ---- what the guest does meanwhile ---- */

static void
guest_controls(void)
{
	nhn_link_control(&rig.guest.link, rig.now_ns);
}

static void
guest_receives(void)
{
	uint32_t i;

	guest_controls();
	for (i = 0; i < 20; i++) {
		int ret = nhn_msg_receive(in_rx(), &peer.buffer);

		if (ret != -EAGAIN && ret != -EINPROGRESS)
			peer.received = ret;
	}
}

static void
guest_comes_late(void)
{
	if (++peer.turn == 5)
		node_begin(&rig.guest);
	if (peer.turn > 5)
		guest_receives();
}

/* Its link at the fourth look, its first words at the next ones. */
static void
guest_restarts(void)
{
	if (++peer.turn == 4) {
		rig.look = NULL; /* the new endpoint looks at the clock */
		node_begin(&rig.guest);
		rig.look = guest_restarts;
	}
	guest_controls();
}

static void
guest_sends(void)
{
	guest_controls();
	if (++peer.turn % 4 == 0)
		nhn_msg_send_step(&rig.guest.endpoint.tx[0]);
}

/* ---- sending ---- */

static void
test_send_at_once(void **state)
{
	uint32_t looks;

	(void)state;
	rig_begin();
	nhn_endpoint_advance(host());
	looks = rig.looks;
	assert_int_equal(send_wait(1, 30, 0), 0); /* a deadline that is past stops no sending */
	assert_int_equal(send_wait(2, 1024, 0), 0);
	assert_int_equal(rig.looks, looks);
	expect_received(in_rx(), 1, 30);
	expect_received(in_rx(), 2, 1024);
}

static void
test_send_waits_for_room(void **state)
{
	(void)state;
	rig_begin();
	rig.look = guest_receives;
	message_place(&peer.buffer, &peer.vector, LONG);
	assert_int_equal(send_wait(3, LONG, in_ms(100000)), 0);
	while (peer.received == -EAGAIN)
		guest_receives();
	assert_int_equal(peer.received, 0);
	expect_message(&peer.buffer, 3, LONG);
}

static void
test_send_waits_for_a_peer(void **state)
{
	(void)state;
	node_begin(&rig.host);
	rig.look = guest_comes_late;
	message_place(&peer.buffer, &peer.vector, LONG);
	assert_int_equal(send_wait(3, LONG, in_ms(100000)), 0);
	while (peer.received == -EAGAIN)
		guest_receives();
	expect_message(&peer.buffer, 3, LONG);
}

/* Nobody is there: exactly until the deadline, and nothing is sent later. */
static void
test_send_times_out_without_a_peer(void **state)
{
	uint64_t deadline_ns;

	(void)state;
	node_begin(&rig.host);
	deadline_ns = in_ms(7);
	assert_int_equal(send_wait(3, 30, deadline_ns), -ETIMEDOUT);
	assert_int_equal(rig.now_ns, deadline_ns);
	node_begin(&rig.guest);
	rig_up();
	assert_false(nhn_msg_ready(in_rx()));
	assert_false(nhn_msg_busy(out_tx()));
}

/* In the middle: the reader is told that no more comes. */
static void
test_send_times_out_in_the_middle(void **state)
{
	uint64_t deadline_ns;
	int ret;

	(void)state;
	rig_begin();
	rig.look = guest_controls; /* it lives, and reads nothing */
	deadline_ns = in_ms(9);
	message_place(&peer.buffer, &peer.vector, LONG);
	assert_int_equal(send_wait(3, LONG, deadline_ns), -ETIMEDOUT);
	assert_int_equal(rig.now_ns, deadline_ns);
	assert_int_equal(out_tx()->aborted, 1);
	while ((ret = nhn_msg_receive(in_rx(), &peer.buffer)) == -EINPROGRESS)
		continue;
	assert_int_equal(ret, -ECANCELED);
	assert_int_equal(send_wait(4, 100, 0), 0);
	expect_received(in_rx(), 4, 100);
}

/* An earlier message of the channel is sent to its end first. */
static void
test_send_after_another(void **state)
{
	(void)state;
	rig_begin();
	rig.look = guest_receives;
	message_place(&peer.buffer, &peer.vector, LONG);
	assert_int_equal(message_send(out_tx(), 3, LONG), -EINPROGRESS);
	while (nhn_msg_busy(out_tx()))
		nhn_endpoint_advance(host());
	while (peer.received == -EAGAIN)
		guest_receives();
	expect_message(&peer.buffer, 3, LONG);
	rig.look = NULL;
	assert_int_equal(message_send(out_tx(), 4, 3000), -EINPROGRESS);
	assert_int_equal(nhn_endpoint_send_wait(host(), 0, &(struct nhn_message_head){.id = 5},
						NULL, 0, LATER_NS),
			 0);
	expect_received(in_rx(), 4, 3000);
	assert_true(nhn_msg_ready(in_rx()));
}

static void
test_send_refused(void **state)
{
	const struct nhn_message_head head = message_head(8, 30);
	const struct iovec vector = {rig.out, 29};

	(void)state;
	node_begin(&rig.host);
	assert_int_equal(nhn_endpoint_send_wait(host(), 0, &head, &vector, 1, LATER_NS), -EINVAL);
}

static void
test_send_and_the_reader_restarts(void **state)
{
	(void)state;
	rig_begin();
	rig.look = guest_restarts;
	assert_int_equal(send_wait(3, LONG, LATER_NS), -ECONNRESET);
	assert_int_equal(out_tx()->lost, 1);
	rig.look = NULL;
	rig_up();
	exchange(4, 5000);
}

/* Sending of the other channels goes on, a more urgent one's first; nothing is received. */
static void
test_others_are_sent_meanwhile(void **state)
{
	struct nhn_msg_tx *other = &rig.host.endpoint.tx[2];
	const struct nhn_message_head head = message_head(9, 3000);

	(void)state;
	rig.host.config.layout.entry[0].priority = 7;
	rig_begin();
	assert_int_equal(nhn_msg_send(other, &head, rig.out), -EINPROGRESS);
	assert_int_equal(message_send(&rig.guest.endpoint.tx[1], 5, 50), 0);
	nhn_endpoint_advance(host());
	assert_true(nhn_msg_busy(other));
	assert_int_equal(send_wait(3, 3000, LATER_NS), 0);
	assert_false(nhn_msg_busy(other));
	expect_received(in_rx(), 3, 3000);
	assert_true(nhn_msg_ready(&rig.host.endpoint.rx[1]));
}

/* A turn of a wait is one step, of the most urgent channel that can do one. */
static void
test_advance_does_one_step(void **state)
{
	struct nhn_msg_tx *tx = host()->tx;
	const struct nhn_message_head head = message_head(9, 3000);
	uint32_t i;

	(void)state;
	rig.host.config.layout.entry[1].priority = 7;
	rig_begin();
	for (i = 1; i <= 2; i++)
		assert_int_equal(nhn_msg_send(&tx[i], &head, rig.out), -EINPROGRESS);
	for (i = 2; i <= 3; i++) {
		uint64_t now_ns = nhn_endpoint_advance(host());

		assert_int_equal(now_ns, rig.now_ns);
		assert_int_equal(tx[1].sent, 1024);
		assert_int_equal(tx[2].sent, i == 3 ? 3000 : i * 1024);
	}
	nhn_endpoint_advance(host());
	assert_int_equal(tx[1].sent, 2048);
}

/* ---- receiving ---- */

static int
receive_wait(struct nhn_msg_buffer *buffer, uint64_t deadline_ns)
{
	return nhn_endpoint_receive_wait(host(), 0, buffer, deadline_ns);
}

static void
test_receive_at_once(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin();
	assert_int_equal(message_send(&rig.guest.endpoint.tx[0], 5, 50), 0);
	message_place(&buffer, &vector, 50);
	assert_int_equal(receive_wait(&buffer, 0), 0);
	expect_message(&buffer, 5, 50);
}

/* A deadline in the middle keeps what is there; the next call goes on. */
static void
test_receive_in_parts(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t deadline_ns;
	uint32_t timeouts = 0;
	int ret;

	(void)state;
	rig_begin();
	rig.look = guest_sends;
	message_place(&buffer, &vector, 10000);
	assert_int_equal(message_send(&rig.guest.endpoint.tx[0], 5, 10000), -EINPROGRESS);
	do {
		deadline_ns = in_ms(3);
		ret = receive_wait(&buffer, deadline_ns);
		timeouts += ret == -ETIMEDOUT;
		assert_true(ret == 0 || (ret == -ETIMEDOUT && rig.now_ns == deadline_ns));
	} while (ret != 0);
	expect_message(&buffer, 5, 10000);
	assert_true(timeouts > 5);
}

static void
test_receive_times_out(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t deadline_ns;

	(void)state;
	node_begin(&rig.host);
	message_place(&buffer, &vector, 50);
	deadline_ns = in_ms(11);
	assert_int_equal(receive_wait(&buffer, deadline_ns), -ETIMEDOUT);
	assert_int_equal(rig.now_ns, deadline_ns);
}

static void
test_receive_is_told(void **state)
{
	struct nhn_msg_tx *tx = &rig.guest.endpoint.tx[0];
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, RIG_DATA, 64);
	rig.look = guest_controls;
	assert_int_equal(message_send(tx, 5, 50), 0);
	message_place(&buffer, &vector, 49);
	assert_int_equal(receive_wait(&buffer, LATER_NS), -EMSGSIZE);
	assert_int_equal(buffer.head.length, 50);
	message_place(&buffer, &vector, 5000);
	assert_int_equal(receive_wait(&buffer, LATER_NS), 0);
	assert_int_equal(message_send(tx, 5, 5000), -EINPROGRESS);
	nhn_msg_cancel(tx);
	assert_int_equal(receive_wait(&buffer, LATER_NS), -ECANCELED);
	assert_int_equal(message_send(tx, 6, 5000), -EINPROGRESS);
	rig.look = guest_restarts;
	assert_int_equal(receive_wait(&buffer, LATER_NS), -ESTALE);
	assert_int_equal(rig.host.endpoint.rx[0].lost, 1);
}

/* The peer restarted, and the link cannot come up before the program read another channel. */
static void
test_waits_that_are_held_up(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t busy = 0;
	int ret;

	(void)state;
	rig_begin_laid(2, RIG_CELLS, RIG_DATA, 64);
	assert_int_equal(message_send(&rig.guest.endpoint.tx[1], 5, 50), 0);
	rig.look = guest_restarts;
	message_place(&buffer, &vector, 50);
	while ((ret = receive_wait(&buffer, LATER_NS)) == -EBUSY) {
		struct nhn_msg_piece piece;

		assert_true(busy++ < 3);
		if (busy == 1)
			assert_int_equal(send_wait(1, LONG, LATER_NS), -EBUSY);
		nhn_msg_peek(&rig.host.endpoint.rx[1], &piece, 1);
		assert_int_equal(nhn_msg_release(&rig.host.endpoint.rx[1]), 0);
	}
	assert_int_equal(ret, -ESTALE);
	assert_true(busy > 0);
}

static bool
receive_nothing(void *context)
{
	(void)context;
	return false;
}

/* A handler's channel is none of the program's. */
static void
test_handlers_do_not_hold_up(void **state)
{
	static const struct nhn_channel_handler handler = {.receive = receive_nothing};
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin_laid(2, RIG_CELLS, RIG_DATA, 64);
	nhn_endpoint_handle(host(), 1, &handler);
	assert_int_equal(message_send(&rig.guest.endpoint.tx[1], 5, 50), 0);
	rig.look = guest_restarts;
	message_place(&buffer, &vector, 50);
	assert_int_equal(receive_wait(&buffer, in_ms(30)), -ETIMEDOUT);
	assert_int_not_equal(nhn_link_state(&rig.host.link), NHN_LINK_UP);
}

/* What waits to be sent is sent meanwhile. */
static void
test_receive_sends_meanwhile(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin();
	assert_int_equal(message_send(&rig.host.endpoint.tx[3], 7, 4000), -EINPROGRESS);
	message_place(&buffer, &vector, 50);
	assert_int_equal(receive_wait(&buffer, in_ms(2)), -ETIMEDOUT);
	assert_false(nhn_msg_busy(&rig.host.endpoint.tx[3]));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_send_at_once),
		TEST(test_send_waits_for_room),
		TEST(test_send_waits_for_a_peer),
		TEST(test_send_times_out_without_a_peer),
		TEST(test_send_times_out_in_the_middle),
		TEST(test_send_after_another),
		TEST(test_send_refused),
		TEST(test_send_and_the_reader_restarts),
		TEST(test_others_are_sent_meanwhile),
		TEST(test_advance_does_one_step),
		TEST(test_receive_at_once),
		TEST(test_receive_in_parts),
		TEST(test_receive_times_out),
		TEST(test_receive_is_told),
		TEST(test_waits_that_are_held_up),
		TEST(test_handlers_do_not_hold_up),
		TEST(test_receive_sends_meanwhile),
	};

	return cmocka_run_group_tests_name("endpoint_wait", tests, NULL, NULL);
}
