/* SPDX-License-Identifier: BSD-3-Clause */
/* plain-copy: memcpy in and memcpy out, the reference of bandwidth. */

#include <stdlib.h>

#include "slot_ring.h"

/*
 * As lib/msg has them where app/ipc-perf asks for the most: a ring of 1 MiB, messages in
 * pieces of 64 KiB at most, so that copying in and copying out overlap.
 */
#define RING_BYTES (1u << 20)
#define PIECE_BYTES 65536u
#define LINKS_MAX 2u

/* How far the message under way is copied. */
struct progress {
	uint32_t in[LINKS_MAX];
	uint32_t out[LINKS_MAX];
};

struct peer {
	struct slot_links links;
	struct progress progress;
};

static inline uint32_t
piece_of(const struct contest_work *work, uint32_t done)
{
	return work->size - done < PIECE_BYTES ? work->size - done : PIECE_BYTES;
}

/* Where there is no room for the rest of a message, the next call goes on. */
CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct slot_end tx = peer->links.tx[link];
	struct contest_work own = *work;
	uint32_t done = peer->progress.in[link];
	uint32_t sent = 0;
	uint8_t *slot;

	if (slot_reserve(&tx) == NULL)
		return 0;
	while (sent < count && (slot = slot_reserve(&tx)) != NULL) {
		const uint32_t piece = piece_of(&own, done);

		if (done == 0)
			contest_written(&own);
		memcpy(slot, own.source + done, piece);
		slot_next(&tx, &tx.ring->written);
		done += piece;
		if (done == own.size) {
			done = 0;
			sent++;
		}
	}
	peer->progress.in[link] = done;
	slot_keep(&peer->links.tx[link], &tx, &tx.ring->written);
	contest_sent(work, &own);
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct slot_end rx = peer->links.rx[link];
	struct contest_work own = *work;
	uint32_t done = peer->progress.out[link];
	uint32_t got = 0;
	const uint8_t *slot;

	if (slot_peek(&rx) == NULL)
		return 0;
	while (got < count && (slot = slot_peek(&rx)) != NULL) {
		const uint32_t piece = piece_of(&own, done);

		memcpy(own.sink + done, slot, piece);
		slot_next(&rx, &rx.ring->taken);
		done += piece;
		if (done == own.size) {
			contest_took(&own);
			done = 0;
			got++;
		}
	}
	peer->progress.out[link] = done;
	slot_keep(&peer->links.rx[link], &rx, &rx.ring->taken);
	contest_got(work, &own);
	return got;
}

#include "contest_loops.h"

static void *
plain_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return slot_peer_new(sizeof(struct peer), place, why, why_bytes);
}

static int
plain_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;

	memset(&peer->progress, 0, sizeof(peer->progress));
	return slot_prepare(peer, size < PIECE_BYTES ? size : PIECE_BYTES);
}

static const uint32_t ring_bytes = RING_BYTES;

const struct contestant contestant_plain_copy = {
	.name = "plain-copy",
	.what = "reference: libc's memcpy into slots of shared memory and out of them; a ring of "
		"1 MiB, 64 KiB a slot at most, longer messages in pieces, as the message layer "
		"has them; nothing fetched ahead, no streaming stores",
	.size_min = 64,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = LINKS_MAX,
	.variant = &ring_bytes,
	.shared_bytes = slot_shared_bytes,
	.open = plain_open,
	.close = free,
	.prepare = plain_prepare,
	.loops = &peer_loops,
};
