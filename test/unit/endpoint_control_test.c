/* SPDX-License-Identifier: BSD-3-Clause */
/* An endpoint: who serves a channel, the control step, and the channels of a layout. */

#include "endpoint_rig.h"

/* ---- handlers ---- */

static struct {
	uint32_t receives, sends, controls;
	bool can_receive, can_send;
	uint64_t now_ns;
} served;

static bool
handle_receive(void *context)
{
	assert_ptr_equal(context, &served);
	served.receives++;
	if (served.can_receive)
		drain_guest(0);
	return served.can_receive;
}

static bool
handle_send(void *context)
{
	assert_ptr_equal(context, &served);
	served.sends++;
	return served.can_send;
}

static void
handle_control(void *context, uint64_t now_ns)
{
	assert_ptr_equal(context, &served);
	served.controls++;
	served.now_ns = now_ns;
}

static struct nhn_channel_handler handler = {
	.context = &served,
	.receive = handle_receive,
	.send = handle_send,
	.control = handle_control,
};

static int
setup_handler(void **state)
{
	memset(&served, 0, sizeof(served));
	handler.waiting = false;
	return setup(state);
}

static void
handle(uint32_t channel, const struct nhn_channel_handler *by)
{
	nhn_endpoint_handle(&rig.guest.endpoint, channel, by);
}

static void
test_handler_is_served(void **state)
{
	(void)state;
	begin_with(0, 1, 2, 3);
	handle(0, &handler);
	served.can_receive = true;
	send_on(0, 10);
	send_on(0, 10);
	send_on(1, 10);
	assert_int_equal(poll_guest(), -EINPROGRESS);
	assert_int_equal(served.receives, 1);
	handler.waiting = true;
	assert_int_equal(poll_guest(), -EINPROGRESS);
	assert_int_equal(served.sends, 1); /* asked first, after a step of reading */
	assert_int_equal(served.receives, 2);
	assert_int_equal(poll_guest(), 1);
	assert_int_equal(served.sends, 2);
	drain_guest(1);
	served.can_send = true;
	send_on(1, 10);
	assert_int_equal(poll_guest(), -EINPROGRESS); /* sending of an urgent channel */
	assert_int_equal(served.sends, 3);
	handler.waiting = false;
	assert_int_equal(poll_guest(), 1);
	assert_int_equal(served.sends, 3);
	handle(0, NULL); /* back to the program */
	send_on(0, 10);
	assert_int_equal(poll_guest(), 0);
	assert_int_equal(served.receives, 2);
}

/* One that can receive nothing now leaves the poll to the other channels. */
static void
test_blocked_handler_starves_nobody(void **state)
{
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	handle(0, &handler);
	handler.waiting = true; /* and can send nothing either */
	send_on(0, 10);
	for (i = 0; i < 8; i++) {
		send_on(1, 10);
		assert_int_equal(poll_guest(), 1);
		drain_guest(1);
	}
	assert_int_equal(served.receives, 8);
	assert_int_equal(served.sends, 8); /* once a poll */
	served.can_receive = true;
	handler.waiting = false;
	assert_int_equal(poll_guest(), -EINPROGRESS);
	assert_false(nhn_msg_ready(guest_rx(0)));
}

/* NULL members: nothing to do. */
static void
test_handler_without_functions(void **state)
{
	static const struct nhn_channel_handler nothing;
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	handle(0, &nothing);
	send_on(0, 10);
	send_on(1, 10);
	for (i = 0; i < 3 * NHN_ENDPOINT_CONTROL_POLLS; i++) /* not taken: every other turn */
		assert_int_equal(poll_guest(), i % 2 == 0 ? 1 : -EAGAIN);
	assert_int_equal(nhn_endpoint_advance(&rig.guest.endpoint), rig.guest.endpoint.now);
}

/* A message on its way is sent by the endpoint; only then is the handler asked. */
static void
test_handler_and_a_message_on_its_way(void **state)
{
	const struct nhn_message_head head = message_head(7, 3 * 1024);

	(void)state;
	begin_with(0, 1, 2, 3);
	handle(0, &handler);
	handler.waiting = true;
	assert_int_equal(nhn_msg_send(&rig.guest.endpoint.tx[0], &head, rig.out), -EINPROGRESS);
	assert_int_equal(poll_guest(), -EINPROGRESS);
	assert_int_equal(poll_guest(), -EINPROGRESS);
	assert_int_equal(served.sends, 0);
	assert_int_equal(poll_guest(), -EAGAIN);
	assert_int_equal(served.sends, 1);
}

/* ---- the control step ---- */

static void
test_control_is_done_now_and_then(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin();
	handle(0, &handler);
	handle(40, &handler); /* also of a channel that the layout has not */
	rig.looks = 0;
	for (i = 0; i < 10 * NHN_ENDPOINT_CONTROL_POLLS; i++) {
		assert_int_equal(rig.looks,
				 (i + NHN_ENDPOINT_CONTROL_POLLS - 1) / NHN_ENDPOINT_CONTROL_POLLS);
		poll_guest();
	}
	assert_int_equal(served.controls, 20);
	assert_int_equal(served.now_ns, rig.now_ns);
	assert_int_equal(rig.guest.endpoint.now, rig.now_ns);
}

/* The halves of a poll. */
static void
test_step_and_control(void **state)
{
	uint32_t i;

	(void)state;
	begin_with(0, 1, 2, 3);
	handle(0, &handler);
	rig.looks = 0;
	for (i = 0; i < 3 * NHN_ENDPOINT_CONTROL_POLLS; i++)
		assert_int_equal(nhn_endpoint_step(&rig.guest.endpoint), -EAGAIN);
	assert_int_equal(rig.looks + served.controls, 0);
	nhn_endpoint_control(&rig.guest.endpoint);
	assert_int_equal(rig.looks, 1);
	assert_int_equal(served.controls, 1);
	for (i = 1; i < NHN_ENDPOINT_CONTROL_POLLS; i++)
		poll_guest();
	assert_int_equal(rig.looks, 1); /* counted from there on */
	poll_guest();
	assert_int_equal(rig.looks, 2);
}

static bool
pending(void)
{
	return nhn_endpoint_pending(&rig.guest.endpoint);
}

static void
test_pending(void **state)
{
	struct nhn_message_head head = message_head(1, 40 * 1024);
	struct nhn_msg_piece piece;

	(void)state;
	begin_with(0, 1, 2, 3);
	assert_false(pending());
	assert_int_equal(nhn_msg_send(&rig.guest.endpoint.tx[2], &head, rig.out), -EINPROGRESS);
	assert_true(pending()); /* sending */
	while (nhn_msg_send_step(&rig.guest.endpoint.tx[2]) != -EAGAIN)
		continue;
	assert_true(pending()); /* that waits for room */
	nhn_msg_cancel(&rig.guest.endpoint.tx[2]);
	while (nhn_msg_send_step(&rig.guest.endpoint.tx[2]) == -EAGAIN)
		while (nhn_msg_peek(&rig.host.endpoint.rx[2], &piece, 1) == 1)
			nhn_msg_release(&rig.host.endpoint.rx[2]);
	assert_false(pending());
	send_on(3, 10);
	assert_int_equal(nhn_msg_front(guest_rx(3), &head), 0);
	assert_true(pending()); /* what front() shows is held */
	receive_on(3);
	assert_false(pending());
	handle(0, &handler);
	assert_false(pending());
	handler.waiting = true;
	assert_true(pending());
	handler.waiting = false;
	while (nhn_msg_peek(&rig.host.endpoint.rx[2], &piece, 1) == 1)
		nhn_msg_release(&rig.host.endpoint.rx[2]);
	node_begin(&rig.host);
	rig_steps(2);
	assert_true(pending()); /* -ESTALE is to be told */
}

/* The steps of a link are the endpoint's: two sides that only poll come up. */
static void
test_guest_is_polled_before_any_host(void **state)
{
	uint32_t i;

	(void)state;
	node_begin(&rig.guest);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(poll_guest(), -EAGAIN);
		nhn_endpoint_advance(&rig.guest.endpoint);
	}
	rig.host.config.layout.entry[0].priority = 9;
	node_begin(&rig.host);
	for (i = 0; i < 8000 && !rig_is_up(); i++) {
		assert_int_equal(poll_guest(), -EAGAIN);
		assert_int_equal(poll_host(), -EAGAIN);
	}
	assert_true(rig_is_up());
	expect_order((const uint32_t[]){1, 2, 3, 0});
}

/* Poll both until they are up again; every -ESTALE is taken. Returns those of the guest. */
static uint32_t
poll_up(void)
{
	struct nhn_msg_piece piece;
	uint32_t stales = 0;
	uint32_t i;

	for (i = 0; i < 12000 && !(i > 2000 && rig_is_up()); i++) {
		int channel = poll_guest();

		assert_int_equal(poll_host(), -EAGAIN);
		if (channel < 0)
			continue;
		assert_int_equal(nhn_msg_peek(guest_rx((uint32_t)channel), &piece, 1), -ESTALE);
		stales++;
	}
	assert_true(rig_is_up());
	return stales;
}

static void
test_layout_that_is_followed_orders(void **state)
{
	(void)state;
	begin_with(0, 1, 2, 3);
	rig.host.config.layout.entry[3].priority = 0;
	rig.host.config.layout.entry[0].priority = 8;
	node_begin(&rig.host);
	assert_int_equal(poll_up(), 4); /* of each channel once */
	expect_order((const uint32_t[]){3, 1, 2, 0});
	rig_lay(2, 16, 4096, 64);
	rig.host.config.layout.entry[0].priority = 1;
	drain_guest(0);
	drain_guest(1);
	for (uint32_t i = 0; i < 4; i++)
		while (nhn_msg_ready(guest_rx(i)))
			drain_guest(i);
	node_begin(&rig.host);
	poll_up();
	assert_int_equal(rig.guest.endpoint.channels, 2);
	send_on(0, 10);
	send_on(1, 10);
	assert_int_equal(poll_guest(), 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_handler, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_handler_is_served),
		TEST(test_blocked_handler_starves_nobody),
		TEST(test_handler_without_functions),
		TEST(test_handler_and_a_message_on_its_way),
		TEST(test_control_is_done_now_and_then),
		TEST(test_step_and_control),
		TEST(test_pending),
		TEST(test_guest_is_polled_before_any_host),
		TEST(test_layout_that_is_followed_orders),
	};

	return cmocka_run_group_tests_name("endpoint_control", tests, NULL, NULL);
}
