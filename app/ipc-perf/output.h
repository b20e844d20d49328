/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Results for people and for programs: doc/guides/ipc-perf-json.rst has the formats.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

#include <jansson.h>

#include "options.h"
#include "result.h"
#include "run.h"

/** Version of the JSON document; a field that changes its meaning raises it. */
#define OUTPUT_SCHEMA_VERSION 1

/* ---- text ---- */

/** Configuration, warnings, tables, counts, gaps: what a run prints at its end. */
void output_text(FILE *out, const struct options *options, const struct nhn_clock *clock,
		 const struct result *result);
/** Parts of it, for show. */
void output_text_config(FILE *out, const struct settings *settings);
void output_text_link(FILE *out, const struct options *options, const struct way *way,
		      const struct result *result);
void output_text_stats(FILE *out, const struct result *result);
void output_text_histogram(FILE *out, const struct result *result);
void output_text_floor(FILE *out, const struct result *result);
void output_text_gaps(FILE *out, const struct result *result);
/** Where this end and the far end run. @p result may be NULL */
void output_text_topology(FILE *out, const struct result *result);

/** The CPU of the main lcore, as the kernel numbers it: EAL's own number is another. */
int output_core(void);

/**
 * Where a CPU is, in a line: "core 2: ..., isolated: no, governor performance". Reads sysfs:
 * milliseconds. @return whether it is known; else @p text says that it is not
 */
bool output_place(int cpu, char *text, size_t bytes);

/* ---- documents ---- */

/** A run as an object of the document's runs. @return NULL: no memory */
json_t *output_json_run(const struct options *options, const struct nhn_clock *clock,
			const struct way *way, const struct result *result);
/** Write a document: each field of it and of its runs on a line. @return 0 or -EIO */
int output_json_dump(FILE *out, json_t *document);
/** A document as CSV. @return 0 or -EIO */
int output_csv_dump(FILE *out, json_t *document);
/** The whole document, which takes a reference to runs. @return NULL: no memory */
json_t *output_json_document(const struct options *options, const struct nhn_clock *clock,
			     json_t *runs);

/** Kinds of files, by option and by suffix. */
enum output_kind {
	OUTPUT_JSON,
	OUTPUT_CSV,
	OUTPUT_HGRM, /**< latency: a file a run, -2, -3, ... before the suffix */
	OUTPUT_HLOG, /**< slices, tagged with the run's name */
	OUTPUT_REPORT,
	OUTPUT_KINDS,
};

/** By the end of a file's name: .json .csv .hgrm .hlog .html. @return 0 or -EINVAL, said */
int output_kind_of(const char *path, enum output_kind *kind);

/** A file that is open before the runs, so that a bad path is found out then. */
struct output_file {
	enum output_kind kind;
	const char *path;
	FILE *stream; /**< NULL: none asked for */
	bool created;
	bool written;		/**< it holds a run at least */
	unsigned int runs;	/**< of hgrm and hlog: written so far */
	struct timespec first;	/**< of hlog: when the first of them began */
	struct timespec latest; /**< of hgrm and hlog: when the last of them began */
};

/** @param path NULL: none asked for. @return 0, or -errno with a sentence said */
int output_open(struct output_file *file, enum output_kind kind, const char *path);
/**
 * Write it anew from its beginning, with all runs so far: JSON, CSV and report. Add the last
 * run, once however often it is called: hgrm and hlog. May be called after each run.
 * @param document of output_json_document(): of JSON, CSV and report
 * @param result the last run's: of hgrm and hlog; NULL: there is none, which is said
 * @return 0, or -errno with a sentence said
 */
int output_write(struct output_file *file, const struct options *options, json_t *document,
		 const struct result *result);
/** Close; removes the file if it was created and nothing was written. */
void output_close(struct output_file *file);

/** Whether all files of --compare can be read, before the runs. @return 0 or -EINVAL, said */
int output_compares_check(const struct options *options);

/* ---- live ---- */

/** Once a second at most: progress, time left, rate, percentiles so far; on stderr. On a
 *  terminal in one line that is written over, else in lines. */
struct live {
	bool terminal;
	bool quiet;
	uint64_t told_ns; /**< last time, of the clock */
	bool open_line;
};

void live_begin(struct live *live, bool quiet);
void live_tell(struct live *live, const struct run *run);
void live_end(struct live *live);

#endif /* OUTPUT_H */
