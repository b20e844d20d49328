/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of a result by their names, and what a reader must know before any of them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include <nhn_percentiles.h>

#include "engine.h"
#include "result.h"

/** One message of so many may be sent late, and nothing is said. */
#define LATE_SHARE 1000

static int
sum_lost(const struct result *result, double *value)
{
	*value = (double)result->counts.near.lost;
	return 0;
}

static int
sum_duplicates(const struct result *result, double *value)
{
	*value = (double)(result->counts.near.duplicates + result->counts.far.duplicates);
	return 0;
}

static int
sum_misordered(const struct result *result, double *value)
{
	*value = (double)(result->counts.near.misordered + result->counts.far.misordered);
	return 0;
}

static int
sum_corrupt(const struct result *result, double *value)
{
	*value = (double)(result->counts.near.corrupt + result->counts.far.corrupt);
	return 0;
}

static int
sample_count(const struct result *result, double *value)
{
	*value = (double)result->latency.total;
	return 0;
}

static int
out_of_range(const struct result *result, double *value)
{
	*value = (double)(result->latency.below + result->latency.above);
	return 0;
}

static int
restart_count(const struct result *result, double *value)
{
	*value = (double)result->restarts;
	return 0;
}

static int
late_count(const struct result *result, double *value)
{
	*value = (double)result->late;
	return 0;
}

static int
message_rate(const struct result *result, double *value)
{
	*value = result->rate;
	return result->rates.count != 0 ? 0 : -ERANGE;
}

static int
limit_ratio(const struct result *result, double *value)
{
	*value = series_spread(&result->ratios).median;
	return result->ratios.count != 0 ? 0 : -ERANGE;
}

static int
smallest(const struct result *result, double *value)
{
	*value = (double)result->latency.min_ns;
	return result->latency.total != 0 ? 0 : -ERANGE;
}

static int
largest(const struct result *result, double *value)
{
	*value = (double)result->latency.max_ns;
	return result->latency.total != 0 ? 0 : -ERANGE;
}

static const struct figure {
	const char *name;
	bool is_time; /**< in ns */
	int (*get)(const struct result *result, double *value);
} figures[] = {
	{"min", true, smallest},
	{"max", true, largest},
	{"lost", false, sum_lost},
	{"duplicates", false, sum_duplicates},
	{"misordered", false, sum_misordered},
	{"corrupt", false, sum_corrupt},
	{"samples", false, sample_count},
	{"out-of-range", false, out_of_range},
	{"restarts", false, restart_count},
	{"late", false, late_count},
	{"rate", false, message_rate},
	{"ratio", false, limit_ratio},
};

static const struct figure *
figure_find(const char *name)
{
	size_t i;

	for (i = 0; i < RTE_DIM(figures); i++)
		if (strcmp(figures[i].name, name) == 0)
			return &figures[i];
	return NULL;
}

int
result_metric_check(const char *name, bool *is_time)
{
	const struct figure *figure = figure_find(name);

	*is_time = figure == NULL || figure->is_time;
	return figure != NULL || nhn_percentile_find(name) != NULL ? 0 : -ENOENT;
}

int
result_metric(const struct result *result, const char *name, double *value)
{
	const struct nhn_percentile *percentile = nhn_percentile_find(name);
	const struct figure *figure = figure_find(name);
	uint64_t ns;
	int ret;

	if (figure != NULL)
		return figure->get(result, value);
	if (percentile == NULL)
		return -ENOENT;
	ret = nhn_histogram_percentile(&result->latency, percentile->num, percentile->den, &ns);
	if (ret == 0)
		*value = (double)ns;
	return ret;
}

/** Whether a threshold is met. One that the run cannot judge is not. */
static bool
expect_met(const struct result *result, const struct expect *expect)
{
	double value;

	if (result_metric(result, expect->metric, &value) != 0)
		return false;
	return expect->below ? value < expect->value : value > expect->value;
}

uint32_t
result_expects_missed(const struct result *result)
{
	uint32_t missed = 0;
	uint32_t i;

	for (i = 0; i < result->settings.expects; i++)
		missed += !expect_met(result, &result->settings.expect[i]);
	return missed;
}

/* Warnings, the gravest first. Each prints its sentence, or returns false. */

static bool
warn_cut_off(const struct result *result, char *text, size_t bytes)
{
	switch (result->outcome) {
	case OUTCOME_STOPPED:
		snprintf(text, bytes, "STOPPED: these are the results until then.");
		return true;
	case OUTCOME_GONE:
		snprintf(text, bytes,
			 "CUT OFF: the link was %s or the far end silent; these are the results"
			 " until then.",
			 result->link_state);
		return true;
	case OUTCOME_LOST:
		snprintf(text, bytes,
			 "CUT OFF: the link's memory was lost; these are the results until then.");
		return true;
	case OUTCOME_REFUSED:
		snprintf(text, bytes, "REFUSED: the far end would not do this run.");
		return true;
	case OUTCOME_RESTART:
	case OUTCOME_VOID:
		snprintf(
			text, bytes,
			"CUT OFF: the far end was restarted, or messages were lost, again and again"
			" before the first round.");
		return true;
	default:
		return false;
	}
}

static bool
warn_lost(const struct result *result, char *text, size_t bytes)
{
	double lost, duplicates, misordered, corrupt;

	sum_lost(result, &lost);
	sum_duplicates(result, &duplicates);
	sum_misordered(result, &misordered);
	sum_corrupt(result, &corrupt);
	if (lost + duplicates + misordered + corrupt <= 0)
		return false;
	snprintf(text, bytes,
		 "FAILED: of %" PRIu64
		 " messages sent, lost %.0f, duplicates %.0f, misordered %.0f, corrupt %.0f.",
		 result->counts.near.sent, lost, duplicates, misordered, corrupt);
	return true;
}

static bool
warn_rate(const struct result *result, char *text, size_t bytes)
{
	if ((result->settings.engine->uses & USES_RATE) == 0 || result->rate_held ||
	    result->rounds_kept == 0)
		return false;
	snprintf(text, bytes,
		 "RATE NOT HELD: %.1f messages/s of %" PRIu64 " asked for (%+.3f %%), %" PRIu64
		 " sent late, at most by %.3f us.",
		 result->rate, result->settings.rate,
		 (result->rate / (double)result->settings.rate - 1) * 100, result->late,
		 (double)result->late_most_ns / 1e3);
	return true;
}

/** Each was counted with its whole delay: the load was not as even as it was meant. */
static bool
warn_late(const struct result *result, char *text, size_t bytes)
{
	if (result->late <= result->messages / LATE_SHARE || !result->rate_held)
		return false;
	snprintf(text, bytes,
		 "SENT LATE: %" PRIu64 " of %" PRIu64
		 " messages, more than a period after their time, at most by %.3f us.",
		 result->late, result->messages, (double)result->late_most_ns / 1e3);
	return true;
}

static bool
warn_expects(const struct result *result, char *text, size_t bytes)
{
	uint32_t missed = result_expects_missed(result);

	if (missed == 0)
		return false;
	snprintf(text, bytes, "THRESHOLD MISSED: %" PRIu32 " of %" PRIu32 ", named below.", missed,
		 result->settings.expects);
	return true;
}

static bool
warn_unsteady(const struct result *result, char *text, size_t bytes)
{
	if (result->outcome != OUTCOME_OK || result->complete)
		return false;
	snprintf(text, bytes,
		 "WARNING: %" PRIu32 " rounds were run and only %" PRIu32
		 " had a steady limit: this machine is too noisy for this figure.",
		 result->rounds_kept + result->rounds_dropped + result->rounds_void,
		 result->rounds_kept);
	return true;
}

static bool
warn_range(const struct result *result, char *text, size_t bytes)
{
	if (result->latency.below + result->latency.above == 0)
		return false;
	snprintf(text, bytes,
		 "WARNING: samples out of range: %" PRIu64 " below 1 ns, %" PRIu64
		 " above 100 s; they take part in the ranks.",
		 result->latency.below, result->latency.above);
	return true;
}

static bool
warn_restarts(const struct result *result, char *text, size_t bytes)
{
	if (result->restarts == 0)
		return false;
	snprintf(text, bytes, "WARNING: the far end was restarted %" PRIu64 " times.",
		 result->restarts);
	return true;
}

bool
result_warning(const struct result *result, unsigned int index, char *text, size_t bytes)
{
	static bool (*const warnings[])(const struct result *, char *, size_t) = {
		warn_cut_off, warn_lost,     warn_rate,	 warn_late,
		warn_expects, warn_unsteady, warn_range, warn_restarts,
	};
	size_t i;

	for (i = 0; i < RTE_DIM(warnings); i++)
		if (warnings[i](result, text, bytes) && index-- == 0)
			return true;
	return false;
}
