/* SPDX-License-Identifier: BSD-3-Clause */
/* One side: a process that sends, reads, holds, checks and writes down what it did, in an
 * order drawn by chance. It may die or stand still at any instruction. */

#include <errno.h>

#include <nhn_link_text.h>

#include "kill_arm.h"
#include "kill_ledger.h"
#include "pattern.h"
#include "process.h"

#define BURST 8u
#define HELD_MAX 32u
#define IDLE_TURNS 64u

/* One channel, both ways. */
struct lane {
	struct kill_way *out;
	struct kill_way *in;
	uint64_t out_seed;
	uint64_t in_seed;
	uint32_t sent;
	uint32_t held; /* messages peeked and not given back */
	struct nhn_view view[HELD_MAX];
	uint32_t stales;       /* times that peek answered -ESTALE in this life */
	uint32_t read_session; /* writer of the last message read in this life */
	uint32_t read_stales;  /* stales as it was read */
};

struct side {
	struct nhn_link link;
	struct lane lane[KILL_CHANNELS];
	struct kill_ledger *ledger;
	struct kill_status *status;
	const struct kill_order *order;
	const char *name;
	uint32_t session;
	uint64_t random;
	uint64_t now_ns;
	uint64_t deadline_ns;
	uint32_t idle;
	uint32_t turns; /* from one control step to the next, about */
	uint32_t deaf;	/* turns without reading, so that the peer's ring fills */
	bool failed;
};

static void
side_fail(struct side *side, int line, const char *what)
{
	nhn_store_release(&side->status->failed, 1); /* first: it may be killed at once */
	if (!side->failed)
		fprintf(stderr, "seed %llu: %s: kill_side.c:%d: expected %s\n",
			(unsigned long long)side->ledger->seed, side->name, line, what);
	side->failed = true;
}

#define CHECK(side, what)                                                                          \
	do {                                                                                       \
		if (!(what))                                                                       \
			side_fail(side, __LINE__, #what);                                          \
	} while (0)

/* ---- messages: each names itself, and each byte follows from its number ---- */

static uint32_t
length_of(uint64_t seed, uint32_t number)
{
	return pattern_length(seed, number, KILL_DATA / 2 - sizeof(struct kill_head));
}

static bool
send_one(struct side *side, uint32_t channel)
{
	struct lane *lane = &side->lane[channel];
	struct kill_head head = {lane->sent, side->link.session, side->link.tx_peer};
	struct nhn_tx *tx = nhn_link_tx(&side->link, channel);
	uint32_t length = length_of(lane->out_seed, lane->sent);
	uint32_t slot = lane->sent % KILL_MESSAGES;
	uint8_t *body;

	if (lane->sent >= nhn_load_acquire(&lane->out->allowed))
		return false;
	body = nhn_tx_reserve(tx, (uint32_t)sizeof(head) + length);
	if (body == NULL)
		return false;
	lane->out->done[slot] = 0;
	lane->out->to[slot] = head.to;
	nhn_store_release(&lane->out->intended, ++lane->sent);
	memcpy(body, &head, sizeof(head));
	NHN_POINT("send/body");
	pattern_fill(body + sizeof(head), length, lane->out_seed, head.number);
	nhn_tx_commit(tx, body, (uint32_t)sizeof(head) + length);
	nhn_store_release(&lane->out->done[slot], 1);
	return true;
}

/* Whole, as it was sent. */
static bool
matches(const struct lane *lane, const struct nhn_view *view, struct kill_head *head)
{
	const uint8_t *bytes = nhn_foreign_lend(view->data);

	if (view->length < sizeof(*head))
		return false;
	memcpy(head, bytes, sizeof(*head));
	NHN_POINT("receive/read");
	return view->length == sizeof(*head) + length_of(lane->in_seed, head->number) &&
	       pattern_matches(bytes + sizeof(*head), view->length - (uint32_t)sizeof(*head),
			       lane->in_seed, head->number);
}

/* Sent for this life; and -ESTALE stood between two lives of its writer. */
static void
take(struct side *side, struct lane *lane, const struct nhn_view *view)
{
	struct kill_way *in = lane->in;
	uint32_t delivered = in->delivered;
	struct kill_head head;
	bool told;

	CHECK(side, matches(lane, view, &head));
	if (side->failed)
		return;
	CHECK(side, head.to == side->link.session);
	told = lane->stales != lane->read_stales;
	CHECK(side, lane->read_session == 0 || told == (head.session != lane->read_session));
	lane->read_session = head.session;
	lane->read_stales = lane->stales;
	in->got[delivered % KILL_MESSAGES].number = head.number;
	in->got[delivered % KILL_MESSAGES].session = side->link.session;
	nhn_store_release(&in->delivered, delivered + 1);
}

static bool
peek(struct side *side, uint32_t channel)
{
	struct lane *lane = &side->lane[channel];
	uint32_t room = HELD_MAX - lane->held;
	uint32_t wanted = 1 + pattern_below(&side->random, BURST);
	struct nhn_view *views = &lane->view[lane->held];
	int count, i;

	count = nhn_rx_peek(nhn_link_rx(&side->link, channel), views,
			    wanted < room ? wanted : room);
	CHECK(side, count >= 0 || count == -ESTALE);
	if (count == -ESTALE)
		lane->stales++;
	for (i = 0; i < count && !side->failed; i++)
		take(side, lane, &views[i]);
	if (count > 0)
		lane->held += (uint32_t)count;
	return count > 0;
}

/* Give back, now and then after a look whether anything has changed since. */
static void
release(struct side *side, uint32_t channel)
{
	struct lane *lane = &side->lane[channel];
	bool again = pattern_below(&side->random, 4) == 0;
	struct kill_head head;
	uint32_t i;

	for (i = 0; again && i < lane->held; i++)
		CHECK(side, matches(lane, &lane->view[i], &head));
	CHECK(side, nhn_rx_release(nhn_link_rx(&side->link, channel)) == 0);
	lane->held = 0;
}

/* ---- the loop ---- */

/* A session began: from here on deliveries are counted in cells of the peer's rings. */
static void
session_begin(struct side *side)
{
	uint32_t i;

	/* No side starts anew because its peer did, but a guest whose host has another layout. */
	CHECK(side, side->session == 0 || (side->ledger->layout_changes &&
					   side->link.config.role == NHN_ROLE_GUEST));
	side->session = side->link.session;
	for (i = 0; i < side->link.layout.channels; i++) {
		struct lane *lane = &side->lane[i];

		CHECK(side, lane->held == 0);
		lane->in->base = nhn_link_rx(&side->link, i)->head - lane->in->delivered;
		nhn_store_release(&lane->in->based, 1);
	}
	nhn_store_release(&side->status->session, side->session);
}

/* Not by events: of those a link tells few a second. */
static void
note_state(struct side *side, uint32_t state)
{
	struct kill_status *status = side->status;
	uint32_t now_us = (uint32_t)((process_now_ns() - side->ledger->epoch_ns) / 1000);

	if (state == NHN_LINK_STALLED)
		nhn_store_release(&status->stalled_us, now_us);
	else if (state == NHN_LINK_UP && status->state != NHN_LINK_STALLED + 1u)
		nhn_store_release(&status->up_us, now_us);
	nhn_store_release(&status->state, state + 1);
}

static void
control(struct side *side)
{
	struct kill_status *status = side->status;
	uint32_t state;

	kill_arm_look(side->order, status, side->ledger->epoch_ns);
	side->now_ns = process_now_ns();
	state = (uint32_t)nhn_link_control(&side->link, side->now_ns);
	CHECK(side, side->now_ns < side->deadline_ns);
	if (side->link.started && side->link.session != side->session)
		session_begin(side);
	if (side->link.started)
		nhn_store_relaxed(&status->discarded, nhn_link_discarded(&side->link));
	nhn_store_relaxed(&status->peer_discarded, nhn_link_peer_discarded(&side->link));
	if (status->state != state + 1)
		note_state(side, state);
	nhn_store_release(&status->quiet, nhn_load_acquire(&side->order->quiet));
}

/* A host with a new layout meets a guest that has not yet followed it. */
static bool
refusal_expected(const struct side *side, const struct nhn_link_event *event)
{
	return event->kind == NHN_LINK_EVENT_REFUSED && side->ledger->layout_changes &&
	       side->link.config.role == NHN_ROLE_HOST &&
	       (event->refusal->cause == NHN_REFUSAL_CHANNELS ||
		event->refusal->cause == NHN_REFUSAL_NOT_FOLLOWED);
}

static void
event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	struct side *side = context;
	char text[256];

	if (event->kind != NHN_LINK_EVENT_STATE && !refusal_expected(side, event)) {
		side_fail(side, __LINE__, "no such event:");
		fprintf(stderr, "%s\n", nhn_link_event_text(link, event, text, sizeof(text)));
	}
}

static bool
send_some(struct side *side, uint32_t channel)
{
	uint32_t wanted = 1 + pattern_below(&side->random, BURST);
	uint32_t i;

	for (i = 0; i < wanted; i++)
		if (!send_one(side, channel))
			break;
	return i != 0;
}

/* Send, peek or give back on one of the channels. Returns whether there was work. */
static bool
turn(struct side *side)
{
	uint32_t channel = pattern_below(&side->random, side->link.layout.channels);
	uint32_t what = pattern_below(&side->random, 8);
	bool busy = false;

	if (side->deaf != 0)
		side->deaf--;
	else if (pattern_below(&side->random, 512) == 0)
		side->deaf = 100;
	if (what < 3)
		busy = send_some(side, channel);
	else if (what < 6 && side->deaf == 0)
		busy = peek(side, channel);
	else
		release(side, channel);
	return busy;
}

static void
loop(struct side *side)
{
	while (!side->failed) {
		bool busy = side->link.started && turn(side);

		side->idle = busy ? 0 : side->idle + 1;
		if (!side->link.started || pattern_below(&side->random, side->turns) == 0) {
			control(side);
			if (nhn_load_acquire(&side->order->finish) != 0)
				break;
		}
		/* The peer may need this CPU. Not sched_yield(): since Linux 6.6 whoever yields
		 * often stands behind all others for seconds once there are others. */
		if (side->idle % IDLE_TURNS == IDLE_TURNS - 1)
			process_rest_us(1);
	}
}

static void
lanes_begin(struct side *side, enum nhn_role role)
{
	uint32_t i;

	for (i = 0; i < KILL_CHANNELS; i++) {
		struct lane *lane = &side->lane[i];

		lane->out = &side->ledger->way[role - 1][i];
		lane->in = &side->ledger->way[2 - role][i];
		lane->out_seed = side->ledger->seed * 4 + i * 2 + role - 1;
		lane->in_seed = side->ledger->seed * 4 + i * 2 + 2 - role;
		lane->sent = lane->out->intended;
	}
}

static int
link_begin(struct side *side, const struct nhn_region *region, enum nhn_role role)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, region->base, region->length);
	kill_layout(&config.layout, side->order->layout);
	if (role == NHN_ROLE_GUEST)
		config.layout.channels = 0; /* as the host has it */
	config.use = NHN_USE_RAW;
	config.random = side->ledger->first_session[role - 1];
	config.beat_period_us = side->ledger->beat_period_us;
	config.event = event;
	config.event_context = side;
	return nhn_link_init(&side->link, &config, &refusal);
}

int
kill_side_run(struct kill_ledger *ledger, enum nhn_role role, const char *path)
{
	static struct side side;
	struct nhn_region region;
	int ret;

	memset(&side, 0, sizeof(side));
	side.ledger = ledger;
	side.status = &ledger->status[role - 1];
	side.order = &ledger->order[role - 1];
	side.name = role == NHN_ROLE_HOST ? "host" : "guest";
	side.random = (ledger->seed * 2 + role) << 16 | side.order->life;
	side.deadline_ns = process_now_ns() + ledger->life_seconds * UINT64_C(1000000000);
	side.turns = 1u << pattern_below(&side.random, 5);
	process_pin(role);
	kill_arm_look(side.order, side.status, ledger->epoch_ns);
	NHN_POINT("attach/region");
	do
		ret = process_region_open(&region, role, path, KILL_REGION_BYTES);
	while (ret == -EAGAIN && process_now_ns() < side.deadline_ns);
	CHECK(&side, ret == 0);
	if (ret != 0)
		return 1;
	nhn_store_release(&side.status->locked, 1);
	lanes_begin(&side, role);
	NHN_POINT("attach/link");
	CHECK(&side, link_begin(&side, &region, role) == 0);
	loop(&side);
	kill_arm_look(side.order, side.status, ledger->epoch_ns); /* it may be armed for its end */
	nhn_store_release(&side.status->held, side.lane[0].held + side.lane[1].held);
	nhn_link_finish(&side.link);
	nhn_store_release(&side.status->locked, 0);
	nhn_region_close(&region);
	return side.failed ? 1 : 0;
}
