/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends of a channel against a peer that rewrites its ring and its cursors,
 * between any two of their loads. No link stands above: what is broken here, the
 * test sets up again. */

#include <inttypes.h>
#include <stdio.h>

#include "victim.h"

#define STEPS 4000u
#define NIGHTLY_WORDS UINT64_C(40000000)

static struct hostile_run run;
static uint64_t faults[NHN_FAULT_CURSOR + 1];

/* The channel stands in a link, for the engine knows its victim's state by one. */
static struct nhn_link link;
static struct hostile hostile = {.link = &link, .role = NHN_ROLE_GUEST};
static struct hostile_area peer, own;

static const struct hostile_profile profiles[] = {
	{"polite", {[AIM_HONEST] = 60, [AIM_CURSOR] = 1, [AIM_COMMIT] = 1}, 32},
	{"commit words", {[AIM_HONEST] = 30, [AIM_COMMIT] = 30, [AIM_REPLAY] = 5}, 64},
	{"descriptors", {[AIM_HONEST] = 30, [AIM_DESCRIPTOR] = 30, [AIM_REPLAY] = 5}, 128},
	{"cursors", {[AIM_HONEST] = 30, [AIM_CURSOR] = 30, [AIM_REPLAY] = 5}, 128},
	{"bytes", {[AIM_HONEST] = 30, [AIM_BYTE] = 100}, 128},
	{"all",
	 {[AIM_HONEST] = 30,
	  [AIM_CURSOR] = 10,
	  [AIM_COMMIT] = 10,
	  [AIM_DESCRIPTOR] = 10,
	  [AIM_BYTE] = 10,
	  [AIM_REPLAY] = 5,
	  [AIM_OWN] = 5},
	 200},
};

static const struct {
	enum nhn_use use;
	uint16_t cell_bytes;
	uint32_t cells, data_bytes;
} kinds[] = {
	{NHN_USE_RAW, 64, 16, 4096},	   {NHN_USE_RAW, 64, 64, 0},
	{NHN_USE_RAW, 64, 1024, 8192},	   {NHN_USE_MSG, 128, 32, 4096},
	{NHN_USE_ETHERNET, 128, 32, 4096}, {NHN_USE_ETHERNET, 128, 512, 8192},
};

static struct nhn_control *
control_of(uint8_t *area)
{
	return (struct nhn_control *)(void *)area;
}

/* As a link would begin a pairing. */
static void
tx_begin(struct nhn_tx *tx)
{
	nhn_tx_init(tx, &link.layout, 0, own.victim,
		    &((const struct nhn_control *)nhn_foreign_of(peer.victim))->cursor[0],
		    &link.attention);
	nhn_tx_open(tx);
	nhn_tx_start(tx, link.session);
}

static void
rx_begin(struct nhn_rx *rx)
{
	nhn_rx_init(rx, &link.layout, 0, nhn_foreign_of(peer.victim),
		    &control_of(own.victim)->cursor[0], &link.attention);
	nhn_rx_start(rx, link.session);
}

static void
round_begin(uint64_t seed)
{
	uint32_t kind;

	hostile_begin(&hostile, seed);
	kind = hostile_below(&hostile, sizeof(kinds) / sizeof(kinds[0]));
	hostile.profile =
		hostile_profile_of(&hostile, profiles, sizeof(profiles) / sizeof(profiles[0]));
	hostile.no_reading = hostile_chance(&hostile, 8);
	memset(&link, 0, sizeof(link));
	nhn_layout_uniform(&link.layout, 1, kinds[kind].use, kinds[kind].cells,
			   kinds[kind].data_bytes);
	link.layout.entry[0].cell_bytes = kinds[kind].cell_bytes;
	/* To the byte: behind the ring is a page that nobody may touch. */
	hostile_area_open(&peer, (size_t)nhn_layout_offset(&link.layout, 1), false);
	hostile_area_open(&own, peer.bytes, true);
	hostile.peer = peer.mine;
	hostile.own = hostile_chance(&hostile, 2) ? own.mine : NULL;
	hostile.bytes = peer.bytes;
	link.started = true;
	link.session = 4;
	link.rx_peer = 2;
	link.rx_state = NHN_RX_READING;
	link.tx_state = NHN_TX_UP;
	control_of(peer.mine)->session = link.rx_peer;
	control_of(peer.mine)->cursor[0].cells = NHN_CURSOR_START;
	control_of(peer.mine)->cursor[0].data = NHN_DATA_START;
	control_of(own.mine)->cursor[0].cells = NHN_CURSOR_START;
	control_of(own.mine)->cursor[0].data = NHN_DATA_START;
	tx_begin(&link.tx[0]);
	rx_begin(&link.rx[0]);
}

static void
round_end(void)
{
	hostile_area_close(&peer);
	hostile_area_close(&own);
}

/* A fault is flagged to control, and a broken channel delivers nothing more. */
static void
fault_take(void)
{
	struct nhn_rx *rx = &link.rx[0];
	struct nhn_tx *tx = &link.tx[0];
	struct nhn_view view;

	if (rx->fault == NHN_FAULT_NONE && tx->fault == NHN_FAULT_NONE) {
		hostile_check(&hostile, link.attention == 0);
		return;
	}
	hostile_check(&hostile, link.attention == 1);
	link.attention = 0;
	if (rx->fault != NHN_FAULT_NONE) {
		faults[rx->fault]++;
		hostile_check(&hostile, nhn_rx_peek(rx, &view, 1) == 0);
		victim_release(&hostile, rx);
		hostile_check(&hostile, link.attention == 0);
		link.session += 2;
		rx_begin(rx);
	}
	if (tx->fault != NHN_FAULT_NONE) {
		hostile_check(&hostile, tx->fault == NHN_FAULT_CURSOR);
		faults[tx->fault]++;
		tx_begin(tx);
	}
}

static void
step(void)
{
	uint32_t i;

	hostile.step++;
	for (i = hostile_below(&hostile, 3); i > 0; i--)
		hostile_rewrite(&hostile);
	if (hostile_below(&hostile, 2))
		victim_send(&hostile, &link.tx[0]);
	else
		victim_receive(&hostile, &link.rx[0]);
	fault_take();
}

/* An honest writer takes the hostile one's place: its messages arrive as they were. */
static void
honest_writer(void)
{
	struct nhn_rx *rx = &link.rx[0];
	struct nhn_view view;
	struct nhn_tx tx;
	uint32_t count = 3 * rx->cell_count;
	uint32_t number;

	victim_release(&hostile, rx);
	link.session += 2;
	rx_begin(rx);
	nhn_tx_init(&tx, &link.layout, 0, peer.mine, &control_of(own.mine)->cursor[0],
		    &link.attention);
	nhn_tx_open(&tx);
	nhn_tx_start(&tx, link.session);
	for (number = 0; number < count; number++) {
		uint32_t longest = tx.data_bytes != 0 ? tx.data_bytes / 2 : tx.inline_bytes;
		uint32_t length = pattern_length(hostile.seed, number, longest);
		void *body = nhn_tx_reserve(&tx, length);

		hostile_check(&hostile, body != NULL);
		pattern_fill(body, length, hostile.seed, number);
		nhn_tx_commit(&tx, body, length);
		hostile_check(&hostile, nhn_rx_peek(rx, &view, 1) == 1);
		hostile_check(&hostile, view.length == length);
		hostile_check(&hostile, pattern_matches(nhn_foreign_lend(view.data), length,
							hostile.seed, number));
		hostile_check(&hostile, nhn_rx_release(rx) == 0);
		hostile_check(&hostile, nhn_rx_peek(rx, &view, 1) == 0);
	}
}

static void
rounds_print(const char *name, uint64_t rounds)
{
	printf("%s: %" PRIu64 " rounds from seed %" PRIu64 ", %" PRIu64 " words rewritten, %" PRIu64
	       " of them between two loads of a call, %" PRIu64 " honest\n",
	       name, rounds, run.seed, hostile.words, hostile.within, hostile.honest);
	victim_reached_print();
	printf("  faults: kind %" PRIu64 ", length %" PRIu64 ", descriptor %" PRIu64
	       ", overrun %" PRIu64 ", cursor %" PRIu64 "\n",
	       faults[NHN_FAULT_KIND], faults[NHN_FAULT_LENGTH], faults[NHN_FAULT_DESCRIPTOR],
	       faults[NHN_FAULT_OVERRUN], faults[NHN_FAULT_CURSOR]);
	hostile_calls_print(victim_calls, VICTIM_CALLS);
}

static void
test_channel_against_a_hostile_peer(void **state)
{
	uint64_t rounds;
	uint32_t i, fault;

	(void)state;
	for (rounds = 0; hostile.words < run.words; rounds++) {
		round_begin(run.seed + rounds);
		for (i = 0; i < STEPS; i++)
			step();
		honest_writer();
		round_end();
	}
	rounds_print("channel", rounds);
	for (fault = NHN_FAULT_KIND; fault <= NHN_FAULT_CURSOR; fault++)
		assert_true(faults[fault] > 100 || fault == NHN_FAULT_MESSAGE);
	assert_true(hostile.within > hostile.words / 4);
	assert_true(victim_reached.sent > 10000 && victim_reached.full > 1000);
	assert_true(victim_reached.delivered > 10000 && victim_reached.described > 1000);
	assert_true(victim_reached.overrun > 100);
	assert_true(victim_reached.burst_most > 255);
	for (i = 0; i < VICTIM_CALLS; i++)
		assert_true(victim_calls[i].calls > 0 && victim_calls[i].least_slack == 0);
}

/* The same with a peer that really runs at the same time, for a quarter of the words. */
static void
test_channel_against_a_racing_peer(void **state)
{
	uint64_t words = 0;
	uint64_t rounds;
	uint32_t i;

	(void)state;
	for (rounds = 0; words < run.words / 4; rounds++) {
		round_begin(run.seed + rounds);
		hostile.own = NULL;
		hostile_race_begin(&hostile);
		hostile.profile = NULL; /* nothing else between the loads */
		for (i = 0; i < STEPS || hostile_race_words() < run.words / 64; i++) {
			hostile.step++;
			victim_send(&hostile, &link.tx[0]);
			victim_receive(&hostile, &link.rx[0]);
			fault_take();
		}
		words += hostile_race_words();
		hostile_race_end(&hostile);
		honest_writer();
		round_end();
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channel_against_a_hostile_peer),
		cmocka_unit_test(test_channel_against_a_racing_peer),
	};
	int ret = hostile_run_parse(&run, argc, argv, NIGHTLY_WORDS);

	return ret != 0 ? ret : cmocka_run_group_tests_name("hostile_channel", tests, NULL, NULL);
}
