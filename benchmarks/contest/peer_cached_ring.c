/* SPDX-License-Identifier: BSD-3-Clause */
/* cached-ring: Lamport's ring with cached indexes, what one writes who needs only a queue. */

#include <stdlib.h>

#include "slot_ring.h"

struct peer {
	struct slot_links links;
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	return slot_send(&peer->links.tx[link], work, count);
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	return slot_receive(&peer->links.rx[link], work, count);
}

#include "contest_loops.h"

const struct contestant contestant_cached_ring = {
	.name = "cached-ring",
	.what = "Lamport's ring of one writer and one reader with cached indexes, as rigtorp's "
		"SPSCQueue; 256 KiB of slots, 1024 at most; indexes published once a burst",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = 65536,
	.links_max = SLOT_LINKS_MAX,
	.ring_min = SLOTS_MIN,
	.ring_max = SLOTS_MAX,
	.shared_bytes = slot_shared_bytes,
	.open = slot_open,
	.close = free,
	.prepare = slot_prepare,
	.loops = &peer_loops,
};
