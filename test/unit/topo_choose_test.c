/* SPDX-License-Identifier: BSD-3-Clause */

#include <hwloc.h>

#include "topo_rig.h"

/* As TWO_SOCKETS without SMT: 16 cores, L2 by pairs, L3 by fours. */
#define NO_SMT "pack:2 [numa(memory=8GB)] l3:2(size=16777216) l2:2(size=1048576) core:2 pu:1"

#define MOST 8

/* A wish, and what has to come of it. */
struct choice {
	const char *machine, *isolated, *allowed;
	struct nhn_topo_wish wish;
	int rc;
	int cpus[MOST];
	const char *sentence;
};

static void
check_choice(struct topo_rig *rig, const struct choice *choice)
{
	char sentence[NHN_TOPO_TEXT_MAX] = "";
	int cpus[MOST] = {-9, -9, -9, -9, -9, -9, -9, -9};
	int rc;

	if (choice->machine != NULL)
		assert_int_equal(rig_open(rig, choice->machine, choice->isolated, choice->allowed),
				 0);
	rc = nhn_topo_choose(&rig->topo, &choice->wish, cpus, sentence, sizeof(sentence));
	assert_string_equal(sentence, choice->sentence);
	assert_int_equal(rc, choice->rc);
	for (unsigned int i = 0; i < MOST; i++)
		assert_int_equal(cpus[i], rc == 0 && i < choice->wish.count ? choice->cpus[i] : -9);
}

#define CHECK_ALL(rig, choices)                                                                    \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < sizeof(choices) / sizeof((choices)[0]); i_++)             \
			check_choice(rig, &(choices)[i_]);                                         \
	} while (0)

static void
near_cores_are_preferred(void **state)
{
	static const struct choice choices[] = {
		/* Without CPU 0, where there is another pair that is as good. */
		{.machine = NO_SMT,
		 .wish = {.count = 2, .node = -1},
		 .cpus = {2, 3},
		 .sentence = "cores 2 and 3: one package, node 0, share L2 (1 MiB), no SMT siblings"
			     " of each other, isolated: no; relaxed: isolated (0 of 2; the kernel"
			     " isolates none)"},
		{.machine = NO_SMT,
		 .wish = {.count = 1, .node = -1},
		 .cpus = {1},
		 .sentence = "core 1: package 0, node 0, L3 (16 MiB), SMT siblings: none, isolated:"
			     " no; relaxed: isolated (0 of 1; the kernel isolates none)"},
		/* Four of one L3, of which each has CPU 0's but the second. */
		{.machine = NO_SMT,
		 .wish = {.count = 4, .node = -1},
		 .cpus = {4, 5, 6, 7},
		 .sentence = "cores 4, 5, 6 and 7: one package, node 0, share L3 (16 MiB), no SMT"
			     " siblings of each other, isolated: no; relaxed: isolated (0 of 4; the"
			     " kernel isolates none)"},
		/* More than an L3 has: one of them full, the others as near to each other. */
		{.machine = NO_SMT,
		 .wish = {.count = 6, .node = 1},
		 .cpus = {8, 9, 10, 11, 12, 13},
		 .sentence =
			 "cores 8, 9, 10, 11, 12 and 13: one package, node 1, share no L2 or"
			 " L3, no SMT siblings of each other, isolated: no; relaxed: isolated (0"
			 " of 6; the kernel isolates none), one L3 (4 of 6 share that of core"
			 " 8)"},
		/* Nothing is shared but the machine. */
		{.machine = "core:4 pu:1",
		 .wish = {.count = 2, .node = 0},
		 .cpus = {1, 2},
		 .sentence =
			 "cores 1 and 2: one package, share no L2 or L3, no SMT siblings of each"
			 " other, isolated: no; relaxed: isolated (0 of 2; the kernel isolates"
			 " none), one L3 (none is known)"},
		/* As few L3 as can be. */
		{.machine = "l3:3 core:4 pu:1",
		 .allowed = "1-2,5-6,8-10",
		 .wish = {.count = 5, .node = -1},
		 .cpus = {1, 2, 8, 9, 10},
		 .sentence = "cores 1, 2, 8, 9 and 10: one package, share no L2 or L3, no SMT"
			     " siblings of each other, isolated: no; relaxed: isolated (0 of 5; the"
			     " kernel isolates none), one L3 (2 of 5 share that of core 1)"},
		{.machine = NO_SMT,
		 .allowed = "1,9",
		 .wish = {.count = 2, .node = 1},
		 .cpus = {1, 9},
		 .sentence =
			 "cores 1 and 9: 2 packages, 2 nodes, share no L2 or L3, no SMT siblings"
			 " of each other, isolated: no; relaxed: isolated (0 of 2; the kernel"
			 " isolates none), one L3 (1 of 2 share that of core 1), node 1 (1 of 2"
			 " on it)"},
	};

	CHECK_ALL(*state, choices);
}

static void
isolation_comes_first(void **state)
{
	static const struct choice choices[] = {
		{.machine = NO_SMT,
		 .isolated = "5,7,13\n",
		 .wish = {.count = 2, .node = 1},
		 .cpus = {5, 7},
		 .sentence =
			 "cores 5 and 7: one package, node 0, share L3 (16 MiB), no SMT siblings"
			 " of each other, isolated: yes; relaxed: node 1 (0 of 2 on it)"},
		/* All that are isolated, and one that is near to most. */
		{.machine = NO_SMT,
		 .isolated = "5,7\n",
		 .wish = {.count = 3, .node = 0},
		 .cpus = {4, 5, 7},
		 .sentence = "cores 4, 5 and 7: one package, node 0, share L3 (16 MiB), no SMT"
			     " siblings of each other, isolated: only 5 and 7; relaxed: isolated (2"
			     " of 3; the kernel isolates 5,7)"},
		{.machine = NO_SMT,
		 .isolated = "5,12\n",
		 .wish = {.count = 2, .require = NHN_TOPO_ISOLATED, .node = -1},
		 .cpus = {5, 12},
		 .sentence = "cores 5 and 12: 2 packages, 2 nodes, share no L2 or L3, no SMT"
			     " siblings of each other, isolated: yes; relaxed: one L3 (1 of 2 share"
			     " that of core 5)"},
		/* One L3 is required, so isolation has to yield. */
		{.machine = NO_SMT,
		 .isolated = "5,12\n",
		 .wish = {.count = 2, .require = NHN_TOPO_ONE_L3, .node = -1},
		 .cpus = {4, 5},
		 .sentence = "cores 4 and 5: one package, node 0, share L2 (1 MiB), no SMT siblings"
			     " of each other, isolated: only 5; relaxed: isolated (1 of 2; the"
			     " kernel isolates 5,12)"},
		{.machine = TWO_SOCKETS,
		 .isolated = "20-23\n",
		 .wish = {.count = 2,
			  .require = NHN_TOPO_ISOLATED | NHN_TOPO_NO_SIBLINGS | NHN_TOPO_ONE_L3 |
				     NHN_TOPO_ON_NODE,
			  .node = 1},
		 .cpus = {20, 22},
		 .sentence =
			 "cores 20 and 22: one package, node 1, share L2 (1 MiB), no SMT siblings"
			 " of each other, isolated: yes; nothing relaxed"},
	};

	CHECK_ALL(*state, choices);
}

static void
siblings_are_avoided(void **state)
{
	static const struct choice choices[] = {
		/* The sibling of 4 and of 6 belongs to the scheduler, those of 10 and 12 not. */
		{.machine = TWO_SOCKETS,
		 .isolated = "4,6,10-13\n",
		 .wish = {.count = 2, .node = -1},
		 .cpus = {10, 12},
		 .sentence = "cores 10 and 12: one package, node 0, share L3 (16 MiB), no SMT"
			     " siblings of each other, isolated: yes; nothing relaxed"},
		/* A core that is busy makes its sibling the last choice. */
		{.machine = TWO_SOCKETS,
		 .isolated = "4-7,30\n",
		 .wish = {.count = 2, .node = -1, .busy = "5"},
		 .cpus = {6, 30},
		 .sentence =
			 "cores 6 and 30: 2 packages, 2 nodes, share no L2 or L3, no SMT siblings"
			 " of each other, isolated: yes; relaxed: no sibling for the scheduler (1"
			 " of 2 have one), one L3 (1 of 2 share that of core 6)"},
		/* More than there are physical cores. */
		{.machine = "core:2 pu:2",
		 .isolated = "0-3\n",
		 .wish = {.count = 3, .node = -1},
		 .cpus = {0, 2, 3},
		 .sentence =
			 "cores 0, 2 and 3: one package, share no L2 or L3, SMT siblings of each"
			 " other: 2 and 3, isolated: yes; relaxed: no sibling chosen or busy (2"
			 " of 3 have one), one L3 (none is known)"},
		/* Isolated siblings before what the scheduler uses, unless it is forbidden. */
		{.machine = "core:4 pu:2",
		 .isolated = "4-5\n",
		 .wish = {.count = 2, .node = -1},
		 .cpus = {4, 5},
		 .sentence = "cores 4 and 5: one package, share no L2 or L3, SMT siblings of each"
			     " other: 4 and 5, isolated: yes; relaxed: no sibling chosen or busy (2"
			     " of 2 have one)"},
		{.machine = "core:4 pu:2",
		 .isolated = "4-5\n",
		 .wish = {.count = 2, .require = NHN_TOPO_NO_SIBLINGS, .node = -1},
		 .cpus = {2, 4},
		 .sentence =
			 "cores 2 and 4: one package, share no L2 or L3, no SMT siblings of each"
			 " other, isolated: only 4; relaxed: isolated (1 of 2; the kernel"
			 " isolates 4-5), no sibling for the scheduler (1 of 2 have one), one L3"
			 " (none is known)"},
	};

	CHECK_ALL(*state, choices);
}

static void
refusals_name_what_fails(void **state)
{
	static const struct choice choices[] = {
		{.machine = TWO_SOCKETS,
		 .isolated = "4-7,30\n",
		 .allowed = "4-9",
		 .wish = {.count = 6, .node = -1, .busy = "4"},
		 .rc = -ENOENT,
		 .sentence = "6 cores were asked for, and 5 (5-9) of 32 are allowed and not busy;"
			     " widen the affinity or the cpuset, or ask for fewer."},
		{.wish = {.count = 4, .require = NHN_TOPO_ISOLATED, .node = -1, .busy = "4"},
		 .rc = -ENOENT,
		 .sentence =
			 "4 cores were asked for, and 5 (5-9) of 32 are allowed and not busy, of"
			 " these 3 (5-7) isolated; boot with isolcpus=, ask for fewer, or do not"
			 " require isolation."},
		{.wish = {.count = 1, .require = NHN_TOPO_ISOLATED | NHN_TOPO_ON_NODE, .node = 1},
		 .rc = -ENOENT,
		 .sentence = "1 core was asked for, and 6 (4-9) of 32 are allowed and not busy, of"
			     " these 4 (4-7) isolated, of these 0 (none) on node 1; choose another"
			     " node, ask for fewer, or do not require the node."},
		{.wish = {.count = 3, .require = NHN_TOPO_NO_SIBLINGS, .node = -1, .busy = "5"},
		 .rc = -ENOENT,
		 .sentence = "3 cores were asked for, and 5 (4,6-9) of 32 are allowed and not busy,"
			     " of these 2 without an SMT sibling chosen or busy; ask for fewer, or"
			     " do not require it of SMT siblings."},
		{.wish = {.count = 5, .require = NHN_TOPO_ONE_L3, .node = -1},
		 .rc = -ENOENT,
		 .sentence =
			 "5 cores were asked for, and 6 (4-9) of 32 are allowed and not busy, of"
			 " these at most 4 share one L3; ask for fewer, or do not require one"
			 " L3."},
		/* Caches that are not known are no shared one. */
		{.machine = "core:2 pu:1",
		 .wish = {.count = 1, .require = NHN_TOPO_ONE_L3, .node = -1},
		 .rc = -ENOENT,
		 .sentence = "1 core was asked for, and 2 (0-1) of 2 are allowed and not busy, of"
			     " these at most 0 share one L3; ask for fewer, or do not require one"
			     " L3."},
		{.wish = {.count = 1, .node = 3},
		 .rc = -ENOENT,
		 .sentence = "Node 3 was asked for, and the machine has node 0; name one of these,"
			     " or none (-1)."},
		{.wish = {.count = 1, .require = NHN_TOPO_ON_NODE, .node = -1},
		 .rc = -EINVAL,
		 .sentence = "The cores' node was required, and no node was named; name one, or do"
			     " not require it."},
		{.wish = {.count = 1, .require = 16, .node = -1},
		 .rc = -EINVAL,
		 .sentence = "The requirements 0x10 are not all of enum nhn_topo_require."},
		{.wish = {.node = -1},
		 .rc = -EINVAL,
		 .sentence = "0 cores were asked for, and 1 to 128 were expected."},
		{.wish = {.count = 129, .node = -1},
		 .rc = -EINVAL,
		 .sentence = "129 cores were asked for, and 1 to 128 were expected."},
		{.wish = {.count = 1, .node = -1, .busy = "1;2"},
		 .rc = -EINVAL,
		 .sentence = "\"1;2\" is no list of busy cores; write one such as 2-3,5."},
	};

	CHECK_ALL(*state, choices);
	nhn_topo_close(&((struct topo_rig *)*state)->topo);
	check_choice(
		*state,
		&(struct choice){.wish = {.count = 1},
				 .rc = -EINVAL,
				 .sentence = "No machine was looked at; open the topology first."});
}

/*
 * Three nodes, and from the first the way to the third is shorter than to the
 * second, which is not so in the other direction.
 */
static void
open_with_table(struct topo_rig *rig)
{
	static hwloc_uint64_t table[] = {10, 30, 20, 12, 10, 40, 20, 15, 10};
	char path[100];
	const struct nhn_topo_config config = {.xml = path, .log = rig_hear, .log_context = rig};
	hwloc_distances_add_handle_t handle;
	hwloc_topology_t hwloc;
	hwloc_obj_t nodes[3];

	assert_int_equal(hwloc_topology_init(&hwloc), 0);
	assert_int_equal(hwloc_topology_set_synthetic(hwloc, "pack:3 [numa] l3:1 core:2 pu:1"), 0);
	assert_int_equal(hwloc_topology_load(hwloc), 0);
	for (unsigned int i = 0; i < 3; i++)
		nodes[i] = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, i);
	handle = hwloc_distances_add_create(
		hwloc, "NUMALatency",
		HWLOC_DISTANCES_KIND_FROM_USER | HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0);
	assert_non_null(handle);
	assert_int_equal(hwloc_distances_add_values(hwloc, handle, 3, nodes, table, 0), 0);
	assert_int_equal(hwloc_distances_add_commit(hwloc, handle, 0), 0);
	snprintf(path, sizeof(path), "%s/machine.xml", rig->root);
	assert_int_equal(hwloc_topology_export_xml(hwloc, path, 0), 0);
	hwloc_topology_destroy(hwloc);
	assert_int_equal(nhn_topo_open(&rig->topo, &config), 0);
}

static void
firmware_tells_which_node_is_near(void **state)
{
	static const struct choice choices[] = {
		/* Of the first two nodes the first is 20 from the third, the second 40. */
		{.wish = {.count = 2, .node = 2, .busy = "4-5"},
		 .cpus = {0, 1},
		 .sentence = "cores 0 and 1: one package, node 0, share L3 (16 MiB), no SMT "
			     "siblings of each"
			     " other, isolated: no; relaxed: isolated (0 of 2; the kernel isolates"
			     " none), node 2 (0 of 2 on it)"},
		{.wish = {.count = 2, .node = 1},
		 .cpus = {2, 3},
		 .sentence = "cores 2 and 3: one package, node 1, share L3 (16 MiB), no SMT "
			     "siblings of each"
			     " other, isolated: no; relaxed: isolated (0 of 2; the kernel isolates"
			     " none)"},
		{.wish = {.count = 2, .node = 0},
		 .cpus = {0, 1},
		 .sentence = "cores 0 and 1: one package, node 0, share L3 (16 MiB), no SMT "
			     "siblings of each"
			     " other, isolated: no; relaxed: isolated (0 of 2; the kernel isolates"
			     " none)"},
		/* Of all three, that are as far from each other. */
		{.wish = {.count = 2, .node = 1, .busy = "0,3,5"},
		 .cpus = {2, 4},
		 .sentence =
			 "cores 2 and 4: 2 packages, 2 nodes, share no L2 or L3, no SMT siblings"
			 " of each other, isolated: no; relaxed: isolated (0 of 2; the kernel"
			 " isolates none), one L3 (1 of 2 share that of core 2), node 1 (1 of 2"
			 " on it)"},
		/* Near each other comes before near the memory. */
		{.wish = {.count = 2, .node = 2, .busy = "0,4-5"},
		 .cpus = {2, 3},
		 .sentence = "cores 2 and 3: one package, node 1, share L3 (16 MiB), no SMT "
			     "siblings of each"
			     " other, isolated: no; relaxed: isolated (0 of 2; the kernel isolates"
			     " none), node 2 (0 of 2 on it)"},
	};

	open_with_table(*state);
	CHECK_ALL(*state, choices);
}

/* Against every set there is, by what the header says of their order. */
static bool
is_better(const struct nhn_topo *topo, const int *a, const int *b)
{
	unsigned int cost[2][4] = {0};

	for (unsigned int set = 0; set < 2; set++)
		for (unsigned int i = 0; i < 3; i++) {
			const int *cpus = set == 0 ? a : b;
			const struct nhn_topo_cpu *cpu = nhn_topo_core(topo, cpus[i]);

			cost[set][0] += !cpu->isolated;
			cost[set][2] += !nhn_topo_core(topo, cpu->siblings[0])->isolated;
			for (unsigned int j = 0; j < 3; j++) {
				const unsigned int distance =
					nhn_topo_distance(topo, cpus[i], cpus[j]);

				cost[set][1] += distance == NHN_TOPO_SMT;
				if (distance > cost[set][3])
					cost[set][3] = distance;
			}
		}
	for (unsigned int i = 0; i < 4; i++)
		if (cost[0][i] != cost[1][i])
			return cost[0][i] < cost[1][i];
	return false;
}

static void
no_set_is_better(void **state)
{
	struct topo_rig *rig = *state;
	const struct nhn_topo_wish wish = {.count = 3, .node = -1};
	uint32_t seed = 7;

	for (unsigned int round = 0; round < 60; round++) {
		char isolated[100] = "", *end = isolated;
		int chosen[3], other[3];

		for (unsigned int cpu = 0; cpu < 16; cpu++) {
			seed = seed * 1664525 + 1013904223;
			if (seed >> 28 < round % 12)
				end += sprintf(end, "%s%u", end == isolated ? "" : ",", cpu);
		}
		assert_int_equal(
			rig_open(rig, "pack:2 [numa] l3:2 l2:1 core:2 pu:2", isolated, NULL), 0);
		assert_int_equal(nhn_topo_choose(&rig->topo, &wish, chosen, NULL, 0), 0);
		for (other[0] = 0; other[0] < 16; other[0]++)
			for (other[1] = other[0] + 1; other[1] < 16; other[1]++)
				for (other[2] = other[1] + 1; other[2] < 16; other[2]++)
					if (is_better(&rig->topo, other, chosen))
						fail_msg("isolated %s: %d %d %d is better than"
							 " %d %d %d",
							 isolated, other[0], other[1], other[2],
							 chosen[0], chosen[1], chosen[2]);
	}
}

static void
large_machine_is_chosen_from(void **state)
{
	struct topo_rig *rig = *state;
	const struct nhn_topo_wish wish = {.count = NHN_TOPO_CHOICE_MAX,
					   .require = NHN_TOPO_NO_SIBLINGS | NHN_TOPO_ON_NODE,
					   .node = 1};
	int cpus[NHN_TOPO_CHOICE_MAX];

	assert_int_equal(rig_open(rig, "pack:2 [numa] l3:16 core:16 pu:2", NULL, NULL), 0);
	assert_int_equal(nhn_topo_choose(&rig->topo, &wish, cpus, NULL, 0), 0);
	/* 8 whole L3 of 16, each the first thread of its core. */
	for (int i = 0; i < NHN_TOPO_CHOICE_MAX; i++)
		assert_int_equal(cpus[i], 512 + 2 * i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(near_cores_are_preferred, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(isolation_comes_first, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(siblings_are_avoided, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(refusals_name_what_fails, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(firmware_tells_which_node_is_near, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(no_set_is_better, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(large_machine_is_chosen_from, rig_setup,
						rig_teardown),
	};

	return cmocka_run_group_tests_name("topo_choose", tests, NULL, NULL);
}
