/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Split layout in a guest: the device with the other end's area, which this side
 * only reads. EAL probes devices in the order of their addresses, so either of
 * a pair may come first: the one that is read is known by the arguments of the
 * other, and its port looks for it at start.
 */

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/queue.h>

#include <rte_devargs.h>
#include <rte_malloc.h>

#include "nahanni.h"

struct peer_device {
	LIST_ENTRY(peer_device) next;
	struct rte_pci_addr address;
	void *base;
	uint64_t bytes;
	struct nahanni_port *reader; /**< that has taken it, or NULL */
};

static LIST_HEAD(, peer_device) peers = LIST_HEAD_INITIALIZER(peers);

bool
nahanni_peer_named(const struct rte_pci_addr *address)
{
	struct rte_devargs *devargs;

	RTE_EAL_DEVARGS_FOREACH("pci", devargs)
	if (devargs->args != NULL && nahanni_args_name_peer(devargs->args, address))
		return true;
	return false;
}

static struct peer_device *
peer_find(const struct rte_pci_addr *address)
{
	struct peer_device *peer;

	LIST_FOREACH(peer, &peers, next)
	if (rte_pci_addr_cmp(&peer->address, address) == 0)
		return peer;
	return NULL;
}

int
nahanni_peer_add(const struct rte_pci_addr *address, const char *name, void *base, uint64_t bytes)
{
	struct peer_device *peer = rte_zmalloc("net_nahanni peer", sizeof(*peer), 0);

	if (peer == NULL) {
		NAHANNI_LOG(ERR, "%s: no memory for a device that is read", name);
		return -ENOMEM;
	}
	/* The hypervisor discards stores to it; here they shall not go unnoticed. */
	if (mprotect(base, bytes, PROT_READ) != 0)
		NAHANNI_LOG(WARNING, "%s: its mapping stays writable (%s)", name, strerror(errno));
	peer->address = *address;
	peer->base = base;
	peer->bytes = bytes;
	LIST_INSERT_HEAD(&peers, peer, next);
	return 0;
}

int
nahanni_peer_remove(const struct rte_pci_addr *address, const char *name)
{
	struct peer_device *peer = peer_find(address);

	if (peer == NULL)
		return -ENODEV;
	if (peer->reader != NULL && peer->reader->service != NAHANNI_STOPPED) {
		NAHANNI_LOG(ERR,
			    "%s: the port %s reads it, expected none: stop or close that first",
			    name, peer->reader->data->name);
		return -EBUSY;
	}
	LIST_REMOVE(peer, next);
	rte_free(peer);
	return 0;
}

int
nahanni_peer_take(struct nahanni_port *port)
{
	struct peer_device *peer = peer_find(&port->args.peer_address);
	const char *own = port->data->name;
	char name[PCI_PRI_STR_SIZE];

	rte_pci_device_name(&port->args.peer_address, name, sizeof(name));
	if (peer == NULL) {
		NAHANNI_LOG(ERR,
			    "%s: its peer %s was not probed after it was named, expected -a "
			    "%s,peer=%s -a %s and an ivshmem device bound to vfio-pci or "
			    "uio_pci_generic: see the messages of its probe",
			    own, name, own, name, name);
		return -ENODEV;
	}
	if (peer->reader != NULL && peer->reader != port) {
		NAHANNI_LOG(ERR,
			    "%s: its peer %s is that of %s, expected one of its own: name another "
			    "device",
			    own, name, peer->reader->data->name);
		return -EBUSY;
	}
	peer->reader = port;
	port->peer_area = peer->base;
	port->peer_bytes = peer->bytes;
	return 0;
}

void
nahanni_peer_give_back(const struct nahanni_port *port)
{
	struct peer_device *peer;

	LIST_FOREACH(peer, &peers, next)
	if (peer->reader == port)
		peer->reader = NULL;
}
