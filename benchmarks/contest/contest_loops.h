/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loops of one contestant. The file that includes this has defined before:
 *
 *   struct peer;
 *   // Write up to count messages with contest_write() or contest_written() on a link;
 *   // @return how many went: 0 when there was no room. All that went can be seen by the
 *   // receiver when this returns.
 *   CONTEST_INLINE uint32_t peer_send(struct peer *, uint32_t link, struct contest_work *,
 *                                     uint32_t count);
 *   // Take up to count messages with contest_read() or contest_took(); @return how many.
 *   CONTEST_INLINE uint32_t peer_receive(struct peer *, uint32_t link, struct contest_work *,
 *                                        uint32_t count);
 *   // Where PEER_TURNS is defined: what a thread that polls has to do now and then (control steps,
 *   // heartbeats).
 *   static inline void peer_turn(struct peer *);
 *   // Where PEER_WAITS is defined: sleep until something is there, 50 ms at most.
 *   static inline void peer_wait(struct peer *, struct contest_work *);
 *
 * and gets: static const struct contest_loops peer_loops.
 */
#ifndef CONTEST_LOOPS_H
#define CONTEST_LOOPS_H

#include "contest.h"

#ifndef PEER_TURNS
static inline void
peer_turn(struct peer *peer)
{
	(void)peer;
}
#endif

/* Polls that found nothing; @return whether to give up. */
static inline bool
peer_idle(struct peer *peer, struct contest_work *work, uint32_t *polls)
{
	if (__builtin_expect(++*polls % CONTEST_POLLS != 0, 1))
		return false;
	peer_turn(peer);
	return contest_over(work);
}

static inline bool
peer_send_one(struct peer *peer, uint32_t link, struct contest_work *work)
{
	uint32_t polls = 0;

	while (peer_send(peer, link, work, 1) == 0) {
		if (peer_idle(peer, work, &polls))
			return false;
	}
	work->idle_from = 0;
	return true;
}

static inline bool
peer_receive_one(struct peer *peer, uint32_t link, struct contest_work *work)
{
	uint32_t polls = 0;

	while (peer_receive(peer, link, work, 1) == 0) {
		if (peer_idle(peer, work, &polls))
			return false;
	}
	work->idle_from = 0;
	return true;
}

static inline void
peer_record(struct contest_work *work, uint64_t begin, uint64_t end)
{
	nhn_histogram_record(work->latency, nhn_clock_ns(work->clock, end - begin));
}

static void
peer_trips(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint32_t link = 0;
	uint64_t i;

	for (i = 0; i < work->messages; i++) {
		const uint64_t begin = nhn_clock_now();

		if (!peer_send_one(peer, link, work) || !peer_receive_one(peer, link, work)) {
			return;
		}
		peer_record(work, begin, nhn_clock_now());
		if (i % CONTEST_POLLS == 0)
			peer_turn(peer);
		if (++link == work->links)
			link = 0;
	}
}

static void
peer_echo(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint32_t link = 0, polls = 0;
	uint64_t left = work->messages;

	while (left != 0) {
		if (peer_receive(peer, link, work, 1) != 0) {
			if (!peer_send_one(peer, link, work))
				return;
			left--;
		} else if (peer_idle(peer, work, &polls)) {
			return;
		}
		if (++link == work->links)
			link = 0;
	}
}

/*
 * In bursts, on link 0.
 * @param move peer_send or peer_receive, which is compiled in
 * @param rests whether to leave the line alone for a moment where nothing was moved
 */
CONTEST_INLINE void
peer_move_all(struct peer *peer, struct contest_work *work,
	      uint32_t (*move)(struct peer *, uint32_t, struct contest_work *, uint32_t),
	      bool rests)
{
	uint64_t left = work->messages;
	uint32_t polls = 0, bursts = 0;

	while (left != 0) {
		const uint32_t count = left < work->burst ? (uint32_t)left : work->burst;
		/* Compiled in twice: with the least size known, else a look at it a message. */
		const uint32_t moved = work->size == CONTEST_SIZE_MIN ? move(peer, 0, work, count)
								      : move(peer, 0, work, count);

		left -= moved;
		if (moved != 0) {
			work->idle_from = 0;
			if (++bursts % CONTEST_POLLS == 0)
				peer_turn(peer);
		} else {
			if (rests)
				contest_rest();
			if (peer_idle(peer, work, &polls))
				return;
		}
	}
}

static void
peer_send_all(void *opened, struct contest_work *work)
{
	peer_move_all(opened, work, peer_send, false);
}

static void
peer_receive_all(void *opened, struct contest_work *work)
{
	peer_move_all(opened, work, peer_receive, work->burst > 1);
}

/* The i-th message is meant for begin + i * interval, and answers come in order. */
static void
peer_paced(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	const uint64_t begin = nhn_clock_now();
	uint64_t sent = 0, got = 0;
	uint32_t polls = 0, turns = 0;

	while (got != work->messages) {
		if (sent != work->messages && nhn_clock_now() >= begin + sent * work->interval)
			sent += peer_send(peer, 0, work, 1);
		if (sent != got && peer_receive(peer, 0, work, 1) != 0) {
			peer_record(work, begin + got * work->interval, nhn_clock_now());
			got++;
			work->idle_from = 0;
		} else if (sent != got && peer_idle(peer, work, &polls)) {
			return;
		}
		if (++turns % CONTEST_POLLS == 0)
			peer_turn(peer);
	}
}

static void
peer_silence(struct peer *peer, uint64_t until)
{
	uint32_t turns = 0;

	while (nhn_clock_now() < until) {
		contest_pause();
		if (++turns % CONTEST_POLLS == 0)
			peer_turn(peer);
	}
}

static void
peer_wake(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint64_t i;

	for (i = 0; i < work->messages; i++) {
		uint64_t begin;

		peer_silence(peer, nhn_clock_now() + work->interval);
		begin = nhn_clock_now();
		if (!peer_send_one(peer, 0, work) || !peer_receive_one(peer, 0, work)) {
			return;
		}
		peer_record(work, begin, nhn_clock_now());
	}
}

#ifdef PEER_WAITS
static void
peer_echo_waiting(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint64_t left = work->messages;

	while (left != 0) {
		if (peer_receive(peer, 0, work, 1) != 0) {
			if (!peer_send_one(peer, 0, work))
				return;
			left--;
			work->idle_from = 0;
			continue;
		}
		peer_wait(peer, work);
		peer_turn(peer);
		if (contest_over(work)) {
			return;
		}
	}
}
#else
#define peer_echo_waiting NULL
#endif

/*
 * The bulk never ends before the control messages do. A control message is late from the
 * time meant: what the sender's own bulk costs it counts.
 */
static void
peer_mixed(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	struct contest_work *bulk = work->bulk;
	uint64_t due = nhn_clock_now() + work->interval;
	uint64_t got = 0;
	bool sent = false;
	uint32_t polls = 0, turns = 0;

	while (got != work->messages) {
		peer_send(peer, 1, bulk, 1);
		if (!sent && nhn_clock_now() >= due)
			sent = peer_send(peer, 0, work, 1) != 0;
		if (sent && peer_receive(peer, 0, work, 1) != 0) {
			peer_record(work, due, nhn_clock_now());
			due = nhn_clock_now() + work->interval;
			sent = false;
			got++;
			work->idle_from = 0;
		} else if (nhn_clock_now() >= due && peer_idle(peer, work, &polls)) {
			return;
		}
		if (++turns % CONTEST_POLLS == 0)
			peer_turn(peer);
	}
}

static void
peer_echo_mixed(void *opened, struct contest_work *work)
{
	struct peer *peer = opened;
	uint32_t polls = 0, turns = 0;

	for (;;) {
		bool found = false;

		if (peer_receive(peer, 0, work, 1) != 0) {
			if (!peer_send_one(peer, 0, work))
				return;
			found = true;
		}
		if (peer_receive(peer, 1, work->bulk, 1) != 0)
			found = true;
		if (found)
			work->idle_from = 0;
		else if (peer_idle(peer, work, &polls))
			return;
		if (++turns % CONTEST_POLLS == 0)
			peer_turn(peer);
	}
}

static const struct contest_loops peer_loops = {
	.trips = peer_trips,
	.echo = peer_echo,
	.send = peer_send_all,
	.receive = peer_receive_all,
	.paced = peer_paced,
	.wake = peer_wake,
	.echo_waiting = peer_echo_waiting,
	.mixed = peer_mixed,
	.echo_mixed = peer_echo_mixed,
};

#endif /* CONTEST_LOOPS_H */
