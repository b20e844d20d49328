/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule that doc/guides/causes.rst defends. What is exact comes first; what may be
 * chance comes last, and only where it is of a size that fits.
 */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <nhn_cause.h>

#include "cause_internal.h"

#define NS_PER_S 1e9

/* What two switches cost that is not counted as waiting, caches included. */
#define SWITCH_NS UINT64_C(10000)
/* Clearing a page of 2 MiB takes some 0.2 ms, finding one more. */
#define MINOR_FAULT_NS UINT64_C(1000000)
/* An interrupt that is not of a storm, with the softirqs behind it ... */
#define INTERRUPT_NS UINT64_C(200000)
/* ... which the kernel ends after 2 ms, leaving the rest to a thread. */
#define INTERRUPTS_NS UINT64_C(2000000)
/* An interrupt of a storm: it does next to nothing. */
#define STORM_INTERRUPT_NS UINT64_C(5000)
/* The tick: timekeeping, scheduler, timers that are due. */
#define REGULAR_NS UINT64_C(100000)

/* Rates are known once so much time without large gaps was seen. */
#define LEARNED_NS UINT64_C(100000000)
/* Until then: the fastest tick that Linux can be built with. */
#define NOMINAL_PER_S 1000.0

/* One end's counts and what they are held against. */
struct evidence {
	uint64_t gap_ns;
	uint64_t missed_ns;
	uint64_t gaps_ns;
	uint64_t full_ns; /* window of steal and lines */
	bool sleeps;
	const struct nhn_look_delta *delta;
	const struct nhn_usual *usual;
};

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t
usual_count(const struct nhn_usual *usual, const char *name)
{
	for (uint32_t i = 0; i < usual->lines; i++) {
		if (strcmp(usual->line[i].name, name) == 0)
			return usual->line[i].count;
	}
	return 0;
}

static uint64_t
delta_count(const struct nhn_look_delta *delta, const char *name)
{
	for (uint32_t i = 0; i < delta->lines; i++) {
		if (strcmp(delta->line[i].name, name) == 0)
			return delta->line[i].count;
	}
	return 0;
}

/*
 * Since Linux 4.9 x86 counts a TLB shootdown as a function call too: without this each
 * shootdown were called a function call.
 */
static uint64_t
own_count(const struct nhn_look_delta *delta, const struct nhn_interrupt *line)
{
	return strcmp(line->name, "CAL") == 0 ? less(line->count, delta_count(delta, "TLB"))
					      : line->count;
}

/*
 * How often a line is expected in the window. One more than was counted: a line that was
 * never seen in so much time may still come once in as much.
 */
static double
expected(const struct evidence *e, const char *name)
{
	uint64_t count;

	if (e->usual->quiet_ns < LEARNED_NS)
		return NOMINAL_PER_S * (double)e->full_ns / NS_PER_S;
	count = usual_count(e->usual, name);
	if (strcmp(name, "CAL") == 0)
		count = less(count, usual_count(e->usual, "TLB"));
	return (double)(count + 1) * (double)e->full_ns / (double)e->usual->quiet_ns;
}

/* The line that came most often beyond twice what is expected and twice its scatter. */
static const struct nhn_interrupt *
most_excess(const struct evidence *e, double *excess)
{
	const struct nhn_interrupt *most = NULL;

	*excess = 0;
	for (uint32_t i = 0; i < e->delta->lines; i++) {
		const struct nhn_interrupt *line = &e->delta->line[i];
		const double usually = expected(e, line->name);
		const double count = (double)own_count(e->delta, line);

		if (count > 2 * usually + 2 * sqrt(usually) && count - usually > *excess) {
			*excess = count - usually;
			most = line;
		}
	}
	return most;
}

/* The line that came most often. */
static const struct nhn_interrupt *
most_often(const struct evidence *e)
{
	const struct nhn_interrupt *most = NULL;
	uint64_t count = 0;

	for (uint32_t i = 0; i < e->delta->lines; i++) {
		const struct nhn_interrupt *line = &e->delta->line[i];

		if (own_count(e->delta, line) > count) {
			count = own_count(e->delta, line);
			most = line;
		}
	}
	return most;
}

/* A storm makes small gaps too: rounds of it must not become what is usual. */
static bool
is_usual(const struct nhn_usual *usual, const struct nhn_look_delta *round)
{
	const struct evidence e = {.full_ns = round->window_ns, .delta = round, .usual = usual};
	double excess;

	return most_excess(&e, &excess) == NULL;
}

void
nhn_usual_learn(struct nhn_usual *usual, const struct nhn_look_delta *round)
{
	if ((round->sees & NHN_SEES_INTERRUPTS) == 0 || !is_usual(usual, round))
		return;
	usual->quiet_ns += round->window_ns;
	usual->steal_ns += round->steal_ns;
	for (uint32_t i = 0; i < round->lines; i++) {
		uint32_t at = 0;

		while (at < usual->lines && strcmp(usual->line[at].name, round->line[i].name) != 0)
			at++;
		if (at == NHN_USUAL_LINES)
			continue;
		if (at == usual->lines) {
			memcpy(usual->line[at].name, round->line[i].name,
			       sizeof(usual->line[at].name));
			usual->line[at].count = 0;
			usual->lines++;
		}
		usual->line[at].count += round->line[i].count;
	}
}

/*
 * Others ran, and waiting for them fills half of the gap: two halves cannot be two
 * causes' alone. What smaller gaps before this one may have waited is taken off.
 */
static bool
switch_fits(const struct evidence *e)
{
	const struct nhn_look_delta *d = e->delta;
	const uint64_t waited_ns = less(d->run_delay_ns, e->missed_ns);

	if ((d->sees & NHN_SEES_DELAY) == 0)
		return d->involuntary > 0;
	if ((d->sees & NHN_SEES_USAGE) == 0)
		return waited_ns >= e->gap_ns - e->gap_ns / 2;
	return d->involuntary > 0 && waited_ns + SWITCH_NS >= e->gap_ns - e->gap_ns / 2;
}

/*
 * In a long window of a contended core short waits add up to more than any gap. A stop is
 * rare where nothing sleeps: it is the better name when the waits were a tenth on average.
 */
static bool
stop_fits_better(const struct evidence *e)
{
	const struct nhn_look_delta *d = e->delta;

	return d->voluntary > 0 && !e->sleeps && d->involuntary > 1 &&
	       d->run_delay_ns / d->involuntary < e->gap_ns / 10;
}

static bool
minor_fault_fits(const struct evidence *e)
{
	return e->delta->minor_faults > 0 && e->gap_ns / MINOR_FAULT_NS < e->delta->minor_faults;
}

/*
 * Steal is told in steps, of 10 ms as a rule: a step may hold many short ones that have
 * nothing to do with the gap, so all gaps of the window must be of a step's size together.
 */
static bool
steal_fits(const struct evidence *e)
{
	const uint64_t tick_ns = e->delta->tick_ns;
	uint64_t usual_ns = 0, excess_ns;

	if (e->usual->quiet_ns >= LEARNED_NS)
		usual_ns = (uint64_t)((double)e->usual->steal_ns * (double)e->full_ns /
				      (double)e->usual->quiet_ns);
	excess_ns = less(e->delta->steal_ns, usual_ns);
	return excess_ns > 0 && e->delta->steal_ns >= tick_ns && e->gaps_ns >= tick_ns / 2 &&
	       excess_ns + tick_ns >= e->gaps_ns / 2;
}

static bool
interrupts_fit(const struct evidence *e, double excess)
{
	if (e->gap_ns <= INTERRUPTS_NS)
		return (double)(e->gap_ns / INTERRUPT_NS) < excess;
	/* Only of a line known to be quiet otherwise. */
	return e->usual->quiet_ns >= LEARNED_NS &&
	       (double)(e->gap_ns / STORM_INTERRUPT_NS) < excess;
}

static void
name_line(const struct evidence *e, const struct nhn_interrupt *line, struct nhn_gap *gap)
{
	gap->cause = NHN_CAUSE_INTERRUPT;
	nhn_line_text(line, own_count(e->delta, line), e->full_ns, expected(e, line->name),
		      gap->detail, sizeof(gap->detail));
}

static bool
judge_thread(const struct evidence *e, struct nhn_gap *gap)
{
	const struct nhn_look_delta *d = e->delta;

	if (switch_fits(e) && !stop_fits_better(e)) {
		gap->cause = NHN_CAUSE_SWITCH;
		nhn_waited_text(d, gap->detail, sizeof(gap->detail));
		return true;
	}
	if (d->major_faults > 0)
		gap->cause = NHN_CAUSE_MAJOR_FAULT;
	else if (minor_fault_fits(e))
		gap->cause = NHN_CAUSE_MINOR_FAULT;
	else if (d->voluntary > 0 && !e->sleeps)
		gap->cause = NHN_CAUSE_STOP;
	else
		return false;
	nhn_seen_text(d, gap->detail, sizeof(gap->detail));
	return true;
}

static bool
judge_cpu(const struct evidence *e, struct nhn_gap *gap)
{
	const struct nhn_interrupt *line;
	double excess;

	if (steal_fits(e)) {
		gap->cause = NHN_CAUSE_STEAL;
		nhn_seen_text(e->delta, gap->detail, sizeof(gap->detail));
		return true;
	}
	line = most_excess(e, &excess);
	if (line == NULL || !interrupts_fit(e, excess))
		return false;
	name_line(e, line, gap);
	return true;
}

/* They come all the time, so it may be chance that one came here. */
static bool
judge_regular(const struct evidence *e, struct nhn_gap *gap)
{
	const struct nhn_interrupt *line = most_often(e);

	if (e->gap_ns > REGULAR_NS || line == NULL)
		return false;
	name_line(e, line, gap);
	return true;
}

static void
tell_unknown(const struct evidence *near, struct nhn_gap *gap)
{
	char missing[64];
	const bool any = nhn_seen_text(near->delta, gap->detail, sizeof(gap->detail));
	size_t length = strlen(gap->detail);

	gap->cause = NHN_CAUSE_UNKNOWN;
	if (!any)
		length = (size_t)snprintf(gap->detail, sizeof(gap->detail), "no sign of any");
	if (nhn_missing_text(near->delta->sees, missing, sizeof(missing)) > 0)
		snprintf(gap->detail + length, sizeof(gap->detail) - length, "; cannot see %s",
			 missing);
}

void
nhn_gap_judge(const struct nhn_gap_seen *seen, const struct nhn_usual *usual,
	      const struct nhn_usual *far_usual, struct nhn_gap *gap)
{
	const struct evidence near = {
		.gap_ns = seen->gap_ns,
		.missed_ns = seen->missed_ns,
		.gaps_ns = seen->gaps_ns,
		.full_ns = seen->full_ns,
		.sleeps = seen->sleeps,
		.delta = &seen->near,
		.usual = usual,
	};
	const struct evidence far = {
		.gap_ns = seen->gap_ns,
		.gaps_ns = seen->gap_ns,
		.full_ns = seen->far.window_ns,
		.sleeps = seen->far_sleeps,
		.delta = &seen->far,
		.usual = far_usual,
	};

	memset(gap, 0, sizeof(*gap));
	gap->when_ns = seen->when_ns;
	gap->gap_ns = seen->gap_ns;
	if (judge_thread(&near, gap) || judge_cpu(&near, gap))
		return;
	gap->far = seen->far_known;
	if (gap->far && (judge_thread(&far, gap) || judge_cpu(&far, gap)))
		return;
	gap->far = false;
	if (judge_regular(&near, gap))
		return;
	gap->far = seen->far_known;
	if (gap->far && judge_regular(&far, gap))
		return;
	gap->far = false;
	tell_unknown(&near, gap);
}

void
nhn_gap_take(const struct nhn_gap *gap, struct nhn_look_delta *far)
{
	switch (gap->cause) {
	case NHN_CAUSE_SWITCH:
		far->involuntary = less(far->involuntary, 1);
		far->run_delay_ns = less(far->run_delay_ns, gap->gap_ns);
		break;
	case NHN_CAUSE_STOP:
		far->voluntary = less(far->voluntary, 1);
		break;
	case NHN_CAUSE_MAJOR_FAULT:
		far->major_faults = less(far->major_faults, 1);
		break;
	case NHN_CAUSE_MINOR_FAULT:
		far->minor_faults = less(far->minor_faults, 1 + gap->gap_ns / MINOR_FAULT_NS);
		break;
	case NHN_CAUSE_STEAL:
		far->steal_ns = less(far->steal_ns, gap->gap_ns);
		break;
	default:
		break;
	}
}
