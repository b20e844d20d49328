/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two POSIX message queues, of messages of at most 8 KiB, as Linux has them unless told
 * otherwise (/proc/sys/fs/mqueue/msgsize_max). Without CAP_SYS_RESOURCE one takes 10 of
 * them (msg_max), and a user has 800 KiB (RLIMIT_MSGQUEUE).
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "contest.h"
#include "peer_patience.h"

#define MQ_SIZE 8192
#define MQ_DEPTH 256
#define MQ_DEPTH_USER 10

struct peer {
	mqd_t in;
	mqd_t out;
	char thrown_away[MQ_SIZE];
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	uint32_t sent;

	(void)link;
	for (sent = 0; sent < count; sent++) {
		if (mq_send(peer->out, contest_written(work), work->size, 0) != 0) {
			contest_unwrite(work);
			break;
		}
	}
	return sent;
}

/* The kernel wants to hear of room for the largest message, and writes the one that came. */
CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	uint32_t got;

	(void)link;
	for (got = 0; got < count; got++) {
		if (mq_receive(peer->in, (char *)work->sink, sizeof(peer->thrown_away), NULL) !=
		    work->size)
			break;
		contest_took(work);
	}
	return got;
}

#define PEER_WAITS

/* On Linux a queue is a descriptor. */
static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	struct pollfd one = {.fd = peer->in, .events = POLLIN};

	(void)work;
	poll(&one, 1, 50);
}

#include "contest_loops.h"

/* Throw away what the last round left. */
static int
mq_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;

	(void)size;
	while (mq_receive(peer->in, peer->thrown_away, sizeof(peer->thrown_away), NULL) >= 0)
		;
	return 0;
}

static void
mq_leave(void *opened)
{
	struct peer *peer = opened;

	if (peer->in != -1)
		mq_close(peer->in);
	if (peer->out != -1)
		mq_close(peer->out);
	free(peer);
}

static mqd_t
mq_make(const char *name, long depth)
{
	struct mq_attr attr = {.mq_maxmsg = depth, .mq_msgsize = MQ_SIZE};

	return mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0600, &attr);
}

/* Both queues alike: deep where this process may, else as deep as everybody may. */
static bool
mq_make_both(struct peer *peer, const char *in, const char *out)
{
	const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

	setrlimit(RLIMIT_MSGQUEUE, &all);
	mq_unlink(in);
	mq_unlink(out);
	peer->in = mq_make(in, MQ_DEPTH);
	peer->out = mq_make(out, MQ_DEPTH);
	if (peer->in != -1 && peer->out != -1)
		return true;
	if (peer->in != -1)
		mq_close(peer->in);
	mq_unlink(in);
	peer->in = mq_make(in, MQ_DEPTH_USER);
	peer->out = mq_make(out, MQ_DEPTH_USER);
	return peer->in != -1 && peer->out != -1;
}

/* The far side says by a message that it has both queues, so that the names can go. */
static const char *
mq_near(struct peer *peer, const char *in, const char *out)
{
	const struct patience patience = patience_begin();
	const char *failed = "the far side did not open the queues within 10 s";

	if (!mq_make_both(peer, in, out)) {
		failed = "two POSIX message queues cannot be made: raise RLIMIT_MSGQUEUE (ulimit "
			 "-q)";
	} else {
		do {
			if (mq_receive(peer->in, peer->thrown_away, sizeof(peer->thrown_away),
				       NULL) >= 0)
				failed = NULL;
		} while (failed != NULL && patience_lasts(&patience));
	}
	mq_unlink(in);
	mq_unlink(out);
	return failed;
}

static const char *
mq_far(struct peer *peer, const char *in, const char *out)
{
	const struct patience patience = patience_begin();

	do {
		if (peer->in == -1)
			peer->in = mq_open(in, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (peer->out == -1)
			peer->out = mq_open(out, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	} while ((peer->in == -1 || peer->out == -1) && patience_lasts(&patience));
	if (peer->in == -1 || peer->out == -1)
		return "the near side did not make the queues within 10 s";
	return mq_send(peer->out, "", 1, 0) == 0 ? NULL : "the near side left";
}

static void *
mq_meet(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	char to_near[64], to_far[64];
	const char *failed;

	if (peer == NULL)
		return contest_opened(place, NULL, "no memory", why, why_bytes);
	peer->in = -1;
	peer->out = -1;
	snprintf(to_near, sizeof(to_near), "/nahanni-%016jx-near", (uintmax_t)place->run);
	snprintf(to_far, sizeof(to_far), "/nahanni-%016jx-far", (uintmax_t)place->run);
	failed = place->side == CONTEST_NEAR ? mq_near(peer, to_near, to_far)
					     : mq_far(peer, to_far, to_near);
	return contest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_mq = {
	.name = "mq",
	.what = "POSIX message queues of 256 messages (without CAP_SYS_RESOURCE 10), polled "
		"without blocking",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = MQ_SIZE,
	.links_max = 1,
	.open = mq_meet,
	.close = mq_leave,
	.prepare = mq_prepare,
	.loops = &peer_loops,
};
