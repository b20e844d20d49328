/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_internal.h"

/* A machine of 1024 CPUs has 10 MiB of /proc/interrupts. */
#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define PATH_BELOW_MAX 512

bool
nhn_check_path(const struct nhn_check *check, char *full, size_t size, const char *path)
{
	const char *root = check->config.root != NULL ? check->config.root : "";
	const int length = snprintf(full, size, "%s%s%s", root, path[0] == '/' ? "" : "/", path);

	return length >= 0 && (size_t)length < size;
}

/* A descriptor of a regular file, or of a device if `device`; or -errno. */
static int
open_below(const struct nhn_check *check, const char *path, bool device)
{
	char full[CHECK_PATH_MAX];
	struct stat st;
	int fd;

	if (!nhn_check_path(check, full, sizeof(full), path))
		return -ENAMETOOLONG;
	/* A FIFO in a folder that somebody made must not hold us up. */
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || (device && S_ISCHR(st.st_mode))))
		return fd;
	close(fd);
	return -EINVAL;
}

/* Up to `size` bytes. @return how many, or -errno */
static ssize_t
read_up_to(int fd, char *bytes, size_t size)
{
	size_t have = 0;

	while (have < size) {
		const ssize_t got = read(fd, bytes + have, size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* Files of /proc tell no size: read until the end. */
static int
read_growing(int fd, char **text)
{
	size_t room = 4096, have = 0;
	char *bytes = NULL;

	for (;;) {
		char *larger = realloc(bytes, room + 1);
		ssize_t got;

		if (larger == NULL) {
			free(bytes);
			return -ENOMEM;
		}
		bytes = larger;
		got = read_up_to(fd, bytes + have, room - have);
		if (got < 0 || have + (size_t)got > FILE_BYTES_MAX) {
			free(bytes);
			return got < 0 ? (int)got : -EFBIG;
		}
		have += (size_t)got;
		if (have < room)
			break;
		room *= 2;
	}
	bytes[have] = '\0';
	*text = bytes;
	return 0;
}

static int
read_all(const struct nhn_check *check, const char *path, char **text)
{
	const int fd = open_below(check, path, false);
	int rc;

	*text = NULL;
	if (fd < 0)
		return fd;
	rc = read_growing(fd, text);
	close(fd);
	return rc;
}

static int
read_line(const struct nhn_check *check, const char *path, char *text, size_t size)
{
	const int fd = open_below(check, path, false);
	ssize_t got;
	size_t length;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	got = read_up_to(fd, text, size - 1);
	close(fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	length = strcspn(text, "\n");
	if (length == size - 1) {
		text[0] = '\0';
		return -EFBIG;
	}
	text[length] = '\0';
	/* Such things end up in a terminal and in JSON. */
	for (size_t i = 0; i < length; i++)
		if (!isprint((unsigned char)text[i]) && text[i] != '\t')
			text[i] = '?';
	return length > 0 ? 0 : -ENODATA;
}

/* `path` out of a format; 0 or -ENAMETOOLONG. */
static int
compose(char path[PATH_BELOW_MAX], const char *format, va_list args)
{
	const int length = vsnprintf(path, PATH_BELOW_MAX, format, args);

	return length >= 0 && length < PATH_BELOW_MAX ? 0 : -ENAMETOOLONG;
}

int
nhn_check_read_all(const struct nhn_check *check, char **text, const char *format, ...)
{
	char path[PATH_BELOW_MAX];
	va_list args;
	int rc;

	va_start(args, format);
	rc = compose(path, format, args);
	va_end(args);
	*text = NULL;
	return rc == 0 ? read_all(check, path, text) : rc;
}

int
nhn_check_read_second(const struct nhn_check *check, char **text, const char *path)
{
	return nhn_check_read_all(check, text, "%s%s", check->second, path);
}

int
nhn_check_read_line(const struct nhn_check *check, char *text, size_t size, const char *format, ...)
{
	char path[PATH_BELOW_MAX];
	va_list args;
	int rc;

	va_start(args, format);
	rc = compose(path, format, args);
	va_end(args);
	text[0] = '\0';
	return rc == 0 ? read_line(check, path, text, size) : rc;
}

int
nhn_check_read_number(const struct nhn_check *check, long long *number, const char *format, ...)
{
	char path[PATH_BELOW_MAX], text[64], *end;
	va_list args;
	int rc;

	va_start(args, format);
	rc = compose(path, format, args);
	va_end(args);
	if (rc == 0)
		rc = read_line(check, path, text, sizeof(text));
	if (rc != 0)
		return rc == -EFBIG ? -EINVAL : rc;
	errno = 0;
	*number = strtoll(text, &end, 10);
	while (*end == ' ' || *end == '\t')
		end++;
	return errno == 0 && end != text && *end == '\0' ? 0 : -EINVAL;
}

int
nhn_check_read_bytes(const struct nhn_check *check, void *bytes, size_t size, const char *path)
{
	const int fd = open_below(check, path, true);
	ssize_t got;

	if (fd < 0)
		return fd;
	/* One call: a device gives its value once a call. */
	got = read(fd, bytes, size);
	if (got < 0)
		got = -errno;
	close(fd);
	return (int)got;
}

int
nhn_check_read_cpus(const struct nhn_check *check, struct check_cpus *cpus, const char *format, ...)
{
	char path[PATH_BELOW_MAX], *text;
	va_list args;
	int rc;

	memset(cpus, 0, sizeof(*cpus));
	va_start(args, format);
	rc = compose(path, format, args);
	va_end(args);
	if (rc == 0)
		rc = read_all(check, path, &text);
	if (rc != 0)
		return rc;
	rc = nhn_check_cpus_parse(text, NULL, cpus);
	free(text);
	return rc;
}

bool
nhn_check_exists(const struct nhn_check *check, const char *format, ...)
{
	char path[PATH_BELOW_MAX], full[CHECK_PATH_MAX];
	va_list args;
	int rc;

	va_start(args, format);
	rc = compose(path, format, args);
	va_end(args);
	return rc == 0 && nhn_check_path(check, full, sizeof(full), path) &&
	       access(full, F_OK) == 0;
}

bool
nhn_check_parameter(const struct nhn_check *check, const char *name, char *value, size_t size)
{
	const char *word = check->cmdline;
	const size_t length = strlen(name);
	bool found = false;

	while (*word != '\0') {
		const size_t bytes = strcspn(word, " \t\n");

		/* What comes after it is init's. */
		if (bytes == 2 && strncmp(word, "--", 2) == 0)
			break;
		if (bytes > length && strncmp(word, name, length) == 0 && word[length] == '=') {
			snprintf(value, size, "%.*s", (int)(bytes - length - 1), word + length + 1);
			found = true;
		}
		word += bytes;
		word += strspn(word, " \t\n");
	}
	return found;
}
