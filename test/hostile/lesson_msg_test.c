/* SPDX-License-Identifier: BSD-3-Clause */
/* Lies that messages can tell: heads that change from part to part, lengths that no memory
 * has, ends that do not come, flags that nobody knows. */

#include "lesson_msg.h"

static const struct nhn_message_head hundred = {.id = 9, .length = 100, .type = 3, .flags = 1};

/* The first part of a message of 100 bytes, received. */
static void
first_part(void)
{
	buffer_begin(100);
	liar_cell_put(NHN_KIND_MSG, INLINE, &hundred);
	assert_int_equal(receive(), -EAGAIN);
	assert_true(msg_rx()->begun);
}

/* Lies told one by one: as a message's first cell, and as its second. */
static void
expect_refused_first(uint32_t kind, uint32_t length, const struct nhn_message_head *head,
		     enum nhn_fault fault)
{
	buffer_begin(100);
	liar_cell_put(kind, length, head);
	expect_msg_fault(fault);
	expect_honest_message(200);
}

static void
expect_refused_second(uint32_t kind, uint32_t length, const struct nhn_message_head *head,
		      enum nhn_fault fault)
{
	first_part();
	liar_cell_put(kind, length, head);
	expect_msg_fault(fault);
	assert_int_equal(msg_rx()->begun, false);
	expect_honest_message(1500);
}

static void
test_head_changes_between_parts(void **state)
{
	struct nhn_message_head head;
	uint32_t field;

	(void)state;
	for (field = 0; field < 4; field++) {
		head = hundred;
		if (field == 0)
			head.id ^= 1u << 31;
		else if (field == 1)
			head.length = UINT32_MAX;
		else if (field == 2)
			head.type++;
		else
			head.flags = 2;
		expect_refused_second(NHN_KIND_MSG, INLINE, &head, NHN_FAULT_MESSAGE);
		first_part();
		liar_range_put(52, &head);
		expect_msg_fault(NHN_FAULT_MESSAGE);
	}
	head = hundred; /* shrinks below what is there already */
	head.length = INLINE - 1;
	expect_refused_second(NHN_KIND_MSG, INLINE - 1, &head, NHN_FAULT_MESSAGE);
}

/* A whole message in the middle of another, by the short way of a cell, and a pack. */
static void
test_message_within_a_message(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = 8};
	const struct nhn_pack_head pack = {.message_bytes = 8, .messages = 7};

	(void)state;
	expect_refused_second(NHN_KIND_MSG, 8, &head, NHN_FAULT_MESSAGE);
	memcpy((uint8_t *)&head + 8, &pack, sizeof(pack));
	expect_refused_second(NHN_KIND_PACK, 56, &head, NHN_FAULT_MESSAGE);
}

static void
test_parts_longer_than_the_message(void **state)
{
	struct nhn_message_head head = {.length = 47};

	(void)state;
	expect_refused_first(NHN_KIND_MSG, INLINE, &head, NHN_FAULT_MESSAGE);
	for (head.length = INLINE + 1; head.length < 256;
	     head.length += 103) /* head and cell agree */
		expect_refused_first(NHN_KIND_MSG, head.length, &head, NHN_FAULT_LENGTH);
	first_part();
	liar_range_put(53, &hundred); /* 52 are left */
	expect_msg_fault(NHN_FAULT_MESSAGE);
	first_part();
	liar_range_put(2048, &hundred);
	expect_msg_fault(NHN_FAULT_MESSAGE);
	expect_refused_second(NHN_KIND_MSG, 0, &hundred, NHN_FAULT_MESSAGE); /* goes on for ever */
	expect_refused_first(NHN_KIND_MSG, 0, &hundred, NHN_FAULT_MESSAGE);
}

static void
test_flags_that_nobody_knows(void **state)
{
	uint32_t bit;

	(void)state;
	for (bit = 3; bit < 16; bit++) {
		struct nhn_message_head head = {.length = 4, .flags = (uint16_t)(1u << bit)};

		expect_refused_first(NHN_KIND_MSG, 4, &head, NHN_FAULT_MESSAGE);
		buffer_begin(100);
		head.length = 100;
		liar_range_put(100, &head);
		expect_msg_fault(NHN_FAULT_MESSAGE);
	}
}

static void
test_aborted_where_it_must_not_be(void **state)
{
	struct nhn_message_head head = hundred;
	uint32_t bit;

	(void)state;
	head.flags |= NHN_MESSAGE_ABORTED;
	expect_refused_first(NHN_KIND_MSG, 0, &head, NHN_FAULT_MESSAGE); /* nothing begun */
	expect_refused_second(NHN_KIND_MSG, 1, &head, NHN_FAULT_MESSAGE);
	first_part();
	liar_range_put(52, &head); /* as the last part */
	expect_msg_fault(NHN_FAULT_MESSAGE);
	head.id++;
	expect_refused_second(NHN_KIND_MSG, 0, &head, NHN_FAULT_MESSAGE); /* of another */
	for (bit = 4; bit < 16; bit++) {
		head = hundred;
		head.flags |= (uint16_t)(NHN_MESSAGE_ABORTED | 1u << bit);
		expect_refused_second(NHN_KIND_MSG, 0, &head, NHN_FAULT_MESSAGE);
	}
	/* where it may be: told, and all goes on */
	first_part();
	head = hundred;
	head.flags |= NHN_MESSAGE_ABORTED;
	liar_cell_put(NHN_KIND_MSG, 0, &head);
	assert_int_equal(receive(), -ECANCELED);
	liar_cell_put(NHN_KIND_MSG, 0, &head); /* twice: nothing is begun any more */
	expect_msg_fault(NHN_FAULT_MESSAGE);
}

static void
test_kinds_of_cells(void **state)
{
	uint32_t kind;

	(void)state;
	for (kind = 0; kind < 256; kind += kind < 8 ? 1 : 31) {
		if (kind >= NHN_KIND_MSG && kind <= NHN_KIND_DESC)
			continue;
		expect_refused_first(kind, 8, &hundred, NHN_FAULT_KIND);
	}
}

/* What a pack says of itself, against the length of its cell. */
static void
test_packs(void **state)
{
	static const struct {
		uint8_t bytes, messages, length;
	} packs[] = {
		{0, 0, 0},   {0, 5, 0},	  {5, 0, 0},   {8, 7, 55},    {8, 7, 57},  {8, 8, 64},
		{57, 1, 57}, {1, 57, 57}, {16, 16, 0}, {255, 255, 1}, {128, 2, 0}, {255, 1, 255},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(packs) / sizeof(packs[0]); i++) {
		struct nhn_message_head head = {0};
		const struct nhn_pack_head pack = {
			.type = 1, .message_bytes = packs[i].bytes, .messages = packs[i].messages};

		memcpy((uint8_t *)&head + 8, &pack, sizeof(pack));
		expect_refused_first(NHN_KIND_PACK, packs[i].length, &head, NHN_FAULT_MESSAGE);
	}
}

/* ---- long, longer, without end ---- */

/* A length of 4 GiB - 1: no memory is reserved for it, nothing is written for it. */
static void
test_length_of_four_gib(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = UINT32_MAX};
	struct nhn_message_head front;
	uint32_t i;

	(void)state;
	buffer_begin(64);
	guarded_end(&guarded); /* not a byte */
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	for (i = 0; i < 3; i++) {
		assert_int_equal(receive(), -EMSGSIZE);
		assert_int_equal(buffer.head.length, UINT32_MAX);
		assert_int_equal(msg_front(hostile, msg_rx(), &front), 0);
	}
	msg_skip(hostile, msg_rx());
	for (i = 0; i < 1000; i++) { /* skipped as it comes, a part a call */
		assert_int_equal(receive(), -EAGAIN);
		liar_cell_put(NHN_KIND_MSG, 1 + i % INLINE, &head);
	}
	assert_int_equal(lesson.victim.link.rx[0].fault, NHN_FAULT_NONE);
	/* the peer has its ring back all the while, and dies in the middle */
	liar_restart();
	assert_true(msg_come_up());
	assert_false(msg_rx()->begun || msg_rx()->skipping);
	assert_int_equal(msg_rx()->lost, 1);
	expect_honest_message(100);
}

/* The bytes that 32 bits count: 2^32 - 2 are said to be there, then 2 more come. */
static void
test_counter_of_bytes_wraps(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = UINT32_MAX};

	(void)state;
	buffer_begin(64);
	guarded_end(&guarded);
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	assert_int_equal(receive(), -EMSGSIZE);
	msg_skip(hostile, msg_rx());
	assert_int_equal(receive(), -EAGAIN);
	msg_rx()->peeked = UINT32_MAX - 1; /* as if they had come */
	liar_cell_put(NHN_KIND_MSG, 2, &head);
	expect_msg_fault(NHN_FAULT_MESSAGE);
}

/* ---- double fetches ---- */

static void
turn_head_bad(struct hostile *h)
{
	struct nhn_message_head bad = {.id = 77, .length = UINT32_MAX, .flags = 0xffff};

	if (h->copies >= 2)
		memcpy((uint8_t *)liar_cell(0) + INLINE, &bad, sizeof(bad));
	if (h->loads >= 2)
		set_kind(0, NHN_KIND_MSG, 255);
}

static void
test_head_changes_after_the_check(void **state)
{
	struct nhn_message_head head = {.id = 4, .length = 40, .type = 2};
	struct nhn_msg_piece piece;

	(void)state;
	liar_cell_put(NHN_KIND_MSG, 40, &head);
	hostile->script = turn_head_bad;
	assert_int_equal(msg_peek(hostile, msg_rx(), &piece, 1), 1);
	hostile->script = NULL;
	turn_head_bad(&(struct hostile){.copies = 2, .loads = 2});
	assert_memory_equal(&piece.head, &head, sizeof(head));
	assert_int_equal(piece.length, 40);
	assert_int_equal(msg_release(hostile, msg_rx()), 0);
}

/* Between two steps of receiving head, length and bytes change: the copy holds. */
static void
test_cell_changes_between_steps(void **state)
{
	struct nhn_message_head head = {.id = 4, .length = 2000};
	uint32_t steps = 0;
	int ret;

	(void)state;
	buffer_begin(2000);
	liar_range_put(2000, &head);
	hostile->script = turn_head_bad;
	for (;;) {
		ret = msg_receive(hostile, msg_rx(), &buffer);
		turn_head_bad(&(struct hostile){.copies = 2});
		liar_cell(0)[0] += 64;
		liar_cell(0)[1] = UINT32_MAX;
		if (ret != -EINPROGRESS)
			break;
		steps++;
	}
	hostile->script = NULL;
	assert_int_equal(ret, 0);
	assert_int_equal(steps, 1);
	assert_int_equal(buffer.head.length, 2000);
	assert_true(guarded_whole(&guarded));
}

static void
turn_cell_old(struct hostile *h)
{
	if (h->copies == 2 && h->loads == 1)
		*liar_word(0) ^= 1u << 16;
}

/* Rewritten while it was copied: what was copied is no message, whole as it looks. */
static void
test_overrun_while_received(void **state)
{
	struct nhn_message_head head = {.id = 4, .length = 40};

	(void)state;
	buffer_begin(40);
	liar_cell_put(NHN_KIND_MSG, 40, &head);
	hostile->script = turn_cell_old;
	assert_int_equal(receive(), -EAGAIN);
	hostile->script = NULL;
	expect_msg_fault(NHN_FAULT_OVERRUN);
	expect_honest_message(40);
}

/* The victim is in the middle of a message of its own as it finds the peer a liar. */
static void
test_link_breaks_within_the_own_message(void **state)
{
	static const uint8_t bytes[20000];
	struct nhn_message_head head = {.length = sizeof(bytes)};
	struct nhn_msg_tx *tx = &endpoint.tx[0];

	(void)state;
	buffer_begin(100);
	assert_int_equal(msg_send(hostile, tx, &head, bytes), -EINPROGRESS);
	head.flags = 0x100;
	liar_cell_put(NHN_KIND_MSG, 1, &head);
	assert_int_equal(receive(), -EAGAIN);
	victim_control_turn();
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_BROKEN);
	assert_false(nhn_msg_busy(tx)); /* at once, not only when the link is revived */
	assert_int_equal(tx->result, -ECONNRESET);
	assert_int_equal(tx->lost, 1);
	head.flags = 0;
	head.length = 1;
	assert_int_equal(msg_send(hostile, tx, &head, bytes), -ENOTCONN);
	honest_successor();
	assert_int_equal(msg_send(hostile, tx, &head, bytes), 0);
}

/* ---- exact figures ---- */

static void
test_loads_are_exact(void **state)
{
	struct nhn_message_head head = {.id = 4, .length = 40};
	struct nhn_msg_piece pieces[4];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		liar_cell_put(NHN_KIND_MSG, 40, &head);
	assert_int_equal(msg_peek(hostile, msg_rx(), pieces, 4), 3);
	assert_int_equal(hostile->loads, 4);
	assert_int_equal(hostile->copies, 3);
	assert_int_equal(msg_release(hostile, msg_rx()), 0);
	head.length = 2000;
	liar_range_put(2000, &head);
	buffer_begin(2000);
	assert_int_equal(msg_receive(hostile, msg_rx(), &buffer), -EINPROGRESS);
	assert_int_equal(hostile->loads, 1);	    /* its commit word */
	assert_in_range(hostile->copies, 3, 2 + 3); /* head, descriptor, bytes by parts */
	assert_int_equal(msg_receive(hostile, msg_rx(), &buffer), 0);
	assert_int_equal(hostile->loads, 1); /* the second look */
	assert_in_range(hostile->copies, 1, 3);
	assert_int_equal(msg_receive(hostile, msg_rx(), &buffer), -EAGAIN);
	assert_int_equal(hostile->loads, 1);
	assert_int_equal(hostile->copies, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, msg_setup, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_head_changes_between_parts),
		TEST(test_message_within_a_message),
		TEST(test_parts_longer_than_the_message),
		TEST(test_flags_that_nobody_knows),
		TEST(test_aborted_where_it_must_not_be),
		TEST(test_kinds_of_cells),
		TEST(test_packs),
		TEST(test_length_of_four_gib),
		TEST(test_counter_of_bytes_wraps),
		TEST(test_head_changes_after_the_check),
		TEST(test_cell_changes_between_steps),
		TEST(test_overrun_while_received),
		TEST(test_link_breaks_within_the_own_message),
		TEST(test_loads_are_exact),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_msg", tests, NULL, NULL);
}
