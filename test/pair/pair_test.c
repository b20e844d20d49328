/* SPDX-License-Identifier: BSD-3-Clause */
/* Two processes on one file: traffic, order of start, one process a role. What becomes of
 * messages when a side is killed, test/kill has. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "pair_ledger.h"
#include "process.h"

#define MANY 1000000u
#define FEW 10000u

static struct {
	struct pair_ledger *ledger;
	pid_t pid[2]; /* 0: none */
	const char *folder;
	char path[80];
	uint64_t deadline_ns;
} pair;

static int
setup(void **state)
{
	(void)state;
	memset(&pair, 0, sizeof(pair));
	pair.ledger = process_memory(sizeof(*pair.ledger));
	pair.folder = process_folder();
	if (pair.ledger == NULL || pair.folder == NULL)
		return -1;
	snprintf(pair.path, sizeof(pair.path), "%s/region", pair.folder);
	pair.deadline_ns = process_now_ns() + (uint64_t)PAIR_SECONDS * 1000000000u;
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
start(enum nhn_role role)
{
	pid_t pid = process_fork();

	if (pid == 0)
		_exit(pair_side_run(pair.ledger, role, pair.path));
	assert_true(pid > 0);
	pair.pid[role - 1] = pid;
}

/* Without this a failed side would show as a hang of the other. */
static void
expect_alive(void)
{
	uint32_t i;

	assert_true(process_now_ns() < pair.deadline_ns);
	for (i = 0; i < 2; i++)
		if (pair.ledger->status[i].failed != 0)
			fail_msg("%s failed at pair_side.c:%u", i == 0 ? "host" : "guest",
				 pair.ledger->status[i].failed);
}

static void
expect_exit(enum nhn_role role)
{
	uint32_t i = (uint32_t)role - 1;
	int status;
	pid_t pid;

	while ((pid = waitpid(pair.pid[i], &status, WNOHANG)) == 0) {
		expect_alive();
		process_rest_us(500);
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
		process_rest_us(200);
	}
}

static void
expect_all_exchanged(void)
{
	expect_exit(NHN_ROLE_HOST);
	expect_exit(NHN_ROLE_GUEST);
	assert_int_equal(pair.ledger->status[0].finished, 1);
	assert_int_equal(pair.ledger->status[1].finished, 1);
	assert_int_equal(pair.ledger->status[0].discarded, 0);
	assert_int_equal(pair.ledger->status[1].discarded, 0);
}

static void
test_million_messages_each_way(void **state)
{
	(void)state;
	pair.ledger->messages = MANY;
	start(NHN_ROLE_HOST);
	start(NHN_ROLE_GUEST);
	expect_all_exchanged();
}

/* The data ring holds a quarter of the longest. */
static void
test_long_messages_each_way(void **state)
{
	(void)state;
	pair.ledger->messages = FEW;
	pair.ledger->msg = 1;
	start(NHN_ROLE_HOST);
	start(NHN_ROLE_GUEST);
	expect_all_exchanged();
}

static void
start_in_order(enum nhn_role first, enum nhn_role second)
{
	pair.ledger->messages = FEW;
	start(first);
	wait_state(first, first == NHN_ROLE_HOST ? NHN_LINK_WAIT_PEER : NHN_LINK_WAIT_HOST);
	start(second);
	expect_all_exchanged();
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

static int
open_region(struct nhn_region *region, enum nhn_role role)
{
	return process_region_open(region, role, pair.path, PAIR_REGION_BYTES);
}

static void
test_second_of_a_role_is_refused(void **state)
{
	struct nhn_region host, guest, other;

	(void)state;
	assert_int_equal(open_region(&host, NHN_ROLE_HOST), 0);
	assert_int_equal(open_region(&other, NHN_ROLE_HOST), -EBUSY);
	assert_int_equal(open_region(&guest, NHN_ROLE_GUEST), 0);
	assert_int_equal(open_region(&other, NHN_ROLE_GUEST), -EBUSY);
	nhn_region_close(&host);
	assert_int_equal(open_region(&other, NHN_ROLE_HOST), 0);
	nhn_region_close(&other);
	nhn_region_close(&guest);
}

/* A stopped process is not gone; a killed one is. */
static void
test_role_is_free_after_a_kill_only(void **state)
{
	struct nhn_region host;
	int status;

	(void)state;
	start(NHN_ROLE_HOST);
	wait_state(NHN_ROLE_HOST, NHN_LINK_WAIT_PEER);
	assert_int_equal(open_region(&host, NHN_ROLE_HOST), -EBUSY);
	assert_int_equal(kill(pair.pid[0], SIGSTOP), 0);
	assert_int_equal(waitpid(pair.pid[0], &status, WUNTRACED), pair.pid[0]);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(open_region(&host, NHN_ROLE_HOST), -EBUSY);
	assert_int_equal(kill(pair.pid[0], SIGKILL), 0);
	assert_int_equal(waitpid(pair.pid[0], &status, 0), pair.pid[0]);
	assert_true(WIFSIGNALED(status));
	pair.pid[0] = 0;
	assert_int_equal(open_region(&host, NHN_ROLE_HOST), 0);
	nhn_region_close(&host);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_million_messages_each_way),
		TEST(test_long_messages_each_way),
		TEST(test_host_first),
		TEST(test_guest_first),
		TEST(test_second_of_a_role_is_refused),
		TEST(test_role_is_free_after_a_kill_only),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
