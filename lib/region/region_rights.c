/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "region_internal.h"

/* A group's entry names its members: large ones need much, none needs this. */
#define GROUP_BYTES_MIN ((size_t)4 * 1024)
#define GROUP_BYTES_MAX ((size_t)16 * 1024 * 1024)

bool
nhn_region_mode_possible(mode_t mode)
{
	const mode_t owner = S_IRUSR | S_IWUSR;

	return (mode & ~(mode_t)0777) == 0 && (mode & owner) == owner && (mode & S_IWOTH) == 0;
}

int
nhn_region_mode_parse(const char *text, mode_t *mode)
{
	size_t digits = text != NULL ? strspn(text, "01234567") : 0;
	mode_t value;

	if (digits < 3 || digits > 4 || text[digits] != '\0')
		return -EINVAL;
	value = (mode_t)strtoul(text, NULL, 8);
	if (!nhn_region_mode_possible(value))
		return -EINVAL;
	*mode = value;
	return 0;
}

/* 0, -ENOENT when no group has this name, or -errno. */
static int
find_group(const char *name, gid_t *group)
{
	struct group entry, *found;
	size_t bytes;
	char *room;
	int rc = ERANGE;

	for (bytes = GROUP_BYTES_MIN; rc == ERANGE && bytes <= GROUP_BYTES_MAX; bytes *= 4) {
		room = malloc(bytes);
		if (room == NULL)
			return -ENOMEM;
		rc = getgrnam_r(name, &entry, room, bytes, &found);
		if (rc == 0 && found != NULL)
			*group = entry.gr_gid;
		/* The sources of names differ in how they say "not here". */
		else if (rc == 0 || rc == ESRCH || rc == EBADF || rc == EPERM)
			rc = ENOENT;
		free(room);
	}
	return -rc;
}

int
nhn_region_group_parse(const char *text, gid_t *group)
{
	unsigned long long number;
	int rc;

	if (text == NULL || text[0] == '\0')
		return -EINVAL;
	rc = find_group(text, group);
	if (rc == 0 || text[strspn(text, "0123456789")] != '\0')
		return rc;
	number = strtoull(text, NULL, 10);
	/* The last one is no group: it stands for "leave as it is". */
	if (number >= (gid_t)-1)
		return -EINVAL;
	*group = (gid_t)number;
	return 0;
}
