/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nhn_clock.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

__extension__ typedef unsigned __int128 u128;

static const uint64_t rates_hz[] = {
	NHN_CLOCK_HZ_MIN,     UINT64_C(10000000),   UINT64_C(24000000),	  UINT64_C(62500000),
	UINT64_C(999999999),  UINT64_C(1000000000), UINT64_C(2596148429), UINT64_C(3000000000),
	UINT64_C(5700000001), NHN_CLOCK_HZ_MAX,
};

static void
assert_ns_exact(const struct nhn_clock *clock, uint64_t cycles)
{
	const u128 exact = (u128)cycles * 1000000000 / clock->hz;
	const uint64_t ns = nhn_clock_ns(clock, cycles);
	u128 off;

	if (exact > UINT64_MAX)
		return;
	off = ns > exact ? ns - exact : exact - ns;
	assert_true(off <= exact / 1000000000000 + 1);
}

static void
test_ns_against_128_bit_arithmetic(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates_hz); i++) {
		struct nhn_clock clock;

		assert_int_equal(nhn_clock_init_hz(&clock, rates_hz[i]), 0);
		assert_true(clock.hz == rates_hz[i]);
		assert_int_equal(nhn_clock_ns(&clock, 0), 0);
		for (uint64_t power = 1; power != 0; power <<= 1) {
			assert_ns_exact(&clock, power - 1);
			assert_ns_exact(&clock, power);
			assert_ns_exact(&clock, power + 1);
			assert_ns_exact(&clock, power + power / 3);
		}
		assert_ns_exact(&clock, UINT64_MAX);
	}
}

static void
test_rate_limits(void **state)
{
	struct nhn_clock clock = {.hz = 5};

	(void)state;
	assert_int_equal(nhn_clock_init_hz(&clock, 0), -EINVAL);
	assert_int_equal(nhn_clock_init_hz(&clock, NHN_CLOCK_HZ_MIN - 1), -EINVAL);
	assert_int_equal(nhn_clock_init_hz(&clock, NHN_CLOCK_HZ_MAX + 1), -EINVAL);
	assert_int_equal(clock.hz, 5);
}

/* A counter of 2.5 GHz, its stamps 10 ms apart and each 100 cycles wide. */
static void
even_stamps(struct nhn_clock_stamp stamps[6])
{
	for (unsigned int i = 0; i < 6; i++) {
		stamps[i].cycles = (UINT64_C(1) << 40) + i * UINT64_C(25000000);
		stamps[i].width_cycles = 100;
		stamps[i].ns = UINT64_C(77) * 1000000000 + i * UINT64_C(10000000);
	}
}

static void
test_fit_even_counter(void **state)
{
	struct nhn_clock_stamp stamps[6];
	struct nhn_clock clock;

	(void)state;
	even_stamps(stamps);
	assert_int_equal(nhn_clock_fit(&clock, stamps, 6), 0);
	assert_true(clock.hz == UINT64_C(2500000000));
	/* (50 + 50 + 2) cycles of 125e6, and 2 ns of 50e6 */
	assert_true(clock.error_ppm > 0.855 && clock.error_ppm < 0.857);
	assert_int_equal(nhn_clock_fit(&clock, stamps, 2), 0);
	assert_int_equal(nhn_clock_fit(&clock, stamps, 1), -EINVAL);
}

static void
test_fit_error_covers_wide_brackets(void **state)
{
	struct nhn_clock_stamp stamps[6];
	struct nhn_clock clock;

	(void)state;
	even_stamps(stamps);
	/* The reference was read at the very start of a stall of 40 us. */
	stamps[5].width_cycles = 100000;
	stamps[5].cycles += 50000;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 6), 0);
	assert_true((double)clock.hz * (1 - clock.error_ppm / 1e6) <= 2.5e9);
	assert_true((double)clock.hz * (1 + clock.error_ppm / 1e6) >= 2.5e9);
	assert_true(clock.error_ppm > 400);
}

static void
test_fit_refuses_uneven_counter(void **state)
{
	struct nhn_clock_stamp stamps[6];
	struct nhn_clock clock = {.hz = 5};

	(void)state;
	/* From the third stamp on 1 % slow, as a counter that follows the core. */
	even_stamps(stamps);
	for (unsigned int i = 3; i < 6; i++)
		stamps[i].cycles -= (i - 2) * UINT64_C(250000);
	assert_int_equal(nhn_clock_fit(&clock, stamps, 6), -ENOTSUP);

	/* In one span 3 us too few or too many: the other spans stray by 60 ppm only. */
	even_stamps(stamps);
	for (unsigned int i = 3; i < 6; i++)
		stamps[i].cycles -= 7500;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 6), -ENOTSUP);
	for (unsigned int i = 3; i < 6; i++)
		stamps[i].cycles += 15000;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 6), -ENOTSUP);

	even_stamps(stamps);
	stamps[4].cycles = stamps[3].cycles;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 6), -ENOTSUP);

	even_stamps(stamps);
	stamps[1].ns = stamps[0].ns;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 2), -ENOTSUP);
	assert_int_equal(clock.hz, 5);
}

static void
test_fit_refuses_rates_out_of_limits(void **state)
{
	struct nhn_clock_stamp stamps[2] = {
		{.cycles = 0, .ns = 0},
		{.cycles = NHN_CLOCK_HZ_MIN / 2, .ns = UINT64_C(1000000000)},
	};
	struct nhn_clock clock;

	(void)state;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 2), -ENOTSUP);
	stamps[1].cycles = NHN_CLOCK_HZ_MAX * 2;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 2), -ENOTSUP);
	/* 2^64 Hz and some: a rate that fits the limits once cut to 64 bits. */
	stamps[1].cycles = UINT64_C(18446744074);
	stamps[1].ns = 1;
	assert_int_equal(nhn_clock_fit(&clock, stamps, 2), -ENOTSUP);
}

static void
test_calibration(void **state)
{
	struct nhn_clock clock;
	const int ret = nhn_clock_init(&clock);

	(void)state;
	if (ret == -ENOTSUP) {
		print_message("the counter of this machine does not advance evenly\n");
		skip();
	}
	assert_int_equal(ret, 0);
	print_message("counter %.6f MHz, error %.3f ppm\n", (double)clock.hz / 1e6,
		      clock.error_ppm);
	assert_true(clock.hz >= NHN_CLOCK_HZ_MIN && clock.hz <= UINT64_C(10000000000));
	assert_true(clock.error_ppm > 0);
}

/* On one core, as counters of two cores need not be in step. */
static void
test_counter_does_not_go_back(void **state)
{
	uint64_t last, first;
	cpu_set_t here;

	(void)state;
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);

	first = last = nhn_clock_now_ordered();
	for (unsigned int i = 0; i < 1000000; i++) {
		const uint64_t now = i % 2 == 0 ? nhn_clock_now() : nhn_clock_now_ordered();

		assert_true(now >= last);
		last = now;
	}
	assert_true(last > first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ns_against_128_bit_arithmetic),
		cmocka_unit_test(test_rate_limits),
		cmocka_unit_test(test_fit_even_counter),
		cmocka_unit_test(test_fit_error_covers_wide_brackets),
		cmocka_unit_test(test_fit_refuses_uneven_counter),
		cmocka_unit_test(test_fit_refuses_rates_out_of_limits),
		cmocka_unit_test(test_calibration),
		cmocka_unit_test(test_counter_does_not_go_back),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
