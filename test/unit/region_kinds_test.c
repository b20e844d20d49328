/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "region_place.h"

#define NOBODY 65534
#define HUGE_PAGES "/proc/sys/vm/nr_hugepages"

static void
memfd_is_sealed(void **state)
{
	struct place *p = *state;
	struct nhn_region other;

	p->config.kind = NHN_REGION_MEMFD;
	p->config.path = "nahanni";
	p->config.lock_byte = 0;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(p->region.length, NHN_REGION_SIZE_DEFAULT);
	assert_int_equal(fcntl(p->region.fd, F_GET_SEALS),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_equal(fcntl(p->region.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ftruncate(p->region.fd, 0), -1);
	assert_int_equal(errno, EPERM);
	p->config.path = NULL;
	p->config.fd = p->region.fd;
	refused(p, &p->config, EBUSY, "already holds");
	p->config.size = MIB;
	refused(p, &p->config, EINVAL, "1048576 were asked for");
	p->config.size = 0;
	p->config.lock_byte = 1;
	assert_int_equal(nhn_region_open(&other, &p->config), 0);
	assert_int_not_equal(other.fd, p->region.fd);
	assert_int_equal(other.length, p->region.length);
	p->region.base[9] = 9;
	assert_int_equal(other.base[9], 9);
	nhn_region_close(&other);
	assert_true(fcntl(p->region.fd, F_GETFD) >= 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
}

static void
memfd_received_is_checked(void **state)
{
	struct place *p = *state;
	int fd = memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int file;

	p->config.kind = NHN_REGION_MEMFD;
	p->config.path = NULL;
	p->config.fd = fd;
	assert_int_equal(ftruncate(fd, (off_t)MIB), 0);
	refused(p, &p->config, EPERM, "F_SEAL_SHRINK");
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	refused(p, &p->config, EPERM, "F_SEAL_SHRINK");
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	nhn_region_close(&p->region);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	refused(p, &p->config, EPERM, "sealed against writing");
	p->config.access = NHN_REGION_READ_ONLY;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	close(fd);
	refused(p, &p->config, EBADF, "not open");
	write_pattern(p->path, MIB);
	file = open(p->path, O_RDWR | O_CLOEXEC);
	p->config.fd = file;
	refused(p, &p->config, EPERM, "F_SEAL_SHRINK");
	close(file);
}

/* Were the limit missing, the OOM killer should take this child and no other process. */
static int
ask_too_much(struct place *p)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		return 1;
	close(fd);
	p->config.kind = NHN_REGION_MEMFD;
	p->config.size = (uint64_t)1 << 50;
	if (nhn_region_open(&p->region, &p->config) != -ENOMEM)
		return 2;
	fd = memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ftruncate(fd, (off_t)1 << 50) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
		return 3;
	p->config.path = NULL;
	p->config.size = 0;
	p->config.fd = fd;
	return nhn_region_open(&p->region, &p->config) == -ENOMEM ? 0 : 4;
}

static void
memfd_fits_in_memory(void **state)
{
	assert_int_equal(in_child(ask_too_much, *state), 0);
}

/* Another text for one attribute of the fake device. */
static void
set_attribute(const char *folder, const char *name, const char *text)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	write_file(path, text);
}

/* A sysfs with one ivshmem device under p->folder; `device` is its folder. */
static void
fake_sysfs(struct place *p, char *device, size_t size, char *bar, size_t bar_size)
{
	static const char *const parts[] = {"/bus", "/pci", "/devices", "/0000:00:03.0"};

	snprintf(device, size, "%s", p->folder);
	for (unsigned int i = 0; i < 4; i++) {
		strncat(device, parts[i], size - strlen(device) - 1);
		assert_int_equal(mkdir(device, 0755), 0);
	}
	set_attribute(device, "vendor", "0x1af4\n");
	set_attribute(device, "device", "0x1110\n");
	set_attribute(device, "subsystem_vendor", "0x1af4\n");
	set_attribute(device, "subsystem_device", "0x1100\n");
	set_attribute(device, "enable", "1\n");
	snprintf(bar, bar_size, "%s/resource2", device);
	write_pattern(bar, MIB);
	p->config.kind = NHN_REGION_PCI;
	p->config.path = "0000:00:03.0";
	p->config.sysfs_root = p->folder;
}

static void
pci_opens_ivshmem(void **state)
{
	struct place *p = *state;
	struct nhn_region other;
	char device[400], bar[500];

	fake_sysfs(p, device, sizeof(device), bar, sizeof(bar));
	p->config.lock_byte = 1;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(p->region.length, MIB);
	refused(p, &p->config, EBUSY, "already holds");
	p->config.lock_byte = -1;
	p->config.path = device;
	p->config.sysfs_root = NULL;
	p->config.access = NHN_REGION_READ_ONLY;
	assert_int_equal(nhn_region_open(&other, &p->config), 0);
	p->region.base[3] = 0x33;
	assert_int_equal(other.base[3], 0x33);
	nhn_region_close(&other);
	p->config.size = 2 * MIB;
	refused(p, &p->config, EINVAL, "2097152 were asked for");
}

/* As sysfs does it: the pages go when the device goes. */
static void
pci_unplugged_is_told(void **state)
{
	struct place *p = *state;
	char device[400], bar[500];

	fake_sysfs(p, device, sizeof(device), bar, sizeof(bar));
	p->config.survive_truncation = true;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(unlink(bar), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	assert_int_equal(ftruncate(p->region.fd, 0), 0);
	assert_int_equal(*(volatile uint8_t *)(p->region.base + 9), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -EIO);
	assert_non_null(strstr(p->said, "unplugged"));
	nhn_region_close(&p->region);
}

static void
pci_refuses_others(void **state)
{
	static const struct {
		const char *name, *bad, *good, *word;
		int error;
	} cases[] = {
		{"vendor", "0x8086\n", "0x1af4\n", "is 8086:1110", ENODEV},
		{"device", "0x1000\n", "0x1110\n", "is 1af4:1000", ENODEV},
		{"subsystem_device", "0x1104\n", "0x1100\n", "belongs to net_avp", ENODEV},
		{"subsystem_device", "0x1101\n", "0x1100\n", "subsystem 1af4:1101,", ENODEV},
		{"subsystem_vendor", "0x8086\n", "0x1af4\n", "subsystem 8086:1100,", ENODEV},
		{"vendor", "junk\n", "0x1af4\n", "vendor cannot be read", EINVAL},
		{"enable", "0\n", "1\n", "memory decoding was expected", ENXIO},
		{"config", "\x1\x2\x3\x4\x5\x6", "\x1\x2\x3\x4\x6\x6", "decoding", ENXIO},
	};
	struct place *p = *state;
	char device[400], bar[500], driver[500];

	fake_sysfs(p, device, sizeof(device), bar, sizeof(bar));
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_attribute(device, cases[i].name, cases[i].bad);
		refused(p, &p->config, cases[i].error, cases[i].word);
		set_attribute(device, cases[i].name, cases[i].good);
		assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
		nhn_region_close(&p->region);
	}
	snprintf(driver, sizeof(driver), "%s/driver", device);
	assert_int_equal(symlink("../../drivers/vfio-pci", driver), 0);
	refused(p, &p->config, EBUSY, "rte_pmd_nahanni_link_get");
	assert_int_equal(unlink(driver), 0);
	assert_int_equal(symlink("../../drivers/uio_pci_generic", driver), 0);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	nhn_region_close(&p->region);
	assert_pattern(bar, MIB);
	write_pattern(bar, MIB / 2 * 3);
	refused(p, &p->config, EINVAL, "power of two");
	assert_pattern(bar, MIB / 2 * 3);
	assert_int_equal(unlink(bar), 0);
	set_attribute(device, "resource2_wc", "");
	refused(p, &p->config, ENOENT, "BAR2");
	p->config.path = "0000:00:04.0";
	refused(p, &p->config, ENOENT, "0000:00:04.0");
	p->config.path = "00:03.0";
	refused(p, &p->config, EINVAL, "no PCI address");
}

static unsigned int
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

static void
failures_leak_nothing(void **state)
{
	struct place *p = *state;
	struct nhn_region_config c[8];
	char device[400], bar[500], avp[500];
	unsigned int before, i;
	int fd = memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int sealed = memfd_create("peer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	for (i = 0; i < 5; i++)
		c[i] = config_for(p, p->path);
	write_pattern(p->path, MIB);
	c[0].lock_byte = 0;
	assert_int_equal(nhn_region_open(&p->region, &c[0]), 0);
	c[1].size = 2 * MIB;
	c[2].path = p->folder;
	c[2].access = NHN_REGION_READ_ONLY;
	c[3].kind = c[4].kind = NHN_REGION_MEMFD;
	c[3].path = NULL;
	c[3].fd = fd;
	assert_int_equal(ftruncate(sealed, (off_t)MIB), 0);
	assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	c[4].path = NULL;
	c[4].fd = sealed;
	c[4].size = 2 * MIB;
	fake_sysfs(p, device, sizeof(device), bar, sizeof(bar));
	c[5] = c[6] = c[7] = p->config;
	c[5].size = 2 * MIB;
	snprintf(avp, sizeof(avp), "%s/avp", p->folder);
	assert_int_equal(mkdir(avp, 0755), 0);
	c[6].path = avp;
	c[7].path = "0000:00:09.0";
	before = open_descriptors();
	for (i = 0; i < 1000; i++) {
		struct nhn_region region;

		assert_true(nhn_region_open(&region, &c[i % 8]) < 0);
	}
	assert_int_equal(open_descriptors(), before);
	close(sealed);
	close(fd);
}

/* Opens as somebody without rights; the result as a positive errno. */
static int
open_as_nobody(struct place *p)
{
	struct nhn_region region;

	if (setegid(NOBODY) != 0 || seteuid(NOBODY) != 0)
		return 255;
	return -nhn_region_open(&region, &p->config);
}

static void
permissions_and_owners(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip(); /* other users' files need root to be made */
	write_pattern(p->path, MIB);
	assert_int_equal(chmod(p->path, 0600), 0);
	assert_int_equal(in_child(open_as_nobody, p), EACCES);
	assert_int_equal(chmod(p->path, 0660), 0);
	assert_int_equal(chown(p->path, 0, NOBODY), 0);
	assert_int_equal(in_child(open_as_nobody, p), 0);
	assert_int_equal(chown(p->path, NOBODY - 1, NOBODY), 0);
	assert_int_equal(in_child(open_as_nobody, p), EPERM);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	nhn_region_close(&p->region);
	assert_int_equal(chown(p->path, NOBODY, 0), 0);
	assert_int_equal(in_child(open_as_nobody, p), 0);
	assert_pattern(p->path, MIB);
	assert_int_equal(unlink(p->path), 0);
	p->config.create = true;
	assert_int_equal(in_child(open_as_nobody, p), EACCES);
	assert_int_equal(size_of(p->path), -1);
}

/* The numbers tell the step that failed. */
static int
fill_up(struct place *p)
{
	struct nhn_region region;
	int fd;

	if (mount_privately(p, "tmpfs", "size=1m") != 0)
		return CANNOT_MOUNT;
	p->config.create = true;
	p->config.size = 2 * MIB;
	if (nhn_region_open(&region, &p->config) != -ENOSPC)
		return 1;
	if (size_of(p->path) != -1)
		return 2;
	fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (nhn_region_open(&region, &p->config) != -ENOSPC || size_of(p->path) != 0)
		return 3;
	if (ftruncate(fd, 2 * MIB) != 0)
		return 4;
	if (nhn_region_open(&region, &p->config) != -ENOSPC || size_of(p->path) != 2 * MIB)
		return 5;
	if (ftruncate(fd, MIB / 2) != 0)
		return 6;
	p->config.size = 0;
	return nhn_region_open(&region, &p->config) == 0 ? 0 : 7;
}

static void
full_file_system_is_told(void **state)
{
	assert_child(in_child(fill_up, *state), "a tmpfs");
}

static int
read_huge_pages(void)
{
	FILE *file = fopen(HUGE_PAGES, "re");
	int pages;

	if (file == NULL)
		return -1;
	if (fscanf(file, "%d", &pages) != 1)
		pages = -1;
	fclose(file);
	return pages;
}

/* A huge page of a file that is gone must go as a whole: the kernel takes no part of one. */
static int
survive_huge_truncation(struct place *p, struct nhn_region *region)
{
	region->base[2 * MIB - 1] = 0x5a;
	region->base[4 * MIB - 1] = 0x5a;
	if (truncate(p->path, 2 * MIB) != 0)
		return 7;
	if (region->base[3 * MIB + 5] != 0 || region->base[4 * MIB - 1] != 0)
		return 8;
	if (region->base[2 * MIB - 1] != 0x5a)
		return 9;
	return nhn_region_check(region, &p->config) == -EIO ? 0 : 10;
}

static int
use_huge_pages(struct place *p)
{
	struct nhn_region region;
	struct statfs fs;
	int rc;

	/* The machine's own limit is met where no page is there but those of this test. */
	if (mount_privately(p, "hugetlbfs", read_huge_pages() == 8 ? NULL : "size=8M") != 0)
		return CANNOT_MOUNT;
	if (statfs(p->folder, &fs) != 0 || (uint64_t)fs.f_bsize != 2 * MIB)
		return 102;
	p->config.create = true;
	p->config.size = MIB;
	if (nhn_region_open(&region, &p->config) != -EINVAL || size_of(p->path) != -1)
		return 1;
	if (strstr(p->said, "2097152") == NULL)
		return 2;
	/* More than all of them: what was taken until they ended is given back. */
	while (p->config.size <= (uint64_t)read_huge_pages() * 2 * MIB)
		p->config.size *= 2;
	if (nhn_region_open(&region, &p->config) != -ENOSPC || size_of(p->path) != -1)
		return 3;
	if (strstr(p->said, "nr_hugepages") == NULL)
		return 4;
	p->config.size = 4 * MIB;
	p->config.lock_byte = 0;
	p->config.survive_truncation = true;
	if (nhn_region_open(&region, &p->config) != 0 || size_of(p->path) != 4 * MIB)
		return 5;
	rc = survive_huge_truncation(p, &region);
	nhn_region_close(&region);
	return rc;
}

static bool
write_huge_pages(int pages)
{
	FILE *file = fopen(HUGE_PAGES, "we");

	if (file == NULL)
		return false;
	fprintf(file, "%d\n", pages);
	return fclose(file) == 0;
}

static void
huge_pages(void **state)
{
	int before = read_huge_pages(), rc = 101;

	if (before >= 0 && write_huge_pages(before + 8)) {
		if (read_huge_pages() == before + 8)
			rc = in_child(use_huge_pages, *state);
		assert_true(write_huge_pages(before));
	}
	if (rc >= CANNOT_MOUNT && rc <= 102) {
		print_message("skipped: %s\n", rc == CANNOT_MOUNT ? "no hugetlbfs can be mounted"
					       : rc == 101	  ? "no huge pages can be reserved"
								  : "huge pages are not of 2 MiB");
		skip();
	}
	assert_int_equal(rc, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memfd_is_sealed),		TEST(memfd_received_is_checked),
		TEST(memfd_fits_in_memory),	TEST(pci_opens_ivshmem),
		TEST(pci_unplugged_is_told),	TEST(pci_refuses_others),
		TEST(failures_leak_nothing),	TEST(permissions_and_owners),
		TEST(full_file_system_is_told), TEST(huge_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
