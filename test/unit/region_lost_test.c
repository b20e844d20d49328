/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Memory that goes away under a mapping, survived. Each test closes its regions
 * itself: cmocka changes the handlers of signals between a test and its teardown.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "region_place.h"

#define PAGE ((uint64_t)4096)
#define LEFT (64 * KIB)

/* One byte from memory, and not what the compiler knows of it. */
static uint8_t
fetch(const uint8_t *byte)
{
	return *(const volatile uint8_t *)byte;
}

static void
open_surviving(struct place *p)
{
	write_pattern(p->path, MIB);
	p->config.survive_truncation = true;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
}

/* In a child: p->path has the pattern, and loses all behind LEFT. */
static int
open_and_truncate(struct place *p)
{
	p->config.survive_truncation = true;
	return nhn_region_open(&p->region, &p->config) == 0 && truncate(p->path, (off_t)LEFT) == 0
		       ? 0
		       : -1;
}

/* 0, or which of the bytes is not as expected: the pattern up to LEFT, then zeros. */
static uint64_t
wrong_byte(const uint8_t *base)
{
	for (uint64_t i = 0; i < MIB; i++)
		if (fetch(base + i) != (i < LEFT ? (i * 2654435761u) >> 13 & 255 : 0))
			return i;
	return 0;
}

static void
truncation_is_survived(void **state)
{
	struct place *p = *state;
	struct nhn_region other;
	char path[600];

	snprintf(path, sizeof(path), "%s.other", p->path);
	write_pattern(path, MIB);
	p->config.path = path;
	p->config.survive_truncation = true;
	assert_int_equal(nhn_region_open(&other, &p->config), 0);
	p->config.path = p->path;
	open_surviving(p);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	assert_int_equal(truncate(p->path, (off_t)LEFT), 0);
	assert_int_equal(wrong_byte(p->region.base), 0);
	p->region.base[MIB - 1] = 0x5a;
	assert_int_equal(fetch(p->region.base + MIB - 1), 0x5a);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -EIO);
	assert_non_null(strstr(p->said, "it has 65536 bytes, and the 1048576"));
	assert_int_equal(size_of(p->path), LEFT);
	/* As long as before, and yet not what was opened: it is told until the close. */
	assert_int_equal(truncate(p->path, (off_t)MIB), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -EIO);
	assert_non_null(strstr(p->said, "for a while"));
	nhn_region_close(&p->region);
	p->said[0] = '\0';
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	p->config.path = path;
	assert_int_equal(nhn_region_check(&other, &p->config), 0);
	assert_string_equal(p->said, "");
	nhn_region_close(&other);
	nhn_region_close(&p->region);
	assert_pattern(path, MIB);
}

/* Were a page replaced at a time, a region of gigabytes would cost a million signals. */
static int
touch_all_once(struct place *p)
{
	sigset_t bus;

	if (open_and_truncate(p) != 0)
		return 1;
	fetch(p->region.base + LEFT);
	sigemptyset(&bus);
	sigaddset(&bus, SIGBUS);
	sigprocmask(SIG_BLOCK, &bus, NULL);
	return wrong_byte(p->region.base) == 0 ? 0 : 2;
}

static void
one_signal_is_enough(void **state)
{
	struct place *p = *state;

	write_pattern(p->path, MIB);
	assert_int_equal(in_child(touch_all_once, p), 0);
}

static void
end_on_segv(int number)
{
	(void)number;
	_exit(7);
}

static int
store_into_zeros(struct place *p)
{
	if (open_and_truncate(p) != 0)
		return 1;
	if (wrong_byte(p->region.base) != 0 || nhn_region_check(&p->region, &p->config) != -EIO)
		return 2;
	signal(SIGSEGV, end_on_segv);
	*(volatile uint8_t *)(p->region.base + LEFT) = 1;
	return 0;
}

static void
read_only_stays_read_only(void **state)
{
	struct place *p = *state;

	write_pattern(p->path, MIB);
	p->config.access = NHN_REGION_READ_ONLY;
	assert_int_equal(in_child(store_into_zeros, p), 7);
}

/* The owner may move its struct: neither the handler nor the check looks at it. */
static void
region_may_move(void **state)
{
	struct place *p = *state;
	struct nhn_region moved;

	open_surviving(p);
	moved = p->region;
	memset(&p->region, 0, sizeof(p->region));
	assert_int_equal(truncate(p->path, (off_t)LEFT), 0);
	assert_int_equal(wrong_byte(moved.base), 0);
	assert_int_equal(nhn_region_check(&moved, &p->config), -EIO);
	nhn_region_close(&moved);
}

/* A tmpfs gives a page at its first touch, also to who may only read. */
static int
touch_without_room(struct place *p)
{
	struct nhn_region region;
	uint64_t i;
	int fd;

	if (mount_privately(p, "tmpfs", "size=256k") != 0)
		return CANNOT_MOUNT;
	fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ftruncate(fd, (off_t)MIB) != 0 || pwrite(fd, "x", 1, 1) != 1)
		return 1;
	p->config.access = NHN_REGION_READ_ONLY;
	p->config.survive_truncation = true;
	if (nhn_region_open(&region, &p->config) != 0)
		return 2;
	for (i = 0; i < MIB; i++)
		if (fetch(region.base + i) != (i == 1 ? 'x' : 0))
			return 3;
	if (nhn_region_check(&region, &p->config) != -EIO || strstr(p->said, "no room") == NULL)
		return 4;
	return 0;
}

static void
full_file_system_is_survived(void **state)
{
	assert_child(in_child(touch_without_room, *state), "a tmpfs");
}

/* A byte that no region has, behind the end of a file. */
static uint8_t *
foreign_byte(struct place *p)
{
	int fd = open(p->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	void *base = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	return base != MAP_FAILED ? (uint8_t *)base + 5 : NULL;
}

static uint8_t *expected_address;

static void
full_handler(int number, siginfo_t *info, void *context)
{
	(void)context;
	_exit(number == SIGBUS && info->si_addr == expected_address ? 11 : 1);
}

static void
plain_handler(int number)
{
	_exit(number == SIGBUS ? 12 : 1);
}

/* What the process did with SIGBUS before the region was opened. */
enum before { FULL, PLAIN, DEFAULT, IGNORED };
static enum before before;
/* CAUSED by a touch of ours, or sent with this code and an address of the region. */
#define CAUSED 0
static int code;

static int
meet_foreign(struct place *p)
{
	struct sigaction full = {.sa_sigaction = full_handler, .sa_flags = SA_SIGINFO};
	siginfo_t forged = {.si_signo = SIGBUS, .si_code = code};

	if (before == FULL)
		sigaction(SIGBUS, &full, NULL);
	else
		signal(SIGBUS, before == PLAIN	   ? plain_handler
			       : before == DEFAULT ? SIG_DFL
						   : SIG_IGN);
	/* It works for what is ours. */
	if (open_and_truncate(p) != 0 || wrong_byte(p->region.base) != 0)
		return 1;
	expected_address = foreign_byte(p);
	if (code == CAUSED)
		fetch(expected_address);
	forged.si_addr = p->region.base + LEFT / 2;
	syscall(SYS_rt_sigqueueinfo, getpid(), SIGBUS, &forged);
	return 13;
}

static void
foreign_signals_are_handed_on(void **state)
{
	static const struct {
		enum before before;
		int code, end;
	} cases[] = {
		{FULL, CAUSED, 11},
		{PLAIN, CAUSED, 12},
		{DEFAULT, CAUSED, DIED_OF(SIGBUS)},
		{IGNORED, CAUSED, DIED_OF(SIGBUS)},
		{PLAIN, SI_QUEUE, 12},
		{DEFAULT, SI_QUEUE, DIED_OF(SIGBUS)},
		{IGNORED, SI_QUEUE, 13},
		{PLAIN, BUS_ADRALN, 12},
		{PLAIN, BUS_MCEERR_AR, 12},
		{DEFAULT, BUS_MCEERR_AO, DIED_OF(SIGBUS)},
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_pattern(p->path, MIB);
		before = cases[i].before;
		code = cases[i].code;
		assert_int_equal(in_child(meet_foreign, p), cases[i].end);
	}
}

static int
touch_unwatched(struct place *p)
{
	if (nhn_region_open(&p->region, &p->config) != 0 || truncate(p->path, (off_t)LEFT) != 0)
		return 1;
	if (nhn_region_check(&p->region, &p->config) != -EIO)
		return 2;
	fetch(p->region.base + LEFT);
	return 3;
}

/* What is not asked for is not done; the check finds it all the same. */
static void
without_it_the_process_ends(void **state)
{
	struct place *p = *state;

	write_pattern(p->path, MIB);
	assert_int_equal(in_child(touch_unwatched, p), DIED_OF(SIGBUS));
}

static struct sigaction below;

static void
top_handler(int number, siginfo_t *info, void *context)
{
	below.sa_sigaction(number, info, context);
}

static void
handler_comes_and_goes(void **state)
{
	struct sigaction top = {.sa_sigaction = top_handler, .sa_flags = SA_SIGINFO}, now;
	struct place *p = *state;
	struct nhn_region other;

	signal(SIGBUS, plain_handler);
	write_pattern(p->path, MIB);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(sigaction(SIGBUS, NULL, &now), 0);
	assert_true(now.sa_handler == plain_handler);
	p->config.survive_truncation = true;
	assert_int_equal(nhn_region_open(&other, &p->config), 0);
	nhn_region_close(&p->region);
	assert_int_equal(sigaction(SIGBUS, NULL, &now), 0);
	assert_true(now.sa_handler != plain_handler);
	nhn_region_close(&other);
	assert_int_equal(sigaction(SIGBUS, NULL, &now), 0);
	assert_true(now.sa_handler == plain_handler);
	/* One that was put on top of ours stays there, and ours below it works. */
	for (int i = 0; i < 2; i++) {
		p->said[0] = '\0';
		open_surviving(p);
		assert_int_equal(strstr(p->said, "SIGBUS was installed over") != NULL, i == 1);
		if (i == 0)
			assert_int_equal(sigaction(SIGBUS, &top, &below), 0);
		assert_int_equal(truncate(p->path, (off_t)LEFT), 0);
		assert_int_equal(wrong_byte(p->region.base), 0);
		assert_int_equal(nhn_region_check(&p->region, &p->config), -EIO);
		nhn_region_close(&p->region);
		assert_int_equal(sigaction(SIGBUS, NULL, &now), 0);
		assert_true(now.sa_sigaction == top_handler);
	}
	/* Not that ours were left behind for the tests after this one. */
	assert_int_equal(sigaction(SIGBUS, &below, NULL), 0);
	open_surviving(p);
	nhn_region_close(&p->region);
	assert_int_equal(sigaction(SIGBUS, NULL, &now), 0);
	assert_true(now.sa_handler == plain_handler);
}

static void
survivors_are_bounded(void **state)
{
	struct nhn_region *regions = calloc(NHN_REGION_SURVIVORS_MAX, sizeof(*regions));
	struct place *p = *state;
	int i;

	assert_non_null(regions);
	write_pattern(p->path, MIB);
	p->config.survive_truncation = true;
	for (i = 0; i < NHN_REGION_SURVIVORS_MAX; i++)
		assert_int_equal(nhn_region_open(&regions[i], &p->config), 0);
	refused(p, &p->config, EMFILE, "256 regions that survive");
	p->config.survive_truncation = false;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	nhn_region_close(&p->region);
	p->config.survive_truncation = true;
	nhn_region_close(&regions[100]);
	assert_int_equal(nhn_region_open(&regions[100], &p->config), 0);
	assert_int_equal(truncate(p->path, (off_t)LEFT), 0);
	for (i = 0; i < NHN_REGION_SURVIVORS_MAX; i++) {
		assert_int_equal(fetch(regions[i].base + LEFT), 0);
		assert_int_equal(nhn_region_check(&regions[i], &p->config), -EIO);
		nhn_region_close(&regions[i]);
	}
	free(regions);
}

/* Threads that lose regions, while others come and go. */
#define THREADS 4
#define ROUNDS 50

struct loser {
	struct nhn_region *shared, own, whole;
	struct place *p;
	char path[600], whole_path[600];
	pthread_barrier_t *together;
	uint64_t wrong;
};

static int
open_quietly(struct place *p, struct nhn_region *region, const char *path)
{
	struct nhn_region_config config = p->config;

	config.path = path;
	config.log = NULL;
	return nhn_region_open(region, &config);
}

static void *
lose(void *argument)
{
	struct loser *l = argument;
	struct nhn_region passing;

	pthread_barrier_wait(l->together);
	l->wrong += wrong_byte(l->shared->base) != 0;
	for (int i = 0; i < ROUNDS; i++) {
		l->wrong += truncate(l->path, (off_t)MIB) != 0 ||
			    open_quietly(l->p, &l->own, l->path) != 0;
		l->wrong += open_quietly(l->p, &passing, l->whole_path) != 0;
		l->own.base[LEFT] = 1;
		l->wrong += truncate(l->path, (off_t)LEFT) != 0;
		l->wrong += fetch(l->own.base + LEFT + 9) != 0;
		nhn_region_close(&passing);
		l->own.base[MIB - 1] = 1;
		nhn_region_close(&l->own);
	}
	for (uint64_t i = 0; i < MIB; i += PAGE)
		l->wrong += fetch(l->whole.base + i) != ((i * 2654435761u) >> 13 & 255);
	return NULL;
}

static void
threads_lose_their_own(void **state)
{
	struct place *p = *state;
	struct loser losers[THREADS] = {0};
	pthread_barrier_t together;
	pthread_t threads[THREADS];

	assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
	open_surviving(p);
	for (int i = 0; i < THREADS; i++) {
		losers[i].shared = &p->region;
		losers[i].p = p;
		losers[i].together = &together;
		snprintf(losers[i].path, sizeof(losers[i].path), "%s.%d", p->path, i);
		snprintf(losers[i].whole_path, sizeof(losers[i].path), "%s.%d.whole", p->path, i);
		write_pattern(losers[i].path, MIB);
		write_pattern(losers[i].whole_path, MIB);
		assert_int_equal(open_quietly(p, &losers[i].whole, losers[i].whole_path), 0);
	}
	assert_int_equal(truncate(p->path, (off_t)LEFT), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, lose, &losers[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(losers[i].wrong, 0);
		p->config.path = losers[i].whole_path;
		assert_int_equal(nhn_region_check(&losers[i].whole, &p->config), 0);
		nhn_region_close(&losers[i].whole);
		assert_pattern(losers[i].whole_path, MIB);
	}
	nhn_region_close(&p->region);
	pthread_barrier_destroy(&together);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(truncation_is_survived),	    TEST(one_signal_is_enough),
		TEST(read_only_stays_read_only),    TEST(region_may_move),
		TEST(full_file_system_is_survived), TEST(foreign_signals_are_handed_on),
		TEST(without_it_the_process_ends),  TEST(handler_comes_and_goes),
		TEST(survivors_are_bounded),	    TEST(threads_lose_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
