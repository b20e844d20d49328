/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APPLY_H
#define APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include <nhn_check.h>

#include "options.h"

/** Below the root, unless --state names another. */
#define STATE_FOLDER "/run/nahanni-check"
#define STATE_NAME "applied.json"

/** Bytes of what a file held; a longer one is not set. */
#define APPLY_TEXT_MAX 4096
#define APPLY_NOTE_MAX 256

enum apply_outcome {
	APPLY_SET,
	APPLY_WOULD, /**< --dry-run */
	APPLY_FAILED,
	APPLY_RESTORED,
	APPLY_AS_BEFORE, /**< it held the old value: never written, or restored by hand */
	APPLY_FOREIGN,	 /**< it holds neither the old nor the new value */
	APPLY_GONE,	 /**< there is no such file any more */
};

/** A write: planned, done or undone. */
struct apply_entry {
	char *id, *path; /**< of the check; the file without the root */
	char *old;	 /**< all that it held, byte for byte */
	char *new;	 /**< without an end of line */
	enum apply_outcome outcome;
	bool keep; /**< the state file must have it */
	char note[APPLY_NOTE_MAX];
};

struct apply_list {
	struct apply_entry *entry;
	unsigned int count, room;
};

/** The last entry, new. NULL: no memory. */
struct apply_entry *apply_list_add(struct apply_list *list, const char *id, const char *path,
				   const char *old, const char *new);
void apply_list_free(struct apply_list *list);

/* Files that hold a value: apply_file.c. All below `root`; NULL: "/". 0 or -errno. */

int apply_file_read(const char *root, const char *path, char *text);
int apply_file_write(const char *root, const char *path, const char *value);
/** Write what makes it hold `old` again, and see that it does. -EREMOTEIO: it does not. */
int apply_file_restore(const char *root, const char *path, const char *old);
/** Is `text`, as the kernel writes it, what writing `value` gives? */
bool apply_file_holds(const char *path, const char *text, const char *value);

/* The state file: apply_state.c. It says what is wrong. */

struct apply_state {
	int folder; /**< open and locked; -1: not */
	const char *name;
	char path[4096], folder_path[4096];
	bool own_folder; /**< ours to make and to remove */
};

/** @return false, said: it cannot be used. @param make  its folder, if it is missing */
bool apply_state_open(struct apply_state *state, const struct options *options, bool make);
void apply_state_close(struct apply_state *state);
/** @return 1, 0 or, said, -1: it is there, but not as this program makes it */
int apply_state_there(struct apply_state *state);
/** Those entries that are to be kept; on disk when it returns. Without any, no file. */
bool apply_state_save(struct apply_state *state, const struct apply_list *list);
bool apply_state_load(struct apply_state *state, struct apply_list *list);

/* What was done: apply_print.c. */

struct apply_report {
	const char *action, *state;
	bool dry_run;
	const struct apply_list *list;
	/** Of --apply: those that warn or fail, and what stays to be done of them. */
	const struct nhn_check_result *results;
	unsigned int result_count;
};

/** A check that --apply does not set although it could: why. NULL: it does. */
const char *apply_never(const char *id);
/** Words of the kernel's command line in a remedy. False: it has none. */
bool apply_parameters(const char *remedy, char *words, size_t size);
const char *apply_outcome_name(enum apply_outcome outcome);
void apply_print(const struct apply_report *report);
/** @return 0 or -ENOMEM */
int apply_print_json(const struct apply_report *report);

/* The work: apply.c. @return an exit status: 0, 1 or, said, 3 */

int apply_do(struct nhn_check *check, const struct options *options);
int apply_undo(const struct options *options);

#endif /* APPLY_H */
