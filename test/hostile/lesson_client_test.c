/* SPDX-License-Identifier: BSD-3-Clause */
/* An rpc client against a server that lies: replies to nobody, twice, without end, with
 * flags that nobody knows. The memory of a call is its own until it ends, and not after. */

#include "lesson_msg.h"

#define SLOTS 4u
#define CALLS 3u
#define REPLY_BYTES 100u

/* ---- a client and its calls ---- */

struct caller {
	struct nhn_rpc_call call;
	struct guarded memory;
	struct iovec request;
	uint32_t ends;
};

static struct nhn_rpc_client client;
static struct nhn_rpc_slot slots[SLOTS];
static struct caller callers[CALLS];
static uint8_t request_bytes[20000];

static int
client_setup(void **state)
{
	uint32_t i;

	msg_setup(state);
	for (i = 0; i < CALLS; i++)
		guarded_init(&callers[i].memory, REPLY_BYTES, i);
	assert_int_equal(nhn_rpc_client_init(&client, &endpoint, 0, slots, SLOTS), 0);
	clients = 1;
	return 0;
}

/* The call's memory is the program's again: not a byte of it may change. */
static void
call_done(struct nhn_rpc_call *call)
{
	struct caller *caller = call->context;

	caller->ends++;
	guarded_end(&caller->memory);
}

static struct caller *
call_begin(uint32_t index, uint32_t request, uint64_t deadline_ns)
{
	struct caller *caller = &callers[index];

	memset(caller, 0, sizeof(*caller));
	guarded_init(&caller->memory, REPLY_BYTES, index);
	caller->request.iov_base = request_bytes;
	caller->request.iov_len = request;
	caller->call.type = 1;
	caller->call.request = &caller->request;
	caller->call.requests = 1;
	caller->call.reply = caller->memory.vector;
	caller->call.replies = GUARDED_PARTS;
	caller->call.deadline_ns = deadline_ns;
	caller->call.done = call_done;
	caller->call.context = caller;
	assert_int_equal(msg_rpc_call(hostile, &client, &caller->call), 0);
	return caller;
}

static void
turns(uint32_t count)
{
	uint32_t i;

	while (count-- > 0) {
		victim_turn();
		for (i = 0; i < CALLS; i++)
			assert_true(guarded_whole(&callers[i].memory));
	}
}

static void
expect_end(const struct caller *caller, int result)
{
	turns(20);
	assert_int_equal(caller->ends, 1);
	assert_int_equal(caller->call.result, result);
}

/* An honest server's answer, whole. */
static void
expect_answered(struct caller *caller)
{
	struct nhn_message_head head = {
		.id = caller->call.id, .length = 20, .type = 3, .flags = NHN_MESSAGE_REPLY};

	liar_cell_put(NHN_KIND_MSG, 20, &head);
	expect_end(caller, 0);
	assert_int_equal(caller->call.status, 3);
	assert_int_equal(caller->call.length, 20);
}

static struct nhn_message_head
reply_head(const struct caller *caller, uint32_t length)
{
	return (struct nhn_message_head){
		.id = caller->call.id, .length = length, .flags = NHN_MESSAGE_REPLY};
}

/* ---- a server that lies ---- */

static void
test_client_replies_of_other_ids(void **state)
{
	struct caller *caller = call_begin(0, 10, NHN_NEVER_NS);
	const uint32_t ids[] = {caller->call.id + 1,
				caller->call.id + SLOTS,
				caller->call.id - SLOTS,
				caller->call.id ^ 1u << 31,
				caller->call.id & (SLOTS - 1),
				0,
				UINT32_MAX};
	uint32_t i;

	(void)state;
	guarded_end(&caller->memory);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct nhn_message_head head = {
			.id = ids[i], .length = 40, .flags = NHN_MESSAGE_REPLY};

		liar_cell_put(NHN_KIND_MSG, 40, &head);
		head.length = 90;
		liar_range_put(90, &head);
		turns(10);
		assert_int_equal(client.late, 2 * (i + 1));
		assert_int_equal(caller->ends, 0);
	}
	caller->memory.ended = false;
	expect_answered(caller);
	assert_int_equal(client.open, 0);
}

static void
test_client_replies_twice(void **state)
{
	struct caller *caller = call_begin(0, 10, NHN_NEVER_NS);
	struct nhn_message_head head = reply_head(caller, 40);
	uint32_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		liar_cell_put(NHN_KIND_MSG, 40, &head);
	expect_end(caller, 0);
	assert_int_equal(client.late, 4);
	call_begin(0, 10, NHN_NEVER_NS); /* in the same slot, with another id */
	liar_cell_put(NHN_KIND_MSG, 40, &head);
	turns(10);
	assert_int_equal(client.late, 5);
	expect_answered(caller);
}

static void
test_client_no_replies(void **state)
{
	struct caller *caller = call_begin(0, 10, NHN_NEVER_NS);
	struct nhn_message_head head = reply_head(caller, 8);
	const struct nhn_pack_head pack = {.message_bytes = 8, .messages = 7};

	(void)state;
	head.flags = NHN_MESSAGE_REQUEST;
	liar_cell_put(NHN_KIND_MSG, 8, &head);
	head.flags = NHN_MESSAGE_REFUSED;
	liar_cell_put(NHN_KIND_MSG, 8, &head);
	head.flags = 0;
	liar_cell_put(NHN_KIND_MSG, 8, &head);
	memcpy((uint8_t *)&head + 8, &pack, sizeof(pack));
	liar_cell_put(NHN_KIND_PACK, 56, &head);
	turns(60);
	assert_int_equal(client.strange, 3 + 7);
	expect_answered(caller);
}

/* Longer than its memory, by a byte and by all that 32 bits say. */
static void
test_client_reply_longer_than_memory(void **state)
{
	static const uint32_t lengths[] = {REPLY_BYTES + 1, UINT32_MAX};
	struct caller *caller;
	uint32_t i, left;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct nhn_message_head head;

		caller = call_begin(0, 10, NHN_NEVER_NS);
		head = reply_head(caller, lengths[i]);
		guarded_end(&caller->memory);
		liar_cell_put(NHN_KIND_MSG, INLINE, &head);
		expect_end(caller, -EMSGSIZE);
		assert_int_equal(caller->call.length, lengths[i]);
		left = lengths[i] - INLINE < 4000 ? lengths[i] - INLINE : 4000;
		for (; left != 0; left -= left < INLINE ? left : INLINE) {
			liar_cell_put(NHN_KIND_MSG, left < INLINE ? left : INLINE, &head);
			turns(5);
		}
	}
	assert_int_equal(client.late, 0); /* one that is skipped to its end is counted once */
	/* it never ends: who waits behind it waits until his deadline, or for a successor */
	caller = call_begin(0, 10, lesson.victim.now_ns + 3000000);
	turns(5 * NHN_ENDPOINT_CONTROL_POLLS);
	expect_end(caller, -ETIMEDOUT);
	honest_successor();
	caller = call_begin(0, 10, NHN_NEVER_NS);
	expect_answered(caller);
}

/* The call ends in the middle of its reply: the rest is nobody's. */
static void
expect_rest_dropped(struct caller *caller, struct nhn_message_head *head)
{
	struct caller *next = call_begin(1, 10, NHN_NEVER_NS);

	liar_cell_put(NHN_KIND_MSG, INLINE, head);
	liar_cell_put(NHN_KIND_MSG, REPLY_BYTES - 2 * INLINE, head);
	expect_answered(next);
	assert_true(caller->ends <= 1);
	assert_true(guarded_whole(&caller->memory));
}

/* The same of a call of one part: the liar fills it to its last byte, and no further. */
static void
test_client_reply_of_one_part(void **state)
{
	struct caller *caller = &callers[0];
	uint32_t over;

	(void)state;
	for (over = 0; over < 2; over++) {
		struct nhn_message_head head;
		struct iovec *part;

		guarded_init(&caller->memory, REPLY_BYTES, over);
		part = &caller->memory.vector[2];
		caller->ends = 0;
		nhn_rpc_call_init(&caller->call, 1, request_bytes, 10, part->iov_base,
				  (uint32_t)part->iov_len, NHN_NEVER_NS);
		caller->call.done = call_done;
		caller->call.context = caller;
		assert_int_equal(msg_rpc_call(hostile, &client, &caller->call), 0);
		head = reply_head(caller, (uint32_t)part->iov_len + over);
		if (over != 0)
			guarded_end(&caller->memory);
		liar_range_put(head.length, &head);
		expect_end(caller, over == 0 ? 0 : -EMSGSIZE);
	}
}

static void
test_client_deadline_within_a_reply(void **state)
{
	struct caller *caller = call_begin(0, 10, lesson.victim.now_ns + 3000000);
	struct nhn_message_head head = reply_head(caller, REPLY_BYTES);

	(void)state;
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	turns(5 * NHN_ENDPOINT_CONTROL_POLLS);
	expect_end(caller, -ETIMEDOUT);
	expect_rest_dropped(caller, &head);
}

static void
test_client_cancels_within_a_reply(void **state)
{
	struct caller *caller = call_begin(0, 10, NHN_NEVER_NS);
	struct nhn_message_head head = reply_head(caller, REPLY_BYTES);

	(void)state;
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	turns(10);
	nhn_rpc_client_cancel(&client, &caller->call);
	assert_int_equal(caller->call.result, -ECANCELED);
	guarded_end(&caller->memory);
	expect_rest_dropped(caller, &head);
	assert_int_equal(caller->ends, 0);
}

static void
test_client_aborted_and_refused(void **state)
{
	struct caller *caller = call_begin(0, 10, NHN_NEVER_NS);
	struct nhn_message_head head = reply_head(caller, REPLY_BYTES);

	(void)state;
	liar_cell_put(NHN_KIND_MSG, INLINE, &head);
	turns(10);
	head.flags |= NHN_MESSAGE_ABORTED;
	liar_cell_put(NHN_KIND_MSG, 0, &head);
	expect_end(caller, -ECANCELED);
	caller = call_begin(1, 10, NHN_NEVER_NS);
	head = reply_head(caller, 30); /* refused, with more bytes than a refusal needs */
	head.flags |= NHN_MESSAGE_REFUSED;
	liar_cell_put(NHN_KIND_MSG, 30, &head);
	expect_end(caller, -EOPNOTSUPP);
	caller = call_begin(2, 10, NHN_NEVER_NS);
	expect_answered(caller);
}

/* All calls end once, by the begin of the next session; the memory of all is theirs. */
static void
expect_all_reset(enum nhn_fault fault)
{
	uint64_t before = lesson.victim.link.faults[fault];
	uint32_t i;

	turns(2 * NHN_ENDPOINT_CONTROL_POLLS);
	assert_int_equal(lesson.victim.link.faults[fault], before + 1);
	turns(4 * NHN_ENDPOINT_CONTROL_POLLS);
	for (i = 0; i < CALLS; i++)
		expect_end(&callers[i], -ECONNRESET);
	honest_successor();
	assert_int_equal(client.open, 0);
	expect_answered(call_begin(0, 10, NHN_NEVER_NS));
}

static void
test_client_reply_breaks_the_rules(void **state)
{
	uint32_t lie, i;

	(void)state;
	for (lie = 0; lie < 5; lie++) {
		struct nhn_message_head head;

		for (i = 0; i < CALLS; i++)
			call_begin(i, 10, NHN_NEVER_NS);
		head = reply_head(&callers[1], REPLY_BYTES);
		liar_cell_put(NHN_KIND_MSG, INLINE, &head);
		turns(10);
		if (lie == 0)
			head.flags |= 0x40;
		else if (lie == 1)
			head.id = callers[2].call.id; /* goes on as another call's */
		else if (lie == 2)
			head.length = REPLY_BYTES - 1;
		else if (lie == 3)
			head.flags |= NHN_MESSAGE_ABORTED; /* and not empty */
		liar_cell_put(NHN_KIND_MSG, lie == 4 ? 0 : INLINE, &head);
		expect_all_reset(NHN_FAULT_MESSAGE);
	}
}

/* Answered before it was asked: the rest of the request is taken back. */
static void
test_client_answered_too_early(void **state)
{
	struct caller *caller = call_begin(0, sizeof(request_bytes), NHN_NEVER_NS);

	(void)state;
	turns(3);
	assert_true(nhn_msg_busy(&endpoint.tx[0]));
	expect_answered(caller);
	memset(request_bytes, 0xee, sizeof(request_bytes)); /* the program's again */
	liar_read_out();
	turns(10);
	assert_false(nhn_msg_busy(&endpoint.tx[0]));
	assert_int_equal(endpoint.tx[0].aborted, 1);
	expect_answered(call_begin(1, 10, NHN_NEVER_NS));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_client_replies_of_other_ids),
		TEST(test_client_replies_twice),
		TEST(test_client_no_replies),
		TEST(test_client_reply_longer_than_memory),
		TEST(test_client_reply_of_one_part),
		TEST(test_client_deadline_within_a_reply),
		TEST(test_client_cancels_within_a_reply),
		TEST(test_client_aborted_and_refused),
		TEST(test_client_reply_breaks_the_rules),
		TEST(test_client_answered_too_early),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_client", tests, NULL, NULL);
}
