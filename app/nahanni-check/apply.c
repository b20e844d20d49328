/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --apply and --undo. Each write is in the state file, on disk, before it is done: whatever
 * ends --apply, --undo finds either the old value or the new one.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "say.h"

enum {
	DONE = 0,
	NOT_ALL = 1,
	UNABLE = 3,
};

struct work {
	const struct options *options;
	struct apply_state state;
	struct apply_list list;
	bool more; /* a result has writes that it could not hold */
};

static void
note(struct apply_entry *entry, enum apply_outcome outcome, const char *what, int rc)
{
	entry->outcome = outcome;
	if (rc == -EREMOTEIO)
		snprintf(entry->note, sizeof(entry->note), "%s: it was taken, but reads otherwise",
			 what);
	else if (rc != 0)
		snprintf(entry->note, sizeof(entry->note), "%s: %s", what, strerror(-rc));
}

/** The kernel may refuse it, or take another value than it was given. */
static void
set(struct work *work, struct apply_entry *entry)
{
	const char *root = work->options->root;
	char text[APPLY_TEXT_MAX];
	int rc = apply_file_write(root, entry->path, entry->new), back;
	const char *what = "write";

	if (rc == 0) {
		what = "read back";
		rc = apply_file_read(root, entry->path, text);
		if (rc == 0 && !apply_file_holds(entry->path, text, entry->new))
			rc = -EREMOTEIO;
	}
	if (rc == 0) {
		entry->outcome = APPLY_SET;
		return;
	}
	note(entry, APPLY_FAILED, what, rc);
	back = apply_file_read(root, entry->path, text);
	if (back == 0 && strcmp(text, entry->old) != 0)
		back = apply_file_restore(root, entry->path, entry->old);
	entry->keep = back != 0;
}

/** @return 1: something was set; 0; UNABLE's negative: the state cannot be written */
static int
apply_one(struct work *work, const char *id, const struct nhn_check_write *write)
{
	struct apply_entry *entry;
	char old[APPLY_TEXT_MAX];
	int rc;

	for (unsigned int i = 0; i < work->list.count; i++)
		if (strcmp(work->list.entry[i].path, write->path) == 0)
			return 0;
	rc = apply_file_read(work->options->root, write->path, old);
	if (rc == 0 && apply_file_holds(write->path, old, write->value))
		return 0;
	entry = apply_list_add(&work->list, id, write->path, old, write->value);
	if (entry == NULL) {
		say("There is no memory for the writes; free some.");
		return -UNABLE;
	}
	if (rc != 0) {
		note(entry, APPLY_FAILED, "read", rc);
		return 0;
	}
	entry->outcome = APPLY_WOULD;
	if (work->options->dry_run)
		return 0;
	entry->keep = true;
	if (!apply_state_save(&work->state, &work->list))
		return -UNABLE;
	set(work, entry);
	return entry->outcome == APPLY_SET;
}

/** A result holds so many writes only: look again while that finds more to set. */
static int
apply_result(struct work *work, struct nhn_check *check, const struct nhn_check_result *first)
{
	struct nhn_check_result *result = malloc(sizeof(*result));
	bool any = true;
	int rc = 0;

	if (result == NULL) {
		say("There is no memory for a result; free some.");
		return -UNABLE;
	}
	*result = *first;
	while (rc >= 0 && any &&
	       (result->status == NHN_CHECK_FAIL || result->status == NHN_CHECK_WARN)) {
		any = false;
		for (unsigned int i = 0; i < result->write_count && rc >= 0; i++) {
			rc = apply_one(work, result->id, &result->write[i]);
			any = any || rc > 0;
		}
		if (rc < 0 || !result->write_more)
			break;
		rc = nhn_check_run(check, (unsigned int)nhn_check_find(result->id), result) == 0
			     ? 0
			     : -UNABLE;
	}
	if (rc >= 0 && result->write_more) {
		say("%s asks for more or longer writes than its result holds: the rest is not set"
		    " here.",
		    result->id);
		work->more = true;
	}
	free(result);
	return rc;
}

/** Run all chosen checks, and keep what is wrong: before the first write, which none shall see. */
static int
find_wrong(struct nhn_check *check, const struct options *options, struct nhn_check_result *results,
	   unsigned int *count)
{
	for (unsigned int i = 0; i < nhn_check_count() && i < CHECKS_MAX; i++) {
		if (!options->chosen[i])
			continue;
		if (nhn_check_run(check, i, &results[*count]) != 0) {
			say("There is no memory for the checks; free some.");
			return UNABLE;
		}
		if (results[*count].status == NHN_CHECK_FAIL ||
		    results[*count].status == NHN_CHECK_WARN)
			(*count)++;
	}
	return DONE;
}

static int
show(const struct options *options, const struct apply_report *report)
{
	if (!options->json)
		apply_print(report);
	else if (apply_print_json(report) != 0) {
		say("There is no memory for the output; free some.");
		return UNABLE;
	}
	return DONE;
}

/** @return the exit status that the outcomes have */
static int
judge(const struct apply_list *list)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (list->entry[i].outcome == APPLY_FAILED ||
		    list->entry[i].outcome == APPLY_FOREIGN || list->entry[i].outcome == APPLY_GONE)
			return NOT_ALL;
	return DONE;
}

static int
apply_all(struct work *work, struct nhn_check *check)
{
	struct nhn_check_result *results = calloc(nhn_check_count(), sizeof(*results));
	struct apply_report report = {
		.action = "apply",
		.state = work->state.path,
		.dry_run = work->options->dry_run,
		.list = &work->list,
		.results = results,
	};
	int status = UNABLE;

	if (results == NULL)
		say("There is no memory for the results; free some.");
	else
		status = find_wrong(check, work->options, results, &report.result_count);
	for (unsigned int i = 0; status == DONE && i < report.result_count; i++)
		if (apply_never(results[i].id) == NULL &&
		    apply_result(work, check, &results[i]) < 0)
			status = UNABLE;
	/* What failed and holds its old value need not be undone. */
	if (status == DONE && !work->options->dry_run &&
	    !apply_state_save(&work->state, &work->list))
		status = UNABLE;
	/* Also of what was done before it became unable: it is done. */
	if (results != NULL && (status == DONE || work->list.count > 0) &&
	    show(work->options, &report) != DONE)
		status = UNABLE;
	free(results);
	if (status == DONE && work->more)
		return NOT_ALL;
	return status != DONE ? status : judge(&work->list);
}

int
apply_do(struct nhn_check *check, const struct options *options)
{
	struct work work = {.options = options};
	int status = UNABLE;

	if (apply_state_open(&work.state, options, !options->dry_run)) {
		switch (apply_state_there(&work.state)) {
		case 0:
			status = apply_all(&work, check);
			break;
		case 1:
			say("The state %s is there already, expected none: undo what it has with"
			    " --undo first.",
			    work.state.path);
			break;
		default:
			break;
		}
	}
	apply_state_close(&work.state);
	apply_list_free(&work.list);
	return status;
}

static void
undo_one(struct work *work, struct apply_entry *entry)
{
	const char *root = work->options->root;
	char text[APPLY_TEXT_MAX];
	int rc = apply_file_read(root, entry->path, text);

	entry->keep = false;
	if (rc == -ENOENT) {
		note(entry, APPLY_GONE, "read", rc);
	} else if (rc != 0) {
		note(entry, APPLY_FAILED, "read", rc);
		entry->keep = true;
	} else if (strcmp(text, entry->old) == 0) {
		entry->outcome = APPLY_AS_BEFORE;
	} else if (!apply_file_holds(entry->path, text, entry->new)) {
		entry->outcome = APPLY_FOREIGN;
		snprintf(entry->note, sizeof(entry->note), "it has %.*s",
			 (int)strcspn(text, "\n") < 200 ? (int)strcspn(text, "\n") : 200, text);
	} else if (work->options->dry_run) {
		entry->outcome = APPLY_WOULD;
	} else {
		rc = apply_file_restore(root, entry->path, entry->old);
		note(entry, rc == 0 ? APPLY_RESTORED : APPLY_FAILED, "restore", rc);
		entry->keep = rc != 0;
	}
}

static int
undo_all(struct work *work)
{
	const struct apply_report report = {
		.action = "undo",
		.state = work->state.path,
		.dry_run = work->options->dry_run,
		.list = &work->list,
	};
	int status = DONE;

	if (!apply_state_load(&work->state, &work->list))
		return UNABLE;
	for (unsigned int i = work->list.count; i-- > 0;)
		undo_one(work, &work->list.entry[i]);
	if (!work->options->dry_run && !apply_state_save(&work->state, &work->list))
		status = UNABLE;
	if (show(work->options, &report) != DONE)
		status = UNABLE;
	return status != DONE ? status : judge(&work->list);
}

int
apply_undo(const struct options *options)
{
	struct work work = {.options = options};
	int status = UNABLE;

	if (apply_state_open(&work.state, options, false)) {
		switch (apply_state_there(&work.state)) {
		case 1:
			status = undo_all(&work);
			break;
		case 0:
			say("There is no state %s, expected that of an --apply: nothing was "
			    "applied,"
			    " or all is undone.",
			    work.state.path);
			break;
		default:
			break;
		}
	}
	apply_state_close(&work.state);
	apply_list_free(&work.list);
	return status;
}
