/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program may get wrong, and a peer can make it get wrong: refused, nothing lost. */

#include "msg_rig.h"

#define LONG 8192u
#define CHANNELS 2u

static uint8_t places[2][LONG + 64];
static struct iovec vectors[2][2]; /* the second of each must never be used */
static struct nhn_msg_buffer buffers[2];

static void
buffer_begin(uint32_t i)
{
	memset(places[i], 0xee, sizeof(places[i]));
	vectors[i][0].iov_base = places[i];
	vectors[i][0].iov_len = LONG;
	vectors[i][1].iov_base = NULL; /* a touch of it ends the test */
	vectors[i][1].iov_len = SIZE_MAX;
	nhn_msg_buffer_init(&buffers[i], vectors[i], 1);
}

static int
begin(void **state)
{
	(void)state;
	rig_open(RIG_BYTES);
	rig_lay(CHANNELS, 64, 65536, 64);
	rig_begin();
	buffer_begin(0);
	buffer_begin(1);
	return 0;
}

static struct nhn_msg_tx *
sender(uint32_t channel)
{
	return &rig.host.endpoint.tx[channel];
}

static int
receive(uint32_t channel, uint32_t buffer)
{
	return nhn_msg_receive(&rig.guest.endpoint.rx[channel], &buffers[buffer]);
}

/* All of a message into the ring. */
static void
send_whole(uint32_t channel, uint32_t number)
{
	int ret = message_send(sender(channel), number, LONG);

	while (ret == -EINPROGRESS)
		ret = nhn_msg_send_step(sender(channel));
	assert_int_equal(ret, 0);
}

static void
expect_untouched(uint32_t i)
{
	uint32_t j;

	for (j = LONG; j < sizeof(places[i]); j++)
		assert_int_equal(places[i][j], 0xee);
}

/* A message of another channel comes into the buffer while one is in it. */
static void
test_one_buffer_for_two_channels(void **state)
{
	int ret;

	(void)state;
	send_whole(1, 1);
	send_whole(0, 2);
	assert_int_equal(receive(1, 0), -EINPROGRESS);
	do
		ret = receive(0, 0);
	while (ret == -EINPROGRESS);
	assert_int_equal(ret, 0);
	assert_true(pattern_matches(places[0], LONG, 1, 2));
	/* It stands at its end now. */
	assert_int_equal(receive(1, 0), -EINVAL);
	assert_int_equal(receive(1, 0), -EINVAL);
	expect_untouched(0);
	nhn_msg_skip(&rig.guest.endpoint.rx[1]);
	assert_int_equal(receive(1, 0), -EAGAIN);
	send_whole(1, 3);
	do
		ret = receive(1, 0);
	while (ret == -EINPROGRESS || ret == -EAGAIN);
	assert_int_equal(ret, 0);
	assert_true(pattern_matches(places[0], LONG, 1, 3));
}

static void
test_two_buffers_for_one_message(void **state)
{
	int ret;

	(void)state;
	send_whole(0, 1);
	assert_int_equal(receive(0, 0), -EINPROGRESS);
	assert_int_equal(receive(0, 1), -EINVAL);
	do /* the first one goes on */
		ret = receive(0, 0);
	while (ret == -EINPROGRESS);
	assert_int_equal(ret, 0);
	assert_true(pattern_matches(places[0], LONG, 1, 1));
	assert_int_equal(places[1][0], 0xee);
	/* And one that had an earlier message. */
	send_whole(0, 2);
	assert_int_equal(receive(0, 1), -EINPROGRESS);
	assert_int_equal(receive(0, 0), -EINVAL);
	expect_untouched(0);
}

static void
test_buffer_begun_anew_in_the_middle(void **state)
{
	(void)state;
	send_whole(0, 1);
	assert_int_equal(receive(0, 0), -EINPROGRESS);
	buffer_begin(0);
	assert_int_equal(receive(0, 0), -EINVAL);
	assert_int_equal(places[0][0], 0xee);
}

static void
test_links_of_other_use(void **state)
{
	static struct nhn_endpoint endpoint;
	static struct nhn_link link;
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;

	(void)state;
	memset(&config, 0, sizeof(config));
	memset(rig.base, 0, RIG_BYTES);
	nhn_link_joint(&config, NHN_ROLE_HOST, rig.base, RIG_BYTES);
	nhn_layout_uniform(&config.layout, 2, NHN_USE_RAW, 16, 0);
	assert_int_equal(nhn_link_init(&link, &config, &refusal), 0);
	assert_int_equal(nhn_endpoint_init(&endpoint, &link, rig_clock, NULL), -EINVAL);
	assert_int_equal(nhn_msg_tx_init(&tx, &link, 1), -EINVAL);
	assert_int_equal(nhn_msg_rx_init(&rx, &link, 1), -EINVAL);
	assert_int_equal(nhn_msg_tx_init(&tx, &link, 2), 0); /* it may come */
	assert_int_equal(nhn_msg_tx_init(&tx, &link, NHN_CHANNELS_MAX), -EINVAL);
	nhn_link_joint(&config, NHN_ROLE_GUEST, rig.base, RIG_BYTES);
	config.use = NHN_USE_ETHERNET;
	assert_int_equal(nhn_link_init(&link, &config, &refusal), 0);
	assert_int_equal(nhn_endpoint_init(&endpoint, &link, rig_clock, NULL), -EINVAL);
}

static void
test_channel_that_is_not_there(void **state)
{
	const struct nhn_message_head head = {.length = 1};
	uint64_t full = rig.host.endpoint.tx[0].tx->full;

	(void)state;
	assert_int_equal(nhn_msg_send(sender(CHANNELS), &head, "x"), -EINVAL);
	assert_int_equal(nhn_msg_send(sender(0), &head, "x"), 0);
	assert_int_equal(rig.host.endpoint.tx[0].tx->full, full);
}

/* Given up with the ring full: told as soon as there is room, by whatever is sent next. */
static void
test_sending_after_one_that_was_given_up(void **state)
{
	uint64_t messages[7] = {1, 2, 3, 4, 5, 6, 7};
	struct nhn_msg_piece piece;
	uint32_t cells = 0;
	uint32_t way;

	(void)state;
	for (way = 0; way < 2; way++) {
		const struct nhn_message_head head = {.length = 4};
		void *body;

		assert_int_equal(message_send(sender(0), 1, LONG), -EINPROGRESS);
		while (nhn_msg_send_step(sender(0)) == -EINPROGRESS && sender(0)->sent == 0)
			continue;
		if (sender(0)->sending == NHN_MSG_SENT) /* all of it in one fragment */
			assert_int_equal(message_send(sender(0), 1, 3 * LONG), -EINPROGRESS);
		while (sender(0)->sent == 0)
			nhn_msg_send_step(sender(0));
		while (nhn_tx_reserve(sender(0)->tx, 0) != NULL) { /* full, by any means */
			nhn_tx_publish(sender(0)->tx,
				       nhn_tx_cell(sender(0)->tx, sender(0)->tx->tail), 0);
			cells++;
		}
		nhn_msg_cancel(sender(0));
		assert_true(nhn_msg_busy(sender(0)));
		assert_null(nhn_msg_reserve(sender(0), 8));
		assert_int_equal(nhn_msg_send_packed(sender(0), 0, messages, 8, 7), 0);
		/* Room: as if the reader had given all back. */
		nhn_store_release(&rig.guest.link.own->cursor[0].cells, sender(0)->tx->tail);
		if (way == 0) {
			assert_int_equal(nhn_msg_send_packed(sender(0), 0, messages, 8, 7), 7);
		} else {
			body = nhn_msg_reserve(sender(0), 4);
			assert_non_null(body);
			nhn_msg_commit(sender(0), &head, body);
		}
		assert_false(nhn_msg_busy(sender(0)));
		nhn_store_release(&rig.guest.link.own->cursor[0].cells, sender(0)->tx->tail);
	}
	assert_true(cells > 0);
	(void)piece;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_buffer_for_two_channels),
		TEST(test_two_buffers_for_one_message),
		TEST(test_buffer_begun_anew_in_the_middle),
		TEST(test_links_of_other_use),
		TEST(test_channel_that_is_not_there),
		TEST(test_sending_after_one_that_was_given_up),
	};

	return cmocka_run_group_tests_name("msg_misuse", tests, NULL, NULL);
}
