/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer that does not fit, that lies, or that is a second one. */

#include "link_rig.h"

static void
step_both(uint32_t times)
{
	while (times-- > 0) {
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
	}
}

/* The refusing side tells of a cause once until it accepts a header. */
static void
expect_refused_once(struct side *side, enum nhn_refusal_cause cause)
{
	assert_int_equal(side->events[NHN_LINK_EVENT_REFUSED], 1);
	assert_int_equal(side->refused, cause);
	step_both(10);
	assert_int_equal(side->events[NHN_LINK_EVENT_REFUSED], 1);
	assert_true(nhn_link_state(&side->link) == NHN_LINK_WAIT_HOST ||
		    nhn_link_state(&side->link) == NHN_LINK_WAIT_PEER);
	side_reopen(side_peer(&rig, side));
	step_both(10);
	assert_int_equal(side->events[NHN_LINK_EVENT_REFUSED], 1);
	assert_int_equal(side->link.refusals, 2);
}

static void
host_is_refused(enum nhn_refusal_cause cause)
{
	side_begin(&rig.host);
	side_begin(&rig.guest);
	step_both(3);
	expect_refused_once(&rig.guest, cause);
	assert_int_equal(control_of(&rig.guest)->session, 0); /* never started */
	teardown(NULL);
	setup(NULL);
}

static void
test_guest_refuses_a_host(void **state)
{
	(void)state;
	rig.guest.config.use = NHN_USE_MSG;
	host_is_refused(NHN_REFUSAL_USE);
	rig.guest.config.layout.channels = 2;
	host_is_refused(NHN_REFUSAL_CHANNELS);
	rig.guest.config.own_bytes = 16384;
	rig.guest.config.peer_bytes = RIG_BYTES / 2;
	nhn_layout_uniform(&rig.host.config.layout, 1, NHN_USE_RAW, 256, 0);
	host_is_refused(NHN_REFUSAL_SPACE);
	rig.guest.config.peer_bytes = RIG_BYTES / 4;
	host_is_refused(NHN_REFUSAL_AREA_BYTES);
	rig.host.config.beat_misses = 60001;
	rig.host.config.beat_period_us = 1000;
	host_is_refused(NHN_REFUSAL_HEARTBEAT);
	rig.host.config.role = NHN_ROLE_HOST;
	nhn_layout_uniform(&rig.host.config.layout, 1, NHN_USE_ETHERNET, 64, 4096);
	rig.guest.config.use = NHN_USE_ETHERNET;
	rig.host.config.mtu = 2049;
	host_is_refused(NHN_REFUSAL_MTU);
}

static void
rewrite_header(struct side *side)
{
	struct nhn_control *control = control_of(side);

	control->header.crc = nhn_header_crc(&control->header);
	control->session += 2;
}

static void
test_host_refuses_a_guest(void **state)
{
	struct nhn_header *header = &control_of(&rig.guest)->header;

	(void)state;
	rig_begin(&rig);
	header->table[0].cells = 32;
	rewrite_header(&rig.guest);
	side_step(&rig, &rig.host);
	side_step(&rig, &rig.host);
	side_step(&rig, &rig.host);
	assert_int_equal(rig.host.events[NHN_LINK_EVENT_REFUSED], 1);
	assert_int_equal(rig.host.refused, NHN_REFUSAL_NOT_FOLLOWED);
	header->crc++;
	control_of(&rig.guest)->session += 2;
	side_step(&rig, &rig.host);
	side_step(&rig, &rig.host);
	assert_int_equal(rig.host.events[NHN_LINK_EVENT_REFUSED], 2);
	assert_int_equal(rig.host.refused, NHN_REFUSAL_CRC);
	side_kill(&rig.guest);
	rig_up(&rig);
	rig_traffic(&rig);
}

/* ---- a second process on the own area ---- */

static void
expect_intruder(struct side *side, uint32_t found)
{
	uint8_t *before = malloc(RIG_BYTES);
	struct side *peer = side_peer(&rig, side);
	uint32_t i;

	assert_non_null(before);
	memcpy(before, side->config.own_area, RIG_BYTES / 2);
	assert_int_equal(side_step(&rig, side), NHN_LINK_BROKEN);
	assert_int_equal(side->events[NHN_LINK_EVENT_INTRUDER], 1);
	assert_int_equal(side->value, found);
	for (i = 0; i < RIG_CELLS / 2; i++) { /* traffic would store a cursor */
		side_send(peer, 16);
		assert_true(side_peek(&rig, side, 1) <= 0);
		nhn_rx_release(nhn_link_rx(&side->link, 0));
		assert_false(side_send(side, 16));
		side_step(&rig, side);
	}
	side_kill(peer);
	for (i = 0; i < 10; i++) {
		side_step(&rig, side);
		side_step(&rig, peer);
		side_peek(&rig, side, 1);
	}
	assert_int_equal(nhn_link_state(&side->link), NHN_LINK_BROKEN);
	nhn_link_finish(&side->link);
	assert_memory_equal(before, side->config.own_area, RIG_BYTES / 2);
	assert_int_equal(side->events[NHN_LINK_EVENT_INTRUDER], 1);
	free(before);
}

static void
test_intruder_by_session(void **state)
{
	(void)state;
	rig_begin(&rig);
	control_of(&rig.host)->session += 2;
	expect_intruder(&rig.host, control_of(&rig.host)->session);
	teardown(NULL);
	setup(NULL);
	rig_begin(&rig);
	control_of(&rig.guest)->session = 0; /* zeroed or rolled back */
	expect_intruder(&rig.guest, 0);
}

static void
test_intruder_by_beat(void **state)
{
	(void)state;
	rig_begin(&rig);
	control_of(&rig.guest)->beat++;
	expect_intruder(&rig.guest, control_of(&rig.guest)->session);
}

/* Held messages may be overwritten when an intruder gives them back. */
static void
test_intruder_while_reading(void **state)
{
	uint32_t cursor;

	(void)state;
	rig_begin(&rig);
	assert_true(side_send(&rig.host, 16) && side_send(&rig.host, 16));
	assert_int_equal(side_peek(&rig, &rig.guest, 1), 1);
	cursor = control_of(&rig.guest)->cursor[0].cells;
	control_of(&rig.guest)->session += 2;
	assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_BROKEN);
	assert_int_equal(nhn_rx_release(nhn_link_rx(&rig.guest.link, 0)), -ESTALE);
	assert_true(side_peek(&rig, &rig.guest, 1) <= 0);
	assert_int_equal(control_of(&rig.guest)->cursor[0].cells, cursor);
}

/* ---- a peer that breaks the rules ---- */

static void
bad_word(struct side *liar)
{
	struct nhn_tx *tx = nhn_link_tx(&liar->link, 0);

	assert_true(side_send(liar, 16));
	*nhn_tx_commit_word(tx, nhn_tx_cell(tx, tx->tail - 1)) |= 0xff00;
}

static void
expect_fault(struct side *side, enum nhn_fault fault)
{
	uint32_t session = side->link.session;
	uint32_t told = side->events[NHN_LINK_EVENT_FAULT];

	assert_int_equal(side_step(&rig, side), NHN_LINK_BROKEN);
	assert_int_equal(side->link.faults[fault], 1);
	assert_int_equal(side->events[NHN_LINK_EVENT_FAULT], told + 1);
	assert_int_equal(side->value, fault);
	assert_int_equal(control_of(side)->session, session | 1);
	assert_false(side_send(side, 16));
}

/* Broken until the liar's successor comes; the liar itself is not talked to. */
static void
liar_is_found(struct side *liar, struct side *side)
{
	uint32_t i;

	rig_begin(&rig);
	rig_traffic(&rig);
	bad_word(liar);
	assert_int_equal(side_peek(&rig, side, 1), 0);
	expect_fault(side, NHN_FAULT_KIND);
	for (i = 0; i < 20; i++) {
		side_step(&rig, liar);
		side_read(&rig, liar);
		assert_int_equal(side_step(&rig, side), NHN_LINK_BROKEN);
		assert_false(side_send(liar, 16));
	}
	side_kill(liar);
	rig_up(&rig);
	assert_int_equal(side->stales, 1);
	rig_traffic(&rig);
	assert_int_equal(side->events[NHN_LINK_EVENT_FAULT], 1);
}

static void
test_lying_host(void **state)
{
	(void)state;
	liar_is_found(&rig.host, &rig.guest);
}

static void
test_lying_guest(void **state)
{
	(void)state;
	liar_is_found(&rig.guest, &rig.host);
}

/* The liar may be dead and its successor there before control hears of the lie. */
static void
dead_liar(struct side *liar, struct side *side)
{
	rig_begin(&rig);
	bad_word(liar);
	side_kill(liar);
	side_step(&rig, liar);
	assert_int_equal(side_peek(&rig, side, 1), 0);
	expect_fault(side, NHN_FAULT_KIND);
	rig_up(&rig);
	rig_traffic(&rig);
}

static void
test_lie_of_a_dead_life(void **state)
{
	(void)state;
	dead_liar(&rig.host, &rig.guest);
	teardown(NULL);
	setup(NULL);
	dead_liar(&rig.guest, &rig.host);
}

/* A program that still holds messages gives them back before the link comes again. */
static void
test_fault_while_messages_are_held(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	assert_true(side_send(&rig.host, 16));
	bad_word(&rig.host);
	assert_int_equal(side_peek(&rig, &rig.guest, 1), 1);
	assert_int_equal(side_peek(&rig, &rig.guest, 1), 0);
	expect_fault(&rig.guest, NHN_FAULT_KIND);
	side_kill(&rig.host);
	for (i = 0; i < 10; i++) {
		side_step(&rig, &rig.host);
		assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_BROKEN);
	}
	nhn_rx_release(nhn_link_rx(&rig.guest.link, 0));
	rig_up(&rig);
	rig_traffic(&rig);
	assert_int_equal(rig.guest.link.faults[NHN_FAULT_OVERRUN], 0);
}

static void
test_lying_cursor(void **state)
{
	(void)state;
	rig_begin(&rig);
	while (side_send(&rig.host, 16))
		continue;
	control_of(&rig.guest)->cursor[0].cells += 100;
	assert_false(side_send(&rig.host, 16));
	expect_fault(&rig.host, NHN_FAULT_CURSOR);
	side_kill(&rig.guest);
	rig_up(&rig);
	rig_traffic(&rig);
}

/* A cursor of another life is no lie. */
static void
test_cursor_of_a_new_session_is_no_lie(void **state)
{
	(void)state;
	rig_begin(&rig);
	while (side_send(&rig.host, 16))
		continue;
	memset(control_of(&rig.guest), 0, NHN_CONTROL_BYTES); /* a guest with fresh memory */
	side_begin(&rig.guest);
	side_step(&rig, &rig.guest);
	assert_false(side_send(&rig.host, 16));
	rig_up(&rig);
	assert_int_equal(rig.host.events[NHN_LINK_EVENT_FAULT], 0);
	rig_traffic(&rig);
}

/* ---- a peer that never stands still ---- */

static void
flip(struct side *liar, uint64_t *random, uint32_t every)
{
	struct nhn_control *words = control_of(liar);

	if (pattern_below(random, every) == 0)
		words->session = pattern_below(random, 4)
					 ? words->session + 1 + pattern_below(random, 2)
					 : (uint32_t)pattern_random(random);
	if (pattern_below(random, 2))
		words->seen =
			(side_peer(&rig, liar)->link.session & ~1u) | pattern_below(random, 2);
	if (pattern_below(random, 2))
		words->open = side_peer(&rig, liar)->link.session;
	words->cursor[0].cells += pattern_below(random, 3);
	words->cursor[0].data += pattern_below(random, 3) * 32;
	words->beat += pattern_below(random, 2);
}

/* Any commit word near the reader's place, in the liar's cells. */
static void
scribble_cell(struct side *liar, const struct side *side, uint64_t *random)
{
	const struct nhn_rx *rx = &side->link.rx[0];
	uint8_t *cells =
		(uint8_t *)liar->config.own_area + nhn_layout_offset(&side->link.layout, 0);
	uint32_t index = rx->head + pattern_below(random, 3);
	uint32_t *words = (uint32_t *)(void *)(cells + (index % rx->cell_count) * 64);

	words[0] = rx->data_head + pattern_below(random, 4) * 64;
	words[1] = pattern_below(random, 2500);
	words[15] = (rx->tag | (index >> rx->lap_shift & 255)) << 16 |
		    (1 + 3 * pattern_below(random, 2)) << 8 | pattern_below(random, 62);
}

static void
flipped(struct side *liar, struct side *side, uint32_t every)
{
	struct nhn_view views[4];
	uint64_t random = every;
	uint32_t up = 0;
	uint32_t i;

	rig_begin(&rig);
	for (i = 0; i < 100000; i++) {
		struct nhn_tx *tx = nhn_link_tx(&side->link, 0);
		void *body = nhn_tx_reserve(tx, 200);

		flip(liar, &random, every);
		if (body != NULL)
			nhn_tx_commit(tx, body, 200);
		side_step(&rig, side);
		up += side->link.tx_state == NHN_TX_UP;
		if (pattern_below(&random, 2))
			scribble_cell(liar, side, &random);
		nhn_rx_peek(nhn_link_rx(&side->link, 0), views, 4);
		if (pattern_below(&random, 4))
			nhn_rx_release(nhn_link_rx(&side->link, 0));
	}
	assert_true(every == 1 || up > 1000);
	/* 10^5 lies in 100 s of its clock fill no log. */
	assert_true(side->link.events_untold > 1000 || every != 1);
	assert_in_range(side->events[NHN_LINK_EVENT_STATE] + side->events[NHN_LINK_EVENT_REFUSED] +
				side->events[NHN_LINK_EVENT_FAULT],
			1, NHN_LINK_EVENTS_MAX + (rig.now_ns / NHN_LINK_EVENTS_NS));
	nhn_rx_release(nhn_link_rx(&side->link, 0));
	side_kill(liar); /* an honest one takes its place */
	rig_up(&rig);
}

static void
test_flipping_peer(void **state)
{
	(void)state;
	flipped(&rig.guest, &rig.host, 1);
	teardown(NULL);
	setup(NULL);
	flipped(&rig.host, &rig.guest, 1);
	teardown(NULL);
	setup(NULL);
	flipped(&rig.guest, &rig.host, 16);
	teardown(NULL);
	setup(NULL);
	flipped(&rig.host, &rig.guest, 16);
}

/* The header rewritten by the byte: bounded, no crash. */
static void
test_scribbled_header(void **state)
{
	uint64_t random = 3;
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 20000; i++) {
		struct nhn_header *header = &control_of(&rig.host)->header;

		((uint8_t *)header)[pattern_below(&random, 100)] = (uint8_t)pattern_random(&random);
		header->magic = NHN_MAGIC;
		header->version_major = NHN_VERSION_MAJOR;
		header->role = NHN_ROLE_HOST;
		header->area_bytes = RIG_BYTES / 2;
		rewrite_header(&rig.host);
		side_step(&rig, &rig.guest);
		side_read(&rig, &rig.guest);
		side_step(&rig, &rig.guest);
	}
	assert_true(rig.guest.link.refusals > 100);
	assert_in_range(rig.guest.events[NHN_LINK_EVENT_REFUSED], 1, NHN_LINK_EVENTS_MAX);
	side_kill(&rig.host);
	rig_up(&rig);
	rig_traffic(&rig);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_guest_refuses_a_host),
		TEST(test_host_refuses_a_guest),
		TEST(test_intruder_by_session),
		TEST(test_intruder_by_beat),
		TEST(test_intruder_while_reading),
		TEST(test_lying_host),
		TEST(test_lying_guest),
		TEST(test_lie_of_a_dead_life),
		TEST(test_fault_while_messages_are_held),
		TEST(test_lying_cursor),
		TEST(test_cursor_of_a_new_session_is_no_lie),
		TEST(test_flipping_peer),
		TEST(test_scribbled_header),
	};

	return cmocka_run_group_tests_name("link_hostile", tests, NULL, NULL);
}
