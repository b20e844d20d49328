/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_REGION_H
#define NHN_REGION_H

/**
 * @file
 * Where shared bytes come from: a file, a hugetlbfs file, a memfd or BAR2 of
 * an ivshmem device through sysfs. A region is bytes and nothing else: what
 * lies in them is the business of the layers that are given `base`.
 *
 * All calls are control work: they call the kernel and may block on the disk.
 * There is no state outside the structures passed in, so regions may be opened
 * and closed by any threads at once; one `struct nhn_region` belongs to one
 * thread at a time. The bytes at `base` may be used by any thread until
 * nhn_region_close(). The log callback runs in the calling thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Smallest region, in bytes. Each size is a power of two, as a PCI BAR is. */
#define NHN_REGION_SIZE_MIN ((uint64_t)64 * 1024)

/** Size of a created file or memfd when the config asks for 0 bytes. */
#define NHN_REGION_SIZE_DEFAULT ((uint64_t)16 * 1024 * 1024)

/** Mode of a created file when the config asks for mode 0. */
#define NHN_REGION_MODE_DEFAULT 0600

/**
 * Largest `lock_byte`. The byte above it is locked for the moment in which a
 * file gets its size, so that two creators cannot both give it one.
 */
#define NHN_REGION_LOCK_BYTE_MAX (INT64_MAX - 1)

/** Where the bytes come from. */
enum nhn_region_kind {
	NHN_REGION_FILE,  /**< A regular file, also on tmpfs or hugetlbfs. */
	NHN_REGION_MEMFD, /**< A sealed memfd, made here or received. */
	NHN_REGION_PCI,	  /**< BAR2 of an ivshmem device through sysfs. */
};

/** What this process may do with the bytes. */
enum nhn_region_access {
	NHN_REGION_READ_WRITE,
	/** Opened and mapped for reading only: a store raises SIGSEGV. */
	NHN_REGION_READ_ONLY,
};

/**
 * What to open. Start from nhn_region_config_init(): zero is a meaningful file
 * descriptor and a meaningful lock byte. Read during nhn_region_open() only.
 */
struct nhn_region_config {
	enum nhn_region_kind kind;
	enum nhn_region_access access;
	/**
	 * FILE: the backing file.
	 * PCI: an address such as "0000:00:03.0", or, when it contains a
	 * slash, the device's sysfs folder.
	 * MEMFD: the name of one to create; NULL with `fd` >= 0.
	 */
	const char *path;
	/**
	 * MEMFD received from elsewhere, else -1; ignored for other kinds. It
	 * is opened anew through /proc/self/fd, so the caller keeps it, may
	 * close it at once, and a role lock is not shared with its sender.
	 */
	int fd;
	/**
	 * Bytes, a power of two, at least NHN_REGION_SIZE_MIN. 0: what exists,
	 * or NHN_REGION_SIZE_DEFAULT when something is created. Name the size
	 * of a memfd whose sender is not trusted: opening it takes the memory.
	 */
	uint64_t size;
	/**
	 * FILE: create it when missing, and give a size to an empty one.
	 * Needs NHN_REGION_READ_WRITE.
	 */
	bool create;
	/**
	 * FILE: permission bits of a created file, whatever the umask; 0 means
	 * NHN_REGION_MODE_DEFAULT. An empty file that is given a size gets a
	 * mode that is not 0, and keeps its own otherwise.
	 */
	mode_t mode;
	/**
	 * An open-file-description write lock is held on this byte until
	 * nhn_region_close() or the end of the process; -1: none. At most
	 * NHN_REGION_LOCK_BYTE_MAX; it may lie behind the end. Needs
	 * NHN_REGION_READ_WRITE, since a write lock needs a writable file. A
	 * child of fork() holds it too until it exits, closes or execs.
	 */
	int64_t lock_byte;
	/**
	 * Called at most a few times by a failing open, each time with one
	 * complete sentence: what was found, what was expected, the remedy.
	 * NULL: silent. The sentence is valid during the call only.
	 */
	void (*log)(void *context, const char *sentence);
	void *log_context;
	/** PCI: where sysfs is; NULL means "/sys". For tests. */
	const char *sysfs_root;
};

/** An open region; all members are for reading. Closed: base NULL, fd -1. */
struct nhn_region {
	uint8_t *base;	 /**< First byte, page-aligned. */
	uint64_t length; /**< Bytes, a power of two. */
	enum nhn_region_access access;
	int fd; /**< For passing on or fstat(); owned by the region. */
};

/**
 * Fill a config with: read-write file, no path, no fd, the size that exists,
 * no creation, default mode, no lock, silent.
 */
void nhn_region_config_init(struct nhn_region_config *config);

/**
 * Find, check, lock and map the bytes. They are mapped shared and populated;
 * memory that a writable file or memfd lacks is reserved before, so that
 * shortage is an error here and no SIGBUS later. Existing bytes and an existing
 * length are never changed, except that with `create` an empty file gets a
 * size. A file that was created here and could not get its size is removed.
 *
 * Another process may still shorten a file afterwards and so cause SIGBUS here:
 * only a memfd is sealed against that. Hence the owner of a file must be this
 * process's effective user or root (root accepts any owner).
 *
 * @return
 *   0, or with *region closed one of
 *   -EINVAL: the config contradicts itself; the size is none a region can
 *     have, or not the one asked for; the path is a device, FIFO or socket;
 *   -ENOENT: no such file, folder or PCI device;
 *   -EACCES: no permission;
 *   -EPERM: owned by another user; a received descriptor is not sealed against
 *     shrinking, or is sealed against the writing asked for; the kernel is
 *     locked down;
 *   -ELOOP: the path is a symbolic link;
 *   -EISDIR: the path is a directory;
 *   -EBUSY: another holder of `lock_byte`; a PCI device held by vfio-pci;
 *   -EAGAIN: the file is empty, or just being created: try again;
 *   -ENOSPC, -EDQUOT, -ENOMEM: no room in the file system, no huge pages, or
 *     a memfd larger than the machine's memory;
 *   -EOPNOTSUPP: a file system that cannot reserve room;
 *   -ENODEV: the PCI device is no ivshmem device;
 *   -ENXIO: the PCI device does not answer memory accesses;
 *   or another error of the system call that failed.
 */
int nhn_region_open(struct nhn_region *region, const struct nhn_region_config *config);

/**
 * Unmap, and close the descriptor, which gives up the lock. Accepts NULL, a
 * zeroed region, one whose open failed, and one already closed. Files stay.
 */
void nhn_region_close(struct nhn_region *region);

#ifdef __cplusplus
}
#endif

#endif /* NHN_REGION_H */
