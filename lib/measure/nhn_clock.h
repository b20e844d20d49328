/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_CLOCK_H
#define NHN_CLOCK_H

/**
 * @file
 * The processor's time counter as a clock in nanoseconds.
 *
 * Counter read, by architecture: the TSC on x86-64, CNTVCT_EL0 on AArch64,
 * the time CSR on riscv64. A difference of two reads is a number of *cycles* of
 * that counter (not of the core), turned into nanoseconds by a struct nhn_clock.
 *
 * Reads on two cores are comparable only where the platform keeps their
 * counters in step (on x86 Linux: where the kernel itself uses clocksource
 * tsc), and reads in a host and its guest differ by the guest's TSC offset.
 * nhn_clock_init() proves neither.
 */

#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#elif !defined(__aarch64__) && !(defined(__riscv) && __riscv_xlen == 64)
#error "no time counter is known for this architecture"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Slowest and fastest counter accepted, in Hz. */
#define NHN_CLOCK_HZ_MIN UINT64_C(1000000)
#define NHN_CLOCK_HZ_MAX UINT64_C(100000000000)

/**
 * Fraction bits of nhn_clock::mult. At NHN_CLOCK_HZ_MIN mult takes 58 bits, so
 * its 128-bit product with any 64-bit count cannot overflow; at
 * NHN_CLOCK_HZ_MAX its rounding is still below 2e-13 of its value.
 */
#define NHN_CLOCK_SHIFT 48

/**
 * How far, in parts per million, one span of a calibration may stray from the
 * whole beyond what the stamps' own uncertainty explains. A counter that
 * follows the core's frequency or stops in a sleep state strays by percents; a
 * sound one by less than 1 ppm.
 */
#define NHN_CLOCK_UNEVEN_PPM 100.0

/**
 * A calibrated counter. Written by the init functions only; any number of
 * threads may then read one, without locks.
 */
struct nhn_clock {
	uint64_t hz;	  /**< counter cycles per second */
	uint64_t mult;	  /**< ns per cycle, times 2^NHN_CLOCK_SHIFT */
	double error_ppm; /**< bound of the error of hz, parts per million */
};

/**
 * One reading of the reference clock between two readings of the counter. The
 * reference was read at counter value *cycles*, give or take half of
 * *width_cycles*.
 */
struct nhn_clock_stamp {
	uint64_t cycles;       /**< middle of the two counter readings */
	uint64_t width_cycles; /**< from the first reading to the second */
	uint64_t ns;	       /**< what the reference clock said */
};

/**
 * Calibrate the counter against CLOCK_MONOTONIC_RAW. Sleeps about 50 ms: six
 * stamps 10 ms apart, each the tightest of 32 tries.
 *
 * error_ppm bounds the error against CLOCK_MONOTONIC_RAW; how far that clock is
 * from true seconds is the kernel's affair and not part of it.
 *
 * @return 0, or -ENOTSUP when the counter does not advance evenly, or the
 *   -errno of clock_gettime() or nanosleep(). On error *clock* is unchanged.
 */
int nhn_clock_init(struct nhn_clock *clock);

/**
 * Take the counter's rate as given, with error_ppm 0: for a rate that firmware
 * states, or that another process calibrated.
 *
 * @return 0, or -EINVAL when *hz* is outside NHN_CLOCK_HZ_MIN..NHN_CLOCK_HZ_MAX
 *   (*clock* is then unchanged).
 */
int nhn_clock_init_hz(struct nhn_clock *clock, uint64_t hz);

/**
 * The arithmetic of nhn_clock_init(), on stamps taken elsewhere: rate from the
 * first to the last stamp, error from their widths, evenness from all spans
 * between neighbours.
 *
 * @param stamps  in the order taken.
 * @param count   at least 2.
 * @return 0, or -EINVAL when *count* is below 2, or -ENOTSUP when a clock did
 *   not advance, advanced unevenly, or runs at a rate that nhn_clock_init_hz()
 *   refuses. On error *clock* is unchanged.
 */
int nhn_clock_fit(struct nhn_clock *clock, const struct nhn_clock_stamp *stamps,
		  unsigned int count);

/**
 * Read the counter, in cycles. The processor may move the read past
 * neighbouring instructions, by tens of cycles: meant for time stamps in a hot
 * loop, where a fence would cost more than that.
 */
static inline uint64_t
nhn_clock_now(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#elif defined(__aarch64__)
	uint64_t cycles;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(cycles));
	return cycles;
#else
	uint64_t cycles;

	__asm__ volatile("rdtime %0" : "=r"(cycles));
	return cycles;
#endif
}

/**
 * Read the counter, in cycles, after all earlier loads completed and before any
 * later instruction starts (riscv64: before any later memory access).
 */
static inline uint64_t
nhn_clock_now_ordered(void)
{
	uint64_t cycles;

#if defined(__x86_64__)
	_mm_lfence();
	cycles = nhn_clock_now();
	_mm_lfence();
#elif defined(__aarch64__)
	__asm__ volatile("dsb ld\n\tisb" ::: "memory");
	cycles = nhn_clock_now();
	__asm__ volatile("isb" ::: "memory");
#else
	/* The ISA counts a CSR read as device input, hence i beside rw. */
	__asm__ volatile("fence iorw, iorw" ::: "memory");
	cycles = nhn_clock_now();
	__asm__ volatile("fence iorw, iorw" ::: "memory");
#endif
	return cycles;
}

/**
 * Cycles to nanoseconds, rounded down: one multiplication and one shift. Adds
 * less than 1e-12 relative and 1 ns to the error of hz. The result is modulo
 * 2^64 ns (584 years), which only a counter below 1 GHz can reach.
 */
static inline uint64_t
nhn_clock_ns(const struct nhn_clock *clock, uint64_t cycles)
{
	__extension__ const unsigned __int128 product = (unsigned __int128)cycles * clock->mult;

	return (uint64_t)(product >> NHN_CLOCK_SHIFT);
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_CLOCK_H */
