/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration: read by rte_cfgfile, checked here, named by file and line where wrong. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_cfgfile.h>

#include <nhn_peer.h>
#include <nhn_worker.h>

/** Links have ids from 1 to this: messages in a pack carry no id, which reads as 0. */
#define LINK_ID_MAX 1023u
/** Bytes of a name in brackets, its 0 included. */
#define LINK_NAME_BYTES CFG_NAME_LEN

/** A place in the file: the section and the entry in it, counted from 0. */
struct config_spot {
	int section;
	int entry; /**< -1: the section's own line */
};

/** Keys of a [link NAME]. */
enum link_key {
	LINK_ID,
	LINK_PATH,
	LINK_PEER,
	LINK_SIZE,
	LINK_CREATE,
	LINK_MODE,
	LINK_GROUP,
	LINK_LCORE,
	LINK_CHANNELS,
	LINK_CELLS,
	LINK_DATA_BYTES,
	LINK_PRIORITIES,
	LINK_SERVICE,
	LINK_TO,
	LINK_FULL,
	LINK_KEYS,
};

enum service_kind {
	SERVICE_ECHO,
	SERVICE_FORWARD,
	SERVICE_SINK,
	SERVICES,
};

/** What a [link NAME] says. Zeroed before it is filled, so that two are compared as bytes. */
struct link_config {
	char name[LINK_NAME_BYTES];
	uint32_t id;
	char path[CFG_VALUE_LEN]; /**< of the file that this side writes, or of both halves */
	char peer[CFG_VALUE_LEN]; /**< split: of the one that it reads; else empty */
	uint64_t size;		  /**< 0: what exists */
	bool create;
	mode_t mode;
	gid_t group;
	uint32_t lcore;
	struct nhn_layout layout;
	enum service_kind service;
	uint32_t to;	    /**< forward: id of the link */
	bool to_message_id; /**< forward: the message names it */
	bool full_drop;	    /**< forward: without room there the message is dropped */
};

/** A link with the places of what it says. */
struct config_link {
	struct link_config link;
	int section;
	int entry[LINK_KEYS]; /**< -1: not given */
	uint32_t priorities[NHN_CHANNELS_MAX];
	int priority_count; /**< 0: not given */
};

/** What [worker] says. Zeroed as well. */
struct worker_config {
	char name[NHN_WORKER_NAME_BYTES];
	uint32_t lcores[NHN_WORKER_LCORES_MAX];
	uint32_t lcore_count;
	char cores[CFG_VALUE_LEN]; /**< CPUs of the lcores, or auto; empty: of their numbers */
	bool strict;		   /**< refuse cores of which a check fails */
	enum nhn_worker_idle idle;
	uint32_t idle_after_us;
	uint32_t idle_sleep_us;
	uint32_t budget;
	uint32_t links_max;
};

struct config {
	const char *path; /**< of the file */
	struct worker_config worker;
	struct config_spot worker_spot; /**< of the section */
	struct config_spot lcores_spot; /**< of its lcores */
	struct config_link *links;
	uint32_t link_count;
};

/**
 * Read the file and check all that can be without EAL. What is wrong is said.
 * @param path must stay
 * @return 0, or with *config empty -EINVAL, -ENOENT, -EPERM, -ENOMEM
 */
int config_load(struct config *config, const char *path);
void config_free(struct config *config);

/** Check its lcores against EAL's, which is up. @return 0 or -EINVAL, said */
int config_check_lcores(const struct config *config);

/** Check a link's files as far as they exist: who may write them, size, room for the layout.
 * @return 0 or an error, said */
int config_check_files(const struct config *config, const struct config_link *link);

/** Say a sentence that begins with file and line. @return always -EINVAL */
int config_complain(const struct config *config, struct config_spot spot, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Parts of config_load(). */

/** Where the text of a key of this link stands. */
static inline struct config_spot
config_link_spot(const struct config_link *link, enum link_key key)
{
	struct config_spot spot = {.section = link->section, .entry = link->entry[key]};

	return spot;
}

/** Take a [worker]. @return 0 or -EINVAL, said */
int config_take_worker(struct config *config, int section, const struct rte_cfgfile_entry *entries,
		       int count);
/** Take a [link NAME] as the next of config->links. */
int config_take_link(struct config *config, int section, const char *name,
		     const struct rte_cfgfile_entry *entries, int count);
/** What fits together: ids, names, files, destinations, lcores. */
int config_check(const struct config *config);

/** Line of a spot, from 1. @return 0 where the file cannot be read any more */
uint32_t locate(const char *path, struct config_spot spot);
/** First line that rte_cfgfile cannot read or would pass over in silence. @return 0: none */
uint32_t locate_unreadable(const char *path, const char **why);

#endif /* CONFIG_H */
