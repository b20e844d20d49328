/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings by their words, and what fits together: the sentences of what does not. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "engine.h"
#include "result.h"
#include "say.h"
#include "settings.h"

/** How the user wrote a setting: "--rate" on the command line, else "PLACE: rate". */
struct spot {
	char text[512];
};

static const char *
spot_text(struct spot *spot, const char *where, const char *name)
{
	const char *between = strcmp(where, "--") == 0 ? "" : ": ";

	snprintf(spot->text, sizeof(spot->text), "%s%s%s", where, between, name);
	return spot->text;
}

static void
names_print(char *text, size_t bytes)
{
	size_t length = 0;
	size_t i;

	for (i = 0; i < settings_count && length < bytes; i++)
		length += (size_t)snprintf(text + length, bytes - length, "%s%s",
					   i == 0		    ? ""
					   : i + 1 < settings_count ? ", "
								    : " or ",
					   settings_table[i].name);
}

int
setting_set(struct settings *settings, const char *where, const char *name, const char *text)
{
	const struct setting *row = setting_find(name);
	char expected[SETTING_TEXT_MAX];
	struct spot spot;

	if (row == NULL) {
		names_print(expected, sizeof(expected));
		say("%s is no setting, expected %s.", spot_text(&spot, where, name), expected);
		return -EINVAL;
	}
	if (row->parse(settings, text) == 0)
		return 0;
	say("%s is '%s', expected %s.", spot_text(&spot, where, name), text,
	    setting_expected(row, expected, sizeof(expected)));
	return -EINVAL;
}

/** "ping, rpc or mixed": the modes that use it. */
static void
users_print(uint32_t bit, char *text, size_t bytes)
{
	size_t length = 0;
	size_t left = 0;
	size_t i;

	for (i = 0; i < engines_count; i++)
		left += (engines[i]->uses & bit) != 0;
	text[0] = '\0';
	for (i = 0; i < engines_count && length < bytes; i++) {
		if ((engines[i]->uses & bit) == 0)
			continue;
		left--;
		length += (size_t)snprintf(text + length, bytes - length, "%s%s", engines[i]->name,
					   left > 1    ? ", "
					   : left == 1 ? " or "
						       : "");
	}
}

/** Nothing but mode is a far end's: it gets its orders from the near one. */
static int
pong_check(const char *where, uint64_t given)
{
	struct spot spot;
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if ((given >> i & 1) == 0 || strcmp(settings_table[i].name, "mode") == 0)
			continue;
		say("%s is given to a pong, expected at the other end, which measures: a pong"
		    " takes --link, --via, --cores and --strict only.",
		    spot_text(&spot, where, settings_table[i].name));
		return -EINVAL;
	}
	return 0;
}

static int
used_check(const struct engine *engine, const char *where, uint64_t given)
{
	char users[256];
	struct spot spot;
	size_t i;

	for (i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];

		if ((given >> i & 1) == 0 || row->bit == 0 || (engine->uses & row->bit) != 0)
			continue;
		users_print(row->bit, users, sizeof(users));
		say("%s is given with mode %s, which does not use it, expected with mode %s.",
		    spot_text(&spot, where, row->name), engine->name, users);
		return -EINVAL;
	}
	return 0;
}

static int
sweep_check(const struct settings *settings, const char *where)
{
	const struct setting *row;
	char users[256];
	struct spot spot;

	if (settings->sweep.over == SWEEP_NONE)
		return 0;
	row = setting_find(sweep_over_name(settings->sweep.over));
	if ((settings->engine->uses & row->bit) != 0)
		return 0;
	users_print(row->bit, users, sizeof(users));
	say("%s is over %s, which mode %s does not use, expected mode %s, or a sweep of what it"
	    " uses.",
	    spot_text(&spot, where, "sweep"), row->name, settings->engine->name, users);
	return -EINVAL;
}

static int
frame_size_check(const char *where, const char *name, uint64_t size)
{
	struct spot spot;

	if (size >= FRAME_BYTES_MIN)
		return 0;
	say("%s is %" PRIu64 ", expected at least %u with --via ethdev, an Ethernet frame without"
	    " its checksum.",
	    spot_text(&spot, where, name), size, FRAME_BYTES_MIN);
	return -EINVAL;
}

/** The smallest frame; the largest is known when the link is up. */
static int
frames_check(const struct settings *settings, const char *where)
{
	const uint32_t uses = settings->engine->uses;
	const struct sweep *sweep = &settings->sweep;
	uint32_t i;
	int ret = 0;

	if (sweep->over == SWEEP_SIZE)
		for (i = 0; i < sweep->count && ret == 0; i++)
			ret = frame_size_check(where, "sweep", sweep->values[i]);
	else if ((uses & USES_SIZE) != 0)
		ret = frame_size_check(where, "size", settings->size);
	if (ret == 0 && (uses & USES_REPLY_SIZE) != 0 && settings->reply_size != 0)
		ret = frame_size_check(where, "reply-size", settings->reply_size);
	if (ret == 0 && (uses & USES_BULK_SIZE) != 0 && settings->bulk_size != 0)
		ret = frame_size_check(where, "bulk-size", settings->bulk_size);
	return ret;
}

/** A threshold of a time needs samples of times. */
static int
expects_check(const struct settings *settings, const char *where)
{
	struct spot spot;
	bool is_time;
	uint32_t i;

	if (settings->engine->latency != NULL)
		return 0;
	for (i = 0; i < settings->expects; i++) {
		const struct expect *expect = &settings->expect[i];

		if (result_metric_check(expect->metric, &is_time) == 0 && !is_time)
			continue;
		say("%s is '%s', of which mode %s takes no samples, expected rate, lost or another"
		    " count.",
		    spot_text(&spot, where, "expect"), expect->text, settings->engine->name);
		return -EINVAL;
	}
	return 0;
}

int
settings_check(const struct settings *settings, const char *where, uint64_t given, bool ethdev)
{
	int ret;

	if (settings->engine == NULL)
		return pong_check(where, given);
	ret = used_check(settings->engine, where, given);
	if (ret == 0)
		ret = sweep_check(settings, where);
	if (ret == 0 && ethdev)
		ret = frames_check(settings, where);
	if (ret == 0)
		ret = expects_check(settings, where);
	return ret;
}
