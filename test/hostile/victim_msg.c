/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include "victim_msg.h"

/* Why no more: lesson_loads_test.c. */
/** One step of sending: both cursors for room, and both for a watermark. */
#define STEP_LOADS 4u
/** A message given up: a cell's room, and both cursors for a watermark. */
#define ABORT_LOADS 3u
/** A send first tells of one that was given up. */
#define SEND_LOADS (ABORT_LOADS + STEP_LOADS)
/** A relay may have given up that one, for which there was no room; and two commit words. */
#define RELAY_LOADS (SEND_LOADS + 1u + 2u)

struct hostile_call msg_calls[MSG_CALLS] = {
	[MSG_PEEK] = {.name = "msg peek of n",
		      .bound = "a commit word for each piece found and one more, n at most; for "
			       "each two copies, a head and what a DESC or PACK cell says"},
	[MSG_RELEASE] = {.name = "msg release", .bound = "the commit words of the cells held"},
	[MSG_RECEIVE] = {.name = "msg receive",
			 .bound = "2 words; 3 copies, and one for each part of the vector written"},
	[MSG_FRONT] = {.name = "msg front", .bound = "2 words, 3 copies"},
	[MSG_SKIP] = {.name = "msg skip", .bound = "none"},
	[MSG_SEND] = {.name = "msg send", .bound = "7 words, the reader's cursors"},
	[MSG_SEND_STEP] = {.name = "msg send step", .bound = "4 words, the reader's cursors"},
	[MSG_SEND_PACKED] = {.name = "msg packed",
			     .bound = "1 word for each cell written and one more, and 2; after "
				      "one given up 3"},
	[MSG_RELAY] =
		{.name = "msg relay",
		 .bound = "10 words, 3 copies; a pack of long cells into short ones: 11 words"},
	[MSG_RPC_CALL] = {.name = "rpc call", .bound = "7 words"},
	[MSG_POLL] = {.name = "endpoint poll",
		      .bound = "3 words a channel and 6; every 256th: a look and a step as well, "
			       "and 3 words a client"},
};

/* ---- guarded memory ---- */

void
guarded_init(struct guarded *guarded, uint32_t bytes, uint64_t seed)
{
	uint64_t random = seed;
	uint32_t left = bytes;
	uint8_t *next = guarded->memory + 64;
	uint32_t i;

	assert_true(bytes + (GUARDED_PARTS + 1) * 64 <= GUARDED_BYTES);
	memset(guarded->memory, GUARDED_CANARY, sizeof(guarded->memory));
	for (i = 0; i < GUARDED_PARTS; i++) {
		uint32_t part = i + 1 == GUARDED_PARTS ? left : pattern_below(&random, left + 1);

		guarded->vector[i].iov_base = next;
		guarded->vector[i].iov_len = part;
		next += part + 64;
		left -= part;
	}
	guarded->bytes = bytes;
	guarded->ended = false;
}

static uint64_t
sum_of(const struct guarded *guarded)
{
	uint64_t sum = 0;
	uint64_t word;
	uint32_t i;

	for (i = 0; i < GUARDED_BYTES; i += sizeof(word)) {
		memcpy(&word, guarded->memory + i, sizeof(word));
		sum = sum * 31 + word;
	}
	return sum;
}

bool
guarded_whole(const struct guarded *guarded)
{
	static uint8_t canaries[GUARDED_BYTES];
	const uint8_t *byte = guarded->memory;
	uint32_t i;

	if (canaries[0] == 0)
		memset(canaries, GUARDED_CANARY, sizeof(canaries));
	if (guarded->ended && guarded->sum != sum_of(guarded))
		return false;
	for (i = 0; i <= GUARDED_PARTS; i++) {
		const uint8_t *end = i < GUARDED_PARTS ? guarded->vector[i].iov_base
						       : guarded->memory + GUARDED_BYTES;

		if (byte < end && memcmp(byte, canaries, (size_t)(end - byte)) != 0)
			return false;
		if (i < GUARDED_PARTS)
			byte = end + guarded->vector[i].iov_len;
	}
	return true;
}

void
guarded_end(struct guarded *guarded)
{
	guarded->sum = sum_of(guarded);
	guarded->ended = true;
}

bool
guarded_matches(const struct guarded *guarded, uint32_t length, uint64_t seed, uint64_t number)
{
	static uint8_t bytes[GUARDED_BYTES];
	uint32_t filled = 0;
	uint32_t i;

	for (i = 0; i < GUARDED_PARTS; i++) {
		memcpy(bytes + filled, guarded->vector[i].iov_base, guarded->vector[i].iov_len);
		filled += (uint32_t)guarded->vector[i].iov_len;
	}
	return length <= filled && pattern_matches(bytes, length, seed, number);
}

/* ---- reader ---- */

int
msg_peek(struct hostile *h, struct nhn_msg_rx *rx, struct nhn_msg_piece *pieces, uint32_t count)
{
	uint32_t head = rx->rx->head;
	uint32_t found, looked;
	int answer;

	hostile_enter(h);
	answer = nhn_msg_peek(rx, pieces, count);
	found = answer > 0 ? (uint32_t)answer : 0;
	looked = found + (found < count);
	hostile_check(h, found <= count && rx->rx->head - head == found);
	hostile_check(h, answer >= 0 || answer == -ESTALE);
	hostile_check(h, h->loads == looked);
	hostile_leave(h, &msg_calls[MSG_PEEK],
		      (struct hostile_bound){.loads = looked, .copies = 2 * looked});
	return answer;
}

int
msg_release(struct hostile *h, struct nhn_msg_rx *rx)
{
	uint32_t held = rx->rx->head - rx->rx->released;
	int ret;

	hostile_enter(h);
	ret = nhn_msg_release(rx);
	hostile_check(h, h->loads == held && h->copies == 0);
	hostile_leave(h, &msg_calls[MSG_RELEASE], (struct hostile_bound){.loads = held});
	return ret;
}

int
msg_receive(struct hostile *h, struct nhn_msg_rx *rx, struct nhn_msg_buffer *buffer)
{
	uint32_t released = rx->rx->released;
	bool held = rx->holding;
	uint32_t loads;
	int ret;

	hostile_enter(h);
	ret = nhn_msg_receive(rx, buffer);
	loads = !held + (rx->rx->released - released);
	hostile_check(h, h->loads == loads && loads <= 2);
	hostile_leave(h, &msg_calls[MSG_RECEIVE],
		      (struct hostile_bound){.loads = 2, .copies = 3 + buffer->vectors});
	hostile_check(h, ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN || ret == -EMSGSIZE ||
				 ret == -ECANCELED || ret == -ESTALE);
	hostile_check(h, ret != 0 || buffer->head.length <= buffer->capacity);
	hostile_check(h, !rx->holding || rx->piece.length <= (uint32_t)rx->rx->cell_count << 7 ||
				 rx->piece.length <= rx->rx->data_bytes / 2);
	return ret;
}

int
msg_front(struct hostile *h, struct nhn_msg_rx *rx, struct nhn_message_head *head)
{
	uint32_t released = rx->rx->released;
	bool known = rx->holding || (rx->begun && !rx->skipping);
	int ret;

	hostile_enter(h);
	ret = nhn_msg_front(rx, head);
	hostile_check(h, h->loads == !known + (rx->rx->released - released));
	hostile_leave(h, &msg_calls[MSG_FRONT], (struct hostile_bound){.loads = 2, .copies = 3});
	hostile_check(h, ret == 0 || ret == -EAGAIN || ret == -ESTALE);
	return ret;
}

void
msg_skip(struct hostile *h, struct nhn_msg_rx *rx)
{
	uint32_t released = rx->rx->released;

	hostile_enter(h);
	nhn_msg_skip(rx);
	hostile_check(h, rx->rx->released == released);
	hostile_leave(h, &msg_calls[MSG_SKIP], (struct hostile_bound){.loads = 0});
}

/* ---- writer ---- */

static void
tx_check(struct hostile *h, const struct nhn_tx *tx)
{
	hostile_check(h, (int32_t)(tx->limit - tx->tail) <= (int32_t)tx->cell_count);
}

int
msg_send(struct hostile *h, struct nhn_msg_tx *tx, const struct nhn_message_head *head,
	 const void *data)
{
	int ret;

	hostile_enter(h);
	ret = nhn_msg_send(tx, head, data);
	hostile_leave(h, &msg_calls[MSG_SEND], (struct hostile_bound){.loads = SEND_LOADS});
	hostile_check(h, ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN || ret == -ENOTCONN);
	tx_check(h, tx->tx);
	return ret;
}

int
msg_send_step(struct hostile *h, struct nhn_msg_tx *tx)
{
	int ret;

	hostile_enter(h);
	ret = nhn_msg_send_step(tx);
	hostile_leave(h, &msg_calls[MSG_SEND_STEP], (struct hostile_bound){.loads = STEP_LOADS});
	tx_check(h, tx->tx);
	return ret;
}

uint32_t
msg_send_packed(struct hostile *h, struct nhn_msg_tx *tx, uint32_t message_bytes, uint32_t count)
{
	static const uint8_t messages[4096];
	uint32_t given_up = tx->sending == NHN_MSG_ABORTING;
	uint32_t tail = tx->tx->tail;
	uint32_t sent;

	hostile_enter(h);
	sent = nhn_msg_send_packed(tx, 7, messages, message_bytes, count);
	hostile_leave(h, &msg_calls[MSG_SEND_PACKED],
		      (struct hostile_bound){.loads = tx->tx->tail - tail + 1 + 2 + given_up});
	hostile_check(h, sent <= count);
	tx_check(h, tx->tx);
	return sent;
}

int
msg_relay(struct hostile *h, struct nhn_msg_rx *from, struct nhn_msg_tx *to, uint32_t id)
{
	bool longer = from->rx->cell_bytes > to->tx->cell_bytes;
	int ret;

	hostile_enter(h);
	ret = nhn_msg_relay(from, to, id);
	hostile_leave(
		h, &msg_calls[MSG_RELAY],
		(struct hostile_bound){.loads = RELAY_LOADS + longer, .copies = 3, .lends = 1});
	hostile_check(h, ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN || ret == -ENOTCONN ||
				 ret == -ECONNRESET || ret == -ECANCELED || ret == -ESTALE);
	tx_check(h, to->tx);
	return ret;
}

/* ---- endpoint and rpc ---- */

int
msg_rpc_call(struct hostile *h, struct nhn_rpc_client *client, struct nhn_rpc_call *call)
{
	int ret;

	hostile_enter(h);
	ret = nhn_rpc_client_call(client, call);
	hostile_leave(h, &msg_calls[MSG_RPC_CALL], (struct hostile_bound){.loads = SEND_LOADS});
	hostile_check(h, ret == 0 || ret == -EAGAIN || ret == -ENOTCONN ||
				 (ret == -EINVAL &&
				  client->channel >= client->endpoint->link->layout.channels));
	return ret;
}

int
msg_poll(struct hostile *h, struct nhn_endpoint *endpoint, uint32_t clients)
{
	struct hostile_bound bound = {.loads = 3 * endpoint->channels + 6,
				      .copies = 3 + 2 + GUARDED_PARTS};
	int channel;

	if (endpoint->polls == 0) {
		struct hostile_bound step = link_step_bound(endpoint->link);

		bound.loads += 5 + step.loads + ABORT_LOADS * clients;
		bound.copies += step.copies;
	}
	hostile_enter(h);
	channel = nhn_endpoint_poll(endpoint);
	hostile_leave(h, &msg_calls[MSG_POLL], bound);
	hostile_check(h, channel == -EAGAIN || channel == -EINPROGRESS ||
				 (channel >= 0 && (uint32_t)channel < endpoint->channels &&
				  endpoint->handler[channel] == NULL));
	return channel;
}
