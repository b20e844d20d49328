/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nahanni-check: is this host or guest fit for polling cores? The checks are those of
 * lib/topo/nhn_check.h; this program chooses, measures what has to be mapped, and prints.
 * doc/guides/nahanni-check is the manual.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "measure.h"
#include "options.h"
#include "output.h"
#include "say.h"

enum exit_status {
	EXIT_WELL = 0,
	EXIT_FAILS = 1,
	EXIT_WRONG = 2,
	EXIT_UNABLE = 3,
};

struct bars {
	struct nhn_check_bar bar[LINKS_MAX];
	char why_not[LINKS_MAX][MEASURE_TEXT_MAX];
};

static void
hear(void *context, const char *sentence)
{
	(void)context;
	say("%s", sentence);
}

static void
measure(const struct options *options, struct bars *bars)
{
	const int bar = nhn_check_find("bar");

	for (unsigned int i = 0; i < options->device_count; i++) {
		bars->bar[i].name = options->devices[i];
		if (bar >= 0 && !options->chosen[bar])
			continue;
		bars->bar[i].load_ns =
			measure_bar(options->root, options->devices[i], bars->why_not[i]);
		bars->bar[i].why_not = bars->why_not[i][0] != '\0' ? bars->why_not[i] : NULL;
	}
}

static int
run_chosen(struct nhn_check *check, const struct options *options, struct report *report)
{
	for (unsigned int i = 0; i < nhn_check_count(); i++) {
		struct nhn_check_result *result = &report->results[report->count];
		int rc;

		if (i >= CHECKS_MAX || !options->chosen[i])
			continue;
		rc = nhn_check_run(check, i, result);
		if (rc != 0)
			return rc;
		report->counts[result->status]++;
		report->count++;
	}
	return 0;
}

static bool
may_colour(void)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0') &&
	       terminal != NULL && strcmp(terminal, "dumb") != 0;
}

/** @return EXIT_WELL, or EXIT_UNABLE after saying so */
static int
flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_WELL;
	say("The output cannot be written (%s), expected that it can: look where it goes.",
	    strerror(errno));
	return EXIT_UNABLE;
}

static int
print(const struct options *options, const struct report *report)
{

	if (!options->json)
		output_text(report, may_colour());
	else if (output_json(report) != 0)
		return -ENOMEM;
	return report->counts[NHN_CHECK_FAIL] > 0 ? EXIT_FAILS : EXIT_WELL;
}

static int
look(struct nhn_check *check, const struct options *options)
{
	struct report report = {
		.machine = nhn_check_machine_of(check),
		.root = options->root,
		.results = calloc(nhn_check_count(), sizeof(*report.results)),
	};
	int rc = report.results != NULL ? run_chosen(check, options, &report) : -ENOMEM;

	if (rc == 0)
		rc = print(options, &report);
	free(report.results);
	if (rc >= 0)
		return rc;
	say("There is no memory for the results (%s); free some.", strerror(-rc));
	return EXIT_UNABLE;
}

static int
run(const struct options *options)
{
	static struct bars bars;
	const struct nhn_check_config config = {
		.root = options->root,
		.cores = options->cores,
		.role = options->role,
		.sample_ms = options->sample_ms,
		.files = options->files,
		.file_count = options->file_count,
		.bars = bars.bar,
		.bar_count = options->device_count,
		.log = hear,
	};
	struct nhn_check *check;
	int status, rc;

	rc = nhn_check_open(&check, &config);
	if (rc != 0)
		return rc == -ENOMEM ? EXIT_UNABLE : EXIT_WRONG;
	measure(options, &bars);
	status = options->apply ? apply_do(check, options) : look(check, options);
	nhn_check_close(check);
	return status;
}

/** What is done and printed; output that is lost counts, and keeps what was done. */
static int
run_any(const struct options *options)
{
	int status = options->undo ? apply_undo(options) : run(options);

	return flush() == EXIT_WELL ? status : EXIT_UNABLE;
}

int
main(int argc, char **argv)
{
	struct options options;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		return run_any(&options);
	case OPTIONS_SHOWN:
		return flush();
	default:
		return EXIT_WRONG;
	}
}
