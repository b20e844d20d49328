/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LD_PRELOAD this into a program to disturb its polling threads:
 *
 *     NHN_INJECT=storm       function calls to every core that runs one of its threads
 *     NHN_INJECT=fault       takes the program's own code out of its page tables, so that
 *                            the next instruction of each thread is a minor page fault
 *     NHN_INJECT_AFTER_MS=n  not before so long after its start
 *     NHN_INJECT_CPU=n       by a thread on that core; it must not be a measured one
 *
 * Anything else than these: nothing is done. No data is touched: code is clean pages of a
 * file, which come back from the page cache.
 */

#include <link.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
pause_ms(long ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static long
number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtol(text, NULL, 10);
}

/* The program itself comes first; the others, this one too, are left alone. */
static int
drop_code(struct dl_phdr_info *object, size_t size, void *unused)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)unused;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		const uintptr_t begin = object->dlpi_addr + part->p_vaddr;

		if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0 &&
		    (part->p_flags & PF_W) == 0)
			madvise((void *)(begin & ~(page - 1)), part->p_memsz + begin % page,
				MADV_DONTNEED);
	}
	return 1;
}

static void
settle(void)
{
	const long core = number_of("NHN_INJECT_CPU", -1);
	cpu_set_t set;

	if (core >= 0 && core < CPU_SETSIZE) {
		CPU_ZERO(&set);
		CPU_SET((size_t)core, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	pause_ms(number_of("NHN_INJECT_AFTER_MS", 0));
}

static void *
storm(void *unused)
{
	settle();
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) {
		perror("inject_preload: membarrier");
		return unused;
	}
	while (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		;
	return unused;
}

static void *
fault(void *unused)
{
	settle();
	while (dl_iterate_phdr(drop_code, NULL) == 1)
		pause_ms(2);
	return unused;
}

/* Signals are the program's: none is taken by this thread. */
__attribute__((constructor)) static void
begin(void)
{
	const char *what = getenv("NHN_INJECT");
	sigset_t all, before;
	pthread_t thread;

	if (what == NULL || (strcmp(what, "storm") != 0 && strcmp(what, "fault") != 0))
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, strcmp(what, "storm") == 0 ? storm : fault, NULL) != 0)
		fputs("inject_preload: no thread\n", stderr);
	else
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
