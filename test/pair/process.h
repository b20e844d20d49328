/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of two processes share: time, placement, a file with a lock byte a role. */
#ifndef NHN_TEST_PROCESS_H
#define NHN_TEST_PROCESS_H

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <nhn_region.h>
#include <nhn_wire.h>

static inline uint64_t
process_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void
process_rest_us(uint32_t microseconds)
{
	struct timespec time = {.tv_sec = microseconds / 1000000,
				.tv_nsec = (long)(microseconds % 1000000) * 1000};

	nanosleep(&time, NULL);
}

/* A CPU a role, where there are two. */
static inline void
process_pin(enum nhn_role role)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)role - 1, &set);
	if (sysconf(_SC_NPROCESSORS_ONLN) >= 2 && sched_setaffinity(0, sizeof(set), &set) != 0)
		sched_yield(); /* a CPU we may not use: anywhere will do */
}

/* fork(): the child goes when its parent does. */
static inline pid_t
process_fork(void)
{
	pid_t parent = getpid();
	pid_t pid;

	fflush(NULL); /* else the child prints it again */
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* gone before that */
		_exit(1);
	return 0;
}

/* Memory that processes forked from this one share; zero. NULL: there is none. */
static inline void *
process_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Make a folder for the region. @return its name, in static memory, or NULL */
static inline const char *
process_folder(void)
{
	static char folder[64];

	snprintf(folder, sizeof(folder), "%s/nahanni-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(folder);
}

/* The region of both sides: one file, a lock byte a role. -EAGAIN: the other is making it. */
static inline int
process_region_open(struct nhn_region *region, enum nhn_role role, const char *path, uint64_t bytes)
{
	struct nhn_region_config config;

	nhn_region_config_init(&config);
	config.path = path;
	config.size = bytes;
	config.create = true;
	config.lock_byte = role;
	return nhn_region_open(region, &config);
}

#endif /* NHN_TEST_PROCESS_H */
