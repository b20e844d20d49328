/* SPDX-License-Identifier: BSD-3-Clause */
/* An rpc server against a client that lies: requests without end, longer than memory, again
 * with one id, whose replies it does not read. */

#include "lesson_msg.h"

#define MEMORY_BYTES 64u /* for a request */

static struct nhn_rpc_server server;
static struct guarded server_memory; /* its second part is the server's */
static uint8_t reply_bytes[3000];
static struct iovec reply_vector;
static uint64_t served;
static uint32_t served_id;
static bool later;
static struct nhn_rpc_token token;

static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	(void)context;
	assert_true(request->length <= MEMORY_BYTES);
	assert_true(guarded_whole(&server_memory));
	served++;
	served_id = request->token.id;
	token = request->token;
	if (later)
		return -EINPROGRESS;
	reply->status = 0;
	reply->vector = &reply_vector;
	reply->vectors = 1;
	return 0;
}

static int
server_setup(void **state)
{
	msg_setup(state);
	guarded_init(&server_memory, MEMORY_BYTES, 1);
	server_memory.vector[0].iov_base = server_memory.memory + 64;
	server_memory.vector[0].iov_len = MEMORY_BYTES;
	server_memory.vector[1].iov_base = server_memory.memory + 64 + MEMORY_BYTES;
	server_memory.vector[1].iov_len = 0;
	server_memory.vector[2] = server_memory.vector[1];
	reply_vector.iov_base = reply_bytes;
	reply_vector.iov_len = 8;
	served = 0;
	later = false;
	nhn_rpc_server_init(&server, &endpoint, 0, serve, NULL, server_memory.memory + 64,
			    MEMORY_BYTES);
	return 0;
}

static void
request_put(uint32_t id, uint32_t length)
{
	struct nhn_message_head head = {
		.id = id, .length = length, .type = 1, .flags = NHN_MESSAGE_REQUEST};

	liar_cell_put(NHN_KIND_MSG, length < INLINE ? length : INLINE, &head);
}

/* The next message that the server sent. */
static void
expect_reply(uint32_t id, uint16_t flags)
{
	struct nhn_msg_piece piece;

	assert_int_equal(nhn_msg_peek(&liar_msg_rx, &piece, 1), 1);
	assert_int_equal(piece.head.id, id);
	assert_int_equal(piece.head.flags, NHN_MESSAGE_REPLY | flags);
	assert_int_equal(nhn_msg_release(&liar_msg_rx), 0);
}

static void
expect_served(uint32_t id)
{
	uint64_t before = served;

	request_put(id, 10);
	victim_turns(20);
	assert_int_equal(served, before + 1);
	assert_int_equal(served_id, id);
	expect_reply(id, 0);
}

/* ---- a client that lies ---- */

static void
test_server_same_id_again(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		request_put(7, 10);
	victim_turns(40);
	assert_int_equal(served, 5);
	for (i = 0; i < 5; i++)
		expect_reply(7, 0);
}

static void
test_server_request_longer_than_memory(void **state)
{
	struct nhn_message_head head = {
		.id = 8, .length = MEMORY_BYTES + 1, .type = 1, .flags = NHN_MESSAGE_REQUEST};
	uint32_t i;

	(void)state;
	request_put(8, MEMORY_BYTES + 1);
	victim_turns(10);
	expect_reply(8, NHN_MESSAGE_REFUSED);
	liar_cell_put(NHN_KIND_MSG, MEMORY_BYTES + 1 - INLINE, &head);
	expect_served(9);
	head.length = UINT32_MAX; /* and without an end */
	for (i = 0; i < 1000; i++) {
		liar_cell_put(NHN_KIND_MSG, INLINE, &head);
		victim_turns(3);
		assert_true(guarded_whole(&server_memory));
	}
	expect_reply(8, NHN_MESSAGE_REFUSED);
	assert_int_equal(server.refused, 2);
	assert_int_equal(served, 1);
	honest_successor();
	expect_served(10);
}

static void
test_server_no_requests(void **state)
{
	struct nhn_message_head head = {.id = 1, .length = 8, .flags = NHN_MESSAGE_REPLY};
	const struct nhn_pack_head pack = {.message_bytes = 8, .messages = 7};

	(void)state;
	liar_cell_put(NHN_KIND_MSG, 8, &head);
	head.flags = 0;
	liar_cell_put(NHN_KIND_MSG, 8, &head);
	memcpy((uint8_t *)&head + 8, &pack, sizeof(pack));
	liar_cell_put(NHN_KIND_PACK, 56, &head);
	victim_turns(60);
	assert_int_equal(server.strange, 2 + 7);
	expect_served(2);
}

/* Requests without end, whose replies nobody reads: the server waits for room, and is not
 * in the way of the next one. @p filled: bytes of each reply */
static void
fill_with_requests(uint32_t id)
{
	uint32_t i;

	for (i = 0; i < 40; i++) {
		if (nhn_tx_reserve(liar_tx(), 0) != NULL)
			request_put(id + i, 10);
		victim_turns(20);
	}
	assert_true(server.handler.waiting || nhn_msg_busy(&endpoint.tx[0]));
	assert_null(nhn_tx_reserve(liar_tx(), 0)); /* its ring is full: nothing is read */
}

static void
test_server_client_dies_without_reading(void **state)
{
	uint32_t form;

	(void)state;
	for (form = 0; form < 2; form++) { /* replies of a cell, then of three fragments */
		reply_vector.iov_len = form == 0 ? 8 : sizeof(reply_bytes);
		fill_with_requests(100);
		liar_restart();
		assert_true(msg_come_up());
		reply_vector.iov_len = 8;
		expect_served(10 + form);
	}
	assert_true(server.reset != 0);
}

/* The same, and then the liar breaks a rule while the server holds a request. */
static void
test_server_waits_as_the_link_breaks(void **state)
{
	uint32_t form;

	(void)state;
	for (form = 0; form < 2; form++) {
		reply_vector.iov_len = form == 0 ? 8 : sizeof(reply_bytes);
		do { /* fill the way back, and then one that is refused and held */
			if (nhn_tx_reserve(liar_tx(), 0) != NULL)
				request_put(1, MEMORY_BYTES + 1);
			victim_turns(20);
			if (nhn_rx_holds(&lesson.victim.link.rx[0]))
				break;
			if (msg_rx()->begun && nhn_tx_reserve(liar_tx(), 0) != NULL) {
				struct nhn_message_head head = {.id = 1,
								.length = MEMORY_BYTES + 1,
								.type = 1,
								.flags = NHN_MESSAGE_REQUEST};

				liar_cell_put(NHN_KIND_MSG, MEMORY_BYTES + 1 - INLINE, &head);
				victim_turns(20);
			}
		} while (nhn_tx_reserve(liar_tx(), 0) != NULL);
		assert_true(nhn_rx_holds(&lesson.victim.link.rx[0]));
		liar_words()->cursor[0].cells += 1000; /* a lie about what was read */
		endpoint.tx[0].tx->limit = endpoint.tx[0].tx->tail;
		victim_turns(1000);
		assert_int_equal(lesson.victim.link.faults[NHN_FAULT_CURSOR], form + 1);
		honest_successor();
		reply_vector.iov_len = 8;
		expect_served(10 + form);
	}
}

/* Answered later: by then the client is another one. */
static void
test_server_late_reply_to_a_successor(void **state)
{
	struct nhn_rpc_reply reply = {.status = 1, .vector = &reply_vector, .vectors = 1};

	(void)state;
	later = true;
	request_put(5, 10);
	victim_turns(20);
	assert_int_equal(served, 1);
	honest_successor();
	assert_int_equal(nhn_rpc_server_reply(&server, &token, &reply), -ECONNRESET);
	assert_int_equal(server.reset, 1);
	later = false;
	expect_served(6);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_server_same_id_again),
		TEST(test_server_request_longer_than_memory),
		TEST(test_server_no_requests),
		TEST(test_server_client_dies_without_reading),
		TEST(test_server_waits_as_the_link_breaks),
		TEST(test_server_late_reply_to_a_successor),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_server", tests, NULL, NULL);
}
