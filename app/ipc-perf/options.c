/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "say.h"

/** Values of getopt_long(): indexes into a mask of options that were given. */
enum option_id {
	OPTION_MODE = 1,
	OPTION_LINK,
	OPTION_VIA,
	OPTION_SIZE,
	OPTION_SAMPLES,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"mode", required_argument, NULL, OPTION_MODE},
	{"link", required_argument, NULL, OPTION_LINK},
	{"via", required_argument, NULL, OPTION_VIA},
	{"size", required_argument, NULL, OPTION_SIZE},
	{"samples", required_argument, NULL, OPTION_SAMPLES},
	{"json", required_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static int
mode_parse(struct options *options, const char *value)
{
	if (strcmp(value, "ping") != 0 && strcmp(value, "pong") != 0) {
		say("--mode is '%s', expected ping (asks and measures) or pong (answers).", value);
		return -EINVAL;
	}
	options->mode = strcmp(value, "ping") == 0 ? MODE_PING : MODE_PONG;
	return 0;
}

static int
via_parse(struct options *options, const char *value)
{
	if (strcmp(value, "channel") != 0 && strcmp(value, "ethdev") != 0) {
		say("--via is '%s', expected channel (messages) or ethdev (frames).", value);
		return -EINVAL;
	}
	options->via = strcmp(value, "ethdev") == 0 ? VIA_ETHDEV : VIA_CHANNEL;
	return 0;
}

/** The largest size depends on the link and is checked when it is up. */
static int
size_parse(struct options *options, const char *value)
{
	uint64_t number;

	if (number_parse(value, &number) != 0 || number < CHANNEL_BYTES_MIN ||
	    number > NHN_DATA_BYTES_MAX / 2) {
		say("--size is '%s', expected bytes, from %u (frames: %u) to what the link carries:"
		    " half its data ring, or its MTU and 14.",
		    value, CHANNEL_BYTES_MIN, FRAME_BYTES_MIN);
		return -EINVAL;
	}
	options->bytes = (uint32_t)number;
	return 0;
}

static int
samples_parse(struct options *options, const char *value)
{
	if (number_parse(value, &options->samples) != 0 || options->samples == 0 ||
	    options->samples > SAMPLES_MAX) {
		say("--samples is '%s', expected a number from 1 to %" PRIu64 ": p99.99 needs"
		    " 1000000.",
		    value, SAMPLES_MAX);
		return -EINVAL;
	}
	return 0;
}

static enum options_end
option_take(struct options *options, int id)
{
	int ret = 0;

	switch (id) {
	case OPTION_MODE:
		ret = mode_parse(options, optarg);
		break;
	case OPTION_LINK:
		ret = link_option_parse(&options->link, optarg);
		break;
	case OPTION_VIA:
		ret = via_parse(options, optarg);
		break;
	case OPTION_SIZE:
		ret = size_parse(options, optarg);
		break;
	case OPTION_SAMPLES:
		ret = samples_parse(options, optarg);
		break;
	case OPTION_JSON:
		options->json = optarg;
		break;
	case OPTION_HELP:
		help_print();
		return OPTIONS_SHOWN;
	default: /* OPTION_VERSION */
		printf("ipc-perf %s\n", IPC_PERF_VERSION);
		return OPTIONS_SHOWN;
	}
	return ret == 0 ? OPTIONS_RUN : OPTIONS_WRONG;
}

/** What getopt_long() objects to. */
static enum options_end
option_unknown(int id, const char *text)
{
	if (id == ':')
		say("%s has no value, expected one: see --help.", text);
	else if (optopt >= OPTION_HELP && optopt <= OPTION_VERSION)
		say("%s has a value, expected none.", text);
	else
		say("The option %s is unknown or ambiguous, expected one of --mode, --link, --via,"
		    " --size, --samples, --json, --help, --version; EAL's options go before --.",
		    text);
	return OPTIONS_WRONG;
}

/** What must be there, and what fits together. */
static enum options_end
options_check(const struct options *options, uint32_t given)
{
	static const char *const what[] = {
		[OPTION_MODE] = "--mode ping or --mode pong",
		[OPTION_LINK] = "--link role=host|guest,path=FILE[,peer=FILE] or --link"
				" pci=BDF[,role=host][,peer=BDF]",
		[OPTION_SIZE] = "--size BYTES",
		[OPTION_SAMPLES] = "--samples N",
	};
	static const int needed[] = {OPTION_MODE, OPTION_LINK, OPTION_SIZE, OPTION_SAMPLES};
	/* A pong answers whatever comes. */
	size_t count = given >> OPTION_MODE & 1 && options->mode == MODE_PONG ? 2 : 4;
	size_t i;

	for (i = 0; i < count; i++) {
		if (given >> needed[i] & 1)
			continue;
		say("An option is missing, expected %s: see --help.", what[needed[i]]);
		return OPTIONS_WRONG;
	}
	if (options->mode == MODE_PONG && options->json != NULL) {
		say("--json is given to a pong, expected with --mode ping only: ping has the"
		    " results.");
		return OPTIONS_WRONG;
	}
	if (options->via == VIA_ETHDEV && options->bytes != 0 && options->bytes < FRAME_BYTES_MIN) {
		say("--size is %" PRIu32 ", expected at least %u with --via ethdev, an Ethernet"
		    " frame without its checksum.",
		    options->bytes, FRAME_BYTES_MIN);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

enum options_end
options_parse(struct options *options, int argc, char **argv)
{
	enum options_end end = OPTIONS_RUN;
	uint32_t given = 0;
	int id;

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
	opterr = 0;
	while (end == OPTIONS_RUN) {
		const char *text = argv[optind];

		id = getopt_long(argc, argv, "+:", long_options, NULL);
		if (id == -1)
			break;
		if (id == '?' || id == ':') {
			end = option_unknown(id, text);
		} else if (given >> id & 1) {
			say("--%s is given twice, expected once: leave one out.",
			    long_options[id - 1].name);
			end = OPTIONS_WRONG;
		} else {
			given |= 1u << id;
			end = option_take(options, id);
		}
	}
	if (end == OPTIONS_RUN && optind < argc) {
		say("The word '%s' is no option, expected options only: see --help.", argv[optind]);
		end = OPTIONS_WRONG;
	}
	return end == OPTIONS_RUN ? options_check(options, given) : end;
}

void
options_free(struct options *options)
{
	link_option_free(&options->link);
}
