/* SPDX-License-Identifier: BSD-3-Clause */
/* What ipc-perf prints for people, at the end of a run and while it goes on. */

#include <errno.h>
#include <fcntl.h>

#include "output_rig.h"

/** Names that tests give are short: nothing of the text needs more. */
#define LINE_MAX_BYTES 101

static char *
text_of(const struct rig *rig)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	output_text(out, &rig->options, &rig->clock, rig->result);
	fclose(out);
	return text;
}

/** Warnings, and where a core is, can be long sentences; they stand alone. */
static void
assert_lines(const char *text)
{
	const char *end;

	text = strstr(text, "ipc-perf ");
	assert_non_null(text);
	for (; *text != '\0'; text = end + 1) {
		end = strchr(text, '\n');
		assert_non_null(end);
		if (end - text > LINE_MAX_BYTES - 1 && strncmp(text, "            ", 12) != 0 &&
		    strncmp(text, "near ", 5) != 0 && strncmp(text, "far ", 4) != 0)
			fail_msg("%.*s", (int)(end - text), text);
		while (text < end)
			assert_true((unsigned char)*text++ >= ' ');
	}
}

static void
test_a_good_run(void **state)
{
	struct rig *rig = *state;
	char *text;

	rig_run(rig, 20, 50000);
	text = text_of(rig);
	assert_lines(text);
	assert_int_equal(strncmp(text, "ipc-perf ", 9), 0);
	assert_non_null(strstr(text, "\nratio p50   2.500 over the limit: median of rounds"));
	assert_non_null(strstr(text, "\n  p99.9999 "));
	assert_non_null(strstr(text, "needs N 100000000"));
	assert_non_null(strstr(text, "error at most 40 ns"));
	assert_non_null(strstr(text, "interrupt, LOC 3"));
	free(text);
}

/** Nothing stands before what a reader must know. */
static void
test_warnings_come_first(void **state)
{
	struct rig *rig = *state;
	char first[512];
	char *text;

	rig_run(rig, 20, 50000);
	rig->result->counts.near.lost = 3;
	text = text_of(rig);
	assert_lines(text);
	assert_true(result_warning(rig->result, 0, first, sizeof(first)));
	assert_int_equal(strncmp(text, first, strlen(first)), 0);
	assert_non_null(strstr(text, ", lost 3, "));
	free(text);
}

static void
test_a_rate_not_held(void **state)
{
	struct rig *rig = *state;
	char *text;

	rig->options.settings.engine = &rig_paced;
	rig->options.settings.rate = 2000000;
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 20, 50000);
	rig->result->late = 7;
	text = text_of(rig);
	assert_lines(text);
	assert_int_equal(strncmp(text, "RATE NOT HELD", 13), 0);
	assert_non_null(strstr(text, "NOT HELD; sent late 7"));
	free(text);
}

/** Before any round, without a link, without a far end: dashes and why. */
static void
test_nothing_measured(void **state)
{
	struct rig *rig = *state;
	char *text;

	rig->result->outcome = OUTCOME_GONE;
	text = text_of(rig);
	assert_lines(text);
	assert_non_null(strstr(text, "\n  limit -: no round was kept"));
	assert_non_null(strstr(text, "\nratio p50   -: "));
	assert_non_null(strstr(text, "\nfar         -: not known"));
	assert_non_null(strstr(text, "\nrate        -: "));
	free(text);
}

static void
test_a_mode_of_rates(void **state)
{
	struct rig *rig = *state;
	char *text;

	rig->options.settings.engine = &rig_flood;
	result_begin(rig->result, &rig->options.settings, "channel");
	rig_run(rig, 3, 0);
	text = text_of(rig);
	assert_lines(text);
	assert_non_null(strstr(text, "\nlatency     -: mode flood measures rates"));
	assert_non_null(strstr(text, "\nrate        1000000 messages/s"));
	free(text);
}

struct live_rig {
	struct rig *rig;
	struct run run;
	struct live live;
	pthread_mutex_t lock;
};

static void
live_rig_begin(struct live_rig *live, struct rig *rig, bool quiet)
{
	memset(live, 0, sizeof(*live));
	pthread_mutex_init(&live->lock, NULL);
	live->rig = rig;
	live->run.clock = &rig->clock;
	live->run.settings = &rig->result->settings;
	live->run.engine = rig->result->settings.engine;
	live->run.result = rig->result;
	live->run.lock = &live->lock;
	live->run.begun = nhn_clock_now();
	live_begin(&live->live, quiet);
}

/** What one call of live_tell() prints, in place of stderr; as if @p later_ns had gone by. */
static char *
live_told(struct live_rig *live, uint64_t later_ns)
{
	char path[PATH_BYTES];
	int kept = dup(STDERR_FILENO);
	int fd;

	rig_path(live->rig, "stderr", path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && kept >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	if (live->live.told_ns != 0)
		live->live.told_ns -= later_ns;
	live_tell(&live->live, &live->run);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fd);
	return rig_read(path);
}

static void
assert_told(struct live_rig *live, uint64_t later_ns, const char *expected)
{
	char *text = live_told(live, later_ns);

	if (expected == NULL)
		assert_true(text == NULL || text[0] == '\0');
	else
		assert_non_null(strstr(text, expected));
	free(text);
}

/** Once a second, and not in the first one. */
static void
test_live_in_lines(void **state)
{
	struct rig *rig = *state;
	struct live_rig live;

	rig_run(rig, 10, 50000);
	live_rig_begin(&live, rig, false);
	live.live.terminal = false;
	assert_told(&live, 0, NULL);
	assert_told(&live, 0, NULL);
	assert_told(&live, 1000000000, " 50% 0:00 left 1M/s p50 ");
	assert_told(&live, 0, NULL);
	assert_told(&live, 1000000000, " p99.99 - max 209us lost 0\n");
	assert_false(live.live.open_line);
	live_rig_begin(&live, rig, true);
	assert_told(&live, 0, NULL);
	assert_told(&live, 1000000000, NULL);
}

static void
test_live_on_a_terminal(void **state)
{
	struct rig *rig = *state;
	struct live_rig live;
	char *text;

	rig_run(rig, 20, 50000);
	rig->result->rate = 1.234e8;
	rig->result->counts.near.lost = 1000000000;
	nhn_histogram_record(&rig->result->latency, 99999999999);
	live_rig_begin(&live, rig, false);
	live.live.terminal = true;
	assert_told(&live, 0, NULL);
	text = live_told(&live, 1000000000);
	assert_int_equal(strlen(text), 80);
	assert_int_equal(text[0], '\r');
	assert_non_null(strstr(text, "100% "));
	assert_true(live.live.open_line);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_good_run, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_warnings_come_first, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_a_rate_not_held, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_nothing_measured, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_a_mode_of_rates, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_live_in_lines, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_live_on_a_terminal, rig_begin, rig_end),
	};

	return cmocka_run_group_tests_name("output_text", tests, NULL, NULL);
}
