/* SPDX-License-Identifier: BSD-3-Clause */
/* A document as CSV (RFC 4180): a row a figure, so that any program can sort and plot them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nhn_percentiles.h>

#include "output.h"

#define COLUMNS "run,name,mode,via,size,burst,rate_asked,histogram,metric,value,unit,n"

/** What a row of a run begins with, and where it goes. */
struct csv {
	FILE *out;
	json_t *run;
	size_t number;
};

static void
print_text(FILE *out, const char *text)
{
	if (text == NULL)
		return;
	if (strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/** Nothing for null. */
static void
print_value(FILE *out, json_t *value)
{
	if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, "%.12g", json_real_value(value));
	else if (json_is_boolean(value))
		fputc(json_is_true(value) ? '1' : '0', out);
}

static void
print_row(const struct csv *csv, const char *histogram, const char *metric, json_t *value,
	  const char *unit, json_t *n)
{
	FILE *out = csv->out;
	static const char *const texts[] = {"name", "mode", "via"};
	size_t i;

	fprintf(out, "%zu,", csv->number);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		print_text(out, json_string_value(json_object_get(csv->run, texts[i])));
		fputc(',', out);
	}
	print_value(out, json_object_get(csv->run, "size"));
	fputc(',', out);
	print_value(out, json_object_get(csv->run, "burst"));
	fputc(',', out);
	print_value(out, json_object_get(json_object_get(csv->run, "rate"), "asked"));
	fprintf(out, ",%s,%s,", histogram, metric);
	print_value(out, value);
	fprintf(out, ",%s,", unit);
	print_value(out, n);
	fputs("\r\n", out);
}

static void
print_percentile(const struct csv *csv, const char *histogram, json_t *h, const char *name)
{
	json_t *n = json_object_get(h, "n");
	json_t *interval = json_object_get(json_object_get(h, "interval"), name);
	char metric[32];

	print_row(csv, histogram, name, json_object_get(h, name), "ns", n);
	snprintf(metric, sizeof(metric), "%s_low", name);
	print_row(csv, histogram, metric, json_array_get(interval, 0), "ns", n);
	snprintf(metric, sizeof(metric), "%s_high", name);
	print_row(csv, histogram, metric, json_array_get(interval, 1), "ns", n);
}

static void
print_histogram(const struct csv *csv, const char *histogram, json_t *h)
{
	json_t *n = json_object_get(h, "n");
	unsigned int i;

	if (!json_is_object(h))
		return;
	print_row(csv, histogram, "min", json_object_get(h, "min"), "ns", n);
	for (i = 0; i < NHN_PERCENTILES; i++)
		print_percentile(csv, histogram, h, nhn_percentiles[i].name);
	print_row(csv, histogram, "max", json_object_get(h, "max"), "ns", n);
	print_row(csv, histogram, "mean", json_object_get(h, "mean"), "ns", n);
	print_row(csv, histogram, "below", json_object_get(h, "below"), "1", n);
	print_row(csv, histogram, "above", json_object_get(h, "above"), "1", n);
}

/** By the end of a figure's name; all others of rate are messages a second. */
static const char *
unit_of(const char *metric)
{
	static const char *const plain[] = {"rate.held", "rate.late"};
	size_t i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(metric, plain[i]) == 0)
			return "1";
	if (strstr(metric, "_ns") != NULL)
		return "ns";
	if (strstr(metric, "_ppm") != NULL)
		return "ppm";
	if (strstr(metric, "bytes_per_s") != NULL)
		return "B/s";
	return strncmp(metric, "rate.", 5) == 0 ? "1/s" : "1";
}

/** A figure of the whole run, or those of an object with its name and a point before theirs. */
static void
print_figure(const struct csv *csv, const char *metric, json_t *value)
{
	char nested[96];
	const char *key;
	json_t *inner;

	if (!json_is_object(value)) {
		print_row(csv, "", metric, value, unit_of(metric), NULL);
		return;
	}
	json_object_foreach(value, key, inner)
	{
		snprintf(nested, sizeof(nested), "%s.%s", metric, key);
		print_figure(csv, nested, inner);
	}
}

static void
print_run(const struct csv *csv)
{
	static const char *const histograms[] = {"latency",   "extra",	  "limit", "floor",
						 "far_floor", "far_work", "there", "back"};
	static const char *const figures[] = {
		"met",	    "run_ns",	  "measured_ns",
		"samples",  "messages",	  "lost",
		"restarts", "duplicates", "misordered",
		"corrupt",  "rounds",	  "ratio_p50",
		"rate",	    "offset",	  "ratio_p50_spread",
		"counts",   "usage",	  "recorder_ns_per_sample",
	};
	char key[24];
	size_t i;

	for (i = 0; i < sizeof(histograms) / sizeof(histograms[0]); i++) {
		snprintf(key, sizeof(key), "%s_ns", histograms[i]);
		print_histogram(csv, histograms[i], json_object_get(csv->run, key));
	}
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		print_figure(csv, figures[i], json_object_get(csv->run, figures[i]));
}

int
output_csv_dump(FILE *out, json_t *document)
{
	struct csv csv = {.out = out};
	size_t i;

	fputs(COLUMNS "\r\n", out);
	json_array_foreach(json_object_get(document, "runs"), i, csv.run)
	{
		csv.number = i + 1;
		print_run(&csv);
	}
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
