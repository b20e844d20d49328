/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a writer of messages loads of its peer's memory while the peer moves its cursors before
 * each load: never more than the bounds of victim_msg.c, and as much. All ways are tried.
 *
 * Two foreign words matter to a writer, the reader's cursors: C of cells, D of data. A send looks
 * at them in five places, in this order and once in each, as it commits the end of one message
 * given up and one fragment:
 *
 *     1. C       a cell to tell of the message given up, where the ring seems full
 *     2. C, D    the watermarks, where that cell raises them
 *     3. C       a cell for the fragment, where the ring seems full
 *     4. D       bytes of the data ring, where too few seem free
 *     5. C, D    the watermarks, where the fragment's cell or its bytes raise them
 *
 * So 7: 3 to tell (ABORT_LOADS), 4 for the fragment (STEP_LOADS). In 5 not both raise them, for
 * either look raises both marks to all that is in use. 7 is reached where the watermarks are read,
 * and so set back, after a message was given up in a full ring: 1 finds one cell; 2, as that is
 * used, finds the ring full; 3 finds one cell, 4 just the bytes; these raise the data's mark.
 *
 * n cells of packs have 3 for each and for one more in vain, no 4, and 5 once. What is told first
 * adds a cell and 3, of which one is missing: where 2 left a cell free, it needs no 3; where it
 * did not, the mark is the whole ring, and there is no 5.
 *
 * A relay that gives up a message itself may look for the cell of 1 twice, the first time in
 * vain, and looks at two commit words of its reader. A pack of 128-byte cells goes as 4 at most.
 */

#include <inttypes.h>

#include "lesson_msg.h"

#define LOADS_MAX 16u
#define ALL UINT32_MAX

/* How far ahead of where it was told last the peer may move its cursors. */
static const struct way {
	uint32_t cells, data;
} ways[] = {
	{0, 0}, {1, 512}, {ALL, ALL}, {MSG_CELLS + 1, 1}, /* a lie */
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static uint32_t chosen[LOADS_MAX]; /* before each load of the call: one of the ways */
static uint8_t bytes[20000];

/* All that a call changes and that a call heeds. */
static struct sender {
	struct nhn_msg_tx msg;
	struct nhn_tx tx;
	struct nhn_msg_rx msg_rx;
	struct nhn_rx rx;
	struct nhn_tx liar;
	struct nhn_cursor cursor, own_cursor;
} clean, begun;

static struct nhn_msg_tx *
msg_tx(void)
{
	return &endpoint.tx[0];
}

static void
keep(struct sender *sender)
{
	*sender = (struct sender){.msg = *msg_tx(),
				  .tx = *victim_tx(),
				  .msg_rx = *msg_rx(),
				  .rx = *victim_rx(),
				  .liar = *liar_tx(),
				  .cursor = liar_words()->cursor[0],
				  .own_cursor = own_words()->cursor[0]};
}

static void
put_back(const struct sender *sender)
{
	*msg_tx() = sender->msg;
	*victim_tx() = sender->tx;
	*msg_rx() = sender->msg_rx;
	*victim_rx() = sender->rx;
	*liar_tx() = sender->liar;
	liar_words()->cursor[0] = sender->cursor;
	own_words()->cursor[0] = sender->own_cursor;
}

static void
move_cursors(const struct way *way)
{
	struct nhn_cursor *cursor = &liar_words()->cursor[0];
	const struct nhn_tx *tx = victim_tx();

	cursor->cells = way->cells == ALL ? tx->tail : tx->limit - tx->cell_count + way->cells;
	cursor->data =
		way->data == ALL ? tx->data_tail : tx->data_limit - tx->data_bytes + way->data;
}

static void
before_load(struct hostile *h)
{
	assert_in_range(h->loads, 1, LOADS_MAX);
	move_cursors(&ways[chosen[h->loads - 1]]);
}

/* The last load that has a way left takes that, and those behind it begin again. */
static bool
choose_next(uint64_t loads)
{
	for (; loads > 0; loads--) {
		if (++chosen[loads - 1] < WAYS)
			return true;
		chosen[loads - 1] = 0;
	}
	return false;
}

static void
try_all(void (*call)(uint32_t size), uint32_t size)
{
	keep(&begun);
	do {
		put_back(&begun);
		hostile->script = before_load;
		call(size);
		hostile->script = NULL;
	} while (choose_next(hostile->loads));
	put_back(&begun);
}

/* ---- what stands in the ring as the call begins ---- */

static void
send(uint32_t length)
{
	struct nhn_message_head head = {.length = length};
	int ret = nhn_msg_send(msg_tx(), &head, bytes);

	while (ret == -EINPROGRESS)
		ret = nhn_msg_send_step(msg_tx());
}

/* From each such ring: one that was just looked at, and one whose marks were read while the
 * peer had moved its cursors in each of the ways. */
static void
from_each_look(void (*call)(uint32_t size), const uint32_t *sizes, uint32_t count)
{
	struct sender filled;
	uint32_t look, i;

	keep(&filled);
	for (look = 0; look <= WAYS; look++) {
		if (look < WAYS) {
			move_cursors(&ways[look]);
			nhn_msg_watermarks(msg_tx());
		}
		for (i = 0; i < count; i++)
			try_all(call, sizes[i]);
		put_back(&filled);
	}
}

/* Messages of the data ring, short ones, and then what @p end does. */
static void
from_each_ring(void (*end)(void), void (*call)(uint32_t size), const uint32_t *sizes,
	       uint32_t count)
{
	uint32_t described, all, i;

	keep(&clean);
	for (described = 0; described <= LESSON_DATA / 512; described++) {
		for (all = described; all <= MSG_CELLS; all++) {
			for (i = 0; i < all; i++)
				send(i < described ? 500 : 8);
			end();
			from_each_look(call, sizes, count);
			put_back(&clean);
		}
	}
}

static void
nothing_begun(void)
{
}

static void
long_one_begun(void)
{
	send(sizeof(bytes));
}

static void
long_one_given_up(void)
{
	send(sizeof(bytes));
	nhn_msg_cancel(msg_tx());
}

/* What was relayed of a message was skipped: the next one, which waits, makes the relay tell. */
static void
relayed_one_skipped(void)
{
	struct nhn_message_head head = {.length = 2000};

	liar_range_put(1000, &head);
	while (nhn_msg_relay(msg_rx(), msg_tx(), 1) == -EINPROGRESS)
		;
	nhn_msg_skip(msg_rx());
	liar_range_put(1000, &head);
	while (msg_rx()->skipping)
		nhn_msg_relay(msg_rx(), msg_tx(), 1);
}

static void
skipped_and_message(void)
{
	struct nhn_message_head head = {.length = 1000};

	relayed_one_skipped();
	liar_range_put(1000, &head);
}

static void
skipped_and_pack(void)
{
	struct nhn_message_head head = {0};
	const struct nhn_pack_head pack = {.message_bytes = 8, .messages = 7};

	relayed_one_skipped();
	memcpy((uint8_t *)&head + sizeof(head) - sizeof(pack), &pack, sizeof(pack));
	liar_cell_put(NHN_KIND_PACK, 56, &head);
}

/* ---- calls ---- */

static void
call_send(uint32_t length)
{
	struct nhn_message_head head = {.length = length};

	msg_send(hostile, msg_tx(), &head, bytes);
}

static void
call_step(uint32_t size)
{
	(void)size;
	msg_send_step(hostile, msg_tx());
}

static void
call_packed(uint32_t count)
{
	msg_send_packed(hostile, msg_tx(), 8, count);
}

static void
call_relay(uint32_t size)
{
	(void)size;
	msg_relay(hostile, msg_rx(), msg_tx(), 2);
}

/* Of the calls since; the bound is kept, or msg_send() and the like had failed. */
static void
expect_most(enum msg_call call, uint64_t loads)
{
	print_message("%s: %" PRIu64 " calls\n", msg_calls[call].name, msg_calls[call].calls);
	assert_int_equal(msg_calls[call].most_loads, loads);
	msg_calls[call].calls = 0;
	msg_calls[call].most_loads = 0;
}

static void
test_loads_of_a_step(void **state)
{
	static const uint32_t once[] = {0};

	(void)state;
	from_each_ring(long_one_begun, call_step, once, 1);
	expect_most(MSG_SEND_STEP, 4);
	from_each_ring(long_one_given_up, call_step, once, 1);
	expect_most(MSG_SEND_STEP, 3);
}

static void
test_loads_of_a_send(void **state)
{
	static const uint32_t lengths[] = {0, INLINE, INLINE + 1, 500, 1024, 5000};

	(void)state;
	from_each_ring(nothing_begun, call_send, lengths, 6);
	expect_most(MSG_SEND, 4);
	from_each_ring(long_one_given_up, call_send, lengths, 6);
	expect_most(MSG_SEND, 7);
}

static void
test_loads_of_packs(void **state)
{
	static const uint32_t counts[] = {1, 8, 15};

	(void)state;
	from_each_ring(nothing_begun, call_packed, counts, 3);
	expect_most(MSG_SEND_PACKED, 5);
	from_each_ring(long_one_given_up, call_packed, counts, 3);
	expect_most(MSG_SEND_PACKED, 7);
	assert_int_equal(msg_calls[MSG_SEND_PACKED].least_slack, 0);
}

static void
test_loads_of_a_relay(void **state)
{
	static const uint32_t once[] = {0};

	(void)state;
	from_each_ring(skipped_and_message, call_relay, once, 1);
	expect_most(MSG_RELAY, 10);
	from_each_ring(skipped_and_pack, call_relay, once, 1);
	expect_most(MSG_RELAY, 8);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, msg_setup, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_loads_of_a_step),
		TEST(test_loads_of_a_send),
		TEST(test_loads_of_packs),
		TEST(test_loads_of_a_relay),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_loads", tests, NULL, NULL);
}
