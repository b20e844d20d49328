/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest's kernel has: a network card, a serial port, a socket to its host. The far side
 * is an ordinary program of the guest; near talks to QEMU's tap, its Unix socket, or the
 * host's kernel.
 */
#include <arpa/inet.h>
#include <glob.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "peer_meet.h"

/** Of the net for benchmarks, RFC 2544. */
#define NET_NEAR "198.18.77.1"
#define NET_FAR "198.18.77.2"
#define NET_MASK "255.255.255.252"
/** Ports above those that want rights. */
#define PORT_FIRST 1024u
#define PORTS 60000u

/* Another at each opening: the last one's may linger. */
static uint16_t
port_of(const struct contest_place *place)
{
	return (uint16_t)(PORT_FIRST + (place->run + place->opening) % PORTS);
}

/* As contest_opened(), with what the system said. */
static void *
guest_opened(const struct contest_place *place, struct peer *peer, const char *failed, char *why,
	     size_t why_bytes)
{
	char reason[128];

	if (failed == NULL || errno == 0)
		return contest_opened(place, peer, failed, why, why_bytes);
	snprintf(reason, sizeof(reason), "%s (%s)", failed, strerror(errno));
	return contest_opened(place, peer, reason, why, why_bytes);
}

/* ---- virtio-net ---- */

static void
net_address(struct sockaddr_in *address, const char *text, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_port = htons(port);
	inet_pton(AF_INET, text, &address->sin_addr);
}

/* Give an interface its address, and switch it on. @return 0 or -1 with errno */
static int
net_up(const char *interface, const char *address)
{
	struct ifreq request = {.ifr_flags = 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	net_address((struct sockaddr_in *)(void *)&request.ifr_addr, address, 0);
	ret = ioctl(fd, SIOCSIFADDR, &request);
	net_address((struct sockaddr_in *)(void *)&request.ifr_netmask, NET_MASK, 0);
	if (ret == 0)
		ret = ioctl(fd, SIOCSIFNETMASK, &request);
	if (ret == 0)
		ret = ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	if (ret == 0)
		ret = ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return ret;
}

/* The name of a PCI device's network card. @return whether it has one */
static bool
net_name(const char *device, char *name, size_t bytes)
{
	char pattern[128];
	glob_t found;
	bool have;

	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/virtio*/net/*", device);
	have = glob(pattern, 0, NULL, &found) == 0;
	if (have)
		snprintf(name, bytes, "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return have;
}

static const char *
net_near(struct peer *peer, const char *tap, uint16_t port)
{
	struct sockaddr_in address;

	if (net_up(tap, NET_NEAR) != 0)
		return "QEMU's tap cannot be given an address";
	net_address(&address, NET_NEAR, port);
	return meet_near(peer, AF_INET, SOCK_STREAM, &address, sizeof(address));
}

static const char *
net_far(struct peer *peer, const char *device, uint16_t port)
{
	struct sockaddr_in address;
	char name[IFNAMSIZ];

	if (!net_name(device, name, sizeof(name)))
		return "the guest's virtio_net has not taken the device";
	if (net_up(name, NET_FAR) != 0)
		return "the guest's network card cannot be given an address";
	net_address(&address, NET_NEAR, port);
	return meet_connect(peer, 0, AF_INET, SOCK_STREAM, &address, sizeof(address));
}

/* In --device: "BDF,tap=NAME". */
static void *
net_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = socket_peer(place->links, false);
	const char *failed = "no memory or no virtio-net in --device";
	const uint16_t port = port_of(place);
	char text[64], *tap = NULL;

	if (contest_device(place, text, sizeof(text)) != NULL)
		tap = strstr(text, ",tap=");
	errno = 0;
	if (peer != NULL && tap != NULL) {
		*tap = '\0';
		failed = place->side == CONTEST_NEAR ? net_near(peer, tap + 5, port)
						     : net_far(peer, text, port);
	}
	if (failed == NULL)
		meet_without_delay(peer);
	return guest_opened(place, peer, failed, why, why_bytes);
}

const struct contestant contestant_virtio_net = {
	.name = "virtio-net",
	.what = "TCP from the host's tap to the guest's virtio_net, QEMU as backend (no "
		"vhost-net), checksum and segmentation offloads, TCP_NODELAY, buffers of 2 MiB",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = SOCKET_LINKS_MAX,
	.open = net_open,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};

/* ---- virtio-serial ---- */

/* The device of the port of a name. @return whether there is one */
static bool
serial_device(const char *name, char *device, size_t bytes)
{
	glob_t found;
	size_t i;
	bool same = false;

	if (glob("/sys/class/virtio-ports/*/name", 0, NULL, &found) != 0)
		return false;
	for (i = 0; i < found.gl_pathc && !same; i++) {
		FILE *file = fopen(found.gl_pathv[i], "r");
		char line[64] = "";

		same = file != NULL && fscanf(file, "%63s", line) == 1 && strcmp(line, name) == 0;
		if (file != NULL)
			fclose(file);
		found.gl_pathv[i][strlen(found.gl_pathv[i]) - strlen("/name")] = '\0';
		if (same)
			snprintf(device, bytes, "/dev/%.32s", strrchr(found.gl_pathv[i], '/') + 1);
	}
	globfree(&found);
	return same;
}

static int
serial_near(const struct contest_place *place)
{
	const struct patience patience = patience_begin();
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	meet_path(place, "virtio-serial", address.sun_path, sizeof(address.sun_path));
	return meet_connect_one(AF_UNIX, SOCK_STREAM, &address, sizeof(address), &patience);
}

static int
serial_far(const char *name)
{
	char device[64];

	return serial_device(name, device, sizeof(device)) ? open(device, O_RDWR | O_CLOEXEC) : -1;
}

/* In --device: the port's name. @return NULL or what went wrong */
static const char *
serial_meet(struct peer *peer, const struct contest_place *place)
{
	char name[64];
	int fd;

	if (peer == NULL || contest_device(place, name, sizeof(name)) == NULL)
		return "no memory or no virtio-serial in --device";
	fd = place->side == CONTEST_NEAR ? serial_near(place) : serial_far(name);
	if (fd == -1)
		return "the serial port cannot be opened";
	return socket_give(peer, 0, fd, fd) == 0 ? NULL
						 : "the serial port cannot be made non-blocking";
}

static void *
serial_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = socket_peer(1, false);

	errno = 0;
	return guest_opened(place, peer, serial_meet(peer, place), why, why_bytes);
}

const struct contestant contestant_virtio_serial = {
	.name = "virtio-serial",
	.what = "a virtio-serial port: Unix stream socket of QEMU on the host, the port's "
		"character device in the guest",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = 1,
	.open = serial_open,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};

/* ---- vsock ---- */

/* In --device: the guest's number, where the host has vsock. @return NULL or what went wrong */
static const char *
vsock_meet(struct peer *peer, const struct contest_place *place)
{
	struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port_of(place)};
	char text[32];

	if (peer == NULL || contest_device(place, text, sizeof(text)) == NULL)
		return "this host has no /dev/vhost-vsock: load its module vhost_vsock";
	if (place->side == CONTEST_FAR)
		return meet_connect(peer, 0, AF_VSOCK, SOCK_STREAM, &address, sizeof(address));
	address.svm_cid = VMADDR_CID_ANY;
	return meet_near(peer, AF_VSOCK, SOCK_STREAM, &address, sizeof(address));
}

static void *
vsock_open(const struct contest_place *place, char *why, size_t why_bytes)
{
	struct peer *peer = socket_peer(place->links, false);

	errno = 0;
	return guest_opened(place, peer, vsock_meet(peer, place), why, why_bytes);
}

const struct contestant contestant_vsock = {
	.name = "vsock",
	.what = "vsock streams, the host's vhost-vsock to the guest's virtio transport, buffers of "
		"2 MiB",
	.size_min = CONTEST_SIZE_MIN,
	.size_max = CONTEST_SIZE_MAX,
	.links_max = SOCKET_LINKS_MAX,
	.open = vsock_open,
	.close = socket_close,
	.prepare = socket_prepare,
	.loops = &peer_loops,
};
