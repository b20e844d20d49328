/* SPDX-License-Identifier: BSD-3-Clause */
/* Random operations against a FIFO that also knows exactly when there is room. */

#include <errno.h>

#include "channel_rig.h"

#define OPERATIONS 1000000u
#define FIFO 256u /* more than the cells of any channel here */
#define LINE 64u

/* What the channel must do, kept without looking at it. All counts are since the begin. */
struct model {
	uint64_t sent, peeked, released, published;
	uint32_t length[FIFO];
	uint64_t data_end[FIFO]; /* data bytes used when this message was sent */
	uint64_t data_sent, data_peeked, data_released, data_published;
	bool stopped;
	uint32_t pairing;
};

static struct model model;

/* Bytes of the data ring that a message takes, with those skipped before it. */
static uint64_t
data_taken(uint32_t length)
{
	uint64_t ring = rig.layout.entry[0].data_bytes;
	uint64_t padded = (length + LINE - 1) / LINE * LINE;
	uint64_t place;

	if (length <= nhn_inline_bytes(rig.layout.entry[0].use, rig.layout.entry[0].cell_bytes))
		return 0;
	place = (NHN_DATA_START + model.data_sent) % ring;
	return place + padded > ring ? ring - place + padded : padded;
}

static bool
room_for(uint32_t length)
{
	const struct nhn_channel_entry *entry = &rig.layout.entry[0];
	uint64_t taken = data_taken(length);

	if (model.stopped || model.sent - model.published == entry->cells)
		return false;
	if (taken == 0)
		return true;
	return length <= entry->data_bytes / 2 &&
	       model.data_sent - model.data_published + taken <= entry->data_bytes;
}

static void
publish(void)
{
	model.published = model.released;
	model.data_published = model.data_released;
}

static void
operate_send(uint64_t *random)
{
	uint32_t longest = rig.layout.entry[0].data_bytes / 2;
	uint32_t length = pattern_length(pattern_random(random), 0, longest + 8);
	bool room = room_for(length);
	uint64_t slot = model.sent % FIFO;

	rig.sent = model.sent;
	assert_int_equal(rig_send(&rig, length), room);
	if (!room)
		return;
	model.data_sent += data_taken(length);
	model.length[slot] = length;
	model.data_end[slot] = model.data_sent;
	model.sent++;
}

static void
operate_peek(uint64_t *random)
{
	struct nhn_view views[8];
	uint32_t wanted = pattern_below(random, 9);
	uint64_t there = model.sent - model.peeked;
	int expected = (int)(there < wanted ? there : wanted);
	int i;

	assert_int_equal(nhn_rx_peek(&rig.rx, views, wanted), expected);
	for (i = 0; i < expected; i++, model.peeked++) {
		assert_int_equal(views[i].length, model.length[model.peeked % FIFO]);
		assert_true(
			pattern_matches(views[i].data, views[i].length, RIG_SEED, model.peeked));
		model.data_peeked = model.data_end[model.peeked % FIFO];
	}
	if (expected == 0)
		publish();
}

static void
operate_release(void)
{
	const struct nhn_channel_entry *entry = &rig.layout.entry[0];

	assert_int_equal(nhn_rx_release(&rig.rx), 0);
	model.released = model.peeked;
	model.data_released = model.data_peeked;
	if (model.released - model.published >= entry->cells / 4 ||
	    (entry->data_bytes != 0 &&
	     model.data_released - model.data_published >= entry->data_bytes / 4))
		publish();
}

static void
operate_pause(void)
{
	if (model.stopped)
		nhn_tx_start(&rig.tx, model.pairing);
	else
		nhn_tx_stop(&rig.tx);
	model.stopped = !model.stopped;
}

/* The ends part and meet again, in a pairing of another number. */
static void
operate_reopen(void)
{
	struct nhn_view view;

	while (model.peeked < model.sent) {
		assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), 1);
		assert_int_equal(view.length, model.length[model.peeked % FIFO]);
		model.data_peeked = model.data_end[model.peeked % FIFO];
		model.peeked++;
	}
	operate_release();
	assert_true(nhn_rx_drained(&rig.rx));
	nhn_tx_stop(&rig.tx);
	nhn_rx_stop(&rig.rx);
	publish();
	assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), -ESTALE);
	assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), 0);
	model.pairing += 1 + (uint32_t)(model.sent % 5);
	model.stopped = false;
	nhn_tx_open(&rig.tx);
	assert_int_equal(nhn_tx_count_committed(rig.tx.cells, rig.tx.cell_count, rig.tx.cell_bytes,
						rig.cursor.cells),
			 0);
	nhn_rx_start(&rig.rx, model.pairing);
	nhn_tx_start(&rig.tx, model.pairing);
}

static void
expect_words(void)
{
	assert_int_equal(rig.cursor.cells, (uint32_t)(NHN_CURSOR_START + model.published));
	assert_int_equal(rig.cursor.data, (uint32_t)(NHN_DATA_START + model.data_published));
	assert_int_equal(nhn_rx_holds(&rig.rx), model.peeked != model.released);
}

static void
run(uint64_t seed, enum nhn_use use, uint16_t cell_bytes, uint32_t cells, uint32_t data_bytes)
{
	uint64_t random = seed;
	uint32_t i;

	rig_open(&rig, use, cell_bytes, cells, data_bytes);
	memset(&model, 0, sizeof(model));
	model.pairing = RIG_PAIRING;
	for (i = 0; i < OPERATIONS / 4; i++) {
		/* for a while the writer is the faster, then the reader */
		uint32_t writer = i >> 9 & 1 ? 60 : 30;
		uint32_t what = pattern_below(&random, 100);

		if (what < writer)
			operate_send(&random);
		else if (what < 85)
			operate_peek(&random);
		else if (what < 98)
			operate_release();
		else if (what < 99 || i % 64 != 0)
			operate_pause();
		else
			operate_reopen();
		expect_words();
	}
	assert_int_equal(rig.tx.fault, NHN_FAULT_NONE);
	assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
	assert_int_equal(rig.tx_attention + rig.rx_attention, 0);
	assert_true(model.sent > 256 * cells || cells > 64);
	rig_close(&rig);
}

static void
test_small_ring(void **state)
{
	(void)state;
	run(1, NHN_USE_RAW, 64, 16, 4096);
}

static void
test_large_ring(void **state)
{
	(void)state;
	run(2, NHN_USE_RAW, 64, 128, 65536);
}

static void
test_inline_only(void **state)
{
	(void)state;
	run(3, NHN_USE_RAW, 128, 32, 0);
}

static void
test_ethernet(void **state)
{
	(void)state;
	run(4, NHN_USE_ETHERNET, 128, 64, 16384);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_ring),
		cmocka_unit_test(test_large_ring),
		cmocka_unit_test(test_inline_only),
		cmocka_unit_test(test_ethernet),
	};

	return cmocka_run_group_tests_name("channel_model", tests, NULL, NULL);
}
