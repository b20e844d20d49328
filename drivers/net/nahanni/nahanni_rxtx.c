/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The burst functions. One copy a side, no log, no system call but for what
 * control does at a change of the link's state.
 */

#include <rte_branch_prediction.h>
#include <rte_memcpy.h>

#include "nahanni.h"

/** Fetched for writing ahead, at most: a full frame. Less gained less, see doc/performance. */
#define FETCH_BYTES 2048u

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

/** Have @p count mbufs ready. @return how many there are */
static inline uint32_t
spares_refill(struct nahanni_queue *queue, uint32_t count)
{
	uint32_t missing;

	if (likely(queue->spare_count >= count))
		return count;
	missing = NAHANNI_RX_CHUNK - queue->spare_count;
	if (likely(rte_pktmbuf_alloc_bulk(queue->pool, &queue->spare[queue->spare_count],
					  missing) == 0)) {
		queue->spare_count = NAHANNI_RX_CHUNK;
		return count;
	}
	missing = count - queue->spare_count;
	if (rte_pktmbuf_alloc_bulk(queue->pool, &queue->spare[queue->spare_count], missing) == 0)
		queue->spare_count = (uint16_t)count;
	else
		queue->no_mbuf++;
	return queue->spare_count;
}

/** Copy a frame out of the peer's area. @return its mbuf, or NULL: dropped */
static inline struct rte_mbuf *
frame_take(struct nahanni_queue *queue, const struct nhn_view *view)
{
	struct rte_mbuf *mbuf = queue->spare[queue->spare_count - 1];

	if (unlikely(view->length < RTE_ETHER_HDR_LEN ||
		     view->length > rte_pktmbuf_tailroom(mbuf))) {
		queue->errors++;
		return NULL;
	}
	queue->spare_count--;
	rte_memcpy(rte_pktmbuf_mtod(mbuf, void *), nhn_foreign_lend(view->data), view->length);
	mbuf->port = queue->port_id;
	mbuf->data_len = (uint16_t)view->length;
	mbuf->pkt_len = view->length;
	return mbuf;
}

/** Receive one chunk. @return frames, 0: none */
static inline uint16_t
chunk_receive(struct nahanni_queue *queue, struct rte_mbuf **frames, uint32_t count)
{
	struct nhn_view views[NAHANNI_RX_CHUNK];
	uint64_t bytes = 0;
	uint16_t taken = 0;
	int seen;
	int i;

	seen = nhn_rx_peek(queue->rx, views, spares_refill(queue, count));
	if (seen <= 0)
		return 0;
	for (i = 0; i < seen; i++) {
		struct rte_mbuf *mbuf = frame_take(queue, &views[i]);

		if (likely(mbuf != NULL)) {
			bytes += mbuf->pkt_len;
			frames[taken++] = mbuf;
		}
	}
	if (unlikely(nhn_rx_release(queue->rx) != 0)) {
		rte_pktmbuf_free_bulk(frames, taken);
		queue->errors += taken;
		return 0;
	}
	queue->packets += taken;
	queue->bytes += bytes;
	return taken;
}

static inline uint16_t
chunks_receive(struct nahanni_queue *queue, struct rte_mbuf **frames, uint16_t count)
{
	uint16_t done = 0;
	uint32_t chunk;
	uint16_t got;

	do {
		chunk = RTE_MIN((uint32_t)(count - done), NAHANNI_RX_CHUNK);
		got = chunk_receive(queue, frames + done, chunk);
		done = (uint16_t)(done + got);
	} while (got == chunk && done < count);
	return done;
}

uint16_t
nahanni_rx_burst(void *opaque, struct rte_mbuf **frames, uint16_t count)
{
	struct nahanni_queue *queue = opaque;
	uint16_t done = 0;

	if (likely(queue_enter(queue))) {
		if (nhn_rx_idle(queue->rx))
			/* While nothing waits, and so not on the next frame's way. */
			spares_refill(queue, RTE_MIN((uint32_t)count, NAHANNI_RX_CHUNK));
		else
			done = chunks_receive(queue, frames, count);
	}
	queue_leave(queue);
	return done;
}

/** Copy a frame into the own area. */
static inline void
frame_put(uint8_t *body, const struct rte_mbuf *mbuf)
{
	if (likely(mbuf->nb_segs == 1)) {
		rte_memcpy(body, rte_pktmbuf_mtod(mbuf, const void *), mbuf->data_len);
		return;
	}
	for (; mbuf != NULL; mbuf = mbuf->next) {
		rte_memcpy(body, rte_pktmbuf_mtod(mbuf, const void *), mbuf->data_len);
		body += mbuf->data_len;
	}
}

/** What a burst did, in registers until its end. */
struct sent {
	uint32_t tail;
	uint64_t bytes;
	uint64_t dropped;
};

/** Send one frame. @return whether it is dealt with: sent, or too long and dropped */
static inline bool
frame_send(struct nhn_tx *tx, const struct rte_mbuf *mbuf, struct sent *sent)
{
	static const struct nhn_frame_metadata none;
	uint32_t length = mbuf->pkt_len;
	uint8_t *body = nhn_tx_reserve_at(tx, sent->tail, length);

	if (unlikely(body == NULL)) {
		if (!tx->up || length <= tx->inline_bytes || length <= tx->data_bytes / 2)
			return false;
		sent->dropped++;
		return true;
	}
	frame_put(body, mbuf);
	*nhn_tx_metadata(tx, sent->tail) = none;
	sent->tail = nhn_tx_commit_at(tx, sent->tail, body, length);
	sent->bytes += length;
	/* The next frame is likely as long, and its lines are still the reader's. */
	if (length > tx->inline_bytes)
		nhn_tx_fetch_data(tx, RTE_MIN(length, FETCH_BYTES));
	return true;
}

uint16_t
nahanni_tx_burst(void *opaque, struct rte_mbuf **frames, uint16_t count)
{
	struct nahanni_queue *queue = opaque;
	uint16_t done = 0;

	if (likely(queue_enter(queue))) {
		struct sent sent = {.tail = queue->tx->tail};

		while (done < count && likely(frame_send(queue->tx, frames[done], &sent)))
			done++;
		nhn_tx_end(queue->tx, sent.tail);
		queue->packets += done - sent.dropped;
		queue->bytes += sent.bytes;
		queue->errors += sent.dropped;
	}
	queue_leave(queue);
	rte_pktmbuf_free_bulk(frames, done);
	return done;
}
