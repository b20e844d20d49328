/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit: one 32-bit word each way, in lines of its own. Nothing that asks and answers
 * through memory can be faster than this: a line has to cross twice.
 */

#include <stdlib.h>

#include <nhn_word.h>

#include "contest.h"

struct words {
	uint32_t near __attribute__((aligned(128)));
	uint32_t far __attribute__((aligned(128)));
};

struct peer {
	uint32_t *own;
	const uint32_t *other;
	uint32_t word;
	bool answers; /* the far side */
};

/* @return false: to give up */
static bool
limit_wait(const struct peer *peer, struct contest_work *work)
{
	uint32_t polls = 0;

	while (nhn_load_acquire(peer->other) != peer->word) {
		if (__builtin_expect(++polls % (1u << 20) == 0, 0) && contest_over(work))
			return false;
	}
	work->idle_from = 0;
	return true;
}

static void
limit_trips(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint64_t i;

	for (i = 0; i < work->messages; i++) {
		const uint64_t begin = nhn_clock_now();

		nhn_store_release(peer->own, ++peer->word);
		if (!limit_wait(peer, work)) {
			return;
		}
		nhn_histogram_record(work->latency,
				     nhn_clock_ns(work->clock, nhn_clock_now() - begin));
	}
}

static void
limit_echo(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint64_t i;

	for (i = 0; i < work->messages; i++) {
		peer->word++;
		if (!limit_wait(peer, work)) {
			return;
		}
		nhn_store_release(peer->own, peer->word);
		work->taken++;
	}
}

/* Where a trip was lost, far goes on from what near asked last. */
static int
limit_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;

	(void)size;
	if (peer->answers)
		peer->word = nhn_load_acquire(peer->other);
	return 0;
}

static size_t
limit_shared_bytes(const struct contest_place *place)
{
	(void)place;
	return sizeof(struct words);
}

static void *
limit_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct words *words = (struct words *)(void *)place->shared;
	struct peer *peer = calloc(1, sizeof(*peer));

	(void)why;
	(void)why_bytes;
	if (peer == NULL)
		return NULL;
	peer->own = place->side == CONTEST_NEAR ? &words->near : &words->far;
	peer->other = place->side == CONTEST_NEAR ? &words->far : &words->near;
	peer->answers = place->side == CONTEST_FAR;
	return peer;
}

static const struct contest_loops limit_loops = {
	.trips = limit_trips,
	.echo = limit_echo,
};

const struct contestant contestant_limit = {
	.name = "limit",
	.what = "the raw cache line: one 32-bit word each way, polled",
	.size_min = 8,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = 1,
	.wordless = true,
	.shared_bytes = limit_shared_bytes,
	.open = limit_open,
	.close = free,
	.prepare = limit_prepare,
	.loops = &limit_loops,
};
