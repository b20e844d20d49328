/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages written and read in place, many in a cell, and buffers to receive to. */

#include "msg_rig.h"

/* Write message @p number in place, into room for @p room bytes. */
static bool
place_out(uint32_t number, uint32_t length, uint32_t room)
{
	const struct nhn_message_head head = message_head(number, length);
	uint8_t *body = nhn_msg_reserve(out_tx(), room);

	if (body == NULL)
		return false;
	pattern_fill(body, length, 1, number);
	nhn_msg_commit(out_tx(), &head, body);
	return true;
}

/* Read message @p number in place, piece by piece. Returns pieces. */
static uint32_t
place_in(uint32_t number, uint32_t length)
{
	struct nhn_msg_piece piece;
	uint32_t offset = 0;
	uint32_t pieces = 0;

	do {
		nhn_msg_send_step(out_tx());
		if (!nhn_msg_ready(in_rx()))
			continue;
		assert_int_equal(nhn_msg_peek(in_rx(), &piece, 1), 1);
		expect_head(&piece.head, number, length);
		assert_int_equal(piece.offset, offset);
		assert_int_equal(piece.messages, 1);
		assert_true(piece.length != 0 || length == 0);
		assert_true(piece.length <= length - offset);
		memcpy(rig.in + offset, piece.data, piece.length);
		offset += piece.length;
		pieces++;
		assert_int_equal(nhn_msg_release(in_rx()), 0);
	} while (offset != length || pieces == 0);
	assert_true(pattern_matches(rig.in, length, 1, number));
	return pieces;
}

static void
test_written_in_place(void **state)
{
	uint32_t number = 0;
	uint32_t length;

	(void)state;
	rig_begin();
	for (length = 0; length <= RIG_DATA / 2; length = length < 130 ? length + 1 : length + 13) {
		assert_true(place_out(number, length, length));
		expect_received(in_rx(), number++, length);
		assert_true(place_out(number, length, length));
		assert_int_equal(place_in(number++, length), 1);
	}
	assert_true(place_out(number, RIG_DATA / 2, RIG_DATA / 2));
	expect_received(in_rx(), number, RIG_DATA / 2);
}

/* Less than was asked for, also what a cell would have held, also nothing. */
static void
test_written_shorter_than_reserved(void **state)
{
	uint32_t length;

	(void)state;
	rig_begin();
	for (length = 0; length <= 200; length++) {
		assert_true(place_out(length, length, 200));
		expect_received(in_rx(), length, length);
		assert_false(nhn_msg_ready(in_rx())); /* a look at an empty ring tells all room */
		assert_true(place_out(length, length, 2000));
		place_in(length, length);
		assert_false(nhn_msg_ready(in_rx()));
	}
}

/* What was reserved and not committed is nothing. */
static void
test_reserve_is_given_up(void **state)
{
	(void)state;
	rig_begin();
	assert_non_null(nhn_msg_reserve(out_tx(), 2000));
	assert_non_null(nhn_msg_reserve(out_tx(), 10));
	assert_int_equal(message_send(out_tx(), 1, 30), 0);
	assert_non_null(nhn_msg_reserve(out_tx(), 2000));
	assert_int_equal(message_send(out_tx(), 2, 900), 0);
	assert_non_null(nhn_msg_reserve(out_tx(), 20));
	assert_int_equal(nhn_msg_send_packed(out_tx(), 3, "abc", 1, 3), 3);
	expect_received(in_rx(), 1, 30);
	expect_received(in_rx(), 2, 900);
	assert_true(nhn_msg_ready(in_rx()));
}

static void
test_read_in_place_piece_by_piece(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 0; i < 300; i++) {
		uint32_t length = pattern_length(2, i, 9000);

		message_send(out_tx(), i, length);
		assert_int_equal(place_in(i, length), length == 0 ? 1 : (length + 1023) / 1024);
	}
	message_send(out_tx(), 1, 4096);
	assert_int_equal(place_in(1, 4096), 4);
	rig_begin_laid(1, RIG_CELLS, 0, 128);
	message_send(out_tx(), 1, 112 * 5 + 1);
	assert_int_equal(place_in(1, 112 * 5 + 1), 6);
}

/* Several are held at once: each stays as it is, and takes room. */
static void
test_pieces_are_held(void **state)
{
	struct nhn_msg_piece pieces[8];
	uint32_t i;

	(void)state;
	rig_begin();
	assert_int_equal(message_send(out_tx(), 0, 0), 0);
	for (i = 1; i < 5; i++)
		assert_int_equal(message_send(out_tx(), i, 200 + i), 0);
	assert_int_equal(message_send(out_tx(), 5, 2000), -EINPROGRESS);
	assert_int_equal(nhn_msg_send_step(out_tx()), 0);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 3), 3);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces + 3, 5), 4);
	assert_int_equal(nhn_msg_peek(in_rx(), pieces, 5), 0);
	while (message_send(out_tx(), 9, 40) == 0) /* nothing is given back */
		continue;
	assert_int_equal(out_tx()->tx->tail - in_rx()->rx->released, RIG_CELLS);
	for (i = 0; i < 5; i++) {
		expect_head(&pieces[i].head, i, i == 0 ? 0 : 200 + i);
		assert_true(pattern_matches(pieces[i].data, pieces[i].length, 1, i));
	}
	expect_head(&pieces[5].head, 5, 2000);
	assert_int_equal(pieces[5].offset, 0);
	assert_int_equal(pieces[5].length, 1024);
	assert_int_equal(pieces[6].offset, 1024);
	assert_int_equal(pieces[6].length, 976);
	assert_int_equal(nhn_msg_release(in_rx()), 0);
	for (i = 7; i < RIG_CELLS; i++)
		expect_received(in_rx(), 9, 40);
	exchange(10, 10000);
}

/* ---- many in a cell ---- */

static uint32_t
fit_of(uint32_t message_bytes, uint16_t cell_bytes)
{
	return (cell_bytes - 8u) / message_bytes;
}

/* Bytes of message @p number of a run. */
static uint8_t
pack_byte(uint32_t number, uint32_t at)
{
	return (uint8_t)(number * 31 + at * 7 + 1);
}

static uint32_t
pack_send(uint32_t message_bytes, uint32_t count)
{
	uint32_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < message_bytes; j++)
			rig.out[i * message_bytes + j] = pack_byte(i, j);
	return nhn_msg_send_packed(out_tx(), (uint16_t)message_bytes, rig.out, message_bytes,
				   count);
}

static void
expect_pack_bytes(const uint8_t *bytes, uint32_t message_bytes, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < message_bytes; i++)
		assert_int_equal(bytes[i], pack_byte(number, i));
}

static void
expect_pack_head(const struct nhn_message_head *head, uint32_t message_bytes)
{
	assert_int_equal(head->id, 0);
	assert_int_equal(head->flags, 0);
	assert_int_equal(head->type, message_bytes);
	assert_int_equal(head->length, message_bytes);
}

/* One by one, each the call's only one. */
static void
expect_received_one_by_one(uint32_t message_bytes, uint32_t first, uint32_t end)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	for (; first < end; first++) {
		message_place(&buffer, &vector, message_bytes);
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), 0);
		expect_pack_head(&buffer.head, message_bytes);
		expect_pack_bytes(rig.in, message_bytes, first);
		assert_int_equal(rig.in[message_bytes], 0xee);
	}
}

static void
expect_peeked(uint32_t message_bytes, uint32_t count, uint32_t fit)
{
	struct nhn_msg_piece piece;
	uint32_t number = 0;
	uint32_t i;

	while (number < count) {
		assert_int_equal(nhn_msg_peek(in_rx(), &piece, 1), 1);
		expect_pack_head(&piece.head, message_bytes);
		assert_int_equal(piece.offset, 0);
		assert_int_equal(piece.messages, count - number < fit ? count - number : fit);
		assert_int_equal(piece.length, piece.messages * message_bytes);
		for (i = 0; i < piece.messages; i++)
			expect_pack_bytes(piece.data + (size_t)i * message_bytes, message_bytes,
					  number++);
		assert_int_equal(nhn_msg_release(in_rx()), 0);
	}
	assert_false(nhn_msg_ready(in_rx()));
}

static void
exchange_packed(uint32_t message_bytes, uint32_t count, uint16_t cell_bytes)
{
	uint32_t fit = fit_of(message_bytes, cell_bytes);
	uint32_t tail = out_tx()->tx->tail;

	assert_int_equal(pack_send(message_bytes, count), count);
	assert_int_equal(out_tx()->tx->tail - tail, (count + fit - 1) / fit);
	expect_received_one_by_one(message_bytes, 0, count);
	assert_false(nhn_msg_ready(in_rx()));
	assert_int_equal(pack_send(message_bytes, count), count);
	expect_peeked(message_bytes, count, fit);
}

static void
all_packs(uint16_t cell_bytes)
{
	uint32_t bytes;

	rig_begin_laid(1, RIG_CELLS, 0, cell_bytes);
	assert_int_equal(nhn_msg_pack_bytes(out_tx()->tx->inline_bytes), cell_bytes - 8u);
	for (bytes = 1; bytes <= NHN_PACK_MESSAGE_BYTES_MAX; bytes++) {
		uint32_t fit = fit_of(bytes, cell_bytes);

		exchange_packed(bytes, 1, cell_bytes);
		exchange_packed(bytes, fit, cell_bytes);
		exchange_packed(bytes, fit + 1, cell_bytes);
		exchange_packed(bytes, 3 * fit + fit / 2 + 1, cell_bytes);
		exchange_packed(bytes, RIG_CELLS * fit, cell_bytes);
	}
	assert_int_equal(out_tx()->tx->full, 0);
	/* What does not fit every cell is not packed in any. */
	assert_int_equal(pack_send(NHN_PACK_MESSAGE_BYTES_MAX + 1, 3), 0);
	assert_false(nhn_msg_ready(in_rx()));
}

static void
test_packs_of_all_sizes(void **state)
{
	(void)state;
	all_packs(64);
	all_packs(128);
}

static void
test_packs_where_room_ends(void **state)
{
	(void)state;
	rig_begin();
	assert_int_equal(message_send(out_tx(), 1, 2), 0);
	assert_int_equal(pack_send(8, 200), 15 * 7);
	assert_int_equal(out_tx()->tx->full, 1);
	assert_int_equal(pack_send(8, 200), 0);
	expect_received(in_rx(), 1, 2);
	expect_received_one_by_one(8, 0, 15 * 7);
	assert_false(nhn_msg_ready(in_rx()));
	assert_int_equal(pack_send(8, 200), 16 * 7);
	expect_received_one_by_one(8, 0, 16 * 7);
}

static void
test_packs_among_messages(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 0; i < 60; i++) {
		uint32_t bytes = 1 + i % 56;
		uint32_t fit = fit_of(bytes, 64);

		assert_int_equal(message_send(out_tx(), i, i * 10), 0);
		assert_int_equal(pack_send(bytes, fit + 1), fit + 1);
		assert_int_equal(message_send(out_tx(), i + 1, 48), 0);
		assert_int_equal(message_send(out_tx(), i + 2, 500), 0);
		expect_received(in_rx(), i, i * 10);
		expect_received_one_by_one(bytes, 0, fit + 1);
		expect_received(in_rx(), i + 1, 48);
		expect_received(in_rx(), i + 2, 500);
		assert_false(nhn_msg_ready(in_rx()));
	}
}

/* A buffer too small for the messages of a pack: none of them is lost. */
static void
test_pack_and_a_buffer_too_small(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	(void)state;
	rig_begin();
	assert_int_equal(pack_send(10, 5), 5);
	for (i = 0; i < 5; i++) {
		message_place(&buffer, &vector, 9);
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EMSGSIZE);
		assert_int_equal(buffer.head.length, 10);
		assert_true(nhn_msg_ready(in_rx()));
		expect_received_one_by_one(10, i, i + 1);
	}
	assert_false(nhn_msg_ready(in_rx()));
}

/* ---- buffers too small ---- */

static void
small_then_large(uint32_t number, uint32_t length)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;
	int ret;

	ret = message_send(out_tx(), number, length);
	assert_true(ret == 0 || ret == -EINPROGRESS);
	for (i = 0; i < 3; i++) {
		message_place(&buffer, &vector, i * (length - 1) / 2);
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EMSGSIZE);
		expect_head(&buffer.head, number, length); /* so that the caller knows */
		assert_int_equal(rig.in[0], 0xee);
		assert_true(nhn_msg_ready(in_rx()));
	}
	message_place(&buffer, &vector, length);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, number, length);
	assert_false(nhn_msg_ready(in_rx()));
}

static void
test_buffer_too_small(void **state)
{
	(void)state;
	rig_begin();
	small_then_large(1, 1);
	small_then_large(2, 48);
	small_then_large(3, 49);
	small_then_large(4, 1024);
	small_then_large(5, 20000);
}

/* In the middle of a message only the buffer that has its begin will do. */
static void
test_another_buffer_in_the_middle(void **state)
{
	struct nhn_msg_buffer buffer, other;
	struct iovec vector, small;

	(void)state;
	rig_begin();
	message_place(&buffer, &vector, 6000);
	message_place(&other, &small, 100);
	message_place(&buffer, &vector, 6000);
	message_send(out_tx(), 1, 6000);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
	nhn_msg_send_step(out_tx());
	assert_int_equal(nhn_msg_receive(in_rx(), &other), -EINVAL);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, 1, 6000);
}

/* A buffer that another reader began with does not go on with the first one's message. */
static void
test_buffer_of_another_reader(void **state)
{
	struct nhn_msg_rx *other = &rig.guest.endpoint.rx[1];
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin();
	message_place(&buffer, &vector, 6000);
	message_send(out_tx(), 1, 6000);
	nhn_msg_send_step(out_tx());
	message_send(&rig.host.endpoint.tx[1], 2, 10);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
	assert_int_equal(nhn_msg_receive(other, &buffer), 0);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINVAL);
	nhn_msg_skip(in_rx());
	while (nhn_msg_busy(out_tx()) || in_rx()->skipping) {
		nhn_msg_send_step(out_tx());
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EAGAIN);
	}
	exchange(3, 6000);
}

/* A buffer serves message after message, also longer and shorter ones. */
static void
test_buffer_is_used_again(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t i;

	(void)state;
	rig_begin();
	message_place(&buffer, &vector, 6000);
	for (i = 0; i < 200; i++) {
		uint32_t length = pattern_length(4, i, 6000);

		message_send(out_tx(), i, length);
		assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
		expect_head(&buffer.head, i, length);
		assert_true(pattern_matches(rig.in, length, 1, i));
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_written_in_place),
		TEST(test_written_shorter_than_reserved),
		TEST(test_reserve_is_given_up),
		TEST(test_read_in_place_piece_by_piece),
		TEST(test_pieces_are_held),
		TEST(test_packs_of_all_sizes),
		TEST(test_packs_where_room_ends),
		TEST(test_packs_among_messages),
		TEST(test_pack_and_a_buffer_too_small),
		TEST(test_buffer_too_small),
		TEST(test_another_buffer_in_the_middle),
		TEST(test_buffer_of_another_reader),
		TEST(test_buffer_is_used_again),
	};

	return cmocka_run_group_tests_name("msg_place", tests, NULL, NULL);
}
