/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packing, the receiving half: pieces are read in place, and a piece tells how many
 * messages it holds.
 *
 *     ./pack_receiver /dev/shm/nahanni
 *     ./pack_sender /dev/shm/nahanni       in another terminal
 */
#include "example.h"
#include "reading.h"

#define PIECES 16u
#define READINGS_A_PIECE 16u /* more than the largest cell holds */

static struct nhn_node me;
static struct reading readings[PIECES * READINGS_A_PIECE];
static uint32_t seen, wrong;

/** Copy what a piece holds: the peer can change it at any time. @return readings */
static uint32_t
take(const struct nhn_msg_piece *piece, struct reading *to)
{
	if (piece->head.type != READING_TYPE || piece->head.length != sizeof(*to)) {
		wrong += piece->messages;
		return 0;
	}
	nhn_foreign_copy(to, piece->data, piece->messages * sizeof(*to));
	return piece->messages;
}

/** Act on the copies. */
static void
look_at(uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++, seen++)
		wrong += readings[i].number != seen || readings[i].value != reading_value(seen);
}

/** All that is there, up to PIECES. */
static void
receive(struct nhn_msg_rx *rx)
{
	struct nhn_msg_piece pieces[PIECES];
	int i, count = nhn_msg_peek(rx, pieces, PIECES);
	uint32_t taken = 0;

	for (i = 0; i < count; i++)
		taken += take(&pieces[i], &readings[taken]);
	if (nhn_msg_release(rx) == 0) /* else the sender wrote them anew meanwhile */
		look_at(taken);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: pack_receiver FILE\n");
		return 2;
	}
	if (example_open(&me, NHN_ROLE_HOST, argv[1]) != 0)
		return 1;
	example_catch_signals();
	while (seen < READINGS && !example_stopped) {
		int channel = nhn_endpoint_poll(&me.endpoint);

		if (channel >= 0)
			receive(&me.endpoint.rx[channel]);
	}
	printf("%u readings received, %u wrong\n", seen, wrong);
	nhn_node_close(&me);
	return seen != READINGS || wrong != 0;
}
