/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port that is told that its reader is far: frames of a burst are all written, then there is one
 * fence, then they are committed. The driver says at its points what it does, in this order.
 */

#include <fiu-control.h>

#include <rte_pmd_nahanni.h>

#include "port_peer.h"

#define FAR_NS 470
#define NEAR_NS 80
#define LONG 1000u /* bytes: past the caches */
#define SHORT 60u  /* fits a cell */
#define HELD 32u   /* frames at most that are written and not committed */

static struct port_victim victim;
static char trace[512]; /* s: past the caches; d: a cell describes a long frame; f: a fence; c: a
			   commit */
static size_t traced;

static int
note(const char *name, int *code, void **info, unsigned int *flags)
{
	(void)code;
	(void)info;
	(void)flags;
	assert_true(traced < sizeof(trace) - 1);
	trace[traced++] = strrchr(name, '/')[1];
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	memset(&victim, 0, sizeof(victim));
	hostile_begin(&victim.hostile, 1);
	victim.hostile.role = NHN_ROLE_GUEST;
	victim.hostile.mtu = 1500;
	victim.queues = 1;
	victim.descriptors = 128;
	victim.bytes = 1u << 20;
	port_victim_open(&victim);
	assert_true(port_victim_start(&victim));
	port_peer_begin(&victim);
	assert_true(port_peer_up(&victim));
	assert_int_equal(fiu_enable_external("nhn/send/stream", 1, NULL, 0, note), 0);
	assert_int_equal(fiu_enable_external("nhn/send/describe", 1, NULL, 0, note), 0);
	assert_int_equal(fiu_enable_external("nhn/send/fence", 1, NULL, 0, note), 0);
	return fiu_enable_external("nhn/send/commit", 1, NULL, 0, note);
}

static int
teardown(void **state)
{
	(void)state;
	fiu_disable("nhn/send/stream");
	fiu_disable("nhn/send/describe");
	fiu_disable("nhn/send/fence");
	fiu_disable("nhn/send/commit");
	port_victim_stop(&victim);
	port_victim_close(&victim);
	return 0;
}

/** Send a burst, and have the peer read it. Its way is in the trace. */
static void
burst_pass(uint16_t count, uint16_t length)
{
	struct nhn_rx *rx = nhn_link_rx(&port_peer, 0);
	struct rte_mbuf *frames[2 * HELD];
	struct nhn_view view;
	uint16_t i;

	memset(trace, 0, sizeof(trace));
	traced = 0;
	for (i = 0; i < count; i++)
		frames[i] = port_frame_new(&victim, length, i);
	assert_int_equal(rte_eth_tx_burst(victim.port, 0, frames, count), count);
	for (i = 0; i < count; i++) {
		assert_int_equal(nhn_rx_peek(rx, &view, 1), 1);
		assert_int_equal(view.length, length);
		assert_true(pattern_matches(nhn_foreign_lend(view.data), length,
					    victim.hostile.seed, i));
		assert_int_equal(nhn_rx_release(rx), 0);
	}
}

/** Frames of a group, as the trace has them. */
static void
group_expect(size_t *at, size_t described, size_t committed)
{
	for (; described > 0; described--) {
		assert_int_equal(trace[(*at)++], 's');
		assert_int_equal(trace[(*at)++], 'd');
	}
	assert_int_equal(trace[(*at)++], 'f');
	assert_int_equal(strspn(trace + *at, "c"), committed);
	*at += committed;
}

static void
test_far_bursts_are_held(void **state)
{
	size_t at;

	(void)state;
	assert_int_equal(rte_pmd_nahanni_distance_set(victim.port, FAR_NS), 0);
	burst_pass(3, LONG);
	assert_string_equal(trace, "sdsdsdfccc");
	burst_pass(2, SHORT);
	assert_string_equal(trace, "fcc");
	burst_pass(HELD, LONG);
	at = 0;
	group_expect(&at, HELD, HELD);
	assert_int_equal(at, traced); /* one fence, and no more */
	burst_pass(HELD + 8, LONG);
	at = 0;
	group_expect(&at, HELD, HELD);
	group_expect(&at, 8, 8);
	assert_int_equal(at, traced);
}

/** Lone frames, and all to a near reader: each can be received once it is written. */
static void
test_others_are_not(void **state)
{
	(void)state;
	burst_pass(3, LONG); /* nothing was said yet */
	assert_string_equal(trace, "dcdcdc");
	assert_int_equal(rte_pmd_nahanni_distance_set(victim.port, FAR_NS), 0);
	burst_pass(1, LONG);
	assert_string_equal(trace, "dc");
	assert_int_equal(rte_pmd_nahanni_distance_set(victim.port, NEAR_NS), 0);
	burst_pass(3, LONG);
	assert_string_equal(trace, "dcdcdc");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_far_bursts_are_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_are_not, setup, teardown),
	};
	struct hostile_run run;
	int ret = hostile_run_parse(&run, argc, argv, 0);

	if (ret == 0)
		ret = port_rig_start(argv[0]);
	return ret != 0 ? ret : cmocka_run_group_tests_name("lesson_far", tests, NULL, NULL);
}
