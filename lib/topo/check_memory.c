/* SPDX-License-Identifier: BSD-3-Clause */

/* What the kernel does with pages behind the programs' backs. */

#include <stdio.h>
#include <string.h>

#include "check_internal.h"

#define THP "/sys/kernel/mm/transparent_hugepage/enabled"
#define KSM "/sys/kernel/mm/ksm/run"

/* The word in brackets of "always [madvise] never". False: there is none. */
static bool
chosen_word(const char *line, char *word, size_t size)
{
	const char *open = strchr(line, '[');
	const char *close = open != NULL ? strchr(open, ']') : NULL;

	if (close == NULL || (size_t)(close - open) > size)
		return false;
	snprintf(word, size, "%.*s", (int)(close - open - 1), open + 1);
	return true;
}

static int
check_thp(struct nhn_check *check, struct nhn_check_result *result)
{
	char line[128], word[32];
	int rc = nhn_check_read_line(check, line, sizeof(line),
				     "sys/kernel/mm/transparent_hugepage/enabled");

	nhn_check_want(result, "never");
	if (rc != 0)
		return nhn_check_skip_file(result, THP, rc);
	if (!chosen_word(line, word, sizeof(word)))
		return nhn_check_skip(result, THP " has not the form that the kernel writes");
	if (strcmp(word, "never") == 0)
		return nhn_check_pass(result, "never");
	nhn_check_remedy(result, "echo never > " THP "; for good the kernel parameter"
				 " transparent_hugepage=never");
	nhn_check_note_write(result, "never", THP);
	if (strcmp(word, "madvise") == 0)
		return nhn_check_warn(result, "madvise, which QEMU asks for");
	return nhn_check_fail(result, "%s", word);
}

/* 2: everything is unmerged, and it stands still. */
static int
check_ksm(struct nhn_check *check, struct nhn_check_result *result)
{
	long long run, sharing = 0;
	int rc = nhn_check_read_number(check, &run, "sys/kernel/mm/ksm/run");

	nhn_check_want(result, "0 or 2");
	if (rc != 0)
		return nhn_check_skip_file(result, KSM, rc);
	if (run == 0 || run == 2)
		return nhn_check_pass(result, "%lld", run);
	nhn_check_remedy(result, "echo 2 > " KSM "; systemctl disable --now ksmtuned");
	nhn_check_note_write(result, "2", KSM);
	if (nhn_check_read_number(check, &sharing, "sys/kernel/mm/ksm/pages_sharing") == 0 &&
	    sharing == 0)
		return nhn_check_warn(result, "%lld, with no page merged yet", run);
	return nhn_check_fail(result, "%lld, with %lld pages merged", run, sharing);
}

const struct check_entry nhn_check_memory_table[] = {
	{{"thp", "pages are not collapsed into huge ones meanwhile",
	  "khugepaged moves and remaps pages that are in use: a page fault and a call to each core"
	  " that has them mapped.",
	  false},
	 check_thp},
	{{"ksm", "pages of guests are not merged",
	  "A write to a merged page faults and copies it, and the scan takes a core's caches.",
	  false},
	 check_ksm},
	{{NULL, NULL, NULL, false}, NULL},
};
