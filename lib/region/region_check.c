/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "region_internal.h"

/* A touch met no memory: say why, as far as it can still be seen. */
static int
tell_survived(const struct nhn_region *region, const struct nhn_region_config *config)
{
	if (config->kind == NHN_REGION_PCI)
		return nhn_region_refuse(
			config, EIO,
			"PCI device %s: its memory went away under us, as when it is unplugged, and"
			" reads as zeros here since; plug it in, and start this side again.",
			config->path);
	return nhn_region_refuse(
		config, EIO,
		"%s was truncated under us for a while, or its file system had no room for it, and"
		" a part of its %" PRIu64
		" bytes reads as zeros here since; find who shortens it, and start this side"
		" again.",
		nhn_region_name(config), region->length);
}

static int
check_length(const struct nhn_region *region, const struct nhn_region_config *config,
	     const struct stat *held)
{
	/* A device has no length of this kind, and cannot be shortened. */
	if (!S_ISCHR(held->st_mode) && (uint64_t)held->st_size < config->offset + region->length)
		return nhn_region_refuse(
			config, EIO,
			"%s was truncated under us: it has %" PRIu64 " bytes, and the %" PRIu64
			" that were opened were expected; find who shortens it, remove it, and"
			" start both sides again.",
			config->path, (uint64_t)held->st_size, config->offset + region->length);
	return 0;
}

static int
check_name(const struct nhn_region_config *config, const struct stat *held)
{
	struct stat named;

	if (lstat(config->path, &named) == 0) {
		if (named.st_dev == held->st_dev && named.st_ino == held->st_ino)
			return 0;
		return nhn_region_refuse(
			config, ESTALE,
			"%s was replaced by another file under us, and the one that was opened was"
			" expected there; put that one back, or start this side again.",
			config->path);
	}
	if (errno != ENOENT && errno != ENOTDIR)
		return 0;
	return nhn_region_refuse(
		config, ESTALE,
		"%s was removed under us, and the file that was opened was expected there; start"
		" this side again, and its peer after it.",
		config->path);
}

int
nhn_region_check(const struct nhn_region *region, const struct nhn_region_config *config)
{
	struct stat held;
	int rc;

	if (region == NULL || region->base == NULL || config == NULL)
		return -EINVAL;
	if (config->kind == NHN_REGION_FILE) {
		if (fstat(region->fd, &held) != 0)
			return nhn_region_refuse(
				config, errno,
				"%s: its descriptor %d cannot be looked at (%m), and an open one"
				" was expected; nobody but nhn_region_close() may close it.",
				config->path, region->fd);
		rc = check_length(region, config, &held);
		if (rc != 0)
			return rc;
	}
	if (nhn_region_sigbus_survived(region))
		return tell_survived(region, config);
	return config->kind == NHN_REGION_FILE ? check_name(config, &held) : 0;
}
