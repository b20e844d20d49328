/* SPDX-License-Identifier: BSD-3-Clause */

#include "topo_rig.h"

#define DEVICE "sys/bus/pci/devices/0000:00:03.0/"

/* A machine of two nodes with an ivshmem device at the second, as lstopo writes it. */
static const char machine[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
	"<topology version=\"2.0\">\n"
	"<object type=\"Machine\" os_index=\"0\" cpuset=\"0x3\" complete_cpuset=\"0x3\""
	" allowed_cpuset=\"0x3\" nodeset=\"0x3\" complete_nodeset=\"0x3\" allowed_nodeset=\"0x3\""
	" gp_index=\"1\">\n"
	"<object type=\"Package\" os_index=\"0\" cpuset=\"0x1\" complete_cpuset=\"0x1\""
	" nodeset=\"0x1\" complete_nodeset=\"0x1\" gp_index=\"2\">\n"
	"<object type=\"NUMANode\" os_index=\"0\" cpuset=\"0x1\" complete_cpuset=\"0x1\""
	" nodeset=\"0x1\" complete_nodeset=\"0x1\" gp_index=\"3\" local_memory=\"1073741824\"/>\n"
	"<object type=\"PU\" os_index=\"0\" cpuset=\"0x1\" complete_cpuset=\"0x1\" nodeset=\"0x1\""
	" complete_nodeset=\"0x1\" gp_index=\"4\"/>\n"
	"</object>\n"
	"<object type=\"Package\" os_index=\"1\" cpuset=\"0x2\" complete_cpuset=\"0x2\""
	" nodeset=\"0x2\" complete_nodeset=\"0x2\" gp_index=\"5\">\n"
	"<object type=\"NUMANode\" os_index=\"1\" cpuset=\"0x2\" complete_cpuset=\"0x2\""
	" nodeset=\"0x2\" complete_nodeset=\"0x2\" gp_index=\"6\" local_memory=\"1073741824\"/>\n"
	"<object type=\"PU\" os_index=\"1\" cpuset=\"0x2\" complete_cpuset=\"0x2\" nodeset=\"0x2\""
	" complete_nodeset=\"0x2\" gp_index=\"7\"/>\n"
	"<object type=\"Bridge\" gp_index=\"8\" bridge_type=\"0-1\" depth=\"0\""
	" bridge_pci=\"0000:[80-80]\">\n"
	"<object type=\"PCIDev\" gp_index=\"9\" pci_busid=\"0000:80:03.0\""
	" pci_type=\"0500 [1af4:1110] [1af4:1100] 01\" pci_link_speed=\"0.000000\"/>\n"
	"</object>\n"
	"</object>\n"
	"</object>\n"
	"</topology>\n";

static void
kernel_tells_the_node(void **state)
{
	struct topo_rig *rig = *state;
	int node = 7;

	assert_int_equal(rig_open(rig, TWO_SOCKETS, NULL, NULL), 0);
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:03.0", &node), -ENOENT);
	assert_int_equal(node, -1);
	rig_write(rig, DEVICE "numa_node", "1\n");
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:03.0", &node), 0);
	assert_int_equal(node, 1);
	node = 7;
	assert_int_equal(nhn_topo_device_node(&rig->topo, "00:03.0", &node), 0);
	assert_int_equal(node, 1);
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:03.1", &node), -ENOENT);
	assert_int_equal(node, -1);
	rig_write(rig, DEVICE "numa_node", "-1\n");
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:03.0", &node), 0);
	assert_int_equal(node, -1);
	rig_write(rig, DEVICE "numa_node", "left\n");
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:03.0", &node), -EIO);
	assert_int_equal(node, -1);
}

static void
one_node_needs_no_telling(void **state)
{
	struct topo_rig *rig = *state;
	int node = 7;

	assert_int_equal(rig_open(rig, "core:2 pu:1", NULL, NULL), 0);
	rig_write(rig, DEVICE "numa_node", "-1\n");
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:03.0", &node), 0);
	assert_int_equal(node, 0);
	/* A kernel without NUMA has no such file. */
	rig_write(rig, "sys/bus/pci/devices/0001:0a:1f.7/vendor", "0x1af4\n");
	node = 7;
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0001:0A:1f.7", &node), 0);
	assert_int_equal(node, 0);
	assert_int_equal(nhn_topo_device_node(&rig->topo, "0000:00:04.0", &node), -ENOENT);
	assert_int_equal(node, -1);
}

static void
bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"00:03",
		"0000:00:03",
		"0000:00:20.0",
		"0000:00:03.8",
		"../00:03.0",
		"0000:00:03.0/",
		"0000:00:03.0 ",
		" 0000:00:03.0",
		"00000:00:03.0",
		"0000:000:03.0",
		"-000:00:03.0",
		"0x00:00:03.0",
		"0000:00:03.00",
		"0000:00:03.0.",
		"gggg:00:03.0",
		"00:03.00",
		"00:03.0.",
		"0000:0000:03.0",
		"03.0",
	};
	struct topo_rig *rig = *state;
	int node = 7;

	assert_int_equal(rig_open(rig, TWO_SOCKETS, NULL, NULL), 0);
	rig_write(rig, DEVICE "numa_node", "1\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (nhn_topo_device_node(&rig->topo, bad[i], &node) != -EINVAL || node != -1)
			fail_msg("\"%s\" was taken for an address", bad[i]);
	assert_int_equal(nhn_topo_device_node(&rig->topo, NULL, &node), -EINVAL);
}

static void
file_tells_the_node(void **state)
{
	struct topo_rig *rig = *state;
	char path[100];
	struct nhn_topo_config config = {.xml = path, .log = rig_hear, .log_context = rig};
	int node = 7;

	rig_write(rig, "machine.xml", machine);
	snprintf(path, sizeof(path), "%s/machine.xml", rig->root);
	assert_int_equal(nhn_topo_open(&rig->topo, &config), 0);
	assert_int_equal(nhn_topo_device_node(&rig->topo, "80:03.0", &node), 0);
	assert_int_equal(node, 1);
	assert_int_equal(nhn_topo_device_node(&rig->topo, "00:03.0", &node), -ENOENT);
	assert_int_equal(node, -1);
	nhn_topo_close(&rig->topo);
	/* A machine out of a text has none. */
	config = (struct nhn_topo_config){.synthetic = "core:2 pu:1"};
	assert_int_equal(nhn_topo_open(&rig->topo, &config), 0);
	assert_int_equal(nhn_topo_device_node(&rig->topo, "80:03.0", &node), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kernel_tells_the_node, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(one_node_needs_no_telling, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(bad_addresses_are_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(file_tells_the_node, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("topo_device", tests, NULL, NULL);
}
