/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The reader of a channel: see nhn_channel.h.
 */
#ifndef NHN_CHANNEL_RX_H
#define NHN_CHANNEL_RX_H

#include <nhn_channel.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An rx tag that no commit word has: its lap bits are all that peek ors in. */
#define NHN_TAG_NONE 0x10000u

/** Reader's private state. Two cache lines, the first holds all of a message's way. */
struct nhn_rx {
	const uint8_t NHN_FOREIGN *cells; /**< in the peer's area */
	uint32_t head;			  /**< index of the next cell to peek, wraps */
	uint32_t released;		  /**< cells before it are given back */
	uint32_t published;		  /**< cells the peer knows given back */
	uint32_t cell_count;
	uint32_t tag;	      /**< upper half of the next commit words without their lap */
	uint8_t cell_bytes;   /**< 64 or 128 */
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
NHN_WIRE_ASSERT(offsetof(struct nhn_rx, data) == NHN_LINE_BYTES);

/** A message to read in place, valid until nhn_rx_release(). */
struct nhn_view {
	const uint8_t NHN_FOREIGN *data; /**< read once, or copy and check the copy */
	uint32_t length;		 /**< bytes, a checked private copy */
	uint32_t index;			 /**< of its cell, for nhn_rx_metadata() */
};

/* Cold parts, in channel.c. */

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

/** What finding a peer's cell needs: a copy in registers, as no store can change it. */
struct nhn_rx_ring {
	const uint8_t NHN_FOREIGN *cells;
	uint32_t mask;
	uint32_t tag;
	uint32_t cell_bytes;
	uint32_t lap_shift;
};

static inline struct nhn_rx_ring
nhn_rx_ring_of(const struct nhn_rx *rx)
{
	struct nhn_rx_ring ring = {
		rx->cells, rx->cell_count - 1, rx->tag, rx->cell_bytes, rx->lap_shift,
	};

	return ring;
}

/** The body of a peer's cell. */
static inline const uint8_t NHN_FOREIGN *
nhn_rx_cell(const struct nhn_rx_ring *ring, uint32_t index)
{
	return ring->cells + (size_t)(index & ring->mask) * ring->cell_bytes;
}

/** Where the commit word of a peer's cell stands. */
static inline const uint32_t NHN_FOREIGN *
nhn_rx_commit_place(const struct nhn_rx_ring *ring, const uint8_t NHN_FOREIGN *cell)
{
	return (const uint32_t NHN_FOREIGN *)(const void NHN_FOREIGN *)(cell + ring->cell_bytes -
									NHN_COMMIT_BYTES);
}

/** Load the commit word of a peer's cell (A). */
static inline uint32_t
nhn_rx_commit_word(const struct nhn_rx_ring *ring, const uint8_t NHN_FOREIGN *cell)
{
	return nhn_foreign_acquire(nhn_rx_commit_place(ring, cell));
}

/** The upper half of the commit word that index will have in this pairing. */
static inline uint32_t
nhn_rx_expected(const struct nhn_rx_ring *ring, uint32_t index)
{
	return ring->tag | ((index >> ring->lap_shift) & NHN_COMMIT_LAP_MASK);
}

/**
 * The commit word that an empty RAW cell would have at this index: what a word is above it is
 * the length of a message in the cell, and more than any where it is another word. Of 64 bits,
 * so that NHN_TAG_NONE stays above every word.
 */
static inline uint64_t
nhn_rx_plain(const struct nhn_rx_ring *ring, uint32_t index)
{
	return (uint64_t)nhn_rx_expected(ring, index) << NHN_COMMIT_LAP_SHIFT |
	       NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT;
}

/** A cell that is looked at, and what its commit word should be. */
struct nhn_rx_place {
	const uint8_t NHN_FOREIGN *cell;
	uint64_t plain; /**< see nhn_rx_plain() */
};

static inline struct nhn_rx_place
nhn_rx_place_of(const struct nhn_rx_ring *ring, uint32_t index)
{
	struct nhn_rx_place place = {nhn_rx_cell(ring, index), nhn_rx_plain(ring, index)};

	return place;
}

/** Go on to the cell of @p index, the next one. */
static inline void
nhn_rx_place_next(const struct nhn_rx_ring *ring, struct nhn_rx_place *place, uint32_t index)
{
	place->cell += ring->cell_bytes;
	if (__builtin_expect((index & ring->mask) == 0, 0))
		*place = nhn_rx_place_of(ring, index);
}

/** Whether a commit word is of this place in this pairing. */
static inline bool
nhn_rx_committed(const struct nhn_rx_place *place, uint32_t word)
{
	return (word ^ place->plain) >> NHN_COMMIT_LAP_SHIFT == 0;
}

/** Whether a message waits at the head. */
static inline bool
nhn_rx_waits(const struct nhn_rx *rx)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	const struct nhn_rx_place place = nhn_rx_place_of(&ring, rx->head);

	/*
	 * Both lines of a long cell are on their way at once. Bursts came half as fast again to
	 * twice as fast as with a prefetch: who waits for both lines looks less often at one that
	 * the writer is at (doc/performance).
	 */
	if (ring.cell_bytes != NHN_LINE_BYTES)
		nhn_foreign_touch(place.cell);
	return nhn_rx_committed(&place, nhn_rx_commit_word(&ring, place.cell)); /* A */
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
 * A poll of few instructions, for programs that poll much: loads one word of the peer, of a cell
 * of two lines also one of the first line, which nothing takes, and tells it what was given back.
 * @return whether nothing waits: no message, and no -ESTALE
 */
static inline bool
nhn_rx_idle(struct nhn_rx *rx)
{
	if (nhn_rx_waits(rx) || rx->stale != 0)
		return false;
	if (rx->released != rx->published)
		nhn_rx_publish(rx);
	return true;
}

/**
 * Look at the next messages without taking them.
 * Messages peeked earlier and not released stay valid; the ring bounds them.
 * @return messages in @p views, up to @p count; 0: none; -ESTALE, once on each channel: the
 *         peer was restarted and all of its old messages were delivered, or the channel was
 *         broken and begins anew; what comes is of a new session
 */
static NHN_ALWAYS_INLINE int
nhn_rx_peek(struct nhn_rx *rx, struct nhn_view *views, uint32_t count)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	const uint32_t inline_bytes = rx->inline_bytes;
	uint32_t head = rx->head;
	struct nhn_rx_place place = nhn_rx_place_of(&ring, head);
	uint32_t i;

	for (i = 0; i < count; i++, nhn_rx_place_next(&ring, &place, ++head)) {
		struct nhn_view view;
		uint64_t length;
		uint32_t word;

		/* Both lines of a long cell are on their way at once. */
		if (ring.cell_bytes != NHN_LINE_BYTES)
			nhn_foreign_prefetch(place.cell);
		word = nhn_rx_commit_word(&ring, place.cell); /* A */
		length = word - place.plain;
		view.data = place.cell;
		view.length = (uint32_t)length;
		view.index = head;
		/* Before it is known to be one, so that no caller's compiler takes it for unset. */
		views[i] = view;
		if (__builtin_expect(length <= inline_bytes, 1))
			continue;
		if (!nhn_rx_committed(&place, word) || nhn_rx_peek_other(rx, word, &view) != 0)
			break;
		views[i] = view;
	}
	rx->head = head;
	return i != 0 ? (int)i : nhn_rx_empty(rx);
}

/** Give back all up to the head. @param changed bits of commit words that are not as they were */
static inline int
nhn_rx_give_back(struct nhn_rx *rx, uint64_t changed)
{
	rx->released = rx->head;
	rx->data_released = rx->data_head;
	if (__builtin_expect(changed >> NHN_COMMIT_LAP_SHIFT != 0, 0))
		return nhn_rx_break(rx, NHN_FAULT_OVERRUN);
	if (rx->released - rx->published >= rx->cell_count / 4 ||
	    rx->data_released - rx->data_published >= rx->data_quarter)
		nhn_rx_publish(rx);
	return 0;
}

/**
 * Give back every message peeked so far.
 * @return 0, or -ESTALE: the peer rewrote a message under the reader, which must not act on
 *         any of those bytes. The channel is then broken (only a peer that breaks the rules
 *         causes it; a liar can change bytes unseen: copy first, check the copy).
 */
static NHN_ALWAYS_INLINE int
nhn_rx_release(struct nhn_rx *rx)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	const uint32_t head = rx->head;
	uint32_t index = rx->released;
	struct nhn_rx_place place = nhn_rx_place_of(&ring, index);
	uint64_t changed = 0;

	NHN_POINT("receive/release");
	nhn_fence_acquire();
	while (index != head) {
		changed |= nhn_rx_commit_word(&ring, place.cell) ^ place.plain;
		if (++index != head)
			nhn_rx_place_next(&ring, &place, index);
	}
	return nhn_rx_give_back(rx, changed);
}

/**
 * Messages being taken one after the other, given back at the end: a peek and a release in one
 * pass, its state in registers. Of one function, which does nothing else with @p rx and takes no
 * nhn_link_step() from nhn_rx_begin() to nhn_rx_end(); nothing may be held by a peek. No message
 * may be acted on before nhn_rx_end() has answered 0.
 */
struct nhn_rx_run {
	struct nhn_rx *rx;
	struct nhn_rx_ring ring;
	struct nhn_rx_place place;
	uint32_t head;
	uint32_t data_head; /**< before what was taken and not read */
	uint32_t inline_bytes;
	uint64_t changed; /**< bits of commit words that changed while their message was read */
};

static NHN_ALWAYS_INLINE struct nhn_rx_run
nhn_rx_begin(struct nhn_rx *rx)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	struct nhn_rx_run run = {
		.rx = rx,
		.ring = ring,
		.place = nhn_rx_place_of(&ring, rx->head),
		.head = rx->head,
		.data_head = rx->data_head,
		.inline_bytes = rx->inline_bytes,
		.changed = 0,
	};

	return run;
}

/**
 * Take the next message. Read it, then call nhn_rx_read(); one that is not wanted now comes
 * again in the next run if nhn_rx_end() comes first.
 * @param view as of nhn_rx_peek()
 * @return whether there is one; else nhn_rx_end() tells why
 */
static NHN_ALWAYS_INLINE bool
nhn_rx_next(struct nhn_rx_run *run, struct nhn_view *view)
{
	uint64_t length;
	uint32_t word;

	if (run->ring.cell_bytes != NHN_LINE_BYTES)
		nhn_foreign_prefetch(run->place.cell);
	word = nhn_rx_commit_word(&run->ring, run->place.cell); /* A */
	length = word - run->place.plain;
	view->data = run->place.cell;
	view->length = (uint32_t)length;
	view->index = run->head;
	if (__builtin_expect(length <= run->inline_bytes, 1))
		return true;
	return nhn_rx_committed(&run->place, word) && nhn_rx_peek_other(run->rx, word, view) == 0;
}

/** What nhn_rx_next() gave has been read. */
static NHN_ALWAYS_INLINE void
nhn_rx_read(struct nhn_rx_run *run)
{
	NHN_POINT("receive/release");
	nhn_fence_acquire();
	run->changed |= nhn_rx_commit_word(&run->ring, run->place.cell) ^ run->place.plain;
	run->data_head = run->rx->data_head;
	nhn_rx_place_next(&run->ring, &run->place, ++run->head);
}

/**
 * Give back what was read.
 * @return 0, or -ESTALE: as nhn_rx_release(), or, where nothing was read, as nhn_rx_peek().
 *         Messages read before a cell that broke the channel are whole and stand; the next
 *         poll tells of the fault
 */
static NHN_ALWAYS_INLINE int
nhn_rx_end(const struct nhn_rx_run *run)
{
	struct nhn_rx *rx = run->rx;

	rx->data_head = run->data_head;
	if (run->head == rx->head)
		return nhn_rx_empty(rx);
	rx->head = run->head;
	return nhn_rx_give_back(rx, run->changed);
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_CHANNEL_RX_H */
