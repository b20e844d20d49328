/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nahanni-worker: a daemon that serves links by the worker of lib/worker. This file is the
 * order of things; doc/guides/nahanni-worker is the manual.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "cores.h"
#include "daemon.h"
#include "eal_args.h"
#include "notify.h"
#include "options.h"
#include "say.h"

enum exit_status {
	EXIT_ENDED = 0,
	EXIT_FAILED = 1,
	EXIT_WRONG = 2,
};

/** Between two looks at what the lcores noted. */
#define TURN_NS 100000000
/** Between two looks at files and at messages that do not go on, whatever signals come. */
#define CHECK_NS UINT64_C(1000000000)

/** Those that the control thread waits for; no other thread gets them. */
static void
signals_block(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/** CPUs for the worker's lcores, before EAL pins any thread. */
static int
cores_begin(struct cores *cores, const struct options *options, const struct worker_config *worker)
{
	const struct cores_wish wish = {
		.name = options->cores != NULL ? "--cores" : "cores of [worker]",
		.text = options->cores != NULL ? options->cores : worker->cores,
		.count = worker->lcore_count,
		.say = say,
	};
	int ret;

	if (options->cores == NULL && worker->cores[0] == '\0')
		return 0;
	ret = cores_eal_check(wish.name, options->eal_argc, options->argv, say);
	if (ret == 0)
		ret = cores_choose(cores, &wish);
	if (ret != 0)
		return ret;
	say("the lcores are, in order, on %s", cores->sentence);
	return cores_judge(cores, NULL, options->strict || worker->strict, say);
}

/** Strict with the CPUs that EAL gave the worker's lcores. */
static int
cores_of_eal(struct cores *cores, const struct options *options, const struct worker_config *worker)
{
	rte_cpuset_t cpus;
	unsigned int cpu;
	uint32_t i;

	if (cores->count != 0 || !(options->strict || worker->strict))
		return 0;
	for (i = 0; i < worker->lcore_count; i++) {
		cpus = rte_lcore_cpuset(worker->lcores[i]);
		for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &cpus))
				cores_add(cores, (int)cpu);
	}
	return cores_judge(cores, NULL, true, say);
}

static int
eal_start(const struct options *options, const struct config *config, const struct cores *cores)
{
	struct eal_args args;
	int ret = eal_args_compose(&args, options, &config->worker, cores);

	if (ret != 0)
		return ret;
	rte_openlog_stream(stderr);
	ret = rte_eal_init(args.argc, args.argv);
	if (ret < 0)
		say("EAL could not start (%s), expected that it can with the options before --"
		    " and the lcores of the configuration: see the messages above.",
		    rte_strerror(rte_errno));
	eal_args_free(&args);
	return ret < 0 ? -EIO : 0;
}

static void
reload(struct daemon *daemon, uint32_t damaged)
{
	notify_reloading();
	daemon_reload(daemon);
	/* Also where nothing was taken: the daemon serves. */
	notify_ready(daemon->links, daemon_up(daemon), damaged);
}

/** Until a signal ends it. */
static void
serve(struct daemon *daemon, const sigset_t *signals)
{
	const struct timespec turn = {.tv_nsec = TURN_NS};
	uint32_t damaged = 0;
	uint64_t checked = nhn_worker_now_ns(NULL);
	sigset_t ends;
	int number;

	say("serving %u links on %u lcores.", daemon->links, daemon->config.lcore_count);
	notify_ready(daemon->links, 0, 0);
	for (;;) {
		number = sigtimedwait(signals, NULL, &turn);
		daemon_tell(daemon);
		if (number == SIGHUP)
			reload(daemon, damaged);
		else if (number > 0)
			break;
		if (nhn_worker_now_ns(NULL) - checked < CHECK_NS)
			continue;
		checked = nhn_worker_now_ns(NULL);
		daemon_look(daemon);
		damaged = daemon_check(daemon);
		notify_status(daemon->links, daemon_up(daemon), damaged);
	}
	notify_stopping();
	say("ending by signal %d.", number);
	/* The second one ends the process at once; a reload comes too late. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
}

static int
daemon_main(const struct config *config, const sigset_t *signals)
{
	static struct daemon daemon;
	int ret = daemon_start(&daemon, config);

	if (ret == 0)
		serve(&daemon, signals);
	daemon_stop(&daemon);
	return ret == 0 ? EXIT_ENDED : EXIT_FAILED;
}

/** What can be checked with EAL and before anything is opened. */
static int
config_check_all(const struct config *config)
{
	uint32_t i;
	int ret = config_check_lcores(config);

	for (i = 0; i < config->link_count && ret == 0; i++)
		ret = config_check_files(config, &config->links[i]);
	return ret;
}

static int
run(const struct options *options)
{
	struct cores cores = {.count = 0};
	struct config config;
	sigset_t signals;
	int status = EXIT_WRONG;

	if (config_load(&config, options->config) != 0)
		return EXIT_WRONG;
	/* Before EAL, whose threads take over what is blocked. */
	signals_block(&signals);
	if (cores_begin(&cores, options, &config.worker) != 0) {
		status = EXIT_WRONG;
	} else if (eal_start(options, &config, &cores) != 0) {
		status = EXIT_FAILED;
	} else {
		if (config_check_all(&config) == 0 &&
		    cores_of_eal(&cores, options, &config.worker) == 0)
			status = options->check ? EXIT_ENDED : daemon_main(&config, &signals);
		rte_eal_cleanup();
	}
	if (options->check && status == EXIT_ENDED)
		say("%s is good: %u links on %u lcores.", config.path, config.link_count,
		    config.worker.lcore_count);
	config_free(&config);
	cores_free(&cores);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		return run(&options);
	case OPTIONS_SHOWN:
		return fflush(stdout) == 0 ? EXIT_ENDED : EXIT_FAILED;
	default:
		return EXIT_WRONG;
	}
}
