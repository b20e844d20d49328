/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include "options.h"

/* A line of text is a line of the manual. */
/* clang-format off */

void
help_print(void)
{
	puts("NAME\n"
	     "  nahanni-check - what of a host or guest disturbs a polling core, and how to mend it\n"
	     "\n"
	     "SYNOPSIS\n"
	     "  nahanni-check [--json] [--cores LIST] [--link path=FILE|pci=ADDRESS]...\n"
	     "                [--only ID,...] [--role host|guest] [--sample-ms MS] [--root DIR]\n"
	     "  nahanni-check --apply [--dry-run] [--state FILE] [the options above]\n"
	     "  nahanni-check --undo [--dry-run] [--state FILE] [--json] [--root DIR]\n"
	     "  nahanni-check --list | --help | --version\n"
	     "\n"
	     "OPTIONS\n"
	     "  --json          a JSON object instead of a table\n"
	     "  --cores LIST    the cores in use, such as 2-5,8: the isolated ones unless given;\n"
	     "                  if none is isolated, all that this process may use\n"
	     "  --link WHAT     a link's file, path=FILE[,peer=FILE]: who may write it; or its\n"
	     "                  device, pci=ADDRESS[,peer=ADDRESS]: how fast it is read. ipc-perf's\n"
	     "                  --link is understood. Up to 32 files and 32 devices\n"
	     "  --only ID,...   these checks, and no other\n"
	     "  --role ROLE     host or guest: the processor's flags tell unless given\n"
	     "  --sample-ms MS  between two looks at interrupts and threads: 1000; 1 to 60000\n"
	     "  --root DIR      read proc, sys, dev, etc below DIR; a folder DIR/after is the\n"
	     "                  second look\n"
	     "  --apply         set what can be set at run time, and say what is left to do\n"
	     "  --undo          restore what --apply set, and nothing else\n"
	     "  --dry-run       with one of them: say what would be written, and write nothing\n"
	     "  --state FILE    what was set: /run/nahanni-check/applied.json, below --root's DIR\n"
	     "  --list          the checks: id and what it looks at\n"
	     "  --help          this text\n"
	     "  --version       the version\n"
	     "\n"
	     "  Without --apply or --undo it changes nothing. Run it as root to see all.");
	puts("\n"
	     "EXIT STATUS\n"
	     "  0  nothing fails; there may be warnings. --apply, --undo: all was done\n"
	     "  1  a check fails. --apply, --undo: something could not be set or restored\n"
	     "  2  an option is wrong\n"
	     "  3  it could not be checked: no memory, the output could not be written,\n"
	     "     or the state file is there already, missing, or unusable\n"
	     "\n"
	     "  doc/guides/nahanni-check has each check, its reason and its remedy.");
}

/* clang-format on */

void
list_print(void)
{
	const struct nhn_check_item *item;

	for (unsigned int i = 0; (item = nhn_check_item_at(i)) != NULL; i++)
		printf("%-17s %s\n", item->id, item->title);
}
