/* SPDX-License-Identifier: BSD-3-Clause */
/* What the driver tells two sides and they write down, in memory that outlives them and
 * that the link never sees. Words are touched through nhn_word.h. */
#ifndef NHN_TEST_KILL_LEDGER_H
#define NHN_TEST_KILL_LEDGER_H

#include <nhn_link.h>

#include "kill_plan.h"

#define KILL_REGION_BYTES (64u << 10)
#define KILL_PACE 2048u			/* messages a round, channel and way */
#define KILL_MESSAGES (KILL_PACE * 16u) /* of a run; a power of two */
#define KILL_LAST 64u			/* messages at the quiet end */
#define KILL_SECONDS 20			/* a run that takes longer hangs, also on a busy machine */
_Static_assert(KILL_ROUNDS *KILL_PACE + KILL_LAST <= KILL_MESSAGES, "each round and the quiet end");

/* A message begins with this. */
struct kill_head {
	uint32_t number;
	uint32_t session; /* its writer's */
	uint32_t to;	  /* the reader's session it was sent for */
};

struct kill_delivery {
	uint32_t number;
	uint32_t session; /* the reader's */
};

/* One direction of one channel. */
struct kill_way {
	uint32_t allowed; /* by the driver: messages that may be sent */
	/* by the writer: `to` and `intended` before a commit, `done` after it */
	uint32_t intended;
	uint32_t to[KILL_MESSAGES];
	uint32_t done[KILL_MESSAGES];
	/* by the reader: as it takes a message */
	uint32_t delivered;
	uint32_t base; /* the cell of delivery 0, had this life read since then */
	uint32_t based;
	struct kill_delivery got[KILL_MESSAGES];
};

/* What a side says of itself. Times are microseconds since the ledger's epoch. */
struct kill_status {
	uint32_t state; /* enum nhn_link_state + 1; 0: not yet there */
	uint32_t session;
	uint32_t discarded;
	uint32_t peer_discarded;
	uint32_t locked;     /* it has its role */
	uint32_t up_us;	     /* when it came up, but for a late heartbeat */
	uint32_t stalled_us; /* when it was told of a late heartbeat */
	uint32_t hit;	     /* it passed the armed point */
	uint32_t hit_us;
	uint32_t quiet;
	uint32_t held;	 /* read and not given back when it finished */
	uint32_t failed; /* it has said why */
};

/* What a side is told. */
struct kill_order {
	uint32_t armed; /* number of a point + 1; 0: none */
	uint32_t passes;
	uint32_t action;
	uint32_t quiet; /* to be repeated in the status, when no message is being sent */
	uint32_t finish;
	uint32_t layout; /* index of kill_layout() */
	uint32_t life;
};

struct kill_ledger {
	uint64_t epoch_ns;
	uint64_t seed;
	uint32_t beat_period_us;
	uint32_t life_seconds; /* a side that lives longer says that it hangs */
	uint32_t first_session[2];
	uint32_t layout_changes;
	/* indices are enum nhn_role - 1 */
	struct kill_order order[2];
	struct kill_status status[2];
	struct kill_way way[2][KILL_CHANNELS]; /* [0] is written by the host */
};

/* Be one side until told to finish. @return an exit code */
int kill_side_run(struct kill_ledger *ledger, enum nhn_role role, const char *path);

#endif /* NHN_TEST_KILL_LEDGER_H */
