/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of runs. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_cfgfile.h>

#include "say.h"
#include "scenario.h"

/** The section of defaults. */
#define ALL "all"
/** What rte_cfgfile takes as a line; it ends at a longer one. */
#define LINE_BYTES (CFG_NAME_LEN + CFG_VALUE_LEN + 4)

/** A file that is being read. */
struct scenario {
	const char *path;
	struct rte_cfgfile *file;
	bool ethdev;
	struct settings defaults;
	struct settings *runs;
	unsigned int count;
};

/** A section of it. */
struct section {
	char name[CFG_NAME_LEN];
	char where[512]; /**< "FILE, [NAME]" */
	struct rte_cfgfile_entry *entries;
	int count;
};

/* ---- what rte_cfgfile would cut or skip ---- */

/** @return NULL: nothing is wrong with the line */
static const char *
line_wrong(const char *text)
{
	size_t length = strlen(text);
	const char *first = text + strspn(text, " \t\r\n");
	const char *equals = strchr(first, '=');

	if (length == LINE_BYTES - 1 && text[length - 1] != '\n')
		return "is too long, expected a value of less than 255 bytes: make two runs of it";
	if (*first == '\0' || *first == CFG_DEFAULT_COMMENT_CHARACTER)
		return NULL;
	if (*first == '[') {
		if (strchr(first, ']') == NULL)
			return "has a section whose name has no end, expected [NAME]";
		return strchr(first, ']') - first < (long)sizeof(((struct settings *)0)->name)
			       ? NULL
			       : "has a section with a long name, expected less than 47 bytes";
	}
	if (equals == NULL)
		return "is neither a section nor a key with its value, expected [NAME],"
		       " KEY = VALUE, or a comment behind ;";
	if (equals - first >= CFG_NAME_LEN || strlen(equals) > CFG_VALUE_LEN)
		return "is too long, expected a key of less than 64 and a value of less than 255"
		       " bytes: make two runs of it";
	return NULL;
}

static int
lines_check(const char *path)
{
	FILE *file = fopen(path, "r");
	const char *wrong = NULL;
	char text[LINE_BYTES];
	unsigned int line = 0;
	struct stat status;

	if (file == NULL || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
		say("The scenario %s cannot be read (%s), expected a file of runs, such as"
		    " config/ipc-perf-latency.cfg.",
		    path, file == NULL ? strerror(errno) : "it is no regular file");
		if (file != NULL)
			fclose(file);
		return -ENOENT;
	}
	while (wrong == NULL && fgets(text, sizeof(text), file) != NULL) {
		line++;
		wrong = line_wrong(text);
	}
	fclose(file);
	if (wrong == NULL)
		return 0;
	say("%s:%u: the line %s.", path, line, wrong);
	return -EINVAL;
}

/* ---- sections ---- */

static int
section_read(const struct scenario *scenario, int index, struct section *section)
{
	int count = rte_cfgfile_section_num_entries_by_index(scenario->file, section->name, index);

	section->entries = calloc((size_t)count + 1, sizeof(*section->entries));
	if (section->entries == NULL) {
		say("There is no memory for the scenario %s, expected some KiB: end other"
		    " programs.",
		    scenario->path);
		return -ENOMEM;
	}
	section->count = rte_cfgfile_section_entries_by_index(scenario->file, index, section->name,
							      section->entries, count);
	snprintf(section->where, sizeof(section->where), "%s, [%s]", scenario->path, section->name);
	return 0;
}

/** @param given gets the rows that the section sets */
static int
section_take(const struct section *section, struct settings *settings, uint64_t *given)
{
	int i, j;

	*given = 0;
	for (i = 0; i < section->count; i++) {
		const struct rte_cfgfile_entry *entry = &section->entries[i];

		for (j = 0; j < i; j++) {
			if (strcmp(entry->name, section->entries[j].name) != 0)
				continue;
			say("%s: %s is given twice, expected once: leave one out.", section->where,
			    entry->name);
			return -EINVAL;
		}
		if (setting_set(settings, section->where, entry->name, entry->value) != 0)
			return -EINVAL;
		*given |= UINT64_C(1) << (setting_find(entry->name) - settings_table);
	}
	return 0;
}

static int
name_check(const struct scenario *scenario, const struct section *section)
{
	unsigned int i;

	if (section->name[0] == '\0') {
		say("%s: a section has no name, expected [NAME].", scenario->path);
		return -EINVAL;
	}
	for (i = 0; i < scenario->count; i++) {
		if (strcmp(scenario->runs[i].name, section->name) != 0)
			continue;
		say("%s: the section is there twice, expected once: name a run in its own way.",
		    section->where);
		return -EINVAL;
	}
	return 0;
}

static int
run_take(struct scenario *scenario, const struct section *section)
{
	struct settings *run = &scenario->runs[scenario->count];
	uint64_t given;
	int ret = name_check(scenario, section);

	if (ret != 0)
		return ret;
	*run = scenario->defaults;
	snprintf(run->name, sizeof(run->name), "%.*s", (int)sizeof(run->name) - 1, section->name);
	ret = section_take(section, run, &given);
	if (ret != 0)
		return ret;
	if (run->engine == NULL) {
		say("%s: mode is %s, expected one that measures: start the far end by itself.",
		    section->where, MODE_PONG);
		return -EINVAL;
	}
	/* What [all] says and a mode does not use is no mistake. */
	ret = settings_check(run, section->where, given, scenario->ethdev);
	if (ret != 0)
		return ret;
	settings_resolve(run);
	scenario->count++;
	return 0;
}

/** @param all take [all], wherever it stands; else the runs */
static int
sections_take(struct scenario *scenario, int sections, bool all)
{
	bool seen = false;
	int ret = 0;
	int i;

	for (i = 0; i < sections && ret == 0; i++) {
		struct section section;
		uint64_t given;
		bool is_all;

		ret = section_read(scenario, i, &section);
		if (ret != 0)
			break;
		is_all = strcmp(section.name, ALL) == 0;
		if (i == 0 && section.count != 0) { /* what stands before the first heading */
			say("%s: %s stands in no section, expected [NAME] of a run, or [" ALL
			    "], above it.",
			    scenario->path, section.entries[0].name);
			ret = -EINVAL;
		} else if (all && is_all && seen) {
			say("%s: the section is there twice, expected once.", section.where);
			ret = -EINVAL;
		} else if (all && is_all) {
			ret = section_take(&section, &scenario->defaults, &given);
			seen = true;
		} else if (!all && !is_all && i > 0) {
			ret = run_take(scenario, &section);
		}
		free(section.entries);
	}
	return ret;
}

static int
file_take(struct scenario *scenario)
{
	int sections = rte_cfgfile_num_sections(scenario->file, NULL, 0);
	int ret;

	if (sections > (int)SCENARIO_RUNS_MAX) {
		say("%s: it has %d sections, expected %u at most: make two files of it.",
		    scenario->path, sections, SCENARIO_RUNS_MAX);
		return -EINVAL;
	}
	scenario->runs = calloc((size_t)sections + 1, sizeof(*scenario->runs));
	if (scenario->runs == NULL) {
		say("There is no memory for the scenario %s, expected some KiB: end other"
		    " programs.",
		    scenario->path);
		return -ENOMEM;
	}
	ret = sections_take(scenario, sections, true);
	if (ret == 0)
		ret = sections_take(scenario, sections, false);
	if (ret == 0 && scenario->count == 0) {
		say("%s: it has no run, expected a section [NAME] for each.", scenario->path);
		ret = -EINVAL;
	}
	return ret;
}

int
scenario_load(const char *path, const struct settings *defaults, bool ethdev,
	      struct settings **runs, unsigned int *count)
{
	/* What stands before the first section, and empty values, are complained of here. */
	const int flags = CFG_FLAG_GLOBAL_SECTION | CFG_FLAG_EMPTY_VALUES;
	struct scenario scenario = {.path = path, .ethdev = ethdev, .defaults = *defaults};
	int ret = lines_check(path);

	*runs = NULL;
	*count = 0;
	if (ret != 0)
		return ret;
	/* A run is called by its section. */
	scenario.defaults.name[0] = '\0';
	scenario.file = rte_cfgfile_load(path, flags);
	if (scenario.file == NULL) {
		say("The scenario %s cannot be read (%s), expected a file of runs.", path,
		    strerror(errno));
		return -EINVAL;
	}
	ret = file_take(&scenario);
	rte_cfgfile_close(scenario.file);
	if (ret != 0) {
		free(scenario.runs);
		return ret;
	}
	*runs = scenario.runs;
	*count = scenario.count;
	return 0;
}
