/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"

static int
open_below(const char *root, const char *path, int flags)
{
	char full[PATH_MAX];
	int length = snprintf(full, sizeof(full), "%s%s", root != NULL ? root : "", path);
	int fd;

	if (length < 0 || (size_t)length >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 ? fd : -errno;
}

int
apply_file_read(const char *root, const char *path, char *text)
{
	int fd = open_below(root, path, O_RDONLY), rc = 0;
	size_t length = 0;

	if (fd < 0)
		return fd;
	while (length < APPLY_TEXT_MAX) {
		ssize_t got = read(fd, text + length, APPLY_TEXT_MAX - length);

		if (got < 0)
			rc = -errno;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	close(fd);
	if (rc == 0 && length == APPLY_TEXT_MAX)
		rc = -EFBIG;
	/* Text only: it goes into the state file as it is. */
	if (rc == 0 && memchr(text, '\0', length) != NULL)
		rc = -EILSEQ;
	text[rc == 0 ? length : 0] = '\0';
	return rc;
}

/* The kernel takes a value by one call, or refuses it. */
int
apply_file_write(const char *root, const char *path, const char *value)
{
	int fd = open_below(root, path, O_WRONLY | O_TRUNC), rc = 0;
	const size_t length = strlen(value);
	ssize_t put;

	if (fd < 0)
		return fd;
	put = write(fd, value, length);
	if (put < 0)
		rc = -errno;
	else if ((size_t)put != length)
		rc = -EIO;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

/** "always [madvise] never": the word in brackets. False: it is no such text. */
static bool
chosen(const char *text, char *word)
{
	const char *begin = strchr(text, '['), *end = begin != NULL ? strchr(begin, ']') : NULL;

	if (end == NULL || end == begin + 1)
		return false;
	snprintf(word, APPLY_TEXT_MAX, "%.*s", (int)(end - begin - 1), begin + 1);
	return true;
}

int
apply_file_restore(const char *root, const char *path, const char *old)
{
	char word[APPLY_TEXT_MAX], text[APPLY_TEXT_MAX];
	int rc = apply_file_write(root, path, chosen(old, word) ? word : old);

	if (rc == 0)
		rc = apply_file_read(root, path, text);
	/* A folder that stands for a machine has plain files, which choose nothing. */
	if (rc == 0 && root != NULL && strcmp(text, old) != 0) {
		rc = apply_file_write(root, path, old);
		if (rc == 0)
			rc = apply_file_read(root, path, text);
	}
	return rc != 0 ? rc : strcmp(text, old) == 0 ? 0 : -EREMOTEIO;
}

/** The mask without what the kernel adds: leading zeros and commas. */
static const char *
bare_mask(const char *text, char *bare)
{
	size_t length = 0;

	for (; *text != '\0' && !isspace((unsigned char)*text); text++)
		if (*text != ',' && (*text != '0' || length > 0))
			bare[length++] = (char)tolower((unsigned char)*text);
	bare[length] = '\0';
	return bare;
}

static bool
ends_in(const char *text, const char *end)
{
	const size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

bool
apply_file_holds(const char *path, const char *text, const char *value)
{
	char one[APPLY_TEXT_MAX], other[APPLY_TEXT_MAX];
	size_t length = strlen(text);

	if (chosen(text, one))
		return strcmp(one, value) == 0;
	if (ends_in(path, "cpumask") || ends_in(path, "smp_affinity"))
		return strcmp(bare_mask(text, one), bare_mask(value, other)) == 0;
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	if (length == strlen(value) && memcmp(text, value, length) == 0)
		return true;
	/* Parameters of modules that are yes or no. */
	return length == 1 && ((text[0] == 'Y' && strcmp(value, "1") == 0) ||
			       (text[0] == 'N' && strcmp(value, "0") == 0));
}
