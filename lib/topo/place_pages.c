/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place_internal.h"

/* Pages that are asked about in one system call. */
#define BATCH 1024

/* The part of the range that the mapping at hand has; 0: it is another's. */
struct part {
	uint64_t bytes;
	uint64_t page_bytes;
	uint64_t thp_bytes;
};

static uint64_t
overlap(uint64_t begin, uint64_t end, uint64_t first, uint64_t last)
{
	const uint64_t from = begin > first ? begin : first;
	const uint64_t to = end < last ? end : last;

	return from < to ? to - from : 0;
}

/* A line such as "KernelPageSize:        4 kB", as bytes. */
static bool
read_kib(const char *line, const char *name, uint64_t *bytes)
{
	const size_t length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != ':')
		return false;
	*bytes = strtoull(line + length + 1, NULL, 10) * 1024;
	return true;
}

/* VmFlags ends what is told of a mapping. */
static void
end_part(struct nhn_place_mapping *mapping, const struct part *part, const char *flags)
{
	if (mapping->page_bytes == 0 || part->page_bytes < mapping->page_bytes)
		mapping->page_bytes = part->page_bytes;
	/* Nothing tells where in the mapping they are. */
	mapping->thp_bytes += part->thp_bytes < part->bytes ? part->thp_bytes : part->bytes;
	mapping->mapped += part->bytes;
	mapping->hugetlb = mapping->hugetlb && strstr(flags, " ht") != NULL;
	mapping->writable = mapping->writable && strstr(flags, " wr") != NULL;
	/* The kernel never takes the pages of hugetlbfs away, and marks none. */
	mapping->locked =
		mapping->locked && (strstr(flags, " lo") != NULL || strstr(flags, " ht") != NULL);
	mapping->device =
		mapping->device || strstr(flags, " pf") != NULL || strstr(flags, " io") != NULL;
}

static void
read_line(const char *line, uint64_t first, uint64_t last, struct part *part,
	  struct nhn_place_mapping *mapping)
{
	uint64_t begin, end, bytes;
	char rights[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, rights) == 3)
		*part = (struct part){.bytes = overlap(begin, end, first, last)};
	else if (part->bytes == 0)
		return;
	else if (read_kib(line, "KernelPageSize", &bytes))
		part->page_bytes = bytes;
	else if (read_kib(line, "AnonHugePages", &bytes) ||
		 read_kib(line, "ShmemPmdMapped", &bytes) ||
		 read_kib(line, "FilePmdMapped", &bytes))
		part->thp_bytes += bytes;
	else if (strncmp(line, "VmFlags:", 8) == 0)
		end_part(mapping, part, line + 8);
}

int
nhn_place_look_up(const void *base, uint64_t length, struct nhn_place_mapping *mapping)
{
	const uint64_t first = (uintptr_t)base;
	FILE *file = fopen("/proc/self/smaps", "re");
	struct part part = {0};
	char *line = NULL;
	size_t size = 0;
	int rc;

	*mapping = (struct nhn_place_mapping){.hugetlb = true, .writable = true, .locked = true};
	if (file == NULL)
		return -errno;
	errno = 0;
	while (getline(&line, &size, file) >= 0)
		read_line(line, first, first + length, &part, mapping);
	rc = ferror(file) ? -EIO : 0;
	free(line);
	fclose(file);
	return rc;
}

static void
count_one(struct nhn_place_result *result, int status)
{
	if (status < 0)
		result->pages_absent++;
	else if (status < NHN_PLACE_NODES_MAX)
		result->pages_on[status]++;
	else
		result->pages_elsewhere++;
}

int
nhn_place_count(void *base, struct nhn_place_result *result)
{
	void *addresses[BATCH];
	int status[BATCH];
	uint8_t *next = base;

	for (uint64_t left = result->pages; left > 0;) {
		const unsigned int batch = left < BATCH ? (unsigned int)left : BATCH;

		for (unsigned int i = 0; i < batch; i++, next += result->page_bytes)
			addresses[i] = next;
		/* Without nodes to move to, it tells where the pages are. */
		if (move_pages(0, batch, addresses, NULL, status, 0) != 0)
			return -errno;
		for (unsigned int i = 0; i < batch; i++)
			count_one(result, status[i]);
		left -= batch;
	}
	return 0;
}
