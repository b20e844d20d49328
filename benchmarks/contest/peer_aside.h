/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The threads and the daemon that a library brings must not live on the core that polls:
 * they inherit the affinity of who starts them.
 */
#ifndef PEER_ASIDE_H
#define PEER_ASIDE_H

#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "contest.h"
#include "nhn_word.h"
#include "peer_patience.h"

struct aside_cores {
	uint32_t core_and_1[2];
};

static inline size_t
aside_shared_bytes(const struct contest_place *place)
{
	(void)place;
	return sizeof(struct aside_cores);
}

static inline void
aside_sleep_1ms(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/** Tell the other side our core, learn its. @return the core, or -1 when it did not come */
static inline int
aside_other_core(const struct contest_place *place)
{
	struct aside_cores *cores = (struct aside_cores *)place->shared;
	const uint32_t *theirs = &cores->core_and_1[place->side == CONTEST_NEAR];
	const struct patience patience = patience_begin();

	nhn_store_release(&cores->core_and_1[place->side != CONTEST_NEAR],
			  (uint32_t)place->core + 1);
	while (nhn_load_acquire(theirs) == 0 && patience_lasts(&patience))
		;
	return (int)nhn_load_acquire(theirs) - 1;
}

/**
 * Let this thread, and what it starts from here on, run on all cores but the two that poll;
 * on all where the machine has no other.
 * @return whether there are others; where not, aside_yield()
 */
static inline bool
aside_begin(const struct contest_place *place, int other, cpu_set_t *pinned)
{
	cpu_set_t cores;
	int i;

	sched_getaffinity(0, sizeof(*pinned), pinned);
	CPU_ZERO(&cores);
	for (i = 0; i < CPU_SETSIZE; i++) {
		if (i != place->core && i != other)
			CPU_SET((size_t)i, &cores);
	}
	if (sched_setaffinity(0, sizeof(cores), &cores) == 0)
		return true;
	CPU_SET((size_t)place->core, &cores);
	CPU_SET((size_t)other, &cores);
	sched_setaffinity(0, sizeof(cores), &cores);
	return false;
}

static inline void
aside_end(const cpu_set_t *pinned)
{
	sched_setaffinity(0, sizeof(*pinned), pinned);
}

/** Where threads have to share a core with a loop that got nothing done: they come first. */
static inline void
aside_yield(bool crowded)
{
	if (crowded)
		sched_yield();
}

#endif /* PEER_ASIDE_H */
