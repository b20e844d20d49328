/* SPDX-License-Identifier: BSD-3-Clause */
/* Rounds and looks, with a /proc that is made here. What is judged of them: cause_test.c. */

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

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

static char root[] = "/tmp/nahanni-gaps-XXXXXX";
static struct nhn_observer observer;
static struct nhn_gaps gaps;

static void
put_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%s", root, name);
	/* In place: what is open must see it. */
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void
put_interrupts(unsigned int tick, unsigned int other)
{
	char text[256];

	snprintf(text, sizeof(text),
		 " CPU0 CPU1\n  7: 1 %u  chip 1-edge  disk\nLOC: 5 %u Local timer interrupts\n",
		 other, tick);
	put_file("interrupts", text);
}

static void
put_steal(unsigned int ticks)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "cpu  1 2 3 4 5 6 7 99 0 0\ncpu0 1 2 3 4 5 6 7 98 0 0\ncpu1 9 9 9 9 9 9 9 %u 0 0\n"
		 "intr 1 2 3\n",
		 ticks);
	put_file("stat", text);
}

static void
put_delay(uint64_t ns)
{
	char text[64];

	snprintf(text, sizeof(text), "123456 %llu 7\n", (unsigned long long)ns);
	put_file("thread-self/schedstat", text);
}

static void
make_folder(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int
make_root(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	make_folder("/proc");
	make_folder("/proc/thread-self");
	return 0;
}

static int
remove_root(void **state)
{
	static const char *const names[] = {"/proc/thread-self/schedstat",
					    "/proc/thread-self",
					    "/proc/stat",
					    "/proc/interrupts",
					    "/proc",
					    ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, names[i]);
		remove(path);
	}
	return 0;
}

/* The machine's own switches and faults are none of this test's. */
static int
setup(void **state)
{
	(void)state;
	put_interrupts(0, 0);
	put_steal(0);
	put_delay(0);
	assert_int_equal(nhn_observer_open(&observer, 1, root), 0);
	assert_int_equal(observer.sees, NHN_SEES_ALL);
	observer.sees &= ~NHN_SEES_USAGE;
	nhn_gaps_init(&gaps, 10 * US);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	nhn_observer_close(&observer);
	return 0;
}

static void
test_look(void **state)
{
	struct nhn_look_delta delta;

	(void)state;
	put_interrupts(25, 3);
	put_steal(4);
	put_delay(5 * MS);
	nhn_observer_look(&observer, &delta);
	assert_int_equal(delta.sees, NHN_SEES_ALL & ~NHN_SEES_USAGE);
	assert_int_equal(delta.run_delay_ns, 5 * MS);
	assert_int_equal(delta.steal_ns, 4 * delta.tick_ns);
	assert_int_equal(delta.lines, 2);
	assert_string_equal(delta.line[0].name, "LOC");
	assert_int_equal(delta.line[0].count, 25);
	assert_string_equal(delta.line[1].what, "disk");
	assert_int_equal(delta.line[1].count, 3);
	assert_true(delta.window_ns > 0);

	nhn_observer_look(&observer, &delta);
	assert_int_equal(delta.run_delay_ns + delta.steal_ns + delta.lines, 0);
}

static void
test_own_counts(void **state)
{
	struct nhn_look_delta delta;
	char *pages;

	(void)state;
	nhn_observer_close(&observer);
	assert_int_equal(nhn_observer_open(&observer, 0, ""), 0);
	assert_true((observer.sees & NHN_SEES_USAGE) != 0);
	pages = aligned_alloc(4096, 1 << 20);
	assert_non_null(pages);
	memset(pages, 1, 1 << 20);
	usleep(1000);
	nhn_observer_look(&observer, &delta);
	assert_true(delta.minor_faults > 0);
	assert_true(delta.voluntary > 0);
	free(pages);
}

static void
test_missing_sources(void **state)
{
	struct nhn_look_delta delta;
	char text[80];

	(void)state;
	assert_int_equal(nhn_observer_missing(&observer, text, sizeof(text)),
			 strlen("switches and faults"));
	nhn_observer_close(&observer);
	nhn_observer_close(&observer);
	assert_int_equal(nhn_observer_open(&observer, -1, ""), -EINVAL);
	assert_int_equal(nhn_observer_open(&observer, 2, root), 0);
	assert_int_equal(observer.sees, NHN_SEES_LIGHT);
	nhn_observer_missing(&observer, text, sizeof(text));
	assert_string_equal(text, "steal, interrupts");
	nhn_observer_look(&observer, &delta);
	assert_int_equal(delta.lines + delta.steal_ns, 0);
	nhn_observer_close(&observer);

	assert_int_equal(nhn_observer_open(&observer, 0, "/nowhere"), 0);
	assert_int_equal(observer.sees, NHN_SEES_USAGE);
	nhn_observer_missing(&observer, text, sizeof(text));
	assert_string_equal(text, "waiting for the CPU, steal, interrupts");
	nhn_gaps_round_begin(&gaps, &observer);
	nhn_gaps_note(&gaps, &observer, 1, 900 * MS, true);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	assert_int_equal(gaps.count, 1);
}

/* A source that goes away, or tells nonsense: nothing is made of it. */
static void
test_odd_sources(void **state)
{
	static const char *const delays[] = {"", "12", "x y z", " ", "1 99999999999999999999999 1"};
	static const char *const stats[] = {"",
					    "\n",
					    "cpu1",
					    "cpu1 1 2 3\n",
					    "cpu1 1 2 3 4 5 6 7\n",
					    "cpu1 a b c d e f g h\n",
					    "intr 5\ncpu1 1 2 3 4 5 6 7 8\n",
					    "cpu1 1 2 3 4 5 6 7 8"};
	struct nhn_look_delta delta;

	(void)state;
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		put_delay(1);
		nhn_observer_look(&observer, &delta);
		put_file("thread-self/schedstat", delays[i]);
		nhn_observer_look(&observer, &delta);
		assert_int_equal(delta.sees & NHN_SEES_DELAY, 0);
		assert_int_equal(delta.run_delay_ns, 0);
	}
	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
		put_steal(1);
		nhn_observer_look(&observer, &delta);
		put_file("stat", stats[i]);
		nhn_observer_look(&observer, &delta);
		assert_int_equal(delta.sees & NHN_SEES_STEAL, 0);
		assert_int_equal(delta.steal_ns, 0);
	}
	put_interrupts(10, 10);
	nhn_observer_look(&observer, &delta);
	put_file("interrupts", " CPU0\nLOC: 5 Local timer interrupts\n");
	nhn_observer_look(&observer, &delta);
	assert_int_equal(delta.sees & NHN_SEES_INTERRUPTS, 0);
	assert_int_equal(delta.lines, 0);
	/* Back again: counted from there. */
	put_interrupts(10, 10);
	nhn_observer_look(&observer, &delta);
	assert_int_equal(delta.lines, 0);
}

/* Each gap has what came between the look before it and its own. */
static void
test_each_gap_its_own(void **state)
{
	(void)state;
	nhn_gaps_round_begin(&gaps, &observer);
	nhn_gaps_note(&gaps, &observer, 1 * MS, 20 * MS, false);
	put_delay(5 * MS);
	nhn_gaps_note(&gaps, &observer, 2 * MS, 6 * MS, false);
	nhn_gaps_note(&gaps, &observer, 3 * MS, 5 * MS, false);
	nhn_gaps_round_end(&gaps, &observer, NULL);

	assert_int_equal(gaps.count, 3);
	assert_int_equal(gaps.gap[0].gap_ns, 20 * MS);
	assert_int_equal(gaps.gap[0].when_ns, 1 * MS);
	assert_int_equal(gaps.gap[0].cause, NHN_CAUSE_UNKNOWN);
	assert_int_equal(gaps.gap[1].gap_ns, 6 * MS);
	assert_int_equal(gaps.gap[1].cause, NHN_CAUSE_SWITCH);
	assert_int_equal(gaps.gap[2].cause, NHN_CAUSE_UNKNOWN);
	assert_int_equal(gaps.threshold_ns, 10 * US);
}

static void
test_windows_of_full_looks(void **state)
{
	(void)state;
	nhn_gaps_round_begin(&gaps, &observer);
	gaps.full_cost_ns = 0; /* as it was preempted, perhaps: a look is due */
	put_steal(2);
	nhn_gaps_note(&gaps, &observer, 1, 20 * MS, true);
	nhn_gaps_note(&gaps, &observer, 2, 21 * MS, false);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	/* The look after the first gap was due, and found the steal; the second has none. */
	assert_int_equal(gaps.gap[1].when_ns, 1);
	assert_int_equal(gaps.gap[1].cause, NHN_CAUSE_STEAL);
	assert_int_equal(gaps.gap[0].cause, NHN_CAUSE_UNKNOWN);
}

static void
test_looks_stay_rare(void **state)
{
	uint64_t begin_ns;

	(void)state;
	nhn_gaps_round_begin(&gaps, &observer);
	begin_ns = gaps.full.counts.now_ns;
	gaps.full_cost_ns = UINT64_C(1) << 40;
	nhn_gaps_note(&gaps, &observer, 1, 20 * MS, true);
	assert_int_equal(gaps.full.counts.now_ns, begin_ns);
	gaps.full_cost_ns = 0;
	nhn_gaps_note(&gaps, &observer, 2, 20 * MS, false);
	assert_int_equal(gaps.full.counts.now_ns, begin_ns);
	nhn_gaps_note(&gaps, &observer, 3, 20 * MS, true);
	assert_true(gaps.full.counts.now_ns > begin_ns);
	assert_true(gaps.full_cost_ns > 0);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	assert_int_equal(gaps.count, 3);
}

static void
note_many(uint64_t least, uint64_t count)
{
	nhn_gaps_round_begin(&gaps, &observer);
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t gap_ns = least + (i * 7919) % count;

		if (gap_ns > gaps.threshold_ns)
			nhn_gaps_note(&gaps, &observer, gap_ns, gap_ns, false);
	}
	nhn_gaps_round_end(&gaps, &observer, NULL);
}

static void
test_threshold_rises(void **state)
{
	(void)state;
	note_many(20 * US, 10);
	assert_int_equal(gaps.count, 10);
	assert_int_equal(gaps.threshold_ns, 10 * US);
	note_many(20 * US, 10);
	assert_int_equal(gaps.count, NHN_GAPS);
	assert_int_equal(gaps.threshold_ns, 20 * US + 2);
	note_many(30 * US, 1000);
	assert_int_equal(gaps.threshold_ns, 30 * US + 1000 - NHN_GAPS);
	for (uint32_t i = 0; i < NHN_GAPS; i++) {
		assert_int_equal(gaps.gap[i].gap_ns, 30 * US + 999 - i);
		assert_int_equal(gaps.gap[i].when_ns, gaps.gap[i].gap_ns);
	}
	/* Smaller ones change nothing, even when they are noted. */
	nhn_gaps_round_begin(&gaps, &observer);
	nhn_gaps_note(&gaps, &observer, 0, 5 * US, false);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	assert_int_equal(gaps.gap[NHN_GAPS - 1].gap_ns, 30 * US + 1000 - NHN_GAPS);
}

static void
test_drop_and_outside(void **state)
{
	(void)state;
	nhn_gaps_note(&gaps, &observer, 1, MS, true);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	nhn_gaps_round_drop(&gaps);
	assert_int_equal(gaps.count, 0);

	note_many(20 * US, 5);
	nhn_gaps_round_begin(&gaps, &observer);
	for (uint64_t i = 0; i < 100; i++)
		nhn_gaps_note(&gaps, &observer, i, MS + i, false);
	assert_int_equal(gaps.threshold_ns, MS + 84);
	nhn_gaps_round_drop(&gaps);
	assert_int_equal(gaps.threshold_ns, 10 * US);
	nhn_gaps_round_begin(&gaps, &observer);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	assert_int_equal(gaps.count, 5);
}

/* Names of earlier gaps change when it is known what is usual. */
static void
test_learns_from_quiet_rounds(void **state)
{
	(void)state;
	nhn_gaps_round_begin(&gaps, &observer);
	usleep(5000);
	put_interrupts(0, 1);
	nhn_gaps_note(&gaps, &observer, 1, 150 * US, false);
	nhn_gaps_round_end(&gaps, &observer, NULL);
	assert_int_equal(gaps.gap[0].cause, NHN_CAUSE_UNKNOWN);
	for (int i = 0; i < 8; i++) {
		nhn_gaps_round_begin(&gaps, &observer);
		usleep(50000);
		nhn_gaps_round_end(&gaps, &observer, NULL);
	}
	assert_true(gaps.usual.quiet_ns >= 400 * MS);
	assert_int_equal(gaps.gap[0].cause, NHN_CAUSE_INTERRUPT);
	assert_non_null(strstr(gaps.gap[0].detail, "7 disk, 1 in "));
}

/* The far end was stopped once in the round: that is the largest gap's. */
static void
test_far_is_counted_once(void **state)
{
	struct nhn_look_delta far = {
		.sees = NHN_SEES_ALL, .tick_ns = 10 * MS, .window_ns = 100 * MS};

	(void)state;
	far.voluntary = 1;
	nhn_gaps_round_begin(&gaps, &observer);
	nhn_gaps_note(&gaps, &observer, 1, 20 * MS, false);
	nhn_gaps_note(&gaps, &observer, 2, 50 * MS, false);
	nhn_gaps_round_end(&gaps, &observer, &far);
	assert_int_equal(gaps.gap[0].cause, NHN_CAUSE_STOP);
	assert_true(gaps.gap[0].far);
	assert_int_equal(gaps.gap[1].cause, NHN_CAUSE_UNKNOWN);
	assert_false(gaps.gap[1].far);

	gaps.far_sleeps = true;
	nhn_gaps_round_begin(&gaps, &observer);
	nhn_gaps_note(&gaps, &observer, 3, 60 * MS, false);
	nhn_gaps_round_end(&gaps, &observer, &far);
	assert_int_equal(gaps.gap[0].when_ns, 3);
	assert_int_equal(gaps.gap[0].cause, NHN_CAUSE_UNKNOWN);
	assert_int_equal(gaps.gap[1].cause, NHN_CAUSE_STOP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_gap_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_windows_of_full_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_looks_stay_rare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threshold_rises, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_and_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_learns_from_quiet_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_is_counted_once, setup, teardown),
	};

	return cmocka_run_group_tests_name("gaps", tests, make_root, remove_root);
}
