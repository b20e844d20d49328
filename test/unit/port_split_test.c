/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ports of one process over a split link: a host's and a guest's, a file an area. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_bus_vdev.h>

#include <nhn_region.h>
#include <rte_pmd_nahanni.h>

#include "pattern.h"
#include "port_rig.h"

#define HOST_PORT "net_nahanni0"
#define GUEST_PORT "net_nahanni1"
#define FRAMES 1000u
#define SEED UINT64_C(0x73706c6974)
#define ARGS_BYTES (2 * PATH_BYTES + 64)
/** Bursts in which a link comes up, frames arrive, or it is certain that they do not. */
#define BURSTS 1000000u

static char folder[PATH_BYTES];
static uint16_t host, guest;

static int
port_open(const char *name, const char *format, uint16_t *port)
{
	char args[ARGS_BYTES];
	char *text = args;
	int ret;

	/* %: the folder */
	for (; *format != '\0' && text < args + sizeof(args) - PATH_BYTES; format++) {
		if (*format == '%')
			text += snprintf(text, PATH_BYTES, "%s", folder);
		else
			*text++ = *format;
	}
	*text = '\0';
	ret = rte_vdev_init(name, args);
	return ret != 0 ? ret : rte_eth_dev_get_port_by_name(name, port);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/dev/shm/nahanni-split-test.XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"h2g", "g2h", "link"};
	char path[PATH_BYTES + 8];
	size_t i;

	(void)state;
	rte_vdev_uninit(HOST_PORT);
	rte_vdev_uninit(GUEST_PORT);
	for (i = 0; i < RTE_DIM(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void
both_open(void)
{
	assert_int_equal(
		port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/g2h,size=1M,mode=0640", &host),
		0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/g2h,peer=%/h2g", &guest), 0);
}

static void
both_start(void)
{
	rig_configure(host, 1);
	rig_configure(guest, 1);
	assert_int_equal(rte_eth_dev_start(host), 0);
	assert_int_equal(rte_eth_dev_start(guest), 0);
}

static bool
is_up(uint16_t port)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
	return link.link_status == RTE_ETH_LINK_UP;
}

/** Poll both ports. @return whether the link came up */
static bool
come_up(void)
{
	struct rte_mbuf *frame;
	uint32_t i;

	for (i = 0; i < BURSTS; i++) {
		assert_int_equal(rte_eth_rx_burst(host, 0, &frame, 1), 0);
		assert_int_equal(rte_eth_rx_burst(guest, 0, &frame, 1), 0);
		if (i % 64 == 0 && is_up(host) && is_up(guest))
			return true;
	}
	return false;
}

/** Frames of a pattern, one at a time, of all lengths. */
static void
frames_pass(uint16_t from, uint16_t to)
{
	struct rte_mbuf *frame;
	uint32_t i;

	for (i = 0; i < FRAMES; i++) {
		uint32_t length = 60 + i % 1400;
		uint32_t burst = 0;

		frame = rte_pktmbuf_alloc(pool);
		assert_non_null(frame);
		pattern_fill(rte_pktmbuf_append(frame, (uint16_t)length), length, SEED, i);
		while (rte_eth_tx_burst(from, 0, &frame, 1) == 0)
			assert_true(++burst < BURSTS);
		while (rte_eth_rx_burst(to, 0, &frame, 1) == 0)
			assert_true(++burst < BURSTS);
		assert_int_equal(frame->pkt_len, length);
		assert_true(pattern_matches(rte_pktmbuf_mtod(frame, void *), length, SEED, i));
		rte_pktmbuf_free(frame);
	}
}

static void
test_frames_both_ways(void **state)
{
	(void)state;
	both_open();
	both_start();
	assert_true(come_up());
	frames_pass(host, guest);
	frames_pass(guest, host);
}

static void
test_close_gives_all_mbufs_back(void **state)
{
	const unsigned int before = rte_mempool_avail_count(pool);

	(void)state;
	both_open();
	both_start();
	assert_true(come_up());
	frames_pass(host, guest);
	/* Either has some for the next frames. */
	assert_true(rte_mempool_avail_count(pool) < before);
	assert_int_equal(rte_eth_dev_stop(guest), 0);
	assert_int_equal(rte_eth_dev_close(guest), 0);
	assert_int_equal(rte_eth_dev_stop(host), 0);
	assert_int_equal(rte_eth_dev_close(host), 0);
	assert_int_equal(rte_mempool_avail_count(pool), before);
}

static void
file_make(const char *name, off_t bytes)
{
	char path[PATH_BYTES + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

/** The same channels lie in both areas: the smaller one decides. */
static void
test_the_smaller_area_decides(void **state)
{
	(void)state;
	file_make("h2g", 1 << 20);
	file_make("g2h", 64 << 10);
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/g2h", &host), 0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/g2h,peer=%/h2g", &guest), 0);
	both_start();
	assert_true(come_up());
	frames_pass(host, guest);
	frames_pass(guest, host);
}

static void
test_messages_over_ports_that_are_not_started(void **state)
{
	struct nhn_link *from, *to;
	struct nhn_view view;
	uint64_t now_ns;
	void *body;

	(void)state;
	both_open();
	from = rte_pmd_nahanni_link_get(host);
	to = rte_pmd_nahanni_link_get(guest);
	assert_non_null(from);
	assert_non_null(to);
	for (now_ns = 0; now_ns < BURSTS && nhn_link_state(from) != NHN_LINK_UP; now_ns++) {
		nhn_link_control(from, now_ns);
		nhn_link_control(to, now_ns);
		nhn_rx_peek(nhn_link_rx(from, 0), &view, 1);
		nhn_rx_peek(nhn_link_rx(to, 0), &view, 1);
	}
	assert_int_equal(nhn_link_state(from), NHN_LINK_UP);
	body = nhn_tx_reserve(nhn_link_tx(from, 0), 6);
	memcpy(body, "split", 6);
	nhn_tx_commit(nhn_link_tx(from, 0), body, 6);
	assert_int_equal(nhn_rx_peek(nhn_link_rx(to, 0), &view, 1), 1);
	assert_int_equal(view.length, 6);
	assert_memory_equal(nhn_foreign_lend(view.data), "split", 6);
	assert_int_equal(nhn_rx_release(nhn_link_rx(to, 0)), 0);
}

/** Mappings of a file, and how many of them are writable. */
static void
mappings_count(const char *name, int *all, int *writable)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char path[PATH_BYTES + 8];
	char line[512];

	*all = 0;
	*writable = 0;
	snprintf(path, sizeof(path), "%s/%s\n", folder, name);
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, path) == NULL)
			continue;
		(*all)++;
		*writable += strstr(line, " rw-s ") != NULL;
	}
	fclose(maps);
}

static void
test_each_side_can_write_its_own_file_only(void **state)
{
	int all, writable;

	(void)state;
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/g2h", &host), 0);
	mappings_count("h2g", &all, &writable);
	assert_int_equal(all, 1);
	assert_int_equal(writable, 1);
	mappings_count("g2h", &all, &writable);
	assert_int_equal(all, 1);
	assert_int_equal(writable, 0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/g2h,peer=%/h2g", &guest), 0);
	mappings_count("g2h", &all, &writable);
	assert_int_equal(all, 2);
	assert_int_equal(writable, 1);
}

static void
test_the_host_creates_both_files(void **state)
{
	static const char *const names[] = {"h2g", "g2h"};
	char path[PATH_BYTES + 8];
	struct stat st;
	size_t i;

	(void)state;
	both_open();
	for (i = 0; i < RTE_DIM(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, 1 << 20);
		assert_int_equal(st.st_mode & 07777, 0640);
	}
}

static void
test_a_guest_creates_none(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g", &port), 0);
	rte_vdev_uninit(HOST_PORT);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/g2h,peer=%/h2g", &port), -ENOENT);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/h2g,peer=%/g2h", &port), -ENOENT);
}

static void
test_one_file_under_two_names_is_refused(void **state)
{
	char path[PATH_BYTES + 8];
	char other[PATH_BYTES + 8];
	uint16_t port;

	(void)state;
	snprintf(path, sizeof(path), "%s/h2g", folder);
	snprintf(other, sizeof(other), "%s/link", folder);
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g", &port), 0);
	rte_vdev_uninit(HOST_PORT);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/link", &port), -EINVAL);
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/./h2g", &port), -EINVAL);
}

static void
test_a_second_writer_is_refused(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/g2h", &port), 0);
	assert_int_equal(port_open(GUEST_PORT, "role=host,path=%/h2g,peer=%/g2h", &port), -EBUSY);
}

/** Each side names the file first that it writes: the same order is a mistake. */
static void
test_files_in_the_same_order_are_refused(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/g2h", &port), 0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/h2g,peer=%/g2h", &port), -EBUSY);
}

static void
test_a_group_that_is_none_is_refused(void **state)
{
	char path[PATH_BYTES + 8];
	uint16_t port;

	(void)state;
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,group=no-such-group", &port),
			 -ENOENT);
	snprintf(path, sizeof(path), "%s/h2g", folder);
	assert_int_equal(access(path, F_OK), -1);
}

/** One side has halves of a file, the other whole files: the header tells. */
static void
test_split_and_joint_do_not_meet(void **state)
{
	(void)state;
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g,peer=%/g2h", &host), 0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/h2g", &guest), 0);
	both_start();
	assert_false(come_up());
	assert_int_equal(rig_xstat(guest, "link_refusals"), 1);
}

static void
test_joint_and_split_do_not_meet(void **state)
{
	(void)state;
	file_make("g2h", NHN_REGION_SIZE_DEFAULT);
	assert_int_equal(port_open(HOST_PORT, "role=host,path=%/h2g", &host), 0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/g2h,peer=%/h2g", &guest), 0);
	both_start();
	assert_false(come_up());
	assert_int_equal(rig_xstat(guest, "link_refusals"), 1);
}

/** A guest that dies leaves frames unread: both sides can tell how many. */
static void
test_both_sides_read_what_was_discarded(void **state)
{
	struct rte_mbuf *frame;
	uint32_t i;

	(void)state;
	both_open();
	both_start();
	assert_true(come_up());
	for (i = 0; i < 5; i++) {
		frame = rte_pktmbuf_alloc(pool);
		pattern_fill(rte_pktmbuf_append(frame, 64), 64, SEED, i);
		assert_int_equal(rte_eth_tx_burst(host, 0, &frame, 1), 1);
	}
	assert_int_equal(rte_vdev_uninit(GUEST_PORT), 0);
	assert_int_equal(port_open(GUEST_PORT, "role=guest,path=%/g2h,peer=%/h2g", &guest), 0);
	rig_configure(guest, 1);
	assert_int_equal(rte_eth_dev_start(guest), 0);
	assert_true(come_up());
	assert_int_equal(rig_xstat(host, "link_discarded"), 5);
	assert_int_equal(rig_xstat(guest, "link_peer_discarded"), 5);
	assert_int_equal(rig_xstat(host, "link_peer_discarded"), 0);
	assert_int_equal(rig_xstat(guest, "link_discarded"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frames_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close_gives_all_mbufs_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_smaller_area_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages_over_ports_that_are_not_started,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_side_can_write_its_own_file_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_host_creates_both_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_guest_creates_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_file_under_two_names_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_second_writer_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_in_the_same_order_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_group_that_is_none_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_split_and_joint_do_not_meet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_joint_and_split_do_not_meet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_sides_read_what_was_discarded, setup,
						teardown),
	};

	if (rig_start((char *)"port_split_test") != 0)
		return 1;
	return cmocka_run_group_tests_name("port_split", tests, NULL, NULL);
}
