/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device-dax node: memory of an nvdimm that a guest maps write-back, where the BAR
 * of a device would be mapped uncached. The driver aligns the mapping by itself.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "region_internal.h"

/* The path of a file about the device in sysfs; false: too long. */
static bool
attribute_path(const struct nhn_region_config *config, const struct stat *st, const char *name,
	       char path[PATH_MAX])
{
	const char *root = config->sysfs_root != NULL ? config->sysfs_root : "/sys";
	int length = snprintf(path, PATH_MAX, "%s/dev/char/%u:%u/%s", root, major(st->st_rdev),
			      minor(st->st_rdev), name);

	return length > 0 && length < PATH_MAX;
}

static bool
is_dax(const struct nhn_region_config *config, const struct stat *st)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *name;
	ssize_t length;

	if (!S_ISCHR(st->st_mode) || !attribute_path(config, st, "subsystem", path))
		return false;
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	name = strrchr(target, '/');
	return strcmp(name != NULL ? name + 1 : target, "dax") == 0;
}

bool
nhn_region_dax_named(const struct nhn_region_config *config)
{
	struct stat st;

	/* Before it is opened: opening some devices does something. */
	return lstat(config->path, &st) == 0 && is_dax(config, &st);
}

/* 0, or -errno. */
static int
read_size(const struct nhn_region_config *config, const struct stat *st, uint64_t *size)
{
	char path[PATH_MAX], text[32], *end;
	ssize_t got;
	int fd;

	if (!attribute_path(config, st, "size", path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	errno = 0;
	*size = strtoull(text, &end, 10);
	return end == text || errno != 0 || (*end != '\n' && *end != '\0') ? -EINVAL : 0;
}

static int
check_node(const struct nhn_region_config *config, const struct stat *st)
{
	if (!is_dax(config, st))
		return nhn_region_refuse(
			config, EAGAIN,
			"%s was replaced while it was opened, and a device-dax node was expected;"
			" try again.",
			config->path);
	if ((st->st_mode & S_IWOTH) != 0)
		return nhn_region_refuse(
			config, EPERM,
			"%s has mode %04o, so that every user could write into it, and one without"
			" write permission for others was expected; chmod o-w it.",
			config->path, st->st_mode & 07777);
	if (config->offset != 0)
		return nhn_region_refuse(
			config, EINVAL,
			"%s is a device-dax node, and offset %" PRIu64
			" was asked for, where 0 was expected; give the offset to the side that"
			" maps the backing file.",
			config->path, config->offset);
	return 0;
}

int
nhn_region_dax_open(struct nhn_region *region, const struct nhn_region_config *config)
{
	struct stat st;
	int rc;

	region->fd = open(config->path,
			  O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
				  (config->access == NHN_REGION_READ_ONLY ? O_RDONLY : O_RDWR));
	if (region->fd < 0 || fstat(region->fd, &st) != 0)
		return nhn_region_refuse(
			config, errno,
			"%s: user %u cannot open this device-dax node (%m); run as root, or give it"
			" a mode and group that allow it.",
			config->path, geteuid());
	rc = check_node(config, &st);
	if (rc != 0)
		return rc;
	rc = read_size(config, &st, &region->length);
	if (rc != 0)
		return nhn_region_refuse(
			config, -rc,
			"%s: the size of this device-dax node cannot be read in sysfs (%m), and a"
			" number was expected; mount sysfs on /sys.",
			config->path);
	rc = nhn_region_check_length(config, region->length, config->path);
	return rc != 0 ? rc : nhn_region_take_role(config, region->fd, config->path);
}
