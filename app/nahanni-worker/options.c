/* SPDX-License-Identifier: BSD-3-Clause */

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "say.h"

/** Values of getopt_long(): bits of a mask of options that were given. */
enum option_id {
	OPTION_CONFIG = 1,
	OPTION_CORES,
	OPTION_CHECK,
	OPTION_STRICT,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"cores", required_argument, NULL, OPTION_CORES},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"strict", no_argument, NULL, OPTION_STRICT},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static enum options_end
option_take(struct options *options, int id)
{
	switch (id) {
	case OPTION_CONFIG:
		options->config = optarg;
		return OPTIONS_RUN;
	case OPTION_CHECK:
		options->check = true;
		return OPTIONS_RUN;
	case OPTION_CORES:
		options->cores = optarg;
		return OPTIONS_RUN;
	case OPTION_STRICT:
		options->strict = true;
		return OPTIONS_RUN;
	case OPTION_HELP:
		help_print();
		return OPTIONS_SHOWN;
	default: /* OPTION_VERSION */
		printf("nahanni-worker %s\n", NAHANNI_WORKER_VERSION);
		return OPTIONS_SHOWN;
	}
}

/** What getopt_long() objects to. */
static enum options_end
option_unknown(int id, const char *text)
{
	if (id == ':')
		say("%s has no value, expected one: see --help.", text);
	else if (optopt >= OPTION_CHECK && optopt <= OPTION_VERSION)
		say("%s has a value, expected none.", text);
	else
		say("The option %s is unknown or ambiguous, expected one of --config, --cores,"
		    " --check, --strict, --help, --version; EAL's options go before --.",
		    text);
	return OPTIONS_WRONG;
}

static enum options_end
options_check(const struct options *options, int argc, char **argv)
{
	if (optind < argc) {
		say("The word '%s' is no option, expected options only: see --help.", argv[optind]);
		return OPTIONS_WRONG;
	}
	if (options->config == NULL) {
		say("An option is missing, expected --config FILE: see --help.");
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

static enum options_end
options_take(struct options *options, int argc, char **argv)
{
	enum options_end end = OPTIONS_RUN;
	uint32_t given = 0;

	opterr = 0;
	while (end == OPTIONS_RUN) {
		const char *text = argv[optind];
		int id = getopt_long(argc, argv, "+:", long_options, NULL);

		if (id == -1)
			break;
		if (id == '?' || id == ':')
			return option_unknown(id, text);
		if (given >> id & 1) {
			say("--%s is given twice, expected once: leave one out.",
			    long_options[id - 1].name);
			return OPTIONS_WRONG;
		}
		given |= 1u << id;
		end = option_take(options, id);
	}
	return end;
}

enum options_end
options_parse(struct options *options, int argc, char **argv)
{
	enum options_end end;

	memset(options, 0, sizeof(*options));
	options->argv = argv;
	options->eal_argc = 1;
	while (options->eal_argc < argc && strcmp(argv[options->eal_argc], "--") != 0)
		options->eal_argc++;
	/* Without -- there are no EAL options, and all are ours. */
	if (options->eal_argc == argc)
		options->eal_argc = 1;
	else if (options->eal_argc < argc)
		optind = options->eal_argc + 1;
	end = options_take(options, argc, argv);
	return end == OPTIONS_RUN ? options_check(options, argc, argv) : end;
}
