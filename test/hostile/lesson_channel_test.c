/* SPDX-License-Identifier: BSD-3-Clause */
/* Lessons of others, on a channel: ranges, lengths, indices, double fetches. Each
 * script fails when the check that it exercises is taken out of the library. */

#include "lesson.h"

#define CELLS 16u

static int
setup(void **state)
{
	(void)state;
	lesson_up(NHN_ROLE_HOST, CELLS);
	return 0;
}

/* The liar's next message names this range, which is @p skip behind the expected one. */
static void
describe(uint32_t skip, uint32_t length)
{
	uint32_t next = victim_rx()->data_head;

	liar_send(4);
	liar_cell(0)[0] = next + skip;
	liar_cell(0)[1] = length;
	set_kind(0, NHN_KIND_DESC, 0);
}

static void
expect_refused_range(uint32_t skip, uint32_t length)
{
	describe(skip, length);
	expect_fault(NHN_FAULT_DESCRIPTOR);
	mend();
}

/* The data ring's place, so that its end is @p left bytes ahead. */
static void
ring_end_ahead(uint32_t left)
{
	uint32_t used = LESSON_DATA - (victim_rx()->data_head & (LESSON_DATA - 1));

	if (used == left)
		return;
	used = used > left ? used - left : used + LESSON_DATA - left;
	while (used != 0) {
		uint32_t length = used > LESSON_DATA / 2 ? LESSON_DATA / 2 : used;

		/* a range that is passed over is freed by the next: nothing to be read */
		describe(0, length);
		assert_int_equal(victim_peek(&(struct nhn_view){0}, 1), 1);
		assert_int_equal(victim_give_back(), 0);
		lesson.taken++;
		used -= length;
	}
}

/*
 * CVE-2018-1059: only the begin of a range was checked, and its end lay in other
 * memory. Here: the range begins within the data ring and ends behind it, where a
 * page without access follows the area.
 */
static void
test_vhost_2018_1059_range_ends_outside(void **state)
{
	struct nhn_view views[3];
	uint32_t over;

	(void)state;
	for (over = 1; over <= 1024; over *= 2) {
		ring_end_ahead(512);
		expect_refused_range(0, 512 + over);
	}
	ring_end_ahead(512);
	describe(0, 512); /* up to the last byte of the area */
	assert_int_equal(victim_peek(&(struct nhn_view){0}, 1), 1);
	assert_int_equal(victim_give_back(), 0);
	/* nor may it end in bytes that the reader still holds */
	liar_begin();
	come_up();
	ring_end_ahead(LESSON_DATA - 64);
	describe(0, 2048);
	describe(2048, 1984); /* up to the ring's end */
	describe(4032, 65);   /* from its begin on, where 64 are left */
	assert_int_equal(victim_peek(views, 3), 2);
	assert_int_equal(victim_rx()->fault, NHN_FAULT_DESCRIPTOR);
}

/*
 * CVE-2020-10722: offset plus size passed 2^32 and looked small. Every sum and
 * product of a descriptor, driven over the top.
 */
static void
test_vhost_2020_10722_offset_plus_size_overflows(void **state)
{
	static const struct {
		uint32_t skip, length;
	} ranges[] = {
		{0, UINT32_MAX},       {0, UINT32_MAX - 62},
		{0, UINT32_MAX - 63},  {0, 0u - 512},
		{64, UINT32_MAX - 63}, {512, 0u - 512},
		{2048, UINT32_MAX},    {0u - 64, 64},
		{0u - 64, 128},	       {0u - LESSON_DATA, 64},
		{1u << 31, 1u << 31},  {1u << 31, 64},
		{0, 1u << 31},	       {0, LESSON_DATA / 2 + 1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		ring_end_ahead(512);
		expect_refused_range(ranges[i].skip, ranges[i].length);
		ring_end_ahead(LESSON_DATA);
		expect_refused_range(ranges[i].skip, ranges[i].length);
	}
}

/* CVE-2020-10725: a length of 0 went round the check of the range. */
static void
test_vhost_2020_10725_length_is_zero(void **state)
{
	static const uint32_t skips[] = {0, 64, 1, LESSON_DATA, UINT32_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(skips) / sizeof(skips[0]); i++)
		expect_refused_range(skips[i], 0);
}

/* ---- copy once, check the copy, use the copy ---- */

static void
turn_descriptor_bad(struct hostile *h)
{
	if (h->copies < 2)
		return;
	liar_cell(0)[0] += LESSON_DATA - 64;
	liar_cell(0)[1] = UINT32_MAX;
}

/*
 * CVE-2020-14375: a descriptor was checked, then loaded again. The words turn bad as
 * soon as the first copy is taken: the view is that of the copy.
 */
static void
test_vhost_2020_14375_descriptor_changes_after_the_check(void **state)
{
	struct nhn_view view;

	(void)state;
	liar_send(100);
	hostile->script = turn_descriptor_bad;
	assert_int_equal(victim_peek(&view, 1), 1);
	hostile->script = NULL;
	assert_int_equal(hostile->copies, 1);
	liar_cell(0)[1] = UINT32_MAX; /* nor does it matter afterwards */
	assert_int_equal(view.length, 100);
	assert_true(pattern_matches(nhn_foreign_lend(view.data), 100, 1, 0));
	assert_int_equal(victim_give_back(), 0);
	assert_int_equal(victim_rx()->data_released, victim_rx()->data_head);
}

/* ---- indices ---- */

static void
victim_send_long(void)
{
	void *body = nhn_tx_reserve(victim_tx(), LESSON_DATA / 2);

	assert_non_null(body);
	nhn_tx_commit(victim_tx(), body, LESSON_DATA / 2);
}

static void
expect_cursor_lie(uint32_t length, uint32_t loads)
{
	uint64_t before = lesson.victim.link.faults[NHN_FAULT_CURSOR];

	hostile_enter(hostile);
	assert_null(nhn_tx_reserve(victim_tx(), length));
	hostile->inside = false;
	assert_int_equal(hostile->loads, loads);
	assert_int_equal(victim_control(), NHN_LINK_BROKEN);
	assert_int_equal(lesson.victim.link.faults[NHN_FAULT_CURSOR], before + 1);
	mend();
}

/* CVE-2020-14378: an index ran backwards, the difference went below 0, the loop on. */
static void
test_vhost_2020_14378_cursor_runs_backwards(void **state)
{
	static const uint32_t lies[] = {1, 2, 100, CELLS, 0u - CELLS - 1, 1u << 31, 0u - 1000};
	static const uint32_t data_lies[] = {64, 1, 0u - 32, 0u - LESSON_DATA - 64, 1u << 31};
	struct nhn_cursor *cursor = &liar_words()->cursor[0];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		while (nhn_tx_reserve(victim_tx(), 4) != NULL)
			nhn_tx_commit(victim_tx(), nhn_tx_cell(victim_tx(), victim_tx()->tail), 4);
		cursor->cells = victim_tx()->tail + lies[i];
		expect_cursor_lie(4, 1);
	}
	for (i = 0; i < sizeof(data_lies) / sizeof(data_lies[0]); i++) {
		victim_send_long();
		victim_send_long();
		cursor->data = victim_tx()->data_tail + data_lies[i];
		expect_cursor_lie(LESSON_DATA / 2, 1);
	}
}

/* ---- lengths ---- */

static void
turn_length_long(struct hostile *h)
{
	if (h->loads >= 2)
		set_kind(0, NHN_KIND_RAW, 255);
}

/*
 * Hyper-V vmbus: the length was clamped, and the peer's was used. And LGMP: a
 * payload's size was loaded twice. The commit word is loaded once; what it says
 * later is nobody's length.
 */
static void
test_vmbus_length_is_private(void **state)
{
	struct nhn_view view;

	(void)state;
	liar_send(60);
	hostile->script = turn_length_long;
	assert_int_equal(victim_peek(&view, 1), 1);
	hostile->script = NULL;
	assert_int_equal(hostile->loads, 1);
	assert_int_equal(view.length, 60);
	set_kind(0, NHN_KIND_RAW, 255);
	assert_int_equal(view.length, 60);
	liar_send(61); /* and of a channel of 60 bytes a cell none is longer */
	set_kind(0, NHN_KIND_RAW, 61);
	expect_fault(NHN_FAULT_LENGTH);
}

/* LGMP: a message costs one load of its size to see, and one to give back. */
static void
test_lgmp_size_is_loaded_once(void **state)
{
	struct nhn_view views[8];
	uint32_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		liar_send(i % 2 ? 100 : 10);
	assert_int_equal(victim_peek(views, 8), 8);
	assert_int_equal(hostile->loads, 8);
	assert_int_equal(hostile->copies, 4);
	assert_int_equal(victim_give_back(), 0);
	assert_int_equal(hostile->loads, 8);
	assert_int_equal(hostile->copies, 0);
}

/* CVE-2023-46838: fragments of length 0 were not expected. Here they are messages. */
static void
test_xen_2023_46838_zero_length(void **state)
{
	struct nhn_slice empty = {.data = "", .length = 0};
	struct nhn_view view;
	uint32_t i;
	void *body;

	(void)state;
	for (i = 0; i < 3 * CELLS; i++) {
		liar_send(0);
		expect_message(0);
		assert_int_equal(nhn_tx_burst(victim_tx(), &empty, 1), 1);
		/* reserved long, and nothing to say: no range of length 0 is described */
		body = nhn_tx_reserve(victim_tx(), 1000);
		assert_non_null(body);
		nhn_tx_commit(victim_tx(), body, 0);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&lesson.liar, 0), &view, 1), 1);
		assert_int_equal(view.length, 0);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&lesson.liar, 0), &view, 1), 1);
		assert_int_equal(view.length, 0);
		assert_int_equal(nhn_rx_release(nhn_link_rx(&lesson.liar, 0)), 0);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&lesson.liar, 0), &view, 1), 0);
	}
	assert_int_equal(lesson.liar.rx[0].fault, NHN_FAULT_NONE);
}

/* ---- memif ---- */

/* An offset is where the last range ended, or behind a skip of less than half a ring. */
static void
test_memif_offset_unchecked(void **state)
{
	static const uint32_t skips[] = {1,    4,    32,	  63,	      2048,
					 2112, 4032, LESSON_DATA, UINT32_MAX, 1u << 30};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(skips) / sizeof(skips[0]); i++) {
		ring_end_ahead(LESSON_DATA);
		expect_refused_range(skips[i], 64);
	}
}

/* Both rings and both counters wrap, which 2^32 begins eight messages ahead. */
static void
test_memif_wraps_around(void **state)
{
	uint32_t i;

	(void)state;
	assert_true(victim_rx()->head > UINT32_MAX - 16);
	for (i = 0; i < 5 * CELLS; i++) {
		uint32_t length = (i * 379) % (LESSON_DATA / 2 + 1);

		liar_send(length);
		expect_message(length);
	}
	assert_true(victim_rx()->head < 5 * CELLS);
	assert_true(victim_rx()->data_head < 1u << 20);
	/* over the end in one piece: refused */
	ring_end_ahead(64);
	expect_refused_range(0, 65);
}

/* A cell is a message only with the lap and the pairing of its turn. */
static void
test_memif_stale_flags(void **state)
{
	struct nhn_view view;
	uint32_t i, bit;

	(void)state;
	for (i = 0; i < CELLS; i++) { /* a lap: each cell holds a message that was read */
		liar_send(8);
		expect_message(8);
	}
	for (bit = 16; bit < 32; bit++) {
		liar_send(8);
		*liar_word(0) ^= 1u << bit;
		assert_int_equal(victim_peek(&view, 1), 0);
		*liar_word(0) ^= 1u << bit;
		expect_message(8);
	}
	/* the ring of a former session, still standing when the next one opens */
	for (i = 0; i < CELLS / 2; i++)
		liar_send(8);
	nhn_link_finish(&lesson.victim.link);
	link_victim_begin(&lesson.victim);
	hostile_honest(hostile); /* acknowledges and opens, and clears nothing */
	for (i = 0; i < 8; i++) {
		victim_control();
		liar_words()->seen = lesson.victim.link.session | (i > 3);
		liar_words()->open = lesson.victim.link.session;
		assert_true(victim_peek(&view, 1) <= 0);
	}
	assert_int_equal(lesson.victim.link.rx_state, NHN_RX_READING);
}

/* A burst of more messages than a byte counts, in one call. */
static void
test_memif_burst_over_255(void **state)
{
	static struct nhn_slice slices[300];
	static struct nhn_view views[300];
	static uint8_t bytes[60];
	uint32_t i;

	(void)state;
	lesson_close();
	lesson_up(NHN_ROLE_GUEST, 512);
	for (i = 0; i < 300; i++) {
		liar_send(i % 61);
		slices[i] = (struct nhn_slice){.data = bytes, .length = i % 61};
	}
	assert_int_equal(victim_peek(views, 300), 300);
	for (i = 0; i < 300; i++)
		assert_true(views[i].length == i % 61 &&
			    pattern_matches(nhn_foreign_lend(views[i].data), i % 61, 1, i));
	assert_int_equal(victim_give_back(), 0);
	assert_int_equal(nhn_tx_burst(victim_tx(), slices, 300), 300);
	assert_int_equal(nhn_rx_peek(nhn_link_rx(&lesson.liar, 0), views, 300), 300);
	for (i = 0; i < 300; i++)
		assert_int_equal(views[i].length, i % 61);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vhost_2018_1059_range_ends_outside),
		TEST(test_vhost_2020_10722_offset_plus_size_overflows),
		TEST(test_vhost_2020_10725_length_is_zero),
		TEST(test_vhost_2020_14375_descriptor_changes_after_the_check),
		TEST(test_vhost_2020_14378_cursor_runs_backwards),
		TEST(test_vmbus_length_is_private),
		TEST(test_lgmp_size_is_loaded_once),
		TEST(test_xen_2023_46838_zero_length),
		TEST(test_memif_offset_unchecked),
		TEST(test_memif_wraps_around),
		TEST(test_memif_stale_flags),
		TEST(test_memif_burst_over_255),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_channel", tests, NULL, NULL);
}
