/* SPDX-License-Identifier: BSD-3-Clause */

/* Whether the last-level cache is divided: Intel's and AMD's allocation by resctrl. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

#define RESCTRL "/sys/fs/resctrl"
#define DOMAINS_MAX 64

/* What a group may use of each L3, as its line "L3:0=ff0;1=ff0" has it. */
struct shares {
	unsigned int count;
	unsigned long domain[DOMAINS_MAX];
	uint64_t mask[DOMAINS_MAX];
};

static bool
shares_parse(const char *schemata, struct shares *shares)
{
	const char *line = schemata;

	shares->count = 0;
	for (;;) {
		line += strspn(line, " \t");
		if (strncmp(line, "L3:", 3) == 0 || strncmp(line, "L3DATA:", 7) == 0)
			break;
		line = strchr(line, '\n');
		if (line == NULL)
			return false;
		line++;
	}
	line = strchr(line, ':');
	while (*line == ':' || *line == ';') {
		char *end;

		if (shares->count == DOMAINS_MAX)
			return false;
		shares->domain[shares->count] = strtoul(line + 1, &end, 10);
		if (end == line + 1 || *end != '=')
			return false;
		line = end + 1;
		shares->mask[shares->count++] = strtoull(line, &end, 16);
		if (end == line)
			return false;
		line = end;
	}
	return shares->count > 0;
}

/* Of a group: "" is the one of all that is in no other. */
static bool
group_shares(const struct nhn_check *check, const char *group, struct shares *shares)
{
	char *text;
	bool good;

	if (nhn_check_read_all(check, &text, "sys/fs/resctrl/%s/schemata", group) != 0)
		return false;
	good = shares_parse(text, shares);
	free(text);
	return good;
}

static bool
shares_overlap(const struct shares *one, const struct shares *other)
{
	for (unsigned int i = 0; i < one->count; i++)
		for (unsigned int j = 0; j < other->count; j++)
			if (one->domain[i] == other->domain[j] &&
			    (one->mask[i] & other->mask[j]) != 0)
				return true;
	return false;
}

static int
is_group(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "info") != 0 &&
	       strcmp(entry->d_name, "mon_groups") != 0 && strcmp(entry->d_name, "mon_data") != 0;
}

/* The cores in use that groups have a part for that the default group does not reach. */
static struct check_cpus
cores_apart(const struct nhn_check *check, const struct shares *rest)
{
	struct check_cpus apart = {0}, cpus;
	char full[CHECK_PATH_MAX];
	struct dirent **groups;
	int count;

	if (!nhn_check_path(check, full, sizeof(full), RESCTRL))
		return apart;
	count = scandir(full, &groups, is_group, versionsort);
	for (int i = 0; i < count; i++) {
		const char *name = groups[i]->d_name;
		struct shares shares;

		if (strlen(name) < 128 &&
		    nhn_check_read_cpus(check, &cpus, "sys/fs/resctrl/%s/cpus_list", name) == 0 &&
		    group_shares(check, name, &shares) && !shares_overlap(&shares, rest))
			apart = nhn_check_cpus_or(&apart, &cpus);
		free(groups[i]);
	}
	if (count >= 0)
		free(groups);
	return apart;
}

/* Does the processor have it? The first processor's flags stand for all. */
static bool
can_allocate(const struct nhn_check *check)
{
	char *cpuinfo;
	bool can;

	if (nhn_check_read_all(check, &cpuinfo, "proc/cpuinfo") != 0)
		return false;
	can = strstr(cpuinfo, " cat_l3") != NULL;
	free(cpuinfo);
	return can;
}

static int
check_resctrl(struct nhn_check *check, struct nhn_check_result *result)
{
	struct check_cpus apart, open;
	struct shares rest;

	nhn_check_want(result, "a part of L3 for %s alone", check->machine.cores);
	if (!can_allocate(check))
		return nhn_check_skip(result,
				      "the processor does not divide its cache (no cat_l3)");
	if (!nhn_check_exists(check, "sys/fs/resctrl/schemata")) {
		nhn_check_remedy(result,
				 "mount -t resctrl resctrl " RESCTRL
				 "; then a group with these cores: doc/guides/nahanni-check");
		return nhn_check_warn(result, "resctrl is not mounted");
	}
	if (!group_shares(check, "", &rest))
		return nhn_check_skip_file(result, RESCTRL "/schemata", -EINVAL);
	apart = cores_apart(check, &rest);
	open = nhn_check_cpus_minus(&check->cores, &apart);
	if (nhn_check_cpus_empty(&open))
		return nhn_check_pass(result, "%s have parts of their own",
				      nhn_check_cpus_list(&check->cores).text);
	nhn_check_remedy(result,
			 "mkdir " RESCTRL "/nahanni; echo %s > " RESCTRL
			 "/nahanni/cpus_list; then masks in both schemata that do not overlap",
			 check->machine.cores);
	return nhn_check_warn(result, "%s share all of L3 with the rest",
			      nhn_check_cpus_list(&open).text);
}

const struct check_entry nhn_check_cache_table[] = {
	{{"resctrl", "the last-level cache is divided",
	  "Programs on other cores push our lines out of the cache that all share.", false},
	 check_resctrl},
	{{NULL, NULL, NULL, false}, NULL},
};
