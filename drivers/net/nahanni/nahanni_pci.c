/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's probe: ivshmem-plain under vfio-pci or uio_pci_generic. */

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
/** Byte of the BAR's file that a process in the guest's role locks. */
#define GUEST_LOCK_BYTE 1

/**
 * Take the role. vfio allows one opener anyway; under UIO this lock keeps a
 * second process out, as long as the descriptor lives.
 */
static int
role_lock(const struct rte_pci_device *pci, int *lock_fd)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = GUEST_LOCK_BYTE, .l_len = 1};
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
		    "%s cannot be locked (%s), expected no other process that is the guest of this "
		    "device: end it first",
		    path, strerror(error));
	return -EBUSY;
}

static int
pci_init(struct rte_eth_dev *dev)
{
	struct rte_pci_device *pci = RTE_ETH_DEV_TO_PCI(dev);
	const struct rte_mem_resource *bar = &pci->mem_resource[IVSHMEM_BAR];
	struct nahanni_port *port = dev->data->dev_private;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		NAHANNI_LOG(ERR, "%s: secondary processes are not supported", dev->data->name);
		return -ENOTSUP;
	}
	if (bar->addr == NULL || bar->len < NHN_REGION_SIZE_MIN ||
	    (bar->len & (bar->len - 1)) != 0) {
		NAHANNI_LOG(ERR,
			    "%s: BAR %d has %" PRIu64 " bytes%s, expected a mapped power of two of "
			    "at least %u: check the size of the memory backend",
			    dev->data->name, IVSHMEM_BAR, bar->len,
			    bar->addr == NULL ? " and is not mapped" : "",
			    (unsigned int)NHN_REGION_SIZE_MIN);
		return -EINVAL;
	}
	ret = role_lock(pci, &port->lock_fd);
	if (ret != 0)
		return ret;
	port->base = bar->addr;
	port->length = bar->len;
	ret = nahanni_dev_init(dev, NHN_ROLE_GUEST, NHN_CHANNELS_MAX);
	if (ret != 0 && port->lock_fd >= 0)
		close(port->lock_fd);
	return ret;
}

static int
pci_probe(struct rte_pci_driver *driver, struct rte_pci_device *pci)
{
	int ret = nahanni_version_check();

	RTE_SET_USED(driver);
	if (ret != 0)
		return ret;
	return rte_eth_dev_pci_generic_probe(pci, sizeof(struct nahanni_port), pci_init);
}

static int
pci_remove(struct rte_pci_device *pci)
{
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
