/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Orders of the near end to the far end. Cold: between blocks. After loop.h.
 */
#ifndef LOOP_ORDER_H
#define LOOP_ORDER_H

#include "loop.h"

/** An order as it travels. */
struct loop_order_message {
	struct protocol_header header;
	struct order order;
};

/** Send bytes as they are, waiting for room. */
static enum outcome
loop_send_bytes(struct way *way, struct near *near, const void *bytes, uint32_t length)
{
	enum outcome outcome;
	void *body;

	while ((body = way_reserve(way, LANE_FIRST, length)) == NULL) {
		outcome = loop_wait_room(way, near);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	memcpy(body, bytes, length);
	while (!way_commit(way, LANE_FIRST, body, length)) {
		outcome = loop_wait_room(way, near);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

/** Whether it is the reply to the order; then its bytes are copied out. */
static bool
loop_reply_take(const struct message *message, const struct loop_order_message *asked,
		struct reply *head, void *reply, uint32_t reply_bytes)
{
	const uint32_t heads = sizeof(struct protocol_header) + sizeof(*head);
	struct protocol_header header;

	if (message->length < heads)
		return false;
	memcpy(&header, message->data, sizeof(header));
	if (header.sequence != asked->header.sequence ||
	    header.command != protocol_command(PROTOCOL_REPLY, 0))
		return false;
	memcpy(head, message->data + sizeof(header), sizeof(*head));
	if (head->kind != asked->order.kind)
		return false;
	if (reply_bytes == 0)
		return true;
	/* The peer's length: no byte of the reply is of an earlier one. */
	memset(reply, 0, reply_bytes);
	memcpy(reply, message->data + heads, RTE_MIN(reply_bytes, message->length - heads));
	return true;
}

/** As loop_receive(). Duplex: DATA of a lane of its own is taken meanwhile. */
static enum outcome
loop_reply_receive(struct way *way, struct near *near, struct message *message)
{
	if (!near->taking)
		return loop_receive(way, message);
	for (;;) {
		enum outcome outcome;
		int got = way_poll(way, LANE_FIRST, message, 1);

		if (got != 0)
			return got > 0 ? OUTCOME_OK : OUTCOME_RESTART;
		loop_take_other(way, near, WAY_DATA_LANE);
		if (++way->polls % WATCH_POLLS != 0)
			continue;
		outcome = loop_patience(way);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
}

/** Wait for the reply; what else comes is counted. VOID: it may be lost, ask again. */
static enum outcome
loop_reply_wait(struct way *way, struct near *near, const struct loop_order_message *asked,
		struct reply *head, void *reply, uint32_t reply_bytes)
{
	struct message message;
	bool taken = false;

	way->waited_ns = 0;
	while (!taken) {
		enum outcome outcome = loop_reply_receive(way, near, &message);

		if (outcome != OUTCOME_OK)
			return outcome;
		taken = loop_reply_take(&message, asked, head, reply, reply_bytes);
		if (!taken)
			loop_other(near, &message);
		if (way_release(way, LANE_FIRST, &message) != 0)
			taken = false;
	}
	return OUTCOME_OK;
}

/** Where each end's counting begins: both ends know the numbers that come next. */
static void
loop_order_streams(struct near *near, struct order *order)
{
	if (order->kind != ORDER_SERVE)
		return;
	order->count = (uint64_t)near->bulk_sequence << 32 | near->sequence;
	order->what = near->bulk.next;
	if (near->answers.received == 0 && near->sent == 0)
		near->answers.next = near->sequence;
}

static enum outcome
loop_order_refused(const struct order *order, int status)
{
	if (status == -EMSGSIZE)
		say("The link is too short for the far end's replies of %u bytes, expected a data"
		    " ring of 4 KiB at least, or such an MTU: give the host more memory.",
		    REPLY_BYTES_MAX);
	else
		say("The far end refused an order (%u: %s), expected that it obeys: run the same"
		    " ipc-perf at both ends, with a size that both can hold.",
		    order->kind, strerror(status < 0 && status > -4096 ? -status : EPROTO));
	return OUTCOME_REFUSED;
}

/** Ports may lose it. A far end that is not there yet may come as long as a link may be down. */
static bool
loop_order_again(const struct way *way, const struct order *order, uint64_t waited_ns)
{
	return way->link == NULL &&
	       waited_ns < (order->kind == ORDER_HELLO ? DOWN_PATIENCE_NS
						       : PATIENCE_NS + way->answer_ns);
}

static enum outcome
loop_order(struct way *way, struct near *near, const struct order *order, void *reply,
	   uint32_t reply_bytes)
{
	struct loop_order_message asked = {
		{way->order_sequence++, protocol_command(PROTOCOL_ORDER, 0)}, *order};
	const uint64_t begun = nhn_clock_now();
	struct reply head = {0, 0};
	enum outcome outcome;

	loop_order_streams(near, &asked.order);
	do {
		way->waited_ns = 0;
		outcome = loop_send_bytes(way, near, &asked, sizeof(asked));
		if (outcome == OUTCOME_OK)
			outcome = loop_reply_wait(way, near, &asked, &head, reply, reply_bytes);
	} while ((outcome == OUTCOME_VOID || (outcome == OUTCOME_GONE && !way->down)) &&
		 loop_order_again(way, order, nhn_clock_ns(way->clock, nhn_clock_now() - begun)));
	if (outcome == OUTCOME_VOID)
		return OUTCOME_GONE;
	if (outcome == OUTCOME_OK)
		way->silent_ns = 0;
	return outcome == OUTCOME_OK && head.status != 0 ? loop_order_refused(order, head.status)
							 : outcome;
}

/** How many DATA the far end has had, whole or not, since SERVE. */
static enum outcome
loop_bulk_count(struct way *way, struct near *near, uint64_t *count)
{
	const struct order order = {.kind = ORDER_COUNTS};
	struct reply_counts counts = {.received = 0};
	enum outcome outcome = loop_order(way, near, &order, &counts, sizeof(counts));

	*count = counts.bulk;
	return outcome;
}

/**
 * Wait until the far end has @p wanted DATA since SERVE; what never comes ends the wait.
 * @return OUTCOME_VOID: some are missing
 */
static enum outcome
loop_bulk_arrived(struct way *way, struct near *near, uint64_t wanted, uint64_t *known_at)
{
	uint64_t changed_at = nhn_clock_now();
	uint64_t count = 0;

	for (;;) {
		uint64_t before = count;
		enum outcome outcome = loop_bulk_count(way, near, &count);

		*known_at = nhn_clock_now();
		if (outcome != OUTCOME_OK)
			return outcome;
		if (count >= wanted) {
			near->bulk_known = near->bulk_sent;
			return OUTCOME_OK;
		}
		if (count != before) {
			changed_at = *known_at;
		} else if (nhn_clock_ns(way->clock, *known_at - changed_at) >
			   PORT_ANSWER_NS + way->answer_ns) {
			/* Of the others it is known that they came. */
			near->bulk_unknown += wanted - count;
			near->bulk_known = near->bulk_sent;
			return OUTCOME_VOID;
		}
	}
}

/**
 * The end of a block with DATA: what was taken and is not on its way was not sent. Of the
 * rest it may not be known whether it came.
 * @param wanted as loop_bulk_arrived(), less what is not sent
 */
static enum outcome
loop_bulk_end(struct way *way, struct near *near, uint32_t lane, uint64_t wanted,
	      enum outcome outcome)
{
	uint32_t unsent;
	uint64_t at;

	if (likely(outcome == OUTCOME_OK))
		return OUTCOME_OK;
	unsent = way_unsend(way, lane);
	near->bulk_sent -= unsent;
	near->bulk_sequence -= unsent;
	/* The far end is there, and can tell. */
	if (outcome == OUTCOME_VOID && near->bulk_sent != near->bulk_known)
		outcome = loop_bulk_arrived(way, near, wanted - unsent, &at);
	if (outcome == OUTCOME_OK)
		return OUTCOME_VOID;
	if (outcome == OUTCOME_RESTART || outcome == OUTCOME_GONE) {
		near->bulk_unknown += near->bulk_sent - near->bulk_known;
		near->bulk_known = near->bulk_sent;
	}
	return outcome;
}

#endif /* LOOP_ORDER_H */
