/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What benchmarks of two processes share: memory, cores, a link that comes up,
 * turns in lock-step with the contestants' order rotated, medians.
 */
#ifndef DUEL_H
#define DUEL_H

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nhn_link.h>

#define DUEL_ROUNDS_MAX 1000u

/* What the command line says. */
struct duel {
	const char *name;
	uint32_t rounds;
	uint32_t messages; /* a round; what it means is the benchmark's */
	int core[2];	   /* of the writer and of the reader */
};

static inline uint64_t
duel_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void
duel_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("" : : : "memory");
#endif
}

/* The order of contestants turns by one each round. */
static inline uint32_t
duel_contestant(uint32_t turn, uint32_t contestants)
{
	return (turn + turn / contestants) % contestants;
}

static inline void
duel_pin(const struct duel *duel, int side)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)duel->core[side], &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return;
	fprintf(stderr, "%s: core %d cannot be used (%s): name two of this machine's\n", duel->name,
		duel->core[side], strerror(errno));
	exit(2);
}

/* Zeroed, present, shared with processes forked later. */
static inline void *
duel_memory(const struct duel *duel, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	fprintf(stderr, "%s: no %zu bytes of shared memory: %s\n", duel->name, bytes,
		strerror(errno));
	exit(1);
}

/* The reader's process; it goes when the writer's does. @return as fork() */
static inline pid_t
duel_fork(const struct duel *duel)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (child >= 0)
		return child;
	fprintf(stderr, "%s: fork: %s\n", duel->name, strerror(errno));
	exit(1);
}

/* Host and guest on the halves of the memory; returns when the link is up. */
static inline void
duel_link_up(struct nhn_link *link, enum nhn_role role, const struct nhn_layout *layout,
	     void *memory, size_t bytes)
{
	struct nhn_link_config config = {.use = layout->entry[0].use, .random = 2};
	struct nhn_refusal refusal;

	config.layout = *layout;
	nhn_link_joint(&config, role, memory, bytes);
	if (nhn_link_init(link, &config, &refusal) != 0)
		abort();
	while (nhn_link_control(link, duel_now_ns()) != NHN_LINK_UP)
		;
}

static inline int
duel_ascending(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

/* @return the median; sorts */
static inline double
duel_median(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), duel_ascending);
	return values[count / 2];
}

static inline void
duel_print(const char *name, double *values, uint32_t count, const char *unit)
{
	double median = duel_median(values, count);

	printf("%-34s median %8.2f %s (quartiles %.2f to %.2f)\n", name, median, unit,
	       values[count / 4], values[count - 1 - count / 4]);
}

static inline uint32_t
duel_number(const struct duel *duel, const char *text, const char *option, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text != '\0' && *end == '\0' && value >= 1 && value <= most)
		return (uint32_t)value;
	fprintf(stderr, "%s: %s is '%s', expected 1 to %lu\n", duel->name, option, text, most);
	exit(2);
}

static inline void
duel_usage(const struct duel *duel, const char *what, FILE *out)
{
	fprintf(out,
		"usage: %s [--rounds 1..%u] [--messages N] [--cores WRITER,READER]\n"
		"%s\n",
		duel->name, DUEL_ROUNDS_MAX, what);
}

/* Exits on a bad word, and after --help. */
static inline void
duel_options(struct duel *duel, const char *what, int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"messages", required_argument, NULL, 'm'},
		{"cores", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r') {
			duel->rounds = duel_number(duel, optarg, "--rounds", DUEL_ROUNDS_MAX);
		} else if (option == 'm') {
			duel->messages = duel_number(duel, optarg, "--messages", 1u << 30);
		} else if (option == 'c') {
			if (sscanf(optarg, "%d,%d", &duel->core[0], &duel->core[1]) == 2)
				continue;
			fprintf(stderr, "%s: --cores is '%s', expected two, as 0,1\n", duel->name,
				optarg);
			exit(2);
		} else {
			duel_usage(duel, what, option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
	if (optind == argc)
		return;
	fprintf(stderr, "%s: '%s' is no option\n", duel->name, argv[optind]);
	duel_usage(duel, what, stderr);
	exit(2);
}

#endif /* DUEL_H */
