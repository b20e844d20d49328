/* SPDX-License-Identifier: BSD-3-Clause */
/* One side of a link as a program of one thread: it sends, reads, checks every byte and ends
 * its life now and then. Two of them run on one memory block, driven by real threads
 * (threads_test.c) or by a simulator of weak memory (weak_test.cc).
 *
 * The sides tell each other nothing but through the link: anything else would order their
 * memory accesses and hide what is looked for. What one sent and the other took is compared
 * after both have ended. */
#ifndef NHN_TEST_THREADS_SIDE_H
#define NHN_TEST_THREADS_SIDE_H

#include <nhn_link.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIDE_AREA_BYTES (NHN_CONTROL_BYTES + 5 * NHN_CHANNEL_ALIGN)
#define SIDE_CHANNELS 3u
#define SIDE_PAIRINGS_MAX 4096u
#define SIDE_MESSAGE_MAX 2048u
#define SIDE_HELD_MAX 8u

/* Messages of one life of the writer for one life of the reader, on one channel. */
struct side_count {
	uint32_t writer; /* sessions */
	uint32_t reader;
	uint32_t messages;
	bool drained; /* the reader has said that it read all of them */
};

/* Messages of a channel that are peeked and not given back. */
struct side_held {
	struct nhn_view view[SIDE_HELD_MAX];
	uint32_t count;
};

struct side_ledger {
	struct side_count row[SIDE_PAIRINGS_MAX];
	uint32_t rows;
};

/* How long and how wild. */
struct side_plan {
	uint32_t lives;	  /* until one that ends with the last of its messages */
	uint32_t life;	  /* turns of a life on average */
	uint32_t last;	  /* messages a channel to send in the last life */
	uint32_t longest; /* bytes of a message, a multiple of 4 */
	uint32_t turns;	  /* of all lives at most: more is a hang. 0: no limit */
	uint32_t stir;	  /* turns between two control steps on average */
	uint32_t rude;	  /* messages between two that break the rules, on average */
	bool same_layout; /* the host never changes it */
};

/* Words that the other side may look at, whole and in no order. */
struct side_flags {
	uint32_t last_session; /* in the last life: its session */
	uint32_t finished;
};

struct side {
	struct nhn_link link;
	struct nhn_link_config config;
	struct side_plan plan;
	struct side_flags *own;
	const struct side_flags *other;
	uint64_t random;
	uint64_t now_ns;
	uint32_t lives;
	uint32_t turns;
	bool last;
	const char *failed; /* the first failure, a sentence */
	struct side_held held[SIDE_CHANNELS];
	uint8_t buffer[4 * SIDE_MESSAGE_MAX];
	struct side_ledger sent[SIDE_CHANNELS];
	struct side_ledger taken[SIDE_CHANNELS];
};

/* Three layouts, 0 to 2, whose bodies, commit words and data lie in one another's places. */
void side_layout(struct nhn_layout *layout, uint32_t which);

/* Shared memory for both, as former lives may have left it: valid, and with a committed cell
 * wherever the first pairing could look for one. */
void side_memory_age(uint8_t *memory);

/* Prepare a side. @p memory is SIDE_AREA_BYTES twice, @p flags one a role */
void side_open(struct side *side, enum nhn_role role, uint8_t *memory, struct side_flags *flags,
	       const struct side_plan *plan, uint64_t seed);

/* Do one thing. @return whether there is more to do: not after a failure or the last message */
bool side_turn(struct side *side);

/* Both have ended: what was sent and never taken must be the reader's loss by its own end.
 * @return NULL or a sentence */
const char *sides_compare(const struct side *host, const struct side *guest);

#ifdef __cplusplus
}
#endif

#endif /* NHN_TEST_THREADS_SIDE_H */
