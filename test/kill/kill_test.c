/* SPDX-License-Identifier: BSD-3-Clause */
/* Kill or stop either side of a link, at named points and at random instants, start it
 * again, and check all that was promised. Each run follows from its seed; what the kernel
 * makes of the instants does not, so a seed repeats a plan, and a failure nearly always. */

#include <errno.h>
#include <getopt.h>
#include <sys/wait.h>

#include "kill_driver.h"
#include "process.h"

#define RUNS 300u
#define RUNS_NIGHTLY 10000u
#define FAILURES_MAX 20u

static const char *const side_name[] = {"host", "guest"};
static const char *const action_name[] = {"killed", "stopped"};

struct options {
	uint64_t seed; /* the first one */
	uint32_t runs;
	uint32_t measure;
	bool one;
};

static void
usage(FILE *to)
{
	fprintf(to,
		"usage: %s [--runs N] [--seed N] [--measure N]\n"
		"Kill and stop both sides of a link; see that every promise is kept.\n"
		"  --runs N     seeds 1 to N (default: 300, with NHN_NIGHTLY set 10000)\n"
		"  --seed N     this one run only, its plan printed; with --runs: from N on\n"
		"  --measure N  instead, time N restarts of the host, the guest and both\n",
		program_invocation_short_name);
}

static uint64_t
number(const char *option, const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && value != 0 && value <= UINT32_MAX)
		return value;
	fprintf(stderr, "%s: --%s %s: expected a number from 1 to %u\n",
		program_invocation_short_name, option, text, UINT32_MAX);
	exit(2);
}

static void
parse(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"runs", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"measure", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *nightly = getenv("NHN_NIGHTLY");
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'r') {
			options->runs = (uint32_t)number("runs", optarg);
		} else if (c == 's') {
			options->seed = number("seed", optarg);
		} else if (c == 'm') {
			options->measure = (uint32_t)number("measure", optarg);
		} else {
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
	options->one = options->seed != 0 && options->runs == 0;
	if (options->seed == 0)
		options->seed = 1;
	if (options->one)
		options->runs = 1;
	else if (options->runs == 0)
		options->runs = nightly != NULL && *nightly != '\0' ? RUNS_NIGHTLY : RUNS;
}

/* In a process of its own, so that a failure leaves nothing behind. @return whether all held */
static bool
run_one(const struct options *options, uint64_t seed, const char *path, struct kill_totals *totals)
{
	struct kill_plan plan;
	int status = 0;
	pid_t pid;

	kill_plan_make(&plan, seed);
	if (options->one)
		kill_plan_print(&plan);
	unlink(path);
	pid = process_fork();
	if (pid == 0) {
		struct kill_driver driver;

		kill_driver_init(&driver, &plan, totals, path);
		if (options->measure != 0)
			kill_measure(&driver, options->measure);
		else
			kill_run(&driver);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	while (wait(NULL) > 0) /* sides that a failed driver left behind */
		continue;
	return status == 0;
}

/* ---- what was hit ---- */

static uint32_t
print_hits(const struct kill_totals *totals)
{
	uint32_t never = 0;
	uint32_t i, cell;

	printf("hits of meant ones %12s %12s %12s %12s\n", "host killed", "host stopped",
	       "guest killed", "guest stopped");
	for (i = 0; i < kill_point_count; i++) {
		printf("%-18s", kill_points[i].name);
		for (cell = 0; cell < 4; cell++) {
			uint32_t hits = totals->hits[i][cell / 2][cell % 2];

			printf(" %5u of %4u", hits, totals->meant[i][cell / 2][cell % 2]);
			never += hits == 0;
		}
		printf("\n");
	}
	printf("%-18s", "random instants");
	for (cell = 0; cell < 4; cell++)
		printf(" %12u", totals->random_hits[cell / 2][cell % 2]);
	printf("\n");
	return never;
}

static void
print_never(const struct kill_totals *totals)
{
	uint32_t i, cell;

	for (i = 0; i < kill_point_count; i++)
		for (cell = 0; cell < 4; cell++)
			if (totals->hits[i][cell / 2][cell % 2] == 0)
				fprintf(stderr,
					"the %s was never %s at %s, expected it at least"
					" once in %u runs\n",
					side_name[cell / 2], action_name[cell % 2],
					kill_points[i].name, RUNS);
}

/* @return how many of the points that can be hit were not */
static uint32_t
report(const struct options *options, const struct kill_totals *totals, uint32_t failures)
{
	uint32_t never = print_hits(totals);

	printf("%u runs, %u failed; %llu messages delivered, %llu counted as discarded, %u second"
	       " ones of a role refused\n",
	       options->runs, failures, (unsigned long long)totals->messages,
	       (unsigned long long)totals->discarded, totals->refused);
	printf("times, while this machine was as busy as it was; a heartbeat is late after %u "
	       "ms:\n",
	       KILL_LATE_US / 1000);
	kill_print_times("up again after a start", &totals->up);
	printf("%-24s %llu\n", "the worst was of seed", (unsigned long long)totals->slowest_seed);
	kill_print_times("death or stop told", &totals->told);
	if (options->runs < RUNS || kill_point_count == 0)
		return 0;
	print_never(totals);
	return never;
}

int
main(int argc, char **argv)
{
	struct kill_totals *totals = process_memory(sizeof(*totals));
	const char *folder = process_folder();
	struct options options = {0};
	uint32_t failures = 0;
	char path[128];
	uint32_t i;

	parse(&options, argc, argv);
	if (totals == NULL || folder == NULL) {
		perror("memory and a folder for the region");
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(path, sizeof(path), "%s/region", folder);
	nhn_histogram_init(&totals->up);
	nhn_histogram_init(&totals->told);
	if (options.measure != 0)
		options.runs = 1;
	for (i = 0; i < options.runs && failures < FAILURES_MAX; i++) {
		if (run_one(&options, options.seed + i, path, totals))
			continue;
		failures++;
		fprintf(stderr, "repeat with %s --seed %llu\n", argv[0],
			(unsigned long long)(options.seed + i));
	}
	unlink(path);
	rmdir(folder);
	if (options.measure == 0 && report(&options, totals, failures) != 0)
		failures++;
	return failures != 0;
}
