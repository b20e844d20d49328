/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages are received in place and counted. */

#include "service.h"

/** Pieces a step. */
#define PIECES 16

static void
piece_count(struct service_counters *counters, const struct nhn_msg_piece *piece)
{
	if (piece->head.flags & NHN_MESSAGE_ABORTED) {
		counters->given_up++;
		return;
	}
	counters->bytes += piece->length;
	/* The last piece of a message, or a pack. */
	if (piece->messages > 1 || piece->offset + piece->length == piece->head.length)
		counters->messages += piece->messages;
}

bool
sink_message(struct link *link, uint32_t channel)
{
	struct nhn_msg_rx *rx = &link->endpoint.rx[channel];
	struct nhn_msg_piece pieces[PIECES];
	int count = nhn_msg_peek(rx, pieces, PIECES);
	int i;

	if (count < 0)
		link->counters.restarts++;
	if (count <= 0)
		return true;
	/* What was torn under the peek is not counted. */
	if (nhn_msg_release(rx) != 0)
		return true;
	for (i = 0; i < count; i++)
		piece_count(&link->counters, &pieces[i]);
	return true;
}
