/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_ethdev.h>

#include "port.h"
#include "say.h"

#define SYSFS_DEVICES "/sys/bus/pci/devices"
#define PMD_NAME "net_nahanni"

/** Kernel drivers under which EAL maps a device. */
static const char *const usable_drivers[] = {"vfio-pci", "uio_pci_generic", "igb_uio"};

static bool
driver_usable(const char *name)
{
	size_t i;

	for (i = 0; i < RTE_DIM(usable_drivers); i++)
		if (strcmp(name, usable_drivers[i]) == 0)
			return true;
	return false;
}

int
port_pci_check(const char *bdf)
{
	char path[sizeof(SYSFS_DEVICES "/driver") + 32];
	char target[PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), SYSFS_DEVICES "/%s", bdf);
	if (access(path, F_OK) != 0) {
		say("The PCI device %s does not exist, expected an ivshmem device (1af4:1110):"
		    " lspci -D -d 1af4:1110 lists them.",
		    bdf);
		return -ENODEV;
	}
	snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/driver", bdf);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0) {
		say("The PCI device %s is bound to no driver, expected vfio-pci or"
		    " uio_pci_generic: dpdk-devbind.py -b vfio-pci %s binds it.",
		    bdf, bdf);
		return -ENODEV;
	}
	target[length] = '\0';
	name = strrchr(target, '/');
	name = name != NULL ? name + 1 : target;
	if (driver_usable(name))
		return 0;
	say("The PCI device %s is bound to the driver %s, which EAL cannot use, expected vfio-pci"
	    " or uio_pci_generic: dpdk-devbind.py -b vfio-pci %s binds it.",
	    bdf, name, bdf);
	return -ENODEV;
}

int
port_find(const char *device, uint16_t *port)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_get_port_by_name(device, port);

	if (ret == 0)
		ret = rte_eth_dev_info_get(*port, &info);
	if (ret == 0 && strcmp(info.driver_name, PMD_NAME) == 0)
		return 0;
	if (ret == 0)
		say("The port of %s is of the driver %s, expected " PMD_NAME ": name an ivshmem"
		    " device (1af4:1110, subsystem 1af4:1100).",
		    device, info.driver_name);
	else
		say("EAL made no port of %s, expected one of " PMD_NAME ": its messages above say"
		    " why; a PCI device must be ivshmem-plain (1af4:1110, subsystem 1af4:1100).",
		    device);
	return -ENODEV;
}

int
port_find_any(const char *device, uint16_t *port, bool *ours)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_get_port_by_name(device, port);

	if (ret == 0)
		ret = rte_eth_dev_info_get(*port, &info);
	if (ret == 0) {
		*ours = strcmp(info.driver_name, PMD_NAME) == 0;
		return 0;
	}
	say("EAL has no port of the name %s, expected one: name it as in --vdev=%s,... before --,"
	    " or by its PCI address.",
	    device, device);
	return -ENODEV;
}
