/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_endpoint.h>

/** The channels of the layout in force, the most urgent first. */
static void
order(struct nhn_endpoint *endpoint)
{
	const struct nhn_layout *layout = &endpoint->link->layout;
	uint32_t i, j;

	endpoint->session = endpoint->link->session;
	endpoint->channels = layout->channels;
	for (i = 0; i < layout->channels; i++) {
		for (j = i; j > 0 && layout->entry[endpoint->order[j - 1]].priority >
					     layout->entry[i].priority;
		     j--)
			endpoint->order[j] = endpoint->order[j - 1];
		endpoint->order[j] = (uint8_t)i;
	}
}

int
nhn_endpoint_init(struct nhn_endpoint *endpoint, struct nhn_link *link,
		  uint64_t (*now_ns)(void *context), void *now_context)
{
	uint32_t i;

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->link = link;
	endpoint->now_ns = now_ns;
	endpoint->now_context = now_context;
	endpoint->last_read = NHN_CHANNELS_MAX;
	for (i = 0; i < NHN_CHANNELS_MAX; i++) {
		if (nhn_msg_tx_init(&endpoint->tx[i], link, i) != 0 ||
		    nhn_msg_rx_init(&endpoint->rx[i], link, i) != 0)
			return -EINVAL;
	}
	order(endpoint);
	endpoint->now = now_ns(now_context);
	return 0;
}

void
nhn_endpoint_handle(struct nhn_endpoint *endpoint, uint32_t channel,
		    const struct nhn_channel_handler *handler)
{
	endpoint->handler[channel] = handler;
}

void
nhn_endpoint_control(struct nhn_endpoint *endpoint)
{
	uint32_t i;

	endpoint->polls = NHN_ENDPOINT_CONTROL_POLLS - 1; /* without the one that controls */
	endpoint->now = endpoint->now_ns(endpoint->now_context);
	nhn_link_control(endpoint->link, endpoint->now);
	/* A layout changes at a start of this side only, which is a new session. */
	if (endpoint->session != endpoint->link->session)
		order(endpoint);
	/* Also of channels that the layout no longer has: their deadlines come. */
	for (i = 0; i < NHN_CHANNELS_MAX; i++) {
		const struct nhn_channel_handler *handler = endpoint->handler[i];

		if (handler != NULL && handler->control != NULL)
			handler->control(handler->context, endpoint->now);
	}
}

static void
control_when_due(struct nhn_endpoint *endpoint)
{
	if (endpoint->polls == 0)
		nhn_endpoint_control(endpoint);
	else
		endpoint->polls--;
}

/** A step of sending on a channel. @return whether one was done */
static bool
send_step(struct nhn_endpoint *endpoint, uint32_t channel)
{
	const struct nhn_channel_handler *handler = endpoint->handler[channel];
	struct nhn_msg_tx *tx = &endpoint->tx[channel];

	if (nhn_msg_busy(tx))
		return nhn_msg_send_step(tx) != -EAGAIN;
	return handler != NULL && handler->waiting && handler->send(handler->context);
}

/** Where a reader stands: it differs after whatever was taken. */
static uint64_t
place_of(const struct nhn_msg_rx *rx)
{
	return (uint64_t)rx->rx->head << 32 | (rx->holding ? rx->taken + 1 : 0);
}

/**
 * Read from a channel that has something. @return its number: it is the program's; -EINPROGRESS:
 * its handler did a step; -EAGAIN: it was not taken, the others get the step
 */
static int
receive_step(struct nhn_endpoint *endpoint, uint32_t channel, uint32_t last_read)
{
	const struct nhn_channel_handler *handler = endpoint->handler[channel];
	uint64_t place = place_of(&endpoint->rx[channel]);

	if (handler != NULL && (handler->receive == NULL || !handler->receive(handler->context)))
		return -EAGAIN;
	if (handler == NULL && channel == last_read && place == endpoint->last_place)
		return -EAGAIN;
	endpoint->last_read = channel;
	endpoint->last_place = place;
	return handler == NULL ? (int)channel : -EINPROGRESS;
}

int
nhn_endpoint_step(struct nhn_endpoint *endpoint)
{
	const uint32_t last_read = endpoint->last_read;
	uint32_t i;
	int ret;

	endpoint->last_read = NHN_CHANNELS_MAX;
	for (i = 0; i < endpoint->channels; i++) {
		uint32_t channel = endpoint->order[i];

		/* After a step of reading it is the turn of sending on the same channel. */
		if (last_read == channel && send_step(endpoint, channel))
			return -EINPROGRESS;
		if (nhn_msg_ready(&endpoint->rx[channel])) {
			ret = receive_step(endpoint, channel, last_read);
			if (ret != -EAGAIN)
				return ret;
		}
		if (last_read != channel && send_step(endpoint, channel))
			return -EINPROGRESS;
	}
	return -EAGAIN;
}

bool
nhn_endpoint_pending(const struct nhn_endpoint *endpoint)
{
	uint32_t i;

	for (i = 0; i < endpoint->channels; i++) {
		const struct nhn_channel_handler *handler = endpoint->handler[i];

		if (nhn_msg_busy(&endpoint->tx[i]) || endpoint->rx[i].holding ||
		    endpoint->rx[i].rx->stale || (handler != NULL && handler->waiting))
			return true;
	}
	return false;
}

int
nhn_endpoint_poll(struct nhn_endpoint *endpoint)
{
	control_when_due(endpoint);
	return nhn_endpoint_step(endpoint);
}

/* ---- waits ---- */

/** A step of receiving by the most urgent handler that has something to take. */
static void
handlers_receive(struct nhn_endpoint *endpoint)
{
	uint32_t i;

	for (i = 0; i < endpoint->channels; i++) {
		uint32_t channel = endpoint->order[i];
		const struct nhn_channel_handler *handler = endpoint->handler[channel];

		if (handler != NULL && handler->receive != NULL &&
		    nhn_msg_ready(&endpoint->rx[channel]) && handler->receive(handler->context))
			return;
	}
}

uint64_t
nhn_endpoint_advance(struct nhn_endpoint *endpoint)
{
	uint32_t i;

	control_when_due(endpoint);
	for (i = 0; i < endpoint->channels; i++)
		if (send_step(endpoint, endpoint->order[i]))
			break;
	handlers_receive(endpoint);
	return endpoint->now;
}

/** Whether the link cannot come up before the program has read another channel out. */
static bool
held_up(struct nhn_endpoint *endpoint, uint32_t reading)
{
	uint32_t i;

	if (nhn_link_state(endpoint->link) == NHN_LINK_UP)
		return false;
	for (i = 0; i < endpoint->channels; i++)
		if (i != reading && endpoint->handler[i] == NULL && nhn_msg_ready(&endpoint->rx[i]))
			return true;
	return false;
}

int
nhn_endpoint_wait(struct nhn_endpoint *endpoint, uint32_t reading, uint64_t deadline_ns)
{
	uint64_t now = nhn_endpoint_advance(endpoint);

	if (endpoint->polls != NHN_ENDPOINT_CONTROL_POLLS - 1)
		return 0; /* the clock was not read */
	if (now >= deadline_ns)
		return -ETIMEDOUT;
	return held_up(endpoint, reading) ? -EBUSY : 0;
}

int
nhn_endpoint_send_wait(struct nhn_endpoint *endpoint, uint32_t channel,
		       const struct nhn_message_head *head, const struct iovec *vector,
		       uint32_t vectors, uint64_t deadline_ns)
{
	struct nhn_msg_tx *tx = &endpoint->tx[channel];
	int wait = 0;
	int ret;

	while ((ret = nhn_msg_sendv(tx, head, vector, vectors)) == -EAGAIN || ret == -ENOTCONN) {
		wait = nhn_endpoint_wait(endpoint, NHN_CHANNELS_MAX, deadline_ns);
		if (wait != 0)
			return wait;
	}
	if (ret != -EINPROGRESS)
		return ret;
	while (nhn_msg_busy(tx) && wait == 0)
		wait = nhn_endpoint_wait(endpoint, NHN_CHANNELS_MAX, deadline_ns);
	if (wait != 0 && nhn_msg_busy(tx)) {
		nhn_msg_cancel(tx);
		return wait;
	}
	return tx->result;
}

int
nhn_endpoint_receive_wait(struct nhn_endpoint *endpoint, uint32_t channel,
			  struct nhn_msg_buffer *buffer, uint64_t deadline_ns)
{
	int ret, wait;

	while ((ret = nhn_msg_receive(&endpoint->rx[channel], buffer)) == -EAGAIN ||
	       ret == -EINPROGRESS) {
		wait = nhn_endpoint_wait(endpoint, channel, deadline_ns);
		if (wait != 0)
			return wait;
	}
	return ret;
}
