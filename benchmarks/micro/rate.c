/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rate of 60-byte messages in bursts of 32 from one process to another: the
 * channel beside a bare ring of one cell a message, in rotated rounds of one
 * run. Both ends do the same work for either: write 60 bytes in place, read 60
 * bytes in place, check the order.
 */

#include "../contest/bare_ring.h"
#include "duel.h"

#define BURST 32u
#define BODY 60u
#define REGION_BYTES (1u << 20)
/*
 * Pauses of a reader, of either ring, after a poll that found nothing: a reader
 * at the writer's heels takes each line away before it is full.
 */
#define EMPTY_PAUSES 8

enum contestant {
	BARE,
	CHANNEL,
	CONTESTANTS,
};

/* What both processes share beside the rings: rounds in lock-step. */
struct meeting {
	uint32_t reader_round __attribute__((aligned(64))); /* the reader has finished it */
	uint64_t broken;				    /* messages out of order or changed */
	struct bare_ring bare;				    /* its cells follow */
};

struct run {
	struct meeting *meeting;
	struct nhn_link link;
	struct bare_end bare;
	struct duel duel;
	uint64_t number; /* of the next message, over all rounds */
	uint8_t pattern[BODY];
};

static void
empty_pause(void)
{
	int i;

	for (i = 0; i < EMPTY_PAUSES; i++)
		duel_pause();
}

static void
message_write(const struct run *run, uint8_t *body, uint64_t number)
{
	memcpy(body, &number, sizeof(number));
	memcpy(body + sizeof(number), run->pattern + sizeof(number), BODY - sizeof(number));
}

/* Read every byte; 0 when all is as it was written. */
static uint64_t
message_difference(const struct run *run, const uint8_t *body, uint64_t number)
{
	uint64_t difference = 0;
	uint64_t word[BODY / 8];
	uint64_t wanted[BODY / 8];
	uint32_t last;
	uint32_t last_wanted;
	unsigned int i;

	memcpy(word, body, sizeof(word));
	memcpy(wanted, run->pattern, sizeof(wanted));
	memcpy(&last, body + sizeof(word), sizeof(last));
	memcpy(&last_wanted, run->pattern + sizeof(word), sizeof(last));
	wanted[0] = number;
	for (i = 0; i < BODY / 8; i++)
		difference |= word[i] ^ wanted[i];
	return difference | (last ^ last_wanted);
}

static void
bare_write(struct run *run)
{
	uint64_t number = run->number;
	uint64_t end = number + run->duel.messages;

	while (number != end) {
		uint8_t *body = bare_reserve(&run->bare);

		if (body == NULL)
			continue;
		message_write(run, body, number++);
		bare_commit(&run->bare);
	}
	run->number = number;
}

static void
bare_read(struct run *run)
{
	uint64_t number = run->number;
	uint64_t broken = 0;
	uint64_t end = number + run->duel.messages;

	while (number != end) {
		const uint8_t *body = bare_peek(&run->bare);

		if (body == NULL) {
			empty_pause();
			continue;
		}
		broken += message_difference(run, body, number++) != 0;
		bare_release(&run->bare);
	}
	run->number = number;
	run->meeting->broken += broken;
}

static void
channel_write(struct run *run)
{
	struct nhn_tx *tx = nhn_link_tx(&run->link, 0);
	uint64_t number = run->number;
	uint64_t end = number + run->duel.messages;
	uint32_t calls = 0;

	while (number != end) {
		struct nhn_tx_run burst = nhn_tx_begin(tx);
		uint32_t i;

		for (i = 0; i < BURST && number != end; i++) {
			uint8_t *body = nhn_tx_reserve_at(&burst, BODY);

			if (body == NULL)
				break;
			message_write(run, body, number++);
			nhn_tx_commit_at(&burst, body, BODY);
		}
		nhn_tx_end(&burst);
		if (++calls % 1024 == 0)
			nhn_link_control(&run->link, duel_now_ns());
	}
	run->number = number;
}

static void
channel_read(struct run *run)
{
	struct nhn_rx *rx = nhn_link_rx(&run->link, 0);
	uint64_t number = run->number;
	uint64_t broken = 0;
	uint64_t end = number + run->duel.messages;
	struct nhn_view views[BURST];
	uint32_t calls = 0;

	while (number != end) {
		int seen = nhn_rx_peek(rx, views, BURST);
		int i;

		if (seen == 0)
			empty_pause();
		for (i = 0; i < seen; i++)
			broken += message_difference(run, nhn_foreign_lend(views[i].data),
						     number++) != 0;
		if (seen > 0 && nhn_rx_release(rx) != 0)
			broken++;
		if (++calls % 1024 == 0)
			nhn_link_control(&run->link, duel_now_ns());
	}
	run->number = number;
	run->meeting->broken += broken;
}

static void
reader(struct run *run)
{
	uint32_t turn;

	for (turn = 0; turn < run->duel.rounds * CONTESTANTS; turn++) {
		if (duel_contestant(turn, CONTESTANTS) == BARE)
			bare_read(run);
		else
			channel_read(run);
		nhn_store_release(&run->meeting->reader_round, turn + 1);
	}
}

static void
writer(struct run *run, double rate[CONTESTANTS][DUEL_ROUNDS_MAX])
{
	uint32_t turn;

	for (turn = 0; turn < run->duel.rounds * CONTESTANTS; turn++) {
		uint32_t who = duel_contestant(turn, CONTESTANTS);
		uint64_t begin = duel_now_ns();

		if (who == BARE)
			bare_write(run);
		else
			channel_write(run);
		while (nhn_load_acquire(&run->meeting->reader_round) != turn + 1)
			nhn_link_control(&run->link, duel_now_ns());
		rate[who][turn / CONTESTANTS] =
			(double)run->duel.messages * 1e3 / (double)(duel_now_ns() - begin);
	}
}

static int
report(struct run *run, double rate[CONTESTANTS][DUEL_ROUNDS_MAX])
{
	static double ratio[DUEL_ROUNDS_MAX];
	uint32_t i;

	for (i = 0; i < run->duel.rounds; i++)
		ratio[i] = rate[CHANNEL][i] / rate[BARE][i];
	printf("%u rounds of %u messages of %u bytes each, bursts of %u, cores %d and %d\n",
	       run->duel.rounds, run->duel.messages, BODY, BURST, run->duel.core[0],
	       run->duel.core[1]);
	duel_print("bare ring", rate[BARE], run->duel.rounds, "M messages/s");
	duel_print("channel", rate[CHANNEL], run->duel.rounds, "M messages/s");
	duel_print("channel / bare ring, a round", ratio, run->duel.rounds, "x");
	printf("out of order, lost or changed: %llu\n", (unsigned long long)run->meeting->broken);
	return run->meeting->broken == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct run run = {
		.duel = {.name = "rate", .rounds = 61, .messages = 2000000, .core = {0, 1}}};
	static double rate[CONTESTANTS][DUEL_ROUNDS_MAX];
	struct nhn_layout layout;
	void *memory;
	pid_t child;
	unsigned int i;

	duel_options(&run.duel,
		     "Rate of 60-byte messages: the channel beside a bare ring, in rotated rounds.",
		     argc, argv);
	memory = duel_memory(&run.duel, REGION_BYTES);
	run.meeting = duel_memory(&run.duel, sizeof(*run.meeting) + BARE_BYTES(BARE_CELLS));
	run.bare.ring = &run.meeting->bare;
	run.bare.mask = BARE_CELLS - 1;
	for (i = 0; i < BODY; i++)
		run.pattern[i] = (uint8_t)(i * 37 + 11);
	nhn_layout_uniform(&layout, 1, NHN_USE_RAW, BARE_CELLS, 0);
	child = duel_fork(&run.duel);
	if (child == 0) {
		duel_pin(&run.duel, 1);
		duel_link_up(&run.link, NHN_ROLE_GUEST, &layout, memory, REGION_BYTES);
		reader(&run);
		_exit(0);
	}
	duel_pin(&run.duel, 0);
	duel_link_up(&run.link, NHN_ROLE_HOST, &layout, memory, REGION_BYTES);
	writer(&run, rate);
	waitpid(child, NULL, 0);
	return report(&run, rate);
}
