/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include <nhn_hgrm.h>
#include <nhn_histogram.h>

#include "measure_internal.h"

#define VALUE_WIDTH 12
#define LEVEL_DECIMALS 12
#define INVERSE_WIDTH 14
#define INVERSE_DECIMALS 2

struct moments {
	uint64_t total; /* of the steps: what nhn_histogram::total should be */
	double mean_ns;
	double deviation_ns;
};

/* The level, in percent, after *level*: the ticks shrink at each half of what is left. */
static double
next_level(double level)
{
	double ticks = NHN_HGRM_TICKS * 2;

	/* All of these are dyadic, so the sums and the comparison are exact. */
	for (double half = 50; 100 - level <= half && level < 100; half /= 2)
		ticks *= 2;
	/* Beyond 2^50 samples a tick is less than a double can add: the end. */
	return level + 100 / ticks > level ? level + 100 / ticks : 100;
}

static void
write_line(FILE *out, double unit_ns, uint64_t value_ns, double level, uint64_t count)
{
	nhn_hdr_print(out, VALUE_WIDTH, HDR_DIGITS, (double)value_ns / unit_ns);
	fputc(' ', out);
	nhn_hdr_print(out, 0, LEVEL_DECIMALS, level / 100);
	fprintf(out, " %10" PRIu64, count);
	if (level < 100) {
		fputc(' ', out);
		nhn_hdr_print(out, INVERSE_WIDTH, INVERSE_DECIMALS, 1 / (1 - level / 100));
	}
	fputc('\n', out);
}

/*
 * A step gets a line for each level that it reaches, but the last one a single line
 * and one for 100 %.
 */
static void
write_lines(FILE *out, const struct nhn_histogram *h, double unit_ns, uint64_t total)
{
	const uint32_t last = nhn_hdr_last(h);
	uint64_t low_ns, high_ns, seen = 0;
	double level = 0;

	for (uint32_t i = 0; i <= last; i++) {
		const uint64_t count = nhn_hdr_count(h, i);

		seen += count;
		nhn_hdr_step(i, &low_ns, &high_ns);
		while (count != 0 && level < 100 && 100.0 * (double)seen / (double)total >= level) {
			write_line(out, unit_ns, high_ns, level, seen);
			level = next_level(level);
			if (i == last)
				break;
		}
	}
	if (total != 0)
		write_line(out, unit_ns, nhn_hdr_max(h), 100, total);
}

static double
middle_ns(uint32_t index)
{
	uint64_t low_ns, high_ns;

	nhn_hdr_step(index, &low_ns, &high_ns);
	return (double)(low_ns + (high_ns - low_ns + 1) / 2);
}

static void
take_moments(const struct nhn_histogram *h, struct moments *m)
{
	const uint32_t last = nhn_hdr_last(h);
	double sum = 0;

	*m = (struct moments){0};
	for (uint32_t i = 0; i <= last; i++) {
		m->total += nhn_hdr_count(h, i);
		sum += middle_ns(i) * (double)nhn_hdr_count(h, i);
	}
	if (m->total == 0)
		return;
	m->mean_ns = sum / (double)m->total;

	sum = 0;
	for (uint32_t i = 0; i <= last; i++) {
		const double off = middle_ns(i) - m->mean_ns;

		sum += off * off * (double)nhn_hdr_count(h, i);
	}
	m->deviation_ns = sqrt(sum / (double)m->total);
}

static void
write_moments(FILE *out, const struct nhn_histogram *h, double unit_ns, const struct moments *m)
{
	const double max_ns = m->total == 0 ? 0 : (double)nhn_hdr_max(h);

	fputs("#[Mean    = ", out);
	nhn_hdr_print(out, VALUE_WIDTH, HDR_DIGITS, m->mean_ns / unit_ns);
	fputs(", StdDeviation   = ", out);
	nhn_hdr_print(out, VALUE_WIDTH, HDR_DIGITS, m->deviation_ns / unit_ns);
	fputs("]\n#[Max     = ", out);
	nhn_hdr_print(out, VALUE_WIDTH, HDR_DIGITS, max_ns / unit_ns);
	fprintf(out, ", Total count    = %12" PRIu64 "]\n", m->total);
	fprintf(out, "#[Buckets = %12d, SubBuckets     = %12u]\n", NHN_HISTOGRAM_BUCKETS,
		HDR_SUB_BUCKETS);
}

int
nhn_hgrm_write(FILE *out, const struct nhn_histogram *h, double unit_ns)
{
	struct moments m;

	/* Written so that not a number is refused too. */
	if (!(unit_ns >= NHN_HGRM_UNIT_MIN_NS && unit_ns <= NHN_HGRM_UNIT_MAX_NS))
		return -EINVAL;

	take_moments(h, &m);
	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	write_lines(out, h, unit_ns, m.total);
	write_moments(out, h, unit_ns, &m);
	return ferror(out) ? -EIO : 0;
}
