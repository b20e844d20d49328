/* SPDX-License-Identifier: BSD-3-Clause */
/* ipc-perf's command lines and scenario files: what is taken, what is refused. */

#include "settings_rig.h"

#include <stdlib.h>

#include <options.h>
#include <scenario.h>

/* ---- scenarios ---- */

static int
scenario_of(const char *text, struct settings **runs, unsigned int *count)
{
	char path[] = "/tmp/settings_test-XXXXXX";
	int file = mkstemp(path);
	struct settings defaults;
	int ret;

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	settings_init(&defaults);
	defaults.burst = 5;
	capture_begin();
	ret = scenario_load(path, &defaults, false, runs, count);
	capture_end();
	unlink(path);
	return ret;
}

static void
test_scenario(void **state)
{
	struct settings *runs;
	unsigned int count;

	(void)state;
	assert_int_equal(scenario_of("; a comment\n[all]\nrate = 5k\nexpect = lost<1\n"
				     "[one]\nmode = paced\nsweep = rate=1k,2k ; and one here\n"
				     "[two]\nmode=flood\nsize=1K\nduration=2s\nexpect=rate>1\n",
				     &runs, &count),
			 0);
	assert_string_equal(said, "");
	assert_int_equal(count, 2);
	assert_string_equal(runs[0].name, "one");
	assert_ptr_equal(runs[0].engine, &engine_paced);
	assert_int_equal(runs[0].rate, 5000);
	assert_int_equal(runs[0].sweep.count, 2);
	assert_int_equal(runs[0].samples, SAMPLES_DEFAULT);
	assert_int_equal(runs[0].expects, 1);
	assert_string_equal(runs[1].name, "two");
	assert_int_equal(runs[1].size, 1024);
	assert_int_equal(runs[1].burst, 5);
	assert_int_equal(runs[1].samples, 0);
	assert_int_equal(runs[1].expects, 2);
	free(runs);
}

static void
test_bad_scenarios(void **state)
{
	static const struct {
		const char *text, *parts;
	} bad[] = {
		{"", "no run|[NAME]"},
		{"[all]\nrate=5k\n", "no run"},
		{"rate=5k\n[a]\n", "rate|no section|[all]"},
		{"[a]\ncolour=red\n", ", [a]: colour|no setting|reply-size"},
		{"[a]\nsize=7\n", ", [a]: size is '7'|bytes"},
		{"[a]\nsize=\n", "size is ''"},
		{"[a]\nsize=8\nsize=9\n", "[a]: size is given twice|once"},
		{"[a]\nsize=8\n[a]\nsize=9\n", "[a]|twice"},
		{"[all]\nsize=8\n[all]\nsize=9\n[a]\n", "[all]|twice"},
		{"[a]\nrate=5k\n", "[a]: rate is given with mode ping|mode paced"},
		{"[a]\nmode=pong\n", "[a]: mode is pong|measures"},
		{"[a\nsize=8\n", ":1:|[NAME]"},
		{"[a]\nsize 8\n", ":2:|KEY = VALUE"},
		{"[]\nsize=8\n", "no name|[NAME]"},
		{"[a-name-that-is-longer-than-what-a-run-can-be-called-by]\n", ":1:|47"},
	};
	struct settings *runs;
	char text[512];
	unsigned int count;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(bad); i++) {
		if (scenario_of(bad[i].text, &runs, &count) == 0)
			fail_msg("taken: %s", bad[i].text);
		assert_null(runs);
		assert_said("settings_test-|expected");
		assert_said(bad[i].parts);
	}
	memset(text, '1', sizeof(text));
	memcpy(text, "[a]\nsize=", 9);
	text[sizeof(text) - 1] = '\0';
	assert_int_not_equal(scenario_of(text, &runs, &count), 0);
	assert_said(":2:|too long|255");
}

static void
test_scenario_missing(void **state)
{
	struct settings defaults, *runs;
	unsigned int count;
	int ret;

	(void)state;
	settings_init(&defaults);
	capture_begin();
	ret = scenario_load("/nowhere/at-all.cfg", &defaults, false, &runs, &count);
	capture_end();
	assert_int_equal(ret, -ENOENT);
	assert_said("/nowhere/at-all.cfg|expected|.cfg");
	capture_begin();
	ret = scenario_load("/tmp", &defaults, false, &runs, &count);
	capture_end();
	assert_int_not_equal(ret, 0);
	assert_said("/tmp|regular file");
}

/** Those that are delivered. */
static void
test_scenario_files(void **state)
{
	static const char *const names[] = {"latency", "load", "throughput", "mixed", "soak"};
	struct settings defaults, *runs;
	char path[512];
	unsigned int count;
	size_t i;

	(void)state;
	settings_init(&defaults);
	for (i = 0; i < RTE_DIM(names); i++) {
		snprintf(path, sizeof(path), CONFIG_FOLDER "/ipc-perf-%s.cfg", names[i]);
		assert_int_equal(scenario_load(path, &defaults, true, &runs, &count), 0);
		assert_true(count > 0);
		free(runs);
	}
}

/* ---- command lines ---- */

#define WORDS_MAX 24

/** Split at blanks, as a shell without quotes would. */
static enum options_end
parse(struct options *options, const char *line)
{
	static char copy[1024];
	static char *argv[WORDS_MAX + 1];
	enum options_end end;
	char *left, *word;
	int argc = 0;

	snprintf(copy, sizeof(copy), "ipc-perf %s", line);
	for (word = strtok_r(copy, " ", &left); word != NULL && argc < WORDS_MAX;
	     word = strtok_r(NULL, " ", &left))
		argv[argc++] = word;
	argv[argc] = NULL;
	capture_begin();
	end = options_parse(options, argc, argv);
	capture_end();
	return end;
}

#define LINK "--link role=host,path=/tmp/x "

static void
test_command_lines(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options,
			       "-l 0 -- --mode paced " LINK
			       "--rate 250k --expect p99<20us --expect lost<1 --json o.json"),
			 OPTIONS_RUN);
	assert_int_equal(options.eal_argc, 3);
	assert_int_equal(options.settings.rate, 250000);
	assert_int_equal(options.settings.expects, 2);
	assert_int_equal(options.given, bit_of("mode") | bit_of("rate") | bit_of("expect"));
	assert_string_equal(options.outputs.json, "o.json");
	assert_int_equal(options.via, VIA_CHANNEL);
	options_free(&options);

	assert_int_equal(parse(&options, "--mode pong " LINK "--via msg"), OPTIONS_RUN);
	assert_null(options.settings.engine);
	assert_int_equal(options.via, VIA_MSG);
	assert_int_equal(options.eal_argc, 1);
	options_free(&options);

	assert_int_equal(parse(&options, "-- -i"), OPTIONS_RUN);
	assert_true(options.interactive);
	assert_int_equal(parse(&options, "--mode synthetic --samples 100"), OPTIONS_RUN);
	assert_int_equal(parse(&options, "--scenario a.cfg --rate 5k"), OPTIONS_RUN);
	assert_string_equal(options.scenario, "a.cfg");
	assert_int_equal(
		parse(&options, "--mode ping " LINK "--report r.html --compare a --compare b"),
		OPTIONS_RUN);
	assert_int_equal(options.compares, 2);
	options_free(&options);
}

static void
test_bad_command_lines(void **state)
{
	static const struct {
		const char *line, *parts;
	} bad[] = {
		{"-- " LINK, "--mode|--interactive"},
		{"--mode ping", "mode ping|--link role="},
		{"--mode pong", "mode pong|--link role="},
		{"--mode ping " LINK "--frobnicate", "--frobnicate|--reply-size|--scenario"},
		{"--mode ping " LINK "-x", "-x|--mode"},
		{"--mode ping " LINK "extra", "'extra'|options only"},
		{"--mode ping " LINK "--size", "--size|no value"},
		{"--mode ping " LINK "--help=x", "--help=x|expected none"},
		{"--mode ping " LINK "--size 8 --size 9", "--size|twice"},
		{"--mode ping " LINK LINK, "--link|twice"},
		{"--mode ping " LINK "-i --interactive", "--interactive|twice"},
		{"--mode ping " LINK "--samples 0", "--samples is '0'"},
		{"--mode ping " LINK "--duration 10", "--duration is '10'|unit"},
		{"--mode ping " LINK "--via carrier", "'carrier'|channel|msg|ethdev"},
		{"--mode ping " LINK "--rate 5k", "--rate|mode ping|mode paced"},
		{"--mode ping " LINK "--via ethdev --size 60", "--size is 60|64"},
		{"--mode ping " LINK "--json=", "--json is empty|file"},
		{"--mode ping " LINK "--compare a.json", "--compare|--report|a.json"},
		{"--mode synthetic " LINK, "--link|synthetic"},
		{"--mode pong " LINK "--json a", "--json|pong"},
		{"--mode pong " LINK "-i", "--interactive|pong"},
		{"--mode pong " LINK "--scenario a", "--scenario|pong"},
		{"--mode pong " LINK "--size 8", "--size|pong"},
		{"--cmdline-file /nowhere/c", "--cmdline-file|/nowhere/c"},
		{"--scenario a -i", "--scenario|--interactive"},
		{"--mode ping --link role=chief,path=/x", "chief"},
	};
	struct options options;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(bad); i++) {
		if (parse(&options, bad[i].line) != OPTIONS_WRONG)
			fail_msg("taken: %s", bad[i].line);
		assert_said("expected");
		assert_said(bad[i].parts);
		/* One sentence. */
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
		options_free(&options);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenario),	 cmocka_unit_test(test_bad_scenarios),
		cmocka_unit_test(test_scenario_missing), cmocka_unit_test(test_scenario_files),
		cmocka_unit_test(test_command_lines),	 cmocka_unit_test(test_bad_command_lines),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
