/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <nhn_wire.h>
#include <nhn_word.h>

#include "contest_eal.h"
#include "meeting.h"

/* Far, after near has finished: what lies in a library's queue arrives within this. */
#define REST_NS UINT64_C(200000000)
#define BUFFERS 4u
/* From byte to byte of a message. */
#define PATTERN_STEP 7u
#define TICK_READS 2000u
#define TICK_CYCLES_MAX 1024u

/* Of the process, as the distance of the cores is. */
static uint32_t limit_ns;

uint32_t
contest_limit_ns(void)
{
	return limit_ns;
}

bool
contest_over(struct contest_work *work)
{
	const uint64_t now = nhn_clock_now();
	uint64_t idle_ns;

	if (work->idle_from == 0) {
		work->idle_from = now;
		return false;
	}
	idle_ns = nhn_clock_ns(work->clock, now - work->idle_from);
	if (work->finish == NULL)
		return idle_ns > CONTEST_LOST_NS;
	if (nhn_load_acquire(work->finish) == work->round)
		return idle_ns > REST_NS;
	return idle_ns > CONTEST_SILENCE_NS;
}

const struct contestant *
contestant_find(const char *name)
{
	const struct contestant *const *each;

	for (each = contestants_here(); *each != NULL; each++) {
		if (strcmp((*each)->name, name) == 0)
			return *each;
	}
	return NULL;
}

struct meeting *
meeting_map(int fd)
{
	void *memory =
		mmap(NULL, MEETING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int
pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	fprintf(stderr,
		"contest: core %d cannot be used (%s): name two of this machine's by --cores\n",
		core, strerror(errno));
	return -errno;
}

static void
pattern_write(uint8_t *to, uint32_t bytes)
{
	uint32_t i;

	for (i = 0; i < bytes; i++)
		to[i] = (uint8_t)(i * PATTERN_STEP);
}

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		const uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * By how much the counter goes, in ns: what all differences of two reads are multiples of,
 * but for those seen less than once in 100, as a hypervisor's corrections are.
 */
static double
counter_tick_ns(const struct nhn_clock *clock)
{
	uint32_t seen[TICK_CYCLES_MAX] = {0};
	uint64_t before = nhn_clock_now();
	uint32_t tick = 0, i;

	for (i = 0; i < TICK_READS; i++) {
		const uint64_t now = nhn_clock_now();

		if (now - before < TICK_CYCLES_MAX)
			seen[now - before]++;
		before = now;
	}
	for (i = 1; i < TICK_CYCLES_MAX; i++) {
		if (seen[i] * 100 >= TICK_READS)
			tick = common_divisor(tick, i);
	}
	return (double)tick * 1e9 / (double)clock->hz;
}

int
side_init(struct side *side)
{
	const struct contest_place place = {
		.side = side->side, .core = side->core, .folder = "", .device = side->device};
	char why[MEETING_WHY_BYTES];
	int ret = pin(side->core);

	if (ret != 0)
		return ret;
	ret = nhn_clock_init(&side->clock);
	if (ret != 0) {
		fprintf(stderr,
			"contest: the time counter cannot be calibrated (%s), expected one that "
			"advances evenly\n",
			strerror(-ret));
		return ret;
	}
	side->tick_ns = counter_tick_ns(&side->clock);
	side->buffers = aligned_alloc(4096, BUFFERS * (size_t)CONTEST_SIZE_MAX);
	if (side->buffers == NULL) {
		fprintf(stderr, "contest: no memory for messages\n");
		return -ENOMEM;
	}
	pattern_write(side->buffers, BUFFERS * CONTEST_SIZE_MAX);
	/* Now, so that no contestant's time to attach and memory have it. */
	contest_eal(&place, why, sizeof(why));
	return 0;
}

void
side_finish(struct side *side)
{
	while (side->first != NULL)
		side_close(side, side->first);
	free(side->buffers);
}

struct opened *
side_find(struct side *side, const char *name)
{
	struct opened *opened = side->first;

	while (opened != NULL && strcmp(opened->contestant->name, name) != 0)
		opened = opened->next;
	return opened;
}

struct contest_place
side_place(const struct side *side, const struct meeting_order *order,
	   const struct contestant *contestant)
{
	return (struct contest_place){
		.contestant = contestant,
		.side = side->side,
		.links = order->links,
		.ring = order->ring,
		.opening = order->opening,
		.core = side->core,
		.shared = (uint8_t *)side->meeting + order->shared_offset,
		.folder = order->folder,
		.device = side->device,
		.run = order->run,
	};
}

void *
contest_opened(const struct contest_place *place, void *peer, const char *failed, char *why,
	       size_t why_bytes)
{
	if (failed == NULL)
		return peer;
	snprintf(why, why_bytes, "%s", failed);
	if (peer != NULL)
		place->contestant->close(peer);
	return NULL;
}

int
side_open(struct side *side, const struct meeting_order *order, char *why)
{
	const struct contestant *contestant = contestant_find(order->contestant);
	const struct contest_place place = side_place(side, order, contestant);
	struct opened *opened;

	if (contestant == NULL) {
		snprintf(why, MEETING_WHY_BYTES, "this side has no contestant '%s'",
			 order->contestant);
		return -1;
	}
	opened = calloc(1, sizeof(*opened));
	snprintf(why, MEETING_WHY_BYTES, "no memory");
	if (opened == NULL)
		return -1;
	opened->contestant = contestant;
	opened->links = order->links;
	opened->shared_offset = order->shared_offset;
	opened->shared_bytes = order->shared_bytes;
	opened->peer = contestant->open(&place, why, MEETING_WHY_BYTES);
	if (opened->peer == NULL) {
		free(opened);
		return -1;
	}
	opened->next = side->first;
	side->first = opened;
	return 0;
}

void
side_close(struct side *side, struct opened *opened)
{
	struct opened **at = &side->first;

	while (*at != opened)
		at = &(*at)->next;
	*at = opened->next;
	opened->contestant->close(opened->peer);
	free(opened);
}

static void
work_init(struct side *side, struct contest_work *work, uint32_t size, uint32_t buffer)
{
	memset(work, 0, sizeof(*work));
	work->size = size;
	work->source = side->buffers + (size_t)buffer * CONTEST_SIZE_MAX;
	work->sink = work->source + CONTEST_SIZE_MAX;
	memset(work->sink, 0, size);
	/* Numbers of other contestants' messages lay there. */
	pattern_write(work->source, NHN_LINE_BYTES);
	work->clock = &side->clock;
	work->burst = work->links = 1;
}

int
side_prepare(struct side *side, const struct opened *opened, const struct meeting_order *order,
	     uint32_t round, char *why)
{
	const struct contestant *contestant = opened->contestant;
	struct contest_work *work = &side->work;
	uint32_t longest = order->size;

	if (order->work == MEETING_MIXED && order->bulk_size > longest)
		longest = order->bulk_size;
	work_init(side, work, order->size, 0);
	work_init(side, &side->bulk, order->bulk_size, 2);
	work->at = side->bulk.at = contestant->at;
	work->burst = order->burst;
	work->links = order->links;
	work->messages = order->messages;
	work->bulk = &side->bulk;
	if (side->side == CONTEST_FAR) {
		work->finish = &side->meeting->finish;
		work->round = round;
		side->bulk.finish = work->finish;
		side->bulk.round = round;
	}
	limit_ns = order->limit_ns;
	if (contestant->prepare != NULL && contestant->prepare(opened->peer, longest) != 0) {
		snprintf(why, MEETING_WHY_BYTES, "cannot be prepared for %u bytes", longest);
		return -1;
	}
	return 0;
}

/* Whether the last message came whole: all of it but its number is as in every message. */
static bool
whole(const struct contest_work *work)
{
	const uint32_t behind = work->at + (uint32_t)sizeof(uint64_t);

	return work->taken == 0 ||
	       (memcmp(work->sink, work->source, work->at) == 0 &&
		memcmp(work->sink + behind, work->source + behind, work->size - behind) == 0);
}

uint64_t
side_misordered(const struct side *side, const struct opened *opened)
{
	const struct contest_work *work = &side->work, *bulk = &side->bulk;
	uint64_t count = work->misordered + bulk->misordered;

	if (!opened->contestant->wordless)
		count += (uint64_t)!whole(work) + (uint64_t)!whole(bulk);
	return count;
}

void
side_usage(struct meeting_usage *usage, int sign)
{
	const uint64_t factor = sign < 0 ? UINT64_MAX : 1;
	struct rusage now;

	getrusage(RUSAGE_THREAD, &now);
	usage->minor_faults += factor * (uint64_t)now.ru_minflt;
	usage->major_faults += factor * (uint64_t)now.ru_majflt;
	usage->voluntary += factor * (uint64_t)now.ru_nvcsw;
	usage->involuntary += factor * (uint64_t)now.ru_nivcsw;
}

uint64_t
side_memory_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	uint64_t kib = 0;
	unsigned long long value;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "VmRSS: %llu", &value) == 1 ||
		    sscanf(line, "HugetlbPages: %llu", &value) == 1)
			kib += value;
	}
	fclose(file);
	return kib;
}

uint64_t
side_memory_grown(uint64_t before_kib)
{
	const uint64_t now_kib = side_memory_kib();

	return now_kib < before_kib ? 0 : now_kib - before_kib;
}
