/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A run: warm-up, then rounds of an engine between blocks of the limit and of
 * the noise floor, until there are enough of them.
 */
#ifndef RUN_H
#define RUN_H

#include <pthread.h>

#include "engine.h"
#include "near.h"
#include "result.h"
#include "settings.h"
#include "way.h"

/** Round trips of each kind that come first and are left out. */
#define WARMUP_TRIPS 10000u
/** Round trips of a limit block. */
#define LIMIT_TRIPS 10000u
/** Messages of a round: a twentieth of all between these. */
#define ROUND_MESSAGES_MIN UINT64_C(1000)
#define ROUND_MESSAGES_MAX UINT64_C(50000)
/** Where time ends a run, a round is to last so long; paced ones a second. */
#define ROUND_NS UINT64_C(50000000)
/** Where samples end it, a round of slow messages lasts no longer. */
#define ROUND_NS_MAX UINT64_C(1000000000)
#define PACED_ROUND_NS UINT64_C(1000000000)
/** Rounds run at most, over those planned. */
#define ROUNDS_FACTOR 3u
/** A round is dropped when its limits before and after differ by more. */
#define LIMIT_DRIFT 0.20
/** The floor between two rounds lasts as long as a round, within these. */
#define FLOOR_NS_MIN UINT64_C(1000000)
#define FLOOR_NS_MAX UINT64_C(50000000)
/** Stamped round trips beside each round. */
#define STAMP_TRIPS 1000u
/** Exchanges of clocks; the one with the shortest round trip counts. */
#define CLOCK_EXCHANGES 100u

struct run {
	struct way *way;
	const struct way_calls *calls;
	const struct nhn_clock *clock;
	const struct settings *settings;
	const struct engine *engine;
	struct result *result;
	pthread_mutex_t *lock; /**< held while result changes; never within a round's loop */
	volatile sig_atomic_t *stopped;
	/** Called between rounds, not under the lock: the live view. */
	void (*tell)(void *context, const struct run *run);
	void *tell_context;

	/* of the run itself */
	struct near near;
	struct nhn_observer observer;
	uint64_t begun;		     /**< cycles at the first round's begin */
	uint64_t restarts_before;    /**< of the far end, when the rounds began */
	uint64_t planned_done;	     /**< messages of kept rounds, as planned */
	uint64_t round_messages;     /**< of this round */
	struct nhn_histogram *round; /**< = &result->round */
	struct nhn_histogram *extra; /**< = &result->round_extra */
	struct moved moved;	     /**< of this round */
	struct schedule schedule;    /**< of this round: paced */
};

/** Run it all, into a result that result_begin() made. @return 0, or -errno with a sentence said:
 * nothing was measured */
int run_all(struct run *run);

/** Give a far end that was just started, or restarted, the orders of this run. */
enum outcome run_orders(struct run *run);

#endif /* RUN_H */
