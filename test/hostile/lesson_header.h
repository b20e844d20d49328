/* SPDX-License-Identifier: BSD-3-Clause */
/* For scripts whose liar is a header and a session number only. */
#ifndef NHN_TEST_LESSON_HEADER_H
#define NHN_TEST_LESSON_HEADER_H

#include "lesson.h"

/* The liar's next life has this header, with a right CRC. */
static inline void
put_header(struct nhn_header *header)
{
	uint32_t session = liar_words()->session;

	header->crc = nhn_header_crc(header);
	hostile_header_put(hostile, header);
	nhn_store_release(&liar_words()->session, (session | 1) + 1);
}

static inline void
expect_refused(struct nhn_header *header, enum nhn_refusal_cause cause)
{
	const struct nhn_link *link = &lesson.victim.link;
	struct nhn_layout layout = link->layout;
	uint64_t refusals = link->refusals;
	uint32_t turn;

	lesson.victim.link.refused_causes = 0; /* be told again */
	put_header(header);
	for (turn = 0; turn < 4; turn++) {
		victim_control();
		read_out(&lesson.victim.link);
	}
	assert_int_equal(link->refusals, refusals + 1);
	assert_int_equal(link->refused_causes, 1u << cause);
	assert_memory_equal(&link->layout, &layout, sizeof(layout));
	hostile_header(hostile, header);
}

static inline void
open_guest(enum nhn_use use)
{
	lesson_open(NHN_ROLE_GUEST, use, 1, 16);
	link_victim_begin(&lesson.victim);
}

/* One life of the peer, as far as its words go: header, acknowledgement, opening.
 * @p between is done before each step of the victim. */
static inline void
peer_life(struct nhn_header *header, void (*between)(void))
{
	struct nhn_link *link = &lesson.victim.link;
	uint32_t turn;

	put_header(header);
	for (turn = 0; turn < 6; turn++) {
		liar_words()->open = link->session;
		liar_words()->seen = link->session | (link->tx_state != NHN_TX_WAIT_DRAIN);
		if (between != NULL)
			between();
		nhn_link_control(link, lesson.victim.now_ns);
		read_out(link);
	}
}

#endif /* NHN_TEST_LESSON_HEADER_H */
