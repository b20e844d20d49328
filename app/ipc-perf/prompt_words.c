/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands in words: help, and what is wrong with a line. */

#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "prompt_internal.h"
#include "say.h"

#define BLANKS " \t\r\n"

const struct prompt_word prompt_words[] = {
	{"start", "", "Begin a run, or a sweep, of what set says."},
	{"stop", "", "End what is under way, also a scenario; its results stay."},
	{"show", "config|link|stats|xstats|histogram|floor|topology|gaps|runs",
	 "Print settings, the link, results so far or of the last run, counters, or all runs."},
	{"set", "NAME VALUE", "Change what the next run does: the words are those of the options."},
	{"clear", "", "Forget all results."},
	{"save", "FILE", "Write the results: .json, .csv, .hgrm, .hlog or .html by its end."},
	{"report", "FILE", "Write the report, which is HTML."},
	{"compare", "FILE", "Show the results of this JSON file beside ours in reports."},
	{"scenario", "FILE", "Run all that is in the file, with what set says as defaults."},
	{"help", "[COMMAND]", "Print this, or what a command and its settings accept."},
	{"quit", "", "End, after stopping what is under way."},
};
const size_t prompt_words_count = RTE_DIM(prompt_words);

static const struct prompt_word *
word_find(const char *name)
{
	size_t i;

	for (i = 0; i < prompt_words_count; i++)
		if (strcmp(prompt_words[i].name, name) == 0)
			return &prompt_words[i];
	return NULL;
}

const char *
prompt_where(const char *command, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s%s%s", prompt.place, prompt.place[0] != '\0' ? ": " : "", command);
	return text;
}

static void
word_unknown(const char *where, const char *name)
{
	char names[256];
	size_t length = 0;
	size_t i;

	for (i = 0; i < prompt_words_count && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
					   i == 0			? ""
					   : i + 1 < prompt_words_count ? ", "
									: " or ",
					   prompt_words[i].name);
	say("%s'%s' is no command, expected %s.", where, name, names);
}

/** The first word of @p text. @return what comes behind it */
static const char *
word_take(const char *text, char *word, size_t bytes)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strcspn(text, BLANKS);
	snprintf(word, bytes, "%.*s", (int)length, text);
	text += length;
	return text + strspn(text, BLANKS);
}

/** set with a value, or a name, that is no good: the table itself has the sentence. */
static void
set_refuse(const char *where, const char *rest)
{
	struct settings scratch;
	char name[128];
	const char *value = word_take(rest, name, sizeof(name));

	settings_init(&scratch);
	if (setting_find(name) != NULL && *value == '\0')
		say("%s: %s has no value behind it, expected one: help set.", where, name);
	else if (strcmp(name, "mode") == 0 && strcmp(value, MODE_PONG) == 0)
		say("%s: mode is " MODE_PONG ", expected one that measures: start the far end by"
		    " itself.",
		    where);
	else if (setting_set(&scratch, where, name, value) == 0)
		say("%s: %s is '%s', expected a shorter value.", where, name, value);
}

void
prompt_refuse(const char *line)
{
	const struct prompt_word *word;
	char text[PROMPT_LINE_MAX];
	char where[PROMPT_WHERE_MAX];
	char name[128];
	const char *rest;

	/* rte_cmdline takes # as the begin of a comment. */
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "#\n"), line);
	while (text[0] != '\0' && strchr(BLANKS, text[strlen(text) - 1]) != NULL)
		text[strlen(text) - 1] = '\0';
	rest = word_take(text, name, sizeof(name));
	word = word_find(name);
	if (word == NULL)
		word_unknown(prompt_where("", where, sizeof(where)), name);
	else if (strcmp(name, "set") == 0 && *rest != '\0')
		set_refuse(prompt_where(name, where, sizeof(where)), rest);
	else if (word->behind[0] == '\0')
		say("%s has '%s' behind it, expected nothing.",
		    prompt_where(name, where, sizeof(where)), rest);
	else if (*rest == '\0')
		say("%s has nothing behind it, expected %s.",
		    prompt_where(name, where, sizeof(where)), word->behind);
	else
		say("%s has '%s' behind it, expected %s.", prompt_where(name, where, sizeof(where)),
		    rest,
		    strcmp(name, "help") == 0 ? "a command or nothing: help lists them"
					      : word->behind);
}

static void
word_print(const struct prompt_word *word)
{
	const char *line = word->help;

	printf("  %s%s%s\n", word->name, word->behind[0] != '\0' ? " " : "", word->behind);
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		printf("      %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

void
prompt_help(const char *name)
{
	size_t i;

	for (i = 0; i < prompt_words_count; i++)
		if (name == NULL || strcmp(prompt_words[i].name, name) == 0)
			word_print(&prompt_words[i]);
	if (name != NULL && strcmp(name, "set") == 0)
		help_settings_print(stdout);
	if (name != NULL && strcmp(name, "start") == 0)
		help_engines_print(stdout);
	fflush(stdout);
}
