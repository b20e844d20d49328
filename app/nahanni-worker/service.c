/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of services, and what those have in common that relay. */

#include <nhn_relay.h>

#include "service.h"

const struct service services[SERVICES] = {
	[SERVICE_ECHO] = {"echo", echo_message},
	[SERVICE_FORWARD] = {"forward", forward_message},
	[SERVICE_SINK] = {"sink", sink_message},
};

enum beginning
service_begin(struct link *link, uint32_t channel)
{
	int ret = nhn_msg_front(&link->endpoint.rx[channel], &link->head[channel]);

	/* -EAGAIN: of a message that is dropped one more part has gone. */
	if (ret == -ESTALE)
		link->counters.restarts++;
	return ret == 0 ? BEGINNING_MESSAGE : BEGINNING_NOTHING;
}

void
service_drop(struct link *link, uint32_t channel)
{
	nhn_msg_skip(&link->endpoint.rx[channel]);
	link->counters.dropped++;
}

int
service_relay(struct link *link, uint32_t channel, struct link *to, uint32_t id)
{
	struct nhn_msg_rx *from = &link->endpoint.rx[channel];
	struct nhn_msg_tx *tx = &to->endpoint.tx[channel];
	struct service_counters *counters = &link->counters;
	int ret = nhn_msg_relay(from, tx, id);

	link->to[channel] = NULL;
	link->steps[channel] += ret != -EAGAIN;
	switch (ret) {
	case 0:
		counters->messages++;
		counters->bytes += link->head[channel].length;
		return 0;
	case -EAGAIN:
		/* It may hold the writer already, which is to be known when either link goes. */
		if (tx->relay == from)
			link->to[channel] = to;
		return -EAGAIN;
	case -ENOTCONN:
		return -ENOTCONN;
	case -ECONNRESET:
		counters->lost++;
		return 0;
	case -ECANCELED:
		counters->given_up++;
		return 0;
	case -ESTALE:
		counters->restarts++;
		return 0;
	default: /* -EINPROGRESS */
		link->to[channel] = to;
		return 0;
	}
}

/** The receiver is told, and what still comes of it is dropped. */
static void
give_up(struct link *link, uint32_t channel)
{
	struct link *to = link->to[channel];

	if (to == NULL || to == link)
		return;
	nhn_msg_relay_cancel(&link->endpoint.rx[channel], &to->endpoint.tx[channel]);
	link->counters.lost++;
	link->to[channel] = NULL;
}

void
service_look(struct link *link)
{
	uint32_t channel;

	for (channel = 0; channel < link->link.layout.channels; channel++) {
		/* One that has more and finds no room is not to blame; but with full=drop
		 * nobody is waited for so long. */
		if (link->steps[channel] == link->looked[channel] &&
		    (link->config.full_drop || !nhn_msg_ready(&link->endpoint.rx[channel])))
			give_up(link, channel);
		link->looked[channel] = link->steps[channel];
	}
}

/** Others' messages to it: the rest of them is dropped. */
static void
destination_leave(const struct link *link, struct link *from)
{
	uint32_t channel;

	for (channel = 0; channel < NHN_CHANNELS_MAX; channel++) {
		if (from->to[channel] != link)
			continue;
		nhn_msg_skip(&from->endpoint.rx[channel]);
		from->counters.lost++;
		from->to[channel] = NULL;
	}
}

void
service_leave(struct link *link)
{
	struct board *board = link->board;
	uint32_t channel, id;

	link->leaving = true;
	for (channel = 0; channel < NHN_CHANNELS_MAX; channel++)
		give_up(link, channel);
	for (id = 1; id <= LINK_ID_MAX; id++)
		if (board->link[id] != NULL && board->link[id] != link)
			destination_leave(link, board->link[id]);
	board->link[link->config.id] = NULL;
}
