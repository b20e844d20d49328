/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside lib/worker: an lcore's private memory, and what control threads say to it. */
#ifndef WORKER_INTERNAL_H
#define WORKER_INTERNAL_H

#include <pthread.h>

#include <rte_common.h>
#include <rte_log.h>

#include <nhn_histogram.h>
#include <nhn_worker.h>

extern int nhn_worker_logtype;
#define WORKER_LOG(level, format, ...)                                                             \
	rte_log(RTE_LOG_##level, (uint32_t)nhn_worker_logtype, "nahanni-worker: " format "\n",     \
		##__VA_ARGS__)

/** What an idle channel costs a round: a load through this and a comparison. */
struct watch {
	const uint32_t NHN_FOREIGN *word; /**< commit word of the next cell */
	uint32_t expected;		  /**< its upper half once there is a message */
	uint32_t link;			  /**< whose, in links[] of the lcore */
};

/** A link as its lcore has it. */
struct served {
	struct nhn_worker_link link;
	char name[NHN_WORKER_NAME_BYTES];
	uint32_t first;	   /**< of its watches */
	uint32_t channels; /**< how many they are, at least 1 */
	enum nhn_link_state state;
	bool blocked; /**< work is left for which there was no room */
	uint64_t steps;
	uint64_t exhausted;
	uint64_t blocks;
};

/** A call that a control thread has made to an lcore. */
struct order {
	void (*function)(void *context);
	void *context;
};

struct worker_lcore {
	/* read by each round */
	struct watch *watch;
	uint32_t watches;
	uint32_t budget;
	uint32_t blocked; /**< links that are */
	uint32_t polls;	  /**< of channels, until control is looked at */
	uint64_t rounds;
	uint64_t rounds_worked;
	uint64_t steps;
	struct served **served; /**< its links */
	uint32_t links;
	uint32_t turn; /**< of links[], whose control is next */
	uint64_t control_cycles;
	uint64_t control_gap_cycles;
	uint64_t control_period_cycles;
	uint64_t sleeps;
	uint64_t controls;
	uint64_t longest_ns;  /**< round of poll_until */
	uint32_t orders_done; /**< as last stored */
	unsigned int id;      /**< EAL's */
	struct nhn_worker *worker;
	struct nhn_histogram *rounds_ns; /**< of one in 64 those that found something */
	uint32_t service;		 /**< where it is one */

	/* control threads write, the lcore reads */
	uint32_t ordered __attribute__((aligned(RTE_CACHE_LINE_SIZE))); /**< orders given */
	uint32_t stop;
	struct order order;
	/* the other way */
	uint32_t done __attribute__((aligned(RTE_CACHE_LINE_SIZE))); /**< orders carried out */
	uint32_t running; /**< somebody runs its rounds */
};

struct nhn_worker {
	struct nhn_worker_config config;
	char name[NHN_WORKER_NAME_BYTES];
	pthread_mutex_t mutex; /**< of control threads; also guards served[] against them */
	struct worker_lcore *lcore[NHN_WORKER_LCORES_MAX];
	unsigned int lcores[NHN_WORKER_LCORES_MAX];
	uint32_t links;
	struct nhn_worker *next; /**< of telemetry's list */
};

/* worker_round.c: on the lcore */

/** A round of all links. @return steps done */
uint32_t worker_round(struct worker_lcore *lcore);
/** A round and what is to be done between two: orders and control. @return steps done */
uint32_t worker_turn(struct worker_lcore *lcore);
/** The loop of an lcore. For rte_eal_remote_launch(). */
int worker_loop(void *lcore);
/** Serve a link in the next round. */
void worker_watch_next(struct worker_lcore *lcore, const struct served *served);
/** Lay out the watches anew, after links came or went or a layout changed. */
void worker_watch_all(struct worker_lcore *lcore);

/* worker_config.c */

/** @return 0, or -EINVAL with a line in the log */
int worker_config_check(const struct nhn_worker_config *config);

/* worker_telemetry.c */
void worker_telemetry_add(struct nhn_worker *worker);
void worker_telemetry_remove(struct nhn_worker *worker);

/* worker.c: with the mutex held */
struct served *worker_find(struct nhn_worker *worker, uint32_t id, struct worker_lcore **lcore);

#endif /* WORKER_INTERNAL_H */
