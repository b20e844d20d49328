/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The files of a link: one of both areas (joint), or one an area (split).
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>

#include <nhn_link.h>
#include <nhn_region.h>

#include "options.h"

/** While the link is not up, its files are looked at this often. */
#define MEMORY_LOOK_NS UINT64_C(1000000000)

struct memory {
	struct nhn_region own; /**< joint: all */
	struct nhn_region_config own_config;
	struct nhn_region peer; /**< split: mapped for reading only */
	struct nhn_region_config peer_config;
};

/** @param link lives as long as the memory. @return 0, or -errno with a sentence said */
int memory_open(struct memory *memory, const struct link_option *link);
/** Accepts zeroed memory and memory whose open failed. */
void memory_close(struct memory *memory);

/** Fill in areas and role. */
void memory_areas(const struct memory *memory, enum nhn_role role, struct nhn_link_config *config);

/** Whether a file was truncated or replaced, which is then said. Calls the kernel. */
bool memory_lost(const struct memory *memory);

/**
 * Map the two words of limit=FILE, a line each. Whoever comes first creates the file, of
 * NHN_REGION_SIZE_MIN bytes; one that holds something else is refused.
 * @param memory zeroed; to be closed also where this fails
 * @param far the second word is the own one
 * @return 0, or -errno with a sentence said
 */
int words_open(struct memory *memory, const char *path, bool far, uint32_t **own,
	       const uint32_t NHN_FOREIGN **peer);

#endif /* MEMORY_H */
