/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Building of JSON where any step may lack memory: it is looked at once, at the end.
 */
#ifndef OUTPUT_OBJECT_H
#define OUTPUT_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <nhn_histogram.h>

#include "result.h"

/** An object or an array that is being built. */
struct object {
	json_t *json;
	bool failed; /**< no memory: object_end() gives NULL */
};

struct object object_begin(void);
struct object array_begin(void);
/** What was built, or NULL: no memory. */
json_t *object_end(struct object *object);

/** Takes @p value; NULL: no memory for it. */
void object_set(struct object *object, const char *key, json_t *value);
void array_add(struct object *array, json_t *value);

/** Counts stay below 2^63: jansson's have a sign. */
void object_set_count(struct object *object, const char *key, uint64_t value);
void object_set_integer(struct object *object, const char *key, int64_t value);
/** Null where it is no number. */
void object_set_real(struct object *object, const char *key, double value);
/** Null when @p text is. Bytes that are not UTF-8 become '?'. */
void object_set_text(struct object *object, const char *key, const char *text);
void object_set_bool(struct object *object, const char *key, bool value);
void object_set_null(struct object *object, const char *key);

/** Text as object_set_text() has it. */
json_t *object_text(const char *text);

/** Counts, times, rates and thresholds of a run: into its object. */
void output_json_figures(struct object *object, const struct result *result);
/** HIST of the schema. */
json_t *output_json_histogram(const struct nhn_histogram *h);
/** Slices of the schema: null when there are none. */
json_t *output_json_slices(const struct result *result);

#endif /* OUTPUT_OBJECT_H */
