/* SPDX-License-Identifier: BSD-3-Clause */
/* A link from its first start to up and down again: states, steps, heartbeat, words. */

#include "link_rig.h"

#include <nhn_link_text.h>

static void
expect_states(enum nhn_link_state host, enum nhn_link_state guest)
{
	assert_int_equal(nhn_link_state(&rig.host.link), host);
	assert_int_equal(nhn_link_state(&rig.guest.link), guest);
}

/* One row a direction a step, as the tables have it. */
static void
test_host_first_by_steps(void **state)
{
	(void)state;
	side_begin(&rig.host);
	assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_WAIT_PEER);
	side_begin(&rig.guest);
	assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_WAIT_HOST);
	assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_WAIT_HOST);   /* formats */
	assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_WAIT_DRAIN);   /* acknowledges */
	assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_WAIT_DRAIN);  /* acknowledges */
	assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_WAIT_READER);  /* opens */
	assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_WAIT_READER); /* opens, confirms */
	assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_UP);	     /* confirms */
	assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_UP);
	rig_traffic(&rig);
	assert_int_equal(rig.host.events[NHN_LINK_EVENT_STATE], 3);
	assert_int_equal(rig.guest.events[NHN_LINK_EVENT_STATE], 3);
	assert_int_equal(rig.host.link.sessions, 1);
}

static void
test_guest_first_by_steps(void **state)
{
	uint32_t i;

	(void)state;
	side_begin(&rig.guest);
	for (i = 0; i < 300; i++)
		assert_int_equal(side_step(&rig, &rig.guest), NHN_LINK_WAIT_HOST);
	assert_false(side_send(&rig.guest, 16));
	side_begin(&rig.host);
	assert_int_equal(rig_up(&rig), 4);
	rig_traffic(&rig);
}

/* Nothing is due in a link that is up: look says so, and a step does nothing. */
static void
test_nothing_due_when_up(void **state)
{
	(void)state;
	rig_begin(&rig);
	assert_false(nhn_link_look(&rig.host.link, rig.now_ns));
	assert_false(nhn_link_look(&rig.guest.link, rig.now_ns));
	nhn_link_step(&rig.host.link, rig.now_ns);
	expect_states(NHN_LINK_UP, NHN_LINK_UP);
}

static void
test_nothing_is_sent_before_up(void **state)
{
	uint32_t i;

	(void)state;
	side_begin(&rig.host);
	side_begin(&rig.guest);
	for (i = 0; i < 5; i++) {
		if (rig.host.link.tx_state != NHN_TX_UP)
			assert_false(side_send(&rig.host, 16));
		if (!rig.guest.link.started || rig.guest.link.tx_state != NHN_TX_UP)
			assert_false(side_send(&rig.guest, 16));
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
	}
	expect_states(NHN_LINK_UP, NHN_LINK_UP);
}

static void
channel_traffic(struct side *writer, struct side *reader, uint32_t channel)
{
	struct nhn_tx *tx = nhn_link_tx(&writer->link, channel);
	struct nhn_rx *rx = nhn_link_rx(&reader->link, channel);
	uint8_t body[700];
	struct nhn_view view = {0};
	uint32_t i;

	for (i = 0; i < 100; i++) {
		struct nhn_slice slice = {.data = body, .length = i * 7};

		pattern_fill(body, slice.length, channel, i);
		assert_int_equal(nhn_tx_burst(tx, &slice, 1), 1);
		assert_int_equal(nhn_rx_peek(rx, &view, 1), 1);
		assert_int_equal(view.length, slice.length);
		assert_true(pattern_matches(view.data, view.length, channel, i));
		assert_int_equal(nhn_rx_release(rx), 0);
	}
}

static void
test_all_channels_at_once(void **state)
{
	uint32_t i;

	(void)state;
	nhn_layout_uniform(&rig.host.config.layout, 20, NHN_USE_RAW, 16, 4096);
	rig.host.config.layout.entry[3].cell_bytes = 128;
	rig.host.config.layout.entry[5].cells = 256;
	rig.host.config.layout.entry[6].data_bytes = 32768;
	rig_begin(&rig);
	assert_int_equal(rig.guest.link.layout.channels, 20);
	for (i = 0; i < 20; i++) {
		channel_traffic(&rig.host, &rig.guest, i);
		channel_traffic(&rig.guest, &rig.host, i);
	}
	side_kill(&rig.guest);
	rig_up(&rig);
	channel_traffic(&rig.host, &rig.guest, 19);
	channel_traffic(&rig.guest, &rig.host, 0);
}

static void
test_close_is_seen_at_once(void **state)
{
	(void)state;
	rig_begin(&rig);
	nhn_link_finish(&rig.guest.link);
	assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_CLOSED);
	assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_WAIT_PEER);
	assert_false(side_send(&rig.host, 16));
	assert_int_equal(side_peek(&rig, &rig.host, 1), -ESTALE);
	assert_int_equal(side_peek(&rig, &rig.host, 1), 0);
}

static void
test_closed_stays_closed(void **state)
{
	struct nhn_refusal refusal;
	uint8_t *before = malloc(RIG_BYTES);
	uint32_t i;

	(void)state;
	assert_non_null(before);
	rig_begin(&rig);
	nhn_link_finish(&rig.host.link);
	memcpy(before, rig.base, RIG_BYTES / 2);
	for (i = 0; i < 5; i++)
		assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_CLOSED);
	nhn_link_step(&rig.host.link, rig.now_ns);
	nhn_link_finish(&rig.host.link);
	assert_memory_equal(before, rig.base, RIG_BYTES / 2);
	memset(rig.base, 0x11, RIG_BYTES / 2);
	memcpy(before, rig.base, RIG_BYTES / 2);
	assert_int_equal(nhn_link_init(&rig.host.link, &rig.host.config, &refusal), -EPROTO);
	for (i = 0; i < 5; i++)
		assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_CLOSED);
	nhn_link_finish(&rig.host.link);
	assert_memory_equal(before, rig.base, RIG_BYTES / 2);
	free(before);
}

static void
test_late_heartbeat_pauses_and_resumes(void **state)
{
	uint32_t late_steps = NHN_BEAT_PERIOD_US * NHN_BEAT_MISSES / 1000;
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 4; i++)
		assert_true(side_send(&rig.host, 16) && side_send(&rig.guest, 16));
	for (i = 0; i < 5 * late_steps; i++)
		side_step(&rig, &rig.host); /* the guest stands still */
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_STALLED);
	assert_false(side_send(&rig.host, 16));
	assert_int_equal(side_read(&rig, &rig.host), 4); /* reading goes on */
	side_step(&rig, &rig.guest);
	assert_int_equal(side_step(&rig, &rig.host), NHN_LINK_UP);
	assert_true(side_send(&rig.host, 16));
	assert_int_equal(side_read(&rig, &rig.guest), 5);
	rig_up(&rig);
	rig_traffic(&rig);
	assert_int_equal(rig.host.stales + rig.guest.stales, 0);
	assert_int_equal(nhn_link_discarded(&rig.host.link), 0);
}

/* Full to the last cell when the pause comes: what is unread stays unread. */
static void
test_pause_with_a_full_ring(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	while (side_send(&rig.host, 16))
		continue;
	for (i = 0; i < 300; i++)
		side_step(&rig, &rig.host);
	assert_int_equal(nhn_link_state(&rig.host.link), NHN_LINK_STALLED);
	side_step(&rig, &rig.guest);
	side_step(&rig, &rig.host);
	assert_false(side_send(&rig.host, 16));
	assert_int_equal(side_read(&rig, &rig.guest), RIG_CELLS);
	rig_up(&rig);
	rig_traffic(&rig);
}

/* A beat just in time is no miss. */
static void
test_beats_are_often_enough(void **state)
{
	uint32_t i;

	(void)state;
	rig.host.config.beat_period_us = 5000;
	rig.host.config.beat_misses = 2;
	rig_begin(&rig);
	assert_int_equal(rig.guest.link.beat_late_ns, 10000000);
	for (i = 0; i < 1000; i++) {
		side_step(&rig, i % 6 < 3 ? &rig.host : &rig.guest);
		if (i > 6)
			expect_states(NHN_LINK_UP, NHN_LINK_UP);
	}
}

static void
test_clock_may_stand_or_wrap(void **state)
{
	uint32_t i;

	(void)state;
	rig.now_ns = UINT64_MAX - 20000000;
	rig_begin(&rig);
	for (i = 0; i < 100; i++) {
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
	}
	expect_states(NHN_LINK_UP, NHN_LINK_UP);
	for (i = 0; i < 1000; i++)
		nhn_link_control(&rig.host.link, rig.now_ns);
	expect_states(NHN_LINK_UP, NHN_LINK_UP);
}

static void
test_init_refuses_bad_areas(void **state)
{
	struct nhn_link_config good = rig.host.config;
	struct nhn_link_config *config = &rig.host.config;
	struct nhn_link *link = &rig.host.link;
	struct nhn_refusal refusal;

	(void)state;
	config->own_area = NULL;
	assert_int_equal(nhn_link_init(link, config, &refusal), -EINVAL);
	*config = good;
	config->peer_area = (const uint8_t *)good.peer_area + 32;
	assert_int_equal(nhn_link_init(link, config, &refusal), -EINVAL);
	*config = good;
	config->own_bytes = NHN_CONTROL_BYTES - 1;
	assert_int_equal(nhn_link_init(link, config, &refusal), -EINVAL);
	*config = good;
	config->peer_bytes = NHN_CONTROL_BYTES; /* the layout must fit both */
	assert_int_equal(nhn_link_init(link, config, &refusal), -EPROTO);
	assert_int_equal(refusal.cause, NHN_REFUSAL_SPACE);
	assert_int_equal(nhn_link_state(link), NHN_LINK_CLOSED);
	nhn_link_finish(link);
	*config = good;
	config->layout.entry[0].cells = 17;
	assert_int_equal(nhn_link_init(link, config, &refusal), -EPROTO);
	assert_int_equal(refusal.cause, NHN_REFUSAL_CELLS);
}

static void
test_probe_words(void **state)
{
	(void)state;
	rig_begin(&rig);
	nhn_link_probe_store(&rig.host.link, 17);
	nhn_link_probe_store(&rig.guest.link, 18);
	assert_int_equal(nhn_link_probe_load(&rig.host.link), 18);
	assert_int_equal(nhn_link_probe_load(&rig.guest.link), 17);
}

static void
expect_sentence(const char *text)
{
	assert_non_null(text);
	assert_true(strlen(text) >= 2 && strlen(text) < 255);
	assert_null(strstr(text, "(null)"));
	assert_null(strchr(text, '%'));
	assert_string_not_equal(text, "no refusal");
}

static void
test_each_refusal_has_a_sentence(void **state)
{
	char text[256], small[8];
	int cause;

	(void)state;
	for (cause = NHN_REFUSAL_NONE + 1; cause <= NHN_REFUSAL_OWN_AREA; cause++) {
		struct nhn_refusal refusal = {(enum nhn_refusal_cause)cause, 3, 7777, 8888};

		memset(text, '%', sizeof(text));
		assert_ptr_equal(nhn_refusal_text(&refusal, text, sizeof(text)), text);
		expect_sentence(text);
		assert_true(strlen(nhn_refusal_text(&refusal, small, sizeof(small))) == 7);
		if (cause != NHN_REFUSAL_USE)
			assert_true(strstr(text, "7777") != NULL || strstr(text, "1e61") != NULL);
	}
}

/* Areas that cannot be used have no cause, and yet a sentence. */
static void
test_unusable_memory_has_a_sentence(void **state)
{
	struct nhn_refusal refusal;
	char text[256];

	(void)state;
	rig.host.config.own_bytes = NHN_CONTROL_BYTES - 1;
	assert_int_equal(nhn_link_init(&rig.host.link, &rig.host.config, &refusal), -EINVAL);
	assert_int_equal(refusal.cause, NHN_REFUSAL_NONE);
	expect_sentence(nhn_refusal_text(&refusal, text, sizeof(text)));
	assert_non_null(strstr(text, "memory"));
}

static void
test_each_state_fault_and_event_has_a_sentence(void **state)
{
	struct nhn_refusal refusal = {NHN_REFUSAL_USE, 3, UINT64_MAX, NHN_USE_MSG};
	struct nhn_link_event event = {.refusal = &refusal, .channel = 2, .value = 1};
	char text[512];
	int i, k;

	(void)state;
	side_begin(&rig.host);
	for (i = NHN_LINK_CLOSED; i <= NHN_LINK_BROKEN; i++) {
		expect_sentence(nhn_link_state_text((enum nhn_link_state)i));
		for (k = NHN_LINK_CLOSED; k < i; k++)
			assert_string_not_equal(nhn_link_state_text((enum nhn_link_state)i),
						nhn_link_state_text((enum nhn_link_state)k));
	}
	for (i = NHN_FAULT_NONE; i <= NHN_FAULT_CURSOR; i++)
		expect_sentence(nhn_fault_text((enum nhn_fault)i));
	for (i = NHN_LINK_EVENT_STATE; i <= NHN_LINK_EVENT_INTRUDER; i++) {
		event.kind = (enum nhn_link_event_kind)i;
		expect_sentence(nhn_link_event_text(&rig.host.link, &event, text, sizeof(text)));
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_host_first_by_steps),
		TEST(test_guest_first_by_steps),
		TEST(test_nothing_due_when_up),
		TEST(test_nothing_is_sent_before_up),
		TEST(test_all_channels_at_once),
		TEST(test_close_is_seen_at_once),
		TEST(test_closed_stays_closed),
		TEST(test_late_heartbeat_pauses_and_resumes),
		TEST(test_pause_with_a_full_ring),
		TEST(test_beats_are_often_enough),
		TEST(test_clock_may_stand_or_wrap),
		TEST(test_init_refuses_bad_areas),
		TEST(test_probe_words),
		TEST(test_each_refusal_has_a_sentence),
		TEST(test_unusable_memory_has_a_sentence),
		TEST(test_each_state_fault_and_event_has_a_sentence),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
