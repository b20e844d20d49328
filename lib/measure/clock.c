/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <nhn_clock.h>

#define NS_PER_S UINT64_C(1000000000)
#define PPM 1e6

#define CALIBRATION_STAMPS 6
#define CALIBRATION_TRIES 32
#define CALIBRATION_PERIOD_NS 10000000

__extension__ typedef unsigned __int128 u128;

static int
stamp_try(struct nhn_clock_stamp *stamp)
{
	const uint64_t before = nhn_clock_now_ordered();
	struct timespec reference;
	uint64_t after;

	if (clock_gettime(CLOCK_MONOTONIC_RAW, &reference) != 0)
		return -errno;
	after = nhn_clock_now_ordered();
	if (after < before)
		return -ENOTSUP;

	stamp->width_cycles = after - before;
	stamp->cycles = before + stamp->width_cycles / 2;
	stamp->ns = (uint64_t)reference.tv_sec * NS_PER_S + (uint64_t)reference.tv_nsec;
	return 0;
}

static int
stamp_tightest(struct nhn_clock_stamp *best)
{
	struct nhn_clock_stamp stamp;
	int ret;

	best->width_cycles = UINT64_MAX;
	for (unsigned int i = 0; i < CALIBRATION_TRIES; i++) {
		ret = stamp_try(&stamp);
		if (ret != 0)
			return ret;
		if (stamp.width_cycles < best->width_cycles)
			*best = stamp;
	}
	return 0;
}

/*
 * Sleeping rather than spinning: a counter that stops while its core idles has
 * to be caught here.
 */
static int
sleep_ns(long ns)
{
	struct timespec left = {.tv_nsec = ns};

	while (nanosleep(&left, &left) != 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static double
span_error_ppm(const struct nhn_clock_stamp *from, const struct nhn_clock_stamp *to)
{
	/* At each end: half the bracket, and the last digit of both clocks. */
	const double cycles_off = (double)from->width_cycles / 2 + (double)to->width_cycles / 2 + 2;
	const double ns_off = 2;

	return PPM * (cycles_off / (double)(to->cycles - from->cycles) +
		      ns_off / (double)(to->ns - from->ns));
}

static bool
span_is_even(const struct nhn_clock *clock, const struct nhn_clock_stamp *from,
	     const struct nhn_clock_stamp *to)
{
	const double hz = (double)(to->cycles - from->cycles) * (double)NS_PER_S /
			  (double)(to->ns - from->ns);
	const double off_ppm = PPM * (hz / (double)clock->hz - 1);
	const double allowed_ppm =
		span_error_ppm(from, to) + clock->error_ppm + NHN_CLOCK_UNEVEN_PPM;

	return off_ppm <= allowed_ppm && -off_ppm <= allowed_ppm;
}

int
nhn_clock_init_hz(struct nhn_clock *clock, uint64_t hz)
{
	if (hz < NHN_CLOCK_HZ_MIN || hz > NHN_CLOCK_HZ_MAX)
		return -EINVAL;

	clock->hz = hz;
	clock->mult = (uint64_t)((((u128)NS_PER_S << NHN_CLOCK_SHIFT) + hz / 2) / hz);
	clock->error_ppm = 0;
	return 0;
}

int
nhn_clock_fit(struct nhn_clock *clock, const struct nhn_clock_stamp *stamps, unsigned int count)
{
	struct nhn_clock fitted;
	uint64_t span_ns;
	u128 hz;

	if (count < 2)
		return -EINVAL;
	for (unsigned int i = 1; i < count; i++) {
		if (stamps[i].cycles <= stamps[i - 1].cycles || stamps[i].ns <= stamps[i - 1].ns)
			return -ENOTSUP;
	}

	span_ns = stamps[count - 1].ns - stamps[0].ns;
	hz = ((u128)(stamps[count - 1].cycles - stamps[0].cycles) * NS_PER_S + span_ns / 2) /
	     span_ns;
	if (hz > NHN_CLOCK_HZ_MAX || nhn_clock_init_hz(&fitted, (uint64_t)hz) != 0)
		return -ENOTSUP;
	fitted.error_ppm = span_error_ppm(&stamps[0], &stamps[count - 1]);

	for (unsigned int i = 1; i < count; i++) {
		if (!span_is_even(&fitted, &stamps[i - 1], &stamps[i]))
			return -ENOTSUP;
	}
	*clock = fitted;
	return 0;
}

int
nhn_clock_init(struct nhn_clock *clock)
{
	struct nhn_clock_stamp stamps[CALIBRATION_STAMPS];
	int ret;

	for (unsigned int i = 0; i < CALIBRATION_STAMPS; i++) {
		ret = i == 0 ? 0 : sleep_ns(CALIBRATION_PERIOD_NS);
		if (ret != 0)
			return ret;
		ret = stamp_tightest(&stamps[i]);
		if (ret != 0)
			return ret;
	}
	return nhn_clock_fit(clock, stamps, CALIBRATION_STAMPS);
}
