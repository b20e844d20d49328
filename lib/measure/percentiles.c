/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nhn_histogram.h>
#include <nhn_percentiles.h>

const struct nhn_percentile nhn_percentiles[NHN_PERCENTILES] = {
	{"p50", 1, 2},
	{"p90", 9, 10},
	{"p99", 99, 100},
	{"p99.9", 999, 1000},
	{"p99.99", 9999, 10000},
	{"p99.999", 99999, 100000},
	{"p99.9999", 999999, 1000000},
};

const struct nhn_percentile *
nhn_percentile_find(const char *name)
{
	for (unsigned int i = 0; i < NHN_PERCENTILES; i++) {
		if (strcmp(nhn_percentiles[i].name, name) == 0)
			return &nhn_percentiles[i];
	}
	return NULL;
}

static void
print_extreme(FILE *out, const char *name, const struct nhn_histogram *h, uint64_t value_ns)
{
	if (h->total == 0)
		fprintf(out, "  %-8s %14s\n", name, "-");
	else
		fprintf(out, "  %-8s %14" PRIu64 "\n", name, value_ns);
}

static void
print_percentile(FILE *out, const struct nhn_percentile *p, const struct nhn_histogram *h)
{
	uint64_t value_ns, low_ns, high_ns;

	if (nhn_histogram_percentile(h, p->num, p->den, &value_ns) != 0 ||
	    nhn_histogram_interval(h, p->num, p->den, &low_ns, &high_ns) != 0) {
		fprintf(out, "  %-8s %14s   needs %" PRIu64 " samples\n", p->name, "-",
			nhn_histogram_needed(p->num, p->den));
		return;
	}
	fprintf(out, "  %-8s %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n", p->name, value_ns,
		low_ns, high_ns);
}

int
nhn_percentiles_print(FILE *out, const char *title, const struct nhn_histogram *h)
{
	fprintf(out, "%s\n", title);
	fprintf(out, "  N %" PRIu64 ", of which below 1 ns %" PRIu64 ", above 100 s %" PRIu64 "\n",
		h->total, h->below, h->above);
	fprintf(out, "  %-8s %14s %14s %14s\n", "", "ns", "95 % from", "95 % to");
	print_extreme(out, "min", h, h->min_ns);
	for (unsigned int i = 0; i < NHN_PERCENTILES; i++)
		print_percentile(out, &nhn_percentiles[i], h);
	print_extreme(out, "max", h, h->max_ns);
	return ferror(out) ? -EIO : 0;
}
