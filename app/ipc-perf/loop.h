/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the loops of the near end have in common. A way's .c file includes this,
 * by way_loops.h, after it has defined, for a lane each,
 *
 *     static inline void *way_reserve(struct way *, uint32_t lane, uint32_t length)
 *         room for a message, or NULL: none now
 *     static inline bool way_commit(struct way *, uint32_t lane, void *body, uint32_t length)
 *         send it; false: none now, call it again
 *     static inline int way_poll(struct way *, uint32_t lane, struct message *, uint32_t ahead)
 *         1: a message; 0: none; -ESTALE: the peer was restarted. Up to ahead may be fetched
 *     static inline int way_release(struct way *, uint32_t lane, struct message *)
 *         give it back, and those kept; -ESTALE: one changed meanwhile
 *     static inline void way_keep(struct way *, uint32_t lane, struct message *)
 *         done with it, to be given back with the next one or by way_settle()
 *     static inline int way_settle(struct way *, uint32_t lane)
 *         give back what was kept; -ESTALE as way_release()
 *     static inline uint32_t way_send_data(struct way *, uint32_t lane, const uint8_t *pattern,
 *                                          uint32_t sequence, uint32_t length, uint32_t count)
 *         send DATA of the numbers from sequence on; what is returned was taken
 *     static inline bool way_flush(struct way *, uint32_t lane)
 *         whether all that way_send_data() took is on its way
 *     static uint32_t way_unsend(struct way *, uint32_t lane)
 *         give up what is not; what is returned was taken and is not sent
 *     static enum watch way_watch(struct way *)
 *         a control step, and a look at link and signals
 *     static void way_drain(struct way *)
 *         drop what other lanes than the first hold: a restart waits for that
 *     WAY_DATA_LANE
 *         where DATA goes that need not leave room for others
 *
 * so that the loops pay no indirect call. They do not allocate, and neither log
 * nor call the kernel while the link is up.
 */
#ifndef LOOP_H
#define LOOP_H

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <nhn_link_text.h>

#include "near.h"
#include "say.h"
#include "way_internal.h"

/** As many bytes moved, a power of two, count as an empty poll: both take time between looks. */
#define TURN_BYTES_SHIFT 12

/** What an answer is. */
enum answer {
	ANSWER_EXPECTED,
	ANSWER_CORRUPT, /**< taken for the expected one */
	ANSWER_STRAY,	/**< not the expected one, which may still come */
};

/** The link went down or came up: another wait begins. What lasts is said. */
static void
loop_down_note(struct way *way, bool down)
{
	if (down != way->down) {
		if (way->down_said && !down)
			say("the link is up again");
		way->down = down;
		way->down_said = false;
		way->waited_ns = 0;
	} else if (down && !way->down_said && way->waited_ns > DOWN_SAID_NS) {
		say("the link is %s; waiting up to %u s for pong to come back",
		    way->link != NULL ? nhn_link_state_text(nhn_link_state(way->link)) : "down",
		    (unsigned int)(DOWN_PATIENCE_NS / 1000000000));
		way->down_said = true;
	}
}

/** A port of another driver may have lost the message, or the answer. */
static enum outcome
loop_port_patience(struct way *way)
{
	if (way->waited_ns <= PORT_ANSWER_NS + way->answer_ns)
		return OUTCOME_OK;
	way->silent_ns += way->waited_ns;
	way->waited_ns = 0;
	return way->silent_ns > PATIENCE_NS + way->answer_ns ? OUTCOME_GONE : OUTCOME_VOID;
}

/**
 * Every WATCH_POLLS-th empty poll: may we go on waiting? Only time in which this
 * side polled counts: when the machine stood still, so did the far end.
 */
static __attribute__((noinline)) enum outcome
loop_patience(struct way *way)
{
	const bool was_down = way->down;
	enum watch watch = way_watch(way);
	uint64_t now = nhn_clock_now();
	uint64_t step_ns = nhn_clock_ns(way->clock, now - way->watched);
	bool down =
		way->link != NULL ? nhn_link_state(way->link) != NHN_LINK_UP : watch == WATCH_DOWN;

	way->watched = now;
	if (watch == WATCH_STOPPED)
		return OUTCOME_STOPPED;
	if (watch == WATCH_LOST)
		return OUTCOME_LOST;
	loop_down_note(way, down);
	if (watch == WATCH_RESTARTED)
		return OUTCOME_RESTART;
	/* A port of another driver tells no more than this. */
	if (way->link == NULL && was_down && !down) {
		way->reconnects++;
		return OUTCOME_RESTART;
	}
	if (watch == WATCH_DOWN)
		way_drain(way);
	way->waited_ns += RTE_MIN(step_ns, PATIENCE_STEP_NS);
	if (way->link == NULL && !down)
		return loop_port_patience(way);
	return way->waited_ns > (down ? DOWN_PATIENCE_NS : PATIENCE_NS + way->answer_ns)
		       ? OUTCOME_GONE
		       : OUTCOME_OK;
}

/** After a block that ended by silence: answers before it were no silence. */
static inline void
loop_heard(struct way *way, bool heard)
{
	if (heard && way->silent_ns > PORT_ANSWER_NS)
		way->silent_ns = PORT_ANSWER_NS;
}

/** A turn of a loop that may never be idle, by its bytes: whether to look around. */
static inline bool
loop_look_due(struct way *way, uint64_t bytes)
{
	const uint32_t before = way->polls;

	way->polls += 1 + (uint32_t)(bytes >> TURN_BYTES_SHIFT);
	return ((before ^ way->polls) & ~(WATCH_POLLS - 1)) != 0;
}

/** Whether a message is of this command and length and has its number's bytes from @p skip on. */
static inline bool
loop_whole(const struct near *near, const struct message *message, uint32_t length,
	   uint32_t sequence, uint32_t command, uint32_t skip)
{
	struct protocol_header header;

	if (unlikely(message->length != length))
		return false;
	memcpy(&header, message->data, sizeof(header));
	return header.sequence == sequence && header.command == command &&
	       memcmp(message->data + skip,
		      protocol_pattern_at(near->pattern, sequence) + skip - sizeof(header),
		      length - skip) == 0;
}

/** DATA of the far end: checked and counted. */
static inline void
loop_bulk(struct near *near, const struct message *message, uint32_t sequence)
{
	if (likely(loop_whole(near, message, near->bulk_length, sequence,
			      protocol_command(PROTOCOL_DATA, 0), sizeof(struct protocol_header))))
		stream_note(&near->bulk, sequence);
	else
		near->bulk.corrupt++;
}

/** A message that is not what a loop waits for: count it. Answers are taken for late ones. */
static __attribute__((noinline)) enum answer
loop_other(struct near *near, const struct message *message)
{
	struct protocol_header header;
	uint32_t skip = sizeof(header);
	uint32_t length = near->length;

	if (message->length < sizeof(header)) {
		near->answers.corrupt++;
		return ANSWER_CORRUPT;
	}
	memcpy(&header, message->data, sizeof(header));
	switch (header.command >> PROTOCOL_KIND_SHIFT) {
	case PROTOCOL_REPLY:
	case PROTOCOL_LIMIT:
	case PROTOCOL_END:
		return ANSWER_STRAY;
	case PROTOCOL_DATA:
		loop_bulk(near, message, header.sequence);
		return ANSWER_STRAY;
	case PROTOCOL_CALL:
		length = near->reply_length;
		break;
	case PROTOCOL_STAMP:
		/* One that was never sent: a length of 0 is no message's. */
		if (length < PROTOCOL_STAMP_BYTES)
			length = 0;
		skip = PROTOCOL_STAMP_BYTES;
		break;
	case PROTOCOL_ECHO:
		break;
	default:
		near->answers.corrupt++;
		return ANSWER_CORRUPT;
	}
	/* Numbers that were never sent, or bytes of no number. */
	if ((header.command & PROTOCOL_ARGUMENT_MASK) != 0 ||
	    (int32_t)(header.sequence - near->sequence) >= 0 ||
	    !loop_whole(near, message, length, header.sequence, header.command, skip)) {
		near->answers.corrupt++;
		return ANSWER_CORRUPT;
	}
	stream_note(&near->answers, header.sequence);
	return ANSWER_STRAY;
}

/** Take what has come and count it. @return 1, 0: nothing came, or -ESTALE: a restart */
static inline int
loop_take_other(struct way *way, struct near *near, uint32_t lane)
{
	struct message message;
	int got = way_poll(way, lane, &message, 1);

	if (got > 0) {
		loop_other(near, &message);
		if (way_release(way, lane, &message) != 0)
			near->answers.corrupt++;
	}
	return got;
}

/** No room to send: the link comes up again only if we go on reading. */
static __attribute__((noinline)) enum outcome
loop_wait_room(struct way *way, struct near *near)
{
	enum outcome outcome = OUTCOME_OK;

	if (++way->polls % WATCH_POLLS == 0)
		outcome = loop_patience(way);
	if (outcome == OUTCOME_OK && loop_take_other(way, near, LANE_FIRST) < 0)
		return OUTCOME_RESTART;
	/* Nothing is under way that a port could have lost. */
	return outcome == OUTCOME_VOID ? OUTCOME_OK : outcome;
}

/** Send a message of the first lane, waiting for room. */
static inline enum outcome
loop_send(struct way *way, struct near *near, uint32_t sequence, uint32_t command, uint32_t length)
{
	enum outcome outcome;
	uint8_t *body;

	while (unlikely((body = way_reserve(way, LANE_FIRST, length)) == NULL)) {
		outcome = loop_wait_room(way, near);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	message_fill(body, sequence, command, near->pattern, length);
	while (unlikely(!way_commit(way, LANE_FIRST, body, length))) {
		outcome = loop_wait_room(way, near);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

static inline enum outcome
loop_receive(struct way *way, struct message *message)
{
	for (;;) {
		enum outcome outcome;
		int got = way_poll(way, LANE_FIRST, message, 1);

		if (likely(got > 0))
			return OUTCOME_OK;
		if (unlikely(got < 0))
			return OUTCOME_RESTART;
		if (likely(++way->polls % WATCH_POLLS != 0))
			continue;
		outcome = loop_patience(way);
		if (unlikely(outcome != OUTCOME_OK))
			return outcome;
	}
}

/** A sample above the threshold, which is rare: keep it with what may have caused it. */
static __attribute__((noinline, cold)) void
loop_gap(struct way *way, struct near *near, uint64_t gap_ns, bool may_look)
{
	nhn_gaps_note(near->gaps, near->observer,
		      nhn_clock_ns(way->clock, nhn_clock_now() - near->begun), gap_ns, may_look);
}

/** Above which samples are noted: it rises. None are without a place for them. */
static inline const uint64_t *
loop_gap_threshold(const struct near *near)
{
	static const uint64_t never = UINT64_MAX;

	return near->gaps != NULL ? &near->gaps->threshold_ns : &never;
}

/** The one-way times of a stamped answer; below 0 the offset's error shows: recorded as 0. */
static inline void
loop_stamp(struct way *way, struct near *near, uint64_t far_ns, uint64_t sent, uint64_t received)
{
	/* The peer's clock may be any number. */
	const uint64_t near_ns = far_ns - (uint64_t)near->offset_ns;
	const int64_t there_ns = (int64_t)(near_ns - nhn_clock_ns(way->clock, sent));
	const int64_t back_ns = (int64_t)(nhn_clock_ns(way->clock, received) - near_ns);

	nhn_histogram_record(near->there, there_ns > 0 ? (uint64_t)there_ns : 0);
	nhn_histogram_record(near->back, back_ns > 0 ? (uint64_t)back_ns : 0);
}

/** The far end's clock in a stamped answer. */
static inline uint64_t
loop_stamp_of(const struct message *message)
{
	uint64_t far_ns;

	memcpy(&far_ns, message->data + sizeof(struct protocol_header), sizeof(far_ns));
	return far_ns;
}

/**
 * A block ends with answers outstanding: give them a moment where the far end is there, so
 * that what was sent is answered or lost. Stopped, the rest was not sent for the counts.
 */
static __attribute__((noinline)) void
loop_abandon(struct way *way, struct near *near, uint64_t outstanding, enum outcome outcome)
{
	const uint64_t begun = nhn_clock_now();
	const uint64_t received = near->answers.received;
	uint64_t came;

	if (outcome == OUTCOME_STOPPED || outcome == OUTCOME_VOID)
		while (near->answers.received - received < outstanding &&
		       nhn_clock_ns(way->clock, nhn_clock_now() - begun) <
			       PORT_ANSWER_NS / 2 + way->answer_ns) {
			if (loop_take_other(way, near, LANE_FIRST) < 0)
				break;
			/* The link may need its steps to go on. */
			if (++way->polls % WATCH_POLLS == 0)
				way_watch(way);
		}
	came = near->answers.received - received;
	outstanding -= RTE_MIN(came, outstanding);
	if (outcome == OUTCOME_STOPPED)
		near->sent -= outstanding;
	else
		near->unanswered += outstanding;
}

#endif /* LOOP_H */
