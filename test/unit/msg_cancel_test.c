/* SPDX-License-Identifier: BSD-3-Clause */
/* A message is given up, by its sender or by its reader, at any place in it. */

#include "msg_rig.h"

#define LONG 9000u

/* The next message is whole, whatever became of the last one. */
static void
expect_goes_on(void)
{
	assert_false(nhn_msg_busy(out_tx()));
	exchange(77, 48);
	exchange(78, LONG);
	assert_false(in_rx()->begun || in_rx()->holding || in_rx()->skipping);
}

static void
send_steps(uint32_t steps)
{
	assert_int_equal(message_send(out_tx(), 1, LONG), -EINPROGRESS);
	while (--steps > 0)
		assert_int_equal(nhn_msg_send_step(out_tx()), -EINPROGRESS);
}

/* ---- cancel ---- */

/* Nothing of it was committed: the reader never hears of it. */
static void
test_cancel_before_the_first_fragment(void **state)
{
	uint32_t steps;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 65536, 64);
	for (steps = 1; steps < 16; steps++) {
		assert_int_equal(message_send(out_tx(), 1, 30000), -EINPROGRESS);
		for (uint32_t i = 1; i < steps; i++)
			nhn_msg_send_step(out_tx());
		nhn_msg_cancel(out_tx());
		assert_int_equal(out_tx()->result, -ECANCELED);
		assert_false(nhn_msg_ready(in_rx()));
		expect_goes_on();
	}
	assert_int_equal(out_tx()->aborted, 0);
}

static void
receive_steps(struct nhn_msg_buffer *buffer, uint32_t steps)
{
	while (steps-- > 0)
		assert_int_equal(nhn_msg_receive(in_rx(), buffer), -EINPROGRESS);
}

/* The reader has all, a part or nothing of what was sent. */
static void
cancel_after(uint32_t sent, uint32_t received)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t aborted = out_tx()->aborted;

	message_place(&buffer, &vector, LONG);
	send_steps(sent);
	receive_steps(&buffer, received);
	nhn_msg_cancel(out_tx());
	assert_int_equal(out_tx()->result, -ECANCELED);
	assert_false(nhn_msg_busy(out_tx()));
	nhn_msg_cancel(out_tx()); /* there is nothing to cancel */
	receive_steps(&buffer, sent - received);
	assert_int_equal(in_rx()->aborted, aborted);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -ECANCELED);
	expect_head(&buffer.head, 1, LONG);
	assert_int_equal(out_tx()->aborted, aborted + 1);
	assert_int_equal(in_rx()->aborted, aborted + 1);
	expect_goes_on();
}

static void
test_cancel_in_the_middle(void **state)
{
	uint32_t sent, received;

	(void)state;
	rig_begin();
	for (sent = 1; sent <= 3; sent++)
		for (received = 0; received <= sent; received++)
			cancel_after(sent, received);
}

/* The end comes when there is room; until then the next message waits. */
static void
test_cancel_with_the_ring_full(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 0, 64);
	message_place(&buffer, &vector, LONG);
	send_steps(RIG_CELLS);
	assert_int_equal(nhn_msg_send_step(out_tx()), -EAGAIN);
	nhn_msg_cancel(out_tx());
	assert_true(nhn_msg_busy(out_tx()));
	assert_int_equal(nhn_msg_send_step(out_tx()), -EAGAIN);
	assert_int_equal(message_send(out_tx(), 2, 8), -EAGAIN);
	assert_int_equal(message_send(out_tx(), 2, 800), -EAGAIN);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 8, 8), 0);
	pattern_fill(rig.out, LONG, 1, 1);
	receive_steps(&buffer, RIG_CELLS);
	assert_memory_equal(rig.in, rig.out, RIG_CELLS * 48u);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	assert_int_equal(out_tx()->aborted, 1);
	/* A new message is taken once the old one's end is told. */
	assert_int_equal(message_send(out_tx(), 3, 8), 0);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -ECANCELED);
	expect_received(in_rx(), 3, 8);
	for (i = 0; i < 3; i++)
		expect_goes_on();
}

/* Whatever is sent next tells the end first: packs and what is written in place too. */
static void
test_cancel_then_other_kinds(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t kind;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 0, 64);
	for (kind = 0; kind < 2; kind++) {
		struct nhn_message_head head = {.length = 8};
		int ret;

		message_place(&buffer, &vector, LONG);
		send_steps(RIG_CELLS);
		nhn_msg_cancel(out_tx());
		assert_true(nhn_msg_busy(out_tx()));
		receive_steps(&buffer, RIG_CELLS);
		if (kind == 0) {
			assert_int_equal(nhn_msg_send_packed(out_tx(), 0, "12345678", 8, 1), 1);
		} else {
			uint8_t *body = nhn_msg_reserve(out_tx(), 8);

			assert_non_null(body);
			memcpy(body, "12345678", 8);
			nhn_msg_commit(out_tx(), &head, body);
		}
		ret = nhn_msg_receive(in_rx(), &buffer);
		assert_int_equal(ret, -ECANCELED);
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), 0);
		assert_memory_equal(rig.in, "12345678", 8);
		expect_goes_on();
	}
}

static void
test_cancel_seen_by_peek(void **state)
{
	struct nhn_msg_piece pieces[4];

	(void)state;
	rig_begin();
	send_steps(2);
	nhn_msg_cancel(out_tx());
	assert_int_equal(message_send(out_tx(), 5, 20), 0);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 4), 4);
	expect_head(&pieces[1].head, 1, LONG);
	assert_int_equal(pieces[1].offset + pieces[1].length, 2048);
	assert_int_equal(pieces[2].length, 0);
	assert_int_equal(pieces[2].offset, 2048);
	assert_int_equal(pieces[2].head.flags, 1 | NHN_MESSAGE_ABORTED);
	assert_int_equal(pieces[2].head.id, 1);
	expect_head(&pieces[3].head, 5, 20);
	assert_int_equal(in_rx()->aborted, 1);
	assert_int_equal(nhn_msg_release(in_rx()), 0);
	expect_goes_on();
}

static void
test_cancel_of_nothing(void **state)
{
	(void)state;
	rig_begin();
	nhn_msg_cancel(out_tx());
	assert_int_equal(message_send(out_tx(), 1, 700), 0);
	nhn_msg_cancel(out_tx()); /* it is sent */
	expect_received(in_rx(), 1, 700);
	assert_int_equal(out_tx()->aborted, 0);
	expect_goes_on();
}

/* ---- skip ---- */

/* Take steps until the message that is skipped is dropped. */
static void
skip_to_end(uint64_t skipped)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t turns = 400;

	message_place(&buffer, &vector, LONG);
	while (in_rx()->skipped != skipped && turns-- > 0) {
		nhn_msg_send_step(out_tx());
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	}
	assert_int_equal(in_rx()->skipped, skipped);
	assert_int_equal(rig.in[0], 0xee);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
}

static void
skip_after(uint32_t length, uint32_t received)
{
	struct nhn_message_head head;
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t skipped = in_rx()->skipped;

	message_place(&buffer, &vector, length);
	message_send(out_tx(), 1, length);
	while (received-- > 0) {
		nhn_msg_send_step(out_tx());
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
	}
	assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
	expect_head(&head, 1, length);
	assert_int_equal(in_rx()->skipped, skipped);
	nhn_msg_skip(in_rx());
	nhn_msg_skip(in_rx()); /* the same one */
	skip_to_end(skipped + 1);
	expect_goes_on();
}

static void
test_skip_at_any_place(void **state)
{
	uint32_t data_bytes, received;

	(void)state;
	for (data_bytes = 0; data_bytes <= 65536; data_bytes = data_bytes * 16 + 4096) {
		rig_begin_laid(1, RIG_CELLS, data_bytes, 64);
		skip_after(0, 0);
		skip_after(48, 0);
		skip_after(49, 0);
		skip_after(1024, 0);
		for (received = 0; received < 9; received++)
			skip_after(LONG, received);
		if (data_bytes == 65536)
			break;
	}
}

/* Nothing is in sight: nothing is dropped, neither now nor later. */
static void
test_skip_of_nothing(void **state)
{
	struct nhn_message_head head;

	(void)state;
	rig_begin();
	nhn_msg_skip(in_rx());
	exchange(1, 100);
	nhn_msg_skip(in_rx());
	exchange(2, 5000);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
	nhn_msg_skip(in_rx());
	expect_goes_on();
	assert_int_equal(in_rx()->skipped, 0);
}

static void
test_skip_of_what_is_too_long(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 1; i < 20; i++) {
		message_place(&buffer, &vector, 10);
		message_send(out_tx(), i, 11 + i * i * 20);
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EMSGSIZE);
		nhn_msg_skip(in_rx());
		skip_to_end(i);
		expect_goes_on();
	}
}

/* The front stays the front, of a message half received too. */
static void
test_front(void **state)
{
	struct nhn_message_head head;
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	(void)state;
	rig_begin();
	message_send(out_tx(), 1, 20);
	for (i = 0; i < 3; i++) {
		assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
		expect_head(&head, 1, 20);
		assert_true(nhn_msg_ready(in_rx()));
	}
	expect_received(in_rx(), 1, 20);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
	send_steps(1);
	message_place(&buffer, &vector, LONG);
	for (i = 0; i < 3; i++)
		assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
	receive_steps(&buffer, 1);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	assert_int_equal(nhn_msg_front(in_rx(), &head), 0); /* no piece of it is there */
	expect_head(&head, 1, LONG);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, 1, LONG);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
}

/* The reader skips what the sender then gives up: one end is told, to the counters. */
static void
test_skip_then_cancel(void **state)
{
	struct nhn_message_head head;
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 1; i < 4; i++) {
		send_steps(i);
		assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
		nhn_msg_skip(in_rx());
		nhn_msg_cancel(out_tx());
		skip_to_end(i);
		assert_int_equal(in_rx()->aborted, i);
		expect_goes_on();
	}
}

/* ---- skip in a pack ---- */

/* Of @p count messages of eight bytes in a cell those of the mask are skipped. */
static void
skip_in_pack(uint32_t count, uint32_t mask)
{
	uint64_t numbers[7] = {0, 1, 2, 3, 4, 5, 6};
	uint64_t skipped = in_rx()->skipped;
	struct nhn_message_head head;
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	assert_int_equal(nhn_msg_send_packed(out_tx(), 4, numbers, 8, count), count);
	for (i = 0; i < count; i++) {
		if (mask & 1u << i) {
			assert_int_equal(nhn_msg_front(in_rx(), &head), 0);
			assert_int_equal(head.length, 8);
			nhn_msg_skip(in_rx());
			skipped++;
			continue;
		}
		message_place(&buffer, &vector, 8);
		while (nhn_msg_receive(in_rx(), &buffer) != 0)
			assert_int_equal(in_rx()->skipping, false);
		assert_int_equal(rig.in[0], i);
	}
	if (count == 1 && mask != 0) /* a pack of one is dropped as a message is */
		assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
	assert_int_equal(in_rx()->skipped, skipped);
	assert_int_equal(nhn_msg_front(in_rx(), &head), -EAGAIN);
}

static void
test_skip_in_a_pack(void **state)
{
	uint32_t count, mask;

	(void)state;
	rig_begin();
	for (count = 1; count <= 7; count++)
		for (mask = 0; mask < 1u << count; mask++)
			skip_in_pack(count, mask);
	expect_goes_on();
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_cancel_before_the_first_fragment),
		TEST(test_cancel_in_the_middle),
		TEST(test_cancel_with_the_ring_full),
		TEST(test_cancel_then_other_kinds),
		TEST(test_cancel_seen_by_peek),
		TEST(test_cancel_of_nothing),
		TEST(test_skip_at_any_place),
		TEST(test_skip_of_nothing),
		TEST(test_skip_of_what_is_too_long),
		TEST(test_front),
		TEST(test_skip_then_cancel),
		TEST(test_skip_in_a_pack),
	};

	return cmocka_run_group_tests_name("msg_cancel", tests, NULL, NULL);
}
