/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef REGION_PLACE_H
#define REGION_PLACE_H

/* What the tests of lib/region share: a folder each, and sentences recorded. */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <nhn_region.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

/* What each test has to itself. */
struct place {
	char folder[256];
	char path[512];
	char said[8192];
	struct nhn_region_config config;
	struct nhn_region region;
};

static inline void
record(void *context, const char *sentence)
{
	struct place *p = context;

	snprintf(p->said, sizeof(p->said), "%s", sentence);
}

static inline struct nhn_region_config
config_for(struct place *p, const char *path)
{
	struct nhn_region_config config;

	nhn_region_config_init(&config);
	config.path = path;
	config.log = record;
	config.log_context = p;
	return config;
}

static inline int
setup(void **state)
{
	const char *temp = getenv("TMPDIR");
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof(p->folder), "%s/nhn_region.XXXXXX",
		 temp != NULL ? temp : P_tmpdir);
	if (mkdtemp(p->folder) == NULL || chmod(p->folder, 0755) != 0)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/link", p->folder);
	p->config = config_for(p, p->path);
	*state = p;
	return 0;
}

static inline int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int
teardown(void **state)
{
	struct place *p = *state;
	int rc;

	nhn_region_close(&p->region);
	rc = nftw(p->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(p);
	return rc;
}

/* The open fails so, leaves a closed region, and says a sentence with the word. */
static inline void
refused(struct place *p, const struct nhn_region_config *config, int error, const char *word)
{
	struct nhn_region region;

	p->said[0] = '\0';
	assert_int_equal(nhn_region_open(&region, config), -error);
	assert_null(region.base);
	assert_int_equal(region.length, 0);
	assert_int_equal(region.fd, -1);
	if (strstr(p->said, word) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", p->said, word);
	assert_int_equal(p->said[strlen(p->said) - 1], '.');
	nhn_region_close(&region);
}

static inline void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

/* Every byte depends on its place. */
static inline void
write_pattern(const char *path, uint64_t size)
{
	FILE *file = fopen(path, "we");
	uint64_t i;

	assert_non_null(file);
	for (i = 0; i < size; i++)
		putc_unlocked((int)((i * 2654435761u) >> 13 & 255), file);
	assert_int_equal(fclose(file), 0);
}

static inline void
assert_pattern(const char *path, uint64_t size)
{
	FILE *file = fopen(path, "re");
	uint64_t i;

	assert_non_null(file);
	for (i = 0; i < size; i++)
		if (getc_unlocked(file) != (int)((i * 2654435761u) >> 13 & 255))
			fail_msg("byte %llu changed", (unsigned long long)i);
	assert_int_equal(getc_unlocked(file), EOF);
	fclose(file);
}

static inline off_t
size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_size : -1;
}

static inline mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* What in_child() returns when a signal ended the child. */
#define DIED_OF(number) (200 + (number))

/*
 * Exit status of `run` in a child of its own, or which signal ended it. No
 * cmocka assert may run in there: it would return into the parent's test.
 */
static inline int
in_child(int (*run)(struct place *p), struct place *p)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* cmocka's handler would return into the parent's test as well. */
		signal(SIGBUS, SIG_DFL);
		_exit(run(p));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : DIED_OF(WTERMSIG(status));
}

/* Mounts made from here on are seen by the calling child only, and end with it. */
static inline int
mount_unseen(void)
{
	return unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
		       ? -1
		       : 0;
}

/* Another file system at p->folder for the calling child. */
static inline int
mount_privately(struct place *p, const char *type, const char *options)
{
	return mount_unseen() == 0 ? mount("none", p->folder, type, 0, options) : -1;
}

/* What a child returns that cannot mount. */
#define CANNOT_MOUNT 100

static inline void
assert_child(int rc, const char *what)
{
	if (rc == CANNOT_MOUNT) {
		print_message("skipped: %s cannot be mounted here\n", what);
		skip();
	}
	assert_int_equal(rc, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* REGION_PLACE_H */
