/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A channel: messages in one direction, one writer and one reader.
 *
 *     writer (struct nhn_tx)                     reader (struct nhn_rx)
 *     ----------------------                     ----------------------
 *     nhn_tx_reserve: room? else load cursor B   nhn_rx_peek: load commit word A
 *     write the body in place                    read the body in place
 *     nhn_tx_commit: store commit word A         nhn_rx_release: load commit word again,
 *                                                store cursor B every quarter ring
 *
 * A pairs the commit word's release store with its acquire load: the body is
 * whole. B pairs the cursor's release store with its acquire load: the bytes
 * are read before they are written again. doc/memory-ordering has the rest.
 *
 * A message of up to nhn_tx.inline_bytes travels in one cell. A longer one, up
 * to half the data ring, travels in the data ring and a cell names it.
 *
 * Threads: a struct nhn_tx belongs to one thread at a time, so does a struct
 * nhn_rx. lib/link opens and closes them; while it steps, no other thread may
 * be in a call of this file on the same link.
 *
 * The functions below never log, allocate, divide or call the kernel, and each
 * does a bounded amount of work: peek looks at one cell more than it returns.
 */
#ifndef NHN_CHANNEL_H
#define NHN_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_libc.h>
#include <nhn_peer.h>
#include <nhn_wire.h>
#include <nhn_word.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Cells that a writer fetches ahead for writing. Found by prototypes: 16 ahead
 * carried 1.7 times the messages of none, 8 ahead 1.5 times.
 */
#define NHN_FETCH_AHEAD 16u

/** An rx tag that no commit word has: its lap bits are all that peek ors in. */
#define NHN_TAG_NONE 0x10000u

/** Why a channel is broken: the peer broke the format's rules. */
enum nhn_fault {
	NHN_FAULT_NONE = 0,
	NHN_FAULT_KIND,	      /**< a committed cell of a kind this channel does not carry */
	NHN_FAULT_LENGTH,     /**< an inline length over the cell's */
	NHN_FAULT_DESCRIPTOR, /**< a range outside the data ring or not yet given back */
	NHN_FAULT_OVERRUN,    /**< a cell rewritten before the reader gave it back */
	NHN_FAULT_MESSAGE,    /**< a cell that does not go on with the message begun */
	NHN_FAULT_CURSOR,     /**< a cursor the reader cannot have reached */
};

/** Writer's private state. Two cache lines, the first holds all of a lone message's way. */
struct nhn_tx {
	uint8_t *cells; /**< in the own area */
	uint32_t tail;	/**< index of the next cell, wraps */
	uint32_t limit; /**< tail may not pass it; = tail while the way is closed */
	uint32_t cell_count;
	uint32_t tag;	      /**< committed and pairing bits of each commit word */
	uint8_t cell_shift;   /**< log2 of a cell's bytes */
	uint8_t lap_shift;    /**< log2 of cell_count */
	uint8_t inline_bytes; /**< of a message that fits a cell */
	uint8_t up;	      /**< messages may be sent */
	uint32_t data_tail;   /**< bytes written since the ring began, wraps */
	uint32_t data_limit;  /**< data_tail may not pass it */
	uint32_t data_bytes;  /**< of the data ring; 0: none */
	uint8_t *data;	      /**< in the own area */
	const struct nhn_cursor NHN_FOREIGN *cursor; /**< in the peer's area */

	uint64_t full
		__attribute__((aligned(NHN_LINE_BYTES))); /**< reserves refused for want of room */
	uint32_t *attention; /**< set when control should look at fault */
	uint32_t fault;	     /**< enum nhn_fault */
};

/** Reader's private state. Two cache lines, the first holds all of a message's way. */
struct nhn_rx {
	const uint8_t NHN_FOREIGN *cells; /**< in the peer's area */
	uint32_t head;			  /**< index of the next cell to peek, wraps */
	uint32_t released;		  /**< cells before it are given back */
	uint32_t published;		  /**< cells the peer knows given back */
	uint32_t cell_count;
	uint32_t tag;	      /**< upper half of the next commit words without their lap */
	uint8_t cell_shift;   /**< log2 of a cell's bytes */
	uint8_t lap_shift;    /**< log2 of cell_count */
	uint8_t inline_bytes; /**< of a message that fits a cell */
	uint8_t stale;	      /**< the next empty peek answers -ESTALE */
	uint32_t data_head;   /**< where the next range of the data ring is expected */
	uint32_t data_released;
	uint32_t data_published;
	uint32_t data_quarter;	   /**< bytes given back that are worth telling */
	struct nhn_cursor *cursor; /**< in the own area */

	const uint8_t NHN_FOREIGN *data
		__attribute__((aligned(NHN_LINE_BYTES))); /**< in the peer's area */
	uint32_t data_bytes;				  /**< of the data ring; 0: none */
	uint32_t *attention; /**< set when control should look at fault */
	uint32_t fault;	     /**< enum nhn_fault */
};
NHN_WIRE_ASSERT(offsetof(struct nhn_tx, full) == NHN_LINE_BYTES);
NHN_WIRE_ASSERT(offsetof(struct nhn_rx, data) == NHN_LINE_BYTES);

/** A message to read in place, valid until nhn_rx_release(). */
struct nhn_view {
	const uint8_t NHN_FOREIGN *data; /**< read once, or copy and check the copy */
	uint32_t length;		 /**< bytes, a checked private copy */
	uint32_t index;			 /**< of its cell, for nhn_rx_metadata() */
};

/** A message to send by copy. */
struct nhn_slice {
	const void *data;
	uint32_t length; /**< bytes */
};

/**
 * Fetch the line for writing. __builtin_prefetch asks for reading on x86-64
 * unless the compiler is told of prefetchw, which every x86-64 decodes.
 */
static inline void
nhn_fetch_for_writing(const void *line)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
#else
	__builtin_prefetch(line, 1);
#endif
}

/* Cold parts, in channel.c. */

/** Look at the reader's cursor again. @return whether a cell is free */
bool nhn_tx_refresh(struct nhn_tx *tx);
/** Load the reader's cursors, so that tx->limit and tx->data_limit are of now. */
void nhn_tx_update(struct nhn_tx *tx);
/** Room in the data ring for @p length bytes. @return NULL when there is none */
void *nhn_tx_reserve_data(struct nhn_tx *tx, uint32_t length);
/**
 * Fetch the next @p bytes of the data ring for writing, if they are free and stand together:
 * those of a message like the last one, while the reader has that.
 */
void nhn_tx_fetch_data(const struct nhn_tx *tx, uint32_t bytes);
/** Take a DESC cell apart. @param view data is the cell. @return 0, or -ESTALE: broken */
int nhn_rx_describe(struct nhn_rx *rx, struct nhn_view *view);
/**
 * A committed cell that is not a plain inline message: a DESC cell taken apart, or a fault.
 * @param view data is the cell
 * @return 0, or -ESTALE when the channel is now broken
 */
int nhn_rx_peek_other(struct nhn_rx *rx, uint32_t word, struct nhn_view *view);
/** Note a fault: the channel delivers nothing more. @return -ESTALE */
int nhn_rx_break(struct nhn_rx *rx, enum nhn_fault fault);
/** Tell the writer what is given back. */
void nhn_rx_publish(struct nhn_rx *rx);

/** The body of a cell. */
static inline uint8_t *
nhn_tx_cell(const struct nhn_tx *tx, uint32_t index)
{
	return tx->cells + ((size_t)(index & (tx->cell_count - 1)) << tx->cell_shift);
}

/** The commit word at the end of a cell. */
static inline uint32_t *
nhn_tx_commit_word(const struct nhn_tx *tx, uint8_t *cell)
{
	return (uint32_t *)(void *)(cell + ((size_t)1 << tx->cell_shift) - NHN_COMMIT_BYTES);
}

/** What finding a peer's cell needs: a copy in registers, as no store can change it. */
struct nhn_rx_ring {
	const uint8_t NHN_FOREIGN *cells;
	uint32_t mask;
	uint32_t tag;
	uint32_t cell_shift;
	uint32_t lap_shift;
};

static inline struct nhn_rx_ring
nhn_rx_ring_of(const struct nhn_rx *rx)
{
	struct nhn_rx_ring ring = {
		rx->cells, rx->cell_count - 1, rx->tag, rx->cell_shift, rx->lap_shift,
	};

	return ring;
}

/** The body of a peer's cell. */
static inline const uint8_t NHN_FOREIGN *
nhn_rx_cell(const struct nhn_rx_ring *ring, uint32_t index)
{
	return ring->cells + ((size_t)(index & ring->mask) << ring->cell_shift);
}

/** Where the commit word of a peer's cell stands. */
static inline const uint32_t NHN_FOREIGN *
nhn_rx_commit_place(const struct nhn_rx_ring *ring, uint32_t index)
{
	const uint8_t NHN_FOREIGN *end = nhn_rx_cell(ring, index) + ((size_t)1 << ring->cell_shift);

	return (const uint32_t NHN_FOREIGN *)(const void NHN_FOREIGN *)(end - NHN_COMMIT_BYTES);
}

/** Load the commit word of a peer's cell (A). */
static inline uint32_t
nhn_rx_commit_word(const struct nhn_rx_ring *ring, uint32_t index)
{
	return nhn_foreign_acquire(nhn_rx_commit_place(ring, index));
}

/** The upper half of the commit word that index will have in this pairing. */
static inline uint32_t
nhn_rx_expected(const struct nhn_rx_ring *ring, uint32_t index)
{
	return ring->tag | ((index >> ring->lap_shift) & NHN_COMMIT_LAP_MASK);
}

/** 0 when the upper half of a commit word is that of this index in this pairing. */
static inline uint32_t
nhn_rx_difference(const struct nhn_rx_ring *ring, uint32_t index, uint32_t word)
{
	return word >> NHN_COMMIT_LAP_SHIFT ^ nhn_rx_expected(ring, index);
}

/**
 * Get room for a message to write in place, at a tail that the caller holds.
 *
 * For bursts: with the tail in a local variable nothing but the ring is stored
 * to between two messages. A store to a second line in between, even a private
 * one, was measured to cost a fifth of the rate (doc/performance). Begin with
 * tx->tail, go on with what nhn_tx_commit_at() returns, and end with
 * nhn_tx_end() before anything else is done with @p tx.
 * @return as nhn_tx_reserve()
 */
static inline void *
nhn_tx_reserve_at(struct nhn_tx *tx, uint32_t tail, uint32_t length)
{
	/* Signed: a step of the link between reserve and commit may leave the limit behind. */
	if (__builtin_expect((int32_t)(tx->limit - tail) <= 0, 0)) {
		tx->tail = tail;
		if (!nhn_tx_refresh(tx))
			return NULL;
	}
	if (__builtin_expect(length <= tx->inline_bytes, 1))
		return nhn_tx_cell(tx, tail);
	return nhn_tx_reserve_data(tx, length);
}

/**
 * Get room for a message to write in place.
 * One message may be reserved at a time; to give it up, reserve the next. Commit
 * it before the next nhn_link_step(), which may close or clear the ring under it.
 * @param length bytes at most; up to half the data ring
 * @return where to write, or NULL: no room, not up, or longer than the channel carries
 */
static inline void *
nhn_tx_reserve(struct nhn_tx *tx, uint32_t length)
{
	return nhn_tx_reserve_at(tx, tx->tail, length);
}

/** Write a DESC cell for bytes that stand in the data ring. @return its commit word's low half */
static inline uint32_t
nhn_tx_describe(struct nhn_tx *tx, uint8_t *cell, const void *body, uint32_t length)
{
	struct nhn_descriptor descriptor;
	uint32_t offset = (uint32_t)((const uint8_t *)body - tx->data);

	/* Skips the bytes left before the wrap, if the range did not fit there. */
	descriptor.position = tx->data_tail + ((offset - tx->data_tail) & (tx->data_bytes - 1));
	descriptor.length = length;
	NHN_POINT("send/describe");
	memcpy(cell, &descriptor, sizeof(descriptor));
	tx->data_tail =
		descriptor.position + ((length + NHN_LINE_BYTES - 1) & ~(NHN_LINE_BYTES - 1));
	return NHN_KIND_DESC << NHN_COMMIT_KIND_SHIFT;
}

/**
 * Commit the cell at @p tail.
 * @param kind_length lower half of the commit word
 * @return the next tail
 */
static inline uint32_t
nhn_tx_publish_at(struct nhn_tx *tx, uint32_t tail, uint8_t *cell, uint32_t kind_length)
{
	uint32_t word = tx->tag | ((tail >> tx->lap_shift) & NHN_COMMIT_LAP_MASK)
					  << NHN_COMMIT_LAP_SHIFT;

	word |= kind_length;
	NHN_POINT("send/commit");
	nhn_store_release(nhn_tx_commit_word(tx, cell), word); /* A */
	NHN_POINT("send/committed");
	tail++;
	/* Only within cells known free: elsewhere it would steal lines from the reader. */
	if ((int32_t)(tx->limit - tail) >= (int32_t)NHN_FETCH_AHEAD) {
		cell = nhn_tx_cell(tx, tail + NHN_FETCH_AHEAD - 1);
		nhn_fetch_for_writing(cell);
		if (tx->cell_shift == 7)
			nhn_fetch_for_writing(cell + NHN_LINE_BYTES);
	}
	return tail;
}

/**
 * Send what was written in place after nhn_tx_reserve_at().
 * @return the next tail
 */
static inline uint32_t
nhn_tx_commit_at(struct nhn_tx *tx, uint32_t tail, const void *body, uint32_t length)
{
	uint8_t *cell = nhn_tx_cell(tx, tail);

	if (__builtin_expect(body == cell || length == 0, 1))
		return nhn_tx_publish_at(tx, tail, cell,
					 NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT | length);
	return nhn_tx_publish_at(tx, tail, cell, nhn_tx_describe(tx, cell, body, length));
}

/** End a burst of nhn_tx_reserve_at() and nhn_tx_commit_at(). */
static inline void
nhn_tx_end(struct nhn_tx *tx, uint32_t tail)
{
	tx->tail = tail;
}

/**
 * Send what was written in place. Delivered unless the reader restarts.
 * @param body what nhn_tx_reserve() returned
 * @param length bytes written, at most what was reserved
 */
static inline void
nhn_tx_commit(struct nhn_tx *tx, const void *body, uint32_t length)
{
	nhn_tx_end(tx, nhn_tx_commit_at(tx, tx->tail, body, length));
}

/**
 * Send by copy.
 * @return messages sent, from the first on; fewer than @p count where there is no room,
 *         the way is not up or a message is longer than the channel carries
 */
static inline uint32_t
nhn_tx_burst(struct nhn_tx *tx, const struct nhn_slice *messages, uint32_t count)
{
	uint32_t tail = tx->tail;
	uint32_t i;

	for (i = 0; i < count; i++) {
		void *body = nhn_tx_reserve_at(tx, tail, messages[i].length);

		if (__builtin_expect(body == NULL, 0))
			break;
		memcpy(body, messages[i].data, messages[i].length);
		tail = nhn_tx_commit_at(tx, tail, body, messages[i].length);
	}
	nhn_tx_end(tx, tail);
	return i;
}

/** Metadata of the ethernet cell of this index, which is being written. */
static inline struct nhn_frame_metadata *
nhn_tx_metadata(const struct nhn_tx *tx, uint32_t index)
{
	return (struct nhn_frame_metadata *)(void *)(nhn_tx_cell(tx, index) + tx->inline_bytes);
}

/** Metadata of a peeked ethernet cell, in the peer's area. */
static inline const struct nhn_frame_metadata NHN_FOREIGN *
nhn_rx_metadata(const struct nhn_rx *rx, const struct nhn_view *view)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	const uint8_t NHN_FOREIGN *cell = nhn_rx_cell(&ring, view->index);

	return (const struct nhn_frame_metadata NHN_FOREIGN *)(const void NHN_FOREIGN
								       *)(cell + rx->inline_bytes);
}

/** Whether messages are peeked and not yet given back. */
static inline bool
nhn_rx_holds(const struct nhn_rx *rx)
{
	return rx->head != rx->released;
}

/** The end of an empty poll. @return 0 or, once, -ESTALE */
static inline int
nhn_rx_empty(struct nhn_rx *rx)
{
	if (rx->released != rx->published)
		nhn_rx_publish(rx);
	if (__builtin_expect(rx->stale, 0)) {
		rx->stale = 0;
		return -ESTALE;
	}
	return 0;
}

/**
 * Whether a peek would find nothing, and has nothing else to do: a poll of few instructions
 * for programs that poll much. Loads one word of the peer.
 */
static inline bool
nhn_rx_idle(const struct nhn_rx *rx)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);

	/* As in a peek: both lines of a long cell are on their way at once. */
	if (ring.cell_shift == 7)
		nhn_foreign_prefetch(nhn_rx_cell(&ring, rx->head));
	return nhn_rx_difference(&ring, rx->head, nhn_rx_commit_word(&ring, rx->head)) != 0 &&
	       rx->released == rx->published && rx->stale == 0;
}

/**
 * Look at the next messages without taking them.
 * Messages peeked earlier and not released stay valid; the ring bounds them.
 * @return messages in @p views, up to @p count; 0: none; -ESTALE, once on each channel: the
 *         peer was restarted and all of its old messages were delivered, or the channel was
 *         broken and begins anew; what comes is of a new session
 */
static inline int
nhn_rx_peek(struct nhn_rx *rx, struct nhn_view *views, uint32_t count)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	const uint32_t inline_bytes = rx->inline_bytes;
	uint32_t head = rx->head;
	uint32_t i;

	for (i = 0; i < count; i++, head++) {
		const uint8_t NHN_FOREIGN *cell = nhn_rx_cell(&ring, head);
		uint32_t word;

		/* Both lines of a long cell are on their way at once. */
		if (ring.cell_shift == 7)
			nhn_foreign_prefetch(cell);
		word = nhn_rx_commit_word(&ring, head); /* A */
		if (nhn_rx_difference(&ring, head, word) != 0)
			break;
		views[i].index = head;
		views[i].data = cell;
		views[i].length = word & NHN_COMMIT_LENGTH_MASK;
		if (__builtin_expect((word >> NHN_COMMIT_KIND_SHIFT & NHN_COMMIT_KIND_MASK) ==
						     NHN_KIND_RAW &&
					     views[i].length <= inline_bytes,
				     1))
			continue;
		if (nhn_rx_peek_other(rx, word, &views[i]) != 0)
			break;
	}
	rx->head = head;
	return i != 0 ? (int)i : nhn_rx_empty(rx);
}

/**
 * Give back every message peeked so far.
 * @return 0, or -ESTALE: the peer rewrote a message under the reader, which must not act on
 *         any of those bytes. The channel is then broken (only a peer that breaks the rules
 *         causes it; a liar can change bytes unseen: copy first, check the copy).
 */
static inline int
nhn_rx_release(struct nhn_rx *rx)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	const uint32_t head = rx->head;
	uint32_t changed = 0;
	uint32_t index;

	NHN_POINT("receive/release");
	nhn_fence_acquire();
	for (index = rx->released; index != head; index++)
		changed |= nhn_rx_difference(&ring, index, nhn_rx_commit_word(&ring, index));
	rx->released = rx->head;
	rx->data_released = rx->data_head;
	if (__builtin_expect(changed != 0, 0))
		return nhn_rx_break(rx, NHN_FAULT_OVERRUN);
	if (rx->released - rx->published >= rx->cell_count / 4 ||
	    rx->data_released - rx->data_published >= rx->data_quarter)
		nhn_rx_publish(rx);
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_CHANNEL_H */
