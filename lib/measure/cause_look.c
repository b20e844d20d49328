/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <nhn_cause.h>
#include <nhn_interrupts.h>

#include "cause_internal.h"

#define NS_PER_S UINT64_C(1000000000)
#define TICKS_PER_S 100

/* "cpu4095 " and ten numbers of 20 digits. */
#define STAT_LINE_BYTES 256
/* 8192 lines of CPUs come before anything else. */
#define STAT_BYTES_MAX (8192 * STAT_LINE_BYTES)
/* Of the numbers behind "cpu0": user nice system idle iowait irq softirq steal. */
#define STAT_STEAL 8

static uint64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static bool
read_usage(struct nhn_counts *counts)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) != 0)
		return false;
	counts->voluntary = (uint64_t)usage.ru_nvcsw;
	counts->involuntary = (uint64_t)usage.ru_nivcsw;
	counts->minor_faults = (uint64_t)usage.ru_minflt;
	counts->major_faults = (uint64_t)usage.ru_majflt;
	return true;
}

/* "running waiting slices", in ns: the second one is wanted. */
static bool
read_delay(int fd, struct nhn_counts *counts)
{
	char text[96], *at, *end;
	ssize_t got;

	if (fd < 0 || (got = pread(fd, text, sizeof(text) - 1, 0)) <= 0)
		return false;
	text[got] = '\0';
	at = strchr(text, ' ');
	if (at == NULL)
		return false;
	errno = 0;
	counts->run_delay_ns = strtoull(at, &end, 10);
	return end != at && errno == 0;
}

static bool
parse_steal(const char *line, uint64_t tick_ns, uint64_t *steal_ns)
{
	const char *at = strchr(line, ' ');
	uint64_t ticks = 0;
	char *end;

	for (int i = 0; i < STAT_STEAL; i++) {
		if (at == NULL)
			return false;
		ticks = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	*steal_ns = ticks * tick_ns;
	return true;
}

/* Looks for the line of a CPU among those that begin with "cpu"; the file has long others. */
static bool
read_steal(int fd, int cpu, uint64_t tick_ns, uint64_t *steal_ns)
{
	char text[4096 + 1], wanted[16];
	off_t offset = 0;
	size_t name_bytes;

	if (fd < 0)
		return false;
	name_bytes = (size_t)snprintf(wanted, sizeof(wanted), "cpu%d ", cpu);
	while (offset < STAT_BYTES_MAX) {
		const ssize_t got = pread(fd, text, sizeof(text) - 1, offset);
		char *line = text, *end;

		if (got <= 0)
			return false;
		text[got] = '\0';
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			if (strncmp(line, wanted, name_bytes) == 0)
				return parse_steal(line, tick_ns, steal_ns);
			if (strncmp(line, "cpu", 3) != 0)
				return false;
		}
		if (line == text)
			return false;
		offset += line - text;
	}
	return false;
}

void
nhn_look_light(struct nhn_observer *observer, struct nhn_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	if ((observer->sees & NHN_SEES_USAGE) != 0 && read_usage(counts))
		counts->sees |= NHN_SEES_USAGE;
	if ((observer->sees & NHN_SEES_DELAY) != 0 && read_delay(observer->schedstat_fd, counts))
		counts->sees |= NHN_SEES_DELAY;
	counts->now_ns = monotonic_ns();
}

void
nhn_look_full(struct nhn_observer *observer, struct nhn_look *look)
{
	nhn_look_light(observer, &look->counts);
	look->sees = 0;
	if ((observer->sees & NHN_SEES_STEAL) != 0 &&
	    read_steal(observer->stat_fd, observer->cpu, observer->tick_ns, &look->steal_ns))
		look->sees |= NHN_SEES_STEAL;
	if ((observer->sees & NHN_SEES_INTERRUPTS) != 0 &&
	    nhn_interrupts_read(observer->interrupts_fd, observer->cpu, &look->interrupts) == 0)
		look->sees |= NHN_SEES_INTERRUPTS;
}

/* What went back was counted anew: nothing is known of it. */
static uint64_t
grown(uint64_t before, uint64_t after)
{
	return after < before ? 0 : after - before;
}

void
nhn_look_light_delta(const struct nhn_counts *before, const struct nhn_counts *after,
		     struct nhn_look_delta *delta)
{
	const uint32_t sees = before->sees & after->sees;
	const bool usage = (sees & NHN_SEES_USAGE) != 0;

	delta->sees = (delta->sees & ~NHN_SEES_LIGHT) | sees;
	delta->window_ns = grown(before->now_ns, after->now_ns);
	delta->voluntary = usage ? grown(before->voluntary, after->voluntary) : 0;
	delta->involuntary = usage ? grown(before->involuntary, after->involuntary) : 0;
	delta->minor_faults = usage ? grown(before->minor_faults, after->minor_faults) : 0;
	delta->major_faults = usage ? grown(before->major_faults, after->major_faults) : 0;
	delta->run_delay_ns =
		(sees & NHN_SEES_DELAY) != 0 ? grown(before->run_delay_ns, after->run_delay_ns) : 0;
}

void
nhn_look_full_delta(const struct nhn_look *before, const struct nhn_look *after, uint64_t tick_ns,
		    struct nhn_look_delta *delta)
{
	const uint32_t sees = before->sees & after->sees;

	memset(delta, 0, sizeof(*delta));
	nhn_look_light_delta(&before->counts, &after->counts, delta);
	delta->sees |= sees;
	delta->tick_ns = tick_ns;
	if ((sees & NHN_SEES_STEAL) != 0)
		delta->steal_ns = grown(before->steal_ns, after->steal_ns);
	if ((sees & NHN_SEES_INTERRUPTS) != 0)
		delta->lines = nhn_interrupts_grown(&before->interrupts, &after->interrupts,
						    delta->line, NHN_LOOK_LINES);
}

static int
open_below(const char *root, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* What a first look cannot read is not there. */
static void
find_sources(struct nhn_observer *observer)
{
	observer->sees = NHN_SEES_ALL;
	nhn_look_full(observer, &observer->last);
	observer->sees = observer->last.counts.sees | observer->last.sees;
}

int
nhn_observer_open(struct nhn_observer *observer, int cpu, const char *root)
{
	const long ticks = sysconf(_SC_CLK_TCK);

	memset(observer, 0, sizeof(*observer));
	observer->schedstat_fd = observer->stat_fd = observer->interrupts_fd = -1;
	if (cpu < 0 || strlen(root) > 400)
		return -EINVAL;
	observer->cpu = cpu;
	observer->tick_ns = NS_PER_S / (ticks > 0 ? (uint64_t)ticks : TICKS_PER_S);
	observer->schedstat_fd = open_below(root, "/proc/thread-self/schedstat");
	observer->stat_fd = open_below(root, "/proc/stat");
	observer->interrupts_fd = open_below(root, "/proc/interrupts");
	find_sources(observer);
	return 0;
}

void
nhn_observer_close(struct nhn_observer *observer)
{
	/* Of zeros: tick_ns tells that it was never opened, for 0 is a descriptor too. */
	if (observer->tick_ns == 0)
		return;
	if (observer->schedstat_fd >= 0)
		close(observer->schedstat_fd);
	if (observer->stat_fd >= 0)
		close(observer->stat_fd);
	if (observer->interrupts_fd >= 0)
		close(observer->interrupts_fd);
	observer->schedstat_fd = observer->stat_fd = observer->interrupts_fd = -1;
	observer->sees = 0;
}

int
nhn_observer_missing(const struct nhn_observer *observer, char *text, size_t bytes)
{
	return nhn_missing_text(observer->sees, text, bytes);
}

void
nhn_observer_look(struct nhn_observer *observer, struct nhn_look_delta *delta)
{
	nhn_look_full(observer, &observer->now);
	nhn_look_full_delta(&observer->last, &observer->now, observer->tick_ns, delta);
	memcpy(&observer->last, &observer->now, sizeof(observer->last));
}
