/* SPDX-License-Identifier: BSD-3-Clause */
/* What near does together with far: open, close, rounds. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include <nhn_word.h>

#include "near.h"

/* Ports take seconds to come up; far gives up before. */
#define ANSWER_NS UINT64_C(30000000000)
#define HERE_NS UINT64_C(150000000000)
#define WATCH_POLLS (1u << 16)
#define ALIGNMENT UINT64_C(4096)

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool
near_far_ended(const struct near *near)
{
	siginfo_t info = {.si_pid = 0};

	return near->side->far != 0 &&
	       (waitid(P_PID, (id_t)near->side->far, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		info.si_pid != 0);
}

bool
near_wait(struct near *near, const uint32_t *word, uint32_t number, char *why)
{
	/* A guest boots for a minute on a busy machine. */
	const uint64_t patience_ns = word == &near->side->meeting->here ? HERE_NS : ANSWER_NS;
	const uint64_t begin = now_ns();
	uint32_t polls = 0;

	while (nhn_load_acquire(word) != number) {
		contest_pause();
		if (++polls % WATCH_POLLS != 0)
			continue;
		if (near_far_ended(near)) {
			snprintf(why, MEETING_WHY_BYTES, "the far process has ended");
			return false;
		}
		if (now_ns() - begin > patience_ns) {
			snprintf(why, MEETING_WHY_BYTES, "the far side did not answer within %u s",
				 (unsigned int)(patience_ns / 1000000000));
			return false;
		}
	}
	return true;
}

/* Tell far; what it stores from now on is for this order. */
static void
tell(struct near *near, const struct meeting_order *order)
{
	struct meeting *meeting = near->side->meeting;

	meeting->order = *order;
	nhn_store_release(&meeting->number, ++near->number);
}

static int
answer_take(struct near *near, struct meeting_answer *far, char *why)
{
	struct meeting *meeting = near->side->meeting;

	if (!near_wait(near, &meeting->done, near->number, why))
		return -1;
	*far = meeting->answer;
	if (far->status == 0)
		return 0;
	snprintf(why, MEETING_WHY_BYTES, "far side: %.*s", (int)MEETING_WHY_BYTES - 12, far->why);
	return -1;
}

int
near_order(struct near *near, const struct meeting_order *order, struct meeting_answer *far,
	   char *why)
{
	tell(near, order);
	return answer_take(near, far, why);
}

static struct meeting_order
order_of(const struct near *near, enum meeting_do what, const char *name)
{
	struct meeting_order order = {
		.what = what, .links = 1, .opening = near->openings, .run = near->run};

	snprintf(order.contestant, sizeof(order.contestant), "%s", name);
	snprintf(order.folder, sizeof(order.folder), "%s", near->folder);
	return order;
}

/* Where what is open leaves so many bytes, from the beginning on. */
static uint64_t
gap_find(const struct near *near, uint64_t bytes)
{
	uint64_t offset = MEETING_HEAD_BYTES;
	const struct opened *opened = near->side->first;

	while (opened != NULL) {
		const uint64_t end = opened->shared_offset + opened->shared_bytes;

		if (offset < end && opened->shared_offset < offset + bytes) {
			offset = end;
			opened = near->side->first;
		} else {
			opened = opened->next;
		}
	}
	return offset;
}

static int
share(struct near *near, struct meeting_order *order, const struct contestant *contestant)
{
	const struct contest_place place = side_place(near->side, order, contestant);
	uint64_t bytes = 0;

	if (contestant->shared_bytes != NULL)
		bytes = contestant->shared_bytes(&place);
	bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	order->shared_offset = gap_find(near, bytes);
	if (order->shared_offset + bytes > MEETING_BYTES)
		return -ENOMEM;
	order->shared_bytes = (uint32_t)bytes;
	memset((uint8_t *)near->side->meeting + order->shared_offset, 0, bytes);
	return 0;
}

int
near_offer(const struct near *near, char *why)
{
	const struct contestant *const *each;
	char device[MEETING_NAME_BYTES];
	int ret = 0;

	for (each = contestants_here(); *each != NULL && ret == 0; each++) {
		const struct meeting_order order = order_of(near, MEETING_OPEN, (*each)->name);
		const struct contest_place place = side_place(near->side, &order, *each);

		if ((*each)->offer != NULL &&
		    contest_device(&place, device, sizeof(device)) != NULL)
			ret = (*each)->offer(&place, why, MEETING_WHY_BYTES);
	}
	return ret;
}

int
near_open(struct near *near, const char *name, uint32_t links, uint32_t ring,
	  struct meeting_answer *far, char *why)
{
	const struct contestant *contestant = contestant_find(name);
	struct meeting_order order = order_of(near, MEETING_OPEN, name);
	char far_why[MEETING_WHY_BYTES];
	int ret;

	near->openings++;
	order.links = links;
	order.ring = ring;
	if (share(near, &order, contestant) != 0) {
		snprintf(why, MEETING_WHY_BYTES, "no shared memory is left: close others first");
		return -1;
	}
	tell(near, &order);
	ret = side_open(near->side, &order, why);
	if (answer_take(near, far, ret == 0 ? why : far_why) != 0 && ret == 0) {
		side_close(near->side, side_find(near->side, name));
		return -1;
	}
	if (ret != 0 && far->status == 0)
		near_close(near, name, far_why);
	return ret;
}

int
near_close(struct near *near, const char *name, char *why)
{
	const struct meeting_order order = order_of(near, MEETING_CLOSE, name);
	struct opened *opened = side_find(near->side, name);
	struct meeting_answer far;

	tell(near, &order);
	if (opened != NULL)
		side_close(near->side, opened);
	return answer_take(near, &far, why);
}

static void
own_part(struct side *side, const struct opened *opened, uint32_t work)
{
	const struct contest_loops *loops = opened->contestant->loops;
	void (*const part[MEETING_WORKS])(void *, struct contest_work *) = {
		[MEETING_TRIPS] = loops->trips, [MEETING_RATE] = loops->send,
		[MEETING_PACED] = loops->paced, [MEETING_WAKE] = loops->wake,
		[MEETING_MIXED] = loops->mixed,
	};

	part[work](opened->peer, &side->work);
}

int
near_round(struct near *near, struct round *round, char *why)
{
	struct side *side = near->side;
	struct meeting *meeting = side->meeting;
	const struct opened *opened = side_find(side, round->contestant->name);
	uint64_t begin, arrived;
	int ret;

	nhn_histogram_init(&round->latency);
	memset(&round->usage, 0, sizeof(round->usage));
	if (side_prepare(side, opened, &round->order, 0, why) != 0)
		return -1;
	side->work.latency = &round->latency;
	side->work.interval = (uint64_t)((double)round->interval_ns * (double)side->clock.hz / 1e9);
	tell(near, &round->order);
	if (!near_wait(near, &meeting->ready, near->number, why))
		return -1;
	if (nhn_load_acquire(&meeting->done) == near->number)
		return answer_take(near, &round->far, why);
	side_usage(&round->usage, -1);
	begin = nhn_clock_now();
	own_part(side, opened, round->order.work);
	round->ns = nhn_clock_ns(&side->clock, nhn_clock_now() - begin);
	side_usage(&round->usage, 1);
	nhn_store_release(&meeting->finish, near->number);
	ret = answer_take(near, &round->far, why);
	/* One way, the round is over when all has arrived. */
	if (round->order.work == MEETING_RATE)
		round->ns = nhn_clock_ns(&side->clock, nhn_clock_now() - begin);
	arrived = round->order.work == MEETING_RATE ? round->far.received : round->latency.total;
	round->lost = round->order.messages - arrived;
	round->misordered = side_misordered(side, opened) + round->far.misordered;
	return ret;
}
