/* SPDX-License-Identifier: BSD-3-Clause */
/* rpc: calls of lib/msg, one at a time: near is the client, far the server. */

#include <errno.h>
#include <time.h>

#include <nhn_rpc.h>

#include "peer_ours.h"

#define DATA_BYTES (256u << 10)
/** nhn_rpc_call::result: none is open, and none has ended. */
#define NO_CALL (-EAGAIN)

struct peer {
	struct ours ours;
	struct nhn_endpoint endpoint;
	struct nhn_rpc_client client;
	struct nhn_rpc_slot slot;
	struct nhn_rpc_call call;
	struct nhn_rpc_server server;
	struct nhn_rpc_token token; /**< who is to get the reply */
	bool asked;		    /**< far: a request waits for peer_receive() */
	bool replying;		    /**< far: a reply of several steps is being sent */
	enum contest_side side;
	struct iovec reply;
	uint8_t request[CONTEST_SIZE_MAX]; /**< the server's memory */
};

/* After a minute without rounds far's beat has to be seen first: a call before it would fail. */
static inline uint32_t
rpc_call(struct peer *peer, struct contest_work *work)
{
	if (__builtin_expect(!peer->endpoint.tx[0].tx->up, 0)) {
		nhn_endpoint_poll(&peer->endpoint);
		return 0;
	}
	nhn_rpc_call_init(&peer->call, 0, contest_written(work), work->size, work->sink, work->size,
			  NHN_NEVER_NS);
	if (nhn_rpc_client_call(&peer->client, &peer->call) == 0)
		return 1;
	contest_unwrite(work);
	return 0;
}

/* The bytes stay as they are until the next request has come, so the reply was read. */
static inline int
rpc_reply_begin(struct peer *peer, struct contest_work *work)
{
	const struct nhn_rpc_reply reply = {.vector = &peer->reply, .vectors = 1};
	int ret;

	peer->reply.iov_base = (void *)(uintptr_t)contest_written(work);
	peer->reply.iov_len = work->size;
	ret = nhn_rpc_server_reply(&peer->server, &peer->token, &reply);
	if (ret != 0 && ret != -EINPROGRESS)
		contest_unwrite(work);
	return ret;
}

/* A long reply goes on from call to call. */
static inline uint32_t
rpc_reply(struct peer *peer, struct contest_work *work)
{
	int ret = -EINPROGRESS;

	if (!peer->replying)
		ret = rpc_reply_begin(peer, work);
	else
		nhn_endpoint_poll(&peer->endpoint);
	peer->replying = ret == -EINPROGRESS && nhn_msg_busy(&peer->endpoint.tx[0]);
	return (ret == 0 || ret == -EINPROGRESS) && !peer->replying;
}

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	(void)link;
	(void)count;
	return peer->side == CONTEST_NEAR ? rpc_call(peer, work) : rpc_reply(peer, work);
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	(void)link;
	(void)count;
	nhn_endpoint_poll(&peer->endpoint);
	if (peer->side == CONTEST_FAR && peer->asked) {
		peer->asked = false;
		work->sink = peer->request;
		contest_took(work);
		return 1;
	}
	if (peer->side == CONTEST_NEAR && peer->call.result == 0) {
		peer->call.result = NO_CALL;
		contest_took(work);
		return 1;
	}
	return 0;
}

#include "contest_loops.h"

static const struct contest_loops rpc_loops = {
	.trips = peer_trips,
	.echo = peer_echo,
};

static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	struct peer *peer = context;

	(void)reply;
	peer->token = request->token;
	peer->asked = true;
	return -EINPROGRESS;
}

static uint64_t
now_ns(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void
peer_init(struct peer *peer)
{
	nhn_endpoint_init(&peer->endpoint, peer->ours.link[0], now_ns, NULL);
	peer->call.result = NO_CALL;
	if (peer->side == CONTEST_NEAR)
		nhn_rpc_client_init(&peer->client, &peer->endpoint, 0, &peer->slot, 1);
	else
		nhn_rpc_server_init(&peer->server, &peer->endpoint, 0, serve, peer, peer->request,
				    CONTEST_SIZE_MAX);
}

static void *
rpc_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = ours_open(sizeof(*peer), place, why, why_bytes);

	if (peer == NULL)
		return NULL;
	peer->side = place->side;
	memset(peer->request, 1, sizeof(peer->request)); /* present */
	peer_init(peer);
	return peer;
}

static int
rpc_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	int step;

	(void)size;
	nhn_endpoint_control(&peer->endpoint);
	nhn_rpc_client_cancel(&peer->client, &peer->call);
	do
		step = nhn_endpoint_poll(&peer->endpoint);
	while (step == -EINPROGRESS);
	peer->call.result = NO_CALL;
	peer->asked = false;
	peer->replying = false;
	return 0;
}

static const struct ours_shape shape = {
	.use = NHN_USE_MSG, .channels = 1, .data_bytes = DATA_BYTES};

const struct contestant contestant_rpc = {
	.name = "rpc",
	.what = "calls of lib/msg through its endpoint: request and reply, each copied",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = 1,
	.variant = &shape,
	.shared_bytes = ours_shared_bytes,
	.open = rpc_open,
	.close = ours_close,
	.prepare = rpc_prepare,
	.loops = &rpc_loops,
};
