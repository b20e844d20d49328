/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

struct options {
	char **argv;
	int eal_argc; /**< argv[0] and EAL's options */
	const char *config;
	bool check;
	const char *cores; /**< NULL: as the configuration says */
	bool strict;
};

enum options_end {
	OPTIONS_RUN,
	OPTIONS_SHOWN, /**< what was asked for is printed */
	OPTIONS_WRONG, /**< said */
};

enum options_end options_parse(struct options *options, int argc, char **argv);

/** The short manual. */
void help_print(void);

#endif /* OPTIONS_H */
