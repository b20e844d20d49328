/* SPDX-License-Identifier: BSD-3-Clause */
/* The prompt's thread: where its lines come from, and when they are run. */

/* rdline_new(): rte_cmdline's own prompt knows "Bad arguments" only. */
#define ALLOW_EXPERIMENTAL_API

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <cmdline_rdline.h>
#include <rte_common.h>
#include <rte_lcore.h>

#include "prompt.h"
#include "prompt_internal.h"
#include "say.h"
#include "session_internal.h"

/** Between two looks at whether the next run of a scenario can begin. */
#define QUEUE_LOOK_MS 50
#define PROMPT_TEXT "ipc-perf> "

struct prompt prompt;

/* ---- runs ---- */

static enum session_state
state_get(void)
{
	enum session_state state;

	pthread_mutex_lock(&prompt.session->lock);
	state = prompt.session->state;
	pthread_mutex_unlock(&prompt.session->lock);
	return state;
}

bool
prompt_idle(void)
{
	enum session_state state = state_get();

	return state == SESSION_IDLE || state == SESSION_ENDING;
}

bool
prompt_ending(void)
{
	return state_get() == SESSION_ENDING;
}

void
prompt_queue_drop(void)
{
	struct prompt_queue *queue = &prompt.queue;
	struct session *session = prompt.session;

	if (queue->count == 0)
		return;
	pthread_mutex_lock(&session->lock);
	session->settings = queue->before;
	session->given = queue->given;
	pthread_mutex_unlock(&session->lock);
	free(queue->runs);
	memset(queue, 0, sizeof(*queue));
}

/** Nobody is there to read a sentence and type anew: the first failure ends all. */
static void
script_fail(const char *place, const char *line)
{
	struct session *session = prompt.session;

	say("%s: '%.*s' failed, expected a command that works: none behind it is run.", place,
	    (int)strcspn(line, "\n"), line);
	pthread_mutex_lock(&session->lock);
	session->worst = EXIT_NOT_BEGUN;
	pthread_mutex_unlock(&session->lock);
	session_quit(session);
}

/** Begin the next run of a scenario once the last one has ended. @return false: there is none */
static bool
queue_step(void)
{
	struct prompt_queue *queue = &prompt.queue;
	struct session *session = prompt.session;

	if (queue->count == 0)
		return false;
	if (!prompt_idle())
		return true;
	if (queue->next == queue->count || prompt_ending() ||
	    (queue->next != 0 && session->interrupted)) {
		prompt_queue_drop();
		return false;
	}
	pthread_mutex_lock(&session->lock);
	session->settings = queue->runs[queue->next++];
	session->given = 0;
	pthread_mutex_unlock(&session->lock);
	if (session_start(session) != 0) {
		queue->next = queue->count;
		if (queue->place[0] != '\0')
			script_fail(queue->place, "scenario");
	}
	return true;
}

static void
wait_idle(void)
{
	while (queue_step())
		session_wait(prompt.session);
	session_wait(prompt.session);
}

/* ---- a file, or a pipe ---- */

/** Whether the line's command may be run beside a run. */
static bool
is_stop(const char *line)
{
	size_t blanks = strspn(line, " \t");

	return strncmp(line + blanks, "stop", 4) == 0 && strcspn(line + blanks, " \t\n#") == 4;
}

/** @return false: the program is to end */
static bool
script_line(const char *source, unsigned int number, const char *line)
{
	snprintf(prompt.place, sizeof(prompt.place), "%s:%u", source, number);
	if (!is_stop(line))
		wait_idle();
	if (!prompt_ending() && !prompt_line(line))
		script_fail(prompt.place, line);
	prompt.place[0] = '\0';
	return !prompt_ending();
}

static void
line_too_long(const char *source, unsigned int number)
{
	snprintf(prompt.place, sizeof(prompt.place), "%s:%u", source, number);
	say("%s: the line is too long, expected less than %u bytes.", prompt.place,
	    PROMPT_LINE_MAX - 2);
	script_fail(prompt.place, "the line");
}

static bool
file_run(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int number = 0;
	bool go_on = true;
	char line[PROMPT_LINE_MAX];
	size_t length;

	if (file == NULL) {
		snprintf(prompt.place, sizeof(prompt.place), "%s", path);
		say("The file of commands %s cannot be read (%m), expected one that can be.", path);
		script_fail(prompt.place, "--cmdline-file");
		return false;
	}
	while (go_on && fgets(line, (int)sizeof(line) - 1, file) != NULL) {
		length = strlen(line);
		if (length == sizeof(line) - 2 && line[length - 1] != '\n') {
			line_too_long(path, number + 1);
			go_on = false;
			break;
		}
		/* rte_cmdline wants the end of the line, which the last one may lack. */
		if (length == 0 || line[length - 1] != '\n')
			strcpy(line + length, "\n");
		go_on = script_line(path, ++number, line);
	}
	if (go_on && ferror(file)) {
		say("The file of commands %s cannot be read (%m), expected a file of lines.", path);
		script_fail(path, "--cmdline-file");
		go_on = false;
	}
	fclose(file);
	return go_on;
}

/** Wait for stdin, or for prompt_end(). @return whether stdin has something */
static bool
stdin_wait(void)
{
	struct pollfd files[] = {{.fd = STDIN_FILENO, .events = POLLIN},
				 {.fd = prompt.wake, .events = POLLIN}};

	while (!prompt_ending()) {
		bool queued = queue_step();

		files[0].revents = files[1].revents = 0;
		if (poll(files, RTE_DIM(files), queued ? QUEUE_LOOK_MS : -1) < 0 && errno != EINTR)
			return false;
		if (files[1].revents != 0)
			return false;
		if (files[0].revents != 0)
			return true;
	}
	return false;
}

/** Run the whole lines of @p text. @return bytes of the line that has no end yet; -1: end */
static ssize_t
lines_run(char *text, size_t length, unsigned int *number)
{
	char *begin = text;
	char *end;

	while ((end = memchr(begin, '\n', length - (size_t)(begin - text))) != NULL) {
		char line[PROMPT_LINE_MAX + 1];

		snprintf(line, sizeof(line), "%.*s\n", (int)(end - begin), begin);
		if (!script_line("stdin", ++*number, line))
			return -1;
		begin = end + 1;
	}
	length -= (size_t)(begin - text);
	memmove(text, begin, length);
	return (ssize_t)length;
}

static void
pipe_run(void)
{
	char text[PROMPT_LINE_MAX];
	unsigned int number = 0;
	size_t length = 0;

	while (stdin_wait()) {
		ssize_t bytes = read(STDIN_FILENO, text + length, sizeof(text) - 1 - length);

		if (bytes <= 0) {
			/* The last line may have no end; an empty one does no harm. */
			text[length++] = '\n';
			lines_run(text, length, &number);
			return;
		}
		bytes = lines_run(text, length + (size_t)bytes, &number);
		if (bytes < 0)
			return;
		length = (size_t)bytes;
		if (length == sizeof(text) - 1) {
			line_too_long("stdin", number + 1);
			return;
		}
	}
}

/* ---- a terminal ---- */

static struct termios terminal_before;
static bool terminal_changed;

/** Characters as they are typed; ^C stays a signal. */
static void
terminal_take(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &terminal_before) != 0)
		return;
	raw = terminal_before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	terminal_changed = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void
terminal_give_back(void)
{
	if (terminal_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
	terminal_changed = false;
}

static int
terminal_write(struct rdline *editor, char character)
{
	(void)editor;
	return write(STDOUT_FILENO, &character, 1) == 1 ? 0 : -1;
}

static void
terminal_line(struct rdline *editor, const char *line, unsigned int bytes)
{
	(void)editor;
	(void)bytes;
	prompt_line(line);
	if (prompt_ending())
		rdline_quit(editor);
}

static int
terminal_complete(struct rdline *editor, const char *line, char *text, unsigned int bytes,
		  int *state)
{
	(void)editor;
	return cmdline_complete(prompt.parser, line, state, text, bytes);
}

/** @return false: end of input, or quit */
static bool
characters_take(struct rdline *editor, const char *text, ssize_t bytes)
{
	char *line;
	ssize_t i;

	for (i = 0; i < bytes; i++) {
		int ret = rdline_char_in(editor, text[i]);

		if (ret == RDLINE_RES_EOF || ret == RDLINE_RES_EXITED || prompt_ending())
			return false;
		if (ret != RDLINE_RES_VALIDATED)
			continue;
		line = strdup(rdline_get_buffer(editor));
		if (line != NULL && line[strcspn(line, "\n")] == '\n')
			line[strcspn(line, "\n")] = '\0';
		if (line != NULL && line[0] != '\0')
			rdline_add_history(editor, line);
		free(line);
		rdline_newline(editor, PROMPT_TEXT);
	}
	return true;
}

static void
terminal_run(void)
{
	struct rdline *editor = rdline_new(terminal_write, terminal_line, terminal_complete, NULL);
	char text[64];
	ssize_t bytes;

	if (editor == NULL) {
		say("There is no memory for a prompt, expected some KiB: end other programs.");
		return;
	}
	terminal_take();
	rdline_newline(editor, PROMPT_TEXT);
	while (stdin_wait()) {
		bytes = read(STDIN_FILENO, text, sizeof(text));
		if (bytes <= 0 || !characters_take(editor, text, bytes))
			break;
	}
	terminal_give_back();
	rdline_free(editor);
}

/* ---- the thread ---- */

static void *
prompt_run(void *context)
{
	const struct options *options = prompt.session->options;
	bool go_on = true;
	bool person = options->interactive && isatty(STDIN_FILENO);

	(void)context;
	if (options->cmdline_file != NULL)
		go_on = file_run(options->cmdline_file);
	if (go_on && person)
		terminal_run();
	else if (go_on && options->interactive)
		pipe_run();
	/* A script has what it began; a person who leaves stops it. */
	if (go_on && !person && !prompt_ending())
		wait_idle();
	prompt_queue_drop();
	session_quit(prompt.session);
	return NULL;
}

int
prompt_begin(struct session *session)
{
	int ret;

	memset(&prompt, 0, sizeof(prompt));
	prompt.session = session;
	prompt.wake = eventfd(0, EFD_CLOEXEC);
	prompt.parser = cmdline_new(prompt_commands_take(), "", -1, -1);
	if (prompt.wake < 0 || prompt.parser == NULL) {
		say("There is no memory for a prompt, expected some KiB: end other programs.");
		prompt_end();
		return -ENOMEM;
	}
	ret = rte_ctrl_thread_create(&prompt.thread, "ipc-perf-prompt", NULL, prompt_run, NULL);
	prompt.begun = ret == 0;
	if (ret == 0)
		return 0;
	say("The prompt's thread could not start (%s), expected that it can: end other programs.",
	    strerror(-ret));
	prompt_end();
	return ret;
}

/** What waits in the thread goes on, and no further run is begun. */
static void
thread_end(struct session *session)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&session->lock);
	session->state = SESSION_ENDING;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	if (write(prompt.wake, &one, sizeof(one)) != sizeof(one))
		say("The prompt's thread could not be told to end (%m), expected that it can.");
	pthread_join(prompt.thread, NULL);
}

void
prompt_end(void)
{
	if (prompt.session == NULL)
		return;
	if (prompt.begun)
		thread_end(prompt.session);
	if (prompt.parser != NULL)
		cmdline_free(prompt.parser);
	while (prompt.compares > 0)
		free(prompt.compare[--prompt.compares]);
	if (prompt.wake >= 0)
		close(prompt.wake);
	memset(&prompt, 0, sizeof(prompt));
}
