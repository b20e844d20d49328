/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ipc-perf: load a link and measure it. This file is the order of things; --help
 * is the manual.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include <nhn_clock.h>

#include "cores.h"
#include "eal_args.h"
#include "far.h"
#include "options.h"
#include "output.h"
#include "port.h"
#include "prompt.h"
#include "say.h"
#include "scenario.h"
#include "session_internal.h"

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	/* The second ^C, while the first one is not yet obeyed, ends the process at once. */
	if (stopped) {
		signal(number, SIG_DFL);
		raise(number);
	}
	stopped = 1;
}

static void
signals_take(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader of stdout that leaves is an error of writing, said after the files are there. */
	signal(SIGPIPE, SIG_IGN);
}

static int
file_check(const char *path)
{
	if (access(path, F_OK) == 0)
		return 0;
	say("The file %s cannot be found (%m), expected one that the host has created: start the"
	    " host first, or correct the path.",
	    path);
	return -ENOENT;
}

/** What can be found out before EAL starts, in one sentence instead of EAL's many. */
static int
link_check(const struct link_option *link)
{
	int ret = 0;

	if (link->pci) {
		ret = port_pci_check(link->bdf);
		if (ret == 0 && link->peer != NULL)
			ret = port_pci_check(link->peer);
	} else if (link->role == NHN_ROLE_GUEST && link->path != NULL) {
		ret = file_check(link->path);
		if (ret == 0 && link->peer != NULL)
			ret = file_check(link->peer);
	}
	return ret;
}

static int
cores_show(struct cores *cores, struct options *options)
{
	int ret = cores_judge(cores, NULL, options->strict, say);

	options->checks = cores->checks;
	options->check_count = cores->check_count;
	return ret;
}

/** --cores, before EAL pins this thread. */
static int
cores_begin(struct cores *cores, struct options *options)
{
	const struct link_option *link = &options->link;
	const struct cores_wish wish = {
		.name = "--cores",
		.text = options->cores,
		.count = 1,
		.device = link->pci ? link->bdf : link->port,
		.say = say,
	};

	if (options->cores == NULL)
		return 0;
	if (cores_eal_check(wish.name, options->eal_argc, options->argv, say) != 0 ||
	    cores_choose(cores, &wish) != 0)
		return -EINVAL;
	options->core_list = cores->list;
	if (strcmp(options->cores, "auto") == 0)
		say("--cores auto: %s", cores->sentence);
	return cores_show(cores, options);
}

/** --strict with a core that EAL's options name, or EAL itself. */
static int
cores_of_eal(struct cores *cores, struct options *options)
{
	rte_cpuset_t cpus;
	unsigned int cpu;

	if (options->cores != NULL || !options->strict)
		return 0;
	cpus = rte_lcore_cpuset(rte_get_main_lcore());
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			cores_add(cores, (int)cpu);
	return cores_show(cores, options);
}

static int
eal_start(const struct options *options)
{
	struct eal_args args;
	int ret = eal_args_compose(&args, options);

	if (ret != 0)
		return ret;
	/* Stdout is the report's. */
	rte_openlog_stream(stderr);
	ret = rte_eal_init(args.argc, args.argv);
	if (ret < 0)
		say("EAL could not start (%s), expected that it can with the options before --,"
		    " this link and its memory: see the messages above.",
		    rte_strerror(rte_errno));
	eal_args_free(&args);
	return ret < 0 ? -rte_errno : 0;
}

/** The runs of a scenario, or the one of the command line. */
static int
runs_load(const struct options *options, struct settings **runs, unsigned int *count)
{
	unsigned int i;
	int ret;

	*count = 1;
	if (options->scenario != NULL) {
		ret = scenario_load(options->scenario, &options->settings,
				    options->via == VIA_ETHDEV, runs, count);
		for (i = 0; i < *count && ret == 0; i++)
			ret = options_link_check(options, &(*runs)[i]);
		return ret;
	}
	*runs = malloc(sizeof(**runs));
	if (*runs == NULL)
		return -ENOMEM;
	**runs = options->settings;
	return 0;
}

static void
runs_execute(struct session *session, const struct settings *runs, unsigned int count)
{
	unsigned int i;

	session->state = SESSION_RUNNING;
	for (i = 0; i < count && !stopped && !session->far_lost; i++)
		session_execute(session, &runs[i]);
	session_unbegun(session, count - i);
}

static int
near_main(struct session *session, const struct settings *runs, unsigned int count)
{
	const struct options *options = session->options;

	session->result = result_new();
	session->runs = json_array();
	if (session->result == NULL || session->runs == NULL) {
		say("There is no memory for results, expected 40 MiB: end other programs.");
		return EXIT_NOT_BEGUN;
	}
	if (options->interactive || options->cmdline_file != NULL) {
		if (prompt_begin(session) != 0)
			return EXIT_NOT_BEGUN;
		session_obey(session);
		prompt_end();
	} else {
		runs_execute(session, runs, count);
	}
	if (session->way != NULL && !session->far_lost && !stopped && !way_down(session->way))
		session_end(session);
	json_decref(session->runs);
	result_free(session->result);
	return session->worst;
}

static const struct way_calls *
calls_of(enum via via)
{
	switch (via) {
	case VIA_ETHDEV:
		return &way_ethdev;
	case VIA_MSG:
		return &way_msg;
	default:
		return &way_channel;
	}
}

/** The link, and what is done over it. */
static int
link_main(struct session *session, const struct settings *runs, unsigned int count)
{
	const struct options *options = session->options;
	int status = EXIT_NOT_BEGUN;

	if (options->link.text == NULL)
		return near_main(session, runs, count);
	session->calls = calls_of(options->via);
	session->way = way_new(session->calls, session->clock, &stopped);
	if (session->way == NULL) {
		say("There is no memory for a link, expected some KiB: end other programs.");
		return EXIT_NOT_BEGUN;
	}
	if (session->calls->open(session->way, options) == 0) {
		if (options->settings.engine != NULL || options->scenario != NULL)
			status = near_main(session, runs, count);
		else
			status = far_run(session->way, session->clock) == OUTCOME_LOST ? EXIT_FAILED
										       : EXIT_MET;
	}
	session->calls->close(session->way);
	way_free(session->way);
	return status;
}

/** Each would write over the other. */
static int
files_differ(const struct output_file *a, const struct output_file *b)
{
	struct stat one, other;

	if (a->stream == NULL || b->stream == NULL || fstat(fileno(a->stream), &one) != 0 ||
	    fstat(fileno(b->stream), &other) != 0 || !S_ISREG(one.st_mode) ||
	    one.st_dev != other.st_dev || one.st_ino != other.st_ino)
		return 0;
	say("%s and %s are one file, expected one for each form of the results.", a->path, b->path);
	return -EINVAL;
}

static int
files_open(struct session *session)
{
	const struct outputs *outputs = &session->options->outputs;
	const char *const paths[OUTPUT_KINDS] = {
		[OUTPUT_JSON] = outputs->json,	   [OUTPUT_CSV] = outputs->csv,
		[OUTPUT_HGRM] = outputs->hgrm,	   [OUTPUT_HLOG] = outputs->hlog,
		[OUTPUT_REPORT] = outputs->report,
	};
	unsigned int kind, other;
	int ret = 0;

	for (kind = 0; kind < OUTPUT_KINDS && ret == 0; kind++) {
		if (paths[kind] == NULL)
			continue;
		ret = output_open(&session->files[kind], kind, paths[kind]);
		for (other = 0; other < kind && ret == 0; other++)
			ret = files_differ(&session->files[kind], &session->files[other]);
	}
	return ret;
}

static void
files_close(struct session *session)
{
	unsigned int kind;

	for (kind = 0; kind < OUTPUT_KINDS; kind++)
		output_close(&session->files[kind]);
}

static int
run(struct options *options, const struct settings *runs, unsigned int count)
{
	struct cores cores = {.count = 0};
	struct nhn_clock clock;
	struct session session = {
		.options = options,
		.clock = &clock,
		.stopped = &stopped,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.settings = options->settings,
		.given = options->given,
	};
	int status = EXIT_NOT_BEGUN;
	int ret;

	ret = link_check(&options->link);
	if (ret == 0)
		ret = output_compares_check(options);
	if (ret == 0)
		ret = cores_begin(&cores, options);
	if (ret == 0)
		ret = files_open(&session);
	if (ret == 0) {
		ret = nhn_clock_init(&clock);
		if (ret != 0)
			say("The processor's time counter is no clock here (%s), expected an even"
			    " one: see /sys/devices/system/clocksource.",
			    strerror(-ret));
	}
	if (ret == 0 && eal_start(options) == 0) {
		/* After EAL, which may take signals itself. */
		signals_take();
		if (cores_of_eal(&cores, options) == 0)
			status = link_main(&session, runs, count);
		rte_eal_cleanup();
	}
	files_close(&session);
	cores_free(&cores);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct settings *runs = NULL;
	unsigned int count = 0;
	int status = EXIT_NOT_BEGUN;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		if (runs_load(&options, &runs, &count) == 0)
			status = run(&options, runs, count);
		free(runs);
		break;
	case OPTIONS_SHOWN:
		status = fflush(stdout) == 0 ? EXIT_MET : EXIT_FAILED;
		break;
	case OPTIONS_WRONG:
		break;
	}
	options_free(&options);
	return status;
}
