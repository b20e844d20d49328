/* SPDX-License-Identifier: BSD-3-Clause */
/* What the checker says of the cores in use. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"

/** Checks that are said one by one, the gravest first. */
#define TOLD_MAX 3u

/** Of the checker's those that concern cores and compare no two moments, in its order. */
static const char *const ids[] = {
	"cores",	"isolcpus",   "nohz_full", "rcu_nocbs", "irqaffinity", "timer_migration",
	"nmi_watchdog", "workqueues", "c-states",  "smt",	"governor",    "turbo",
};
#define IDS (sizeof(ids) / sizeof(ids[0]))

struct listener {
	cores_say *say;
};

static void
hear(void *context, const char *sentence)
{
	const struct listener *listener = context;

	listener->say("%s", sentence);
}

static int
checks_run(struct cores *cores, struct nhn_check *check)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < IDS && ret == 0; i++) {
		const int index = nhn_check_find(ids[i]);

		if (index < 0)
			continue;
		ret = nhn_check_run(check, (unsigned int)index, &cores->checks[cores->check_count]);
		if (ret == 0)
			cores->check_count++;
	}
	return ret;
}

static unsigned int
count_of(const struct cores *cores, enum nhn_check_status status)
{
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < cores->check_count; i++)
		count += cores->checks[i].status == status;
	return count;
}

/** Say those of a status until @p left have been said. @return how many may still be */
static unsigned int
status_tell(const struct cores *cores, enum nhn_check_status status, unsigned int left,
	    cores_say *say)
{
	unsigned int i;

	for (i = 0; i < cores->check_count && left > 0; i++) {
		const struct nhn_check_result *result = &cores->checks[i];

		if (result->status != status)
			continue;
		say("%s %s: %s, wanted %s; remedy: %s", nhn_check_status_name(status), result->id,
		    result->found, result->wanted, result->remedy);
		left--;
	}
	return left;
}

static int
verdict_tell(const struct cores *cores, bool strict, cores_say *say)
{
	const char *noun = cores->count == 1 ? "core" : "cores";
	const unsigned int fails = count_of(cores, NHN_CHECK_FAIL);
	const unsigned int all = fails + count_of(cores, NHN_CHECK_WARN);
	unsigned int left = status_tell(cores, NHN_CHECK_FAIL, TOLD_MAX, say);

	status_tell(cores, NHN_CHECK_WARN, left, say);
	if (all > TOLD_MAX)
		say("%u more against %s %s: run nahanni-check --cores %s.", all - TOLD_MAX, noun,
		    cores->list, cores->list);
	if (!strict || fails == 0)
		return 0;
	say("Strict refuses %s %s: %u check%s fail%s, expected none: mend that, choose others, or"
	    " leave out strict.",
	    noun, cores->list, fails, fails == 1 ? "" : "s", fails == 1 ? "s" : "");
	return -EPERM;
}

int
cores_judge(struct cores *cores, const char *root, bool strict, cores_say *say)
{
	struct listener listener = {.say = say};
	const struct nhn_check_config config = {
		.root = root,
		.cores = cores->list,
		.log = hear,
		.log_context = &listener,
	};
	struct nhn_check *check;
	int ret = nhn_check_open(&check, &config);

	if (ret != 0)
		return ret;
	free(cores->checks);
	cores->check_count = 0;
	cores->checks = calloc(IDS, sizeof(*cores->checks));
	ret = cores->checks != NULL ? checks_run(cores, check) : -ENOMEM;
	nhn_check_close(check);
	if (ret == 0)
		return verdict_tell(cores, strict, say);
	say("There is no memory to judge the cores (%s): end other programs.", strerror(-ret));
	return ret;
}
