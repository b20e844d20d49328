/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contestants that are descriptors: sockets, pipes, a guest's virtio-serial port. They are
 * non-blocking and polled by read and write alone, which suits a core of its own; peer_wait()
 * is poll(2).
 *
 * A single message goes from where it is to where it ends, by one call. A burst of small ones
 * is put together in a buffer and goes by one call, which is what saves system calls:
 * write() and read() on streams, sendmmsg() and recvmmsg() on packets.
 *
 * A file that includes this opens a peer by socket_peer(), fills the descriptors of its links,
 * and has the loops; peer_meet.h makes the usual sockets.
 */
#ifndef PEER_SOCKET_H
#define PEER_SOCKET_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "contest.h"

/** Buffers of a burst: 256 messages of 1 KiB. */
#define SOCKET_BUFFER (256u << 10)

/** Who reads many descriptors has epoll(7) tell him which; mixed needs two. */
#define SOCKET_LINKS_MAX 2u

/** From this size on a copy into a buffer costs more than the call that it saves. */
#define SOCKET_DIRECT 8192u

struct socket_link {
	int in;
	int out;
	/* What of a call's messages is not yet written. */
	const uint8_t *rest;
	size_t rest_bytes;
	uint32_t rest_messages;
	/* What came of a message that is not yet whole: in the sink, or in the buffer. */
	size_t sink_bytes;
	size_t input_bytes;
	uint8_t output[SOCKET_BUFFER];
	uint8_t input[SOCKET_BUFFER];
};

struct peer {
	uint32_t links;
	bool packets; /**< the descriptors keep the borders of messages */
	struct pollfd polls[SOCKET_LINKS_MAX];
	struct iovec parts[CONTEST_BURST_MAX];
	struct mmsghdr calls[CONTEST_BURST_MAX];
	struct socket_link link[SOCKET_LINKS_MAX];
};

static inline void
socket_close(void *opened)
{
	struct peer *peer = opened;
	uint32_t i;

	for (i = 0; i < peer->links; i++) {
		struct socket_link *link = &peer->link[i];

		if (link->out != -1 && link->out != link->in)
			close(link->out);
		if (link->in != -1)
			close(link->in);
	}
	munmap(peer, sizeof(*peer));
}

/** A peer without descriptors; NULL: no memory. Pages of buffers that are not used stay unused. */
static inline struct peer *
socket_peer(uint32_t links, bool packets)
{
	struct peer *peer = mmap(NULL, sizeof(*peer), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t i;

	if (peer == MAP_FAILED)
		return NULL;
	/* A side that is gone is told by the round's messages that are lost. */
	signal(SIGPIPE, SIG_IGN);
	peer->links = links;
	peer->packets = packets;
	for (i = 0; i < links; i++) {
		peer->link[i].in = -1;
		peer->link[i].out = -1;
	}
	for (i = 0; i < CONTEST_BURST_MAX; i++) {
		peer->calls[i].msg_hdr.msg_iov = &peer->parts[i];
		peer->calls[i].msg_hdr.msg_iovlen = 1;
	}
	return peer;
}

/** Give a link its descriptors, of both directions where they are one. @return 0 or -errno */
static inline int
socket_give(struct peer *peer, uint32_t link, int in, int out)
{
	const int in_flags = fcntl(in, F_GETFL), out_flags = fcntl(out, F_GETFL);

	peer->link[link].in = in;
	peer->link[link].out = out;
	peer->polls[link].fd = in;
	peer->polls[link].events = POLLIN;
	if (fcntl(in, F_SETFL, in_flags | O_NONBLOCK) == -1 ||
	    fcntl(out, F_SETFL, out_flags | O_NONBLOCK) == -1)
		return -errno;
	return 0;
}

/** contestant::prepare: forget halves of messages, throw away what the last round left. */
static inline int
socket_prepare(void *opened, uint32_t size)
{
	struct peer *peer = opened;
	uint32_t i, quiet = 0;

	(void)size;
	for (i = 0; i < peer->links; i++) {
		peer->link[i].rest_messages = 0;
		peer->link[i].sink_bytes = 0;
		peer->link[i].input_bytes = 0;
	}
	/* TCP holds more back at the sender, which comes once there is room. */
	while (quiet++ < 2) {
		for (i = 0; i < peer->links; i++) {
			while (read(peer->link[i].in, peer->link[i].input, SOCKET_BUFFER) > 0)
				quiet = 0;
		}
		poll(peer->polls, peer->links, 1);
	}
	return 0;
}

/* How many messages of a burst go into a buffer. */
static inline uint32_t
socket_fit(const struct contest_work *work, uint32_t count)
{
	const uint32_t fit = SOCKET_BUFFER / work->size;

	return count < fit ? count : fit;
}

/* Write the messages of one call. A single one is left where it is, till it is written. */
static inline void
socket_fill(struct socket_link *link, struct contest_work *work, uint32_t count)
{
	uint32_t i;

	if (count == 1 || work->size >= SOCKET_DIRECT) {
		link->rest = contest_written(work);
		link->rest_messages = 1;
	} else {
		link->rest_messages = socket_fit(work, count);
		for (i = 0; i < link->rest_messages; i++)
			contest_write(work, link->output + i * work->size);
		link->rest = link->output;
	}
	link->rest_bytes = (size_t)link->rest_messages * work->size;
}

/* @return messages that are now written to their end */
static inline uint32_t
socket_flush_stream(struct socket_link *link, uint32_t size)
{
	const ssize_t wrote = write(link->out, link->rest, link->rest_bytes);
	uint32_t left, done;

	if (wrote <= 0)
		return 0;
	link->rest += wrote;
	link->rest_bytes -= (size_t)wrote;
	if (link->rest_bytes == 0) {
		done = link->rest_messages;
		link->rest_messages = 0;
		return done;
	}
	left = (uint32_t)((link->rest_bytes + size - 1) / size);
	done = link->rest_messages - left;
	link->rest_messages = left;
	return done;
}

static inline uint32_t
socket_flush_packets(struct peer *peer, struct socket_link *link, uint32_t size)
{
	uint32_t i;
	int sent;

	if (link->rest_messages == 1) {
		if (send(link->out, link->rest, size, MSG_DONTWAIT | MSG_NOSIGNAL) != size)
			return 0;
		link->rest_messages = 0;
		return 1;
	}
	for (i = 0; i < link->rest_messages; i++) {
		peer->parts[i].iov_base = (void *)(uintptr_t)(link->rest + i * size);
		peer->parts[i].iov_len = size;
	}
	sent = sendmmsg(link->out, peer->calls, link->rest_messages, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent <= 0)
		return 0;
	link->rest += (uint32_t)sent * size;
	link->rest_messages -= (uint32_t)sent;
	return (uint32_t)sent;
}

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t index, struct contest_work *work, uint32_t count)
{
	struct socket_link *link = &peer->link[index];

	if (link->rest_messages == 0)
		socket_fill(link, work, count);
	if (peer->packets)
		return socket_flush_packets(peer, link, work->size);
	return socket_flush_stream(link, work->size);
}

static inline uint32_t
socket_read_one(struct socket_link *link, struct contest_work *work)
{
	const ssize_t got =
		read(link->in, work->sink + link->sink_bytes, work->size - link->sink_bytes);

	if (got <= 0)
		return 0;
	link->sink_bytes += (size_t)got;
	if (link->sink_bytes != work->size)
		return 0;
	link->sink_bytes = 0;
	contest_took(work);
	return 1;
}

/* Read not more than is asked for: what is left is less than a message. */
static inline uint32_t
socket_read_many(struct socket_link *link, struct contest_work *work, uint32_t count)
{
	const size_t room = (size_t)socket_fit(work, count) * work->size - link->input_bytes;
	const ssize_t got = read(link->in, link->input + link->input_bytes, room);
	uint32_t whole, i;

	if (got <= 0)
		return 0;
	link->input_bytes += (size_t)got;
	whole = (uint32_t)(link->input_bytes / work->size);
	for (i = 0; i < whole; i++)
		contest_read(work, link->input + i * work->size);
	link->input_bytes -= (size_t)whole * work->size;
	memmove(link->input, link->input + whole * work->size, link->input_bytes);
	return whole;
}

static inline uint32_t
socket_read_packets(struct peer *peer, struct socket_link *link, struct contest_work *work,
		    uint32_t count)
{
	const uint32_t most = socket_fit(work, count);
	uint32_t i;
	int got;

	for (i = 0; i < most; i++) {
		peer->parts[i].iov_base = link->input + i * work->size;
		peer->parts[i].iov_len = work->size;
	}
	got = recvmmsg(link->in, peer->calls, most, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return 0;
	for (i = 0; i < (uint32_t)got; i++)
		contest_read(work, link->input + i * work->size);
	return (uint32_t)got;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t index, struct contest_work *work, uint32_t count)
{
	struct socket_link *link = &peer->link[index];
	const bool one = count == 1 || work->size >= SOCKET_DIRECT || link->sink_bytes != 0;

	if (one && link->input_bytes == 0)
		return socket_read_one(link, work);
	if (peer->packets)
		return socket_read_packets(peer, link, work, count);
	return socket_read_many(link, work, count);
}

#define PEER_WAITS

static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	poll(peer->polls, work->links, 50);
}

#include "contest_loops.h"

#endif /* PEER_SOCKET_H */
