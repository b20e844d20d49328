/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's end: two sides as processes, which it starts, kills, stops and continues. A
 * driver that finds a fault says so and exits with 1; its sides end with it. */
#ifndef NHN_TEST_KILL_DRIVER_H
#define NHN_TEST_KILL_DRIVER_H

#include <sys/types.h>

#include <nhn_histogram.h>
#include <nhn_region.h>

#include "kill_ledger.h"

/* Over all runs; shared between them. */
struct kill_totals {
	uint32_t meant[KILL_POINTS_MAX][2][2]; /* point, side, action */
	uint32_t hits[KILL_POINTS_MAX][2][2];
	uint32_t random_hits[2][2]; /* at random instants */
	uint64_t messages;
	uint64_t discarded;
	uint32_t refused;	   /* a second of a role, beside a stopped one */
	struct nhn_histogram up;   /* from a start to both up */
	uint64_t slowest_seed;	   /* with the worst of them */
	struct nhn_histogram told; /* from a kill or a stop to the peer's being told of it */
};

struct kill_driver {
	const struct kill_plan *plan;
	struct kill_ledger *ledger;
	struct kill_totals *totals;
	const char *path;
	struct nhn_region look; /* to read cursors by; closed until there is a file */
	uint64_t deadline_ns;
	pid_t pid[2]; /* 0: none */
	bool stopped[2];
	bool doomed[2];	     /* may end by SIGKILL */
	uint32_t since_us;   /* when it was killed or stopped */
	bool peer_was_up;    /* at that time */
	bool starting;	     /* a start is to be timed */
	uint32_t started_us; /* the last one */
	uint32_t host_lives;
	/* Bounds of what may be counted as discarded beyond what was lost, by writer. */
	uint32_t read_untold[2];   /* by readers that died, and not published */
	uint32_t counted_twice[2]; /* by writers that died while they cleared */
};

#define KILL_FAIL(driver, ...) kill_fail(driver, __VA_ARGS__)
void kill_fail(const struct kill_driver *driver, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

void kill_driver_init(struct kill_driver *driver, const struct kill_plan *plan,
		      struct kill_totals *totals, const char *path);

/* A new life of a side that has none; @p injury: armed from the begin, or NULL. */
void kill_begin(struct kill_driver *driver, uint32_t who, const struct kill_injury *injury);

/* Arm a living side. */
void kill_arm(struct kill_driver *driver, uint32_t who, const struct kill_injury *injury);

/* SIGKILL now, and wait for the end. */
void kill_now(struct kill_driver *driver, uint32_t who);

/* SIGSTOP now, and wait until it stands. */
void kill_stop(struct kill_driver *driver, uint32_t who);

void kill_continue(struct kill_driver *driver, uint32_t who);

/* Note what has become of the sides; a while passes. */
void kill_wait(struct kill_driver *driver);

/* Wait until both are up; time the start that led to it. */
void kill_wait_up(struct kill_driver *driver);

/* Note how long the peer took to be told of who's death or stop, if it was told. */
void kill_note_told(struct kill_driver *driver, uint32_t who);

/* Let both finish, and wait for it. */
void kill_finish(struct kill_driver *driver);

/* A line; what too few samples cannot carry is left out. */
void kill_print_times(const char *what, const struct nhn_histogram *h);

uint32_t kill_now_us(const struct kill_driver *driver);

/* Play a run to its quiet end and judge it by the ledger. */
void kill_run(struct kill_driver *driver);

/* All that design.md promises of messages and restarts; fails if a promise was broken. */
void kill_judge(const struct kill_driver *driver);

/* Restart @p count times each: host, guest, both. Times are for the totals. */
void kill_measure(struct kill_driver *driver, uint32_t count);

#endif /* NHN_TEST_KILL_DRIVER_H */
