/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes over many messages: packed in place, and read out of whatever cells they came in. */

#include <nhn_msg_run.h>

#include "msg_rig.h"

#define TYPE 77u

/* Pack messages of this size until there are so many, or no room. Returns how many. */
static uint32_t
pack_out(uint32_t first, uint32_t count, uint32_t bytes)
{
	struct nhn_pack pack;
	uint32_t i;

	assert_true(nhn_pack_begin(&pack, out_tx(), TYPE, bytes));
	for (i = 0; i < count; i++) {
		uint8_t *body = nhn_pack_next(&pack);

		if (body == NULL)
			break;
		pattern_fill(body, bytes, 3, first + i);
	}
	nhn_pack_end(&pack, out_tx());
	return i;
}

/* Read what is of @p piece. Returns its messages. */
static uint32_t
piece_in(const struct nhn_msg_piece *piece, uint32_t first, uint32_t bytes)
{
	uint32_t i;

	assert_int_equal(piece->head.type, TYPE);
	assert_int_equal(piece->head.length, bytes);
	assert_int_equal(piece->offset, 0);
	assert_int_equal(piece->length, piece->messages * bytes);
	for (i = 0; i < piece->messages; i++)
		assert_true(pattern_matches(piece->data + i * bytes, bytes, 3, first + i));
	return piece->messages;
}

/* Take all packs that are there in one run. Returns messages. */
static uint32_t
pack_in(uint32_t first, uint32_t bytes)
{
	struct nhn_msg_run run = nhn_msg_run_begin(in_rx());
	struct nhn_msg_piece piece;
	uint32_t got = 0;

	while (nhn_msg_run_next(&run, &piece)) {
		got += piece_in(&piece, first + got, bytes);
		nhn_msg_run_read(&run);
	}
	assert_int_equal(nhn_msg_run_end(&run), 0);
	return got;
}

static void
packed_of_all_sizes(uint16_t cell_bytes)
{
	const uint32_t body = cell_bytes - 8; /* a head of 4 bytes, a commit word */
	uint32_t bytes, count;

	rig_begin_laid(1, RIG_CELLS, 0, cell_bytes);
	for (bytes = 1; bytes <= NHN_PACK_MESSAGE_BYTES_MAX; bytes++)
		for (count = 0; count < 3 * (body / bytes); count++) {
			const uint32_t cells = in_rx()->rx->head;

			assert_int_equal(pack_out(count, count, bytes), count);
			assert_int_equal(pack_in(count, bytes), count);
			assert_int_equal(in_rx()->rx->head - cells,
					 (count + body / bytes - 1) / (body / bytes));
			assert_false(nhn_msg_ready(in_rx()));
		}
}

static void
test_packed_in_place(void **state)
{
	(void)state;
	packed_of_all_sizes(64);
	packed_of_all_sizes(128);
}

/* All that there was room for goes, the last cell too; nothing else. */
static void
test_packed_into_a_full_ring(void **state)
{
	(void)state;
	rig_begin();
	assert_int_equal(pack_out(0, 1000, 8), 7 * RIG_CELLS);
	assert_int_equal(pack_out(0, 1, 8), 0);
	assert_int_equal(nhn_msg_watermarks(out_tx()).cells, RIG_CELLS);
	assert_int_equal(pack_in(0, 8), 7 * RIG_CELLS);
	assert_int_equal(pack_out(5, 8, 8), 8);
	assert_int_equal(pack_in(5, 8), 8);
}

static void
test_pack_is_refused(void **state)
{
	struct nhn_pack pack;

	(void)state;
	rig_begin();
	assert_false(nhn_pack_begin(&pack, out_tx(), TYPE, 0));
	assert_false(nhn_pack_begin(&pack, out_tx(), TYPE, NHN_PACK_MESSAGE_BYTES_MAX + 1));
	assert_int_equal(message_send(out_tx(), 1, 2000), -EINPROGRESS);
	assert_false(nhn_pack_begin(&pack, out_tx(), TYPE, 8));
	assert_int_equal(nhn_msg_send_step(out_tx()), 0);
	expect_received(in_rx(), 1, 2000);
	assert_int_equal(pack_out(0, 1, 8), 1);
	assert_int_equal(pack_in(0, 8), 1);
}

/* A pack that is not wanted now comes again, whole. */
static void
test_a_pack_is_left(void **state)
{
	struct nhn_msg_run run;
	struct nhn_msg_piece piece;
	uint32_t i;

	(void)state;
	rig_begin();
	assert_int_equal(pack_out(0, 21, 8), 21);
	for (i = 0; i < 3; i++) {
		run = nhn_msg_run_begin(in_rx());
		assert_true(nhn_msg_run_next(&run, &piece));
		assert_int_equal(piece_in(&piece, 7 * i, 8), 7);
		nhn_msg_run_read(&run);
		assert_int_equal(nhn_msg_run_next(&run, &piece), i != 2);
		assert_int_equal(nhn_msg_run_end(&run), 0);
	}
	assert_false(nhn_msg_ready(in_rx()));
}

/* Short ones, packs and the pieces of long ones in one run. */
static void
test_all_kinds_in_a_run(void **state)
{
	struct nhn_msg_run run;
	struct nhn_msg_piece piece = {0};
	uint32_t offset = 0;

	(void)state;
	rig_begin();
	message_send(out_tx(), 1, 30);
	assert_int_equal(pack_out(0, 3, 8), 3);
	message_send(out_tx(), 2, 3000);
	while (nhn_msg_busy(out_tx()))
		nhn_msg_send_step(out_tx());
	run = nhn_msg_run_begin(in_rx());
	assert_true(nhn_msg_run_next(&run, &piece));
	expect_head(&piece.head, 1, 30);
	assert_true(pattern_matches(piece.data, 30, 1, 1));
	nhn_msg_run_read(&run);
	assert_true(nhn_msg_run_next(&run, &piece));
	assert_int_equal(piece_in(&piece, 0, 8), 3);
	nhn_msg_run_read(&run);
	while (nhn_msg_run_next(&run, &piece)) {
		expect_head(&piece.head, 2, 3000);
		assert_int_equal(piece.offset, offset);
		memcpy(rig.in + offset, piece.data, piece.length);
		offset += piece.length;
		nhn_msg_run_read(&run);
	}
	assert_int_equal(nhn_msg_run_end(&run), 0);
	assert_int_equal(offset, 3000);
	assert_true(pattern_matches(rig.in, 3000, 1, 2));
}

/* A peer that writes another pack while the first is read, and one whose head lies. */
static void
test_a_lie_ends_a_run(void **state)
{
	struct nhn_msg_run run;
	struct nhn_msg_piece piece;
	uint8_t *cell;

	(void)state;
	rig_begin();
	cell = nhn_tx_cell(out_tx()->tx, out_tx()->tx->tail);
	assert_int_equal(pack_out(0, 7, 8), 7);
	run = nhn_msg_run_begin(in_rx());
	assert_true(nhn_msg_run_next(&run, &piece));
	cell[63] ^= 1;
	nhn_msg_run_read(&run);
	assert_int_equal(nhn_msg_run_end(&run), -ESTALE);

	rig_begin_laid(1, RIG_CELLS, 0, 64);
	cell = nhn_tx_cell(out_tx()->tx, out_tx()->tx->tail);
	assert_int_equal(pack_out(0, 7, 8), 7);
	cell[59] = 8; /* messages: 64 bytes */
	run = nhn_msg_run_begin(in_rx());
	assert_false(nhn_msg_run_next(&run, &piece));
	assert_int_equal(in_rx()->rx->fault, NHN_FAULT_MESSAGE);

	/* What was read before the lie stands. */
	rig_begin_laid(1, RIG_CELLS, 0, 64);
	assert_int_equal(pack_out(0, 7, 8), 7);
	cell = nhn_tx_cell(out_tx()->tx, out_tx()->tx->tail);
	assert_int_equal(pack_out(7, 7, 8), 7);
	cell[58] = 0; /* bytes of a message */
	run = nhn_msg_run_begin(in_rx());
	assert_true(nhn_msg_run_next(&run, &piece));
	assert_int_equal(piece_in(&piece, 0, 8), 7);
	nhn_msg_run_read(&run);
	assert_false(nhn_msg_run_next(&run, &piece));
	assert_int_equal(nhn_msg_run_end(&run), 0);
	assert_int_equal(in_rx()->rx->fault, NHN_FAULT_MESSAGE);
}

/* The end of a message that was begun is forgotten, and said to be lost, once. */
static void
test_writer_restarts(void **state)
{
	struct nhn_msg_run run;
	struct nhn_msg_piece piece;

	(void)state;
	rig_begin();
	message_send(out_tx(), 1, 9000);
	run = nhn_msg_run_begin(in_rx());
	while (nhn_msg_run_next(&run, &piece))
		nhn_msg_run_read(&run);
	assert_int_equal(nhn_msg_run_end(&run), 0);
	node_begin(&rig.host);
	rig_steps(5);
	run = nhn_msg_run_begin(in_rx());
	assert_false(nhn_msg_run_next(&run, &piece));
	assert_int_equal(nhn_msg_run_end(&run), -ESTALE);
	assert_int_equal(in_rx()->lost, 1);
	rig_up();
	assert_int_equal(pack_out(0, 7, 8), 7);
	assert_int_equal(pack_in(0, 8), 7);
	assert_int_equal(in_rx()->lost, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_packed_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed_into_a_full_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pack_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_pack_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_kinds_in_a_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_lie_ends_a_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer_restarts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
