/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's links and the worker that serves them. All calls from the control thread. */
#ifndef DAEMON_H
#define DAEMON_H

#include <pthread.h>

#include "config.h"
#include "link.h"

struct daemon {
	const char *config_path;
	struct worker_config config;
	struct nhn_worker *worker;
	struct board *boards; /**< one an lcore */
	/** The links by id. Telemetry looks at them too, under the mutex. */
	pthread_mutex_t mutex;
	struct link *link[LINK_ID_MAX + 1];
	uint32_t links;
};

/** Make the worker, open the links, let it run. EAL is up. @return 0 or an error, said */
int daemon_start(struct daemon *daemon, const struct config *config);

/** Stop, say what was counted, close all. Also of one that could not be started. */
void daemon_stop(struct daemon *daemon);

/** Say what the lcores noted. */
void daemon_tell(struct daemon *daemon);

/** Look at the files. @return links whose files are damaged */
uint32_t daemon_check(struct daemon *daemon);

/** Give up messages of which nothing has come since the last look, a second ago or more. */
void daemon_look(struct daemon *daemon);

/** Links that are up. */
uint32_t daemon_up(struct daemon *daemon);

/**
 * Read the configuration again; reload.c. Links that it has as before go on untouched.
 * @return 0; or an error, said: nothing was changed, or a changed link could not be opened
 *         again, which was said too
 */
int daemon_reload(struct daemon *daemon);

/* For daemon_reload(). */

struct board *daemon_board(struct daemon *daemon, uint32_t lcore);
/** Serve a link that is open. @return 0; else it was said, and the link is closed */
int daemon_add(struct daemon *daemon, struct link *link);
/** Serve it no more, and close it. */
void daemon_remove(struct daemon *daemon, struct link *link);
/** One line of its counters. */
void daemon_count_say(const struct link *link);

/* telemetry.c: /nahanni/service,ID */
void telemetry_begin(struct daemon *daemon);
void telemetry_end(void);

#endif /* DAEMON_H */
