/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ZeroMQ: PAIR sockets over ipc. Messages are written into zmq_msg_t and sent without another
 * copy; its I/O thread gathers what is queued into one write by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "peer_aside.h"

#define ZMQ_WAIT_MS 10000
/** A burst. Fixed: pipes that are open go wrong when it is lowered. */
#define ZMQ_QUEUE_MESSAGES 256

struct peer {
	bool crowded; /**< the library's threads have no core but the two that poll */
	void *context;
	void *socket;
	bool kept; /**< out was written, and there was no room for it */
	zmq_msg_t out;
	zmq_msg_t in;
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	uint32_t sent;

	(void)link;
	for (sent = 0; sent < count; sent++) {
		if (!peer->kept) {
			if (zmq_msg_init_size(&peer->out, work->size) != 0)
				break;
			contest_write(work, zmq_msg_data(&peer->out));
			peer->kept = true;
		}
		if (zmq_msg_send(&peer->out, peer->socket, ZMQ_DONTWAIT) == -1)
			break;
		peer->kept = false;
	}
	if (sent == 0)
		aside_yield(peer->crowded);
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	uint32_t got;

	(void)link;
	for (got = 0; got < count; got++) {
		if (zmq_msg_recv(&peer->in, peer->socket, ZMQ_DONTWAIT) != (int)work->size)
			break;
		contest_read(work, zmq_msg_data(&peer->in));
	}
	if (got == 0)
		aside_yield(peer->crowded);
	return got;
}

#define PEER_WAITS

static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	zmq_pollitem_t item = {.socket = peer->socket, .events = ZMQ_POLLIN};

	(void)work;
	zmq_poll(&item, 1, 50);
}

#include "contest_loops.h"

static void
zmq_set(void *socket, int option, int value)
{
	zmq_setsockopt(socket, option, &value, sizeof(value));
}

static void
zmq_forget_kept(struct peer *peer)
{
	if (peer->kept)
		zmq_msg_close(&peer->out);
	peer->kept = false;
}

static int
zmq_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	unsigned int quiet = 0;

	(void)size;
	zmq_forget_kept(peer);
	/* What the other side's thread has not yet written comes later. */
	while (quiet++ < 5) {
		while (zmq_msg_recv(&peer->in, peer->socket, ZMQ_DONTWAIT) != -1)
			quiet = 0;
		aside_sleep_1ms();
	}
	return 0;
}

static void
zmq_leave(void *opened)
{
	struct peer *peer = opened;

	zmq_forget_kept(peer);
	zmq_msg_close(&peer->in);
	if (peer->socket != NULL)
		zmq_close(peer->socket);
	if (peer->context != NULL)
		zmq_ctx_term(peer->context);
	free(peer);
}

/* Its threads start with the first socket. */
static bool
zmq_start(struct peer *peer, const struct contest_place *place, int other)
{
	cpu_set_t pinned;

	peer->crowded = !aside_begin(place, other, &pinned);
	peer->context = zmq_ctx_new();
	if (peer->context != NULL)
		peer->socket = zmq_socket(peer->context, ZMQ_PAIR);
	aside_end(&pinned);
	if (peer->socket == NULL)
		return false;
	zmq_set(peer->socket, ZMQ_LINGER, 0);
	zmq_set(peer->socket, ZMQ_SNDHWM, ZMQ_QUEUE_MESSAGES);
	zmq_set(peer->socket, ZMQ_RCVHWM, ZMQ_QUEUE_MESSAGES);
	zmq_set(peer->socket, ZMQ_RECONNECT_IVL, 10);
	zmq_set(peer->socket, ZMQ_RCVTIMEO, ZMQ_WAIT_MS);
	return true;
}

/* The far side says that it is there, the near one answers. */
static const char *
zmq_greet(struct peer *peer, const struct contest_place *place)
{
	char address[256], greeting;

	snprintf(address, sizeof(address), "ipc://%s/zmq", place->folder);
	if (place->side == CONTEST_NEAR) {
		const char *path = address + strlen("ipc://");

		if (zmq_bind(peer->socket, address) != 0)
			return "ZeroMQ cannot bind its socket in the folder of this run";
		if (zmq_recv(peer->socket, &greeting, 1, 0) != 1) {
			unlink(path);
			return "the far side did not come within 10 s";
		}
		unlink(path);
		return zmq_send(peer->socket, "", 1, 0) == 1 ? NULL : "the far side left";
	}
	if (zmq_connect(peer->socket, address) != 0 || zmq_send(peer->socket, "", 1, 0) != 1)
		return "ZeroMQ cannot connect in the folder of this run";
	if (zmq_recv(peer->socket, &greeting, 1, 0) != 1)
		return "the near side did not answer within 10 s";
	return NULL;
}

static void *
zmq_meet(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	const int other = aside_other_core(place);
	const char *failed;

	if (peer == NULL)
		return contest_opened(place, NULL, "no memory", why, why_bytes);
	zmq_msg_init(&peer->in);
	if (other == -1)
		failed = "the other side did not come within 10 s";
	else if (!zmq_start(peer, place, other))
		failed = "ZeroMQ cannot make a socket";
	else
		failed = zmq_greet(peer, place);
	return contest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_zmq = {
	.name = "zmq",
	.what = "ZeroMQ, PAIR over ipc, queues of 256 messages, polled by ZMQ_DONTWAIT; its "
		"threads have the other cores; where there is none, the loops yield to them",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = 1,
	.shared_bytes = aside_shared_bytes,
	.open = zmq_meet,
	.close = zmq_leave,
	.prepare = zmq_prepare,
	.loops = &peer_loops,
};
