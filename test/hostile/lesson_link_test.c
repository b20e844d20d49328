/* SPDX-License-Identifier: BSD-3-Clause */
/* Lessons of others, on a link: sizes and counts of a header, double fetches of it,
 * repeated control messages, own words, padding. Each script fails when the check
 * that it exercises is taken out of the library. */

#include <dirent.h>
#include <malloc.h>

#include <fiu-control.h>

#include "lesson.h"

static int
teardown(void **state)
{
	(void)state;
	hostile->script = NULL;
	lesson_close();
	return 0;
}

/* ---- a header's numbers ---- */

/* The liar's next life has this header, with a right CRC. */
static void
put_header(struct nhn_header *header)
{
	uint32_t session = liar_words()->session;

	header->crc = nhn_header_crc(header);
	hostile_header_put(hostile, header);
	nhn_store_release(&liar_words()->session, (session | 1) + 1);
}

static void
expect_refused(struct nhn_header *header, enum nhn_refusal_cause cause)
{
	const struct nhn_link *link = &lesson.victim.link;
	struct nhn_layout layout = link->layout;
	uint64_t refusals = link->refusals;
	uint32_t turn;

	lesson.victim.link.refused_causes = 0; /* be told again */
	put_header(header);
	for (turn = 0; turn < 4; turn++) {
		victim_control();
		read_out(&lesson.victim.link);
	}
	assert_int_equal(link->refusals, refusals + 1);
	assert_int_equal(link->refused_causes, 1u << cause);
	assert_memory_equal(&link->layout, &layout, sizeof(layout));
	hostile_header(hostile, header);
}

static void
open_guest(enum nhn_use use)
{
	lesson_open(NHN_ROLE_GUEST, use, 1, 16);
	link_victim_begin(&lesson.victim);
}

/* CVE-2020-10722: a sum of two sizes passed 2^32, or 2^64, and looked small. */
static void
test_vhost_2020_10722_sizes_overflow(void **state)
{
	struct nhn_header header;
	uint32_t i;

	(void)state;
	lesson_open(NHN_ROLE_GUEST, NHN_USE_RAW, 1, 1024);
	link_victim_begin(&lesson.victim);
	hostile_header(hostile, &header);
	header.channels = 4; /* each 2^30 + 4096 bytes: 16384 modulo 2^32, which would fit */
	for (i = 0; i < 4; i++) {
		header.table[i] = header.table[0];
		header.table[i].cells = 16;
		header.table[i].data_bytes = NHN_DATA_BYTES_MAX;
	}
	expect_refused(&header, NHN_REFUSAL_SPACE);
	header.area_bytes += UINT64_C(1) << 32;
	expect_refused(&header, NHN_REFUSAL_AREA_BYTES);
	header.beat_period_us = 65536; /* 2^32 + 65536 us */
	header.beat_misses = 65537;
	expect_refused(&header, NHN_REFUSAL_HEARTBEAT);
	lesson_close();
	open_guest(NHN_USE_ETHERNET);
	hostile_header(hostile, &header);
	header.mtu = UINT32_MAX; /* and the overhead of a frame: 21 */
	expect_refused(&header, NHN_REFUSAL_MTU);
}

/* CVE-2020-10723: a count of queues was an index before it was bounded. */
static void
test_vhost_2020_10723_count_is_no_index(void **state)
{
	static const uint16_t counts[] = {0, 65, 66, 255, 256, 32768, 65535};
	struct nhn_header header;
	size_t i;

	(void)state;
	open_guest(NHN_USE_RAW);
	hostile_header(hostile, &header);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		header.channels = counts[i];
		expect_refused(&header, NHN_REFUSAL_CHANNELS);
	}
	lesson_close();
	lesson_up(NHN_ROLE_HOST, 16); /* a host counts by its own */
	hostile_header(hostile, &header);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		header.channels = counts[i];
		expect_refused(&header, NHN_REFUSAL_CHANNELS);
	}
}

/*
 * CVE-2021-3839: the number of queues came from memory that the peer could write. Here
 * that is the table of a former life in the own area: it is taken over for counting,
 * and names 64 rings of 2^20 cells in an area of some pages.
 */
static void
test_vhost_2021_3839_queue_count_of_a_former_life(void **state)
{
	struct nhn_layout lie;

	(void)state;
	lesson_up(NHN_ROLE_HOST, 16);
	nhn_link_finish(&lesson.victim.link);
	nhn_layout_uniform(&lie, 64, NHN_USE_RAW, NHN_CELLS_MAX, NHN_DATA_BYTES_MAX);
	memcpy(own_words()->laid, lie.entry, sizeof(lie.entry));
	link_victim_begin(&lesson.victim);
	assert_int_equal(lesson.victim.link.laid.channels, 0);
	come_up(); /* counted and cleared within the area: behind it is nothing */
	assert_int_equal(nhn_link_discarded(&lesson.victim.link), 0);
}

/* ---- double fetches of a header ---- */

static struct nhn_header first, second;
static uint64_t change_at;
static bool with_session;

static void
change_header(struct hostile *h)
{
	if (h->loads != change_at)
		return;
	hostile_header_put(h, &second);
	if (with_session)
		nhn_store_release(&liar_words()->session, liar_words()->session + 2);
}

static void
header_changes_at(uint64_t load)
{
	uint32_t turn;

	open_guest(NHN_USE_RAW);
	hostile->offers[1] = hostile->offers[0];
	hostile_header(hostile, &first);
	second = first;
	second.table[0].cells = 32; /* fits as well, with half the data ring */
	second.table[0].data_bytes = 0;
	second.crc = nhn_header_crc(&second);
	put_header(&first);
	change_at = load;
	hostile->script = change_header;
	for (turn = 0; turn < 3; turn++)
		victim_control();
	hostile->script = NULL;
}

/* CVE-2020-14374: what was checked was not what was used, for it came in two loads. */
static void
test_vhost_2020_14374_header_changes_while_copied(void **state)
{
	const struct nhn_channel_entry *row = &lesson.victim.link.layout.entry[0];
	uint32_t whole[2] = {0, 0};
	uint64_t load;

	(void)state;
	with_session = false;
	for (load = 1; load <= 290; load++) {
		header_changes_at(load);
		if (lesson.victim.link.refusals != 0) { /* a mixture: by its CRC only */
			assert_int_equal(lesson.victim.link.refused_causes, 1u << NHN_REFUSAL_CRC);
		} else {
			bool is_second = row->cells == 32;

			assert_true(is_second ? row->data_bytes == 0
					      : row->cells == 16 && row->data_bytes == LESSON_DATA);
			whole[is_second]++;
		}
		lesson_close();
	}
	/* with a new session it is no mixture, but another life: to be read later */
	with_session = true;
	for (load = 1; load <= 290; load++) {
		header_changes_at(load);
		assert_int_equal(lesson.victim.link.refusals, 0);
		whole[row->cells == 32]++;
		lesson_close();
	}
	assert_true(whole[0] > 0 && whole[1] > 0);
	open_guest(NHN_USE_RAW);
}

/* ---- repeated control messages ---- */

static uint32_t
descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint32_t count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

/* One life of the peer, as far as its words go: header, acknowledgement, opening. */
static void
peer_life(struct nhn_header *header)
{
	uint32_t turn;

	put_header(header);
	for (turn = 0; turn < 6; turn++) {
		liar_words()->open = lesson.victim.link.session;
		liar_words()->seen = lesson.victim.link.tx_state == NHN_TX_WAIT_DRAIN
					     ? lesson.victim.link.session
					     : lesson.victim.link.session | 1;
		nhn_link_control(&lesson.victim.link, lesson.victim.now_ns);
		read_out(&lesson.victim.link);
	}
}

static void
repeat(uint32_t lives, struct nhn_header *headers, uint32_t count)
{
	struct nhn_link *link = &lesson.victim.link;
	uint32_t files = descriptors();
	struct mallinfo2 before = mallinfo2();
	struct mallinfo2 after;
	uint32_t i;

	for (i = 0; i < lives; i++)
		peer_life(&headers[i % count]);
	after = mallinfo2();
	assert_int_equal(descriptors(), files);
	assert_int_equal(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd);
	assert_true(link->events_untold > lives); /* and no log is filled */
	assert_true(lesson.victim.ledger.told <= NHN_LINK_EVENTS_MAX + 1);
}

/* CVE-2019-14818 and CVE-2020-10726: a control message that was sent again and again
 * left memory, or a descriptor, each time. */
static void
test_vhost_2019_14818_restarts_leak_nothing(void **state)
{
	struct nhn_header header;

	(void)state;
	lesson_open(NHN_ROLE_HOST, NHN_USE_RAW, 1, 16);
	link_victim_begin(&lesson.victim);
	hostile_header(hostile, &header);
	repeat(100000, &header, 1);
	assert_int_equal(lesson.victim.link.sessions, 100000);
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_UP);
}

/* CVE-2022-0669: as before, by a message that replaces what the last one had set up:
 * another layout each time, and each third one is refused. */
static void
test_vhost_2022_0669_layouts_leak_nothing(void **state)
{
	struct nhn_header headers[3];

	(void)state;
	open_guest(NHN_USE_RAW);
	hostile_header(hostile, &headers[0]);
	headers[1] = headers[0];
	headers[1].table[0].cells = 32;
	headers[1].table[0].data_bytes = 0;
	headers[2] = headers[0];
	headers[2].table[0].use = NHN_USE_MSG;
	repeat(9999, headers, 3);
	assert_true(lesson.victim.link.refusals >= 3333);
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_WAIT_HOST);
	peer_life(&headers[0]);
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_UP);
}

/* ---- own words, padding ---- */

/* XSA-155: a backend read back what it had written to memory that its peer could
 * write. All of the own control block is rewritten but session and beat, whose
 * change is an intruder's; rings and cursors go on from private copies. */
static void
test_xsa_155_own_words_are_not_read_back(void **state)
{
	struct nhn_control *own = own_words();
	uint32_t session, i;

	(void)state;
	lesson_up(NHN_ROLE_HOST, 16);
	for (i = 0; i < 2000; i++) {
		struct nhn_view view;
		uint32_t beat;

		victim_control();
		session = own->session;
		beat = own->beat;
		pattern_fill(own_words(), NHN_CONTROL_BYTES, 9, i);
		own->session = session;
		own->beat = beat;
		liar_words()->beat++;
		/* each side's ring is full of room by the private copies of the other */
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
	own->beat++;
	assert_int_equal(victim_control(), NHN_LINK_BROKEN);
	assert_true(lesson.victim.link.intruder);
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
	const struct nhn_header *header = &own_words()->header;
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
#define TEST(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vhost_2020_10722_sizes_overflow),
		TEST(test_vhost_2020_10723_count_is_no_index),
		TEST(test_vhost_2021_3839_queue_count_of_a_former_life),
		TEST(test_vhost_2020_14374_header_changes_while_copied),
		TEST(test_vhost_2019_14818_restarts_leak_nothing),
		TEST(test_vhost_2022_0669_layouts_leak_nothing),
		TEST(test_xsa_155_own_words_are_not_read_back),
		TEST(test_xsa_216_padding_is_zero),
		TEST(test_xsa_216_nothing_beside_the_message),
		TEST(test_lgmp_magic_is_last),
		TEST(test_lgmp_nothing_is_held),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_link", tests, NULL, NULL);
}
