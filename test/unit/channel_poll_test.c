/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways to poll a channel: a run against a peek and a release, the idle poll, and readers that
 * must never find anything. */

#include <errno.h>

#include "channel_rig.h"

#define ROUNDS 200000u
#define MOST 8u /* messages of a poll */

/* ---- the idle poll ---- */

static void
test_idle_poll_tells_what_was_given_back(void **state)
{
	(void)state;
	assert_true(nhn_rx_idle(&rig.rx));
	assert_true(rig_send(&rig, 1) && rig_send(&rig, 100));
	rig_take(&rig, 1);
	assert_false(nhn_rx_idle(&rig.rx)); /* a described one waits */
	rig_take(&rig, 100);
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START); /* less than a quarter */
	assert_true(nhn_rx_idle(&rig.rx));
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 2);
	assert_int_equal(rig.cursor.data, NHN_DATA_START + 128);
}

static void
test_idle_poll_takes_nothing(void **state)
{
	(void)state;
	assert_true(rig_send(&rig, 1) && rig_send(&rig, 2));
	assert_false(nhn_rx_idle(&rig.rx));
	assert_false(nhn_rx_idle(&rig.rx));
	rig_peek(&rig, 1);
	assert_false(nhn_rx_idle(&rig.rx));
	rig_peek(&rig, 2);
	assert_true(nhn_rx_idle(&rig.rx)); /* nothing more, though both are held */
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START);
	assert_int_equal(nhn_rx_release(&rig.rx), 0);
	assert_true(nhn_rx_idle(&rig.rx));
	assert_int_equal(rig.cursor.cells, NHN_CURSOR_START + 2);
}

static void
test_idle_poll_leaves_stale_to_be_told(void **state)
{
	struct nhn_view view;

	(void)state;
	nhn_rx_stop(&rig.rx);
	assert_false(nhn_rx_idle(&rig.rx));
	assert_false(nhn_rx_idle(&rig.rx));
	assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), -ESTALE);
	assert_true(nhn_rx_idle(&rig.rx));
}

/* A message waits that no poll delivers: it is for a peek to break the channel. */
static void
test_a_bad_cell_waits(void **state)
{
	struct nhn_view view;

	(void)state;
	assert_false(nhn_rx_waits(&rig.rx));
	assert_true(rig_send(&rig, 1));
	assert_true(nhn_rx_waits(&rig.rx));
	*rig_word(&rig, NHN_CURSOR_START) |= 0xffff;
	assert_true(nhn_rx_waits(&rig.rx));
	assert_false(nhn_rx_idle(&rig.rx));
	assert_int_equal(rig.rx.fault, NHN_FAULT_NONE);
	assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), 0);
	assert_int_equal(rig.rx.fault, NHN_FAULT_KIND);
	assert_false(nhn_rx_waits(&rig.rx));
	assert_true(nhn_rx_idle(&rig.rx));
}

/* ---- readers without a pairing ---- */

static void
expect_nothing(struct nhn_rx *rx)
{
	struct nhn_rx_run run = nhn_rx_begin(rx);
	struct nhn_view view;

	assert_false(nhn_rx_waits(rx));
	assert_true(nhn_rx_drained(rx));
	assert_true(nhn_rx_idle(rx));
	assert_int_equal(nhn_rx_peek(rx, &view, 1), 0);
	assert_false(nhn_rx_next(&run, &view));
	assert_int_equal(nhn_rx_end(&run), 0);
	assert_int_equal(rx->fault, NHN_FAULT_NONE);
}

/* Every upper half of a commit word, over what may stand below it. */
static void
expect_nothing_of_any_word(struct nhn_rx *rx, uint32_t *word)
{
	static const uint32_t low[] = {0, NHN_KIND_RAW << NHN_COMMIT_KIND_SHIFT,
				       NHN_KIND_DESC << NHN_COMMIT_KIND_SHIFT, 0xffff};
	uint32_t high, i;

	for (high = 0; high <= 0xffff; high++) {
		for (i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
			*word = high << NHN_COMMIT_LAP_SHIFT | low[i];
			expect_nothing(rx);
		}
	}
}

static void
test_parked_reader_finds_nothing(void **state)
{
	struct nhn_rx parked;

	(void)state;
	nhn_rx_park(&parked, rig.area);
	expect_nothing_of_any_word(&parked, (uint32_t *)(void *)(rig.area + NHN_LINE_BYTES - 4));
	assert_int_equal(nhn_rx_release(&parked), 0);
}

/* As placed and not yet started, at laps of all bits. */
static void
test_closed_reader_finds_nothing(void **state)
{
	static const uint32_t laps[] = {0, 1, 127, 128, 254, 255, 256};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(laps) / sizeof(laps[0]); i++) {
		rig.cursor.cells = laps[i] * CELLS + 3;
		nhn_rx_init(&rig.rx, &rig.layout, 0, rig.area, &rig.cursor, &rig.rx_attention);
		expect_nothing_of_any_word(&rig.rx, rig_word(&rig, 3));
	}
}

static void
test_broken_reader_finds_nothing(void **state)
{
	struct nhn_view view;
	uint32_t i;

	(void)state;
	for (i = 0; i < 256 * CELLS; i++) { /* to lap 255 */
		assert_true(rig_send(&rig, 1));
		rig_take(&rig, 1);
	}
	assert_true(rig_send(&rig, 1));
	*rig_word(&rig, rig.rx.head) |= 0xff00;
	assert_int_equal(nhn_rx_peek(&rig.rx, &view, 1), 0);
	assert_int_equal(rig.rx.fault, NHN_FAULT_KIND);
	rig.rx.fault = NHN_FAULT_NONE; /* as control does that takes it */
	expect_nothing_of_any_word(&rig.rx, rig_word(&rig, rig.rx.head));
}

/* ---- a run against a peek and a release ---- */

/* Two channels that get the same, and what a poll found on each. */
static struct rig twins[2];

struct found {
	int answer; /* of the release, or of the poll that found nothing */
	uint32_t count;
	struct nhn_view view[MOST];
};

static uint32_t delivered, described, broken, stales;

/* What the peer does to the message in hand while it is read. */
struct rewrite {
	uint32_t at; /* message of the poll */
	uint32_t bits;
};

static void
rewrite_word(struct rig *twin, const struct rewrite *rewrite, uint32_t index)
{
	*rig_word(twin, index) ^= rewrite->bits;
}

static struct found
poll_by_run(struct rig *twin, uint32_t most, const struct rewrite *rewrite)
{
	struct nhn_rx_run run = nhn_rx_begin(&twin->rx);
	struct found found = {0};

	for (; found.count < most && nhn_rx_next(&run, &found.view[found.count]); found.count++) {
		if (found.count == rewrite->at)
			rewrite_word(twin, rewrite, found.view[found.count].index);
		nhn_rx_read(&run);
	}
	found.answer = nhn_rx_end(&run);
	return found;
}

static struct found
poll_by_peek(struct rig *twin, uint32_t most, const struct rewrite *rewrite)
{
	struct found found = {0};

	found.answer = nhn_rx_peek(&twin->rx, found.view, most);
	if (found.answer <= 0)
		return found;
	found.count = (uint32_t)found.answer;
	if (found.count > rewrite->at)
		rewrite_word(twin, rewrite, found.view[rewrite->at].index);
	found.answer = nhn_rx_release(&twin->rx);
	return found;
}

static void
expect_same_reader(void)
{
	const struct nhn_rx *a = &twins[0].rx;
	const struct nhn_rx *b = &twins[1].rx;

	assert_int_equal(a->head, b->head);
	assert_int_equal(a->released, b->released);
	assert_int_equal(a->data_head, b->data_head);
	assert_int_equal(a->data_released, b->data_released);
	assert_int_equal(a->tag, b->tag);
	assert_int_equal(a->stale, b->stale);
	assert_int_equal(a->fault, b->fault);
	assert_int_equal(twins[0].rx_attention, twins[1].rx_attention);
}

static void
expect_same_message(const struct nhn_view *a, const struct nhn_view *b)
{
	assert_int_equal(a->index, b->index);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->data - twins[0].area, b->data - twins[1].area);
	assert_memory_equal(a->data, b->data, a->length);
	delivered++;
	described += a->length > twins[0].rx.inline_bytes;
}

static void
poll_both(uint64_t *random)
{
	const uint32_t most = pattern_below(random, MOST + 1);
	struct rewrite rewrite = {.at = MOST};
	struct found a, b;
	uint32_t i;

	if (pattern_below(random, 64) == 0) {
		rewrite.at = pattern_below(random, MOST);
		rewrite.bits = 1u << pattern_below(random, 32);
	}
	a = poll_by_run(&twins[0], most, &rewrite);
	b = poll_by_peek(&twins[1], most, &rewrite);
	assert_int_equal(a.count, b.count);
	for (i = 0; i < a.count; i++)
		expect_same_message(&a.view[i], &b.view[i]);
	stales += a.answer != 0 && a.count == 0;
	expect_same_reader();
	/* A release after a bad cell fails, a run gives back what stood before it. */
	if (twins[0].rx.fault != NHN_FAULT_NONE && twins[0].rx.fault != NHN_FAULT_OVERRUN)
		return;
	assert_int_equal(a.answer, b.answer);
	assert_memory_equal(&twins[0].cursor, &twins[1].cursor, sizeof(twins[0].cursor));
}

/* By a run on one, message by message on the other. */
static void
send_both(uint64_t *random)
{
	const uint64_t seed = pattern_random(random);
	const uint32_t most = pattern_below(random, MOST + 1);
	struct nhn_tx_run run = nhn_tx_begin(&twins[0].tx);
	uint32_t i;

	for (i = 0; i < most; i++) {
		const uint32_t length = pattern_length(seed, i, twins[0].tx.data_bytes / 2);
		void *body = nhn_tx_reserve_at(&run, length);

		assert_int_equal(rig_send(&twins[1], length), body != NULL);
		if (body == NULL)
			break;
		pattern_fill(body, length, RIG_SEED, twins[0].sent++);
		nhn_tx_commit_at(&run, body, length);
	}
	nhn_tx_end(&run);
	assert_int_equal(twins[0].tx.tail, twins[1].tx.tail);
	assert_int_equal(twins[0].tx.data_tail, twins[1].tx.data_tail);
	assert_int_equal(twins[0].tx.full, twins[1].tx.full);
	assert_int_equal(twins[0].tx.fault, twins[1].tx.fault);
}

/* The peer puts anything where one of the next messages is or will be. */
static void
lie_to_both(uint64_t *random)
{
	const uint32_t index = twins[0].rx.head + pattern_below(random, 4);
	const uint32_t bits = (uint32_t)pattern_random(random) >> pattern_below(random, 32);
	const bool in_word = pattern_below(random, 2) != 0;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		if (in_word)
			*rig_word(&twins[i], index) ^= bits;
		else
			memcpy(nhn_tx_cell(&twins[i].tx, index), &bits, sizeof(bits));
	}
}

static void
restart_both(uint64_t *random, uint32_t pairing)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		nhn_tx_stop(&twins[i].tx);
		nhn_rx_stop(&twins[i].rx);
	}
	poll_both(random);
	for (i = 0; i < 2; i++) {
		nhn_tx_open(&twins[i].tx);
		nhn_rx_start(&twins[i].rx, pairing);
		nhn_tx_start(&twins[i].tx, pairing);
	}
}

static void
twins_open(const struct nhn_channel_entry *entry)
{
	uint32_t i;

	for (i = 0; i < 2; i++)
		rig_open(&twins[i], entry->use, entry->cell_bytes, entry->cells, entry->data_bytes);
}

static void
twins_close(void)
{
	rig_close(&twins[0]);
	rig_close(&twins[1]);
}

static void
compare(const struct nhn_channel_entry *entry, uint64_t random)
{
	uint32_t round;

	delivered = described = broken = stales = 0;
	twins_open(entry);
	for (round = 0; round < ROUNDS; round++) {
		const uint32_t what = pattern_below(&random, 1000);

		if (what < 490)
			send_both(&random);
		else if (what < 980)
			poll_both(&random);
		else if (what < 995)
			lie_to_both(&random);
		else
			restart_both(&random, round);
		if (twins[0].rx.fault == NHN_FAULT_NONE && twins[0].tx.fault == NHN_FAULT_NONE)
			continue;
		broken++;
		twins_close();
		twins_open(entry);
	}
	twins_close();
	print_message("%u messages, %u described, %u times broken, %u times stale\n", delivered,
		      described, broken, stales);
	assert_true(delivered > ROUNDS / 2 && broken > 100 && stales > 100);
	assert_true(entry->data_bytes == 0 || described > 1000);
}

static void
test_run_is_a_peek_and_a_release(void **state)
{
	static const struct nhn_channel_entry entries[] = {
		{.use = NHN_USE_RAW, .cell_bytes = 64, .cells = 16, .data_bytes = 4096},
		{.use = NHN_USE_RAW, .cell_bytes = 128, .cells = 32, .data_bytes = 0},
		{.use = NHN_USE_ETHERNET, .cell_bytes = 128, .cells = 64, .data_bytes = 16384},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		compare(&entries[i], i + 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_idle_poll_tells_what_was_given_back),
		TEST(test_idle_poll_takes_nothing),
		TEST(test_idle_poll_leaves_stale_to_be_told),
		TEST(test_a_bad_cell_waits),
		TEST(test_parked_reader_finds_nothing),
		TEST(test_closed_reader_finds_nothing),
		TEST(test_broken_reader_finds_nothing),
		cmocka_unit_test(test_run_is_a_peek_and_a_release),
	};

	return cmocka_run_group_tests_name("channel_poll", tests, NULL, NULL);
}
