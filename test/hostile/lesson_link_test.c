/* SPDX-License-Identifier: BSD-3-Clause */
/* Lessons of others, on a link: sizes and counts of a header, double fetches of it,
 * repeated control messages. Each script fails when the check that it exercises is
 * taken out of the library. */

#include <dirent.h>
#include <malloc.h>

#include "lesson_header.h"

/* ---- a header's numbers ---- */

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

/* What was taken up is one of the two, never some of each. */
static void
expect_whole(uint32_t *seen)
{
	const struct nhn_link *link = &lesson.victim.link;
	const struct nhn_channel_entry *row = &link->layout.entry[0];

	if (!link->started)
		return;
	assert_true(row->cells == 32 ? row->data_bytes == 0
				     : row->cells == 16 && row->data_bytes == LESSON_DATA);
	seen[row->cells == 32]++;
}

static void
header_changes_at(uint64_t load, uint32_t *seen)
{
	uint32_t turn;

	open_guest(NHN_USE_RAW);
	hostile_header(hostile, &first);
	second = first;
	second.table[0].cells = 32; /* fits as well, without a data ring */
	second.table[0].data_bytes = 0;
	second.crc = nhn_header_crc(&second);
	put_header(&first);
	change_at = load;
	hostile->script = change_header;
	for (turn = 0; turn < 3; turn++) {
		victim_control();
		expect_whole(seen); /* a later step would mend it */
	}
	hostile->script = NULL;
}

/* CVE-2020-14374: what was checked was not what was used, for it came in two loads. */
static void
test_vhost_2020_14374_header_changes_while_copied(void **state)
{
	uint32_t seen[2] = {0, 0};
	uint64_t mixed = 0;
	uint64_t load;

	(void)state;
	with_session = false;
	for (load = 1; load <= 290; load++) {
		header_changes_at(load, seen);
		if (lesson.victim.link.refusals != 0) { /* found by its CRC only */
			assert_int_equal(lesson.victim.link.refused_causes, 1u << NHN_REFUSAL_CRC);
			mixed++;
		}
		lesson_close();
	}
	assert_true(mixed > 0);
	/* with a new session it is no mixture, but another life: to be read later */
	with_session = true;
	for (load = 1; load <= 290; load++) {
		header_changes_at(load, seen);
		assert_int_equal(lesson.victim.link.refusals, 0);
		lesson_close();
	}
	assert_true(seen[0] > 0 && seen[1] > 0);
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

static void
repeat(uint32_t lives, struct nhn_header *headers, uint32_t count)
{
	struct nhn_link *link = &lesson.victim.link;
	uint32_t files = descriptors();
	struct mallinfo2 before = mallinfo2();
	struct mallinfo2 after;
	uint32_t i;

	for (i = 0; i < lives; i++)
		peer_life(&headers[i % count], NULL);
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
	peer_life(&headers[0], NULL);
	assert_int_equal(nhn_link_state(&lesson.victim.link), NHN_LINK_UP);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, lesson_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vhost_2020_10722_sizes_overflow),
		TEST(test_vhost_2020_10723_count_is_no_index),
		TEST(test_vhost_2021_3839_queue_count_of_a_former_life),
		TEST(test_vhost_2020_14374_header_changes_while_copied),
		TEST(test_vhost_2019_14818_restarts_leak_nothing),
		TEST(test_vhost_2022_0669_layouts_leak_nothing),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, 1, NULL, 0);

	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_link", tests, NULL, NULL);
}
