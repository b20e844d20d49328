/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

/** @return 0 with the text behind the number in *end, or -EINVAL */
static int
digits_take(const char *text, uint64_t *value, char **end)
{
	/* strtoull() would take a sign and leading blanks. */
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, end, 10);
	return errno == 0 ? 0 : -EINVAL;
}

int
number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	uint64_t number;
	char *end;

	if (digits_take(text, &number, &end) != 0 || *end != '\0' || number < least ||
	    number > most)
		return -EINVAL;
	*value = number;
	return 0;
}

int
uint32_parse(const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
	uint64_t number;

	if (number_parse(text, least, most, &number) != 0)
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

int
bytes_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	static const char units[] = "KMG";
	uint64_t number;
	const char *unit;
	char *end;

	if (digits_take(text, &number, &end) != 0)
		return -EINVAL;
	if (*end != '\0') {
		unsigned int shift;

		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
		if (number > UINT64_MAX >> shift)
			return -EINVAL;
		number <<= shift;
	}
	if (number < least || number > most)
		return -EINVAL;
	*value = number;
	return 0;
}

int
power_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	uint64_t number;

	if (bytes_parse(text, least, most, &number) != 0 || (number & (number - 1)) != 0)
		return -EINVAL;
	*value = number;
	return 0;
}

int
yes_parse(const char *text, bool *value)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return -EINVAL;
	*value = text[0] == 'y';
	return 0;
}

/** "3" or "3-5". @return 0 with the text behind it in *end, or -EINVAL */
static int
range_take(const char *text, uint32_t most, uint64_t *first, uint64_t *last, char **end)
{
	if (digits_take(text, first, end) != 0)
		return -EINVAL;
	*last = *first;
	if (**end == '-' && digits_take(*end + 1, last, end) != 0)
		return -EINVAL;
	return *first <= *last && *last <= most ? 0 : -EINVAL;
}

int
list_parse(const char *text, uint32_t most, uint32_t *numbers, uint32_t count)
{
	uint64_t first, last;
	uint32_t taken = 0;
	char *end;

	for (;;) {
		if (range_take(text, most, &first, &last, &end) != 0)
			return -EINVAL;
		for (; first <= last; first++) {
			if (taken == count)
				return -EINVAL;
			numbers[taken++] = (uint32_t)first;
		}
		if (*end == '\0')
			return (int)taken;
		if (*end != ',')
			return -EINVAL;
		text = end + 1;
	}
}
