/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "apply.h"
#include "say.h"

#define SCHEMA "nahanni-check-applied"
#define NEW_SUFFIX ".new"

struct apply_entry *
apply_list_add(struct apply_list *list, const char *id, const char *path, const char *old,
	       const char *new)
{
	struct apply_entry *entry;

	if (list->count == list->room) {
		unsigned int room = list->room * 2 + 16;

		entry = realloc(list->entry, room * sizeof(*entry));
		if (entry == NULL)
			return NULL;
		list->entry = entry;
		list->room = room;
	}
	entry = &list->entry[list->count];
	*entry = (struct apply_entry){
		.id = strdup(id),
		.path = strdup(path),
		.old = strdup(old),
		.new = strdup(new),
	};
	/* Counted in any case, so that it is freed. */
	list->count++;
	return entry->id && entry->path && entry->old && entry->new ? entry : NULL;
}

void
apply_list_free(struct apply_list *list)
{
	for (unsigned int i = 0; i < list->count; i++) {
		free(list->entry[i].id);
		free(list->entry[i].path);
		free(list->entry[i].old);
		free(list->entry[i].new);
	}
	free(list->entry);
	memset(list, 0, sizeof(*list));
}

static bool
place(struct apply_state *state, const struct options *options)
{
	const char *slash;
	int length;

	if (options->state != NULL)
		length = snprintf(state->path, sizeof(state->path), "%s%s",
				  strchr(options->state, '/') != NULL ? "" : "./", options->state);
	else
		length =
			snprintf(state->path, sizeof(state->path), "%s" STATE_FOLDER "/" STATE_NAME,
				 options->root != NULL ? options->root : "");
	if (length < 0 || (size_t)length >= sizeof(state->path)) {
		say("The state file's name has %d characters, expected fewer than %zu.", length,
		    sizeof(state->path));
		return false;
	}
	slash = strrchr(state->path, '/');
	state->name = slash + 1;
	state->own_folder = options->state == NULL;
	snprintf(state->folder_path, sizeof(state->folder_path), "%.*s",
		 slash == state->path ? 1 : (int)(slash - state->path), state->path);
	if (state->name[0] != '\0')
		return true;
	say("--state has '%s', expected a file and not a folder.", options->state);
	return false;
}

/** Nobody else may put another file in the place of ours. */
static bool
folder_safe(const struct apply_state *state)
{
	struct stat status;

	if (fstat(state->folder, &status) != 0) {
		say("%s cannot be looked at (%s).", state->folder_path, strerror(errno));
		return false;
	}
	if ((status.st_uid == 0 || status.st_uid == geteuid()) &&
	    ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (status.st_mode & S_ISVTX) != 0))
		return true;
	say("%s is of user %u with mode %03o, expected a folder of root or of this user that nobody"
	    " else may write: name another with --state.",
	    state->folder_path, status.st_uid, status.st_mode & 07777);
	return false;
}

static bool
open_folder(struct apply_state *state, const struct options *options, bool make)
{
	memset(state, 0, sizeof(*state));
	state->folder = -1;
	if (!place(state, options))
		return false;
	if (make && state->own_folder)
		mkdir(state->folder_path, 0700);
	state->folder = open(state->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
							 (state->own_folder ? O_NOFOLLOW : 0));
	if (state->folder < 0) {
		/* Without it there is no state; the caller sees that. */
		if (!make && errno == ENOENT)
			return true;
		say("%s cannot be opened (%s), expected a folder for the state file: make it, or "
		    "name"
		    " another with --state.",
		    state->folder_path, strerror(errno));
		return false;
	}
	if (!folder_safe(state))
		return false;
	if (flock(state->folder, LOCK_EX | LOCK_NB) == 0)
		return true;
	say("%s is locked (%s), expected no other --apply or --undo at work: wait for it.",
	    state->folder_path, strerror(errno));
	return false;
}

bool
apply_state_open(struct apply_state *state, const struct options *options, bool make)
{
	bool good = open_folder(state, options, make);

	/* A folder that is refused is not ours to remove: another one may be at work in it. */
	if (!good)
		state->own_folder = false;
	return good;
}

void
apply_state_close(struct apply_state *state)
{
	if (state->folder < 0)
		return;
	/* If it is empty. */
	if (state->own_folder)
		rmdir(state->folder_path);
	close(state->folder);
	state->folder = -1;
}

int
apply_state_there(struct apply_state *state)
{
	struct stat status;

	if (state->folder < 0)
		return 0;
	if (fstatat(state->folder, state->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return 0;
		say("The state %s cannot be looked at (%s).", state->path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(status.st_mode)) {
		say("The state %s is %s, expected a regular file: somebody else made it.",
		    state->path, S_ISLNK(status.st_mode) ? "a symbolic link" : "no file");
		return -1;
	}
	if (status.st_uid == geteuid() && (status.st_mode & 077) == 0 && status.st_nlink == 1)
		return 1;
	say("The state %s is of user %u, mode %03o, with %lu names; expected user %u, mode 600 and"
	    " one name: somebody else made or changed it.",
	    state->path, status.st_uid, status.st_mode & 0777, (unsigned long)status.st_nlink,
	    geteuid());
	return -1;
}

static json_t *
to_json(const struct apply_list *list)
{
	json_t *entries = json_array();

	for (unsigned int i = 0; i < list->count; i++) {
		const struct apply_entry *entry = &list->entry[i];

		if (entry->keep &&
		    json_array_append_new(entries, json_pack("{s:s, s:s, s:s, s:s}", "id",
							     entry->id, "path", entry->path, "old",
							     entry->old, "new", entry->new)) != 0) {
			json_decref(entries);
			return NULL;
		}
	}
	return json_pack("{s:s, s:i, s:o}", "schema", SCHEMA, "schema_version", 1, "writes",
			 entries);
}

/** Whole and on disk under another name, or not at all. */
static int
put_new(struct apply_state *state, const char *name, json_t *json)
{
	int fd, rc = 0;

	/* Left by one that was killed: the lock says that it is not at work. */
	unlinkat(state->folder, name, 0);
	fd = openat(state->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (json_dumpfd(json, fd, JSON_INDENT(1)) != 0 || fsync(fd) != 0)
		rc = errno != 0 ? -errno : -EIO;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

static int
put(struct apply_state *state, json_t *json)
{
	char name[512];
	int rc;

	if (json == NULL)
		return -ENOMEM;
	if (strlen(state->name) + sizeof(NEW_SUFFIX) > sizeof(name))
		return -ENAMETOOLONG;
	snprintf(name, sizeof(name), "%s" NEW_SUFFIX, state->name);
	if (json_array_size(json_object_get(json, "writes")) == 0) {
		unlinkat(state->folder, name, 0);
		rc = unlinkat(state->folder, state->name, 0) == 0 || errno == ENOENT ? 0 : -errno;
	} else {
		rc = put_new(state, name, json);
		if (rc == 0 && renameat(state->folder, name, state->folder, state->name) != 0)
			rc = -errno;
	}
	if (rc == 0 && fsync(state->folder) != 0 && errno != EINVAL)
		rc = -errno;
	return rc;
}

bool
apply_state_save(struct apply_state *state, const struct apply_list *list)
{
	json_t *json = to_json(list);
	int rc = put(state, json);

	json_decref(json);
	if (rc == 0)
		return true;
	say("The state %s cannot be written (%s), expected that it can: nothing more is changed.",
	    state->path, strerror(-rc));
	return false;
}

/** A state that somebody made up must not write just anywhere. */
static bool
path_good(const char *path)
{
	return (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0) &&
	       strstr(path, "/../") == NULL;
}

static bool
take(struct apply_state *state, struct apply_list *list, json_t *json)
{
	const char *schema, *id, *path, *old, *new;
	json_t *writes, *item;
	size_t index;
	int version;

	if (json_unpack(json, "{s:s, s:i, s:o}", "schema", &schema, "schema_version", &version,
			"writes", &writes) != 0 ||
	    strcmp(schema, SCHEMA) != 0 || version != 1 || !json_is_array(writes)) {
		say("The state %s has no \"schema\": \"" SCHEMA "\" of version 1 with writes: it is"
		    " another program's, or of another version.",
		    state->path);
		return false;
	}
	json_array_foreach(writes, index, item)
	{
		struct apply_entry *entry;

		if (json_unpack(item, "{s:s, s:s, s:s, s:s}", "id", &id, "path", &path, "old", &old,
				"new", &new) != 0 ||
		    !path_good(path) || strlen(old) >= APPLY_TEXT_MAX ||
		    strlen(new) >= APPLY_TEXT_MAX) {
			say("The state %s: write %zu has not an id, a path in /proc or /sys, an "
			    "old and"
			    " a new value; nothing is undone.",
			    state->path, index);
			return false;
		}
		entry = apply_list_add(list, id, path, old, new);
		if (entry == NULL) {
			say("There is no memory for the state; free some.");
			return false;
		}
		entry->keep = true;
	}
	return true;
}

bool
apply_state_load(struct apply_state *state, struct apply_list *list)
{
	int fd = openat(state->folder, state->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	json_error_t error;
	json_t *json;
	bool good;

	if (fd < 0) {
		say("The state %s cannot be opened (%s).", state->path, strerror(errno));
		return false;
	}
	json = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	close(fd);
	if (json == NULL) {
		say("The state %s is no JSON in line %d (%s), expected what --apply wrote.",
		    state->path, error.line, error.text);
		return false;
	}
	good = take(state, list, json);
	json_decref(json);
	return good;
}
