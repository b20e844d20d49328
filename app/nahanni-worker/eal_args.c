/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal_args.h"
#include "say.h"

/** Arguments added at most: --no-pci --no-huge -m N --no-shconf --lcores=... --main-lcore=... */
#define ADDED_MAX 6
/** MiB without hugepages: 64 links, and what EAL keeps for itself. */
#define NO_HUGE_MIB "128"
/** Bytes of --lcores: a number and a comma for each CPU, two of them for each lcore. */
#define LCORES_BYTES (32 + 8 * CPU_SETSIZE + 16 * NHN_WORKER_LCORES_MAX)

static const char *const own_memory_files[] = {"--file-prefix", "--proc-type", "--in-memory",
					       "--no-shconf",	"--huge-dir",  NULL};
static const char *const memory[] = {"-m",	  "--socket-mem", "--huge-dir", "--in-memory",
				     "--no-huge", "--legacy-mem", NULL};
static const char *const core_options[] = {"-l", "-c", "--lcores", NULL};
static const char *const devices[] = {"--no-pci", "-a", "--allow", "-b", "--block", NULL};

/** Whether the user gave one of these EAL options, alone, with =VALUE, or as -xVALUE. */
static bool
given(const struct options *options, const char *const *names)
{
	int i;

	for (; *names != NULL; names++) {
		size_t length = strlen(*names);

		for (i = 1; i < options->eal_argc; i++) {
			const char *text = options->argv[i];

			if (strncmp(text, *names, length) == 0 &&
			    (length == 2 || text[length] == '\0' || text[length] == '='))
				return true;
		}
	}
	return false;
}

static void
add(struct eal_args *args, const char *text)
{
	/* EAL moves the pointers about and leaves the text alone. */
	args->argv[args->argc++] = (char *)(uintptr_t)text;
}

/** The CPU of the worker's lcore. */
static uint32_t
cpu_of(const struct worker_config *config, const struct cores *cores, uint32_t i)
{
	return i < cores->count ? (uint32_t)cores->cpu[i] : config->lcores[i];
}

static bool
worker_has(const struct worker_config *config, uint32_t lcore)
{
	uint32_t i;

	for (i = 0; i < config->lcore_count; i++)
		if (config->lcores[i] == lcore)
			return true;
	return false;
}

/** Whether this process can run there: isolated CPUs are in no process's mask by themselves. */
static bool
cpu_usable(uint32_t cpu)
{
	cpu_set_t old, one;
	bool usable;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_getaffinity(0, sizeof(old), &old) != 0)
		return false;
	usable = sched_setaffinity(0, sizeof(one), &one) == 0;
	sched_setaffinity(0, sizeof(old), &old);
	return usable;
}

/** CPUs of the main lcore: those of this process, but for the worker's, unless none is left. */
static void
main_cpus(cpu_set_t *cpus, const struct worker_config *config, const struct cores *cores)
{
	cpu_set_t others = *cpus;
	uint32_t i;

	for (i = 0; i < config->lcore_count; i++)
		CPU_CLR(cpu_of(config, cores, i), &others);
	if (CPU_COUNT(&others) != 0)
		*cpus = others;
}

/**
 * The main lcore only controls; the worker's have a CPU each. Those that this process cannot
 * run on are left out: the check of the configuration names them.
 */
static int
lcores_compose(struct eal_args *args, const struct worker_config *config, const struct cores *cores)
{
	uint32_t main_lcore = 0;
	const char *comma = "";
	cpu_set_t cpus;
	size_t at;
	uint32_t i;

	args->lcores = malloc(LCORES_BYTES);
	if (args->lcores == NULL || sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return -ENOMEM;
	main_cpus(&cpus, config, cores);
	while (worker_has(config, main_lcore))
		main_lcore++;
	at = (size_t)sprintf(args->lcores, "--lcores=%u@(", main_lcore);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &cpus)) {
			at += (size_t)sprintf(args->lcores + at, "%s%u", comma, i);
			comma = ",";
		}
	at += (size_t)sprintf(args->lcores + at, ")");
	for (i = 0; i < config->lcore_count; i++)
		if (cpu_usable(cpu_of(config, cores, i)))
			at += (size_t)sprintf(args->lcores + at, ",%u@%u", config->lcores[i],
					      cpu_of(config, cores, i));
	snprintf(args->main_lcore, sizeof(args->main_lcore), "--main-lcore=%u", main_lcore);
	return 0;
}

static void
memory_add(struct eal_args *args, const struct options *options)
{
	/* A daemon of some counters and tables needs no hugepages. */
	bool no_huge = !given(options, memory);

	if (no_huge) {
		add(args, "--no-huge");
		add(args, "-m");
		add(args, NO_HUGE_MIB);
	}
	/* Keeps two DPDK programs apart. */
	if (!given(options, own_memory_files))
		add(args, "--no-shconf");
}

int
eal_args_compose(struct eal_args *args, const struct options *options,
		 const struct worker_config *config, const struct cores *cores)
{
	bool lcores = !given(options, core_options);
	int i;

	memset(args, 0, sizeof(*args));
	args->argv = calloc((size_t)options->eal_argc + ADDED_MAX + 1, sizeof(*args->argv));
	if (args->argv == NULL || (lcores && lcores_compose(args, config, cores) != 0)) {
		say("There is no memory for EAL's arguments, expected some bytes: end other"
		    " programs.");
		eal_args_free(args);
		return -ENOMEM;
	}
	for (i = 0; i < options->eal_argc; i++)
		add(args, options->argv[i]);
	/* EAL would probe this machine's own devices. */
	if (!given(options, devices))
		add(args, "--no-pci");
	if (lcores) {
		add(args, args->lcores);
		add(args, args->main_lcore);
	}
	memory_add(args, options);
	return 0;
}

void
eal_args_free(struct eal_args *args)
{
	free(args->argv);
	free(args->lcores);
}
