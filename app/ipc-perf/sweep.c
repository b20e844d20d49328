/* SPDX-License-Identifier: BSD-3-Clause */
/* A sweep: the same run once for each of some values of a setting. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "options.h"
#include "settings.h"

static const char *const over_names[] = {
	[SWEEP_NONE] = "none",
	[SWEEP_SIZE] = "size",
	[SWEEP_BURST] = "burst",
	[SWEEP_RATE] = "rate",
};

const char *
sweep_over_name(enum sweep_over over)
{
	return over_names[over];
}

static uint64_t
value_get(const struct settings *settings, enum sweep_over over)
{
	switch (over) {
	case SWEEP_SIZE:
		return settings->size;
	case SWEEP_BURST:
		return settings->burst;
	default:
		return settings->rate;
	}
}

static void
value_set(struct settings *settings, enum sweep_over over, uint64_t value)
{
	if (over == SWEEP_SIZE)
		settings->size = (uint32_t)value;
	else if (over == SWEEP_BURST)
		settings->burst = (uint32_t)value;
	else
		settings->rate = value;
}

/** Values have the units and bounds of the setting itself. */
static int
values_parse(struct sweep *sweep, const char *text)
{
	const struct setting *row = setting_find(over_names[sweep->over]);
	struct settings one = {0};

	for (;;) {
		size_t length = strcspn(text, ",");
		size_t blanks = strspn(text, " \t");
		char value[32];

		if (sweep->count == SWEEP_MAX || length - blanks >= sizeof(value))
			return -EINVAL;
		snprintf(value, sizeof(value), "%.*s", (int)(length - blanks), text + blanks);
		if (row->parse(&one, value) != 0)
			return -EINVAL;
		sweep->values[sweep->count++] = value_get(&one, sweep->over);
		if (text[length] == '\0')
			return 0;
		text += length + 1;
	}
}

int
sweep_parse(struct sweep *sweep, const char *text)
{
	struct sweep parsed = {0};
	size_t length = strcspn(text, "=");
	uint32_t over;

	if (strcmp(text, over_names[SWEEP_NONE]) == 0) {
		*sweep = parsed;
		return 0;
	}
	for (over = SWEEP_SIZE; over < RTE_DIM(over_names); over++)
		if (strlen(over_names[over]) == length &&
		    memcmp(over_names[over], text, length) == 0)
			parsed.over = (enum sweep_over)over;
	if (parsed.over == SWEEP_NONE || text[length] != '=' ||
	    values_parse(&parsed, text + length + 1) != 0)
		return -EINVAL;
	*sweep = parsed;
	return 0;
}

void
sweep_value_print(const struct sweep *sweep, uint32_t index, char *text, size_t bytes)
{
	struct settings one = {0};

	value_set(&one, sweep->over, sweep->values[index]);
	setting_find(over_names[sweep->over])->print(&one, text, bytes);
}

void
sweep_print(const struct sweep *sweep, char *text, size_t bytes)
{
	size_t length = (size_t)snprintf(text, bytes, "%s", over_names[sweep->over]);
	char value[32];
	uint32_t i;

	for (i = 0; i < sweep->count && length < bytes; i++) {
		sweep_value_print(sweep, i, value, sizeof(value));
		length += (size_t)snprintf(text + length, bytes - length, "%c%s",
					   i == 0 ? '=' : ',', value);
	}
}

void
sweep_apply(struct settings *settings, uint32_t index)
{
	const enum sweep_over over = settings->sweep.over;
	char value[32];
	size_t length;

	settings_resolve(settings);
	sweep_value_print(&settings->sweep, index, value, sizeof(value));
	value_set(settings, over, settings->sweep.values[index]);
	length = strlen(settings->name);
	/* A long name loses its end, and not the value. */
	length = RTE_MIN(length,
			 sizeof(settings->name) - strlen(over_names[over]) - strlen(value) - 3);
	snprintf(settings->name + length, sizeof(settings->name) - length, " %s %s",
		 over_names[over], value);
	memset(&settings->sweep, 0, sizeof(settings->sweep));
}
