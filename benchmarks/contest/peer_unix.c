/* SPDX-License-Identifier: BSD-3-Clause */
/* Unix sockets: streams, and packets that keep their borders. */
#include <sys/un.h>

#include "peer_meet.h"

static const char *
unix_near(struct peer *peer, int type, const struct sockaddr_un *address)
{
	const char *failed;
	int listener;

	unlink(address->sun_path);
	listener = meet_listen(AF_UNIX, type, address, sizeof(*address));
	if (listener == -1)
		return "the unix socket cannot be made in the folder of this run";
	failed = meet_accept(peer, listener);
	close(listener);
	unlink(address->sun_path);
	return failed;
}

static void *
unix_open(const struct contest_place *place, int type, const char *name, char *why,
	  size_t why_bytes)
{
	struct peer *peer = socket_peer(place->links, type == SOCK_SEQPACKET);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *failed;

	if (peer == NULL)
		return meet_failed(peer, "no memory", why, why_bytes);
	meet_path(place, name, address.sun_path, sizeof(address.sun_path));
	failed = place->side == CONTEST_NEAR
			 ? unix_near(peer, type, &address)
			 : meet_connect(peer, 0, AF_UNIX, type, &address, sizeof(address));
	return failed == NULL ? peer : meet_failed(peer, failed, why, why_bytes);
}

static void *
unix_open_stream(const struct contest_place *place, char *why, size_t why_bytes)
{
	return unix_open(place, SOCK_STREAM, "stream", why, why_bytes);
}

static void *
unix_open_seqpacket(const struct contest_place *place, char *why, size_t why_bytes)
{
	return unix_open(place, SOCK_SEQPACKET, "packets", why, why_bytes);
}

const struct contestant contestant_unix_stream = {
	.name = "unix-stream",
	.what = "unix(7) stream sockets, polled without blocking; a burst by one write() and "
		"read()",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = SOCKET_LINKS_MAX,
	.open = unix_open_stream,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_unix_seqpacket = {
	.name = "unix-seqpacket",
	.what = "unix(7) seqpacket sockets, polled without blocking; a burst by "
		"sendmmsg() and recvmmsg()",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = 65536,
	.links_max = SOCKET_LINKS_MAX,
	.open = unix_open_seqpacket,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};
