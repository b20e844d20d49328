/* SPDX-License-Identifier: BSD-3-Clause */
/* nng: pair0 over ipc. Messages are written into nng_msg and sent without another copy. */
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer_aside.h"

#define NNG_WAIT_MS 10000
#define NNG_QUEUE_MESSAGES 256

struct peer {
	bool crowded; /**< the library's threads have no core but the two that poll */
	nng_socket socket;
	nng_msg *kept; /**< was written, and there was no room for it */
	int awake;     /**< readable when something is there; -1 until a side wants to sleep */
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	uint32_t sent;

	(void)link;
	for (sent = 0; sent < count; sent++) {
		if (peer->kept == NULL) {
			if (nng_msg_alloc(&peer->kept, work->size) != 0)
				break;
			contest_write(work, nng_msg_body(peer->kept));
		}
		if (nng_sendmsg(peer->socket, peer->kept, NNG_FLAG_NONBLOCK) != 0)
			break;
		peer->kept = NULL;
	}
	if (sent == 0)
		aside_yield(peer->crowded);
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	nng_msg *message;
	uint32_t got;

	(void)link;
	for (got = 0; got < count; got++) {
		if (nng_recvmsg(peer->socket, &message, NNG_FLAG_NONBLOCK) != 0)
			break;
		contest_read(work, nng_msg_body(message));
		nng_msg_free(message);
	}
	if (got == 0)
		aside_yield(peer->crowded);
	return got;
}

#define PEER_WAITS

/* Only a socket that was asked for its descriptor pays for keeping it. */
static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	struct pollfd one = {.events = POLLIN};

	(void)work;
	if (peer->awake == -1)
		nng_socket_get_int(peer->socket, NNG_OPT_RECVFD, &peer->awake);
	one.fd = peer->awake;
	poll(&one, 1, 50);
}

#include "contest_loops.h"

static void
nng_forget_kept(struct peer *peer)
{
	if (peer->kept != NULL)
		nng_msg_free(peer->kept);
	peer->kept = NULL;
}

static int
nng_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	unsigned int quiet = 0;
	nng_msg *message;

	(void)size;
	nng_forget_kept(peer);
	/* What the other side's threads have not yet written comes later. */
	while (quiet++ < 5) {
		while (nng_recvmsg(peer->socket, &message, NNG_FLAG_NONBLOCK) == 0) {
			nng_msg_free(message);
			quiet = 0;
		}
		aside_sleep_1ms();
	}
	return 0;
}

static void
nng_leave(void *opened)
{
	struct peer *peer = opened;

	nng_forget_kept(peer);
	/* Where it was not made, this would start the library's threads. */
	if (nng_socket_id(peer->socket) != -1)
		nng_close(peer->socket);
	free(peer);
}

/* The library's threads start with the first call of it. */
static bool
nng_start(struct peer *peer, const struct contest_place *place, int other)
{
	cpu_set_t pinned;
	int failed;

	peer->crowded = !aside_begin(place, other, &pinned);
	failed = nng_pair0_open(&peer->socket);
	aside_end(&pinned);
	if (failed != 0)
		return false;
	nng_socket_set_int(peer->socket, NNG_OPT_SENDBUF, NNG_QUEUE_MESSAGES);
	nng_socket_set_int(peer->socket, NNG_OPT_RECVBUF, NNG_QUEUE_MESSAGES);
	nng_socket_set_size(peer->socket, NNG_OPT_RECVMAXSZ, 0);
	nng_socket_set_ms(peer->socket, NNG_OPT_RECONNMINT, 10);
	nng_socket_set_ms(peer->socket, NNG_OPT_RECONNMAXT, 10);
	nng_socket_set_ms(peer->socket, NNG_OPT_RECVTIMEO, NNG_WAIT_MS);
	nng_socket_set_ms(peer->socket, NNG_OPT_SENDTIMEO, NNG_WAIT_MS);
	return true;
}

/* The far side says that it is there, the near one answers. */
static const char *
nng_greet(struct peer *peer, const struct contest_place *place)
{
	char path[200], address[256], greeting[1] = {0};
	size_t bytes = sizeof(greeting);

	snprintf(path, sizeof(path), "%s/nng", place->folder);
	snprintf(address, sizeof(address), "ipc://%s", path);
	if (place->side == CONTEST_NEAR) {
		unlink(path);
		if (nng_listen(peer->socket, address, NULL, 0) != 0)
			return "nng cannot listen in the folder of this run";
		if (nng_recv(peer->socket, greeting, &bytes, 0) != 0)
			return "the far side did not come within 10 s";
		return nng_send(peer->socket, greeting, bytes, 0) == 0 ? NULL : "the far side left";
	}
	if (nng_dial(peer->socket, address, NULL, NNG_FLAG_NONBLOCK) != 0)
		return "nng cannot dial in the folder of this run";
	if (nng_send(peer->socket, greeting, bytes, 0) != 0 ||
	    nng_recv(peer->socket, greeting, &bytes, 0) != 0)
		return "the near side did not answer within 10 s";
	return NULL;
}

static void *
nng_meet(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	const int other = aside_other_core(place);
	const char *failed;

	if (peer == NULL)
		return contest_opened(place, NULL, "no memory", why, why_bytes);
	peer->awake = -1;
	if (other == -1)
		failed = "the other side did not come within 10 s";
	else if (!nng_start(peer, place, other))
		failed = "nng cannot make a socket";
	else
		failed = nng_greet(peer, place);
	return contest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_nng = {
	.name = "nng",
	.what = "nng, pair0 over ipc, queues of 256 messages, polled by NNG_FLAG_NONBLOCK; "
		"its threads have the other cores; where there is none, the loops yield to "
		"them",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = 1,
	.shared_bytes = aside_shared_bytes,
	.open = nng_meet,
	.close = nng_leave,
	.prepare = nng_prepare,
	.loops = &peer_loops,
};
