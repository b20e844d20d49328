/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages, an rpc client and an rpc server on a link whose peer rewrites any word. After each
 * round an honest peer takes the hostile one's place: calls are answered, both ways. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "program_msg.h"

#define STEPS 2000u
#define NIGHTLY_WORDS UINT64_C(20000000)
#define CHANNELS 3u

static struct hostile_run run;
static struct link_victim victim;
static struct program program;
static struct hostile *const hostile = &victim.hostile;

static const struct hostile_profile profiles[] = {
	{"polite", {[AIM_HONEST] = 200, [AIM_MESSAGE] = 1}, 8},
	{"messages", {[AIM_HONEST] = 200, [AIM_MESSAGE] = 10}, 32},
	{"rings",
	 {[AIM_HONEST] = 100, [AIM_MESSAGE] = 2, [AIM_CURSOR] = 2, [AIM_DESCRIPTOR] = 2},
	 64},
	{"restarts", {[AIM_HONEST] = 100, [AIM_LIVE] = 2, [AIM_MESSAGE] = 1}, 32},
	{"bytes", {[AIM_HONEST] = 100, [AIM_BYTE] = 100}, 64},
	{"all",
	 {[AIM_HONEST] = 100,
	  [AIM_LIVE] = 2,
	  [AIM_HEADER] = 1,
	  [AIM_CURSOR] = 2,
	  [AIM_COMMIT] = 2,
	  [AIM_DESCRIPTOR] = 2,
	  [AIM_BYTE] = 10,
	  [AIM_REPLAY] = 2,
	  [AIM_OWN] = 2,
	  [AIM_MESSAGE] = 4},
	 64},
};

static void
offer(uint32_t channels, uint32_t cells, uint32_t data_bytes)
{
	nhn_layout_uniform(&hostile->offers[hostile->offer_count++], channels, NHN_USE_MSG, cells,
			   data_bytes);
}

static void
round_begin(uint64_t seed)
{
	size_t bytes;

	hostile_begin(hostile, seed);
	hostile->profile =
		hostile_profile_of(hostile, profiles, sizeof(profiles) / sizeof(profiles[0]));
	hostile->role = hostile_below(hostile, 2) ? NHN_ROLE_HOST : NHN_ROLE_GUEST;
	hostile->no_reading = hostile_chance(hostile, 16);
	hostile->messages = program.endpoint.rx;
	hostile->offer_count = 0;
	offer(CHANNELS, 16, 4096);
	offer(CHANNELS, 32, 16384);
	offer(CHANNELS, 64, 0);
	offer(1, 16, 8192); /* the client and the server lose their channels */
	hostile->offer = hostile_below(hostile, 3);
	bytes = (size_t)nhn_layout_offset(&hostile->offers[1], CHANNELS);
	hostile_area_open(&victim.own, bytes, true);
	hostile_area_open(&victim.peer, bytes, false);
	hostile->own = hostile_chance(hostile, 3) ? victim.own.mine : NULL;
	link_victim_configure(&victim, NHN_USE_MSG);
	link_victim_begin(&victim);
	program.honest = false;
	program_begin(&program, &victim, 1);
}

static void
round_end(void)
{
	program_end(&program);
	link_victim_finish(&victim);
	hostile_area_close(&victim.own);
	hostile_area_close(&victim.peer);
}

static void
again(void)
{
	program_end(&program);
	link_victim_finish(&victim);
	link_victim_begin(&victim);
	program_begin(&program, &victim, 1);
}

static void
step(bool racing)
{
	uint32_t i;

	hostile->step++;
	for (i = racing ? 0 : hostile_below(hostile, 3); i > 0; i--)
		hostile_rewrite(hostile);
	program_turn(&program);
	if (hostile_chance(hostile, racing ? 20000 : 500) ||
	    (victim.link.intruder && hostile_chance(hostile, 50)))
		again();
}

/* ---- an honest peer takes the hostile one's place ---- */

static struct link_victim honest;
static struct program other;

static void
honest_begin(void)
{
	struct nhn_refusal refusal;
	int ret;

	honest.hostile = *hostile; /* its loads find nothing rewritten */
	honest.hostile.profile = NULL;
	honest.config = victim.config;
	honest.config.role = hostile->role;
	honest.config.own_area = victim.peer.mine;
	honest.config.peer_area = victim.own.mine;
	honest.config.event = NULL;
	honest.config.random = (uint32_t)pattern_random(&hostile->random);
	memset(&honest.config.layout, 0, sizeof(honest.config.layout));
	if (hostile->offer == 3)
		hostile->offer = 0;
	if (honest.config.role == NHN_ROLE_HOST)
		honest.config.layout = hostile->offers[hostile->offer];
	honest.now_ns = victim.now_ns;
	ret = nhn_link_init(&honest.link, &honest.config, &refusal);
	if (ret != 0) {
		memset(victim.peer.mine, 0, NHN_CONTROL_BYTES);
		ret = nhn_link_init(&honest.link, &honest.config, &refusal);
	}
	hostile_check(hostile, ret == 0);
	other.honest = true;
	program_begin(&other, &honest, 2);
}

/* Not by its poll: the bounds and the ledger are the victim's. */
static void
honest_turn(void)
{
	struct nhn_message_head head;

	if (hostile_chance(hostile, 16))
		other.endpoint.polls = 0;
	if (nhn_endpoint_poll(&other.endpoint) == 0 &&
	    nhn_msg_front(&other.endpoint.rx[0], &head) == 0)
		nhn_msg_skip(&other.endpoint.rx[0]);
}

static bool
come_up(void)
{
	uint32_t turn;

	for (turn = 0; turn < 20000; turn++) {
		honest_turn();
		program_poll(&program);
		if (nhn_link_state(&honest.link) == NHN_LINK_UP &&
		    nhn_link_state(&victim.link) == NHN_LINK_UP)
			return true;
	}
	return false;
}

static void
expect_echo(uint32_t length)
{
	struct program_call *call = &program.call[0];
	uint32_t turn;
	int ret;

	for (turn = 0; turn < 20000; turn++) { /* a request of before may be on its way still */
		ret = program_call(&program, 0, length, length, NHN_NEVER_NS);
		if (ret != -EAGAIN)
			break;
		honest_turn();
		program_poll(&program);
	}
	hostile_check(hostile, ret == 0);
	for (turn = 0; turn < 20000 && call->open; turn++) {
		honest_turn();
		program_poll(&program);
	}
	hostile_check(hostile, !call->open);
	hostile_check(hostile, call->call.result == 0 && call->call.length == length);
}

static void
honest_peer(void)
{
	uint32_t i;

	if (hostile->own != NULL || victim.link.intruder) {
		program_end(&program);
		link_victim_finish(&victim);
		memset(victim.own.mine, 0, NHN_CONTROL_BYTES);
		link_victim_begin(&victim);
		program_begin(&program, &victim, 1);
	}
	program.honest = true;
	hostile->profile = NULL;
	hostile->script = NULL;
	for (i = 0; i < PROGRAM_CALLS; i++) /* of the liar's time, and without a deadline */
		if (program.call[i].open)
			nhn_rpc_client_cancel(&program.client, &program.call[i].call);
	for (i = 0; i < PROGRAM_CALLS; i++)
		program.call[i].open = false;
	honest_begin();
	for (i = 0; !come_up(); i++) { /* its number may be one that the liar was refused by */
		hostile_check(hostile, i < 2);
		nhn_link_finish(&honest.link);
		honest_begin();
	}
	expect_echo(10);
	expect_echo(900);
	nhn_link_finish(&honest.link);
}

/* ---- tests ---- */

static void
expect_all_reached(void)
{
	const struct program_reached *r = &program_reached;
	uint32_t i;

	for (i = NHN_FAULT_KIND; i <= NHN_FAULT_CURSOR; i++)
		assert_true(link_reached.faults[i] > 0);
	assert_true(link_reached.faults[NHN_FAULT_MESSAGE] > 100);
	assert_true(r->received > 1000 && r->pieces > 1000 && r->packed > 100 && r->relayed > 100);
	assert_true(r->too_long > 100 && r->aborted > 10 && r->stale > 100 && r->skipped > 100);
	assert_true(r->sent > 1000 && r->lost > 10 && r->cancelled > 10);
	assert_true(r->served > 1000 && r->refused > 100 && r->strange > 10 && r->late > 10);
	for (i = 0; i < 6; i++)
		assert_true(r->ends[i] > 10);
	for (i = 0; i < MSG_CALLS; i++)
		assert_true(msg_calls[i].calls > 0);
}

static void
test_messages_against_a_hostile_peer(void **state)
{
	uint64_t rounds;
	uint32_t i;

	(void)state;
	for (rounds = 0; hostile->words < run.words; rounds++) {
		round_begin(run.seed + rounds);
		for (i = 0; i < STEPS; i++)
			step(false);
		honest_peer();
		round_end();
	}
	printf("messages: %" PRIu64 " rounds from seed %" PRIu64 ", %" PRIu64
	       " words rewritten, %" PRIu64 " of them between two loads of a call, %" PRIu64
	       " honest\n",
	       rounds, run.seed, hostile->words, hostile->within, hostile->honest);
	link_reached_print();
	program_reached_print();
	hostile_calls_print(msg_calls, MSG_CALLS);
	expect_all_reached();
}

/* The same with a peer that really runs at the same time, for a quarter of the words. */
static void
test_messages_against_a_racing_peer(void **state)
{
	uint64_t words = 0;
	uint64_t rounds;
	uint32_t i;

	(void)state;
	for (rounds = 0; words < run.words / 4; rounds++) {
		round_begin(run.seed + rounds);
		hostile_race_begin(hostile);
		hostile->profile = NULL;
		for (i = 0; i < STEPS || hostile_race_words() < run.words / 256; i++)
			step(true);
		words += hostile_race_words();
		hostile_race_end(hostile);
		honest_peer();
		round_end();
	}
	printf("messages, racing: %" PRIu64 " rounds, %" PRIu64 " words rewritten\n", rounds,
	       words);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_against_a_hostile_peer),
		cmocka_unit_test(test_messages_against_a_racing_peer),
	};
	int ret = hostile_run_parse(&run, argc, argv, NIGHTLY_WORDS);

	return ret != 0 ? ret : cmocka_run_group_tests_name("hostile_msg", tests, NULL, NULL);
}
