/* SPDX-License-Identifier: BSD-3-Clause */
/* The file as a whole: who may write it, its sections in turn, complaints. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "say.h"

int
config_complain(const struct config *config, struct config_spot spot, const char *format, ...)
{
	char sentence[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	say("%s:%u: %s", config->path, locate(config->path, spot), sentence);
	return -EINVAL;
}

/** Who can write it has the daemon open any file, as a user that may open more. */
static int
file_check(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0) {
		say("%s: the configuration cannot be read (%s), expected a file: correct"
		    " --config.",
		    path, strerror(errno));
		return -ENOENT;
	}
	if (!S_ISREG(status.st_mode)) {
		say("%s: the configuration is no regular file, expected one: correct --config.",
		    path);
		return -EINVAL;
	}
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    (status.st_uid == 0 || status.st_uid == geteuid()))
		return 0;
	say("%s: the configuration has owner %u and mode %o, expected root or this user as its"
	    " owner and nobody else who may write it: chown and chmod go-w it.",
	    path, (unsigned int)status.st_uid, (unsigned int)status.st_mode & 0777);
	return -EPERM;
}

/** A section by its heading. */
static int
section_take(struct config *config, int section, char *heading,
	     const struct rte_cfgfile_entry *entries, int count)
{
	const struct config_spot spot = {.section = section, .entry = -1};
	const char *name = heading + strlen("link ");

	if (section == 0) { /* before the first heading */
		const struct config_spot first = {.section = 0, .entry = 0};

		return count == 0 ? 0
				  : config_complain(config, first,
						    "the key %s stands in no section, expected"
						    " [worker] or [link NAME] above it.",
						    entries[0].name);
	}
	if (strcmp(heading, "worker") == 0)
		return config_take_worker(config, section, entries, count);
	if (strncmp(heading, "link ", strlen("link ")) != 0)
		return config_complain(config, spot,
				       "the section [%s] is unknown, expected [worker] or"
				       " [link NAME].",
				       heading);
	while (*name == ' ' || *name == '\t')
		name++;
	return config_take_link(config, section, name, entries, count);
}

static int
section_read(struct config *config, struct rte_cfgfile *file, int section)
{
	char heading[CFG_NAME_LEN];
	int count = rte_cfgfile_section_num_entries_by_index(file, heading, section);
	struct rte_cfgfile_entry *entries = calloc((size_t)count + 1, sizeof(*entries));
	int ret;

	if (entries == NULL)
		return -ENOMEM;
	rte_cfgfile_section_entries_by_index(file, section, heading, entries, count);
	ret = section_take(config, section, heading, entries, count);
	free(entries);
	return ret;
}

static int
sections_read(struct config *config, struct rte_cfgfile *file)
{
	int sections = rte_cfgfile_num_sections(file, NULL, 0);
	int i;
	int ret = 0;

	config->links = calloc((size_t)sections, sizeof(*config->links));
	if (config->links == NULL)
		return -ENOMEM;
	config->worker_spot.entry = -1;
	for (i = 0; i < sections && ret == 0; i++)
		ret = section_read(config, file, i);
	if (ret != 0)
		return ret;
	if (config->worker_spot.section == 0) {
		say("%s: the section [worker] is missing, expected it with lcores=LIST.",
		    config->path);
		return -EINVAL;
	}
	return config_check(config);
}

int
config_load(struct config *config, const char *path)
{
	/* What stands before the first section, and empty values, are complained of here. */
	const int flags = CFG_FLAG_GLOBAL_SECTION | CFG_FLAG_EMPTY_VALUES;
	struct rte_cfgfile *file;
	const char *why;
	uint32_t line;
	int ret;

	memset(config, 0, sizeof(*config));
	config->path = path;
	ret = file_check(path);
	if (ret != 0)
		return ret;
	line = locate_unreadable(path, &why);
	if (line != 0) {
		say("%s:%u: %s.", path, line, why);
		return -EINVAL;
	}
	file = rte_cfgfile_load(path, flags);
	if (file == NULL) {
		say("%s: the configuration cannot be read (%s), expected a file that this user"
		    " may read.",
		    path, strerror(errno));
		return -EINVAL;
	}
	ret = sections_read(config, file);
	rte_cfgfile_close(file);
	if (ret != 0)
		config_free(config);
	return ret;
}

void
config_free(struct config *config)
{
	free(config->links);
	memset(config, 0, sizeof(*config));
}
