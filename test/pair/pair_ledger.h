/* SPDX-License-Identifier: BSD-3-Clause */
/* What two processes of a pair tell each other and their parent, in memory that the link
 * never sees. Words are touched through nhn_word.h. */
#ifndef NHN_TEST_PAIR_LEDGER_H
#define NHN_TEST_PAIR_LEDGER_H

#include <nhn_link.h>

#define PAIR_REGION_BYTES (1u << 20)
#define PAIR_CELLS 256u
#define PAIR_DATA 16384u
#define PAIR_LONGEST (4 * PAIR_DATA) /* message of lib/msg */
#define PAIR_SECONDS 60

/* One side, as it says of itself. */
struct pair_status {
	uint32_t state; /* enum nhn_link_state + 1, 0: not yet there */
	uint32_t discarded;
	uint32_t finished;
	uint32_t failed; /* line of pair_side.c */
};

struct pair_ledger {
	uint32_t messages; /* each way */
	uint32_t msg;	   /* lib/msg on the channel, and messages longer than its data ring */
	uint32_t echo;	   /* the guest sends back what it gets, and writes nothing here */
	struct pair_status status[2]; /* indices are enum nhn_role - 1 */
};

/* Be one side until both have sent and read all messages. @return an exit code */
int pair_side_run(struct pair_ledger *ledger, enum nhn_role role, const char *path);

#endif /* NHN_TEST_PAIR_LEDGER_H */
