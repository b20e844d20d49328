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

#include <rte_memory.h>

#include "contest_eal.h"
#include "peer_port.h"
#include "contest_loops.h"

#define RING_LOG2 10
#define RING_DESCRIPTORS (1u << RING_LOG2)
/** Lists of memory segments: pages of one size on one node each. */
#define KEPT_MAX 16
/** Out of the way of those that the driver opens meanwhile. */
#define KEPT_FD_MIN 512

static void *
memif_open(const struct contest_place *place, const char *name, bool zero_copy, uint32_t opening,
	   char *why, size_t why_bytes)
{
	const bool client = place->side == CONTEST_FAR;
	struct port_setup setup = {
		.far = client,
		/* The driver cannot bear that both sides end at once: two of its threads then
		 * free the same memory. */
		.follows = client,
		.descriptors = RING_DESCRIPTORS,
		/* Zero-copy: the client's mbufs are the rings' buffers. */
		.held = client && zero_copy ? 2 * RING_DESCRIPTORS : 0,
	};
	char file[32], socket[PORT_PATH_BYTES];

	snprintf(setup.name, sizeof(setup.name), "net_%s", name);
	port_path(socket, place, name, opening);
	snprintf(file, sizeof(file), "%s-ready", name);
	port_path(setup.ready, place, file, opening);
	snprintf(setup.arguments, sizeof(setup.arguments),
		 "role=%s,socket=%s,socket-abstract=no,rsize=%d,bsize=%u%s",
		 client ? "client" : "server", socket, RING_LOG2, PORT_ROOM,
		 client && zero_copy ? ",zero-copy=yes" : "");
	return port_open(place, &setup, why, why_bytes);
}

static void *
copying_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return memif_open(place, "memif", false, opening++, why, why_bytes);
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
	static uint32_t opening;
	struct kept kept = {.count = 0};
	void *peer;

	if (contest_eal(place, why, why_bytes) != 0)
		return NULL;
	rte_memseg_list_walk(descriptor_keep, &kept);
	peer = memif_open(place, "memif-zc", true, opening++, why, why_bytes);
	descriptors_restore(&kept);
	return peer;
}

const struct contestant contestant_memif = {
	.name = "memif",
	.what = "DPDK net_memif, rsize=10, bsize=2048 (its guide)",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = PORT_LINKS_MAX,
	.at = PORT_AT,
	.open = copying_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_memif_zc = {
	.name = "memif-zc",
	.what = "DPDK net_memif, rsize=10, zero-copy=yes at the far side, the client (its guide)",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = PORT_LINKS_MAX,
	.at = PORT_AT,
	.open = zero_copy_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};
