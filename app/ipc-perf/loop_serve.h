/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The loop of the far end. A way's .c file includes this after it has defined the
 * functions named in loop.h, and
 *
 *     static inline int way_echo(struct way *, struct message *, bool stamp)
 *         answer with the same bytes, stamp: but for the clock, and give the message back;
 *         1: answered; 0: no room now; -ESTALE: it changed meanwhile and is not answered
 *     static inline bool way_serve_other(struct way *, struct far *)
 *         a step of what the way serves beside its lanes; whether there was one
 *     static inline bool way_busy(const struct way *)
 *         whether the next poll goes on with a message that is not whole
 *     static inline bool way_pending(struct way *, uint32_t lane)
 *         whether a lane has more, though a poll of it gave nothing
 *     static inline uint32_t way_message_max(const struct way *)
 *         bytes of the longest message that can be sent
 */
#ifndef LOOP_SERVE_H
#define LOOP_SERVE_H

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_pause.h>

#include "far.h"
#include "loop_serve_wait.h"
#include "protocol.h"
#include "way_internal.h"

/** ECHO, STAMP, LIMIT and END: the same bytes go back. @return whether they did */
static inline bool
serve_echo(struct way *way, struct far *far, struct message *message, bool stamp)
{
	int answered = way_echo(way, message, stamp);

	if (unlikely(answered == 0))
		answered = serve_echo_wait(way, message, stamp);
	if (unlikely(answered <= 0)) {
		far->dropped++;
		return false;
	}
	far->answered++;
	return true;
}

/** Bytes of a message are those of its number, and as many as ordered. */
static inline bool
serve_whole(const struct far *far, const struct message *message,
	    const struct protocol_header *header)
{
	return message->length == far->serve.size && far->pattern != NULL &&
	       memcmp(message->data + sizeof(*header),
		      protocol_pattern_at(far->pattern, header->sequence),
		      message->length - sizeof(*header)) == 0;
}

/** A DATA that was taken; given back later. */
static inline void
serve_data(struct far *far, const struct message *message, const struct protocol_header *header)
{
	if (unlikely(!serve_whole(far, message, header))) {
		far->bulk.corrupt++;
		return;
	}
	stream_note(&far->bulk, header->sequence);
}

/** A CALL: checked, then answered with the bytes of its number. */
static inline void
serve_call(struct way *way, struct far *far, struct message *message,
	   const struct protocol_header *header)
{
	const bool whole = serve_whole(far, message, header);

	if (unlikely(way_release(way, LANE_FIRST, message) != 0 || !whole)) {
		far->probes.corrupt++;
		return;
	}
	stream_note(&far->probes, header->sequence);
	if (likely(serve_send(way, header, protocol_pattern_at(far->pattern, header->sequence),
			      far->serve.reply_size - (uint32_t)sizeof(*header))))
		far->answered++;
	else
		far->dropped++;
}

/** Only the clock is read; the link gets its steps between the parts. */
static void
serve_floor(struct way *way, struct far *far, struct serve *serve, uint64_t duration_ns)
{
	while (duration_ns != 0) {
		uint64_t part_ns = RTE_MIN(duration_ns, SERVE_FLOOR_NS);

		far_floor(far, part_ns);
		duration_ns -= part_ns;
		if (!serve_look(way, far, serve))
			return;
	}
}

/** DATA, up to a burst, of a lane. @return messages */
static inline uint32_t
serve_lane(struct way *way, struct far *far, struct serve *serve, uint32_t lane)
{
	const uint64_t before = far->bulk.received;
	struct protocol_header header;
	struct message message;
	uint32_t i;

	for (i = 0; i < serve->burst && way_poll(way, lane, &message, serve->burst) > 0; i++) {
		memset(&header, 0, sizeof(header));
		if (likely(message.length >= sizeof(header)))
			memcpy(&header, message.data, sizeof(header));
		if (likely(header.command == protocol_command(PROTOCOL_DATA, 0)))
			serve_data(far, &message, &header);
		else
			far->strange++;
		serve->bytes += message.length;
		way_keep(way, lane, &message);
	}
	if (i != 0 && unlikely(way_settle(way, lane) != 0))
		far->bulk.corrupt++;
	far_arrived(far, far->bulk.received - before);
	return i;
}

/**
 * Before SERVE and COUNTS: what other lanes hold was sent before, and counts till then. One
 * that is never empty ends it by the ring's size.
 */
static void
serve_read_out(struct way *way, struct far *far, struct serve *serve)
{
	uint32_t i, taken;

	if (way->lanes <= LANE_BULK)
		return;
	for (i = 0; i < SERVE_READ_POLLS; i += taken + 1) {
		taken = serve_lane(way, far, serve, LANE_BULK);
		if (taken == 0 && !way_pending(way, LANE_BULK))
			return;
	}
}

/** An order: obeyed once, answered each time it comes. */
static __attribute__((noinline)) void
serve_order(struct way *way, struct far *far, struct serve *serve, struct message *message,
	    const struct protocol_header *asked)
{
	const struct protocol_header header = {asked->sequence,
					       protocol_command(PROTOCOL_REPLY, 0)};
	const uint64_t received = nhn_clock_now();
	struct order order;
	uint32_t behind;
	bool again;

	if (message->length < sizeof(*asked) + sizeof(order)) {
		far->strange++;
		way_release(way, LANE_FIRST, message);
		return;
	}
	memcpy(&order, message->data + sizeof(*asked), sizeof(order));
	if (way_release(way, LANE_FIRST, message) != 0)
		return;
	/* A restart that shows late must not wipe what the new near end orders. */
	serve_look(way, far, serve);
	behind = far->order_sequence - asked->sequence;
	again = far->obeyed && behind == 0;
	/* A port may bring an old one late: its sender waits for it no more. */
	if (far->obeyed && behind != 0 && behind < SERVE_ORDERS_LATE)
		return;
	if (!again) {
		if (order.kind == ORDER_SERVE || order.kind == ORDER_COUNTS)
			serve_read_out(way, far, serve);
		far->obeyed = true;
		far->order_sequence = asked->sequence;
		far->size_max = way_message_max(way);
		far->reply_bytes = far_obey(far, &order, received, far->reply);
	}
	if (!serve_send(way, &header, far->reply, far->reply_bytes))
		far->dropped++;
	serve_orders_take(far, serve);
	if (order.kind == ORDER_FLOOR && !again)
		serve_floor(way, far, serve, far_floor_ns(&order));
}

/** A message of the first lane but ECHO. @return as serve_limit() */
static __attribute__((noinline)) int
serve_other(struct way *way, struct far *far, struct serve *serve, struct message *message,
	    const struct protocol_header *header)
{
	switch (header->command >> PROTOCOL_KIND_SHIFT) {
	case PROTOCOL_STAMP:
		if (message->length < PROTOCOL_STAMP_BYTES)
			break;
		if (serve_echo(way, far, message, true))
			far_note(far, header->sequence);
		return 0;
	case PROTOCOL_LIMIT:
		if (!serve_echo(way, far, message, false))
			return 0;
		/* No message that is measured. */
		far->answered--;
		return serve_limit(way, far, header->sequence,
				   header->command & PROTOCOL_ARGUMENT_MASK, message);
	case PROTOCOL_END:
		if (serve_echo(way, far, message, false))
			serve->ends = OUTCOME_OK;
		return 0;
	case PROTOCOL_CALL:
		serve_call(way, far, message, header);
		return 0;
	case PROTOCOL_ORDER:
		serve_order(way, far, serve, message, header);
		return 0;
	default:
		break;
	}
	far->strange++;
	way_release(way, LANE_FIRST, message);
	return 0;
}

/** A burst of DATA to the near end, if it was ordered and there is room. */
static inline void
serve_source(struct way *way, struct far *far, struct serve *serve)
{
	uint32_t count = far->source_left < far->source_burst ? (uint32_t)far->source_left
							      : far->source_burst;
	uint32_t sent = way_send_data(way, WAY_DATA_LANE, far->pattern, far->source_sequence,
				      far->source_length, count);

	far->source_sequence += sent;
	far->source_sent += sent;
	far->source_left -= sent;
	serve->bytes += (uint64_t)sent * far->source_length;
}

/** How the far end waits, where it was told to. */
static inline void
serve_pause(struct far *far, struct serve *serve)
{
	if (far->serve.wait == WAIT_PAUSE) {
		rte_pause();
	} else {
		far_sleep(far, serve->had);
		serve->had = false;
	}
}

/** Nothing came on the first lane: what is less urgent. */
static inline void
serve_idle(struct way *way, struct far *far, struct serve *serve)
{
	way->polls++;
	if (serve->eager != 0 || way->polls % SERVE_OTHER_POLLS == 0) {
		bool taken = way->lanes > LANE_BULK && serve_lane(way, far, serve, LANE_BULK) != 0;

		taken |= way_serve_other(way, far);
		way_flush(way, WAY_DATA_LANE);
		serve->had |= taken;
		serve->eager = taken ? SERVE_EAGER_POLLS : serve->eager - (serve->eager != 0);
	}
	if (unlikely(far->serve.wait != WAIT_POLL) && !way_busy(way))
		serve_pause(far, serve);
	if (unlikely((way->polls & serve->watch) == 0 || serve->bytes > SERVE_LOOK_BYTES)) {
		serve->bytes = 0;
		serve_look(way, far, serve);
	}
}

/** The workload, all of it, and how long it took. */
static __attribute__((noinline)) void
serve_work(struct way *way, struct far *far, struct serve *serve)
{
	const uint64_t begun = nhn_clock_now();
	uint32_t i;

	for (i = 0; i < far->work_parts && serve->ends == OUTCOME_VOID; i++) {
		far_work(far);
		/* A turn of the loop may be long, and then has to make up for many. */
		serve_look(way, far, serve);
	}
	nhn_histogram_record(&far->work, nhn_clock_ns(way->clock, nhn_clock_now() - begun));
}

/** A message of the first lane. @return 1: @p message is another one; 0; -ESTALE: a new near end */
static inline int
serve_message(struct way *way, struct far *far, struct serve *serve, struct message *message)
{
	struct protocol_header header;

	if (unlikely(message->length < sizeof(header))) {
		far->strange++;
		way_release(way, LANE_FIRST, message);
		return 0;
	}
	memcpy(&header, message->data, sizeof(header));
	if (likely(header.command == protocol_command(PROTOCOL_ECHO, 0))) {
		if (likely(serve_echo(way, far, message, false)))
			far_note(far, header.sequence);
		return 0;
	}
	if (header.command == protocol_command(PROTOCOL_DATA, 0)) {
		serve_data(far, message, &header);
		way_keep(way, LANE_FIRST, message);
		return 0;
	}
	return serve_other(way, far, serve, message, &header);
}

/** Up to a burst of the first lane. @return messages; below 0: a new near end */
static inline int
serve_first(struct way *way, struct far *far, struct serve *serve)
{
	const uint64_t before = far->bulk.received;
	struct message message;
	uint32_t i;
	int got = 0;

	for (i = 0; i < serve->burst && serve->ends == OUTCOME_VOID; i++) {
		if (got == 0)
			got = way_poll(way, LANE_FIRST, &message, serve->burst);
		if (got <= 0)
			break;
		serve->bytes += message.length;
		got = serve_message(way, far, serve, &message);
	}
	/* What came instead of a word of the limit, behind a burst that is full. */
	while (unlikely(got > 0))
		got = serve_message(way, far, serve, &message);
	if (unlikely(way_settle(way, LANE_FIRST) != 0))
		far->bulk.corrupt++;
	if (i != 0)
		far_arrived(far, far->bulk.received - before);
	return got < 0 ? got : (int)i;
}

static enum outcome
loop_serve(struct way *way, struct far *far)
{
	struct serve serve = {.ends = OUTCOME_VOID};

	serve_orders_take(far, &serve);
	while (serve.ends == OUTCOME_VOID) {
		int got = serve_first(way, far, &serve);

		if (got > 0) {
			serve.had = true;
			/* Its steps the link gets also where messages never end. */
			if (unlikely(++way->polls % WATCH_POLLS == 0 ||
				     serve.bytes > SERVE_LOOK_BYTES)) {
				serve.bytes = 0;
				serve_look(way, far, &serve);
			}
		} else {
			if (unlikely(got < 0)) {
				far_forget(far);
				serve_orders_take(far, &serve);
			}
			serve_idle(way, far, &serve);
		}
		if (unlikely(far->source_left != 0))
			serve_source(way, far, &serve);
		if (unlikely(far->serve.duration_ns != 0) && !way_busy(way))
			serve_work(way, far, &serve);
	}
	return serve.ends;
}

#endif /* LOOP_SERVE_H */
