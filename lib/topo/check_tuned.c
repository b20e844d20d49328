/* SPDX-License-Identifier: BSD-3-Clause */

/* The daemon tuned, which moves threads and sets the clock by its profile. */

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

/* A profile includes another one, which includes another one. */
#define INCLUDES_MAX 6
/* Bytes of a value, such as the expressions for threads that are left alone. */
#define VALUE_MAX 2048
#define PROFILE_MAX 64

/* The names of DPDK's threads on lcores, before 23.11 and since. */
static const char *const workers[] = {"rte-worker-2", "dpdk-worker2"};

struct profile {
	char name[PROFILE_MAX];
	char exclusion[VALUE_MAX]; /* expressions of threads that stay where they are */
	char governor[64];
	bool moves; /* threads, off the isolated cores */
};

/* The value of "KEY = VALUE" in the text. False: it has none. */
static bool
key_value(const char *text, const char *key, char *value, size_t size)
{
	const size_t length = strlen(key);

	for (const char *line = text; *line != '\0';) {
		const size_t bytes = strcspn(line, "\n");
		const char *word = line + strspn(line, " \t");

		if (strncmp(word, key, length) == 0) {
			word += length;
			word += strspn(word, " \t");
			if (*word == '=' && word < line + bytes) {
				word++;
				word += strspn(word, " \t");
				snprintf(value, size, "%.*s", (int)(line + bytes - word), word);
				return true;
			}
		}
		line += bytes;
		line += *line == '\n';
	}
	return false;
}

/* 0, or -errno: a user's profile comes before the one of the package. */
static int
profile_text(const struct nhn_check *check, const char *name, char **text)
{
	static const char *const folders[] = {
		"etc/tuned/profiles",
		"etc/tuned",
		"usr/lib/tuned/profiles",
		"usr/lib/tuned",
	};
	int rc = -ENOENT;

	/* It becomes a part of a path. */
	if (name[0] == '.' || strchr(name, '/') != NULL)
		return -EINVAL;
	for (unsigned int i = 0; i < 4 && rc == -ENOENT; i++)
		rc = nhn_check_read_all(check, text, "%s/%s/tuned.conf", folders[i], name);
	return rc;
}

/* What the profile and those that it includes say; what is said first counts. */
static int
profile_read(const struct nhn_check *check, struct profile *profile)
{
	char name[PROFILE_MAX], value[VALUE_MAX];

	snprintf(name, sizeof(name), "%s", profile->name);
	for (unsigned int i = 0; i < INCLUDES_MAX; i++) {
		const char *main_end;
		char *text;
		int rc = profile_text(check, name, &text);

		if (rc != 0)
			return i == 0 ? rc : 0;
		if (profile->exclusion[0] == '\0' &&
		    key_value(text, "ps_blacklist", value, sizeof(value)))
			snprintf(profile->exclusion, sizeof(profile->exclusion), "%s", value);
		if (profile->governor[0] == '\0' &&
		    key_value(text, "governor", value, sizeof(profile->governor)))
			snprintf(profile->governor, sizeof(profile->governor), "%.63s", value);
		main_end = strstr(text, "[scheduler]");
		if (main_end != NULL && key_value(main_end, "isolated_cores", value, sizeof(value)))
			profile->moves = true;
		if (!key_value(text, "include", value, PROFILE_MAX) || value[0] == '/') {
			free(text);
			return 0;
		}
		free(text);
		snprintf(name, sizeof(name), "%.63s", value);
	}
	return 0;
}

/* Does one of "A;B;C" match the name? */
static bool
is_excluded(const char *exclusion, const char *name)
{
	char copy[VALUE_MAX], *rest = NULL;
	bool matched = false;

	snprintf(copy, sizeof(copy), "%s", exclusion);
	for (char *one = strtok_r(copy, ";", &rest); one != NULL && !matched;
	     one = strtok_r(NULL, ";", &rest)) {
		regex_t expression;

		if (regcomp(&expression, one, REG_EXTENDED | REG_NOSUB) != 0)
			continue;
		matched = regexec(&expression, name, 0, NULL, 0) == 0;
		regfree(&expression);
	}
	return matched;
}

static bool
leaves_workers(const struct profile *profile)
{
	return is_excluded(profile->exclusion, workers[0]) &&
	       is_excluded(profile->exclusion, workers[1]);
}

/* The cores that the profile was told to isolate: an empty set where nothing tells. */
static void
told_cores(const struct nhn_check *check, const char *profile, struct check_cpus *cores)
{
	char *text, value[VALUE_MAX];

	memset(cores, 0, sizeof(*cores));
	if (nhn_check_read_all(check, &text, "etc/tuned/%s-variables.conf", profile) != 0)
		return;
	if (key_value(text, "isolated_cores", value, sizeof(value)))
		nhn_check_cpus_parse(value, &check->online, cores);
	free(text);
}

static int
judge_profile(const struct nhn_check *check, const struct profile *profile,
	      struct nhn_check_result *result)
{
	struct check_cpus told;

	told_cores(check, profile->name, &told);
	if (profile->moves && !leaves_workers(profile)) {
		nhn_check_remedy(result,
				 "in /etc/tuned/%s/tuned.conf, a copy of the package's, section"
				 " [scheduler]: ps_blacklist=%s%s^rte-worker-;^dpdk-worker; then"
				 " tuned-adm profile %s",
				 profile->name, profile->exclusion,
				 profile->exclusion[0] != '\0' ? ";" : "", profile->name);
		return nhn_check_fail(result,
				      "profile %s moves threads, and its ps_blacklist leaves out"
				      " neither rte-worker-N nor dpdk-workerN",
				      profile->name);
	}
	if (profile->governor[0] != '\0' && strstr(profile->governor, "performance") == NULL) {
		nhn_check_remedy(result, "tuned-adm profile realtime-virtual-host");
		return nhn_check_warn(result, "profile %s sets the governor %s", profile->name,
				      profile->governor);
	}
	if (!nhn_check_cpus_empty(&told) && !nhn_check_cpus_within(&check->cores, &told)) {
		nhn_check_remedy(result,
				 "isolated_cores=%s in /etc/tuned/%s-variables.conf; then tuned-adm"
				 " profile %s, and boot",
				 check->machine.cores, profile->name, profile->name);
		return nhn_check_warn(result, "profile %s isolates %s", profile->name,
				      nhn_check_cpus_list(&told).text);
	}
	return nhn_check_pass(result, "profile %s", profile->name);
}

static int
check_tuned(struct nhn_check *check, struct nhn_check_result *result)
{
	struct profile profile = {.moves = false};
	char line[PROFILE_MAX];
	int rc = nhn_check_read_line(check, line, sizeof(line), "etc/tuned/active_profile");

	nhn_check_want(result, "no profile that moves DPDK's threads or changes the clock");
	if (rc == -ENOENT)
		return nhn_check_pass(result, "tuned is not here");
	if (rc == -ENODATA)
		return nhn_check_pass(result, "no profile is active");
	if (rc != 0)
		return nhn_check_skip_file(result, "/etc/tuned/active_profile", rc);
	/* Of several the last one is merged over the others. */
	for (char *rest = NULL, *word = strtok_r(line, " \t", &rest); word != NULL;
	     word = strtok_r(NULL, " \t", &rest))
		snprintf(profile.name, sizeof(profile.name), "%s", word);
	if (profile.name[0] == '\0')
		return nhn_check_pass(result, "no profile is active");
	rc = profile_read(check, &profile);
	if (rc != 0)
		return nhn_check_skip(result,
				      "the profile %s of /etc/tuned/active_profile cannot be"
				      " read",
				      profile.name);
	return judge_profile(check, &profile, result);
}

const struct check_entry nhn_check_tuned_table[] = {
	{{"tuned", "tuned leaves DPDK's threads where they are",
	  "Its list of threads to leave alone has lcore-slave-*, which no DPDK since 20.11 uses, so"
	  " that it moves lcores to other cores.",
	  false},
	 check_tuned},
	{{NULL, NULL, NULL, false}, NULL},
};
