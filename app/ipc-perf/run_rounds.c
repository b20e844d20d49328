/* SPDX-License-Identifier: BSD-3-Clause */
/* The rounds of a run: limit block, round, limit block, floor, round, ... */

#include <inttypes.h>
#include <sys/resource.h>

#include <rte_common.h>

#include "run_internal.h"
#include "say.h"

/** A rate is held when each round's is as near to the one asked for. */
#define RATE_ERROR 0.001

/** The median, also of fewer samples than a report would print one of. */
static double
median_ns(const struct nhn_histogram *h)
{
	uint64_t low_ns = 0, high_ns = 0;

	if (h->total != 0)
		nhn_histogram_at_rank(h, nhn_histogram_rank(h->total, 1, 2), &low_ns, &high_ns);
	return (double)high_ns;
}

static void
usage_add(struct usage *usage, int64_t sign)
{
	struct rusage now;

	getrusage(RUSAGE_THREAD, &now);
	usage->minor_faults += sign * now.ru_minflt;
	usage->major_faults += sign * now.ru_majflt;
	usage->voluntary_switches += sign * now.ru_nvcsw;
	usage->involuntary_switches += sign * now.ru_nivcsw;
}

/** Whether the limit stood still: true where there is none. */
static bool
limit_steady(const struct run *run)
{
	const double before_ns = median_ns(&run->result->before);
	const double after_ns = median_ns(&run->result->after);
	const double low_ns = RTE_MIN(before_ns, after_ns);

	if (run->way == NULL || !way_has_words(run->way))
		return true;
	return low_ns > 0 && RTE_MAX(before_ns, after_ns) - low_ns <= LIMIT_DRIFT * low_ns;
}

/** Messages a second of the round that ran, and of a paced one whether it kept its time. */
static void
rates_keep(struct run *run, uint64_t ns)
{
	struct result *result = run->result;
	const struct schedule *schedule = &run->schedule;
	const double hz = (double)run->clock->hz;
	double rate = (double)run->round_messages / ((double)ns * 1e-9);

	if (run->engine->uses & USES_RATE) {
		double asked = (double)run->settings->rate;

		rate = schedule->sent < 2
			       ? asked
			       : (double)(schedule->sent - 1) * hz / (double)schedule->cycles;
		result->late += schedule->late;
		result->late_most_ns = RTE_MAX(
			result->late_most_ns, nhn_clock_ns(run->clock, schedule->late_most_cycles));
		if (!schedule->held || rate < asked * (1 - RATE_ERROR) ||
		    rate > asked * (1 + RATE_ERROR))
			result->rate_held = false;
	} else if (run->moved.cycles != 0) {
		rate = (double)run->moved.messages * hz / (double)run->moved.cycles;
	}
	series_add(&result->rates, rate);
	if (run->moved.back_cycles != 0)
		series_add(&result->back_rates,
			   (double)run->moved.back_messages * hz / (double)run->moved.back_cycles);
}

/** Take what the round found, or leave it out. */
static void
round_take(struct run *run, uint64_t begin_ns, uint64_t end_ns, bool before_kept, bool *kept)
{
	struct result *result = run->result;
	const double limit_ns = (median_ns(&result->before) + median_ns(&result->after)) / 2;
	uint64_t messages = run->round_messages;

	pthread_mutex_lock(run->lock);
	*kept = limit_steady(run);
	if (*kept) {
		if (run->engine->uses & USES_RATE)
			messages = run->schedule.sent;
		else if (run->moved.messages != 0)
			messages = run->moved.messages;
		if (!before_kept)
			nhn_histogram_add(&result->limit, &result->before);
		nhn_histogram_add(&result->limit, &result->after);
		if (limit_ns > 0 && run->engine->latency != NULL)
			series_add(&result->ratios, median_ns(run->round) / limit_ns);
		rates_keep(run, end_ns - begin_ns);
		result_keep(result, begin_ns, end_ns, messages);
	} else {
		result->rounds_dropped++;
	}
	result->rate = result->paced_cycles != 0
			       ? (double)result->paced_intervals * (double)run->clock->hz /
					 (double)result->paced_cycles
			       : series_spread(&result->rates).median;
	pthread_mutex_unlock(run->lock);
}

/** The round itself, between its two looks at what it costs. */
static enum outcome
round_run(struct run *run, uint64_t *begin_ns, uint64_t *end_ns)
{
	struct result *result = run->result;
	enum outcome outcome;

	nhn_histogram_init(run->round);
	nhn_histogram_init(run->extra);
	run->moved = (struct moved){.messages = 0};
	*begin_ns = *end_ns = run_now_ns(run);
	if (run->settings->gaps && (run->engine->uses & USES_LINK) != 0) {
		/* What the far end met before this round is no gap's. */
		struct nhn_look_delta unused;

		outcome = run_far_look(run, &unused);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	if (run->settings->gaps)
		nhn_gaps_round_begin(&result->gaps, &run->observer);
	*begin_ns = run_now_ns(run);
	usage_add(&result->usage, -1);
	outcome = run->engine->round(run);
	usage_add(&result->usage, 1);
	*end_ns = run_now_ns(run);
	return outcome;
}

/** Name the gaps of the round that ran, or forget them with its samples. */
static enum outcome
gaps_take(struct run *run, bool kept)
{
	struct nhn_gaps *gaps = &run->result->gaps;
	const bool linked = (run->engine->uses & USES_LINK) != 0;
	struct nhn_look_delta far;
	enum outcome outcome = OUTCOME_OK;

	if (!run->settings->gaps)
		return OUTCOME_OK;
	if (kept && linked)
		outcome = run_far_look(run, &far);
	pthread_mutex_lock(run->lock);
	if (kept && outcome == OUTCOME_OK)
		nhn_gaps_round_end(gaps, &run->observer, linked ? &far : NULL);
	else
		nhn_gaps_round_drop(gaps);
	pthread_mutex_unlock(run->lock);
	return outcome;
}

/** Say that pong was restarted, and what it cost; tell it its orders. */
static enum outcome
restart_take(struct run *run)
{
	struct result *result = run->result;
	const struct near *near = &run->near;

	result->restarts = way_restarts(run->way) - run->restarts_before;
	say("pong was restarted, %" PRIu64 " times in all; messages lost until now: %" PRIu64,
	    result->restarts, near->unanswered + near->bulk_unknown);
	return run_orders(run);
}

/** After a round that is void, or a restart between rounds: what comes before the next one. */
static enum outcome
resume(struct run *run, enum outcome outcome)
{
	do {
		if (outcome == OUTCOME_RESTART)
			outcome = restart_take(run);
		else
			outcome = OUTCOME_OK;
		if (outcome == OUTCOME_OK)
			outcome = run_limit_block(run, &run->result->before);
	} while (outcome == OUTCOME_RESTART || outcome == OUTCOME_VOID);
	return outcome;
}

static bool
rounds_left(const struct run *run)
{
	const struct settings *settings = run->settings;
	const struct result *result = run->result;
	const uint32_t run_so_far =
		result->rounds_kept + result->rounds_dropped + result->rounds_void;

	/* A single round that was dropped or void would leave nothing to report. */
	if (settings->duration_ns != 0 && run_now_ns(run) >= settings->duration_ns)
		return result->rounds_kept == 0 && run_so_far < ROUNDS_FACTOR;
	if (settings->samples == 0)
		return true;
	return result->rounds_kept < result->rounds_planned &&
	       run_so_far < result->rounds_planned * ROUNDS_FACTOR;
}

/** Messages of the next round: what is left, in equal parts. */
static uint64_t
round_size(const struct run *run)
{
	const struct result *result = run->result;
	uint64_t left;

	if (run->settings->samples == 0)
		return result->round_messages;
	left = result->rounds_planned - result->rounds_kept;
	return (run->settings->samples - RTE_MIN(run->planned_done, run->settings->samples - 1) +
		left - 1) /
	       left;
}

/** Where time ends the run: rounds of about ROUND_NS, also when the speed has changed. */
static void
round_adapt(struct run *run, uint64_t ns)
{
	struct result *result = run->result;

	if (run->settings->samples != 0 || (run->engine->uses & USES_RATE) != 0 ||
	    (ns > ROUND_NS / 2 && ns < ROUND_NS * 2))
		return;
	result->round_messages = RTE_MAX(
		(uint64_t)((double)run->round_messages * (double)ROUND_NS / (double)(ns + 1)),
		UINT64_C(1));
}

/** The blocks after a round whose samples are kept or not: floor, one-way times. */
static enum outcome
between(struct run *run, uint64_t round_ns)
{
	enum outcome outcome = OUTCOME_OK;

	if (run->settings->floor)
		outcome = run_floor_block(run,
					  RTE_MIN(RTE_MAX(round_ns, FLOOR_NS_MIN), FLOOR_NS_MAX));
	if (outcome == OUTCOME_OK && (run->engine->uses & USES_LINK))
		outcome = run_stamp_block(run);
	if (outcome == OUTCOME_OK && *run->stopped)
		outcome = OUTCOME_STOPPED;
	if (run->tell != NULL)
		run->tell(run->tell_context, run);
	return outcome;
}

/** A round that was broken off by ^C has whole samples; it has no limit and no rate. */
static void
partial_keep(struct run *run, uint64_t begin_ns, uint64_t end_ns)
{
	pthread_mutex_lock(run->lock);
	if (run->engine->latency != NULL && run->round->total != 0)
		result_keep(run->result, begin_ns, end_ns, run->round->total);
	run->result->run_ns = end_ns;
	pthread_mutex_unlock(run->lock);
}

/** @param kept of the last round, then of this one: whether its limit counts */
static enum outcome
one_round(struct run *run, bool *kept)
{
	struct result *result = run->result;
	uint64_t begin_ns = 0, end_ns = 0;
	const bool before_kept = *kept;
	enum outcome outcome;

	*kept = false;
	run->round_messages = round_size(run);
	outcome = round_run(run, &begin_ns, &end_ns);
	if (outcome == OUTCOME_OK)
		outcome = run_limit_block(run, &result->after);
	if (outcome != OUTCOME_OK) {
		gaps_take(run, false);
		if (outcome == OUTCOME_STOPPED)
			partial_keep(run, begin_ns, end_ns);
		else
			result->rounds_void++;
		return outcome;
	}
	round_take(run, begin_ns, end_ns, before_kept, kept);
	run->planned_done += *kept ? run->round_messages : 0;
	result->before = result->after;
	result->run_ns = run_now_ns(run);
	round_adapt(run, end_ns - begin_ns);
	outcome = gaps_take(run, *kept);
	return outcome == OUTCOME_OK ? between(run, end_ns - begin_ns) : outcome;
}

void
run_rounds(struct run *run)
{
	struct result *result = run->result;
	enum outcome outcome = OUTCOME_OK;
	bool kept = false;

	result->rate_held = true;
	run->planned_done = 0;
	if (run->way != NULL)
		outcome = resume(run, OUTCOME_OK);
	clock_gettime(CLOCK_REALTIME, &result->begun);
	run->begun = run->near.begun = nhn_clock_now();
	while (outcome == OUTCOME_OK && rounds_left(run)) {
		outcome = one_round(run, &kept);
		if (outcome == OUTCOME_RESTART || outcome == OUTCOME_VOID) {
			outcome = resume(run, outcome);
			kept = false;
		}
	}
	result->outcome = outcome;
	result->complete =
		result->rounds_kept != 0 &&
		(run->settings->samples == 0 || result->rounds_kept == result->rounds_planned ||
		 (run->settings->duration_ns != 0 &&
		  run_now_ns(run) >= run->settings->duration_ns));
}
