/* SPDX-License-Identifier: BSD-3-Clause */
/* A victim that speaks lib/msg by an endpoint, and a liar that writes any cells of messages.
 * Two channels: what is called @p channel below is 0 unless said. */
#ifndef NHN_TEST_LESSON_MSG_H
#define NHN_TEST_LESSON_MSG_H

#include "lesson.h"
#include "victim_msg.h"

#define MSG_CHANNELS 2u
#define MSG_CELLS 16u
#define INLINE 48u

static struct nhn_endpoint endpoint; /* the victim's */
static struct nhn_msg_tx liar_msg_tx;
static struct nhn_msg_rx liar_msg_rx;
static uint32_t clients; /* of the endpoint */

static inline uint64_t
lesson_now(void *context)
{
	(void)context;
	return lesson.victim.now_ns += 1000000;
}

static inline struct nhn_msg_rx *
msg_rx(void)
{
	return &endpoint.rx[0];
}

/* One turn of the victim's loop; its program drops what comes on a channel of its own. */
static inline void
victim_turn(void)
{
	struct link_victim *v = &lesson.victim;
	int channel;

	v->ledger.most = UINT64_MAX;
	link_ledger_before(&v->ledger, &v->link);
	channel = msg_poll(hostile, &endpoint, clients);
	link_ledger_after(&v->ledger, hostile);
	if (channel >= 0) {
		struct nhn_message_head head;

		if (msg_front(hostile, &endpoint.rx[channel], &head) == 0)
			msg_skip(hostile, &endpoint.rx[channel]);
	}
}

static inline void
victim_turns(uint32_t turns)
{
	while (turns-- > 0)
		victim_turn();
}

/* Up to and with the next control step. */
static inline void
victim_control_turn(void)
{
	victim_turns(endpoint.polls + 1);
}

static inline void
liar_read_out(void)
{
	struct nhn_view view;
	uint32_t i;

	for (i = 0; i < lesson.liar.layout.channels; i++) {
		lesson.liar.rx[i].stale = 0;
		lesson.liar.rx[i].released = lesson.liar.rx[i].head;
		while (!nhn_rx_drained(&lesson.liar.rx[i])) {
			(void)view;
			lesson.liar.rx[i].head++;
			lesson.liar.rx[i].released++;
		}
		nhn_rx_publish(&lesson.liar.rx[i]);
	}
}

/* Whether the link comes up within the turns that a restart needs. */
static inline bool
msg_come_up(void)
{
	uint32_t turn;

	for (turn = 0; turn < 20; turn++) {
		liar_control();
		liar_read_out();
		victim_control_turn();
		victim_turns(100);
		if (nhn_link_state(&lesson.liar) == NHN_LINK_UP &&
		    nhn_link_state(&lesson.victim.link) == NHN_LINK_UP)
			return true;
	}
	return false;
}

static inline void
liar_msg_begin(void)
{
	liar_begin();
	nhn_msg_tx_init(&liar_msg_tx, &lesson.liar, 0);
	nhn_msg_rx_init(&liar_msg_rx, &lesson.liar, 0);
}

static inline int
msg_setup(void **state)
{
	(void)state;
	clients = 0;
	lesson_open(NHN_ROLE_HOST, NHN_USE_MSG, MSG_CHANNELS, MSG_CELLS);
	link_victim_begin(&lesson.victim);
	nhn_endpoint_init(&endpoint, &lesson.victim.link, lesson_now, NULL);
	liar_msg_begin();
	assert_true(msg_come_up());
	return 0;
}

/* An honest one takes the liar's place, and what is sent then arrives. */
static inline void
honest_successor(void)
{
	nhn_link_finish(&lesson.liar);
	liar_msg_begin();
	assert_true(msg_come_up());
}

/* The liar dies without a word, and starts again. */
static inline void
liar_restart(void)
{
	liar_msg_begin();
}

/* ---- cells ---- */

/* A cell as the liar likes it, filled with bytes of no message. */
static inline uint8_t *
liar_cell_put(uint32_t kind, uint32_t length, const struct nhn_message_head *head)
{
	struct nhn_tx *tx = liar_tx();
	uint8_t *cell = nhn_tx_reserve(tx, 0);

	assert_non_null(cell);
	memset(cell, 0x5c, INLINE);
	memcpy(cell + INLINE, head, sizeof(*head));
	nhn_tx_publish(tx, cell, kind << 8 | length);
	return cell;
}

/* A range of the data ring, with this head. */
static inline void
liar_range_put(uint32_t length, const struct nhn_message_head *head)
{
	struct nhn_tx *tx = liar_tx();
	uint8_t *body = nhn_tx_reserve(tx, length > INLINE ? length : INLINE + 1);
	uint8_t *cell = nhn_tx_cell(tx, tx->tail);

	assert_non_null(body);
	memset(body, 0x5d, length);
	memcpy(cell + INLINE, head, sizeof(*head));
	nhn_tx_publish(tx, cell, nhn_tx_describe(tx, cell, body, length));
}

/* ---- what is expected ---- */

static struct guarded guarded;
static struct nhn_msg_buffer buffer;

static inline void
buffer_begin(uint32_t bytes)
{
	guarded_init(&guarded, bytes, bytes);
	nhn_msg_buffer_init(&buffer, guarded.vector, GUARDED_PARTS);
}

/* Steps of receiving until there is another answer. */
static inline int
receive(void)
{
	int ret;

	do
		ret = msg_receive(hostile, msg_rx(), &buffer);
	while (ret == -EINPROGRESS);
	assert_true(guarded_whole(&guarded));
	return ret;
}

/* The channel is broken for this cause: counted once, told once (the ledger), and the link
 * comes up again with an honest successor. */
static inline void
expect_msg_fault(enum nhn_fault fault)
{
	struct nhn_link *link = &lesson.victim.link;
	uint64_t before = link->faults[fault];
	uint64_t told = link_reached.told[NHN_LINK_EVENT_FAULT] + link->events_untold;

	assert_int_equal(receive(), -EAGAIN);
	assert_int_equal(link->rx[0].fault, fault);
	victim_control_turn();
	assert_int_equal(nhn_link_state(link), NHN_LINK_BROKEN);
	victim_turns(2000);
	assert_int_equal(link->faults[fault], before + 1);
	assert_in_range(link_reached.told[NHN_LINK_EVENT_FAULT] + link->events_untold, told + 1,
			told + 1 + link->events_untold);
	honest_successor();
	assert_int_equal(link->faults[fault], before + 1);
}

/* A message of the honest successor arrives as it was. */
static inline void
expect_honest_message(uint32_t length)
{
	static uint8_t bytes[GUARDED_BYTES];
	struct nhn_message_head head = {.id = 5, .length = length, .type = 6};
	int ret;

	pattern_fill(bytes, length, 3, length);
	buffer_begin(length);
	ret = nhn_msg_send(&liar_msg_tx, &head, bytes);
	while (ret == -EINPROGRESS) {
		ret = nhn_msg_send_step(&liar_msg_tx);
		if (ret == -EAGAIN)
			ret = -EINPROGRESS;
		if (nhn_msg_busy(&liar_msg_tx))
			assert_true(msg_receive(hostile, msg_rx(), &buffer) != 0);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(receive(), 0);
	assert_memory_equal(&buffer.head, &head, sizeof(head));
	assert_true(guarded_matches(&guarded, length, 3, length));
}

#endif /* NHN_TEST_LESSON_MSG_H */
