/* SPDX-License-Identifier: BSD-3-Clause */
/* futex-ring: the cached ring, whose reader sleeps on a futex in it. */

#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "slot_ring.h"

#define PEER_WAITS
#define SLEEP_NS 50000000

struct peer {
	struct slot_links links;
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct slot_end *tx = &peer->links.tx[link];
	uint32_t sent = slot_send(tx, work, count);

	if (sent != 0 && slot_must_wake(tx))
		syscall(SYS_futex, &tx->ring->sleeping, FUTEX_WAKE, 1, NULL, NULL, 0);
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	return slot_receive(&peer->links.rx[link], work, count);
}

static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	static const struct timespec most = {.tv_nsec = SLEEP_NS};
	struct slot_end *rx = &peer->links.rx[0];

	(void)work;
	if (slot_may_sleep(rx))
		syscall(SYS_futex, &rx->ring->sleeping, FUTEX_WAIT, 1, &most, NULL, 0);
	slot_awake(rx);
}

#include "contest_loops.h"

const struct contestant contestant_futex_ring = {
	.name = "futex-ring",
	.what = "cached-ring whose reader may sleep on a futex (man 2 futex); the writer looks "
		"after a full fence whether it does and only then calls the kernel",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = 65536,
	.links_max = SLOT_LINKS_MAX,
	.shared_bytes = slot_shared_bytes,
	.open = slot_open,
	.close = free,
	.prepare = slot_prepare,
	.loops = &peer_loops,
};
