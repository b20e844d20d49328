/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How two sides meet by sockets: one listens, the other connects once for each link, and says
 * which link it is, for connections may be accepted in another order.
 */
#ifndef PEER_MEET_H
#define PEER_MEET_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "peer_patience.h"
#include "peer_socket.h"

/** Buffers of a socket: room for two of the largest messages. */
#define MEET_BUFFER (2 << 20)

/* Wait for input; @return whether it is there. */
static inline bool
meet_input(int fd, const struct patience *patience)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, patience_left_ms(patience)) == 1;
}

/** A name below the folder of a place. */
static inline void
meet_path(const struct contest_place *place, const char *name, char *path, size_t bytes)
{
	snprintf(path, bytes, "%s/%s", place->folder, name);
}

/* Above the limit for all, where this process may; else up to it. */
static inline void
meet_buffer(int fd)
{
	const int bytes = MEET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/** @return a socket with buffers, or -1 */
static inline int
meet_socket(int domain, int type)
{
	const int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	if (fd != -1)
		meet_buffer(fd);
	return fd;
}

/** @return a socket that listens at an address, or -1 */
static inline int
meet_listen(int domain, int type, const void *address, socklen_t bytes)
{
	const int fd = meet_socket(domain, type);

	if (fd == -1)
		return -1;
	if (bind(fd, address, bytes) == 0 && listen(fd, SOCKET_LINKS_MAX) == 0)
		return fd;
	close(fd);
	return -1;
}

/** Accept all links, whoever comes first. @return NULL or what went wrong */
static inline const char *
meet_accept(struct peer *peer, int listener)
{
	const struct patience patience = patience_begin();
	uint32_t i, link;
	int fd;

	for (i = 0; i < peer->links; i++) {
		if (!meet_input(listener, &patience))
			return "the far side did not connect within 10 s";
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1)
			return "accept() failed";
		meet_buffer(fd);
		if (!meet_input(fd, &patience) || read(fd, &link, sizeof(link)) != sizeof(link) ||
		    link >= peer->links || peer->link[link].in != -1) {
			close(fd);
			return "a connection did not say which link it is";
		}
		if (socket_give(peer, link, fd, fd) != 0)
			return "the socket cannot be made non-blocking";
	}
	return NULL;
}

/** Connect one link; NULL: try once. @return the descriptor or -1 */
static inline int
meet_connect_one(int domain, int type, const void *address, socklen_t bytes,
		 const struct patience *patience)
{
	do {
		const int fd = meet_socket(domain, type);

		if (fd == -1)
			return -1;
		if (connect(fd, address, bytes) == 0)
			return fd;
		close(fd);
	} while (patience != NULL && patience_lasts(patience));
	return -1;
}

/** Connect all links from @p first on. @return NULL or what went wrong */
static inline const char *
meet_connect(struct peer *peer, uint32_t first, int domain, int type, const void *address,
	     socklen_t bytes)
{
	const struct patience patience = patience_begin();
	uint32_t link;

	for (link = first; link < peer->links; link++) {
		const int fd = meet_connect_one(domain, type, address, bytes, &patience);

		if (fd == -1)
			return "the near side did not listen within 10 s";
		if (socket_give(peer, link, fd, fd) != 0 ||
		    write(fd, &link, sizeof(link)) != sizeof(link))
			return "the number of the link cannot be written";
	}
	return NULL;
}

/** Of TCP: messages do not wait for others to be sent with. */
static inline void
meet_without_delay(const struct peer *peer)
{
	const int yes = 1;
	uint32_t i;

	for (i = 0; i < peer->links; i++)
		setsockopt(peer->link[i].in, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

/** Accept all links at an address. @return NULL or what went wrong */
static inline const char *
meet_near(struct peer *peer, int domain, int type, const void *address, socklen_t bytes)
{
	const int listener = meet_listen(domain, type, address, bytes);
	const char *failed;

	if (listener == -1)
		return "no socket can listen at the near side's address";
	failed = meet_accept(peer, listener);
	close(listener);
	return failed;
}

#endif /* PEER_MEET_H */
