/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders, one JSON object a line, and their answers. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_version.h>

#include <nhn_floor.h>
#include <nhn_word.h>

#include "near.h"

#define LIMIT_TRIPS 3000u
#define FLOOR_NS_MAX UINT64_C(10000000000)

static const char *const works[MEETING_WORKS] = {
	[MEETING_TRIPS] = "trips", [MEETING_RATE] = "rate",   [MEETING_PACED] = "paced",
	[MEETING_WAKE] = "wake",   [MEETING_MIXED] = "mixed",
};

/* What an order says. Members that it lacks are as they were before. */
struct request {
	const char *what;
	const char *contestant;
	const char *work;
	int size, bulk_size, burst, links, ring, waiting, histogram;
	json_int_t messages, interval_ns, ns;
};

static void
answer(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

static void
refuse(json_t *object, const char *why)
{
	json_object_set_new(object, "error", json_string(why));
	answer(object);
}

static json_t *
begin_answer(const struct request *request)
{
	return json_pack("{s:s,s:s*}", "did", request->what, "contestant", request->contestant);
}

/* @return the median of a short block of the limit, 0 with the reason in @p why */
static double
limit_block(struct near *near, char *why)
{
	static struct round round;

	round.contestant = contestant_find("limit");
	round.order = (struct meeting_order){.what = MEETING_ROUND,
					     .size = 8,
					     .bulk_size = 8,
					     .burst = 1,
					     .links = 1,
					     .messages = LIMIT_TRIPS};
	snprintf(round.order.contestant, sizeof(round.order.contestant), "limit");
	snprintf(why, MEETING_WHY_BYTES, "the limit was not answered");
	if (near_round(near, &round, why) != 0)
		return 0;
	return near_median_ns(&round.latency, near->side->tick_ns);
}

static json_t *
usage_object(const struct meeting_usage *usage)
{
	return json_pack("{s:I,s:I,s:I,s:I}", "minor_faults", (json_int_t)usage->minor_faults,
			 "major_faults", (json_int_t)usage->major_faults, "voluntary",
			 (json_int_t)usage->voluntary, "involuntary",
			 (json_int_t)usage->involuntary);
}

/* @return 0, or -1 where one of them is no number */
static int
round_figures(json_t *object, const struct round *round, const struct request *request,
	      double tick_ns)
{
	json_t *figures = json_pack(
		"{s:f,s:f,s:I,s:I,s:I,s:I,s:I,s:I}", "limit_before_ns", round->limit_ns[0],
		"limit_after_ns", round->limit_ns[1], "ns", (json_int_t)round->ns, "received",
		(json_int_t)round->far.received, "lost", (json_int_t)round->lost, "misordered",
		(json_int_t)round->misordered, "samples", (json_int_t)round->latency.total,
		"bulk_messages", (json_int_t)round->far.bulk_received);

	if (figures == NULL)
		return -1;
	json_object_update_new(object, figures);
	if (round->latency.total != 0) {
		json_object_set_new(object, "percentiles", near_percentiles(&round->latency));
		if (json_object_set_new(object, "median_ns",
					json_real(near_median_ns(&round->latency, tick_ns))) != 0)
			return -1;
	}
	if (request->histogram)
		json_object_set_new(object, "histogram", near_histogram(&round->latency));
	json_object_set_new(object, "near", usage_object(&round->usage));
	json_object_set_new(object, "far", usage_object(&round->far.usage));
	return 0;
}

static json_t *
round_words(const struct request *request)
{
	return json_pack("{s:s,s:s,s:s?,s:i,s:i,s:i,s:i,s:b,s:I,s:I}", "did", "round", "contestant",
			 request->contestant, "work", request->work, "size", request->size,
			 "bulk_size", request->bulk_size, "burst", request->burst, "links",
			 request->links, "waiting", request->waiting, "messages", request->messages,
			 "interval_ns", request->interval_ns);
}

static bool
can(const struct contestant *contestant, uint32_t work, bool waiting)
{
	const struct contest_loops *loops = contestant->loops;
	const bool echoes = (waiting ? loops->echo_waiting : loops->echo) != NULL;

	switch (work) {
	case MEETING_TRIPS:
		return loops->trips != NULL && echoes;
	case MEETING_RATE:
		return loops->send != NULL && loops->receive != NULL;
	case MEETING_PACED:
		return loops->paced != NULL && echoes;
	case MEETING_WAKE:
		return loops->wake != NULL && echoes;
	case MEETING_MIXED:
		return loops->mixed != NULL && contestant->links_max > 1;
	default:
		return false;
	}
}

static uint32_t
work_find(const char *name)
{
	uint32_t work = 0;

	while (name != NULL && work < MEETING_WORKS && strcmp(works[work], name) != 0)
		work++;
	return name == NULL ? MEETING_WORKS : work;
}

static bool
within(int size, const struct contestant *contestant)
{
	return size >= (int)contestant->size_min && size <= (int)contestant->size_max;
}

/* @return NULL, or what is wrong with it */
static const char *
round_refusal(const struct near *near, const struct request *request,
	      const struct contestant *contestant)
{
	const uint32_t work = work_find(request->work);
	const struct opened *opened = side_find(near->side, contestant->name);

	if (opened == NULL)
		return "it is not open";
	if (work == MEETING_WORKS)
		return "work must be trips, rate, paced, wake or mixed";
	if (!can(contestant, work, request->waiting))
		return "this contestant cannot do this work";
	if (!within(request->size, contestant) ||
	    (work == MEETING_MIXED && !within(request->bulk_size, contestant)))
		return "this contestant does not carry messages of this size";
	if (request->burst < 1 || request->burst > (int)CONTEST_BURST_MAX)
		return "burst must be 1 to 256";
	if (request->links < 1 || (uint32_t)request->links > opened->links ||
	    (work == MEETING_MIXED && opened->links < 2))
		return "it was not opened with so many links";
	if (request->waiting && request->links > 1)
		return "a far side that sleeps has one link";
	if (request->messages < 1 || request->interval_ns < 0 ||
	    request->interval_ns >= (json_int_t)CONTEST_SILENCE_NS)
		return "messages must be 1 or more, interval_ns 0 to 9999999999";
	return NULL;
}

static void
do_round(struct near *near, const struct request *request, const struct contestant *contestant)
{
	static struct round round;
	json_t *object = round_words(request);
	const char *refusal = round_refusal(near, request, contestant);
	char why[MEETING_WHY_BYTES];

	if (refusal != NULL) {
		refuse(object, refusal);
		return;
	}
	round.contestant = contestant;
	round.interval_ns = (uint64_t)request->interval_ns;
	round.order = (struct meeting_order){
		.what = MEETING_ROUND,
		.work = work_find(request->work),
		.size = (uint32_t)request->size,
		.bulk_size = (uint32_t)request->bulk_size,
		.burst = (uint32_t)request->burst,
		.links = (uint32_t)request->links,
		.waiting = request->waiting != 0,
		.messages = (uint64_t)request->messages,
	};
	snprintf(round.order.contestant, sizeof(round.order.contestant), "%s", contestant->name);
	round.limit_ns[0] = limit_block(near, why);
	round.order.limit_ns = (uint32_t)round.limit_ns[0];
	if (round.limit_ns[0] <= 0 || near_round(near, &round, why) != 0 ||
	    (round.limit_ns[1] = limit_block(near, why)) <= 0) {
		refuse(object, why);
		return;
	}
	if (round_figures(object, &round, request, near->side->tick_ns) == 0)
		answer(object);
	else
		refuse(object, "a median of the round is no number");
}

static int
ring_check(int ring, const struct contestant *contestant, char *why)
{
	const int least = (int)contestant->ring_min, most = (int)contestant->ring_max;

	if (ring == 0)
		return 0;
	if (most == 0)
		snprintf(why, MEETING_WHY_BYTES,
			 "%s has no ring size to choose: ring must be left out or 0",
			 contestant->name);
	else if (ring < least || ring > most)
		snprintf(why, MEETING_WHY_BYTES,
			 "ring is %d and must be %d to %d, or 0 for the contestant's own", ring,
			 least, most);
	else if ((ring & (ring - 1)) != 0)
		snprintf(why, MEETING_WHY_BYTES, "ring is %d and must be a power of two", ring);
	else
		return 0;
	return -1;
}

/* @return 0, or -1 with what is wrong with it in @p why */
static int
open_check(const struct near *near, const struct request *request,
	   const struct contestant *contestant, char *why)
{
	if (side_find(near->side, contestant->name) != NULL)
		snprintf(why, MEETING_WHY_BYTES, "it is open already");
	else if (request->links < 1 || (uint32_t)request->links > contestant->links_max)
		snprintf(why, MEETING_WHY_BYTES, "links must be 1 to %u", contestant->links_max);
	else
		return ring_check(request->ring, contestant, why);
	return -1;
}

static void
do_open(struct near *near, const struct request *request, const struct contestant *contestant)
{
	json_t *object = begin_answer(request);
	const uint64_t before_kib = side_memory_kib();
	const uint64_t begin = nhn_clock_now();
	struct meeting_answer far = {.status = 0};
	char why[MEETING_WHY_BYTES] = "";

	json_object_set_new(object, "links", json_integer(request->links));
	json_object_set_new(object, "ring", json_integer(request->ring));
	if (open_check(near, request, contestant, why) != 0 ||
	    near_open(near, contestant->name, (uint32_t)request->links, (uint32_t)request->ring,
		      &far, why) != 0) {
		refuse(object, why);
		return;
	}
	json_object_update_new(
		object,
		json_pack("{s:I,s:I,s:I,s:I}", "attach_ns",
			  (json_int_t)nhn_clock_ns(&near->side->clock, nhn_clock_now() - begin),
			  "near_kib", (json_int_t)side_memory_grown(before_kib), "far_kib",
			  (json_int_t)far.kib, "shared_kib",
			  (json_int_t)(side_find(near->side, contestant->name)->shared_bytes /
				       1024)));
	answer(object);
}

static void
do_close(struct near *near, const struct request *request, const struct contestant *contestant)
{
	json_t *object = begin_answer(request);
	char why[MEETING_WHY_BYTES];

	if (side_find(near->side, contestant->name) == NULL)
		refuse(object, "it is not open");
	else if (strcmp(contestant->name, "limit") == 0)
		refuse(object, "the limit stays open: every round needs it");
	else if (near_close(near, contestant->name, why) != 0)
		refuse(object, why);
	else
		answer(object);
}

static void
do_list(void)
{
	json_t *list = json_array(), *missing = json_array();
	uint32_t i;

	for (i = 0; contestants_here()[i] != NULL; i++) {
		const struct contestant *each = contestants_here()[i];
		json_t *can_do = json_array();
		uint32_t work;

		for (work = 0; work < MEETING_WORKS; work++) {
			if (can(each, work, false))
				json_array_append_new(can_do, json_string(works[work]));
		}
		json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:b,s:b,s:o}", "name", each->name,
				  "what", each->what, "size_min", (int)each->size_min, "size_max",
				  (int)each->size_max, "links_max", (int)each->links_max,
				  "ring_min", (int)each->ring_min, "ring_max", (int)each->ring_max,
				  "queues", each->queues, "waits",
				  each->loops->echo_waiting != NULL, "works", can_do));
	}
	for (i = 0; contestants_missing[i].name != NULL; i++)
		json_array_append_new(missing,
				      json_pack("{s:s,s:s}", "name", contestants_missing[i].name,
						"package", contestants_missing[i].package));
	answer(json_pack("{s:s,s:o,s:o}", "did", "list", "contestants", list, "missing", missing));
}

static void
do_floor(const struct near *near, const struct request *request)
{
	static struct nhn_histogram gaps;
	json_t *object;

	if (request->ns < 1 || request->ns > (json_int_t)FLOOR_NS_MAX) {
		refuse(begin_answer(request), "ns must be 1 to 10000000000");
		return;
	}
	nhn_histogram_init(&gaps);
	nhn_floor_run(&near->side->clock, (uint64_t)request->ns, &gaps);
	object = json_pack("{s:s,s:o,s:I}", "did", "floor", "gaps", near_percentiles(&gaps),
			   "max_ns", (json_int_t)gaps.max_ns);
	if (request->histogram)
		json_object_set_new(object, "histogram", near_histogram(&gaps));
	answer(object);
}

static void
obey_named(struct near *near, const struct request *request)
{
	static const struct {
		const char *what;
		void (*obey)(struct near *, const struct request *, const struct contestant *);
	} orders[] = {
		{"open", do_open},
		{"close", do_close},
		{"round", do_round},
	};
	const struct contestant *contestant =
		request->contestant == NULL ? NULL : contestant_find(request->contestant);
	uint32_t i;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (strcmp(orders[i].what, request->what) != 0)
			continue;
		if (contestant == NULL)
			refuse(begin_answer(request), "no such contestant: see {\"do\":\"list\"}");
		else
			orders[i].obey(near, request, contestant);
		return;
	}
	refuse(json_object(), "\"do\" must be list, open, close, round or floor");
}

static void
obey(struct near *near, json_t *line)
{
	struct request request = {
		.size = 64, .bulk_size = 1500, .burst = 1, .links = 1, .messages = 1};
	json_error_t error;

	if (json_unpack_ex(line, &error, 0, "{s:s,s?s,s?s,s?i,s?i,s?i,s?i,s?i,s?b,s?b,s?I,s?I,s?I}",
			   "do", &request.what, "contestant", &request.contestant, "work",
			   &request.work, "size", &request.size, "bulk_size", &request.bulk_size,
			   "burst", &request.burst, "links", &request.links, "ring", &request.ring,
			   "waiting", &request.waiting, "histogram", &request.histogram, "messages",
			   &request.messages, "interval_ns", &request.interval_ns, "ns",
			   &request.ns) != 0) {
		refuse(json_object(), error.text);
		return;
	}
	if (strcmp(request.what, "list") == 0) {
		do_list();
	} else if (strcmp(request.what, "floor") == 0) {
		do_floor(near, &request);
	} else {
		obey_named(near, &request);
	}
}

static int
begin(struct near *near)
{
	struct meeting_answer far;
	char why[MEETING_WHY_BYTES];

	if (near_offer(near, why) != 0 ||
	    !near_wait(near, &near->side->meeting->here, MEETING_MAGIC, why) ||
	    near_open(near, "limit", 1, 0, &far, why) != 0) {
		fprintf(stderr, "contest: %s\n", why);
		return -1;
	}
	answer(json_pack("{s:s,s:i,s:I,s:f,s:s}", "did", "start", "near_core", near->side->core,
			 "clock_hz", (json_int_t)near->side->clock.hz, "clock_tick_ns",
			 near->side->tick_ns, "dpdk", rte_version()));
	return 0;
}

int
near_run(struct side *side, const char *folder)
{
	struct near near = {.side = side, .folder = folder, .run = nhn_clock_now()};
	const struct meeting_order end = {.what = MEETING_END};
	char *text = NULL, why[MEETING_WHY_BYTES];
	struct meeting_answer far;
	size_t room = 0;
	int status = begin(&near) == 0 ? 0 : 1;

	while (status == 0 && getline(&text, &room, stdin) > 0) {
		json_error_t error;
		json_t *line = json_loads(text, 0, &error);

		if (line == NULL)
			refuse(json_object(), error.text);
		else
			obey(&near, line);
		json_decref(line);
		status = near_far_ended(&near) ? 1 : 0;
	}
	free(text);
	/* Both sides together: some transports cannot bear that the other end goes first. */
	while (side->first != NULL && near_close(&near, side->first->contestant->name, why) == 0)
		;
	side_finish(side);
	if (near_order(&near, &end, &far, why) != 0)
		fprintf(stderr, "contest: %s\n", why);
	return status;
}
