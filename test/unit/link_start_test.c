/* SPDX-License-Identifier: BSD-3-Clause */
/* The start of a side: session numbers, what an area may hold before, who may write. */

#include "link_rig.h"

static void
test_successive_sessions_differ(void **state)
{
	uint32_t last = 0;
	uint32_t i;

	(void)state;
	side_begin(&rig.host);
	for (i = 0; i < 1000; i++) {
		uint32_t session = control_of(&rig.host)->session;

		assert_true(session != 0 && session % 2 == 0 && session != last);
		assert_int_equal(session, rig.host.link.session);
		last = session;
		if (i % 5 == 3)
			control_of(&rig.host)->session |= 1; /* closed, or died formatting */
		if (i % 2)
			side_kill(&rig.host);
		else
			side_reopen(&rig.host);
	}
	rig_begin(&rig);
	rig_traffic(&rig);
}

/* Killed between the odd number and the even one: the even one is not used again. */
static void
test_life_that_died_formatting(void **state)
{
	uint32_t session;

	(void)state;
	rig_begin(&rig);
	session = control_of(&rig.host)->session;
	control_of(&rig.host)->session = session + 1;
	control_of(&rig.host)->header.magic = NHN_MAGIC_FORMATTING;
	side_step(&rig, &rig.guest);
	side_kill(&rig.host);
	assert_int_equal(rig.host.link.session, session + 4);
	rig_up(&rig);
	rig_traffic(&rig);
}

static void
test_session_wraps_without_zero(void **state)
{
	static const uint32_t last[] = {0xfffffffb, 0xfffffffc, 0xfffffffd, 0xfffffffe,
					0xffffffff, 0,		1};
	static const uint32_t next[] = {0xfffffffe, 0xfffffffe, 2, 2, 2, 2, 4};
	size_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		memset(&control_of(&rig.guest)->seen, 0, 8); /* and open: known to nobody */
		control_of(&rig.host)->session = last[i];
		side_begin(&rig.host);
		assert_int_equal(rig.host.link.session, next[i]);
	}
	teardown(NULL);
	setup(NULL);
	rig_begin(&rig);
	control_of(&rig.host)->session = 0xfffffff8u;
	control_of(&rig.guest)->session = 0xfffffff0u;
	side_begin(&rig.host);
	side_begin(&rig.guest);
	for (i = 0; i < 20; i++) { /* through the wrap with traffic */
		rig_up(&rig);
		rig_traffic(&rig);
		side_kill(i % 2 ? &rig.host : &rig.guest);
	}
	assert_true(rig.host.link.session < 100 && rig.guest.link.session < 100);
}

/* Numbers that the peer still has in its words are passed over. */
static void
test_session_known_to_the_peer_is_avoided(void **state)
{
	struct nhn_control *peer = control_of(&rig.guest);

	(void)state;
	side_begin(&rig.host);
	control_of(&rig.host)->session = 100;
	peer->open = 102;
	side_begin(&rig.host);
	assert_int_equal(rig.host.link.session, 104);
	peer->seen = 106 | 1;
	peer->open = 108;
	side_begin(&rig.host);
	assert_int_equal(rig.host.link.session, 110);
	peer->seen = 112;
	peer->open = 0;
	side_begin(&rig.host);
	assert_int_equal(rig.host.link.session, 114);
	memset(control_of(&rig.host), 0, NHN_CONTROL_BYTES);
	peer->header.magic = NHN_MAGIC;
	peer->seen = rig.host.config.random + 1; /* odd: its even part is avoided, too */
	peer->open = (rig.host.config.random + 2) & ~1u;
	side_begin(&rig.host);
	assert_int_not_equal(rig.host.link.session, peer->seen & ~1u);
	assert_int_not_equal(rig.host.link.session, peer->open);
}

static void
test_first_use_starts_near_the_wrap(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < NHN_CHANNELS_MAX; i++) {
		assert_int_equal(control_of(&rig.host)->cursor[i].cells, 0xfffffff8u);
		assert_int_equal(control_of(&rig.guest)->cursor[i].cells, 0xfffffff8u);
		assert_int_equal(control_of(&rig.guest)->cursor[i].data, 0xfffff000u);
	}
	rig_traffic(&rig);
	assert_true(control_of(&rig.host)->cursor[0].cells < 100);
	side_kill(&rig.host); /* a cursor is never reset */
	assert_true(control_of(&rig.host)->cursor[0].cells < 100);
	assert_int_equal(control_of(&rig.host)->cursor[1].cells, 0xfffffff8u);
}

/* Zeroed, the peer's memory of us, or our own: both start from what there is. */
static void
test_zeroed_area_of_either(void **state)
{
	(void)state;
	rig_begin(&rig);
	rig_traffic(&rig);
	memset(control_of(&rig.host), 0, RIG_BYTES / 2);
	side_begin(&rig.host);
	rig_up(&rig);
	rig_traffic(&rig);
	memset(control_of(&rig.guest), 0, RIG_BYTES / 2);
	side_begin(&rig.guest);
	rig_up(&rig);
	rig_traffic(&rig);
}

static void
garbage(void *area, uint64_t seed)
{
	pattern_fill(area, RIG_BYTES / 2, seed, 0);
}

static void
test_garbage_is_no_obstacle_for_a_guest(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed < 100; seed++) {
		side_begin(&rig.host);
		garbage(rig.guest.config.own_area, seed);
		side_begin(&rig.guest);
		rig_up(&rig);
		assert_int_equal(nhn_link_discarded(&rig.guest.link), 0);
		rig_traffic(&rig);
		teardown(NULL);
		setup(NULL);
	}
}

/* Whole areas of garbage under a magic of ours: words count for nothing but a base. */
static void
test_garbage_with_our_magic(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed < 100; seed++) {
		garbage(rig.host.config.own_area, seed);
		garbage(rig.guest.config.own_area, seed + 1000);
		control_of(&rig.host)->header.magic = seed % 2 ? NHN_MAGIC : NHN_MAGIC_FORMATTING;
		control_of(&rig.guest)->header.magic = NHN_MAGIC;
		rig_begin(&rig);
		rig_traffic(&rig);
		side_kill(&rig.guest);
		rig_up(&rig);
		rig_traffic(&rig);
		teardown(NULL);
		setup(NULL);
	}
}

/* A guest that no host has met yet may be polled and told to give back. */
static void
test_guest_without_host_is_safe_to_poll(void **state)
{
	struct nhn_view view;

	(void)state;
	side_begin(&rig.guest);
	assert_int_equal(nhn_rx_peek(nhn_link_rx(&rig.guest.link, 0), &view, 1), 0);
	assert_int_equal(nhn_rx_release(nhn_link_rx(&rig.guest.link, 0)), 0);
	assert_null(nhn_tx_reserve(nhn_link_tx(&rig.guest.link, 0), 8));
}

static void
host_refuses_own_area(void)
{
	uint8_t *before = malloc(RIG_BYTES);
	struct nhn_refusal refusal;

	assert_non_null(before);
	memcpy(before, rig.base, RIG_BYTES);
	assert_int_equal(nhn_link_init(&rig.host.link, &rig.host.config, &refusal), -EPROTO);
	assert_int_equal(refusal.cause, NHN_REFUSAL_OWN_AREA);
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_CLOSED);
	nhn_link_finish(&rig.host.link);
	assert_memory_equal(before, rig.base, RIG_BYTES);
	free(before);
}

static void
test_host_leaves_foreign_bytes_alone(void **state)
{
	static const uint32_t places[] = {0, 1, 0x100, 0x101, 0x5a0, 4096, NHN_CONTROL_BYTES - 1};
	size_t i;

	(void)state;
	garbage(rig.host.config.own_area, 5);
	host_refuses_own_area();
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) { /* a single byte will do */
		memset(rig.base, 0, RIG_BYTES);
		rig.base[places[i]] = 1;
		host_refuses_own_area();
	}
	memset(rig.base, 0xff, RIG_BYTES);
	host_refuses_own_area();
	memset(rig.base, 0, RIG_BYTES / 2); /* what only the guest's half holds counts as well */
	host_refuses_own_area();
	memset(rig.base, 0, RIG_BYTES);
	rig_begin(&rig);
}

/* Whatever lies in the host's half short of a valid host, the guest's stays as it is. */
static void
guest_is_silent(void)
{
	uint8_t *before = malloc(RIG_BYTES);
	uint32_t i;

	assert_non_null(before);
	garbage(rig.guest.config.own_area, 9);
	memcpy(before, rig.base, RIG_BYTES);
	side_begin(&rig.guest);
	for (i = 0; i < 20; i++)
		assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_WAIT_HOST);
	assert_memory_equal(before, rig.base, RIG_BYTES);
	nhn_link_finish(&rig.guest.link);
	assert_memory_equal(before, rig.base, RIG_BYTES);
	free(before);
}

static void
test_guest_is_silent_before_a_valid_host(void **state)
{
	struct nhn_control *host = control_of(&rig.host);

	(void)state;
	guest_is_silent(); /* zeros */
	garbage(host, 3);
	guest_is_silent();
	host->session &= ~1u;
	guest_is_silent();
	memset(rig.base, 0, RIG_BYTES);
	side_begin(&rig.host);
	host->session++; /* formatting */
	guest_is_silent();
	host->session++;
	host->header.magic = NHN_MAGIC_FORMATTING;
	guest_is_silent();
	host->header.magic = NHN_MAGIC;
	host->header.crc ^= 1;
	guest_is_silent();
	host->header.crc ^= 1;
	nhn_link_finish(&rig.host.link); /* closed: found odd by init's successor */
	host->session |= 1;
	guest_is_silent();
	side_begin(&rig.host);
	side_begin(&rig.guest);
	rig_up(&rig);
	rig_traffic(&rig);
}

/* The words a start zeroes, and those it keeps. */
static void
test_start_touches_no_cell(void **state)
{
	uint8_t *before = malloc(RIG_BYTES);
	uint32_t beat;

	(void)state;
	assert_non_null(before);
	rig_begin(&rig);
	rig_traffic(&rig);
	assert_true(side_send(&rig.host, 900));
	memcpy(before, rig.base, RIG_BYTES);
	beat = control_of(&rig.host)->beat;
	side_kill(&rig.host);
	assert_int_equal(control_of(&rig.host)->seen, 0);
	assert_int_equal(control_of(&rig.host)->open, 0);
	assert_int_equal(control_of(&rig.host)->beat, beat);
	assert_memory_equal(rig.base + NHN_CONTROL_BYTES, before + NHN_CONTROL_BYTES,
			    RIG_BYTES - NHN_CONTROL_BYTES);
	assert_memory_equal(control_of(&rig.host)->cursor,
			    before + offsetof(struct nhn_control, cursor),
			    sizeof(control_of(&rig.host)->cursor));
	free(before);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_successive_sessions_differ),
		TEST(test_life_that_died_formatting),
		TEST(test_session_wraps_without_zero),
		TEST(test_session_known_to_the_peer_is_avoided),
		TEST(test_first_use_starts_near_the_wrap),
		TEST(test_zeroed_area_of_either),
		TEST(test_garbage_is_no_obstacle_for_a_guest),
		TEST(test_garbage_with_our_magic),
		TEST(test_guest_without_host_is_safe_to_poll),
		TEST(test_host_leaves_foreign_bytes_alone),
		TEST(test_guest_is_silent_before_a_valid_host),
		TEST(test_start_touches_no_cell),
	};

	return cmocka_run_group_tests_name("link_start", tests, NULL, NULL);
}
