/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment of one process of the contest, begun by the first contestant that needs it. */
#ifndef CONTEST_EAL_H
#define CONTEST_EAL_H

#include "contest.h"

/**
 * Begin it, once a process, after the fork: its threads would not survive that. It ends with
 * the process.
 * @return 0, or -1 with the reason in @p why, from then on at each call
 */
int contest_eal(const struct contest_place *place, char *why, size_t why_bytes);

#endif /* CONTEST_EAL_H */
