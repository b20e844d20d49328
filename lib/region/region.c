/* SPDX-License-Identifier: BSD-3-Clause */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "region_internal.h"

static_assert(sizeof(off_t) == 8, "build with _FILE_OFFSET_BITS=64");

int
nhn_region_refuse(const struct nhn_region_config *config, int error, const char *format, ...)
{
	char sentence[PATH_MAX + 512];
	va_list args;

	if (config->log == NULL)
		return -error;
	va_start(args, format);
	errno = error;
	if (vsnprintf(sentence, sizeof(sentence), format, args) >= 0)
		config->log(config->log_context, sentence);
	va_end(args);
	return -error;
}

const char *
nhn_region_name(const struct nhn_region_config *config)
{
	return config->path != NULL ? config->path : "The received memfd";
}

const char *
nhn_region_type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFCHR:
		return "a character device";
	case S_IFBLK:
		return "a block device";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "of an unknown type";
	}
}

int
nhn_region_reopen(int fd, enum nhn_region_access access)
{
	char path[40];
	int opened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, O_CLOEXEC | (access == NHN_REGION_READ_ONLY ? O_RDONLY : O_RDWR));
	return opened >= 0 ? opened : -errno;
}

static int
set_lock(int fd, short type, int64_t byte)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

int
nhn_region_lock(int fd, int64_t byte)
{
	return set_lock(fd, F_WRLCK, byte);
}

int
nhn_region_unlock(int fd, int64_t byte)
{
	return set_lock(fd, F_UNLCK, byte);
}

int
nhn_region_take_role(const struct nhn_region_config *config, int fd, const char *name)
{
	int rc;

	if (config->lock_byte < 0)
		return 0;
	rc = nhn_region_lock(fd, config->lock_byte);
	if (rc == -EBUSY)
		return nhn_region_refuse(
			config, EBUSY,
			"%s: another process already holds this role (lock on byte %" PRId64
			"), and there must be one process per role; stop the other one, or use"
			" another file.",
			name, config->lock_byte);
	if (rc != 0)
		return nhn_region_refuse(config, -rc,
					 "%s: byte %" PRId64
					 " cannot be locked (%m), and a role needs its lock;"
					 " use a local file system.",
					 name, config->lock_byte);
	return 0;
}

static bool
size_possible(uint64_t size)
{
	return size >= NHN_REGION_SIZE_MIN && size <= (uint64_t)PTRDIFF_MAX &&
	       (size & (size - 1)) == 0;
}

int
nhn_region_check_length(const struct nhn_region_config *config, uint64_t length, const char *name)
{
	if (config->size != 0 && length != config->size)
		return nhn_region_refuse(config, EINVAL,
					 "%s: it has %" PRIu64 " bytes, and %" PRIu64
					 " were asked for; ask for its"
					 " size (or for 0), or remove it and start again.",
					 name, length, config->size);
	if (!size_possible(length))
		return nhn_region_refuse(
			config, EINVAL,
			"%s: it has %" PRIu64 " bytes, and a power of two of at least %" PRIu64
			" was expected, as for any PCI BAR; make it anew with such a size.",
			name, length, NHN_REGION_SIZE_MIN);
	return 0;
}

int64_t
nhn_region_huge_page(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return -errno;
	return (unsigned long)fs.f_type == HUGETLBFS_MAGIC ? (int64_t)fs.f_bsize : 0;
}

int
nhn_region_reserve(const struct nhn_region_config *config, int fd, const struct stat *st,
		   uint64_t length, const char *name)
{
	int rc;

	if ((uint64_t)st->st_blocks * 512 >= length)
		return 0;
	do {
		rc = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)length) == 0 ? 0 : errno;
	} while (rc == EINTR);
	if (rc == 0)
		return 0;
	if (rc == EOPNOTSUPP)
		return nhn_region_refuse(
			config, rc,
			"%s: its file system cannot reserve room, and without that a full one"
			" would end in SIGBUS; use tmpfs, hugetlbfs, ext4 or xfs.",
			name);
	return nhn_region_refuse(
		config, rc, "%s: %" PRIu64 " bytes could not be reserved (%m); %s.", name, length,
		nhn_region_huge_page(fd) > 0
			? "free huge pages, or raise nr_hugepages for this page size"
			: "free memory or room in this file system, or ask for a smaller size");
}

void
nhn_region_config_init(struct nhn_region_config *config)
{
	*config = (struct nhn_region_config){
		.kind = NHN_REGION_FILE,
		.access = NHN_REGION_READ_WRITE,
		.fd = -1,
		.group = (gid_t)-1,
		.lock_byte = -1,
	};
}

static int
check_config(const struct nhn_region_config *config)
{
	if (config->access != NHN_REGION_READ_WRITE && config->access != NHN_REGION_READ_ONLY)
		return nhn_region_refuse(
			config, EINVAL,
			"The access %d asked for a region is unknown; use one of enum"
			" nhn_region_access.",
			(int)config->access);
	if (config->size != 0 && !size_possible(config->size))
		return nhn_region_refuse(
			config, EINVAL,
			"A region of %" PRIu64 " bytes was asked for, and a power of two of at"
			" least %" PRIu64 " was expected, as for any PCI BAR; choose such a size.",
			config->size, NHN_REGION_SIZE_MIN);
	if (config->offset % NHN_REGION_OFFSET_ALIGN != 0 ||
	    config->offset > (uint64_t)INT64_MAX / 2 ||
	    (config->offset != 0 && config->kind != NHN_REGION_FILE))
		return nhn_region_refuse(config, EINVAL,
					 "A region was asked for at offset %" PRIu64
					 ", and a multiple of %" PRIu64
					 " was expected, of a file; choose such an offset, or 0.",
					 config->offset, NHN_REGION_OFFSET_ALIGN);
	if (config->lock_byte < -1 || config->lock_byte > NHN_REGION_LOCK_BYTE_MAX)
		return nhn_region_refuse(config, EINVAL,
					 "The lock byte %" PRId64
					 " asked for a region is outside -1 to %" PRId64
					 "; choose one inside.",
					 config->lock_byte, NHN_REGION_LOCK_BYTE_MAX);
	if (config->access == NHN_REGION_READ_ONLY && config->lock_byte >= 0)
		return nhn_region_refuse(config, EINVAL,
					 "A read-only region was asked to lock byte %" PRId64
					 ", and a write lock"
					 " needs a writable file; lock the file this side writes.",
					 config->lock_byte);
	if (config->path == NULL && config->kind != NHN_REGION_MEMFD)
		return nhn_region_refuse(
			config, EINVAL,
			"A region was asked for without a path; give the file or the PCI address.");
	return 0;
}

static int
map(struct nhn_region *region, const struct nhn_region_config *config)
{
	const char *name = nhn_region_name(config);
	int prot = PROT_READ;
	void *base;

	if (config->access == NHN_REGION_READ_WRITE)
		prot |= PROT_WRITE;
	base = mmap(NULL, (size_t)region->length, prot, MAP_SHARED | MAP_POPULATE, region->fd,
		    (off_t)config->offset);
	if (base != MAP_FAILED) {
		region->base = base;
		return 0;
	}
	if (config->kind != NHN_REGION_PCI)
		return nhn_region_refuse(config, errno,
					 "%s: %" PRIu64
					 " bytes could not be mapped (%m); look at the limits of"
					 " this process's address space and locked memory.",
					 name, region->length);
	if (errno == EPERM)
		return nhn_region_refuse(
			config, EPERM,
			"%s: the kernel forbids mapping BAR2 through sysfs (%m), as it does when"
			" locked down; use vfio-pci and the PMD's mapping.",
			name);
	return nhn_region_refuse(
		config, errno,
		"%s: BAR2 could not be mapped (%m), as when another driver holds it; unbind that"
		" driver, or use the PMD's mapping (rte_pmd_nahanni_link_get).",
		name);
}

static void
give_back(struct nhn_region *region)
{
	/* The mapping holds the open file, hence its lock: both have to go. */
	if (region->base != NULL)
		munmap(region->base, (size_t)region->length);
	if (region->fd >= 0)
		close(region->fd);
	*region = (struct nhn_region){.fd = -1};
}

/* Nobody shortens a device, and its mapping cannot be replaced by the page. */
static bool
is_device(const struct nhn_region *region)
{
	struct stat st;

	return fstat(region->fd, &st) == 0 && S_ISCHR(st.st_mode);
}

int
nhn_region_open(struct nhn_region *region, const struct nhn_region_config *config)
{
	int rc;

	if (region == NULL)
		return -EINVAL;
	*region = (struct nhn_region){.fd = -1};
	if (config == NULL)
		return -EINVAL;
	rc = check_config(config);
	if (rc != 0)
		return rc;
	region->access = config->access;
	switch (config->kind) {
	case NHN_REGION_FILE:
		rc = nhn_region_file_open(region, config);
		break;
	case NHN_REGION_MEMFD:
		rc = nhn_region_memfd_open(region, config);
		break;
	case NHN_REGION_PCI:
		rc = nhn_region_pci_open(region, config);
		break;
	default:
		rc = nhn_region_refuse(
			config, EINVAL,
			"The kind %d of a region is unknown; use one of enum nhn_region_kind.",
			(int)config->kind);
	}
	if (rc == 0)
		rc = map(region, config);
	if (rc == 0 && config->survive_truncation && !is_device(region))
		rc = nhn_region_sigbus_watch(region, config);
	if (rc != 0)
		give_back(region);
	return rc;
}

void
nhn_region_close(struct nhn_region *region)
{
	/* A zeroed region has fd 0, which is somebody else's: only base tells. */
	if (region == NULL || region->base == NULL)
		return;
	nhn_region_sigbus_unwatch(region);
	give_back(region);
}
