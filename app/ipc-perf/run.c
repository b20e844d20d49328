/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of a run: far end, warm-up, rounds, counts. The blocks are in run_blocks.c. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include <nhn_link_text.h>

#include "output.h"
#include "run_internal.h"
#include "say.h"

/** The warm-up ends after so long, where its trips are slow. */
#define WARMUP_NS UINT64_C(500000000)
/** Beginnings that a far end which is restarted may cost. */
#define BEGIN_TRIES 10
/** Gaps below this are of no interest: an ordinary interrupt takes longer. */
#define GAP_NS_MIN UINT64_C(5000)

uint64_t
run_now_ns(const struct run *run)
{
	return nhn_clock_ns(run->clock, nhn_clock_now() - run->begun);
}

static int
size_check(const struct run *run, const char *name, uint32_t bytes)
{
	struct way_bounds bounds;

	run->calls->bounds(run->way, &bounds);
	if (bytes >= bounds.min && bytes <= bounds.max)
		return 0;
	say("--%s is %" PRIu32 ", expected %" PRIu32 " to %" PRIu32 " on this link, which is %s:"
	    " choose such a size, or give the host more memory.",
	    name, bytes, bounds.min, bounds.max, bounds.limited_by);
	return -EINVAL;
}

/** What depends on the link, once it is up. */
static int
link_check(const struct run *run)
{
	const struct settings *settings = run->settings;
	const char *why = NULL;
	int ret = size_check(run, "size", settings->size);

	if (ret == 0 && settings->reply_size != 0)
		ret = size_check(run, "reply-size", settings->reply_size);
	if (ret == 0 && settings->bulk_size != 0)
		ret = size_check(run, "bulk-size", settings->bulk_size);
	if (run->engine == &engine_mixed)
		why = run->calls->mixed_refusal(run->way);
	if (ret != 0 || why == NULL)
		return ret;
	say("--mode mixed cannot be done on this link: %s.", why);
	return -EOPNOTSUPP;
}

static int
near_begin(struct run *run)
{
	const struct settings *settings = run->settings;
	const uint32_t overhead = run->calls->overhead_bytes;
	struct near *near = &run->near;

	memset(near, 0, sizeof(*near));
	near->length = settings->size - overhead;
	near->reply_length =
		settings->reply_size != 0 ? settings->reply_size - overhead : near->length;
	near->bulk_length =
		settings->bulk_size != 0 ? settings->bulk_size - overhead : near->length;
	near->burst = settings->burst;
	near->depth = settings->depth;
	/* It comes between two workloads, and the next one may have just begun. */
	if (run->engine->uses & USES_WORK)
		near->answer_ns = 2 * settings->work_ns;
	near->random = settings->seed | 1;
	near->sequence = (uint32_t)nhn_clock_now();
	near->answers.next = near->sequence;
	near->there = &run->result->there;
	near->back = &run->result->back;
	near->observer = &run->observer;
	near->gaps = &run->result->gaps;
	near->pattern = near_pattern_new(
		RTE_MAX(RTE_MAX(near->length, near->reply_length), near->bulk_length),
		settings->seed);
	if (near->pattern != NULL)
		return 0;
	say("There is no memory for the pattern of messages, expected some MiB: end other"
	    " programs.");
	return -ENOMEM;
}

/** Messages of a paced round: of a second, or of all the time there is. */
static uint64_t
paced_messages(const struct settings *settings)
{
	const uint64_t ns = settings->duration_ns != 0
				    ? RTE_MIN(settings->duration_ns, PACED_ROUND_NS)
				    : PACED_ROUND_NS;

	return (uint64_t)((double)settings->rate * (double)ns * 1e-9);
}

/**
 * How many rounds there will be, and how long they are at first.
 * @param message_ns of one message, as the warm-up found it; 0: no time at all
 */
static void
rounds_plan(struct run *run, uint64_t message_ns)
{
	const struct settings *settings = run->settings;
	const uint64_t round_ns = settings->samples != 0 ? ROUND_NS_MAX : ROUND_NS;
	struct result *result = run->result;
	uint64_t messages =
		RTE_MIN(RTE_MAX(settings->samples / 20, ROUND_MESSAGES_MIN), ROUND_MESSAGES_MAX);

	if (run->engine->uses & USES_RATE)
		messages = paced_messages(settings);
	else if (message_ns != 0 && (settings->samples == 0 || messages > round_ns / message_ns))
		messages = round_ns / message_ns;
	if (settings->samples != 0 && messages > settings->samples)
		messages = settings->samples;
	result->round_messages = RTE_MAX(messages, UINT64_C(1));
	result->rounds_planned = (uint32_t)((settings->samples + result->round_messages - 1) /
					    result->round_messages);
}

static enum outcome
link_wait(struct run *run)
{
	uint64_t begun = nhn_clock_now();
	enum outcome outcome;

	say("waiting for pong at the other end of the link");
	outcome = run->calls->wait_up(run->way);
	if (outcome == OUTCOME_OK)
		say("the link is up after %.3f ms",
		    (double)nhn_clock_ns(run->clock, nhn_clock_now() - begun) / 1e6);
	return outcome;
}

static enum outcome
warm_up_part(struct run *run, uint64_t messages, uint64_t *ns)
{
	uint64_t begun = nhn_clock_now();
	enum outcome outcome;

	run->round_messages = messages;
	nhn_histogram_init(run->round);
	nhn_histogram_init(run->extra);
	outcome = run->engine->round(run);
	*ns = nhn_clock_ns(run->clock, nhn_clock_now() - begun);
	return outcome;
}

/**
 * Left out of all figures. In it the speed is found: parts of 1, 2, 4, ... messages, so that
 * the last one is about half of all, and none of them takes long where messages do.
 */
static enum outcome
warm_up(struct run *run)
{
	struct result *result = run->result;
	uint64_t messages = 1, spent_ns = 0;
	enum outcome outcome;
	uint64_t ns;

	result->warmup_messages = 0;
	do {
		outcome = warm_up_part(run, messages, &ns);
		rounds_plan(run, ns / messages + 1);
		result->warmup_messages += messages;
		spent_ns += ns;
		messages = RTE_MIN(2 * messages, WARMUP_TRIPS - result->warmup_messages);
	} while (outcome == OUTCOME_OK && spent_ns < WARMUP_NS && messages != 0);
	if (outcome == OUTCOME_OK)
		outcome = run_limit_block(run, &result->after);
	nhn_histogram_init(run->near.there);
	nhn_histogram_init(run->near.back);
	return outcome;
}

static enum outcome
begin_once(struct run *run)
{
	enum outcome outcome = run_orders(run);

	if (outcome == OUTCOME_OK)
		outcome = warm_up(run);
	/* What the warm-up moved is in no count. */
	if (outcome == OUTCOME_OK)
		outcome = run_count_anew(run);
	if (outcome == OUTCOME_OK)
		outcome = run_offset(run, &run->result->offset_begin, CLOCK_EXCHANGES);
	return outcome;
}

/** The far end is there and knows what to do. */
static enum outcome
begin(struct run *run, int *ret)
{
	enum outcome outcome = link_wait(run);
	int tries = BEGIN_TRIES;

	run->restarts_before = way_restarts(run->way);
	if (outcome != OUTCOME_OK)
		return outcome;
	*ret = link_check(run);
	if (*ret == 0)
		*ret = near_begin(run);
	if (*ret != 0)
		return OUTCOME_REFUSED;
	/* A far end that was restarted, or a lost frame: from the beginning. */
	do {
		outcome = begin_once(run);
	} while ((outcome == OUTCOME_RESTART || outcome == OUTCOME_VOID) && --tries > 0);
	return outcome;
}

static void
end_say(const struct run *run)
{
	const struct result *result = run->result;

	if (result->outcome == OUTCOME_GONE)
		say("No answer came for %" PRIu64 " s and the link is %s, expected a pong that"
		    " serves at its other end: start it again.",
		    (way_down(run->way) ? DOWN_PATIENCE_NS : PATIENCE_NS) / 1000000000,
		    result->link_state);
	if (result->outcome == OUTCOME_LOST)
		say("The link's memory is lost, as said above, expected that it stays as it is"
		    " while it is in use: start both sides again.");
}

static int
run_linked(struct run *run)
{
	struct result *result = run->result;
	struct nhn_link *link;
	int ret = 0;

	result->outcome = begin(run, &ret);
	if (ret == 0 && result->outcome == OUTCOME_OK)
		run_rounds(run);
	if (ret == 0 && run->near.pattern != NULL)
		run_counts(run);
	link = way_link(run->way);
	result->link_state = link != NULL ? nhn_link_state_text(nhn_link_state(link)) : "a port";
	if (ret == 0)
		end_say(run);
	free((void *)(uintptr_t)run->near.pattern);
	run->near.pattern = NULL;
	return ret;
}

/** What recording a sample costs on this core: the clock's two reads are not in it. */
static double
recorder_cost(const struct nhn_clock *clock, struct nhn_histogram *h)
{
	const uint32_t samples = 100000;
	uint64_t begun, cycles;
	uint32_t i;

	nhn_histogram_init(h);
	begun = nhn_clock_now_ordered();
	for (i = 0; i < samples; i++)
		nhn_histogram_record(h, nhn_clock_ns(clock, 200 + i % 1024));
	cycles = nhn_clock_now_ordered() - begun;
	return (double)nhn_clock_ns(clock, cycles) / samples;
}

int
run_all(struct run *run)
{
	struct result *result = run->result;
	int ret = 0;

	run->engine = run->settings->engine;
	pthread_mutex_lock(run->lock);
	run->round = &result->round;
	run->extra = &result->round_extra;
	result->recorder_ns = recorder_cost(run->clock, run->round);
	pthread_mutex_unlock(run->lock);
	nhn_gaps_init(&result->gaps, run->settings->gaps ? GAP_NS_MIN : UINT64_MAX);
	result->gaps.far_sleeps = run->settings->wait == WAIT_SLEEP;
	if (run->settings->gaps)
		nhn_observer_open(&run->observer, output_core(), "");
	rounds_plan(run, 0);
	run->begun = nhn_clock_now();
	if (run->engine->uses & USES_LINK)
		ret = run_linked(run);
	else
		run_rounds(run);
	nhn_observer_close(&run->observer);
	return ret;
}
