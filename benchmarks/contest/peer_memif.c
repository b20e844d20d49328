/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's memif driver, near the server, far the client.
 *
 * As its guide has it: rings of 2^10 descriptors, one queue a thread, and, for memif-zc,
 * zero-copy=yes at the client, which saves the client's copies: the server copies from and to
 * the client's own mbufs. Buffers are of 2048 bytes, as the driver has them unless told
 * otherwise. It takes frames longer than its MTU says if they fit.
 */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_memory.h>

#include "contest_eal.h"
#include "peer_port.h"
#include "contest_loops.h"

/** The driver's: 2^14. */
#define RING_MAX 16384u
/** Its client fills 32 descriptors at a time. */
#define ZERO_COPY_RING_MIN 64u
/** Lists of memory segments: pages of one size on one node each. */
#define KEPT_MAX 16
/** Out of the way of those that the driver opens meanwhile. */
#define KEPT_FD_MIN 512

static void *
memif_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	const bool *zero_copy = place->contestant->variant;
	const bool client = place->side == CONTEST_FAR;
	const uint32_t ring = port_ring(place);
	struct port_setup setup = {
		.far = client,
		/* The driver cannot bear that both sides end at once: two of its threads then
		 * free the same memory. */
		.follows = client,
		.descriptors = (uint16_t)ring,
		/* Zero-copy: the client's mbufs are the rings' buffers. */
		.held = client && *zero_copy ? 2 * ring : 0,
	};
	char socket[PORT_PATH_BYTES];

	snprintf(setup.name, sizeof(setup.name), "net_%s", place->contestant->name);
	port_path(socket, place, "");
	port_path(setup.ready, place, "-ready");
	snprintf(setup.arguments, sizeof(setup.arguments),
		 "role=%s,socket=%s,socket-abstract=no,rsize=%u,bsize=%u%s",
		 client ? "client" : "server", socket, rte_log2_u32(ring), PORT_ROOM,
		 client && *zero_copy ? ",zero-copy=yes" : "");
	return port_open(place, &setup, why, why_bytes);
}

/** EAL's memory, of which the driver closes the descriptors. */
struct kept {
	int fd[KEPT_MAX];
	int copy[KEPT_MAX];
	int count;
};

static int
descriptor_keep(const struct rte_memseg_list *list, void *argument)
{
	const struct rte_memseg *segment = rte_mem_virt2memseg(list->base_va, list);
	struct kept *kept = argument;
	const int fd = segment != NULL ? rte_memseg_get_fd(segment) : -1;

	if (fd >= 0 && kept->count < KEPT_MAX) {
		kept->fd[kept->count] = fd;
		kept->copy[kept->count++] = fcntl(fd, F_DUPFD_CLOEXEC, KEPT_FD_MIN);
	}
	return 0;
}

static void
descriptors_restore(const struct kept *kept)
{
	int i;

	for (i = 0; i < kept->count; i++) {
		/* What has that number by now is not ours to close. */
		if (kept->copy[i] >= 0 && fcntl(kept->fd[i], F_GETFD) < 0)
			dup3(kept->copy[i], kept->fd[i], O_CLOEXEC);
		close(kept->copy[i]);
	}
}

/*
 * A client with zero-copy sends its server the descriptors of EAL's memory, and closes them
 * then. Virtio_user needs them, and the next opening of this.
 */
static void *
zero_copy_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct kept kept = {.count = 0};
	void *peer;

	if (contest_eal(place, why, why_bytes) != 0)
		return NULL;
	rte_memseg_list_walk(descriptor_keep, &kept);
	peer = memif_open(place, why, why_bytes);
	descriptors_restore(&kept);
	return peer;
}

static const bool copying = false, zero_copying = true;

#define MEMIF                                                                                      \
	.links_max = PORT_LINKS_MAX, .ring_max = RING_MAX, .close = port_close,                    \
	.prepare = port_prepare, PORT

const struct contestant contestant_memif = {
	.name = "memif",
	.what = "DPDK net_memif, rsize=10, bsize=2048 (its guide)",
	.variant = &copying,
	.ring_min = PORT_RING_MIN,
	.open = memif_open,
	MEMIF,
};

const struct contestant contestant_memif_zc = {
	.name = "memif-zc",
	.what = "DPDK net_memif, rsize=10, zero-copy=yes at the far side, the client (its guide)",
	.variant = &zero_copying,
	.ring_min = ZERO_COPY_RING_MIN,
	.open = zero_copy_open,
	MEMIF,
};
