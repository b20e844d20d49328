/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Many small messages in one pass: written in place into PACK cells, and read in place out of
 * whatever cells they came in. See nhn_msg.h, which says more of messages, and nhn_tx_begin()
 * and nhn_rx_begin() of nhn_channel.h, of which these passes are made: their rules hold here.
 */
#ifndef NHN_MSG_RUN_H
#define NHN_MSG_RUN_H

#include <nhn_msg.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Messages of one size and type being packed. Private. */
struct nhn_pack {
	struct nhn_tx_run run;
	uint8_t *cell;	   /**< being filled; NULL: none */
	uint32_t at;	   /**< where in it the next message goes */
	uint32_t last;	   /**< beyond it there is no room for one */
	uint32_t head_at;  /**< where a struct nhn_pack_head goes */
	uint32_t bytes;	   /**< of a message */
	uint32_t messages; /**< in the cell */
	uint16_t type;	   /**< of each */
};

/** Commit the cell that is being filled. Private. */
static NHN_ALWAYS_INLINE void
nhn_pack_publish(struct nhn_pack *pack)
{
	struct nhn_pack_head head;

	head.type = pack->type;
	head.message_bytes = (uint8_t)pack->bytes;
	head.messages = (uint8_t)pack->messages;
	memcpy(pack->cell + pack->head_at, &head, sizeof(head));
	nhn_tx_publish_at(&pack->run, pack->cell,
			  NHN_KIND_PACK << NHN_COMMIT_KIND_SHIFT | pack->at);
}

/**
 * Begin to pack messages: seven of 8 bytes go into one cache line. No other call on @p msg may
 * come between this and nhn_pack_end().
 * @param type of each
 * @param message_bytes of each, 1 to NHN_PACK_MESSAGE_BYTES_MAX
 * @return whether they may be sent; else no other call may follow: a size that is none, or
 *         another message on its way
 */
static NHN_ALWAYS_INLINE bool
nhn_pack_begin(struct nhn_pack *pack, struct nhn_msg_tx *msg, uint16_t type, uint32_t message_bytes)
{
	const bool may = message_bytes != 0 && message_bytes <= NHN_PACK_MESSAGE_BYTES_MAX &&
			 (__builtin_expect(!nhn_msg_busy(msg), 1) || nhn_msg_settle(msg));

	pack->run = nhn_tx_begin(msg->tx);
	pack->cell = NULL;
	pack->head_at = nhn_msg_pack_bytes(pack->run.inline_bytes);
	/* Before a host was seen a guest's cells hold nothing. */
	pack->last = message_bytes < pack->head_at ? pack->head_at - message_bytes : 0;
	pack->at = pack->head_at; /* no room: a cell comes first */
	pack->bytes = message_bytes;
	pack->messages = 0;
	pack->type = type;
	return may;
}

/**
 * Room for the next message, which must be written before the next call: it cannot be taken
 * back. What stood in a full cell before it is sent.
 * @return as many bytes as the message has, one behind the other, so aligned to 8 only where
 *         that is a multiple of 8; NULL: no room, or no peer, also for a lossy writer, which
 *         drops nothing here
 */
static NHN_ALWAYS_INLINE void *
nhn_pack_next(struct nhn_pack *pack)
{
	uint8_t *body;

	if (pack->at > pack->last) {
		if (pack->cell != NULL)
			nhn_pack_publish(pack);
		pack->cell = (uint8_t *)nhn_tx_reserve_at(&pack->run, 0);
		if (pack->cell == NULL)
			return NULL;
		pack->at = 0;
		pack->messages = 0;
	}
	body = pack->cell + pack->at;
	pack->at += pack->bytes;
	pack->messages++;
	return body;
}

/** Send what is left. Each message that nhn_pack_next() gave room for is on its way after this. */
static NHN_ALWAYS_INLINE void
nhn_pack_end(struct nhn_pack *pack, struct nhn_msg_tx *msg)
{
	if (pack->cell != NULL)
		nhn_pack_publish(pack);
	nhn_tx_end(&pack->run);
	nhn_msg_note_cells(msg, pack->run.tx);
}

/** Pieces of messages taken one after the other, given back at the end. Private. */
struct nhn_msg_run {
	struct nhn_rx_run run;
	struct nhn_msg_rx *msg;
};

/**
 * Begin to take pieces, with nhn_msg_run_next(). Not while pieces are peeked, nor after
 * nhn_msg_front(), nhn_msg_skip() or nhn_msg_receive() until that message, or the last one of
 * that pack, was received.
 */
static NHN_ALWAYS_INLINE struct nhn_msg_run
nhn_msg_run_begin(struct nhn_msg_rx *msg)
{
	struct nhn_msg_run run = {nhn_rx_begin(msg->rx), msg};

	return run;
}

/**
 * Take the next piece. Read it, then call nhn_msg_run_read(). One of whole messages that is
 * not wanted now comes again in the next run if nhn_msg_run_end() comes first; a part of a
 * message, or one with NHN_MESSAGE_ABORTED, must be read.
 * @param piece as of nhn_msg_peek()
 * @return whether there is one; else nhn_msg_run_end() must follow, and tells why
 */
static NHN_ALWAYS_INLINE bool
nhn_msg_run_next(struct nhn_msg_run *run, struct nhn_msg_piece *piece)
{
	const struct nhn_rx_place *place = &run->run.place;
	struct nhn_msg_piece other; /* so that of a pack piece needs no memory */
	struct nhn_pack_head head;
	uint32_t word;

	if (run->run.ring.cell_bytes != NHN_LINE_BYTES)
		nhn_foreign_prefetch(place->cell);
	word = nhn_rx_commit_word(&run->run.ring, place->cell); /* A */
	if (!nhn_rx_committed(place, word))
		return false;
	if ((word >> NHN_COMMIT_KIND_SHIFT & NHN_COMMIT_KIND_MASK) != NHN_KIND_PACK) {
		const int ret = nhn_msg_take(run->msg, word, place->cell, &other);

		*piece = other;
		return ret == 0;
	}
	piece->data = place->cell;
	piece->length = word & NHN_COMMIT_LENGTH_MASK;
	nhn_foreign_copy(&head, place->cell + nhn_msg_pack_bytes(run->run.inline_bytes),
			 sizeof(head));
	return nhn_msg_pack_piece(run->msg, head, piece) == 0;
}

/** What nhn_msg_run_next() gave has been read. */
static NHN_ALWAYS_INLINE void
nhn_msg_run_read(struct nhn_msg_run *run)
{
	nhn_rx_read(&run->run);
}

/**
 * Give back what was read; no message may be acted on before this has answered 0.
 * @return 0, or -ESTALE: as nhn_msg_release(), or, where nothing was read, as nhn_msg_peek()
 */
static NHN_ALWAYS_INLINE int
nhn_msg_run_end(struct nhn_msg_run *run)
{
	const bool read = run->run.head != run->run.rx->head;
	const int ret = nhn_rx_end(&run->run);

	return __builtin_expect(ret != 0, 0) && !read ? nhn_msg_forget(run->msg) : ret;
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_MSG_RUN_H */
