/* SPDX-License-Identifier: BSD-3-Clause */

/* Placing memory on this machine, whatever it has. */

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "nhn_place.h"

#define PAGE 4096
#define PAGES 512
#define LENGTH ((uint64_t)PAGES * PAGE)
#define HUGE_PAGE ((uint64_t)2 << 20)

static char said[512];

static void
hear(void *context, const char *sentence)
{
	(void)context;
	snprintf(said, sizeof(said), "%s", sentence);
}

static struct nhn_place_config
config_of(int node)
{
	struct nhn_place_config config;

	nhn_place_config_init(&config);
	config.node = node;
	config.log = hear;
	said[0] = '\0';
	return config;
}

static int
memfd(unsigned int flags, uint64_t length)
{
	const int fd = memfd_create("place", flags);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)length), 0);
	return fd;
}

static void *
map(int fd, int rights, uint64_t length)
{
	void *base = mmap(NULL, length, rights, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED,
			  fd, 0);

	assert_true(base != MAP_FAILED);
	return base;
}

static unsigned int
pages_in_memory(void *base)
{
	unsigned char there[PAGES];
	unsigned int count = 0;

	assert_int_equal(mincore(base, LENGTH, there), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		count += there[i] & 1;
	return count;
}

/* kB of this process's memory that are locked */
static unsigned long
locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[200];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "VmLck: %lu kB", &kib);
	fclose(file);
	return kib;
}

/* AddressSanitizer makes mlock do nothing, which the result has to show. */
static bool
mlock_locks(void)
{
	const unsigned long before = locked_kib();
	void *page = map(-1, PROT_READ | PROT_WRITE, PAGE);
	bool locks;

	assert_int_equal(mlock(page, PAGE), 0);
	locks = locked_kib() > before;
	munmap(page, PAGE);
	return locks;
}

static void
memfd_is_placed(void **state)
{
	const int fd = memfd(0, LENGTH);
	uint8_t *base = map(fd, PROT_READ | PROT_WRITE, LENGTH);
	const unsigned long locked = locked_kib();
	struct nhn_place_config config = config_of(0);
	struct nhn_place_result result;
	char text[NHN_PLACE_TEXT_MAX], expected[NHN_PLACE_TEXT_MAX];
	int policy, node, own_before, own_after;

	(void)state;
	if (numa_available() < 0)
		skip();
	base[5 * PAGE + 17] = 42;
	assert_int_equal(get_mempolicy(&own_before, NULL, 0, NULL, 0), 0);
	config.strict = true;
	assert_int_equal(nhn_place(base, LENGTH, &config, &result), 0);
	assert_string_equal(said, "");
	assert_int_equal(result.node, 0);
	assert_int_equal(result.nodes, numa_bitmask_weight(numa_all_nodes_ptr));
	assert_int_equal(result.length, LENGTH);
	assert_int_equal(result.page_bytes, PAGE);
	assert_int_equal(result.pages, PAGES);
	assert_int_equal(result.pages_on[0], PAGES);
	assert_int_equal(result.pages_on[1], 0);
	assert_int_equal(result.pages_absent, 0);
	assert_int_equal(result.pages_elsewhere, 0);
	assert_false(result.hugetlb);
	assert_false(result.device);
	assert_true(result.bound && result.populated && result.verified);
	assert_int_equal(result.locked, mlock_locks());
	assert_int_equal(pages_in_memory(base), PAGES);
	assert_int_equal(locked_kib(), locked + (mlock_locks() ? LENGTH / 1024 : 0));
	assert_int_equal(get_mempolicy(&policy, NULL, 0, base, MPOL_F_ADDR), 0);
	assert_int_equal(policy, MPOL_PREFERRED);
	assert_int_equal(
		get_mempolicy(&node, NULL, 0, base + LENGTH - 1, MPOL_F_ADDR | MPOL_F_NODE), 0);
	assert_int_equal(node, 0);
	assert_int_equal(get_mempolicy(&own_after, NULL, 0, NULL, 0), 0);
	assert_int_equal(own_after, own_before);
	for (unsigned int i = 0; i < LENGTH; i++)
		assert_int_equal(base[i], i == 5 * PAGE + 17 ? 42 : 0);
	nhn_place_text(&result, text, sizeof(text));
	snprintf(expected, sizeof(expected),
		 "2 MiB in 512 pages of 4 KiB%s, all on node 0%s, in memory, %s",
		 result.thp_bytes == LENGTH ? " (2 MiB in transparent huge pages)" : "",
		 result.nodes == 1 ? " (one node)" : "", mlock_locks() ? "locked" : "not locked");
	assert_string_equal(text, expected);
	munmap(base, LENGTH);
	close(fd);
}

static void
looking_changes_nothing(void **state)
{
	const int fd = memfd(0, LENGTH);
	uint8_t *base = map(fd, PROT_READ | PROT_WRITE, LENGTH);
	struct nhn_place_config config = config_of(-1);
	struct nhn_place_result result;
	char text[NHN_PLACE_TEXT_MAX];
	int policy;

	(void)state;
	config.populate = config.lock = false;
	base[0] = base[3 * PAGE] = 1;
	assert_int_equal(nhn_place(base, LENGTH, &config, &result), 0);
	assert_int_equal(result.pages_absent, PAGES - 2);
	assert_int_equal(pages_in_memory(base), 2);
	assert_false(result.bound || result.populated || result.locked);
	assert_true(result.verified);
	assert_int_equal(get_mempolicy(&policy, NULL, 0, base, MPOL_F_ADDR), 0);
	assert_int_equal(policy, MPOL_DEFAULT);
	if (result.nodes == 1) {
		nhn_place_text(&result, text, sizeof(text));
		assert_string_equal(text, "2 MiB in 512 pages of 4 KiB, 2 on node 0, 510 not in"
					  " memory (one node), not locked");
	}
	munmap(base, LENGTH);
	close(fd);
}

/* Without a lock; for reading only; and a part, of several mappings. */
static void
mappings_of_all_kinds_are_placed(void **state)
{
	const int fd = memfd(0, LENGTH);
	struct nhn_place_config config = config_of(0);
	struct nhn_place_result result;
	uint8_t *base = map(fd, PROT_READ, LENGTH);

	(void)state;
	config.lock = false;
	assert_int_equal(nhn_place(base, LENGTH, &config, &result), 0);
	assert_true(result.populated);
	assert_false(result.locked);
	assert_int_equal(pages_in_memory(base), PAGES);
	munmap(base, LENGTH);

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, (off_t)LENGTH), 0);
	base = map(fd, PROT_READ | PROT_WRITE, LENGTH);
	assert_int_equal(mprotect(base + 8 * PAGE, 8 * PAGE, PROT_READ), 0);
	assert_int_equal(nhn_place(base + 4 * PAGE, 16 * PAGE - 1, &config, &result), 0);
	assert_int_equal(result.pages, 16);
	assert_true(result.populated);
	assert_int_equal(pages_in_memory(base), 16);
	config.lock = true;
	assert_int_equal(nhn_place(base + 4 * PAGE, 4 * PAGE, &config, &result), 0);
	assert_int_equal(result.locked, mlock_locks());
	config.lock = false;
	assert_int_equal(nhn_place(base + 4 * PAGE, 5 * PAGE, &config, &result), 0);
	assert_false(result.locked);
	assert_int_equal(nhn_place(base + 3 * PAGE, 5 * PAGE, &config, &result), 0);
	assert_false(result.locked);
	munmap(base, LENGTH);
	close(fd);
}

static void
bad_ranges_are_refused(void **state)
{
	struct nhn_place_config config = config_of(-1);
	struct nhn_place_result result;
	char text[NHN_PLACE_TEXT_MAX];
	uint8_t *base = map(-1, PROT_READ | PROT_WRITE, LENGTH);

	(void)state;
	assert_int_equal(nhn_place(NULL, LENGTH, &config, &result), -EINVAL);
	assert_non_null(strstr(said, "and mapped memory was expected."));
	assert_int_equal(nhn_place(base, 0, &config, &result), -EINVAL);
	assert_int_equal(nhn_place(base, UINT64_MAX, &config, &result), -EINVAL);
	assert_int_equal(nhn_place(base + 1, PAGE, &config, &result), -EINVAL);
	assert_non_null(strstr(said, "and its pages have 4096 bytes; begin at the start of a"));
	assert_int_equal(munmap(base + 2 * PAGE, PAGE), 0);
	assert_int_equal(nhn_place(base, 4 * PAGE, &config, &result), -EFAULT);
	assert_non_null(strstr(said, "Of 16384 bytes to place at 0x"));
	assert_non_null(strstr(said, " 12288 are mapped, and all were expected"));
	nhn_place_text(&result, text, sizeof(text));
	assert_string_equal(text, "16 KiB, not placed");
	config.node = 1000;
	assert_int_equal(nhn_place(base, PAGE, &config, &result), -ENODEV);
	assert_non_null(strstr(said, "Memory on node 1000 was asked for"));
	config.node = 100000;
	assert_int_equal(nhn_place(base, PAGE, &config, &result), -ENODEV);
	config.log = NULL;
	assert_int_equal(nhn_place(base, PAGE, &config, &result), -ENODEV);
	munmap(base, LENGTH);
}

/* The file ends before its mapping: an error, and no SIGBUS. */
static void
short_file_is_told(void **state)
{
	const int fd = memfd(0, LENGTH / 2);
	struct nhn_place_config config = config_of(0);
	struct nhn_place_result result;
	void *base = map(fd, PROT_READ | PROT_WRITE, LENGTH);

	(void)state;
	assert_int_equal(nhn_place(base, LENGTH, &config, &result), -EFAULT);
	assert_string_equal(said, "2097152 bytes cannot be brought into memory (Bad address); look"
				  " whether the file is shorter than its mapping.");
	assert_false(result.populated);
	munmap(base, LENGTH);
	close(fd);
}

/* In a child, which gives its rights away. */
static int
place_beyond_limit(void *base)
{
	const struct rlimit limit = {.rlim_cur = 8 * PAGE, .rlim_max = 8 * PAGE};
	struct nhn_place_config config = config_of(0);
	struct nhn_place_result result;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || (geteuid() == 0 && seteuid(65534) != 0))
		return 1;
	if (!mlock_locks())
		return nhn_place(base, LENGTH, &config, &result) == 0 && !result.locked ? 0 : 5;
	if (nhn_place(base, LENGTH, &config, &result) != -ENOMEM)
		return 2;
	if (strcmp(said,
		   "2097152 bytes cannot be locked (Cannot allocate memory), and 32768 may be"
		   " by this process in all; raise ulimit -l or systemd's LimitMEMLOCK=.") != 0)
		return 3;
	return result.populated && !result.locked ? 0 : 4;
}

static void
limit_of_locked_memory_is_told(void **state)
{
	void *base = map(-1, PROT_READ | PROT_WRITE, LENGTH);
	pid_t child;
	int status;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(place_beyond_limit(base));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	munmap(base, LENGTH);
}

static long
huge_pages(long wanted)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
			   wanted < 0 ? "re" : "we");
	long number = -1;

	if (file == NULL)
		return -1;
	if (wanted < 0) {
		if (fscanf(file, "%ld", &number) != 1)
			number = -1;
	} else {
		number = fprintf(file, "%ld", wanted) > 0 ? wanted : -1;
	}
	return fclose(file) == 0 ? number : -1;
}

static long huge_pages_before;

static int
take_huge_pages(void **state)
{
	(void)state;
	huge_pages_before = huge_pages(-1);
	if (huge_pages_before >= 0)
		huge_pages(huge_pages_before + 2);
	return 0;
}

static int
give_huge_pages(void **state)
{
	(void)state;
	if (huge_pages_before < 0 || huge_pages(-1) == huge_pages_before)
		return 0;
	return huge_pages(huge_pages_before) == huge_pages_before ? 0 : -1;
}

static void
huge_pages_are_found(void **state)
{
	struct nhn_place_config config = config_of(0);
	struct nhn_place_result result;
	char text[NHN_PLACE_TEXT_MAX], expected[NHN_PLACE_TEXT_MAX];
	uint8_t *base;
	int fd;

	(void)state;
	if (huge_pages_before < 0 || huge_pages(-1) != huge_pages_before + 2)
		skip();
	fd = memfd(MFD_HUGETLB | 21u << 26, 2 * HUGE_PAGE);
	base = map(fd, PROT_READ | PROT_WRITE, 2 * HUGE_PAGE);
	assert_int_equal(nhn_place(base + PAGE, HUGE_PAGE, &config, &result), -EINVAL);
	assert_non_null(strstr(said, "and its pages have 2097152 bytes"));
	assert_int_equal(nhn_place(base, 2 * HUGE_PAGE, &config, &result), 0);
	assert_int_equal(result.page_bytes, HUGE_PAGE);
	assert_true(result.hugetlb);
	assert_int_equal(result.pages, 2);
	assert_int_equal(result.thp_bytes, 0);
	nhn_place_text(&result, text, sizeof(text));
	snprintf(expected, sizeof(expected),
		 "4 MiB in 2 pages of 2 MiB (hugetlbfs), all on node 0%s, in memory, locked",
		 result.nodes == 1 ? " (one node)" : "");
	assert_string_equal(text, expected);
	munmap(base, 2 * HUGE_PAGE);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memfd_is_placed),
		cmocka_unit_test(looking_changes_nothing),
		cmocka_unit_test(mappings_of_all_kinds_are_placed),
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(short_file_is_told),
		cmocka_unit_test(limit_of_locked_memory_is_told),
		cmocka_unit_test_setup_teardown(huge_pages_are_found, take_huge_pages,
						give_huge_pages),
	};

	return cmocka_run_group_tests_name("topo_place", tests, NULL, NULL);
}
