/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The writer of a channel: see nhn_channel.h.
 */
#ifndef NHN_CHANNEL_TX_H
#define NHN_CHANNEL_TX_H

#include <nhn_channel.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Writer's private state. Two cache lines, the first holds all of a lone message's way. */
struct nhn_tx {
	uint8_t *cells; /**< in the own area */
	uint32_t tail;	/**< index of the next cell, wraps */
	uint32_t limit; /**< tail may not pass it; = tail while the way is closed */
	uint32_t cell_count;
	uint32_t tag;	      /**< committed and pairing bits of each commit word */
	uint8_t cell_bytes;   /**< 64 or 128 */
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
NHN_WIRE_ASSERT(offsetof(struct nhn_tx, full) == NHN_LINE_BYTES);

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

/**
 * Fetch the next @p bytes of the data ring for writing, if they are free and stand together:
 * after a commit, for a next message as long as the last, while the reader is at that one.
 */
void nhn_tx_fetch_data(const struct nhn_tx *tx, uint32_t bytes);

/**
 * Cores whose line takes so long for a round trip are far: found by benchmarks/run, 64 KiB in
 * rings of 256 KiB to 2 MiB (doc/performance, "Copies").
 */
#define NHN_FAR_TRIP_NS 200u

/**
 * Copy past the caches, a line at a time where @p to is aligned to one; the rest, and all on other
 * processors than x86-64, as memcpy(). End such copies by nhn_fence_streamed() before the commit.
 */
void nhn_copy_streamed(void *to, const void *from, size_t bytes);

/* Cold parts, in channel.c. */

/** Look at the reader's cursor again. @return whether a cell is free */
bool nhn_tx_refresh(struct nhn_tx *tx);
/** Load the reader's cursors, so that tx->limit and tx->data_limit are of now. */
void nhn_tx_update(struct nhn_tx *tx);
/** Room in the data ring for @p length bytes. @return NULL when there is none */
void *nhn_tx_reserve_data(struct nhn_tx *tx, uint32_t length);

/** The body of a cell. */
static inline uint8_t *
nhn_tx_cell(const struct nhn_tx *tx, uint32_t index)
{
	return tx->cells + (size_t)(index & (tx->cell_count - 1)) * tx->cell_bytes;
}

/** The commit word at the end of a cell. */
static inline uint32_t *
nhn_tx_commit_word(const struct nhn_tx *tx, uint8_t *cell)
{
	return (uint32_t *)(void *)(cell + tx->cell_bytes - NHN_COMMIT_BYTES);
}

/**
 * Messages being sent one after the other: what that needs of a struct nhn_tx, which any store
 * to the ring could change for all the compiler knows, in registers. Of one function, which
 * does nothing else with @p tx and takes no nhn_link_step() from nhn_tx_begin() to
 * nhn_tx_end(): a step may close or clear the ring, and the run would not see it.
 */
struct nhn_tx_run {
	struct nhn_tx *tx;
	uint8_t *cells;
	uint32_t mask;
	uint32_t tail;
	uint32_t limit;
	uint32_t tag;
	uint32_t cell_bytes;
	uint32_t lap_shift;
	uint32_t inline_bytes;
};

/** Begin to send one message after the other, with nhn_tx_reserve_at() and nhn_tx_commit_at(). */
static inline struct nhn_tx_run
nhn_tx_begin(struct nhn_tx *tx)
{
	struct nhn_tx_run run = {
		.tx = tx,
		.cells = tx->cells,
		.mask = tx->cell_count - 1,
		.tail = tx->tail,
		.limit = tx->limit,
		.tag = tx->tag,
		.cell_bytes = tx->cell_bytes,
		.lap_shift = tx->lap_shift,
		.inline_bytes = tx->inline_bytes,
	};

	return run;
}

/** The body of the cell at the tail. */
static inline uint8_t *
nhn_tx_cell_at(const struct nhn_tx_run *run)
{
	return run->cells + (size_t)(run->tail & run->mask) * run->cell_bytes;
}

/** End what nhn_tx_begin() began, before anything else is done with its struct nhn_tx. */
static inline void
nhn_tx_end(const struct nhn_tx_run *run)
{
	run->tx->tail = run->tail;
}

/**
 * Get room for a message to write in place.
 *
 * In a run nothing but the ring is stored to between two messages. A store to a second line in
 * between, even a private one, was measured to cost a fifth of the rate (doc/performance).
 * @return as nhn_tx_reserve()
 */
static NHN_ALWAYS_INLINE void *
nhn_tx_reserve_at(struct nhn_tx_run *run, uint32_t length)
{
	/* Signed: a step of the link between reserve and commit may leave the limit behind. */
	if (__builtin_expect((int32_t)(run->limit - run->tail) <= 0, 0)) {
		run->tx->tail = run->tail;
		if (!nhn_tx_refresh(run->tx))
			return NULL;
		run->limit = run->tx->limit;
	}
	if (__builtin_expect(length <= run->inline_bytes, 1))
		return nhn_tx_cell_at(run);
	return nhn_tx_reserve_data(run->tx, length);
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
	struct nhn_tx_run run = nhn_tx_begin(tx);

	return nhn_tx_reserve_at(&run, length);
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
 * Commit the cell at the tail.
 * @param kind_length lower half of the commit word
 */
static NHN_ALWAYS_INLINE void
nhn_tx_publish_at(struct nhn_tx_run *run, uint8_t *cell, uint32_t kind_length)
{
	uint32_t *commit_word = (uint32_t *)(void *)(cell + run->cell_bytes - NHN_COMMIT_BYTES);
	uint32_t lap = (run->tail >> run->lap_shift) & NHN_COMMIT_LAP_MASK;

	NHN_POINT("send/commit");
	nhn_store_release(commit_word,
			  run->tag | lap << NHN_COMMIT_LAP_SHIFT | kind_length); /* A */
	NHN_POINT("send/committed");
	run->tail++;
}

/**
 * Complete the cell of what was written after nhn_tx_reserve_at(), all but its commit word.
 * @param cell set to the cell
 * @return the commit word's lower half, for nhn_tx_publish_at()
 */
static NHN_ALWAYS_INLINE uint32_t
nhn_tx_complete_at(struct nhn_tx_run *run, void *body, uint32_t length, uint8_t **cell)
{
	*cell = (uint8_t *)body;
	/* The data ring stands behind the cells. */
	if (__builtin_expect(*cell >= run->tx->data, 0)) {
		*cell = nhn_tx_cell_at(run);
		if (length != 0)
			return nhn_tx_describe(run->tx, *cell, body, length);
	}
	return NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT | length;
}

/** Send what was written in place after nhn_tx_reserve_at(). */
static NHN_ALWAYS_INLINE void
nhn_tx_commit_at(struct nhn_tx_run *run, void *body, uint32_t length)
{
	uint8_t *cell;
	const uint32_t kind_length = nhn_tx_complete_at(run, body, length, &cell);

	nhn_tx_publish_at(run, cell, kind_length);
}

/** Commit the cell at the tail, as nhn_tx_publish_at(). */
static inline void
nhn_tx_publish(struct nhn_tx *tx, uint8_t *cell, uint32_t kind_length)
{
	struct nhn_tx_run run = nhn_tx_begin(tx);

	nhn_tx_publish_at(&run, cell, kind_length);
	nhn_tx_end(&run);
}

/**
 * Send what was written in place. Delivered unless the reader restarts.
 * @param body what nhn_tx_reserve() returned
 * @param length bytes written, at most what was reserved
 */
static inline void
nhn_tx_commit(struct nhn_tx *tx, void *body, uint32_t length)
{
	struct nhn_tx_run run = nhn_tx_begin(tx);

	nhn_tx_commit_at(&run, body, length);
	nhn_tx_end(&run);
}

/**
 * Send by copy.
 * @return messages sent, from the first on; fewer than @p count where there is no room,
 *         the way is not up or a message is longer than the channel carries
 */
static inline uint32_t
nhn_tx_burst(struct nhn_tx *tx, const struct nhn_slice *messages, uint32_t count)
{
	struct nhn_tx_run run = nhn_tx_begin(tx);
	uint32_t i;

	for (i = 0; i < count; i++) {
		void *body = nhn_tx_reserve_at(&run, messages[i].length);

		if (__builtin_expect(body == NULL, 0))
			break;
		memcpy(body, messages[i].data, messages[i].length);
		nhn_tx_commit_at(&run, body, messages[i].length);
	}
	nhn_tx_end(&run);
	return i;
}

/** Metadata of the ethernet cell that is being written. */
static inline struct nhn_frame_metadata *
nhn_tx_metadata_at(const struct nhn_tx_run *run)
{
	uint8_t *end = nhn_tx_cell_at(run) + run->inline_bytes;

	return (struct nhn_frame_metadata *)(void *)end;
}

/** Metadata of the ethernet cell of this index. */
static inline struct nhn_frame_metadata *
nhn_tx_metadata(const struct nhn_tx *tx, uint32_t index)
{
	return (struct nhn_frame_metadata *)(void *)(nhn_tx_cell(tx, index) + tx->inline_bytes);
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_CHANNEL_TX_H */
