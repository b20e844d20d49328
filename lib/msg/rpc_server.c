/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_rpc.h>

static struct nhn_msg_tx *
server_tx(const struct nhn_rpc_server *server)
{
	return &server->endpoint->tx[server->channel];
}

static struct nhn_msg_rx *
server_rx(const struct nhn_rpc_server *server)
{
	return &server->endpoint->rx[server->channel];
}

/* ---- replies ---- */

static uint32_t
reply_length(const struct nhn_rpc_reply *reply)
{
	uint64_t length = 0;
	uint32_t i;

	for (i = 0; i < reply->vectors; i++)
		length += reply->vector[i].iov_len;
	return length > UINT32_MAX ? UINT32_MAX : (uint32_t)length; /* the send refuses it */
}

/** Whether who asked in this pairing is still there. The reader's direction tells: it stands
 * before and as long as the writer's, which may open later than the first request comes. One
 * that is read out is over: a reply kept for it would be in the way of that for ever.
 */
static bool
client_stands(struct nhn_rpc_server *server, uint64_t asked)
{
	const struct nhn_link *link = server->endpoint->link;

	if (asked == nhn_link_rx_pairing(link) && link->rx_state == NHN_RX_READING && !link->broken)
		return true;
	server->reset++;
	return false;
}

int
nhn_rpc_server_reply(struct nhn_rpc_server *server, const struct nhn_rpc_token *token,
		     const struct nhn_rpc_reply *reply)
{
	struct nhn_message_head head;
	int ret;

	if (!client_stands(server, token->pairing))
		return -ECONNRESET;
	head.id = token->id;
	head.length = reply_length(reply);
	head.type = reply->status;
	head.flags = NHN_MESSAGE_REPLY;
	ret = nhn_msg_sendv(server_tx(server), &head, reply->vector, reply->vectors);
	return ret == -ENOTCONN ? -EAGAIN : ret; /* its way is not open yet */
}

static void refuse(struct nhn_rpc_server *server, enum nhn_rpc_refusal why);

/** Send the reply that waits. @return whether it is on its way, or void */
static bool
server_send(void *context)
{
	struct nhn_rpc_server *server = context;
	int ret;

	if (!client_stands(server, server->pairing)) {
		server->handler.waiting = false;
		return true;
	}
	ret = nhn_msg_sendv(server_tx(server), &server->head, server->reply.vector,
			    server->reply.vectors);
	server->handler.waiting = ret == -EAGAIN || ret == -ENOTCONN;
	if (ret == -EINVAL && !(server->head.flags & NHN_MESSAGE_REFUSED))
		refuse(server, NHN_RPC_FAILED);
	return !server->handler.waiting;
}

/** Send a reply now, or as soon as there is room. */
static void
reply_begin(struct nhn_rpc_server *server, uint16_t flags)
{
	server->head.id = server->buffer.head.id;
	server->head.length = reply_length(&server->reply);
	server->head.type = server->reply.status;
	server->head.flags = (uint16_t)(NHN_MESSAGE_REPLY | flags);
	server->handler.waiting = true;
	server_send(server);
}

static void
refuse(struct nhn_rpc_server *server, enum nhn_rpc_refusal why)
{
	memset(&server->reply, 0, sizeof(server->reply));
	server->reply.status = (uint16_t)why;
	server->refused++;
	reply_begin(server, NHN_MESSAGE_REFUSED);
}

/* ---- requests ---- */

static void
request_serve(struct nhn_rpc_server *server)
{
	struct nhn_rpc_request request;
	int ret;

	request.token.id = server->buffer.head.id;
	request.token.pairing = server->pairing;
	request.type = server->buffer.head.type;
	request.length = server->buffer.head.length;
	request.data = server->memory.iov_base;
	memset(&server->reply, 0, sizeof(server->reply));
	server->requests++;
	server->serving = true;
	ret = server->serve(server->context, &request, &server->reply);
	server->serving = false;
	if (ret == 0)
		reply_begin(server, 0);
	else if (ret != -EINPROGRESS)
		refuse(server, NHN_RPC_FAILED);
}

/** @return whether a request is being received */
static bool
request_begin(struct nhn_rpc_server *server)
{
	struct nhn_message_head head;

	if (nhn_msg_front(server_rx(server), &head) != 0)
		return false;
	if (!(head.flags & NHN_MESSAGE_REQUEST)) {
		server->strange++;
		nhn_msg_skip(server_rx(server));
		return false;
	}
	/* Of who asks: a reply must not go to its successor. */
	server->pairing = nhn_link_rx_pairing(server->endpoint->link);
	nhn_msg_buffer_init(&server->buffer, &server->memory, 1);
	server->receiving = true;
	return true;
}

static bool
server_receive(void *context)
{
	struct nhn_rpc_server *server = context;
	int ret;

	/* One reply at a time: else serve() would write where it is read from. */
	if (server->handler.waiting || server->serving || nhn_msg_busy(server_tx(server)))
		return false;
	if (!server->receiving && !request_begin(server))
		return true;
	ret = nhn_msg_receive(server_rx(server), &server->buffer);
	if (ret == -EAGAIN || ret == -EINPROGRESS)
		return true;
	server->receiving = false;
	if (ret == 0) {
		request_serve(server);
	} else if (ret == -EMSGSIZE) {
		nhn_msg_skip(server_rx(server));
		refuse(server, NHN_RPC_TOO_LONG);
	}
	return true;
}

void
nhn_rpc_server_init(struct nhn_rpc_server *server, struct nhn_endpoint *endpoint, uint32_t channel,
		    int (*serve)(void *context, const struct nhn_rpc_request *request,
				 struct nhn_rpc_reply *reply),
		    void *context, void *memory, size_t memory_bytes)
{
	memset(server, 0, sizeof(*server));
	server->endpoint = endpoint;
	server->channel = channel;
	server->serve = serve;
	server->context = context;
	server->memory.iov_base = memory;
	server->memory.iov_len = memory_bytes;
	server->handler.context = server;
	server->handler.receive = server_receive;
	server->handler.send = server_send;
	nhn_endpoint_handle(endpoint, channel, &server->handler);
}
