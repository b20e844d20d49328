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

/** virtio's least. */
#define RING_MIN 32u
/** With more than this the mbufs of all queues are more memory than there is. */
#define RING_MAX 4096u
/** Local. Without one the driver says that it takes one by chance. */
#define MAC "02:00:00:00:00:01"

struct vhost_ring {
	const char *name;
	const char *options; /**< of virtio_user */
};

static void *
vhost_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	const struct vhost_ring *kind = place->contestant->variant;
	const bool far = place->side == CONTEST_FAR;
	const uint32_t ring = port_ring(place);
	char socket[PORT_PATH_BYTES];
	struct port_setup setup = {
		.far = far,
		/* virtio_user takes leave of its other end, and cannot bear to find it gone. */
		.follows = !far,
		.mtu = PORT_MTU,
		.descriptors = (uint16_t)ring,
		/* virtio: the receive ring is full of mbufs, the transmit ring keeps those sent. */
		.held = far ? 2 * ring : 0,
	};

	/* As a pool's name it must be shorter than 26 letters. */
	snprintf(setup.name, sizeof(setup.name), "%s_%s", far ? "net_virtio_user" : "net_vhost",
		 kind->name);
	port_path(socket, place, "");
	port_path(setup.ready, place, "-ready");
	if (far)
		snprintf(setup.arguments, sizeof(setup.arguments),
			 "path=%s,mac=" MAC ",queues=%u,queue_size=%u,mrg_rxbuf=0,in_order=1,%s",
			 socket, place->links, ring, kind->options);
	else
		snprintf(setup.arguments, sizeof(setup.arguments), "iface=%s,queues=%u", socket,
			 place->links);
	return port_open(place, &setup, why, why_bytes);
}

static const struct vhost_ring split = {"split", "packed_vq=0"};
static const struct vhost_ring packed = {"packed", "packed_vq=1,vectorized=1"};

#define VHOST                                                                                      \
	.links_max = PORT_LINKS_MAX, .ring_min = RING_MIN, .ring_max = RING_MAX,                   \
	.open = vhost_open, .close = port_close, .prepare = port_prepare, PORT

const struct contestant contestant_vhost_split = {
	.name = "vhost-split",
	.what = "DPDK net_vhost and net_virtio_user, split rings of 1024, in order, not merged"
		" (guide of the virtio driver)",
	.variant = &split,
	VHOST,
};

const struct contestant contestant_vhost_packed = {
	.name = "vhost-packed",
	.what = "DPDK net_vhost and net_virtio_user, packed rings of 1024, in order, not merged,"
		" vectorised (guide of the virtio driver)",
	.variant = &packed,
	VHOST,
};
