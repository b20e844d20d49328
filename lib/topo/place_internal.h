/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_PLACE_INTERNAL_H
#define NHN_PLACE_INTERNAL_H

#include "nhn_place.h"

/* Log one sentence; returns -error. "%m" in the format is the error's text. */
int nhn_place_refuse(const struct nhn_place_config *config, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What /proc/self/smaps tells of a range. */
struct nhn_place_mapping {
	uint64_t mapped;     /* bytes of the range */
	uint64_t page_bytes; /* the smallest; 0: nothing is mapped */
	uint64_t thp_bytes;
	bool hugetlb;  /* all of it */
	bool device;   /* any of it */
	bool writable; /* all of it */
	bool locked;   /* all of it */
};

/* 0 or -errno. */
int nhn_place_look_up(const void *base, uint64_t length, struct nhn_place_mapping *mapping);

/*
 * Count the pages of result->length bytes by node, as move_pages tells; -errno
 * when the kernel does not, and then nothing is counted.
 */
int nhn_place_count(void *base, struct nhn_place_result *result);

#endif /* NHN_PLACE_INTERNAL_H */
