/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of all sizes: what is sent comes once, whole, in order; what each call answers. */

#include "msg_rig.h"

/* ---- sizes ---- */

static void
sizes_around(uint32_t *number, uint32_t middle)
{
	uint32_t length;

	for (length = middle - 1; length <= middle + 1; length++)
		exchange((*number)++, length);
}

static void
all_sizes(uint32_t data_bytes, uint16_t cell_bytes)
{
	static const uint32_t fixed[] = {0,  1,	 2,   46,  47,	48,  49,  58,	59,   60,   61,
					 64, 65, 110, 111, 112, 113, 128, 1023, 1024, 1025, 4095};
	uint32_t ring = data_bytes != 0 ? data_bytes : RIG_CELLS * cell_bytes;
	uint32_t number = 0;
	uint32_t lap, i;

	rig_begin_laid(1, RIG_CELLS, data_bytes, cell_bytes);
	for (lap = 0; lap < 3; lap++) { /* at other places of the rings */
		for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
			exchange(number++, fixed[i]);
		sizes_around(&number, ring / 4);
		sizes_around(&number, ring / 2);
		sizes_around(&number, ring);
		exchange(number++, 5 * ring + 77);
	}
	assert_true(out_tx()->tx->tail < 0x80000000u); /* the cursors passed 2^32 */
	assert_int_equal(out_tx()->tx->full + out_tx()->lost + out_tx()->dropped, 0);
}

static void
test_every_size(void **state)
{
	static const uint32_t data[] = {0, 4096, 65536};
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		all_sizes(data[i], 64);
		all_sizes(data[i], 128);
	}
}

/* What fits a cell takes one, in any channel; what does not is in the data ring. */
static void
test_cells_taken(void **state)
{
	struct nhn_tx *tx;
	uint32_t tail, i;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 4096, 64);
	tx = out_tx()->tx;
	for (i = 0; i <= 60; i++) {
		uint32_t data_tail = tx->data_tail;

		tail = tx->tail;
		exchange(i, i);
		assert_int_equal(tx->tail - tail, 1);
		assert_int_equal(tx->data_tail - data_tail, i <= 48 ? 0 : 64);
	}
	tail = tx->tail;
	exchange(0, 4096); /* four fragments of a quarter ring */
	assert_int_equal(tx->tail - tail, 4);
	tail = tx->tail;
	exchange(0, 1024 + 48); /* the rest fits a cell */
	assert_int_equal(tx->tail - tail, 2);
}

static void
test_big_fragments_are_limited(void **state)
{
	uint32_t tail;

	(void)state;
	rig_begin_laid(1, 64, 262144, 64);
	tail = out_tx()->tx->tail;
	exchange(1, 3 * rig_policy.fragment_bytes + 1);
	assert_int_equal(out_tx()->tx->tail - tail, 4);
}

static void
test_both_directions_and_all_channels(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 0; i < 40; i++) {
		uint32_t channel = i % RIG_CHANNELS;

		exchange_on(&rig.host.endpoint.tx[channel], &rig.guest.endpoint.rx[channel], i,
			    i * 301);
		exchange_on(&rig.guest.endpoint.tx[channel], &rig.host.endpoint.rx[channel], i,
			    i * 299);
	}
}

/* ---- parts ---- */

/* Cut @p length bytes at @p bytes in up to @p most parts, some of them empty. */
static uint32_t
cut(uint64_t *random, struct iovec *vector, uint32_t most, uint8_t *bytes, uint32_t length)
{
	uint32_t parts = 0;

	while (parts < most - 1 && length != 0) {
		uint32_t part = pattern_below(random, 4) == 0 ? 0 : pattern_length(*random, 1, 900);

		if (part > length)
			part = length;
		vector[parts].iov_base = part != 0 ? bytes : NULL;
		vector[parts++].iov_len = part;
		bytes += part;
		length -= part;
	}
	vector[parts].iov_base = bytes;
	vector[parts++].iov_len = length;
	return parts;
}

static void
exchange_parts(uint64_t *random, uint32_t number, uint32_t length, uint32_t most)
{
	static struct iovec from[600], to[600];
	struct nhn_message_head head = message_head(number, length);
	uint32_t odd = pattern_below(random, 8);
	struct nhn_msg_buffer buffer;
	int ret;

	pattern_fill(rig.out + odd, length, 1, number);
	memset(rig.in, 0xee, length + 64);
	nhn_msg_buffer_init(&buffer, to, cut(random, to, most, rig.in, length));
	ret = nhn_msg_sendv(out_tx(), &head, from, cut(random, from, most, rig.out + odd, length));
	memset(&head, 0xa5, sizeof(head)); /* it need not stay */
	assert_true(ret == 0 || ret == -EINPROGRESS);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, number, length);
}

static void
test_gather_and_scatter(void **state)
{
	uint64_t random = 5;
	uint32_t data, i;

	(void)state;
	for (data = 0; data <= 16384; data = data == 0 ? 4096 : data * 4) {
		rig_begin_laid(1, 32, data, 64);
		for (i = 0; i < 400; i++)
			exchange_parts(&random, i, pattern_length(3, i, 40000),
				       1 + pattern_below(&random, 599));
	}
}

/* Every byte a part of its own, and no part at all. */
static void
test_many_parts_and_none(void **state)
{
	static struct iovec vector[3000];
	const struct nhn_message_head none = message_head(9, 0);
	const struct nhn_message_head head = message_head(8, 3000);
	struct nhn_msg_buffer buffer;
	uint32_t i;

	(void)state;
	rig_begin();
	for (i = 0; i < 3000; i++) {
		vector[i].iov_base = rig.out + i;
		vector[i].iov_len = 1;
	}
	pattern_fill(rig.out, 3000, 1, 8);
	assert_int_equal(nhn_msg_sendv(out_tx(), &head, vector, 3000), -EINPROGRESS);
	for (i = 0; i < 3000; i++)
		vector[i].iov_base = rig.out + 3000 - 1 - i; /* not copied before its step */
	for (i = 0; i < 1024; i++)
		vector[i].iov_base = NULL; /* not looked at again */
	for (i = 1024; i < 3000; i++)
		vector[i].iov_base = rig.out + i;
	message_place(&buffer, vector, 3000);
	vector[0].iov_len = 1;
	nhn_msg_buffer_init(&buffer, &(struct iovec){rig.in, 3000}, 1);
	assert_int_equal(message_carry(out_tx(), in_rx(), &buffer), 0);
	expect_message(&buffer, 8, 3000);
	assert_int_equal(nhn_msg_sendv(out_tx(), &none, NULL, 0), 0);
	nhn_msg_buffer_init(&buffer, NULL, 0);
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), 0);
	expect_head(&buffer.head, 9, 0);
}

/* ---- steps ---- */

static uint32_t
copied(const struct nhn_msg_tx *tx)
{
	return tx->sent + (tx->body != NULL ? tx->filled : 0);
}

static void
test_a_call_sends_a_step(void **state)
{
	const uint32_t length = rig_policy.fragment_bytes + 3616;
	struct nhn_msg_tx *tx;
	uint32_t steps = 1;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 65536, 64);
	tx = out_tx();
	assert_int_equal(message_send(tx, 1, length), -EINPROGRESS);
	assert_int_equal(copied(tx), NHN_MSG_STEP_BYTES);
	while (steps < 20) {
		int ret = nhn_msg_send_step(tx);

		steps++;
		assert_int_equal(ret, steps == 20 ? 0 : -EINPROGRESS);
		assert_int_equal(copied(tx), steps == 20 ? length : steps * NHN_MSG_STEP_BYTES);
		assert_int_equal(nhn_msg_ready(in_rx()), steps >= 16);
	}
	assert_int_equal(nhn_msg_send_step(tx), 0);
	assert_int_equal(copied(tx), length);
	assert_int_equal(tx->result, 0);
	expect_received(in_rx(), 1, length);
}

/* Up to @p length bytes are there, none behind them. */
static void
expect_so_far(uint32_t length)
{
	assert_memory_equal(rig.in, rig.out, length);
	assert_int_equal(rig.in[length], 0xee);
	assert_int_equal(rig.in[length + 1], 0xee);
}

static void
test_a_call_receives_a_step(void **state)
{
	const uint32_t length = rig_policy.fragment_bytes + 3616;
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	uint32_t steps;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 65536, 64);
	message_place(&buffer, &vector, length);
	message_send(out_tx(), 1, length);
	memset(rig.out + length, 0, 8);
	while (nhn_msg_send_step(out_tx()) == -EINPROGRESS)
		continue;
	for (steps = 1; steps < 20; steps++) {
		assert_int_equal(nhn_msg_receive(in_rx(), &buffer), -EINPROGRESS);
		expect_head(&buffer.head, 1, length);
		expect_so_far(steps * NHN_MSG_STEP_BYTES);
	}
	assert_int_equal(nhn_msg_receive(in_rx(), &buffer), 0);
	expect_message(&buffer, 1, length);
}

/* Without a data ring a step is a cell. */
static void
test_a_step_without_a_data_ring(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin_laid(1, RIG_CELLS, 0, 64);
	assert_int_equal(message_send(out_tx(), 1, 480), -EINPROGRESS);
	for (i = 1; i < 10; i++) {
		assert_int_equal(copied(out_tx()), i * 48);
		assert_int_equal(nhn_msg_send_step(out_tx()), i == 9 ? 0 : -EINPROGRESS);
	}
	expect_received(in_rx(), 1, 480);
}

/* ---- the longest ---- */

#define SPARSE_PART 1048576u

/* One buffer, again and again: the address space need not hold the message. */
static uint32_t
sparse(struct iovec *vector, uint8_t *bytes, uint32_t length)
{
	uint32_t parts = 0;

	for (; length > SPARSE_PART; length -= SPARSE_PART, parts++) {
		vector[parts].iov_base = bytes;
		vector[parts].iov_len = SPARSE_PART;
	}
	vector[parts].iov_base = bytes;
	vector[parts].iov_len = length;
	return parts + 1;
}

static void
test_longest_message(void **state)
{
	static struct iovec from[4096], to[4096];
	uint32_t length = getenv("NHN_NIGHTLY") != NULL ? UINT32_MAX : 67108863;
	struct nhn_message_head head = message_head(3, length);
	struct nhn_msg_buffer buffer;
	uint64_t received = 0;
	int sent, ret;

	(void)state;
	rig_begin_laid(1, 64, 262144, 64);
	pattern_fill(rig.out, SPARSE_PART, 1, 3);
	nhn_msg_buffer_init(&buffer, to, sparse(to, rig.in, length));
	assert_true(buffer.capacity == length);
	sent = nhn_msg_sendv(out_tx(), &head, from, sparse(from, rig.out, length));
	for (ret = -EAGAIN; ret != 0; received += ret == -EINPROGRESS) {
		if (sent != 0)
			sent = nhn_msg_send_step(out_tx());
		ret = nhn_msg_receive(in_rx(), &buffer);
		assert_true(ret == 0 || ret == -EAGAIN || ret == -EINPROGRESS);
		if (received % 8192 == 1)
			memset(rig.in, 0, SPARSE_PART); /* is written again */
	}
	assert_int_equal(sent, 0);
	assert_true(received + 1 == (length + (uint64_t)NHN_MSG_STEP_BYTES - 1) / 1024);
	expect_head(&buffer.head, 3, length);
	assert_memory_equal(rig.in, rig.out, SPARSE_PART - 1);
	exchange(4, 100);
}

/* ---- copies past the caches ---- */

/* Near cores never store past the caches; far ones do, in rings that were measured. */
static void
test_policy_by_distance(void **state)
{
	const struct nhn_msg_policy *near = nhn_msg_policy_for(80);
	const struct nhn_msg_policy *far = nhn_msg_policy_for(470);

	(void)state;
	assert_ptr_equal(near, nhn_msg_policy_for(199));
	assert_ptr_equal(far, nhn_msg_policy_for(200));
	assert_int_equal(near->stream_ring_bytes, 0);
	assert_true(far->stream_bytes <= 65536 && far->stream_ring_bytes >= 1u << 20);
	assert_true(near->fragment_bytes >= NHN_MSG_STEP_BYTES &&
		    far->fragment_bytes >= NHN_MSG_STEP_BYTES);
}

static void
test_default_policy(void **state)
{
	const struct nhn_msg_policy *policy = &nhn_msg_policy_default;
	struct nhn_msg_tx tx;

	(void)state;
	node_begin(&rig.host);
	nhn_msg_tx_init(&tx, &rig.host.link, 0);
	assert_ptr_equal(tx.policy, policy);
	assert_true(policy->fragment_bytes >= NHN_MSG_STEP_BYTES && policy->stream_bytes > 48);
}

/* Fragments of odd lengths too: their ranges begin on a line all the same. */
static void
test_other_policies(void **state)
{
	struct nhn_msg_policy policy = {.fragment_bytes = 100};
	uint64_t random = 22;
	uint32_t i;

	(void)state;
	rig_begin_laid(1, 64, 65536, 64);
	out_tx()->policy = &policy;
	for (i = 0; i < 60; i++) {
		policy.fragment_bytes = 1 + i * i * i;
		policy.fetch_bytes = i * 1000;
		policy.stream_bytes = i % 3 * 1000;
		policy.stream_ring_bytes = i % 2 * 100000;
		exchange(i, 5000 + i * 501);
		exchange_parts(&random, i, 5000 + i * 777, 1 + pattern_below(&random, 599));
	}
}

static void
test_streaming_copies(void **state)
{
	uint64_t random = 21;
	uint32_t i;

	(void)state;
	rig_close();
	rig_open(24u << 20);
	rig_lay(1, 1024, 4u << 20, 64);
	rig_begin();
	for (i = 0; i < 60; i++) {
		uint32_t length = 16384 - 2 + i * 61 + (i % 5) * 100000;

		exchange(i, length); /* parts that are aligned */
		assert_int_equal(out_tx()->stream, length >= 16384);
		exchange_parts(&random, i, length, 1 + pattern_below(&random, 599));
	}
	exchange(1, 16383);
	assert_false(out_tx()->stream);
	exchange(1, 16384);
	assert_true(out_tx()->stream);
	exchange(1, 100); /* back to ordinary stores */
	assert_false(out_tx()->stream);
	rig_close();
	rig_open(48u << 20);
	rig_lay(1, 1024, 8u << 20, 64);
	rig_begin();
	exchange(1, 20000); /* too large a ring */
	assert_false(out_tx()->stream);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_size),
		TEST(test_cells_taken),
		TEST(test_big_fragments_are_limited),
		TEST(test_both_directions_and_all_channels),
		TEST(test_gather_and_scatter),
		TEST(test_many_parts_and_none),
		TEST(test_a_call_sends_a_step),
		TEST(test_a_call_receives_a_step),
		TEST(test_a_step_without_a_data_ring),
		TEST(test_longest_message),
		TEST(test_default_policy),
		TEST(test_policy_by_distance),
		TEST(test_other_policies),
		TEST(test_streaming_copies),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
