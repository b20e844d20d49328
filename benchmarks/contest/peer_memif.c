/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's memif driver, near the server, far the client.
 *
 * As its guide has it: rings of 2^10 descriptors, one queue a thread, and, for memif-zc,
 * zero-copy=yes at the client, which saves the client's copies: the server copies from and to
 * the client's own mbufs. Buffers hold a whole frame: the driver would chain smaller ones,
 * and takes frames longer than its MTU says if they fit.
 */

#include <stdio.h>

#include "peer_port.h"
#include "contest_loops.h"

#define RING_LOG2 10
#define RING_DESCRIPTORS (1u << RING_LOG2)
#define BUFFER_BYTES RTE_ALIGN(PORT_FRAME_MAX, RTE_CACHE_LINE_SIZE)

static void *
memif_open(const struct contest_place *place, const char *name, const char *zero_copy,
	   uint32_t opening, char *why, size_t why_bytes)
{
	const bool far = place->side == CONTEST_FAR;
	struct port_setup setup = {
		.waits = far,
		.descriptors = RING_DESCRIPTORS,
		/* Zero-copy: the client's mbufs are the rings' buffers. */
		.held = far && zero_copy[0] != '\0' ? 2 * RING_DESCRIPTORS : 0,
	};

	snprintf(setup.name, sizeof(setup.name), "net_%s", name);
	port_path(setup.files[0], place, name, opening);
	snprintf(setup.arguments, sizeof(setup.arguments),
		 "role=%s,socket=%s,socket-abstract=no,rsize=%d,bsize=%u%s",
		 far ? "client" : "server", setup.files[0], RING_LOG2, BUFFER_BYTES,
		 far ? zero_copy : "");
	return port_open(place, &setup, why, why_bytes);
}

static void *
copying_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return memif_open(place, "memif", "", opening++, why, why_bytes);
}

static void *
zero_copy_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return memif_open(place, "memif-zc", ",zero-copy=yes", opening++, why, why_bytes);
}

const struct contestant contestant_memif = {
	.name = "memif",
	.what = "DPDK net_memif, rsize=10, a whole frame a buffer (its guide)",
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
