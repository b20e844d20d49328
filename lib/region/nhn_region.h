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
 * Regions may be opened, checked and closed by any threads at once; one `struct
 * nhn_region` belongs to one thread at a time, and may be copied or moved by
 * it: the copies are one region, to be closed once. The bytes at `base` may be
 * used by any thread until nhn_region_close(). The log callback runs in the
 * calling thread. The only state outside the structures passed in belongs to
 * `survive_truncation`: a table of regions and one signal handler a process.
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

/** Each `offset` is a multiple of this: what device-dax needs, and most hugepages. */
#define NHN_REGION_OFFSET_ALIGN ((uint64_t)2 * 1024 * 1024)

/** Mode of a created file when the config asks for mode 0. */
#define NHN_REGION_MODE_DEFAULT 0600

/**
 * Largest `lock_byte`. The byte above it is locked for the moment in which a
 * file gets its size, so that two creators cannot both give it one.
 */
#define NHN_REGION_LOCK_BYTE_MAX (INT64_MAX - 1)

/** Regions with `survive_truncation` that may be open in a process at once. */
#define NHN_REGION_SURVIVORS_MAX 256

/** Where the bytes come from. */
enum nhn_region_kind {
	/** A regular file, also on tmpfs or hugetlbfs; or a device-dax node. */
	NHN_REGION_FILE,
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
 * descriptor and a meaningful lock byte. Read during nhn_region_open() and
 * nhn_region_check() only.
 */
struct nhn_region_config {
	enum nhn_region_kind kind;
	enum nhn_region_access access;
	/**
	 * FILE: the backing file; or a device-dax node such as "/dev/dax0.0",
	 * by which a guest maps the backing file of an nvdimm write-back. A
	 * node has its size, is never created, and cannot be shortened.
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
	 * FILE: where the region begins, a multiple of NHN_REGION_OFFSET_ALIGN;
	 * the file has this and `size` bytes. For the backing file of an nvdimm,
	 * whose first 2 MiB are its namespace's own: a guest's device-dax node
	 * begins behind them.
	 */
	uint64_t offset;
	/**
	 * FILE: create it when missing, and give a size to an empty one. With
	 * NHN_REGION_READ_ONLY that is done by a descriptor of its own, which
	 * is closed again: the file is then open and mapped for reading only,
	 * as the reader of a file needs it whose writer cannot create it.
	 */
	bool create;
	/**
	 * FILE: permission bits of a created file, whatever the umask; 0 means
	 * NHN_REGION_MODE_DEFAULT. Its owner must be able to read and write,
	 * and others must not write. An empty file that is given a size gets a
	 * mode that is not 0, and keeps its own otherwise. Whoever may write
	 * the file may also shorten it: see `survive_truncation`.
	 */
	mode_t mode;
	/**
	 * FILE: group of a created file, or of an empty one that is given a
	 * size; (gid_t)-1: as it comes. Needs a mode with bits for the group,
	 * such as 0660, to be of use; this user must be a member, or root.
	 */
	gid_t group;
	/**
	 * An open-file-description write lock is held on this byte until
	 * nhn_region_close() or the end of the process; -1: none. At most
	 * NHN_REGION_LOCK_BYTE_MAX; it may lie behind the end. Needs
	 * NHN_REGION_READ_WRITE, since a write lock needs a writable file. A
	 * child of fork() holds it too until it exits, closes or execs.
	 */
	int64_t lock_byte;
	/**
	 * Go on when the memory goes away under the mapping: the file was
	 * shortened, or the PCI device unplugged. Without it the first touch
	 * of a byte that is no longer there ends the process by SIGBUS. With
	 * it, that touch replaces the region's bytes from that page to the end
	 * by zeros of this process's own, for good; nhn_region_check() tells.
	 * A thread that blocks SIGBUS ends the process all the same. Without
	 * effect on a device-dax node.
	 *
	 * False by default, since it installs a handler of SIGBUS for the whole
	 * process while such a region is open. Every SIGBUS that is not ours is
	 * handed to the handler that was there before, or ends the process as
	 * it would have. Install other handlers before the first such region is
	 * opened, with rte_dev_hotplug_handle_enable() among them: one that
	 * comes later must hand on all three arguments of what it does not
	 * know, which that of DPDK's EAL does not on x86-64. An open that finds
	 * such a one succeeds, and says so by `log`.
	 */
	bool survive_truncation;
	/**
	 * Called at most a few times by a failing open or check, and by an open
	 * that cannot promise survival, each time with one complete sentence:
	 * what was found, what was expected, the remedy. NULL: silent. The
	 * sentence is valid during the call only.
	 */
	void (*log)(void *context, const char *sentence);
	void *log_context;
	/** PCI, device-dax: where sysfs is; NULL means "/sys". For tests. */
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
 * no creation, default mode and group, no lock, no handler of SIGBUS, silent.
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
 * process's effective user or root (root accepts any owner), and a file that
 * others may write is refused; members of its group are trusted. Who cannot
 * trust them sets `survive_truncation`.
 *
 * @return
 *   0, or with *region closed one of
 *   -EINVAL: the config contradicts itself; the size is none a region can
 *     have, or not the one asked for; the path is a device, FIFO or socket;
 *   -ENOENT: no such file, folder or PCI device;
 *   -EACCES: no permission;
 *   -EPERM: owned by another user; others may write it; this user may not give
 *     it `group` or `mode`; a received descriptor is not sealed against
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
 *   -EMFILE: more than NHN_REGION_SURVIVORS_MAX regions that survive, or the
 *     limit of open files;
 *   or another error of the system call that failed.
 */
int nhn_region_open(struct nhn_region *region, const struct nhn_region_config *config);

/**
 * Are the bytes still those that were opened? Two system calls when they are:
 * for a control step, several times a second at most. `config` is the one of
 * nhn_region_open(), its path meaning the same as then; its log is told.
 *
 * The answer is about this moment: a file shortened after it is found by the
 * next call. Without `survive_truncation` the call is a warning that may come
 * in time; with it, it also tells what happened between two calls. A path that
 * this process can no longer look at, as after giving up rights, proves
 * nothing: that is 0.
 *
 * @return
 *   0: as opened, as far as can be told; of memfd and PCI only touches that
 *     `survive_truncation` survived are known;
 *   -EIO: the file is shorter than the mapping, or a touch was survived;
 *   -ESTALE: the path names another file now, or none: a peer that opens it
 *     does not meet this region;
 *   -EINVAL: no open region.
 */
int nhn_region_check(const struct nhn_region *region, const struct nhn_region_config *config);

/**
 * Unmap, and close the descriptor, which gives up the lock. Accepts NULL, a
 * zeroed region, one whose open failed, and one already closed. Files stay.
 */
void nhn_region_close(struct nhn_region *region);

/** From this on nhn_region_load_ns() tells of memory that is not cached: a cache answers in 2. */
#define NHN_REGION_LOAD_UNCACHED_NS 50

/**
 * How long a load of the mapped bytes takes: some hundred loads of one line, each
 * after the one before, so that a cache that may hold it does. A processor that
 * takes the mapping for uncached, as one may a PCI BAR, goes to the bus each time.
 * Ends within a millisecond where a load takes less than 2 us; stores nothing.
 *
 * @param line   of the region, aligned to 4 bytes; one to which nobody stores while the
 *   two sides run, lest the peer be disturbed: the line of a link's static header.
 * @param now_ns a clock; NULL: CLOCK_MONOTONIC.
 * @return ns a load, rounded up; the median of 15 spans of 32 loads.
 */
uint32_t nhn_region_load_ns(const void *line, uint64_t (*now_ns)(void *context), void *context);

/**
 * A text such as "660" or "0640" as the `mode` of a config.
 *
 * @return
 *   0, or with *mode unchanged -EINVAL: not 3 or 4 octal digits, bits beyond
 *   0777, an owner who cannot read and write, or others who can write.
 */
int nhn_region_mode_parse(const char *text, mode_t *mode);

/**
 * A group's name, or else its number, as the `group` of a config. Asks the
 * system's group database, which may be a network away.
 *
 * @return
 *   0, or with *group unchanged
 *   -ENOENT: neither a known name nor a number;
 *   -EINVAL: no text, or a number that is no group;
 *   or another error of the database.
 */
int nhn_region_group_parse(const char *text, gid_t *group);

#ifdef __cplusplus
}
#endif

#endif /* NHN_REGION_H */
