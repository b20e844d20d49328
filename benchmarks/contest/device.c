/* SPDX-License-Identifier: BSD-3-Clause */
/* What a contestant has in the guest. */

#include <stdio.h>

#include "contest.h"

const char *
contest_device(const struct contest_place *place, char *text, size_t bytes)
{
	const char *name = place->contestant->name;
	const size_t length = strlen(name);
	const char *at = place->device;

	while (*at != '\0') {
		const size_t whole = strcspn(at, ";");

		if (whole > length && strncmp(at, name, length) == 0 && at[length] == '=') {
			snprintf(text, bytes, "%.*s", (int)(whole - length - 1), at + length + 1);
			return text;
		}
		at += whole;
		at += *at == ';';
	}
	return NULL;
}
