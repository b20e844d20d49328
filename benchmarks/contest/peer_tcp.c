/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP over loopback. The kernel finds the port; a file in the folder of the run tells it. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "peer_meet.h"

static void
tcp_address(struct sockaddr_in *address, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->sin_port = htons(port);
}

/* Renamed into place, so that it is never seen half written. */
static bool
tcp_tell_port(int listener, const char *path)
{
	struct sockaddr_in bound;
	socklen_t bytes = sizeof(bound);
	char draft[256];
	FILE *file;

	snprintf(draft, sizeof(draft), "%s.draft", path);
	if (getsockname(listener, (struct sockaddr *)&bound, &bytes) != 0)
		return false;
	file = fopen(draft, "w");
	if (file == NULL)
		return false;
	fprintf(file, "%u\n", ntohs(bound.sin_port));
	return fclose(file) == 0 && rename(draft, path) == 0;
}

static const char *
tcp_near(struct peer *peer, const char *path)
{
	struct sockaddr_in address;
	const char *failed = "the TCP port cannot be told in the folder of this run";
	int listener;

	tcp_address(&address, 0);
	listener = meet_listen(AF_INET, SOCK_STREAM, &address, sizeof(address));
	if (listener == -1)
		return "no TCP socket can listen on 127.0.0.1";
	if (tcp_tell_port(listener, path))
		failed = meet_accept(peer, listener);
	close(listener);
	unlink(path);
	return failed;
}

/* Read the port anew for each try: the file may be one that an earlier run left. */
static const char *
tcp_far(struct peer *peer, const char *path)
{
	const struct patience patience = patience_begin();
	struct sockaddr_in address;
	unsigned int port;
	uint32_t link = 0;

	do {
		FILE *file = fopen(path, "r");
		const bool told = file != NULL && fscanf(file, "%u", &port) == 1;
		int fd = -1;

		if (file != NULL)
			fclose(file);
		if (told) {
			tcp_address(&address, (uint16_t)port);
			fd = meet_connect_one(AF_INET, SOCK_STREAM, &address, sizeof(address),
					      NULL);
		}
		if (fd == -1)
			continue;
		if (socket_give(peer, 0, fd, fd) != 0 ||
		    write(fd, &link, sizeof(link)) != sizeof(link))
			return "the number of the link cannot be written";
		return meet_connect(peer, 1, AF_INET, SOCK_STREAM, &address, sizeof(address));
	} while (patience_lasts(&patience));
	return "the near side did not listen within 10 s";
}

static void *
tcp_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = socket_peer(place->links, false);
	const char *failed;
	char path[200];

	if (peer == NULL)
		return contest_opened(place, NULL, "no memory", why, why_bytes);
	meet_path(place, "tcp-port", path, sizeof(path));
	failed = place->side == CONTEST_NEAR ? tcp_near(peer, path) : tcp_far(peer, path);
	if (failed == NULL)
		meet_without_delay(peer);
	return contest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_tcp = {
	.name = "tcp",
	.what = "TCP over loopback, TCP_NODELAY, buffers of 2 MiB, polled without blocking; a "
		"burst by one write() and read()",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = SOCKET_LINKS_MAX,
	.open = tcp_open,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};
