/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs of messages, sent and taken one after the other, and polls that take nothing. */

#include <errno.h>

#include "channel_rig.h"

/* Send the next message within a run. Returns whether there was room. */
static bool
run_send(struct nhn_tx_run *run, uint32_t length)
{
	void *body = nhn_tx_reserve_at(run, length);

	if (body == NULL)
		return false;
	pattern_fill(body, length, RIG_SEED, rig.sent);
	nhn_tx_commit_at(run, body, length);
	rig.sent++;
	return true;
}

/* Take the next message within a run, which must be there, and check it. */
static void
run_take(struct nhn_rx_run *run, uint32_t length)
{
	struct nhn_view view = {0};

	assert_true(nhn_rx_next(run, &view));
	assert_int_equal(view.length, length);
	assert_int_equal(view.index, (uint32_t)(NHN_CURSOR_START + rig.taken));
	assert_true(pattern_matches(view.data, view.length, RIG_SEED, rig.taken));
	nhn_rx_read(run);
	rig.taken++;
}

static void
expect_end(const struct nhn_rx_run *run, int answer)
{
	assert_int_equal(nhn_rx_end(run), answer);
}

/* ---- the writer's ---- */

/* Inline, described and empty ones, in runs of all lengths, over more laps than a commit word
 * tells apart. */
static void
test_sent_in_runs(void **state)
{
	uint32_t round, i;

	(void)state;
	for (round = 0; round < 600; round++) {
		const uint32_t count = round % (CELLS + 1);
		struct nhn_tx_run run = nhn_tx_begin(&rig.tx);

		for (i = 0; i < count; i++)
			assert_true(run_send(&run, (round + i) % 6 * 40));
		nhn_tx_end(&run);
		assert_int_equal(rig.tx.tail, (uint32_t)(NHN_CURSOR_START + rig.sent));
		for (i = 0; i < count; i++)
			rig_take(&rig, (round + i) % 6 * 40);
		rig_expect_empty(&rig);
	}
	assert_true(rig.sent > 257 * CELLS);
	assert_int_equal(rig.tx.fault, NHN_FAULT_NONE);
}

/* The ring's begin is the ninth cell: the lap of what follows is the next one. Room that was
 * found is not looked for again: the lie is not seen. */
static void
test_words_of_a_run_across_the_wrap(void **state)
{
	struct nhn_tx_run run = nhn_tx_begin(&rig.tx);
	uint32_t i;

	(void)state;
	for (i = 0; i < CELLS; i++) {
		assert_true(run_send(&run, i % 2 ? 200 : i));
		rig.cursor.cells = NHN_CURSOR_START - 1;
	}
	nhn_tx_end(&run);
	assert_int_equal(rig.tx.fault, NHN_FAULT_NONE);
	assert_int_equal(rig.tx.tail, 8);
	for (i = 0; i < CELLS; i++) {
		const uint32_t index = NHN_CURSOR_START + i;
		const uint32_t word = i % 2 ? commit_word(index, NHN_KIND_DESC, 0)
					    : commit_word(index, NHN_KIND_RAW, i);

		assert_int_equal(*rig_word(&rig, index), word);
	}
}

static void
test_tail_is_told_at_the_end(void **state)
{
	struct nhn_tx_run run;
	uint32_t i;

	(void)state;
	assert_true(rig_send(&rig, 0)); /* knows of room from now on */
	run = nhn_tx_begin(&rig.tx);
	for (i = 1; i < CELLS; i++)
		assert_true(run_send(&run, i));
	assert_int_equal(rig.tx.tail, NHN_CURSOR_START + 1);
	for (i = 0; i < CELLS / 2; i++) /* the reader has them all the same */
		rig_take(&rig, i);
	nhn_tx_end(&run);
	assert_int_equal(rig.tx.tail, NHN_CURSOR_START + CELLS);
	for (; i < CELLS; i++)
		rig_take(&rig, i);
}

/* A reader may have given all of a run back before its end: its cursor is no lie. */
static void
test_full_run_goes_on(void **state)
{
	struct nhn_tx_run run = nhn_tx_begin(&rig.tx);
	uint32_t lap, i;

	(void)state;
	for (lap = 0; lap < 20; lap++) {
		for (i = 0; i < CELLS; i++)
			assert_true(run_send(&run, i));
		assert_false(run_send(&run, 0));
		assert_int_equal(rig.tx.full, lap + 1);
		assert_int_equal(rig.tx.tail, NHN_CURSOR_START + (lap + 1) * CELLS);
		for (i = 0; i < CELLS; i++)
			rig_take(&rig, i);
		rig_expect_empty(&rig);
	}
	nhn_tx_end(&run);
	assert_int_equal(rig.tx.fault, NHN_FAULT_NONE);
	assert_int_equal(rig.tx_attention, 0);
}

static void
test_full_data_ring_in_a_run(void **state)
{
	struct nhn_tx_run run = nhn_tx_begin(&rig.tx);

	(void)state;
	assert_true(run_send(&run, DATA / 2));
	assert_true(run_send(&run, DATA / 2 - 64));
	assert_true(run_send(&run, 64)); /* skips nothing, leaves nothing */
	assert_false(run_send(&run, 61));
	assert_int_equal(rig.tx.full, 1);
	assert_true(run_send(&run, 60)); /* inline still goes */
	assert_null(nhn_tx_reserve_at(&run, DATA / 2 + 1));
	assert_int_equal(rig.tx.full, 1); /* no room will do */
	rig_take(&rig, DATA / 2);
	assert_true(run_send(&run, DATA / 2));
	nhn_tx_end(&run);
	rig_take(&rig, DATA / 2 - 64);
	rig_take(&rig, 64);
	rig_take(&rig, 60);
	rig_take(&rig, DATA / 2);
	rig_expect_empty(&rig);
}

/* A body of the data ring that is committed without a byte takes nothing of it. */
static void
test_reserved_long_and_sent_empty(void **state)
{
	struct nhn_tx_run run = nhn_tx_begin(&rig.tx);
	uint32_t data_tail = rig.tx.data_tail;
	void *body;

	(void)state;
	assert_non_null(nhn_tx_reserve_at(&run, 300)); /* given up */
	body = nhn_tx_reserve_at(&run, 300);
	assert_ptr_equal(body, rig.tx.data);
	nhn_tx_commit_at(&run, body, 0);
	rig.sent++;
	assert_int_equal(rig.tx.data_tail, data_tail);
	assert_true(run_send(&run, 0));
	assert_true(run_send(&run, 300));
	nhn_tx_end(&run);
	rig_take(&rig, 0);
	rig_take(&rig, 0);
	rig_take(&rig, 300);
	rig_expect_empty(&rig);
}

static void
test_no_run_while_closed(void **state)
{
	struct nhn_tx_run run;

	(void)state;
	assert_true(rig_send(&rig, 1));
	nhn_tx_stop(&rig.tx);
	run = nhn_tx_begin(&rig.tx);
	assert_null(nhn_tx_reserve_at(&run, 0));
	assert_null(nhn_tx_reserve_at(&run, 100));
	nhn_tx_end(&run);
	assert_int_equal(rig.tx.tail, NHN_CURSOR_START + 1);
	rig_take(&rig, 1);
	rig_expect_empty(&rig);
}

/* ---- the reader's ---- */

static void
test_taken_in_runs(void **state)
{
	uint32_t round, i;

	(void)state;
	for (round = 0; round < 600; round++) {
		const uint32_t count = round % (CELLS + 1);
		struct nhn_rx_run run;
		struct nhn_view view;

		for (i = 0; i < count; i++)
			assert_true(rig_send(&rig, (round + i) % 6 * 40));
		run = nhn_rx_begin(&rig.rx);
		for (i = 0; i < count; i++)
			run_take(&run, (round + i) % 6 * 40);
		assert_false(nhn_rx_next(&run, &view));
		expect_end(&run, 0);
		assert_false(nhn_rx_holds(&rig.rx));
		assert_int_equal(rig.rx.head, rig.tx.tail);
		rig_expect_empty(&rig);
		assert_int_equal(rig.cursor.cells, rig.tx.tail);
		assert_int_equal(rig.cursor.data, rig.tx.data_tail);
	}
	assert_true(rig.taken > 257 * CELLS);
	assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
}

static void
test_runs_and_peeks_take_turns(void **state)
{
	struct nhn_rx_run run;
	uint32_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_true(rig_send(&rig, i * 50));
	for (i = 0; i < 4; i += 2) {
		run = nhn_rx_begin(&rig.rx);
		run_take(&run, i * 50);
		expect_end(&run, 0);
		assert_int_equal(rig.rx.head, NHN_CURSOR_START + i + 1);
		rig_take(&rig, (i + 1) * 50);
	}
	run = nhn_rx_begin(&rig.rx);
	run_take(&run, 200);
	expect_end(&run, 0);
	rig_expect_empty(&rig);
}

static void
test_told_at_each_quarter_of_cells(void **state)
{
	struct nhn_rx_run run;
	uint32_t i, k;

	(void)state;
	for (i = 0; i < CELLS; i++)
		assert_true(rig_send(&rig, 1));
	for (i = 3; i <= CELLS; i += 3) {
		run = nhn_rx_begin(&rig.rx);
		for (k = 0; k < 3; k++)
			run_take(&run, 1);
		expect_end(&run, 0);
		/* 6, 12 and not 3, 9: a quarter is 4; 15 waits for more. */
		assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + i / 6 * 6);
	}
	run = nhn_rx_begin(&rig.rx);
	run_take(&run, 1);
	expect_end(&run, 0);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + CELLS);
	assert_true(rig_send(&rig, 1));
	rig_take(&rig, 1);
	run = nhn_rx_begin(&rig.rx); /* nothing there: tells the rest */
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + CELLS);
	expect_end(&run, 0);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + CELLS + 1);
}

static void
test_told_at_each_quarter_of_data(void **state)
{
	struct nhn_rx_run run;
	uint32_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_true(rig_send(&rig, 600)); /* 640 of the ring */
	run = nhn_rx_begin(&rig.rx);
	run_take(&run, 600);
	expect_end(&run, 0);
	assert_int_equal(rig.cursor.data, NHN_DATA_START);
	run = nhn_rx_begin(&rig.rx);
	run_take(&run, 600);
	assert_int_equal(rig.cursor.data, NHN_DATA_START);
	expect_end(&run, 0);
	assert_int_equal(rig.cursor.data, NHN_DATA_START + 1280);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 2);
}

static void
test_stale_is_told_once_by_an_empty_run(void **state)
{
	struct nhn_rx_run run;
	struct nhn_view view;

	(void)state;
	assert_true(rig_send(&rig, 1) && rig_send(&rig, 2));
	run = nhn_rx_begin(&rig.rx);
	run_take(&run, 1);
	expect_end(&run, 0);
	nhn_rx_stop(&rig.rx);
	run = nhn_rx_begin(&rig.rx);
	assert_false(nhn_rx_next(&run, &view)); /* of a former session now */
	expect_end(&run, -ESTALE);
	run = nhn_rx_begin(&rig.rx);
	assert_false(nhn_rx_next(&run, &view));
	expect_end(&run, 0);
	assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
}

/* Nothing is delivered any more, by any poll. */
static void
expect_broken(enum nhn_fault fault)
{
	struct nhn_rx_run run;
	struct nhn_view view;

	assert_int_equal(rig.rx.fault, fault);
	assert_int_equal(rig.rx_attention, 1);
	assert_false(nhn_rx_holds(&rig.rx));
	*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, NHN_KIND_RAW, 4);
	run = nhn_rx_begin(&rig.rx);
	assert_false(nhn_rx_next(&run, &view));
	expect_end(&run, 0);
	assert_true(nhn_rx_idle(&rig.rx));
	assert_int_equal(rig.rx.fault, fault);
}

/* A message that was taken and not read comes again, also one of the data ring. */
static void
test_taken_and_not_read_comes_again(void **state)
{
	const uint32_t lengths[] = {40, 500};
	struct nhn_view view;
	uint32_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct nhn_tx_run sending = nhn_tx_begin(&rig.tx);
		struct nhn_rx_run run;

		assert_true(run_send(&sending, lengths[i]));
		nhn_tx_end(&sending);
		run = nhn_rx_begin(&rig.rx);
		assert_true(nhn_rx_next(&run, &view));
		assert_int_equal(nhn_rx_end(&run), 0);
		run = nhn_rx_begin(&rig.rx);
		run_take(&run, lengths[i]);
		assert_int_equal(nhn_rx_end(&run), 0);
		assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
	}
}

static void
test_rewritten_between_next_and_read(void **state)
{
	static const uint32_t lengths[] = {1, 90, 2};
	uint32_t which, bit, i;

	(void)state;
	for (which = 0; which < 3; which++) {
		for (bit = 16; bit < 32; bit++) {
			struct nhn_rx_run run;
			struct nhn_view view;

			again();
			for (i = 0; i < 3; i++)
				assert_true(rig_send(&rig, lengths[i]));
			run = nhn_rx_begin(&rig.rx);
			for (i = 0; i < 3; i++) {
				assert_true(nhn_rx_next(&run, &view));
				if (i == which)
					*rig_word(&rig, view.index) ^= 1u << bit;
				nhn_rx_read(&run);
			}
			expect_end(&run, -ESTALE);
			expect_broken(NHN_FAULT_OVERRUN);
		}
	}
}

/* What stands before a bad cell is delivered, and given back. */
static void
bad_cell(uint32_t kind, uint32_t length, enum nhn_fault fault)
{
	const uint32_t index = NHN_CURSOR_START + 2;
	struct nhn_rx_run run;
	struct nhn_view view;

	again();
	assert_true(rig_send(&rig, 5) && rig_send(&rig, 100) && rig_send(&rig, 6));
	memset(nhn_tx_cell(&rig.tx, index), 0, 8); /* no range */
	*rig_word(&rig, index) = commit_word(index, kind, length);
	run = nhn_rx_begin(&rig.rx);
	run_take(&run, 5);
	run_take(&run, 100);
	assert_false(nhn_rx_next(&run, &view));
	expect_end(&run, 0);
	assert_int_equal(rig.rx.released, index);
	assert_int_equal(rig.rx.data_released, NHN_DATA_START + 128);
	expect_broken(fault);
}

static void
test_bad_cell_in_a_run(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 256; i++)
		if (i != NHN_KIND_RAW && i != NHN_KIND_DESC)
			bad_cell(i, 0, NHN_FAULT_KIND);
	for (i = 61; i < 256; i++)
		bad_cell(NHN_KIND_RAW, i, NHN_FAULT_LENGTH);
	bad_cell(NHN_KIND_DESC, 0, NHN_FAULT_DESCRIPTOR);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sent_in_runs),
		TEST(test_words_of_a_run_across_the_wrap),
		TEST(test_tail_is_told_at_the_end),
		TEST(test_full_run_goes_on),
		TEST(test_full_data_ring_in_a_run),
		TEST(test_reserved_long_and_sent_empty),
		TEST(test_no_run_while_closed),
		TEST(test_taken_in_runs),
		TEST(test_runs_and_peeks_take_turns),
		TEST(test_told_at_each_quarter_of_cells),
		TEST(test_told_at_each_quarter_of_data),
		TEST(test_stale_is_told_once_by_an_empty_run),
		TEST(test_taken_and_not_read_comes_again),
		TEST(test_rewritten_between_next_and_read),
		TEST(test_bad_cell_in_a_run),
	};

	return cmocka_run_group_tests_name("channel_run", tests, NULL, NULL);
}
