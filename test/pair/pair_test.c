/* SPDX-License-Identifier: BSD-3-Clause */
/* Two processes on one file: traffic, order of start, kill -9 at any instant, one a role.
 * The parent starts them, kills them and checks what they wrote down. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <nhn_region.h>

#include "pair_ledger.h"
#include "pattern.h"

#define COUNTED 1000000u
#define RESTARTS 20u
#define PACE (PAIR_MESSAGES_MAX / (RESTARTS + 2)) /* messages a round */
#define KILL_WITHIN_US 10000u

static struct {
	struct pair_ledger *ledger;
	pid_t pid[2]; /* 0: none */
	char folder[64];
	char path[80];
	uint64_t deadline_ns;
} pair;

static int
setup(void **state)
{
	(void)state;
	memset(&pair, 0, sizeof(pair));
	pair.ledger = mmap(NULL, sizeof(*pair.ledger), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pair.ledger == MAP_FAILED)
		return -1;
	snprintf(pair.folder, sizeof(pair.folder), "%s/nahanni-pair-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(pair.folder) == NULL)
		return -1;
	snprintf(pair.path, sizeof(pair.path), "%s/region", pair.folder);
	pair.deadline_ns = pair_now_ns() + (uint64_t)PAIR_SECONDS * 1000000000u;
	return 0;
}

static int
teardown(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		if (pair.pid[i] <= 0)
			continue;
		kill(pair.pid[i], SIGKILL);
		waitpid(pair.pid[i], NULL, 0);
	}
	unlink(pair.path);
	rmdir(pair.folder);
	munmap(pair.ledger, sizeof(*pair.ledger));
	return 0;
}

static void
start(enum nhn_role role, enum pair_work work)
{
	uint32_t i = (uint32_t)role - 1;
	pid_t pid;

	nhn_store_release(&pair.ledger->status[i].state, 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(pair_side_run(pair.ledger, role, pair.path, work));
	}
	assert_true(pid > 0);
	pair.pid[i] = pid;
}

/* Without this a failed side would show as a hang of the other. */
static void
expect_alive(void)
{
	uint32_t i;

	assert_true(pair_now_ns() < pair.deadline_ns);
	for (i = 0; i < 2; i++)
		if (pair.ledger->status[i].failed != 0)
			fail_msg("%s failed at pair_side.c:%u", i == 0 ? "host" : "guest",
				 pair.ledger->status[i].failed);
}

static void
rest(uint32_t microseconds)
{
	struct timespec time = {.tv_nsec = (long)microseconds * 1000};

	nanosleep(&time, NULL);
}

static void
expect_exit(enum nhn_role role)
{
	uint32_t i = (uint32_t)role - 1;
	int status;
	pid_t pid;

	while ((pid = waitpid(pair.pid[i], &status, WNOHANG)) == 0) {
		expect_alive();
		rest(500);
	}
	assert_int_equal(pid, pair.pid[i]);
	pair.pid[i] = 0;
	expect_alive();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
wait_state(enum nhn_role role, enum nhn_link_state wanted)
{
	while (nhn_load_acquire(&pair.ledger->status[role - 1].state) != (uint32_t)wanted + 1) {
		expect_alive();
		rest(200);
	}
}

static void
wait_up(void)
{
	const struct pair_status *status = pair.ledger->status;

	while (nhn_load_acquire(&status[0].state) != NHN_LINK_UP + 1u ||
	       nhn_load_acquire(&status[1].state) != NHN_LINK_UP + 1u) {
		expect_alive();
		rest(200);
	}
}

/* The last message that may be sent has come, each way. */
static void
wait_last(void)
{
	uint32_t last = pair.ledger->allowed - 1;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		const struct pair_way *way = &pair.ledger->way[i];
		uint32_t delivered;

		while ((delivered = nhn_load_acquire(&way->delivered)) == 0 ||
		       way->got[delivered - 1].number != last) {
			expect_alive();
			rest(200);
		}
	}
}

static void
stop_both(void)
{
	nhn_store_release(&pair.ledger->stop, 1);
	expect_exit(NHN_ROLE_HOST);
	expect_exit(NHN_ROLE_GUEST);
}

static void
test_million_messages_each_way(void **state)
{
	(void)state;
	pair.ledger->allowed = COUNTED;
	start(NHN_ROLE_HOST, PAIR_COUNT);
	start(NHN_ROLE_GUEST, PAIR_COUNT);
	expect_exit(NHN_ROLE_HOST);
	expect_exit(NHN_ROLE_GUEST);
	assert_int_equal(pair.ledger->status[0].finished, 1);
	assert_int_equal(pair.ledger->status[1].finished, 1);
	assert_int_equal(pair.ledger->status[0].discarded, 0);
	assert_int_equal(pair.ledger->status[1].discarded, 0);
}

/* Each message was delivered at most once and in order, to the life it was sent for; of
 * those sent for one life a first part; all of them for the last. Returns those lost. */
static uint32_t
check_way(const struct pair_way *way, uint32_t last_session)
{
	uint32_t dead = 0, lost = 0, g = 0;
	uint32_t number;

	for (number = 0; number < way->intended; number++) {
		if (g < way->delivered && way->got[g].number == number) {
			assert_int_equal(way->got[g].session, way->to[number]);
			assert_int_not_equal(way->to[number], dead);
			g++;
		} else if (way->done[number]) { /* else killed before its commit */
			dead = way->to[number];
			assert_int_not_equal(dead, last_session);
			lost++;
		}
	}
	assert_int_equal(g, way->delivered); /* none that was not next: twice, or invented */
	return lost;
}

static void
check_ledger(void)
{
	const struct pair_ledger *ledger = pair.ledger;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		uint32_t lost = check_way(&ledger->way[i], ledger->status[1 - i].session);

		assert_true(ledger->way[i].delivered > 0);
		assert_true(ledger->status[i].discarded >= lost);
	}
}

static void
start_in_order(enum nhn_role first, enum nhn_role second)
{
	pair.ledger->allowed = 10000;
	start(first, PAIR_RESTART);
	wait_state(first, first == NHN_ROLE_HOST ? NHN_LINK_WAIT_PEER : NHN_LINK_WAIT_HOST);
	start(second, PAIR_RESTART);
	wait_up();
	wait_last();
	stop_both();
	check_ledger();
	assert_int_equal(pair.ledger->way[0].delivered, 10000);
	assert_int_equal(pair.ledger->way[1].delivered, 10000);
}

static void
test_host_first(void **state)
{
	(void)state;
	start_in_order(NHN_ROLE_HOST, NHN_ROLE_GUEST);
}

static void
test_guest_first(void **state)
{
	(void)state;
	start_in_order(NHN_ROLE_GUEST, NHN_ROLE_HOST);
}

static void
kill_and_reap(enum nhn_role role)
{
	uint32_t i = (uint32_t)role - 1;
	int status;

	assert_int_equal(kill(pair.pid[i], SIGKILL), 0);
	assert_int_equal(waitpid(pair.pid[i], &status, 0), pair.pid[i]);
	assert_true(WIFSIGNALED(status));
	pair.pid[i] = 0;
}

/* Some restarts wait for the link, so that traffic is hit; others hit the handshake. */
static void
restarts(uint64_t seed)
{
	uint64_t random = seed;
	uint32_t i;

	start(NHN_ROLE_HOST, PAIR_RESTART);
	start(NHN_ROLE_GUEST, PAIR_RESTART);
	for (i = 0; i < RESTARTS; i++) {
		uint32_t who = 1 + pattern_below(&random, 3);

		nhn_store_release(&pair.ledger->allowed, (i + 1) * PACE);
		if (pattern_below(&random, 4) != 0)
			wait_up();
		rest(pattern_below(&random, KILL_WITHIN_US));
		expect_alive();
		if (who & NHN_ROLE_HOST)
			kill_and_reap(NHN_ROLE_HOST);
		if (who & NHN_ROLE_GUEST)
			kill_and_reap(NHN_ROLE_GUEST);
		if (who & NHN_ROLE_HOST)
			start(NHN_ROLE_HOST, PAIR_RESTART);
		if (who & NHN_ROLE_GUEST)
			start(NHN_ROLE_GUEST, PAIR_RESTART);
	}
	wait_up();
	nhn_store_release(&pair.ledger->allowed, (RESTARTS + 1) * PACE);
	wait_last();
	stop_both();
	check_ledger();
}

static void
test_killed_at_random(void **state)
{
	(void)state;
	restarts(1);
	assert_true(pair.ledger->way[0].intended > PACE);
}

static void
test_killed_at_other_instants(void **state)
{
	(void)state;
	restarts(2);
}

static void
test_second_of_a_role_is_refused(void **state)
{
	struct nhn_region host, guest, other;

	(void)state;
	assert_int_equal(pair_region_open(&host, NHN_ROLE_HOST, pair.path), 0);
	assert_int_equal(pair_region_open(&other, NHN_ROLE_HOST, pair.path), -EBUSY);
	assert_int_equal(pair_region_open(&guest, NHN_ROLE_GUEST, pair.path), 0);
	assert_int_equal(pair_region_open(&other, NHN_ROLE_GUEST, pair.path), -EBUSY);
	nhn_region_close(&host);
	assert_int_equal(pair_region_open(&other, NHN_ROLE_HOST, pair.path), 0);
	nhn_region_close(&other);
	nhn_region_close(&guest);
}

/* The lock of a living process, and of one that was killed. */
static void
test_role_is_free_after_a_kill(void **state)
{
	struct nhn_region host;

	(void)state;
	start(NHN_ROLE_HOST, PAIR_RESTART);
	wait_state(NHN_ROLE_HOST, NHN_LINK_WAIT_PEER);
	assert_int_equal(pair_region_open(&host, NHN_ROLE_HOST, pair.path), -EBUSY);
	kill_and_reap(NHN_ROLE_HOST);
	assert_int_equal(pair_region_open(&host, NHN_ROLE_HOST, pair.path), 0);
	nhn_region_close(&host);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_million_messages_each_way),
		TEST(test_host_first),
		TEST(test_guest_first),
		TEST(test_killed_at_random),
		TEST(test_killed_at_other_instants),
		TEST(test_second_of_a_role_is_refused),
		TEST(test_role_is_free_after_a_kill),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
