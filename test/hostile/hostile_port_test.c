/* SPDX-License-Identifier: BSD-3-Clause */
/* A port of net_nahanni, host or guest, joint or split, against a peer that rewrites
 * any word. After each round an honest peer takes the hostile one's place, frames
 * flow, and every mbuf comes back. */

#include <inttypes.h>
#include <stdio.h>

#include <rte_malloc.h>

#include "port_peer.h"

#define STEPS 1000u
#define NIGHTLY_WORDS UINT64_C(20000000)

static struct hostile_run run;
static struct port_victim victim;
static struct hostile *const hostile = &victim.hostile;
static uint64_t second_lives; /* of honest peers whose first was taken for the liar */

static const struct hostile_profile profiles[] = {
	{"polite", {[AIM_HONEST] = 100, [AIM_COMMIT] = 1, [AIM_DESCRIPTOR] = 1}, 16},
	{"impostor", {[AIM_HONEST] = 60, [AIM_LIVE] = 1, [AIM_CURSOR] = 1, [AIM_REPLAY] = 1}, 32},
	{"live", {[AIM_HONEST] = 40, [AIM_LIVE] = 20, [AIM_REPLAY] = 5}, 64},
	{"header", {[AIM_HONEST] = 20, [AIM_LIVE] = 5, [AIM_HEADER] = 20}, 16},
	{"rings",
	 {[AIM_HONEST] = 60, [AIM_CURSOR] = 6, [AIM_COMMIT] = 3, [AIM_DESCRIPTOR] = 3},
	 64},
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
start(void)
{
	if (!port_victim_start(&victim)) {
		/* strange bytes: somebody gives it clean memory, in peace */
		const struct hostile_profile *profile = hostile->profile;

		hostile->profile = NULL;
		memset(hostile->peer, 0, NHN_CONTROL_BYTES);
		memset(hostile->own, 0, NHN_CONTROL_BYTES);
		hostile_check(hostile, port_victim_start(&victim));
		hostile->profile = profile;
	}
}

static void
round_begin(uint64_t seed)
{
	hostile_begin(hostile, seed);
	hostile->profile =
		hostile_profile_of(hostile, profiles, sizeof(profiles) / sizeof(profiles[0]));
	hostile->role = hostile_below(hostile, 2) ? NHN_ROLE_HOST : NHN_ROLE_GUEST;
	hostile->no_reading = hostile_chance(hostile, 16);
	hostile->no_beat = hostile_chance(hostile, 8);
	hostile->mtu = 1500;
	victim.split = hostile_below(hostile, 2);
	victim.queues = (uint16_t)(1 + hostile_below(hostile, PORT_QUEUES_MAX));
	victim.descriptors = 16;
	victim.clock_ahead = false;
	victim.bytes = 65536;
	nhn_layout_uniform(&hostile->offers[0], victim.queues, NHN_USE_ETHERNET, 16, 4096);
	nhn_layout_uniform(&hostile->offers[1], victim.queues, NHN_USE_ETHERNET, 32, 4096);
	nhn_layout_uniform(&hostile->offers[2], victim.queues, NHN_USE_ETHERNET, 16, 8192);
	hostile->offer_count = 3;
	hostile->offer = hostile_below(hostile, 3);
	port_victim_open(&victim);
	start();
}

static void
round_end(void)
{
	port_victim_stop(&victim);
	port_victim_close(&victim);
}

/* Control or traffic; a user who has had enough, or finds an intruder, starts anew. */
static void
victim_step(uint32_t patience)
{
	hostile->step++;
	if (hostile_chance(hostile, 64))
		victim.clock_ahead = !victim.clock_ahead;
	switch (hostile_below(hostile, 4)) {
	case 0:
		port_victim_send(&victim);
		break;
	case 1:
		port_victim_control(&victim);
		break;
	default:
		port_victim_receive(&victim);
	}
	if (hostile_chance(hostile, 64))
		port_victim_xstats(&victim);
	if (hostile_chance(hostile, patience) ||
	    (victim.link->intruder && hostile_chance(hostile, 50))) {
		port_victim_stop(&victim);
		start();
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

static void
honest_peer(void)
{
	uint64_t number;

	victim.clock_ahead = false;
	hostile->profile = NULL;
	/* A joint device's victim has lost its own area: it is started anew. */
	if (!victim.split || victim.link->intruder) {
		port_victim_stop(&victim);
		memset(victim.split ? victim.own : hostile->own, 0, NHN_CONTROL_BYTES);
		start();
	}
	port_peer_begin(&victim);
	for (number = 0; !port_peer_up(&victim); number++) {
		/* its number may be one that the liar was refused by */
		second_lives++;
		hostile_check(hostile, number < 2);
		nhn_link_finish(&port_peer);
		port_peer_begin(&victim);
	}
	for (number = 0; number < 100; number++) {
		uint16_t queue = (uint16_t)(number % victim.queues);
		uint16_t length = (uint16_t)(14 + hostile_below(hostile, 1508));

		port_peer_to_victim(&victim, queue, length, number);
		port_victim_to_peer(&victim, queue, length, number);
	}
	nhn_link_finish(&port_peer);
}

/* ---- tests ---- */

static size_t
heap_bytes(void)
{
	struct rte_malloc_socket_stats stats;

	assert_int_equal(rte_malloc_get_socket_stats(0, &stats), 0);
	return stats.heap_allocsz_bytes;
}

static void
expect_all_reached(void)
{
	uint32_t i;

	for (i = NHN_LINK_CLOSED; i <= NHN_LINK_BROKEN; i++)
		assert_true(link_reached.states[i] > 0);
	for (i = NHN_FAULT_KIND; i <= NHN_FAULT_CURSOR; i++)
		assert_true(link_reached.faults[i] > 0 || i == NHN_FAULT_MESSAGE);
	for (i = NHN_REFUSAL_MAGIC; i <= NHN_REFUSAL_OWN_AREA; i++)
		assert_true(link_reached.refusals[i] > 0);
	for (i = 0; i <= NHN_LINK_EVENT_INTRUDER; i++)
		assert_true(link_reached.told[i] > 0);
	assert_true(port_reached.received > 1000 && port_reached.sent > 1000);
	assert_true(port_reached.dropped > 100);
}

static void
print(const char *name, uint64_t rounds, uint64_t words)
{
	printf("%s: %" PRIu64 " rounds from seed %" PRIu64 ", %" PRIu64 " words rewritten, %" PRIu64
	       " of them between two loads of a call, %" PRIu64 " honest; %" PRIu64
	       " honest peers needed a second life\n",
	       name, rounds, run.seed, words, hostile->within, hostile->honest, second_lives);
	printf("  %" PRIu64 " frames sent, %" PRIu64 " received, %" PRIu64
	       " dropped as too short or too long, %" PRIu64 " in one burst at most\n",
	       port_reached.sent, port_reached.received, port_reached.dropped,
	       port_reached.burst_most);
	link_reached_print();
	hostile_calls_print(port_calls, PORT_CALLS);
}

static void
test_port_against_a_hostile_peer(void **state)
{
	uint64_t rounds;
	size_t heap;
	uint32_t i;

	(void)state;
	round_begin(run.seed); /* the first port makes what all ports share */
	round_end();
	heap = heap_bytes();
	for (rounds = 0; hostile->words < run.words; rounds++) {
		round_begin(run.seed + rounds);
		for (i = 0; i < STEPS; i++)
			step();
		honest_peer();
		round_end();
		assert_int_equal(heap_bytes(), heap);
	}
	print("port", rounds, hostile->words);
	expect_all_reached();
}

/* The same with a peer that really runs at the same time, for a quarter of the words. */
static void
test_port_against_a_racing_peer(void **state)
{
	uint64_t words = 0;
	uint64_t rounds;
	uint32_t i;

	(void)state;
	memset(&link_reached, 0, sizeof(link_reached));
	memset(&port_reached, 0, sizeof(port_reached));
	for (rounds = 0; words < run.words / 4; rounds++) {
		round_begin(run.seed + rounds);
		hostile_race_begin(hostile);
		hostile->profile = NULL; /* nothing else between the loads */
		for (i = 0; i < STEPS || hostile_race_words() < run.words / 64; i++)
			victim_step(20000); /* the thread may be off its core for long */
		words += hostile_race_words();
		hostile_race_end(hostile);
		honest_peer();
		round_end();
	}
	print("port, racing", rounds, words);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port_against_a_hostile_peer),
		cmocka_unit_test(test_port_against_a_racing_peer),
	};
	int ret = hostile_run_parse(&run, argc, argv, NIGHTLY_WORDS);

	if (ret == 0)
		ret = port_rig_start(argv[0]);
	return ret != 0 ? ret : cmocka_run_group_tests_name("hostile_port", tests, NULL, NULL);
}
