/* SPDX-License-Identifier: BSD-3-Clause */

/* The memory of links: what type a BAR is mapped as, who may write a file. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "check_internal.h"

/* Write-back hits the L1 cache in 1-2 ns; uncached memory takes over 100 ns. */
#define LOAD_PASS_NS 10
#define LOAD_FAIL_NS 50

static int
check_bar(struct nhn_check *check, struct nhn_check_result *result)
{
	const struct nhn_check_config *config = &check->config;
	const struct nhn_check_bar *worst = NULL;

	nhn_check_want(result, "loads of less than %d ns: write-back", LOAD_PASS_NS);
	if (config->bar_count == 0)
		return nhn_check_skip(result, "no device was named: --link pci=ADDRESS");
	for (unsigned int i = 0; i < config->bar_count; i++) {
		const struct nhn_check_bar *bar = &config->bars[i];

		if (bar->why_not == NULL && (worst == NULL || bar->load_ns > worst->load_ns))
			worst = bar;
	}
	if (worst == NULL)
		return nhn_check_skip(result, "%s", config->bars[0].why_not);
	if (worst->load_ns < LOAD_PASS_NS)
		return nhn_check_pass(result, "%s: %.1f ns a load", worst->name, worst->load_ns);
	nhn_check_remedy(result,
			 "on the host: KVM on Intel without a device that is passed through and not"
			 " coherent; on AMD map it write-back in the guest");
	return worst->load_ns < LOAD_FAIL_NS
		       ? nhn_check_warn(result, "%s: %.0f ns a load, which is neither", worst->name,
					worst->load_ns)
		       : nhn_check_fail(result, "%s: %.0f ns a load: uncached", worst->name,
					worst->load_ns);
}

/* Note it, and keep the remedy of the worst one. */
static void __attribute__((format(printf, 4, 5)))
note(struct nhn_check_result *result, enum nhn_check_status status, const char *remedy,
     const char *format, ...)
{
	const bool worse = status != NHN_CHECK_PASS &&
			   (result->remedy[0] == '\0' ||
			    (status == NHN_CHECK_FAIL && result->status != NHN_CHECK_FAIL));
	char sentence[NHN_CHECK_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	CHECK_ADD(result->found, "%s%s", result->found[0] != '\0' ? "; " : "", sentence);
	if (worse)
		nhn_check_remedy(result, "%s", remedy);
	if (status > result->status)
		result->status = status;
}

/* Whoever may rename in the folder may put another file there. */
static bool
folder_open(const struct nhn_check *check, const char *path)
{
	char folder[CHECK_PATH_MAX], full[CHECK_PATH_MAX];
	struct stat st;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return nhn_check_path(check, full, sizeof(full), folder) && stat(full, &st) == 0 &&
	       (st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0;
}

/* A remedy with a file's name, quoted where a shell would not take it as one word. */
static void
file_remedy(char *remedy, size_t size, const char *command, const char *path)
{
	const bool plain = path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789/._-+:@,")] == '\0';

	if (strchr(path, '\'') != NULL)
		snprintf(remedy, size, "%s that file", command);
	else
		snprintf(remedy, size, plain ? "%s %s" : "%s '%s'", command, path);
}

static void
judge_mode(const char *path, const struct stat *st, struct nhn_check_result *result)
{
	const unsigned int mode = st->st_mode & 07777;
	char remedy[512];

	file_remedy(remedy, sizeof(remedy), "chmod 600", path);
	if ((mode & S_IWOTH) != 0)
		note(result, NHN_CHECK_FAIL, remedy, "%s: mode %04o, which everybody may write",
		     path, mode);
	else if ((mode & S_IWGRP) != 0)
		note(result, NHN_CHECK_WARN, remedy, "%s: mode %04o, which group %u may write",
		     path, mode, st->st_gid);
	else if ((mode & (S_IRGRP | S_IROTH)) != 0)
		note(result, NHN_CHECK_WARN, remedy, "%s: mode %04o, which others may read", path,
		     mode);
	else if (S_ISCHR(st->st_mode))
		note(result, NHN_CHECK_PASS, "", "%s: user %u, mode %04o, device-dax", path,
		     st->st_uid, mode);
	else
		note(result, NHN_CHECK_PASS, "", "%s: user %u, mode %04o, %llu bytes", path,
		     st->st_uid, mode, (unsigned long long)st->st_size);
}

/* A device-dax node, which has no size: memory of an nvdimm. Sysfs tells it from other devices. */
static bool
is_dax(const struct nhn_check *check, const struct stat *st)
{
	char path[64], full[CHECK_PATH_MAX], target[CHECK_PATH_MAX];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), "sys/dev/char/%u:%u/subsystem", major(st->st_rdev),
		 minor(st->st_rdev));
	if (!S_ISCHR(st->st_mode) || !nhn_check_path(check, full, sizeof(full), path))
		return false;
	length = readlink(full, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	name = strrchr(target, '/');
	return strcmp(name != NULL ? name + 1 : target, "dax") == 0;
}

static void
judge_file(const struct nhn_check *check, const char *path, struct nhn_check_result *result)
{
	char full[CHECK_PATH_MAX], command[32], remedy[512];
	struct stat st;

	if (!nhn_check_path(check, full, sizeof(full), path) || lstat(full, &st) != 0) {
		note(result, NHN_CHECK_FAIL, "start its host, which creates it", "%s: %s", path,
		     strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode) && !is_dax(check, &st)) {
		note(result, NHN_CHECK_FAIL, "name a regular file or a device-dax node",
		     S_ISLNK(st.st_mode) ? "%s is a symbolic link"
					 : "%s is neither a regular file nor a device-dax node",
		     path);
		return;
	}
	snprintf(command, sizeof(command), "chown %u", geteuid());
	file_remedy(remedy, sizeof(remedy), command, path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		note(result, NHN_CHECK_FAIL, remedy, "%s is of user %u", path, st.st_uid);
	else if (folder_open(check, path))
		note(result, NHN_CHECK_FAIL, "chmod +t on its folder",
		     "%s is in a folder where everybody may rename files", path);
	else if (S_ISREG(st.st_mode) && (st.st_size & (st.st_size - 1)) != 0)
		note(result, NHN_CHECK_FAIL, "create it anew, of a power of two",
		     "%s: %llu bytes, no power of two", path, (unsigned long long)st.st_size);
	else
		judge_mode(path, &st, result);
}

static int
check_file(struct nhn_check *check, struct nhn_check_result *result)
{
	const struct nhn_check_config *config = &check->config;

	nhn_check_want(result, "of root or this user, mode 0600 or stricter");
	if (config->file_count == 0)
		return nhn_check_skip(result, "no file was named: --link path=FILE");
	for (unsigned int i = 0; i < config->file_count; i++)
		judge_file(check, config->files[i], result);
	return 0;
}

const struct check_entry nhn_check_link_table[] = {
	{{"bar", "the device's memory is cached",
	  "Uncached memory makes each poll an access of the bus, over 100 ns, and each message many"
	  " of them.",
	  false},
	 check_bar},
	{{"file", "nobody else may write a link's file",
	  "Whoever may write the file may change messages, and may shorten it, which ends the"
	  " programs by SIGBUS.",
	  false},
	 check_file},
	{{NULL, NULL, NULL, false}, NULL},
};
