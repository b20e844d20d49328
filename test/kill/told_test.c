/* SPDX-License-Identifier: BSD-3-Clause */
/* When a side is told of its peer's death, to the control step, under a fake clock. */

#include "link_rig.h"

#define PERIOD_US 1000u
#define MISSES 10u
#define LIMIT_NS (UINT64_C(1000) * PERIOD_US * MISSES)

static enum nhn_link_state
step_after(struct side *side, uint64_t interval_ns)
{
	rig.now_ns += interval_ns;
	return nhn_link_control(&side->link, rig.now_ns);
}

/* The last sign of life is seen at a control step; from then on the peer is dead. */
static void
told_in_time(struct side *survivor, struct side *dead, uint64_t interval_ns)
{
	uint64_t seen_ns, i;

	for (i = 0; i < 20; i++) {
		step_after(dead, PERIOD_US * 1000);
		assert_int_equal(step_after(survivor, 0), NHN_LINK_UP);
	}
	seen_ns = rig.now_ns;
	while (rig.now_ns + interval_ns <= seen_ns + LIMIT_NS)
		assert_int_equal(step_after(survivor, interval_ns), NHN_LINK_UP);
	assert_int_equal(step_after(survivor, interval_ns), NHN_LINK_STALLED);
	assert_true(rig.now_ns > seen_ns + LIMIT_NS);
	assert_true(rig.now_ns <= seen_ns + LIMIT_NS + interval_ns);
	step_after(dead, 0); /* it was stopped only */
	assert_int_equal(step_after(survivor, interval_ns), NHN_LINK_UP);
}

static void
test_told_within_the_limit_and_one_step(void **state)
{
	static const uint64_t interval_ns[] = {1000, 7000, 300000, 999999, 5000000};
	uint32_t i;

	(void)state;
	rig.host.config.beat_period_us = PERIOD_US;
	rig.host.config.beat_misses = MISSES;
	rig_begin(&rig);
	for (i = 0; i < sizeof(interval_ns) / sizeof(interval_ns[0]); i++) {
		told_in_time(&rig.host, &rig.guest, interval_ns[i]);
		told_in_time(&rig.guest, &rig.host, interval_ns[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told_within_the_limit_and_one_step, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
