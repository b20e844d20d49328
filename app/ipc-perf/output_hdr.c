/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <nhn_hgrm.h>
#include <nhn_hlog.h>

#include "engine.h"
#include "output_hdr.h"

static int
hgrm_write(FILE *out, const struct result *result)
{
	int ret = nhn_hgrm_write(out, &result->latency, 1);

	return ret == 0 && fflush(out) != 0 ? -EIO : ret;
}

/** "folder/a.hgrm" as "folder/a-2.hgrm". */
static int
path_numbered(const char *path, unsigned int number, char *text, size_t bytes)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *suffix = strrchr(name, '.');
	int length;

	if (suffix == NULL || suffix == name)
		suffix = name + strlen(name);
	length = snprintf(text, bytes, "%.*s-%u%s", (int)(suffix - path), path, number, suffix);
	return length >= 0 && (size_t)length < bytes ? 0 : -ENAMETOOLONG;
}

int
output_hgrm_add(struct output_file *file, const struct result *result)
{
	char path[PATH_MAX];
	FILE *out;
	int ret;

	if (file->runs == 0)
		return hgrm_write(file->stream, result);
	ret = path_numbered(file->path, file->runs + 1, path, sizeof(path));
	if (ret != 0)
		return ret;
	out = fopen(path, "we");
	if (out == NULL)
		return -errno;
	ret = hgrm_write(out, result);
	return fclose(out) != 0 && ret == 0 ? -EIO : ret;
}

static double
seconds(const struct timespec *time)
{
	return (double)time->tv_sec + (double)time->tv_nsec * 1e-9;
}

static int
hlog_begin(struct output_file *file, const struct options *options)
{
	char comment[1024];
	char **word;
	size_t length;

	length = (size_t)snprintf(comment, sizeof(comment), "ipc-perf %s:", IPC_PERF_VERSION);
	for (word = options->argv; *word != NULL && length < sizeof(comment); word++)
		length +=
			(size_t)snprintf(comment + length, sizeof(comment) - length, " %s", *word);
	return nhn_hlog_begin(file->stream, comment, seconds(&file->first));
}

/** A tag has neither blanks nor commas. */
static void
tag_make(const struct settings *settings, char *tag, size_t bytes)
{
	char *byte;

	snprintf(tag, bytes, "%s",
		 settings->name[0] != '\0' ? settings->name : settings->engine->name);
	for (byte = tag; *byte != '\0'; byte++)
		if ((unsigned char)*byte <= ' ' || *byte == ',' || *byte == 0x7f)
			*byte = '_';
}

int
output_hlog_add(struct output_file *file, const struct options *options,
		const struct result *result)
{
	double begun_s = seconds(&result->begun) - seconds(&file->first);
	char tag[sizeof(result->settings.name)];
	uint32_t i;
	int ret = 0;

	if (file->runs == 0)
		ret = hlog_begin(file, options);
	/* The wall clock may be set back between two runs. */
	if (begun_s < 0)
		begun_s = 0;
	tag_make(&result->settings, tag, sizeof(tag));
	for (i = 0; i < result->slices && ret == 0; i++) {
		const struct slice *slice = &result->slice[i];

		ret = nhn_hlog_interval(file->stream, tag, begun_s + (double)slice->begin_ns * 1e-9,
					(double)(slice->end_ns - slice->begin_ns) * 1e-9,
					&slice->latency);
	}
	return ret == 0 && fflush(file->stream) != 0 ? -EIO : ret;
}
