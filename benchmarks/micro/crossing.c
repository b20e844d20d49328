/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Primitives that cross from one core to another, between two processes: round trips of one
 * word, of messages alone and in bursts, each side sending by the same code what the other
 * receives. The first row sends nothing: that is what the harness costs. It is taken off
 * nobody. Rounds are short and rotated.
 */

#include <nhn_msg.h>
#include "../../test/unit/pattern.h"

#include "duel.h"
#include "primitive.h"

#define REGION_BYTES (4u << 20)
#define CELLS 1024u
#define DATA_BYTES (256u << 10)
#define BURST 32u
#define BODY 60u
#define LONGEST 65536u
#define POLLS 1024u	     /* until the next control step */
#define LOOKS (1024 * POLLS) /* until the next look after the far process */

/* What both processes share beside the links: each word is written by one of them, and has
 * a pair of lines of its own. */
struct meeting {
	uint32_t near_word __attribute__((aligned(128)));
	uint32_t far_word __attribute__((aligned(128)));
	uint32_t near_turn __attribute__((aligned(128))); /* near has finished it */
	uint32_t far_turn __attribute__((aligned(128)));  /* far has finished it */
	uint64_t broken;				  /* messages with other content */
	uint32_t far_began;				  /* far has its core */
};

struct side {
	struct duel duel;
	struct meeting *meeting;
	pid_t child;   /* the far process, to near; 0 to far, which goes when near does */
	uint32_t *own; /* words */
	uint32_t *peers;
	struct nhn_link raw;
	struct nhn_link link;
	struct nhn_msg_tx tx;
	struct nhn_msg_rx rx;
	uint32_t sent; /* numbers of the row's next messages */
	uint32_t received;
	uint32_t polls;
	uint64_t broken;
	uint8_t out[LONGEST];
	uint8_t in[LONGEST];
};

/* A row: what a trip is there, and back again. */
struct crossing {
	const char *name;
	uint32_t bytes;
	uint32_t messages; /* at a time */
	void (*send)(struct side *side, const struct crossing *row);
	void (*receive)(struct side *side, const struct crossing *row);
};

/* Nothing comes of a far process that has ended: it waits for near to the last. */
static void
far_look(const struct side *side)
{
	int status;

	if (side->child == 0 || waitpid(side->child, &status, WNOHANG) != side->child)
		return;
	fprintf(stderr, "crossing: the far process ended before the last trip, by %s %d\n",
		WIFSIGNALED(status) ? "signal" : "exit status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	exit(1);
}

static void
waited(struct side *side)
{
	if (++side->polls % POLLS != 0)
		return;
	if (side->polls % LOOKS == 0)
		far_look(side);
	nhn_link_control(&side->raw, duel_now_ns());
	nhn_link_control(&side->link, duel_now_ns());
}

/* ---- rows ---- */

static void
nothing(struct side *side, const struct crossing *row)
{
	(void)side;
	(void)row;
	primitive_apart();
}

static void
word_send(struct side *side, const struct crossing *row)
{
	(void)row;
	nhn_store_release(side->own, ++side->sent);
}

static void
word_receive(struct side *side, const struct crossing *row)
{
	(void)row;
	side->received++;
	while (nhn_load_acquire(side->peers) != side->received)
		waited(side);
}

static void
cells_send(struct side *side, const struct crossing *row)
{
	struct nhn_tx *tx = nhn_link_tx(&side->raw, 0);
	uint32_t i;

	for (i = 0; i < row->messages; i++) {
		void *body;

		while ((body = nhn_tx_reserve(tx, BODY)) == NULL)
			waited(side);
		memcpy(body, side->out, BODY);
		memcpy(body, &side->sent, sizeof(side->sent));
		side->sent++;
		nhn_tx_commit(tx, body, BODY);
	}
}

static void
number_check(struct side *side, const void NHN_FOREIGN *body, uint32_t bytes)
{
	uint32_t number;

	nhn_foreign_copy(side->in, body, bytes);
	memcpy(&number, side->in, sizeof(number));
	side->broken += number != side->received++;
}

static void
cells_receive(struct side *side, const struct crossing *row)
{
	struct nhn_rx *rx = nhn_link_rx(&side->raw, 0);
	struct nhn_view views[BURST];
	uint32_t left = row->messages;

	while (left != 0) {
		const int seen = nhn_rx_peek(rx, views, left);
		int i;

		for (i = 0; i < seen; i++)
			number_check(side, views[i].data, BODY);
		if (seen > 0)
			left -= (uint32_t)seen;
		if (seen > 0 && nhn_rx_release(rx) == 0)
			continue;
		waited(side);
	}
}

static void
message_send(struct side *side, const struct crossing *row)
{
	const struct nhn_message_head head = {.length = row->bytes};
	const struct iovec from = {side->out, row->bytes};
	int sent;

	memcpy(side->out, &side->sent, sizeof(side->sent));
	side->sent++;
	while ((sent = nhn_msg_sendv(&side->tx, &head, &from, 1)) == -EAGAIN)
		waited(side);
	while (sent == -EINPROGRESS || sent == -EAGAIN) {
		sent = nhn_msg_send_step(&side->tx);
		waited(side);
	}
	side->broken += sent != 0;
}

static void
message_receive(struct side *side, const struct crossing *row)
{
	const struct iovec to = {side->in, sizeof(side->in)};
	struct nhn_msg_buffer buffer;
	uint32_t number;
	int received;

	nhn_msg_buffer_init(&buffer, &to, 1);
	while ((received = nhn_msg_receive(&side->rx, &buffer)) == -EAGAIN ||
	       received == -EINPROGRESS)
		waited(side);
	memcpy(&number, side->in, sizeof(number));
	side->broken +=
		received != 0 || buffer.head.length != row->bytes || number != side->received;
	side->received++;
}

static const struct crossing rows[] = {
	{"null", 0, 1, nothing, nothing},
	{"word", 4, 1, word_send, word_receive},
	{"cell", BODY, 1, cells_send, cells_receive},
	{"cell-32", BODY, BURST, cells_send, cells_receive},
	{"message-48", 48, 1, message_send, message_receive},
	{"message-1500", 1500, 1, message_send, message_receive},
	{"message-65536", LONGEST, 1, message_send, message_receive},
};
#define ROWS ((uint32_t)(sizeof(rows) / sizeof(rows[0])))

/* ---- both sides ---- */

/* Of the content all bytes but the number are as they were drawn. */
static void
turn_end(struct side *side, const struct crossing *row)
{
	if (row->receive == cells_receive || row->receive == message_receive)
		side->broken += memcmp(side->in + 4, side->out + 4, row->bytes - 4) != 0;
}

static void
side_begin(struct side *side, enum nhn_role role, uint8_t *memory)
{
	struct nhn_layout layout;

	pattern_fill(side->out, sizeof(side->out), PRIMITIVE_SEED, 0);
	side->own = role == NHN_ROLE_HOST ? &side->meeting->near_word : &side->meeting->far_word;
	side->peers = role == NHN_ROLE_HOST ? &side->meeting->far_word : &side->meeting->near_word;
	duel_pin(&side->duel, role == NHN_ROLE_HOST ? 0 : 1);
	if (role == NHN_ROLE_GUEST)
		nhn_store_release(&side->meeting->far_began, 1);
	while (nhn_load_acquire(&side->meeting->far_began) == 0)
		far_look(side);
	nhn_layout_uniform(&layout, 1, NHN_USE_RAW, CELLS, 0);
	duel_link_up(&side->raw, role, &layout, memory, REGION_BYTES);
	nhn_layout_uniform(&layout, 1, NHN_USE_MSG, CELLS, DATA_BYTES);
	duel_link_up(&side->link, role, &layout, memory + REGION_BYTES, REGION_BYTES);
	nhn_msg_tx_init(&side->tx, &side->link, 0);
	nhn_msg_rx_init(&side->rx, &side->link, 0);
}

static void
far(struct side *side)
{
	uint32_t turn, i;

	for (turn = 0; turn < side->duel.rounds * ROWS; turn++) {
		const struct crossing *row = &rows[duel_contestant(turn, ROWS)];

		for (i = 0; i < side->duel.messages; i++) {
			row->receive(side, row);
			row->send(side, row);
		}
		turn_end(side, row);
		nhn_store_release(&side->meeting->far_turn, turn + 1);
		while (nhn_load_acquire(&side->meeting->near_turn) != turn + 1)
			waited(side);
	}
	side->meeting->broken += side->broken;
}

static void
near(struct side *side, double ns[ROWS][DUEL_ROUNDS_MAX])
{
	uint32_t turn, i;

	for (turn = 0; turn < side->duel.rounds * ROWS; turn++) {
		const uint32_t which = duel_contestant(turn, ROWS);
		const struct crossing *row = &rows[which];
		uint64_t begin_ns;

		begin_ns = duel_now_ns();
		for (i = 0; i < side->duel.messages; i++) {
			row->send(side, row);
			row->receive(side, row);
		}
		ns[which][turn / ROWS] = (double)(duel_now_ns() - begin_ns) / side->duel.messages;
		turn_end(side, row);
		while (nhn_load_acquire(&side->meeting->far_turn) != turn + 1)
			waited(side);
		nhn_store_release(&side->meeting->near_turn, turn + 1);
	}
}

static int
report(struct side *side, double ns[ROWS][DUEL_ROUNDS_MAX])
{
	const uint64_t broken = side->broken + side->meeting->broken;
	uint32_t i;

	printf("%u rounds of %u trips, cores %d and %d\n", side->duel.rounds, side->duel.messages,
	       side->duel.core[0], side->duel.core[1]);
	for (i = 0; i < ROWS; i++)
		duel_print(rows[i].name, ns[i], side->duel.rounds, "ns a round trip");
	printf("out of order, lost or changed: %llu\n", (unsigned long long)broken);
	return broken == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct side side = {
		.duel = {.name = "crossing", .rounds = 61, .messages = 200, .core = {0, 1}}};
	static double ns[ROWS][DUEL_ROUNDS_MAX];
	uint8_t *memory;
	pid_t child;

	duel_options(&side.duel,
		     "Round trips of primitives between two processes; messages are trips.", argc,
		     argv);
	memory = duel_memory(&side.duel, 2 * REGION_BYTES);
	side.meeting = duel_memory(&side.duel, sizeof(*side.meeting));
	child = duel_fork(&side.duel);
	if (child == 0) {
		side_begin(&side, NHN_ROLE_GUEST, memory);
		far(&side);
		_exit(0);
	}
	side.child = child;
	side_begin(&side, NHN_ROLE_HOST, memory);
	near(&side, ns);
	waitpid(child, NULL, 0);
	return report(&side, ns);
}
