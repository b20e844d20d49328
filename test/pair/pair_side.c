/* SPDX-License-Identifier: BSD-3-Clause */
/* One side of a pair: a process that sends, reads, checks and writes down what it did. */

#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <nhn_region.h>

#include "pair_ledger.h"
#include "pattern.h"

#define BURST 8u
#define IDLE_POLLS 64u

struct pair_side {
	struct nhn_link link;
	struct pair_ledger *ledger;
	struct pair_status *status;
	struct pair_way *out;
	struct pair_way *in;
	enum pair_work work;
	uint64_t out_seed;
	uint64_t in_seed;
	uint32_t sent;
	uint32_t taken;
	uint32_t idle;
	uint64_t deadline_ns;
	bool failed;
};

uint64_t
pair_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int
pair_region_open(struct nhn_region *region, enum nhn_role role, const char *path)
{
	struct nhn_region_config config;

	nhn_region_config_init(&config);
	config.path = path;
	config.size = PAIR_REGION_BYTES;
	config.create = true;
	config.lock_byte = role;
	return nhn_region_open(region, &config);
}

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

/* ---- the counting test: a message is known by its place in the order ---- */

static bool
send_counted(struct pair_side *side)
{
	struct nhn_tx *tx = nhn_link_tx(&side->link, 0);
	uint32_t length = pattern_length(side->out_seed, side->sent, PAIR_DATA / 2);
	void *body;

	if (side->sent == side->ledger->allowed)
		return false;
	body = nhn_tx_reserve(tx, length);
	if (body == NULL)
		return false;
	pattern_fill(body, length, side->out_seed, side->sent++);
	nhn_tx_commit(tx, body, length);
	return true;
}

static void
take_counted(struct pair_side *side, const struct nhn_view *view)
{
	CHECK(side, side->taken < side->ledger->allowed);
	CHECK(side, view->length == pattern_length(side->in_seed, side->taken, PAIR_DATA / 2));
	CHECK(side, pattern_matches(view->data, view->length, side->in_seed, side->taken));
	side->taken++;
}

/* ---- the restart test: a message names itself ---- */

static bool
send_named(struct pair_side *side)
{
	struct nhn_tx *tx = nhn_link_tx(&side->link, 0);
	struct pair_head head = {side->sent, side->link.session, side->link.tx_peer};
	uint32_t length = pattern_length(side->out_seed, side->sent, PAIR_DATA / 2 - sizeof(head));
	uint8_t *body;

	if (side->sent == nhn_load_acquire(&side->ledger->allowed))
		return false;
	body = nhn_tx_reserve(tx, (uint32_t)sizeof(head) + length);
	if (body == NULL)
		return false;
	memcpy(body, &head, sizeof(head));
	pattern_fill(body + sizeof(head), length, side->out_seed, head.number);
	side->out->to[head.number] = head.to;
	nhn_store_release(&side->out->intended, ++side->sent);
	nhn_tx_commit(tx, body, (uint32_t)sizeof(head) + length);
	nhn_store_release(&side->out->done[head.number], 1);
	return true;
}

static void
take_named(struct pair_side *side, const struct nhn_view *view)
{
	uint32_t delivered = side->in->delivered;
	struct pair_head head;

	CHECK(side, view->length >= sizeof(head));
	if (side->failed)
		return;
	memcpy(&head, view->data, sizeof(head));
	CHECK(side, head.to == side->link.session);
	CHECK(side,
	      pattern_matches(view->data + sizeof(head), view->length - (uint32_t)sizeof(head),
			      side->in_seed, head.number));
	CHECK(side, delivered < PAIR_MESSAGES_MAX);
	if (side->failed)
		return;
	side->in->got[delivered].number = head.number;
	side->in->got[delivered].session = side->link.session;
	nhn_store_release(&side->in->delivered, delivered + 1);
}

/* ---- the loop ---- */

static bool
send_some(struct pair_side *side)
{
	uint32_t i;

	if (!side->link.started)
		return false;
	for (i = 0; i < BURST; i++)
		if (!(side->work == PAIR_COUNT ? send_counted(side) : send_named(side)))
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
	count = nhn_rx_peek(rx, views, BURST);
	for (i = 0; i < count && !side->failed; i++) {
		if (side->work == PAIR_COUNT)
			take_counted(side, &views[i]);
		else
			take_named(side, &views[i]);
	}
	CHECK(side, count >= 0 || side->work == PAIR_RESTART);
	CHECK(side, nhn_rx_release(rx) == 0);
	return count > 0;
}

static void
control(struct pair_side *side)
{
	uint64_t now_ns = pair_now_ns();
	uint32_t state = (uint32_t)nhn_link_control(&side->link, now_ns);

	CHECK(side, state != NHN_LINK_BROKEN);
	CHECK(side, now_ns < side->deadline_ns);
	nhn_store_relaxed(&side->status->session, side->link.session);
	nhn_store_relaxed(&side->status->discarded, nhn_link_discarded(&side->link));
	nhn_store_release(&side->status->state, state + 1);
}

/* Both have done all: neither leaves while the other still reads. */
static bool
side_done(struct pair_side *side)
{
	uint32_t all = side->ledger->allowed;

	if (side->work == PAIR_COUNT && side->sent == all && side->taken == all)
		nhn_store_release(&side->status->finished, 1);
	return nhn_load_acquire(&side->ledger->stop) != 0 ||
	       (nhn_load_acquire(&side->ledger->status[0].finished) != 0 &&
		nhn_load_acquire(&side->ledger->status[1].finished) != 0);
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
			sched_yield(); /* the peer may need this CPU */
	}
}

static void
pin(enum nhn_role role)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)role - 1, &set);
	if (sysconf(_SC_NPROCESSORS_ONLN) >= 2 && sched_setaffinity(0, sizeof(set), &set) != 0)
		sched_yield(); /* a CPU we may not use: anywhere will do */
}

static int
side_begin(struct pair_side *side, const struct nhn_region *region, enum nhn_role role)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, region->base, region->length);
	nhn_layout_uniform(&config.layout, 1, NHN_USE_RAW, PAIR_CELLS, PAIR_DATA);
	config.use = NHN_USE_RAW;
	config.random = (uint32_t)pair_now_ns();
	config.beat_period_us = 1000000; /* a loaded machine is no subject here */
	side->out = &side->ledger->way[role - 1];
	side->in = &side->ledger->way[2 - role];
	side->out_seed = role;
	side->in_seed = 3u - role;
	side->sent = side->out->intended;
	return nhn_link_init(&side->link, &config, &refusal);
}

int
pair_side_run(struct pair_ledger *ledger, enum nhn_role role, const char *path, enum pair_work work)
{
	static struct pair_side side;
	struct nhn_region region;
	int ret;

	memset(&side, 0, sizeof(side));
	side.ledger = ledger;
	side.status = &ledger->status[role - 1];
	side.work = work;
	side.deadline_ns = pair_now_ns() + (uint64_t)PAIR_SECONDS * 1000000000u;
	pin(role);
	do /* -EAGAIN: the peer is just giving the file its size */
		ret = pair_region_open(&region, role, path);
	while (ret == -EAGAIN && pair_now_ns() < side.deadline_ns);
	CHECK(&side, ret == 0);
	if (ret != 0)
		return 1;
	CHECK(&side, side_begin(&side, &region, role) == 0);
	side_loop(&side);
	nhn_link_finish(&side.link);
	nhn_region_close(&region);
	return side.failed ? 1 : 0;
}
