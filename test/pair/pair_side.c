/* SPDX-License-Identifier: BSD-3-Clause */
/* One side of a pair: a process that sends, reads, checks and writes down what it did. */

#include <errno.h>

#include <nhn_msg.h>

#include "pair_ledger.h"
#include "pattern.h"
#include "process.h"

#define BURST 8u
#define IDLE_POLLS 64u

struct pair_side {
	struct nhn_link link;
	struct pair_ledger *ledger;
	struct pair_status *status;
	uint64_t out_seed;
	uint64_t in_seed;
	uint32_t sent;
	uint32_t taken;
	uint32_t idle;
	uint64_t deadline_ns;
	bool failed;

	struct nhn_msg_tx msg_tx;
	struct nhn_msg_rx msg_rx;
	struct nhn_msg_buffer buffer;
	struct iovec place;
	bool filled; /* out has the next message in it */
	uint8_t out[PAIR_LONGEST];
	uint8_t in[PAIR_LONGEST];
};

/* The first failure is kept. */
static void
side_fail(struct pair_side *side, int line)
{
	if (!side->failed)
		nhn_store_release(&side->status->failed, (uint32_t)line);
	side->failed = true;
}

#define CHECK(side, what)                                                                          \
	do {                                                                                       \
		if (!(what))                                                                       \
			side_fail(side, __LINE__);                                                 \
	} while (0)

/* ---- a message is known by its place in the order ---- */

static bool
send_one(struct pair_side *side)
{
	struct nhn_tx *tx = nhn_link_tx(&side->link, 0);
	uint32_t length = pattern_length(side->out_seed, side->sent, PAIR_DATA / 2);
	void *body;

	if (side->sent == side->ledger->messages)
		return false;
	body = nhn_tx_reserve(tx, length);
	if (body == NULL)
		return false;
	pattern_fill(body, length, side->out_seed, side->sent++);
	nhn_tx_commit(tx, body, length);
	return true;
}

static void
take(struct pair_side *side, const struct nhn_view *view)
{
	CHECK(side, side->taken < side->ledger->messages);
	CHECK(side, view->length == pattern_length(side->in_seed, side->taken, PAIR_DATA / 2));
	CHECK(side, pattern_matches(view->data, view->length, side->in_seed, side->taken));
	side->taken++;
}

/* ---- the same over lib/msg ---- */

static bool
send_message(struct pair_side *side)
{
	struct nhn_message_head head = {.id = side->sent};
	int ret;

	if (nhn_msg_busy(&side->msg_tx))
		return nhn_msg_send_step(&side->msg_tx) != -EAGAIN;
	if (side->sent == side->ledger->messages)
		return false;
	head.length = pattern_length(side->out_seed, side->sent, PAIR_LONGEST);
	if (!side->filled)
		pattern_fill(side->out, head.length, side->out_seed, side->sent);
	side->filled = true;
	ret = nhn_msg_send(&side->msg_tx, &head, side->out);
	if (ret == -EAGAIN || ret == -ENOTCONN)
		return false;
	CHECK(side, ret == 0 || ret == -EINPROGRESS);
	side->filled = false;
	side->sent++;
	return true;
}

static bool
take_message(struct pair_side *side)
{
	const struct nhn_message_head *head = &side->buffer.head;
	int ret = nhn_msg_receive(&side->msg_rx, &side->buffer);

	CHECK(side, ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN);
	if (ret != 0)
		return ret == -EINPROGRESS;
	CHECK(side, side->taken < side->ledger->messages);
	CHECK(side, head->id == side->taken);
	CHECK(side, head->length == pattern_length(side->in_seed, side->taken, PAIR_LONGEST));
	CHECK(side, pattern_matches(side->in, head->length, side->in_seed, side->taken));
	side->taken++;
	return true;
}

static void
msg_begin(struct pair_side *side)
{
	side->place.iov_base = side->in;
	side->place.iov_len = sizeof(side->in);
	nhn_msg_tx_init(&side->msg_tx, &side->link, 0);
	nhn_msg_rx_init(&side->msg_rx, &side->link, 0);
	nhn_msg_buffer_init(&side->buffer, &side->place, 1);
}

/* ---- the loop ---- */

static bool
send_some(struct pair_side *side)
{
	uint32_t i;

	if (!side->link.started)
		return false;
	for (i = 0; i < BURST; i++)
		if (!(side->ledger->msg ? send_message(side) : send_one(side)))
			break;
	return i != 0;
}

static bool
take_some(struct pair_side *side)
{
	struct nhn_rx *rx = nhn_link_rx(&side->link, 0);
	struct nhn_view views[BURST];
	int count, i;

	if (!side->link.started)
		return false;
	if (side->ledger->msg)
		return take_message(side);
	count = nhn_rx_peek(rx, views, BURST);
	for (i = 0; i < count && !side->failed; i++)
		take(side, &views[i]);
	CHECK(side, count >= 0);
	CHECK(side, nhn_rx_release(rx) == 0);
	return count > 0;
}

static void
control(struct pair_side *side)
{
	uint64_t now_ns = process_now_ns();
	uint32_t state = (uint32_t)nhn_link_control(&side->link, now_ns);

	CHECK(side, state != NHN_LINK_BROKEN);
	CHECK(side, now_ns < side->deadline_ns);
	nhn_store_relaxed(&side->status->discarded, nhn_link_discarded(&side->link));
	nhn_store_release(&side->status->state, state + 1);
}

/* Both have done all: neither leaves while the other still reads. */
static bool
side_done(struct pair_side *side)
{
	uint32_t all = side->ledger->messages;

	if (side->sent == all && side->taken == all)
		nhn_store_release(&side->status->finished, 1);
	if (side->ledger->echo)
		return nhn_load_relaxed(&side->status->finished) != 0;
	return nhn_load_acquire(&side->ledger->status[0].finished) != 0 &&
	       nhn_load_acquire(&side->ledger->status[1].finished) != 0;
}

static void
side_loop(struct pair_side *side)
{
	uint32_t turn = 0;

	while (!side->failed) {
		bool busy = send_some(side);

		busy |= take_some(side);
		side->idle = busy ? 0 : side->idle + 1;
		if (++turn % 256 == 0 || side->idle > IDLE_POLLS) {
			control(side);
			if (side_done(side))
				break;
		}
		if (side->idle > IDLE_POLLS)
			process_rest_us(1); /* the peer may need this CPU */
	}
}

static int
side_begin(struct pair_side *side, const struct nhn_region *region, enum nhn_role role)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	int ret;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, region->base, region->length);
	config.use = side->ledger->msg ? NHN_USE_MSG : NHN_USE_RAW;
	nhn_layout_uniform(&config.layout, 1, config.use, PAIR_CELLS, PAIR_DATA);
	config.random = (uint32_t)process_now_ns();
	config.beat_period_us = 1000000; /* a loaded machine is no subject here */
	side->out_seed = role;
	side->in_seed = side->ledger->echo ? role : 3u - role;
	ret = nhn_link_init(&side->link, &config, &refusal);
	if (ret == 0 && side->ledger->msg)
		msg_begin(side);
	return ret;
}

int
pair_side_run(struct pair_ledger *ledger, enum nhn_role role, const char *path)
{
	static struct pair_side side;
	struct nhn_region region;
	int ret;

	memset(&side, 0, sizeof(side));
	side.ledger = ledger;
	side.status = &ledger->status[role - 1];
	side.deadline_ns = process_now_ns() + (uint64_t)PAIR_SECONDS * 1000000000u;
	process_pin(role);
	do /* -EAGAIN: the peer is just giving the file its size */
		ret = process_region_open(&region, role, path, PAIR_REGION_BYTES);
	while (ret == -EAGAIN && process_now_ns() < side.deadline_ns);
	CHECK(&side, ret == 0);
	if (ret != 0)
		return 1;
	CHECK(&side, side_begin(&side, &region, role) == 0);
	side_loop(&side);
	nhn_link_finish(&side.link);
	nhn_region_close(&region);
	return side.failed ? 1 : 0;
}
