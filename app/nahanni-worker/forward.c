/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages go to another link of the same lcore: to=ID always to that one, to=message-id to
 * the one that the message's id names, which is replaced by the id of where it came from.
 */

#include "service.h"

/** NULL: there is none now. */
static struct link *
destination(const struct link *link, uint32_t channel)
{
	const struct link_config *config = &link->config;
	uint32_t id = config->to_message_id ? link->head[channel].id : config->to;
	struct link *to = id <= LINK_ID_MAX ? link->board->link[id] : NULL;

	/* Each channel goes to the one of its number. */
	if (to != NULL && channel >= to->link.layout.channels)
		to = NULL;
	return to;
}

/** No room there: whether to wait, which is so also for a message that has been begun. */
static bool
full_wait(struct link *link, uint32_t channel)
{
	struct link *to = link->to[channel];

	if (!link->config.full_drop)
		return true;
	if (to != NULL && to->endpoint.tx[channel].sent != 0)
		return true;
	if (to != NULL)
		nhn_msg_cancel(&to->endpoint.tx[channel]); /* nobody was told of it yet */
	link->to[channel] = NULL;
	return false;
}

bool
forward_message(struct link *link, uint32_t channel)
{
	const struct link_config *config = &link->config;
	struct link *to = link->to[channel];
	uint32_t id;
	int ret;

	if (to == NULL) {
		if (service_begin(link, channel) != BEGINNING_MESSAGE)
			return true;
		to = destination(link, channel);
		/* The one of to=ID is about to be added: the configuration has it. */
		if (to == NULL && !config->to_message_id && full_wait(link, channel))
			return false;
		if (to == NULL) {
			service_drop(link, channel);
			return true;
		}
	}
	id = config->to_message_id ? config->id : link->head[channel].id;
	ret = service_relay(link, channel, to, id);
	if (ret == 0)
		return true;
	if (ret == -EAGAIN && full_wait(link, channel))
		return false;
	service_drop(link, channel);
	return true;
}
