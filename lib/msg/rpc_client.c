/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_rpc.h>

static struct nhn_msg_tx *
client_tx(const struct nhn_rpc_client *client)
{
	return &client->endpoint->tx[client->channel];
}

static struct nhn_msg_rx *
client_rx(const struct nhn_rpc_client *client)
{
	return &client->endpoint->rx[client->channel];
}

/* ---- slots ---- */

/** Of an id the low bits are its slot, the others count the calls in it. */
static struct nhn_rpc_slot *
slot_of(const struct nhn_rpc_client *client, uint32_t id)
{
	return &client->slots[id & (client->slot_count - 1)];
}

static struct nhn_rpc_slot *
slot_take(struct nhn_rpc_client *client)
{
	struct nhn_rpc_slot *slot = &client->slots[client->free];

	client->free = slot->next_free;
	slot->id += client->slot_count;
	client->open++;
	return slot;
}

static void
slot_give(struct nhn_rpc_client *client, struct nhn_rpc_slot *slot)
{
	slot->call = NULL;
	slot->next_free = client->free;
	client->free = slot->id & (client->slot_count - 1);
	client->open--;
}

/* ---- the end of a call ---- */

/** Nothing reads or writes the call's memory any more. */
static void
call_let_go(struct nhn_rpc_client *client, struct nhn_rpc_call *call, int result)
{
	if (client->sending == call) {
		nhn_msg_cancel(client_tx(client));
		client->sending = NULL;
	}
	if (client->receiving == call) {
		client->receiving = NULL;
		nhn_msg_skip(client_rx(client));
	}
	slot_give(client, slot_of(client, call->id));
	call->result = result;
}

static void
call_end(struct nhn_rpc_client *client, struct nhn_rpc_call *call, int result)
{
	call_let_go(client, call, result);
	if (call->done != NULL)
		call->done(call);
}

void
nhn_rpc_client_cancel(struct nhn_rpc_client *client, struct nhn_rpc_call *call)
{
	if (call->result != -EINPROGRESS)
		return;
	client->cancelled++;
	call_let_go(client, call, -ECANCELED);
}

/**
 * End the calls whose peer is gone. The reader's pairing ends when all that the peer
 * replied was received, so that no reply is lost; a call begins in that pairing only.
 */
static void
peer_settle(struct nhn_rpc_client *client)
{
	uint64_t standing = nhn_link_rx_pairing(client->endpoint->link);
	uint32_t i;

	if (standing == client->pairing)
		return;
	client->pairing = standing;
	for (i = 0; i < client->slot_count; i++) {
		struct nhn_rpc_call *call = client->slots[i].call;

		/* One that done() began with the new peer stays. */
		if (call == NULL || call->pairing == standing)
			continue;
		client->reset++;
		call_end(client, call, -ECONNRESET);
	}
}

/** The peer went while a request was on its way to it. */
static void
sending_settle(struct nhn_rpc_client *client)
{
	struct nhn_rpc_call *call = client->sending;
	int result = client_tx(client)->result;

	if (call == NULL || nhn_msg_busy(client_tx(client)))
		return;
	client->sending = NULL;
	if (result != 0) {
		client->reset++;
		call_end(client, call, result);
	}
}

static void
deadlines_check(struct nhn_rpc_client *client, uint64_t now_ns)
{
	uint32_t i;

	if (now_ns < client->deadline_ns)
		return;
	client->deadline_ns = NHN_NEVER_NS;
	for (i = 0; i < client->slot_count; i++) {
		struct nhn_rpc_call *call = client->slots[i].call;

		if (call == NULL)
			continue;
		if (call->deadline_ns <= now_ns) {
			client->timeouts++;
			call_end(client, call, -ETIMEDOUT);
		} else if (call->deadline_ns < client->deadline_ns) {
			client->deadline_ns = call->deadline_ns;
		}
	}
}

static void
client_control(void *context, uint64_t now_ns)
{
	struct nhn_rpc_client *client = context;

	sending_settle(client);
	peer_settle(client);
	if (client->open != 0)
		deadlines_check(client, now_ns);
}

/* ---- a call ---- */

void
nhn_rpc_call_init(struct nhn_rpc_call *call, uint16_t type, const void *request,
		  uint32_t request_bytes, void *reply, uint32_t reply_bytes, uint64_t deadline_ns)
{
	memset(call, 0, sizeof(*call));
	call->type = type;
	call->single[0].iov_base = (void *)(uintptr_t)request;
	call->single[0].iov_len = request_bytes;
	call->single[1].iov_base = reply;
	call->single[1].iov_len = reply_bytes;
	call->request = &call->single[0];
	call->requests = 1;
	call->reply = &call->single[1];
	call->replies = 1;
	call->deadline_ns = deadline_ns;
}

int
nhn_rpc_client_call(struct nhn_rpc_client *client, struct nhn_rpc_call *call)
{
	struct nhn_message_head head;
	struct nhn_rpc_slot *slot;
	uint64_t length = 0;
	uint32_t i;
	int ret;

	sending_settle(client);
	peer_settle(client);
	call->pairing = nhn_link_tx_pairing(client->endpoint->link);
	if (call->pairing == 0 || call->pairing != client->pairing)
		return -ENOTCONN;
	if (client->free == client->slot_count)
		return -EAGAIN;
	for (i = 0; i < call->requests; i++)
		length += call->request[i].iov_len;
	if (length > UINT32_MAX)
		return -EINVAL;
	slot = slot_take(client);
	head.id = slot->id;
	head.length = (uint32_t)length;
	head.type = call->type;
	head.flags = NHN_MESSAGE_REQUEST;
	ret = nhn_msg_sendv(client_tx(client), &head, call->request, call->requests);
	if (ret != 0 && ret != -EINPROGRESS) {
		slot_give(client, slot);
		return ret;
	}
	slot->call = call;
	call->id = slot->id;
	call->result = -EINPROGRESS;
	if (ret == -EINPROGRESS)
		client->sending = call;
	if (call->deadline_ns < client->deadline_ns)
		client->deadline_ns = call->deadline_ns;
	client->calls++;
	return 0;
}

/* ---- replies ---- */

/** Who waits for this message. */
static struct nhn_rpc_call *
receiver_of(struct nhn_rpc_client *client, const struct nhn_message_head *head)
{
	const struct nhn_rpc_slot *slot = slot_of(client, head->id);

	if (!(head->flags & NHN_MESSAGE_REPLY)) {
		client->strange++;
		return NULL;
	}
	if (slot->call == NULL || slot->id != head->id) {
		client->late++;
		return NULL;
	}
	return slot->call;
}

/** @return 0: a reply is being received; else nothing is to be done now */
static int
reply_begin(struct nhn_rpc_client *client)
{
	struct nhn_message_head head;
	int ret = nhn_msg_front(client_rx(client), &head);

	if (ret == -ESTALE)
		peer_settle(client);
	if (ret != 0)
		return ret;
	client->receiving = receiver_of(client, &head);
	if (client->receiving == NULL) {
		nhn_msg_skip(client_rx(client));
		return -EAGAIN;
	}
	nhn_msg_buffer_init(&client->receiving->buffer, client->receiving->reply,
			    client->receiving->replies);
	return 0;
}

static void
reply_end(struct nhn_rpc_client *client, struct nhn_rpc_call *call, int result)
{
	const struct nhn_message_head *head = &call->buffer.head;

	call->status = head->type;
	call->length = head->length;
	if (result == 0) {
		client->receiving = NULL; /* nothing of it is left to skip */
		client->replies++;
		if (head->flags & NHN_MESSAGE_REFUSED) {
			client->refused++;
			result = -EOPNOTSUPP;
		}
	} else if (result == -ECANCELED) {
		client->receiving = NULL;
		client->cancelled++;
	}
	call_end(client, call, result);
}

static bool
client_receive(void *context)
{
	struct nhn_rpc_client *client = context;
	struct nhn_rpc_call *call;
	int ret;

	sending_settle(client);
	if (client->receiving == NULL && reply_begin(client) != 0)
		return true;
	call = client->receiving;
	ret = nhn_msg_receive(client_rx(client), &call->buffer);
	if (ret == -ESTALE)
		peer_settle(client);
	else if (ret != -EAGAIN && ret != -EINPROGRESS)
		reply_end(client, call, ret);
	return true;
}

int
nhn_rpc_client_init(struct nhn_rpc_client *client, struct nhn_endpoint *endpoint, uint32_t channel,
		    struct nhn_rpc_slot *slots, uint32_t slot_count)
{
	uint32_t i;

	if (slot_count == 0 || slot_count > 65536 || (slot_count & (slot_count - 1)) != 0 ||
	    channel >= NHN_CHANNELS_MAX)
		return -EINVAL;
	memset(client, 0, sizeof(*client));
	client->endpoint = endpoint;
	client->channel = channel;
	client->slots = slots;
	client->slot_count = slot_count;
	client->deadline_ns = NHN_NEVER_NS;
	for (i = 0; i < slot_count; i++) {
		slots[i].call = NULL;
		slots[i].id = i;
		slots[i].next_free = i + 1;
	}
	client->handler.context = client;
	client->handler.receive = client_receive;
	client->handler.control = client_control;
	nhn_endpoint_handle(endpoint, channel, &client->handler);
	return 0;
}

int
nhn_rpc_client_call_wait(struct nhn_rpc_client *client, struct nhn_rpc_call *call)
{
	int ret;

	while ((ret = nhn_rpc_client_call(client, call)) == -EAGAIN || ret == -ENOTCONN) {
		ret = nhn_endpoint_wait(client->endpoint, client->channel, call->deadline_ns);
		if (ret != 0)
			break;
	}
	if (ret != 0)
		return call->result = ret;
	/* The deadline ends it, or the peer's restart does, if that is not held up. */
	while (call->result == -EINPROGRESS)
		if (nhn_endpoint_wait(client->endpoint, client->channel, NHN_NEVER_NS) == -EBUSY &&
		    call->result == -EINPROGRESS) {
			nhn_rpc_client_cancel(client, call);
			call->result = -EBUSY;
		}
	return call->result;
}
