/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "result.h"

/** The shortest slice: rounds are longer than the next power of two or so. */
#define SLICE_NS_MIN UINT64_C(1000000)

struct result *
result_new(void)
{
	return calloc(1, sizeof(struct result));
}

void
result_free(struct result *result)
{
	free(result);
}

/** All of the memory is written, so that the rounds meet no page fault. */
void
result_begin(struct result *result, const struct settings *settings, const char *via)
{
	struct nhn_histogram *const histograms[] = {
		&result->latency,   &result->extra,	  &result->limit,  &result->floor,
		&result->far_floor, &result->far_work,	  &result->there,  &result->back,
		&result->round,	    &result->round_extra, &result->before, &result->after,
	};
	size_t i;

	memset(result, 0, sizeof(*result));
	result->settings = *settings;
	strncpy(result->via, via, sizeof(result->via) - 1);
	result->link_state = "none";
	result->slice_ns = SLICE_NS_MIN;
	result->ratios.every = 1;
	result->rates.every = 1;
	result->back_rates.every = 1;
	clock_gettime(CLOCK_REALTIME, &result->begun);
	for (i = 0; i < sizeof(histograms) / sizeof(histograms[0]); i++)
		nhn_histogram_init(histograms[i]);
	for (i = 0; i < SLICES; i++)
		nhn_histogram_init(&result->slice[i].latency);
}

static void
slice_add(struct slice *to, const struct slice *from)
{
	to->end_ns = from->end_ns;
	to->messages += from->messages;
	nhn_histogram_add(&to->latency, &from->latency);
}

/** Neighbours become one, so that there is room for as many again. */
static void
slices_halve(struct result *result)
{
	uint32_t i;

	for (i = 0; i < SLICES / 2; i++) {
		struct slice *to = &result->slice[i];

		if (i != 0)
			*to = result->slice[2 * i];
		slice_add(to, &result->slice[2 * i + 1]);
	}
	for (; i < SLICES; i++)
		nhn_histogram_init(&result->slice[i].latency);
	result->slices = SLICES / 2;
	result->slice_ns *= 2;
}

static struct slice *
slice_for(struct result *result, uint64_t begin_ns, uint64_t end_ns)
{
	struct slice *slice = &result->slice[result->slices - (result->slices != 0)];

	if (result->slices != 0 && end_ns - slice->begin_ns <= result->slice_ns)
		return slice;
	if (result->slices == SLICES)
		slices_halve(result);
	slice = &result->slice[result->slices++];
	slice->begin_ns = begin_ns;
	slice->messages = 0;
	return slice;
}

void
result_keep(struct result *result, uint64_t begin_ns, uint64_t end_ns, uint64_t messages)
{
	struct slice *slice = slice_for(result, begin_ns, end_ns);

	slice->end_ns = end_ns;
	slice->messages += messages;
	nhn_histogram_add(&slice->latency, &result->round);
	nhn_histogram_add(&result->latency, &result->round);
	nhn_histogram_add(&result->extra, &result->round_extra);
	result->messages += messages;
	result->measured_ns += end_ns - begin_ns;
	result->rounds_kept++;
}

/** When all places are taken, every second value goes, and from then on every second round. */
void
series_add(struct series *series, double value)
{
	uint32_t i;

	if (++series->skipped < series->every)
		return;
	series->skipped = 0;
	if (series->count == SERIES_MAX) {
		for (i = 0; i < SERIES_MAX / 2; i++)
			series->values[i] = series->values[2 * i];
		series->count = SERIES_MAX / 2;
		series->every *= 2;
	}
	series->values[series->count++] = value;
}

static int
value_compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

/** Quartiles by the rank rule: the smallest value with a quarter at or below it, ... */
struct spread
series_spread(const struct series *series)
{
	struct spread spread = {.median = 0};
	double sorted[SERIES_MAX];

	if (series->count == 0)
		return spread;
	memcpy(sorted, series->values, series->count * sizeof(*sorted));
	qsort(sorted, series->count, sizeof(*sorted), value_compare);
	spread.min = sorted[0];
	spread.quarter = sorted[(series->count + 3) / 4 - 1];
	spread.median = sorted[(2 * series->count + 3) / 4 - 1];
	spread.three_quarters = sorted[(3 * series->count + 3) / 4 - 1];
	spread.max = sorted[series->count - 1];
	return spread;
}

uint32_t
result_rate_bytes(const struct result *result)
{
	const struct settings *settings = &result->settings;

	return (settings->engine->uses & USES_BULK_SIZE) != 0 && settings->bulk_size != 0
		       ? settings->bulk_size
		       : settings->size;
}

bool
result_met(const struct result *result)
{
	const struct reply_counts *near = &result->counts.near;
	const struct reply_counts *far = &result->counts.far;

	return result->outcome == OUTCOME_OK && result->rounds_kept != 0 && near->lost == 0 &&
	       near->duplicates == 0 && near->misordered == 0 && near->corrupt == 0 &&
	       far->duplicates == 0 && far->misordered == 0 && far->corrupt == 0;
}

const char *
result_outcome(const struct result *result)
{
	switch (result->outcome) {
	case OUTCOME_STOPPED:
		return "stopped";
	case OUTCOME_GONE:
		return "link gone";
	case OUTCOME_LOST:
		return "memory lost";
	case OUTCOME_REFUSED:
		return "refused";
	case OUTCOME_RESTART:
	case OUTCOME_VOID:
		return "unsteady link";
	default:
		return result->complete ? "complete" : "unsteady limit";
	}
}
