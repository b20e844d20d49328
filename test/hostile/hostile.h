/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hostile peer: it rewrites any word of its area, and in a joint device of
 * its victim's, at any time. Three times are played:
 *
 *     between two calls of the victim       hostile_rewrite()
 *     between two loads within a call       hostile_enter() .. hostile_leave(), by
 *                                           the points before each load of
 *                                           nhn_foreign.h: between check and use
 *     whenever                              a thread of its own, hostile_race_begin()
 *
 * It aims: with the victim's private state in view it knows which word is
 * looked at next. Now and then it writes what an honest peer would, for a victim
 * that never comes up reads nothing. But for the racing thread all is drawn from
 * a seed; a round is one seed, and a failure tells its round's.
 */
#ifndef NHN_TEST_HOSTILE_H
#define NHN_TEST_HOSTILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nhn_msg.h>

#include "../unit/pattern.h"

/* ---- memory ---- */

/** An area between two pages that nobody may touch. */
struct hostile_area {
	uint8_t *victim; /* the victim's mapping: of the peer's area for reading only */
	uint8_t *mine;	 /* the hostile side's, always writable */
	size_t bytes;
};

/** @param writable for the victim too: its own area */
void hostile_area_open(struct hostile_area *area, size_t bytes, bool writable);
void hostile_area_close(struct hostile_area *area);

/* ---- what is rewritten ---- */

enum hostile_aim {
	AIM_HONEST,	/* what an honest peer would write next */
	AIM_LIVE,	/* session, seen, open, discarded, beat, probe */
	AIM_HEADER,	/* a field of the header or its table, mostly with the right CRC */
	AIM_CURSOR,	/* where the reader of the victim's ring is */
	AIM_COMMIT,	/* commit words that the victim looks at next, or holds */
	AIM_DESCRIPTOR, /* ranges at the bounds of the data ring */
	AIM_BYTE,	/* any byte of the area */
	AIM_REPLAY,	/* an old value again */
	AIM_OWN,	/* the victim's own area: joint device */
	AIM_MESSAGE,	/* heads and parts of messages, where the victim looks next */
	AIMS,
};

/** How a round is played. */
struct hostile_profile {
	const char *name;
	uint8_t weight[AIMS];
	uint8_t between; /* of 256 loads of the victim, how many find something rewritten */
};

#define HOSTILE_OFFERS_MAX 6u

struct hostile {
	/* set by the test */
	uint64_t seed;
	const struct nhn_link *link;	       /* the victim's private state */
	uint8_t *peer;			       /* the hostile side's own area, writable */
	uint8_t *own;			       /* the victim's, or NULL: split */
	size_t bytes;			       /* of each */
	enum nhn_role role;		       /* of the hostile side */
	const struct hostile_profile *profile; /* NULL: nothing between loads */
	void (*script)(struct hostile *h);     /* in its place, before each load */
	/* a hostile host lays out one of these; a guest follows the victim's layout */
	struct nhn_layout offers[HOSTILE_OFFERS_MAX];
	uint32_t offer_count;
	uint32_t mtu;
	const struct nhn_msg_rx *messages; /* the victim's readers of lib/msg; NULL: none */
	bool no_reading;		   /* its cursors stand still */
	bool no_beat;			   /* it falls silent */

	/* kept by the engine */
	uint64_t random;
	uint64_t step;
	uint32_t offer;	 /* in use */
	uint64_t words;	 /* rewritten with ill will */
	uint64_t within; /* of them between two loads of one call of the victim */
	uint64_t honest; /* words an honest peer might have written */
	bool inside;
	uint64_t loads; /* of the call of the victim */
	uint64_t copies;
	uint64_t lends;
	struct {
		uint8_t *word;
		uint32_t value;
	} old[16];
	uint32_t old_next;
};

/** Begin a round: random numbers anew, and this peer is the one between the loads. */
void hostile_begin(struct hostile *h, uint64_t seed);
/** Rewrite something, as the profile says. */
void hostile_rewrite(struct hostile *h);
/** Write what an honest peer would next. */
void hostile_honest(struct hostile *h);
/** A header of this peer as an honest one would write it. */
void hostile_header(const struct hostile *h, struct nhn_header *header);
/** Store a header, word by word. */
void hostile_header_put(struct hostile *h, const struct nhn_header *header);

/** A word of the hostile side's area, with ill will. */
void hostile_put(struct hostile *h, uint64_t offset, uint32_t value);
/** Where a cell of the hostile side's ring lies in its area. */
uint64_t hostile_cell_offset(const struct hostile *h, uint32_t channel, uint32_t index);
/** A channel in use; of it a cell that the victim looks at next, or one that it holds. */
uint32_t hostile_channel(struct hostile *h);
uint32_t hostile_index(struct hostile *h, uint32_t channel);
/** The commit word of that cell. */
uint32_t hostile_commit(const struct hostile *h, uint32_t channel, uint32_t index, uint32_t kind,
			uint32_t length);
/** What an honest writer of messages puts before the commit word of the victim's next cell.
 *  @param length of a range that the cell names; 0: none
 *  @return the low half of the commit word */
uint32_t hostile_message(struct hostile *h, uint32_t channel, uint8_t *cell, uint32_t length);
/** AIM_MESSAGE. */
void hostile_message_spoil(struct hostile *h);

/** 0 to limit - 1. */
static inline uint32_t
hostile_below(struct hostile *h, uint32_t limit)
{
	return pattern_below(&h->random, limit);
}

/** One in @p many. */
static inline bool
hostile_chance(struct hostile *h, uint32_t many)
{
	return hostile_below(h, many) == 0;
}

/** Choose a round's profile. */
static inline const struct hostile_profile *
hostile_profile_of(struct hostile *h, const struct hostile_profile *profiles, size_t count)
{
	return &profiles[hostile_below(h, (uint32_t)count)];
}

/* ---- the victim's calls and their bounds ---- */

/** A kind of call whose loads of foreign memory have a bound. */
struct hostile_call {
	const char *name;
	const char *bound; /* in words, for the table */
	uint64_t calls;
	uint64_t most_loads;
	uint64_t least_slack; /* between a call's bound and its loads; 0: the bound is reached */
};

/** Loads of foreign memory that a call may do. */
struct hostile_bound {
	uint64_t loads;
	uint64_t copies;
	uint64_t lends;
};

void hostile_enter(struct hostile *h);
/** The call is over: it kept its bound, or the test fails. */
void hostile_leave(struct hostile *h, struct hostile_call *call, struct hostile_bound bound);
/** What the calls of a test did. */
void hostile_calls_print(const struct hostile_call *calls, size_t count);

/* ---- a thread of its own ---- */

/** Rewrite from another thread until hostile_race_end(), in some rounds faster than in others. */
void hostile_race_begin(struct hostile *h);
/** Words that the thread has rewritten so far. */
uint64_t hostile_race_words(void);
void hostile_race_end(struct hostile *h);

/* ---- a run ---- */

struct hostile_run {
	uint64_t seed;	/* of its first round; the next one's is one more */
	uint64_t words; /* to be rewritten */
	bool nightly;
};

/**
 * @param nightly_words where NHN_NIGHTLY is set; 10^6 otherwise
 * @return 0, or what the program is to exit with
 */
int hostile_run_parse(struct hostile_run *run, int argc, char **argv, uint64_t nightly_words);

/** Fail, naming the round's seed and the step. */
void hostile_fail(const struct hostile *h, const char *what, const char *file, int line);

#define hostile_check(h, condition)                                                                \
	do {                                                                                       \
		if (!(condition))                                                                  \
			hostile_fail(h, #condition, __FILE__, __LINE__);                           \
	} while (0)

#endif /* NHN_TEST_HOSTILE_H */
