/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker costs and guarantees (lib/worker), in one process of two lcores:
 * the worker on one, the far ends of its links played on the other.
 *
 *   idle     nanoseconds a poll of a link that has nothing, 1 to 256 links
 *   fair     round trips of a link that sends 1000 messages a second, idle and
 *            while another link floods; aim: p99 rises by at most one full round
 *   others   rate of a link's echo beside a dead link and beside one that breaks
 *            the rules, over the rate without; aim: at least 0.95
 *   wake     round trips with the adaptive policy, asleep, over those without
 *
 * The rounds of what is compared are rotated. usage: worker [EAL options]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include <nhn_histogram.h>
#include <nhn_worker.h>

#define LINKS 256u
#define CELLS 64u
#define AREA_BYTES (NHN_CONTROL_BYTES + 2 * NHN_CHANNEL_ALIGN)
#define ROUNDS 15u
#define MESSAGE_BYTES 40u

/* Both ends of a link. */
struct pair {
	struct nhn_link near;
	struct nhn_link far;
	struct nhn_endpoint near_end;
	struct nhn_endpoint far_end;
	uint8_t *base;
	bool served;
};

static struct pair *pairs;
static struct nhn_worker *worker;
static const struct nhn_message_head head = {.length = MESSAGE_BYTES};
static uint8_t bytes[MESSAGE_BYTES];

/* ---- links ---- */

static bool
echo(void *context, struct nhn_endpoint *endpoint, uint32_t channel)
{
	struct nhn_msg_piece piece;

	(void)context;
	if (nhn_msg_peek(&endpoint->rx[channel], &piece, 1) != 1)
		return true; /* -ESTALE is all there is to know */
	while (nhn_msg_send(&endpoint->tx[channel], &piece.head, nhn_foreign_lend(piece.data)) ==
	       -EAGAIN)
		return nhn_msg_release(&endpoint->rx[channel]) == 0; /* full: this one is lost */
	nhn_msg_release(&endpoint->rx[channel]);
	return true;
}

static void
end_init(struct pair *pair, enum nhn_role role)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	struct nhn_link *link = role == NHN_ROLE_HOST ? &pair->near : &pair->far;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, pair->base, 2 * AREA_BYTES);
	nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, CELLS, 0);
	config.use = NHN_USE_MSG;
	config.random = 2;
	if (nhn_link_init(link, &config, &refusal) != 0)
		abort();
	nhn_endpoint_init(role == NHN_ROLE_HOST ? &pair->near_end : &pair->far_end, link,
			  nhn_worker_now_ns, NULL);
}

/* Its far end beats, and answers nothing. */
static void
far_control(struct pair *pair)
{
	struct nhn_msg_piece piece;

	nhn_endpoint_control(&pair->far_end);
	while (nhn_msg_peek(&pair->far_end.rx[0], &piece, 1) != 0)
		nhn_msg_release(&pair->far_end.rx[0]);
}

static void
pair_serve(struct pair *pair)
{
	struct nhn_worker_link link = {.id = (uint32_t)(pair - pairs),
				       .name = "pair",
				       .endpoint = &pair->near_end,
				       .lcore = NHN_WORKER_ANY_LCORE,
				       .message = echo};

	memset(pair->base, 0, 2 * AREA_BYTES);
	end_init(pair, NHN_ROLE_HOST);
	end_init(pair, NHN_ROLE_GUEST);
	if (nhn_worker_add(worker, &link) != 0)
		abort();
	pair->served = true;
}

/* The first so many; all at once, as the two sides may have to share a core. */
static void
pairs_up(uint32_t count)
{
	uint32_t up, i;

	do {
		for (up = 0, i = 0; i < count; i++) {
			far_control(&pairs[i]);
			up += nhn_link_state(&pairs[i].far) == NHN_LINK_UP;
		}
		rte_delay_us_sleep(100);
	} while (up != count);
}

static void
pair_drop(struct pair *pair)
{
	if (pair->served && nhn_worker_remove(worker, (uint32_t)(pair - pairs)) != 0)
		abort();
	pair->served = false;
}

static void
worker_make(enum nhn_worker_idle idle)
{
	unsigned int lcore = rte_get_next_lcore(UINT32_MAX, 1, 0);
	struct nhn_worker_config config = {.name = "bench",
					   .links_max = LINKS,
					   .lcores = &lcore,
					   .lcore_count = 1,
					   .idle = idle,
					   .idle_after_us = 100,
					   .idle_sleep_us = 50};
	uint32_t i;

	for (i = 0; i < LINKS; i++)
		pairs[i].served = false;
	nhn_worker_destroy(worker);
	worker = nhn_worker_create(&config);
	if (worker == NULL || nhn_worker_start(worker) != 0) {
		fprintf(stderr, "worker: expected two lcores, as with --lcores 0@0,1@1\n");
		exit(2);
	}
}

/* ---- medians ---- */

static int
ascending(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static double
median(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

static uint64_t
percentile(const struct nhn_histogram *h, uint32_t numerator)
{
	uint64_t low = 0;
	uint64_t high = 0;

	nhn_histogram_at_rank(h, nhn_histogram_rank(h->total, numerator, 100), &low, &high);
	return high;
}

/* ---- idle ---- */

/* Over some milliseconds in which the far ends' beats may rest. */
static double
idle_poll_ns(uint32_t links)
{
	struct nhn_worker_lcore_stats begin, end;
	uint64_t begin_ns;
	uint32_t i;

	for (i = 0; i < links; i++)
		far_control(&pairs[i]);
	begin_ns = nhn_worker_now_ns(NULL);
	nhn_worker_lcore_stats_get(worker, 0, &begin);
	rte_delay_us_sleep(20000);
	nhn_worker_lcore_stats_get(worker, 0, &end);
	return (double)(nhn_worker_now_ns(NULL) - begin_ns) / (double)(end.rounds - begin.rounds) /
	       links;
}

/* Links that carried another number of messages each stand at other cells. In step, all
 * commit words would be in one set of the cache, which has some eight places.
 */
static void
carry(struct pair *pair, uint32_t messages)
{
	while (messages != 0) {
		if (nhn_msg_send(&pair->far_end.tx[0], &head, bytes) == 0)
			messages--;
		far_control(pair);
	}
}

static void
idle_measure(bool in_step)
{
	static const uint32_t counts[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
	double values[ROUNDS];
	uint32_t i, j, served = 0;

	worker_make(NHN_WORKER_IDLE_BUSY);
	printf("idle links   ns a poll of one, median (quartiles) of %u rounds; %s\n", ROUNDS,
	       in_step ? "links in step" : "links that carried 0 to 63 messages");
	for (i = 0; i < RTE_DIM(counts); i++) {
		while (served < counts[i])
			pair_serve(&pairs[served++]);
		pairs_up(served);
		for (j = counts[i] / 2; j < served && !in_step; j++)
			carry(&pairs[j], j * 37 % CELLS);
		for (j = 0; j < ROUNDS; j++)
			values[j] = idle_poll_ns(served);
		printf("%10u %8.2f", served, median(values, ROUNDS));
		printf(" (%.2f to %.2f)\n", values[ROUNDS / 4], values[ROUNDS - 1 - ROUNDS / 4]);
	}
}

/* ---- fair ---- */

/* As many as there is room for, and their echoes away. */
static void
flood(struct pair *pair, uint32_t count)
{
	struct nhn_msg_piece pieces[32];

	while (count-- != 0 && nhn_msg_send(&pair->far_end.tx[0], &head, bytes) == 0)
		;
	if (nhn_msg_peek(&pair->far_end.rx[0], pieces, 32) > 0)
		nhn_msg_release(&pair->far_end.rx[0]);
}

/* One round trip; @p busy: a link that is flooded meanwhile. */
static uint64_t
round_trip_ns(struct pair *pair, struct pair *busy)
{
	struct nhn_msg_piece piece;
	uint64_t begin = nhn_worker_now_ns(NULL);
	int seen;

	if (nhn_msg_send(&pair->far_end.tx[0], &head, bytes) != 0)
		abort();
	while ((seen = nhn_msg_peek(&pair->far_end.rx[0], &piece, 1)) == 0)
		if (busy != NULL)
			flood(busy, 4);
	if (seen < 0 || nhn_msg_release(&pair->far_end.rx[0]) != 0)
		abort();
	return nhn_worker_now_ns(NULL) - begin;
}

/* Round trips, 1000 a second; between them the flood. */
static void
fair_round(struct pair *pair, struct pair *busy, struct nhn_histogram *h)
{
	uint64_t next = nhn_worker_now_ns(NULL);
	uint32_t i;

	nhn_histogram_init(h);
	for (i = 0; i < 200; i++) {
		next += 1000000;
		while (nhn_worker_now_ns(NULL) < next)
			if (busy != NULL)
				flood(busy, 32);
		far_control(&pairs[1]);
		nhn_endpoint_control(&pairs[0].far_end);
		nhn_histogram_record(h, round_trip_ns(pair, busy));
	}
}

static void
fair_measure(void)
{
	static struct nhn_histogram h;
	static struct nhn_histogram all[2];
	struct nhn_worker_lcore_stats stats;
	double rise[ROUNDS];
	uint32_t met = 0;
	uint32_t i;

	worker_make(NHN_WORKER_IDLE_BUSY);
	pair_serve(&pairs[0]);
	pair_serve(&pairs[1]);
	pairs_up(2);
	nhn_histogram_init(&all[0]);
	nhn_histogram_init(&all[1]);
	for (i = 0; i < ROUNDS; i++) {
		double idle, loaded;

		fair_round(&pairs[0], NULL, &h);
		idle = (double)percentile(&h, 99);
		nhn_histogram_add(&all[0], &h);
		fair_round(&pairs[0], &pairs[1], &h);
		loaded = (double)percentile(&h, 99);
		nhn_histogram_add(&all[1], &h);
		rise[i] = loaded - idle;
	}
	nhn_worker_lcore_stats_get(worker, 0, &stats);
	printf("1000 messages/s, round trip: idle p50 %lu p99 %lu ns; beside a flood p50 %lu p99 "
	       "%lu ns; N %lu each\n",
	       percentile(&all[0], 50), percentile(&all[0], 99), percentile(&all[1], 50),
	       percentile(&all[1], 99), all[0].total);
	printf("a full round, under the flood: p99 %lu ns; budget %u steps a link\n",
	       stats.round_p99_ns, NHN_WORKER_BUDGET);
	for (i = 0; i < ROUNDS; i++)
		met += rise[i] <= (double)stats.round_p99_ns;
	printf("rise of p99, a round of measurement: median %.0f ns; at most a full round, as is "
	       "the aim, in %u of %u\n",
	       median(rise, ROUNDS), met, ROUNDS);
}

/* ---- others ---- */

enum neighbour {
	NOBODY,
	DEAD,	 /* stopped in the middle, its ring full */
	HOSTILE, /* breaks the rules again and again */
	NEIGHBOURS,
};

static const char *const neighbours[NEIGHBOURS] = {"nobody", "a dead link", "a hostile link"};

/* Messages a second of a link with one under way, in millions. */
static double
echo_rate(enum neighbour neighbour)
{
	uint64_t begin = nhn_worker_now_ns(NULL);
	uint32_t turn = 0;
	uint32_t i;

	for (i = 0; i < 20000; i++) {
		round_trip_ns(&pairs[0], NULL);
		if (i % 256 != 0)
			continue;
		nhn_endpoint_control(&pairs[0].far_end);
		if (neighbour == HOSTILE) {
			/* Each life ends with a commit word of a kind that there is not. */
			struct nhn_tx *tx = pairs[1].far_end.tx[0].tx;

			far_control(&pairs[1]);
			if (tx->up && nhn_tx_reserve(tx, 0) != NULL)
				nhn_tx_publish(tx, nhn_tx_cell(tx, tx->tail),
					       200u << NHN_COMMIT_KIND_SHIFT | turn++ % 2);
		}
	}
	return 20000 * 1e3 / (double)(nhn_worker_now_ns(NULL) - begin);
}

static double
others_round(enum neighbour neighbour)
{
	uint32_t i;

	pair_drop(&pairs[0]);
	pair_drop(&pairs[1]);
	pair_serve(&pairs[0]);
	pair_serve(&pairs[1]); /* there in each round, so that rounds are as long */
	pairs_up(2);
	if (neighbour == DEAD)
		for (i = 0; i < CELLS; i++)
			nhn_msg_send(&pairs[1].far_end.tx[0], &head, bytes);
	if (neighbour == NOBODY)
		far_control(&pairs[1]);
	return echo_rate(neighbour);
}

static void
others_measure(void)
{
	double rate[NEIGHBOURS][ROUNDS];
	double ratio[ROUNDS];
	uint32_t round, i, who;

	worker_make(NHN_WORKER_IDLE_BUSY);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < NEIGHBOURS; i++) {
			who = (i + round) % NEIGHBOURS;
			rate[who][round] = others_round((enum neighbour)who);
		}
	for (who = DEAD; who < NEIGHBOURS; who++) {
		for (round = 0; round < ROUNDS; round++)
			ratio[round] = rate[who][round] / rate[NOBODY][round];
		printf("echo beside %s over beside %s: median %.3f", neighbours[who],
		       neighbours[NOBODY], median(ratio, ROUNDS));
		printf(" (%.3f to %.3f), aim at least 0.95\n", ratio[ROUNDS / 4],
		       ratio[ROUNDS - 1 - ROUNDS / 4]);
	}
}

/* ---- wake ---- */

static void
wake_measure(void)
{
	static struct nhn_histogram h;

	worker_make(NHN_WORKER_IDLE_ADAPTIVE);
	pair_serve(&pairs[0]);
	pair_serve(&pairs[1]);
	pairs_up(2);
	fair_round(&pairs[0], NULL, &h);
	printf("adaptive, asleep (100 us without work, then sleeps of 50 us): round trip p50 %lu "
	       "p99 %lu ns, N %lu\n",
	       percentile(&h, 50), percentile(&h, 99), h.total);
}

int
main(int argc, char **argv)
{
	char *defaults[] = {argv[0],
			    (char *)"--no-huge",
			    (char *)"-m",
			    (char *)"64",
			    (char *)"--no-pci",
			    (char *)"--no-shconf",
			    (char *)"--no-telemetry",
			    (char *)"--lcores",
			    (char *)"0@0,1@1"};
	uint8_t *memory;
	uint32_t i;

	if (argc > 1 ? rte_eal_init(argc, argv) < 0
		     : rte_eal_init((int)RTE_DIM(defaults), defaults) < 0)
		return 2;
	pairs = aligned_alloc(64, LINKS * sizeof(*pairs));
	memory = aligned_alloc(4096, (size_t)LINKS * 2 * AREA_BYTES);
	if (pairs == NULL || memory == NULL)
		return 1;
	memset(pairs, 0, LINKS * sizeof(*pairs));
	for (i = 0; i < LINKS; i++)
		pairs[i].base = memory + (size_t)i * 2 * AREA_BYTES;
	setvbuf(stdout, NULL, _IOLBF, 0);
	idle_measure(false);
	idle_measure(true);
	fair_measure();
	others_measure();
	wake_measure();
	nhn_worker_destroy(worker);
	rte_eal_cleanup();
	return 0;
}
