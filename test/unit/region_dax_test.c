/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A region on a device-dax node, and on the backing file of the nvdimm. The node is
 * /dev/zero's under another name, in a sysfs that says it is one: a shared mapping of
 * it is memory. test/vm/dax_test.sh has the real one.
 */

#include <sys/sysmacros.h>

#include "region_place.h"

#define ZERO_MAJOR 1
#define ZERO_MINOR 5

/* A node at p->path, and p->folder as sysfs that calls it a device of this bus. */
static void
make_node(struct place *p, const char *bus, const char *size)
{
	char path[512];

	if (mknod(p->path, S_IFCHR | 0600, makedev(ZERO_MAJOR, ZERO_MINOR)) != 0) {
		print_message("skipped: a node cannot be made here\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/dev", p->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/dev/char", p->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/dev/char/1:5", p->folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/dev/char/1:5/subsystem", p->folder);
	assert_int_equal(symlink(bus, path), 0);
	snprintf(path, sizeof(path), "%s/dev/char/1:5/size", p->folder);
	write_file(path, size);
	p->config.sysfs_root = p->folder;
}

static void
node_is_mapped_with_its_size(void **state)
{
	struct place *p = *state;

	make_node(p, "../../../bus/dax", "2097152\n");
	p->config.lock_byte = 0;
	p->config.survive_truncation = true;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(p->region.length, 2 * MIB);
	p->region.base[2 * MIB - 1] = 1;
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	refused(p, &p->config, EBUSY, "already holds");
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
}

static void
node_of_another_size_is_refused(void **state)
{
	struct place *p = *state;

	make_node(p, "../../../bus/dax", "14680064\n");
	refused(p, &p->config, EINVAL, "a power of two");
	p->config.size = 16 * MIB;
	refused(p, &p->config, EINVAL, "16777216 were asked for");
}

static void
node_without_a_number_is_refused(void **state)
{
	struct place *p = *state;
	char path[512];

	make_node(p, "../../../bus/dax", "many\n");
	refused(p, &p->config, EINVAL, "cannot be read in sysfs");
	snprintf(path, sizeof(path), "%s/dev/char/1:5/size", p->folder);
	assert_int_equal(unlink(path), 0);
	refused(p, &p->config, ENOENT, "cannot be read in sysfs");
}

static void
node_of_everybody_or_with_an_offset_is_refused(void **state)
{
	struct place *p = *state;

	make_node(p, "../../../bus/dax", "2097152\n");
	p->config.offset = 2 * MIB;
	refused(p, &p->config, EINVAL, "the backing file");
	p->config.offset = 0;
	assert_int_equal(chmod(p->path, 0602), 0);
	refused(p, &p->config, EPERM, "chmod o-w");
}

static void
other_devices_are_no_regions(void **state)
{
	struct place *p = *state;

	make_node(p, "../../../bus/daxes", "2097152\n");
	refused(p, &p->config, EINVAL, "is a character device");
}

/* What lies before the offset is somebody else's, and stays. */
static void
file_begins_at_the_offset(void **state)
{
	struct place *p = *state;
	uint8_t byte = 0;
	int fd;

	p->config.create = true;
	p->config.size = MIB;
	p->config.offset = 2 * MIB;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(size_of(p->path), 3 * MIB);
	assert_int_equal(p->region.length, MIB);
	memset(p->region.base, 7, MIB);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	fd = open(p->path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 2 * MIB - 1), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(pread(fd, &byte, 1, 2 * MIB), 1);
	assert_int_equal(byte, 7);
	assert_int_equal(pread(fd, &byte, 1, 3 * MIB - 1), 1);
	assert_int_equal(byte, 7);
	/* Shortened to what it would be without an offset: that is too short. */
	assert_int_equal(ftruncate(fd, MIB), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -EIO);
	assert_int_equal(ftruncate(fd, 2 * MIB), 0);
	assert_int_equal(close(fd), 0);
	refused(p, &p->config, EINVAL, "more than the offset");
}

static void
offsets_are_whole(void **state)
{
	struct place *p = *state;

	p->config.offset = MIB;
	refused(p, &p->config, EINVAL, "a multiple of 2097152");
	p->config.offset = 2 * MIB;
	p->config.kind = NHN_REGION_MEMFD;
	refused(p, &p->config, EINVAL, "of a file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(node_is_mapped_with_its_size),
		TEST(node_of_another_size_is_refused),
		TEST(node_without_a_number_is_refused),
		TEST(node_of_everybody_or_with_an_offset_is_refused),
		TEST(other_devices_are_no_regions),
		TEST(file_begins_at_the_offset),
		TEST(offsets_are_whole),
	};

	return cmocka_run_group_tests_name("region_dax", tests, NULL, NULL);
}
