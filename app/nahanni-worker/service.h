/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done with messages: a service a file, and a table of them. */
#ifndef SERVICE_H
#define SERVICE_H

#include "link.h"

struct service {
	const char *name;
	/** A channel of the link can be read: one step. @return as nhn_worker_link.message */
	bool (*message)(struct link *link, uint32_t channel);
};

/** By enum service_kind. */
extern const struct service services[SERVICES];

bool echo_message(struct link *link, uint32_t channel);
bool forward_message(struct link *link, uint32_t channel);
bool sink_message(struct link *link, uint32_t channel);

/** What begins on a channel. */
enum beginning {
	BEGINNING_MESSAGE, /**< link->head[channel] is its head */
	BEGINNING_NOTHING, /**< a step was done, or a restart was told */
};

enum beginning service_begin(struct link *link, uint32_t channel);
/** Drop the message that begins. */
void service_drop(struct link *link, uint32_t channel);
/**
 * A step of relaying the message of link->head[channel] to the same channel of another link.
 * @return 0: the step was done and counted. -EAGAIN: no room there. -ENOTCONN: nobody reads
 *         there. With both nothing was taken
 */
int service_relay(struct link *link, uint32_t channel, struct link *to, uint32_t id);

/**
 * Give up messages to other links of which nothing more has come since the last look: their
 * sender holds up who else sends there. On its lcore.
 */
void service_look(struct link *link);

/**
 * Forget what is in the middle between a link and the others of its board, before it goes.
 * On its lcore.
 */
void service_leave(struct link *link);

#endif /* SERVICE_H */
