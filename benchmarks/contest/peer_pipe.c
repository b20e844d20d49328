/* SPDX-License-Identifier: BSD-3-Clause */
/* Two named pipes, one for each direction. */
#include <sys/stat.h>

#include "peer_meet.h"

#define PIPE_BYTES (1 << 20)

/* A pipe is opened for writing only when its reader is there. */
static int
pipe_try(const char *path, int how, const struct patience *patience)
{
	int fd;

	do {
		fd = open(path, how | O_NONBLOCK | O_CLOEXEC);
		if (fd != -1)
			return fd;
	} while (patience_lasts(patience));
	return -1;
}

/* The far side says by a byte that it has both, so that the names can go. */
static const char *
pipe_open_both(struct peer *peer, enum contest_side side, const char *in_path, const char *out_path)
{
	const struct patience patience = patience_begin();
	const int in = pipe_try(in_path, O_RDONLY, &patience);
	const int out = pipe_try(out_path, O_WRONLY, &patience);
	char byte = 1;

	peer->link[0].in = in;
	peer->link[0].out = out;
	if (in == -1 || out == -1)
		return "the other side did not open the pipes within 10 s";
	fcntl(out, F_SETPIPE_SZ, PIPE_BYTES);
	if (socket_give(peer, 0, in, out) != 0)
		return "the pipes cannot be made non-blocking";
	if (side == CONTEST_FAR)
		return write(out, &byte, 1) == 1 ? NULL : "the near side left";
	if (!meet_input(in, &patience) || read(in, &byte, 1) != 1)
		return "the far side did not open the pipes within 10 s";
	return NULL;
}

static const char *
pipe_near(struct peer *peer, const char *to_near, const char *to_far)
{
	const char *failed = "the pipes cannot be made in the folder of this run";

	unlink(to_near);
	unlink(to_far);
	if (mkfifo(to_near, 0600) == 0 && mkfifo(to_far, 0600) == 0)
		failed = pipe_open_both(peer, CONTEST_NEAR, to_near, to_far);
	unlink(to_near);
	unlink(to_far);
	return failed;
}

static void *
pipe_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = socket_peer(1, false);
	char to_near[200], to_far[200];
	const char *failed;

	if (peer == NULL)
		return contest_opened(place, NULL, "no memory", why, why_bytes);
	meet_path(place, "pipe-to-near", to_near, sizeof(to_near));
	meet_path(place, "pipe-to-far", to_far, sizeof(to_far));
	failed = place->side == CONTEST_NEAR ? pipe_near(peer, to_near, to_far)
					     : pipe_open_both(peer, CONTEST_FAR, to_far, to_near);
	return contest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_pipe = {
	.name = "pipe",
	.what = "two pipe(7)s of 1 MiB, polled without blocking; a burst by one write() and read()",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = 1,
	.open = pipe_open,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};
