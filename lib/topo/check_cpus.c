/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_cpus.h"

#define WORDS (NHN_CHECK_CPUS_MAX / 64)

void
nhn_check_cpus_set(struct check_cpus *cpus, unsigned int cpu)
{
	if (cpu < NHN_CHECK_CPUS_MAX)
		cpus->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

bool
nhn_check_cpus_has(const struct check_cpus *cpus, unsigned int cpu)
{
	return cpu < NHN_CHECK_CPUS_MAX && (cpus->bits[cpu / 64] >> (cpu % 64) & 1) != 0;
}

int
nhn_check_cpus_next(const struct check_cpus *cpus, int cpu)
{
	for (; cpu < NHN_CHECK_CPUS_MAX; cpu++)
		if (nhn_check_cpus_has(cpus, (unsigned int)cpu))
			return cpu;
	return -1;
}

unsigned int
nhn_check_cpus_count(const struct check_cpus *cpus)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		count += (unsigned int)__builtin_popcountll(cpus->bits[i]);
	return count;
}

bool
nhn_check_cpus_empty(const struct check_cpus *cpus)
{
	return nhn_check_cpus_next(cpus, 0) < 0;
}

struct check_cpus
nhn_check_cpus_and(const struct check_cpus *one, const struct check_cpus *other)
{
	struct check_cpus both;

	for (unsigned int i = 0; i < WORDS; i++)
		both.bits[i] = one->bits[i] & other->bits[i];
	return both;
}

struct check_cpus
nhn_check_cpus_minus(const struct check_cpus *one, const struct check_cpus *other)
{
	struct check_cpus rest;

	for (unsigned int i = 0; i < WORDS; i++)
		rest.bits[i] = one->bits[i] & ~other->bits[i];
	return rest;
}

struct check_cpus
nhn_check_cpus_or(const struct check_cpus *one, const struct check_cpus *other)
{
	struct check_cpus all;

	for (unsigned int i = 0; i < WORDS; i++)
		all.bits[i] = one->bits[i] | other->bits[i];
	return all;
}

bool
nhn_check_cpus_within(const struct check_cpus *part, const struct check_cpus *all)
{
	const struct check_cpus rest = nhn_check_cpus_minus(part, all);

	return nhn_check_cpus_empty(&rest);
}

bool
nhn_check_cpus_meet(const struct check_cpus *one, const struct check_cpus *other)
{
	const struct check_cpus both = nhn_check_cpus_and(one, other);

	return !nhn_check_cpus_empty(&both);
}

/* A number, or N: the last one. */
static int
number_take(const char **text, unsigned long last, unsigned long *number)
{
	char *end;

	if (**text == 'N') {
		*number = last;
		(*text)++;
		return 0;
	}
	/* strtoul() would take a sign and blanks. */
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	*number = strtoul(*text, &end, 10);
	*text = end;
	return errno == 0 ? 0 : -EINVAL;
}

/* "8-11:2/4": of each group of four the first two. */
static int
range_take(const char **text, unsigned long last, struct check_cpus *cpus)
{
	unsigned long first, to, used = 1, group = 1;

	if (number_take(text, last, &first) != 0)
		return -EINVAL;
	to = first;
	if (**text == '-') {
		(*text)++;
		if (number_take(text, last, &to) != 0)
			return -EINVAL;
	}
	if (**text == ':') {
		(*text)++;
		if (number_take(text, last, &used) != 0 || *(*text)++ != '/' ||
		    number_take(text, last, &group) != 0)
			return -EINVAL;
	}
	if (to < first || group == 0 || used == 0 || used > group)
		return -EINVAL;
	for (unsigned long cpu = first; cpu <= to && cpu < NHN_CHECK_CPUS_MAX; cpu++)
		if ((cpu - first) % group < used)
			nhn_check_cpus_set(cpus, (unsigned int)cpu);
	return 0;
}

static bool
is_end(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return *text == '\0';
}

static unsigned long
last_of(const struct check_cpus *online)
{
	unsigned long last = 0;

	for (int cpu = 0; (cpu = nhn_check_cpus_next(online, cpu)) >= 0; cpu++)
		last = (unsigned long)cpu;
	return last;
}

int
nhn_check_cpus_parse(const char *text, const struct check_cpus *online, struct check_cpus *cpus)
{
	const unsigned long last = online != NULL ? last_of(online) : 0;

	memset(cpus, 0, sizeof(*cpus));
	while (isspace((unsigned char)*text))
		text++;
	/* What the kernel shows of a set that it never allocated. */
	if (is_end(text) || strncmp(text, "(null)", 6) == 0)
		return 0;
	if (strncmp(text, "all", 3) == 0 && is_end(text + 3)) {
		if (online != NULL)
			*cpus = *online;
		return 0;
	}
	for (;;) {
		if (range_take(&text, last, cpus) != 0)
			return -EINVAL;
		if (is_end(text))
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

static int
digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((unsigned char)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int
nhn_check_cpus_parse_mask(const char *text, struct check_cpus *cpus)
{
	size_t length = strcspn(text, " \t\n");
	unsigned int cpu = 0;

	memset(cpus, 0, sizeof(*cpus));
	if (length == 0 || !is_end(text + length))
		return -EINVAL;
	while (length-- > 0) {
		int value;

		if (text[length] == ',')
			continue;
		value = digit_value(text[length]);
		if (value < 0)
			return -EINVAL;
		for (unsigned int bit = 0; bit < 4; bit++)
			if ((value >> bit & 1) != 0)
				nhn_check_cpus_set(cpus, cpu + bit);
		cpu += 4;
	}
	return 0;
}

void
nhn_check_cpus_text(const struct check_cpus *cpus, char *text, size_t size)
{
	size_t used = 0;
	int last;

	snprintf(text, size, "none");
	for (int cpu = 0; (cpu = nhn_check_cpus_next(cpus, cpu)) >= 0; cpu = last + 1) {
		char range[32];

		for (last = cpu; nhn_check_cpus_has(cpus, (unsigned int)last + 1); last++)
			;
		if (last == cpu)
			snprintf(range, sizeof(range), "%s%d", used > 0 ? "," : "", cpu);
		else
			snprintf(range, sizeof(range), "%s%d-%d", used > 0 ? "," : "", cpu, last);
		/* Room for what says that it is cut off. */
		if (used + strlen(range) + sizeof(",...") > size) {
			snprintf(text + used, size - used, ",...");
			return;
		}
		snprintf(text + used, size - used, "%s", range);
		used += strlen(range);
	}
}

bool
nhn_check_cpus_mask(const struct check_cpus *cpus, char *text, size_t size)
{
	size_t used = 0;
	bool begun = false;

	for (int word = 2 * WORDS - 1; word >= 0; word--) {
		const uint32_t bits = (uint32_t)(cpus->bits[word / 2] >> (word % 2 * 32));

		if (!begun && bits == 0 && word > 0)
			continue;
		if (used + 10 > size)
			return false;
		used += (size_t)snprintf(text + used, size - used, begun ? ",%08x" : "%x", bits);
		begun = true;
	}
	return true;
}

struct check_list
nhn_check_cpus_list(const struct check_cpus *cpus)
{
	struct check_list list;

	nhn_check_cpus_text(cpus, list.text, sizeof(list.text));
	return list;
}
