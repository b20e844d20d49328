/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options, as text and as numbers. */

#include <errno.h>
#include <stdlib.h>

#include "options.h"

static const char *const mode_names[] = {[MODE_PING] = "ping", [MODE_PONG] = "pong"};
static const char *const via_names[] = {[VIA_CHANNEL] = "channel", [VIA_ETHDEV] = "ethdev"};

const char *
options_mode_name(enum mode mode)
{
	return mode_names[mode];
}

const char *
options_via_name(enum via via)
{
	return via_names[via];
}

const char *
options_role_name(enum nhn_role role)
{
	return role == NHN_ROLE_HOST ? "host" : "guest";
}

int
number_parse(const char *text, uint64_t *value)
{
	char *end;

	/* strtoull() would take a sign and leading blanks. */
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (*end != '\0')
		return -EINVAL;
	return -errno;
}
