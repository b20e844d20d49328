/* SPDX-License-Identifier: BSD-3-Clause */
/* A side restarts, stands still or comes back with another layout in the middle of a message. */

#include "msg_rig.h"

#define LONG 9000u

/* After @p sent steps of the writer and @p received of the reader. */
static void
half_way(struct nhn_msg_buffer *buffer, struct iovec *vector, uint32_t sent, uint32_t received)
{
	message_place(buffer, vector, LONG);
	assert_int_equal(message_send(out_tx(), 1, LONG), -EINPROGRESS);
	while (--sent > 0)
		assert_int_equal(nhn_msg_send_step(out_tx()), -EINPROGRESS);
	while (received-- > 0)
		assert_int_equal(nhn_msg_receive(in_rx(), buffer), -EINPROGRESS);
}

static void
expect_goes_on(void)
{
	rig_up();
	assert_false(nhn_msg_busy(out_tx()));
	exchange(77, 48);
	exchange(78, LONG);
	exchange_on(&rig.guest.endpoint.tx[0], &rig.host.endpoint.rx[0], 79, LONG);
}

/* ---- the reader restarts ---- */

static void
reader_restarts(uint32_t sent, uint32_t received, bool cancelled)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t lost = out_tx()->lost;

	half_way(&buffer, &vector, sent, received);
	node_begin(&rig.guest);
	if (cancelled)
		while (nhn_msg_send_step(out_tx()) == -EINPROGRESS)
			continue;
	if (cancelled)
		nhn_msg_cancel(out_tx()); /* into a ring that nobody reads */
	rig_steps(2);
	if (!cancelled || nhn_msg_busy(out_tx())) {
		assert_int_equal(nhn_msg_send_step(out_tx()), -ECONNRESET);
		assert_int_equal(out_tx()->result, -ECONNRESET);
		lost++;
	}
	assert_int_equal(out_tx()->lost, lost);
	assert_int_equal(nhn_msg_send_step(out_tx()), 0);
	rig_up();
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN); /* nothing of it */
	expect_goes_on();
}

static void
test_reader_restarts(void **state)
{
	uint32_t sent;

	(void)state;
	rig_begin();
	for (sent = 1; sent <= 3; sent++) {
		reader_restarts(sent, 0, false);
		reader_restarts(sent, sent, false);
		reader_restarts(sent, 1, true);
	}
}

/* It is up again before the writer's next step: the step knows all the same. */
static void
test_reader_restarts_unseen(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t data_bytes;

	(void)state;
	for (data_bytes = 4096; data_bytes <= 65536; data_bytes *= 16) {
		rig_begin_laid(1, RIG_CELLS, data_bytes, 64);
		half_way(&buffer, &vector, 3, data_bytes == 4096 ? 2 : 0);
		node_begin(&rig.guest);
		rig_steps(1);
		while (!rig_is_up()) {
			rig_steps(1);
			node_hear(&rig.host);
		}
		assert_int_equal(message_send(out_tx(), 5, 8), -EAGAIN);
		assert_int_equal(nhn_msg_send_step(out_tx()), -ECONNRESET);
		assert_int_equal(out_tx()->lost, 1);
		expect_goes_on();
	}
}

/* ---- the writer restarts ---- */

static void
writer_restarts(uint32_t sent, uint32_t received)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t lost = in_rx()->lost;

	half_way(&buffer, &vector, sent, received);
	node_begin(&rig.host);
	if (received < sent) {
		rig_steps(4);
		while (received++ < sent) /* what was committed still comes */
			assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
	}
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	assert_int_equal(in_rx()->lost, lost);
	rig_steps(1); /* drained */
	assert_true(nhn_msg_ready(in_rx()));
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -ESTALE);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	assert_int_equal(in_rx()->lost, lost + 1);
	expect_goes_on();
	assert_int_equal(in_rx()->lost, lost + 1);
}

static void
test_writer_restarts(void **state)
{
	uint32_t sent, received;

	(void)state;
	rig_begin();
	for (sent = 1; sent <= 3; sent++)
		for (received = 0; received <= sent; received++)
			writer_restarts(sent, received);
}

/* Whole messages before it are delivered; none is lost. */
static void
test_writer_restarts_between_messages(void **state)
{
	struct nhn_message_head head;

	(void)state;
	rig_begin();
	assert_int_equal(message_send(out_tx(), 1, 900), 0);
	assert_int_equal(message_send(out_tx(), 2, 48), 0);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 3, "abcdef", 2, 3), 3);
	node_begin(&rig.host);
	rig_steps(5);
	expect_received(in_rx(), 1, 900);
	rig_steps(5);
	expect_received(in_rx(), 2, 48);
	rig_steps(5);
	assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
	nhn_msg_skip(in_rx());
	rig_steps(5); /* the rest of the pack is the reader's own, and comes first */
	assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
	nhn_msg_skip(in_rx());
	assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
	nhn_msg_skip(in_rx());
	assert_int_equal(nhn_msg_front(in_rx(), &head), -ESTALE);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
	assert_int_equal(in_rx()->lost, 0);
	expect_goes_on();
}

/* In the middle of what is skipped: the first message of the new writer is not. */
static void
test_writer_restarts_while_skipped(void **state)
{
	struct nhn_message_head head;
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin();
	half_way(&buffer, &vector, 3, 2);
	nhn_msg_skip(in_rx());
	node_begin(&rig.host);
	rig_steps(4);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
	rig_steps(1);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -ESTALE);
	assert_int_equal(in_rx()->lost, 1);
	expect_goes_on();
	assert_int_equal(in_rx()->skipped, 0);
}

/* The last fragment is there: the message is whole, however long its copy takes. */
static void
test_writer_restarts_after_the_last_fragment(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 65536, 64);
	message_place(&buffer, &vector, LONG);
	message_send(out_tx(), 1, LONG);
	while (nhn_msg_send_step(out_tx()) != 0)
		continue;
	node_begin(&rig.host);
	for (i = 0; i < 8; i++) {
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
		rig_steps(2);
	}
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), 0);
	expect_message(&buffer, 1, LONG);
	rig_steps(1);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -ESTALE);
	assert_int_equal(in_rx()->lost, 0);
	expect_goes_on();
}

/* By peek: the piece that was begun never ends, -ESTALE says so. */
static void
test_writer_restarts_seen_by_peek(void **state)
{
	struct nhn_msg_piece pieces[8];

	(void)state;
	rig_begin();
	message_send(out_tx(), 1, LONG);
	nhn_msg_send_step(out_tx());
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 8), 2);
	node_begin(&rig.host);
	rig_steps(4);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 8), 0);
	assert_int_equal(nhn_msg_release(in_rx()), 0);
	rig_steps(1);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 8), -ESTALE);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 8), 0);
	assert_int_equal(in_rx()->lost, 1);
	expect_goes_on();
}

static void
test_both_restart(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t sent;

	(void)state;
	rig_begin();
	for (sent = 1; sent <= 3; sent++) {
		half_way(&buffer, &vector, sent, sent / 2);
		node_begin(&rig.host);
		node_begin(&rig.guest);
		expect_goes_on();
	}
}

/* ---- nobody restarts ---- */

/* The writer is stopped, then goes on; the reader waits. */
static void
test_peer_stands_still(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t data_bytes, sent;

	(void)state;
	for (data_bytes = 4096; data_bytes <= 65536; data_bytes *= 16) {
		for (sent = 1; sent <= 3; sent++) {
			rig_begin_laid(1, RIG_CELLS, data_bytes, 64);
			half_way(&buffer, &vector, sent, 0);
			node_alone(&rig.guest, 5);
			assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_STALLED);
			/* The other one saw no beat either. */
			node_alone(&rig.host, 1);
			node_alone(&rig.host, 4);
			assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_STALLED);
			/* A range that was reserved is still sent, then no more. */
			while (nhn_msg_send_step(out_tx()) == -EINPROGRESS)
				continue;
			assert_true(nhn_msg_busy(out_tx()) || data_bytes == 65536);
			rig_up();
			assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
			expect_message(&buffer, 1, LONG);
			assert_int_equal(out_tx()->lost + in_rx()->lost, 0);
			expect_goes_on();
		}
	}
}

/* A writer that begins a message in the middle of another one breaks the rules. */
static void
test_message_within_a_message(void **state)
{
	const struct nhn_message_head head = message_head(4, 20);
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin();
	half_way(&buffer, &vector, 2, 2);
	nhn_msg_publish(out_tx(), &head, nhn_tx_cell(out_tx()->tx, out_tx()->tx->tail), 20);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	node_step(&rig.guest);
	assert_int_equal(rig.guest.link.faults[NHN_FAULT_MESSAGE], 1);
	assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_BROKEN);
	node_step(&rig.guest);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -ESTALE);
	assert_int_equal(in_rx()->lost, 1);
	node_begin(&rig.host);
	expect_goes_on();
}

/* ---- another layout ---- */

static void
host_comes_back(uint32_t channels, uint32_t cells, uint32_t data_bytes, uint16_t cell_bytes)
{
	struct nhn_msg_tx *back = &rig.guest.endpoint.tx[0];
	struct nhn_message_head head = message_head(6, LONG);
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t lost = in_rx()->lost;
	uint64_t lost_back = back->lost;

	half_way(&buffer, &vector, 3, 2);
	assert_int_equal(nhn_msg_send(back, &head, rig.out), -EINPROGRESS);
	rig_lay(channels, cells, data_bytes, cell_bytes);
	node_begin(&rig.host);
	rig_steps(3);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	rig_up();
	assert_int_equal(in_rx()->lost, lost + 1);
	/* The guest began anew by itself; its half message is not in the new ring. */
	assert_int_equal(rig.guest.link.layout.entry[0].cells, cells);
	assert_int_equal(nhn_msg_send_step(back), -ECONNRESET);
	assert_int_equal(back->lost, lost_back + 1);
	expect_goes_on();
}

static void
test_layout_changes_in_the_middle(void **state)
{
	(void)state;
	rig_begin();
	host_comes_back(4, 32, 4096, 128);
	host_comes_back(1, 64, 0, 64);
	host_comes_back(8, 16, 4096, 128);
	host_comes_back(2, 256, 65536, 64);
}

/* The watermark of a ring that is no more does not outlast it. */
static void
test_watermark_after_a_layout(void **state)
{
	struct nhn_msg_tx *back = &rig.guest.endpoint.tx[0];
	struct nhn_msg_watermark mark;
	uint32_t i;

	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	for (i = 0; i < 60; i++)
		assert_int_equal(message_send(back, 1, 8), 0);
	rig_lay(1, 16, 4096, 64);
	node_begin(&rig.host);
	rig_steps(3);
	rig_up();
	mark = nhn_msg_watermarks(back);
	assert_int_equal(mark.cell_count, 16);
	assert_in_range(mark.cells, 0, 16);
	assert_in_range(mark.data, 0, 4096);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reader_restarts),
		TEST(test_reader_restarts_unseen),
		TEST(test_writer_restarts),
		TEST(test_writer_restarts_between_messages),
		TEST(test_writer_restarts_while_skipped),
		TEST(test_writer_restarts_after_the_last_fragment),
		TEST(test_writer_restarts_seen_by_peek),
		TEST(test_both_restart),
		TEST(test_peer_stands_still),
		TEST(test_message_within_a_message),
		TEST(test_layout_changes_in_the_middle),
		TEST(test_watermark_after_a_layout),
	};

	return cmocka_run_group_tests_name("msg_restart", tests, NULL, NULL);
}
