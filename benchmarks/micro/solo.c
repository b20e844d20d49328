/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of a channel in one process, for counting instructions: as many
 * 60-byte messages as asked for, each sent and received alone, or 256 there and
 * then received in bursts of 32; or messages of lib/msg of 48 bytes, each alone.
 * The bytes written and read are the caller's business in life; here 8 of them
 * show that the right message came.
 *
 * usage: solo lone|burst|message MESSAGES   (a multiple of 256; see benchmarks/instructions)
 */

#include <stdio.h>
#include <stdlib.h>

#include <nhn_msg.h>

#include "counted.h"

#define TURN 256u
#define BODY 60u
#define AREA_BYTES (1u << 18)

static struct nhn_link host;
static struct nhn_link guest;

COUNTED void
send_lone(struct nhn_tx *tx, uint64_t *number)
{
	uint8_t *body = nhn_tx_reserve(tx, BODY);

	memcpy(body, number, sizeof(*number));
	nhn_tx_commit(tx, body, BODY);
}

COUNTED void
receive_lone(struct nhn_rx *rx, uint64_t *number)
{
	struct nhn_view view;

	if (nhn_rx_peek(rx, &view, 1) != 1)
		abort();
	nhn_foreign_copy(number, view.data, sizeof(*number));
	if (nhn_rx_release(rx) != 0)
		abort();
}

COUNTED void
send_burst(struct nhn_tx *tx, uint64_t number)
{
	struct nhn_tx_run run = nhn_tx_begin(tx);
	uint32_t i;

	for (i = 0; i < TURN; i++, number++) {
		uint8_t *body = nhn_tx_reserve_at(&run, BODY);

		memcpy(body, &number, sizeof(number));
		nhn_tx_commit_at(&run, body, BODY);
	}
	nhn_tx_end(&run);
}

COUNTED uint64_t
receive_burst(struct nhn_rx *rx)
{
	struct nhn_view views[32];
	uint64_t sum = 0;
	uint32_t turn;
	uint32_t i;

	for (turn = 0; turn < TURN / 32; turn++) {
		if (nhn_rx_peek(rx, views, 32) != 32)
			abort();
		for (i = 0; i < 32; i++)
			sum += *(const uint64_t *)nhn_foreign_lend(views[i].data);
		if (nhn_rx_release(rx) != 0)
			abort();
	}
	return sum;
}

COUNTED void
send_message(struct nhn_msg_tx *tx, const struct nhn_message_head *head, const void *bytes)
{
	if (nhn_msg_send(tx, head, bytes) != 0)
		abort();
}

COUNTED void
receive_message(struct nhn_msg_rx *rx, uint64_t *number)
{
	struct nhn_msg_piece piece;

	if (nhn_msg_peek(rx, &piece, 1) != 1)
		abort();
	nhn_foreign_copy(number, piece.data, sizeof(*number));
	if (nhn_msg_release(rx) != 0)
		abort();
}

static void
side_init(struct nhn_link *link, enum nhn_role role, enum nhn_use use, void *memory)
{
	struct nhn_link_config config = {.use = use, .random = 2};
	struct nhn_refusal refusal;

	nhn_layout_uniform(&config.layout, 1, use, 1024, 0);
	nhn_link_joint(&config, role, memory, 2 * AREA_BYTES);
	if (nhn_link_init(link, &config, &refusal) != 0)
		abort();
}

static int
lone(uint64_t messages)
{
	struct nhn_tx *tx = nhn_link_tx(&host, 0);
	struct nhn_rx *rx = nhn_link_rx(&guest, 0);
	uint64_t number;
	uint64_t i;

	for (i = 0; i < messages; i++) {
		number = i;
		send_lone(tx, &number);
		number = ~i;
		receive_lone(rx, &number);
		if (number != i)
			return 1;
	}
	return 0;
}

static int
burst(uint64_t messages)
{
	uint64_t i;

	for (i = 0; i < messages; i += TURN) {
		send_burst(nhn_link_tx(&host, 0), i);
		if (receive_burst(nhn_link_rx(&guest, 0)) != TURN * i + TURN * (TURN - 1) / 2)
			return 1;
	}
	return 0;
}

static int
message(uint64_t messages)
{
	struct nhn_message_head head = {.length = 48};
	uint64_t bytes[6] = {0};
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;
	uint64_t number;

	nhn_msg_tx_init(&tx, &host, 0);
	nhn_msg_rx_init(&rx, &guest, 0);
	for (bytes[0] = 0; bytes[0] < messages; bytes[0]++) {
		send_message(&tx, &head, bytes);
		receive_message(&rx, &number);
		if (number != bytes[0])
			return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	enum nhn_use use = argc == 3 && strcmp(argv[1], "message") == 0 ? NHN_USE_MSG : NHN_USE_RAW;
	unsigned long messages = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	void *memory = aligned_alloc(4096, 2 * AREA_BYTES);
	uint64_t i;

	if (messages == 0 || messages % TURN != 0 || memory == NULL) {
		fprintf(stderr, "usage: solo lone|burst|message MESSAGES, a multiple of %u\n",
			TURN);
		return 2;
	}
	memset(memory, 0, 2 * AREA_BYTES);
	side_init(&host, NHN_ROLE_HOST, use, memory);
	side_init(&guest, NHN_ROLE_GUEST, use, memory);
	for (i = 0; i < 20; i++) {
		nhn_link_control(&host, i);
		nhn_link_control(&guest, i);
	}
	if (use == NHN_USE_MSG)
		return message(messages);
	return strcmp(argv[1], "lone") == 0 ? lone(messages) : burst(messages);
}
