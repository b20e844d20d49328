/* SPDX-License-Identifier: BSD-3-Clause */

#include "side.h"

#include "pattern.h"

#define BURST 8u
/* A step of a clock that no heartbeat of these links is late by. */
#define STEP_NS 1000u
/* Of a cell. */
#define NO_KIND 99u

/* What a message begins with. */
struct head {
	uint32_t number; /* of this pairing and channel, from 0 */
	uint32_t writer; /* sessions */
	uint32_t reader;
	uint32_t channel;
};

static void
fail(struct side *side, const char *sentence)
{
	if (side->failed == NULL)
		side->failed = sentence;
}

static void
expect(struct side *side, bool held, const char *sentence)
{
	if (!held)
		fail(side, sentence);
}

/* ---- ledgers ---- */

/* The row of a pairing, which is the last one or a new one. */
static struct side_count *
ledger_row(struct side *side, struct side_ledger *ledger, uint32_t writer, uint32_t reader)
{
	struct side_count *row = ledger->rows == 0 ? NULL : &ledger->row[ledger->rows - 1];

	if (row != NULL && row->writer == writer && row->reader == reader)
		return row;
	if (ledger->rows == SIDE_PAIRINGS_MAX) {
		fail(side, "more pairings than the ledger takes: plan fewer lives");
		return row;
	}
	row = &ledger->row[ledger->rows++];
	row->writer = writer;
	row->reader = reader;
	row->messages = 0;
	row->drained = false;
	return row;
}

static struct side_count *
sent_row(struct side *side, uint32_t channel)
{
	return ledger_row(side, &side->sent[channel], side->link.session, side->link.tx_peer);
}

static struct side_count *
taken_row(struct side *side, uint32_t channel)
{
	return ledger_row(side, &side->taken[channel], side->link.rx_peer, side->link.session);
}

/* ---- messages ---- */

static uint64_t
seed_of(const struct head *head)
{
	return ((uint64_t)head->writer << 32 | head->reader) + head->channel;
}

static uint32_t
longest_of(const struct side *side, uint32_t channel)
{
	const struct nhn_tx *tx = &side->link.tx[channel];
	uint32_t most = tx->data_bytes != 0 ? tx->data_bytes / 2 : tx->inline_bytes;

	return most < side->plan.longest ? most : side->plan.longest;
}

/* A message of any length, whole words, often one that fits a cell. */
static uint32_t
message_write(struct side *side, uint32_t channel, uint32_t number, uint8_t *to)
{
	struct head head = {number, side->link.session, side->link.tx_peer, channel};
	uint32_t most = longest_of(side, channel) - (uint32_t)sizeof(head);
	uint32_t length;

	if (pattern_below(&side->random, 3) != 0 && most > 44)
		most = 44;
	length = pattern_below(&side->random, most / 4 + 1) * 4;
	memcpy(to, &head, sizeof(head));
	pattern_fill(to + sizeof(head), length, seed_of(&head), number);
	return length + (uint32_t)sizeof(head);
}

static void
message_check(struct side *side, uint32_t channel, const struct nhn_view *view, uint32_t number)
{
	struct head head;

	if (view->length < sizeof(head) || view->length > sizeof(side->buffer)) {
		fail(side, "a message of a length that was never sent");
		return;
	}
	nhn_foreign_copy(side->buffer, view->data, view->length);
	memcpy(&head, side->buffer, sizeof(head));
	expect(side, head.reader == side->link.session, "a message to another life of this side");
	expect(side, head.writer == side->link.rx_peer, "a message of another life of the peer");
	expect(side, head.channel == channel, "a message of another channel");
	expect(side, head.number == number, "a message out of order, lost or twice");
	expect(side,
	       pattern_matches(side->buffer + sizeof(head), view->length - (uint32_t)sizeof(head),
			       seed_of(&head), head.number),
	       "a torn message");
}

/* In its last life a side sends so many and no more, each time it is paired anew. */
static uint32_t
quota(const struct side *side, const struct side_count *row, uint32_t wanted)
{
	uint32_t left;

	if (!side->last)
		return wanted;
	left = side->plan.last - row->messages;
	return left < wanted ? left : wanted;
}

static void
send_burst(struct side *side, uint32_t channel)
{
	struct side_count *row = sent_row(side, channel);
	uint32_t count = quota(side, row, 1 + pattern_below(&side->random, BURST));
	struct nhn_slice slices[BURST];
	uint8_t *next = side->buffer;
	uint32_t i;

	for (i = 0; i < count; i++) {
		slices[i].length = message_write(side, channel, row->messages + i, next);
		slices[i].data = next;
		next += slices[i].length;
		if (next + SIDE_MESSAGE_MAX > side->buffer + sizeof(side->buffer))
			count = i + 1;
	}
	row->messages += nhn_tx_burst(nhn_link_tx(&side->link, channel), slices, count);
}

static void
send_one(struct side *side, uint32_t channel)
{
	struct nhn_tx *tx = nhn_link_tx(&side->link, channel);
	struct side_count *row = sent_row(side, channel);
	uint32_t length;
	void *body;

	if (quota(side, row, 1) == 0)
		return;
	length = message_write(side, channel, row->messages, side->buffer);
	body = nhn_tx_reserve(tx, length);
	if (body == NULL)
		return;
	memcpy(body, side->buffer, length);
	nhn_tx_commit(tx, body, length);
	row->messages++;
}

/* A cell of a kind that no channel carries: the reader breaks off and says nothing more to this
 * life, so that it must not be the last one. */
static void
break_rule(struct side *side, uint32_t channel)
{
	struct nhn_tx *tx = nhn_link_tx(&side->link, channel);
	uint8_t *cell = nhn_tx_reserve(tx, 0);
	uint32_t lap = (tx->tail >> tx->lap_shift) & NHN_COMMIT_LAP_MASK;

	if (cell == NULL)
		return;
	nhn_store_release(nhn_tx_commit_word(tx, cell),
			  tx->tag | lap << NHN_COMMIT_LAP_SHIFT | NO_KIND << NHN_COMMIT_KIND_SHIFT);
	tx->tail++;
}

static void
send_some(struct side *side, uint32_t channel)
{
	if (!side->link.started || !side->link.tx[channel].up)
		return;
	if (!side->last && pattern_below(&side->random, side->plan.rude) == 0)
		break_rule(side, channel);
	else if (pattern_below(&side->random, 2) == 0)
		send_burst(side, channel);
	else
		send_one(side, channel);
}

/* A reader that is not yet confirmed finds nothing, whatever it loads. Where the host has just
 * laid down other channels, it loads from what the guest still uses for bodies: no harm, but a
 * data race by the letter (doc/memory-ordering), so that such a side waits. */
static bool
polls(const struct side *side, uint32_t channel)
{
	const struct nhn_link *link = &side->link;

	return side->plan.same_layout || link->rx_state == NHN_RX_READING ||
	       link->rx_state == NHN_RX_DRAINING || link->rx[channel].stale;
}

/* One after the other, each given back at once. */
static void
take_run(struct side *side, uint32_t channel, uint32_t most)
{
	struct nhn_rx_run run = nhn_rx_begin(nhn_link_rx(&side->link, channel));
	struct nhn_view view;
	uint32_t got;
	bool broken;

	for (got = 0; got < most && nhn_rx_next(&run, &view); got++) {
		struct side_count *row = taken_row(side, channel);

		message_check(side, channel, &view, row->messages);
		expect(side, !row->drained, "a message after the last one");
		row->messages++;
		nhn_rx_read(&run);
	}
	broken = side->link.rx[channel].tag == NHN_TAG_NONE;
	expect(side, nhn_rx_end(&run) == 0 || got == 0 || broken, "a run was rewritten");
}

/* Messages are held over some turns, and looked at once more before they are given back. */
static void
take(struct side *side, uint32_t channel)
{
	struct side_held *held = &side->held[channel];
	uint32_t most = 1 + pattern_below(&side->random, SIDE_HELD_MAX);
	int count, i;

	if (held->count != 0 || !polls(side, channel))
		return;
	if (pattern_below(&side->random, 2) == 0) {
		take_run(side, channel, most);
		return;
	}
	count = nhn_rx_peek(nhn_link_rx(&side->link, channel), held->view, most);
	for (i = 0; i < count; i++) {
		struct side_count *row = taken_row(side, channel);

		message_check(side, channel, &held->view[i], row->messages);
		expect(side, !row->drained, "a message after the last one");
		row->messages++;
	}
	held->count = count > 0 ? (uint32_t)count : 0;
}

static void
give_back(struct side *side, uint32_t channel)
{
	struct side_held *held = &side->held[channel];
	bool broken;
	uint32_t i;

	if (held->count == 0)
		return;
	for (i = 0; i < held->count; i++)
		message_check(side, channel, &held->view[i],
			      taken_row(side, channel)->messages - held->count + i);
	held->count = 0;
	broken = side->link.rx[channel].tag == NHN_TAG_NONE;
	expect(side, nhn_rx_release(nhn_link_rx(&side->link, channel)) == 0 || broken,
	       "a message changed while it was read");
}

/* ---- lives ---- */

/* A guest that still has the former layout is refused until it follows. */
static void
link_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	struct side *side = context;

	(void)link;
	if (event->kind == NHN_LINK_EVENT_FAULT)
		expect(side, event->value == NHN_FAULT_KIND, "a channel broke");
	else if (event->kind == NHN_LINK_EVENT_INTRUDER)
		fail(side, "an intruder was seen");
	else if (event->kind == NHN_LINK_EVENT_REFUSED)
		expect(side,
		       event->refusal->cause == NHN_REFUSAL_CHANNELS ||
			       event->refusal->cause == NHN_REFUSAL_NOT_FOLLOWED,
		       "a header was refused");
}

static void
life_begin(struct side *side)
{
	struct nhn_refusal refusal;

	if (side->config.role == NHN_ROLE_HOST)
		side_layout(&side->config.layout,
			    side->plan.same_layout ? 0 : pattern_below(&side->random, 3));
	memset(side->held, 0, sizeof(side->held));
	memset(&side->link, 0x5a, sizeof(side->link)); /* of the former life nothing is left */
	expect(side, nhn_link_init(&side->link, &side->config, &refusal) == 0,
	       "nhn_link_init failed");
	side->last = ++side->lives >= side->plan.lives;
}

/* Nobody knows whether its last messages are seen yet. */
static void
life_end(struct side *side)
{
	uint32_t i;

	for (i = 0; side->link.started && i < side->link.layout.channels; i++)
		send_some(side, i);
	if (pattern_below(&side->random, 2) == 0)
		nhn_link_finish(&side->link);
	life_begin(side);
}

static bool
quota_done(struct side *side)
{
	uint32_t i;

	for (i = 0; i < side->link.layout.channels; i++)
		if (sent_row(side, i)->messages != side->plan.last ||
		    taken_row(side, i)->messages != side->plan.last)
			return false;
	return true;
}

static bool
all_done(struct side *side)
{
	const struct nhn_link *link = &side->link;

	if (!side->last)
		return false;
	nhn_store_relaxed(&side->own->last_session, link->session);
	if (link->state == NHN_LINK_UP &&
	    nhn_load_relaxed(&side->other->last_session) == link->rx_peer && quota_done(side))
		nhn_store_relaxed(&side->own->finished, 1);
	return nhn_load_relaxed(&side->own->finished) != 0 &&
	       nhn_load_relaxed(&side->other->finished) != 0;
}

static void
step(struct side *side)
{
	struct nhn_link *link = &side->link;
	bool read = link->rx_state == NHN_RX_READING || link->rx_state == NHN_RX_DRAINING;
	uint32_t channels = link->layout.channels;
	uint32_t session = link->session;
	uint32_t i;

	for (i = 0; read && i < channels; i++)
		taken_row(side, i); /* also where no message comes */
	side->now_ns += STEP_NS;
	nhn_link_control(link, side->now_ns);
	if (link->rx_state != NHN_RX_IDLE || link->session != session)
		return; /* the latter: it broke off and began anew */
	for (i = 0; read && i < channels; i++)
		taken_row(side, i)->drained = true;
}

/* ---- for the drivers of the two sides ---- */

void
side_open(struct side *side, enum nhn_role role, uint8_t *memory, struct side_flags *flags,
	  const struct side_plan *plan, uint64_t seed)
{
	memset(side, 0, sizeof(*side));
	nhn_link_joint(&side->config, role, memory, 2 * (uint64_t)SIDE_AREA_BYTES);
	side->config.use = NHN_USE_RAW;
	side->config.beat_period_us = 1000000; /* never late: time is no subject here */
	side->config.beat_misses = 60;
	side->config.event = link_event;
	side->config.event_context = side;
	side->plan = *plan;
	side->own = &flags[role - 1];
	side->other = &flags[2 - role];
	side->random = seed + role;
	side->now_ns = 1000000000;
}

bool
side_turn(struct side *side)
{
	uint32_t channels, channel, what;

	if (side->lives == 0)
		life_begin(side);
	else if (!side->last && pattern_below(&side->random, side->plan.life) == 0)
		life_end(side);
	if (++side->turns == side->plan.turns)
		fail(side, "the two sides wait for each other for ever");
	if (pattern_below(&side->random, side->plan.stir) == 0)
		step(side);
	channels = side->link.started ? side->link.layout.channels : 1;
	channel = pattern_below(&side->random, channels);
	what = pattern_below(&side->random, 8);
	if (what < 4)
		take(side, channel);
	else if (what < 6)
		give_back(side, channel);
	else
		send_some(side, channel);
	return !all_done(side) && side->failed == NULL;
}

/* The row of the same pairing, or none. */
static const struct side_count *
same_pairing(const struct side_ledger *ledger, const struct side_count *wanted)
{
	uint32_t i;

	for (i = 0; i < ledger->rows; i++)
		if (ledger->row[i].writer == wanted->writer &&
		    ledger->row[i].reader == wanted->reader)
			return &ledger->row[i];
	return NULL;
}

static const char *
ledgers_compare(const struct side_ledger *sent, const struct side_ledger *taken)
{
	uint32_t i;

	for (i = 0; i < sent->rows; i++) {
		const struct side_count *row = same_pairing(taken, &sent->row[i]);

		if (row != NULL && row->drained && row->messages < sent->row[i].messages)
			return "the reader took the ring for read out and lost messages";
	}
	for (i = 0; i < taken->rows; i++) {
		const struct side_count *row = same_pairing(sent, &taken->row[i]);

		if (taken->row[i].messages > (row != NULL ? row->messages : 0))
			return "a message was invented";
	}
	return NULL;
}

const char *
sides_compare(const struct side *host, const struct side *guest)
{
	const char *sentence = NULL;
	uint32_t i;

	for (i = 0; i < SIDE_CHANNELS && sentence == NULL; i++)
		sentence = ledgers_compare(&host->sent[i], &guest->taken[i]);
	for (i = 0; i < SIDE_CHANNELS && sentence == NULL; i++)
		sentence = ledgers_compare(&guest->sent[i], &host->taken[i]);
	return sentence;
}
