/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options, as text and as numbers. */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "options.h"

static const char *const via_names[] = {
	[VIA_CHANNEL] = "channel", [VIA_MSG] = "msg", [VIA_ETHDEV] = "ethdev"};

/** Largest first: printing takes the first that is exact. */
static const struct unit {
	const char *name;
	uint64_t factor;
} counts[] = {{"G", 1000000000}, {"M", 1000000}, {"k", 1000}, {"", 1}},
  times[] = {
	  {"m", UINT64_C(60000000000)}, {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1},
};

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

/** Digits, and what comes behind them. */
static int
digits_parse(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	/* strtoull() would take a sign and leading blanks. */
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	*rest = end;
	return -errno;
}

static const struct unit *
unit_find(const struct unit *units, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

int
number_parse(const char *text, uint64_t *value)
{
	const char *rest;
	int ret = digits_parse(text, value, &rest);

	if (ret == 0 && *rest != '\0')
		ret = -EINVAL;
	return ret;
}

int
count_parse(const char *text, uint64_t *value)
{
	const struct unit *unit;
	const char *rest;
	int ret = digits_parse(text, value, &rest);

	if (ret != 0)
		return ret;
	unit = unit_find(counts, RTE_DIM(counts), rest);
	if (unit == NULL)
		return -EINVAL;
	if (*value > UINT64_MAX / unit->factor)
		return -ERANGE;
	*value *= unit->factor;
	return 0;
}

int
time_parse(const char *text, uint64_t *ns)
{
	const struct unit *unit;
	double value;
	char *end;

	/* strtod() would take a sign, blanks and nan. */
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	value = strtod(text, &end);
	/* No exponent: 1e3s is no time that anybody writes. */
	if ((size_t)(end - text) != strspn(text, "0123456789."))
		return -EINVAL;
	unit = unit_find(times, RTE_DIM(times), end);
	if (unit == NULL)
		return -EINVAL;
	value *= (double)unit->factor;
	if (!(value < 9e18))
		return -ERANGE;
	*ns = (uint64_t)llround(value);
	return 0;
}

static void
units_print(const struct unit *units, uint64_t value, char *text, size_t bytes)
{
	/* The last has the factor 1. */
	while (units->factor != 1 && (value == 0 || value % units->factor != 0))
		units++;
	snprintf(text, bytes, "%" PRIu64 "%s", value / units->factor, units->name);
}

void
count_print(uint64_t value, char *text, size_t bytes)
{
	units_print(counts, value, text, bytes);
}

void
time_print(uint64_t ns, char *text, size_t bytes)
{
	units_print(times, ns, text, bytes);
}
