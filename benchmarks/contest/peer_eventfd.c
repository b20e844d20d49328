/* SPDX-License-Identifier: BSD-3-Clause */
/* eventfd: the cached ring with an eventfd as its doorbell, as virtio's queues have it. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "peer_patience.h"
#include "slot_ring.h"

#define PEER_WAITS
#define SLEEP_MS 50
#define MEET_MS 10000
#define BELLS (2 * SLOT_LINKS_MAX) /* fewer than SCM_MAX_FD, 253 */

struct peer {
	struct slot_links links;
	int tx_bell[SLOT_LINKS_MAX];
	int rx_bell[SLOT_LINKS_MAX];
	bool rung; /* rx_bell[0] is to be read */
};

CONTEST_INLINE uint32_t
peer_send(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	struct slot_end *tx = &peer->links.tx[link];
	uint32_t sent = slot_send(tx, work, count);

	if (sent != 0 && slot_must_wake(tx))
		(void)eventfd_write(peer->tx_bell[link], 1);
	return sent;
}

CONTEST_INLINE uint32_t
peer_receive(struct peer *peer, uint32_t link, struct contest_work *work, uint32_t count)
{
	return slot_receive(&peer->links.rx[link], work, count);
}

/* The bell is silenced before the next sleep, so that the answer does not wait for that. */
static inline void
peer_wait(struct peer *peer, struct contest_work *work)
{
	struct slot_end *rx = &peer->links.rx[0];
	struct pollfd bell = {.fd = peer->rx_bell[0], .events = POLLIN};
	eventfd_t rings;

	(void)work;
	if (peer->rung)
		(void)eventfd_read(bell.fd, &rings);
	peer->rung = slot_may_sleep(rx) && poll(&bell, 1, SLEEP_MS) > 0;
	slot_awake(rx);
}

#include "contest_loops.h"

static void
bells_close(struct peer *peer)
{
	uint32_t i;

	for (i = 0; i < SLOT_LINKS_MAX; i++) {
		if (peer->tx_bell[i] >= 0)
			close(peer->tx_bell[i]);
		if (peer->rx_bell[i] >= 0)
			close(peer->rx_bell[i]);
	}
}

/* All bells of a side, its own first, in a control message. */
struct parcel {
	char byte;
	struct iovec memory;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(BELLS * sizeof(int))];
	struct msghdr message;
};

static void
parcel_init(struct parcel *parcel, uint32_t bells)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->memory.iov_base = &parcel->byte;
	parcel->memory.iov_len = 1;
	parcel->message.msg_iov = &parcel->memory;
	parcel->message.msg_iovlen = 1;
	parcel->message.msg_control = parcel->control;
	parcel->message.msg_controllen = CMSG_SPACE(bells * sizeof(int));
}

/* Near makes the bells of both directions. @return 0, or -1 with errno */
static int
bells_give(struct peer *peer, int fd)
{
	const uint32_t links = peer->links.count;
	struct parcel parcel;
	struct cmsghdr *head;
	uint32_t i;

	for (i = 0; i < links; i++) {
		peer->tx_bell[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		peer->rx_bell[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (peer->tx_bell[i] < 0 || peer->rx_bell[i] < 0)
			return -1;
	}
	parcel_init(&parcel, 2 * links);
	head = CMSG_FIRSTHDR(&parcel.message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(2 * links * sizeof(int));
	memcpy(CMSG_DATA(head), peer->tx_bell, links * sizeof(int));
	memcpy(CMSG_DATA(head) + links * sizeof(int), peer->rx_bell, links * sizeof(int));
	return sendmsg(fd, &parcel.message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static int
bells_take(struct peer *peer, int fd)
{
	const uint32_t links = peer->links.count;
	struct parcel parcel;
	const struct cmsghdr *head;

	parcel_init(&parcel, 2 * links);
	if (recvmsg(fd, &parcel.message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	head = CMSG_FIRSTHDR(&parcel.message);
	if (head == NULL || head->cmsg_type != SCM_RIGHTS ||
	    head->cmsg_len != CMSG_LEN(2 * links * sizeof(int))) {
		errno = EPROTO;
		return -1;
	}
	memcpy(peer->rx_bell, CMSG_DATA(head), links * sizeof(int));
	memcpy(peer->tx_bell, CMSG_DATA(head) + links * sizeof(int), links * sizeof(int));
	return 0;
}

/* @return a socket to the other side, or -1 with errno */
static int
near_meets(int fd, const struct sockaddr_un *address)
{
	struct pollfd caller = {.fd = fd, .events = POLLIN};
	int ready, met = -1;

	unlink(address->sun_path);
	if (bind(fd, (const void *)address, sizeof(*address)) != 0)
		return -1;
	if (listen(fd, 1) == 0) {
		ready = poll(&caller, 1, MEET_MS);
		if (ready > 0)
			met = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		else if (ready == 0)
			errno = ETIMEDOUT;
	}
	unlink(address->sun_path);
	return met;
}

static int
far_meets(int fd, const struct sockaddr_un *address)
{
	const struct patience patience = patience_begin();

	do {
		if (connect(fd, (const void *)address, sizeof(*address)) == 0)
			return dup(fd);
		if (errno != ENOENT && errno != ECONNREFUSED)
			return -1;
	} while (patience_lasts(&patience));
	errno = ETIMEDOUT;
	return -1;
}

/* @return 0, or -1 with errno */
static int
bells_share(struct peer *peer, const struct contest_place *place, const struct sockaddr_un *address)
{
	const bool near = place->side == CONTEST_NEAR;
	const struct timeval most = {.tv_sec = MEET_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int met, error;

	if (fd < 0)
		return -1;
	met = near ? near_meets(fd, address) : far_meets(fd, address);
	error = met < 0 ? -1 : setsockopt(met, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	if (error == 0)
		error = near ? bells_give(peer, met) : bells_take(peer, met);
	if (met >= 0)
		close(met);
	close(fd);
	return error;
}

static void
eventfd_close(void *opened)
{
	bells_close(opened);
	free(opened);
}

static void *
eventfd_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct peer *peer = slot_peer_new(sizeof(*peer), place, why, why_bytes);
	int length;

	if (peer == NULL)
		return NULL;
	memset(peer->tx_bell, -1, sizeof(peer->tx_bell));
	memset(peer->rx_bell, -1, sizeof(peer->rx_bell));
	length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/eventfd", place->folder);
	if (length >= (int)sizeof(address.sun_path)) {
		snprintf(why, why_bytes, "%s/eventfd is %d bytes, a socket's path has %zu at most",
			 place->folder, length, sizeof(address.sun_path) - 1);
	} else if (bells_share(peer, place, &address) != 0) {
		snprintf(why, why_bytes, "passing event descriptors through %s: %s",
			 address.sun_path, strerror(errno));
	} else {
		return peer;
	}
	eventfd_close(peer);
	return NULL;
}

const struct contestant contestant_eventfd = {
	.name = "eventfd",
	.what = "cached-ring with an eventfd as doorbell, rung only where the reader says that it "
		"sleeps (virtio's event suppression); poll(2), counter read before the next sleep",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = 65536,
	.links_max = SLOT_LINKS_MAX,
	.shared_bytes = slot_shared_bytes,
	.open = eventfd_open,
	.close = eventfd_close,
	.prepare = slot_prepare,
	.loops = &peer_loops,
};
