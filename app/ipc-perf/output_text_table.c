/* SPDX-License-Identifier: BSD-3-Clause */
/* Histograms beside each other: a latency means little without its limit and its floor. */

#include <inttypes.h>
#include <stdio.h>

#include <nhn_percentiles.h>

#include "engine.h"
#include "output_text.h"

/** Histograms of a table. With the interval of the first they fit 100 characters. */
#define COLUMNS_MAX 4
#define WIDTH 14

struct column {
	const char *title;
	const struct nhn_histogram *h; /**< without samples: a column of "-" */
};

struct table {
	FILE *out;
	const struct column *columns;
	unsigned int count;
};

static void
print_number(FILE *out, bool known, uint64_t value)
{
	if (known)
		fprintf(out, "%*" PRIu64, WIDTH, value);
	else
		fprintf(out, "%*s", WIDTH, "-");
}

/** The interval of the first column, or how many samples it would need. */
static void
print_interval(FILE *out, const struct nhn_percentile *p, const struct nhn_histogram *h)
{
	uint64_t low_ns, high_ns;
	char text[2 * WIDTH];

	if (nhn_histogram_interval(h, p->num, p->den, &low_ns, &high_ns) == 0) {
		fprintf(out, "%*" PRIu64 "%*" PRIu64, WIDTH, low_ns, WIDTH, high_ns);
		return;
	}
	snprintf(text, sizeof(text), "needs N %" PRIu64, nhn_histogram_needed(p->num, p->den));
	fprintf(out, "%*s", 2 * WIDTH, text);
}

static void
print_percentile(const struct table *table, const struct nhn_percentile *p)
{
	unsigned int i;

	fprintf(table->out, "  %-9s", p->name);
	for (i = 0; i < table->count; i++) {
		const struct nhn_histogram *h = table->columns[i].h;
		uint64_t ns = 0;
		int ret = nhn_histogram_percentile(h, p->num, p->den, &ns);

		print_number(table->out, ret == 0, ns);
		if (i == 0)
			print_interval(table->out, p, h);
	}
	fputc('\n', table->out);
}

enum row {
	ROW_N,
	ROW_BELOW,
	ROW_ABOVE,
	ROW_MIN,
	ROW_MAX,
};

static void
print_row(const struct table *table, const char *name, enum row row)
{
	unsigned int i;

	fprintf(table->out, "  %-9s", name);
	for (i = 0; i < table->count; i++) {
		const struct nhn_histogram *h = table->columns[i].h;
		const uint64_t values[] = {
			[ROW_N] = h->total,    [ROW_BELOW] = h->below, [ROW_ABOVE] = h->above,
			[ROW_MIN] = h->min_ns, [ROW_MAX] = h->max_ns,
		};

		print_number(table->out, h->total != 0 || (i == 0 && row == ROW_N), values[row]);
		if (i == 0)
			fprintf(table->out, "%*s", 2 * WIDTH, "");
	}
	fputc('\n', table->out);
}

static void
print_head(const struct table *table)
{
	unsigned int i;

	fprintf(table->out, "  %-9s", "ns");
	for (i = 0; i < table->count; i++) {
		fprintf(table->out, "%*s", WIDTH, table->columns[i].title);
		if (i == 0)
			fprintf(table->out, "%*s%*s", WIDTH, "95 % from", WIDTH, "95 % to");
	}
	fputc('\n', table->out);
}

/** Samples out of range are told of where there are some, and where there are none. */
static void
print_table(FILE *out, const struct column *columns, unsigned int count)
{
	const struct table table = {.out = out, .columns = columns, .count = count};
	unsigned int i;

	print_head(&table);
	print_row(&table, "min", ROW_MIN);
	for (i = 0; i < NHN_PERCENTILES; i++)
		print_percentile(&table, &nhn_percentiles[i]);
	print_row(&table, "max", ROW_MAX);
	print_row(&table, "N", ROW_N);
	print_row(&table, "< 1 ns", ROW_BELOW);
	print_row(&table, "> 100 s", ROW_ABOVE);
}

/** Why a column is empty. */
static void
print_absent(FILE *out, const struct result *result)
{
	const bool linked = (result->settings.engine->uses & USES_LINK) != 0;
	const char *why;

	if (result->limit.total == 0) {
		why = linked ? "the link has no words to measure it by" : "there is no link";
		if (linked && result->rounds_kept == 0)
			why = "no round was kept";
		fprintf(out, "  limit -: %s\n", why);
	}
	if (result->floor.total == 0)
		fprintf(out, "  floor -: %s\n",
			result->settings.floor ? "no round was kept" : "not asked for");
	else if (result->far_floor.total == 0)
		fprintf(out, "  floor far -: %s\n", linked ? "not known" : "there is no far end");
}

void
output_text_histogram(FILE *out, const struct result *result)
{
	const struct column columns[] = {
		{"latency", &result->latency},
		{"limit", &result->limit},
		{"floor near", &result->floor},
		{"floor far", &result->far_floor},
	};
	const struct engine *engine = result->settings.engine;

	if (engine->latency == NULL) {
		fprintf(out, "latency     -: mode %s measures rates\n", engine->name);
		return;
	}
	fprintf(out, "latency     %s\n", engine->latency);
	fputs("limit       round trip of one 32-bit word, a line each way\n", out);
	print_table(out, columns, COLUMNS_MAX);
	print_absent(out, result);
}

/** What is measured besides, in some modes. */
void
output_text_besides(FILE *out, const struct result *result)
{
	const struct column all[COLUMNS_MAX] = {
		{"extra", &result->extra},
		{"there", &result->there},
		{"back", &result->back},
		{"far work", &result->far_work},
	};
	const char *extra = result->settings.engine->extra;
	struct column columns[COLUMNS_MAX];
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < COLUMNS_MAX; i++)
		if (all[i].h->total != 0)
			columns[count++] = all[i];
	if (count == 0)
		return;
	fputs("besides    ", out);
	if (result->extra.total != 0)
		fprintf(out, " extra: %s;", extra != NULL ? extra : "of the mode");
	if (result->there.total != 0)
		fputs(" there and back: one way, by the offset of clocks below;", out);
	if (result->far_work.total != 0)
		fputs(" far work: a workload of the far end;", out);
	fputc('\n', out);
	print_table(out, columns, count);
}

void
output_text_floor(FILE *out, const struct result *result)
{
	const struct column columns[] = {
		{"floor near", &result->floor},
		{"floor far", &result->far_floor},
	};

	fputs("noise floor: gaps of a loop that only reads the clock\n", out);
	print_table(out, columns, 2);
	if (result->floor.total == 0)
		fprintf(out, "  floor -: %s\n",
			result->settings.floor ? "no round was kept" : "not asked for");
}

void
output_text_gaps(FILE *out, const struct result *result)
{
	const struct nhn_gaps *gaps = &result->gaps;
	char text[256];
	uint32_t i;

	if (gaps->count == 0)
		fprintf(out, "gaps        %s\n",
			result->settings.gaps ? "none was noted" : "-: not asked for");
	for (i = 0; i < gaps->count; i++) {
		nhn_gap_text(&gaps->gap[i], text, sizeof(text));
		fprintf(out, "%-12s%s\n", i == 0 ? "gaps" : "", text);
	}
}
