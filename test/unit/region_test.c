/* SPDX-License-Identifier: BSD-3-Clause */

#include <signal.h>
#include <sys/prctl.h>

#include "region_place.h"

static void
creates_default(void **state)
{
	struct place *p = *state;
	struct stat st;

	p->config.create = true;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(p->region.length, NHN_REGION_SIZE_DEFAULT);
	assert_int_equal(p->region.access, NHN_REGION_READ_WRITE);
	assert_int_equal(fstat(p->region.fd, &st), 0);
	assert_int_equal(st.st_size, NHN_REGION_SIZE_DEFAULT);
	assert_true((uint64_t)st.st_blocks * 512 >= NHN_REGION_SIZE_DEFAULT);
	assert_int_equal(fcntl(p->region.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(mode_of(p->path), 0600);
	p->region.base[p->region.length - 1] = 1;
	nhn_region_close(&p->region);
	assert_int_equal(size_of(p->path), NHN_REGION_SIZE_DEFAULT);
	assert_string_equal(p->said, "");
}

static void
mode_ignores_umask(void **state)
{
	static const mode_t masks[] = {0, 077}, modes[] = {0, 0660, 0644};
	struct place *p = *state;
	mode_t before = umask(0);

	p->config.create = true;
	p->config.size = NHN_REGION_SIZE_MIN;
	for (unsigned int i = 0; i < 6; i++) {
		umask(masks[i % 2]);
		p->config.mode = modes[i / 2];
		assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
		assert_int_equal(mode_of(p->path), modes[i / 2] != 0 ? modes[i / 2] : 0600);
		nhn_region_close(&p->region);
		assert_int_equal(unlink(p->path), 0);
	}
	umask(before);
}

static void
refuses_sizes(void **state)
{
	static const struct {
		uint64_t found, asked;
		const char *word;
	} cases[] = {
		{16 * MIB, 32 * MIB, "33554432 were asked for"},
		{16 * MIB, MIB, "1048576 were asked for"},
		{24 * MIB, 0, "power of two"},
		{32 * KIB, 0, "at least 65536"},
		{1, 0, "power of two"},
	};
	struct place *p = *state;

	for (unsigned int i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		p->config.create = i % 2 == 0;
		p->config.size = cases[i / 2].asked;
		write_pattern(p->path, cases[i / 2].found);
		refused(p, &p->config, EINVAL, cases[i / 2].word);
		assert_pattern(p->path, cases[i / 2].found);
	}
}

static void
opens_existing(void **state)
{
	struct place *p = *state;

	write_pattern(p->path, MIB);
	for (unsigned int i = 0; i < 8; i++) {
		p->config.access = i & 1 ? NHN_REGION_READ_ONLY : NHN_REGION_READ_WRITE;
		p->config.size = i & 2 ? MIB : 0;
		p->config.create = i == 4 || i == 6;
		p->config.mode = 0660;
		assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
		assert_int_equal(p->region.length, MIB);
		assert_int_equal(p->region.access, p->config.access);
		nhn_region_close(&p->region);
	}
	assert_pattern(p->path, MIB);
	assert_int_equal(mode_of(p->path) & 0022, 0);
}

static void
empty_file_waits_or_is_sized(void **state)
{
	struct flock sizing = {.l_type = F_WRLCK, .l_start = INT64_MAX, .l_len = 1};
	struct place *p = *state;
	int fd;

	write_file(p->path, "");
	p->config.size = MIB;
	refused(p, &p->config, EAGAIN, "is still empty; start the host first or try again");
	p->config.access = NHN_REGION_READ_ONLY;
	refused(p, &p->config, EAGAIN, "still empty");
	p->config.access = NHN_REGION_READ_WRITE;
	p->config.create = true;
	fd = open(p->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &sizing), 0);
	refused(p, &p->config, EAGAIN, "try again");
	assert_int_equal(size_of(p->path), 0);
	close(fd);
	assert_int_equal(chmod(p->path, 0640), 0);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(p->region.length, MIB);
	assert_int_equal(size_of(p->path), MIB);
	assert_int_equal(mode_of(p->path), 0640);
}

static void
refuses_other_types(void **state)
{
	struct place *p = *state;
	char target[600];

	p->config.create = true;
	snprintf(target, sizeof(target), "%s.target", p->path);
	write_pattern(target, MIB);
	assert_int_equal(symlink(target, p->path), 0);
	for (int i = 0; i < 2; i++) {
		refused(p, &p->config, ELOOP, "is a symbolic link");
		p->config.create = false;
	}
	assert_pattern(target, MIB);
	assert_int_equal(unlink(target), 0);
	p->config.create = true;
	refused(p, &p->config, ELOOP, "is a symbolic link");
	assert_int_equal(size_of(target), -1);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkdir(p->path, 0755), 0);
	refused(p, &p->config, EISDIR, "is a directory");
	p->config.create = false;
	p->config.access = NHN_REGION_READ_ONLY;
	refused(p, &p->config, EISDIR, "is a directory");
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	refused(p, &p->config, EINVAL, "is a FIFO");
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mknod(p->path, S_IFSOCK | 0600, 0), 0);
	refused(p, &p->config, EINVAL, "is a socket");
	p->config.path = "/dev/null";
	refused(p, &p->config, EINVAL, "is a character device");
}

static void
names_missing_paths(void **state)
{
	struct place *p = *state;
	char deep[600];

	refused(p, &p->config, ENOENT, "does not exist");
	assert_int_equal(size_of(p->path), -1);
	snprintf(deep, sizeof(deep), "%s/none", p->path);
	p->config.path = deep;
	p->config.create = true;
	refused(p, &p->config, ENOENT, "create the folder");
}

static void
refuses_contradictions(void **state)
{
	struct place *p = *state;
	struct nhn_region_config c[13];
	unsigned int i;

	for (i = 0; i < 13; i++) {
		c[i] = p->config;
		c[i].create = true;
	}
	c[0].size = 24 * MIB;
	c[1].size = NHN_REGION_SIZE_MIN / 2;
	c[2].size = (uint64_t)1 << 63;
	c[3].lock_byte = -2;
	c[4].lock_byte = INT64_MAX;
	c[5].access = NHN_REGION_READ_ONLY;
	c[5].lock_byte = 0;
	c[6] = c[5];
	c[6].create = false;
	c[7].path = NULL;
	c[8].mode = 04600;
	c[9].kind = (enum nhn_region_kind)7;
	c[10].access = (enum nhn_region_access)7;
	c[11].kind = NHN_REGION_MEMFD;
	c[11].path = NULL;
	c[12].kind = NHN_REGION_MEMFD;
	c[12].fd = 0;
	for (i = 0; i < 13; i++)
		refused(p, &c[i], EINVAL, "; ");
	assert_int_equal(size_of(p->path), -1);
	assert_int_equal(nhn_region_open(&p->region, NULL), -EINVAL);
	assert_int_equal(nhn_region_open(NULL, &p->config), -EINVAL);
	c[0].log = NULL;
	assert_int_equal(nhn_region_open(&p->region, &c[0]), -EINVAL);
}

static void
close_accepts_anything(void **state)
{
	struct nhn_region region = {0};
	struct place *p = *state;
	int fd = open(p->folder, O_RDONLY | O_CLOEXEC);

	nhn_region_close(NULL);
	/* As a zeroed region names fd 0, which is not its own. */
	region.fd = fd;
	nhn_region_close(&region);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	p->config.create = true;
	assert_int_equal(nhn_region_open(&region, &p->config), 0);
	nhn_region_close(&region);
	assert_null(region.base);
	assert_int_equal(region.fd, -1);
	nhn_region_close(&region);
}

static void
one_holder_per_role(void **state)
{
	struct place *p = *state;
	struct nhn_region other;

	write_pattern(p->path, MIB);
	p->config.lock_byte = 0;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	refused(p, &p->config, EBUSY, "another process already holds this role");
	assert_non_null(strstr(p->said, p->path));
	p->config.size = 2 * MIB;
	refused(p, &p->config, EBUSY, "another process already holds this role");
	p->config.size = 0;
	p->config.lock_byte = 1;
	assert_int_equal(nhn_region_open(&other, &p->config), 0);
	nhn_region_close(&p->region);
	p->config.lock_byte = 0;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	nhn_region_close(&other);
	refused(p, &p->config, EBUSY, "byte 0");
	assert_pattern(p->path, MIB);
}

static void
loser_changes_nothing(void **state)
{
	struct flock role = {.l_type = F_WRLCK, .l_start = 5, .l_len = 1};
	struct place *p = *state;
	int fd;

	write_file(p->path, "");
	fd = open(p->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &role), 0);
	p->config.lock_byte = 5;
	p->config.create = true;
	p->config.mode = 0664;
	refused(p, &p->config, EBUSY, "already holds");
	assert_int_equal(size_of(p->path), 0);
	assert_int_not_equal(mode_of(p->path), 0664);
	close(fd);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(mode_of(p->path), 0664);
}

static void
killed_holder_frees_role(void **state)
{
	struct place *p = *state;
	int pipes[2], status;
	pid_t child;
	char byte;

	p->config.create = true;
	p->config.lock_byte = 0;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (nhn_region_open(&p->region, &p->config) != 0 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	refused(p, &p->config, EBUSY, "already holds");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
}

/* Two roles create one file with different sizes: one size wins, whole. */
static void
creators_race(void **state)
{
	struct place *p = *state;
	int mine, other, status;
	pid_t child;

	p->config.create = true;
	for (int round = 0; round < 200; round++) {
		child = fork();
		assert_true(child >= 0);
		p->config.lock_byte = child == 0;
		p->config.size = child == 0 ? 2 * MIB : MIB;
		mine = -nhn_region_open(&p->region, &p->config);
		if (child == 0)
			_exit(mine);
		assert_int_equal(waitpid(child, &status, 0), child);
		other = WEXITSTATUS(status);
		assert_true(mine == 0 || other == 0);
		assert_int_equal(size_of(p->path), mine == 0 ? MIB : 2 * MIB);
		if (mine != 0 || other != 0)
			assert_true(mine + other == EINVAL || mine + other == EAGAIN);
		else
			fail_msg("both sizes were accepted");
		nhn_region_close(&p->region);
		assert_int_equal(unlink(p->path), 0);
	}
}

static void
die_on_store(int number)
{
	_exit(number == SIGSEGV ? 7 : 8);
}

static int
store_into_read_only(struct place *p)
{
	signal(SIGSEGV, die_on_store);
	*(volatile uint8_t *)p->region.base = 1;
	return 0;
}

static void
mappings_share_bytes(void **state)
{
	struct place *p = *state;
	struct nhn_region other;

	p->config.create = true;
	assert_int_equal(nhn_region_open(&other, &p->config), 0);
	p->config.create = false;
	p->config.access = NHN_REGION_READ_ONLY;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_ptr_not_equal(other.base, p->region.base);
	other.base[0] = 0x5a;
	other.base[other.length - 1] = 0xa5;
	assert_int_equal(p->region.base[0], 0x5a);
	assert_int_equal(p->region.base[p->region.length - 1], 0xa5);
	assert_int_equal(fcntl(p->region.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(in_child(store_into_read_only, p), 7);
	nhn_region_close(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(creates_default),
		TEST(mode_ignores_umask),
		TEST(refuses_sizes),
		TEST(opens_existing),
		TEST(empty_file_waits_or_is_sized),
		TEST(refuses_other_types),
		TEST(names_missing_paths),
		TEST(refuses_contradictions),
		TEST(close_accepts_anything),
		TEST(one_holder_per_role),
		TEST(loser_changes_nothing),
		TEST(killed_holder_frees_role),
		TEST(creators_race),
		TEST(mappings_share_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
