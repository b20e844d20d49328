/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/worker on lcores and service cores, and what it refuses. */

#include "worker_rig.h"

#define SOON_US 5000000u

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
	ret = cmocka_run_group_tests_name("worker_lcore", tests, NULL, NULL);
	rte_eal_cleanup();
	return ret;
}
