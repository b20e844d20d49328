/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes logs for readers that are not ours, and what they must find in them.
 *
 * usage: write_logs FOLDER
 *
 *   LOG.hlog             several intervals
 *   LOG.N.ns.hgrm        interval N by itself, in ns, and LOG.N.us.hgrm in us
 *   LOG.N.expected       a line a fact: tag, begin and end in ms since the epoch, total,
 *                        min, max, each percentile's rank and value, and each step's
 *                        lowest value and count
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nhn_hgrm.h>
#include <nhn_histogram.h>
#include <nhn_hlog.h>
#include <nhn_percentiles.h>

#define PATH_MAX_BYTES 4096
#define EPOCH_S 1795429557.25
#define LENGTH_S 0.5

/* Largest N mod 10000: there a rounded rank and a ceiled one part for p99.99. */
#define SAMPLES 1009999

struct log {
	const char *folder;
	const char *name;
	FILE *out;
	unsigned int intervals;
};

static struct nhn_histogram hist, copy;

static void
must(bool true_, const char *what)
{
	if (true_)
		return;
	fprintf(stderr, "write_logs: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* splitmix64 */
static uint64_t
random_next(void)
{
	static uint64_t state = 11;
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ---- files ---- */

static FILE *
create(const struct log *log, const char *ending)
{
	char path[PATH_MAX_BYTES];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s%s", log->folder, log->name, ending);
	out = fopen(path, "w");
	must(out != NULL, path);
	return out;
}

static FILE *
create_interval(const struct log *log, const char *ending)
{
	char full[64];

	snprintf(full, sizeof(full), ".%u%s", log->intervals, ending);
	return create(log, full);
}

static void
begin_log(struct log *log, const char *folder, const char *name)
{
	*log = (struct log){.folder = folder, .name = name};
	log->out = create(log, ".hlog");
	must(nhn_hlog_begin(log->out, "a comment\n[StartTime: 5 of a comment", EPOCH_S) == 0, name);
	nhn_histogram_init(&hist);
}

static void
end_log(struct log *log)
{
	must(fclose(log->out) == 0, log->name);
}

/* As nhn_histogram_percentile() says; where N is too small for it, by its rank. */
static void
expect_percentile(FILE *out, const struct nhn_percentile *p)
{
	const uint64_t rank = nhn_histogram_rank(hist.total, p->num, p->den);
	uint64_t low_ns, value_ns, same_ns;

	if (nhn_histogram_at_rank(&hist, rank, &low_ns, &value_ns) != 0)
		return;
	if (nhn_histogram_percentile(&hist, p->num, p->den, &same_ns) == 0)
		must(same_ns == value_ns, "nhn_histogram_percentile() and _at_rank() differ");
	fprintf(out, "percentile %s %" PRIu64 " %" PRIu64 "\n", p->name + 1, rank, value_ns);
}

static void
expect_counts(FILE *out)
{
	if (hist.below != 0)
		fprintf(out, "count 0 %" PRIu64 "\n", hist.below);
	for (uint32_t i = 1; i < NHN_HISTOGRAM_COUNTS; i++) {
		const uint32_t shift = i < 2048 ? 0 : i / 1024 - 1;
		const uint64_t low = (uint64_t)(i - shift * 1024) << shift;
		uint64_t count = hist.counts[i];

		if (low <= NHN_HISTOGRAM_HIGHEST_NS &&
		    low + (UINT64_C(1) << shift) > NHN_HISTOGRAM_HIGHEST_NS)
			count += hist.above;
		if (count != 0)
			fprintf(out, "count %" PRIu64 " %" PRIu64 "\n", low, count);
	}
}

/* ---- intervals ---- */

static void
add_interval(struct log *log, const char *tag)
{
	const double start_s = log->intervals * LENGTH_S;
	FILE *out;

	must(nhn_hlog_interval(log->out, tag, start_s, LENGTH_S, &hist) == 0, log->name);
	out = create_interval(log, ".ns.hgrm");
	must(nhn_hgrm_write(out, &hist, 1) == 0 && fclose(out) == 0, log->name);
	out = create_interval(log, ".us.hgrm");
	must(nhn_hgrm_write(out, &hist, 1000) == 0 && fclose(out) == 0, log->name);

	out = create_interval(log, ".expected");
	fprintf(out, "tag %s\n", tag == NULL ? "-" : tag);
	fprintf(out, "begin %.0f\nend %.0f\n", (EPOCH_S + start_s) * 1000,
		(EPOCH_S + start_s + LENGTH_S) * 1000);
	fprintf(out, "total %" PRIu64 "\n", hist.total);
	if (hist.total != 0)
		fprintf(out, "min %" PRIu64 "\nmax %" PRIu64 "\n", hist.min_ns, hist.max_ns);
	for (unsigned int i = 0; i < NHN_PERCENTILES; i++)
		expect_percentile(out, &nhn_percentiles[i]);
	expect_counts(out);
	must(fclose(out) == 0, log->name);

	log->intervals++;
	nhn_histogram_init(&hist);
}

static void
record_many(uint64_t value_ns, uint64_t times)
{
	for (uint64_t i = 0; i < times; i++)
		nhn_histogram_record(&hist, value_ns);
}

static void
record_uniform(uint64_t times, uint64_t highest_ns)
{
	for (uint64_t i = 0; i < times; i++)
		nhn_histogram_record(&hist, 1 + random_next() % highest_ns);
}

/* Most about 2 us, some about 40 us, and one in 10^4 anywhere up to 50 s. */
static void
record_two_modes(uint64_t times)
{
	for (uint64_t i = 0; i < times; i++) {
		const uint64_t kind = random_next() % 10000;

		if (kind == 0)
			nhn_histogram_record(&hist, random_next() % (UINT64_C(50000000000) >>
								     (random_next() % 20)));
		else
			nhn_histogram_record(&hist,
					     (kind < 1000 ? 40000 : 2000) + random_next() % 300);
	}
}

/* ---- logs ---- */

static void
write_shapes(const char *folder)
{
	struct log log;

	begin_log(&log, folder, "shapes");
	record_uniform(SAMPLES, 1000000);
	add_interval(&log, NULL);
	record_two_modes(SAMPLES);
	add_interval(&log, NULL);
	record_many(1234567, 1);
	add_interval(&log, NULL);
	add_interval(&log, NULL);
	for (uint64_t power = 2; power < NHN_HISTOGRAM_HIGHEST_NS; power *= 2) {
		record_many(power - 1, 1);
		record_many(power, 2);
		record_many(power + 1, 1);
	}
	record_many(NHN_HISTOGRAM_HIGHEST_NS, 1);
	add_interval(&log, NULL);
	end_log(&log);
}

/* Enough for p99.9999, and counts of several bytes. */
static void
write_many(const char *folder)
{
	struct log log;

	begin_log(&log, folder, "many");
	record_two_modes(SAMPLES);
	for (int i = 0; i < 7; i++) {
		memcpy(&copy, &hist, sizeof(hist));
		nhn_histogram_add(&hist, &copy);
	}
	record_uniform(5, 100);
	memcpy(&copy, &hist, sizeof(hist));
	add_interval(&log, NULL);

	memcpy(&hist, &copy, sizeof(hist));
	for (int i = 0; i < 10; i++) {
		nhn_histogram_add(&hist, &copy);
		memcpy(&copy, &hist, sizeof(hist));
	}
	record_many(70000, 7);
	add_interval(&log, NULL);
	end_log(&log);
}

static void
write_out_of_range(const char *folder)
{
	struct log log;

	begin_log(&log, folder, "range");
	record_many(0, 5005);
	record_uniform(9990, 5000);
	record_many(NHN_HISTOGRAM_HIGHEST_NS + 1, 2);
	record_many(UINT64_C(300000000000), 400);
	record_many(UINT64_MAX, 1);
	add_interval(&log, NULL);
	record_many(0, 3);
	add_interval(&log, NULL);
	record_many(UINT64_MAX, 3);
	add_interval(&log, NULL);
	end_log(&log);
}

static void
write_tags(const char *folder)
{
	struct log log;

	begin_log(&log, folder, "tags");
	for (unsigned int i = 0; i < 3; i++) {
		record_uniform(100 + i, 3000);
		add_interval(&log, "rtt");
		record_uniform(15001 + i, 300);
		add_interval(&log, "noise-floor");
		record_uniform(7, 100000);
		add_interval(&log, NULL);
		add_interval(&log, "none");
	}
	end_log(&log);
}

/* One sample decides: the step between two values is at a percentile's rank, and before it. */
static void
write_ranks(const char *folder)
{
	static const uint64_t sizes[] = {5001, 15001, 17777, 100003, 1000000, 1005001, SAMPLES};
	struct log log;

	begin_log(&log, folder, "ranks");
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		for (unsigned int i = 0; i < NHN_PERCENTILES; i++) {
			const struct nhn_percentile *p = &nhn_percentiles[i];
			const uint64_t rank = nhn_histogram_rank(sizes[n], p->num, p->den);

			record_many(10, rank);
			record_many(20, sizes[n] - rank);
			add_interval(&log, p->name);
			record_many(10, rank - 1);
			record_many(20, sizes[n] - rank + 1);
			add_interval(&log, p->name);
		}
	}
	end_log(&log);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: write_logs FOLDER\n");
		return 2;
	}
	write_shapes(argv[1]);
	write_many(argv[1]);
	write_out_of_range(argv[1]);
	write_tags(argv[1]);
	write_ranks(argv[1]);
	return 0;
}
