/* SPDX-License-Identifier: BSD-3-Clause */
/* bare-ring: the least ring of cells of a line each, the reference of small messages. */

#include <stdio.h>
#include <stdlib.h>

#include "../micro/bare_ring.h"
#include "contest.h"

struct peer {
	uint32_t links;
	struct bare_end tx[CONTEST_LINKS_MAX];
	struct bare_end rx[CONTEST_LINKS_MAX];
};

/* End a burst: between its messages the end and the work were copies in registers. */
static inline void
bare_keep(struct bare_end *end, const struct bare_end *own)
{
	end->index = own->index;
	end->cursor = own->cursor;
}

static inline uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct bare_end tx = peer->tx[link];
	struct contest_work own = *work;
	uint32_t sent;

	for (sent = 0; sent < count; sent++) {
		uint8_t *body = bare_reserve(&tx);

		if (body == NULL)
			break;
		contest_write(&own, body);
		bare_commit(&tx);
	}
	bare_keep(&peer->tx[link], &tx);
	contest_sent(work, &own);
	return sent;
}

static inline uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct bare_end rx = peer->rx[link];
	struct contest_work own = *work;
	uint32_t got;

	for (got = 0; got < count; got++) {
		const uint8_t *body = bare_peek(&rx);

		if (body == NULL)
			break;
		contest_read(&own, body);
		bare_release(&rx);
	}
	if (got == 0)
		return 0;
	bare_keep(&peer->rx[link], &rx);
	contest_got(work, &own);
	return got;
}

static inline void
peer_turn(struct peer *peer)
{
	(void)peer;
}

#include "contest_loops.h"

static size_t
bare_shared_bytes(uint32_t links)
{
	return 2 * links * sizeof(struct bare_ring);
}

static void *
bare_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct bare_ring *rings = (void *)place->shared;
	struct peer *peer = calloc(1, sizeof(*peer));
	uint32_t i;

	if (peer == NULL) {
		snprintf(why, why_bytes, "no memory for %zu bytes", sizeof(*peer));
		return NULL;
	}
	peer->links = place->links;
	for (i = 0; i < place->links; i++) {
		peer->tx[i].ring = rings + 2 * i + (place->side == CONTEST_NEAR ? 0 : 1);
		peer->rx[i].ring = rings + 2 * i + (place->side == CONTEST_NEAR ? 1 : 0);
	}
	return peer;
}

static int
bare_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	uint32_t i;

	(void)size;
	for (i = 0; i < peer->links; i++)
		while (bare_peek(&peer->rx[i]) != NULL)
			bare_release(&peer->rx[i]);
	return 0;
}

const struct contestant contestant_bare_ring = {
	.name = "bare-ring",
	.what = "reference: the least ring of 1024 cells of 64 bytes, a lap number in each, the "
		"reader's index published every quarter ring; no session, no peer that may lie",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = BARE_BODY,
	.links_max = CONTEST_LINKS_MAX,
	.shared_bytes = bare_shared_bytes,
	.open = bare_open,
	.close = free,
	.prepare = bare_prepare,
	.loops = &peer_loops,
};
