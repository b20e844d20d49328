/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "apply.h"

#define WORDS_MAX 2048

const char *
apply_never(const char *id)
{
	if (strcmp(id, "smt") == 0)
		return "not set here, for it takes CPUs away from what runs";
	if (strcmp(id, "hugepages") == 0)
		return "not set here, for it takes memory away from what runs";
	return NULL;
}

const char *
apply_outcome_name(enum apply_outcome outcome)
{
	static const char *const names[] = {
		"set", "would", "failed", "restored", "as-before", "foreign", "gone",
	};

	return names[outcome];
}

bool
apply_parameters(const char *remedy, char *words, size_t size)
{
	static const char begin[] = "kernel parameter";
	const char *at = strstr(remedy, begin);
	size_t used = 0;

	words[0] = '\0';
	if (at == NULL)
		return false;
	at += sizeof(begin) - 1;
	at += *at == 's';
	while (*at == ' ') {
		const size_t length = strcspn(++at, " ;");
		const char *equal = memchr(at, '=', length);

		/* "nohz_full= with these cores" is no word to type. */
		if (equal == NULL || equal == at + length - 1 || used + length + 2 > size)
			break;
		used += (size_t)snprintf(words + used, size - used, "%s%.*s", used > 0 ? " " : "",
					 (int)length, at);
		at += length;
	}
	return used > 0;
}

static bool
has_word(const char *words, const char *word, size_t length)
{
	for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
		const size_t this = strcspn(at, " ");

		if (this == length && memcmp(at, word, length) == 0)
			return true;
		at += this;
	}
	return false;
}

/** All words that any result asks for, each once. */
static void
join(const struct apply_report *report, char *all)
{
	char words[NHN_CHECK_TEXT_MAX];
	size_t used = 0;

	all[0] = '\0';
	for (unsigned int i = 0; i < report->result_count; i++) {
		if (apply_never(report->results[i].id) != NULL ||
		    !apply_parameters(report->results[i].remedy, words, sizeof(words)))
			continue;
		for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
			const size_t length = strcspn(at, " ");

			if (!has_word(all, at, length) && used + length + 2 < WORDS_MAX)
				used += (size_t)snprintf(all + used, WORDS_MAX - used, "%s%.*s",
							 used > 0 ? " " : "", (int)length, at);
			at += length;
		}
	}
}

/** Why it is for somebody's hand. NULL: it is not. */
static const char *
by_hand(const struct nhn_check_result *result)
{
	char words[NHN_CHECK_TEXT_MAX];

	if (apply_never(result->id) != NULL)
		return apply_never(result->id);
	if (result->write_count > 0 || apply_parameters(result->remedy, words, sizeof(words)))
		return NULL;
	if (strcmp(result->id, "c-states") == 0)
		return "needs a holder: tuned or the program itself";
	return "no value of a file";
}

/** A line of what a file held; NULL: it could not be read. */
static void
print_value(const char *value)
{
	const char *text = value != NULL ? value : "";

	printf("%.*s", (int)strcspn(text, "\n"), text);
}

static void
print_entry(const struct apply_report *report, const struct apply_entry *entry)
{
	const bool undo = strcmp(report->action, "undo") == 0;

	printf("%-9s  %-15s  %s: ", apply_outcome_name(entry->outcome), entry->id, entry->path);
	print_value(undo ? entry->new : entry->old);
	printf(" -> ");
	print_value(undo ? entry->old : entry->new);
	printf("%s%s%s\n", entry->note[0] != '\0' ? " (" : "", entry->note,
	       entry->note[0] != '\0' ? ")" : "");
}

static void
print_rest(const struct apply_report *report)
{
	char all[WORDS_MAX], words[NHN_CHECK_TEXT_MAX];

	for (unsigned int i = 0; i < report->result_count; i++) {
		const struct nhn_check_result *result = &report->results[i];

		if (apply_never(result->id) == NULL &&
		    apply_parameters(result->remedy, words, sizeof(words)))
			printf("reboot     %-15s  %s\n", result->id, words);
		else if (by_hand(result) != NULL)
			printf("by hand    %-15s  %s: %s\n", result->id, by_hand(result),
			       result->remedy);
	}
	join(report, all);
	if (all[0] != '\0')
		printf("\nFor the next boot, on the kernel's command line:\n  %s\n", all);
}

void
apply_print(const struct apply_report *report)
{
	unsigned int counts[APPLY_GONE + 1] = {0}, kept = 0;

	for (unsigned int i = 0; i < report->list->count; i++) {
		print_entry(report, &report->list->entry[i]);
		counts[report->list->entry[i].outcome]++;
		kept += report->list->entry[i].keep;
	}
	print_rest(report);
	printf("%s", report->list->count + report->result_count > 0 ? "\n" : "");
	if (strcmp(report->action, "undo") == 0)
		printf("%u restored, %u as before, %u changed by others, %u gone, %u failed",
		       counts[APPLY_RESTORED], counts[APPLY_AS_BEFORE], counts[APPLY_FOREIGN],
		       counts[APPLY_GONE], counts[APPLY_FAILED]);
	else
		printf("%u set, %u failed", counts[APPLY_SET], counts[APPLY_FAILED]);
	if (report->dry_run)
		printf(", %u would be: nothing was changed\n", counts[APPLY_WOULD]);
	else
		printf(": %s %s\n", kept > 0 ? "to be undone from" : "there is no state",
		       report->state);
}

static json_t *
json_entries(const struct apply_report *report)
{
	json_t *entries = json_array();

	for (unsigned int i = 0; i < report->list->count; i++) {
		const struct apply_entry *entry = &report->list->entry[i];

		json_array_append_new(entries, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id",
							 entry->id, "path", entry->path, "old",
							 entry->old, "new", entry->new, "outcome",
							 apply_outcome_name(entry->outcome), "note",
							 entry->note));
	}
	return entries;
}

/** @param boot  those of the kernel's command line, or those by hand */
static json_t *
json_rest(const struct apply_report *report, bool boot)
{
	char words[NHN_CHECK_TEXT_MAX];
	json_t *rest = json_array();

	for (unsigned int i = 0; i < report->result_count; i++) {
		const struct nhn_check_result *result = &report->results[i];
		const char *why = by_hand(result);

		if (boot && apply_never(result->id) == NULL &&
		    apply_parameters(result->remedy, words, sizeof(words)))
			json_array_append_new(rest, json_pack("{s:s, s:s}", "id", result->id,
							      "parameters", words));
		else if (!boot && why != NULL)
			json_array_append_new(rest,
					      json_pack("{s:s, s:s, s:s}", "id", result->id, "why",
							why, "remedy", result->remedy));
	}
	return rest;
}

int
apply_print_json(const struct apply_report *report)
{
	char all[WORDS_MAX];
	json_t *root;

	join(report, all);
	root = json_pack("{s:s, s:i, s:s, s:s, s:b, s:s, s:o, s:o, s:s, s:o}", "schema",
			 "nahanni-check-apply", "schema_version", 1, "version",
			 NAHANNI_CHECK_VERSION, "action", report->action, "dry_run",
			 (int)report->dry_run, "state", report->state, "writes",
			 json_entries(report), "reboot", json_rest(report, true),
			 "kernel_parameters", all, "by_hand", json_rest(report, false));
	if (root == NULL)
		return -ENOMEM;
	/* A fault of writing is found when the stream is flushed. */
	json_dumpf(root, stdout, JSON_INDENT(2));
	json_decref(root);
	putchar('\n');
	return 0;
}
