/* SPDX-License-Identifier: BSD-3-Clause */
/* Two sides of a link in one process, stepped by hand under a fake clock. Each message
 * carries its number and its writer's session; the rig knows what must come next. */
#ifndef NHN_TEST_LINK_RIG_H
#define NHN_TEST_LINK_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <nhn_link.h>

#include "pattern.h"

#define RIG_BYTES (512u * 1024u)
#define RIG_CELLS 16u
#define RIG_DATA 4096u
#define RIG_STEP_NS 1000000u
#define RIG_NONE UINT64_MAX

/* What a message begins with. */
struct rig_head {
	uint64_t number;
	uint32_t session; /* its writer's */
	uint32_t to;	  /* the reader's session that the ring was open for */
};

struct side {
	struct nhn_link link;
	struct nhn_link_config config;
	uint64_t sent;	     /* messages committed, over all lives */
	uint64_t sent_first; /* the first of them to the reader's session sent_to */
	uint32_t sent_to;
	uint64_t next;	       /* number that must be read next, RIG_NONE in a new life */
	uint32_t reads_as;     /* session that next belongs to */
	uint64_t taken;	       /* messages read, over all lives */
	uint64_t untold;       /* of them, read and not published at a kill */
	uint32_t stales;       /* times that peek answered -ESTALE in this life */
	uint32_t read_session; /* writer of the last message read in this life */
	uint32_t read_stales;  /* stales as it was read */
	uint32_t events[NHN_LINK_EVENT_INTRUDER + 1];
	enum nhn_refusal_cause refused;
	uint32_t value; /* of the last event but of state changes */
	uint32_t lives;
};

struct rig {
	uint8_t *base;
	struct side host;
	struct side guest;
	uint64_t now_ns;
};

static inline void
rig_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	struct side *side = context;

	(void)link;
	side->events[event->kind]++;
	if (event->kind == NHN_LINK_EVENT_REFUSED)
		side->refused = event->refusal->cause;
	if (event->kind != NHN_LINK_EVENT_STATE)
		side->value = event->value;
}

static inline void
side_configure(struct side *side, enum nhn_role role, void *base)
{
	memset(side, 0, sizeof(*side));
	nhn_link_joint(&side->config, role, base, RIG_BYTES);
	side->config.use = NHN_USE_RAW;
	side->config.random = 0x1234567u * (uint32_t)role;
	side->config.event = rig_event;
	side->config.event_context = side;
	side->next = RIG_NONE;
}

/* Two configured sides on zeroed memory, neither started. */
static inline void
rig_open(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->base = aligned_alloc(4096, RIG_BYTES);
	assert_non_null(rig->base);
	memset(rig->base, 0, RIG_BYTES);
	rig->now_ns = 1000000000;
	side_configure(&rig->host, NHN_ROLE_HOST, rig->base);
	side_configure(&rig->guest, NHN_ROLE_GUEST, rig->base);
	nhn_layout_uniform(&rig->host.config.layout, 1, NHN_USE_RAW, RIG_CELLS, RIG_DATA);
}

static inline void
rig_close(struct rig *rig)
{
	free(rig->base);
	rig->base = NULL;
}

/* A life begins on whatever the memory holds; of the former nothing private is left. */
static inline void
side_begin(struct side *side)
{
	struct nhn_refusal refusal;

	memset(&side->link, 0x5a, sizeof(side->link));
	assert_int_equal(nhn_link_init(&side->link, &side->config, &refusal), 0);
	side->next = RIG_NONE;
	side->stales = 0;
	side->read_session = 0;
	side->read_stales = 0;
	side->lives++;
}

/* Messages read and not told to the writer: a restart counts them as discarded too. */
static inline void
side_untold(struct side *side)
{
	const struct nhn_rx *rx = nhn_link_rx(&side->link, 0);

	if (rx->cursor != NULL)
		side->untold += rx->head - rx->cursor->cells;
}

static inline void
side_kill(struct side *side)
{
	side_untold(side);
	side_begin(side);
}

static inline void
side_reopen(struct side *side)
{
	nhn_link_finish(&side->link);
	assert_int_equal(nhn_link_state(&side->link), NHN_LINK_CLOSED);
	side_untold(side); /* what it held and had not given back */
	side_begin(side);
}

static inline enum nhn_link_state
side_step(struct rig *rig, struct side *side)
{
	rig->now_ns += RIG_STEP_NS;
	return nhn_link_control(&side->link, rig->now_ns);
}

static inline struct side *
side_peer(struct rig *rig, struct side *side)
{
	return side == &rig->host ? &rig->guest : &rig->host;
}

static inline uint64_t
side_seed(const struct side *side)
{
	return 77 + (uint64_t)side->config.role;
}

/* Send the next message of at least the head's length on channel 0. */
static inline bool
side_send(struct side *side, uint32_t length)
{
	struct rig_head head = {side->sent, side->link.session, side->link.tx_peer};
	struct nhn_tx *tx = nhn_link_tx(&side->link, 0);
	uint8_t *body;

	if (!side->link.started)
		return false;
	body = nhn_tx_reserve(tx, length);
	if (body == NULL)
		return false;
	memcpy(body, &head, sizeof(head));
	pattern_fill(body + sizeof(head), length - (uint32_t)sizeof(head), side_seed(side),
		     side->sent);
	nhn_tx_commit(tx, body, length);
	if (side->sent_to != side->link.tx_peer) {
		side->sent_to = side->link.tx_peer;
		side->sent_first = side->sent;
	}
	side->sent++;
	return true;
}

/* In order, none left out, none twice, none that was for a former life. */
static inline void
side_check(struct side *side, const struct side *writer, const struct nhn_view *view)
{
	struct rig_head head;

	assert_true(view->length >= sizeof(head));
	memcpy(&head, view->data, sizeof(head));
	assert_int_equal(head.to, side->link.session);
	if (side->reads_as != side->link.session) { /* it started itself anew */
		side->reads_as = side->link.session;
		side->next = RIG_NONE;
	}
	if (side->next == RIG_NONE) {
		assert_int_equal(writer->sent_to, side->link.session);
		side->next = writer->sent_first;
	}
	assert_int_equal(head.number, side->next);
	assert_true(head.number < writer->sent);
	assert_true(pattern_matches(view->data + sizeof(head),
				    view->length - (uint32_t)sizeof(head), side_seed(writer),
				    head.number));
	if (side->read_session != 0 && head.session != side->read_session)
		assert_true(side->stales > side->read_stales);
	else
		assert_true(side->read_session == 0 || side->stales == side->read_stales);
	side->read_session = head.session;
	side->read_stales = side->stales;
	side->next++;
	side->taken++;
}

/* Peek up to @p count messages and check them. Returns what peek answered. */
static inline int
side_peek(struct rig *rig, struct side *side, uint32_t count)
{
	struct nhn_view views[8];
	int i, n;

	if (!side->link.started)
		return 0;
	n = nhn_rx_peek(nhn_link_rx(&side->link, 0), views, count);
	for (i = 0; i < n; i++)
		side_check(side, side_peer(rig, side), &views[i]);
	if (n == -ESTALE)
		side->stales++;
	return n;
}

static inline void
side_release(struct side *side)
{
	if (side->link.started)
		assert_int_equal(nhn_rx_release(nhn_link_rx(&side->link, 0)), 0);
}

/* Read all there is, on every channel. Returns messages of channel 0. */
static inline uint32_t
side_read(struct rig *rig, struct side *side)
{
	struct nhn_view view;
	uint32_t turn = 0;
	uint32_t sum = 0;
	uint32_t i;
	int n;

	while ((n = side_peek(rig, side, 8)) != 0) {
		side_release(side);
		sum += n > 0 ? (uint32_t)n : 0;
		assert_true(turn++ < 1000); /* more than any ring here holds */
	}
	for (i = 1; side->link.started && i < side->link.layout.channels; i++)
		while (nhn_rx_peek(nhn_link_rx(&side->link, i), &view, 1) != 0)
			assert_int_equal(nhn_rx_release(nhn_link_rx(&side->link, i)), 0);
	return sum;
}

static inline bool
rig_is_up(const struct rig *rig)
{
	return nhn_link_state(&rig->host.link) == NHN_LINK_UP &&
	       nhn_link_state(&rig->guest.link) == NHN_LINK_UP;
}

/* Take turns until both are up. Returns the turns. */
static inline uint32_t
rig_up(struct rig *rig)
{
	uint32_t turn;

	for (turn = 1; turn <= 20; turn++) {
		side_step(rig, &rig->host);
		side_read(rig, &rig->host);
		side_step(rig, &rig->guest);
		side_read(rig, &rig->guest);
		if (rig_is_up(rig))
			return turn;
	}
	fail_msg("not up: host %d, guest %d", (int)nhn_link_state(&rig->host.link),
		 (int)nhn_link_state(&rig->guest.link));
	return turn;
}

static inline void
rig_begin(struct rig *rig)
{
	side_begin(&rig->host);
	side_begin(&rig->guest);
	rig_up(rig);
}

/* Messages of several sizes both ways, through more than a ring. */
static inline void
rig_traffic(struct rig *rig)
{
	uint32_t i;

	assert_true(rig_is_up(rig));
	for (i = 0; i < 3 * RIG_CELLS; i++) {
		uint32_t length = 16 + (i * 61) % 1000;

		assert_true(side_send(&rig->host, length));
		assert_true(side_send(&rig->guest, length));
		assert_int_equal(side_read(rig, &rig->guest), 1);
		assert_int_equal(side_read(rig, &rig->host), 1);
	}
}

/* The one rig of a test program, new for each test. */
static struct rig rig;

static inline int
setup(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

static inline struct nhn_control *
control_of(const struct side *side)
{
	return (struct nhn_control *)side->config.own_area;
}

#endif /* NHN_TEST_LINK_RIG_H */
