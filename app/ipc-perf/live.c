/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <nhn_percentiles.h>

#include "output.h"

#define TELL_NS UINT64_C(1000000000)
/** Characters of a terminal's line but the last, after which some begin the next one. */
#define LINE_MAX_CHARS 79

/** What is told, read under the lock at once. */
struct picture {
	double share; /**< of the run that is done, 0 to 1; below 0: not known */
	double left_s;
	double rate;
	double lost;
	uint64_t samples;
	uint64_t max_ns;
	uint64_t p50, p99, p99_99; /**< ns; 0: too few samples */
};

void
live_begin(struct live *live, bool quiet)
{
	*live = (struct live){.terminal = isatty(STDERR_FILENO) == 1, .quiet = quiet};
}

void
live_end(struct live *live)
{
	if (live->open_line)
		fputc('\n', stderr);
	live->open_line = false;
}

static uint64_t
percentile(const struct nhn_histogram *h, const char *name)
{
	const struct nhn_percentile *p = nhn_percentile_find(name);
	uint64_t ns = 0;

	nhn_histogram_percentile(h, p->num, p->den, &ns);
	return ns;
}

/** By samples or by time, whichever ends the run first. */
static double
share_done(const struct run *run, uint64_t run_ns)
{
	const struct settings *settings = run->settings;
	const struct result *result = run->result;
	double share = -1;
	double by_time;

	if (settings->samples != 0)
		share = (double)(run->engine->latency != NULL ? result->latency.total
							      : result->messages) /
			(double)settings->samples;
	if (settings->duration_ns != 0) {
		by_time = (double)run_ns / (double)settings->duration_ns;
		share = by_time > share ? by_time : share;
	}
	return share > 1 ? 1 : share;
}

static void
picture_take(struct picture *picture, const struct run *run)
{
	const uint64_t run_ns = nhn_clock_ns(run->clock, nhn_clock_now() - run->begun);
	const struct nhn_histogram *latency = &run->result->latency;

	pthread_mutex_lock(run->lock);
	*picture = (struct picture){
		.share = share_done(run, run_ns),
		.rate = run->result->rate,
		.samples = latency->total,
		.max_ns = latency->max_ns,
		.p50 = percentile(latency, "p50"),
		.p99 = percentile(latency, "p99"),
		.p99_99 = percentile(latency, "p99.99"),
	};
	result_metric(run->result, "lost", &picture->lost);
	pthread_mutex_unlock(run->lock);
	/* The run's counts are taken at its end: until then what was given up is lost. */
	if (picture->lost < (double)run->near.unanswered)
		picture->lost = (double)run->near.unanswered;
	if (picture->share > 0)
		picture->left_s = (double)run_ns * 1e-9 * (1 - picture->share) / picture->share;
}

/** A time in five characters or so: "950ns", "12.3us"; "-" for 0. */
static const char *
time_text(uint64_t ns, char *text, size_t bytes)
{
	static const struct {
		double ns;
		const char *name;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	size_t i = 0;

	if (ns == 0) {
		snprintf(text, bytes, "-");
		return text;
	}
	while ((double)ns < units[i].ns)
		i++;
	snprintf(text, bytes, ns < 1000 ? "%.0f%s" : "%.3g%s", (double)ns / units[i].ns,
		 units[i].name);
	return text;
}

/** Seconds of a week do not fit where minutes do. */
static const char *
left_text(double left_s, char *text, size_t bytes)
{
	const unsigned int s = left_s < 1e6 ? (unsigned int)left_s : 999999;

	if (s < 3600)
		snprintf(text, bytes, "%u:%02u", s / 60, s % 60);
	else
		snprintf(text, bytes, "%uh%02u", s / 3600, s / 60 % 60);
	return text;
}

static const char *
rate_text(double rate, char *text, size_t bytes)
{
	if (rate >= 1e6)
		snprintf(text, bytes, "%.4gM", rate / 1e6);
	else if (rate >= 1e3)
		snprintf(text, bytes, "%.4gk", rate / 1e3);
	else
		snprintf(text, bytes, "%.4g", rate);
	return text;
}

static int
line_print(const struct picture *picture, char *line, size_t bytes)
{
	char p50[16], p99[16], p99_99[16], max[16], rate[16], left[16], share[24] = "  - ";

	if (picture->share >= 0)
		snprintf(share, sizeof(share), "%3.0f%%", picture->share * 100);
	if (picture->share > 0)
		left_text(picture->left_s, left, sizeof(left));
	else
		snprintf(left, sizeof(left), "?");
	if (picture->samples == 0)
		return snprintf(line, bytes, "%s %s left %s/s lost %.0f", share, left,
				rate_text(picture->rate, rate, sizeof(rate)), picture->lost);
	return snprintf(line, bytes, "%s %s left %s/s p50 %s p99 %s p99.99 %s max %s lost %.0f",
			share, left, rate_text(picture->rate, rate, sizeof(rate)),
			time_text(picture->p50, p50, sizeof(p50)),
			time_text(picture->p99, p99, sizeof(p99)),
			time_text(picture->p99_99, p99_99, sizeof(p99_99)),
			time_text(picture->max_ns, max, sizeof(max)), picture->lost);
}

void
live_tell(struct live *live, const struct run *run)
{
	const uint64_t now_ns = nhn_clock_ns(run->clock, nhn_clock_now());
	struct picture picture;
	char line[160];

	if (live->quiet)
		return;
	/* The first second is not told of: many runs are over by then. */
	if (live->told_ns == 0)
		live->told_ns = now_ns;
	if (now_ns - live->told_ns < TELL_NS)
		return;
	live->told_ns = now_ns;
	picture_take(&picture, run);
	line_print(&picture, line, sizeof(line));
	if (live->terminal)
		fprintf(stderr, "\r%-*.*s", LINE_MAX_CHARS, LINE_MAX_CHARS, line);
	else
		fprintf(stderr, "%s\n", line);
	live->open_line = live->terminal;
}
