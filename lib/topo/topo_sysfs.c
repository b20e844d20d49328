/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo_internal.h"

/* A number at *text, which is moved behind it; -1: none, or one too large. */
static long
parse_number(const char **text)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)**text))
		return -1;
	errno = 0;
	number = strtol(*text, &end, 10);
	if (errno != 0 || number > NHN_TOPO_CPU_MAX)
		return -1;
	*text = end;
	return number;
}

int
nhn_topo_list_parse(const char *text, hwloc_bitmap_t set)
{
	hwloc_bitmap_zero(set);
	/* Kernels write the list that was never set in this way. */
	text += strspn(text, " \n");
	if (*text == '\0' || strcmp(text, "(null)\n") == 0 || strcmp(text, "(null)") == 0)
		return 0;
	for (;;) {
		const long first = parse_number(&text);
		long last = first;

		if (*text == '-') {
			text++;
			last = parse_number(&text);
		}
		if (first < 0 || last < first)
			return -EINVAL;
		if (hwloc_bitmap_set_range(set, (unsigned int)first, (int)last) != 0)
			return -ENOMEM;
		if (*text != ',')
			break;
		text++;
	}
	return *text == '\0' || strcmp(text, "\n") == 0 ? 0 : -EINVAL;
}

int
nhn_topo_sysfs_read(const char *root, const char *name, char **text)
{
	char path[PATH_MAX];
	size_t size = 0;
	FILE *file;
	int rc = 0;

	*text = NULL;
	if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (file == NULL)
		return -errno;
	errno = 0;
	if (getline(text, &size, file) < 0) {
		rc = errno != 0 ? -errno : 0;
		/* An empty file is an empty line; what getline left is undefined. */
		free(*text);
		*text = rc == 0 ? strdup("") : NULL;
		if (rc == 0 && *text == NULL)
			rc = -ENOMEM;
	}
	fclose(file);
	if (rc == 0)
		(*text)[strcspn(*text, "\n")] = '\0';
	return rc;
}

/* The kernel's list of some cores as a set and, in its normal form, as a text. */
static int
read_list(const struct nhn_topo *topo, const struct nhn_topo_config *config, const char *name,
	  hwloc_bitmap_t set, char **list)
{
	char *text = NULL;
	int rc = topo->root != NULL ? nhn_topo_sysfs_read(topo->root, name, &text) : -ENOENT;

	/* A kernel without this kind of isolation has no such file. */
	hwloc_bitmap_zero(set);
	if (rc != 0 && rc != -ENOENT)
		return nhn_topo_refuse(config, -rc,
				       "%s/%s: it cannot be read (%m), and without it nobody knows"
				       " which cores are isolated; look at its permissions.",
				       topo->root, name);
	if (rc == 0)
		rc = nhn_topo_list_parse(text, set);
	else
		rc = 0;
	if (rc == -EINVAL)
		nhn_topo_refuse(config, EINVAL,
				"%s/%s: \"%s\" is no list of cores such as 2-3,5; is this sysfs?",
				topo->root, name, text);
	free(text);
	if (rc != 0)
		return rc;
	return hwloc_bitmap_list_asprintf(list, set) >= 0 ? 0 : -ENOMEM;
}

/*
 * May be narrower than the cpuset for two reasons. At boot the kernel takes the
 * isolated cores out of every affinity: then any core of the cpuset may be
 * asked for. Or somebody said what this process shall use: then that holds.
 */
static int
apply_affinity(const struct nhn_topo *topo, hwloc_const_bitmap_t isolated, hwloc_bitmap_t allowed)
{
	hwloc_bitmap_t affinity = hwloc_bitmap_alloc(), usual = hwloc_bitmap_alloc();
	int rc = -ENOMEM;

	if (affinity != NULL && usual != NULL)
		rc = hwloc_get_cpubind(topo->hwloc, affinity, HWLOC_CPUBIND_THREAD) == 0 ? 0
											 : -errno;
	if (rc == 0) {
		hwloc_bitmap_andnot(usual, allowed, isolated);
		if (!hwloc_bitmap_isincluded(usual, affinity) || hwloc_bitmap_iszero(usual))
			hwloc_bitmap_and(allowed, allowed, affinity);
	}
	hwloc_bitmap_free(affinity);
	hwloc_bitmap_free(usual);
	return rc;
}

static int
find_allowed(const struct nhn_topo *topo, const struct nhn_topo_config *config,
	     hwloc_const_bitmap_t isolated, hwloc_bitmap_t allowed)
{
	int rc;

	if (config->allowed != NULL) {
		rc = nhn_topo_list_parse(config->allowed, allowed);
		if (rc == -EINVAL)
			nhn_topo_refuse(config, EINVAL,
					"\"%s\" is no list of allowed cores; write one such as"
					" 2-3,5.",
					config->allowed);
		return rc;
	}
	if (hwloc_bitmap_copy(allowed, hwloc_topology_get_allowed_cpuset(topo->hwloc)) != 0)
		return -ENOMEM;
	if (!topo->this_machine)
		return 0;
	rc = apply_affinity(topo, isolated, allowed);
	if (rc != 0)
		nhn_topo_refuse(config, -rc, "This thread's affinity cannot be read (%m).");
	return rc;
}

int
nhn_topo_sysfs_isolation(struct nhn_topo *topo, const struct nhn_topo_config *config)
{
	hwloc_bitmap_t isolated = hwloc_bitmap_alloc();
	hwloc_bitmap_t nohz_full = hwloc_bitmap_alloc();
	hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
	int rc = -ENOMEM;

	if (isolated != NULL && nohz_full != NULL && allowed != NULL)
		rc = read_list(topo, config, "sys/devices/system/cpu/isolated", isolated,
			       &topo->isolated);
	if (rc == 0)
		rc = read_list(topo, config, "sys/devices/system/cpu/nohz_full", nohz_full,
			       &topo->nohz_full);
	if (rc == 0)
		rc = find_allowed(topo, config, isolated, allowed);
	for (unsigned int i = 0; rc == 0 && i < topo->cpus; i++) {
		const unsigned int number = (unsigned int)topo->cpu[i].cpu;

		topo->cpu[i].isolated = hwloc_bitmap_isset(isolated, number) != 0;
		topo->cpu[i].nohz_full = hwloc_bitmap_isset(nohz_full, number) != 0;
		topo->cpu[i].allowed = hwloc_bitmap_isset(allowed, number) != 0;
	}
	hwloc_bitmap_free(isolated);
	hwloc_bitmap_free(nohz_full);
	hwloc_bitmap_free(allowed);
	return rc;
}
