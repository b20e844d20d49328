/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rate of 8-byte messages from one process to another: a bare ring with a cell a
 * message, messages of lib/msg one by one, and packed, in rotated rounds of one
 * run. Both ends do the same work: write the number of each message, read it.
 */

#include <nhn_msg.h>

#include "../contest/bare_ring.h"
#include "duel.h"

#define BURST 56u /* messages handed over at once: eight cells of packs */
#define REGION_BYTES (1u << 20)
#define EMPTY_PAUSES 8

enum contestant {
	BARE,
	LONE,
	PACKED,
	CONTESTANTS,
};

static const char *const names[CONTESTANTS] = {"bare ring", "lone messages", "packed messages"};

struct meeting {
	uint32_t reader_turn __attribute__((aligned(64)));
	uint64_t broken;
	struct bare_ring bare; /* its cells follow */
};

struct run {
	struct duel duel;
	struct meeting *meeting;
	struct nhn_link link;
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;
	struct bare_end bare;
	uint64_t number; /* of the next message */
	double rate[CONTESTANTS][DUEL_ROUNDS_MAX];
};

static void
empty_pause(void)
{
	int i;

	for (i = 0; i < EMPTY_PAUSES; i++)
		duel_pause();
}

static void
control_now_and_then(struct run *run, uint32_t *calls)
{
	if (++*calls % 1024 == 0)
		nhn_link_control(&run->link, duel_now_ns());
}

static void
bare_write(struct run *run, uint64_t end)
{
	while (run->number != end) {
		uint8_t *body = bare_reserve(&run->bare);

		if (body == NULL)
			continue;
		memcpy(body, &run->number, sizeof(run->number));
		run->number++;
		bare_commit(&run->bare);
	}
}

static void
bare_read(struct run *run, uint64_t end)
{
	uint64_t broken = 0;

	while (run->number != end) {
		const uint8_t *body = bare_peek(&run->bare);
		uint64_t number;

		if (body == NULL) {
			empty_pause();
			continue;
		}
		memcpy(&number, body, sizeof(number));
		broken += number != run->number++;
		bare_release(&run->bare);
	}
	run->meeting->broken += broken;
}

static void
lone_write(struct run *run, uint64_t end)
{
	const struct nhn_message_head head = {.length = sizeof(run->number)};
	uint32_t calls = 0;

	while (run->number != end) {
		if (nhn_msg_send(&run->tx, &head, &run->number) == 0)
			run->number++;
		control_now_and_then(run, &calls);
	}
}

static void
packed_write(struct run *run, uint64_t end)
{
	uint64_t messages[BURST];
	uint32_t calls = 0;
	uint32_t i;

	while (run->number != end) {
		uint64_t left = end - run->number;
		uint32_t count = left < BURST ? (uint32_t)left : BURST;

		for (i = 0; i < count; i++)
			messages[i] = run->number + i;
		run->number +=
			nhn_msg_send_packed(&run->tx, 0, messages, sizeof(messages[0]), count);
		control_now_and_then(run, &calls);
	}
}

/* Lone ones and packs alike. @return messages that are not the next one */
static uint64_t
piece_read(struct run *run, const struct nhn_msg_piece *piece)
{
	uint64_t numbers[16];
	uint64_t broken = 0;
	uint32_t i;

	nhn_foreign_copy(numbers, piece->data, piece->length);
	for (i = 0; i < piece->messages; i++)
		broken += numbers[i] != run->number++;
	return broken;
}

static void
messages_read(struct run *run, uint64_t end)
{
	struct nhn_msg_piece pieces[32];
	uint64_t broken = 0;
	uint32_t calls = 0;

	while (run->number != end) {
		int seen = nhn_msg_peek(&run->rx, pieces, 32);
		int i;

		if (seen == 0)
			empty_pause();
		for (i = 0; i < seen; i++)
			broken += piece_read(run, &pieces[i]);
		if (seen > 0 && nhn_msg_release(&run->rx) != 0)
			broken++;
		control_now_and_then(run, &calls);
	}
	run->meeting->broken += broken;
}

static void
writer(struct run *run)
{
	uint32_t turn;

	for (turn = 0; turn < run->duel.rounds * CONTESTANTS; turn++) {
		uint32_t who = duel_contestant(turn, CONTESTANTS);
		uint64_t begin = duel_now_ns();
		uint64_t end = run->number + run->duel.messages;

		if (who == BARE)
			bare_write(run, end);
		else if (who == LONE)
			lone_write(run, end);
		else
			packed_write(run, end);
		while (nhn_load_acquire(&run->meeting->reader_turn) != turn + 1)
			nhn_link_control(&run->link, duel_now_ns());
		run->rate[who][turn / CONTESTANTS] =
			(double)run->duel.messages * 1e3 / (double)(duel_now_ns() - begin);
	}
}

static void
reader(struct run *run)
{
	uint32_t turn;

	for (turn = 0; turn < run->duel.rounds * CONTESTANTS; turn++) {
		if (duel_contestant(turn, CONTESTANTS) == BARE)
			bare_read(run, run->number + run->duel.messages);
		else
			messages_read(run, run->number + run->duel.messages);
		nhn_store_release(&run->meeting->reader_turn, turn + 1);
	}
}

static void
side_begin(struct run *run, enum nhn_role role, void *memory)
{
	struct nhn_layout layout;

	nhn_layout_uniform(&layout, 1, NHN_USE_MSG, BARE_CELLS, 0);
	duel_pin(&run->duel, role == NHN_ROLE_HOST ? 0 : 1);
	duel_link_up(&run->link, role, &layout, memory, REGION_BYTES);
	nhn_msg_tx_init(&run->tx, &run->link, 0);
	nhn_msg_rx_init(&run->rx, &run->link, 0);
}

static int
report(struct run *run)
{
	static double ratio[CONTESTANTS][DUEL_ROUNDS_MAX];
	char name[64];
	uint32_t who, i;

	printf("%u rounds of %u messages of 8 bytes each, cores %d and %d\n", run->duel.rounds,
	       run->duel.messages, run->duel.core[0], run->duel.core[1]);
	for (who = 0; who < CONTESTANTS; who++)
		for (i = 0; i < run->duel.rounds; i++)
			ratio[who][i] = run->rate[who][i] / run->rate[BARE][i];
	for (who = 0; who < CONTESTANTS; who++)
		duel_print(names[who], run->rate[who], run->duel.rounds, "M messages/s");
	for (who = LONE; who < CONTESTANTS; who++) {
		snprintf(name, sizeof(name), "%s / bare ring", names[who]);
		duel_print(name, ratio[who], run->duel.rounds, "x");
	}
	printf("out of order, lost or changed: %llu\n", (unsigned long long)run->meeting->broken);
	return run->meeting->broken == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct run run = {
		.duel = {.name = "packing", .rounds = 61, .messages = 2000000, .core = {0, 1}}};
	void *memory;
	pid_t child;

	duel_options(&run.duel, "Rate of 8-byte messages: packed, lone, and in a bare ring.", argc,
		     argv);
	memory = duel_memory(&run.duel, REGION_BYTES);
	run.meeting = duel_memory(&run.duel, sizeof(*run.meeting) + BARE_BYTES(BARE_CELLS));
	run.bare.ring = &run.meeting->bare;
	run.bare.mask = BARE_CELLS - 1;
	child = duel_fork(&run.duel);
	if (child == 0) {
		side_begin(&run, NHN_ROLE_GUEST, memory);
		reader(&run);
		_exit(0);
	}
	side_begin(&run, NHN_ROLE_HOST, memory);
	writer(&run);
	waitpid(child, NULL, 0);
	return report(&run);
}
