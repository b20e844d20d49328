/* SPDX-License-Identifier: BSD-3-Clause */
/* Two processes send each other messages of every kind at once, and are killed in the middle.
 * What each checks, messages_side.c has. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "messages_ledger.h"
#include "pattern.h"
#include "process.h"

#define KILLS 12u

static struct {
	struct messages_ledger *ledger;
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
	pair.deadline_ns = process_now_ns() + (uint64_t)MESSAGES_SECONDS * 1000000000u;
	return 0;
}

static void
end(uint32_t who)
{
	if (pair.pid[who] > 0) {
		kill(pair.pid[who], SIGKILL);
		waitpid(pair.pid[who], NULL, 0);
	}
	pair.pid[who] = 0;
}

static int
teardown(void **state)
{
	(void)state;
	end(0);
	end(1);
	unlink(pair.path);
	rmdir(pair.folder);
	munmap(pair.ledger, sizeof(*pair.ledger));
	return 0;
}

static void
start(uint32_t who)
{
	pid_t pid = process_fork();

	if (pid == 0)
		_exit(messages_side_run(pair.ledger, (enum nhn_role)(who + 1), pair.path));
	assert_true(pid > 0);
	pair.pid[who] = pid;
}

/* Without this a failed side would show as a hang of the other. */
static void
expect_alive(void)
{
	uint32_t i;

	assert_true(process_now_ns() < pair.deadline_ns);
	for (i = 0; i < 2; i++)
		if (nhn_load_acquire(&pair.ledger->status[i].failed) != 0)
			fail_msg("%s failed at messages_side.c:%u", i == 0 ? "host" : "guest",
				 pair.ledger->status[i].failed);
}

static bool
all_grew(uint32_t before[2][MESSAGES_CHANNELS], uint32_t by)
{
	uint32_t i, channel;

	for (i = 0; i < 2; i++)
		for (channel = 0; channel < MESSAGES_CHANNELS; channel++)
			if (nhn_load_acquire(&pair.ledger->status[i].taken[channel]) -
				    before[i][channel] <
			    by)
				return false;
	return true;
}

/* Each side takes so many more messages of each kind. */
static void
wait_traffic(uint32_t messages)
{
	uint32_t before[2][MESSAGES_CHANNELS];
	uint32_t i;

	for (i = 0; i < 2; i++)
		memcpy(before[i], pair.ledger->status[i].taken, sizeof(before[i]));
	while (!all_grew(before, messages)) {
		expect_alive();
		process_rest_us(300);
	}
}

static void
expect_exit(uint32_t who)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(pair.pid[who], &status, WNOHANG)) == 0) {
		expect_alive();
		process_rest_us(500);
	}
	assert_int_equal(pid, pair.pid[who]);
	pair.pid[who] = 0;
	expect_alive();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Nothing new: all that was sent arrives, all calls end. */
static void
expect_settled(void)
{
	nhn_store_release(&pair.ledger->stop, 1);
	expect_exit(0);
	expect_exit(1);
}

/* Neither side restarts: what was sent is what came, to the last one. */
static void
test_all_kinds_at_once(void **state)
{
	uint32_t channel, i;

	(void)state;
	start(0);
	start(1);
	wait_traffic(2000);
	expect_settled();
	for (i = 0; i < 2; i++)
		for (channel = PACKS; channel <= BULK; channel++)
			assert_int_equal(pair.ledger->status[i].taken[channel],
					 pair.ledger->status[1 - i].out[channel]);
	assert_int_equal(pair.ledger->status[0].taken[CALLS_OF_HOST],
			 pair.ledger->status[1].taken[CALLS_OF_HOST]);
}

static void
test_killed_in_the_middle(void **state)
{
	uint64_t random = process_now_ns();
	uint32_t i;

	(void)state;
	start(0);
	start(1);
	for (i = 0; i < KILLS; i++) {
		uint32_t who = pattern_below(&random, 2);

		wait_traffic(20);
		process_rest_us(pattern_below(&random, 2000));
		end(who);
		if (i % 4 == 3)
			end(1 - who);
		process_rest_us(pattern_below(&random, 2000));
		if (i % 4 == 3)
			start(1 - who);
		start(who);
	}
	wait_traffic(200);
	expect_settled();
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_kinds_at_once),
		TEST(test_killed_in_the_middle),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
