/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <nhn_cause.h>

#include "cause_internal.h"

/* Full looks in a round take at most one part in so many of its time. */
#define LOOK_SHARE 100

void
nhn_gaps_init(struct nhn_gaps *gaps, uint64_t threshold_ns)
{
	memset(gaps, 0, sizeof(*gaps));
	gaps->threshold_ns = threshold_ns;
}

/*
 * Close the window: what the CPU met goes to all gaps of it. The looks of the next window
 * begin when this one has been taken, so that what it cost is in none.
 */
static void
look_full(struct nhn_gaps *gaps, struct nhn_observer *observer, struct nhn_look_delta *delta)
{
	struct nhn_look *now = &observer->now;

	nhn_look_full(observer, now);
	nhn_look_full_delta(&gaps->full, now, observer->tick_ns, delta);
	for (uint32_t i = 0; i < gaps->round_count; i++) {
		struct nhn_gap_seen *seen = &gaps->round[i];

		if (!seen->open)
			continue;
		seen->open = false;
		seen->gaps_ns = gaps->gaps_ns;
		seen->full_ns = delta->window_ns;
		seen->near.sees |= delta->sees & ~NHN_SEES_LIGHT;
		seen->near.steal_ns = delta->steal_ns;
		seen->near.tick_ns = delta->tick_ns;
		seen->near.lines = delta->lines;
		memcpy(seen->near.line, delta->line, sizeof(seen->near.line));
	}
	memcpy(&gaps->full, now, sizeof(gaps->full));
	nhn_look_light(observer, &gaps->light);
	gaps->full_cost_ns = gaps->light.now_ns - now->counts.now_ns;
	gaps->missed_ns = gaps->gaps_ns = 0;
}

void
nhn_gaps_round_begin(struct nhn_gaps *gaps, struct nhn_observer *observer)
{
	struct nhn_look_delta unused;

	gaps->round_count = 0;
	look_full(gaps, observer, &unused);
	gaps->noted = false;
	gaps->begin_threshold_ns = gaps->threshold_ns;
	gaps->in_round = true;
}

static uint32_t
least_of_round(const struct nhn_gaps *gaps)
{
	uint32_t least = 0;

	for (uint32_t i = 1; i < gaps->round_count; i++) {
		if (gaps->round[i].gap_ns < gaps->round[least].gap_ns)
			least = i;
	}
	return least;
}

/* Where a gap of this size is kept, or NULL. */
static struct nhn_gap_seen *
place_in_round(struct nhn_gaps *gaps, uint64_t gap_ns)
{
	uint32_t least;

	if (gaps->round_count < NHN_GAPS)
		return &gaps->round[gaps->round_count++];
	least = least_of_round(gaps);
	return gap_ns > gaps->round[least].gap_ns ? &gaps->round[least] : NULL;
}

static void
raise_threshold(struct nhn_gaps *gaps, uint64_t least_ns)
{
	if (least_ns > gaps->threshold_ns)
		gaps->threshold_ns = least_ns;
}

void
nhn_gaps_note(struct nhn_gaps *gaps, struct nhn_observer *observer, uint64_t when_ns,
	      uint64_t gap_ns, bool may_look)
{
	struct nhn_gap_seen *seen;
	struct nhn_counts counts;

	if (!gaps->in_round)
		return;
	gaps->noted = true;
	gaps->gaps_ns += gap_ns;
	seen = place_in_round(gaps, gap_ns);
	if (seen == NULL) {
		gaps->missed_ns += gap_ns;
		return;
	}
	nhn_look_light(observer, &counts);
	seen->near.sees = 0;
	nhn_look_light_delta(&gaps->light, &counts, &seen->near);
	seen->when_ns = when_ns;
	seen->gap_ns = gap_ns;
	seen->missed_ns = gaps->missed_ns;
	seen->open = true;
	seen->far_known = false;
	gaps->light = counts;
	gaps->missed_ns = 0;

	if (gaps->round_count == NHN_GAPS)
		raise_threshold(gaps, gaps->round[least_of_round(gaps)].gap_ns);
	if (may_look &&
	    counts.now_ns - gaps->full.counts.now_ns >= LOOK_SHARE * gaps->full_cost_ns) {
		struct nhn_look_delta unused;

		look_full(gaps, observer, &unused);
	}
}

/* Into seen[], largest first; of equal ones the earlier stays first. */
static void
merge(struct nhn_gaps *gaps, const struct nhn_gap_seen *seen)
{
	uint32_t place = gaps->count;

	while (place > 0 && gaps->seen[place - 1].gap_ns < seen->gap_ns)
		place--;
	if (place == NHN_GAPS)
		return;
	if (gaps->count == NHN_GAPS)
		gaps->count--;
	memmove(&gaps->seen[place + 1], &gaps->seen[place],
		(gaps->count - place) * sizeof(gaps->seen[0]));
	gaps->seen[place] = *seen;
	gaps->count++;
}

/*
 * What came at the far end is counted once for the round, however many gaps it has: the
 * largest ones take from it first.
 */
static void
merge_round(struct nhn_gaps *gaps, const struct nhn_look_delta *far)
{
	struct nhn_look_delta left;

	if (far != NULL)
		left = *far;
	while (gaps->round_count > 0) {
		struct nhn_gap_seen *largest = &gaps->round[0];
		struct nhn_gap gap;

		for (uint32_t i = 1; i < gaps->round_count; i++) {
			if (gaps->round[i].gap_ns > largest->gap_ns)
				largest = &gaps->round[i];
		}
		largest->sleeps = gaps->sleeps;
		largest->far_sleeps = gaps->far_sleeps;
		largest->far_known = far != NULL;
		if (far != NULL) {
			largest->far = left;
			nhn_gap_judge(largest, &gaps->usual, &gaps->far_usual, &gap);
			if (gap.far)
				nhn_gap_take(&gap, &left);
		}
		merge(gaps, largest);
		*largest = gaps->round[--gaps->round_count];
	}
}

void
nhn_gaps_round_end(struct nhn_gaps *gaps, struct nhn_observer *observer,
		   const struct nhn_look_delta *far)
{
	struct nhn_look_delta round;

	if (!gaps->in_round)
		return;
	gaps->in_round = false;
	look_full(gaps, observer, &round);
	if (!gaps->noted) {
		nhn_usual_learn(&gaps->usual, &round);
		if (far != NULL)
			nhn_usual_learn(&gaps->far_usual, far);
	}
	merge_round(gaps, far);
	for (uint32_t i = 0; i < gaps->count; i++)
		nhn_gap_judge(&gaps->seen[i], &gaps->usual, &gaps->far_usual, &gaps->gap[i]);
	if (gaps->count == NHN_GAPS)
		raise_threshold(gaps, gaps->seen[NHN_GAPS - 1].gap_ns);
}

void
nhn_gaps_round_drop(struct nhn_gaps *gaps)
{
	if (!gaps->in_round)
		return;
	gaps->in_round = false;
	gaps->round_count = 0;
	gaps->threshold_ns = gaps->begin_threshold_ns;
}
