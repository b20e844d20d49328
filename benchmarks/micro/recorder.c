/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What keeping a sample costs: counter cycles to nanoseconds and into the histogram,
 * nhn_clock_ns() and nhn_histogram_record(), by how the values are spread. A loop that
 * only fetches the values is the harness's own cost; it is shown and taken off, round
 * by round. Rounds are rotated, in one thread.
 *
 * Aim: at most 15 ns a sample.
 */

#include <math.h>

#include <nhn_clock.h>
#include <nhn_histogram.h>

#include "duel.h"

#define VALUES 65536u /* prepared, taken again and again: 256 KiB */
#define AIM_NS 15.0

enum contestant {
	HARNESS,
	CONSTANT,
	UNIFORM,
	DECADES,
	CONTESTANTS,
};

static const char *const names[CONTESTANTS] = {"harness: fetch a value", "constant: 1 us",
					       "uniform: 1 ns to 1 us",
					       "log-uniform: 6 decades, 1 ns to 1 ms"};

struct run {
	struct duel duel;
	struct nhn_clock clock;
	uint32_t cycles[CONTESTANTS][VALUES];
	struct nhn_histogram histogram;
	double ns[CONTESTANTS][DUEL_ROUNDS_MAX]; /* a sample, the harness included */
};

static uint64_t
random_next(void)
{
	static uint64_t state = 5;
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void
prepare(struct run *run)
{
	const double cycles_per_ns = (double)run->clock.hz / 1e9;
	uint32_t i;

	for (i = 0; i < VALUES; i++) {
		const double share = (double)(random_next() >> 11) / 0x1p53;
		const double ns[CONTESTANTS] = {1000, 1000, 1 + 999 * share, pow(10, 6 * share)};
		uint32_t who;

		for (who = 0; who < CONTESTANTS; who++)
			run->cycles[who][i] = (uint32_t)(ns[who] * cycles_per_ns);
	}
}

/* Each sample stands alone: nothing of the histogram stays in registers between two. */
static void
take_samples(struct run *run, const uint32_t *cycles)
{
	uint32_t i;

	for (i = 0; i < run->duel.messages; i++) {
		nhn_histogram_record(&run->histogram,
				     nhn_clock_ns(&run->clock, cycles[i % VALUES]));
		__asm__ volatile("" : : : "memory");
	}
}

static void
fetch_only(const struct run *run, const uint32_t *cycles)
{
	uint32_t i;

	for (i = 0; i < run->duel.messages; i++)
		__asm__ volatile("" : : "r"(cycles[i % VALUES]) : "memory");
}

static void
measure(struct run *run)
{
	uint32_t turn;

	for (turn = 0; turn < run->duel.rounds * CONTESTANTS; turn++) {
		const uint32_t who = duel_contestant(turn, CONTESTANTS);
		uint64_t begin_ns;

		nhn_histogram_init(&run->histogram);
		begin_ns = duel_now_ns();
		if (who == HARNESS)
			fetch_only(run, run->cycles[who]);
		else
			take_samples(run, run->cycles[who]);
		run->ns[who][turn / CONTESTANTS] =
			(double)(duel_now_ns() - begin_ns) / run->duel.messages;
		if (who != HARNESS && run->histogram.total != run->duel.messages)
			abort();
	}
}

/* @return the median */
static double
report(const char *name, double *ns, uint32_t rounds)
{
	const double median = duel_median(ns, rounds);

	printf("%-38s %8.2f %8.2f %8.2f %8.2f\n", name, ns[0], ns[rounds / 4], median,
	       ns[rounds - 1 - rounds / 4]);
	return median;
}

int
main(int argc, char **argv)
{
	static struct run run = {
		.duel = {.name = "recorder", .rounds = 15, .messages = 10000000, .core = {0, 0}}};
	double worst = 0;
	uint32_t who, i;

	duel_options(&run.duel,
		     "Cost of keeping a sample. Messages are samples of a round; of the cores\n"
		     "only the writer's is used.",
		     argc, argv);
	duel_pin(&run.duel, 0);
	if (nhn_clock_init(&run.clock) != 0) {
		fprintf(stderr, "recorder: the counter does not advance evenly\n");
		return 1;
	}
	prepare(&run);
	measure(&run);

	printf("%u samples a round, %u rounds; ns a sample\n", run.duel.messages, run.duel.rounds);
	printf("%-38s %8s %8s %8s %8s\n", "", "least", "quartile", "median", "quartile");
	for (who = CONSTANT; who < CONTESTANTS; who++) {
		for (i = 0; i < run.duel.rounds; i++)
			run.ns[who][i] -= run.ns[HARNESS][i];
		worst = fmax(worst, report(names[who], run.ns[who], run.duel.rounds));
	}
	report(names[HARNESS], run.ns[HARNESS], run.duel.rounds);
	printf("the harness is taken off the others; aim at most %.0f: %s\n", AIM_NS,
	       worst <= AIM_NS ? "met" : "missed");
	return 0;
}
