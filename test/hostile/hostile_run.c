/* SPDX-License-Identifier: BSD-3-Clause */
/* A run: the points between the victim's loads, the bounds of its calls, the
 * racing thread, and what is said when it fails. */

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hostile.h"

#include <fiu-control.h>

#define CI_WORDS UINT64_C(1000000)
#define POINTS "nhn/foreign/"

/* By hand as under meson test: the first finding ends the program by a signal,
 * whose handler below says the seed. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "halt_on_error=1:abort_on_error=1";
}

const char *
__ubsan_default_options(void)
{
	return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}

/* The round under way: a point's callback and a signal's handler are given nothing. */
static struct hostile *current;

/* ---- what is said at the end ---- */

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static struct sigaction former[sizeof(fatal_signals) / sizeof(fatal_signals[0])];

/* printf may not be called here. */
static void
write_number(uint64_t number)
{
	char digits[20];
	size_t first = sizeof(digits);

	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	(void)!write(STDERR_FILENO, &digits[first], sizeof(digits) - first);
}

static void
write_text(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static void
say_seed(int number)
{
	size_t i;

	write_text("hostile: died by a signal at seed ");
	write_number(current->seed);
	write_text(", step ");
	write_number(current->step);
	write_text(": repeat it by --seed ");
	write_number(current->seed);
	write_text("\n");
	/* The sanitizer's or cmocka's handler is next, as the instruction is done again. */
	for (i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		sigaction(fatal_signals[i], &former[i], NULL);
	if (number == SIGABRT)
		raise(number);
}

void
hostile_fail(const struct hostile *h, const char *what, const char *file, int line)
{
	fprintf(stderr,
		"hostile: seed %" PRIu64 ", step %" PRIu64 ", profile %s: not so: %s; repeat it by "
		"--seed %" PRIu64 "\n",
		h->seed, h->step, h->profile != NULL ? h->profile->name : "none", what, h->seed);
	_fail(file, line);
}

/* ---- between two loads ---- */

static int
before_load(const char *name, int *failnum, void **failinfo, unsigned int *flags)
{
	struct hostile *h = current;
	const char *kind = name + sizeof(POINTS) - 1;

	(void)failnum;
	(void)failinfo;
	(void)flags;
	if (!h->inside)
		return 0;
	if (strcmp(kind, "load") == 0)
		h->loads++;
	else if (strcmp(kind, "copy") == 0)
		h->copies++;
	else
		h->lends++;
	if (h->script != NULL)
		h->script(h);
	else if (h->profile != NULL && hostile_below(h, 256) < h->profile->between) {
		uint64_t words = h->words;

		hostile_rewrite(h);
		h->within += h->words - words;
	}
	return 0;
}

void
hostile_begin(struct hostile *h, uint64_t seed)
{
	struct sigaction action = {.sa_handler = say_seed, .sa_flags = SA_NODEFER};
	size_t i;

	h->seed = seed;
	h->random = seed * UINT64_C(0x9e3779b97f4a7c15);
	h->step = 0;
	h->inside = false;
	h->old_next = 0;
	memset(h->old, 0, sizeof(h->old));
	current = h;
	for (i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
		struct sigaction found;

		sigaction(fatal_signals[i], &action, &found);
		if (found.sa_handler != say_seed)
			former[i] = found;
	}
}

/* ---- the victim's calls ---- */

void
hostile_enter(struct hostile *h)
{
	h->loads = 0;
	h->copies = 0;
	h->lends = 0;
	h->inside = true;
}

void
hostile_leave(struct hostile *h, struct hostile_call *call, struct hostile_bound bound)
{
	h->inside = false;
	if (h->loads > bound.loads || h->copies > bound.copies || h->lends > bound.lends) {
		fprintf(stderr,
			"hostile: %s did %" PRIu64 " loads, %" PRIu64 " copies and %" PRIu64
			" lends, expected at most %" PRIu64 ", %" PRIu64 " and %" PRIu64 "\n",
			call->name, h->loads, h->copies, h->lends, bound.loads, bound.copies,
			bound.lends);
		hostile_fail(h, call->bound, __FILE__, __LINE__);
	}
	if (call->calls++ == 0 || bound.loads - h->loads < call->least_slack)
		call->least_slack = bound.loads - h->loads;
	if (h->loads > call->most_loads)
		call->most_loads = h->loads;
}

void
hostile_calls_print(const struct hostile_call *calls, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		printf("  %-14s %10" PRIu64 " calls, at most %5" PRIu64 " loads, %" PRIu64
		       " below the bound at the nearest: %s\n",
		       calls[i].name, calls[i].calls, calls[i].most_loads, calls[i].least_slack,
		       calls[i].bound);
}

/* ---- the racing thread ---- */

static struct {
	pthread_t thread;
	struct hostile hostile; /* its own random numbers and counts */
	uint32_t words;		/* so far, in thousands */
	uint32_t pause;		/* most looks at stop between two words */
	uint32_t stop;
} race;

static void *
race_run(void *arg)
{
	struct hostile *h = arg;

	while (nhn_load_relaxed(&race.stop) == 0) {
		uint32_t pause = hostile_below(h, race.pause);

		hostile_rewrite(h);
		nhn_store_relaxed(&race.words, (uint32_t)(h->words / 1000));
		while (pause > 0 && nhn_load_relaxed(&race.stop) == 0)
			pause--;
	}
	return NULL;
}

void
hostile_race_begin(struct hostile *h)
{
	race.hostile = *h;
	race.hostile.words = 0;
	race.hostile.honest = 0;
	race.stop = 0;
	race.words = 0;
	/* From a word after the other to about one in a call of the victim. */
	race.pause = 1u << hostile_below(h, 13);
	assert_int_equal(pthread_create(&race.thread, NULL, race_run, &race.hostile), 0);
}

uint64_t
hostile_race_words(void)
{
	return UINT64_C(1000) * nhn_load_relaxed(&race.words);
}

void
hostile_race_end(struct hostile *h)
{
	nhn_store_relaxed(&race.stop, 1);
	assert_int_equal(pthread_join(race.thread, NULL), 0);
	h->words += race.hostile.words;
	h->honest += race.hostile.honest;
}

/* ---- a run ---- */

/* One by one: of a wildcard the callback would be told the wildcard. */
static bool
points_enable(void)
{
	static const char *const points[] = {POINTS "load", POINTS "copy", POINTS "lend"};
	size_t i;

	if (fiu_init(0) == 0) {
		for (i = 0; i < sizeof(points) / sizeof(points[0]); i++)
			if (fiu_enable_external(points[i], 1, NULL, 0, before_load) != 0)
				break;
		if (i == sizeof(points) / sizeof(points[0]))
			return true;
	}
	fprintf(stderr, "hostile: libfiu takes no callback, expected libfiu 1.1 or later\n");
	return false;
}

int
hostile_run_parse(struct hostile_run *run, int argc, char **argv, uint64_t nightly_words)
{
	const char *nightly = getenv("NHN_NIGHTLY");
	char *end = NULL;

	run->nightly = nightly != NULL && nightly[0] != '\0';
	run->words = run->nightly ? nightly_words : CI_WORDS;
	/* The same every time, but other ones each night. */
	run->seed = run->nightly ? (uint64_t)time(NULL) * 1000000 : 1;
	if (argc == 3 && strcmp(argv[1], "--seed") == 0)
		run->seed = strtoull(argv[2], &end, 10);
	if (argc != 1 && (end == NULL || *end != '\0')) {
		fprintf(stderr, "usage: %s [--seed N]\nNHN_NIGHTLY=1: the long form\n", argv[0]);
		return 2;
	}
	return points_enable() ? 0 : 1;
}
