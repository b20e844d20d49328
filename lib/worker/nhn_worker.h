/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The host lcore worker: one process that serves the links of all guests of a
 * machine, from one lcore or several, on DPDK.
 *
 *     control thread                          lcore (one of several)
 *     nhn_worker_create()
 *     nhn_worker_add(): a link, its lcore --> round: each of its links in turn,
 *     nhn_worker_start()                        at most budget steps of each,
 *     nhn_worker_add(), _remove(), _run():      messages handed to callbacks
 *       while it runs, the others not stopped
 *     nhn_worker_stop(), nhn_worker_destroy()
 *
 * A round looks at each channel of each link: one load and one comparison where
 * nothing has come (doc/guides/worker has the cost). A link that has something
 * gets at most *budget* steps, a step being at most NHN_MSG_STEP_BYTES or one
 * message (nhn_endpoint_step()); so no link waits for more than a round, whatever
 * the others do. Control steps of the links are taken in turn, between rounds.
 *
 * Threads: a link's endpoint belongs to its lcore from nhn_worker_add() to the
 * return of nhn_worker_remove(); its callbacks are called there. The functions
 * below may be called from any thread that is not one of the worker's lcores,
 * nhn_worker_poll_until() and the callbacks apart.
 */
#ifndef NHN_WORKER_H
#define NHN_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Steps of a link in a round, where the configuration says 0. */
#define NHN_WORKER_BUDGET 32u
/** Lcores of a worker at most. */
#define NHN_WORKER_LCORES_MAX 64u
/** Bytes of a name, its 0 included. */
#define NHN_WORKER_NAME_BYTES 64u
/** Lcore of a link: the one with the fewest links. */
#define NHN_WORKER_ANY_LCORE UINT32_MAX

/** What an lcore does after a round that found nothing. */
enum nhn_worker_idle {
	NHN_WORKER_IDLE_BUSY,	  /**< the next round */
	NHN_WORKER_IDLE_PAUSE,	  /**< a pause instruction */
	NHN_WORKER_IDLE_ADAPTIVE, /**< the same; after idle_after_us without work it sleeps */
	/** No loop of its own: the program calls nhn_worker_poll_until() in its gaps. */
	NHN_WORKER_IDLE_DEADLINE,
};

/** Who runs the rounds. */
enum nhn_worker_launch {
	NHN_WORKER_LAUNCH_LCORE,   /**< EAL worker lcores, each with a loop */
	NHN_WORKER_LAUNCH_SERVICE, /**< rte_service: one service an lcore, run by service cores */
};

struct nhn_worker_config {
	const char *name;	    /**< in logs and telemetry; under NHN_WORKER_NAME_BYTES */
	uint32_t links_max;	    /**< at once, on all lcores */
	uint32_t budget;	    /**< steps of a link in a round; 0: NHN_WORKER_BUDGET */
	const unsigned int *lcores; /**< EAL's numbers, each once, worker or service lcores */
	uint32_t lcore_count;
	enum nhn_worker_launch launch;
	enum nhn_worker_idle idle;
	uint32_t idle_after_us; /**< adaptive: without work for so long, ... */
	uint32_t idle_sleep_us; /**< ... it sleeps so long between two rounds */
};

/** A link to serve. What it points to stays until nhn_worker_remove() has returned. */
struct nhn_worker_link {
	uint32_t id;	  /**< its number in this worker, for telemetry and for switching */
	const char *name; /**< copied */
	/** Of an initialised link, host's or guest's, with the clock nhn_worker_now_ns(). */
	struct nhn_endpoint *endpoint;
	uint32_t lcore; /**< EAL's number, or NHN_WORKER_ANY_LCORE */
	/**
	 * A channel without a handler can be read: take one step by nhn_msg_receive() or
	 * nhn_msg_peek(), and nothing that waits. @return false: nothing was taken, as where
	 * it goes to is full; it is called again later
	 */
	bool (*message)(void *context, struct nhn_endpoint *endpoint, uint32_t channel);
	/** The link's state changed; NULL: nobody is told. */
	void (*state)(void *context, struct nhn_endpoint *endpoint, enum nhn_link_state state);
	void *context;
};

/** Counters of an lcore. Times in nanoseconds. */
struct nhn_worker_lcore_stats {
	unsigned int lcore;
	uint32_t links;
	uint64_t rounds;
	uint64_t rounds_worked; /**< that found something */
	uint64_t steps;		/**< of links, budgeted ones */
	uint64_t sleeps;	/**< by the adaptive policy */
	uint64_t controls;	/**< control steps of links */
	/** Rounds timed: of one in 64 those that found something. 0 where there are none. */
	uint64_t timed;
	uint64_t round_p50_ns;
	uint64_t round_p99_ns;
	uint64_t round_max_ns;
};

/** Counters of a link. */
struct nhn_worker_link_stats {
	uint32_t id;
	unsigned int lcore;
	char name[NHN_WORKER_NAME_BYTES];
	enum nhn_link_state state;
	uint64_t steps;	    /**< of its endpoint */
	uint64_t exhausted; /**< rounds in which it used all its budget */
	uint64_t blocked;   /**< rounds that left work for which there was no room */
	uint64_t sessions;  /**< of the peer */
	uint64_t faults;    /**< rules that the peer broke */
	uint32_t discarded; /**< messages, by restarts of the peer */
};

struct nhn_worker;

/** The clock that endpoints of a worker are given: the TSC in nanoseconds. */
uint64_t nhn_worker_now_ns(void *unused);

/**
 * Make a worker. EAL must be up. Telemetry (/nahanni/worker, /nahanni/links,
 * /nahanni/link,ID) shows it from now on.
 * @return NULL with rte_errno, and a line in the log that names what was wrong
 *   - EINVAL: name, links_max, lcores: none, one twice, or one that EAL does not have or that
 *     is not of the kind that launch wants
 *   - ENOMEM
 */
struct nhn_worker *nhn_worker_create(const struct nhn_worker_config *config);

/** End it; stops it first. Its links are the caller's again. Accepts NULL. */
void nhn_worker_destroy(struct nhn_worker *worker);

/**
 * Let the lcores run. With NHN_WORKER_IDLE_DEADLINE nothing is launched.
 * @return 0; -EBUSY: an lcore runs something else; -ENODEV: a service that no core runs
 */
int nhn_worker_start(struct nhn_worker *worker);

/** Return when all lcores have left their loops. Links stay. */
void nhn_worker_stop(struct nhn_worker *worker);

/**
 * Give a link to its lcore, also while it runs; served when this returns.
 * @return 0; -EEXIST: the id is in use; -ENOSPC: links_max; -EINVAL: an lcore that is not the
 *         worker's, a link without message(), or a name too long
 */
int nhn_worker_add(struct nhn_worker *worker, const struct nhn_worker_link *link);

/** Take a link back, also while it runs. It is not closed. @return 0 or -ENOENT */
int nhn_worker_remove(struct nhn_worker *worker, uint32_t id);

/**
 * Call a function on the lcore of a link, between two rounds, and wait for its end: the way
 * for other threads to use the link's endpoint. Where no lcore runs, stopped or with
 * NHN_WORKER_IDLE_DEADLINE, it is called here.
 * @return 0 or -ENOENT
 */
int nhn_worker_run(struct nhn_worker *worker, uint32_t id,
		   void (*function)(void *context, struct nhn_endpoint *endpoint), void *context);

/**
 * NHN_WORKER_IDLE_DEADLINE: rounds of an lcore's links in the gap that a deterministic
 * workload leaves. Returns before @p deadline_ns by the longest round seen so far. After a gap
 * that this left no round in, the longest is taken to be an eighth shorter: one bad round does
 * not end all polling. All calls for one lcore, and nhn_worker_add(), _remove() and _run(), from
 * one thread at a time.
 * @param lcore EAL's number
 * @param deadline_ns of nhn_worker_now_ns()
 * @return rounds; 0 also for an lcore that is not the worker's
 */
uint32_t nhn_worker_poll_until(struct nhn_worker *worker, unsigned int lcore, uint64_t deadline_ns);

/** Counters of the i-th lcore. @return 0 or -ENOENT */
int nhn_worker_lcore_stats_get(struct nhn_worker *worker, uint32_t i,
			       struct nhn_worker_lcore_stats *stats);

/** Counters of a link. @return 0 or -ENOENT */
int nhn_worker_link_stats_get(struct nhn_worker *worker, uint32_t id,
			      struct nhn_worker_link_stats *stats);

#ifdef __cplusplus
}
#endif

#endif /* NHN_WORKER_H */
