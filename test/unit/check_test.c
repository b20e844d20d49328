/* SPDX-License-Identifier: BSD-3-Clause */

/* What a check is asked for, and files that are not what they should be. */

#include <time.h>

#include "check_rig.h"

/* More than is read of any file. */
#define HUGE_BYTES ((size_t)17 * 1024 * 1024)

static void
table_is_consistent(void **state)
{
	const unsigned int count = nhn_check_count();
	struct check_rig *rig = *state;
	struct nhn_check *check;

	assert_true(count > 30);
	assert_null(nhn_check_item_at(count));
	assert_int_equal(nhn_check_find("nonsense"), -ENOENT);
	assert_int_equal(nhn_check_find(""), -ENOENT);
	for (unsigned int i = 0; i < count; i++) {
		const struct nhn_check_item *item = nhn_check_item_at(i);
		const size_t length = strlen(item->why);

		assert_int_equal(nhn_check_find(item->id), i);
		assert_true(strlen(item->id) <= 17 && strlen(item->title) > 10);
		/* One sentence. */
		assert_int_equal(item->why[length - 1], '.');
		assert_null(strstr(item->why, ". "));
	}
	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	assert_int_equal(nhn_check_run(check, count, &rig->result), -EINVAL);
	nhn_check_close(check);
	nhn_check_close(NULL);
	assert_string_equal(nhn_check_status_name(NHN_CHECK_SKIP), "skip");
	assert_string_equal(nhn_check_status_name((enum nhn_check_status)4), "unknown");
	assert_string_equal(nhn_check_role_name(NHN_CHECK_ROLE_GUEST), "guest");
	assert_string_equal(nhn_check_role_name(NHN_CHECK_ROLE_UNKNOWN), "unknown");
}

static int
cores_as(struct check_rig *rig, const char *cores, char *list)
{
	struct nhn_check *check;
	int rc;

	rig->config.cores = cores;
	rig->said[0] = '\0';
	rc = nhn_check_open(&check, &rig->config);
	if (rc == 0)
		strcpy(list, nhn_check_machine_of(check)->cores);
	else
		assert_null(check);
	nhn_check_close(check);
	return rc;
}

static void
lists_of_cores_are_read(void **state)
{
	static const struct {
		const char *text, *cores;
	} good[] = {
		{"0-3,8-11:2/4", "0-3,8-9"},
		{"2", "2"},
		{"5,2-3", "2-3,5"},
		{" 2-3\n", "2-3"},
		{"0-15:1/4", "0,4,8,12"},
		{"all", "0-15"},
		{"N", "15"},
		{"12-N", "12-15"},
		{"2,2,2", "2"},
	};
	static const char *const bad[] = {
		"",	   "2-",      "-2",   "2,",
		"a",	   "2-1",     "2 3",  "0x2",
		"2-3:0/4", "2-3:5/4", "2:1",  "2:1/0",
		"+2",	   "(null)",  "5000", "18446744073709551616",
		"none",	   "alle",
	};
	struct check_rig *rig = *state;
	char list[NHN_CHECK_LIST_MAX];

	rig_write(rig, "sys/devices/system/cpu/online", "0-15\n");
	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(cores_as(rig, good[i].text, list), 0);
		assert_string_equal(list, good[i].cores);
	}
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cores_as(rig, bad[i], list), -EINVAL);
		assert_non_null(strstr(rig->said, "such as 2-5,8"));
	}
}

static void
long_lists_are_cut(void **state)
{
	struct check_rig *rig = *state;
	char list[NHN_CHECK_LIST_MAX];

	rig_write(rig, "sys/devices/system/cpu/online", "0-4095\n");
	assert_int_equal(cores_as(rig, "0-4095:1/2", list), 0);
	assert_true(strlen(list) < sizeof(list));
	assert_non_null(strstr(list, ",..."));
	/* A mask of them all is longer than a write holds. */
	rig_write(rig, "sys/devices/virtual/workqueue/cpumask", "1\n");
	assert_int_equal(rig_run(rig, "workqueues")->status, NHN_CHECK_FAIL);
	assert_int_equal(rig->result.write_count, 0);
	assert_true(rig->result.write_more);
}

static void
wrong_roots_are_refused(void **state)
{
	struct check_rig *rig = *state;
	struct nhn_check *check;
	char path[PATH_MAX];

	rig_path(rig, "proc/cmdline", path);
	rig->config.root = path;
	assert_int_equal(nhn_check_open(&check, &rig->config), -ENOENT);
	assert_non_null(strstr(rig->said, "is no folder"));
	rig->config.root = "/nowhere/at/all";
	assert_int_equal(nhn_check_open(&check, &rig->config), -ENOENT);
	rig_path(rig, "etc", path);
	rig->config.cores = NULL;
	rig->config.root = path;
	assert_int_equal(nhn_check_open(&check, &rig->config), -ENOENT);
	assert_non_null(strstr(rig->said, "Nothing tells which cores"));
	/* Silent without a log. */
	rig->config.log = NULL;
	assert_int_equal(nhn_check_open(&check, &rig->config), -ENOENT);
}

static enum nhn_check_role
role_with(struct check_rig *rig, const char *cpuinfo)
{
	struct nhn_check *check;
	enum nhn_check_role role;

	rig_write(rig, "proc/cpuinfo", cpuinfo);
	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	role = nhn_check_machine_of(check)->role;
	nhn_check_close(check);
	return role;
}

static void
role_is_found(void **state)
{
	struct check_rig *rig = *state;
	struct nhn_check *check;

	assert_int_equal(role_with(rig, "flags : fpu tsc\n"), NHN_CHECK_ROLE_HOST);
	assert_int_equal(role_with(rig, "flags : fpu hypervisor\n"), NHN_CHECK_ROLE_GUEST);
	assert_int_equal(role_with(rig, "flags"), NHN_CHECK_ROLE_UNKNOWN);
	assert_int_equal(role_with(rig, "flags :"), NHN_CHECK_ROLE_UNKNOWN);
	assert_int_equal(role_with(rig, "Features : fp\n"), NHN_CHECK_ROLE_UNKNOWN);
	rig_write(rig, "sys/hypervisor/type", "xen\n");
	assert_int_equal(role_with(rig, "Features : fp\n"), NHN_CHECK_ROLE_GUEST);
	rig->config.role = NHN_CHECK_ROLE_HOST;
	assert_int_equal(role_with(rig, "flags : fpu hypervisor\n"), NHN_CHECK_ROLE_HOST);
	rig_write(rig, "proc/cpuinfo", "model name : Best\nflags : a\nmodel name : Worst\n");
	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	assert_string_equal(nhn_check_machine_of(check)->processor, "Best");
	assert_string_equal(nhn_check_machine_of(check)->kernel, "6.1.0-test");
	assert_string_equal(nhn_check_machine_of(check)->isolated, "2-7");
	nhn_check_close(check);
}

/* All files that the rig has, each made into what it should not be: nobody says it is well. */
static void
run_all(struct check_rig *rig, const char *how)
{
	struct nhn_check *check;

	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	for (unsigned int i = 0; i < nhn_check_count(); i++) {
		const struct nhn_check_result *result = &rig->result;

		assert_int_equal(nhn_check_run(check, i, &rig->result), 0);
		for (const char *text = result->found; *text != '\0'; text++)
			assert_true(*text >= ' ' && *text <= '~');
		for (const char *text = result->remedy; *text != '\0'; text++)
			assert_true(*text >= ' ' && *text <= '~');
		if (result->found[0] == '\0')
			print_error("%s: %s finds nothing\n", how, result->id);
		assert_true(result->found[0] != '\0');
		if (result->status == NHN_CHECK_FAIL || result->status == NHN_CHECK_WARN)
			assert_true(result->remedy[0] != '\0');
		else
			assert_true(result->remedy[0] == '\0');
	}
	nhn_check_close(check);
}

static bool
is_file(const struct rig_edit *edit)
{
	return strchr(edit->path, '/') != NULL;
}

static void
garbage_is_survived(void **state)
{
	struct check_rig *rig = *state;
	unsigned int seed = 20261123;
	char bytes[600];

	for (unsigned int round = 0; round < 40; round++) {
		rig_mend(rig);
		for (const struct rig_edit *edit = rig_well; edit->path != NULL; edit++) {
			const size_t length = (size_t)rand_r(&seed) % sizeof(bytes);

			if (!is_file(edit) || rand_r(&seed) % 2 == 0)
				continue;
			/* Random bytes, or the right ones with some changed. */
			for (size_t i = 0; i < length; i++)
				bytes[i] = (char)rand_r(&seed);
			if (round % 2 == 1) {
				memset(bytes, ' ', sizeof(bytes));
				snprintf(bytes, sizeof(bytes), "%s", edit->text);
				bytes[(size_t)rand_r(&seed) % (strlen(edit->text) + 1)] =
					(char)rand_r(&seed);
			}
			rig_write_bytes(rig, edit->path, bytes,
					round % 2 == 1 ? strlen(edit->text) : length);
		}
		rig_write_bytes(rig, "proc/900/task/901/stat", bytes, 100);
		rig_write_bytes(rig, "after/proc/900/task/901/status", bytes, 300);
		run_all(rig, "garbage");
	}
}

/* Each file away, empty, a folder, a FIFO that nobody writes, and without an end. */
static void
other_things_are_survived(void **state)
{
	struct check_rig *rig = *state;
	char path[PATH_MAX];

	for (const struct rig_edit *edit = rig_well; edit->path != NULL; edit++) {
		if (!is_file(edit))
			continue;
		rig_remove(rig, edit->path);
		run_all(rig, edit->path);
		rig_write(rig, edit->path, "");
		run_all(rig, edit->path);
		rig_remove(rig, edit->path);
		rig_path(rig, edit->path, path);
		assert_int_equal(mkdir(path, 0700), 0);
		run_all(rig, edit->path);
		rig_remove(rig, edit->path);
		assert_int_equal(mkfifo(path, 0600), 0);
		run_all(rig, edit->path);
		assert_int_equal(unlink(path), 0);
		rig_edit(rig, edit);
	}
}

static void
huge_files_are_left(void **state)
{
	static const char *const paths[] = {
		"proc/interrupts",
		"proc/sys/kernel/numa_balancing",
		"proc/sys/kernel/version",
		"sys/kernel/mm/transparent_hugepage/enabled",
	};
	static const char *const ids[] = {"irqs", "numa_balancing", "rt-kernel", "thp"};
	struct check_rig *rig = *state;
	char *bytes = malloc(HUGE_BYTES);

	assert_non_null(bytes);
	memset(bytes, '1', HUGE_BYTES);
	for (unsigned int i = 0; i < 4; i++) {
		rig_write_bytes(rig, paths[i], bytes, HUGE_BYTES);
		assert_int_equal(rig_run(rig, ids[i])->status, NHN_CHECK_SKIP);
		/* Of a number it does not matter how long it is. */
		assert_non_null(
			strstr(rig->result.found, i != 1 ? "is longer than" : "has not the form"));
		rig_mend(rig);
	}
	free(bytes);
}

static void
nothing_to_see_is_no_fault(void **state)
{
	struct check_rig *rig = *state;
	struct nhn_check *check;

	rig_remove(rig, "");
	assert_int_equal(mkdir(rig->root, 0700), 0);
	rig_write(rig, "sys/devices/system/cpu/online", "0-7\n");
	rig_write(rig, "after/nothing", "");
	rig->config.file_count = rig->config.bar_count = 0;
	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	for (unsigned int i = 0; i < nhn_check_count(); i++) {
		assert_int_equal(nhn_check_run(check, i, &rig->result), 0);
		if (strcmp(rig->result.id, "cores") == 0 || strcmp(rig->result.id, "tuned") == 0)
			assert_int_equal(rig->result.status, NHN_CHECK_PASS);
		else
			assert_int_equal(rig->result.status, NHN_CHECK_SKIP);
	}
	nhn_check_close(check);
}

static void
files_are_judged_together(void **state)
{
	struct check_rig *rig = *state;
	char path[PATH_MAX], other[PATH_MAX];

	rig->files[1] = "/dev/shm/with a 'quote'";
	rig->config.file_count = 2;
	rig_write(rig, rig->files[1], "12");
	rig_path(rig, rig->files[1], path);
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(rig_run(rig, "file")->status, NHN_CHECK_FAIL);
	assert_non_null(strstr(rig->result.found, "mode 0600, 1048576 bytes; "));
	assert_string_equal(rig->result.remedy, "chmod 600 that file");
	/* A link to it is none of ours. */
	assert_int_equal(unlink(path), 0);
	rig_path(rig, RIG_FILE, other);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(rig_run(rig, "file")->status, NHN_CHECK_FAIL);
	assert_non_null(strstr(rig->result.found, "is a symbolic link"));
	assert_int_equal(unlink(path), 0);
	/* And who may rename in its folder. */
	rig->config.file_count = 1;
	rig_path(rig, "dev/shm", path);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(rig_run(rig, "file")->status, NHN_CHECK_FAIL);
	assert_non_null(strstr(rig->result.found, "everybody may rename"));
	assert_int_equal(chmod(path, 01777), 0);
	assert_int_equal(rig_run(rig, "file")->status, NHN_CHECK_PASS);
	if (geteuid() == 0) {
		assert_int_equal(chown(other, 12345, 12345), 0);
		assert_int_equal(rig_run(rig, "file")->status, NHN_CHECK_FAIL);
		assert_non_null(strstr(rig->result.found, "is of user 12345"));
		assert_string_equal(rig->result.remedy, "chown 0 " RIG_FILE);
	}
}

static void
bar_may_be_out_of_reach(void **state)
{
	struct check_rig *rig = *state;

	rig->bar.why_not = "PCI device 0000:00:03.0 is held by vfio-pci.";
	assert_int_equal(rig_run(rig, "bar")->status, NHN_CHECK_SKIP);
	assert_string_equal(rig->result.found, rig->bar.why_not);
}

/* It runs for a moment, and then never again. */
static void
checker_is_no_neighbour(void **state)
{
	struct check_rig *rig = *state;
	char order[128];

	snprintf(order, sizeof(order), "%d %d nahanni-check user 0-7 6 1 1 5 5", getpid(),
		 getpid());
	rig_thread(rig, order);
	assert_int_equal(rig_run(rig, "vcpus")->status, NHN_CHECK_PASS);
	snprintf(order, sizeof(order), "%d %d another user 0-7 6 1 1 5 5", getpid() + 1,
		 getpid() + 1);
	rig_thread(rig, order);
	assert_int_equal(rig_run(rig, "vcpus")->status, NHN_CHECK_FAIL);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* It waits once, for all checks that compare, and for no other. */
static void
moments_lie_apart(void **state)
{
	struct check_rig *rig = *state;
	struct nhn_check *check;
	double begun, one;

	rig_remove(rig, "after");
	rig->config.sample_ms = 150;
	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	begun = now();
	nhn_check_run(check, (unsigned int)nhn_check_find("thp"), &rig->result);
	assert_true(now() - begun < 0.15);
	nhn_check_run(check, (unsigned int)nhn_check_find("irqs"), &rig->result);
	one = now() - begun;
	assert_true(one >= 0.15);
	assert_int_equal(rig->result.status, NHN_CHECK_PASS);
	nhn_check_run(check, (unsigned int)nhn_check_find("steal"), &rig->result);
	assert_true(now() - begun < one + 0.15);
	nhn_check_close(check);
}

/* Whatever it is: it is judged, and left as it is. */
static void
this_machine_is_judged(void **state)
{
	const struct nhn_check_config config = {.sample_ms = 20};
	struct check_rig *rig = *state;
	struct nhn_check *check;

	assert_int_equal(nhn_check_open(&check, &config), 0);
	for (unsigned int i = 0; i < nhn_check_count(); i++) {
		assert_int_equal(nhn_check_run(check, i, &rig->result), 0);
		assert_true(rig->result.found[0] != '\0');
		assert_true(rig->result.wanted[0] != '\0');
	}
	nhn_check_close(check);
	assert_int_equal(nhn_check_open(&check, NULL), 0);
	nhn_check_close(check);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(table_is_consistent),
		TEST(lists_of_cores_are_read),
		TEST(long_lists_are_cut),
		TEST(wrong_roots_are_refused),
		TEST(role_is_found),
		TEST(garbage_is_survived),
		TEST(other_things_are_survived),
		TEST(huge_files_are_left),
		TEST(nothing_to_see_is_no_fault),
		TEST(files_are_judged_together),
		TEST(bar_may_be_out_of_reach),
		TEST(checker_is_no_neighbour),
		TEST(moments_lie_apart),
		TEST(this_machine_is_judged),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
