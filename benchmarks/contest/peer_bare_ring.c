/* SPDX-License-Identifier: BSD-3-Clause */
/* bare-ring: the least ring of cells of a line each, the reference of small messages. */

#include <stdio.h>
#include <stdlib.h>

#include "bare_ring.h"
#include "contest.h"

#define CELLS_MIN 16u
#define CELLS_MAX 65536u

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

CONTEST_INLINE uint32_t
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

CONTEST_INLINE uint32_t
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

#include "contest_loops.h"

static uint32_t
cells_of(const struct contest_place *place)
{
	return place->ring != 0 ? place->ring : BARE_CELLS;
}

static size_t
bare_shared_bytes(const struct contest_place *place)
{
	return 2 * place->links * BARE_BYTES(cells_of(place));
}

static void
end_place(struct bare_end *end, const struct contest_place *place, uint32_t number)
{
	end->ring = (void *)(place->shared + number * BARE_BYTES(cells_of(place)));
	end->mask = cells_of(place) - 1;
}

static void *
bare_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	const uint32_t far = place->side == CONTEST_FAR;
	struct peer *peer = calloc(1, sizeof(*peer));
	uint32_t i;

	if (peer == NULL) {
		snprintf(why, why_bytes, "no memory for %zu bytes", sizeof(*peer));
		return NULL;
	}
	peer->links = place->links;
	for (i = 0; i < place->links; i++) {
		end_place(&peer->tx[i], place, 2 * i + far);
		end_place(&peer->rx[i], place, 2 * i + !far);
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
	.what = "reference: the least ring of 1024 cells of 64 bytes, its message's number in "
		"each, the "
		"reader's index published every quarter ring; no session, no peer that may lie",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = BARE_BODY,
	.links_max = CONTEST_LINKS_MAX,
	.ring_min = CELLS_MIN,
	.ring_max = CELLS_MAX,
	.shared_bytes = bare_shared_bytes,
	.open = bare_open,
	.close = free,
	.prepare = bare_prepare,
	.loops = &peer_loops,
};
