/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_REGION_INTERNAL_H
#define NHN_REGION_INTERNAL_H

#include <sys/stat.h>

#include "nhn_region.h"

/* Locked while an empty file gets its size; see NHN_REGION_LOCK_BYTE_MAX. */
#define NHN_REGION_SIZING_BYTE INT64_MAX

/*
 * Log one sentence; returns -error, which is 0 for what is told only. "%m" in
 * the format is the error's text.
 */
int nhn_region_refuse(const struct nhn_region_config *config, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* How sentences call what the config names. */
const char *nhn_region_name(const struct nhn_region_config *config);

/* Name of a file type, with its article. */
const char *nhn_region_type_name(mode_t mode);

/* May a region's file have this mode? See nhn_region_mode_parse(). */
bool nhn_region_mode_possible(mode_t mode);

/*
 * The file behind a descriptor as an open file description of our own, whatever
 * its path names by now; or -errno.
 */
int nhn_region_reopen(int fd, enum nhn_region_access access);

/* 0, -EBUSY when another open file description holds the byte, or -errno. */
int nhn_region_lock(int fd, int64_t byte);
int nhn_region_unlock(int fd, int64_t byte);

/* Take config->lock_byte, if any. `name` is how sentences call the file. */
int nhn_region_take_role(const struct nhn_region_config *config, int fd, const char *name);

/* Is this length one a region can have, and the one asked for? */
int nhn_region_check_length(const struct nhn_region_config *config, uint64_t length,
			    const char *name);

/* The size of a huge page when the file is on hugetlbfs, 0 when not, or -errno. */
int64_t nhn_region_huge_page(int fd);

/*
 * Have the file system set aside `length` bytes; neither the file's bytes nor
 * its length change. Does nothing when *st shows that they are there.
 */
int nhn_region_reserve(const struct nhn_region_config *config, int fd, const struct stat *st,
		       uint64_t length, const char *name);

/* Does the path name a device-dax node? */
bool nhn_region_dax_named(const struct nhn_region_config *config);

/*
 * The back ends: each sets region->fd as soon as it has one, and region->length.
 * On failure the caller closes region->fd.
 */
int nhn_region_file_open(struct nhn_region *region, const struct nhn_region_config *config);
int nhn_region_dax_open(struct nhn_region *region, const struct nhn_region_config *config);
int nhn_region_memfd_open(struct nhn_region *region, const struct nhn_region_config *config);
int nhn_region_pci_open(struct nhn_region *region, const struct nhn_region_config *config);

/*
 * Survive SIGBUS in this region, from its opening until it is unwatched, which
 * comes before its unmapping; a region that is not watched may be unwatched.
 */
int nhn_region_sigbus_watch(const struct nhn_region *region,
			    const struct nhn_region_config *config);
void nhn_region_sigbus_unwatch(const struct nhn_region *region);

/* Was a SIGBUS in this watched region survived? */
bool nhn_region_sigbus_survived(const struct nhn_region *region);

#endif /* NHN_REGION_INTERNAL_H */
