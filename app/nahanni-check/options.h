/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include <nhn_check.h>

/** Files of links, and devices of links, at most so many each. */
#define LINKS_MAX 32
/** More than the library has checks. */
#define CHECKS_MAX 128

struct options {
	bool json;
	bool apply, undo, dry_run;
	const char *state; /**< NULL: the usual one, below the root */
	const char *root;  /**< NULL: this machine */
	const char *cores;
	enum nhn_check_role role;
	unsigned int sample_ms;
	const char *files[LINKS_MAX]; /**< point into argv, which was cut at commas */
	unsigned int file_count;
	const char *devices[LINKS_MAX];
	unsigned int device_count;
	bool chosen[CHECKS_MAX]; /**< by the index of a check */
};

enum options_end {
	OPTIONS_RUN,
	OPTIONS_SHOWN, /**< what was asked for is printed */
	OPTIONS_WRONG, /**< said */
};

enum options_end options_parse(struct options *options, int argc, char **argv);

/** One of --link: "path=FILE[,peer=FILE]" or "pci=ADDRESS[,peer=ADDRESS]". Cuts `text`. */
bool link_parse(struct options *options, char *text);

/** The short manual. */
void help_print(void);

/** The checks, a line each. */
void list_print(void);

#endif /* OPTIONS_H */
