/* SPDX-License-Identifier: BSD-3-Clause */
/* A host that comes back with another layout; areas of two memories instead of one. */

#include <sys/mman.h>
#include <unistd.h>

#include "link_rig.h"

static void
lay(uint32_t channels, uint32_t cells, uint32_t data_bytes)
{
	nhn_layout_uniform(&rig.host.config.layout, channels, NHN_USE_RAW, cells, data_bytes);
}

/* Turns until the guest has started itself anew, then until both are up. */
static void
up_anew(void)
{
	uint32_t session = rig.guest.link.session;
	uint32_t turn;

	for (turn = 0; turn < 10 && rig.guest.link.session == session; turn++) {
		side_step(&rig, &rig.host);
		side_read(&rig, &rig.host);
		side_step(&rig, &rig.guest);
		side_read(&rig, &rig.guest);
	}
	assert_int_not_equal(rig.guest.link.session, session);
	rig_up(&rig);
	assert_true(nhn_layout_equal(&rig.host.link.layout, &rig.guest.link.layout));
}

static void
wide_traffic(void)
{
	struct nhn_view view = {0};
	uint32_t i, channel;

	for (channel = 1; channel < rig.host.link.layout.channels; channel++)
		for (i = 0; i < 40; i++) {
			struct nhn_tx *tx = nhn_link_tx(&rig.guest.link, channel);
			struct nhn_rx *rx = nhn_link_rx(&rig.host.link, channel);
			uint8_t *body = nhn_tx_reserve(tx, 4 + i);

			assert_non_null(body);
			pattern_fill(body, 4 + i, channel, i);
			nhn_tx_commit(tx, body, 4 + i);
			assert_int_equal(nhn_rx_peek(rx, &view, 1), 1);
			assert_int_equal(view.length, 4 + i);
			assert_true(pattern_matches(view.data, 4 + i, channel, i));
			assert_int_equal(nhn_rx_release(rx), 0);
		}
	rig_traffic(&rig);
}

static void
change_layout(uint32_t channels, uint32_t cells, uint32_t data_bytes, bool kill)
{
	lay(channels, cells, data_bytes);
	if (kill)
		side_kill(&rig.host);
	else
		side_reopen(&rig.host);
	up_anew();
	wide_traffic();
}

static void
test_host_comes_back_with_another_layout(void **state)
{
	(void)state;
	rig_begin(&rig);
	change_layout(1, 64, 4096, true);
	change_layout(1, 64, 65536, false);
	change_layout(8, 16, 4096, true);
	change_layout(2, 128, 8192, true);
	change_layout(3, 32, 4096, false);
	change_layout(1, 16, 4096, true);
}

/* The guest reads out the old ring, by the old layout, before it follows the new one. */
static void
test_guest_drains_the_old_layout(void **state)
{
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 6; i++)
		assert_true(side_send(&rig.host, 100 + 100 * i));
	lay(4, 256, 16384);
	side_kill(&rig.host);
	for (i = 0; i < 6; i++) {
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
		assert_int_equal(side_peek(&rig, &rig.guest, 1), 1);
		side_release(&rig.guest);
	}
	assert_int_equal(rig.guest.link.layout.channels, 1);
	up_anew();
	assert_int_equal(rig.guest.stales, 1);
	assert_int_equal(nhn_link_discarded(&rig.host.link), 0);
	wide_traffic();
}

/* What the guest had committed for the dead host lies in cells of the old layout. */
static void
test_discarded_is_counted_by_the_old_layout(void **state)
{
	uint32_t i;

	(void)state;
	lay(2, 32, 4096);
	rig_begin(&rig);
	rig_traffic(&rig);
	for (i = 0; i < 9; i++)
		assert_true(side_send(&rig.guest, 16));
	for (i = 0; i < 4; i++) {
		struct nhn_tx *tx = nhn_link_tx(&rig.guest.link, 1);

		nhn_tx_commit(tx, nhn_tx_reserve(tx, 3), 3);
	}
	lay(1, 128, 0);
	side_kill(&rig.host);
	up_anew();
	assert_int_equal(nhn_link_discarded(&rig.guest.link), 13);
	assert_int_equal(nhn_link_peer_discarded(&rig.host.link), 13);
}

/* The same when both are new: only `laid` in the area tells how to count. */
static void
test_discarded_is_counted_after_both_died(void **state)
{
	uint32_t i;

	(void)state;
	lay(2, 32, 4096);
	rig_begin(&rig);
	rig_traffic(&rig);
	for (i = 0; i < 9; i++)
		assert_true(side_send(&rig.guest, 16));
	for (i = 0; i < 5; i++)
		assert_true(side_send(&rig.host, 16));
	lay(3, 16, 8192);
	side_kill(&rig.host);
	side_kill(&rig.guest);
	rig_up(&rig);
	assert_int_equal(nhn_link_discarded(&rig.guest.link), 9);
	assert_int_equal(nhn_link_discarded(&rig.host.link), 5);
	wide_traffic();
	side_kill(&rig.guest);
	side_kill(&rig.host);
	rig_up(&rig);
	assert_int_equal(nhn_link_discarded(&rig.guest.link), 9);
}

/* Rows beyond those in use say nothing, whatever the host's program left there. */
static void
test_rows_not_in_use_do_not_count(void **state)
{
	uint32_t i;

	(void)state;
	lay(8, 1024, 0);
	rig.host.config.layout.channels = 1;
	rig.host.config.layout.entry[4].cells = 5;
	rig_begin(&rig);
	for (i = 0; i < 5; i++)
		assert_true(side_send(&rig.host, 16) && side_send(&rig.guest, 16));
	side_kill(&rig.host);
	side_kill(&rig.guest);
	rig_up(&rig);
	assert_int_equal(nhn_link_discarded(&rig.host.link), 5);
	assert_int_equal(nhn_link_discarded(&rig.guest.link), 5);
}

/* A layout of rows that are out of bounds is not counted by, nor followed anywhere. */
static void
test_bad_laid_table_is_ignored(void **state)
{
	struct nhn_control *own = rig.host.config.own_area;
	uint64_t seed;

	(void)state;
	rig_begin(&rig);
	for (seed = 1; seed < 200; seed++) {
		if (seed % 2)
			pattern_fill(own->laid, sizeof(own->laid), seed, 0);
		else
			own->laid[0].cells = 1u << seed % 32;
		side_kill(&rig.host);
		rig_up(&rig);
	}
	rig_traffic(&rig);
}

/* A guest with less memory, or of a program that wants another number of channels. */
static void
test_layout_the_guest_cannot_follow(void **state)
{
	uint32_t i;

	(void)state;
	rig.guest.config.layout.channels = 1;
	rig_begin(&rig);
	lay(2, 16, 4096);
	side_kill(&rig.host);
	for (i = 0; i < 10; i++) {
		side_step(&rig, &rig.host);
		side_step(&rig, &rig.guest);
		side_read(&rig, &rig.guest);
	}
	assert_int_equal(rig.guest.refused, NHN_REFUSAL_CHANNELS);
	assert_int_equal(rig.guest.events[NHN_LINK_EVENT_REFUSED], 1);
	assert_int_equal(nhn_link_state(&rig.guest.link), NHN_LINK_WAIT_HOST);
	lay(1, 16, 4096);
	side_kill(&rig.host);
	rig_up(&rig);
	rig_traffic(&rig);
}

static void
test_random_layouts_and_deaths(void **state)
{
	uint64_t random = 11;
	uint32_t i;

	(void)state;
	rig_begin(&rig);
	for (i = 0; i < 300; i++) {
		uint32_t sends = pattern_below(&random, 12);
		uint32_t kill = 1 + pattern_below(&random, 3);

		while (sends-- > 0) {
			side_send(&rig.host, 16 + pattern_below(&random, 400));
			side_send(&rig.guest, 16 + pattern_below(&random, 400));
		}
		if (pattern_below(&random, 2))
			lay(1 + pattern_below(&random, 5), 16u << pattern_below(&random, 4),
			    4096u << pattern_below(&random, 3));
		if (kill & 1)
			side_kill(&rig.host);
		if (kill & 2)
			side_kill(&rig.guest);
		side_read(&rig, &rig.guest);
		rig_up(&rig);
		wide_traffic();
	}
	assert_true(nhn_link_discarded(&rig.host.link) >= rig.host.sent - rig.guest.taken);
	assert_true(nhn_link_discarded(&rig.guest.link) >= rig.guest.sent - rig.host.taken);
}

/* ---- split: two memories, the peer's mapped for reading only ---- */

struct memory {
	int fd;
	uint8_t *writable;
	const uint8_t *readable;
	size_t bytes;
};

static void
memory_open(struct memory *memory, size_t bytes)
{
	void *writable, *readable;

	memory->bytes = bytes;
	memory->fd = memfd_create("split", MFD_CLOEXEC);
	assert_true(memory->fd >= 0);
	assert_int_equal(ftruncate(memory->fd, (off_t)bytes), 0);
	writable = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	readable = mmap(NULL, bytes, PROT_READ, MAP_SHARED, memory->fd, 0);
	assert_true(writable != MAP_FAILED && readable != MAP_FAILED);
	memory->writable = writable;
	memory->readable = readable;
}

static void
memory_close(struct memory *memory)
{
	munmap(memory->writable, memory->bytes);
	munmap((void *)(uintptr_t)memory->readable, memory->bytes);
	close(memory->fd);
}

static void
split(struct side *side, const struct memory *own, const struct memory *peer)
{
	side->config.own_area = own->writable;
	side->config.peer_area = peer->readable;
	side->config.own_bytes = own->bytes;
	side->config.peer_bytes = peer->bytes;
}

static void
test_split_areas_with_a_read_only_peer(void **state)
{
	struct memory first, second;
	uint32_t i;

	(void)state;
	memory_open(&first, RIG_BYTES);
	memory_open(&second, RIG_BYTES / 4); /* they need not be of one size */
	split(&rig.host, &first, &second);
	split(&rig.guest, &second, &first);
	rig_begin(&rig);
	rig_traffic(&rig);
	for (i = 0; i < 12; i++) {
		assert_true(side_send(&rig.host, 500) && side_send(&rig.guest, 16));
		if (i % 3 != 0)
			side_kill(&rig.host);
		if (i % 3 != 1)
			side_kill(&rig.guest);
		rig_up(&rig);
		rig_traffic(&rig);
	}
	change_layout(2, 64, 4096, true);
	while (side_send(&rig.host, 300))
		continue;
	side_reopen(&rig.host);
	rig_up(&rig);
	memory_close(&first);
	memory_close(&second);
}

/* A new host without channel 1, then one with it: its end is told when it is there again,
 * also to a program that did not poll it in between. */
static void
test_stale_of_a_channel_that_went_is_told(void **state)
{
	struct nhn_view view;
	uint32_t channels, i;

	(void)state;
	lay(2, 32, 4096);
	rig_begin(&rig);
	wide_traffic();
	for (channels = 1; channels <= 2; channels++) {
		lay(channels, 32, 4096);
		side_kill(&rig.host);
		for (i = 0; i < 20; i++) {
			side_step(&rig, &rig.host);
			side_step(&rig, &rig.guest);
			side_peek(&rig, &rig.guest, 1);
		}
	}
	assert_int_equal(rig.guest.link.layout.channels, 2);
	assert_int_equal(nhn_rx_peek(nhn_link_rx(&rig.guest.link, 1), &view, 1), -ESTALE);
	assert_int_equal(nhn_rx_peek(nhn_link_rx(&rig.guest.link, 1), &view, 1), 0);
	rig_up(&rig);
	wide_traffic();
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_host_comes_back_with_another_layout),
		TEST(test_guest_drains_the_old_layout),
		TEST(test_stale_of_a_channel_that_went_is_told),
		TEST(test_discarded_is_counted_by_the_old_layout),
		TEST(test_discarded_is_counted_after_both_died),
		TEST(test_rows_not_in_use_do_not_count),
		TEST(test_bad_laid_table_is_ignored),
		TEST(test_layout_the_guest_cannot_follow),
		TEST(test_random_layouts_and_deaths),
		TEST(test_split_areas_with_a_read_only_peer),
	};

	return cmocka_run_group_tests_name("link_layout", tests, NULL, NULL);
}
