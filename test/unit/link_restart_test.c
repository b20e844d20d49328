/* SPDX-License-Identifier: BSD-3-Clause */
/* Either side ends, by close or by death, and comes back on the same memory. */

#include "link_rig.h"

static void
end_and_begin(struct side *side, bool kill)
{
	if (kill)
		side_kill(side);
	else
		side_reopen(side);
}

/* In each phase of the handshake, in both orders of the steps, one side or both. */
static void
restart_in_phase(uint32_t phase, uint32_t who, bool kill, bool guest_first)
{
	uint32_t i;

	rig_open(&rig);
	side_begin(&rig.host);
	side_begin(&rig.guest);
	for (i = 0; i < phase; i++) {
		side_step(&rig, (i % 2 != 0) == guest_first ? &rig.host : &rig.guest);
		side_send(&rig.host, 20); /* as soon as it can */
		side_send(&rig.guest, 20);
	}
	if (who & 1)
		end_and_begin(&rig.host, kill);
	if (who & 2)
		end_and_begin(&rig.guest, kill);
	rig_up(&rig);
	rig_traffic(&rig);
	rig_close(&rig);
}

static void
test_restart_in_every_phase(void **state)
{
	uint32_t phase, who;

	(void)state;
	for (phase = 0; phase < 14; phase++) {
		for (who = 1; who <= 3; who++) {
			restart_in_phase(phase, who, false, false);
			restart_in_phase(phase, who, false, true);
			restart_in_phase(phase, who, true, false);
			restart_in_phase(phase, who, true, true);
		}
	}
}

/* Taking turns: four steps of each side, and the survivor's program polls once. */
static void
test_restart_takes_few_steps(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 10; i++) {
		side_kill(&rig.guest);
		assert_in_range(rig_up(&rig), 1, 5);
		side_kill(&rig.host);
		assert_in_range(rig_up(&rig), 1, 5);
	}
}

/* The writer's unread messages come before -ESTALE, which comes once. */
static void
writer_dies(struct side *writer, struct side *reader, bool kill)
{
	uint32_t i;

	rig_begin(&rig);
	rig_traffic(&rig);
	for (i = 0; i < 5; i++)
		assert_true(side_send(writer, 16 + i * 300));
	end_and_begin(writer, kill);
	for (i = 0; i < 10; i++) { /* it waits, as long as it takes */
		side_step(&rig, writer);
		side_step(&rig, reader);
		assert_false(side_send(writer, 16));
	}
	assert_int_equal(nhn_link_state(&reader->link), NHN_LINK_WAIT_DRAIN);
	for (i = 0; i < 5; i++) {
		assert_int_equal(side_peek(&rig, reader, 1), 1);
		side_step(&rig, writer);
		side_step(&rig, reader);
		side_release(reader);
	}
	assert_int_equal(reader->stales, 0);
	side_step(&rig, reader); /* drained */
	assert_int_equal(side_peek(&rig, reader, 1), -ESTALE);
	assert_int_equal(side_peek(&rig, reader, 1), 0);
	assert_int_equal(reader->stales, 1);
	rig_up(&rig);
	rig_traffic(&rig);
	assert_int_equal(reader->stales, 1);
	assert_int_equal(nhn_link_discarded(&writer->link), 0);
}

static void
test_writer_dies_after_commit(void **state)
{
	(void)state;
	writer_dies(&rig.host, &rig.guest, true);
	teardown(NULL);
	setup(NULL);
	writer_dies(&rig.guest, &rig.host, true);
	teardown(NULL);
	setup(NULL);
	writer_dies(&rig.guest, &rig.host, false);
}

/* -ESTALE is answered before a message of the new session, also when the program
 * looks late. */
static void
test_stale_comes_before_the_new_session(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	side_kill(&rig.host);
	for (i = 0; i < 20; i++) {
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
		assert_false(side_send(&rig.host, 16));
	}
	assert_int_not_equal(nhn_link_state(&rig.host.link), NHN_LINK_UP);
	assert_int_equal(side_peek(&rig, &rig.guest, 1), -ESTALE);
	rig_up(&rig);
	assert_true(side_send(&rig.host, 16));
	assert_int_equal(side_peek(&rig, &rig.guest, 1), 1);
}

/* What the dead reader had not read is counted, and its successor sees none of it. */
static void
reader_dies(struct side *writer, struct side *reader, uint32_t read, uint32_t unread)
{
	uint32_t before = nhn_link_discarded(&writer->link);
	uint32_t i;

	for (i = 0; i < read; i++) {
		assert_true(side_send(writer, 40));
		assert_int_equal(side_read(&rig, reader), 1);
	}
	for (i = 0; i < unread; i++)
		assert_true(side_send(writer, 40));
	side_kill(reader);
	assert_int_equal(side_send(writer, 40), unread < RIG_CELLS); /* knows nothing yet */
	if (unread < RIG_CELLS)
		unread++;
	rig_up(&rig);
	assert_int_equal(nhn_link_discarded(&writer->link) - before, unread);
	assert_int_equal(nhn_link_peer_discarded(&reader->link) - before, unread);
	rig_traffic(&rig);
}

static void
test_reader_dies_with_messages_unread(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i <= RIG_CELLS; i++) {
		reader_dies(&rig.host, &rig.guest, i, i);
		reader_dies(&rig.guest, &rig.host, 3 * i, RIG_CELLS - i);
	}
}

/* Both die: the writer's successor counts what it cannot remember. */
static void
test_both_die_with_messages_unread(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 7; i++)
		assert_true(side_send(&rig.host, 500));
	for (i = 0; i < 3; i++)
		assert_true(side_send(&rig.guest, 16));
	side_kill(&rig.host);
	side_kill(&rig.guest);
	rig_up(&rig);
	assert_int_equal(nhn_link_discarded(&rig.host.link), 7);
	assert_int_equal(nhn_link_discarded(&rig.guest.link), 3);
	rig_traffic(&rig);
	side_kill(&rig.host);
	rig_up(&rig);
	assert_int_equal(nhn_link_discarded(&rig.host.link), 7); /* over all lives */
}

/* The cells are cleared for R' by whoever opens: nothing of an old life is left. */
static void
test_open_leaves_no_old_cell(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 5; i++)
		assert_true(side_send(&rig.host, 40));
	side_kill(&rig.guest);
	for (i = 0; i < 20 && rig.host.link.tx_state != NHN_TX_WAIT_READER; i++) {
		side_step(&rig, &rig.guest);
		side_step(&rig, &rig.host);
		side_read(&rig, &rig.host);
	}
	assert_int_equal(rig.host.link.tx_state, NHN_TX_WAIT_READER);
	for (i = 0; i < RIG_CELLS; i++)
		assert_int_equal(*nhn_tx_commit_word(&rig.host.link.tx[0],
						     nhn_tx_cell(&rig.host.link.tx[0], i)),
				 0);
}

static uint32_t
sent_pairing(struct side *writer)
{
	struct nhn_tx *tx = nhn_link_tx(&writer->link, 0);
	uint32_t word;

	assert_true(side_send(writer, 16));
	word = *nhn_tx_commit_word(tx, nhn_tx_cell(tx, tx->tail - 1));
	return word >> 24;
}

/* Both sessions are in it, so that the second look tells one life from the next. */
static void
test_pairing_is_in_each_commit_word(void **state)
{
	uint32_t last = 0;
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 300; i++) {
		uint64_t sum = (uint64_t)rig.host.link.session + rig.guest.link.session;
		uint32_t expected = 128 | (uint32_t)(sum / 2 % 128);

		assert_int_equal(sent_pairing(&rig.host), expected);
		assert_int_equal(sent_pairing(&rig.guest), expected);
		assert_int_not_equal(expected, last);
		last = expected;
		side_kill(i % 2 ? &rig.host : &rig.guest);
		rig_up(&rig);
	}
}

/* While R holds a message, W' must wait: the bytes under R do not change. */
static void
test_held_message_is_not_overwritten(void **state)
{
	struct nhn_view view;
	uint8_t copy[1500];
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	assert_true(side_send(&rig.host, sizeof(copy)));
	assert_int_equal(nhn_rx_peek(nhn_link_rx(&rig.guest.link, 0), &view, 1), 1);
	side_check(&rig.guest, &rig.host, &view);
	memcpy(copy, view.data, sizeof(copy));
	side_kill(&rig.host);
	for (i = 0; i < 20; i++) {
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
		assert_int_equal(side_peek(&rig, &rig.guest, 1), 0);
	}
	assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_WAIT_DRAIN);
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_WAIT_DRAIN);
	assert_memory_equal(view.data, copy, sizeof(copy));
	side_release(&rig.guest);
	rig_up(&rig);
	rig_traffic(&rig);
	assert_int_equal(rig.guest.stales, 1);
}

/* ---- any order of everything ---- */

static void
settle(void)
{
	side_release(&rig.host);
	side_release(&rig.guest);
	rig_up(&rig);
}

static void
random_operation(uint64_t *random)
{
	struct side *side = pattern_below(random, 2) ? &rig.host : &rig.guest;
	uint32_t what = pattern_below(random, 200);

	if (what < 60)
		side_send(side, 16 + pattern_length(what, pattern_random(random), 2000));
	else if (what < 100)
		side_peek(&rig, side, 1 + pattern_below(random, 8));
	else if (what < 130)
		side_release(side);
	else if (what < 194)
		side_step(&rig, side);
	else if (what < 196)
		rig.now_ns += 200000000; /* somebody was stopped */
	else if (what < 197)
		side_reopen(side);
	else if (what < 199)
		side_kill(side);
	else
		settle();
}

/* All that is owed has come, and what never comes was counted. */
static void
expect_settled(struct side *writer, struct side *reader)
{
	uint64_t lost = writer->sent - reader->taken;

	assert_true(reader->next == RIG_NONE || reader->next == writer->sent);
	assert_true(reader->next != RIG_NONE || writer->sent_to != reader->link.session);
	assert_true(nhn_link_discarded(&writer->link) >= lost);
	assert_true(nhn_link_discarded(&writer->link) <= lost + reader->untold);
}

static void
random_life(uint64_t seed)
{
	uint64_t random = seed;
	uint32_t i;

	rig_open(&rig);
	side_begin(&rig.host);
	side_begin(&rig.guest);
	for (i = 0; i < 3000; i++)
		random_operation(&random);
	settle();
	side_read(&rig, &rig.host);
	side_read(&rig, &rig.guest);
	expect_settled(&rig.host, &rig.guest);
	expect_settled(&rig.guest, &rig.host);
	assert_true(rig.host.lives + rig.guest.lives > 10 && rig.host.sent > 100);
	rig_traffic(&rig);
	rig_close(&rig);
}

static void
test_random_restarts(void **state)
{
	uint64_t seed;

	(void)state;
	teardown(NULL);
	for (seed = 1; seed <= 200; seed++)
		random_life(seed);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart_in_every_phase),
		TEST(test_restart_takes_few_steps),
		TEST(test_writer_dies_after_commit),
		TEST(test_stale_comes_before_the_new_session),
		TEST(test_reader_dies_with_messages_unread),
		TEST(test_both_die_with_messages_unread),
		TEST(test_open_leaves_no_old_cell),
		TEST(test_pairing_is_in_each_commit_word),
		TEST(test_held_message_is_not_overwritten),
		TEST(test_random_restarts),
	};

	return cmocka_run_group_tests_name("link_restart", tests, NULL, NULL);
}
