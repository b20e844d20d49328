/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The burst functions. One copy a side, no log, no system call but for what
 * control does at a change of the link's state.
 */

#include <rte_branch_prediction.h>

#include "nahanni.h"

/** Take the queue, unless control is at work. */
static inline bool
queue_enter(struct nahanni_queue *queue)
{
	nhn_store_relaxed(&queue->busy, 1);
	rte_compiler_barrier(); /* the processor's part is control's membarrier */
	if (likely(nhn_load_acquire(&queue->port->gate) == 0))
		return true;
	nhn_store_release(&queue->busy, 0);
	return false;
}

static inline void
queue_leave(struct nahanni_queue *queue)
{
	nhn_store_release(&queue->busy, 0);
	if (unlikely(++queue->calls % NAHANNI_CONTROL_CALLS == 0))
		nahanni_control(queue->port);
}

/** Fill up the mbufs that are kept ready. */
static inline void
spares_fill(struct nahanni_queue *queue)
{
	struct rte_mbuf **free = &queue->spare[queue->spare_count];

	if (likely(rte_mempool_get_bulk(queue->pool, (void **)free,
					NAHANNI_RX_CHUNK - queue->spare_count) == 0))
		queue->spare_count = NAHANNI_RX_CHUNK;
}

/** @return mbufs that are ready, at most @p count; 0: the pool is empty */
static inline uint32_t
spares_ready(struct nahanni_queue *queue, uint32_t count)
{
	if (unlikely(queue->spare_count == 0)) {
		spares_fill(queue);
		if (unlikely(queue->spare_count == 0)) {
			if (rte_mempool_get(queue->pool, (void **)queue->spare) == 0)
				queue->spare_count = 1;
			else
				queue->no_mbuf++;
		}
	}
	return RTE_MIN(count, (uint32_t)queue->spare_count);
}

static inline void
word_copy(uint8_t *to, const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	memcpy(to, &word, sizeof(word));
}

/** Copy 49 to 64 bytes without a look at how many: the last 16 may be some of the 48 before. */
static inline void
short_copy(uint8_t *to, const uint8_t *from, uint32_t length)
{
	memcpy(to, from, 48);
	memcpy(to + length - 16, from + length - 16, 16);
}

/**
 * The same by words. An emulator (TCG) loads a vector in halves, which its processor cannot forward
 * to what it does next: it waits until all stores before are done, those to lines that the other
 * side has among them. Twice the stores fill the store buffer sooner, so not for bursts that are
 * sent.
 */
static inline void
short_copy_words(uint8_t *to, const uint8_t *from, uint32_t length)
{
	word_copy(to, from);
	word_copy(to + 8, from + 8);
	word_copy(to + 16, from + 16);
	word_copy(to + 24, from + 24);
	word_copy(to + 32, from + 32);
	word_copy(to + 40, from + 40);
	word_copy(to + length - 16, from + length - 16);
	word_copy(to + length - 8, from + length - 8);
}

/**
 * Copy a frame: one of 49 to 64 bytes, as most short ones are, by @p copy; a longer one by the C
 * library, which knows the processor: rte_memcpy() is compiled for the least one here, and its
 * shorter stores fill the store buffer while lines are on their way.
 */
static __rte_always_inline void
frame_copy(uint8_t *to, const uint8_t *from, uint32_t length,
	   void (*copy)(uint8_t *, const uint8_t *, uint32_t))
{
	if (likely(length - 49 < 16))
		copy(to, from, length);
	else
		memcpy(to, from, length);
}

/** Copy a frame out of the peer's area. @return its mbuf, or NULL: dropped */
static inline struct rte_mbuf *
frame_take(struct nahanni_queue *queue, const struct nhn_view *view)
{
	const uint32_t length = view->length;
	struct rte_mbuf *mbuf;

	if (unlikely(length < RTE_ETHER_HDR_LEN || length > queue->frame_bytes)) {
		queue->errors++;
		return NULL;
	}
	mbuf = queue->spare[--queue->spare_count];
	frame_copy((uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM, nhn_foreign_lend(view->data),
		   length, short_copy_words);
	/* All of rearm_data at once, as vector drivers do. */
	memcpy(&mbuf->rearm_data, &queue->rearm_data, sizeof(queue->rearm_data));
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL;
	mbuf->packet_type = 0;
	mbuf->pkt_len = length;
	mbuf->data_len = (uint16_t)length;
	mbuf->vlan_tci = 0;
	return mbuf;
}

/** Receive one chunk, for which mbufs are ready. @return frames, 0: none */
static inline uint16_t
chunk_receive(struct nahanni_queue *queue, struct rte_mbuf **frames, uint32_t count)
{
	struct nhn_rx_run run = nhn_rx_begin(queue->rx);
	struct nhn_view view;
	uint64_t bytes = 0;
	uint16_t taken = 0;

	for (; count > 0 && nhn_rx_next(&run, &view); count--) {
		struct rte_mbuf *mbuf = frame_take(queue, &view);

		nhn_rx_read(&run);
		if (likely(mbuf != NULL)) {
			bytes += view.length;
			frames[taken++] = mbuf;
		}
	}
	if (unlikely(nhn_rx_end(&run) != 0)) {
		rte_pktmbuf_free_bulk(frames, taken);
		queue->errors += taken;
		return 0;
	}
	queue->packets += taken;
	queue->bytes += bytes;
	return taken;
}

/** A burst with something to take. By itself, so that an idle poll saves no registers. */
static __rte_noinline uint16_t
chunks_receive(struct nahanni_queue *queue, struct rte_mbuf **frames, uint16_t count)
{
	uint16_t done = 0;

	while (done < count) {
		const uint32_t chunk = spares_ready(queue, (uint32_t)(count - done));
		const uint16_t got = chunk_receive(queue, frames + done, chunk);

		done = (uint16_t)(done + got);
		if (got != chunk || chunk == 0)
			break;
	}
	queue_leave(queue);
	return done;
}

uint16_t
nahanni_rx_burst(void *opaque, struct rte_mbuf **frames, uint16_t count)
{
	struct nahanni_queue *queue = opaque;

	if (likely(queue_enter(queue))) {
		if (!nhn_rx_idle(queue->rx))
			return chunks_receive(queue, frames, count);
		if (unlikely(queue->spare_count <= NAHANNI_RX_CHUNK / 2))
			/* While nothing waits, and so not on the next frame's way. */
			spares_fill(queue);
	}
	queue_leave(queue);
	return 0;
}

/** Copy a frame into the own area. @param lone whether it is a burst of its own */
static __rte_always_inline void
frame_put(uint8_t *body, const struct rte_mbuf *mbuf, bool lone)
{
	if (likely(mbuf->nb_segs == 1)) {
		frame_copy(body, rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->data_len,
			   lone ? short_copy_words : short_copy);
		return;
	}
	for (; mbuf != NULL; mbuf = mbuf->next) {
		memcpy(body, rte_pktmbuf_mtod(mbuf, const void *), mbuf->data_len);
		body += mbuf->data_len;
	}
}

/** The same past the caches, as far as it is one segment: a fence has to follow. */
static inline void
frame_stream(uint8_t *body, const struct rte_mbuf *mbuf)
{
	if (likely(mbuf->nb_segs == 1)) {
		NHN_POINT("send/stream");
		nhn_copy_streamed(body, rte_pktmbuf_mtod(mbuf, const void *), mbuf->data_len);
	} else {
		frame_put(body, mbuf, false);
	}
}

/** What a burst did, in registers until its end. */
struct sent {
	struct nhn_tx_run run;
	uint64_t bytes;
	uint64_t dropped;
	uint64_t flags;	   /**< all frames' ol_flags */
	uint32_t segments; /**< the bits of all frames' nb_segs */
};

/** Room for a frame, which is noted. @return NULL: none */
static __rte_always_inline uint8_t *
frame_reserve(const struct rte_mbuf *mbuf, struct sent *sent)
{
	sent->segments |= mbuf->nb_segs;
	sent->flags |= mbuf->ol_flags;
	return nhn_tx_reserve_at(&sent->run, mbuf->pkt_len);
}

/** A frame that there is no room for. @return whether there never is: then it is dropped */
static inline bool
frame_refused(const struct rte_mbuf *mbuf, struct sent *sent)
{
	const struct nhn_tx *tx = sent->run.tx;

	if (!tx->up || mbuf->pkt_len <= tx->inline_bytes || mbuf->pkt_len <= tx->data_bytes / 2)
		return false;
	sent->dropped++;
	return true;
}

/** Send one frame. @return whether it is dealt with: sent, or too long and dropped */
static __rte_always_inline bool
frame_send(const struct rte_mbuf *mbuf, struct sent *sent, bool lone)
{
	const uint32_t length = mbuf->pkt_len;
	uint8_t *body = frame_reserve(mbuf, sent);

	if (unlikely(body == NULL))
		return frame_refused(mbuf, sent);
	frame_put(body, mbuf, lone);
	*nhn_tx_metadata_at(&sent->run) = (struct nhn_frame_metadata){0};
	nhn_tx_commit_at(&sent->run, body, length);
	sent->bytes += length;
	return true;
}

/** Frames that are written and not committed: one fence for all of them. */
struct held {
	uint32_t count;
	uint32_t kind_length[NAHANNI_TX_HELD];
};

static void
held_commit(struct nhn_tx_run *run, struct held *held)
{
	uint32_t i;

	nhn_fence_streamed();
	run->tail -= held->count;
	for (i = 0; i < held->count; i++)
		nhn_tx_publish_at(run, nhn_tx_cell_at(run), held->kind_length[i]);
	held->count = 0;
}

/** Write one frame, a long one past the caches. @return as frame_send() */
static inline bool
frame_hold(const struct rte_mbuf *mbuf, struct sent *sent, struct held *held)
{
	const uint32_t length = mbuf->pkt_len;
	uint8_t *body = frame_reserve(mbuf, sent);
	uint8_t *cell;

	if (unlikely(body == NULL))
		return frame_refused(mbuf, sent);
	if (length > sent->run.inline_bytes)
		frame_stream(body, mbuf);
	else
		frame_put(body, mbuf, false);
	*nhn_tx_metadata_at(&sent->run) = (struct nhn_frame_metadata){0};
	held->kind_length[held->count++] = nhn_tx_complete_at(&sent->run, body, length, &cell);
	sent->run.tail++;
	sent->bytes += length;
	return true;
}

/** A burst to a far reader. @return frames dealt with */
static inline uint16_t
frames_send_far(struct rte_mbuf **frames, uint16_t count, struct sent *sent)
{
	struct held held = {.count = 0};
	uint16_t done = 0;

	for (; done < count; done++) {
		if (held.count == NAHANNI_TX_HELD)
			held_commit(&sent->run, &held);
		if (!frame_hold(frames[done], sent, &held))
			break;
	}
	if (held.count != 0)
		held_commit(&sent->run, &held);
	return done;
}

/** Whether frames may go back to their pool as they are. */
static inline bool
frames_plain(const struct nahanni_queue *queue, const struct sent *sent)
{
	return queue->fast_free && sent->segments == 1 &&
	       (sent->flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0;
}

/** What a burst is, known when compiled. */
enum burst {
	BURST_LONE, /**< one frame */
	BURST_NEAR,
	BURST_FAR, /**< nahanni_port::far is set */
};

/** Send a burst, end it and free what went. */
static __rte_always_inline uint16_t
burst_send(struct nahanni_queue *queue, struct rte_mbuf **frames, uint16_t count, enum burst burst)
{
	struct sent sent = {.run = nhn_tx_begin(queue->tx)};
	uint16_t done = 0;
	bool plain;

	if (burst == BURST_FAR)
		done = frames_send_far(frames, count, &sent);
	else
		while (done < count && likely(frame_send(frames[done], &sent, burst == BURST_LONE)))
			done++;
	nhn_tx_end(&sent.run);
	queue->packets += done - sent.dropped;
	queue->bytes += sent.bytes;
	queue->errors += sent.dropped;
	plain = frames_plain(queue, &sent);
	queue_leave(queue);
	if (unlikely(done == 0))
		return 0;
	if (likely(plain))
		rte_mempool_put_bulk(frames[0]->pool, (void **)frames, done);
	else
		rte_pktmbuf_free_bulk(frames, done);
	return done;
}

/** By itself, so that a burst to a near reader stays in registers. */
static __rte_noinline uint16_t
burst_send_far(struct nahanni_queue *queue, struct rte_mbuf **frames, uint16_t count)
{
	return burst_send(queue, frames, count, BURST_FAR);
}

uint16_t
nahanni_tx_burst(void *opaque, struct rte_mbuf **frames, uint16_t count)
{
	struct nahanni_queue *queue = opaque;

	if (unlikely(!queue_enter(queue))) {
		queue_leave(queue);
		return 0;
	}
	if (count == 1)
		return burst_send(queue, frames, 1, BURST_LONE);
	if (unlikely(nhn_load_relaxed(&queue->port->far) != 0))
		return burst_send_far(queue, frames, count);
	return burst_send(queue, frames, count, BURST_NEAR);
}
