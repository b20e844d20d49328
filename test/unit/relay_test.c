/* SPDX-License-Identifier: BSD-3-Clause */
/* nhn_msg_relay(): guests that send and receive, and the host between them, in one process. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nhn_endpoint.h>
#include <nhn_relay.h>

#include "pattern.h"

#define GUESTS 3u
#define BYTES (1u << 19)
#define LENGTH_MAX 70000u
#define TURNS 100000u

/* A guest's link: near is the host's end. */
struct road {
	struct nhn_link near;
	struct nhn_link far;
	struct nhn_msg_tx near_tx;
	struct nhn_msg_tx far_tx;
	struct nhn_msg_rx near_rx;
	struct nhn_msg_rx far_rx;
	uint8_t *base;
};

static struct {
	struct road road[GUESTS];
	uint64_t now_ns;
	uint8_t out[GUESTS][LENGTH_MAX];
	uint8_t in[LENGTH_MAX];
	struct iovec in_memory;
	struct nhn_msg_buffer buffer;
} rig;

static void
end_begin(struct road *road, enum nhn_role role, uint32_t cells, uint32_t data_bytes)
{
	struct nhn_link *link = role == NHN_ROLE_HOST ? &road->near : &road->far;
	struct nhn_link_config config = {.use = NHN_USE_MSG, .random = 2};
	struct nhn_refusal refusal;

	nhn_link_joint(&config, role, road->base, BYTES);
	if (role == NHN_ROLE_HOST)
		nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, cells, data_bytes);
	assert_int_equal(nhn_link_init(link, &config, &refusal), 0);
	nhn_msg_tx_init(role == NHN_ROLE_HOST ? &road->near_tx : &road->far_tx, link, 0);
	nhn_msg_rx_init(role == NHN_ROLE_HOST ? &road->near_rx : &road->far_rx, link, 0);
}

static void
control(struct road *road)
{
	rig.now_ns += 1000000;
	nhn_link_control(&road->near, rig.now_ns);
	nhn_link_control(&road->far, rig.now_ns);
}

static void
hear(struct nhn_msg_rx *rx)
{
	struct nhn_msg_piece piece;

	if (rx->rx->stale)
		assert_int_equal(nhn_msg_peek(rx, &piece, 1), -ESTALE);
}

static void
road_up(struct road *road)
{
	uint32_t turn;

	for (turn = 0; turn < 60; turn++) {
		control(road);
		hear(&road->near_rx);
		hear(&road->far_rx);
	}
	assert_int_equal(nhn_link_state(&road->near), NHN_LINK_UP);
	assert_int_equal(nhn_link_state(&road->far), NHN_LINK_UP);
}

static void
road_begin(uint32_t i, uint32_t cells, uint32_t data_bytes)
{
	struct road *road = &rig.road[i];

	memset(road->base, 0, BYTES);
	end_begin(road, NHN_ROLE_HOST, cells, data_bytes);
	end_begin(road, NHN_ROLE_GUEST, cells, data_bytes);
	road_up(road);
}

static int
setup(void **state)
{
	uint32_t i;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.now_ns = 1;
	for (i = 0; i < GUESTS; i++) {
		rig.road[i].base = aligned_alloc(4096, BYTES);
		if (rig.road[i].base == NULL)
			return -1;
		road_begin(i, 16, 4096);
	}
	rig.in_memory.iov_base = rig.in;
	rig.in_memory.iov_len = sizeof(rig.in);
	nhn_msg_buffer_init(&rig.buffer, &rig.in_memory, 1);
	return 0;
}

static int
teardown(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < GUESTS; i++)
		free(rig.road[i].base);
	return 0;
}

/* ---- a message from one guest to another ---- */

static int
send(uint32_t from, uint32_t id, uint32_t length)
{
	const struct nhn_message_head head = {id, length, (uint16_t)(length * 3), 0};

	pattern_fill(rig.out[from], length, from, id);
	return nhn_msg_send(&rig.road[from].far_tx, &head, rig.out[from]);
}

static int
relay(uint32_t from, uint32_t to, uint32_t id)
{
	return nhn_msg_relay(&rig.road[from].near_rx, &rig.road[to].near_tx, id);
}

static int
take(uint32_t to)
{
	return nhn_msg_receive(&rig.road[to].far_rx, &rig.buffer);
}

static void
expect_message(uint32_t from, uint32_t id, uint32_t new_id, uint32_t length)
{
	assert_int_equal(rig.buffer.head.id, new_id);
	assert_int_equal(rig.buffer.head.length, length);
	assert_int_equal(rig.buffer.head.type, (uint16_t)(length * 3));
	assert_true(pattern_matches(rig.in, length, from, id));
}

/* Each in turn does a step, until the receiver has an answer. */
static int
carry(uint32_t from, uint32_t to, uint32_t id)
{
	uint32_t turn;
	int ret = -EAGAIN;

	for (turn = 0; turn < TURNS && (ret == -EAGAIN || ret == -EINPROGRESS); turn++) {
		nhn_msg_send_step(&rig.road[from].far_tx);
		relay(from, to, id);
		nhn_msg_send_step(&rig.road[to].near_tx);
		ret = take(to);
	}
	return ret;
}

static void
pass(uint32_t from, uint32_t to, uint32_t id, uint32_t length)
{
	int ret = send(from, id, length);

	assert_true(ret == 0 || ret == -EINPROGRESS);
	assert_int_equal(carry(from, to, 90 + id), 0);
	expect_message(from, id, 90 + id, length);
	assert_int_equal(take(to), -EAGAIN);
}

static void
test_every_size_between_rings_of_all_kinds(void **state)
{
	static const uint32_t data[] = {0, 4096, 65536};
	static const uint32_t lengths[] = {0,	 1,    47,   48,   49,	 1023,	1024,
					   1025, 2047, 2048, 4097, 9999, 65537, LENGTH_MAX};
	uint32_t i, j, k;

	(void)state;
	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++) {
			road_begin(0, 16, data[i]);
			road_begin(1, 32, data[j]);
			for (k = 0; k < sizeof(lengths) / sizeof(*lengths); k++)
				pass(0, 1, k, lengths[k]);
		}
}

static void
test_message_written_in_place(void **state)
{
	const struct nhn_message_head head = {5, 2000, 6000, 0};
	void *body = nhn_msg_reserve(&rig.road[0].far_tx, 2000);

	(void)state;
	assert_non_null(body);
	pattern_fill(body, 2000, 0, 5);
	nhn_msg_commit(&rig.road[0].far_tx, &head, body);
	assert_int_equal(relay(0, 1, 7), -EINPROGRESS); /* a step is 1 KiB */
	assert_true(take(1) != 0);
	assert_int_equal(carry(0, 1, 7), 0);
	expect_message(0, 5, 7, 2000);
}

static void
test_packs_stay_packs(void **state)
{
	uint64_t messages[20];
	struct nhn_msg_piece piece;
	uint32_t i;

	(void)state;
	for (i = 0; i < 20; i++)
		messages[i] = i * 1000;
	assert_int_equal(nhn_msg_send_packed(&rig.road[0].far_tx, 4, messages, 8, 20), 20);
	for (i = 0; i < 3; i++)
		assert_int_equal(relay(0, 1, 1), 0);
	assert_int_equal(relay(0, 1, 1), -EAGAIN);
	assert_int_equal(nhn_msg_peek(&rig.road[1].far_rx, &piece, 1), 1);
	assert_int_equal(piece.messages, 7);
	assert_memory_equal(nhn_foreign_lend(piece.data), messages, 56);
	assert_int_equal(nhn_msg_release(&rig.road[1].far_rx), 0);
	for (i = 7; i < 20; i++) {
		assert_int_equal(take(1), 0);
		assert_memory_equal(rig.in, &messages[i], 8);
		assert_int_equal(rig.buffer.head.type, 4);
	}
	assert_int_equal(take(1), -EAGAIN);
}

static void
test_two_senders_do_not_mix(void **state)
{
	uint32_t got[2] = {0, 0};
	uint32_t turn;

	(void)state;
	assert_int_equal(send(0, 1, 20000), -EINPROGRESS);
	assert_int_equal(send(1, 2, 30000), -EINPROGRESS);
	for (turn = 0; turn < TURNS && got[0] + got[1] < 2; turn++) {
		nhn_msg_send_step(&rig.road[0].far_tx);
		nhn_msg_send_step(&rig.road[1].far_tx);
		relay(0, 2, 100);
		relay(1, 2, 200);
		if (take(2) != 0)
			continue;
		if (rig.buffer.head.id == 100)
			expect_message(0, 1, 100, 20000);
		else
			expect_message(1, 2, 200, 30000);
		got[rig.buffer.head.id == 200]++;
	}
	assert_int_equal(got[0], 1);
	assert_int_equal(got[1], 1);
}

/* ---- what does not end ---- */

static void
begin_long(void)
{
	uint32_t i;

	assert_int_equal(send(0, 1, 50000), -EINPROGRESS);
	for (i = 0; i < 8; i++) {
		nhn_msg_send_step(&rig.road[0].far_tx);
		relay(0, 1, 9);
		take(1);
	}
	assert_true(nhn_msg_busy(&rig.road[1].near_tx));
	assert_true(rig.road[1].near_tx.sent > 0);
}

static void
test_sender_gives_up(void **state)
{
	(void)state;
	begin_long();
	nhn_msg_cancel(&rig.road[0].far_tx);
	assert_int_equal(carry(0, 1, 9), -ECANCELED);
	assert_false(nhn_msg_busy(&rig.road[1].near_tx));
	pass(0, 1, 2, 3000);
}

static void
test_sender_restarts(void **state)
{
	struct road *road = &rig.road[0];
	uint32_t turn;
	int ret = 0;

	(void)state;
	begin_long();
	nhn_link_finish(&road->far);
	end_begin(road, NHN_ROLE_GUEST, 0, 0);
	for (turn = 0; turn < 100 && ret != -ESTALE; turn++) {
		control(road);
		ret = relay(0, 1, 9);
		nhn_msg_send_step(&rig.road[1].near_tx);
		take(1);
	}
	assert_int_equal(ret, -ESTALE);
	for (turn = 0; turn < 10; turn++)
		nhn_msg_send_step(&rig.road[1].near_tx);
	assert_false(nhn_msg_busy(&rig.road[1].near_tx));
	assert_int_equal(rig.road[1].far_rx.aborted + (take(1) == -ECANCELED), 1);
	road_up(road);
	pass(0, 1, 2, 3000);
}

/** It keeps all others from its receiver, until that message is given up for it. */
static void
test_sender_stands_still(void **state)
{
	uint32_t turn;

	(void)state;
	begin_long();
	assert_int_equal(send(2, 3, 2000), -EINPROGRESS);
	assert_int_equal(carry(2, 1, 8), -EAGAIN);
	nhn_msg_relay_cancel(&rig.road[0].near_rx, &rig.road[1].near_tx);
	assert_int_equal(carry(2, 1, 8), -ECANCELED);
	assert_int_equal(carry(2, 1, 8), 0);
	expect_message(2, 3, 8, 2000);
	for (turn = 0; turn < TURNS && nhn_msg_busy(&rig.road[0].far_tx); turn++) {
		nhn_msg_send_step(&rig.road[0].far_tx);
		relay(0, 1, 9);
	}
	assert_false(nhn_msg_busy(&rig.road[0].far_tx));
	assert_false(nhn_msg_busy(&rig.road[1].near_tx));
	pass(0, 1, 4, 3000);
	assert_int_equal(rig.road[0].near_rx.skipped, 1);
}

static void
test_receiver_restarts(void **state)
{
	struct road *road = &rig.road[1];
	uint32_t turn;
	int ret = 0;

	(void)state;
	begin_long();
	nhn_link_finish(&road->far);
	end_begin(road, NHN_ROLE_GUEST, 0, 0);
	for (turn = 0; turn < TURNS && ret != -ECONNRESET; turn++) {
		control(road);
		hear(&road->near_rx);
		nhn_msg_send_step(&rig.road[0].far_tx);
		ret = relay(0, 1, 9);
	}
	assert_int_equal(ret, -ECONNRESET);
	road_up(road);
	/* The rest is dropped; nothing of it comes to the new one. */
	for (turn = 0; turn < TURNS && nhn_msg_busy(&rig.road[0].far_tx); turn++) {
		nhn_msg_send_step(&rig.road[0].far_tx);
		relay(0, 1, 9);
	}
	while (relay(0, 1, 9) != -EAGAIN || rig.road[0].near_rx.skipping)
		continue;
	assert_int_equal(take(1), -EAGAIN);
	assert_int_equal(rig.road[0].near_rx.skipped, 1);
	pass(0, 1, 2, 3000);
}

static void
test_nobody_there(void **state)
{
	uint32_t turn;

	(void)state;
	nhn_link_finish(&rig.road[1].far);
	for (turn = 0; turn < 10; turn++) {
		control(&rig.road[1]);
		hear(&rig.road[1].near_rx);
	}
	assert_int_equal(send(0, 1, 40), 0);
	assert_int_equal(relay(0, 1, 9), -ENOTCONN);
	assert_int_equal(relay(0, 1, 9), -ENOTCONN);
	nhn_msg_skip(&rig.road[0].near_rx);
	assert_int_equal(relay(0, 1, 9), -EAGAIN);
	pass(0, 2, 2, 3000); /* to another one */
}

/* One that found no room, or stood in the middle, is dropped; the next has its own head. */
static void
test_skipped_message_leaves_nothing(void **state)
{
	uint32_t sent = 0;
	uint32_t i;

	(void)state;
	while (send(1, 50, 8) == 0 && relay(1, 2, 50) == 0)
		sent++;
	assert_int_equal(sent, 16); /* the way to 2 is full */
	assert_int_equal(send(0, 1, 40), 0);
	assert_int_equal(relay(0, 2, 77), -EAGAIN);
	nhn_msg_skip(&rig.road[0].near_rx);
	relay(0, 2, 77);
	nhn_msg_skip(&rig.road[1].near_rx);
	relay(1, 2, 50);
	assert_int_equal(send(0, 2, 20), 0);
	for (i = 0; i < sent; i++)
		assert_int_equal(take(2), 0);
	assert_int_equal(carry(0, 2, 78), 0);
	expect_message(0, 2, 78, 20);
	begin_long();
	nhn_msg_skip(&rig.road[0].near_rx);
	for (i = 0; i < TURNS && nhn_msg_busy(&rig.road[0].far_tx); i++) {
		nhn_msg_send_step(&rig.road[0].far_tx);
		relay(0, 1, 9);
	}
	while (rig.road[0].near_rx.skipping || relay(0, 1, 9) != -EAGAIN)
		relay(0, 1, 9);
	assert_int_equal(send(0, 3, 20), 0);
	assert_int_equal(carry(0, 1, 79), -ECANCELED); /* of the one skipped */
	assert_int_equal(carry(0, 1, 79), 0);
	expect_message(0, 3, 79, 20);
}

static void
test_full_receiver_holds_the_sender(void **state)
{
	uint32_t sent = 0;
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++) {
		sent += send(0, i, 8) == 0;
		relay(0, 1, i);
	}
	assert_int_equal(relay(0, 1, 99), -EAGAIN);
	assert_int_equal(sent, 32); /* 16 cells there, 16 here */
	for (i = 0; i < sent; i++) {
		assert_int_equal(carry(0, 1, i), 0);
		assert_true(pattern_matches(rig.in, 8, 0, i));
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_size_between_rings_of_all_kinds),
		TEST(test_message_written_in_place),
		TEST(test_packs_stay_packs),
		TEST(test_two_senders_do_not_mix),
		TEST(test_sender_gives_up),
		TEST(test_sender_restarts),
		TEST(test_sender_stands_still),
		TEST(test_receiver_restarts),
		TEST(test_nobody_there),
		TEST(test_skipped_message_leaves_nothing),
		TEST(test_full_receiver_holds_the_sender),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
