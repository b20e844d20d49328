/* SPDX-License-Identifier: BSD-3-Clause */
/* A relay between a liar and an honest receiver on another link: whatever the liar does,
 * the receiver gets whole messages of the relay's, and is told of each that has no end. */

#include "lesson_msg.h"

#define OTHER_BYTES (64u << 10)

/* The relay's own end of the second link, and the receiver's. */
static struct nhn_link relay_link, receiver_link;
static struct nhn_msg_tx to;
static struct nhn_msg_rx receiver;
static uint8_t other_memory[2 * OTHER_BYTES] __attribute__((aligned(4096)));
static uint64_t other_ns;

static void
receiver_begin(void)
{
	struct nhn_link_config config = {.use = NHN_USE_MSG};
	struct nhn_refusal refusal;

	nhn_link_joint(&config, NHN_ROLE_GUEST, other_memory, sizeof(other_memory));
	assert_int_equal(nhn_link_init(&receiver_link, &config, &refusal), 0);
	nhn_msg_rx_init(&receiver, &receiver_link, 0);
}

static void
other_come_up(void)
{
	struct nhn_view view;
	uint32_t turn;

	for (turn = 0; turn < 12; turn++) {
		other_ns += 1000000;
		nhn_link_control(&relay_link, other_ns);
		nhn_link_control(&receiver_link, other_ns);
		/* Each is to be told of the other's restart. */
		nhn_rx_peek(nhn_link_rx(&relay_link, 0), &view, 1);
		if (receiver_link.rx[0].stale)
			nhn_msg_receive(&receiver, &buffer);
	}
	assert_int_equal(nhn_link_state(&relay_link), NHN_LINK_UP);
	assert_int_equal(nhn_link_state(&receiver_link), NHN_LINK_UP);
}

static void
other_up(uint32_t data_bytes)
{
	struct nhn_link_config config = {.use = NHN_USE_MSG, .random = 9};
	struct nhn_refusal refusal;

	memset(other_memory, 0, sizeof(other_memory));
	nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, MSG_CELLS, data_bytes);
	nhn_link_joint(&config, NHN_ROLE_HOST, other_memory, sizeof(other_memory));
	assert_int_equal(nhn_link_init(&relay_link, &config, &refusal), 0);
	nhn_msg_tx_init(&to, &relay_link, 0);
	receiver_begin();
	other_come_up();
}

static int
setup(void **state)
{
	msg_setup(state);
	other_up(4096);
	return 0;
}

static int
relay_step(void)
{
	return msg_relay(hostile, msg_rx(), &to, 77);
}

/* Steps until there is another answer; the receiver reads meanwhile. */
static int
relay(void)
{
	int ret;

	do
		ret = relay_step();
	while (ret == -EINPROGRESS);
	return ret;
}

/* What the receiver is told next. */
static int
receiver_next(void)
{
	int ret;

	do
		ret = nhn_msg_receive(&receiver, &buffer);
	while (ret == -EINPROGRESS);
	assert_true(guarded_whole(&guarded));
	return ret;
}

static void
expect_relayed(uint32_t length)
{
	static uint8_t bytes[GUARDED_BYTES];
	struct nhn_message_head head = {.id = 5, .length = length, .type = 6};
	uint32_t turns;
	int ret;

	pattern_fill(bytes, length, 3, length);
	buffer_begin(length);
	ret = nhn_msg_send(&liar_msg_tx, &head, bytes);
	for (turns = 0; turns < 1000; turns++) {
		if (nhn_msg_busy(&liar_msg_tx))
			nhn_msg_send_step(&liar_msg_tx);
		relay_step();
		if (!nhn_msg_busy(&to) && !nhn_msg_ready(msg_rx()) && !nhn_msg_busy(&liar_msg_tx))
			break;
	}
	assert_true(ret == 0 || ret == -EINPROGRESS);
	assert_int_equal(receiver_next(), 0);
	assert_int_equal(buffer.head.id, 77);
	assert_int_equal(buffer.head.length, length);
	assert_true(guarded_matches(&guarded, length, 3, length));
}

static const struct nhn_message_head hundred = {.id = 9, .length = 100, .type = 3, .flags = 1};

/* The liar's link after a fault, and its honest successor; the relay goes on. */
static void
successor(void)
{
	victim_control_turn();
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_BROKEN);
	honest_successor();
}

static void
test_honest_messages(void **state)
{
	uint32_t length;

	(void)state;
	for (length = 0; length < 3000; length += length / 4 + 1)
		expect_relayed(length);
}

/* The second part is of no message: the first is ended, and joined to nothing. */
static void
test_liar_within_a_message(void **state)
{
	struct nhn_message_head head;
	uint32_t lie;

	(void)state;
	for (lie = 0; lie < 5; lie++) {
		buffer_begin(200);
		liar_cell_put(NHN_KIND_MSG, INLINE, &hundred);
		assert_int_equal(relay(), -EAGAIN);
		head = hundred;
		head.id += lie == 0;
		head.length -= lie == 1;
		head.flags |= lie == 2 ? 0x100 : 0;
		liar_cell_put(lie == 3 ? NHN_KIND_PACK : NHN_KIND_MSG, lie == 4 ? 0 : INLINE,
			      &head);
		assert_int_equal(relay(), -EAGAIN);
		victim_control_turn();
		assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_BROKEN);
		victim_control_turn(); /* revived, and to be told of it */
		assert_int_equal(relay(), -ESTALE);
		assert_int_equal(receiver_next(), -ECANCELED);
		honest_successor();
		expect_relayed(200);
	}
}

static void
test_liar_without_an_end(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = UINT32_MAX};
	uint32_t i;

	(void)state;
	buffer_begin(200);
	for (i = 0; i < 100; i++) {
		liar_cell_put(NHN_KIND_MSG, INLINE, &head);
		assert_int_equal(relay(), -EAGAIN);
		assert_int_equal(receiver_next(), i == 0 ? -EMSGSIZE : -EAGAIN);
		nhn_msg_skip(&receiver);
	}
	nhn_msg_relay_cancel(msg_rx(), &to); /* as told: no honest one is that long */
	assert_false(nhn_msg_busy(&to));
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	assert_int_equal(relay(), -EAGAIN); /* dropped */
	liar_restart();
	assert_true(msg_come_up());
	while (receiver_next() != -EAGAIN || receiver.skipping)
		continue;
	assert_int_equal(receiver.aborted, 1);
	expect_relayed(100);
}

static void
test_sender_gives_up(void **state)
{
	struct nhn_message_head head = hundred;

	(void)state;
	buffer_begin(200);
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	assert_int_equal(relay(), -EAGAIN);
	head.flags |= NHN_MESSAGE_ABORTED;
	liar_cell_put(NHN_KIND_MSG, 0, &head);
	assert_int_equal(relay(), -ECANCELED);
	assert_int_equal(receiver_next(), -ECANCELED);
	expect_relayed(100);
}

/* Given up where there is no room to say so: what comes next is not joined to it. */
static void
test_given_up_without_room(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = 10000};
	struct nhn_message_head next = {.id = 2, .length = 10};
	uint32_t i;

	(void)state;
	for (i = 0; i < MSG_CELLS + 1; i++) {
		liar_cell_put(NHN_KIND_MSG, INLINE, &head);
		assert_int_equal(relay(), -EAGAIN);
	}
	nhn_msg_relay_cancel(msg_rx(), &to);
	head.flags = NHN_MESSAGE_ABORTED;
	liar_cell_put(NHN_KIND_MSG, 0, &head);
	liar_cell_put(NHN_KIND_MSG, 10, &next);
	for (i = 0; i < 10; i++)
		assert_int_equal(relay_step(), -EAGAIN);
	guarded_init(&guarded, 3000, 1);
	nhn_msg_buffer_init(&buffer, guarded.vector, GUARDED_PARTS);
	assert_int_equal(receiver_next(), -EMSGSIZE);
	nhn_msg_skip(&receiver);
	for (i = 0; i < 100 && receiver_next() != 0; i++)
		relay_step();
	assert_int_equal(buffer.head.length, 10);
	assert_int_equal(receiver.skipped, 1);
	expect_relayed(100);
}

static void
turn_cell_old(struct hostile *h)
{
	if (h->copies == 2) /* its head, and now its bytes */
		*liar_word(0) &= ~(1u << 31);
}

/* Rewritten as it was copied: it never gets its end. */
static void
test_overrun_while_relayed(void **state)
{
	struct nhn_message_head head = {.length = 40};

	(void)state;
	buffer_begin(200);
	liar_cell_put(NHN_KIND_MSG, 40, &head);
	hostile->script = turn_cell_old;
	assert_int_equal(relay(), -EAGAIN);
	hostile->script = NULL;
	assert_int_equal(lesson.victim.link.rx[0].fault, NHN_FAULT_OVERRUN);
	assert_int_equal(receiver_next(), -EAGAIN);
	successor();
	expect_relayed(40);
}

static void
test_receiver_restarts_within_a_message(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = 3 * INLINE};

	(void)state;
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	assert_int_equal(relay(), -EAGAIN);
	receiver_begin();
	other_come_up();
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	assert_int_equal(relay(), -ECONNRESET);
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	assert_int_equal(relay(), -EAGAIN);
	expect_relayed(1000);
}

/* ---- packs of cells that are longer than the receiver's ---- */

static void
pack_put(uint32_t each, uint32_t count)
{
	struct nhn_tx *tx = liar_tx();
	uint8_t *cell = nhn_tx_reserve(tx, 0);
	const struct nhn_pack_head pack = {
		.type = 4, .message_bytes = (uint8_t)each, .messages = (uint8_t)count};
	uint32_t i;

	assert_non_null(cell);
	for (i = 0; i < count; i++)
		pattern_fill(cell + i * each, each, 5, i);
	memcpy(cell + nhn_msg_pack_bytes(tx->inline_bytes), &pack, sizeof(pack));
	nhn_tx_publish(tx, cell, NHN_KIND_PACK << 8 | each * count);
}

static void
expect_packed(uint32_t each, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t turns;

		buffer_begin(200);
		for (turns = 0; turns < 10; turns++)
			relay_step();
		assert_int_equal(receiver_next(), 0);
		assert_int_equal(buffer.head.length, each);
		assert_true(guarded_matches(&guarded, each, 5, i));
	}
	buffer_begin(200);
	assert_int_equal(receiver_next(), -EAGAIN);
	assert_false(nhn_rx_holds(&lesson.victim.link.rx[0]));
}

static int
wide_setup(void **state)
{
	(void)state;
	clients = 0;
	lesson_open(NHN_ROLE_HOST, NHN_USE_MSG, 1, MSG_CELLS);
	lesson.victim.config.layout.entry[0].cell_bytes = 128;
	lesson.victim.config.layout.entry[0].data_bytes = 0;
	lesson.victim.hostile.offers[0] = lesson.victim.config.layout;
	link_victim_begin(&lesson.victim);
	nhn_endpoint_init(&endpoint, &lesson.victim.link, lesson_now, NULL);
	liar_msg_begin();
	assert_true(msg_come_up());
	return 0;
}

static void
test_pack_wider_than_the_receivers_cells(void **state)
{
	static const uint32_t data[] = {4096, 0};
	uint32_t i, each;

	(void)state;
	for (i = 0; i < 2; i++) {
		other_up(data[i]);
		for (each = 8; each <= NHN_PACK_MESSAGE_BYTES_MAX; each += 12) {
			pack_put(each, 120 / each);
			expect_packed(each, 120 / each);
		}
	}
}

/* Of a wide cell no message is packed that a narrow one has no room for: it would stay. */
static void
test_packed_message_too_wide(void **state)
{
	uint32_t each;

	(void)state;
	for (each = NHN_PACK_MESSAGE_BYTES_MAX + 1; each <= 120; each += 9) {
		other_up(4096);
		pack_put(each, 120 / each);
		assert_int_equal(relay(), -EAGAIN);
		assert_int_equal(lesson.victim.link.rx[0].fault, NHN_FAULT_MESSAGE);
		buffer_begin(200);
		assert_int_equal(receiver_next(), -EAGAIN);
		successor();
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, lesson_teardown)
#define WIDE(f) cmocka_unit_test_setup_teardown(f, wide_setup, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_honest_messages),
		TEST(test_liar_within_a_message),
		TEST(test_liar_without_an_end),
		TEST(test_sender_gives_up),
		TEST(test_given_up_without_room),
		TEST(test_overrun_while_relayed),
		TEST(test_receiver_restarts_within_a_message),
		WIDE(test_pack_wider_than_the_receivers_cells),
		WIDE(test_packed_message_too_wide),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_relay", tests, NULL, NULL);
}
