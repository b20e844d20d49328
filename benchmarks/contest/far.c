/* SPDX-License-Identifier: BSD-3-Clause */
/* The far side: does its part of each order, and knows nothing of the next. */

#include <nhn_word.h>

#include "meeting.h"

static void
far_round(struct side *side, const struct meeting_order *order, uint32_t number,
	  struct meeting_answer *answer)
{
	struct opened *opened = side_find(side, order->contestant);
	struct contest_work *work = &side->work;
	const struct contest_loops *loops;

	answer->status = -1;
	if (opened == NULL) {
		memcpy(answer->why, "not open", sizeof("not open"));
		return;
	}
	if (side_prepare(side, opened, order, number, answer->why) != 0)
		return;
	loops = opened->contestant->loops;
	answer->status = 0;
	side_usage(&answer->usage, -1);
	nhn_store_release(&side->meeting->ready, number);
	if (order->work == MEETING_RATE)
		loops->receive(opened->peer, work);
	else if (order->work == MEETING_MIXED)
		loops->echo_mixed(opened->peer, work);
	else if (order->waiting)
		loops->echo_waiting(opened->peer, work);
	else
		loops->echo(opened->peer, work);
	side_usage(&answer->usage, 1);
	answer->received = work->taken;
	answer->misordered = side_misordered(side, opened);
	answer->bulk_received = side->bulk.taken;
}

static void
far_obey(struct side *side, const struct meeting_order *order, uint32_t number,
	 struct meeting_answer *answer)
{
	const uint64_t before_kib = side_memory_kib();
	struct opened *opened;

	memset(answer, 0, sizeof(*answer));
	switch (order->what) {
	case MEETING_OPEN:
		answer->status = side_open(side, order, answer->why);
		answer->kib = side_memory_grown(before_kib);
		break;
	case MEETING_CLOSE:
		opened = side_find(side, order->contestant);
		if (opened != NULL)
			side_close(side, opened);
		break;
	case MEETING_ROUND:
		far_round(side, order, number, answer);
		break;
	}
}

int
far_run(struct side *side)
{
	struct meeting *meeting = side->meeting;
	struct meeting_order order = {.what = MEETING_ROUND};
	uint32_t number;

	while (nhn_load_acquire(&meeting->magic) != MEETING_MAGIC)
		contest_pause();
	number = nhn_load_acquire(&meeting->number);
	nhn_store_release(&meeting->here, MEETING_MAGIC);
	while (order.what != MEETING_END) {
		while (nhn_load_acquire(&meeting->number) == number)
			contest_pause();
		number++;
		order = meeting->order;
		far_obey(side, &order, number, &meeting->answer);
		nhn_store_release(&meeting->done, number);
		/* For near that waits for a round that could not begin. */
		nhn_store_release(&meeting->ready, number);
	}
	side_finish(side);
	return 0;
}
