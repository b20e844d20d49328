/* SPDX-License-Identifier: BSD-3-Clause */
/* A link, host or guest, against a peer that rewrites any word: its header, the
 * handshake, its rings, and in a joint device the victim's area as well. After each
 * round an honest peer takes the hostile one's place, and messages flow. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "hostile_link.h"

#define STEPS 1000u
#define NIGHTLY_WORDS UINT64_C(40000000)

static struct hostile_run run;
static struct link_victim victim;
static struct hostile *const hostile = &victim.hostile;
static uint64_t second_lives; /* of honest peers whose first was taken for the liar */

static const struct hostile_profile profiles[] = {
	{"polite", {[AIM_HONEST] = 200, [AIM_COMMIT] = 1, [AIM_DESCRIPTOR] = 1}, 8},
	{"impostor", {[AIM_HONEST] = 60, [AIM_LIVE] = 1, [AIM_CURSOR] = 1, [AIM_REPLAY] = 1}, 32},
	{"live", {[AIM_HONEST] = 40, [AIM_LIVE] = 20, [AIM_REPLAY] = 5}, 64},
	{"header", {[AIM_HONEST] = 20, [AIM_LIVE] = 5, [AIM_HEADER] = 20}, 16},
	{"rings",
	 {[AIM_HONEST] = 60, [AIM_CURSOR] = 6, [AIM_COMMIT] = 3, [AIM_DESCRIPTOR] = 3},
	 64},
	{"bytes", {[AIM_HONEST] = 50, [AIM_BYTE] = 200}, 64},
	{"all",
	 {[AIM_HONEST] = 60,
	  [AIM_LIVE] = 4,
	  [AIM_HEADER] = 1,
	  [AIM_CURSOR] = 4,
	  [AIM_COMMIT] = 4,
	  [AIM_DESCRIPTOR] = 4,
	  [AIM_BYTE] = 20,
	  [AIM_REPLAY] = 4,
	  [AIM_OWN] = 4},
	 100},
};

static void
offer(uint32_t channels, enum nhn_use use, uint32_t cells, uint32_t data_bytes)
{
	nhn_layout_uniform(&hostile->offers[hostile->offer_count++], channels, use, cells,
			   data_bytes);
}

/* Returns the bytes that the largest of them needs. */
static size_t
offers_make(enum nhn_use use)
{
	size_t most = 0;
	uint32_t i;

	hostile->offer_count = 0;
	hostile->mtu = use == NHN_USE_ETHERNET ? 1500 : 0;
	offer(1, use, 16, 4096);
	offer(2, use, 64, 4096);
	offer(5, use, 16, 8192);
	offer(1, use, 512, 8192);
	if (use == NHN_USE_RAW) {
		offer(3, use, 32, 0);
		offer(2, use, 16, 4096);
		hostile->offers[hostile->offer_count - 1].entry[1].cell_bytes = 128;
	}
	for (i = 0; i < hostile->offer_count; i++) {
		size_t bytes =
			(size_t)nhn_layout_offset(&hostile->offers[i], hostile->offers[i].channels);

		most = bytes > most ? bytes : most;
	}
	return most;
}

static void
memory_fill(uint8_t *bytes, size_t count)
{
	pattern_fill(bytes, (uint32_t)count, hostile->seed, 0);
}

static void
round_begin(uint64_t seed)
{
	enum nhn_use use;
	size_t bytes;

	hostile_begin(hostile, seed);
	hostile->profile =
		hostile_profile_of(hostile, profiles, sizeof(profiles) / sizeof(profiles[0]));
	hostile->role = hostile_below(hostile, 2) ? NHN_ROLE_HOST : NHN_ROLE_GUEST;
	hostile->no_reading = hostile_chance(hostile, 16);
	hostile->no_beat = hostile_chance(hostile, 8);
	use = hostile_below(hostile, 2) ? NHN_USE_ETHERNET : NHN_USE_RAW;
	bytes = offers_make(use);
	hostile->offer = hostile_below(hostile, hostile->offer_count);
	hostile_area_open(&victim.own, bytes, true);
	hostile_area_open(&victim.peer, bytes, false);
	hostile->own = hostile_below(hostile, 2) ? victim.own.mine : NULL;
	if (hostile_chance(hostile, 8))
		memory_fill(victim.own.mine, bytes);
	if (hostile_chance(hostile, 8))
		memory_fill(victim.peer.mine, bytes);
	link_victim_configure(&victim, use);
	link_victim_begin(&victim);
}

static void
round_end(void)
{
	link_victim_finish(&victim);
	hostile_area_close(&victim.own);
	hostile_area_close(&victim.peer);
}

/* Control or traffic; a user who has had enough, or finds an intruder, starts anew. */
static void
victim_step(uint32_t patience)
{
	hostile->step++;
	if (hostile_below(hostile, 3) == 0)
		link_victim_control(&victim);
	else
		link_victim_traffic(&victim);
	if (hostile_chance(hostile, patience) ||
	    (victim.link.intruder && hostile_chance(hostile, 50))) {
		link_victim_finish(&victim);
		link_victim_begin(&victim);
	}
}

static void
step(void)
{
	uint32_t i;

	for (i = hostile_below(hostile, 3); i > 0; i--)
		hostile_rewrite(hostile);
	victim_step(300);
}

/* ---- an honest peer takes the hostile one's place ---- */

static struct nhn_link honest;

static void
honest_begin(void)
{
	struct nhn_link_config config = victim.config;
	struct nhn_refusal refusal;

	config.role = hostile->role;
	config.own_area = victim.peer.mine;
	config.peer_area = victim.own.mine;
	config.event = NULL;
	memset(&config.layout, 0, sizeof(config.layout));
	if (config.role == NHN_ROLE_HOST)
		config.layout = hostile->offers[hostile->offer];
	config.random = (uint32_t)pattern_random(&hostile->random);
	if (nhn_link_init(&honest, &config, &refusal) == 0)
		return;
	hostile_check(hostile, refusal.cause == NHN_REFUSAL_OWN_AREA);
	memset(victim.peer.mine, 0, NHN_CONTROL_BYTES);
	hostile_check(hostile, nhn_link_init(&honest, &config, &refusal) == 0);
}

static void
read_out(struct nhn_link *link)
{
	struct nhn_view view;
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++) {
		nhn_rx_release(nhn_link_rx(link, i));
		while (nhn_rx_peek(nhn_link_rx(link, i), &view, 1) != 0)
			nhn_rx_release(nhn_link_rx(link, i));
	}
}

/* Returns whether the link came up within as many turns as a restart needs. */
static bool
come_up(void)
{
	uint32_t turn;

	for (turn = 0; turn < 12; turn++) {
		victim.now_ns += 1000000;
		nhn_link_control(&honest, victim.now_ns);
		read_out(&honest);
		nhn_link_control(&victim.link, victim.now_ns);
		read_out(&victim.link);
		if (nhn_link_state(&honest) == NHN_LINK_UP &&
		    nhn_link_state(&victim.link) == NHN_LINK_UP)
			return true;
	}
	return false;
}

static void
exchange(struct nhn_link *from, struct nhn_link *to, uint32_t channel)
{
	struct nhn_tx *tx = nhn_link_tx(from, channel);
	struct nhn_rx *rx = nhn_link_rx(to, channel);
	uint32_t number;

	for (number = 0; number < 2 * tx->cell_count; number++) {
		uint32_t longest = tx->data_bytes != 0 ? tx->data_bytes / 2 : tx->inline_bytes;
		uint32_t length = pattern_length(hostile->seed, number, longest);
		void *body = nhn_tx_reserve(tx, length);
		struct nhn_view view;

		hostile_check(hostile, body != NULL);
		pattern_fill(body, length, hostile->seed, number);
		nhn_tx_commit(tx, body, length);
		hostile_check(hostile, nhn_rx_peek(rx, &view, 1) == 1);
		hostile_check(hostile, view.length == length);
		hostile_check(hostile, pattern_matches(nhn_foreign_lend(view.data), length,
						       hostile->seed, number));
		hostile_check(hostile, nhn_rx_release(rx) == 0);
		hostile_check(hostile, nhn_rx_peek(rx, &view, 1) == 0);
	}
}

static void
honest_peer(void)
{
	uint32_t i;

	/* A joint device's victim has lost its own area: it is started anew. */
	if (hostile->own != NULL || victim.link.intruder) {
		link_victim_finish(&victim);
		memset(victim.own.mine, 0, NHN_CONTROL_BYTES);
		link_victim_begin(&victim);
	}
	honest_begin();
	for (i = 0; !come_up(); i++) { /* its number may be one that the liar was refused by */
		second_lives++;
		hostile_check(hostile, i < 2);
		nhn_link_finish(&honest);
		honest_begin();
	}
	for (i = 0; i < honest.layout.channels; i++) {
		exchange(&honest, &victim.link, i);
		exchange(&victim.link, &honest, i);
	}
	nhn_link_finish(&honest);
}

/* ---- tests ---- */

static void
print(uint64_t rounds)
{
	printf("link: %" PRIu64 " rounds from seed %" PRIu64 ", %" PRIu64
	       " words rewritten, %" PRIu64 " of them between two loads of a call, %" PRIu64
	       " honest; %" PRIu64 " honest peers needed a second life\n",
	       rounds, run.seed, hostile->words, hostile->within, hostile->honest, second_lives);
	link_reached_print();
	victim_reached_print();
	hostile_calls_print(victim_calls, VICTIM_CALLS);
}

/* Every state, every cause of a fault and of a refusal: else the rest proves nothing. */
static void
expect_all_reached(void)
{
	uint32_t i;

	for (i = 0; i <= NHN_LINK_BROKEN; i++)
		assert_true(link_reached.states[i] > 0);
	for (i = NHN_FAULT_KIND; i <= NHN_FAULT_CURSOR; i++)
		assert_true(link_reached.faults[i] > 0 || i == NHN_FAULT_MESSAGE);
	for (i = NHN_REFUSAL_MAGIC; i <= NHN_REFUSAL_OWN_AREA; i++)
		assert_true(link_reached.refusals[i] > 0);
	for (i = 0; i <= NHN_LINK_EVENT_INTRUDER; i++)
		assert_true(link_reached.told[i] > 0);
	assert_true(link_reached.intruders > 0 && link_reached.layouts > 0);
	assert_true(link_reached.untold > 0);
	assert_true(victim_reached.delivered > 10000 && victim_reached.described > 1000);
	assert_true(victim_reached.sent > 10000 && victim_reached.stale > 100);
}

static void
test_link_against_a_hostile_peer(void **state)
{
	uint64_t rounds;
	uint32_t i;

	(void)state;
	for (rounds = 0; hostile->words < run.words; rounds++) {
		round_begin(run.seed + rounds);
		for (i = 0; i < STEPS; i++)
			step();
		honest_peer();
		round_end();
	}
	print(rounds);
	expect_all_reached();
}

/* The same with a peer that really runs at the same time, for a quarter of the words. */
static void
test_link_against_a_racing_peer(void **state)
{
	const struct hostile_profile *profile;
	uint64_t words = 0;
	uint64_t rounds;
	uint32_t i;

	(void)state;
	memset(&link_reached, 0, sizeof(link_reached));
	for (rounds = 0; words < run.words / 4; rounds++) {
		round_begin(run.seed + rounds);
		profile = hostile->profile;
		hostile_race_begin(hostile);
		hostile->profile = NULL; /* nothing else between the loads */
		for (i = 0; i < STEPS || hostile_race_words() < run.words / 64; i++)
			victim_step(20000); /* the thread may be off its core for long */
		words += hostile_race_words();
		hostile_race_end(hostile);
		hostile->profile = profile;
		honest_peer();
		round_end();
	}
	printf("link, racing: %" PRIu64 " rounds, %" PRIu64 " words rewritten\n", rounds, words);
	link_reached_print();
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_against_a_hostile_peer),
		cmocka_unit_test(test_link_against_a_racing_peer),
	};
	int ret = hostile_run_parse(&run, argc, argv, NIGHTLY_WORDS);

	return ret != 0 ? ret : cmocka_run_group_tests_name("hostile_link", tests, NULL, NULL);
}
