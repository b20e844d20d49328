/* SPDX-License-Identifier: BSD-3-Clause */
/* What a writer and a reader of messages answer when they cannot do what they are asked:
 * nothing is taken then. Lossy writers and watermarks. */

#include <nhn_msg_run.h>

#include "msg_rig.h"

/* Every way to send, of a message that fits a cell and of one that does not. */
static void
expect_refused(struct nhn_msg_tx *tx, int answer)
{
	const struct iovec vector = {rig.out, 500};
	const struct nhn_message_head head = message_head(1, 500);
	struct nhn_pack pack;
	uint32_t bytes;

	assert_int_equal(message_send(tx, 1, 0), answer);
	assert_int_equal(message_send(tx, 2, 48), answer);
	assert_int_equal(message_send(tx, 3, 500), answer);
	assert_int_equal(nhn_msg_sendv(tx, &head, &vector, 1), answer);
	for (bytes = 1; bytes <= NHN_PACK_MESSAGE_BYTES_MAX; bytes++) {
		assert_int_equal(nhn_msg_send_packed(tx, 1, rig.out, bytes, 5), 0);
		if (!nhn_pack_begin(&pack, tx, 1, bytes)) /* another message is on its way */
			continue;
		assert_null(nhn_pack_next(&pack));
		nhn_pack_end(&pack, tx);
	}
	assert_null(nhn_msg_reserve(tx, 20));
	assert_null(nhn_msg_reserve(tx, 500));
}

static void
expect_nothing(struct nhn_msg_rx *rx)
{
	struct nhn_message_head head;
	struct nhn_msg_buffer buffer;
	struct nhn_msg_piece piece;
	struct iovec vector;

	message_place(&buffer, &vector, 1000);
	assert_false(nhn_msg_ready(rx));
	assert_int_equal(nhn_msg_receive(rx, &buffer), -EAGAIN);
	assert_int_equal(nhn_msg_front(rx, &head), -EAGAIN);
	assert_int_equal(nhn_msg_peek(rx, &piece, 1), 0);
	assert_int_equal(nhn_msg_release(rx), 0);
}

static void
test_not_connected(void **state)
{
	uint32_t i;

	(void)state;
	node_begin(&rig.guest);
	for (i = 0; i < NHN_CHANNELS_MAX; i++) { /* it knows no host, hence no channel */
		expect_refused(&rig.guest.endpoint.tx[i], -ENOTCONN);
		expect_nothing(&rig.guest.endpoint.rx[i]);
	}
	node_begin(&rig.host);
	expect_refused(out_tx(), -ENOTCONN);
	expect_nothing(&rig.host.endpoint.rx[0]);
	assert_int_equal(nhn_msg_send_step(out_tx()), 0);
	nhn_msg_cancel(out_tx());
	nhn_msg_skip(in_rx());
	rig_up();
	expect_nothing(in_rx());
	exchange(5, 5000);
	node_begin(&rig.guest);
	rig_steps(2);
	expect_refused(out_tx(), -ENOTCONN); /* the reader went */
	rig_up();
	expect_nothing(in_rx());
	exchange(6, 5000);
	assert_int_equal(out_tx()->aborted + out_tx()->lost + out_tx()->dropped, 0);
}

/* Its cells are free, yet a peer that is late is sent nothing. */
static void
test_late_peer(void **state)
{
	(void)state;
	rig_begin();
	node_alone(&rig.host, 5);
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_STALLED);
	expect_refused(out_tx(), -EAGAIN);
	rig_up();
	expect_nothing(in_rx());
	exchange(1, 10000);
}

static void
test_full_ring(void **state)
{
	struct nhn_tx *tx;
	uint32_t i, lap;

	(void)state;
	rig_begin();
	tx = out_tx()->tx;
	for (lap = 0; lap < 3; lap++) {
		tx->full = 0;
		for (i = 0; i < RIG_CELLS; i++)
			assert_int_equal(message_send(out_tx(), i, i * 3), 0);
		assert_int_equal(tx->full, 0);
		for (i = 1; i <= 4; i++) {
			assert_int_equal(message_send(out_tx(), 9, i % 2 * 700), -EAGAIN);
			assert_int_equal(tx->full, i); /* each is counted */
		}
		expect_refused(out_tx(), -EAGAIN);
		assert_false(nhn_msg_busy(out_tx()));
		for (i = 0; i < RIG_CELLS; i++)
			expect_received(in_rx(), i, i * 3);
		expect_nothing(in_rx());
	}
}

/* The data ring is full, cells are not: short messages still go. */
static void
test_full_data_ring(void **state)
{
	struct nhn_tx *tx;
	uint32_t i;

	(void)state;
	rig_begin();
	tx = out_tx()->tx;
	for (i = 0; i < 4; i++)
		assert_int_equal(message_send(out_tx(), i, 1024), 0);
	tx->full = 0;
	assert_int_equal(message_send(out_tx(), 7, 49), -EAGAIN);
	assert_int_equal(tx->full, 1);
	assert_false(nhn_msg_busy(out_tx()));
	assert_int_equal(message_send(out_tx(), 8, 48), 0);
	for (i = 0; i < 4; i++)
		expect_received(in_rx(), i, 1024);
	expect_received(in_rx(), 8, 48);
	expect_nothing(in_rx());
}

/* A message on its way stops in the middle where there is no room, and goes on there. */
static void
test_full_in_the_middle(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint64_t full;
	int ret;

	(void)state;
	rig_begin();
	message_place(&buffer, &vector, 9000);
	assert_int_equal(message_send(out_tx(), 1, 9000), -EINPROGRESS);
	while ((ret = nhn_msg_send_step(out_tx())) == -EINPROGRESS)
		continue;
	assert_int_equal(ret, -EAGAIN);
	full = out_tx()->tx->full;
	assert_int_equal(nhn_msg_send_step(out_tx()), -EAGAIN);
	assert_int_equal(out_tx()->tx->full, full + 1);
	expect_refused(out_tx(), -EAGAIN); /* it is on its way */
	pattern_fill(rig.out, 9000, 1, 1);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, 1, 9000);
	expect_nothing(in_rx());
}

static void
test_invalid(void **state)
{
	const uint16_t flags[] = {NHN_MESSAGE_ABORTED, 16, 0x8000, 0xffff};
	struct nhn_message_head head = message_head(0, 40);
	struct iovec vector[2] = {{rig.out, 20}, {rig.out, 20}};
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 0; i < 4; i++) {
		head.flags = flags[i];
		head.length = 40;
		assert_int_equal(nhn_msg_send(out_tx(), &head, rig.out), -EINVAL);
		assert_int_equal(nhn_msg_sendv(out_tx(), &head, vector, 2), -EINVAL);
		head.length = 4000;
		assert_int_equal(nhn_msg_send(out_tx(), &head, rig.out), -EINVAL);
	}
	head.flags = 0;
	for (head.length = 0; head.length < 80; head.length++)
		if (head.length != 40)
			assert_int_equal(nhn_msg_sendv(out_tx(), &head, vector, 2), -EINVAL);
	head.length = 40;
	vector[0].iov_len = (size_t)1 << 32; /* and 20: a sum that 32 bits do not hold */
	vector[1].iov_len = 40;
	assert_int_equal(nhn_msg_sendv(out_tx(), &head, vector, 2), -EINVAL);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 0, 5), 0);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 57, 5), 0);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, UINT32_MAX, 5), 0);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 5, 0), 0);
	assert_null(nhn_msg_reserve(out_tx(), RIG_DATA / 2 + 1));
	expect_nothing(in_rx());
	exchange(0, 3000);
}

/* ---- lossy ---- */

static void
test_lossy_drops_whole_messages(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin();
	out_tx()->lossy = true;
	for (i = 0; i < RIG_CELLS + 7; i++)
		assert_int_equal(message_send(out_tx(), i, 40), 0);
	assert_int_equal(out_tx()->dropped, 7);
	assert_int_equal(message_send(out_tx(), 99, 100000), 0);
	assert_int_equal(out_tx()->dropped, 8);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 8, 20), 20);
	assert_int_equal(out_tx()->dropped, 28);
	assert_false(nhn_msg_busy(out_tx()));
	for (i = 0; i < RIG_CELLS; i++)
		expect_received(in_rx(), i, 40);
	expect_nothing(in_rx());
	exchange(30, 100);
	assert_int_equal(out_tx()->dropped, 28);
}

/* One that was begun is sent to its end; others meanwhile are dropped. */
static void
test_lossy_in_the_middle(void **state)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	(void)state;
	rig_begin();
	out_tx()->lossy = true;
	message_place(&buffer, &vector, 9000);
	assert_int_equal(message_send(out_tx(), 1, 9000), -EINPROGRESS);
	while (nhn_msg_send_step(out_tx()) != -EAGAIN)
		continue;
	assert_int_equal(out_tx()->dropped, 0);
	assert_int_equal(message_send(out_tx(), 2, 9000), 0);
	assert_int_equal(message_send(out_tx(), 3, 8), 0);
	assert_int_equal(out_tx()->dropped, 2);
	pattern_fill(rig.out, 9000, 1, 1);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, 1, 9000);
	expect_nothing(in_rx());
	assert_int_equal(out_tx()->dropped, 2);
}

static void
test_lossy_without_a_peer(void **state)
{
	(void)state;
	node_begin(&rig.host);
	node_begin(&rig.guest);
	out_tx()->lossy = true;
	assert_int_equal(message_send(out_tx(), 1, 8), 0);
	assert_int_equal(message_send(out_tx(), 1, 8000), 0);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 8, 9), 9);
	assert_int_equal(out_tx()->dropped, 11);
	rig_up();
	expect_nothing(in_rx());
}

/* ---- watermarks ---- */

static void
expect_mark(uint32_t cells, uint32_t data)
{
	struct nhn_msg_watermark mark = nhn_msg_watermarks(out_tx());

	assert_int_equal(mark.cells, cells);
	assert_int_equal(mark.data, data);
	assert_int_equal(mark.cell_count, 64);
	assert_int_equal(mark.data_bytes, 65536);
}

static void
read_all(void)
{
	struct nhn_msg_piece piece;

	while (nhn_msg_peek(in_rx(), &piece, 1) == 1)
		assert_int_equal(nhn_msg_release(in_rx()), 0);
}

static void
send_short(uint32_t count)
{
	while (count-- > 0)
		assert_int_equal(message_send(out_tx(), count, 8), 0);
}

static void
test_watermarks_of_cells(void **state)
{
	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	expect_mark(16, 16384); /* a quarter is not told from less */
	send_short(16);
	expect_mark(16, 16384);
	send_short(1);
	expect_mark(17, 16384);
	send_short(23);
	expect_mark(40, 16384);
	read_all();
	send_short(30);
	read_all();
	send_short(20);
	expect_mark(30, 16384); /* the highest since the last look */
	expect_mark(20, 16384); /* and what is in use now */
	send_short(44);
	expect_mark(64, 16384);
	assert_int_equal(message_send(out_tx(), 1, 8), -EAGAIN);
	read_all();
	expect_mark(16, 16384);
	assert_int_equal(nhn_msg_send_packed(out_tx(), 1, rig.out, 8, 7 * 37), 7 * 37);
	read_all();
	expect_mark(37, 16384);
}

static void
test_watermarks_of_data(void **state)
{
	const struct nhn_message_head head = message_head(1, 40000);

	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	exchange(1, 4096); /* up to the ring's end: no fragment skips it */
	expect_mark(16, 16384);
	message_send(out_tx(), 1, 40000);
	while (nhn_msg_send_step(out_tx()) != 0)
		continue;
	read_all();
	expect_mark(16, 40000);
	message_send(out_tx(), 1, 16384 + 65);
	while (nhn_msg_send_step(out_tx()) != 0)
		continue;
	read_all();
	message_send(out_tx(), 1, 100);
	expect_mark(16, 16384 + 128);
	read_all();
	expect_mark(16, 16384);
	assert_int_equal(nhn_msg_send(out_tx(), &head, rig.out), -EINPROGRESS);
	nhn_msg_cancel(out_tx());
	expect_mark(16, 16384);
}

static void
commit_in_place(uint32_t length)
{
	const struct nhn_message_head head = message_head(1, length);
	void *body = nhn_msg_reserve(out_tx(), length);

	assert_non_null(body);
	memset(body, 0, length);
	nhn_msg_commit(out_tx(), &head, body);
}

/* Few cells, much data. */
static void
test_watermarks_of_data_in_place(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	exchange(1, 4096);
	for (i = 0; i < 3; i++)
		commit_in_place(10000);
	read_all();
	expect_mark(16, 3 * 10048);
	for (i = 0; i < 4; i++)
		commit_in_place(5000);
	read_all();
	commit_in_place(100);
	expect_mark(16, 4 * 5056);
}

static void
test_watermarks_while_it_is_read(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	for (i = 0; i < 500; i++)
		exchange(i, i * 16);
	expect_mark(16, 16384);
	assert_int_equal(out_tx()->tx->full, 0);
}

/* Sending is refused while the peer is late: that is no use of the ring. */
static void
test_watermarks_while_the_peer_is_late(void **state)
{
	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	send_short(20);
	node_alone(&rig.host, 5);
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_STALLED);
	expect_mark(20, 16384);
	read_all();
	rig_up();
	expect_mark(16, 16384);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_not_connected),
		TEST(test_late_peer),
		TEST(test_full_ring),
		TEST(test_full_data_ring),
		TEST(test_full_in_the_middle),
		TEST(test_invalid),
		TEST(test_lossy_drops_whole_messages),
		TEST(test_lossy_in_the_middle),
		TEST(test_lossy_without_a_peer),
		TEST(test_watermarks_of_cells),
		TEST(test_watermarks_of_data),
		TEST(test_watermarks_of_data_in_place),
		TEST(test_watermarks_while_it_is_read),
		TEST(test_watermarks_while_the_peer_is_late),
	};

	return cmocka_run_group_tests_name("msg_answers", tests, NULL, NULL);
}
