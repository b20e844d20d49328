/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/node: both ends of a file opened by it, and what it says of what cannot be opened. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <nhn_node.h>

static char folder[64];
static char path[96];
static struct nhn_node host;
static struct nhn_node guest;
static char said[512];

static void
keep(void *context, const char *sentence)
{
	(void)context;
	snprintf(said, sizeof(said), "%s", sentence);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/nahanni-node-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/memory", folder);
	said[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	nhn_node_close(&host);
	nhn_node_close(&guest);
	unlink(path);
	return rmdir(folder);
}

static int
open_node(struct nhn_node *node, enum nhn_role role)
{
	struct nhn_node_config config;

	nhn_node_config_init(&config, role, path);
	config.region.log = keep;
	return nhn_node_open(node, &config);
}

static void
test_a_message_each_way(void **state)
{
	const struct iovec out = {(void *)(uintptr_t) "there and back", 15};
	char bytes[32];
	const struct iovec in = {bytes, sizeof(bytes)};
	struct nhn_message_head head = {.length = 15, .type = 3};
	struct nhn_msg_buffer buffer;

	(void)state;
	assert_int_equal(open_node(&host, NHN_ROLE_HOST), 0);
	assert_int_equal(open_node(&guest, NHN_ROLE_GUEST), 0);
	while (nhn_link_state(&host.link) != NHN_LINK_UP ||
	       nhn_link_state(&guest.link) != NHN_LINK_UP) {
		nhn_endpoint_poll(&host.endpoint);
		nhn_endpoint_poll(&guest.endpoint);
	}
	nhn_msg_buffer_init(&buffer, &in, 1);
	assert_int_equal(nhn_endpoint_send_wait(&guest.endpoint, 0, &head, &out, 1, NHN_NEVER_NS),
			 0);
	assert_int_equal(nhn_endpoint_receive_wait(&host.endpoint, 0, &buffer, NHN_NEVER_NS), 0);
	assert_int_equal(nhn_msg_send(&host.endpoint.tx[0], &buffer.head, bytes), 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(nhn_endpoint_receive_wait(&guest.endpoint, 0, &buffer, NHN_NEVER_NS), 0);
	assert_string_equal(bytes, "there and back");
	assert_int_equal(buffer.head.type, 3);
}

static void
test_one_of_each_role(void **state)
{
	static struct nhn_node other;

	(void)state;
	assert_int_equal(open_node(&host, NHN_ROLE_HOST), 0);
	assert_int_equal(open_node(&guest, NHN_ROLE_GUEST), 0);
	assert_int_equal(open_node(&other, NHN_ROLE_HOST), -EBUSY);
	assert_int_equal(open_node(&other, NHN_ROLE_GUEST), -EBUSY);
	assert_string_not_equal(said, "");
	nhn_node_close(&host);
	assert_int_equal(open_node(&host, NHN_ROLE_HOST), 0);
}

static void
test_a_guest_makes_no_file(void **state)
{
	(void)state;
	assert_int_equal(open_node(&guest, NHN_ROLE_GUEST), -ENOENT);
	assert_non_null(strstr(said, path));
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_a_device_by_its_address(void **state)
{
	struct nhn_node_config config;

	(void)state;
	nhn_node_config_init(&config, NHN_ROLE_GUEST, "0000:00:1f.7");
	assert_int_equal(config.region.kind, NHN_REGION_PCI);
	assert_int_equal(config.region.lock_byte, -1);
	nhn_node_config_init(&config, NHN_ROLE_GUEST, "0000:00:1f.7x");
	assert_int_equal(config.region.kind, NHN_REGION_FILE);
	nhn_node_config_init(&config, NHN_ROLE_HOST, path);
	assert_int_equal(config.region.kind, NHN_REGION_FILE);
	assert_int_equal(config.region.lock_byte, NHN_LOCK_BYTE_HOST);
	assert_true(config.region.create);
}

/* A file that is somebody else's is left as it was, and the refusal is a sentence. */
static void
test_a_foreign_file_is_refused(void **state)
{
	static const char foreign[] = "not a link";
	char found[sizeof(foreign)];
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(pwrite(fd, foreign, sizeof(foreign), 0), sizeof(foreign));
	assert_int_equal(open_node(&host, NHN_ROLE_HOST), -EPROTO);
	assert_string_not_equal(said, "");
	assert_int_equal(pread(fd, found, sizeof(found), 0), sizeof(found));
	assert_memory_equal(found, foreign, sizeof(found));
	assert_null(host.region.base);
	close(fd);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_each_way),	      TEST(test_one_of_each_role),
		TEST(test_a_guest_makes_no_file),     TEST(test_a_device_by_its_address),
		TEST(test_a_foreign_file_is_refused),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
