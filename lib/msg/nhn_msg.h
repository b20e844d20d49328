/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Messages of 0 bytes to 4 GiB - 1 over one channel of a link (NHN_USE_MSG).
 *
 * A message carries its id, type and length. What fits a cell (48 bytes in 64)
 * travels in that one cell. A longer one travels as fragments, each a range of
 * the data ring, or a cell where the channel has no data ring; so it may be
 * larger than any ring. Fragments of one message stand next to each other: the
 * messages of a channel are in order, whole or not there.
 *
 *     writer                                  reader
 *     nhn_msg_send, nhn_msg_sendv: copied     nhn_msg_receive: copied to your buffers
 *       nhn_msg_send_step: goes on              a step a call
 *     nhn_msg_reserve, nhn_msg_commit:        nhn_msg_peek, nhn_msg_release:
 *       written in place                        read in place, piece by piece
 *     nhn_msg_send_packed: many in a cell     (either way)
 *     nhn_pack_begin, _next, _end: in place   nhn_msg_run_begin, _next, _read, _end:
 *       (nhn_msg_run.h)                         many in one pass (nhn_msg_run.h)
 *
 * Nothing here allocates, waits, reads a clock or calls the kernel. A call
 * copies at most NHN_MSG_STEP_BYTES, nhn_msg_send_packed() what it is given. Of
 * a message that takes several steps the caller's struct iovec and bytes are
 * read in place until it is sent.
 *
 * A full ring is an ordinary answer (-EAGAIN, counted in nhn_tx.full); nothing
 * is dropped but by a writer that was told to (nhn_msg_tx.lossy).
 *
 * Threads: a struct nhn_msg_tx belongs to one thread at a time, so does a
 * struct nhn_msg_rx; no other thread may be in nhn_link_step() of that link.
 * Memory order is the channel's: nhn_channel.h.
 */
#ifndef NHN_MSG_H
#define NHN_MSG_H

#include <nhn_libc.h>
#include <nhn_link.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that one call copies at most: what a more urgent message may have to wait for. */
#define NHN_MSG_STEP_BYTES 1024u

/**
 * How long messages are copied. Which numbers are good is the processor's and the ring's:
 * benchmarks/copies measures them, doc/performance has what it found.
 */
struct nhn_msg_policy {
	/** Bytes of a fragment at most; a quarter of the data ring where that is less. */
	uint32_t fragment_bytes;
	/** Bytes of the next step's place that are fetched for writing ahead of it. */
	uint32_t fetch_bytes;
	/** Messages of at least so many bytes are stored past the caches, ... */
	uint32_t stream_bytes;
	/** ... in a data ring of at most so many: its lines are always in the reader's cache. */
	uint32_t stream_ring_bytes;
};

/** What nhn_msg_tx_init() sets. */
extern const struct nhn_msg_policy nhn_msg_policy_default;

/**
 * A policy for two cores whose distance is known, for nhn_msg_tx::policy; each writer may
 * set it between two messages. Near cores share a cache that carries plain stores faster
 * than memory would; between far ones each store waits for its line to come back from the
 * reader's cache, unless it goes past the caches.
 *
 * @param trip_ns one cache line there and one back: the limit that ipc-perf prints; 0: near
 * @return a policy that stays: from 200 ns on messages of 4 KiB and more go past the caches in
 *         data rings of up to 2 MiB; below, none does (benchmarks/micro/copies)
 */
const struct nhn_msg_policy *nhn_msg_policy_for(uint64_t trip_ns);

/** Where a copy from or to a struct iovec array stands. */
struct nhn_vector {
	const struct iovec *part;
	uint32_t parts;
	size_t offset; /**< in *part */
};

/** What became of the message that a writer took last. */
enum nhn_msg_sending {
	NHN_MSG_SENT = 0,
	NHN_MSG_SENDING,  /**< nhn_msg_send_step() has more to do */
	NHN_MSG_ABORTING, /**< given up; the reader has still to be told */
};

/** A writer of messages. Private but for policy, lossy and the counters. */
struct nhn_msg_tx {
	struct nhn_tx *tx;
	const struct nhn_link *link;
	enum nhn_msg_sending sending;
	/** A message for which there is no room is dropped, counted, and said to be sent. */
	bool lossy;
	bool stream; /**< copied past the caches */
	int result;  /**< of the last long message: 0, -ECONNRESET, -ECANCELED */
	const struct nhn_msg_policy *policy;
	struct nhn_message_head head; /**< of the message being sent */
	struct nhn_vector from;
	struct iovec single;
	uint64_t pairing;
	uint32_t sent;			/**< bytes committed */
	uint32_t fragment;		/**< bytes of the fragment being filled */
	uint32_t filled;		/**< of them written */
	uint8_t *body;			/**< of that fragment; NULL: no room reserved yet */
	const struct nhn_msg_rx *relay; /**< nhn_msg_relay() from there; NULL: from the vector */

	uint32_t cells_high; /**< most cells in use: nhn_msg_watermarks() */
	uint32_t data_high;
	uint64_t dropped; /**< messages, by a lossy writer */
	uint64_t aborted; /**< messages given up after a part was sent */
	uint64_t lost;	  /**< messages in the middle of which the reader restarted */
};

/** Bytes of a message that stand together, to read in place until nhn_msg_release(). */
struct nhn_msg_piece {
	const uint8_t NHN_FOREIGN *data; /**< the peer can change it: copy, then check the copy */
	uint32_t length;		 /**< bytes at data */
	uint32_t offset;		 /**< of data in the message */
	/** A checked copy. Of a message given up by its sender flags has NHN_MESSAGE_ABORTED. */
	struct nhn_message_head head;
	/** Messages in this piece: 1, also for a part of one; of a PACK cell as many, each of
	 *  head.length bytes, one behind the other. */
	uint32_t messages;
};

/** A reader of messages. Private but for the counters. */
struct nhn_msg_rx {
	struct nhn_rx *rx;
	struct nhn_message_head head; /**< of the message begun */
	uint32_t peeked;	      /**< bytes of it */
	bool begun;		      /**< and not yet all of it peeked */
	bool holding;		      /**< piece is peeked and not released: nhn_msg_receive() */
	bool skipping;		      /**< up to the end of that message */
	uint32_t taken;		      /**< bytes of piece copied */
	struct nhn_msg_piece piece;
	const struct nhn_msg_buffer *into; /**< where the message begun goes */
	uint8_t pack[128];		   /**< of piece, where it is of a PACK cell */

	uint64_t aborted; /**< messages that their sender gave up */
	uint64_t lost;	  /**< messages in the middle of which the writer restarted */
	uint64_t skipped; /**< messages, by nhn_msg_skip() */
};

/** Where nhn_msg_receive() puts a message. */
struct nhn_msg_buffer {
	struct nhn_message_head head; /**< of the message, once its first byte is there */
	const struct iovec *vector;
	uint32_t vectors;
	uint64_t capacity;
	struct nhn_vector to;
	const struct nhn_msg_rx *from; /**< whose message it has or had */
};

/** How full a channel was at most since the last nhn_msg_watermarks(). */
struct nhn_msg_watermark {
	uint32_t cells;	     /**< in use at most; a quarter ring where it was less */
	uint32_t cell_count; /**< of the ring */
	uint32_t data;	     /**< bytes in use at most; a quarter where it was less */
	uint32_t data_bytes; /**< of the data ring */
};

/* ---- writer ---- */

/**
 * Take up a channel. The link may be down.
 * @return 0; -EINVAL: the link's channels are not for messages (NHN_USE_MSG), or @p channel is
 *         not below NHN_CHANNELS_MAX
 */
int nhn_msg_tx_init(struct nhn_msg_tx *msg, struct nhn_link *link, uint32_t channel);

/* Cold parts. */

/** No room: @return -EAGAIN, -ENOTCONN while no peer reads, or 0: dropped */
int nhn_msg_no_room(struct nhn_msg_tx *msg);
/** Keep the highest number of cells in use. */
void nhn_msg_raise_watermark(struct nhn_msg_tx *msg);

/**
 * Send a message gathered from @p vector.
 *
 * @param head length is the sum of the vector's lengths; flags of NHN_MESSAGE_FLAGS
 * @return 0: sent. -EINPROGRESS: taken, nhn_msg_send_step() or nhn_endpoint_poll() goes on;
 *         until then @p vector and its bytes stay (@p head need not). Nothing taken:
 *         -EAGAIN: no room, or an earlier message is not yet sent; -ENOTCONN: no peer reads;
 *         -EINVAL: another length than the vector's, a flag that is not the caller's, or a
 *         channel that the layout does not have
 */
int nhn_msg_sendv(struct nhn_msg_tx *msg, const struct nhn_message_head *head,
		  const struct iovec *vector, uint32_t vectors);

/** nhn_msg_sendv() of head->length bytes at @p data, without the cell's short way. */
int nhn_msg_send_long(struct nhn_msg_tx *msg, const struct nhn_message_head *head,
		      const void *data);

/**
 * Go on with a message, by NHN_MSG_STEP_BYTES at most.
 * @return 0: nothing is left to send. -EINPROGRESS: a step was done. -EAGAIN: no room now.
 *         -ECONNRESET: the reader restarted in the middle, the message is lost
 */
int nhn_msg_send_step(struct nhn_msg_tx *msg);

/**
 * Give up the message being sent; its reader is told -ECANCELED. Where there is no room to
 * tell, nhn_msg_busy() stays true and the next send, or nhn_msg_send_step(), tells.
 */
void nhn_msg_cancel(struct nhn_msg_tx *msg);

/**
 * Send many messages of one size, as many in a cell as fit: 7 of 8 bytes in a cell of 64.
 * @param messages one behind the other
 * @param message_bytes of each, 1 to NHN_PACK_MESSAGE_BYTES_MAX
 * @return messages sent, from the first on: fewer where there is no room; 0 also for a size
 *         that does not fit
 */
uint32_t nhn_msg_send_packed(struct nhn_msg_tx *msg, uint16_t type, const void *messages,
			     uint32_t message_bytes, uint32_t count);

/** Read the watermarks, and begin new ones. */
struct nhn_msg_watermark nhn_msg_watermarks(struct nhn_msg_tx *msg);

/** Whether a message is on its way: the next one would be answered -EAGAIN. */
static inline bool
nhn_msg_busy(const struct nhn_msg_tx *msg)
{
	return msg->sending != NHN_MSG_SENT;
}

/** Bytes of messages that a PACK cell holds. */
static inline uint32_t
nhn_msg_pack_bytes(uint32_t inline_bytes)
{
	return inline_bytes + (uint32_t)sizeof(struct nhn_message_head) -
	       (uint32_t)sizeof(struct nhn_pack_head);
}

/** Go on with what was given up. @return whether a message may begin */
bool nhn_msg_settle(struct nhn_msg_tx *msg);

/** After a commit: note how full the ring is. */
static inline void
nhn_msg_note_cells(struct nhn_msg_tx *msg, const struct nhn_tx *tx)
{
	/* The reader's cursor as last loaded: it is loaded again at most every quarter ring. */
	if (__builtin_expect(tx->tail - (tx->limit - tx->cell_count) > msg->cells_high, 0))
		nhn_msg_raise_watermark(msg);
}

/** Commit what was reserved, a cell or a range, with its head. */
static inline void
nhn_msg_publish(struct nhn_msg_tx *msg, const struct nhn_message_head *head, const uint8_t *body,
		uint32_t length)
{
	struct nhn_tx *tx = msg->tx;
	uint8_t *cell = nhn_tx_cell(tx, tx->tail);
	uint32_t low = NHN_KIND_MSG << NHN_COMMIT_KIND_SHIFT | length;

	NHN_POINT("message/head");
	memcpy(cell + tx->inline_bytes, head, sizeof(*head));
	if (body != cell && length != 0)
		low = nhn_tx_describe(tx, cell, body, length);
	nhn_tx_publish(tx, cell, low);
	nhn_msg_note_cells(msg, tx);
}

/**
 * Send head->length bytes at @p data.
 * @return as nhn_msg_sendv()
 */
static inline int
nhn_msg_send(struct nhn_msg_tx *msg, const struct nhn_message_head *head, const void *data)
{
	void *cell;

	if (__builtin_expect(msg->sending != NHN_MSG_SENT || head->length > msg->tx->inline_bytes ||
				     (head->flags & ~NHN_MESSAGE_FLAGS) != 0,
			     0))
		return nhn_msg_send_long(msg, head, data);
	cell = nhn_tx_reserve(msg->tx, head->length);
	if (__builtin_expect(cell == NULL, 0))
		return nhn_msg_no_room(msg);
	if (head->length != 0)
		memcpy(cell, data, head->length);
	nhn_msg_publish(msg, head, (const uint8_t *)cell, head->length);
	return 0;
}

/**
 * Get room to write a message in place.
 * One at a time; to give it up, send or reserve the next. Commit it before the next
 * nhn_link_step().
 * @param length bytes at most; up to half the channel's data ring
 * @return NULL: no room, no peer, a message on its way, or longer than that
 */
static inline void *
nhn_msg_reserve(struct nhn_msg_tx *msg, uint32_t length)
{
	if (__builtin_expect(nhn_msg_busy(msg) && !nhn_msg_settle(msg), 0))
		return NULL;
	return nhn_tx_reserve(msg->tx, length);
}

/**
 * Send what was written in place.
 * @param head length is the bytes written, at most what was reserved; flags of
 *        NHN_MESSAGE_FLAGS, which is not checked here
 */
static inline void
nhn_msg_commit(struct nhn_msg_tx *msg, const struct nhn_message_head *head, const void *body)
{
	const struct nhn_tx *tx = msg->tx;

	nhn_msg_publish(msg, head, (const uint8_t *)body, head->length);
	/* Few cells may take much of the data ring. */
	if (__builtin_expect(tx->data_tail - (tx->data_limit - tx->data_bytes) > msg->data_high, 0))
		nhn_msg_raise_watermark(msg);
}

/* ---- reader ---- */

/** Take up a channel. @return as nhn_msg_tx_init() */
int nhn_msg_rx_init(struct nhn_msg_rx *msg, struct nhn_link *link, uint32_t channel);

/* Cold parts. */

/** A cell that is not a whole message in itself. @return 0, or -ESTALE: broken */
int nhn_msg_peek_other(struct nhn_msg_rx *msg, uint32_t word, struct nhn_msg_piece *piece);
/** Forget what was begun with the peer that is gone. @return -ESTALE */
int nhn_msg_forget(struct nhn_msg_rx *msg);

/** What a PACK cell holds. @param head a copy @return 0, or -ESTALE: broken */
static inline int
nhn_msg_pack_piece(struct nhn_msg_rx *msg, struct nhn_pack_head head, struct nhn_msg_piece *piece)
{
	piece->offset = 0;
	piece->messages = head.messages;
	memset(&piece->head, 0, sizeof(piece->head));
	piece->head.type = head.type;
	piece->head.length = head.message_bytes;
	/* Not 0 is the cell's length, so that neither factor is. */
	if (__builtin_expect(piece->length == (uint32_t)head.messages * head.message_bytes &&
				     piece->length != 0 &&
				     piece->length <= nhn_msg_pack_bytes(msg->rx->inline_bytes) &&
				     head.message_bytes <= NHN_PACK_MESSAGE_BYTES_MAX &&
				     !msg->begun,
			     1))
		return 0;
	return nhn_rx_break(msg->rx, NHN_FAULT_MESSAGE);
}

/** A committed cell as a piece. @return 0, or -ESTALE: broken */
static inline int
nhn_msg_take(struct nhn_msg_rx *msg, uint32_t word, const uint8_t NHN_FOREIGN *cell,
	     struct nhn_msg_piece *piece)
{
	piece->data = cell;
	piece->length = word & NHN_COMMIT_LENGTH_MASK;
	piece->offset = 0;
	piece->messages = 1;
	nhn_foreign_copy(&piece->head, cell + msg->rx->inline_bytes, sizeof(piece->head));
	/* A length that fits the head fits the cell, for heads of whole messages do. */
	if (__builtin_expect((word >> NHN_COMMIT_KIND_SHIFT & NHN_COMMIT_KIND_MASK) ==
					     NHN_KIND_MSG &&
				     piece->length <= msg->rx->inline_bytes &&
				     piece->head.length == piece->length &&
				     (piece->head.flags & ~NHN_MESSAGE_FLAGS) == 0 && !msg->begun,
			     1))
		return 0;
	return nhn_msg_peek_other(msg, word, piece);
}

/**
 * Look at the next pieces without taking them. Not while nhn_msg_receive() is in the middle
 * of a message.
 *
 * A whole short message is one piece with offset 0 and length head.length. The pieces of a
 * long one follow each other; the last ends at head.length.
 * @return pieces, up to @p count; 0: none; -ESTALE, once: the peer was restarted and all of
 *         its old messages were delivered (one that it was in the middle of never ends), or
 *         the channel was broken and begins anew
 */
static inline int
nhn_msg_peek(struct nhn_msg_rx *msg, struct nhn_msg_piece *pieces, uint32_t count)
{
	struct nhn_rx *rx = msg->rx;
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	uint32_t head = rx->head;
	struct nhn_rx_place place = nhn_rx_place_of(&ring, head);
	uint32_t i;

	for (i = 0; i < count; i++, nhn_rx_place_next(&ring, &place, ++head)) {
		uint32_t word;

		if (ring.cell_bytes != NHN_LINE_BYTES)
			nhn_foreign_prefetch(place.cell);
		word = nhn_rx_commit_word(&ring, place.cell); /* A */
		if (!nhn_rx_committed(&place, word) ||
		    nhn_msg_take(msg, word, place.cell, &pieces[i]) != 0)
			break;
	}
	rx->head = head;
	if (i != 0)
		return (int)i;
	return __builtin_expect(nhn_rx_empty(rx) != 0, 0) ? nhn_msg_forget(msg) : 0;
}

/**
 * Give back every piece peeked so far.
 * @return 0, or -ESTALE: as nhn_rx_release(), the bytes must not be acted on
 */
static inline int
nhn_msg_release(struct nhn_msg_rx *msg)
{
	return nhn_rx_release(msg->rx);
}

/** Give a place to receive messages to, one at a time. Each message begins at its begin. */
void nhn_msg_buffer_init(struct nhn_msg_buffer *buffer, const struct iovec *vector,
			 uint32_t vectors);

/**
 * See what comes next, without taking it.
 * @param head of the message that nhn_msg_receive() is in, or is to begin
 * @return 0; -EAGAIN: nothing is there; -ESTALE: as nhn_msg_peek()
 */
int nhn_msg_front(struct nhn_msg_rx *msg, struct nhn_message_head *head);

/**
 * Receive a message into the caller's memory, by NHN_MSG_STEP_BYTES a call at most.
 * Messages out of a PACK cell come one by one.
 * @return 0: it is whole, buffer->head says what it is. -EINPROGRESS: a step was done, go on
 *         with the same buffer. -EAGAIN: nothing is there now. -EMSGSIZE: buffer->head is of
 *         a message longer than the buffer: come with a longer one, or nhn_msg_skip().
 *         -EINVAL: not the buffer that has the begin of this message: come with that, or
 *         nhn_msg_skip(). -ECANCELED: its sender gave it up. -ESTALE: as nhn_msg_peek(); what was
 * received of a message is void
 */
int nhn_msg_receive(struct nhn_msg_rx *msg, struct nhn_msg_buffer *buffer);

/** Drop the message that nhn_msg_front() shows, or the rest of it: counted. */
void nhn_msg_skip(struct nhn_msg_rx *msg);

/** Whether nhn_msg_receive() or nhn_msg_peek() has something to say. */
static inline bool
nhn_msg_ready(struct nhn_msg_rx *msg)
{
	struct nhn_rx *rx = msg->rx;

	if (msg->holding || nhn_rx_waits(rx))
		return true;
	if (rx->released != rx->published)
		nhn_rx_publish(rx);
	return rx->stale != 0;
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_MSG_H */
