/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check_internal.h"

static void
set(char *text, const char *format, va_list args)
{
	vsnprintf(text, NHN_CHECK_TEXT_MAX, format, args);
}

void
nhn_check_add(char *text, size_t size, const char *format, ...)
{
	const size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, size - length, format, args);
	va_end(args);
}

#define DEFINE_SAY(name, value)                                                                    \
	int name(struct nhn_check_result *result, const char *format, ...)                         \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		set(result->found, format, args);                                                  \
		va_end(args);                                                                      \
		result->status = (value);                                                          \
		return 0;                                                                          \
	}

DEFINE_SAY(nhn_check_pass, NHN_CHECK_PASS)
DEFINE_SAY(nhn_check_warn, NHN_CHECK_WARN)
DEFINE_SAY(nhn_check_fail, NHN_CHECK_FAIL)
DEFINE_SAY(nhn_check_skip, NHN_CHECK_SKIP)

int
nhn_check_skip_file(struct nhn_check_result *result, const char *path, int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		return nhn_check_skip(result, "%s is not there", path);
	case -EACCES:
	case -EPERM:
		return nhn_check_skip(result, "%s may not be read by this user: run it as root",
				      path);
	case -EINVAL:
	case -ENODATA:
		return nhn_check_skip(result, "%s has not the form that the kernel writes", path);
	case -EFBIG:
		return nhn_check_skip(result, "%s is longer than the kernel writes it", path);
	default:
		return nhn_check_skip(result, "%s cannot be read: %s", path, strerror(-error));
	}
}

void
nhn_check_want(struct nhn_check_result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(result->wanted, format, args);
	va_end(args);
}

void
nhn_check_remedy(struct nhn_check_result *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(result->remedy, format, args);
	va_end(args);
}

void
nhn_check_note_write(struct nhn_check_result *result, const char *value, const char *format, ...)
{
	struct nhn_check_write *write = &result->write[result->write_count];
	va_list args;
	int length;

	if (result->write_count == NHN_CHECK_WRITES_MAX || strlen(value) >= sizeof(write->value)) {
		result->write_more = true;
		return;
	}
	va_start(args, format);
	length = vsnprintf(write->path, sizeof(write->path), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(write->path)) {
		result->write_more = true;
		return;
	}
	snprintf(write->value, sizeof(write->value), "%s", value);
	result->write_count++;
}

void
nhn_check_note_mask(struct nhn_check_result *result, const struct check_cpus *cpus,
		    const char *path)
{
	char mask[NHN_CHECK_CPUS_MAX / 32 * 9 + 1];

	if (nhn_check_cpus_mask(cpus, mask, sizeof(mask)))
		nhn_check_note_write(result, mask, "%s", path);
}

bool
nhn_check_others(const struct nhn_check *check, struct nhn_check_result *result,
		 struct check_cpus *others)
{
	*others = nhn_check_cpus_minus(&check->online, &check->cores);
	if (!nhn_check_cpus_empty(others))
		return true;
	nhn_check_remedy(result, "leave a core to the kernel: --cores with fewer of them");
	return false;
}

void
nhn_check_isolable(const struct nhn_check *check, const struct check_cpus *already, char *list,
		   size_t size)
{
	struct check_cpus first = {0}, rest;

	/* Its siblings too: somebody has to do the kernel's work there. */
	if (nhn_check_read_cpus(check, &first,
				"sys/devices/system/cpu/cpu0/topology/thread_siblings_list") != 0)
		memset(&first, 0, sizeof(first));
	nhn_check_cpus_set(&first, 0);
	rest = nhn_check_cpus_minus(&check->cores, &first);
	if (nhn_check_cpus_empty(&rest))
		rest = check->cores;
	rest = nhn_check_cpus_or(&rest, already);
	nhn_check_cpus_text(&rest, list, size);
}
