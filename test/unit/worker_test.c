/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/worker: rounds counted one by one on the test's own thread, then on lcores. */

#include "worker_rig.h"

#define BUDGET 8u
#define SOON_US 5000000u

/* ---- rounds, one by one ---- */

static const unsigned int lcore_one[] = {1};

/* A worker whose rounds the test runs itself. */
static struct worker_lcore *
manual(uint32_t budget)
{
	struct nhn_worker_config config = {.name = "manual",
					   .links_max = 3,
					   .budget = budget,
					   .lcores = lcore_one,
					   .lcore_count = 1,
					   .idle = NHN_WORKER_IDLE_DEADLINE};

	worker = nhn_worker_create(&config);
	assert_non_null(worker);
	assert_int_equal(nhn_worker_start(worker), 0);
	return worker->lcore[0];
}

static void
serve(uint32_t i)
{
	struct nhn_worker_link link = rig_link(i);

	assert_int_equal(nhn_worker_add(worker, &link), 0);
}

/* Up, and nothing left to do. */
static void
settle(struct worker_lcore *lcore, uint32_t links)
{
	uint32_t i, turn;

	for (turn = 0; turn < 100; turn++)
		for (i = 0; i < links; i++) {
			nhn_endpoint_control(&pair[i].near_end);
			far_control(&pair[i]);
		}
	worker_watch_all(lcore);
	for (i = 0; i < links; i++)
		assert_true(far_up(&pair[i]));
	while (worker_turn(lcore) != 0)
		;
	for (i = 0; i < links; i++)
		pair[i].calls = 0;
}

static void
test_budget_bounds_a_link_in_a_round(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);

	(void)state;
	serve(0);
	serve(1);
	settle(lcore, 2);
	far_send(&pair[0], 3 * BUDGET - 1);
	far_send(&pair[1], 1);
	assert_int_equal(worker_round(lcore), BUDGET + 1); /* the second in the same round */
	assert_int_equal(pair[0].calls, BUDGET);
	assert_int_equal(pair[1].calls, 1);
	assert_int_equal(far_take(&pair[1]), 1);
	assert_int_equal(worker_round(lcore), BUDGET);
	assert_int_equal(worker_round(lcore), BUDGET - 1);
	assert_int_equal(worker_round(lcore), 0);
	assert_int_equal(pair[0].calls, 3 * BUDGET - 1);
	assert_int_equal(pair[1].calls, 1);
	assert_int_equal(far_take(&pair[0]), 3 * BUDGET - 1);
}

static void
test_idle_links_are_not_called(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		serve(i);
	settle(lcore, 3);
	for (i = 0; i < 1000; i++)
		assert_int_equal(worker_round(lcore), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(pair[i].calls, 0);
}

/* The reader learns what was given back though no poll of its ring found nothing. */
static void
test_drained_ring_is_told_to_its_writer(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);

	(void)state;
	serve(0);
	settle(lcore, 1);
	far_send(&pair[0], 3);
	assert_int_equal(worker_round(lcore), 3);
	assert_int_equal(pair[0].near.rx[0].published, pair[0].near.rx[0].released);
	assert_int_equal(pair[0].near.own->cursor[0].cells, pair[0].far.tx[0].tail);
}

static void
test_refused_message_is_offered_again_later(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);
	uint32_t rounds = 0;

	(void)state;
	serve(0);
	serve(1);
	settle(lcore, 2);
	pair[0].refuse = true;
	far_send(&pair[0], 1);
	worker_turn(lcore);
	assert_int_equal(pair[0].calls, 1);
	assert_int_equal(lcore->blocked, 1);
	pair[0].refuse = false;
	while (pair[0].calls == 1 && rounds < 100) {
		far_send(&pair[1], 1); /* the other goes on */
		assert_true(worker_turn(lcore) >= 1);
		rounds++;
	}
	assert_int_equal(pair[0].calls, 2);
	assert_int_equal(far_take(&pair[0]), 1);
	assert_true(rounds > 1);
	assert_true(rounds <= 16);
	assert_int_equal(far_take(&pair[1]), rounds);
	assert_int_equal(lcore->blocked, 0);
}

/* A message that waits for room is gone on with as soon as there is some. */
static void
test_blocked_sending_goes_on(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);
	static uint8_t bytes[20000];
	static uint8_t copy[sizeof(bytes)];
	struct nhn_message_head head = {.length = sizeof(bytes)};
	struct iovec memory = {copy, sizeof(copy)};
	struct nhn_msg_buffer buffer;
	uint32_t turns = 0;
	int ret;

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	serve(0);
	settle(lcore, 1);
	assert_int_equal(nhn_msg_send(&pair[0].near_end.tx[0], &head, bytes), -EINPROGRESS);
	worker_watch_all(lcore);
	nhn_msg_buffer_init(&buffer, &memory, 1);
	do {
		worker_turn(lcore);
		ret = nhn_msg_receive(&pair[0].far_end.rx[0], &buffer);
		assert_true(++turns < 1000);
	} while (ret == -EAGAIN || ret == -EINPROGRESS);
	assert_int_equal(ret, 0);
	assert_memory_equal(bytes, copy, sizeof(bytes));
	assert_true(pair[0].near_end.tx[0].tx->full > 0); /* a ring of 4096 was in the way */
}

static void
test_layout_with_more_channels_is_watched(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);
	uint32_t turn;

	(void)state;
	serve(0);
	settle(lcore, 1);
	assert_int_equal(lcore->watches, 1);
	/* The near end becomes the guest of a host with three channels. */
	assert_int_equal(nhn_worker_remove(worker, 0), 0);
	memset(pair[0].base, 0, 2 * AREA_BYTES);
	{
		struct nhn_link_config config = {.use = NHN_USE_MSG, .random = 2};
		struct nhn_refusal refusal;

		nhn_link_joint(&config, NHN_ROLE_GUEST, pair[0].base, 2 * AREA_BYTES);
		assert_int_equal(nhn_link_init(&pair[0].near, &config, &refusal), 0);
		nhn_endpoint_init(&pair[0].near_end, &pair[0].near, nhn_worker_now_ns, NULL);
		nhn_link_joint(&config, NHN_ROLE_HOST, pair[0].base, 2 * AREA_BYTES);
		nhn_layout_uniform(&config.layout, 3, NHN_USE_MSG, CELLS, 4096);
		assert_int_equal(nhn_link_init(&pair[0].far, &config, &refusal), 0);
		nhn_endpoint_init(&pair[0].far_end, &pair[0].far, nhn_worker_now_ns, NULL);
	}
	serve(0);
	for (turn = 0; turn < 1000000 && !far_up(&pair[0]); turn++) {
		worker_turn(lcore);
		far_control(&pair[0]);
	}
	assert_true(far_up(&pair[0]));
	assert_int_equal(lcore->watches, 3);
	assert_int_equal(nhn_msg_send(&pair[0].far_end.tx[2], &note, &content), 0);
	for (turn = 0; turn < 1000000 && pair[0].calls == 0; turn++)
		worker_turn(lcore);
	assert_int_equal(pair[0].calls, 1);
	assert_true(pair[0].states >= 1);
}

static void
test_counters(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);
	struct nhn_worker_lcore_stats stats;
	struct nhn_worker_link_stats link;

	(void)state;
	serve(0);
	settle(lcore, 1);
	assert_int_equal(nhn_worker_link_stats(worker, 0, &link), 0);
	assert_int_equal(nhn_worker_lcore_stats(worker, 0, &stats), 0);
	far_send(&pair[0], BUDGET + 1);
	worker_turn(lcore);
	worker_turn(lcore);
	{
		struct nhn_worker_lcore_stats later;
		struct nhn_worker_link_stats link_later;

		assert_int_equal(nhn_worker_lcore_stats(worker, 0, &later), 0);
		assert_int_equal(later.rounds - stats.rounds, 2);
		assert_int_equal(later.rounds_worked - stats.rounds_worked, 2);
		assert_int_equal(later.steps - stats.steps, BUDGET + 1);
		assert_int_equal(later.links, 1);
		assert_int_equal(later.lcore, 1);
		assert_int_equal(nhn_worker_link_stats(worker, 0, &link_later), 0);
		assert_int_equal(link_later.steps - link.steps, BUDGET + 1);
		assert_int_equal(link_later.exhausted - link.exhausted, 1);
		assert_int_equal(link_later.state, NHN_LINK_UP);
		assert_string_equal(link_later.name, "pair");
	}
	assert_int_equal(nhn_worker_lcore_stats(worker, 1, &stats), -ENOENT);
	assert_int_equal(nhn_worker_link_stats(worker, 9, &link), -ENOENT);
}

static void
test_poll_until_ends_before_its_deadline(void **state)
{
	uint64_t now;

	(void)state;
	manual(BUDGET);
	serve(0);
	now = nhn_worker_now_ns(NULL);
	assert_int_equal(nhn_worker_poll_until(worker, 1, now), 0);
	assert_int_equal(nhn_worker_poll_until(worker, 2, now + 1000000000), 0); /* not its own */
	assert_true(nhn_worker_poll_until(worker, 1, nhn_worker_now_ns(NULL) + 20000000) > 0);
	/* No gap is long enough for a round as long as the longest. */
	worker->lcore[0]->longest_ns = UINT64_MAX / 4;
	assert_int_equal(nhn_worker_poll_until(worker, 1, nhn_worker_now_ns(NULL) + 20000000), 0);
	/* One bad round is forgotten, by an eighth at each gap that it spoilt. */
	assert_true(worker->lcore[0]->longest_ns < UINT64_MAX / 4);
	worker->lcore[0]->longest_ns = 35000000;
	while (nhn_worker_poll_until(worker, 1, nhn_worker_now_ns(NULL) + 20000000) == 0)
		assert_true(worker->lcore[0]->longest_ns < 35000000);
}

/* However long rounds are, the links' control keeps up with the time. */
static void
test_control_keeps_up_with_long_rounds(void **state)
{
	struct worker_lcore *lcore = manual(BUDGET);
	uint64_t controls;
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		serve(i);
	settle(lcore, 3);
	controls = lcore->controls;
	lcore->control_cycles = rte_rdtsc() - rte_get_tsc_hz(); /* a second passed */
	lcore->control_gap_cycles = rte_get_tsc_hz() / 2;
	lcore->polls = 1024;
	worker_turn(lcore);
	assert_int_equal(lcore->controls - controls, 3); /* each link once, not more */
	lcore->polls = 1024;
	worker_turn(lcore);
	assert_int_equal(lcore->controls - controls, 3); /* none is due yet */
}

/* ---- on lcores ---- */

/* Until a condition of the far ends holds, or for seconds. */
static void
wait_for(bool (*done)(void))
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * SOON_US;
	uint32_t i;

	while (!done()) {
		assert_true(rte_rdtsc() < end);
		for (i = 0; i < PAIRS; i++)
			nhn_endpoint_control(&pair[i].far_end);
		rte_delay_us_sleep(100);
	}
}

static bool
all_up(void)
{
	return far_up(&pair[0]) && far_up(&pair[1]) && far_up(&pair[2]);
}

static void
exchange(struct pair *own, uint32_t count)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * SOON_US;
	uint32_t taken = 0;

	far_send(own, count);
	while (taken != count) {
		assert_true(rte_rdtsc() < end);
		taken += far_take(own);
		nhn_endpoint_control(&own->far_end);
		rte_delay_us_sleep(20);
	}
}

static void
running(const unsigned int *lcores, uint32_t count, enum nhn_worker_launch launch,
	enum nhn_worker_idle idle)
{
	struct nhn_worker_config config = {.name = "running",
					   .links_max = 3,
					   .lcores = lcores,
					   .lcore_count = count,
					   .launch = launch,
					   .idle = idle,
					   .idle_after_us = 10,
					   .idle_sleep_us = 20};

	worker = nhn_worker_create(&config);
	assert_non_null(worker);
	assert_int_equal(nhn_worker_start(worker), 0);
}

static void
test_links_come_and_go_while_it_runs(void **state)
{
	static const unsigned int lcores[] = {1, 2};
	uint32_t i;

	(void)state;
	running(lcores, 2, NHN_WORKER_LAUNCH_LCORE, NHN_WORKER_IDLE_ADAPTIVE);
	for (i = 0; i < 3; i++)
		serve(i);
	wait_for(all_up);
	for (i = 0; i < 20; i++) {
		exchange(&pair[0], 10);
		assert_int_equal(nhn_worker_remove(worker, 1 + i % 2), 0);
		exchange(&pair[0], 10);
		serve(1 + i % 2);
		exchange(&pair[1 + i % 2], 10);
	}
	assert_int_equal(pair[0].near.sessions, 1); /* never restarted */
	assert_true(pair[0].lcore == 1 || pair[0].lcore == 2);
	nhn_worker_stop(worker);
	nhn_worker_stop(worker);
	assert_int_equal(nhn_worker_start(worker), 0);
	exchange(&pair[0], 10);
}

static void
note_lcore(void *context, struct nhn_endpoint *endpoint)
{
	*(unsigned int *)context = rte_lcore_id();
	assert_ptr_equal(endpoint, &pair[0].near_end);
}

static void
test_run_calls_on_the_links_lcore(void **state)
{
	static const unsigned int lcores[] = {2};
	unsigned int where = LCORE_ID_ANY;

	(void)state;
	running(lcores, 1, NHN_WORKER_LAUNCH_LCORE, NHN_WORKER_IDLE_PAUSE);
	serve(0);
	assert_int_equal(nhn_worker_run(worker, 0, note_lcore, &where), 0);
	assert_int_equal(where, 2);
	nhn_worker_stop(worker);
	assert_int_equal(nhn_worker_run(worker, 0, note_lcore, &where), 0);
	assert_int_equal(where, rte_lcore_id()); /* nobody else runs its rounds */
	assert_int_equal(nhn_worker_run(worker, 7, note_lcore, &where), -ENOENT);
}

static void
test_service_cores_run_it(void **state)
{
	static const unsigned int lcores[] = {3};
	uint32_t i;
	int ret = rte_service_lcore_start(3);

	(void)state;
	assert_true(ret == 0 || ret == -EALREADY); /* EAL starts them, too */
	running(lcores, 1, NHN_WORKER_LAUNCH_SERVICE, NHN_WORKER_IDLE_BUSY);
	for (i = 0; i < 3; i++)
		serve(i);
	wait_for(all_up);
	exchange(&pair[2], 10);
	assert_int_equal(pair[2].lcore, 3);
	assert_int_equal(nhn_worker_remove(worker, 2), 0);
	exchange(&pair[1], 10);
	nhn_worker_stop(worker);
	rte_service_lcore_stop(3);
	rte_eal_wait_lcore(3);
	assert_int_equal(nhn_worker_start(worker), -ENODEV);
}

/* ---- bad input ---- */

static void
expect_refused(const unsigned int *lcores, uint32_t count, enum nhn_worker_launch launch)
{
	struct nhn_worker_config config = {.name = "bad",
					   .links_max = 3,
					   .lcores = lcores,
					   .lcore_count = count,
					   .launch = launch};

	rte_errno = 0;
	assert_null(nhn_worker_create(&config));
	assert_int_equal(rte_errno, EINVAL);
}

static void
test_bad_configurations(void **state)
{
	static const unsigned int twice[] = {1, 2, 1}, foreign[] = {1, 9}, beyond[] = {100000},
				  main_lcore[] = {0}, service[] = {3};
	char name[NHN_WORKER_NAME_BYTES + 1];
	struct nhn_worker_config config = {
		.name = name, .links_max = 1, .lcores = lcore_one, .lcore_count = 1};

	(void)state;
	expect_refused(twice, 3, NHN_WORKER_LAUNCH_LCORE);
	expect_refused(foreign, 2, NHN_WORKER_LAUNCH_LCORE);
	expect_refused(beyond, 1, NHN_WORKER_LAUNCH_LCORE);
	expect_refused(main_lcore, 1, NHN_WORKER_LAUNCH_LCORE);
	expect_refused(service, 1, NHN_WORKER_LAUNCH_LCORE);
	expect_refused(lcore_one, 1, NHN_WORKER_LAUNCH_SERVICE);
	expect_refused(lcore_one, 0, NHN_WORKER_LAUNCH_LCORE);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_null(nhn_worker_create(&config));
	name[NHN_WORKER_NAME_BYTES - 1] = '\0';
	config.links_max = 0;
	assert_null(nhn_worker_create(&config));
	config.links_max = 1;
	worker = nhn_worker_create(&config);
	assert_non_null(worker);
}

static void
test_bad_links(void **state)
{
	struct nhn_worker_link link = rig_link(0);

	(void)state;
	manual(BUDGET);
	serve(0);
	assert_int_equal(nhn_worker_add(worker, &link), -EEXIST);
	link = rig_link(1);
	link.lcore = 2;
	assert_int_equal(nhn_worker_add(worker, &link), -EINVAL);
	link = rig_link(1);
	link.message = NULL;
	assert_int_equal(nhn_worker_add(worker, &link), -EINVAL);
	assert_int_equal(nhn_worker_remove(worker, 1), -ENOENT);
	serve(1);
	serve(2);
	link = rig_link(3);
	assert_int_equal(nhn_worker_add(worker, &link), -ENOSPC);
	assert_int_equal(nhn_worker_remove(worker, 1), 0);
	assert_int_equal(nhn_worker_add(worker, &link), 0);
}

int
main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		TEST(test_budget_bounds_a_link_in_a_round),
		TEST(test_idle_links_are_not_called),
		TEST(test_drained_ring_is_told_to_its_writer),
		TEST(test_refused_message_is_offered_again_later),
		TEST(test_blocked_sending_goes_on),
		TEST(test_layout_with_more_channels_is_watched),
		TEST(test_counters),
		TEST(test_poll_until_ends_before_its_deadline),
		TEST(test_control_keeps_up_with_long_rounds),
		TEST(test_links_come_and_go_while_it_runs),
		TEST(test_run_calls_on_the_links_lcore),
		TEST(test_service_cores_run_it),
		TEST(test_bad_configurations),
		TEST(test_bad_links),
	};
	int ret;

	(void)argc;
	if (rig_start(argv[0]) != 0)
		return 1;
	ret = cmocka_run_group_tests_name("worker", tests, NULL, NULL);
	rte_eal_cleanup();
	return ret;
}
