/* SPDX-License-Identifier: BSD-3-Clause */
/* A link that the daemon serves: its files, its endpoint, what its service counts. */
#ifndef LINK_H
#define LINK_H

#include <nhn_endpoint.h>
#include <nhn_region.h>

#include "config.h"

/** Sentences that an lcore has for the log, until the control thread writes them. */
#define EVENTS_KEPT 32u
#define EVENT_BYTES 192u

/** One writer, the thread that has the link, and one reader, the control thread. */
struct event_box {
	uint32_t written;
	uint32_t read;
	uint32_t untold; /**< there was no place left */
	uint32_t untold_told;
	char text[EVENTS_KEPT][EVENT_BYTES];
};

/** Of a link as a source. Its lcore counts, others read. */
struct service_counters {
	uint64_t messages; /**< done; a pack counts as one */
	uint64_t bytes;	   /**< of messages done */
	uint64_t dropped;  /**< no such destination, nobody reads it, or it was full */
	uint64_t lost;	   /**< in the middle of which the destination restarted or was removed */
	uint64_t given_up; /**< by their senders */
	uint64_t restarts; /**< of the peer, told once a channel */
};

struct link;

/** The links of an lcore by id. Only that lcore reads and writes it while it runs. */
struct board {
	unsigned int lcore;
	struct link *link[LINK_ID_MAX + 1];
};

struct link {
	/* read for each message */
	const struct service *service;
	bool leaving; /**< it has said farewell to the others of its board */
	struct board *board;
	struct link *to[NHN_CHANNELS_MAX]; /**< of the message in the middle; NULL: none is */
	struct nhn_message_head head[NHN_CHANNELS_MAX]; /**< of that one */
	uint32_t steps[NHN_CHANNELS_MAX];		/**< of relaying */
	uint32_t looked[NHN_CHANNELS_MAX];		/**< the same at the last service_look() */
	struct service_counters counters;
	struct nhn_endpoint endpoint;
	struct nhn_link link;

	struct link_config config;
	struct nhn_region own;
	struct nhn_region peer;
	struct nhn_region_config own_config;
	struct nhn_region_config peer_config;
	int damage; /**< what nhn_region_check() said last */
	struct event_box events;
};

/**
 * Open files and link. The log has what goes wrong.
 * @return NULL: it was said
 */
struct link *link_open(const struct link_config *config, struct board *board);

/** End the session, close the files. Not while the worker has it. Accepts NULL. */
void link_close(struct link *link);

/** Look whether the files are still those that were opened; what is new is said.
 * @return whether they are */
bool link_check(struct link *link);

/** Say what the lcore noted. */
void link_events_say(struct link *link);

#endif /* LINK_H */
