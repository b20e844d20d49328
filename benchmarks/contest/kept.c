/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rounds kept for a bootstrap: not samples but whole rounds are drawn with replacement, of
 * the contestant and of the limit together, because what disturbs one sample of a round
 * disturbs its neighbours. Efron & Tibshirani, An Introduction to the Bootstrap, 1993,
 * chapter 13 (percentile intervals), chapter 8 (blocks).
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <nhn_percentiles.h>

#include "near.h"

struct kept {
	struct kept *next;
	char name[MEETING_NAME_BYTES];
	struct nhn_histogram latency;
};

/* The intervals are of 95 %. */
#define TAIL_PART 40u
#define SEED 8

static const char *const names[] = {"p50", "p99", "p99.9", "p99.99"};
#define NAMES (sizeof(names) / sizeof(names[0]))

int
kept_add(struct near *near, const char *name, const struct nhn_histogram *latency)
{
	struct kept **at = &near->kept;
	struct kept *kept = malloc(sizeof(*kept));

	if (kept == NULL)
		return -ENOMEM;
	while (*at != NULL)
		at = &(*at)->next;
	kept->next = NULL;
	kept->latency = *latency;
	snprintf(kept->name, sizeof(kept->name), "%s", name);
	*at = kept;
	return 0;
}

void
kept_forget(struct near *near)
{
	while (near->kept != NULL) {
		struct kept *next = near->kept->next;

		free(near->kept);
		near->kept = next;
	}
}

static uint32_t
kept_count(const struct near *near, const char *name)
{
	const struct kept *kept;
	uint32_t count = 0;

	for (kept = near->kept; kept != NULL; kept = kept->next)
		count += strcmp(kept->name, name) == 0;
	return count;
}

static const struct nhn_histogram *
kept_at(const struct near *near, const char *name, uint32_t index)
{
	const struct kept *kept = near->kept;

	while (strcmp(kept->name, name) != 0 || index-- != 0)
		kept = kept->next;
	return &kept->latency;
}

/* 0 where there are too few samples. */
static double
ratio_of(const struct nhn_histogram *ours, const struct nhn_histogram *limit, const char *name)
{
	const struct nhn_percentile *percentile = nhn_percentile_find(name);
	uint64_t ours_ns, limit_ns;

	if (nhn_histogram_percentile(ours, percentile->num, percentile->den, &ours_ns) != 0 ||
	    nhn_histogram_percentile(limit, percentile->num, percentile->den, &limit_ns) != 0 ||
	    limit_ns == 0)
		return 0;
	return (double)ours_ns / (double)limit_ns;
}

static int
ascending(const void *a, const void *b)
{
	const double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static json_t *
interval(double *ratios, uint32_t resamples, double ratio)
{
	const uint32_t low = resamples / TAIL_PART;

	qsort(ratios, resamples, sizeof(*ratios), ascending);
	if (ratio <= 0 || ratios[low] <= 0)
		return json_null();
	return json_pack("{s:f,s:f,s:f}", "ratio", ratio, "low", ratios[low], "high",
			 ratios[resamples - 1 - low]);
}

/* Merged rounds: all as they were (@p draw NULL), or drawn. */
static void
merge(const struct near *near, const char *name, uint32_t rounds, const uint32_t *draw,
      struct nhn_histogram *sum)
{
	uint32_t i;

	nhn_histogram_init(sum);
	for (i = 0; i < rounds; i++)
		nhn_histogram_add(sum, kept_at(near, name, draw == NULL ? i : draw[i]));
}

static json_t *
bootstrap(const struct near *near, const char *name, uint32_t rounds, uint32_t resamples,
	  struct nhn_histogram sum[2], uint32_t *draw, double *ratios)
{
	json_t *object = json_object();
	unsigned short state[3] = {SEED, SEED, SEED};
	double whole[NAMES];
	uint32_t i, j;

	merge(near, name, rounds, NULL, &sum[0]);
	merge(near, "limit", rounds, NULL, &sum[1]);
	for (j = 0; j < NAMES; j++)
		whole[j] = ratio_of(&sum[0], &sum[1], names[j]);
	for (i = 0; i < resamples; i++) {
		for (j = 0; j < rounds; j++)
			draw[j] = (uint32_t)(erand48(state) * rounds);
		merge(near, name, rounds, draw, &sum[0]);
		merge(near, "limit", rounds, draw, &sum[1]);
		for (j = 0; j < NAMES; j++)
			ratios[j * resamples + i] = ratio_of(&sum[0], &sum[1], names[j]);
	}
	for (j = 0; j < NAMES; j++)
		json_object_set_new(object, names[j],
				    interval(ratios + j * resamples, resamples, whole[j]));
	return object;
}

json_t *
kept_bootstrap(const struct near *near, const char *name, uint32_t resamples, char *why)
{
	const uint32_t rounds = kept_count(near, name);
	struct nhn_histogram *sum = malloc(2 * sizeof(*sum));
	uint32_t *draw = calloc(rounds + 1, sizeof(*draw));
	double *ratios = calloc(NAMES * (size_t)resamples, sizeof(*ratios));
	json_t *object = NULL;

	if (sum == NULL || draw == NULL || ratios == NULL)
		snprintf(why, MEETING_WHY_BYTES, "no memory");
	else if (rounds < 2 || kept_count(near, "limit") != rounds)
		snprintf(why, MEETING_WHY_BYTES,
			 "%u rounds of %s and %u of limit were kept, expected as many, 2 at least",
			 rounds, name, kept_count(near, "limit"));
	else
		object = bootstrap(near, name, rounds, resamples, sum, draw, ratios);
	free(sum);
	free(draw);
	free(ratios);
	return object;
}
