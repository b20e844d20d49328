/* SPDX-License-Identifier: BSD-3-Clause */
/* The PMD's device arguments: what is taken, and what is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <rte_common.h>

#include <nahanni_args.h>

int nahanni_logtype; /* EAL's own: the driver keeps its to itself */

#define FILES "role=host,path=/a,"

static int
parse(const char *text, enum nahanni_probe probe)
{
	struct nahanni_args args;
	int ret = nahanni_args_parse(text, probe, &args);

	nahanni_args_free(&args);
	return ret;
}

static void
test_all_keys_of_files(void **state)
{
	struct nahanni_args args;

	(void)state;
	assert_int_equal(nahanni_args_parse("queues=64,group=kvm,mode=0660,size=16m,peer=/b,"
					    "path=/a,role=host",
					    NAHANNI_PROBE_VDEV, &args),
			 0);
	assert_int_equal(args.role, NHN_ROLE_HOST);
	assert_string_equal(args.path, "/a");
	assert_string_equal(args.peer, "/b");
	assert_int_equal(args.size, 16 << 20);
	assert_int_equal(args.mode, 0660);
	assert_string_equal(args.group, "kvm");
	assert_int_equal(args.queues, 64);
	nahanni_args_free(&args);
}

static void
test_defaults_of_files(void **state)
{
	struct nahanni_args args;

	(void)state;
	assert_int_equal(nahanni_args_parse("role=guest,path=/a", NAHANNI_PROBE_VDEV, &args), 0);
	assert_int_equal(args.role, NHN_ROLE_GUEST);
	assert_null(args.peer);
	assert_null(args.group);
	assert_int_equal(args.size, 0);
	assert_int_equal(args.mode, 0);
	assert_int_equal(args.queues, 1);
	nahanni_args_free(&args);
}

static void
test_offsets(void **state)
{
	struct nahanni_args args;

	(void)state;
	assert_int_equal(nahanni_args_parse(FILES "offset=2M", NAHANNI_PROBE_VDEV, &args), 0);
	assert_int_equal(args.offset, 2 << 20);
	nahanni_args_free(&args);
	assert_int_equal(nahanni_args_parse(FILES "offset=4194304", NAHANNI_PROBE_VDEV, &args), 0);
	assert_int_equal(args.offset, 4 << 20);
	nahanni_args_free(&args);
	assert_int_equal(nahanni_args_parse("offset=2M", NAHANNI_PROBE_PCI, &args), -EINVAL);
}

static void
test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{FILES "size=65536", 65536}, {FILES "size=64k", 65536},
		{FILES "size=0064K", 65536}, /* no octal */
		{FILES "size=1M", 1 << 20},  {FILES "size=2G", UINT64_C(2) << 30},
	};
	struct nahanni_args args;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(good); i++) {
		assert_int_equal(nahanni_args_parse(good[i].text, NAHANNI_PROBE_VDEV, &args), 0);
		assert_int_equal(args.size, good[i].bytes);
		nahanni_args_free(&args);
	}
}

static void
test_files_refused(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"role=host",
		"path=/a",
		"role=host,path=",
		"role=host,path",
		"role=,path=/a",
		"role=chief,path=/a",
		"role=Host,path=/a",
		FILES "colour=red",
		FILES "pci=0000:00:03.0",
		FILES "role=host",
		FILES "path=/b",
		FILES "size=1M,size=1M",
		FILES "peer=/a",
		FILES "peer=",
		FILES "offset=",
		FILES "offset=1M",
		FILES "offset=2M,offset=2M",
		FILES "offset=-2M",
		FILES "offset=2Mx",
		FILES "offset=18446744073709551615K",
		FILES "size=",
		FILES "size=0",
		FILES "size=32768",
		FILES "size=24M",
		FILES "size=010M",
		FILES "size=0x100000",
		FILES "size=+1M",
		FILES "size=-1",
		FILES "size= 1M",
		FILES "size=1M ",
		FILES "size=1 ",
		FILES "size=1MB",
		FILES "size=1MM",
		FILES "size=1T",
		FILES "size=M",
		FILES "size=18446744073709551616",
		FILES "size=17179869184G", /* 2^64 bytes */
		FILES "mode=",
		FILES "mode=60",
		FILES "mode=0999",
		FILES "mode=0666",
		FILES "mode=0440",
		FILES "mode=06600",
		FILES "mode=rw",
		FILES "group=",
		FILES "queues=0",
		FILES "queues=65",
		FILES "queues=0x2",
		FILES "queues=+2",
		FILES "queues= 2",
		FILES "queues=2 ",
		FILES "queues=18446744073709551617",
		"role=guest,path=/a,mode=0660",
		"role=guest,path=/a,group=kvm",
	};
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(bad); i++) {
		if (parse(bad[i], NAHANNI_PROBE_VDEV) != -EINVAL)
			fail_msg("taken: '%s'", bad[i] != NULL ? bad[i] : "(nothing)");
	}
}

static void
test_devices(void **state)
{
	const struct rte_pci_addr expected = {.devid = 4, .function = 1};
	static const char *const bad[] = {
		"peer",
		"peer=",
		"peer=/dev/shm/a",
		"peer=0000:00:04.0x",
		"peer= 0000:00:04.0",
		"peer=0000:00:0x4.0",
		"peer=+0:00:04.0",
		"role=",
		"role=chief",
		"role=host,role=host",
		"role=host,queues=2",
		"peer=00:04.0,peer=00:04.0",
		"peer=0000:00:04",
		"peer=00:04.0,size=1",
		"path=/a",
	};
	struct nahanni_args args;
	size_t i;

	(void)state;
	assert_int_equal(nahanni_args_parse(NULL, NAHANNI_PROBE_PCI, &args), 0);
	assert_false(args.peer_device);
	assert_int_equal(args.role, NHN_ROLE_GUEST);
	assert_int_equal(args.queues, NHN_CHANNELS_MAX);
	nahanni_args_free(&args);
	assert_int_equal(nahanni_args_parse("peer=00:04.1", NAHANNI_PROBE_PCI, &args), 0);
	assert_true(args.peer_device);
	assert_int_equal(rte_pci_addr_cmp(&args.peer_address, &expected), 0);
	nahanni_args_free(&args);
	assert_int_equal(nahanni_args_parse("role=guest", NAHANNI_PROBE_PCI, &args), 0);
	assert_int_equal(args.role, NHN_ROLE_GUEST);
	nahanni_args_free(&args);
	/* The host's end, where two guests share a device; as many queues as it likes. */
	assert_int_equal(nahanni_args_parse("role=host", NAHANNI_PROBE_PCI, &args), 0);
	assert_int_equal(args.role, NHN_ROLE_HOST);
	assert_false(args.peer_device);
	assert_int_equal(args.queues, NHN_CHANNELS_MAX);
	nahanni_args_free(&args);
	assert_int_equal(nahanni_args_parse("peer=00:04.1,role=host", NAHANNI_PROBE_PCI, &args), 0);
	assert_int_equal(args.role, NHN_ROLE_HOST);
	assert_true(args.peer_device);
	nahanni_args_free(&args);
	for (i = 0; i < RTE_DIM(bad); i++) {
		if (parse(bad[i], NAHANNI_PROBE_PCI) != -EINVAL)
			fail_msg("taken: '%s'", bad[i]);
	}
}

/** Of whatever device the arguments are: a NIC's may hold anything. */
static void
test_a_peer_is_found_by_name(void **state)
{
	const struct rte_pci_addr address = {.devid = 4};

	(void)state;
	assert_true(nahanni_args_name_peer("peer=0000:00:04.0", &address));
	assert_true(nahanni_args_name_peer("x=1,peer=00:04.0", &address));
	assert_false(nahanni_args_name_peer("peer=00:05.0", &address));
	assert_false(nahanni_args_name_peer("peer", &address));
	assert_false(nahanni_args_name_peer("peer=00:04.0x", &address));
	assert_false(nahanni_args_name_peer("", &address));
	assert_false(nahanni_args_name_peer("mac=00:11:22:33:44:55", &address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys_of_files),
		cmocka_unit_test(test_defaults_of_files),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_a_peer_is_found_by_name),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
