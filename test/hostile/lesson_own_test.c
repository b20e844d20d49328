/* SPDX-License-Identifier: BSD-3-Clause */
/* Lessons of others, on what a side writes itself: own words are not read back,
 * padding is zero, the magic comes last, nothing is held. Each script fails when what
 * it exercises is taken out of the library. */

#include <fiu-control.h>

#include "lesson_header.h"

/* All of the own control block but session and beat, whose change is an intruder's. */
static void
scramble_own_words(void)
{
	struct nhn_control *own = own_words();
	uint32_t session = own->session;
	uint32_t beat = own->beat;

	pattern_fill(own, NHN_CONTROL_BYTES, 9, hostile->step++);
	own->session = session;
	own->beat = beat;
}

/* XSA-155: a backend read back what it had written to memory that its peer could
 * write. Here rings and cursors go on from private copies ... */
static void
test_xsa_155_own_words_are_not_read_back(void **state)
{
	uint32_t i;

	(void)state;
	lesson_up(NHN_ROLE_HOST, 16);
	for (i = 0; i < 2000; i++) {
		struct nhn_view view;

		victim_control();
		scramble_own_words();
		liar_words()->beat++;
		/* the liar's ring has room by its private copy of the victim's cursor */
		lesson.liar.tx[0].limit = lesson.liar.tx[0].tail + 16;
		lesson.liar.tx[0].data_limit = lesson.liar.tx[0].data_tail + LESSON_DATA;
		liar_send(i % 500);
		expect_message(i % 500);
		assert_non_null(nhn_tx_reserve(victim_tx(), 60));
		nhn_tx_commit(victim_tx(), nhn_tx_reserve(victim_tx(), 60), 60);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&lesson.liar, 0), &view, 1), 1);
		assert_int_equal(nhn_rx_release(nhn_link_rx(&lesson.liar, 0)), 0);
		assert_int_equal(nhn_rx_peek(nhn_link_rx(&lesson.liar, 0), &view, 1), 0);
	}
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_UP);
	own_words()->beat++;
	assert_int_equal(victim_control(), NHN_LINK_BROKEN);
	assert_true(lesson.victim.link.intruder);
}

/* ... and so does the handshake. */
static void
test_xsa_155_handshake_goes_on_from_private_copies(void **state)
{
	struct nhn_header header;
	uint32_t i;

	(void)state;
	lesson_open(NHN_ROLE_HOST, NHN_USE_RAW, 1, 16);
	link_victim_begin(&lesson.victim);
	hostile_header(hostile, &header);
	for (i = 0; i < 100; i++) {
		peer_life(&header, scramble_own_words);
		assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_UP);
	}
	assert_int_equal(lesson.victim.link.sessions, 100);
}

/* What the stack held before. */
static void __attribute__((noinline)) dirty_stack(void)
{
	uint8_t bytes[8192];

	memset(bytes, 0xdd, sizeof(bytes));
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

/* XSA-216: padding of a response carried bytes of the backend's stack. */
static void
test_xsa_216_padding_is_zero(void **state)
{
	const struct nhn_header *header;
	struct nhn_layout *layout = &lesson.victim.config.layout;
	const uint8_t *rows;
	uint32_t i;

	(void)state;
	lesson_open(NHN_ROLE_HOST, NHN_USE_RAW, 1, 16);
	/* rows that the user has no channel for hold what his memory held */
	memset(&layout->entry[1], 0xdd, sizeof(layout->entry) - sizeof(layout->entry[0]));
	dirty_stack();
	link_victim_begin(&lesson.victim);
	liar_begin();
	come_up();
	header = &own_words()->header;
	assert_int_equal(header->reserved[0] | header->reserved[1] | header->features_accepted, 0);
	rows = (const uint8_t *)&header->table[1];
	for (i = 0; i < sizeof(header->table) - sizeof(header->table[0]); i++)
		assert_int_equal(rows[i], 0);
	rows = (const uint8_t *)&own_words()->laid[1];
	for (i = 0; i < sizeof(own_words()->laid) - sizeof(own_words()->laid[0]); i++)
		assert_int_equal(rows[i], 0);
}

/* And a message carries its own bytes, a descriptor of 8 and a commit word, no more. */
static void
test_xsa_216_nothing_beside_the_message(void **state)
{
	static uint8_t before[65536];
	size_t bytes, changed, i;
	uint32_t length;

	(void)state;
	lesson_up(NHN_ROLE_HOST, 16);
	bytes = lesson.victim.own.bytes - NHN_CONTROL_BYTES;
	for (length = 0; length <= 1000; length += 37) {
		uint8_t *ring = lesson.victim.own.mine + NHN_CONTROL_BYTES;
		uint8_t *cell = nhn_tx_cell(victim_tx(), victim_tx()->tail);
		void *body;

		memset(ring, 0x11, bytes);
		memcpy(before, ring, bytes);
		dirty_stack();
		body = nhn_tx_reserve(victim_tx(), length);
		assert_non_null(body);
		memset(body, 0x22, length);
		nhn_tx_commit(victim_tx(), body, length);
		for (i = 0, changed = 0; i < bytes; i++)
			changed += ring[i] == 0x22;
		assert_int_equal(changed, length);
		memset(body, 0x11, length);
		memset(cell + 60, 0x11, 4);
		if (length > 60)
			memset(cell, 0x11, sizeof(struct nhn_descriptor));
		assert_memory_equal(ring, before, bytes);
		liar_words()->cursor[0].cells = victim_tx()->tail;
		liar_words()->cursor[0].data = victim_tx()->data_tail;
	}
}

/* ---- LGMP ---- */

static uint32_t points_passed;

/* What a peer sees that looks while a life begins. */
static int
look_at_start(const char *name, int *failnum, void **failinfo, unsigned int *flags)
{
	const struct nhn_control *words = own_words();

	(void)failnum;
	(void)failinfo;
	(void)flags;
	points_passed++;
	hostile_check(hostile, words->session % 2 == 1);
	if (strcmp(name, "nhn/start/even") == 0) {
		hostile_check(hostile, words->header.magic == NHN_MAGIC);
		return 0;
	}
	/* The magic is still another, though all else is right. */
	hostile_check(hostile, words->header.magic == NHN_MAGIC_FORMATTING);
	hostile_check(hostile, words->header.crc == nhn_header_crc(&words->header));
	return 0;
}

/* LGMP: the magic that says "complete" was a plain store among others. */
static void
test_lgmp_magic_is_last(void **state)
{
	struct nhn_header header;

	(void)state;
	points_passed = 0;
	assert_int_equal(fiu_enable_external("nhn/start/magic", 1, NULL, 0, look_at_start), 0);
	assert_int_equal(fiu_enable_external("nhn/start/even", 1, NULL, 0, look_at_start), 0);
	lesson_open(NHN_ROLE_HOST, NHN_USE_RAW, 1, 16);
	link_victim_begin(&lesson.victim);
	fiu_disable("nhn/start/magic");
	fiu_disable("nhn/start/even");
	assert_int_equal(points_passed, 2);
	/* and who reads such a header does not believe it */
	hostile_header(hostile, &header);
	header.magic = NHN_MAGIC_FORMATTING;
	expect_refused(&header, NHN_REFUSAL_MAGIC);
}

/* LGMP: a spin lock in shared memory. A peer may stop at any place: nobody waits. */
static void
test_lgmp_nothing_is_held(void **state)
{
	uint32_t stop, i;

	(void)state;
	for (stop = 0; stop < 12; stop++) {
		lesson_open(NHN_ROLE_GUEST, NHN_USE_RAW, 1, 16);
		link_victim_begin(&lesson.victim);
		liar_begin();
		for (i = 0; i < stop; i++) { /* the peer's last steps */
			liar_control();
			victim_control();
			if (i == 8)
				liar_send(100);
		}
		for (i = 0; i < 300; i++) {
			struct nhn_view view;

			victim_control();
			nhn_tx_reserve(victim_tx(), 8);
			victim_peek(&view, 1);
			victim_give_back();
		}
		link_victim_finish(&lesson.victim);
		lesson_close();
	}
	open_guest(NHN_USE_RAW);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_xsa_155_own_words_are_not_read_back),
		TEST(test_xsa_155_handshake_goes_on_from_private_copies),
		TEST(test_xsa_216_padding_is_zero),
		TEST(test_xsa_216_nothing_beside_the_message),
		TEST(test_lgmp_magic_is_last),
		TEST(test_lgmp_nothing_is_held),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_own", tests, NULL, NULL);
}
