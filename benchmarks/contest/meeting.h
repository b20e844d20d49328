/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the two sides meet: memory that both have mapped, a file or the BAR of an
 * ivshmem device. Near writes an order, then its number; far answers by that number. Each
 * word is written by one side only; none is touched while a round is measured, but the
 * finish word, once.
 */
#ifndef MEETING_H
#define MEETING_H

#include <sys/types.h>

#include "contest.h"

#define MEETING_BYTES (64u << 20)
/** Contestants' memory begins here. */
#define MEETING_HEAD_BYTES (64u << 10)
#define MEETING_MAGIC 0x6e68634fu
#define MEETING_WHY_BYTES 240u
#define MEETING_NAME_BYTES 32u
#define MEETING_PATH_BYTES 200u

/** What the far side is told to do. */
enum meeting_do {
	MEETING_OPEN,
	MEETING_CLOSE,
	MEETING_ROUND,
	MEETING_END,
};

enum meeting_work {
	MEETING_TRIPS,
	MEETING_RATE,
	MEETING_PACED,
	MEETING_WAKE,
	MEETING_MIXED,
	MEETING_WORKS,
};

struct meeting_order {
	uint32_t what; /**< enum meeting_do */
	uint32_t work; /**< enum meeting_work */
	uint32_t size;
	uint32_t bulk_size;
	uint32_t burst;
	uint32_t links;
	uint32_t ring;	  /**< contest_place::ring */
	uint32_t opening; /**< contest_place::opening */
	uint32_t waiting; /**< the far side sleeps where nothing comes */
	uint32_t shared_bytes;
	uint32_t limit_ns; /**< right before the round; 0: not known */
	uint64_t messages;
	uint64_t shared_offset;
	uint64_t run;
	char contestant[MEETING_NAME_BYTES];
	char folder[MEETING_PATH_BYTES];
};

/** What the kernel did to a thread during a round. */
struct meeting_usage {
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t voluntary;
	uint64_t involuntary;
};

struct meeting_answer {
	int32_t status; /**< 0, or not, with the reason */
	uint64_t kib;	/**< memory that opening took */
	uint64_t received;
	uint64_t misordered; /**< of both lanes, or not whole */
	uint64_t bulk_received;
	struct meeting_usage usage;
	char why[MEETING_WHY_BYTES];
};

struct meeting {
	/* Near writes ... */
	uint32_t magic;				      /**< MEETING_MAGIC: the rest is of this run */
	uint32_t number __attribute__((aligned(64))); /**< of the order */
	struct meeting_order order;
	uint32_t finish
		__attribute__((aligned(64))); /**< the order's number: near's part is done */
	/* ... far writes. */
	uint32_t here
		__attribute__((aligned(128))); /**< MEETING_MAGIC: the far side looks for orders */
	uint32_t ready
		__attribute__((aligned(64)));	    /**< order's number: far receives from now on */
	uint32_t done __attribute__((aligned(64))); /**< order's number: the answer is there */
	struct meeting_answer answer;
};

/** One contestant, open at this side. */
struct opened {
	const struct contestant *contestant;
	void *peer;
	uint32_t links;
	uint32_t shared_bytes; /**< of the meeting, from shared_offset on */
	uint64_t shared_offset;
	struct opened *next;
};

/** What either side has: its buffers, and what is open. */
struct side {
	enum contest_side side;
	struct meeting *meeting;
	int core;
	const char *device; /**< far in a guest: what --device says; else "" */
	pid_t far;	    /**< near: the process it forked; 0: the far side is a guest's */
	struct opened *first;
	struct nhn_clock clock;
	double tick_ns; /**< by which the counter goes */
	struct contest_work work;
	struct contest_work bulk; /**< of mixed */
	uint8_t *buffers;
};

/** @return the contestant of that name, or NULL */
const struct contestant *contestant_find(const char *name);

/** Map the meeting, of @p fd, wholly present. @return NULL with errno */
struct meeting *meeting_map(int fd);

/** Pin, calibrate the clock, get buffers. @return 0, or -errno after a message */
int side_init(struct side *side);

/** Close what is open. */
void side_finish(struct side *side);

/** @return what is open of that name, or NULL */
struct opened *side_find(struct side *side, const char *name);

/** Of an order to open it; it lends the order's folder. */
struct contest_place side_place(const struct side *side, const struct meeting_order *order,
				const struct contestant *contestant);

/** @return 0, or -1 with the reason in @p why, MEETING_WHY_BYTES */
int side_open(struct side *side, const struct meeting_order *order, char *why);
void side_close(struct side *side, struct opened *opened);

/** Get side->work and side->bulk ready for a round. @return 0, or -1 with the reason in @p why */
int side_prepare(struct side *side, const struct opened *opened, const struct meeting_order *order,
		 uint32_t round, char *why);

/** What the round took out of order, or not whole. */
uint64_t side_misordered(const struct side *side, const struct opened *opened);

/** Add (@p sign 1) or take off (-1) what the kernel did to this thread so far. */
void side_usage(struct meeting_usage *usage, int sign);

/** Memory that this process uses, pages of shared and huge ones included. */
uint64_t side_memory_kib(void);

/** By how much that has grown since, 0 if it has shrunk. */
uint64_t side_memory_grown(uint64_t before_kib);

/** Serve until told to end. @return exit status */
int far_run(struct side *side);

#endif /* MEETING_H */
