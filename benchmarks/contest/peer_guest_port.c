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

#define DEVICE_BYTES 64

/* contest_device(). @return whether there is one */
static bool
device_of(const struct contest_place *place, char *text, size_t bytes, char *why, size_t why_bytes)
{
	if (contest_device(place, text, bytes) != NULL)
		return true;
	snprintf(why, why_bytes, "no device in the guest, expected %s=BDF in --device",
		 place->contestant->name);
	return false;
}

/* ---- vhost-user ---- */

struct offer {
	const char *arguments; /**< of the driver in the guest */
	/* Of the near side, from the offer until the process ends: QEMU is connected all that
	 * time. */
	struct peer **offered;
};

static struct peer *offered_split, *offered_packed;
static const struct offer split = {"", &offered_split};
static const struct offer packed = {"vectorized=1", &offered_packed};

static const struct port_setup vhost_setup = {
	.mtu = PORT_MTU,
	.descriptors = PORT_RING,
	/* virtio: the receive ring is full of mbufs, the transmit ring keeps those sent. */
	.held = 2 * PORT_RING,
};

static int
vhost_offer(const struct contest_place *place, char *why, size_t why_bytes)
{
	const struct offer *offer = place->contestant->variant;
	const char *name = place->contestant->name;
	struct port_setup setup = vhost_setup;

	snprintf(setup.name, sizeof(setup.name), "net_vhost_%s", name);
	snprintf(setup.files[0], sizeof(setup.files[0]), "%s/%s", place->folder, name);
	snprintf(setup.arguments, sizeof(setup.arguments), "iface=%s,queues=1", setup.files[0]);
	*offer->offered = port_begin(place, &setup, why, why_bytes);
	return *offer->offered != NULL ? 0 : -1;
}

static void *
vhost_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	const struct offer *offer = place->contestant->variant;
	struct port_setup setup = vhost_setup;

	if (!device_of(place, setup.name, sizeof(setup.name), why, why_bytes))
		return NULL;
	if (place->side == CONTEST_NEAR)
		return port_meet(*offer->offered, why, why_bytes);
	setup.pci = true;
	snprintf(setup.arguments, sizeof(setup.arguments), "%s", offer->arguments);
	return port_open(place, &setup, why, why_bytes);
}

static void
vhost_close(void *opened)
{
	if (opened != offered_split && opened != offered_packed)
		port_close(opened);
	else
		port_prepare(opened, 0);
}

#define VHOST                                                                                      \
	.links_max = 1, .offer = vhost_offer, .open = vhost_open, .close = vhost_close,            \
	.prepare = port_prepare, PORT

const struct contestant contestant_guest_vhost_split = {
	.name = "vhost-split",
	.what = "DPDK net_vhost on the host, vhost-user, DPDK net_virtio in the guest; split rings "
		"of 1024, not merged (guide of the virtio driver)",
	.variant = &split,
	VHOST,
};

const struct contestant contestant_guest_vhost_packed = {
	.name = "vhost-packed",
	.what = "DPDK net_vhost on the host, vhost-user, DPDK net_virtio in the guest; packed "
		"rings of 1024, not merged, vectorised where the guest has AVX512 (guide of the "
		"virtio driver)",
	.variant = &packed,
	VHOST,
};

/* ---- our own driver ---- */

/* Near's virtual device over the file that backs the guest's. */
static void
nahanni_near(struct port_setup *setup, const struct contest_place *place)
{
	const bool *separate = place->contestant->variant;
	const char *name = place->contestant->name;

	snprintf(setup->name, sizeof(setup->name), "net_nahanni_%s", name);
	if (*separate)
		snprintf(setup->arguments, sizeof(setup->arguments),
			 "role=host,path=%s/%s-near,peer=%s/%s,size=" PORT_NAHANNI_BYTES,
			 place->folder, name, place->folder, name);
	else
		snprintf(setup->arguments, sizeof(setup->arguments),
			 "role=host,path=%s/%s,size=" PORT_NAHANNI_BYTES, place->folder, name);
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
nahanni_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct port_setup setup = {.mtu = PORT_MTU, .descriptors = (uint16_t)port_ring(place)};
	char device[DEVICE_BYTES];

	if (!device_of(place, device, sizeof(device), why, why_bytes))
		return NULL;
	if (place->side == CONTEST_NEAR)
		nahanni_near(&setup, place);
	else
		nahanni_far(&setup, device);
	return port_open(place, &setup, why, why_bytes);
}

static const bool joint = false, apart = true;

#define ETHDEV                                                                                     \
	.links_max = 1, .ring_min = PORT_RING_MIN, .ring_max = PORT_NAHANNI_RING_MAX,              \
	.open = nahanni_open, .close = port_close, .prepare = port_prepare, PORT

const struct contestant contestant_guest_ethdev = {
	.name = "ethdev",
	.what = "DPDK ports of Nahanni's driver, one ivshmem device of 16 MiB, rings of 1024",
	.variant = &joint,
	ETHDEV,
};

const struct contestant contestant_guest_ethdev_split = {
	.name = "ethdev-split",
	.what = "DPDK ports of Nahanni's driver, an ivshmem device of 16 MiB a direction, each "
		"with one writer, rings of 1024",
	.variant = &apart,
	ETHDEV,
};
