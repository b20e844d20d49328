/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The program between its runs: an open way, what is to be run next, and the
 * results so far. The main lcore runs; a control thread has the prompt.
 */
#ifndef SESSION_H
#define SESSION_H

#include <pthread.h>
#include <signal.h>

#include <jansson.h>

#include <nhn_clock.h>

#include "options.h"
#include "output.h"
#include "result.h"
#include "run.h"
#include "way.h"

enum session_state {
	SESSION_IDLE,
	SESSION_STARTING, /**< asked for: the main lcore has not begun */
	SESSION_RUNNING,
	SESSION_ENDING, /**< quit was asked for */
};

struct session {
	const struct options *options;
	const struct nhn_clock *clock;
	struct way *way; /**< NULL: no --link */
	const struct way_calls *calls;
	volatile sig_atomic_t *stopped; /**< by ^C, or by session_stop() */
	struct output_file files[OUTPUT_KINDS];
	struct live live;
	bool far_lost;	  /**< no further run of a list is begun */
	bool interrupted; /**< the last run, by ^C or stop */

	pthread_mutex_t lock; /**< of all below; never held within a round */
	pthread_cond_t changed;
	enum session_state state;
	struct settings settings; /**< of the next run: set changes them */
	uint64_t given;		  /**< bit i: row i of settings_table was set by the user */
	struct result *result;	  /**< of the run under way, or of the last one */
	bool has_result;	  /**< a run was begun since the start, or since clear */
	json_t *runs;		  /**< array: an object of each run that ended: output_json.c */
	int worst;		  /**< exit status so far */
};

/** Ask the main lcore for a run of session->settings. @return 0; -EBUSY; -EINVAL, said */
int session_start(struct session *session);
/** End the run under way after what it is in; its results stay. */
void session_stop(struct session *session);
/** Wait until no run is under way. */
void session_wait(struct session *session);
/** Forget all results. @return 0 or -EBUSY */
int session_clear(struct session *session);
/** End the program when the run under way has ended, after stopping it. */
void session_quit(struct session *session);

#endif /* SESSION_H */
