/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports between this host and a guest, over the guest's PCI devices: DPDK's vhost driver near
 * and its virtio driver far, and our own driver at both sides.
 *
 * As the guide of the virtio driver ("Virtio paths Selection and Usage") has it: rings of
 * 1024, receive buffers that are not merged (QEMU's mrg_rxbuf=off). QEMU offers no in-order
 * descriptors; the vectorised path of packed rings wants AVX512, which a guest under TCG has
 * not, and takes the plain path there. That of split rings is not taken: it receives no less
 * than 8 frames at a time.
 */

#include <stdio.h>

#include "contest_eal.h"
#include "peer_port.h"
#include "contest_loops.h"

#define RING_DESCRIPTORS 1024u
#define FILE_BYTES "16M"
#define DEVICE_BYTES 64

/* contest_device(). @return whether there is one */
static bool
device_of(const struct contest_place *place, const char *name, char *text, size_t bytes, char *why,
	  size_t why_bytes)
{
	if (contest_device(place, name, text, bytes) != NULL)
		return true;
	snprintf(why, why_bytes, "no device in the guest, expected %s=BDF in --device", name);
	return false;
}

/* ---- vhost-user ---- */

/* Of the near side, from the offer until the process ends: QEMU is connected all that time. */
struct offered {
	const char *name;
	struct peer *peer;
};

static struct offered offered_split = {.name = "vhost-split"};
static struct offered offered_packed = {.name = "vhost-packed"};

static const struct port_setup vhost_setup = {
	.mtu = PORT_MTU,
	.descriptors = RING_DESCRIPTORS,
	/* virtio: the receive ring is full of mbufs, the transmit ring keeps those sent. */
	.held = 2 * RING_DESCRIPTORS,
};

static int
vhost_offer(struct offered *offered, const struct contest_place *place, char *why, size_t why_bytes)
{
	struct port_setup setup = vhost_setup;

	snprintf(setup.name, sizeof(setup.name), "net_vhost_%s", offered->name);
	snprintf(setup.files[0], sizeof(setup.files[0]), "%s/%s", place->folder, offered->name);
	snprintf(setup.arguments, sizeof(setup.arguments), "iface=%s,queues=1", setup.files[0]);
	offered->peer = port_begin(place, &setup, why, why_bytes);
	return offered->peer != NULL ? 0 : -1;
}

static void *
vhost_open(struct offered *offered, const struct contest_place *place, const char *arguments,
	   char *why, size_t why_bytes)
{
	struct port_setup setup = vhost_setup;

	if (!device_of(place, offered->name, setup.name, sizeof(setup.name), why, why_bytes))
		return NULL;
	if (place->side == CONTEST_NEAR)
		return port_meet(offered->peer, why, why_bytes);
	setup.pci = true;
	snprintf(setup.arguments, sizeof(setup.arguments), "%s", arguments);
	return port_open(place, &setup, why, why_bytes);
}

static void
vhost_close(void *opened)
{
	if (opened != offered_split.peer && opened != offered_packed.peer)
		port_close(opened);
	else
		port_prepare(opened, 0);
}

static int
split_offer(const struct contest_place *place, char *why, size_t why_bytes)
{
	return vhost_offer(&offered_split, place, why, why_bytes);
}

static int
packed_offer(const struct contest_place *place, char *why, size_t why_bytes)
{
	return vhost_offer(&offered_packed, place, why, why_bytes);
}

static void *
split_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return vhost_open(&offered_split, place, "", why, why_bytes);
}

static void *
packed_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return vhost_open(&offered_packed, place, "vectorized=1", why, why_bytes);
}

const struct contestant contestant_guest_vhost_split = {
	.name = "vhost-split",
	.what = "DPDK net_vhost on the host, vhost-user, DPDK net_virtio in the guest; split rings "
		"of 1024, not merged (guide of the virtio driver)",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = 1,
	.at = PORT_AT,
	.offer = split_offer,
	.open = split_open,
	.close = vhost_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_guest_vhost_packed = {
	.name = "vhost-packed",
	.what = "DPDK net_vhost on the host, vhost-user, DPDK net_virtio in the guest; packed "
		"rings of 1024, not merged, vectorised where the guest has AVX512 (guide of the "
		"virtio driver)",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = 1,
	.at = PORT_AT,
	.offer = packed_offer,
	.open = packed_open,
	.close = vhost_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};

/* ---- our own driver ---- */

/* Near's virtual device over the file that backs the guest's. */
static void
nahanni_near(struct port_setup *setup, const struct contest_place *place, const char *name,
	     bool split)
{
	snprintf(setup->name, sizeof(setup->name), "net_nahanni_%s", name);
	if (split)
		snprintf(setup->arguments, sizeof(setup->arguments),
			 "role=host,path=%s/%s-near,peer=%s/%s,size=" FILE_BYTES, place->folder,
			 name, place->folder, name);
	else
		snprintf(setup->arguments, sizeof(setup->arguments),
			 "role=host,path=%s/%s,size=" FILE_BYTES, place->folder, name);
}

/* "BDF" or "BDF,peer=BDF" of --device; an address has 12 characters. */
static void
nahanni_far(struct port_setup *setup, char *device)
{
	char *peer = strstr(device, ",peer=");

	setup->pci = true;
	if (peer != NULL) {
		*peer = '\0';
		snprintf(setup->arguments, sizeof(setup->arguments), "%s", peer + 1);
		snprintf(setup->second, sizeof(setup->second), "%.12s", peer + strlen(",peer="));
	}
	snprintf(setup->name, sizeof(setup->name), "%.12s", device);
}

static void *
nahanni_open(const struct contest_place *place, const char *name, bool split, char *why,
	     size_t why_bytes)
{
	struct port_setup setup = {.mtu = PORT_MTU, .descriptors = RING_DESCRIPTORS};
	char device[DEVICE_BYTES];

	if (!device_of(place, name, device, sizeof(device), why, why_bytes))
		return NULL;
	if (place->side == CONTEST_NEAR)
		nahanni_near(&setup, place, name, split);
	else
		nahanni_far(&setup, device);
	return port_open(place, &setup, why, why_bytes);
}

static void *
joint_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return nahanni_open(place, "ethdev", false, why, why_bytes);
}

static void *
apart_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	return nahanni_open(place, "ethdev-split", true, why, why_bytes);
}

const struct contestant contestant_guest_ethdev = {
	.name = "ethdev",
	.what = "DPDK ports of Nahanni's driver, one ivshmem device of 16 MiB, rings of 1024",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = 1,
	.at = PORT_AT,
	.open = joint_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};

const struct contestant contestant_guest_ethdev_split = {
	.name = "ethdev-split",
	.what = "DPDK ports of Nahanni's driver, an ivshmem device of 16 MiB a direction, each "
		"with one writer, rings of 1024",
	.size_min = PORT_FRAME_MIN,
	.size_max = PORT_FRAME_MAX,
	.links_max = 1,
	.at = PORT_AT,
	.open = apart_open,
	.close = port_close,
	.prepare = port_prepare,
	.loops = &peer_loops,
};
