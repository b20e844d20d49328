/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To be preloaded: counts calls of the allocator and writes the count, at the
 * end of the process, to the file that NHN_ALLOCATIONS names. Behind it stand the
 * calls that a thread made between two looks at its own usage, the first and the
 * second, the third and the fourth, ..., and how many such pairs there were: that
 * is how ipc-perf marks its rounds.
 */

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static atomic_ulong calls;
static atomic_ulong calls_within;
static atomic_ulong looks;
static __thread bool within;

static void
note_call(void)
{
	atomic_fetch_add(&calls, 1);
	atomic_fetch_add(&calls_within, within);
}

int
getrusage(__rusage_who_t who, struct rusage *usage)
{
	static int (*real)(__rusage_who_t, struct rusage *);

	if (real == NULL)
		real = (int (*)(__rusage_who_t, struct rusage *))dlsym(RTLD_NEXT, "getrusage");
	if (who == RUSAGE_THREAD) {
		within = !within;
		atomic_fetch_add(&looks, 1);
	}
	return real(who, usage);
}

/* dlsym() itself allocates before the real functions are known. */
static char early[4096];
static size_t early_used;

static void *
early_alloc(size_t bytes)
{
	void *block = early + early_used;

	early_used += (bytes + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		abort();
	return block;
}

void *
malloc(size_t bytes)
{
	static void *(*real)(size_t);

	if (real == NULL)
		real = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	note_call();
	return real(bytes);
}

void *
calloc(size_t count, size_t bytes)
{
	static void *(*real)(size_t, size_t);
	static int looking;

	if (real == NULL && looking)
		return early_alloc(count * bytes);
	if (real == NULL) {
		looking = 1;
		real = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	}
	note_call();
	return real(count, bytes);
}

void *
realloc(void *block, size_t bytes)
{
	static void *(*real)(void *, size_t);

	if (real == NULL)
		real = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	note_call();
	return real(block, bytes);
}

void
free(void *block)
{
	static void (*real)(void *);

	if ((char *)block >= early && (char *)block < early + sizeof(early))
		return;
	if (real == NULL)
		real = (void (*)(void *))dlsym(RTLD_NEXT, "free");
	real(block);
}

__attribute__((destructor)) static void
tell(void)
{
	unsigned long counted = atomic_load(&calls);
	unsigned long counted_within = atomic_load(&calls_within);
	const char *path = getenv("NHN_ALLOCATIONS");
	FILE *out = path != NULL ? fopen(path, "w") : NULL;

	if (out == NULL)
		return;
	fprintf(out, "%lu %lu %lu\n", counted, counted_within, atomic_load(&looks) / 2);
	fclose(out);
}
