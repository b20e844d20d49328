/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include "session.h"

enum exit_status {
	EXIT_MET = 0,
	EXIT_FAILED = 1,
	EXIT_NOT_BEGUN = 2,
	EXIT_MISSED = 3, /**< a threshold of --expect */
};

/** Run settings, each value of their sweep, on this thread. */
void session_execute(struct session *session, const struct settings *settings);
/** Of those asked for so many were not even begun: said, and a failure. */
void session_unbegun(struct session *session, uint32_t runs);
/** Do what the prompt asks for, until it ends. */
void session_obey(struct session *session);
/** A run is over: back to idle. */
void session_rest(struct session *session);
/** Tell the far end to end. */
void session_end(struct session *session);

#endif /* SESSION_INTERNAL_H */
