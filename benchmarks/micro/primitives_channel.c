/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel of raw messages, alone and in bursts; the link's control step. */

#include "../../test/unit/pattern.h"

#include "primitive.h"

#define BODY 60u
#define BURST 32u
#define VALIDATED (3 * PRIMITIVE_CELLS + 5)

static const uint32_t lone = 1;
static const uint32_t burst = BURST;

static void *
channel_open(const struct primitive *p)
{
	(void)p;
	return primitive_link_open(sizeof(struct primitive_link), NHN_USE_RAW, PRIMITIVE_CELLS, 0);
}

/* The empty poll at the end tells the writer all places. */
static void
drain(const struct primitive *p, void *state)
{
	struct nhn_rx *rx = nhn_link_rx(&((struct primitive_link *)state)->guest, 0);
	struct nhn_view views[BURST];

	(void)p;
	while (nhn_rx_peek(rx, views, BURST) > 0)
		nhn_rx_release(rx);
}

static void
fill(const struct primitive *p, void *state)
{
	struct nhn_tx *tx = nhn_link_tx(&((struct primitive_link *)state)->host, 0);
	uint32_t i;

	for (i = 0; i < p->operations; i++)
		nhn_tx_commit(tx, nhn_tx_reserve(tx, BODY), BODY);
}

/* ---- writer ---- */

static void
reserve_commit_run(const struct primitive *p, void *state)
{
	struct nhn_tx *tx = nhn_link_tx(&((struct primitive_link *)state)->host, 0);
	const uint32_t operations = p->operations;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		nhn_tx_commit(tx, nhn_tx_reserve(tx, BODY), BODY);
		primitive_apart();
	}
}

static void
reserve_commit_burst_run(const struct primitive *p, void *state)
{
	struct nhn_tx *tx = nhn_link_tx(&((struct primitive_link *)state)->host, 0);
	const uint32_t operations = p->operations;
	uint32_t i, j;

	for (i = 0; i < operations; i += BURST) {
		struct nhn_tx_run run = nhn_tx_begin(tx);

		for (j = 0; j < BURST; j++)
			nhn_tx_commit_at(&run, nhn_tx_reserve_at(&run, BODY), BODY);
		nhn_tx_end(&run);
		primitive_apart();
	}
}

/* A body and its commit word, without the look for room. */
static void
cell_write(struct nhn_tx *tx, const void *body, uint32_t length)
{
	uint8_t *cell = nhn_tx_cell(tx, tx->tail);

	memcpy(cell, body, length);
	nhn_tx_publish(tx, cell, NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT | length);
}

static void
cell_write_run(const struct primitive *p, void *state)
{
	static const uint8_t body[BODY];
	struct nhn_tx *tx = nhn_link_tx(&((struct primitive_link *)state)->host, 0);
	const uint32_t operations = p->operations;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		cell_write(tx, body, BODY);
		primitive_apart();
	}
}

/* Every byte of each cell, as doc/wire-format says. */
static bool
cell_write_validate(const struct primitive *p, void *state)
{
	struct primitive_link *link = state;
	struct nhn_tx *tx = nhn_link_tx(&link->host, 0);
	const uint32_t pairing = (link->host.session + link->guest.session) >> 1 & 127;
	uint32_t number;

	for (number = 0; number < VALIDATED; number++) {
		const uint32_t index = tx->tail;
		const uint32_t length = pattern_length(PRIMITIVE_SEED, number, BODY);
		const uint32_t word = 1u << 31 | pairing << 24 |
				      (index / PRIMITIVE_CELLS & 255) << 16 | 1u << 8 | length;
		const uint8_t *cell = tx->cells + (size_t)(index % PRIMITIVE_CELLS) * 64;
		uint8_t expected[64];
		uint32_t i;

		memcpy(expected, cell, sizeof(expected));
		pattern_fill(expected, length, PRIMITIVE_SEED, number);
		memcpy(expected + BODY, &word, sizeof(word));
		cell_write(tx, expected, length);
		for (i = 0; i < sizeof(expected); i++)
			if (cell[i] != expected[i])
				return primitive_differs(p,
							 "cell %u of %u bytes: byte %u is 0x%02x, "
							 "expected 0x%02x",
							 index, length, i, cell[i], expected[i]);
		drain(p, state);
	}
	return true;
}

/* ---- reader ---- */

static void
peek_release_run(const struct primitive *p, void *state)
{
	struct nhn_rx *rx = nhn_link_rx(&((struct primitive_link *)state)->guest, 0);
	const uint32_t operations = p->operations;
	struct nhn_view view;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep((uint64_t)nhn_rx_peek(rx, &view, 1));
		primitive_keep((uint64_t)nhn_rx_release(rx));
		primitive_apart();
	}
}

static void
peek_release_burst_run(const struct primitive *p, void *state)
{
	struct nhn_rx *rx = nhn_link_rx(&((struct primitive_link *)state)->guest, 0);
	const uint32_t operations = p->operations;
	struct nhn_view views[BURST];
	uint32_t i;

	for (i = 0; i < operations; i += BURST) {
		primitive_keep((uint64_t)nhn_rx_peek(rx, views, BURST));
		primitive_keep((uint64_t)nhn_rx_release(rx));
		primitive_apart();
	}
}

static void
peek_empty_run(const struct primitive *p, void *state)
{
	struct nhn_rx *rx = nhn_link_rx(&((struct primitive_link *)state)->guest, 0);
	const uint32_t operations = p->operations;
	struct nhn_view view;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep((uint64_t)nhn_rx_peek(rx, &view, 1));
		primitive_apart();
	}
}

/* ---- both: content, order, and room ---- */

static bool
burst_send(const struct primitive *p, struct nhn_tx *tx, uint32_t number, uint32_t count)
{
	struct nhn_tx_run run = nhn_tx_begin(tx);
	uint32_t end = number + count;

	for (; number != end; number++) {
		const uint32_t length = pattern_length(PRIMITIVE_SEED, number, BODY);
		void *body = nhn_tx_reserve_at(&run, length);

		if (body == NULL)
			return primitive_differs(p, "no room for message %u", number);
		pattern_fill(body, length, PRIMITIVE_SEED, number);
		nhn_tx_commit_at(&run, body, length);
	}
	nhn_tx_end(&run);
	return true;
}

static bool
burst_take(const struct primitive *p, struct nhn_rx *rx, uint32_t number, uint32_t count)
{
	struct nhn_view views[BURST];
	const int seen = nhn_rx_peek(rx, views, count);
	uint32_t i;

	if (seen != (int)count)
		return primitive_differs(p, "peek of message %u found %d, expected %u", number,
					 seen, count);
	for (i = 0; i < count; i++) {
		const uint32_t length = pattern_length(PRIMITIVE_SEED, number + i, BODY);

		if (views[i].length != length)
			return primitive_differs(p, "message %u has %u bytes, expected %u",
						 number + i, views[i].length, length);
		if (!pattern_matches(nhn_foreign_lend(views[i].data), length, PRIMITIVE_SEED,
				     number + i))
			return primitive_differs(p, "message %u of %u bytes has other content",
						 number + i, length);
	}
	return nhn_rx_release(rx) == 0 ||
	       primitive_differs(p, "message %u was rewritten under the reader", number);
}

/* @return whether the ring takes as many messages as it has cells, and no more */
static bool
ring_fills(const struct primitive *p, struct primitive_link *link)
{
	struct nhn_tx *tx = nhn_link_tx(&link->host, 0);
	uint32_t held = 0;

	drain(p, link);
	for (; held <= PRIMITIVE_CELLS; held++) {
		void *body = nhn_tx_reserve(tx, 0);

		if (body == NULL)
			break;
		nhn_tx_commit(tx, body, 0);
	}
	drain(p, link);
	return held == PRIMITIVE_CELLS ||
	       primitive_differs(p, "the ring took %u messages, expected %u", held,
				 PRIMITIVE_CELLS);
}

static bool
channel_validate(const struct primitive *p, void *state)
{
	const uint32_t *count = p->parameter;
	struct primitive_link *link = state;
	uint32_t number;

	for (number = 0; number < VALIDATED; number += *count)
		if (!burst_send(p, nhn_link_tx(&link->host, 0), number, *count) ||
		    !burst_take(p, nhn_link_rx(&link->guest, 0), number, *count))
			return false;
	if (nhn_rx_peek(nhn_link_rx(&link->guest, 0), &(struct nhn_view){0}, 1) != 0)
		return primitive_differs(p, "found a message in an empty ring");
	return ring_fills(p, link);
}

/* ---- control ---- */

static void
control_run(const struct primitive *p, void *state)
{
	struct primitive_link *link = state;
	const uint32_t operations = p->operations;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		primitive_keep(nhn_link_control(&link->host, link->now_ns));
		primitive_apart();
	}
}

/* A beat a period and none in between; the link stays up. */
static bool
control_validate(const struct primitive *p, void *state)
{
	struct primitive_link *link = state;
	const uint32_t begin = link->host.own->beat;
	uint32_t period, look;

	for (period = 1; period <= 100; period++) {
		link->now_ns += NHN_BEAT_PERIOD_US * UINT64_C(1000);
		for (look = 0; look < 3; look++)
			primitive_link_control(link);
		if (nhn_link_state(&link->host) != NHN_LINK_UP)
			return primitive_differs(p, "the link is in state %d, expected up",
						 (int)nhn_link_state(&link->host));
		if (link->host.own->beat != begin + period)
			return primitive_differs(p, "%u beats in %u periods",
						 link->host.own->beat - begin, period);
	}
	return true;
}

#define ROW(name_, bytes_, parameter_, before_, run_, after_, validate_)                           \
	{                                                                                          \
		.name = name_, .bytes = bytes_, .operations = PRIMITIVE_CELLS,                     \
		.parameter = parameter_, .open = channel_open, .before = before_, .run = run_,     \
		.after = after_, .validate = validate_,                                            \
	}

const struct primitive primitives_channel[] = {
	ROW("cell-write-60", BODY, NULL, NULL, cell_write_run, drain, cell_write_validate),
	ROW("reserve-commit", BODY, &lone, NULL, reserve_commit_run, drain, channel_validate),
	ROW("reserve-commit-32", BODY, &burst, NULL, reserve_commit_burst_run, drain,
	    channel_validate),
	ROW("peek-release", BODY, &lone, fill, peek_release_run, drain, channel_validate),
	ROW("peek-release-32", BODY, &burst, fill, peek_release_burst_run, drain, channel_validate),
	ROW("peek-empty", 0, &lone, NULL, peek_empty_run, NULL, channel_validate),
	ROW("control-idle", 0, NULL, NULL, control_run, NULL, control_validate),
	{.name = NULL},
};
