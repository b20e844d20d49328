/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's vhost driver near, its virtio_user driver far.
 *
 * As the guide of the virtio driver ("Virtio paths Selection and Usage") and DPDK's own
 * loopback benchmark have it: rings of 1024, receive buffers that are not merged, in-order
 * descriptors; for packed rings the vectorised paths where the processor has AVX512. The
 * vectorised path of split rings is not taken: it receives no less than 8 frames at a time.
 */

#include <stdio.h>

#include "peer_port.h"
#include "contest_loops.h"

#define RING_DESCRIPTORS 1024u
/** Local. Without one the driver says that it takes one by chance. */
#define MAC "02:00:00:00:00:01"

static void *
vhost_open(const struct contest_place *place, const char *ring, const char *options,
	   uint32_t opening, char *why, size_t why_bytes)
{
	const bool far = place->side == CONTEST_FAR;
	char name[32], socket[PORT_PATH_BYTES];
	struct port_setup setup = {
		.far = far,
		/* virtio_user takes leave of its other end, and cannot bear to find it gone. */
		.follows = !far,
		.mtu = PORT_MTU,
		.descriptors = RING_DESCRIPTORS,
		/* virtio: the receive ring is full of mbufs, the transmit ring keeps those sent. */
		.held = far ? 2 * RING_DESCRIPTORS : 0,
	};

	/* As a pool's name it must be shorter than 26 letters. */
	snprintf(setup.name, sizeof(setup.name), "%s_%s", far ? "net_virtio_user" : "net_vhost",
		 ring);
	snprintf(name, sizeof(name), "vhost-%s", ring);
	port_path(socket, place, name, opening);
	snprintf(name, sizeof(name), "vhost-%s-ready", ring);
	port_path(setup.ready, place, name, opening);
	if (far)
		snprintf(setup.arguments, sizeof(setup.arguments),
			 "path=%s,mac=" MAC ",queues=%u,queue_size=%u,mrg_rxbuf=0,in_order=1,%s",
			 socket, place->links, RING_DESCRIPTORS, options);
	else
		snprintf(setup.arguments, sizeof(setup.arguments), "iface=%s,queues=%u", socket,
			 place->links);
	return port_open(place, &setup, why, why_bytes);
}

static void *
split_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return vhost_open(place, "split", "packed_vq=0", opening++, why, why_bytes);
}

static void *
packed_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return vhost_open(place, "packed", "packed_vq=1,vectorized=1", opening++, why, why_bytes);
}

const struct contestant contestant_vhost_split = {
	.name = "vhost-split",
	.what = "DPDK net_vhost and net_virtio_user, split rings of 1024, in order, not merged"
		" (guide of the virtio driver)",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = PORT_LINKS_MAX,
	.at = PORT_AT,
	.open = split_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_vhost_packed = {
	.name = "vhost-packed",
	.what = "DPDK net_vhost and net_virtio_user, packed rings of 1024, in order, not merged,"
		" vectorised (guide of the virtio driver)",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = PORT_LINKS_MAX,
	.at = PORT_AT,
	.open = packed_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};
