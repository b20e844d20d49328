/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The open loop of the near end: messages at their times, whether answers come or
 * not. After loop.h.
 */
#ifndef LOOP_PACED_H
#define LOOP_PACED_H

#include "loop.h"

/** A round under way. */
struct loop_pace {
	double period;
	uint64_t begun;	   /**< intended time of message 0 */
	uint64_t due;	   /**< of the next one */
	uint64_t sent;	   /**< messages */
	uint64_t received; /**< answers, whole */
	uint64_t last_at;  /**< when the last one was sent */
	uint64_t least;	   /**< shortest latency, cycles */
	uint64_t gap_end;  /**< when the answer came that was noted as a gap last */
	const uint64_t *threshold_ns;
	uint32_t first; /**< number of message 0 */
	uint32_t command;
	uint32_t skip;
	bool stamp;
};

/** When message @p i was meant to be sent: from the begin, so that no error adds up. */
static inline uint64_t
loop_pace_intended(const struct loop_pace *pace, uint64_t i)
{
	return pace->begun + (uint64_t)(int64_t)((double)i * pace->period);
}

/** Send the message that is due, if there is room. @return whether it was sent */
static inline bool
loop_pace_send(struct way *way, struct near *near, struct loop_pace *pace,
	       struct schedule *schedule, uint64_t now)
{
	uint8_t *body = way_reserve(way, LANE_FIRST, near->length);
	uint64_t late_by = now - pace->due;

	if (unlikely(body == NULL))
		return false;
	message_fill(body, near->sequence, pace->command, near->pattern, near->length);
	if (unlikely(!way_commit(way, LANE_FIRST, body, near->length)))
		return false;
	near->sequence++;
	near->sent++;
	pace->last_at = now;
	if (unlikely((double)late_by > pace->period))
		schedule->late++;
	if (unlikely(late_by > schedule->late_most_cycles))
		schedule->late_most_cycles = late_by;
	pace->due = loop_pace_intended(pace, ++pace->sent);
	return true;
}

/** Take an answer if there is one. @return 1, 0: none; -ESTALE: a restart; -EBADMSG: corrupt */
static inline int
loop_pace_take(struct way *way, struct near *near, struct loop_pace *pace,
	       struct nhn_histogram *latency)
{
	struct protocol_header header = {0, 0};
	struct message message;
	uint64_t at, cycles, ns, received, far_ns = 0;
	int got = way_poll(way, LANE_FIRST, &message, 1);

	if (got <= 0)
		return got;
	at = nhn_clock_now_ordered();
	if (likely(message.length >= sizeof(header)))
		memcpy(&header, message.data, sizeof(header));
	if (unlikely(header.sequence - pace->first >= (uint32_t)pace->sent ||
		     !loop_whole(near, &message, near->length, header.sequence, pace->command,
				 pace->skip))) {
		if (loop_other(near, &message) == ANSWER_CORRUPT)
			got = -EBADMSG;
		way_release(way, LANE_FIRST, &message);
		return got;
	}
	cycles = at - loop_pace_intended(pace, header.sequence - pace->first);
	if (pace->stamp)
		far_ns = loop_stamp_of(&message);
	if (unlikely(way_release(way, LANE_FIRST, &message) != 0)) {
		near->answers.corrupt++;
		return -EBADMSG;
	}
	received = near->answers.received;
	stream_note(&near->answers, header.sequence);
	/* Once each: another one is no answer to a message of its own. */
	if (unlikely(near->answers.received == received))
		return 0;
	pace->received++;
	if (pace->stamp)
		loop_stamp(way, near, far_ns, at - cycles, at);
	if (unlikely(cycles < pace->least))
		pace->least = cycles;
	ns = nhn_clock_ns(way->clock, cycles);
	nhn_histogram_record(latency, ns);
	/* All that were meant for the time of a stall waited for the same: one gap. */
	if (unlikely(ns > *pace->threshold_ns && (int64_t)(at - cycles - pace->gap_end) > 0)) {
		pace->gap_end = at;
		loop_gap(way, near, ns, false);
	}
	return 1;
}

/** The end of a turn: some look around, also where answers never end. */
static inline enum outcome
loop_pace_turn(struct way *way, const struct loop_pace *pace, bool blocked, uint64_t bytes)
{
	if (likely(!loop_look_due(way, bytes)))
		return OUTCOME_OK;
	/* The time between two messages is no wait for an answer. */
	if (pace->sent == pace->received && !blocked)
		way->waited_ns = 0;
	return loop_patience(way);
}

/**
 * After the planned messages: whether the round may end before the next one. It goes on
 * while it is late, and while an answer is: else the messages that a stall would have cost
 * after the plan's end were missing.
 */
static bool
loop_pace_ends(struct loop_pace *pace, struct schedule *schedule, uint64_t now)
{
	const uint64_t patient = RTE_MAX((uint64_t)pace->period, 4 * pace->least);

	if (pace->sent >= schedule->messages_max || pace->sent >= UINT32_MAX / 2 ||
	    now - pace->begun > schedule->stop_after_cycles)
		return true;
	if ((double)(now - pace->due) > pace->period)
		return false;
	schedule->held =
		pace->sent == pace->received ||
		(int64_t)(now - loop_pace_intended(pace, pace->received)) < (int64_t)patient;
	return schedule->held;
}

static inline __attribute__((always_inline)) enum outcome
loop_pace_run(struct way *way, struct near *near, struct schedule *schedule, struct loop_pace *pace,
	      struct nhn_histogram *latency)
{
	bool sending = true;

	while (sending || pace->received != pace->sent) {
		const uint64_t now = nhn_clock_now();
		const bool due = sending && (int64_t)(now - pace->due) >= 0;
		bool blocked = false;
		enum outcome outcome;
		int got;

		if (due &&
		    unlikely(pace->sent >= schedule->messages ||
			     now - pace->begun > schedule->stop_after_cycles) &&
		    loop_pace_ends(pace, schedule, now))
			sending = false;
		else if (due)
			blocked = !loop_pace_send(way, near, pace, schedule, now);
		got = loop_pace_take(way, near, pace, latency);
		if (unlikely(got < 0))
			return got == -ESTALE ? OUTCOME_RESTART : OUTCOME_VOID;
		if (likely(got > 0))
			way->waited_ns = 0;
		outcome = loop_pace_turn(way, pace, blocked, got > 0 ? near->length : 0);
		if (unlikely(outcome != OUTCOME_OK))
			return outcome;
	}
	return OUTCOME_OK;
}

static enum outcome
loop_paced(struct way *way, struct near *near, struct schedule *schedule,
	   struct nhn_histogram *latency)
{
	const bool stamp = near->stamp && near->length >= PROTOCOL_STAMP_BYTES;
	struct loop_pace pace = {
		.period = schedule->period_cycles,
		.begun = nhn_clock_now(),
		.least = UINT64_MAX / 8,
		.threshold_ns = loop_gap_threshold(near),
		.first = near->sequence,
		.command = protocol_command(stamp ? PROTOCOL_STAMP : PROTOCOL_ECHO, 0),
		.skip = stamp ? PROTOCOL_STAMP_BYTES : sizeof(struct protocol_header),
		.stamp = stamp,
	};
	enum outcome outcome;

	pace.due = pace.last_at = pace.begun;
	pace.gap_end = pace.begun - 1;
	schedule->late = schedule->late_most_cycles = 0;
	schedule->held = false;
	way->waited_ns = 0;
	outcome = loop_pace_run(way, near, schedule, &pace, latency);
	schedule->sent = pace.sent;
	schedule->cycles = pace.last_at - pace.begun;
	if (outcome != OUTCOME_OK) {
		loop_heard(way, pace.received != 0);
		loop_abandon(way, near, pace.sent - pace.received, outcome);
	} else {
		way->silent_ns = 0;
	}
	return outcome;
}

#endif /* LOOP_PACED_H */
