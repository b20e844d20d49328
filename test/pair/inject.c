/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A loop that polls a core, disturbed on purpose, and whether each disturbance gets its
 * name. Nothing is said of how long anything takes.
 *
 *     inject none | stop | calls | shootdowns | faults | switches
 *
 * none tells what else comes: also of inject_preload.c. Ends with 0: named right; 1: named wrong;
 * 2: the disturbance made no gap, try again; 77: it cannot be made here.
 */

#include <inttypes.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nhn_cause.h>
#include <nhn_clock.h>

#define SKIP 77
#define MISSED 2

#define QUIET_ROUNDS 15
#define QUIET_NS UINT64_C(20000000)
#define QUIET_THRESHOLD_NS UINT64_C(1000000)
#define ROUNDS 8
#define ROUND_NS UINT64_C(50000000)

#define STOP_MS 50
#define PAGE_BYTES 4096
#define PAGES 256

struct injection {
	const char *name;
	uint64_t threshold_ns;
	uint64_t limit_ns;     /**< longer gaps are others' for sure: not noted */
	void (*disturb)(void); /**< in a thread beside, again and again; or NULL */
	void (*child)(pid_t);  /**< in a process of its own; or NULL */
	int child_core;	       /**< 0: the loop's, 1: the other one */
	bool touches;	       /**< the loop writes to all pages */
	enum nhn_cause cause;
	const char *line; /**< of an interrupt: the name of its line, or a part of what it is */
};

static struct nhn_clock clock_;
static struct nhn_observer observer;
static struct nhn_gaps gaps;
static uint8_t *pages;
static atomic_bool ended;
static int cores[2];
static uint64_t began;

static void
pause_ms(long ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static void
pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		perror("sched_setaffinity");
		exit(SKIP);
	}
}

static void
find_cores(void)
{
	cpu_set_t set;
	int found = 0;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		exit(SKIP);
	for (int core = 0; core < CPU_SETSIZE && found < 2; core++) {
		if (CPU_ISSET((size_t)core, &set))
			cores[found++] = core;
	}
	if (found < 2) {
		puts("needs two cores");
		exit(SKIP);
	}
}

static void
disturb_calls(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

/* Taking the right to write away must reach all cores that may still hold it. */
static void
disturb_shootdowns(void)
{
	mprotect(pages, PAGE_BYTES, PROT_READ);
	mprotect(pages, PAGE_BYTES, PROT_READ | PROT_WRITE);
	pages[0]++;
}

static void
disturb_faults(void)
{
	madvise(pages, PAGES * PAGE_BYTES, MADV_DONTNEED);
	pause_ms(5);
}

static void
child_stop(pid_t loop)
{
	pause_ms(ROUNDS * (long)(ROUND_NS / 1000000) / 3);
	kill(loop, SIGSTOP);
	pause_ms(STOP_MS);
	kill(loop, SIGCONT);
}

static void
child_spin(pid_t loop)
{
	while (getppid() == loop)
		;
}

static const struct injection injections[] = {
	{.name = "none", .threshold_ns = 1000, .limit_ns = 1000000},
	{.name = "stop",
	 .threshold_ns = 10000,
	 .child = child_stop,
	 .child_core = 1,
	 .cause = NHN_CAUSE_STOP},
	{.name = "calls",
	 .threshold_ns = 1000,
	 .limit_ns = 300000,
	 .disturb = disturb_calls,
	 .cause = NHN_CAUSE_INTERRUPT,
	 .line = "unction call"},
	{.name = "shootdowns",
	 .threshold_ns = 1000,
	 .limit_ns = 300000,
	 .disturb = disturb_shootdowns,
	 .cause = NHN_CAUSE_INTERRUPT,
	 .line = "TLB"},
	{.name = "faults",
	 .threshold_ns = 10000,
	 .limit_ns = 3000000,
	 .disturb = disturb_faults,
	 .touches = true,
	 .cause = NHN_CAUSE_MINOR_FAULT},
	{.name = "switches", .threshold_ns = 10000, .child = child_spin, .cause = NHN_CAUSE_SWITCH},
};

static void *
beside(void *argument)
{
	const struct injection *injection = argument;

	pin(cores[1]);
	while (!atomic_load_explicit(&ended, memory_order_relaxed))
		injection->disturb();
	return NULL;
}

static void
touch(void)
{
	for (int i = 0; i < PAGES; i++)
		__atomic_store_n(&pages[i * PAGE_BYTES], 1, __ATOMIC_RELAXED);
}

/*
 * What is longer than the disturbance can be is another thread's: a new round begins, so
 * that on a loaded machine these do not fill all places.
 */
static uint64_t
note(const struct injection *injection, uint64_t last, uint64_t gap_ns)
{
	if (injection->limit_ns != 0 && gap_ns > injection->limit_ns) {
		nhn_gaps_round_end(&gaps, &observer, NULL);
		nhn_gaps_round_begin(&gaps, &observer);
	} else {
		nhn_gaps_note(&gaps, &observer, nhn_clock_ns(&clock_, last - began), gap_ns, true);
	}
	return nhn_clock_now();
}

static void
run_round(const struct injection *injection, uint64_t round_ns)
{
	uint64_t begin, last;

	nhn_gaps_round_begin(&gaps, &observer);
	begin = last = nhn_clock_now();
	while (nhn_clock_ns(&clock_, last - begin) < round_ns) {
		uint64_t now, gap_ns;

		if (injection->touches)
			touch();
		now = nhn_clock_now();
		gap_ns = nhn_clock_ns(&clock_, now - last);
		last = gap_ns > gaps.threshold_ns ? note(injection, last, gap_ns) : now;
	}
	nhn_gaps_round_end(&gaps, &observer, NULL);
}

/* What is usual here, before it is disturbed: kept, and the gaps of it forgotten. */
static void
run_quiet(const struct injection *injection)
{
	static struct nhn_usual usual;

	nhn_gaps_init(&gaps, QUIET_THRESHOLD_NS);
	for (int i = 0; i < QUIET_ROUNDS; i++)
		run_round(injection, QUIET_NS);
	usual = gaps.usual;
	nhn_gaps_init(&gaps, injection->threshold_ns);
	gaps.usual = usual;
}

static pid_t
start_child(const struct injection *injection)
{
	const pid_t loop = getpid();
	const pid_t child = injection->child == NULL ? 0 : fork();

	if (injection->child == NULL)
		return -1;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(cores[injection->child_core]);
		injection->child(loop);
		_exit(0);
	}
	return child;
}

static void
run_disturbed(const struct injection *injection)
{
	pthread_t thread;
	const pid_t child = start_child(injection);

	if (injection->disturb != NULL &&
	    pthread_create(&thread, NULL, beside, (void *)(uintptr_t)injection) != 0)
		exit(SKIP);
	for (int i = 0; i < ROUNDS; i++)
		run_round(injection, ROUND_NS);
	atomic_store(&ended, true);
	if (injection->disturb != NULL)
		pthread_join(thread, NULL);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

static bool
named_right(const struct injection *injection, const struct nhn_gap *gap)
{
	return gap->cause == injection->cause && !gap->far &&
	       (injection->line == NULL || strstr(gap->detail, injection->line) != NULL);
}

/* Others on this machine make gaps too, and those of the scheduler are counted exactly. */
static bool
others(const struct injection *injection, const struct nhn_gap *gap)
{
	return injection->cause != NHN_CAUSE_SWITCH &&
	       (gap->cause == NHN_CAUSE_SWITCH || gap->cause == NHN_CAUSE_STEAL);
}

/* One stop makes one gap, as long as it; the others make most of the large ones. */
static int
verdict(const struct injection *injection)
{
	uint32_t right = 0, all = 0;

	if (injection->cause == NHN_CAUSE_STOP) {
		if (gaps.count == 0 || gaps.gap[0].gap_ns < STOP_MS / 2 * UINT64_C(1000000))
			return MISSED;
		return named_right(injection, &gaps.gap[0]) ? 0 : 1;
	}
	for (uint32_t i = 0; i < gaps.count; i++) {
		all += !others(injection, &gaps.gap[i]);
		right += named_right(injection, &gaps.gap[i]);
	}
	printf("%s: %" PRIu32 " of %" PRIu32 " named right\n", injection->name, right, all);
	if (all < NHN_GAPS / 4)
		return MISSED;
	return right > all / 2 ? 0 : 1;
}

static void
prepare(const struct injection *injection)
{
	find_cores();
	pin(cores[0]);
	if (injection->disturb == disturb_calls &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) {
		perror("membarrier");
		exit(SKIP);
	}
	pages = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (pages == MAP_FAILED || nhn_clock_init(&clock_) != 0 ||
	    nhn_observer_open(&observer, cores[0], "") != 0) {
		puts("no memory, no even clock or no observer");
		exit(SKIP);
	}
	madvise(pages, PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
	touch();
	began = nhn_clock_now();
}

static const struct injection *
find_injection(const char *name)
{
	for (size_t i = 0; i < sizeof(injections) / sizeof(injections[0]); i++) {
		if (strcmp(injections[i].name, name) == 0)
			return &injections[i];
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	const struct injection *injection = argc == 2 ? find_injection(argv[1]) : NULL;
	char text[256];

	if (injection == NULL) {
		fputs("usage: inject none|stop|calls|shootdowns|faults|switches\n", stderr);
		return 1;
	}
	prepare(injection);
	if (nhn_observer_missing(&observer, text, sizeof(text)) > 0)
		printf("cannot see %s\n", text);
	run_quiet(injection);
	run_disturbed(injection);
	for (uint32_t i = 0; i < gaps.count; i++) {
		nhn_gap_text(&gaps.gap[i], text, sizeof(text));
		puts(text);
	}
	nhn_observer_close(&observer);
	return injection->cause == NHN_CAUSE_UNKNOWN ? 0 : verdict(injection);
}
