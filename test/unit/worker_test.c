/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/worker: rounds counted one by one on the test's own thread, then on lcores. */

#include "worker_rig.h"

/* ---- rounds, one by one ---- */

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
	assert_int_equal(nhn_worker_link_stats_get(worker, 0, &link), 0);
	assert_int_equal(nhn_worker_lcore_stats_get(worker, 0, &stats), 0);
	far_send(&pair[0], BUDGET + 1);
	worker_turn(lcore);
	worker_turn(lcore);
	{
		struct nhn_worker_lcore_stats later;
		struct nhn_worker_link_stats link_later;

		assert_int_equal(nhn_worker_lcore_stats_get(worker, 0, &later), 0);
		assert_int_equal(later.rounds - stats.rounds, 2);
		assert_int_equal(later.rounds_worked - stats.rounds_worked, 2);
		assert_int_equal(later.steps - stats.steps, BUDGET + 1);
		assert_int_equal(later.links, 1);
		assert_int_equal(later.lcore, 1);
		assert_int_equal(nhn_worker_link_stats_get(worker, 0, &link_later), 0);
		assert_int_equal(link_later.steps - link.steps, BUDGET + 1);
		assert_int_equal(link_later.exhausted - link.exhausted, 1);
		assert_int_equal(link_later.state, NHN_LINK_UP);
		assert_string_equal(link_later.name, "pair");
	}
	assert_int_equal(nhn_worker_lcore_stats_get(worker, 1, &stats), -ENOENT);
	assert_int_equal(nhn_worker_link_stats_get(worker, 9, &link), -ENOENT);
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
	};
	int ret;

	(void)argc;
	if (rig_start(argv[0]) != 0)
		return 1;
	ret = cmocka_run_group_tests_name("worker", tests, NULL, NULL);
	rte_eal_cleanup();
	return ret;
}
