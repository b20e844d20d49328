/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "options.h"
#include "ping.h"
#include "way.h"

/** Where the spread of ratios lies. All 0 when no round was kept. */
struct ratio_spread {
	double min;
	double quarter;
	double median;
	double three_quarters;
	double max;
};

struct ratio_spread report_ratios(const struct results *results);

/** Whether the run did what was asked: nothing lost or wrong, not cut off. */
bool report_met(const struct results *results);

/** Print configuration, tables, counts and ratio to stdout. @return 0 or -EIO, said */
int report_text(const struct options *options, const struct way *way,
		const struct results *results);

/** A JSON file that is open before the run, so that a bad path is found out then. */
struct json_file {
	FILE *stream; /**< NULL: none asked for */
	bool created;
};

/** @return 0, or -errno with a sentence said */
int report_json_open(struct json_file *json, const char *path);
/** @return 0, or -EIO with a sentence said */
int report_json_write(struct json_file *json, const struct options *options, const struct way *way,
		      const struct results *results);
/** Close; removes the file if it was created and nothing was written. */
void report_json_close(struct json_file *json, const char *path);

#endif /* REPORT_H */
