/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the prompt. There is one a process: one stdin. */
#ifndef PROMPT_INTERNAL_H
#define PROMPT_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmdline.h>

#include "session.h"

/** Bytes of a line, and of a path in it. */
#define PROMPT_LINE_MAX 4096u
/** Bytes of where a command came from. */
#define PROMPT_PLACE_MAX 512u
#define PROMPT_WHERE_MAX 768u

/** Runs of a scenario that are to be started one after the other. */
struct prompt_queue {
	struct settings *runs;
	unsigned int count; /**< 0: none */
	unsigned int next;
	struct settings before; /**< session->settings of before, to be put back */
	uint64_t given;
	char place[PROMPT_PLACE_MAX]; /**< of the command scenario, as prompt.place */
};

struct prompt {
	struct session *session;
	struct cmdline *parser;
	struct prompt_queue queue;
	char *compare[COMPARE_MAX]; /**< added by compare */
	unsigned int compares;
	char place[PROMPT_PLACE_MAX]; /**< "FILE:LINE"; empty: a person types */
	bool failed;		      /**< the command that ran last */
	pthread_t thread;
	bool begun;
	int wake; /**< eventfd: ends the wait for stdin */
};

extern struct prompt prompt;

/* prompt.c */

/** Whether no run is under way, and whether the program ends. */
bool prompt_idle(void);
bool prompt_ending(void);
/** Forget what the scenario has left to run, and put the settings back. */
void prompt_queue_drop(void);

/* prompt_commands.c */

/** The tables of rte_cmdline, with the words of settings_table and engines[] filled in. */
cmdline_parse_ctx_t *prompt_commands_take(void);
/** Run a line, which ends in "\n". @return whether it could be parsed and did what it says */
bool prompt_line(const char *line);

/* prompt_words.c */

/** A command in words. */
struct prompt_word {
	const char *name;
	const char *behind; /**< what stands behind it: "FILE"; empty: nothing */
	const char *help;
};

extern const struct prompt_word prompt_words[];
extern const size_t prompt_words_count;

/** Say what is wrong with a line that rte_cmdline did not take, and what is accepted. */
void prompt_refuse(const char *line);
/** @param name of a command, or NULL: all of them */
void prompt_help(const char *name);
/** Where a command came from: "set", or "FILE:LINE: set". @return @p text */
const char *prompt_where(const char *command, char *text, size_t bytes);

/* prompt_show.c */

/** Words of show, separated by '#'. */
#define PROMPT_SHOW_WORDS "config#link#stats#xstats#histogram#floor#topology#gaps#runs"
/** @return 0, or -ENODATA with a sentence said: nothing was measured yet */
int prompt_show(const char *what);

#endif /* PROMPT_INTERNAL_H */
