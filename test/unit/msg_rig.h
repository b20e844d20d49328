/* SPDX-License-Identifier: BSD-3-Clause */
/* Two sides of a link of message channels in one process, each with an endpoint, under a fake
 * clock that moves by rig.tick_ns at each look. */
#ifndef NHN_TEST_MSG_RIG_H
#define NHN_TEST_MSG_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nhn_endpoint.h>

#include "pattern.h"

#define RIG_BYTES (1u << 20)
#define RIG_CHANNELS 4u
#define RIG_CELLS 16u
#define RIG_DATA 4096u
#define RIG_MS 1000000u
#define RIG_TURNS 60u
#define RIG_CONTENT (1u << 20) /* bytes that a message of these tests has at most */

struct node {
	struct nhn_link link;
	struct nhn_link_config config;
	struct nhn_endpoint endpoint;
};

struct msg_rig {
	uint8_t *base;
	uint64_t now_ns;
	uint64_t tick_ns;
	uint32_t looks;	    /* at the clock */
	void (*look)(void); /* done at each, if not NULL: what the peer does meanwhile */
	struct node host;
	struct node guest;
	uint8_t out[RIG_CONTENT];
	uint8_t in[RIG_CONTENT + 64];
};

/* The default is tuned now and then; what is tested here is not. */
static const struct nhn_msg_policy rig_policy = {
	.fragment_bytes = 16384,
	.fetch_bytes = 2048,
	.stream_bytes = 16384,
	.stream_ring_bytes = 4u << 20,
};

/* The one rig of a test program, new for each test. */
static struct msg_rig rig;

static inline uint64_t
rig_clock(void *context)
{
	(void)context;
	rig.looks++;
	if (rig.look != NULL)
		rig.look();
	return rig.now_ns += rig.tick_ns;
}

static inline void
node_configure(struct node *node, enum nhn_role role, uint64_t bytes)
{
	memset(&node->config, 0, sizeof(node->config));
	nhn_link_joint(&node->config, role, rig.base, bytes);
	node->config.use = NHN_USE_MSG;
	node->config.random = 0x1234567u * (uint32_t)role;
}

/* The layout of the host's next life. */
static inline void
rig_lay(uint32_t channels, uint32_t cells, uint32_t data_bytes, uint16_t cell_bytes)
{
	struct nhn_layout *layout = &rig.host.config.layout;
	uint32_t i;

	nhn_layout_uniform(layout, channels, NHN_USE_MSG, cells, data_bytes);
	for (i = 0; i < channels; i++)
		layout->entry[i].cell_bytes = cell_bytes;
}

/* Two configured sides on zeroed memory, neither started. */
static inline void
rig_open(uint64_t bytes)
{
	memset(&rig, 0, sizeof(rig));
	rig.base = aligned_alloc(4096, bytes);
	assert_non_null(rig.base);
	memset(rig.base, 0, bytes);
	rig.now_ns = 1000000000;
	rig.tick_ns = RIG_MS;
	node_configure(&rig.host, NHN_ROLE_HOST, bytes);
	node_configure(&rig.guest, NHN_ROLE_GUEST, bytes);
	rig_lay(RIG_CHANNELS, RIG_CELLS, RIG_DATA, 64);
}

static inline void
rig_close(void)
{
	free(rig.base);
	rig.base = NULL;
}

/* A life begins on whatever the memory holds; of the former nothing private is left. */
static inline void
node_begin(struct node *node)
{
	struct nhn_refusal refusal;
	uint32_t i;

	memset(&node->link, 0x5a, sizeof(node->link));
	memset(&node->endpoint, 0x5a, sizeof(node->endpoint));
	assert_int_equal(nhn_link_init(&node->link, &node->config, &refusal), 0);
	nhn_endpoint_init(&node->endpoint, &node->link, rig_clock, NULL);
	for (i = 0; i < NHN_CHANNELS_MAX; i++)
		node->endpoint.tx[i].policy = &rig_policy;
}

static inline void
node_step(struct node *node)
{
	rig.now_ns += RIG_MS;
	nhn_link_control(&node->link, rig.now_ns);
}

static inline void
rig_steps(uint32_t turns)
{
	while (turns-- > 0) {
		node_step(&rig.host);
		node_step(&rig.guest);
	}
}

static inline bool
rig_is_up(void)
{
	return nhn_link_state(&rig.host.link) == NHN_LINK_UP &&
	       nhn_link_state(&rig.guest.link) == NHN_LINK_UP;
}

/* Answer every -ESTALE that waits. */
static inline void
node_hear(struct node *node)
{
	struct nhn_msg_piece piece;
	uint32_t i;

	for (i = 0; i < node->link.layout.channels; i++)
		if (node->link.rx[i].stale)
			assert_int_equal(nhn_msg_peek(&node->endpoint.rx[i], &piece, 1), -ESTALE);
}

static inline void
rig_up(void)
{
	uint32_t turn;

	for (turn = 0; turn < RIG_TURNS && !rig_is_up(); turn++) {
		rig_steps(1);
		node_hear(&rig.host);
		node_hear(&rig.guest);
	}
	assert_true(rig_is_up());
}

static inline void
rig_begin(void)
{
	node_begin(&rig.host);
	node_begin(&rig.guest);
	rig_up();
}

/* Anew, with this layout. */
static inline void
rig_begin_laid(uint32_t channels, uint32_t cells, uint32_t data_bytes, uint16_t cell_bytes)
{
	rig_close();
	rig_open(RIG_BYTES);
	rig_lay(channels, cells, data_bytes, cell_bytes);
	rig_begin();
}

static inline int
setup(void **state)
{
	(void)state;
	rig_open(RIG_BYTES);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	rig_close();
	return 0;
}

/* ---- messages from the host to the guest, on channel 0 but where it is said ---- */

static inline struct nhn_msg_tx *
out_tx(void)
{
	return &rig.host.endpoint.tx[0];
}

static inline struct nhn_msg_rx *
in_rx(void)
{
	return &rig.guest.endpoint.rx[0];
}

static inline struct nhn_message_head
message_head(uint32_t number, uint32_t length)
{
	struct nhn_message_head head = {number, length, (uint16_t)(number * 7),
					(uint16_t)(number & NHN_MESSAGE_FLAGS)};

	return head;
}

static inline void
expect_head(const struct nhn_message_head *head, uint32_t number, uint32_t length)
{
	const struct nhn_message_head expected = message_head(number, length);

	assert_int_equal(head->id, expected.id);
	assert_int_equal(head->length, expected.length);
	assert_int_equal(head->type, expected.type);
	assert_int_equal(head->flags, expected.flags);
}

/* Begin to send message @p number out of rig.out. Returns what nhn_msg_send() did. */
static inline int
message_send(struct nhn_msg_tx *tx, uint32_t number, uint32_t length)
{
	const struct nhn_message_head head = message_head(number, length);

	assert_true(length <= RIG_CONTENT);
	pattern_fill(rig.out, length, 1, number);
	return nhn_msg_send(tx, &head, rig.out);
}

/* A place of exactly @p length bytes, with marked bytes behind it. */
static inline void
message_place(struct nhn_msg_buffer *buffer, struct iovec *vector, uint32_t length)
{
	vector->iov_base = rig.in;
	vector->iov_len = length;
	memset(rig.in, 0xee, length + 64);
	nhn_msg_buffer_init(buffer, vector, 1);
}

static inline void
expect_message(const struct nhn_msg_buffer *buffer, uint32_t number, uint32_t length)
{
	uint32_t i;

	expect_head(&buffer->head, number, length);
	assert_true(pattern_matches(rig.in, length, 1, number));
	for (i = length; i < length + 64; i++)
		assert_int_equal(rig.in[i], 0xee);
}

/* Both go on by steps until the message is whole, or the reader is told something else. */
static inline int
message_carry(struct nhn_msg_tx *tx, struct nhn_msg_rx *rx, struct nhn_msg_buffer *buffer)
{
	uint32_t turns = (uint32_t)(buffer->capacity / 16) + 100;
	int ret;

	while (turns-- > 0) {
		ret = nhn_msg_send_step(tx);
		assert_true(ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN);
		ret = nhn_msg_receive(rx, buffer);
		if (ret != -EAGAIN && ret != -EINPROGRESS)
			return ret;
	}
	fail_msg("never whole");
	return 0;
}

static inline void
exchange_on(struct nhn_msg_tx *tx, struct nhn_msg_rx *rx, uint32_t number, uint32_t length)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	int ret;

	message_place(&buffer, &vector, length);
	ret = message_send(tx, number, length);
	assert_true(ret == 0 || ret == -EINPROGRESS);
	assert_int_equal(message_carry(tx, rx, &buffer), 0);
	expect_message(&buffer, number, length);
	assert_false(nhn_msg_busy(tx));
	assert_int_equal(nhn_msg_receive(rx, &buffer), -EAGAIN);
}

static inline void
exchange(uint32_t number, uint32_t length)
{
	exchange_on(out_tx(), in_rx(), number, length);
}

/* Receive a message that is all there. */
static inline void
expect_received(struct nhn_msg_rx *rx, uint32_t number, uint32_t length)
{
	struct nhn_msg_buffer buffer;
	struct iovec vector;
	int ret;

	message_place(&buffer, &vector, length);
	while ((ret = nhn_msg_receive(rx, &buffer)) == -EINPROGRESS)
		continue;
	assert_int_equal(ret, 0);
	expect_message(&buffer, number, length);
}

/* The peer of nobody: this node's control step while the other one stands still. */
static inline void
node_alone(struct node *node, uint32_t turns)
{
	while (turns-- > 0) {
		rig.now_ns += 50 * RIG_MS;
		nhn_link_control(&node->link, rig.now_ns);
	}
}

#endif /* NHN_TEST_MSG_RIG_H */
