/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The prompt: commands from a file, and from stdin, on a control thread.
 */
#ifndef PROMPT_H
#define PROMPT_H

struct session;

/**
 * Start the thread. It runs the commands of options->cmdline_file, if there is one, then, where
 * options->interactive, those of stdin; at the end of these, or when one of a file or of a pipe
 * fails, it calls session_quit().
 * Call after EAL has started and the session is ready.
 * @return 0, or -errno with a sentence said
 */
int prompt_begin(struct session *session);
/** End the thread and give the terminal back. Call when the session has ended; accepts a
 *  prompt that was not begun. */
void prompt_end(void);

#endif /* PROMPT_H */
