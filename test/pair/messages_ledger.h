/* SPDX-License-Identifier: BSD-3-Clause */
/* What two processes that send each other messages write down, in memory that the link never
 * sees and that outlives them. Words are touched through nhn_word.h. */
#ifndef NHN_TEST_MESSAGES_LEDGER_H
#define NHN_TEST_MESSAGES_LEDGER_H

#include <nhn_word.h>
#include <nhn_wire.h>

#define MESSAGES_SECONDS 100

/* The channels, the most urgent first. Calls of a side go out on the one of its role. */
enum {
	CALLS_OF_HOST,
	CALLS_OF_GUEST,
	PACKS,
	BULK,
	MESSAGES_CHANNELS,
};

/* One side, over all its lives. Numbers are of messages to come, never used twice. */
struct messages_status {
	uint32_t out[MESSAGES_CHANNELS];   /* the next message that it sends */
	uint32_t in[MESSAGES_CHANNELS];	   /* one past the last that it received */
	uint32_t taken[MESSAGES_CHANNELS]; /* messages received; of the own calls: answered */
	uint32_t settled;		   /* nothing is under way */
	uint32_t failed;		   /* line of messages_side.c */
};

struct messages_ledger {
	uint32_t stop;			  /* begin nothing new */
	struct messages_status status[2]; /* indices are enum nhn_role - 1 */
};

/* Be one side until both have settled. @return an exit code */
int messages_side_run(struct messages_ledger *ledger, enum nhn_role role, const char *path);

#endif /* NHN_TEST_MESSAGES_LEDGER_H */
