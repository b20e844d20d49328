/* SPDX-License-Identifier: BSD-3-Clause */
/* The rounds of a run: limit block, messages, limit block, messages, ... */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_common.h>

#include <nhn_link_text.h>

#include "ping.h"
#include "say.h"

/** The median, also of fewer samples than a report would print one of. */
static uint64_t
median_ns(const struct nhn_histogram *h)
{
	uint64_t low_ns = 0, high_ns = 0;

	nhn_histogram_at_rank(h, nhn_histogram_rank(h->total, 1, 2), &low_ns, &high_ns);
	return high_ns;
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

/** Say that pong was restarted, and what it cost, between two parts of the run. */
static void
restarts_note(const struct way *way, struct results *results)
{
	uint64_t restarts = way->link->sessions - results->sessions_before;

	if (restarts == results->restarts)
		return;
	results->restarts = restarts;
	say("pong was restarted, %" PRIu64 " times in all; messages lost until now: %" PRIu64,
	    restarts, results->ping.lost);
}

/** Void blocks are left empty: the rounds beside them are dropped. */
static enum outcome
limit_block(struct way *way, struct ping *ping, struct nhn_histogram *limit)
{
	enum outcome outcome;

	nhn_histogram_init(limit);
	outcome = way->calls->limit(way, ping, LIMIT_TRIPS, limit);
	if (outcome != OUTCOME_VOID)
		return outcome;
	nhn_histogram_init(limit);
	return OUTCOME_OK;
}

/** Whether the round between the two blocks counts. Keeps it if so. */
static bool
round_keep(struct results *results, bool before_kept)
{
	const double before_ns = (double)median_ns(&results->before);
	const double after_ns = (double)median_ns(&results->after);
	const double round_ns = (double)median_ns(&results->round);
	const double low_ns = RTE_MIN(before_ns, after_ns);

	if (round_ns <= 0 || low_ns <= 0 ||
	    RTE_MAX(before_ns, after_ns) - low_ns > LIMIT_DRIFT * low_ns)
		return false;
	nhn_histogram_add(&results->rtt, &results->round);
	if (!before_kept)
		nhn_histogram_add(&results->limit, &results->before);
	nhn_histogram_add(&results->limit, &results->after);
	results->ratios[results->rounds_kept] = round_ns / ((before_ns + after_ns) / 2);
	return true;
}

static void
rounds_run(struct way *way, uint64_t samples, struct results *results)
{
	const uint32_t rounds_max = results->rounds_planned * ROUNDS_FACTOR;
	struct ping *ping = &results->ping;
	bool kept = false;
	enum outcome outcome = limit_block(way, ping, &results->before);

	while (outcome == OUTCOME_OK && results->rounds_kept < results->rounds_planned &&
	       results->rounds_kept + results->rounds_dropped < rounds_max) {
		uint32_t left = results->rounds_planned - results->rounds_kept;
		uint64_t messages = (samples + left - 1) / left;

		nhn_histogram_init(&results->round);
		outcome = way->calls->exchange(way, ping, (uint32_t)messages, &results->round);
		if (outcome == OUTCOME_OK)
			outcome = limit_block(way, ping, &results->after);
		restarts_note(way, results);
		if (outcome == OUTCOME_OK && *way->stopped)
			outcome = OUTCOME_STOPPED;
		/* A round that was cut off has no limit after it. */
		if (outcome != OUTCOME_OK)
			break;
		kept = round_keep(results, kept);
		results->rounds_kept += kept;
		results->rounds_dropped += !kept;
		samples -= kept ? messages : 0;
		results->before = results->after;
	}
	results->outcome = outcome;
	results->complete = results->rounds_kept == results->rounds_planned;
}

static int
ratio_compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static enum outcome
warm_up(struct way *way, struct results *results)
{
	enum outcome outcome;

	nhn_histogram_init(&results->round);
	outcome = way->calls->exchange(way, &results->ping, WARMUP_TRIPS, &results->round);
	if (outcome == OUTCOME_OK)
		outcome = limit_block(way, &results->ping, &results->after);
	restarts_note(way, results);
	return outcome;
}

static int
size_check(const struct way *way, uint32_t bytes)
{
	struct way_bounds bounds;

	way->calls->bounds(way, &bounds);
	if (bytes >= bounds.min && bytes <= bounds.max)
		return 0;
	say("--size is %" PRIu32 ", expected %" PRIu32 " to %" PRIu32 " on this link, which is %s:"
	    " choose such a size, or give the host more memory.",
	    bytes, bounds.min, bounds.max, bounds.limited_by);
	return -EINVAL;
}

static int
results_init(struct results *results, const struct way *way, const struct options *options)
{
	struct ping *ping = &results->ping;
	uint64_t messages =
		RTE_MIN(RTE_MAX(options->samples / 20, ROUND_MESSAGES_MIN), ROUND_MESSAGES_MAX);

	results->round_messages = RTE_MIN(messages, options->samples);
	results->rounds_planned = (uint32_t)((options->samples + messages - 1) / messages);
	/* The others are touched by the warm-up. */
	nhn_histogram_init(&results->rtt);
	nhn_histogram_init(&results->limit);
	nhn_histogram_init(&results->before);
	nhn_histogram_init(&results->after);
	ping->length = options->bytes - way->calls->overhead_bytes;
	ping->sequence = (uint32_t)nhn_clock_now();
	ping->pattern = ping_pattern_new(ping->length);
	results->ratios = calloc((size_t)results->rounds_planned, sizeof(*results->ratios));
	if (ping->pattern != NULL && results->ratios != NULL)
		return 0;
	say("There is no memory for the pattern of messages, expected some MiB: end other"
	    " programs.");
	return -ENOMEM;
}

static enum outcome
link_wait(struct way *way)
{
	uint64_t begun = nhn_clock_now();
	enum outcome outcome;

	say("waiting for pong at the other end of the link");
	outcome = way->calls->wait_up(way);
	if (outcome == OUTCOME_OK)
		say("the link is up after %.3f ms",
		    (double)nhn_clock_ns(way->clock, nhn_clock_now() - begun) / 1e6);
	return outcome;
}

int
ping_run(struct way *way, const struct options *options, struct results *results)
{
	int ret;

	ret = results_init(results, way, options);
	if (ret != 0)
		return ret;
	results->outcome = link_wait(way);
	if (results->outcome == OUTCOME_OK)
		ret = size_check(way, options->bytes);
	if (ret != 0)
		return ret;
	results->sessions_before = way->link->sessions;
	if (results->outcome == OUTCOME_OK)
		results->outcome = warm_up(way, results);
	if (results->outcome == OUTCOME_OK) {
		usage_add(&results->usage, -1);
		rounds_run(way, options->samples, results);
		usage_add(&results->usage, 1);
	}
	results->state = nhn_link_state(way->link);
	if (results->outcome == OUTCOME_GONE)
		say("No answer came for %" PRIu64 " s and the link is %s, expected a pong that"
		    " serves at its other end: start it again.",
		    (way->down ? DOWN_PATIENCE_NS : PATIENCE_NS) / 1000000000,
		    nhn_link_state_text(results->state));
	if (results->outcome == OUTCOME_LOST)
		say("The link's memory is lost, as said above, expected that it stays as it is "
		    "while"
		    " it is in use: start both sides again.");
	if (results->outcome == OUTCOME_OK && way->calls->end(way, &results->ping) != OUTCOME_OK)
		say("pong did not answer that it ends: end it by ^C.");
	qsort(results->ratios, results->rounds_kept, sizeof(*results->ratios), ratio_compare);
	return 0;
}

void
ping_results_free(struct results *results)
{
	if (results == NULL)
		return;
	free((void *)(uintptr_t)results->ping.pattern);
	free(results->ratios);
	free(results);
}
