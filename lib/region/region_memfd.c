/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region_internal.h"

/* A memfd has no limit of its own: reserving too much wakes the OOM killer. */
static int
check_memory(const struct nhn_region_config *config, uint64_t size, const char *name)
{
	long page = sysconf(_SC_PAGESIZE), pages = sysconf(_SC_PHYS_PAGES);

	if (page <= 0 || pages <= 0)
		return nhn_region_refuse(
			config, EIO,
			"%s: the size of this machine's memory was expected from sysconf and is"
			" unknown; mount proc.",
			name);
	if (size / (uint64_t)page > (uint64_t)pages)
		return nhn_region_refuse(config, ENOMEM,
					 "%s: %" PRIu64
					 " bytes are more than this machine's memory, and a memfd"
					 " that fits in it was expected; use a smaller one.",
					 name, size);
	return 0;
}

static int
create(struct nhn_region *region, const struct nhn_region_config *config)
{
	uint64_t size = config->size != 0 ? config->size : NHN_REGION_SIZE_DEFAULT;
	struct stat st;
	int rc;

	rc = check_memory(config, size, config->path);
	if (rc != 0)
		return rc;
	region->fd = memfd_create(config->path, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (region->fd < 0)
		return nhn_region_refuse(
			config, errno,
			"%s: no memfd could be created (%m); look at the name's length and at the"
			" limit of open files.",
			config->path);
	if (ftruncate(region->fd, (off_t)size) != 0 || fstat(region->fd, &st) != 0)
		return nhn_region_refuse(config, errno,
					 "%s: its length could not be set to %" PRIu64
					 " bytes (%m); ask for a"
					 " smaller size.",
					 config->path, size);
	rc = nhn_region_reserve(config, region->fd, &st, size, config->path);
	if (rc != 0)
		return rc;
	if (fcntl(region->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return nhn_region_refuse(
			config, errno,
			"%s: the memfd could not be sealed (%m), and without seals a peer can"
			" shorten it; use a kernel with memfd sealing.",
			config->path);
	region->length = size;
	return 0;
}

static int
check_seals(const struct nhn_region_config *config)
{
	int seals = fcntl(config->fd, F_GET_SEALS);

	if (seals < 0 && errno == EBADF)
		return nhn_region_refuse(
			config, EBADF,
			"Descriptor %d is not open, and a received memfd was expected; pass the"
			" descriptor that was received.",
			config->fd);
	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
		return nhn_region_refuse(
			config, EPERM,
			"Descriptor %d is not sealed against shrinking, so its sender could cause"
			" SIGBUS here; the sender must add F_SEAL_SHRINK to a memfd.",
			config->fd);
	if (config->access == NHN_REGION_READ_WRITE &&
	    (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0)
		return nhn_region_refuse(
			config, EPERM,
			"Descriptor %d is sealed against writing, and a writable memfd was"
			" expected; open it read-only, or have it sent without that seal.",
			config->fd);
	return 0;
}

static int
receive(struct nhn_region *region, const struct nhn_region_config *config)
{
	char name[32];
	struct stat st;
	int rc;

	rc = check_seals(config);
	if (rc != 0)
		return rc;
	snprintf(name, sizeof(name), "Descriptor %d", config->fd);
	/*
	 * A descriptor that was passed on shares its open file description with
	 * the sender, and with it the lock: only an open of our own excludes.
	 */
	region->fd = nhn_region_reopen(config->fd, config->access);
	if (region->fd < 0 || fstat(region->fd, &st) != 0)
		return nhn_region_refuse(
			config, region->fd < 0 ? -region->fd : errno,
			"%s cannot be opened anew through /proc/self/fd (%m), which was expected to"
			" work with a memfd; mount proc, or look at the limit of open files.",
			name);
	rc = nhn_region_check_length(config, (uint64_t)st.st_size, name);
	if (rc == 0)
		rc = check_memory(config, (uint64_t)st.st_size, name);
	if (rc != 0)
		return rc;
	region->length = (uint64_t)st.st_size;
	if (config->access == NHN_REGION_READ_WRITE)
		rc = nhn_region_reserve(config, region->fd, &st, region->length, name);
	return rc;
}

int
nhn_region_memfd_open(struct nhn_region *region, const struct nhn_region_config *config)
{
	int rc;

	if ((config->path != NULL) == (config->fd >= 0))
		return nhn_region_refuse(
			config, EINVAL,
			"A memfd region was asked for with %s, and one of the two was expected;"
			" give a name to create one, or the descriptor that was received.",
			config->path != NULL ? "a name and a descriptor"
					     : "neither name nor descriptor");
	rc = config->path != NULL ? create(region, config) : receive(region, config);
	if (rc != 0)
		return rc;
	return nhn_region_take_role(config, region->fd, nhn_region_name(config));
}
