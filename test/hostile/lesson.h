/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scripts of lessons that others have paid for (the table is in doc/threat-model):
 * a victim, and a liar that is an honest link until the script rewrites its words.
 */
#ifndef NHN_TEST_LESSON_H
#define NHN_TEST_LESSON_H

#include <errno.h>
#include <stdlib.h>

#include "hostile_link.h"

#define LESSON_DATA 4096u

struct lesson {
	struct link_victim victim;
	struct nhn_link liar;
	uint64_t sent;
	uint64_t taken;
};

/* The one of a test program, new for each test. */
static struct lesson lesson;
static struct hostile *const hostile = &lesson.victim.hostile;

/* Both sides configured on clean memory, neither begun. */
static inline void
lesson_open(enum nhn_role victim, enum nhn_use use, uint32_t channels, uint32_t cells)
{
	struct link_victim *v = &lesson.victim;
	size_t bytes;

	memset(&lesson, 0, sizeof(lesson));
	hostile_begin(hostile, 1);
	hostile->role = victim == NHN_ROLE_HOST ? NHN_ROLE_GUEST : NHN_ROLE_HOST;
	hostile->mtu = use == NHN_USE_ETHERNET ? 1500 : 0;
	hostile->offer_count = 1;
	nhn_layout_uniform(&hostile->offers[0], channels, use, cells, LESSON_DATA);
	bytes = (size_t)nhn_layout_offset(&hostile->offers[0], channels);
	hostile_area_open(&v->own, bytes, true);
	hostile_area_open(&v->peer, bytes, false);
	link_victim_configure(v, use);
}

static inline void
lesson_close(void)
{
	hostile_area_close(&lesson.victim.own);
	hostile_area_close(&lesson.victim.peer);
}

static inline int
lesson_teardown(void **state)
{
	(void)state;
	hostile->script = NULL;
	lesson_close();
	return 0;
}

static inline void
liar_begin(void)
{
	struct nhn_link_config config = lesson.victim.config;
	struct nhn_refusal refusal;

	config.role = hostile->role;
	config.own_area = lesson.victim.peer.mine;
	config.peer_area = lesson.victim.own.mine;
	config.layout = hostile->offers[0];
	config.event = NULL;
	config.random = 77;
	if (config.role == NHN_ROLE_GUEST)
		memset(&config.layout, 0, sizeof(config.layout));
	assert_int_equal(nhn_link_init(&lesson.liar, &config, &refusal), 0);
}

static inline struct nhn_control *
liar_words(void)
{
	return (struct nhn_control *)(void *)lesson.victim.peer.mine;
}

static inline struct nhn_control *
own_words(void)
{
	return (struct nhn_control *)(void *)lesson.victim.own.mine;
}

static inline struct nhn_rx *
victim_rx(void)
{
	return nhn_link_rx(&lesson.victim.link, 0);
}

static inline struct nhn_tx *
victim_tx(void)
{
	return nhn_link_tx(&lesson.victim.link, 0);
}

static inline struct nhn_tx *
liar_tx(void)
{
	return nhn_link_tx(&lesson.liar, 0);
}

static inline void
read_out(struct nhn_link *link)
{
	struct nhn_view view;
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++)
		while (nhn_rx_peek(nhn_link_rx(link, i), &view, 1) != 0)
			nhn_rx_release(nhn_link_rx(link, i));
}

/* A control step of the victim within its bounds. */
static inline enum nhn_link_state
victim_control(void)
{
	struct link_victim *v = &lesson.victim;
	struct hostile_bound bound = link_step_bound(&v->link);

	v->now_ns += 1000000;
	v->ledger.most = UINT64_MAX;
	link_ledger_before(&v->ledger, &v->link);
	bound.loads += 5;
	hostile_enter(hostile);
	nhn_link_control(&v->link, v->now_ns);
	hostile_leave(hostile, &link_calls[CALL_STEP], bound);
	link_ledger_after(&v->ledger, hostile);
	return nhn_link_state(&v->link);
}

static inline void
liar_control(void)
{
	nhn_link_control(&lesson.liar, lesson.victim.now_ns);
}

static inline void
come_up(void)
{
	uint32_t turn;

	for (turn = 0; turn < 12; turn++) {
		liar_control();
		read_out(&lesson.liar);
		victim_control();
		read_out(&lesson.victim.link);
	}
	assert_int_equal(nhn_link_state(&lesson.liar), NHN_LINK_UP);
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_UP);
}

static inline void
lesson_up(enum nhn_role victim, uint32_t cells)
{
	lesson_open(victim, NHN_USE_RAW, 1, cells);
	link_victim_begin(&lesson.victim);
	liar_begin();
	come_up();
}

/* ---- messages ---- */

static inline void
liar_send(uint32_t length)
{
	void *body = nhn_tx_reserve(liar_tx(), length);

	assert_non_null(body);
	pattern_fill(body, length, 1, lesson.sent);
	nhn_tx_commit(liar_tx(), body, length);
	lesson.sent++;
}

/* The cell, and its commit word, that the liar wrote last but @p back. */
static inline uint32_t *
liar_cell(uint32_t back)
{
	return (uint32_t *)(void *)nhn_tx_cell(liar_tx(), liar_tx()->tail - 1 - back);
}

static inline uint32_t *
liar_word(uint32_t back)
{
	return nhn_tx_commit_word(liar_tx(), (uint8_t *)liar_cell(back));
}

static inline void
set_kind(uint32_t back, uint32_t kind, uint32_t length)
{
	*liar_word(back) = (*liar_word(back) & 0xffff0000u) | kind << 8 | length;
}

/* The victim peeks, and the calls of the engine count what it loads. */
static inline int
victim_peek(struct nhn_view *views, uint32_t count)
{
	int found;

	hostile_enter(hostile);
	found = nhn_rx_peek(victim_rx(), views, count);
	hostile->inside = false;
	return found;
}

static inline int
victim_give_back(void)
{
	int ret;

	hostile_enter(hostile);
	ret = nhn_rx_release(victim_rx());
	hostile->inside = false;
	return ret;
}

/* The next message arrives as it was sent. */
static inline void
expect_message(uint32_t length)
{
	struct nhn_view view;

	assert_int_equal(victim_peek(&view, 1), 1);
	assert_int_equal(view.length, length);
	assert_true(pattern_matches(nhn_foreign_lend(view.data), length, 1, lesson.taken));
	assert_int_equal(victim_give_back(), 0);
	lesson.taken++;
}

/* The victim delivers nothing and finds the channel broken for this cause. */
static inline void
expect_fault(enum nhn_fault fault)
{
	struct nhn_view view;
	uint64_t before = lesson.victim.link.faults[fault];

	assert_int_equal(victim_peek(&view, 1), 0);
	assert_int_equal(victim_rx()->fault, fault);
	assert_int_equal(victim_control(), NHN_LINK_BROKEN);
	assert_int_equal(lesson.victim.link.faults[fault], before + 1);
}

/* After a fault: an honest life of the liar, and the link is up again. */
static inline void
mend(void)
{
	nhn_rx_release(victim_rx());
	nhn_link_finish(&lesson.liar);
	liar_begin();
	come_up();
	lesson.taken = lesson.sent;
}

#endif /* NHN_TEST_LESSON_H */
