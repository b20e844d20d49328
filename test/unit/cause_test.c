/* SPDX-License-Identifier: BSD-3-Clause */
/* What is judged is made up here; the files of /proc are of a folder made here too. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <nhn_cause.h>

#include "../../lib/measure/cause_internal.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

static struct nhn_gap_seen seen;
static struct nhn_usual usual, far_usual;
static struct nhn_gap gap;

static void
add_line(struct nhn_look_delta *delta, const char *name, uint64_t count)
{
	struct nhn_interrupt *line = &delta->line[delta->lines++];

	snprintf(line->name, sizeof(line->name), "%s", name);
	snprintf(line->what, sizeof(line->what), "what %s is", name);
	line->count = count;
}

static void
see(struct nhn_look_delta *delta, uint64_t window_ns)
{
	memset(delta, 0, sizeof(*delta));
	delta->sees = NHN_SEES_ALL;
	delta->tick_ns = 10 * MS;
	delta->window_ns = window_ns;
}

/* A gap in a round of 100 ms in which the tick alone came, after 10 s of such. */
static int
setup(void **state)
{
	struct nhn_look_delta quiet;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	see(&seen.near, 100 * MS);
	see(&seen.far, 100 * MS);
	seen.full_ns = 100 * MS;
	add_line(&seen.near, "LOC", 25);

	memset(&usual, 0, sizeof(usual));
	memset(&far_usual, 0, sizeof(far_usual));
	see(&quiet, 100 * MS);
	add_line(&quiet, "LOC", 25);
	for (int i = 0; i < 100; i++) {
		nhn_usual_learn(&usual, &quiet);
		nhn_usual_learn(&far_usual, &quiet);
	}
	return 0;
}

static void
assert_named(uint64_t gap_ns, enum nhn_cause cause, const char *detail)
{
	seen.gap_ns = gap_ns;
	if (seen.gaps_ns < gap_ns)
		seen.gaps_ns = gap_ns;
	nhn_gap_judge(&seen, &usual, &far_usual, &gap);
	assert_string_equal(nhn_cause_name(gap.cause), nhn_cause_name(cause));
	assert_string_equal(gap.detail, detail);
	assert_false(gap.far);
}

static void
assert_far(uint64_t gap_ns, enum nhn_cause cause)
{
	seen.gap_ns = seen.gaps_ns = gap_ns;
	seen.far_known = true;
	nhn_gap_judge(&seen, &usual, &far_usual, &gap);
	assert_string_equal(nhn_cause_name(gap.cause), nhn_cause_name(cause));
	assert_true(gap.far);
}

static void
test_switch(void **state)
{
	(void)state;
	seen.near.involuntary = 1;
	seen.near.run_delay_ns = 4 * MS;
	assert_named(4 * MS + 10 * US, NHN_CAUSE_SWITCH, "waited 4.000 ms for the CPU");
	assert_named(8 * MS, NHN_CAUSE_SWITCH, "waited 4.000 ms for the CPU");
	assert_named(9 * MS, NHN_CAUSE_UNKNOWN, "1 involuntary switch, waited 4.000 ms");
	/* A short one: most of it is the switch itself. */
	seen.near.run_delay_ns = 3 * US;
	assert_named(20 * US, NHN_CAUSE_SWITCH, "waited 3.000 us for the CPU");
	/* Smaller gaps before it waited, too. */
	seen.near.run_delay_ns = 4 * MS;
	seen.missed_ns = 3 * MS;
	assert_named(4 * MS, NHN_CAUSE_UNKNOWN, "1 involuntary switch, waited 4.000 ms");
}

/* The time that was waited weighs more than a fault and a sleep that were only counted. */
static void
test_switch_beside_others(void **state)
{
	(void)state;
	seen.near.involuntary = 2;
	seen.near.voluntary = 1;
	seen.near.minor_faults = 1;
	seen.near.major_faults = 1;
	seen.near.steal_ns = 50 * MS;
	seen.near.run_delay_ns = 30 * MS;
	assert_named(50 * MS, NHN_CAUSE_SWITCH, "waited 30.000 ms for the CPU, 2 switches");
	seen.near.run_delay_ns = 10 * MS;
	assert_named(50 * MS, NHN_CAUSE_MAJOR_FAULT,
		     "1 major fault, 1 minor fault, 2 involuntary switches, 1 voluntary switch, "
		     "waited 10.000 ms, ste");
	seen.near.major_faults = 0;
	assert_named(50 * MS, NHN_CAUSE_STOP,
		     "1 minor fault, 2 involuntary switches, 1 voluntary switch, "
		     "waited 10.000 ms, steal 50.000 ms");
}

static void
test_faults(void **state)
{
	(void)state;
	seen.near.minor_faults = 1;
	assert_named(999 * US, NHN_CAUSE_MINOR_FAULT, "1 minor fault");
	assert_named(3 * MS, NHN_CAUSE_UNKNOWN, "1 minor fault");
	seen.near.minor_faults = 300;
	assert_named(3 * MS, NHN_CAUSE_MINOR_FAULT, "300 minor faults");
	/* Reading a page sleeps. */
	seen.near.major_faults = 1;
	seen.near.voluntary = 1;
	assert_named(300 * MS, NHN_CAUSE_MAJOR_FAULT,
		     "1 major fault, 300 minor faults, 1 voluntary switch");
}

static void
test_stop(void **state)
{
	(void)state;
	seen.near.voluntary = 1;
	seen.near.run_delay_ns = 20 * US;
	assert_named(50 * MS, NHN_CAUSE_STOP, "1 voluntary switch, waited 20.000 us");
	/* It was stopped, then had to wait for another thread. */
	seen.near.run_delay_ns = 40 * MS;
	assert_named(50 * MS, NHN_CAUSE_STOP, "1 voluntary switch, waited 40.000 ms");
	/* A loop that sleeps by itself does that all the time. */
	seen.sleeps = true;
	assert_named(50 * MS, NHN_CAUSE_UNKNOWN, "1 voluntary switch, waited 40.000 ms");
}

/* A second of a contended far end: short waits add up, and one stop was the gap. */
static void
test_stop_among_switches(void **state)
{
	(void)state;
	seen.far.voluntary = 1;
	seen.far.involuntary = 1000;
	seen.far.run_delay_ns = 1400 * MS;
	assert_far(100 * MS, NHN_CAUSE_STOP);
	assert_far(10 * MS, NHN_CAUSE_SWITCH);
	seen.far.voluntary = 0;
	assert_far(100 * MS, NHN_CAUSE_SWITCH);
}

static void
test_steal(void **state)
{
	(void)state;
	seen.near.steal_ns = 40 * MS;
	assert_named(45 * MS, NHN_CAUSE_STEAL, "steal 40.000 ms");
	assert_named(90 * MS, NHN_CAUSE_STEAL, "steal 40.000 ms");
	assert_named(110 * MS, NHN_CAUSE_UNKNOWN, "steal 40.000 ms");
	/* One step may be full of short ones. */
	seen.gaps_ns = 0;
	seen.near.steal_ns = 10 * MS;
	assert_named(2 * MS, NHN_CAUSE_UNKNOWN, "steal 10.000 ms");
	assert_named(5 * MS, NHN_CAUSE_STEAL, "steal 10.000 ms");
	/* Many gaps of 2 ms in that window make a step together. */
	seen.gaps_ns = 12 * MS;
	assert_named(2 * MS, NHN_CAUSE_STEAL, "steal 10.000 ms");
	/* As much as always. */
	usual.steal_ns = 2 * S;
	assert_named(5 * MS, NHN_CAUSE_UNKNOWN, "steal 10.000 ms");
}

static void
test_interrupt(void **state)
{
	(void)state;
	add_line(&seen.near, "42", 1);
	assert_named(150 * US, NHN_CAUSE_INTERRUPT, "42 what 42 is, 1 in 100.000 ms, usually 0");
	assert_named(400 * US, NHN_CAUSE_UNKNOWN, "no sign of any");
	seen.near.line[1].count = 20;
	assert_named(1900 * US, NHN_CAUSE_INTERRUPT, "42 what 42 is, 20 in 100.000 ms, usually 0");
	/* No handlers, and no softirqs behind them, take so long. */
	assert_named(50 * MS, NHN_CAUSE_UNKNOWN, "no sign of any");
	/* A storm does. */
	seen.near.line[1].count = 20000;
	assert_named(50 * MS, NHN_CAUSE_INTERRUPT, "42 what 42 is, 20000 in 100.000 ms, usually 0");
	/* The line that came most beyond its rate, wherever it stands. */
	add_line(&seen.near, "RES", 20001);
	assert_named(100 * US, NHN_CAUSE_INTERRUPT,
		     "RES what RES is, 20001 in 100.000 ms, usually 0");
}

/* x86 counts a shootdown as a function call too. */
static void
test_shootdowns_are_calls(void **state)
{
	(void)state;
	add_line(&seen.near, "CAL", 5003);
	add_line(&seen.near, "TLB", 5000);
	assert_named(10 * US, NHN_CAUSE_INTERRUPT,
		     "TLB what TLB is, 5000 in 100.000 ms, usually 0");
	seen.near.line[2].count = 30;
	assert_named(10 * US, NHN_CAUSE_INTERRUPT,
		     "CAL what CAL is, 4973 in 100.000 ms, usually 0");
}

static void
test_regular_interrupt(void **state)
{
	(void)state;
	assert_named(30 * US, NHN_CAUSE_INTERRUPT, "LOC what LOC is, 25 in 100.000 ms, usually 25");
	assert_named(130 * US, NHN_CAUSE_UNKNOWN, "no sign of any");
	seen.near.line[0].count = 50;
	assert_named(130 * US, NHN_CAUSE_UNKNOWN, "no sign of any");
	seen.near.line[0].count = 90;
	assert_named(130 * US, NHN_CAUSE_INTERRUPT,
		     "LOC what LOC is, 90 in 100.000 ms, usually 25");
	seen.near.lines = 0;
	assert_named(30 * US, NHN_CAUSE_UNKNOWN, "no sign of any");
}

/* Before rates are known: up to 1000 a second may be the tick. */
static void
test_nothing_learned(void **state)
{
	(void)state;
	memset(&usual, 0, sizeof(usual));
	add_line(&seen.near, "42", 1);
	assert_named(150 * US, NHN_CAUSE_UNKNOWN, "no sign of any");
	seen.near.line[1].count = 5000;
	assert_named(150 * US, NHN_CAUSE_INTERRUPT,
		     "42 what 42 is, 5000 in 100.000 ms, usually 100");
	assert_named(3 * MS, NHN_CAUSE_UNKNOWN, "no sign of any");
}

static void
test_learning(void **state)
{
	struct nhn_look_delta storm;

	(void)state;
	assert_int_equal(usual.quiet_ns, 10 * S);
	see(&storm, 100 * MS);
	add_line(&storm, "LOC", 25);
	add_line(&storm, "TLB", 4000);
	nhn_usual_learn(&usual, &storm);
	assert_int_equal(usual.quiet_ns, 10 * S);
	storm.sees = NHN_SEES_USAGE;
	storm.lines = 1;
	nhn_usual_learn(&usual, &storm);
	assert_int_equal(usual.quiet_ns, 10 * S);

	/* More lines than are kept: no harm, and those that came first remain. */
	for (int i = 0; i < 3 * NHN_USUAL_LINES; i++) {
		char name[12];

		snprintf(name, sizeof(name), "%d", i);
		see(&storm, 20 * S);
		usual.quiet_ns = 0; /* not yet known, or each were a surprise */
		add_line(&storm, name, 1);
		nhn_usual_learn(&usual, &storm);
	}
	assert_int_equal(usual.lines, NHN_USUAL_LINES);
	assert_string_equal(usual.line[0].name, "LOC");
}

static void
test_far(void **state)
{
	(void)state;
	seen.far.involuntary = 1;
	seen.far.run_delay_ns = 5 * MS;
	assert_far(6 * MS, NHN_CAUSE_SWITCH);
	assert_string_equal(gap.detail, "waited 5.000 ms for the CPU");
	nhn_gap_take(&gap, &seen.far);
	assert_int_equal(seen.far.run_delay_ns + seen.far.involuntary, 0);

	seen.far.voluntary = 1;
	assert_far(50 * MS, NHN_CAUSE_STOP);
	seen.far_sleeps = true;
	assert_named(50 * MS, NHN_CAUSE_UNKNOWN, "no sign of any");

	seen.far.minor_faults = 1;
	/* Before the tick of this side, which may be chance. */
	assert_far(30 * US, NHN_CAUSE_MINOR_FAULT);
	/* After what this side counted. */
	seen.near.minor_faults = 1;
	assert_named(30 * US, NHN_CAUSE_MINOR_FAULT, "1 minor fault");
	seen.near.minor_faults = seen.far.minor_faults = 0;

	add_line(&seen.far, "TLB", 4000);
	assert_far(30 * US, NHN_CAUSE_INTERRUPT);
	seen.far.lines = seen.near.lines = 0;
	add_line(&seen.far, "LOC", 25);
	assert_far(30 * US, NHN_CAUSE_INTERRUPT);
	seen.far.steal_ns = 30 * MS;
	assert_far(30 * MS, NHN_CAUSE_STEAL);
	nhn_gap_take(&gap, &seen.far);
	assert_int_equal(seen.far.steal_ns, 0);
}

static void
test_missing_sources(void **state)
{
	(void)state;
	seen.near.sees = NHN_SEES_USAGE;
	seen.near.lines = 0;
	assert_named(5 * MS, NHN_CAUSE_UNKNOWN,
		     "no sign of any; cannot see waiting for the CPU, steal, interrupts");
	/* Counted, although how long is not known. */
	seen.near.involuntary = 1;
	assert_named(5 * MS, NHN_CAUSE_SWITCH, "1 switch");
	seen.near.involuntary = 0;
	seen.near.sees = NHN_SEES_DELAY;
	seen.near.run_delay_ns = 3 * MS;
	assert_named(5 * MS, NHN_CAUSE_SWITCH, "waited 3.000 ms for the CPU");
	seen.near.sees = 0;
	seen.near.run_delay_ns = 0;
	assert_named(5 * MS, NHN_CAUSE_UNKNOWN,
		     "no sign of any; cannot see switches and faults, waiting for the CPU, steal, "
		     "interrupts");
}

static void
test_text(void **state)
{
	struct nhn_gap told = {.when_ns = 3 * S + 200 * MS, .gap_ns = 1234567};
	char text[128], brief[9];
	int length;

	(void)state;
	nhn_gap_text(&told, text, sizeof(text));
	assert_string_equal(text, "1.234 ms at 3.200 s: unknown");
	told.cause = NHN_CAUSE_SWITCH;
	told.far = true;
	told.gap_ns = 999;
	strcpy(told.detail, "waited 1.200 ms for the CPU");
	length = nhn_gap_text(&told, text, sizeof(text));
	assert_string_equal(text, "999 ns at 3.200 s: far end: involuntary switch, "
				  "waited 1.200 ms for the CPU");
	assert_int_equal(nhn_gap_text(&told, brief, sizeof(brief)), length);
	assert_string_equal(brief, "999 ns a");
	assert_string_equal(nhn_cause_name(NHN_CAUSES), "unknown");
	assert_string_equal(nhn_cause_name((enum nhn_cause)77), "unknown");
}

/* Every combination of counts: a name, a text that ends, never a wrong far end. */
static void
test_random(void **state)
{
	unsigned int seed = 5;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t *counts[] = {&seen.near.voluntary,
				      &seen.near.involuntary,
				      &seen.near.minor_faults,
				      &seen.near.major_faults,
				      &seen.near.run_delay_ns,
				      &seen.near.steal_ns,
				      &seen.near.line[0].count,
				      &seen.gap_ns,
				      &seen.gaps_ns,
				      &seen.missed_ns,
				      &seen.full_ns,
				      &seen.far.involuntary,
				      &seen.far.run_delay_ns,
				      &seen.far.steal_ns};

		for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++)
			*counts[j] =
				rand_r(&seed) % 3 != 0 ? 0 : UINT64_MAX >> (rand_r(&seed) & 63);
		seen.near.sees = (uint32_t)rand_r(&seed) & NHN_SEES_ALL;
		seen.far_known = rand_r(&seed) & 1;
		nhn_gap_judge(&seen, &usual, &far_usual, &gap);
		assert_true(gap.cause < NHN_CAUSES);
		assert_non_null(memchr(gap.detail, 0, sizeof(gap.detail)));
		assert_true(gap.detail[0] != 0);
		assert_true(!gap.far || seen.far_known);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_switch, setup),
		cmocka_unit_test_setup(test_switch_beside_others, setup),
		cmocka_unit_test_setup(test_faults, setup),
		cmocka_unit_test_setup(test_stop, setup),
		cmocka_unit_test_setup(test_stop_among_switches, setup),
		cmocka_unit_test_setup(test_steal, setup),
		cmocka_unit_test_setup(test_interrupt, setup),
		cmocka_unit_test_setup(test_shootdowns_are_calls, setup),
		cmocka_unit_test_setup(test_regular_interrupt, setup),
		cmocka_unit_test_setup(test_nothing_learned, setup),
		cmocka_unit_test_setup(test_learning, setup),
		cmocka_unit_test_setup(test_far, setup),
		cmocka_unit_test_setup(test_missing_sources, setup),
		cmocka_unit_test_setup(test_text, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests_name("cause", tests, NULL, NULL);
}
