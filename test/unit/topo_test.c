/* SPDX-License-Identifier: BSD-3-Clause */

#include <sched.h>
#include <sys/syscall.h>

#include <hwloc.h>

#include "topo_rig.h"

static void
machine_is_counted(void **state)
{
	struct topo_rig *rig = *state;
	const struct nhn_topo *topo = &rig->topo;

	assert_int_equal(rig_open(rig, TWO_SOCKETS, "2-3,9\n", NULL), 0);
	assert_int_equal(topo->packages, 2);
	assert_int_equal(topo->nodes, 2);
	assert_int_equal(topo->l3s, 4);
	assert_int_equal(topo->cores, 16);
	assert_int_equal(topo->cpus, 32);
	assert_false(topo->this_machine);
	assert_string_equal(topo->isolated, "2-3,9");
	assert_string_equal(topo->nohz_full, "");
	assert_int_equal(rig->sentences, 0);
	for (unsigned int i = 0; i < topo->cpus; i++) {
		const struct nhn_topo_cpu *cpu = nhn_topo_core(topo, (int)i);

		assert_ptr_equal(cpu, &topo->cpu[i]);
		assert_int_equal(cpu->cpu, i);
		assert_int_equal(cpu->core, i / 2);
		assert_int_equal(cpu->l2, i / 4);
		assert_int_equal(cpu->l3, i / 8);
		assert_int_equal(cpu->node, i / 16);
		assert_int_equal(cpu->package, i / 16);
		assert_int_equal(cpu->l2_bytes, 1 << 20);
		assert_int_equal(cpu->l3_bytes, 16 << 20);
		assert_int_equal(cpu->sibling_count, 1);
		assert_int_equal(cpu->siblings[0], i ^ 1);
		assert_int_equal(cpu->isolated, i == 2 || i == 3 || i == 9);
		assert_false(cpu->nohz_full);
		assert_true(cpu->allowed);
	}
	assert_null(nhn_topo_core(topo, 32));
	assert_null(nhn_topo_core(topo, -1));
}

/* As Intel numbers them: the second threads after all the first ones. */
static void
numbers_may_be_interleaved(void **state)
{
	struct topo_rig *rig = *state;
	const struct nhn_topo *topo = &rig->topo;

	assert_int_equal(
		rig_open(rig, "pack:2 [numa] core:2 pu:2(indexes=0,4,2,6,1,5,3,7)", NULL, NULL), 0);
	assert_int_equal(nhn_topo_core(topo, 6)->core, 1);
	assert_int_equal(nhn_topo_core(topo, 6)->siblings[0], 2);
	assert_int_equal(nhn_topo_core(topo, 6)->package, 0);
	assert_int_equal(nhn_topo_core(topo, 1)->package, 1);
	assert_int_equal(nhn_topo_core(topo, 1)->l2, -1);
	assert_int_equal(nhn_topo_core(topo, 1)->l3, -1);
	assert_int_equal(nhn_topo_core(topo, 1)->l3_bytes, 0);
	assert_int_equal(nhn_topo_distance(topo, 0, 4), NHN_TOPO_SMT);
	/* Caches that are not known are not shared. */
	assert_int_equal(nhn_topo_distance(topo, 0, 2), NHN_TOPO_NODE);
	assert_int_equal(nhn_topo_distance(topo, 0, 1), NHN_TOPO_FAR);
}

static void
many_siblings_are_counted(void **state)
{
	struct topo_rig *rig = *state;

	assert_int_equal(rig_open(rig, "core:2 pu:9", NULL, NULL), 0);
	assert_int_equal(rig->topo.cpu[3].sibling_count, 8);
	assert_int_equal(rig->topo.cpu[3].siblings[3], 4);
	assert_int_equal(rig->topo.cpu[3].siblings[6], 7);
	assert_int_equal(rig->topo.packages, 1);
	assert_int_equal(rig->topo.l3s, 0);
}

static void
distances_have_names(void **state)
{
	static const struct {
		int a, b;
		enum nhn_topo_distance distance;
		const char *name;
	} pairs[] = {
		{5, 5, NHN_TOPO_SAME, "are one core"},
		{0, 1, NHN_TOPO_SMT, "are SMT siblings"},
		{0, 2, NHN_TOPO_L2, "share L2"},
		{7, 0, NHN_TOPO_L3, "share L3"},
		{0, 8, NHN_TOPO_NODE, "share a node"},
		{16, 15, NHN_TOPO_FAR, "share the machine only"},
		{0, 32, NHN_TOPO_FAR, "share the machine only"},
	};
	struct topo_rig *rig = *state;

	assert_int_equal(rig_open(rig, TWO_SOCKETS, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(nhn_topo_distance(&rig->topo, pairs[i].a, pairs[i].b),
				 pairs[i].distance);
		assert_int_equal(nhn_topo_distance(&rig->topo, pairs[i].b, pairs[i].a),
				 pairs[i].distance);
		assert_string_equal(nhn_topo_distance_name(pairs[i].distance), pairs[i].name);
	}
	/* A package of two nodes. */
	assert_int_equal(rig_open(rig, "pack:2 die:2 [numa] l3:1 core:2 pu:1", NULL, NULL), 0);
	assert_int_equal(nhn_topo_distance(&rig->topo, 0, 1), NHN_TOPO_L3);
	assert_int_equal(nhn_topo_distance(&rig->topo, 1, 2), NHN_TOPO_PACKAGE);
	assert_int_equal(nhn_topo_distance(&rig->topo, 3, 4), NHN_TOPO_FAR);
	assert_string_equal(nhn_topo_distance_name(NHN_TOPO_PACKAGE), "share a package");
	assert_string_equal(nhn_topo_distance_name((enum nhn_topo_distance)99), "unknown");
}

static void
cores_are_described(void **state)
{
	static const struct {
		int cpus[4];
		unsigned int count;
		int rc;
		const char *text;
	} lines[] = {
		{{2, 3},
		 2,
		 0,
		 "cores 2 and 3: one package, share L3 (32 MiB), no SMT siblings of"
		 " each other, isolated: no"},
		{{1}, 1, 0, "core 1: package 0, L3 (32 MiB), SMT siblings: none, isolated: no"},
		{{0, 4, 6},
		 3,
		 0,
		 "cores 0, 4 and 6: one package, share L3 (32 MiB), no SMT siblings"
		 " of each other, isolated: only 4 and 6"},
		{{4, 6},
		 2,
		 0,
		 "cores 4 and 6: one package, share L3 (32 MiB), no SMT siblings of"
		 " each other, isolated: yes"},
		{{1, 2, 1},
		 3,
		 0,
		 "cores 1, 2 and 1: one package, share L3 (32 MiB), core 1 twice,"
		 " isolated: no"},
		{{1, 8}, 2, -ENOENT, "there is no core 8 among the 8 of this machine"},
		{{1}, 0, -EINVAL, "no cores were named, and one at least was expected"},
	};
	struct topo_rig *rig = *state;
	char text[NHN_TOPO_TEXT_MAX], little[12];
	const int pair[] = {17, 16}, far[] = {7, 16};

	assert_int_equal(rig_open(rig, "l3:1(size=33554432) core:8 pu:1", "4,6", NULL), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(nhn_topo_text(&rig->topo, lines[i].cpus, lines[i].count, text,
					       sizeof(text)),
				 lines[i].rc);
		assert_string_equal(text, lines[i].text);
	}
	assert_int_equal(nhn_topo_text(&rig->topo, lines[0].cpus, 2, little, sizeof(little)), 0);
	assert_string_equal(little, "cores 2 and");
	assert_int_equal(nhn_topo_text(&rig->topo, lines[0].cpus, 2, NULL, 0), 0);

	assert_int_equal(rig_open(rig, TWO_SOCKETS, NULL, NULL), 0);
	assert_int_equal(nhn_topo_text(&rig->topo, pair, 2, text, sizeof(text)), 0);
	assert_string_equal(text, "cores 17 and 16: one package, node 1, share L2 (1 MiB), SMT"
				  " siblings of each other: 17 and 16, isolated: no");
	assert_int_equal(nhn_topo_text(&rig->topo, pair, 1, text, sizeof(text)), 0);
	assert_string_equal(text, "core 17: package 1, node 1, L3 (16 MiB), SMT siblings: 16,"
				  " isolated: no");
	assert_int_equal(nhn_topo_text(&rig->topo, far, 2, text, sizeof(text)), 0);
	assert_string_equal(text, "cores 7 and 16: 2 packages, 2 nodes, share no L2 or L3, no SMT"
				  " siblings of each other, isolated: no");
}

/* The second node of a package, such as one of fast memory; and one of the machine. */
static void
nearest_of_several_nodes_counts(void **state)
{
	struct topo_rig *rig = *state;

	assert_int_equal(rig_open(rig, "[numa] pack:2 [numa] [numa] core:2 pu:1", NULL, NULL), 0);
	assert_int_equal(rig->topo.nodes, 5);
	assert_int_equal(rig->topo.cpu[0].node, 0);
	assert_int_equal(rig->topo.cpu[2].node, 2);
	assert_int_equal(nhn_topo_distance(&rig->topo, 0, 2), NHN_TOPO_FAR);
}

/* Packages of 4 and 1 cores on nodes of 8 and 1 GiB, as lstopo writes them. */
static void
asymmetric_machine_is_read_from_file(void **state)
{
	struct topo_rig *rig = *state;
	char path[100];
	struct nhn_topo_config config = {.xml = path, .log = rig_hear, .log_context = rig};
	hwloc_bitmap_t keep = hwloc_bitmap_alloc();
	hwloc_topology_t hwloc;

	assert_int_equal(hwloc_topology_init(&hwloc), 0);
	assert_int_equal(hwloc_topology_set_synthetic(hwloc, "pack:2 [numa] l3:1 core:4 pu:1"), 0);
	assert_int_equal(hwloc_topology_load(hwloc), 0);
	hwloc_bitmap_set_range(keep, 0, 4);
	assert_int_equal(hwloc_topology_restrict(hwloc, keep, 0), 0);
	snprintf(path, sizeof(path), "%s/machine.xml", rig->root);
	assert_int_equal(hwloc_topology_export_xml(hwloc, path, 0), 0);
	hwloc_topology_destroy(hwloc);
	hwloc_bitmap_free(keep);

	assert_int_equal(nhn_topo_open(&rig->topo, &config), 0);
	assert_int_equal(rig->topo.cpus, 5);
	assert_int_equal(rig->topo.packages, 2);
	assert_int_equal(rig->topo.nodes, 2);
	assert_int_equal(rig->topo.cpu[3].node, 0);
	assert_int_equal(rig->topo.cpu[4].cpu, 4);
	assert_int_equal(rig->topo.cpu[4].node, 1);
	assert_int_equal(rig->topo.cpu[4].l3, 1);
	assert_true(rig->topo.cpu[4].allowed);
	assert_false(rig->topo.this_machine);
	assert_null(rig->topo.root);
}

static void
bad_descriptions_are_refused(void **state)
{
	struct topo_rig *rig = *state;
	char path[100];
	struct nhn_topo_config config = {.log = rig_hear, .log_context = rig};

	assert_int_equal(rig_open(rig, "pack:two", NULL, NULL), -EINVAL);
	assert_string_equal(rig->said,
			    "\"pack:two\" describes no machine, and a text such as \"pack:2 [numa]"
			    " l3:2 core:4 pu:2\" was expected; see hwloc's manual, Synthetic"
			    " topologies.");
	assert_int_equal(rig->sentences, 1);
	assert_null(rig->topo.cpu);
	snprintf(path, sizeof(path), "%s/none.xml", rig->root);
	config.xml = path;
	assert_int_equal(nhn_topo_open(&rig->topo, &config), -ENOENT);
	assert_non_null(strstr(rig->said, "none.xml: there is no such file;"));
	rig_write(rig, "none.xml", "<topology>\n<object type=\"Machine\"");
	assert_int_equal(nhn_topo_open(&rig->topo, &config), -EINVAL);
	assert_non_null(strstr(rig->said, "none.xml: "));
	assert_non_null(strstr(rig->said, "write one by lstopo FILE.xml."));
	config.synthetic = "core:2 pu:1";
	assert_int_equal(nhn_topo_open(&rig->topo, &config), -EINVAL);
	assert_non_null(strstr(rig->said, "at once, and one was expected"));
	assert_int_equal(nhn_topo_open(NULL, &config), -EINVAL);
}

static void
lists_are_read_as_the_kernel_writes_them(void **state)
{
	static const struct {
		const char *isolated, *normal;
	} good[] = {{"\n", ""},		{"", ""},	   {"1\n", "1"},
		    {"0,2-3", "0,2-3"}, {" (null)\n", ""}, {"3,1,2\n", "1-3"}};
	static const char *const bad[] = {"a\n",     "1-\n",	"-1\n",		  "1,\n",
					  ",1\n",    "3-1\n",	"1 2\n",	  "0x1\n",
					  "1-2-3\n", "65536\n", "0-99999999999\n"};
	struct topo_rig *rig = *state;
	char sentence[100];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(rig_open(rig, "core:4 pu:1", good[i].isolated, NULL), 0);
		assert_string_equal(rig->topo.isolated, good[i].normal);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (rig_open(rig, "core:4 pu:1", bad[i], NULL) != -EINVAL)
			fail_msg("\"%s\" was taken for a list", bad[i]);
		snprintf(sentence, sizeof(sentence), "isolated: \"%.*s\" is no list of cores",
			 (int)strcspn(bad[i], "\n"), bad[i]);
		assert_non_null(strstr(rig->said, sentence));
		assert_int_equal(rig->sentences, 1);
	}
	assert_int_equal(rig_open(rig, "core:4 pu:1", NULL, "0-x"), -EINVAL);
	assert_string_equal(rig->said,
			    "\"0-x\" is no list of allowed cores; write one such as 2-3,5.");
	assert_int_equal(rig_open(rig, "core:4 pu:1", NULL, "1,3-9"), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(rig->topo.cpu[i].allowed, i == 1 || i == 3);
	rig_write(rig, "sys/devices/system/cpu/nohz_full", "2-3\n");
	assert_int_equal(rig_open(rig, "core:4 pu:1", NULL, NULL), 0);
	assert_string_equal(rig->topo.nohz_full, "2-3");
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(rig->topo.cpu[i].nohz_full, i >= 2);
}

static unsigned int moves;

/* In the place of the C library's, for hwloc too. */
int
sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	moves++;
	return (int)syscall(SYS_sched_setaffinity, pid, size, set);
}

static void
this_machine_is_left_as_it_is(void **state)
{
	struct topo_rig *rig = *state;
	cpu_set_t before, after;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	moves = 0;
	assert_int_equal(nhn_topo_open(&rig->topo, NULL), 0);
	assert_int_equal(moves, 0);
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_true(CPU_EQUAL(&before, &after));
	assert_true(rig->topo.this_machine);
	assert_int_equal(rig->topo.cpus, sysconf(_SC_NPROCESSORS_ONLN));
	assert_string_equal(rig->topo.root, "/");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &before))
			assert_true(nhn_topo_core(&rig->topo, cpu)->allowed);
	nhn_topo_close(&rig->topo);
	assert_int_equal(rig->topo.cpus, 0);
	nhn_topo_close(&rig->topo);
	nhn_topo_close(NULL);
}

/* Open this machine, with this list of isolated cores; is its last core allowed? */
static bool
last_is_allowed(struct topo_rig *rig, const char *isolated)
{
	assert_int_equal(rig_open(rig, NULL, isolated, NULL), 0);
	assert_true(rig->topo.cpu[0].allowed);
	return rig->topo.cpu[rig->topo.cpus - 1].allowed;
}

/* An affinity that lacks only what is isolated says nothing about what is wanted. */
static void
affinity_allows(void **state)
{
	struct topo_rig *rig = *state;
	char first[16], others[4096] = "", *end = others;
	cpu_set_t before, one;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(rig_open(rig, NULL, NULL, NULL), 0);
	if (rig->topo.cpus < 2 || CPU_COUNT(&before) != (int)rig->topo.cpus)
		skip(); /* there is nothing to be taken away */
	CPU_ZERO(&one);
	CPU_SET((size_t)rig->topo.cpu[0].cpu, &one);
	snprintf(first, sizeof(first), "%d", rig->topo.cpu[0].cpu);
	for (unsigned int i = 1; i < rig->topo.cpus && end < others + 4000; i++)
		end += sprintf(end, "%s%d", i == 1 ? "" : ",", rig->topo.cpu[i].cpu);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_false(last_is_allowed(rig, "\n"));
	assert_true(last_is_allowed(rig, others));
	assert_true(rig->topo.cpu[1].isolated);
	/* Who is on an isolated core only was put there. */
	assert_false(last_is_allowed(rig, first));
	strcat(strcat(others, ","), first);
	assert_false(last_is_allowed(rig, others));
	/* It says nothing of another machine. */
	assert_int_equal(rig_open(rig, TWO_SOCKETS, NULL, NULL), 0);
	assert_true(rig->topo.cpu[1].allowed);
	assert_true(rig->topo.cpu[31].allowed);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(machine_is_counted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(numbers_may_be_interleaved, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(many_siblings_are_counted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(distances_have_names, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(cores_are_described, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(nearest_of_several_nodes_counts, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(asymmetric_machine_is_read_from_file, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(bad_descriptions_are_refused, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(lists_are_read_as_the_kernel_writes_them, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(this_machine_is_left_as_it_is, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(affinity_allows, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("topo", tests, NULL, NULL);
}
