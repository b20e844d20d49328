/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters, as control threads read them while lcores go on. */

#include <string.h>

#include "worker_internal.h"

static uint64_t
percentile(const struct nhn_histogram *h, uint32_t numerator)
{
	uint64_t low = 0;
	uint64_t high = 0;

	nhn_histogram_at_rank(h, nhn_histogram_rank(h->total, numerator, 100), &low, &high);
	return high;
}

int
nhn_worker_lcore_stats_get(struct nhn_worker *worker, uint32_t i,
			   struct nhn_worker_lcore_stats *stats)
{
	const struct worker_lcore *lcore;

	if (i >= worker->config.lcore_count)
		return -ENOENT;
	lcore = worker->lcore[i];
	memset(stats, 0, sizeof(*stats));
	stats->lcore = lcore->id;
	stats->links = lcore->links;
	stats->rounds = lcore->rounds;
	stats->rounds_worked = lcore->rounds_worked;
	stats->steps = lcore->steps;
	stats->sleeps = lcore->sleeps;
	stats->controls = lcore->controls;
	stats->timed = lcore->rounds_ns->total;
	if (stats->timed != 0) {
		stats->round_p50_ns = percentile(lcore->rounds_ns, 50);
		stats->round_p99_ns = percentile(lcore->rounds_ns, 99);
		stats->round_max_ns = percentile(lcore->rounds_ns, 100);
	}
	return 0;
}

int
nhn_worker_link_stats_get(struct nhn_worker *worker, uint32_t id,
			  struct nhn_worker_link_stats *stats)
{
	const struct served *served;
	struct worker_lcore *lcore;
	const struct nhn_link *link;
	uint32_t i;

	pthread_mutex_lock(&worker->mutex);
	served = worker_find(worker, id, &lcore);
	if (served != NULL) {
		link = served->link.endpoint->link;
		memset(stats, 0, sizeof(*stats));
		stats->id = id;
		stats->lcore = lcore->id;
		strcpy(stats->name, served->name);
		stats->state = nhn_link_state(link);
		stats->steps = served->steps;
		stats->exhausted = served->exhausted;
		stats->blocked = served->blocks;
		stats->sessions = link->sessions;
		for (i = 0; i < RTE_DIM(link->faults); i++)
			stats->faults += link->faults[i];
		stats->discarded = nhn_link_discarded(link);
	}
	pthread_mutex_unlock(&worker->mutex);
	return served != NULL ? 0 : -ENOENT;
}
