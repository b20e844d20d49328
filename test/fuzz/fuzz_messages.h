/* SPDX-License-Identifier: BSD-3-Clause */
/* Of fuzz_messages.c: its state, and the writer, which puts cells where a reader looks next. */
#ifndef NHN_TEST_FUZZ_MESSAGES_H
#define NHN_TEST_FUZZ_MESSAGES_H

#include <stdbool.h>

#include <nhn_rpc.h>

#include "fuzz.h"

#define CHANNELS 3u
#define STEPS_MAX 300u
#define PIECES_MAX 16u
#define CALLS 3u
#define SLOTS 4u
#define SERVER_BYTES 100u

enum step {
	STEP_PART,  /* goes on as an honest writer would, or nearly */
	STEP_RANGE, /* the same in the data ring */
	STEP_PACK,
	STEP_ANY, /* a head and a commit word as the input has them */
	STEP_PEEK,
	STEP_RECEIVE,
	STEP_SKIP,
	STEP_POLL,
	STEP_CALL,
	STEP_REPLY, /* an answer to an open call */
	STEP_RESTART,
	STEPS,
};

struct call {
	struct nhn_rpc_call call;
	struct iovec request, reply;
	uint8_t *ended; /* the reply's bytes as the call ended; NULL: it is open */
};

static struct fuzz {
	struct nhn_link link;
	struct nhn_endpoint endpoint;
	struct nhn_rpc_client client;
	struct nhn_rpc_slot slots[SLOTS];
	struct nhn_rpc_server server;
	struct call calls[CALLS];
	uint8_t *peer, *own; /* areas, as large as the layout needs */
	uint8_t *server_memory;
	struct iovec memory; /* of channel 0 */
	struct nhn_msg_buffer buffer;
	bool receiving; /* a message is begun by receive, or by peek */
	bool peeking;
	struct nhn_message_head begun; /* what was told of the message in pieces */
	uint32_t told;
} fuzz;

static inline uint8_t *
cell_of(uint32_t channel, uint32_t index)
{
	const struct nhn_channel_entry *entry = &fuzz.link.layout.entry[channel];

	return fuzz.peer + nhn_layout_offset(&fuzz.link.layout, channel) +
	       (size_t)(index % entry->cells) * entry->cell_bytes;
}

static inline void
commit(uint32_t channel, uint32_t index, uint32_t low, uint32_t flip)
{
	const struct nhn_channel_entry *entry = &fuzz.link.layout.entry[channel];
	uint32_t upper = 0x8000u | (fuzz.link.session & 0x7f) << 8 | (index / entry->cells & 255u);
	uint8_t *end = cell_of(channel, index) + entry->cell_bytes;

	nhn_store_release((uint32_t *)(void *)(end - 4), (upper << 16 | low) ^ flip);
}

static inline void
put_head(uint32_t channel, uint32_t index, const struct nhn_message_head *head)
{
	memcpy(cell_of(channel, index) + fuzz.link.layout.entry[channel].cell_bytes - 16, head,
	       sizeof(*head));
}

/* The head of what was begun, or of something new; one field of it may be wrong. */
static inline struct nhn_message_head
head_take(struct fuzz_input *input, uint32_t channel)
{
	const struct nhn_msg_rx *rx = &fuzz.endpoint.rx[channel];
	struct nhn_message_head head = rx->head;
	uint8_t odd = fuzz_u8(input);

	if (!rx->begun) {
		fuzz_take(input, &head, sizeof(head));
		head.flags &= NHN_MESSAGE_FLAGS;
		if (odd & 1)
			head.length %= 3000;
	}
	switch (odd >> 4) {
	case 12:
		head.flags ^= NHN_MESSAGE_ABORTED;
		break;
	case 13:
		head.length += fuzz_near(input);
		break;
	case 14:
		head.id++;
		break;
	case 15:
		head.flags ^= fuzz_u16(input);
	}
	return head;
}

static inline uint32_t
left_of(uint32_t channel, const struct nhn_message_head *head)
{
	const struct nhn_msg_rx *rx = &fuzz.endpoint.rx[channel];

	return rx->begun ? head->length - rx->peeked : head->length;
}

static inline void
step_part(struct fuzz_input *input, uint32_t channel, uint32_t index)
{
	struct nhn_message_head head = head_take(input, channel);
	uint32_t most = fuzz.link.layout.entry[channel].cell_bytes - 16u;
	uint32_t left = left_of(channel, &head);
	uint32_t length = left < most ? left : most;
	uint8_t odd = fuzz_u8(input);

	if (head.flags & NHN_MESSAGE_ABORTED)
		length = 0;
	put_head(channel, index, &head);
	commit(channel, index, (NHN_KIND_MSG << 8 | length) ^ (odd >> 6 == 3 ? odd & 63 : 0), 0);
}

static inline void
step_range(struct fuzz_input *input, uint32_t channel, uint32_t index)
{
	struct nhn_message_head head = head_take(input, channel);
	uint32_t bytes = fuzz.link.layout.entry[channel].data_bytes;
	struct nhn_descriptor descriptor = {.position = fuzz.link.rx[channel].data_head};
	uint32_t left = left_of(channel, &head);

	descriptor.length = fuzz_u16(input);
	if (descriptor.length > left)
		descriptor.length = left;
	if (bytes != 0 && (descriptor.position & (bytes - 1)) + descriptor.length > bytes)
		descriptor.position += -descriptor.position & (bytes - 1);
	if (fuzz_u8(input) == 255)
		descriptor.length += fuzz_near(input);
	memcpy(cell_of(channel, index), &descriptor, sizeof(descriptor));
	put_head(channel, index, &head);
	commit(channel, index, NHN_KIND_DESC << 8, 0);
}

static inline void
step_pack(struct fuzz_input *input, uint32_t channel, uint32_t index)
{
	struct nhn_pack_head pack = {.message_bytes = fuzz_u8(input) & 63};
	uint32_t room = fuzz.link.layout.entry[channel].cell_bytes - 8u;
	uint8_t odd = fuzz_u8(input);

	pack.messages = (uint8_t)(pack.message_bytes != 0 ? room / pack.message_bytes : 0);
	pack.messages -= odd & 1;
	memcpy(cell_of(channel, index) + room, &pack, sizeof(pack));
	commit(channel, index,
	       NHN_KIND_PACK << 8 | (uint32_t)((uint8_t)(pack.messages * pack.message_bytes) ^
					       (odd >> 4 == 15 ? odd : 0)),
	       0);
}

static inline void
step_write(struct fuzz_input *input, enum step step, uint32_t channel)
{
	uint32_t index = fuzz.link.rx[channel].head;
	struct nhn_message_head head;

	switch (step) {
	case STEP_PART:
		step_part(input, channel, index);
		return;
	case STEP_RANGE:
		step_range(input, channel, index);
		return;
	case STEP_PACK:
		step_pack(input, channel, index);
		return;
	default:
		index += fuzz_near(input);
		fuzz_take(input, &head, sizeof(head));
		put_head(channel, index, &head);
		commit(channel, index, NHN_KIND_MSG << 8 | fuzz_u8(input), fuzz_u32(input));
	}
}

#endif /* NHN_TEST_FUZZ_MESSAGES_H */
