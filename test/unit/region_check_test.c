/* SPDX-License-Identifier: BSD-3-Clause */

/* Files that are replaced, removed or hidden under a mapping; region_lost_test.c shortens them. */

#include "region_place.h"

static void
replaced_and_removed_are_told(void **state)
{
	struct place *p = *state;
	char aside[600], folder[600];

	snprintf(aside, sizeof(aside), "%s.aside", p->path);
	snprintf(folder, sizeof(folder), "%s.folder", p->folder);
	write_pattern(p->path, MIB);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	assert_int_equal(rename(p->path, aside), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
	assert_non_null(strstr(p->said, "was removed under us"));
	write_pattern(p->path, MIB);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
	assert_non_null(strstr(p->said, "was replaced by another file under us"));
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(symlink(aside, p->path), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
	assert_int_equal(rename(aside, p->path), 0);
	p->said[0] = '\0';
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	assert_int_equal(rename(p->folder, folder), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
	write_file(p->folder, "");
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
	assert_int_equal(unlink(p->folder), 0);
	assert_int_equal(rename(folder, p->folder), 0);
	/* A longer file has all that was opened. */
	assert_int_equal(truncate(p->path, 2 * MIB), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), 0);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
	p->config.log = NULL;
	assert_int_equal(nhn_region_check(&p->region, &p->config), -ESTALE);
}

/* Rights that were given up after the open do not make a good link a lost one. */
static int
check_blindly(struct place *p)
{
	if (chmod(p->folder, 0700) != 0 || setegid(65534) != 0 || seteuid(65534) != 0)
		return 1;
	if (size_of(p->path) != -1 || errno != EACCES)
		return 2;
	return -nhn_region_check(&p->region, &p->config);
}

static void
unseen_path_proves_nothing(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip(); /* only root has rights to give up */
	write_pattern(p->path, MIB);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(in_child(check_blindly, p), 0);
}

static void
check_wants_an_open_region(void **state)
{
	struct place *p = *state;

	assert_int_equal(nhn_region_check(NULL, &p->config), -EINVAL);
	assert_int_equal(nhn_region_check(&p->region, &p->config), -EINVAL);
	write_pattern(p->path, MIB);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(nhn_region_check(&p->region, NULL), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replaced_and_removed_are_told),
		TEST(unseen_path_proves_nothing),
		TEST(check_wants_an_open_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
