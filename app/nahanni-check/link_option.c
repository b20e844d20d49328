/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include "options.h"
#include "say.h"

#define KEYS "path=FILE[,peer=FILE] or pci=ADDRESS[,peer=ADDRESS]"

/** Those that ipc-perf's --link has too, and that there is nothing to check of. */
static char *const tokens[] = {"path", "peer", "pci", "role", "size", "mode", "group", NULL};

enum token {
	TOKEN_PATH,
	TOKEN_PEER,
	TOKEN_PCI,
};

static bool
keep(const char **list, unsigned int *count, const char *value)
{
	if (*count == LINKS_MAX) {
		say("--link names more than %d files or devices: check some of them first.",
		    LINKS_MAX);
		return false;
	}
	list[(*count)++] = value;
	return true;
}

/** A peer is what the link is: a file or a device. */
static bool
keep_all(struct options *options, const char *path, const char *pci, const char *peer)
{
	if ((path == NULL) == (pci == NULL)) {
		say("--link names %s, expected " KEYS ".",
		    path == NULL ? "neither path nor pci" : "both path and pci");
		return false;
	}
	if (pci != NULL)
		return keep(options->devices, &options->device_count, pci) &&
		       (peer == NULL || keep(options->devices, &options->device_count, peer));
	return keep(options->files, &options->file_count, path) &&
	       (peer == NULL || keep(options->files, &options->file_count, peer));
}

bool
link_parse(struct options *options, char *text)
{
	const char *values[3] = {NULL};

	while (*text != '\0') {
		char *value;
		int token = getsubopt(&text, tokens, &value);

		if (token < 0) {
			say("--link has '%s', expected " KEYS ".", value);
			return false;
		}
		if (value == NULL || value[0] == '\0') {
			say("--link has no value for %s, expected " KEYS ".", tokens[token]);
			return false;
		}
		if (token > TOKEN_PCI)
			continue;
		if (values[token] != NULL) {
			say("--link has %s twice, expected once: give --link twice.",
			    tokens[token]);
			return false;
		}
		values[token] = value;
	}
	return keep_all(options, values[TOKEN_PATH], values[TOKEN_PCI], values[TOKEN_PEER]);
}
