/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run asks of the far end beside its rounds: who it is, its clock, its counts. */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "run_internal.h"
#include "say.h"

/** Exchanges of clocks with a far end that works between its polls take no longer. */
#define OFFSET_NS_MAX UINT64_C(500000000)

static enum outcome
hello(struct run *run)
{
	const struct order order = {.kind = ORDER_HELLO};
	struct reply_hello *far = &run->result->far;
	enum outcome outcome;

	outcome = run->calls->order(run->way, &run->near, &order, far, sizeof(*far));
	if (outcome != OUTCOME_OK)
		return outcome;
	/* The peer's bytes: its texts may have no end. */
	far->system[sizeof(far->system) - 1] = '\0';
	far->dpdk[sizeof(far->dpdk) - 1] = '\0';
	far->topology[sizeof(far->topology) - 1] = '\0';
	far->host[sizeof(far->host) - 1] = '\0';
	if (far->version == PROTOCOL_VERSION)
		return OUTCOME_OK;
	say("The far end speaks version %u of ipc-perf's protocol, expected %u: run the same"
	    " ipc-perf at both ends.",
	    far->version, PROTOCOL_VERSION);
	return OUTCOME_REFUSED;
}

enum outcome
run_orders(struct run *run)
{
	struct order order = {
		.kind = ORDER_SERVE,
		.size = run->near.length,
		.reply_size = run->near.reply_length,
		.burst = 1,
		.seed = run->settings->seed,
	};
	enum outcome outcome = hello(run);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (run->engine->uses & USES_BULK_SIZE)
		order.size = run->near.bulk_length;
	if (run->engine->order != NULL)
		run->engine->order(run->settings, &order);
	return run->calls->order(run->way, &run->near, &order, NULL, 0);
}

/** A stream goes on with its numbers and counts from nothing. */
static void
stream_count_anew(struct stream *stream)
{
	*stream = (struct stream){.next = stream->next, .seen = stream->seen};
}

enum outcome
run_count_anew(struct run *run)
{
	struct near *near = &run->near;

	stream_count_anew(&near->answers);
	stream_count_anew(&near->bulk);
	near->sent = 0;
	near->bulk_sent = 0;
	near->bulk_known = 0;
	near->bulk_unknown = 0;
	near->unanswered = 0;
	return run_orders(run);
}

enum outcome
run_offset(struct run *run, struct offset *offset, unsigned int exchanges)
{
	const struct order order = {.kind = ORDER_CLOCK};
	uint64_t shortest_ns = UINT64_MAX;
	uint64_t spent_ns = 0;
	unsigned int i;

	for (i = 0; i < exchanges && spent_ns < OFFSET_NS_MAX; i++) {
		struct reply_clock far = {0, 0};
		uint64_t sent_ns = nhn_clock_ns(run->clock, nhn_clock_now());
		enum outcome outcome =
			run->calls->order(run->way, &run->near, &order, &far, sizeof(far));
		uint64_t received_ns = nhn_clock_ns(run->clock, nhn_clock_now());
		uint64_t away_ns = received_ns - sent_ns - (far.sent_ns - far.received_ns);

		if (outcome != OUTCOME_OK)
			return outcome;
		spent_ns += received_ns - sent_ns;
		if (away_ns >= shortest_ns)
			continue;
		shortest_ns = away_ns;
		offset->known = true;
		offset->when_ns = received_ns;
		/* Half the way out and half the way back: it may be all of either. */
		offset->error_ns = away_ns / 2 + 1;
		offset->offset_ns = (int64_t)(far.received_ns - sent_ns) / 2 +
				    (int64_t)(far.sent_ns - received_ns) / 2;
	}
	run->near.offset_ns = offset->offset_ns;
	return OUTCOME_OK;
}

/** One part of a far histogram. @param next where the next begins; 0: it was the last */
static enum outcome
fetch_part(struct run *run, uint32_t what, uint64_t *next, struct nhn_histogram *h)
{
	const struct order order = {.kind = ORDER_FETCH, .what = what, .count = *next};
	union {
		uint8_t bytes[REPLY_BYTES_MAX];
		struct {
			struct reply_fetch head;
			struct fetch_pair pairs[];
		};
	} part;
	enum outcome outcome;
	uint32_t i;

	memset(&part, 0, sizeof(part.head));
	outcome = run->calls->order(run->way, &run->near, &order, part.bytes,
				    sizeof(part) - sizeof(struct reply));
	if (outcome != OUTCOME_OK)
		return outcome;
	h->total = part.head.total;
	h->below = part.head.below;
	h->above = part.head.above;
	h->min_ns = part.head.min_ns;
	h->max_ns = part.head.max_ns;
	/* The peer's numbers: an index outside would be a write outside. */
	for (i = 0; i < part.head.pairs && i < REPLY_BYTES_MAX / sizeof(part.pairs[0]) - 3; i++)
		if (part.pairs[i].index < NHN_HISTOGRAM_COUNTS)
			h->counts[part.pairs[i].index] = part.pairs[i].count;
	if (part.head.next >= NHN_HISTOGRAM_COUNTS ||
	    (part.head.next != 0 && part.head.next <= *next))
		return OUTCOME_REFUSED;
	*next = part.head.next;
	return OUTCOME_OK;
}

/** Into a scratch first: the prompt may look at the result meanwhile. */
static void
fetch(struct run *run, uint32_t what, struct nhn_histogram *h)
{
	struct nhn_histogram *scratch = &run->result->before;
	uint64_t next = 0;

	nhn_histogram_init(scratch);
	do {
		if (fetch_part(run, what, &next, scratch) != OUTCOME_OK)
			return;
	} while (next != 0);
	pthread_mutex_lock(run->lock);
	*h = *scratch;
	pthread_mutex_unlock(run->lock);
}

/** As it counted itself. */
static void
far_take(struct run *run)
{
	const struct order order = {.kind = ORDER_COUNTS};
	struct result *result = run->result;
	struct reply_counts far;

	if (run->calls->order(run->way, &run->near, &order, &far, sizeof(far)) != OUTCOME_OK)
		return;
	pthread_mutex_lock(run->lock);
	result->counts.far = far;
	result->counts.far_known = true;
	if (far.bulk > far.trains && far.active_ns != 0)
		result->far_rate = (double)(far.bulk - far.trains) * 1e9 / (double)far.active_ns;
	pthread_mutex_unlock(run->lock);
	fetch(run, FAR_FLOOR, &result->far_floor);
	if (run->engine->uses & USES_WORK)
		fetch(run, FAR_WORK, &result->far_work);
	run_offset(run, &result->offset_end, CLOCK_EXCHANGES);
}

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/** DATA that never came, of both directions. */
static uint64_t
bulk_lost(const struct run *run)
{
	const struct result *result = run->result;
	const struct near *near = &run->near;
	const struct reply_counts *far = &result->counts.far;

	/* A far end that was restarted does not know what its forerunner had. */
	if (!result->counts.far_known || result->restarts != 0)
		return near->bulk.lost + near->bulk_unknown;
	return near->bulk.lost + less(near->bulk_sent, far->bulk + far->corrupt);
}

void
run_counts(struct run *run)
{
	const sig_atomic_t stopped = *run->stopped;
	struct result *result = run->result;
	const struct near *near = &run->near;
	struct reply_counts *counts = &result->counts.near;

	/* ^C ended the rounds; what both ends counted is still of interest. A second one ends
	 * the program. Of a link that is gone there is no answer. */
	if (stopped)
		*run->stopped = 0;
	if (!way_down(run->way) &&
	    (result->outcome == OUTCOME_OK || result->outcome == OUTCOME_STOPPED))
		far_take(run);
	if (stopped)
		*run->stopped = stopped;
	pthread_mutex_lock(run->lock);
	counts->sent = near->sent + near->bulk_sent;
	counts->received = near->answers.received + near->bulk.received;
	counts->bulk = near->bulk.received;
	counts->duplicates = near->answers.duplicates + near->bulk.duplicates;
	counts->misordered = near->answers.misordered + near->bulk.misordered;
	counts->corrupt = near->answers.corrupt + near->bulk.corrupt;
	counts->lost =
		less(near->sent, near->answers.received + near->answers.corrupt) + bulk_lost(run);
	pthread_mutex_unlock(run->lock);
}
