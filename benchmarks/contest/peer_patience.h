/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for the other side, when both open: without a sleep at first, so that what an opening
 * takes is not how long a sleep is.
 */
#ifndef PEER_PATIENCE_H
#define PEER_PATIENCE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define PATIENCE_NS INT64_C(10000000000)
#define PATIENCE_AWAKE_NS INT64_C(5000000)
#define PATIENCE_SLEEP_NS 100000

struct patience {
	int64_t begin_ns;
};

static inline int64_t
patience_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline struct patience
patience_begin(void)
{
	return (struct patience){.begin_ns = patience_now_ns()};
}

/** For poll(2) and its like. @return 0 when it is over */
static inline int
patience_left_ms(const struct patience *patience)
{
	const int64_t left = patience->begin_ns + PATIENCE_NS - patience_now_ns();

	return left > 0 ? (int)(left / 1000000) : 0;
}

/** Pause between two looks. @return whether to look again */
static inline bool
patience_lasts(const struct patience *patience)
{
	const int64_t waited = patience_now_ns() - patience->begin_ns;

	if (waited < PATIENCE_AWAKE_NS)
		sched_yield(); /* to threads of a library, which may do what is waited for */
	else
		nanosleep(&(struct timespec){.tv_nsec = PATIENCE_SLEEP_NS}, NULL);
	return waited < PATIENCE_NS;
}

#endif /* PEER_PATIENCE_H */
