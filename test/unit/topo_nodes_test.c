/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Placing memory on a machine of two nodes: those calls of libnuma by which it
 * is done are played by this program, since few machines have two.
 */

#include <errno.h>
#include <numa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "nhn_place.h"

#define PAGE 4096
/* More than one batch of move_pages, and no multiple of it. */
#define PAGES 2500
#define LENGTH ((uint64_t)PAGES * PAGE)

#define POLICY_DEFAULT 0
#define POLICY_PREFERRED 1
#define MOVE 2
#define MOVE_ALL 4

/* What the pretended kernel does, and what it was asked. */
static struct {
	int mbind_error;      /* of every call */
	int move_all_error;   /* of one with MOVE_ALL */
	int move_pages_error; /* of every call */
	int page_node;	      /* of pages, until they are moved */
	int stuck;	      /* so many of the first do not move */
	unsigned long mask;   /* nodes of the last mbind */
	unsigned int mbinds, flags_seen, asked, policies;
	int policy[4];
	char *base;
	char said[512];
} play;

static void
hear(void *context, const char *sentence)
{
	(void)context;
	snprintf(play.said, sizeof(play.said), "%s", sentence);
}

long mbind(void *base, unsigned long length, int mode, const unsigned long *mask,
	   unsigned long bits, unsigned int flags);
long move_pages(int pid, unsigned long count, void **pages, const int *nodes, int *status,
		int flags);
long set_mempolicy(int mode, const unsigned long *mask, unsigned long bits);
long get_mempolicy(int *mode, unsigned long *mask, unsigned long bits, void *address,
		   unsigned int flags);

long
mbind(void *base, unsigned long length, int mode, const unsigned long *mask, unsigned long bits,
      unsigned int flags)
{
	assert_ptr_equal(base, play.base);
	assert_int_equal(length, LENGTH);
	assert_int_equal(mode, POLICY_PREFERRED);
	assert_true(bits > 64);
	play.mask = mask[0];
	play.mbinds++;
	play.flags_seen |= flags;
	errno = play.mbind_error;
	if (errno == 0 && (flags & MOVE_ALL) != 0)
		errno = play.move_all_error;
	if (errno != 0)
		return -1;
	if (flags != 0)
		play.page_node = __builtin_ctzl(mask[0]);
	return 0;
}

long
move_pages(int pid, unsigned long count, void **pages, const int *nodes, int *status, int flags)
{
	assert_int_equal(pid, 0);
	assert_null(nodes);
	assert_int_equal(flags, 0);
	errno = play.move_pages_error;
	if (errno != 0)
		return -1;
	for (unsigned long i = 0; i < count; i++) {
		assert_ptr_equal(pages[i], play.base + (uint64_t)play.asked * PAGE);
		status[i] = (int)play.asked < play.stuck ? 1 - play.page_node : play.page_node;
		play.asked++;
	}
	return 0;
}

long
set_mempolicy(int mode, const unsigned long *mask, unsigned long bits)
{
	(void)mask;
	assert_true(bits > 64);
	if (play.policies < 4)
		play.policy[play.policies] = mode;
	play.policies++;
	return 0;
}

/* libnuma asks as well, when it is loaded, and wants to hear the size of a mask. */
long
get_mempolicy(int *mode, unsigned long *mask, unsigned long bits, void *address, unsigned int flags)
{
	(void)mask;
	(void)bits;
	(void)address;
	(void)flags;
	if (mode != NULL)
		*mode = POLICY_DEFAULT;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	memset(&play, 0, sizeof(play));
	play.base = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (play.base == MAP_FAILED || numa_available() < 0)
		return -1;
	numa_bitmask_clearall(numa_all_nodes_ptr);
	numa_bitmask_setbit(numa_all_nodes_ptr, 0);
	numa_bitmask_setbit(numa_all_nodes_ptr, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return munmap(play.base, LENGTH);
}

static int
place(int node, bool strict, struct nhn_place_result *result)
{
	struct nhn_place_config config;

	nhn_place_config_init(&config);
	config.node = node;
	config.strict = strict;
	config.lock = false;
	config.log = hear;
	return nhn_place(play.base, LENGTH, &config, result);
}

static void
assert_text(const struct nhn_place_result *result, const char *expected)
{
	char text[NHN_PLACE_TEXT_MAX];

	nhn_place_text(result, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void
pages_are_moved(void **state)
{
	struct nhn_place_result result;

	(void)state;
	assert_int_equal(place(1, true, &result), 0);
	assert_int_equal(result.nodes, 2);
	assert_int_equal(result.pages, PAGES);
	assert_int_equal(result.pages_on[0], 0);
	assert_int_equal(result.pages_on[1], PAGES);
	assert_int_equal(play.asked, PAGES);
	assert_true(result.bound && result.verified && result.populated);
	/* First where pages shall come to, then, with pages there, the moving. */
	assert_int_equal(play.mbinds, 2);
	assert_int_equal(play.flags_seen, MOVE_ALL);
	assert_int_equal(play.mask, 2);
	/* For files whose pages do not follow the mapping's policy. */
	assert_int_equal(play.policies, 2);
	assert_int_equal(play.policy[0], POLICY_PREFERRED);
	assert_int_equal(play.policy[1], POLICY_DEFAULT);
	result.thp_bytes = 0;
	assert_text(&result,
		    "10000 KiB in 2500 pages of 4 KiB, all on node 1, in memory, not locked");
}

static void
without_rights_own_pages_are_moved(void **state)
{
	struct nhn_place_result result;

	(void)state;
	play.move_all_error = EPERM;
	assert_int_equal(place(1, true, &result), 0);
	assert_int_equal(result.pages_on[1], PAGES);
	assert_int_equal(play.mbinds, 3);
	assert_int_equal(play.flags_seen, MOVE_ALL | MOVE);
}

static void
pages_that_stay_are_told(void **state)
{
	struct nhn_place_result result;

	(void)state;
	play.stuck = 3;
	assert_int_equal(place(1, false, &result), 0);
	assert_int_equal(result.pages_on[0], 3);
	assert_int_equal(result.pages_on[1], PAGES - 3);
	assert_string_equal(play.said, "");
	result.thp_bytes = 0;
	assert_text(&result, "10000 KiB in 2500 pages of 4 KiB, 3 on node 0 and 2497 on node 1, in"
			     " memory, not locked");
	play.asked = 0;
	assert_int_equal(place(1, true, &result), -EXDEV);
	assert_string_equal(play.said, "Of 2500 pages 2497 are on node 1, and all were to be; free"
				       " memory there, or stop who else has mapped them.");
	assert_int_equal(result.pages_on[0], 3);
}

static void
forbidden_placing_is_told(void **state)
{
	struct nhn_place_result result;

	(void)state;
	play.mbind_error = EPERM;
	assert_int_equal(place(1, false, &result), -EPERM);
	assert_string_equal(play.said,
			    "10240000 bytes cannot be placed on node 1 (Operation not permitted:"
			    " mbind); in a container allow it by CAP_SYS_NICE.");
	assert_false(result.bound);
	/* With one node there is nothing to be placed. */
	numa_bitmask_clearbit(numa_all_nodes_ptr, 1);
	play.move_pages_error = EPERM;
	assert_int_equal(place(0, true, &result), 0);
	assert_int_equal(result.nodes, 1);
	assert_false(result.bound || result.verified);
	assert_true(result.populated);
	result.thp_bytes = 0;
	assert_text(&result, "10000 KiB in 2500 pages of 4 KiB, one node, in memory, not locked");
	assert_int_equal(place(1, false, &result), -ENODEV);
	assert_string_equal(play.said,
			    "Memory on node 1 was asked for, and this process may use none"
			    " there (1 node may be used); choose a node of Mems_allowed in"
			    " /proc/self/status.");
}

static void
unknown_nodes_are_told(void **state)
{
	struct nhn_place_result result;

	(void)state;
	play.move_pages_error = EPERM;
	assert_int_equal(place(1, false, &result), 0);
	assert_false(result.verified);
	assert_true(result.bound);
	assert_int_equal(result.pages_on[0] + result.pages_on[1] + result.pages_absent, 0);
	result.thp_bytes = 0;
	assert_text(&result,
		    "10000 KiB in 2500 pages of 4 KiB, nodes unknown (move_pages failed), in"
		    " memory, not locked");
	assert_int_equal(place(1, true, &result), -EXDEV);
}

static void
special_memory_is_described(void **state)
{
	struct nhn_place_result result = {.nodes = 2, .length = 1 << 20, .device = true};

	(void)state;
	assert_text(&result, "1 MiB of a device, which have no node here");
	result = (struct nhn_place_result){
		.nodes = 2,
		.length = 3 * PAGE,
		.page_bytes = PAGE,
		.pages = 3,
		.pages_elsewhere = 2,
		.pages_absent = 1,
		.verified = true,
	};
	assert_text(&result, "12 KiB in 3 pages of 4 KiB, 2 on nodes from 64 on, 1 not in memory,"
			     " not locked");
	assert_int_equal(nhn_place(play.base, LENGTH, NULL, &result), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_are_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(without_rights_own_pages_are_moved, setup,
						teardown),
		cmocka_unit_test_setup_teardown(pages_that_stay_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(forbidden_placing_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(special_memory_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_nodes_are_told, setup, teardown),
	};

	return cmocka_run_group_tests_name("topo_nodes", tests, NULL, NULL);
}
