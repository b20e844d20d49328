/* SPDX-License-Identifier: BSD-3-Clause */
/* Unix sockets: streams, and packets that keep their borders. */
#include <sys/un.h>

#include "peer_meet.h"

static void *
unix_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	const int type = *(const int *)place->contestant->variant;
	struct peer *peer = socket_peer(place->links, type == SOCK_SEQPACKET);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *failed = "no memory";

	meet_path(place, place->contestant->name, address.sun_path, sizeof(address.sun_path));
	if (peer != NULL && place->side == CONTEST_NEAR) {
		unlink(address.sun_path);
		failed = meet_near(peer, AF_UNIX, type, &address, sizeof(address));
		unlink(address.sun_path);
	} else if (peer != NULL) {
		failed = meet_connect(peer, 0, AF_UNIX, type, &address, sizeof(address));
	}
	return contest_opened(place, peer, failed, why, why_bytes);
}

static const int stream = SOCK_STREAM, packets = SOCK_SEQPACKET;

#define UNIX                                                                                       \
	.size_min = CONTEST_SIZE_MIN, .links_max = SOCKET_LINKS_MAX, .open = unix_open,            \
	.close = socket_close, .prepare = socket_prepare, .loops = &peer_loops

const struct contestant contestant_unix_stream = {
	.name = "unix-stream",
	.what = "unix(7) stream sockets, polled without blocking; a burst by one write() and "
		"read()",
	.size_max = CONTEST_SIZE_MAX,
	.variant = &stream,
	UNIX,
};

const struct contestant contestant_unix_seqpacket = {
	.name = "unix-seqpacket",
	.what = "unix(7) seqpacket sockets, polled without blocking; a burst by "
		"sendmmsg() and recvmmsg()",
	.size_max = 65536,
	.variant = &packets,
	UNIX,
};
