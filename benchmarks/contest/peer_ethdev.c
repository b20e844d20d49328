/* SPDX-License-Identifier: BSD-3-Clause */
/* Our own driver, net_nahanni, near the host's role: one file of both areas, or one an area. */

#include <stdio.h>

#include <rte_pmd_nahanni.h>

#include "peer_port.h"
#include "contest_loops.h"

/** Descriptors unless told, of all queues together: best for long frames, good for short ones. */
#define RING 2048u

static uint32_t
ring_of(const struct contest_place *place)
{
	return place->ring != 0 ? place->ring : RING / place->links;
}

static void *
nahanni_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	const bool *split = place->contestant->variant;
	const bool far = place->side == CONTEST_FAR;
	struct port_setup setup = {
		.far = far,
		.mtu = PORT_MTU,
		.descriptors = (uint16_t)ring_of(place),
	};
	char peer[PORT_PATH_BYTES + 16] = "";

	snprintf(setup.name, sizeof(setup.name), "net_nahanni_%s", place->contestant->name);
	port_path(setup.files[0], place, "");
	if (*split) {
		port_path(setup.files[1], place, "-near");
		snprintf(peer, sizeof(peer), ",peer=%s", setup.files[far]);
	}
	port_path(setup.ready, place, "-ready");
	snprintf(setup.arguments, sizeof(setup.arguments),
		 "role=%s,path=%s%s,size=" PORT_NAHANNI_BYTES ",queues=%u", far ? "guest" : "host",
		 setup.files[*split && !far], peer, place->links);
	return port_open(place, &setup, why, why_bytes);
}

/* The driver is told how far the cores are, as its guide advises; they may move between rounds. */
static int
nahanni_prepare(void *opened, uint32_t size)
{
	const struct peer *peer = opened;
	const int ret = rte_pmd_nahanni_distance_set(peer->port, contest_limit_ns());

	return ret != 0 ? ret : port_prepare(opened, size);
}

static const bool joint = false, apart = true;

#define ETHDEV                                                                                     \
	.links_max = PORT_LINKS_MAX, .ring_min = PORT_RING_MIN, .ring_max = PORT_NAHANNI_RING_MAX, \
	.open = nahanni_open, .close = port_close, .prepare = nahanni_prepare, PORT

const struct contestant contestant_ethdev = {
	.name = "ethdev",
	.what = "DPDK port of Nahanni's driver, one file of 16 MiB, rings of 2048",
	.variant = &joint,
	ETHDEV,
};

const struct contestant contestant_ethdev_split = {
	.name = "ethdev-split",
	.what = "DPDK port of Nahanni's driver, a file of 16 MiB a direction, each with one writer,"
		" rings of 2048",
	.variant = &apart,
	ETHDEV,
};
