/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "region_internal.h"

#define VENDOR_QUMRANET 0x1af4u
#define DEVICE_IVSHMEM 0x1110u
#define SUBSYSTEM_IVSHMEM 0x1100u
#define SUBSYSTEM_AVP 0x1104u

#define PCI_COMMAND_OFFSET 4
#define PCI_COMMAND_MEMORY_BIT 0x02

/* The mapping named _wc is write-combining, which release stores do not order. */
static const char bar_name[] = "resource2";

/* Bytes read, or -errno. */
static ssize_t
read_attribute(int folder, const char *name, off_t offset, void *bytes, size_t size)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, bytes, size, offset);
	if (got < 0)
		got = -errno;
	close(fd);
	return got;
}

/* A number such as "0x1af4\n" or "1\n". */
static int
read_number(int folder, const char *name, unsigned long *value)
{
	char text[32], *end;
	ssize_t got = read_attribute(folder, name, 0, text, sizeof(text) - 1);

	if (got < 0)
		return (int)got;
	text[got] = '\0';
	*value = strtoul(text, &end, 0);
	return end == text || (*end != '\n' && *end != '\0') ? -EINVAL : 0;
}

static int
check_ids(const struct nhn_region_config *config, int folder)
{
	static const char *const names[] = {
		"vendor",
		"device",
		"subsystem_vendor",
		"subsystem_device",
	};
	unsigned long ids[4];
	unsigned int i;
	int rc;

	for (i = 0; i < 4; i++) {
		rc = read_number(folder, names[i], &ids[i]);
		if (rc != 0)
			return nhn_region_refuse(
				config, -rc,
				"PCI device %s: its %s cannot be read (%m), and a device's folder"
				" in sysfs was expected; correct the path.",
				config->path, names[i]);
	}
	if (ids[0] != VENDOR_QUMRANET || ids[1] != DEVICE_IVSHMEM)
		return nhn_region_refuse(
			config, ENODEV,
			"PCI device %s is %04lx:%04lx, and ivshmem (1af4:1110) was expected; give"
			" the address of the ivshmem device.",
			config->path, ids[0], ids[1]);
	if (ids[2] != VENDOR_QUMRANET || ids[3] != SUBSYSTEM_IVSHMEM)
		return nhn_region_refuse(
			config, ENODEV,
			"PCI device %s is 1af4:1110 with subsystem %04lx:%04lx%s, and ivshmem's"
			" 1af4:1100 was expected; give the address of the ivshmem device.",
			config->path, ids[2], ids[3],
			ids[2] == VENDOR_QUMRANET && ids[3] == SUBSYSTEM_AVP
				? ", which is AVP and belongs to net_avp"
				: "");
	return 0;
}

static int
check_driver(const struct nhn_region_config *config, int folder)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(folder, "driver", target, sizeof(target) - 1);
	const char *driver;

	if (length < 0 && errno == ENOENT)
		return 0;
	if (length < 0)
		return nhn_region_refuse(
			config, errno,
			"PCI device %s: its driver cannot be read (%m), and a device's folder in"
			" sysfs was expected; correct the path.",
			config->path);
	target[length] = '\0';
	driver = strrchr(target, '/');
	driver = driver != NULL ? driver + 1 : target;
	/* Its user may come later, and maps BAR2 alone: mmap gives EINVAL then. */
	if (strcmp(driver, "vfio-pci") == 0)
		return nhn_region_refuse(
			config, EBUSY,
			"PCI device %s is held by vfio-pci, which lets nobody map BAR2 through"
			" sysfs; use the PMD's mapping (rte_pmd_nahanni_link_get), or unbind the"
			" device from vfio-pci.",
			config->path);
	return 0;
}

static int
check_decoding(const struct nhn_region_config *config, int folder)
{
	unsigned long enabled = 1;
	uint8_t command;
	ssize_t got;
	int rc = 0;

	/* `enable` counts drivers; firmware may have switched decoding on without one. */
	got = read_attribute(folder, "config", PCI_COMMAND_OFFSET, &command, 1);
	if (got == 1)
		enabled = command & PCI_COMMAND_MEMORY_BIT;
	else
		rc = read_number(folder, "enable", &enabled);
	if (rc != 0)
		return nhn_region_refuse(
			config, -rc,
			"PCI device %s tells neither by its config nor by its enable file whether"
			" it answers memory accesses (%m); look at its folder in sysfs.",
			config->path);
	if (enabled == 0)
		return nhn_region_refuse(
			config, ENXIO,
			"PCI device %s is disabled, and memory decoding was expected to be on; "
			"write"
			" 1 into the file enable in its sysfs folder, or bind it to"
			" uio_pci_generic.",
			config->path);
	return 0;
}

static int
open_bar(struct nhn_region *region, const struct nhn_region_config *config, int folder)
{
	struct stat st;
	int rc;

	region->fd = openat(folder, bar_name,
			    O_CLOEXEC | O_NOFOLLOW |
				    (config->access == NHN_REGION_READ_ONLY ? O_RDONLY : O_RDWR));
	if (region->fd < 0 && errno == ENOENT)
		return nhn_region_refuse(
			config, ENOENT,
			"PCI device %s has no %s, and ivshmem's memory was expected in BAR2; give"
			" the device a memory backend.",
			config->path, bar_name);
	if (region->fd < 0 || fstat(region->fd, &st) != 0)
		return nhn_region_refuse(
			config, errno,
			"PCI device %s: user %u cannot open its %s (%m); run as root, or give that"
			" file a mode and group that allow it.",
			config->path, geteuid(), bar_name);
	if (!S_ISREG(st.st_mode))
		return nhn_region_refuse(
			config, EINVAL,
			"PCI device %s: its %s is %s, and a regular file was expected; give a"
			" device's folder in sysfs.",
			config->path, bar_name, nhn_region_type_name(st.st_mode));
	region->length = (uint64_t)st.st_size;
	rc = nhn_region_check_length(config, region->length, config->path);
	if (rc == 0)
		rc = nhn_region_take_role(config, region->fd, config->path);
	return rc;
}

static bool
is_address(const char *path)
{
	/* One pattern letter a character: x is a hexadecimal digit. */
	static const char pattern[] = "xxxx:xx:xx.x";
	size_t i;

	if (strlen(path) != sizeof(pattern) - 1)
		return false;
	for (i = 0; i < sizeof(pattern) - 1; i++)
		if (pattern[i] == 'x' ? strchr("0123456789abcdef", path[i]) == NULL
				      : path[i] != pattern[i])
			return false;
	return true;
}

static int
open_folder(const struct nhn_region_config *config)
{
	const char *root = config->sysfs_root != NULL ? config->sysfs_root : "/sys";
	char built[PATH_MAX];
	const char *path = config->path;
	int fd, length;

	if (strchr(path, '/') == NULL) {
		if (!is_address(path))
			return nhn_region_refuse(
				config, EINVAL,
				"\"%s\" is no PCI address, and one such as 0000:00:03.0 or a folder"
				" in sysfs was expected; lspci -D shows the addresses.",
				path);
		length = snprintf(built, sizeof(built), "%s/bus/pci/devices/%s", root, path);
		if (length < 0 || (size_t)length >= sizeof(built))
			return nhn_region_refuse(
				config, ENAMETOOLONG,
				"PCI device %s: the path of sysfs is too long; shorten it.", path);
		path = built;
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return nhn_region_refuse(
			config, errno,
			"PCI device %s: %s cannot be opened (%m), and a device's folder was"
			" expected; give the guest an ivshmem device, or correct the address.",
			config->path, path);
	return fd;
}

int
nhn_region_pci_open(struct nhn_region *region, const struct nhn_region_config *config)
{
	int folder, rc;

	folder = open_folder(config);
	if (folder < 0)
		return folder;
	rc = check_ids(config, folder);
	if (rc == 0)
		rc = check_driver(config, folder);
	if (rc == 0)
		rc = check_decoding(config, folder);
	if (rc == 0)
		rc = open_bar(region, config, folder);
	close(folder);
	return rc;
}
