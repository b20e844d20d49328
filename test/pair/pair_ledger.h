/* SPDX-License-Identifier: BSD-3-Clause */
/* What two processes of a pair write down, in memory shared with their parent only: it
 * outlives them, and the link never sees it. Words are touched through nhn_word.h. */
#ifndef NHN_TEST_PAIR_LEDGER_H
#define NHN_TEST_PAIR_LEDGER_H

#include <nhn_link.h>

#define PAIR_MESSAGES_MAX (1u << 20)
#define PAIR_REGION_BYTES (1u << 20)
#define PAIR_CELLS 256u
#define PAIR_DATA 16384u
#define PAIR_SECONDS 60

/* A message of the restart test begins with this. */
struct pair_head {
	uint32_t number;
	uint32_t session; /* its writer's */
	uint32_t to;	  /* the reader's session it was sent for */
};

struct pair_delivery {
	uint32_t number;
	uint32_t session; /* the reader's */
};

/* One direction. */
struct pair_way {
	/* by the writer: `to` and `intended` before a commit, `done` after it */
	uint32_t intended;
	uint32_t to[PAIR_MESSAGES_MAX];
	uint32_t done[PAIR_MESSAGES_MAX];
	/* by the reader: before it gives a message back */
	uint32_t delivered;
	struct pair_delivery got[PAIR_MESSAGES_MAX];
};

/* One side, as it says of itself. */
struct pair_status {
	uint32_t state; /* enum nhn_link_state + 1, 0: not yet there */
	uint32_t session;
	uint32_t discarded;
	uint32_t finished;
	uint32_t failed; /* line of pair_side.c */
};

struct pair_ledger {
	/* by the parent */
	uint32_t allowed; /* messages each way, the restart test's pace */
	uint32_t stop;
	/* by the sides; indices are enum nhn_role - 1 */
	struct pair_status status[2];
	struct pair_way way[2]; /* [0] is written by the host */
};

enum pair_work {
	PAIR_COUNT,   /* `allowed` messages of any length, known by their order */
	PAIR_RESTART, /* messages that name themselves, written down one by one */
};

/* Be one side until the ledger says stop, or the work is done. @return an exit code */
int pair_side_run(struct pair_ledger *ledger, enum nhn_role role, const char *path,
		  enum pair_work work);

/* The regions of both sides: one file, a lock byte a role. */
struct nhn_region;
int pair_region_open(struct nhn_region *region, enum nhn_role role, const char *path);

/* Seconds of a steady clock; a deadline makes a failure out of a hang. */
uint64_t pair_now_ns(void);

#endif /* NHN_TEST_PAIR_LEDGER_H */
