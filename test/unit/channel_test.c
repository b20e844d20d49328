/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel whose two ends are polite: content, order, room, publication. */

#include <errno.h>

#include "channel_rig.h"

static void
test_counters_pass_the_wrap(void **state)
{
	uint32_t i;

	(void)state;
	assert_int_equal(rig.tx.tail, 0xfffffff8u);
	assert_int_equal(rig.tx.data_tail, 0xfffff000u);
	for (i = 0; i < 40; i++) {
		assert_true(rig_send(&rig, 300));
		rig_take(&rig, 300);
		rig_expect_empty(&rig);
	}
	assert_int_equal(rig.tx.tail, 32);
	assert_true(rig.tx.data_tail < 0x80000000u);
	assert_int_equal(rig.cursor.cells, 32);
	assert_int_equal(rig.cursor.data, rig.tx.data_tail);
}

static void
send_and_take(uint32_t length)
{
	assert_true(rig_send(&rig, length));
	rig_take(&rig, length);
	rig_expect_empty(&rig);
}

static void
sizes_of(enum nhn_use use, uint16_t cell_bytes, uint32_t data_bytes)
{
	uint32_t inline_bytes = nhn_inline_bytes(use, cell_bytes);
	uint32_t length;

	reopen(use, cell_bytes, 64, data_bytes);
	assert_int_equal(rig.tx.inline_bytes, inline_bytes);
	for (length = 0; length <= inline_bytes + 70; length++)
		send_and_take(length);
	for (length = 128; length <= data_bytes / 2; length += 64) {
		send_and_take(length - 1);
		send_and_take(length);
		if (length < data_bytes / 2)
			send_and_take(length + 1);
	}
	assert_null(nhn_tx_reserve(&rig.tx, data_bytes / 2 + 1));
	assert_null(nhn_tx_reserve(&rig.tx, UINT32_MAX));
	send_and_take(data_bytes / 2);
}

static void
test_all_sizes(void **state)
{
	(void)state;
	assert_int_equal(nhn_inline_bytes(NHN_USE_RAW, 64), 60);
	assert_int_equal(nhn_inline_bytes(NHN_USE_RAW, 128), 124);
	assert_int_equal(nhn_inline_bytes(NHN_USE_ETHERNET, 128), 108);
	sizes_of(NHN_USE_RAW, 64, 4096);
	sizes_of(NHN_USE_RAW, 64, 65536);
	sizes_of(NHN_USE_RAW, 128, 8192);
	sizes_of(NHN_USE_ETHERNET, 128, 16384);
}

static void
test_no_data_ring(void **state)
{
	(void)state;
	reopen(NHN_USE_RAW, 64, CELLS, 0);
	send_and_take(60);
	assert_null(nhn_tx_reserve(&rig.tx, 61));
	assert_int_equal(rig.tx.full, 0);
	send_and_take(0);
}

/* More than 256 laps, so that the lap's eight bits come round; after each
 * message the next cell holds one of a former lap, which must not be seen. */
static void
test_many_laps(void **state)
{
	uint32_t i, held;

	(void)state;
	for (i = 0; i < 600 * CELLS; i++) {
		uint32_t length = pattern_length(RIG_SEED, i, DATA / 2);

		assert_true(rig_send(&rig, length));
		rig_take(&rig, length);
		rig_expect_empty(&rig);
	}
	for (held = 1; held <= CELLS; held++) { /* any number in flight */
		for (i = 0; i < held; i++)
			assert_true(rig_send(&rig, i));
		for (i = 0; i < held; i++)
			rig_take(&rig, i);
		rig_expect_empty(&rig);
	}
}

static void
test_full_ring(void **state)
{
	uint32_t i;

	(void)state;
	reopen(NHN_USE_RAW, 64, CELLS, 0);
	for (i = 0; i < CELLS; i++)
		assert_true(rig_send(&rig, 8));
	assert_int_equal(rig.tx.full, 0);
	assert_null(nhn_tx_reserve(&rig.tx, 8));
	assert_int_equal(rig.tx.full, 1);
	for (i = 0; i < CELLS / 4 - 1; i++)
		rig_take(&rig, 8);
	assert_null(nhn_tx_reserve(&rig.tx, 8)); /* not told yet */
	assert_int_equal(rig.tx.full, 2);
	rig_take(&rig, 8);
	for (i = 0; i < CELLS / 4; i++)
		assert_true(rig_send(&rig, 8));
	assert_null(nhn_tx_reserve(&rig.tx, 8));
	assert_int_equal(rig.tx.full, 3);
	for (i = 0; i < CELLS; i++)
		rig_take(&rig, 8);
	rig_expect_empty(&rig);
	assert_int_equal(rig.tx.fault, NHN_FAULT_NONE);
}

static void
test_full_data_ring(void **state)
{
	(void)state;
	reopen(NHN_USE_RAW, 64, 64, DATA);
	assert_true(rig_send(&rig, DATA / 2));
	assert_true(rig_send(&rig, DATA / 2 - 63));
	assert_null(nhn_tx_reserve(&rig.tx, 61));
	assert_int_equal(rig.tx.full, 1);
	assert_true(rig_send(&rig, 60)); /* inline still goes */
	rig_take(&rig, DATA / 2);
	assert_true(rig_send(&rig, DATA / 2));
	assert_null(nhn_tx_reserve(&rig.tx, 61));
	rig_take(&rig, DATA / 2 - 63);
	rig_take(&rig, 60);
	rig_take(&rig, DATA / 2);
	rig_expect_empty(&rig);
	assert_true(rig_send(&rig, DATA / 2));
	rig_take(&rig, DATA / 2);
}

/* 0x400 bytes are left before the wrap: a longer range skips them, and they come back
 * with the next cell. */
static void
test_data_wrap_is_skipped_and_freed(void **state)
{
	uint32_t lap;

	(void)state;
	reopen(NHN_USE_RAW, 64, 64, DATA);
	for (lap = 0; lap < 50; lap++) {
		uint32_t tail = rig.tx.data_tail;

		assert_int_equal(tail % DATA, 0);
		send_and_take(0x600);
		send_and_take(0x600);
		assert_int_equal(rig.tx.data_tail - tail, 0xc00);
		send_and_take(0x401);
		assert_int_equal(rig.tx.data_tail - tail, DATA + 0x440);
		send_and_take(0x7c0);
		send_and_take(0x400);
		assert_int_equal(rig.tx.data_tail - tail, 2 * DATA);
		assert_int_equal(rig.cursor.data, rig.tx.data_tail);
	}
}

static void
test_published_at_each_quarter_of_cells(void **state)
{
	uint32_t i;

	(void)state;
	reopen(NHN_USE_RAW, 64, 64, DATA);
	for (i = 0; i < 64; i++)
		assert_true(rig_send(&rig, 1));
	for (i = 1; i <= 60; i++) {
		rig_take(&rig, 1);
		assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + i / 16 * 16);
	}
	rig_take(&rig, 1);
	rig_take(&rig, 1);
	rig_take(&rig, 1);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 48);
	rig_take(&rig, 1);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 64);
	assert_true(rig_send(&rig, 1));
	rig_take(&rig, 1);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 64);
	rig_expect_empty(&rig);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 65);
}

static void
test_published_at_each_quarter_of_data(void **state)
{
	uint32_t i;

	(void)state;
	reopen(NHN_USE_RAW, 64, 64, DATA);
	for (i = 0; i < 8; i++)
		assert_true(rig_send(&rig, 500));
	for (i = 1; i <= 7; i++) {
		rig_take(&rig, 500);
		assert_int_equal(rig.cursor.data, NHN_DATA_START + i / 2 * 1024);
		assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + i / 2 * 2);
	}
	rig_peek(&rig, 500);
	assert_int_equal(rig.cursor.data, NHN_DATA_START + 3072);
	rig_expect_empty(&rig); /* tells what was released, not what is held */
	assert_int_equal(rig.cursor.data, NHN_DATA_START + 3584);
	assert_int_equal(nhn_rx_release(&rig.rx), 0);
	rig_expect_empty(&rig);
	assert_int_equal(rig.cursor.data, NHN_DATA_START + 4096);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 8);
}

static void
test_peeks_accumulate_until_release(void **state)
{
	struct nhn_view views[CELLS + 1];
	uint32_t i;

	(void)state;
	for (i = 0; i < CELLS; i++)
		assert_true(rig_send(&rig, i * 14));
	assert_int_equal(nhn_rx_peek(&rig.rx, views, 3), 3);
	assert_int_equal(nhn_rx_peek(&rig.rx, views + 3, 1), 1);
	assert_int_equal(nhn_rx_peek(&rig.rx, views + 4, CELLS), CELLS - 4);
	assert_int_equal(nhn_rx_peek(&rig.rx, views + CELLS, 1), 0);
	assert_true(nhn_rx_holds(&rig.rx));
	assert_false(nhn_rx_drained(&rig.rx));
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START); /* nothing was given back */
	assert_null(nhn_tx_reserve(&rig.tx, 0));
	for (i = 0; i < CELLS; i++) {
		assert_int_equal(views[i].length, i * 14);
		assert_int_equal(views[i].index, NHN_CURSOR_START + i);
		assert_true(pattern_matches(views[i].data, views[i].length, RIG_SEED, i));
	}
	assert_int_equal(nhn_rx_release(&rig.rx), 0);
	assert_false(nhn_rx_holds(&rig.rx));
	assert_true(nhn_rx_drained(&rig.rx));
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + CELLS);
	assert_int_equal(rig.cursor.data, rig.tx.data_tail);
}

static void
test_burst_is_partial_when_full(void **state)
{
	uint8_t body[CELLS + 4][64];
	struct nhn_slice slices[CELLS + 4];
	uint32_t i;

	(void)state;
	reopen(NHN_USE_RAW, 64, CELLS, 0);
	for (i = 0; i < CELLS + 4; i++) {
		pattern_fill(body[i], 60, RIG_SEED, i);
		slices[i].data = body[i];
		slices[i].length = i;
	}
	assert_int_equal(nhn_tx_burst(&rig.tx, slices, 0), 0);
	assert_int_equal(nhn_tx_burst(&rig.tx, slices, 5), 5);
	assert_int_equal(nhn_tx_burst(&rig.tx, slices + 5, CELLS - 1), CELLS - 5);
	assert_int_equal(rig.tx.full, 1);
	for (i = 0; i < CELLS; i++)
		rig_take(&rig, i);
	slices[1].length = 61; /* longer than the channel carries */
	assert_int_equal(nhn_tx_burst(&rig.tx, slices, 3), 1);
}

static void
test_ethernet_metadata_place(void **state)
{
	static const uint32_t lengths[] = {0, 108, 109, 1514};
	struct nhn_frame_metadata metadata = {.flags = 1, .hash = 0x12345678};
	struct nhn_view view = {0};
	uint32_t i;

	(void)state;
	reopen(NHN_USE_ETHERNET, 128, 64, 16384);
	for (i = 0; i < 4; i++) {
		uint8_t *cell = nhn_tx_cell(&rig.tx, rig.tx.tail);
		void *body = nhn_tx_reserve(&rig.tx, lengths[i]);

		assert_non_null(body);
		assert_int_equal((uintptr_t)cell % 128, 0);
		assert_ptr_equal(nhn_tx_metadata(&rig.tx, (&rig.tx)->tail), cell + 108);
		metadata.vlan_tci = (uint16_t)i;
		*nhn_tx_metadata(&rig.tx, (&rig.tx)->tail) = metadata;
		pattern_fill(body, lengths[i], RIG_SEED, i);
		nhn_tx_commit(&rig.tx, body, lengths[i]);
		assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), 1);
		assert_int_equal(view.length, lengths[i]);
		assert_true(pattern_matches(view.data, view.length, RIG_SEED, i));
		assert_ptr_equal(nhn_rx_metadata(&rig.rx, &view), cell + 108);
		assert_memory_equal(cell + 108, &metadata, sizeof(metadata));
		assert_int_equal(nhn_rx_release(&rig.rx), 0);
	}
}

static void
test_reserve_may_be_given_up_or_shortened(void **state)
{
	uint8_t *body;

	(void)state;
	send_and_take(1800);
	send_and_take(1800);
	assert_non_null(nhn_tx_reserve(&rig.tx, 2048)); /* skips to the begin; given up */
	assert_non_null(nhn_tx_reserve(&rig.tx, 61));
	send_and_take(20);
	body = nhn_tx_reserve(&rig.tx, 2048); /* skips, and only 10 bytes are sent */
	assert_ptr_equal(body, rig.tx.data);
	pattern_fill(body, 10, RIG_SEED, rig.sent++);
	nhn_tx_commit(&rig.tx, body, 10);
	rig_take(&rig, 10);
	body = nhn_tx_reserve(&rig.tx, 2048); /* and nothing at all */
	assert_non_null(body);
	rig.sent++;
	nhn_tx_commit(&rig.tx, body, 0);
	rig_take(&rig, 0);
	send_and_take(2048);
}

static void
test_uncommitted_is_not_seen(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 3 * CELLS; i++) {
		uint32_t length = i % 2 ? 60 : 200;
		void *body = nhn_tx_reserve(&rig.tx, length);

		assert_non_null(body);
		rig_expect_empty(&rig);
		pattern_fill(body, length, RIG_SEED, rig.sent++);
		rig_expect_empty(&rig);
		nhn_tx_commit(&rig.tx, body, length);
		rig_take(&rig, length);
	}
}

static void
test_stop_and_go_lose_nothing(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_true(rig_send(&rig, i));
		nhn_tx_stop(&rig.tx);
		assert_null(nhn_tx_reserve(&rig.tx, 0));
		assert_null(nhn_tx_reserve(&rig.tx, 100));
		nhn_tx_start(&rig.tx, RIG_PAIRING);
		assert_true(rig_send(&rig, 7));
		rig_take(&rig, i);
		rig_take(&rig, 7);
	}
	assert_int_equal(rig.tx.fault, NHN_FAULT_NONE);
}

static void
test_open_clears_and_count_counts(void **state)
{
	struct nhn_view view;
	uint32_t i;

	(void)state;
	for (i = 0; i < 3 * CELLS + 5; i++)
		send_and_take(i);
	for (i = 0; i <= CELLS; i++) { /* i messages stand behind the cursor */
		uint32_t cursor = rig.cursor.cells;

		assert_int_equal(nhn_tx_count_committed(rig.tx.cells, CELLS, 64, cursor), i);
		assert_int_equal(rig_send(&rig, 3), i < CELLS);
	}
	nhn_rx_stop(&rig.rx);
	assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), -ESTALE);
	rig_expect_empty(&rig);
	nhn_tx_open(&rig.tx);
	for (i = 0; i < CELLS; i++)
		assert_int_equal(*rig_word(&rig, i), 0);
	assert_int_equal(rig.tx.tail, rig.cursor.cells);
	assert_null(nhn_tx_reserve(&rig.tx, 1)); /* open, and not yet started */
	nhn_rx_start(&rig.rx, RIG_PAIRING + 1);
	nhn_tx_start(&rig.tx, RIG_PAIRING + 1);
	rig.taken = rig.sent;
	send_and_take(9);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_counters_pass_the_wrap),
		TEST(test_all_sizes),
		TEST(test_no_data_ring),
		TEST(test_many_laps),
		TEST(test_full_ring),
		TEST(test_full_data_ring),
		TEST(test_data_wrap_is_skipped_and_freed),
		TEST(test_published_at_each_quarter_of_cells),
		TEST(test_published_at_each_quarter_of_data),
		TEST(test_peeks_accumulate_until_release),
		TEST(test_burst_is_partial_when_full),
		TEST(test_ethernet_metadata_place),
		TEST(test_reserve_may_be_given_up_or_shortened),
		TEST(test_uncommitted_is_not_seen),
		TEST(test_stop_and_go_lose_nothing),
		TEST(test_open_clears_and_count_counts),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
