/* SPDX-License-Identifier: BSD-3-Clause */
/* The far end beside its loop: orders and what they change. All of it is cold. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

#include <rte_common.h>
#include <rte_version.h>

#include <nhn_floor.h>
#include <nhn_wire.h>

#include "far.h"
#include "near.h"
#include "output.h"
#include "say.h"
#include "settings.h"
#include "way_internal.h"

/** Sleeps between polls are not longer. */
#define SLEEP_NS_MAX UINT64_C(50000)
/** A part of the workload: far below a link's heartbeat. */
#define WORK_PART_NS UINT64_C(2000000)
/** Turns that the workload is calibrated by, and how often: the shortest counts. */
#define WORK_TRIAL_TURNS 100000u
#define WORK_TRIALS 5
/** DATA that are 1 ms apart belong to no train. */
#define TRAINS_PER_S 1000u
/** An ORDER_FLOOR lasts not longer. */
#define FLOOR_NS_LIMIT UINT64_C(10000000000)
/** Once taken, the pattern's memory stays where it is up to here: replies may be under way. */
#define PATTERN_BYTES UINT64_C(0x1000000)

static void
text_copy(char *to, size_t bytes, const char *from)
{
	snprintf(to, bytes, "%s", from);
}

/** As many turns of a multiplication that waits for the one before. */
static __attribute__((noinline)) uint64_t
work_turns(uint32_t turns)
{
	uint64_t x = turns | 1;
	uint32_t i;

	for (i = 0; i < turns; i++) {
		x *= UINT64_C(0x2545f4914f6cdd1d);
		x ^= x >> 31;
		/* Each turn is done, and none is combined with another. */
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

void
far_work(struct far *far)
{
	work_turns(far->work_turns);
}

static void
work_calibrate(struct far *far)
{
	const uint64_t duration_ns = far->serve.duration_ns;
	uint64_t least_ns = UINT64_MAX;
	uint64_t turns;
	int i;

	if (duration_ns == 0)
		return;
	for (i = 0; i < WORK_TRIALS; i++) {
		uint64_t begun = nhn_clock_now();
		uint64_t ns;

		work_turns(WORK_TRIAL_TURNS);
		ns = nhn_clock_ns(far->clock, nhn_clock_now() - begun);
		least_ns = RTE_MIN(least_ns, RTE_MAX(ns, UINT64_C(1)));
	}
	far->work_parts = (uint32_t)((duration_ns + WORK_PART_NS - 1) / WORK_PART_NS);
	turns = duration_ns / far->work_parts * WORK_TRIAL_TURNS / least_ns;
	far->work_turns = (uint32_t)RTE_MAX(turns, UINT64_C(1));
}

void
far_sleep(struct far *far, bool had)
{
	const uint64_t now = nhn_clock_now();
	struct timespec pause = {.tv_sec = 0};
	uint64_t idle_ns;

	if (had)
		far->idle_at = now;
	idle_ns = nhn_clock_ns(far->clock, now - far->idle_at);
	pause.tv_nsec = (long)RTE_MIN(idle_ns, SLEEP_NS_MAX);
	if (pause.tv_nsec > 0)
		nanosleep(&pause, NULL);
}

void
far_floor(struct far *far, uint64_t duration_ns)
{
	nhn_floor_run(far->clock, duration_ns, &far->floor);
}

uint64_t
far_floor_ns(const struct order *order)
{
	return RTE_MIN(order->duration_ns, FLOOR_NS_LIMIT);
}

static void
counts_anew(struct far *far)
{
	far->answered_before += far->answered;
	far->dropped_before += far->dropped;
	far->strange_before += far->strange;
	far->answered = far->dropped = far->strange = 0;
	far->source_left = far->source_sent = 0;
	far->bulk_last = far->bulk_active = far->bulk_trains = 0;
	memset(&far->probes, 0, sizeof(far->probes));
	memset(&far->bulk, 0, sizeof(far->bulk));
	nhn_histogram_init(&far->floor);
	nhn_histogram_init(&far->work);
	getrusage(RUSAGE_THREAD, &far->usage_before);
}

void
far_forget(struct far *far)
{
	memset(&far->serve, 0, sizeof(far->serve));
	counts_anew(far);
	far->numbered = false;
	far->obeyed = false;
}

/** The bytes of all messages up to @p length. @return 0 or -ENOMEM */
static int
pattern_take(struct far *far, uint32_t length, uint64_t seed)
{
	uint64_t bytes = RTE_MAX(protocol_pattern_bytes(length),
				 protocol_pattern_bytes((uint32_t)PATTERN_BYTES));

	if (far->pattern == NULL || bytes > far->pattern_bytes) {
		free(far->pattern);
		bytes = RTE_ALIGN_CEIL(bytes, (uint64_t)NHN_LINE_BYTES);
		far->pattern = aligned_alloc(NHN_LINE_BYTES, bytes);
		far->pattern_bytes = far->pattern != NULL ? bytes : 0;
		far->pattern_length = 0;
	}
	if (far->pattern == NULL)
		return -ENOMEM;
	if (length > far->pattern_length || seed != far->pattern_seed)
		near_pattern_fill(far->pattern, length, seed);
	far->pattern_length = length;
	far->pattern_seed = seed;
	return 0;
}

static bool
size_fits(const struct far *far, uint32_t size)
{
	return size >= MESSAGE_BYTES_MIN && size <= far->size_max;
}

static int
obey_serve(struct far *far, const struct order *order)
{
	struct order serve = *order;
	int ret;

	if (serve.reply_size == 0)
		serve.reply_size = serve.size;
	if (serve.burst == 0)
		serve.burst = 1;
	if (!size_fits(far, serve.size) || !size_fits(far, serve.reply_size) ||
	    serve.burst > BURST_MAX || serve.wait > WAIT_SLEEP || serve.duration_ns > PAUSE_NS_MAX)
		return -EINVAL;
	far->serve.size = 0;
	ret = pattern_take(far, RTE_MAX(serve.size, serve.reply_size), serve.seed);
	if (ret != 0)
		return ret;
	far->serve = serve;
	/* A message that is long takes its time, at a cycle a byte at most. */
	far->train_cycles = far->clock->hz / TRAINS_PER_S + serve.size;
	counts_anew(far);
	far->numbered = true;
	far->probes.next = (uint32_t)serve.count;
	far->bulk.next = (uint32_t)(serve.count >> 32);
	far->source_sequence = serve.what;
	far->idle_at = nhn_clock_now();
	work_calibrate(far);
	if (serve.wait == WAIT_SLEEP)
		prctl(PR_SET_TIMERSLACK, 1UL);
	return 0;
}

static int
obey_source(struct far *far, const struct order *order)
{
	if (order->size > far->pattern_length || !size_fits(far, order->size) ||
	    order->burst == 0 || order->burst > BURST_MAX || order->count > SAMPLES_MAX)
		return -EINVAL;
	far->source_length = order->size;
	far->source_burst = order->burst;
	far->source_left = order->count;
	return 0;
}

static uint32_t
tell_hello(const struct far *far, struct reply_hello *hello)
{
	struct utsname name;

	hello->version = PROTOCOL_VERSION;
	hello->core = output_core();
	hello->clock_hz = far->clock->hz;
	text_copy(hello->dpdk, sizeof(hello->dpdk), rte_version());
	text_copy(hello->topology, sizeof(hello->topology), far->place);
	if (uname(&name) == 0) {
		snprintf(hello->system, sizeof(hello->system), "%.40s %.30s %.20s", name.sysname,
			 name.release, name.machine);
		snprintf(hello->host, sizeof(hello->host), "%.63s", name.nodename);
	}
	return sizeof(*hello);
}

static uint32_t
tell_counts(const struct far *far, struct reply_counts *counts)
{
	const struct rusage *before = &far->usage_before;
	struct rusage usage;

	counts->received = far->probes.received + far->bulk.received;
	counts->sent = far->answered + far->source_sent;
	counts->lost = far->probes.lost + far->bulk.lost;
	counts->duplicates = far->probes.duplicates + far->bulk.duplicates;
	counts->misordered = far->probes.misordered + far->bulk.misordered;
	counts->corrupt = far->probes.corrupt + far->bulk.corrupt;
	counts->dropped = far->dropped;
	counts->strange = far->strange;
	counts->bulk = far->bulk.received;
	counts->active_ns = nhn_clock_ns(far->clock, far->bulk_active);
	counts->trains = far->bulk_trains;
	counts->source_next = far->source_sequence;
	getrusage(RUSAGE_THREAD, &usage);
	counts->minor_faults = usage.ru_minflt - before->ru_minflt;
	counts->major_faults = usage.ru_majflt - before->ru_majflt;
	counts->voluntary_switches = usage.ru_nvcsw - before->ru_nvcsw;
	counts->involuntary_switches = usage.ru_nivcsw - before->ru_nivcsw;
	return sizeof(*counts);
}

/** @return bytes, or -EINVAL */
static int32_t
tell_fetch(const struct far *far, const struct order *order, uint8_t *body, uint32_t room)
{
	const struct nhn_histogram *h = order->what == FAR_WORK ? &far->work : &far->floor;
	const uint32_t pairs_max =
		(room - (uint32_t)sizeof(struct reply_fetch)) / (uint32_t)sizeof(struct fetch_pair);
	struct reply_fetch fetch = {h->total, h->below, h->above, h->min_ns, h->max_ns, 0, 0};
	uint32_t i;

	if (order->what > FAR_WORK || order->count > NHN_HISTOGRAM_COUNTS)
		return -EINVAL;
	for (i = (uint32_t)order->count; i < NHN_HISTOGRAM_COUNTS; i++) {
		struct fetch_pair pair = {.index = i, .count = h->counts[i]};

		if (pair.count == 0)
			continue;
		if (fetch.pairs == pairs_max) {
			fetch.next = i;
			break;
		}
		memcpy(body + sizeof(fetch) + fetch.pairs * sizeof(pair), &pair, sizeof(pair));
		fetch.pairs++;
	}
	memcpy(body, &fetch, sizeof(fetch));
	return (int32_t)(sizeof(fetch) + fetch.pairs * sizeof(struct fetch_pair));
}

static uint32_t
tell_clock(const struct far *far, uint64_t received_cycles, struct reply_clock *clock)
{
	clock->received_ns = nhn_clock_ns(far->clock, received_cycles);
	clock->sent_ns = nhn_clock_ns(far->clock, nhn_clock_now());
	return sizeof(*clock);
}

static uint32_t
tell_look(struct far *far, struct reply_look *look)
{
	struct nhn_look_delta delta;
	uint32_t i;

	memset(&delta, 0, sizeof(delta));
	nhn_observer_look(&far->observer, &delta);
	look->window_ns = delta.window_ns;
	look->voluntary = delta.voluntary;
	look->involuntary = delta.involuntary;
	look->minor_faults = delta.minor_faults;
	look->major_faults = delta.major_faults;
	look->run_delay_ns = delta.run_delay_ns;
	look->steal_ns = delta.steal_ns;
	look->tick_ns = delta.tick_ns;
	look->sees = delta.sees;
	for (i = 0; i < RTE_MIN(delta.lines, LOOK_LINES); i++) {
		text_copy(look->line[i].name, sizeof(look->line[i].name), delta.line[i].name);
		text_copy(look->line[i].what, sizeof(look->line[i].what), delta.line[i].what);
		look->line[i].count = delta.line[i].count;
	}
	return sizeof(*look);
}

/** @param body of the reply, @p room bytes. @return bytes of it, or -errno */
static int32_t
obey(struct far *far, const struct order *order, uint64_t received_cycles, uint8_t *body,
     uint32_t room)
{
	union {
		struct reply_hello hello;
		struct reply_counts counts;
		struct reply_clock clock;
		struct reply_look look;
	} told;
	uint32_t bytes = 0;

	memset(&told, 0, sizeof(told));
	switch (order->kind) {
	case ORDER_HELLO:
		bytes = tell_hello(far, &told.hello);
		break;
	case ORDER_SERVE:
		return obey_serve(far, order);
	case ORDER_COUNTS:
		bytes = tell_counts(far, &told.counts);
		break;
	case ORDER_CLOCK:
		bytes = tell_clock(far, received_cycles, &told.clock);
		break;
	case ORDER_FLOOR:
		return 0;
	case ORDER_LOOK:
		bytes = tell_look(far, &told.look);
		break;
	case ORDER_SOURCE:
		return obey_source(far, order);
	case ORDER_FETCH:
		return tell_fetch(far, order, body, room);
	default:
		return -EINVAL;
	}
	memcpy(body, &told, bytes);
	return (int32_t)bytes;
}

uint32_t
far_obey(struct far *far, const struct order *order, uint64_t received_cycles, void *reply)
{
	const uint32_t room = REPLY_BYTES_MAX - (uint32_t)sizeof(struct reply);
	uint8_t *bytes = reply;
	struct reply head = {order->kind, 0};
	int32_t body = obey(far, order, received_cycles, bytes + sizeof(head), room);

	if (body >= 0 &&
	    sizeof(struct protocol_header) + sizeof(head) + (uint32_t)body > far->size_max)
		body = -EMSGSIZE;
	if (body < 0) {
		head.status = body;
		body = 0;
	}
	memcpy(bytes, &head, sizeof(head));
	return (uint32_t)(sizeof(head) + (uint32_t)body);
}

static const char *
end_text(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_OK:
		return "ping ended it";
	case OUTCOME_LOST:
		return "the link's memory is lost";
	default:
		return "stopped by a signal";
	}
}

enum outcome
far_run(struct way *way, const struct nhn_clock *clock)
{
	const int cpu = output_core();
	struct far *far =
		aligned_alloc(NHN_LINE_BYTES, RTE_ALIGN_CEIL(sizeof(*far), (size_t)NHN_LINE_BYTES));
	enum outcome outcome;

	if (far == NULL) {
		say("There is no memory for the far end's counts, expected 1 MiB: end other"
		    " programs.");
		return OUTCOME_REFUSED;
	}
	memset(far, 0, sizeof(*far));
	far->clock = clock;
	counts_anew(far);
	/* Before the link is up: it reads sysfs for milliseconds. */
	if (!output_place(cpu, far->place, sizeof(far->place)))
		far->place[0] = '\0';
	if (nhn_observer_open(&far->observer, cpu, "") != 0)
		say("What disturbs this end cannot be seen, expected a core of its own.");
	printf("pong: serving until ping ends it or ^C\n");
	fflush(stdout);
	outcome = way->calls->serve(way, far);
	printf("pong: %s; answered %" PRIu64 ", limit trips %" PRIu64 ", dropped %" PRIu64
	       ", strange %" PRIu64 "\n",
	       end_text(outcome), far->answered_before + far->answered, far->limit_trips,
	       far->dropped_before + far->dropped, far->strange_before + far->strange);
	nhn_observer_close(&far->observer);
	free(far->pattern);
	free(far);
	return outcome;
}
