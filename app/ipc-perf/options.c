/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: rows of settings_table, and what is of the program. */

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "engine.h"
#include "options.h"
#include "say.h"

/** Values of getopt_long(): rows of settings_table from 1, options of the program beyond what
 *  is a character. */
#define ROW_FIRST 1
#define OWN_FIRST 256
#define LONG_OPTIONS_MAX 64u
#define LINK_SHAPE                                                                                 \
	"--link role=host|guest,path=FILE[,peer=FILE], --link pci=BDF[,role=host][,peer=BDF] or"   \
	" --link port=NAME"

/** An option of the program. */
struct own_option {
	const char *name;
	int has_arg;
	bool again; /**< may be given more than once */
	/** @return 0, or -EINVAL with a sentence said; NULL: the text goes to @p offset */
	int (*take)(struct options *options, const char *text);
	size_t offset;
};

static int
link_take(struct options *options, const char *text)
{
	return link_option_parse(&options->link, text);
}

static int
via_take(struct options *options, const char *text)
{
	int via;

	for (via = VIA_CHANNEL; via <= VIA_ETHDEV; via++) {
		if (strcmp(text, options_via_name((enum via)via)) != 0)
			continue;
		options->via = (enum via)via;
		return 0;
	}
	say("--via is '%s', expected channel (messages in place), msg (messages of nhn_msg, larger"
	    " than a ring too) or ethdev (frames).",
	    text);
	return -EINVAL;
}

static int
compare_take(struct options *options, const char *text)
{
	if (options->compares == COMPARE_MAX) {
		say("--compare is given more than %u times, at %s, expected %u files at most.",
		    COMPARE_MAX, text, COMPARE_MAX);
		return -EINVAL;
	}
	options->compare[options->compares++] = text;
	return 0;
}

static int
interactive_take(struct options *options, const char *text)
{
	(void)text;
	options->interactive = true;
	return 0;
}

static int
cores_take(struct options *options, const char *text)
{
	options->cores = text;
	return 0;
}

static int
strict_take(struct options *options, const char *text)
{
	(void)text;
	options->strict = true;
	return 0;
}

#define TEXT_OPTION(option_name, member)                                                           \
	{                                                                                          \
		.name = (option_name), .has_arg = required_argument,                               \
		.offset = offsetof(struct options, member)                                         \
	}

static const struct own_option own_options[] = {
	{.name = "link", .has_arg = required_argument, .take = link_take},
	{.name = "via", .has_arg = required_argument, .take = via_take},
	{.name = "cores", .has_arg = required_argument, .take = cores_take},
	{.name = "strict", .has_arg = no_argument, .take = strict_take},
	TEXT_OPTION("json", outputs.json),
	TEXT_OPTION("csv", outputs.csv),
	TEXT_OPTION("hgrm", outputs.hgrm),
	TEXT_OPTION("hlog", outputs.hlog),
	TEXT_OPTION("report", outputs.report),
	{.name = "compare", .has_arg = required_argument, .again = true, .take = compare_take},
	TEXT_OPTION("scenario", scenario),
	TEXT_OPTION("cmdline-file", cmdline_file),
	{.name = "interactive", .has_arg = no_argument, .take = interactive_take},
	{.name = "help", .has_arg = no_argument},
	{.name = "version", .has_arg = no_argument},
};

static int
own_index(const char *name)
{
	int i = 0;

	while (strcmp(own_options[i].name, name) != 0)
		i++;
	return i;
}

/** Bit of own_options[] in struct parse's own. */
static uint32_t
own_bit(const char *name)
{
	return 1u << own_index(name);
}

/** What was given so far. */
struct parse {
	struct option list[LONG_OPTIONS_MAX];
	uint32_t own; /**< bit i: own_options[i] */
};

static void
list_fill(struct option *list)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < settings_count; i++)
		list[count++] = (struct option){settings_table[i].name, required_argument, NULL,
						(int)(ROW_FIRST + i)};
	for (i = 0; i < RTE_DIM(own_options); i++)
		list[count++] = (struct option){own_options[i].name, own_options[i].has_arg, NULL,
						(int)(OWN_FIRST + i)};
	list[count] = (struct option){NULL, 0, NULL, 0};
}

static enum options_end
row_take(struct options *options, size_t row, const char *text)
{
	const char *name = settings_table[row].name;

	/* Thresholds add up. */
	if ((options->given >> row & 1) != 0 && strcmp(name, "expect") != 0) {
		say("--%s is given twice, expected once: leave one out.", name);
		return OPTIONS_WRONG;
	}
	options->given |= UINT64_C(1) << row;
	return setting_set(&options->settings, "--", name, text) == 0 ? OPTIONS_RUN : OPTIONS_WRONG;
}

static enum options_end
text_take(struct options *options, const struct own_option *own, const char *text)
{
	if (text[0] == '\0') {
		say("--%s is empty, expected the name of a file.", own->name);
		return OPTIONS_WRONG;
	}
	memcpy((char *)options + own->offset, &text, sizeof(text));
	return OPTIONS_RUN;
}

static enum options_end
own_take(struct options *options, struct parse *parse, size_t index, const char *text)
{
	const struct own_option *own = &own_options[index];

	if ((parse->own >> index & 1) != 0 && !own->again) {
		say("--%s is given twice, expected once: leave one out.", own->name);
		return OPTIONS_WRONG;
	}
	parse->own |= 1u << index;
	if (own->take != NULL)
		return own->take(options, text) == 0 ? OPTIONS_RUN : OPTIONS_WRONG;
	if (strcmp(own->name, "help") == 0) {
		help_print();
		return OPTIONS_SHOWN;
	}
	if (strcmp(own->name, "version") == 0) {
		printf("ipc-perf %s\n", IPC_PERF_VERSION);
		return OPTIONS_SHOWN;
	}
	return text_take(options, own, text);
}

/** What getopt_long() objects to. */
static enum options_end
option_unknown(const struct parse *parse, int id, const char *text)
{
	char names[1024];
	size_t length = 0;
	size_t i;

	if (id == ':') {
		say("%s has no value, expected one: see --help.", text);
		return OPTIONS_WRONG;
	}
	if (optopt >= OWN_FIRST) {
		say("%s has a value, expected none.", text);
		return OPTIONS_WRONG;
	}
	for (i = 0; parse->list[i].name != NULL && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s--%s",
					   i > 0 ? ", " : "", parse->list[i].name);
	say("The option %s is unknown or ambiguous, expected one of %s; EAL's options go before "
	    "--.",
	    text, names);
	return OPTIONS_WRONG;
}

/* ---- what fits together ---- */

/** Whether runs are said at a prompt or in a file, and not on the command line alone. */
static bool
runs_come_later(const struct options *options)
{
	return options->interactive || options->cmdline_file != NULL || options->scenario != NULL;
}

int
options_link_check(const struct options *options, const struct settings *settings)
{
	if (options->link.text != NULL ||
	    (settings->engine != NULL && (settings->engine->uses & USES_LINK) == 0))
		return 0;
	say("An option is missing, mode %s needs a link, expected %s: see --help.",
	    settings->engine != NULL ? settings->engine->name : MODE_PONG, LINK_SHAPE);
	return -EINVAL;
}

/** A far end has no results, no prompt and no runs of its own. */
static int
pong_check(const struct parse *parse)
{
	const uint32_t allowed =
		own_bit("link") | own_bit("via") | own_bit("cores") | own_bit("strict");
	size_t i;

	for (i = 0; i < RTE_DIM(own_options); i++) {
		if (((parse->own & ~allowed) >> i & 1) == 0)
			continue;
		say("--%s is given to a pong, expected at the other end, which measures: a pong"
		    " takes --link, --via, --cores and --strict only.",
		    own_options[i].name);
		return -EINVAL;
	}
	return 0;
}

/** A port is reached as one, and no engine without a far end takes a link. */
static int
way_check(struct options *options, const struct parse *parse)
{
	const struct settings *settings = &options->settings;

	if (options->link.port != NULL) {
		if ((parse->own & own_bit("via")) != 0 && options->via != VIA_ETHDEV) {
			say("--via is %s with --link port=%s, expected ethdev, or no --via: a port"
			    " takes frames only.",
			    options_via_name(options->via), options->link.port);
			return -EINVAL;
		}
		options->via = VIA_ETHDEV;
	}
	if (runs_come_later(options))
		return 0;
	if (options->link.text != NULL && settings->engine != NULL &&
	    (settings->engine->uses & USES_LINK) == 0) {
		say("--link is given with mode %s, which has no far end, expected no --link.",
		    settings->engine->name);
		return -EINVAL;
	}
	return options_link_check(options, settings);
}

static int
files_check(const struct options *options)
{
	if (options->scenario != NULL && (options->interactive || options->cmdline_file != NULL)) {
		say("--scenario is given with %s, expected one of them: the prompt has scenario"
		    " FILE.",
		    options->interactive ? "--interactive" : "--cmdline-file");
		return -EINVAL;
	}
	if (options->cmdline_file != NULL && access(options->cmdline_file, R_OK) != 0) {
		say("The file %s of --cmdline-file cannot be read (%m), expected one of commands.",
		    options->cmdline_file);
		return -EINVAL;
	}
	if (options->compares != 0 && options->outputs.report == NULL && !options->interactive &&
	    options->cmdline_file == NULL) {
		say("--compare is given without --report FILE, expected both: the report shows"
		    " %s beside these results.",
		    options->compare[0]);
		return -EINVAL;
	}
	return 0;
}

static int
options_check(struct options *options, const struct parse *parse)
{
	const struct settings *settings = &options->settings;
	const bool mode = (options->given >> (setting_find("mode") - settings_table) & 1) != 0;
	int ret = 0;

	if (!mode && !runs_come_later(options)) {
		say("An option is missing, expected --mode ping or another engine, --mode pong for"
		    " the far end, or --interactive, --cmdline-file or --scenario: see --help.");
		return -EINVAL;
	}
	if (settings->engine == NULL)
		ret = pong_check(parse);
	if (ret == 0)
		ret = way_check(options, parse);
	if (ret == 0)
		ret = files_check(options);
	/* Else these are defaults, and start or the scenario sees whether they fit. */
	if (ret == 0 && !runs_come_later(options))
		ret = settings_check(settings, "--", options->given, options->via == VIA_ETHDEV);
	return ret;
}

static enum options_end
options_take(struct options *options, struct parse *parse, int argc, char **argv)
{
	enum options_end end = OPTIONS_RUN;

	list_fill(parse->list);
	opterr = 0;
	/* glibc: from the beginning, whatever was parsed before. */
	optind = 0;
	while (end == OPTIONS_RUN) {
		const char *text = argv[optind > 0 ? optind : 1];
		int id = getopt_long(argc, argv, "+:i", parse->list, NULL);

		if (id == -1)
			break;
		/* The only short one. */
		if (id == 'i')
			id = OWN_FIRST + own_index("interactive");
		if (id == '?' || id == ':')
			end = option_unknown(parse, id, text);
		else if (id >= OWN_FIRST)
			end = own_take(options, parse, (size_t)(id - OWN_FIRST), optarg);
		else
			end = row_take(options, (size_t)(id - ROW_FIRST), optarg);
	}
	if (end == OPTIONS_RUN && optind < argc) {
		say("The word '%s' is no option, expected options only: see --help.", argv[optind]);
		end = OPTIONS_WRONG;
	}
	return end;
}

enum options_end
options_parse(struct options *options, int argc, char **argv)
{
	struct parse parse = {.own = 0};
	enum options_end end;
	int first; /* stands for the program's name */

	memset(options, 0, sizeof(*options));
	settings_init(&options->settings);
	options->argv = argv;
	options->eal_argc = 1;
	while (options->eal_argc < argc && strcmp(argv[options->eal_argc], "--") != 0)
		options->eal_argc++;
	first = options->eal_argc;
	/* Without -- there are no EAL options, and all are ours. */
	if (options->eal_argc >= argc) {
		options->eal_argc = 1;
		first = 0;
	}
	end = options_take(options, &parse, argc - first, argv + first);
	if (end == OPTIONS_RUN && options_check(options, &parse) != 0)
		end = OPTIONS_WRONG;
	return end;
}

void
options_free(struct options *options)
{
	link_option_free(&options->link);
}
