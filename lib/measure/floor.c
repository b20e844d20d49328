/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdint.h>

#include <nhn_clock.h>
#include <nhn_floor.h>
#include <nhn_histogram.h>

#define NS_PER_S UINT64_C(1000000000)

__extension__ typedef unsigned __int128 u128;

static uint64_t
cycles_of(const struct nhn_clock *clock, uint64_t ns)
{
	const u128 cycles = ((u128)ns * clock->hz + NS_PER_S - 1) / NS_PER_S;

	return cycles > UINT64_MAX ? UINT64_MAX : (uint64_t)cycles;
}

void
nhn_floor_run(const struct nhn_clock *clock, uint64_t duration_ns, struct nhn_histogram *gaps)
{
	const uint64_t duration_cycles = cycles_of(clock, duration_ns);
	const uint64_t begin = nhn_clock_now();
	uint64_t last = begin;

	/* Each gap by itself, so that no rounding adds up to a gap that was not. */
	do {
		const uint64_t now = nhn_clock_now();

		nhn_histogram_record(gaps, nhn_clock_ns(clock, now - last));
		last = now;
	} while (last - begin < duration_cycles);
}
