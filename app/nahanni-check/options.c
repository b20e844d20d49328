/* SPDX-License-Identifier: BSD-3-Clause */

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "say.h"

#define SAMPLE_MS_MAX 60000

/** Values of getopt_long(): bits of a mask of options that were given. */
enum option_id {
	OPTION_JSON = 1,
	OPTION_ROOT,
	OPTION_CORES,
	OPTION_ROLE,
	OPTION_LINK,
	OPTION_ONLY,
	OPTION_SAMPLE_MS,
	OPTION_APPLY,
	OPTION_UNDO,
	OPTION_DRY_RUN,
	OPTION_STATE,
	OPTION_LIST,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"json", no_argument, NULL, OPTION_JSON},
	{"root", required_argument, NULL, OPTION_ROOT},
	{"cores", required_argument, NULL, OPTION_CORES},
	{"role", required_argument, NULL, OPTION_ROLE},
	{"link", required_argument, NULL, OPTION_LINK},
	{"only", required_argument, NULL, OPTION_ONLY},
	{"sample-ms", required_argument, NULL, OPTION_SAMPLE_MS},
	{"apply", no_argument, NULL, OPTION_APPLY},
	{"undo", no_argument, NULL, OPTION_UNDO},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"state", required_argument, NULL, OPTION_STATE},
	{"list", no_argument, NULL, OPTION_LIST},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static bool
role_parse(struct options *options, const char *text)
{
	if (strcmp(text, "host") == 0)
		options->role = NHN_CHECK_ROLE_HOST;
	else if (strcmp(text, "guest") == 0)
		options->role = NHN_CHECK_ROLE_GUEST;
	else {
		say("--role has '%s', expected host or guest; without it the processor's flags"
		    " tell.",
		    text);
		return false;
	}
	return true;
}

static bool
sample_parse(struct options *options, const char *text)
{
	unsigned long number = 0;

	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' && strlen(text) < 8)
		number = strtoul(text, NULL, 10);
	if (number == 0 || number > SAMPLE_MS_MAX) {
		say("--sample-ms has '%s', expected milliseconds from 1 to %d: %d unless given.",
		    text, SAMPLE_MS_MAX, NHN_CHECK_SAMPLE_MS);
		return false;
	}
	options->sample_ms = (unsigned int)number;
	return true;
}

/** "ID,ID": only these are chosen. */
static bool
only_parse(struct options *options, char *text)
{
	memset(options->chosen, 0, sizeof(options->chosen));
	for (char *end = text; end != NULL;) {
		const char *id = strsep(&end, ",");
		int index = nhn_check_find(id);

		if (index < 0 || index >= CHECKS_MAX) {
			say("--only has '%s', expected ids of checks with commas between them:"
			    " see --list.",
			    id);
			return false;
		}
		options->chosen[index] = true;
	}
	return true;
}

static enum options_end
option_take(struct options *options, int id)
{
	bool good = true;

	switch (id) {
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_ROOT:
		options->root = optarg;
		break;
	case OPTION_CORES:
		options->cores = optarg;
		break;
	case OPTION_ROLE:
		good = role_parse(options, optarg);
		break;
	case OPTION_LINK:
		good = link_parse(options, optarg);
		break;
	case OPTION_ONLY:
		good = only_parse(options, optarg);
		break;
	case OPTION_SAMPLE_MS:
		good = sample_parse(options, optarg);
		break;
	case OPTION_APPLY:
		options->apply = true;
		break;
	case OPTION_UNDO:
		options->undo = true;
		break;
	case OPTION_DRY_RUN:
		options->dry_run = true;
		break;
	case OPTION_STATE:
		options->state = optarg;
		break;
	case OPTION_LIST:
		list_print();
		return OPTIONS_SHOWN;
	case OPTION_HELP:
		help_print();
		return OPTIONS_SHOWN;
	default: /* OPTION_VERSION */
		printf("nahanni-check %s\n", NAHANNI_CHECK_VERSION);
		return OPTIONS_SHOWN;
	}
	return good ? OPTIONS_RUN : OPTIONS_WRONG;
}

/** What getopt_long() objects to. */
static enum options_end
option_unknown(int id, const char *text)
{
	if (id == ':')
		say("%s has no value, expected one: see --help.", text);
	else if (optopt >= OPTION_JSON && optopt <= OPTION_VERSION)
		say("%s has a value, expected none.", text);
	else
		say("The option %s is unknown or ambiguous, expected one of --json, --root,"
		    " --cores, --role, --link, --only, --sample-ms, --apply, --undo,"
		    " --dry-run, --state, --list, --help, --version.",
		    text);
	return OPTIONS_WRONG;
}

static void
options_init(struct options *options)
{
	memset(options, 0, sizeof(*options));
	for (unsigned int i = 0; i < nhn_check_count() && i < CHECKS_MAX; i++)
		options->chosen[i] = true;
}

/** What --undo does is in its state file, and nothing else tells. */
static enum options_end
options_agree(uint32_t given)
{
	const uint32_t change = 1u << OPTION_APPLY | 1u << OPTION_UNDO;
	const uint32_t with_undo = 1u << OPTION_UNDO | 1u << OPTION_JSON | 1u << OPTION_ROOT |
				   1u << OPTION_DRY_RUN | 1u << OPTION_STATE;
	const uint32_t others = given & ~with_undo;

	if ((given & change) == change) {
		say("--apply and --undo are both given, expected one of them.");
		return OPTIONS_WRONG;
	}
	if ((given & change) == 0 && (given & (1u << OPTION_DRY_RUN | 1u << OPTION_STATE)) != 0) {
		say("--%s is given alone, expected --apply or --undo with it.",
		    (given >> OPTION_STATE & 1) != 0 ? "state" : "dry-run");
		return OPTIONS_WRONG;
	}
	if ((given >> OPTION_UNDO & 1) != 0 && others != 0) {
		say("--%s is given with --undo, which undoes all that was applied: expected --json,"
		    " --root, --dry-run or --state only.",
		    long_options[__builtin_ctz(others) - 1].name);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

enum options_end
options_parse(struct options *options, int argc, char **argv)
{
	enum options_end end = OPTIONS_RUN;
	uint32_t given = 0;

	options_init(options);
	opterr = 0;
	while (end == OPTIONS_RUN) {
		const char *text = argv[optind];
		int id = getopt_long(argc, argv, "+:", long_options, NULL);

		if (id == -1)
			break;
		if (id == '?' || id == ':')
			return option_unknown(id, text);
		if ((given >> id & 1) != 0 && id != OPTION_LINK) {
			say("--%s is given twice, expected once: leave one out.",
			    long_options[id - 1].name);
			return OPTIONS_WRONG;
		}
		given |= 1u << id;
		end = option_take(options, id);
	}
	if (end == OPTIONS_RUN && optind < argc) {
		say("The word '%s' is no option, expected options only: see --help.", argv[optind]);
		return OPTIONS_WRONG;
	}
	return end == OPTIONS_RUN ? options_agree(given) : end;
}
