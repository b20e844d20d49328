/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "region_internal.h"

/* A file may come and go between two opens; a path that never settles is told. */
#define OPEN_ATTEMPTS 8

static int
refuse_type(const struct nhn_region_config *config, mode_t mode)
{
	int error = S_ISLNK(mode) ? ELOOP : S_ISDIR(mode) ? EISDIR : EINVAL;

	return nhn_region_refuse(
		config, error,
		"%s is %s, and a regular file was expected; give the path of the backing file"
		" itself.",
		config->path, nhn_region_type_name(mode));
}

static int
refuse_open(const struct nhn_region_config *config, int error)
{
	struct stat st;
	bool seen = lstat(config->path, &st) == 0;

	if (seen && !S_ISREG(st.st_mode))
		return refuse_type(config, st.st_mode);
	if (error == ENOENT)
		return nhn_region_refuse(config, ENOENT, "%s does not exist%s.", config->path,
					 config->create ? " and cannot be created, since its "
							  "folder was expected and is missing;"
							  " create the folder"
							: ", and an existing file was expected; "
							  "start the side that creates it"
							  " first, or correct the path");
	if (error == EACCES && seen)
		return nhn_region_refuse(
			config, EACCES,
			"%s belongs to user %u and group %u with mode %04o, which does not let user"
			" %u open it for %s; run as its owner, or give it a mode and group that"
			" do.",
			config->path, st.st_uid, st.st_gid, st.st_mode & 07777, geteuid(),
			config->access == NHN_REGION_READ_ONLY ? "reading" : "reading and writing");
	if (error == EACCES)
		return nhn_region_refuse(
			config, EACCES,
			"%s cannot be reached or created by user %u, and its folder was expected to"
			" allow that; change the folder's mode, or use another folder.",
			config->path, geteuid());
	return nhn_region_refuse(
		config, error,
		"%s cannot be opened (%m), and a local file was expected; correct the path or its"
		" file system.",
		config->path);
}

/* Returns a descriptor; *created tells a file of ours from one that was there. */
static int
open_path(const struct nhn_region_config *config, bool *created)
{
	/* Not blocking: the path may turn out to be a FIFO. */
	int flags = O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int attempt, fd;

	flags |= config->access == NHN_REGION_READ_ONLY ? O_RDONLY : O_RDWR;
	for (attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
		*created = false;
		fd = open(config->path, flags);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT || !config->create)
			return refuse_open(config, errno);
		/* Its owner's alone until its group is right. */
		fd = open(config->path, flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
		*created = true;
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return refuse_open(config, errno);
	}
	return refuse_open(config, EAGAIN);
}

static int
check_identity(const struct nhn_region_config *config, int fd)
{
	uid_t self = geteuid();
	struct stat st;

	if (fstat(fd, &st) != 0)
		return refuse_open(config, errno);
	if (!S_ISREG(st.st_mode))
		return refuse_type(config, st.st_mode);
	if (self != 0 && st.st_uid != self && st.st_uid != 0)
		return nhn_region_refuse(
			config, EPERM,
			"%s belongs to user %u, who could shorten it under us, and user %u or root"
			" was expected; run as user %u, or change its owner.",
			config->path, st.st_uid, self, st.st_uid);
	if ((st.st_mode & S_IWOTH) != 0)
		return nhn_region_refuse(
			config, EPERM,
			"%s has mode %04o, so that every user could shorten it or write into it,"
			" and one without write permission for others was expected; chmod o-w it,"
			" and give it a group if another user needs it.",
			config->path, st.st_mode & 07777);
	return 0;
}

static void
remove_created(const struct nhn_region_config *config, int fd)
{
	struct stat held, named;

	/* Only the file we hold: the path may name another one by now. */
	if (fstat(fd, &held) == 0 && lstat(config->path, &named) == 0 &&
	    (held.st_dev != named.st_dev || held.st_ino != named.st_ino))
		return;
	if (unlink(config->path) != 0 && errno != ENOENT)
		nhn_region_refuse(
			config, errno,
			"%s was created, got no size and cannot be removed again (%m); remove it.",
			config->path);
}

/* Group and mode of a file that was created or is empty, whose st this is. */
static int
give_rights(const struct nhn_region_config *config, int fd, bool created, const struct stat *st)
{
	mode_t mode = config->mode != 0 || !created ? config->mode : NHN_REGION_MODE_DEFAULT;

	/* The group first: the mode's bits are meant for it, and not for the one before. */
	if (config->group != (gid_t)-1 && config->group != st->st_gid &&
	    fchown(fd, (uid_t)-1, config->group) != 0)
		return nhn_region_refuse(
			config, errno,
			"%s: user %u cannot change its group from %u to %u (%m), and a user was"
			" expected who owns it and is a member of that group; add the user to the"
			" group and log in again, or choose another group.",
			config->path, geteuid(), st->st_gid, config->group);
	/* After the open, since that one's mode is cut by the umask. */
	if (mode != 0 && mode != (st->st_mode & 07777) && fchmod(fd, mode) != 0)
		return nhn_region_refuse(
			config, errno,
			"%s: its mode %04o could not be changed to %04o (%m); change it by hand, or"
			" remove the file.",
			config->path, st->st_mode & 07777, mode);
	return 0;
}

static int
give_length(const struct nhn_region_config *config, int fd, const struct stat *st)
{
	uint64_t size =
		config->offset + (config->size != 0 ? config->size : NHN_REGION_SIZE_DEFAULT);
	int64_t page = nhn_region_huge_page(fd);
	int rc;

	if (page < 0)
		return nhn_region_refuse(
			config, (int)-page,
			"%s: its file system does not tell its kind (%m); use a local one.",
			config->path);
	if (page > 0 && size % (uint64_t)page != 0)
		return nhn_region_refuse(
			config, EINVAL,
			"%s: %" PRIu64
			" bytes were asked for on a hugetlbfs whose pages have %" PRId64
			", and a multiple of that was expected; ask for a larger size or use"
			" smaller pages.",
			config->path, size, page);
	rc = nhn_region_reserve(config, fd, st, size, config->path);
	/*
	 * The length comes last and at once, so that nobody finds a part of it.
	 * Length 0 after a failure gives back what was reserved behind it.
	 */
	if (ftruncate(fd, rc == 0 ? (off_t)size : 0) != 0 && rc == 0)
		rc = nhn_region_refuse(config, errno,
				       "%s: its length could not be set to %" PRIu64
				       " bytes (%m); use another"
				       " file system or a smaller size.",
				       config->path, size);
	return rc;
}

/* Rights and length of a file that is empty, or was when it was opened. */
static int
furnish(const struct nhn_region_config *config, int fd, bool created)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return refuse_open(config, errno);
	if (st.st_nlink == 0)
		return nhn_region_refuse(
			config, EAGAIN,
			"%s was removed by another process while it was opened; try again.",
			config->path);
	/* Somebody may have given it a length between our look and our lock. */
	if (st.st_size != 0 && !created)
		return 0;
	rc = give_rights(config, fd, created, &st);
	if (st.st_size != 0)
		return rc;
	if (rc == 0)
		rc = give_length(config, fd, &st);
	if (rc != 0 && created)
		remove_created(config, fd);
	return rc;
}

static int
furnish_locked(const struct nhn_region_config *config, int fd, bool created)
{
	int rc, unlocked;

	rc = nhn_region_lock(fd, NHN_REGION_SIZING_BYTE);
	if (rc != 0)
		return nhn_region_refuse(
			config, rc == -EBUSY ? EAGAIN : -rc,
			"%s is empty and cannot be given a size now, since another process is"
			" giving it one or it cannot be locked (%m); try again.",
			config->path);
	rc = furnish(config, fd, created);
	unlocked = nhn_region_unlock(fd, NHN_REGION_SIZING_BYTE);
	if (rc == 0 && unlocked != 0)
		rc = nhn_region_refuse(
			config, -unlocked,
			"%s: a lock could not be given up (%m); use a local file system.",
			config->path);
	return rc;
}

static int
settle_length(struct nhn_region *region, const struct nhn_region_config *config, bool created)
{
	struct stat st;
	int rc;

	if (fstat(region->fd, &st) != 0)
		return refuse_open(config, errno);
	if (st.st_size == 0 && !config->create)
		return nhn_region_refuse(
			config, EAGAIN,
			"%s has 0 bytes where a region was expected: it is still empty; start the"
			" host first or try again.",
			config->path);
	if (st.st_size == 0 || created) {
		rc = furnish_locked(config, region->fd, created);
		if (rc != 0)
			return rc;
		if (fstat(region->fd, &st) != 0)
			return refuse_open(config, errno);
	}
	if ((uint64_t)st.st_size <= config->offset)
		return nhn_region_refuse(
			config, EINVAL,
			"%s has %" PRIu64 " bytes, and more than the offset of %" PRIu64
			" were expected; remove it and start again, or correct the offset.",
			config->path, (uint64_t)st.st_size, config->offset);
	region->length = (uint64_t)st.st_size - config->offset;
	rc = nhn_region_check_length(config, region->length, config->path);
	if (rc == 0 && config->access == NHN_REGION_READ_WRITE)
		rc = nhn_region_reserve(config, region->fd, &st, (uint64_t)st.st_size,
					config->path);
	return rc;
}

static int
open_settled(struct nhn_region *region, const struct nhn_region_config *config)
{
	bool created;
	int rc;

	rc = open_path(config, &created);
	if (rc < 0)
		return rc;
	region->fd = rc;
	rc = check_identity(config, region->fd);
	/* The role before any change: the loser of a race must not touch the file. */
	if (rc == 0)
		rc = nhn_region_take_role(config, region->fd, config->path);
	if (rc == 0)
		rc = settle_length(region, config, created);
	return rc;
}

static bool
is_missing_or_empty(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT;
	return S_ISREG(st.st_mode) && st.st_size == 0;
}

/* What a reader lacks is made as a writer makes it; the same file is then read. */
static int
create_to_read(struct nhn_region *region, const struct nhn_region_config *config)
{
	struct nhn_region_config writer = *config;
	int rc, fd;

	writer.access = NHN_REGION_READ_WRITE;
	rc = open_settled(region, &writer);
	if (rc != 0)
		return rc;
	fd = nhn_region_reopen(region->fd, NHN_REGION_READ_ONLY);
	if (fd < 0)
		return nhn_region_refuse(
			config, -fd,
			"%s was created and cannot be opened for reading through /proc/self/fd"
			" (%m); mount proc, or look at the limit of open files.",
			config->path);
	close(region->fd);
	region->fd = fd;
	return 0;
}

int
nhn_region_file_open(struct nhn_region *region, const struct nhn_region_config *config)
{
	struct nhn_region_config reader = *config;

	if (config->mode != 0 && !nhn_region_mode_possible(config->mode))
		return nhn_region_refuse(
			config, EINVAL,
			"%s was to be created with mode %04o, and permission bits were expected"
			" that let its owner read and write, and others not write, such as 0600 or"
			" 0660; choose such a mode.",
			config->path, config->mode);
	if (nhn_region_dax_named(config))
		return nhn_region_dax_open(region, config);
	if (config->access == NHN_REGION_READ_WRITE)
		return open_settled(region, config);
	if (config->create && is_missing_or_empty(config->path))
		return create_to_read(region, config);
	reader.create = false;
	return open_settled(region, &reader);
}
