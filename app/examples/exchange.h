/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both guests do once they have a link: send messages of many sizes to
 * host_dpdk, receive the echo of each, and compare.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "example.h"

#define EXCHANGE_MESSAGES 150u
#define EXCHANGE_TYPE 7u

/** From none at all to more than half of the data ring. */
static inline uint32_t
exchange_length(uint32_t i)
{
	return i < 100 ? i : (i - 99) * 16384 - 1;
}

/** Send one message, whole, and receive one into @p buffer. @return 0 or -errno */
static inline int
exchange_one(struct nhn_endpoint *endpoint, const struct nhn_message_head *head, void *bytes,
	     struct nhn_msg_buffer *buffer)
{
	const struct iovec vector = {.iov_base = bytes, .iov_len = head->length};
	uint64_t deadline_ns = nhn_node_now_ns(NULL) + 60 * EXAMPLE_SECOND_NS;
	int ret;

	ret = nhn_endpoint_send_wait(endpoint, 0, head, &vector, 1, deadline_ns);
	if (ret != 0)
		return ret;
	return nhn_endpoint_receive_wait(endpoint, 0, buffer, deadline_ns);
}

/** @return 0 when all echoes were what was sent, else 1, said why */
static inline int
exchange(struct nhn_endpoint *endpoint)
{
	static uint8_t sent[1u << 20], echo[1u << 20];
	const struct iovec place = {.iov_base = echo, .iov_len = sizeof(echo)};
	struct nhn_msg_buffer buffer;
	uint32_t i;

	nhn_msg_buffer_init(&buffer, &place, 1);
	for (i = 0; i < EXCHANGE_MESSAGES; i++) {
		struct nhn_message_head head = {
			.id = i, .length = exchange_length(i), .type = EXCHANGE_TYPE, .flags = 0};
		int ret;

		memset(sent, (int)(i % 251 + 1), head.length);
		ret = exchange_one(endpoint, &head, sent, &buffer);
		if (ret != 0) {
			fprintf(stderr, "message %u: %s\n", i, strerror(-ret));
			return 1;
		}
		if (memcmp(&buffer.head, &head, sizeof(head)) != 0 ||
		    memcmp(echo, sent, head.length) != 0) {
			fprintf(stderr, "message %u came back changed\n", i);
			return 1;
		}
	}
	printf("%u messages of up to %u bytes came back unchanged\n", i, exchange_length(i - 1));
	return 0;
}

#endif /* EXCHANGE_H */
