/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Opening and closing of a channel: for lib/link, which knows when.
 *
 * Cold; none of these waits. No other thread may be in a call on the same
 * channel meanwhile.
 */
#ifndef NHN_CHANNEL_CONTROL_H
#define NHN_CHANNEL_CONTROL_H

#include <nhn_channel.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Place a writer. Closed until nhn_tx_start(). */
void nhn_tx_init(struct nhn_tx *tx, const struct nhn_layout *layout, uint32_t channel,
		 uint8_t *own_area, const struct nhn_cursor NHN_FOREIGN *cursor,
		 uint32_t *attention);
/** Clear the ring for a reader whose cursor is where both count from. */
void nhn_tx_open(struct nhn_tx *tx);
/** Allow sending in the pairing of two sessions, or go on after nhn_tx_stop(). */
void nhn_tx_start(struct nhn_tx *tx, uint32_t pairing);
/** Refuse sending from now on. */
void nhn_tx_stop(struct nhn_tx *tx);
/**
 * Count cells from @p cursor on that hold a message of their index's lap.
 * @param count cells of the ring, of @p cell_bytes each
 */
uint32_t nhn_tx_count_committed(const uint8_t NHN_FOREIGN *cells, uint32_t count,
				uint32_t cell_bytes, uint32_t cursor);
/** Make a reader that has no ring yet safe to poll: it finds nothing in @p peer_area. */
void nhn_rx_park(struct nhn_rx *rx, const void NHN_FOREIGN *peer_area);
/** Place a reader at its own cursor. Delivers nothing until nhn_rx_start(). */
void nhn_rx_init(struct nhn_rx *rx, const struct nhn_layout *layout, uint32_t channel,
		 const void NHN_FOREIGN *peer_area, struct nhn_cursor *cursor, uint32_t *attention);
/** Deliver messages of the pairing of two sessions. */
void nhn_rx_start(struct nhn_rx *rx, uint32_t pairing);
/** Whether nothing is held and the next cell holds no message of this pairing (loads it, A). */
bool nhn_rx_drained(const struct nhn_rx *rx);
/** Publish the cursor and deliver nothing more; the next peek answers -ESTALE. */
void nhn_rx_stop(struct nhn_rx *rx);

#ifdef __cplusplus
}
#endif

#endif /* NHN_CHANNEL_CONTROL_H */
