/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are open before the runs, and written after each. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "output.h"
#include "output_hdr.h"
#include "report_page.h"
#include "say.h"

static const struct kind {
	const char *option;
	const char *suffix;
} kinds[OUTPUT_KINDS] = {
	[OUTPUT_JSON] = {"--json", ".json"},	 [OUTPUT_CSV] = {"--csv", ".csv"},
	[OUTPUT_HGRM] = {"--hgrm", ".hgrm"},	 [OUTPUT_HLOG] = {"--hlog", ".hlog"},
	[OUTPUT_REPORT] = {"--report", ".html"},
};

int
output_kind_of(const char *path, enum output_kind *kind)
{
	const size_t length = strlen(path);
	unsigned int i;

	for (i = 0; i < OUTPUT_KINDS; i++) {
		const size_t suffix = strlen(kinds[i].suffix);

		if (length <= suffix || strcmp(path + length - suffix, kinds[i].suffix) != 0)
			continue;
		*kind = (enum output_kind)i;
		return 0;
	}
	say("The file %s has a name of no known kind, expected one that ends in .json, .csv,"
	    " .hgrm, .hlog or .html: rename it.",
	    path);
	return -EINVAL;
}

int
output_open(struct output_file *file, enum output_kind kind, const char *path)
{
	int saved;
	int fd;

	*file = (struct output_file){.kind = kind, .path = path};
	if (path == NULL)
		return 0;
	if (kind == OUTPUT_REPORT && report_page_check() != 0)
		return -ENOTSUP;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	file->created = fd >= 0;
	/* One that exists keeps its bytes until there are new ones. */
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		file->stream = fdopen(fd, "w");
	if (file->stream != NULL)
		return 0;
	saved = errno;
	say("The file %s of %s cannot be written (%m), expected a file in a folder that you may"
	    " write: correct the path or the permissions.",
	    path, kinds[kind].option);
	if (fd >= 0)
		close(fd);
	if (file->created)
		unlink(path);
	return saved != 0 ? -saved : -EIO;
}

void
output_close(struct output_file *file)
{
	if (file->stream == NULL)
		return;
	if (file->created && !file->written)
		unlink(file->path);
	fclose(file->stream);
	file->stream = NULL;
}

/** Old bytes go. A pipe has none, and gets one document after the other. */
static void
file_empty(struct output_file *file)
{
	if (fseek(file->stream, 0, SEEK_SET) != 0)
		return;
	if (ftruncate(fileno(file->stream), 0) != 0 && errno != EINVAL)
		say("The file %s of %s cannot be emptied (%m): it may end in old bytes.",
		    file->path, kinds[file->kind].option);
}

/** A document that another ipc-perf wrote. @return NULL, said */
static json_t *
compare_load(const char *path)
{
	json_error_t error = {.line = -1};
	json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	const char *schema = json_string_value(json_object_get(document, "schema"));
	json_int_t version = json_integer_value(json_object_get(document, "schema_version"));

	if (document == NULL) {
		say("The file %s of --compare cannot be read as JSON (%s, line %d), expected a"
		    " document of ipc-perf's --json (schema ipc-perf, version %d).",
		    path, error.text, error.line, OUTPUT_SCHEMA_VERSION);
		return NULL;
	}
	if (schema != NULL && strcmp(schema, "ipc-perf") == 0 && version == OUTPUT_SCHEMA_VERSION &&
	    json_is_array(json_object_get(document, "runs")))
		return document;
	say("The file %s of --compare is of schema %s, version %" JSON_INTEGER_FORMAT
	    ", expected schema ipc-perf, version %d: name a document that --json of this"
	    " ipc-perf wrote.",
	    path, schema != NULL ? schema : "unknown", version, OUTPUT_SCHEMA_VERSION);
	json_decref(document);
	return NULL;
}

int
output_compares_check(const struct options *options)
{
	unsigned int i;

	for (i = 0; i < options->compares; i++) {
		json_t *document = compare_load(options->compare[i]);

		if (document == NULL)
			return -EINVAL;
		json_decref(document);
	}
	return 0;
}

/** One that cannot be read any more is said to be, and the page goes without it. */
static int
report_write(FILE *out, const struct options *options, json_t *document)
{
	json_t *documents = json_array();
	unsigned int i;
	int ret = 0;

	json_array_append(documents, document);
	for (i = 0; i < options->compares; i++) {
		json_t *other = compare_load(options->compare[i]);

		/* Its name in the page, where it does not have one. */
		if (other != NULL && json_object_get(other, "label") == NULL)
			json_object_set_new(other, "label",
					    json_string(basename(options->compare[i])));
		if (other == NULL || json_array_append_new(documents, other) != 0)
			ret = -EINVAL;
	}
	if (documents == NULL || report_page_write(out, documents) != 0 || fflush(out) != 0)
		ret = -EIO;
	json_decref(documents);
	return ret;
}

/** All runs, from the beginning. */
static int
document_write(struct output_file *file, const struct options *options, json_t *document)
{
	if (document == NULL)
		return -ENOMEM;
	file_empty(file);
	switch (file->kind) {
	case OUTPUT_CSV:
		return output_csv_dump(file->stream, document);
	case OUTPUT_REPORT:
		return report_write(file->stream, options, document);
	default:
		return output_json_dump(file->stream, document);
	}
}

/** The last run, once. Runs have no number: no two begin at one instant. */
static int
run_add(struct output_file *file, const struct options *options, const struct result *result)
{
	int ret;

	if (result == NULL || result->latency.total == 0) {
		say("The file %s of %s gets nothing of this run, expected one that has latencies:"
		    " see --mode.",
		    file->path, kinds[file->kind].option);
		return 0;
	}
	if (file->runs != 0 && memcmp(&file->latest, &result->begun, sizeof(result->begun)) == 0)
		return 0;
	if (file->runs == 0) {
		file_empty(file);
		file->first = result->begun;
	}
	ret = file->kind == OUTPUT_HGRM ? output_hgrm_add(file, result)
					: output_hlog_add(file, options, result);
	file->latest = result->begun;
	file->runs++;
	return ret;
}

int
output_write(struct output_file *file, const struct options *options, json_t *document,
	     const struct result *result)
{
	const bool adds = file->kind == OUTPUT_HGRM || file->kind == OUTPUT_HLOG;
	int ret;

	if (file->stream == NULL)
		return 0;
	errno = 0;
	if (adds)
		ret = run_add(file, options, result);
	else
		ret = document_write(file, options, document);
	if (!adds || file->runs != 0)
		file->written = true;
	/* What a file of --compare lacks was said. */
	if (ret != 0 && ret != -EINVAL)
		say("The file %s of %s could not be written (%m), expected room for some MiB:"
		    " free some.",
		    file->path, kinds[file->kind].option);
	return ret;
}
