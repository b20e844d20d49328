/* SPDX-License-Identifier: BSD-3-Clause */
/* Our own driver, net_nahanni, near the host's role: one file of both areas, or one an area. */

#include <stdio.h>

#include "peer_port.h"
#include "contest_loops.h"

/** Of all links together, as each has its share of the memory. */
#define RING_DESCRIPTORS 1024u
#define FILE_BYTES "16M"

static void *
nahanni_open(const struct contest_place *place, const char *name, bool split, uint32_t opening,
	     char *why, size_t why_bytes)
{
	const bool far = place->side == CONTEST_FAR;
	struct port_setup setup = {
		.far = far,
		.mtu = PORT_MTU,
		.descriptors = (uint16_t)(RING_DESCRIPTORS / place->links),
	};
	char peer[PORT_PATH_BYTES + 16] = "";
	char file[32];

	snprintf(setup.name, sizeof(setup.name), "net_nahanni_%s", name);
	port_path(setup.files[0], place, name, opening);
	if (split) {
		snprintf(file, sizeof(file), "%s-near", name);
		port_path(setup.files[1], place, file, opening);
		snprintf(peer, sizeof(peer), ",peer=%s", setup.files[far]);
	}
	snprintf(file, sizeof(file), "%s-ready", name);
	port_path(setup.ready, place, file, opening);
	snprintf(setup.arguments, sizeof(setup.arguments),
		 "role=%s,path=%s%s,size=" FILE_BYTES ",queues=%u", far ? "guest" : "host",
		 setup.files[split && !far], peer, place->links);
	return port_open(place, &setup, why, why_bytes);
}

static void *
joint_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return nahanni_open(place, "ethdev", false, opening++, why, why_bytes);
}

static void *
split_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	static uint32_t opening;

	return nahanni_open(place, "ethdev-split", true, opening++, why, why_bytes);
}

const struct contestant contestant_ethdev = {
	.name = "ethdev",
	.what = "DPDK port of Nahanni's driver, one file of 16 MiB, rings of 1024",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = PORT_LINKS_MAX,
	.at = PORT_AT,
	.open = joint_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_ethdev_split = {
	.name = "ethdev-split",
	.what = "DPDK port of Nahanni's driver, a file of 16 MiB a direction, each with one writer,"
		" rings of 1024",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = PORT_LINKS_MAX,
	.at = PORT_AT,
	.open = split_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};
