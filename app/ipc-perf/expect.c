/* SPDX-License-Identifier: BSD-3-Clause */
/* Thresholds: a figure of a run, < or >, and a value. Judged by result.c. */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "result.h"
#include "settings.h"

#define BLANKS " \t"

/** A plain number, 1.5, or a count with its unit, 900k. */
static int
plain_parse(const char *text, double *value)
{
	uint64_t count;
	char *end;

	if (count_parse(text, &count) == 0) {
		*value = (double)count;
		return 0;
	}
	/* strtod() would take a sign, blanks, nan and hexadecimals. */
	if (text[0] == '\0' || text[strspn(text, "0123456789.")] != '\0')
		return -EINVAL;
	*value = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*value) ? 0 : -EINVAL;
}

static int
value_parse(struct expect *expect, const char *text)
{
	bool is_time;
	uint64_t ns;

	if (result_metric_check(expect->metric, &is_time) != 0)
		return -EINVAL;
	if (!is_time)
		return plain_parse(text, &expect->value);
	if (time_parse(text, &ns) != 0)
		return -EINVAL;
	expect->value = (double)ns;
	return 0;
}

/** @param text without blanks around */
static int
one_parse(struct expect *expect, const char *text)
{
	size_t metric = strcspn(text, "<>" BLANKS);
	const char *sign = text + metric + strspn(text + metric, BLANKS);

	memset(expect, 0, sizeof(*expect));
	if (strlen(text) >= sizeof(expect->text) || metric >= sizeof(expect->metric) ||
	    (*sign != '<' && *sign != '>'))
		return -EINVAL;
	strcpy(expect->text, text);
	memcpy(expect->metric, text, metric);
	expect->below = *sign == '<';
	sign++;
	return value_parse(expect, sign + strspn(sign, BLANKS));
}

int
expect_parse(struct settings *settings, const char *text)
{
	struct expect expects[EXPECTS_MAX];
	uint32_t count = settings->expects;

	if (strcmp(text, "none") == 0) {
		settings->expects = 0;
		return 0;
	}
	memcpy(expects, settings->expect, sizeof(expects));
	for (;;) {
		size_t length = strcspn(text, ",");
		size_t blanks = strspn(text, BLANKS);
		char one[sizeof(expects[0].text)];

		if (count == EXPECTS_MAX || length - blanks >= sizeof(one))
			return -EINVAL;
		snprintf(one, sizeof(one), "%.*s", (int)(length - blanks), text + blanks);
		while (one[0] != '\0' && strchr(BLANKS, one[strlen(one) - 1]) != NULL)
			one[strlen(one) - 1] = '\0';
		if (one_parse(&expects[count++], one) != 0)
			return -EINVAL;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	memcpy(settings->expect, expects, sizeof(expects));
	settings->expects = count;
	return 0;
}

void
expect_print(const struct settings *settings, char *text, size_t bytes)
{
	size_t length = 0;
	uint32_t i;

	snprintf(text, bytes, "none");
	for (i = 0; i < settings->expects && length < bytes; i++)
		length += (size_t)snprintf(text + length, bytes - length, "%s%s", i > 0 ? "," : "",
					   settings->expect[i].text);
}
