/* SPDX-License-Identifier: BSD-3-Clause */
/* cached-ring: Lamport's ring with cached indexes, what one writes who needs only a queue. */

#include <stdlib.h>

#include "slot_ring.h"

struct peer {
	struct slot_links links;
};

static inline uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	return slot_send(&peer->links.tx[link], work, count);
}

static inline uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	return slot_receive(&peer->links.rx[link], work, count);
}

static inline void
peer_turn(struct peer *peer)
{
	(void)peer;
}

#include "contest_loops.h"

static void *
cached_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return slot_peer_new(sizeof(struct peer), place, SLOT_RING_BYTES, why, why_bytes);
}

const struct contestant contestant_cached_ring = {
	.name = "cached-ring",
	.what = "Lamport's ring of one writer and one reader with cached indexes, as rigtorp's "
		"SPSCQueue; 256 KiB of slots, 1024 at most; indexes published once a burst",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = 65536,
	.links_max = SLOT_LINKS_MAX,
	.shared_bytes = slot_shared_bytes,
	.open = cached_open,
	.close = free,
	.prepare = slot_prepare,
	.loops = &peer_loops,
};
