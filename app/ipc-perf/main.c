/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ipc-perf: measure round trips over a Nahanni link. This file is the order of
 * things; --help is the manual.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include <nhn_clock.h>

#include "eal_args.h"
#include "options.h"
#include "ping.h"
#include "pong.h"
#include "port.h"
#include "report.h"
#include "say.h"
#include "way.h"

enum exit_status {
	EXIT_MET = 0,
	EXIT_FAILED = 1,
	EXIT_NOT_BEGUN = 2,
};

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/** The second ^C ends the process at once. */
static void
signals_take(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
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
	} else if (link->role == NHN_ROLE_GUEST) {
		ret = file_check(link->path);
		if (ret == 0 && link->peer != NULL)
			ret = file_check(link->peer);
	}
	return ret;
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

static int
ping_main(struct way *way, const struct options *options, struct json_file *json)
{
	struct results *results = calloc(1, sizeof(*results));
	int status = EXIT_NOT_BEGUN;

	if (results == NULL)
		say("There is no memory for histograms, expected 2 MiB: end other programs.");
	else if (ping_run(way, options, results) == 0) {
		status = report_met(results) ? EXIT_MET : EXIT_FAILED;
		if (report_text(options, way, results) != 0 ||
		    report_json_write(json, options, way, results) != 0)
			status = EXIT_FAILED;
	}
	ping_results_free(results);
	return status;
}

static int
link_main(const struct options *options, struct json_file *json, const struct nhn_clock *clock)
{
	struct way *way = aligned_alloc(_Alignof(struct way), sizeof(*way));
	int status = EXIT_NOT_BEGUN;

	if (way == NULL) {
		say("There is no memory for a link, expected some KiB: end other programs.");
		return EXIT_NOT_BEGUN;
	}
	memset(way, 0, sizeof(*way));
	way->calls = options->via == VIA_ETHDEV ? &way_ethdev : &way_channel;
	way->clock = clock;
	way->stopped = &stopped;
	if (way->calls->open(way, options) == 0) {
		if (options->mode == MODE_PING) {
			status = ping_main(way, options, json);
		} else {
			status = pong_run(way) == OUTCOME_LOST ? EXIT_FAILED : EXIT_MET;
		}
	}
	way->calls->close(way);
	free(way);
	return status;
}

static int
run(const struct options *options)
{
	struct json_file json;
	struct nhn_clock clock;
	int status = EXIT_NOT_BEGUN;
	int ret;

	if (link_check(&options->link) != 0 || report_json_open(&json, options->json) != 0)
		return EXIT_NOT_BEGUN;
	ret = nhn_clock_init(&clock);
	if (ret != 0)
		say("The processor's time counter is no clock here (%s), expected an even one: see"
		    " /sys/devices/system/clocksource.",
		    strerror(-ret));
	else if (eal_start(options) == 0) {
		/* After EAL, which may take signals itself. */
		signals_take();
		status = link_main(options, &json, &clock);
		rte_eal_cleanup();
	}
	report_json_close(&json, options->json);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options;
	int status = EXIT_NOT_BEGUN;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		status = run(&options);
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
