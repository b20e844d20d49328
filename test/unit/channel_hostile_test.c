/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel whose other end lies: each lie is found, named and does no harm. */

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel_rig.h"

/* The channel is broken for this cause, and nothing is delivered any more. */
static void
expect_broken(enum nhn_fault fault)
{
	rig_expect_empty(&rig);
	assert_int_equal(rig.rx.fault, fault);
	assert_int_equal(rig.rx_attention, 1);
	*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, NHN_KIND_RAW, 4);
	rig_expect_empty(&rig);
	assert_int_equal(rig.rx.fault, fault);
}

static void
test_oracle_of_the_commit_word(void **state)
{
	(void)state;
	*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, NHN_KIND_RAW, 0);
	rig_take(&rig, 0);
	assert_true(rig_send(&rig, 5) && rig_send(&rig, 61));
	assert_int_equal(*rig_word(&rig, NHN_CURSOR_START), commit_word(NHN_CURSOR_START, 1, 5));
	assert_int_equal(*rig_word(&rig, NHN_CURSOR_START + 1),
			 commit_word(NHN_CURSOR_START + 1, 4, 0));
}

static void
test_bad_kind(void **state)
{
	uint32_t kind;

	(void)state;
	for (kind = 0; kind < 256; kind++) {
		if (kind == NHN_KIND_RAW || kind == NHN_KIND_DESC)
			continue;
		again();
		*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, kind, 0);
		expect_broken(NHN_FAULT_KIND);
	}
}

static void
test_bad_inline_length(void **state)
{
	uint32_t length;

	(void)state;
	for (length = 61; length < 256; length++) {
		again();
		*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, NHN_KIND_RAW, length);
		expect_broken(NHN_FAULT_LENGTH);
	}
}

static void
test_inline_length_over_metadata(void **state)
{
	(void)state;
	reopen(NHN_USE_ETHERNET, 128, CELLS, DATA);
	*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, NHN_KIND_RAW, 109);
	expect_broken(NHN_FAULT_LENGTH);
}

static void
describe(uint32_t position, uint32_t length)
{
	struct nhn_descriptor descriptor = {.position = position, .length = length};

	memcpy(nhn_tx_cell(&rig.tx, rig.rx.head), &descriptor, sizeof(descriptor));
	*rig_word(&rig, rig.rx.head) = commit_word(rig.rx.head, NHN_KIND_DESC, 0);
}

static void
test_bad_descriptor(void **state)
{
	static const struct {
		uint32_t skip, length;
	} bad[] = {
		{0, 0},
		{0, DATA / 2 + 1},
		{0, DATA},
		{0, UINT32_MAX},
		{1, 64},
		{32, 64},
		{4, 4},
		{(uint32_t)-64, 64},
		{0u - DATA, 64},
		{DATA, 64},
		{DATA - 64, 128},
		{DATA - 64, 65},
		{0x80000000u, 64},
		{DATA / 2 + 64, DATA / 2},
		{DATA / 2, 64},
		{UINT32_MAX, UINT32_MAX},
		{0u - 64, UINT32_MAX - 62},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		again();
		describe(NHN_DATA_START + bad[i].skip, bad[i].length);
		expect_broken(NHN_FAULT_DESCRIPTOR);
	}
}

static void
test_descriptor_over_held_bytes(void **state)
{
	(void)state;
	assert_true(rig_send(&rig, 2048) && rig_send(&rig, 1984));
	rig_peek(&rig, 2048);
	rig_peek(&rig, 1984);
	describe(NHN_DATA_START + 4032, 64); /* exactly what is left */
	assert_int_equal(nhn_rx_peek(&rig.rx, &(struct nhn_view){0}, 1), 1);
	describe(NHN_DATA_START + 4096, 1); /* held bytes of the first message */
	expect_broken(NHN_FAULT_DESCRIPTOR);
}

static void
test_descriptor_without_data_ring(void **state)
{
	uint32_t length;

	(void)state;
	for (length = 0; length < 130; length++) {
		reopen(NHN_USE_RAW, 64, CELLS, 0);
		describe(NHN_DATA_START, length);
		expect_broken(NHN_FAULT_DESCRIPTOR);
	}
}

/* Not committed, another lap, another pairing: not there, and no fault. */
static void
test_other_tags_are_not_seen(void **state)
{
	uint32_t bit;

	(void)state;
	for (bit = 16; bit < 32; bit++) {
		*rig_word(&rig, rig.rx.head) =
			commit_word(rig.rx.head, NHN_KIND_RAW, 0) ^ 1u << bit;
		rig_expect_empty(&rig);
		assert_true(nhn_rx_drained(&rig.rx));
	}
	assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
	assert_int_equal(rig.rx_attention, 0);
}

static void
test_rewritten_under_the_reader(void **state)
{
	uint32_t which, bit;

	(void)state;
	for (which = 0; which < 3; which++) {
		for (bit = 16; bit < 32; bit++) {
			again();
			assert_true(rig_send(&rig, 1) && rig_send(&rig, 90) && rig_send(&rig, 2));
			rig_peek(&rig, 1);
			rig_peek(&rig, 90);
			rig_peek(&rig, 2);
			*rig_word(&rig, NHN_CURSOR_START + which) ^= 1u << bit;
			assert_int_equal(nhn_rx_release(&rig.rx), -ESTALE);
			assert_false(nhn_rx_holds(&rig.rx));
			expect_broken(NHN_FAULT_OVERRUN);
		}
	}
}

/* Good messages before a bad word of the same poll come first; the cause that is told
 * is the bad word's, whatever their release answers. */
static void
test_first_cause_is_kept(void **state)
{
	struct nhn_view views[4];

	(void)state;
	assert_true(rig_send(&rig, 1) && rig_send(&rig, 2) && rig_send(&rig, 3));
	*rig_word(&rig, NHN_CURSOR_START + 2) = commit_word(NHN_CURSOR_START + 2, 99, 0);
	assert_int_equal(nhn_rx_peek(&rig.rx, views, 4), 2);
	nhn_rx_release(&rig.rx);
	expect_broken(NHN_FAULT_KIND);
}

static void
expect_cursor_fault(uint32_t length)
{
	uint64_t full = rig.tx.full;

	assert_null(nhn_tx_reserve(&rig.tx, length));
	assert_int_equal(rig.tx.full, full + 1);
	assert_int_equal(rig.tx.fault, NHN_FAULT_CURSOR);
	assert_int_equal(rig.tx_attention, 1);
}

static void
test_cursor_lies(void **state)
{
	/* from what the reader last told, 16 cells before the tail */
	static const uint32_t lies[] = {CELLS + 1, CELLS + 2, (uint32_t)-1, 0x80000000u, 1000};
	size_t i;
	uint32_t k;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		again();
		for (k = 0; k < CELLS; k++)
			assert_true(rig_send(&rig, 1));
		rig.cursor.cells = NHN_CURSOR_START + lies[i];
		expect_cursor_fault(1);
		rig.cursor.cells = NHN_CURSOR_START + CELLS; /* the truth, at the limit */
		assert_true(rig_send(&rig, 1));
	}
}

static void
test_data_cursor_lies(void **state)
{
	static const uint32_t lies[] = {1, 32, 4096 + 64, (uint32_t)-64, 0x80000000u};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		again();
		assert_true(rig_send(&rig, 2048) && rig_send(&rig, 2048));
		rig.cursor.data = NHN_DATA_START + lies[i];
		expect_cursor_fault(100);
		rig.cursor.data = NHN_DATA_START + 4096;
		assert_true(rig_send(&rig, 100));
	}
}

/* A base that is no multiple of a line is one for both. */
static void
test_unaligned_data_base(void **state)
{
	(void)state;
	rig.cursor.data = 0x12345;
	nhn_rx_init(&rig.rx, &rig.layout, 0, rig.area, &rig.cursor, &rig.rx_attention);
	nhn_tx_open(&rig.tx);
	nhn_rx_start(&rig.rx, RIG_PAIRING);
	nhn_tx_start(&rig.tx, RIG_PAIRING);
	assert_int_equal(rig.cursor.data, 0x12340);
	assert_true(rig_send(&rig, 2000));
	rig_take(&rig, 2000);
	assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
}

/* The reader's view of the writer's area is mapped read-only: a store would end the test. */
static void
test_reader_only_loads(void **state)
{
	size_t bytes = (size_t)nhn_layout_offset(&rig.layout, 1);
	int fd = memfd_create("channel", MFD_CLOEXEC);
	uint8_t *writable, *readable;
	uint32_t i;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	writable = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	readable = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(writable != MAP_FAILED && readable != MAP_FAILED);
	nhn_rx_init(&rig.rx, &rig.layout, 0, readable, &rig.cursor, &rig.rx_attention);
	nhn_tx_init(&rig.tx, &rig.layout, 0, writable, &rig.cursor, &rig.tx_attention);
	nhn_tx_open(&rig.tx);
	nhn_rx_start(&rig.rx, RIG_PAIRING);
	nhn_tx_start(&rig.tx, RIG_PAIRING);
	for (i = 0; i < 200; i++) {
		assert_true(rig_send(&rig, i));
		rig_take(&rig, i);
		rig_expect_empty(&rig);
	}
	assert_true(rig_send(&rig, 4));
	rig_peek(&rig, 4);
	*rig_word(&rig, rig.rx.head - 1) = 0;
	assert_int_equal(nhn_rx_release(&rig.rx), -ESTALE);
	rig_expect_empty(&rig);
	munmap(writable, bytes);
	munmap(readable, bytes);
	close(fd);
}

/* The last byte of what a view names lies in the area. */
static void
expect_inside(const struct nhn_view *view)
{
	size_t bytes = (size_t)nhn_layout_offset(&rig.layout, 1);

	assert_true(view->data >= rig.area);
	assert_true(view->data + view->length <= rig.area + bytes);
	assert_true(view->length <= DATA / 2);
}

static void
hostile_bytes(uint64_t *random)
{
	uint32_t near = rig.rx.head + pattern_below(random, 3);
	uint32_t kind = pattern_below(random, 4) ? NHN_KIND_DESC : pattern_below(random, 256);
	uint32_t *words = (uint32_t *)(void *)nhn_tx_cell(&rig.tx, near);

	words[0] = pattern_below(random, 2) ? rig.rx.data_head + pattern_below(random, 66) * 64
					    : (uint32_t)pattern_random(random);
	words[1] = pattern_below(random, 2) ? pattern_below(random, DATA / 2 + 2)
					    : (uint32_t)pattern_random(random);
	words[15] = commit_word(near, kind, pattern_below(random, 256));
	if (pattern_below(random, 8) == 0)
		words[15] = (uint32_t)pattern_random(random);
	rig.cursor.cells += pattern_below(random, 3) - 1;
	rig.cursor.data += (pattern_below(random, 3) - 1) * 64;
}

static void
test_random_hostile_bytes(void **state)
{
	uint64_t random = 1;
	struct nhn_view views[4];
	uint32_t delivered = 0;
	uint32_t round;
	int i, count;

	(void)state;
	for (round = 0; round < 200000; round++) {
		uint32_t length = pattern_below(&random, DATA / 2 + 1);
		void *body = nhn_tx_reserve(&rig.tx, length);

		if (body != NULL) {
			memset(body, 0xff, length);
			nhn_tx_commit(&rig.tx, body, length);
		}
		hostile_bytes(&random);
		count = nhn_rx_peek(&rig.rx, views, 4);
		for (i = 0; i < count; i++)
			expect_inside(&views[i]);
		delivered += count > 0 ? (uint32_t)count : 0;
		hostile_bytes(&random);
		if (pattern_below(&random, 3) == 0)
			nhn_rx_release(&rig.rx);
		if (rig.rx.fault != NHN_FAULT_NONE) {
			assert_int_equal(rig.rx_attention, 1);
			again();
		}
	}
	assert_true(delivered > 10000);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_oracle_of_the_commit_word),
		TEST(test_bad_kind),
		TEST(test_bad_inline_length),
		TEST(test_inline_length_over_metadata),
		TEST(test_bad_descriptor),
		TEST(test_descriptor_over_held_bytes),
		TEST(test_descriptor_without_data_ring),
		TEST(test_other_tags_are_not_seen),
		TEST(test_rewritten_under_the_reader),
		TEST(test_first_cause_is_kept),
		TEST(test_cursor_lies),
		TEST(test_data_cursor_lies),
		TEST(test_unaligned_data_base),
		TEST(test_reader_only_loads),
		TEST(test_random_hostile_bytes),
	};

	return cmocka_run_group_tests_name("channel_hostile", tests, NULL, NULL);
}
