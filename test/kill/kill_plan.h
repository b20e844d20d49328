/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to the two sides of a run: all of it follows from the run's seed. */
#ifndef NHN_TEST_KILL_PLAN_H
#define NHN_TEST_KILL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_link.h>

#define KILL_CHANNELS 2u
#define KILL_ROUNDS 8u /* injuries a run */
#define KILL_BEAT_US 1000u
#define KILL_LATE_US (KILL_BEAT_US * NHN_BEAT_MISSES)
#define KILL_DATA 4096u /* bytes of each data ring */

enum kill_action {
	KILL_DEAD,    /* SIGKILL */
	KILL_STOPPED, /* SIGSTOP */
};

/* When a side passes a point. */
enum kill_when {
	KILL_AT_FIRST,	/* at its start in an area never used */
	KILL_AT_START,	/* at its own start */
	KILL_AT_PAIR,	/* at its own start and at the peer's */
	KILL_AT_DRAIN,	/* at the peer's start */
	KILL_AT_RUN,	/* while messages flow */
	KILL_AT_FINISH, /* when it closes */
};

/* A point named in the code by NHN_POINT(). */
struct kill_point {
	const char *name;
	enum kill_when when;
	uint32_t passes; /* the n-th pass is meant, n up to this */
};

#define KILL_POINTS_MAX 64u
#define KILL_PEER_DEATHS_MAX 2u
#define KILL_NO_POINT UINT32_MAX /* a random instant */

extern const struct kill_point kill_points[];
extern const uint32_t kill_point_count; /* 0 in a program without points */

/* What makes a side pass the point, and what goes on around a random instant. */
enum kill_cause {
	KILL_BY_NOTHING,
	KILL_BY_OWN_START,
	KILL_BY_PEER_START,
	KILL_BY_FINISH,
};

/* One round. */
struct kill_injury {
	uint32_t who;	/* enum nhn_role - 1 */
	uint32_t point; /* or KILL_NO_POINT */
	uint32_t passes;
	enum kill_action action;
	enum kill_cause cause;
	bool wait_up;	      /* before it all, else into the last round's handshake */
	uint32_t instant_us;  /* from the cause to a random instant */
	uint32_t peer_deaths; /* how often the peer is killed meanwhile */
	uint32_t peer_after_us[KILL_PEER_DEATHS_MAX];
	bool peer_early;     /* it lives again while the side is still dead or stopped */
	bool killed_stopped; /* a stopped side is killed, else continued */
	uint32_t pause_us;   /* dead or stopped, now and then longer than the heartbeat's limit */
	uint32_t first;	     /* of two dead, who is started first */
	uint32_t gap_us;     /* between the two */
};

struct kill_plan {
	uint64_t seed;
	uint32_t layout[2]; /* of the host's lives in turn */
	uint32_t first_session[2];
	struct kill_injury round[KILL_ROUNDS];
};

void kill_plan_make(struct kill_plan *plan, uint64_t seed);

/* Print it, a line a round. */
void kill_plan_print(const struct kill_plan *plan);

/* Small rings, so that wraps and full rings are common. */
void kill_layout(struct nhn_layout *layout, uint32_t index);

#endif /* NHN_TEST_KILL_PLAN_H */
