/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each primitive costs, in one process: nanoseconds an operation, median and quartiles
 * of short rounds in which all take their turn, the one that begins another each time. The
 * first row is the harness with nothing in it; it is taken off nobody.
 *
 * With --count: for callgrind, one run of each inside of counted_run(), and what was run.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counted.h"
#include "duel.h"
#include "primitive.h"

#define PRIMITIVES_MAX 128u

struct measured {
	const struct primitive *primitive;
	void *state;
	double ns[DUEL_ROUNDS_MAX];
};

struct bench {
	struct duel duel;
	const char *only; /* NULL: all */
	const char *json; /* NULL: not asked for */
	bool count;
	uint32_t rows;
	struct measured row[PRIMITIVES_MAX];
};

static bool
is_asked_for(const struct bench *bench, const struct primitive *p)
{
	return bench->only == NULL || strcmp(p->name, "null") == 0 ||
	       strncmp(p->name, bench->only, strlen(bench->only)) == 0;
}

static bool
row_open(const struct primitive *p, void *context)
{
	struct bench *bench = context;
	struct measured *row = &bench->row[bench->rows];

	if (!is_asked_for(bench, p))
		return true;
	if (bench->rows == PRIMITIVES_MAX)
		abort();
	row->primitive = p;
	row->state = p->open(p);
	bench->rows += row->state != NULL;
	return row->state != NULL;
}

static void
rows_close(struct bench *bench)
{
	uint32_t i;

	for (i = 0; i < bench->rows; i++) {
		if (bench->row[i].primitive->close != NULL)
			bench->row[i].primitive->close(bench->row[i].state);
		free(bench->row[i].state);
	}
}

/* ---- measuring ---- */

/* A turn to have its memory in the caches, a turn by the clock. */
static double
turn_ns(const struct primitive *p, void *state)
{
	uint64_t begin, end;

	primitive_turn(p, state);
	if (p->before != NULL)
		p->before(p, state);
	begin = duel_now_ns();
	p->run(p, state);
	end = duel_now_ns();
	if (p->after != NULL)
		p->after(p, state);
	return (double)(end - begin) / p->operations;
}

static void
measure(struct bench *bench)
{
	uint32_t turn;

	for (turn = 0; turn < bench->duel.rounds * bench->rows; turn++) {
		struct measured *row = &bench->row[duel_contestant(turn, bench->rows)];

		row->ns[turn / bench->rows] = turn_ns(row->primitive, row->state);
	}
}

static void
report(struct bench *bench)
{
	const uint32_t rounds = bench->duel.rounds;
	uint32_t i;

	printf("%u rounds, core %d; ns an operation\n", rounds, bench->duel.core[0]);
	printf("%-24s %6s %6s %9s %9s %9s\n", "", "bytes", "run", "quartile", "median", "quartile");
	for (i = 0; i < bench->rows; i++) {
		struct measured *row = &bench->row[i];
		const double median = duel_median(row->ns, rounds);

		printf("%-24s %6u %6u %9.2f %9.2f %9.2f\n", row->primitive->name,
		       row->primitive->bytes, row->primitive->operations, row->ns[rounds / 4],
		       median, row->ns[rounds - 1 - rounds / 4]);
	}
}

/* After report(), which sorts. */
static int
json_write(const struct bench *bench)
{
	const uint32_t rounds = bench->duel.rounds;
	FILE *file;
	uint32_t i;

	file = fopen(bench->json, "w");
	if (file == NULL) {
		fprintf(stderr, "primitives: %s: %s\n", bench->json, strerror(errno));
		return 1;
	}
	fprintf(file, "{\"rounds\": %u, \"core\": %d, \"primitives\": [", rounds,
		bench->duel.core[0]);
	for (i = 0; i < bench->rows; i++) {
		const struct measured *row = &bench->row[i];

		fprintf(file,
			"%s\n {\"name\": \"%s\", \"bytes\": %u, \"operations\": %u, \"ns\": "
			"{\"median\": %.3f, \"p25\": %.3f, \"p75\": %.3f}}",
			i == 0 ? "" : ",", row->primitive->name, row->primitive->bytes,
			row->primitive->operations, row->ns[rounds / 2], row->ns[rounds / 4],
			row->ns[rounds - 1 - rounds / 4]);
	}
	fprintf(file, "\n]}\n");
	return fclose(file) == 0 ? 0 : 1;
}

/* ---- counting ---- */

COUNTED void
counted_run(const struct primitive *p, void *state)
{
	p->run(p, state);
}

/* A turn before, so that nothing is counted that only the first does. */
static void
count(struct bench *bench)
{
	uint32_t i;

	for (i = 0; i < bench->rows; i++) {
		const struct primitive *p = bench->row[i].primitive;
		void *state = bench->row[i].state;

		primitive_turn(p, state);
		if (p->before != NULL)
			p->before(p, state);
		counted_run(p, state);
		if (p->after != NULL)
			p->after(p, state);
		printf("%s %u\n", p->name, p->operations);
	}
}

/* ---- the command line ---- */

static const char usage[] =
	"usage: primitives [--only BEGIN_OF_NAME] [--rounds 1..1000] [--core CORE] [--json FILE]\n"
	"       primitives --count     (for benchmarks/instructions)\n"
	"       primitives --compiler  which one made it\n"
	"What each primitive costs in one process, nanoseconds an operation.\n";

/* CPU_SET() writes where it is told: a core beyond the set must not get there. */
static int
core_read(const char *text)
{
	char *end;
	const unsigned long core = strtoul(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && core < CPU_SETSIZE)
		return (int)core;
	fprintf(stderr, "primitives: --core is '%s', expected 0 to %d\n", text, CPU_SETSIZE - 1);
	exit(2);
}

/* For the ledger's head: another compiler makes other instructions. */
static void
compiler_print(void)
{
#ifdef __clang__
	printf("clang %d.%d.%d\n", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
	printf("gcc %d.%d.%d\n", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

static void
options_read(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {
		{"only", required_argument, NULL, 'o'}, {"rounds", required_argument, NULL, 'r'},
		{"core", required_argument, NULL, 'c'}, {"json", required_argument, NULL, 'j'},
		{"count", no_argument, NULL, 'n'},	{"compiler", no_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},	{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o') {
			bench->only = optarg;
		} else if (option == 'r') {
			bench->duel.rounds =
				duel_number(&bench->duel, optarg, "--rounds", DUEL_ROUNDS_MAX);
		} else if (option == 'c') {
			bench->duel.core[0] = core_read(optarg);
		} else if (option == 'j') {
			bench->json = optarg;
		} else if (option == 'n') {
			bench->count = true;
		} else if (option == 'b') {
			compiler_print();
			exit(0);
		} else {
			fputs(usage, option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
	if (optind != argc) {
		fprintf(stderr, "primitives: '%s' is no option\n%s", argv[optind], usage);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static struct bench bench = {.duel = {.name = "primitives", .rounds = 101}};
	int result = 0;

	options_read(&bench, argc, argv);
	if (!primitive_each(row_open, &bench))
		return 1;
	if (bench.rows == 1 && strcmp(bench.only, "null") != 0) {
		fprintf(stderr, "primitives: no name begins with '%s'\n", bench.only);
		return 2;
	}
	/* After EAL, which pins this thread as well. */
	duel_pin(&bench.duel, 0);
	if (bench.count) {
		count(&bench);
	} else {
		measure(&bench);
		report(&bench);
		if (bench.json != NULL)
			result = json_write(&bench);
	}
	rows_close(&bench);
	return result;
}
