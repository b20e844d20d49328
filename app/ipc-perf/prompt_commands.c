/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands: rte_cmdline's tables, and what each does. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmdline_parse.h>
#include <cmdline_parse_string.h>
#include <rte_common.h>

#include "engine.h"
#include "output.h"
#include "prompt_internal.h"
#include "say.h"
#include "scenario.h"

/** What rte_cmdline makes of a line. */
struct words {
	cmdline_fixed_string_t verb;
	cmdline_fixed_string_t noun;
	cmdline_multi_string_t rest; /**< to the end of the line */
};

/** The text without the blanks behind it. */
static const char *
rest_text(struct words *words)
{
	size_t length = strlen(words->rest);

	while (length > 0 && strchr(" \t\r", words->rest[length - 1]) != NULL)
		words->rest[--length] = '\0';
	return words->rest;
}

static void
fail(void)
{
	prompt.failed = true;
}

/** What must not change under a run. @return whether none is under way; else said */
static bool
idle_check(const char *command)
{
	char where[PROMPT_WHERE_MAX];

	if (prompt_idle() && prompt.queue.count == 0)
		return true;
	say("%s: a run is under way, expected its end: stop ends it.",
	    prompt_where(command, where, sizeof(where)));
	fail();
	return false;
}

/* ---- runs ---- */

static void
start_run(void *parsed, struct cmdline *parser, void *data)
{
	(void)parsed;
	(void)parser;
	(void)data;
	if (!idle_check("start"))
		return;
	if (session_start(prompt.session) != 0)
		fail();
}

static void
stop_run(void *parsed, struct cmdline *parser, void *data)
{
	(void)parsed;
	(void)parser;
	(void)data;
	if (prompt_idle() && prompt.queue.count == 0)
		say("No run is under way, so there is nothing to stop.");
	/* First, so that the next one does not start. */
	prompt.queue.next = prompt.queue.count;
	session_stop(prompt.session);
}

static void
scenario_run(void *parsed, struct cmdline *parser, void *data)
{
	struct words *words = (struct words *)parsed;
	struct prompt_queue *queue = &prompt.queue;
	struct session *session = prompt.session;

	(void)parser;
	(void)data;
	if (!idle_check("scenario"))
		return;
	pthread_mutex_lock(&session->lock);
	queue->before = session->settings;
	queue->given = session->given;
	pthread_mutex_unlock(&session->lock);
	queue->next = 0;
	snprintf(queue->place, sizeof(queue->place), "%s", prompt.place);
	/* The thread starts them when it can. */
	if (scenario_load(rest_text(words), &queue->before, session->options->via == VIA_ETHDEV,
			  &queue->runs, &queue->count) != 0)
		fail();
}

static void
clear_run(void *parsed, struct cmdline *parser, void *data)
{
	(void)parsed;
	(void)parser;
	(void)data;
	if (idle_check("clear") && session_clear(prompt.session) != 0)
		fail();
}

static void
quit_run(void *parsed, struct cmdline *parser, void *data)
{
	(void)parsed;
	(void)parser;
	(void)data;
	prompt.queue.next = prompt.queue.count;
	session_quit(prompt.session);
}

/* ---- settings ---- */

/** The modes do not use the same: what was set for another one is no mistake. */
static void
setting_take(const struct setting *row, const struct settings *settings)
{
	struct session *session = prompt.session;

	pthread_mutex_lock(&session->lock);
	session->settings = *settings;
	if (strcmp(row->name, "mode") == 0)
		session->given = 0;
	pthread_mutex_unlock(&session->lock);
}

static void
set_run(void *parsed, struct cmdline *parser, void *data)
{
	struct words *words = (struct words *)parsed;
	const struct setting *row = setting_find(words->noun);
	struct session *session = prompt.session;
	struct settings settings;
	char where[PROMPT_WHERE_MAX];

	(void)parser;
	(void)data;
	prompt_where("set", where, sizeof(where));
	/* A scenario puts back what was set before it. */
	if (prompt.queue.count != 0 && !idle_check("set"))
		return;
	pthread_mutex_lock(&session->lock);
	settings = session->settings;
	pthread_mutex_unlock(&session->lock);
	if (setting_set(&settings, where, words->noun, rest_text(words)) != 0) {
		fail();
	} else {
		setting_take(row, &settings);
		/* Set all the same: the mode may be set next. */
		if (row->bit != 0 && (settings.engine->uses & row->bit) == 0)
			settings_check(&settings, where, UINT64_C(1) << (row - settings_table),
				       false);
	}
}

/* ---- files ---- */

static void
write_file(const char *command, enum output_kind kind, const char *path)
{
	struct session *session = prompt.session;
	struct options options = *session->options;
	struct output_file file = {.stream = NULL};
	json_t *document;
	unsigned int i;

	/* Nothing changes while no run is under way: only this thread starts one. */
	if (!idle_check(command))
		return;
	for (i = 0; i < prompt.compares; i++)
		options.compare[options.compares++] = prompt.compare[i];
	if (output_open(&file, kind, path) != 0) {
		fail();
		return;
	}
	document = output_json_document(&options, session->clock, session->runs);
	if (document == NULL)
		say("There is no memory for %s, expected some KiB: end other programs.", path);
	if (document == NULL || output_write(&file, &options, document,
					     session->has_result ? session->result : NULL) != 0)
		fail();
	json_decref(document);
	output_close(&file);
}

static void
save_run(void *parsed, struct cmdline *parser, void *data)
{
	const char *path = rest_text((struct words *)parsed);
	enum output_kind kind;

	(void)parser;
	(void)data;
	if (output_kind_of(path, &kind) != 0)
		fail();
	else
		write_file("save", kind, path);
}

static void
report_run(void *parsed, struct cmdline *parser, void *data)
{
	(void)parser;
	(void)data;
	write_file("report", OUTPUT_REPORT, rest_text((struct words *)parsed));
}

static void
compare_run(void *parsed, struct cmdline *parser, void *data)
{
	const char *path = rest_text((struct words *)parsed);
	struct options one = {.compare = {path}, .compares = 1};
	char where[PROMPT_WHERE_MAX];

	(void)parser;
	(void)data;
	if (prompt.compares + prompt.session->options->compares == COMPARE_MAX) {
		say("%s: %s is one too many, expected %u files at most.",
		    prompt_where("compare", where, sizeof(where)), path, COMPARE_MAX);
		fail();
		return;
	}
	/* Reports come later: a bad file is found out now. */
	prompt.compare[prompt.compares] = output_compares_check(&one) == 0 ? strdup(path) : NULL;
	if (prompt.compare[prompt.compares] == NULL)
		fail();
	else
		prompt.compares++;
}

/* ---- words ---- */

static void
show_run(void *parsed, struct cmdline *parser, void *data)
{
	const struct words *words = (const struct words *)parsed;

	(void)parser;
	(void)data;
	if (prompt_show(words->noun) != 0)
		fail();
}

static void
help_run(void *parsed, struct cmdline *parser, void *data)
{
	const struct words *words = (const struct words *)parsed;

	(void)parser;
	/* Without a noun rte_cmdline leaves it as it was. */
	prompt_help(data != NULL ? words->noun : NULL);
}

/* ---- the tables ---- */

/** Words that are known when the program runs. */
static char setting_words[512]; /* of set, but for those that have a table of values */
static char mode_words[256];
static char command_words[256];

#define VERB(name) TOKEN_STRING_INITIALIZER(struct words, verb, name)
#define REST TOKEN_STRING_INITIALIZER(struct words, rest, TOKEN_STRING_MULTI)

static cmdline_parse_token_string_t start_verb = VERB("start"), stop_verb = VERB("stop"),
				    clear_verb = VERB("clear"), quit_verb = VERB("quit"),
				    show_verb = VERB("show"), set_verb = VERB("set"),
				    help_verb = VERB("help"), save_verb = VERB("save"),
				    report_verb = VERB("report"), compare_verb = VERB("compare"),
				    scenario_verb = VERB("scenario"), rest = REST;
static cmdline_parse_token_string_t show_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, PROMPT_SHOW_WORDS);
static cmdline_parse_token_string_t help_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, command_words);
static cmdline_parse_token_string_t set_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, setting_words);
static cmdline_parse_token_string_t mode_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, "mode");
static cmdline_parse_token_string_t wait_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, "wait");
static cmdline_parse_token_string_t floor_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, "floor");
static cmdline_parse_token_string_t sweep_noun =
	TOKEN_STRING_INITIALIZER(struct words, noun, "sweep");
static cmdline_parse_token_string_t mode_value =
	TOKEN_STRING_INITIALIZER(struct words, rest, mode_words);
static cmdline_parse_token_string_t wait_value =
	TOKEN_STRING_INITIALIZER(struct words, rest, "poll#pause#sleep");
static cmdline_parse_token_string_t floor_value =
	TOKEN_STRING_INITIALIZER(struct words, rest, "on#off");

/** Takes all of the line, and completes what a sweep may be over. */
static const char *const sweep_begins[] = {"size=", "burst=", "rate=", "none"};

static int
sweep_count(cmdline_parse_token_hdr_t *token)
{
	(void)token;
	return RTE_DIM(sweep_begins);
}

static int
sweep_element(cmdline_parse_token_hdr_t *token, int index, char *text, unsigned int bytes)
{
	(void)token;
	if (index < 0 || index >= (int)RTE_DIM(sweep_begins))
		return -1;
	snprintf(text, bytes, "%s", sweep_begins[index]);
	return 0;
}

static struct cmdline_token_ops sweep_ops = {
	.parse = cmdline_parse_string,
	.complete_get_nb = sweep_count,
	.complete_get_elt = sweep_element,
	.get_help = cmdline_get_help_string,
};
static cmdline_parse_token_string_t sweep_value = {
	.hdr = {&sweep_ops, offsetof(struct words, rest)},
	.string_data = {TOKEN_STRING_MULTI},
};

#define COMMAND(name, function, ...)                                                               \
	static cmdline_parse_inst_t name = {                                                       \
		.f = (function), .data = NULL, .help_str = "", .tokens = {__VA_ARGS__, NULL}}
#define TOKEN(token) ((cmdline_parse_token_hdr_t *)&(token))

COMMAND(start_command, start_run, TOKEN(start_verb));
COMMAND(stop_command, stop_run, TOKEN(stop_verb));
COMMAND(clear_command, clear_run, TOKEN(clear_verb));
COMMAND(quit_command, quit_run, TOKEN(quit_verb));
COMMAND(show_command, show_run, TOKEN(show_verb), TOKEN(show_noun));
COMMAND(set_command, set_run, TOKEN(set_verb), TOKEN(set_noun), TOKEN(rest));
COMMAND(set_mode_command, set_run, TOKEN(set_verb), TOKEN(mode_noun), TOKEN(mode_value));
COMMAND(set_wait_command, set_run, TOKEN(set_verb), TOKEN(wait_noun), TOKEN(wait_value));
COMMAND(set_floor_command, set_run, TOKEN(set_verb), TOKEN(floor_noun), TOKEN(floor_value));
COMMAND(set_sweep_command, set_run, TOKEN(set_verb), TOKEN(sweep_noun), TOKEN(sweep_value));
COMMAND(save_command, save_run, TOKEN(save_verb), TOKEN(rest));
COMMAND(report_command, report_run, TOKEN(report_verb), TOKEN(rest));
COMMAND(compare_command, compare_run, TOKEN(compare_verb), TOKEN(rest));
COMMAND(scenario_command, scenario_run, TOKEN(scenario_verb), TOKEN(rest));
COMMAND(help_command, help_run, TOKEN(help_verb));
static cmdline_parse_inst_t help_word_command = {
	.f = help_run,
	.data = help_run, /* there is a noun */
	.help_str = "",
	.tokens = {TOKEN(help_verb), TOKEN(help_noun), NULL},
};

static cmdline_parse_inst_t *commands[] = {
	&start_command,
	&stop_command,
	&clear_command,
	&quit_command,
	&show_command,
	&set_command,
	&set_mode_command,
	&set_wait_command,
	&set_floor_command,
	&set_sweep_command,
	&save_command,
	&report_command,
	&compare_command,
	&scenario_command,
	&help_command,
	&help_word_command,
	NULL,
};

static void
word_add(char *words, size_t bytes, const char *word)
{
	size_t length = strlen(words);

	snprintf(words + length, bytes - length, "%s%s", length > 0 ? "#" : "", word);
}

/** What completion shows beside a command. */
static void
help_fill(cmdline_parse_inst_t *command)
{
	const cmdline_parse_token_string_t *verb =
		(const cmdline_parse_token_string_t *)command->tokens[0];
	size_t i;

	for (i = 0; i < prompt_words_count; i++)
		if (strcmp(prompt_words[i].name, verb->string_data.str) == 0)
			command->help_str = prompt_words[i].help;
}

cmdline_parse_ctx_t *
prompt_commands_take(void)
{
	static const char *const own[] = {"mode", "wait", "floor", "sweep"};
	size_t i, j;

	for (i = 0; commands[i] != NULL; i++)
		help_fill(commands[i]);

	setting_words[0] = mode_words[0] = command_words[0] = '\0';
	for (i = 0; i < settings_count; i++) {
		for (j = 0; j < RTE_DIM(own) && strcmp(settings_table[i].name, own[j]) != 0; j++)
			;
		if (j == RTE_DIM(own))
			word_add(setting_words, sizeof(setting_words), settings_table[i].name);
	}
	for (i = 0; i < engines_count; i++)
		word_add(mode_words, sizeof(mode_words), engines[i]->name);
	for (i = 0; i < prompt_words_count; i++)
		word_add(command_words, sizeof(command_words), prompt_words[i].name);
	return commands;
}

bool
prompt_line(const char *line)
{
	int ret;

	if (line[strspn(line, " \t\r")] == '\n' || line[strspn(line, " \t")] == '#')
		return true;
	prompt.failed = false;
	ret = cmdline_parse(prompt.parser, line);
	if (ret < 0) {
		prompt_refuse(line);
		return false;
	}
	return !prompt.failed;
}
