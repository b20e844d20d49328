/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_FLOOR_H
#define NHN_FLOOR_H

/**
 * @file
 * The noise floor of a core: how long a thread on it is kept from running.
 *
 * A loop reads the counter, and nothing else, and records the gap between each two
 * neighbouring reads. What takes the core away for a while, an interrupt, another
 * thread, a hypervisor, the firmware, lengthens the gap that it falls into by as long as
 * it takes. The gaps have no hole between them: their sum is the time that the loop ran.
 *
 * What a gap means:
 *
 * - The ordinary one is what a turn of the loop costs: a clock read, and keeping the
 *   last gap, which takes some nanoseconds (benchmarks/micro/recorder). Nothing shorter
 *   is seen.
 * - The resolution of the counter shows. One of 25 MHz gives gaps of 0 and 40 ns only;
 *   those of 0 are counted in nhn_histogram::below.
 * - The tail is the machine's: a latency measured on the same core at the same time
 *   cannot have a better one. Quote it beside each tail.
 * - A counter that goes back, as between two cores that are not in step, makes a gap
 *   above the range: pin the thread.
 */

#include <stdint.h>

#include <nhn_clock.h>
#include <nhn_histogram.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Read the clock for *duration_ns* on the calling thread and add the gaps to *gaps*,
 * which is initialised. The first read opens the first gap: there is always one gap at
 * least, and there is none for what came before. The last gap may end later than
 * *duration_ns*. No system call, no allocation.
 */
void nhn_floor_run(const struct nhn_clock *clock, uint64_t duration_ns, struct nhn_histogram *gaps);

#ifdef __cplusplus
}
#endif

#endif /* NHN_FLOOR_H */
