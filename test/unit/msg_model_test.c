/* SPDX-License-Identifier: BSD-3-Clause */
/* Random calls of a writer and a reader, and restarts of both, against a list of what must come. */

#include "msg_rig.h"

#define LIST 4096u
#define LONGEST 12000u

enum fate {
	OPEN,	  /* being sent */
	WHOLE,	  /* sent */
	ABORTED,  /* given up after a part was sent */
	LOST,	  /* the writer died after a part was sent */
	BOUNDARY, /* -ESTALE */
};

struct entry {
	struct nhn_message_head head;
	uint32_t number;
	enum fate fate;
};

enum mode {
	IDLE,
	RECEIVING,
	SKIPPING,
	PEEKING,
};

static struct {
	struct entry list[LIST];
	uint32_t first, end;
	uint64_t random;
	uint32_t number; /* of messages sent */
	/* reader */
	enum mode mode;
	uint32_t offset; /* PEEKING: bytes of the first entry seen */
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t delivered, lost, aborted, skipped, restarts;
} model;

static uint32_t
any(uint32_t limit)
{
	return pattern_below(&model.random, limit);
}

static void
push(const struct nhn_message_head *head, uint32_t number, enum fate fate)
{
	struct entry *entry = &model.list[model.end++ % LIST];

	assert_true(model.end - model.first <= LIST);
	memset(entry, 0, sizeof(*entry));
	if (head != NULL)
		entry->head = *head;
	entry->number = number;
	entry->fate = fate;
}

static struct entry *
front(void)
{
	assert_true(model.first != model.end);
	return &model.list[model.first % LIST];
}

static struct entry *
last(void)
{
	return &model.list[(model.end - 1) % LIST];
}

static void
pop(void)
{
	model.first++;
	model.mode = IDLE;
	model.offset = 0;
}

static void
expect_front(const struct nhn_message_head *head)
{
	assert_memory_equal(head, &front()->head, sizeof(*head));
}

/* ---- writer ---- */

static void
sending_ended(int ret)
{
	if (ret == 0)
		last()->fate = WHOLE;
	else
		assert_true(ret == -EINPROGRESS || ret == -EAGAIN);
}

static void
send_one(void)
{
	uint32_t length = pattern_length(6, model.number, LONGEST);
	struct nhn_message_head head = message_head(model.number, length);
	uint8_t *body = NULL;
	int ret;

	if (out_tx()->sending == NHN_MSG_SENDING) {
		ret = nhn_msg_send(out_tx(), &head, rig.in);
		assert_true(ret == -EAGAIN || ret == -ENOTCONN);
		return;
	}
	if (any(2) && length <= RIG_DATA / 2)
		body = nhn_msg_reserve(out_tx(), length);
	if (body != NULL) {
		pattern_fill(body, length, 1, model.number);
		nhn_msg_commit(out_tx(), &head, body);
		push(&head, model.number++, WHOLE);
		return;
	}
	ret = message_send(out_tx(), model.number, length);
	if (ret == -EAGAIN || ret == -ENOTCONN)
		return;
	push(&head, model.number++, OPEN);
	sending_ended(ret);
}

static void
send_pack(void)
{
	uint32_t bytes = 1 + any(out_tx()->tx->inline_bytes + 8);
	uint32_t count = any(30);
	struct nhn_message_head head = {0, bytes, (uint16_t)model.number, 0};
	static uint8_t run[30 * 128];
	uint32_t i;

	for (i = 0; i < count; i++)
		pattern_fill(run + (size_t)i * bytes, bytes, 1, model.number + i);
	count = nhn_msg_send_packed(out_tx(), head.type, run, bytes, count);
	for (i = 0; i < count; i++)
		push(&head, model.number++, WHOLE);
}

static void
go_on(void)
{
	bool sending = out_tx()->sending == NHN_MSG_SENDING;
	int ret = nhn_msg_send_step(out_tx());

	if (sending)
		sending_ended(ret);
	else
		assert_true(ret == 0 || ret == -EAGAIN);
}

/* What was begun comes to nothing, or the reader hears of it. */
static void
give_up(enum fate fate)
{
	if (out_tx()->sending != NHN_MSG_SENDING)
		return;
	if (out_tx()->sent == 0)
		model.end--;
	else
		last()->fate = fate;
}

static void
cancel(void)
{
	give_up(ABORTED);
	nhn_msg_cancel(out_tx());
}

/* ---- reader ---- */

static void
ended_stale(void)
{
	if (front()->fate == LOST) {
		model.lost++;
		pop();
	}
	assert_int_equal(front()->fate, BOUNDARY);
	pop();
}

static void
ended_aborted(void)
{
	assert_int_equal(front()->fate, ABORTED);
	model.aborted++;
	pop();
}

static void
ended_whole(void)
{
	assert_int_equal(front()->fate, WHOLE);
	model.delivered++;
	pop();
}

static void
ended_skipped(void)
{
	model.skipped++;
	assert_int_equal(in_rx()->skipped, model.skipped);
	if (front()->fate == ABORTED)
		ended_aborted();
	else
		ended_whole();
}

static void
skip_front(void)
{
	model.mode = SKIPPING;
	nhn_msg_skip(in_rx());
	if (in_rx()->skipped != model.skipped) /* one of a pack */
		ended_skipped();
}

static void
receive_answer(int ret)
{
	if (ret == -ESTALE) {
		ended_stale();
	} else if (ret == -ECANCELED) {
		ended_aborted();
	} else if (ret == -EMSGSIZE) {
		expect_front(&model.buffer.head);
		assert_true(model.vector.iov_len < front()->head.length);
		if (any(2))
			skip_front();
	} else if (ret == -EINPROGRESS) {
		expect_front(&model.buffer.head);
		model.mode = RECEIVING;
	} else if (ret == 0) {
		expect_front(&model.buffer.head);
		assert_true(pattern_matches(rig.in, front()->head.length, 1, front()->number));
		assert_int_equal(rig.in[front()->head.length], 0xee);
		ended_whole();
	} else {
		assert_int_equal(ret, -EAGAIN);
	}
}

static void
receive(void)
{
	int ret;

	if (model.mode == IDLE)
		message_place(&model.buffer, &model.vector, any(4) == 0 ? any(2000) : LONGEST);
	ret = nhn_msg_receive(in_rx(), &model.buffer);
	if (model.mode == SKIPPING && ret == -EAGAIN) {
		if (in_rx()->skipped != model.skipped)
			ended_skipped();
		return;
	}
	receive_answer(ret);
}

static void
skip_some(void)
{
	struct nhn_message_head head;
	int ret;

	if (model.mode != IDLE && model.mode != RECEIVING)
		return;
	ret = nhn_msg_front(in_rx(), &head);
	if (ret == -ESTALE)
		ended_stale();
	if (ret != 0 || (head.flags & NHN_MESSAGE_ABORTED) != 0)
		return;
	expect_front(&head);
	skip_front();
}

static void
peeked(const struct nhn_msg_piece *piece)
{
	uint32_t i;

	if (piece->head.flags & NHN_MESSAGE_ABORTED) {
		assert_int_equal(piece->offset, model.offset);
		ended_aborted();
		return;
	}
	for (i = 0; i < piece->messages; i++) {
		uint32_t length = front()->head.length;
		uint32_t part = piece->length / piece->messages;

		expect_front(&piece->head);
		assert_int_equal(piece->offset, model.offset);
		pattern_fill(rig.in, length, 1, front()->number);
		assert_memory_equal(piece->data + (size_t)i * part, rig.in + model.offset, part);
		model.offset += part;
		model.mode = PEEKING;
		if (model.offset == length)
			ended_whole();
	}
}

static void
peek(void)
{
	struct nhn_msg_piece pieces[4];
	int count, i;

	if ((model.mode != IDLE && model.mode != PEEKING) || in_rx()->holding)
		return;
	count = nhn_msg_peek(in_rx(), pieces, 1 + any(4));
	if (count == -ESTALE)
		ended_stale();
	for (i = 0; i < count; i++)
		peeked(&pieces[i]);
	assert_int_equal(nhn_msg_release(in_rx()), 0);
}

static void
read_some(void)
{
	if (model.mode == PEEKING)
		peek();
	else
		receive();
}

/* ---- restarts ---- */

static void
step_both(uint32_t turns)
{
	while (turns-- > 0) {
		rig_steps(1);
		node_hear(&rig.host);
	}
}

static void
writer_restarts(void)
{
	if (!rig_is_up())
		return;
	give_up(LOST);
	/* An end that was not yet told is not told by the next life. */
	if (out_tx()->sending == NHN_MSG_ABORTING)
		last()->fate = LOST;
	push(NULL, 0, BOUNDARY);
	node_begin(&rig.host);
	model.restarts++;
}

static void
reader_restarts(void)
{
	if (!rig_is_up())
		return;
	node_begin(&rig.guest);
	step_both(2);
	if (nhn_msg_busy(out_tx()))
		assert_int_equal(nhn_msg_send_step(out_tx()), -ECONNRESET);
	model.first = model.end;
	model.mode = IDLE;
	model.offset = 0;
	model.lost = model.aborted = model.skipped = 0;
	model.restarts++;
}

static void
operation(void)
{
	uint32_t what = any(1000);

	if (what < 150)
		send_one();
	else if (what < 200)
		send_pack();
	else if (what < 500)
		go_on();
	else if (what < 800)
		read_some();
	else if (what < 880)
		peek();
	else if (what < 900)
		skip_some();
	else if (what < 915)
		cancel();
	else if (what < 990)
		step_both(1);
	else if (what < 994)
		writer_restarts();
	else if (what < 997)
		reader_restarts();
	else if (!in_rx()->holding)
		assert_int_equal(nhn_msg_release(in_rx()), 0); /* of nothing */
}

static void
settle(void)
{
	uint32_t turns = 0;

	while (model.first != model.end || nhn_msg_busy(out_tx()) || !rig_is_up()) {
		go_on();
		read_some();
		if (turns % 16 == 0)
			step_both(1);
		assert_true(turns++ < 100000);
	}
	assert_false(nhn_msg_ready(in_rx()));
	assert_int_equal(in_rx()->lost, model.lost);
	assert_int_equal(in_rx()->aborted, model.aborted);
	assert_int_equal(in_rx()->skipped, model.skipped);
}

static void
life(uint64_t seed)
{
	uint32_t i;

	memset(&model, 0, sizeof(model));
	model.random = seed;
	rig_begin_laid(1, 16u << any(3), any(4) == 0 ? 0 : 4096u << 2 * any(2), any(2) ? 64 : 128);
	for (i = 0; i < 4000; i++)
		operation();
	settle();
	assert_true(model.delivered > 100 && model.restarts > 3);
}

static void
test_random_calls(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 150; seed++)
		life(seed);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_random_calls),
	};

	return cmocka_run_group_tests_name("msg_model", tests, NULL, NULL);
}
