/* SPDX-License-Identifier: BSD-3-Clause */
/* Polls of the two endpoints, and what their channels have under way. */
#ifndef NHN_TEST_ENDPOINT_RIG_H
#define NHN_TEST_ENDPOINT_RIG_H

#include "msg_rig.h"

/* Four channels of these priorities; their rings hold what the tests send. */
static inline void
begin_with(uint8_t first, uint8_t second, uint8_t third, uint8_t fourth)
{
	struct nhn_channel_entry *entry = rig.host.config.layout.entry;

	rig_lay(4, 64, 16384, 64);
	entry[0].priority = first;
	entry[1].priority = second;
	entry[2].priority = third;
	entry[3].priority = fourth;
	rig_begin();
	/* The next control step is out of the way. */
	nhn_endpoint_poll(&rig.host.endpoint);
	nhn_endpoint_poll(&rig.guest.endpoint);
}

static inline int
poll_host(void)
{
	return nhn_endpoint_poll(&rig.host.endpoint);
}

static inline int
poll_guest(void)
{
	return nhn_endpoint_poll(&rig.guest.endpoint);
}

static inline struct nhn_msg_tx *
host_tx(uint32_t channel)
{
	return &rig.host.endpoint.tx[channel];
}

static inline struct nhn_msg_rx *
guest_rx(uint32_t channel)
{
	return &rig.guest.endpoint.rx[channel];
}

/* Bytes of the message on its way that are copied. */
static inline uint32_t
sent_of(uint32_t channel)
{
	const struct nhn_msg_tx *tx = host_tx(channel);

	return tx->sent + (tx->body != NULL ? tx->filled : 0);
}

static inline void
send_on(uint32_t channel, uint32_t length)
{
	const struct nhn_message_head head = message_head(channel, length);
	int ret = nhn_msg_send(host_tx(channel), &head, rig.out);

	assert_int_equal(ret, length <= 1024 ? 0 : -EINPROGRESS);
}

static inline void
receive_on(uint32_t channel)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;

	message_place(&buffer, &vector, 1024);
	assert_int_equal(nhn_msg_receive(guest_rx(channel), &buffer), 0);
	assert_int_equal(buffer.head.id, channel);
}

static inline void
drain_guest(uint32_t channel)
{
	struct nhn_msg_piece piece;

	assert_int_equal(nhn_msg_peek(guest_rx(channel), &piece, 1), 1);
	assert_int_equal(nhn_msg_release(guest_rx(channel)), 0);
}

static inline void
expect_order(const uint32_t order[4])
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		send_on(i, 10);
	for (i = 0; i < 4; i++) {
		assert_int_equal(poll_guest(), (int)order[i]);
		/* It is not taken: the next one has a turn, then it is named again. */
		assert_int_equal(poll_guest(), i == 3 ? -EAGAIN : (int)order[i + 1]);
		assert_int_equal(poll_guest(), (int)order[i]);
		receive_on(order[i]);
	}
	assert_int_equal(poll_guest(), -EAGAIN);
	for (i = 0; i < 4; i++) {
		send_on(i, 2 * 1024);
		assert_true(nhn_msg_busy(host_tx(i)));
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(poll_host(), -EINPROGRESS);
		assert_false(nhn_msg_busy(host_tx(order[i])));
		assert_true(i == 3 || nhn_msg_busy(host_tx(order[i + 1])));
	}
}

#endif /* NHN_TEST_ENDPOINT_RIG_H */
