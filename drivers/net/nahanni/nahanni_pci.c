/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe in a guest: ivshmem-plain under vfio-pci or uio_pci_generic. The guest's
 * end of a link, or where two guests share a device and no host takes part, either.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <ethdev_pci.h>

#include "nahanni.h"

/** QEMU's ivshmem. net_avp claims the same device with subsystem 1af4:1104. */
#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110
#define IVSHMEM_SUBSYSTEM 0x1100
/** The BAR that holds the memory. */
#define IVSHMEM_BAR 2

/**
 * Take the role. vfio allows one opener anyway; under UIO this lock keeps a
 * second process of this guest out, as long as the descriptor lives. It says
 * nothing to other guests on the same memory.
 */
static int
role_lock(const struct rte_pci_device *pci, enum nhn_role role, int *lock_fd)
{
	const bool host = role == NHN_ROLE_HOST;
	struct flock lock = {.l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = host ? NHN_LOCK_BYTE_HOST : NHN_LOCK_BYTE_GUEST,
			     .l_len = 1};
	char path[PATH_MAX];
	int error;

	*lock_fd = -1;
	if (pci->kdrv == RTE_PCI_KDRV_VFIO)
		return 0;
	snprintf(path, sizeof(path), "%s/" PCI_PRI_FMT "/resource%d", rte_pci_get_sysfs_path(),
		 pci->addr.domain, pci->addr.bus, pci->addr.devid, pci->addr.function, IVSHMEM_BAR);
	*lock_fd = open(path, O_RDWR | O_CLOEXEC);
	if (*lock_fd < 0) {
		error = errno;
		NAHANNI_LOG(ERR, "%s cannot be opened (%s): run as root or make it writable", path,
			    strerror(error));
		return -error;
	}
	if (fcntl(*lock_fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	error = errno;
	close(*lock_fd);
	NAHANNI_LOG(ERR,
		    "%s cannot be locked (%s), expected no other process that is the %s of this "
		    "device: end it first",
		    path, strerror(error), host ? "host" : "guest");
	return -EBUSY;
}

static int
memory_check(const struct rte_pci_device *pci)
{
	const struct rte_mem_resource *bar = &pci->mem_resource[IVSHMEM_BAR];

	if (bar->addr != NULL && bar->len >= NHN_REGION_SIZE_MIN &&
	    (bar->len & (bar->len - 1)) == 0)
		return 0;
	NAHANNI_LOG(ERR,
		    "%s: BAR %d has %" PRIu64 " bytes%s, expected a mapped power of two of at "
		    "least %u: check the size of the memory backend",
		    pci->name, IVSHMEM_BAR, bar->len, bar->addr == NULL ? " and is not mapped" : "",
		    (unsigned int)NHN_REGION_SIZE_MIN);
	return -EINVAL;
}

static int
args_take(const struct rte_pci_device *pci, struct nahanni_args *args)
{
	const char *text = pci->device.devargs != NULL ? pci->device.devargs->args : NULL;
	int ret = nahanni_args_parse(text, NAHANNI_PROBE_PCI, args);

	if (ret != 0 || !args->peer_device || rte_pci_addr_cmp(&args->peer_address, &pci->addr))
		return ret;
	NAHANNI_LOG(ERR,
		    "%s: it is named as its own peer, expected two devices: name the one with the "
		    "other end's area, or leave peer out if both areas are in this one",
		    pci->name);
	nahanni_args_free(args);
	return -EINVAL;
}

static int
port_init(struct rte_eth_dev *dev, const struct rte_pci_device *pci)
{
	const struct rte_mem_resource *bar = &pci->mem_resource[IVSHMEM_BAR];
	struct nahanni_port *port = dev->data->dev_private;
	int ret = role_lock(pci, port->args.role, &port->lock_fd);

	if (ret != 0)
		return ret;
	if (port->args.peer_device) {
		port->own_area = bar->addr;
		port->own_bytes = bar->len;
	} else {
		nahanni_memory_joint(port, bar->addr, bar->len);
	}
	ret = nahanni_dev_init(dev);
	if (ret != 0 && port->lock_fd >= 0)
		close(port->lock_fd);
	return ret;
}

/** Takes the arguments over, also when it fails. */
static int
port_create(struct rte_pci_device *pci, struct nahanni_args *args)
{
	struct rte_eth_dev *dev = rte_eth_dev_pci_allocate(pci, sizeof(struct nahanni_port));
	struct nahanni_port *port;
	int ret;

	if (dev == NULL) {
		NAHANNI_LOG(ERR, "%s: no memory for a port, or none is free", pci->name);
		nahanni_args_free(args);
		return -ENOMEM;
	}
	port = dev->data->dev_private;
	port->args = *args;
	ret = port_init(dev, pci);
	if (ret != 0) {
		nahanni_args_free(&port->args);
		rte_eth_dev_release_port(dev);
		return ret;
	}
	rte_eth_dev_probing_finish(dev);
	return 0;
}

static int
pci_probe(struct rte_pci_driver *driver, struct rte_pci_device *pci)
{
	const struct rte_mem_resource *bar = &pci->mem_resource[IVSHMEM_BAR];
	struct nahanni_args args;
	int ret;

	RTE_SET_USED(driver);
	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		NAHANNI_LOG(ERR, "%s: secondary processes are not supported", pci->name);
		return -ENOTSUP;
	}
	ret = nahanni_version_check();
	if (ret == 0)
		ret = memory_check(pci);
	if (ret == 0)
		ret = args_take(pci, &args);
	if (ret != 0)
		return ret;
	if (args.peer_device || !nahanni_peer_named(&pci->addr))
		return port_create(pci, &args);
	nahanni_args_free(&args);
	return nahanni_peer_add(&pci->addr, pci->name, bar->addr, bar->len);
}

static int
pci_remove(struct rte_pci_device *pci)
{
	int ret = nahanni_peer_remove(&pci->addr, pci->name);

	if (ret != -ENODEV)
		return ret;
	return rte_eth_dev_pci_generic_remove(pci, nahanni_dev_close);
}

static const struct rte_pci_id nahanni_ids[] = {
	{
		.class_id = RTE_CLASS_ANY_ID,
		.vendor_id = IVSHMEM_VENDOR,
		.device_id = IVSHMEM_DEVICE,
		.subsystem_vendor_id = IVSHMEM_VENDOR,
		.subsystem_device_id = IVSHMEM_SUBSYSTEM,
	},
	{.vendor_id = 0},
};

static struct rte_pci_driver nahanni_pci_driver = {
	.id_table = nahanni_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
	.probe = pci_probe,
	.remove = pci_remove,
};

RTE_PMD_REGISTER_PCI(net_nahanni, nahanni_pci_driver);
RTE_PMD_REGISTER_PCI_TABLE(net_nahanni, nahanni_ids);
RTE_PMD_REGISTER_KMOD_DEP(net_nahanni, "* vfio-pci | uio_pci_generic");
RTE_PMD_REGISTER_PARAM_STRING(net_nahanni, NAHANNI_PCI_ARGS);
