/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "region_place.h"

#define NOBODY 65534
#define OTHER_GROUP 4321

static void
modes_are_parsed(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
	} good[] = {{"600", 0600}, {"0600", 0600}, {"660", 0660}, {"0664", 0664}, {"0755", 0755}};
	static const char *const bad[] = {
		"",	"0",	"60",	 "06",	  "00600", "6600", "1660", "4600",  "2660",
		"0400", "0200", "0066",	 "000",	  "666",   "0602", "0777", "0x1b0", "rw-",
		"-600", "+600", "0600 ", " 0600", "0680",  "0b60", "66O",  "0660,", "0660\n",
	};
	mode_t mode;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		mode = 1;
		assert_int_equal(nhn_region_mode_parse(good[i].text, &mode), 0);
		assert_int_equal(mode, good[i].mode);
	}
	mode = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (nhn_region_mode_parse(bad[i], &mode) != -EINVAL || mode != 1)
			fail_msg("\"%s\" was taken as mode %o", bad[i], mode);
	assert_int_equal(nhn_region_mode_parse(NULL, &mode), -EINVAL);
}

static void
groups_are_parsed(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} bad[] = {
		{"", -EINVAL},
		{"4294967295", -EINVAL},
		{"4294967296", -EINVAL},
		{"99999999999999999999", -EINVAL},
		{"no-such-group", -ENOENT},
		{"-1", -ENOENT},
		{"12x", -ENOENT},
		{"0x10", -ENOENT},
		{" 12", -ENOENT},
	};
	struct group *entry = getgrgid(0);
	gid_t group = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (nhn_region_group_parse(bad[i].text, &group) != bad[i].rc || group != 1)
			fail_msg("\"%s\" was not refused by %d", bad[i].text, bad[i].rc);
	assert_int_equal(nhn_region_group_parse(NULL, &group), -EINVAL);
	assert_int_equal(nhn_region_group_parse("4294967294", &group), 0);
	assert_int_equal(group, 4294967294u);
	assert_int_equal(nhn_region_group_parse("0", &group), 0);
	assert_int_equal(group, 0);
	assert_non_null(entry);
	group = 1;
	assert_int_equal(nhn_region_group_parse(entry->gr_name, &group), 0);
	assert_int_equal(group, 0);
}

/* Its entry has 180 kilobytes; another group has a number for a name. */
static int
ask_for_large_group(struct place *p)
{
	gid_t large = 1, numeric = 1;
	FILE *file = fopen(p->path, "we");

	if (file == NULL)
		return 1;
	fprintf(file, "987:x:7001:\nlarge:x:7002:member");
	for (int i = 0; i < 20000; i++)
		fprintf(file, ",name%d", i);
	fprintf(file, "\n");
	if (fclose(file) != 0)
		return 2;
	if (mount_unseen() != 0 || mount(p->path, "/etc/group", NULL, MS_BIND, NULL) != 0)
		return CANNOT_MOUNT;
	if (nhn_region_group_parse("large", &large) != 0 || large != 7002)
		return 3;
	if (nhn_region_group_parse("987", &numeric) != 0 || numeric != 7001)
		return 4;
	return 0;
}

static void
large_groups_are_found(void **state)
{
	assert_child(in_child(ask_for_large_group, *state), "another /etc/group");
}

static gid_t
group_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_gid : (gid_t)-1;
}

/* A member of OTHER_GROUP and of no other, without rights. */
static int
become_nobody(void)
{
	const gid_t groups[] = {OTHER_GROUP};

	return setgroups(1, groups) != 0 || setegid(NOBODY) != 0 || seteuid(NOBODY) != 0 ? -1 : 0;
}

static int
give_groups(struct place *p)
{
	struct nhn_region region;
	mode_t before;

	if (become_nobody() != 0)
		return 1;
	p->config.group = 0;
	p->config.mode = 0660;
	if (nhn_region_open(&region, &p->config) != -EPERM || size_of(p->path) != -1)
		return 2;
	if (strstr(p->said, "from 65534 to 0") == NULL || strstr(p->said, "a member") == NULL)
		return 3;
	before = umask(0);
	close(open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0620));
	umask(before);
	if (nhn_region_open(&region, &p->config) != -EPERM || size_of(p->path) != 0 ||
	    mode_of(p->path) != 0620)
		return 4;
	p->config.group = OTHER_GROUP;
	for (int i = 0; i < 2; i++) {
		if (nhn_region_open(&region, &p->config) != 0)
			return 5;
		nhn_region_close(&region);
		if (group_of(p->path) != OTHER_GROUP || mode_of(p->path) != 0660)
			return 6;
		if (unlink(p->path) != 0)
			return 7;
	}
	return 0;
}

static void
group_is_given(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip(); /* only root has groups to choose from */
	p->config.create = true;
	p->config.size = NHN_REGION_SIZE_MIN;
	p->config.mode = 0640;
	p->config.group = NOBODY;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(group_of(p->path), NOBODY);
	assert_int_equal(mode_of(p->path), 0640);
	nhn_region_close(&p->region);
	/* What has bytes keeps its group and mode. */
	p->config.group = OTHER_GROUP;
	p->config.mode = 0660;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(group_of(p->path), NOBODY);
	assert_int_equal(mode_of(p->path), 0640);
	nhn_region_close(&p->region);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(chmod(p->folder, 0777), 0);
	assert_int_equal(in_child(give_groups, p), 0);
}

/* The file at the moment in which lib/region calls these two, which stand before libc's. */
static struct stat at_fchown, at_fchmod;

int
fchown(int fd, uid_t owner, gid_t group)
{
	fstat(fd, &at_fchown);
	return (int)syscall(SYS_fchown, fd, owner, group);
}

int
fchmod(int fd, mode_t mode)
{
	fstat(fd, &at_fchmod);
	return (int)syscall(SYS_fchmod, fd, mode);
}

/* Another process that gives the file its length while we take our lock on it. */
static bool sized_meanwhile;

int
fcntl(int fd, int command, ...)
{
	va_list list;
	void *argument;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	if (sized_meanwhile && command == F_OFD_SETLK && ftruncate(fd, (off_t)MIB) == 0)
		sized_meanwhile = false;
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* Nobody finds bytes that are not his, nor a right that was meant for another group. */
static void
rights_come_in_order(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip(); /* only root has groups to choose from */
	p->config.create = true;
	p->config.mode = 0660;
	p->config.group = OTHER_GROUP;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_int_equal(at_fchown.st_mode & 07777, 0600);
	assert_int_equal(at_fchown.st_size, 0);
	assert_int_equal(at_fchown.st_blocks, 0);
	assert_int_equal(at_fchmod.st_gid, OTHER_GROUP);
	assert_int_equal(at_fchmod.st_size, 0);
	assert_int_equal(at_fchmod.st_blocks, 0);
}

static void
rights_are_the_creators(void **state)
{
	struct place *p = *state;

	p->config.create = true;
	p->config.mode = 0660;
	p->config.lock_byte = 0;
	sized_meanwhile = true;
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	assert_false(sized_meanwhile);
	assert_int_equal(p->region.length, MIB);
	assert_int_equal(mode_of(p->path), 0660);
}

static void
others_may_not_write(void **state)
{
	static const mode_t modes[] = {0666, 0602, 0662, 0777, 0646};
	struct place *p = *state;

	for (unsigned int i = 0; i < 4 * sizeof(modes) / sizeof(modes[0]); i++) {
		p->config.access = i & 1 ? NHN_REGION_READ_ONLY : NHN_REGION_READ_WRITE;
		p->config.create = (i & 2) != 0;
		write_pattern(p->path, MIB);
		assert_int_equal(chmod(p->path, modes[i / 4]), 0);
		refused(p, &p->config, EPERM, "chmod o-w");
		assert_pattern(p->path, MIB);
		write_file(p->path, "");
		refused(p, &p->config, EPERM, "chmod o-w");
		assert_int_equal(size_of(p->path), 0);
		assert_int_equal(mode_of(p->path), modes[i / 4]);
	}
	p->config.access = NHN_REGION_READ_WRITE;
	write_pattern(p->path, MIB);
	assert_int_equal(chmod(p->path, 0664), 0);
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
}

static void
wrong_modes_create_nothing(void **state)
{
	static const mode_t modes[] = {0666, 0602, 0400, 0060, 04600, 01660, 0200};
	struct place *p = *state;

	p->config.create = true;
	for (unsigned int i = 0; i < 2 * sizeof(modes) / sizeof(modes[0]); i++) {
		p->config.access = i & 1 ? NHN_REGION_READ_ONLY : NHN_REGION_READ_WRITE;
		p->config.mode = modes[i / 2];
		refused(p, &p->config, EINVAL, "such as 0600 or 0660");
		assert_int_equal(size_of(p->path), -1);
	}
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
reader_creates(void **state)
{
	struct place *p = *state;
	unsigned int before = open_descriptors();
	struct nhn_region writer;

	p->config.access = NHN_REGION_READ_ONLY;
	p->config.create = true;
	p->config.size = MIB;
	p->config.mode = 0660;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
		assert_int_equal(p->region.access, NHN_REGION_READ_ONLY);
		assert_int_equal(p->region.length, MIB);
		assert_int_equal(size_of(p->path), MIB);
		assert_int_equal(mode_of(p->path), 0660);
		/* Neither the descriptor nor the mapping can become writable. */
		assert_int_equal(fcntl(p->region.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		assert_int_equal(fcntl(p->region.fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(mprotect(p->region.base, MIB, PROT_READ | PROT_WRITE), -1);
		assert_int_equal(errno, EACCES);
		nhn_region_close(&p->region);
		write_file(p->path, "");
	}
	assert_int_equal(nhn_region_open(&p->region, &p->config), 0);
	p->config.access = NHN_REGION_READ_WRITE;
	p->config.create = false;
	assert_int_equal(nhn_region_open(&writer, &p->config), 0);
	writer.base[MIB - 1] = 0x5a;
	assert_int_equal(p->region.base[MIB - 1], 0x5a);
	nhn_region_close(&writer);
	nhn_region_close(&p->region);
	assert_int_equal(open_descriptors(), before);
}

static void
reader_creates_with_the_same_rules(void **state)
{
	struct flock sizing = {.l_type = F_WRLCK, .l_start = INT64_MAX, .l_len = 1};
	struct place *p = *state;
	unsigned int before = open_descriptors();
	char other[600];
	int fd;

	snprintf(other, sizeof(other), "%s/none", p->path);
	p->config.access = NHN_REGION_READ_ONLY;
	p->config.create = true;
	p->config.size = MIB;
	p->config.path = other;
	refused(p, &p->config, ENOENT, "create the folder");
	snprintf(other, sizeof(other), "%s.target", p->path);
	p->config.path = p->path;
	assert_int_equal(symlink(other, p->path), 0);
	refused(p, &p->config, ELOOP, "is a symbolic link");
	assert_int_equal(size_of(other), -1);
	assert_int_equal(unlink(p->path), 0);
	write_file(p->path, "");
	fd = open(p->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &sizing), 0);
	refused(p, &p->config, EAGAIN, "try again");
	assert_int_equal(size_of(p->path), 0);
	close(fd);
	write_pattern(p->path, 2 * MIB);
	refused(p, &p->config, EINVAL, "1048576 were asked for");
	assert_pattern(p->path, 2 * MIB);
	assert_int_equal(open_descriptors(), before);
}

/* A file that this user may read and not write is none to be created. */
static int
read_as_nobody(struct place *p)
{
	struct nhn_region region;

	if (become_nobody() != 0)
		return 255;
	return -nhn_region_open(&region, &p->config);
}

static void
reader_needs_no_right_to_write(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip(); /* other users' files need root to be made */
	write_pattern(p->path, MIB);
	assert_int_equal(chown(p->path, 0, OTHER_GROUP), 0);
	assert_int_equal(chmod(p->path, 0640), 0);
	p->config.create = true;
	assert_int_equal(in_child(read_as_nobody, p), EACCES);
	p->config.access = NHN_REGION_READ_ONLY;
	assert_int_equal(in_child(read_as_nobody, p), 0);
	assert_pattern(p->path, MIB);
}

/* A reader and a writer create one file with different sizes: one wins, whole. */
static void
reader_and_writer_race(void **state)
{
	struct place *p = *state;
	int mine, other, status;
	pid_t child;

	p->config.create = true;
	for (int round = 0; round < 200; round++) {
		child = fork();
		assert_true(child >= 0);
		p->config.access = child == 0 ? NHN_REGION_READ_WRITE : NHN_REGION_READ_ONLY;
		p->config.size = child == 0 ? 2 * MIB : MIB;
		mine = -nhn_region_open(&p->region, &p->config);
		if (child == 0)
			_exit(mine);
		assert_int_equal(waitpid(child, &status, 0), child);
		other = WEXITSTATUS(status);
		assert_true((mine == 0) != (other == 0));
		assert_true(mine + other == EINVAL || mine + other == EAGAIN);
		assert_int_equal(size_of(p->path), mine == 0 ? MIB : 2 * MIB);
		assert_int_equal(mode_of(p->path), 0600);
		nhn_region_close(&p->region);
		assert_int_equal(unlink(p->path), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modes_are_parsed),
		TEST(groups_are_parsed),
		TEST(large_groups_are_found),
		TEST(group_is_given),
		TEST(rights_come_in_order),
		TEST(rights_are_the_creators),
		TEST(others_may_not_write),
		TEST(wrong_modes_create_nothing),
		TEST(reader_creates),
		TEST(reader_creates_with_the_same_rules),
		TEST(reader_needs_no_right_to_write),
		TEST(reader_and_writer_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
