/* SPDX-License-Identifier: BSD-3-Clause */
/* The manual. Options of a run come from settings_table, modes from engines[]. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <nhn_region.h>

#include "engine.h"
#include "help.h"
#include "options.h"

/** Columns of a line. */
#define COLUMNS 80

/** Print a text in lines that begin with @p indent blanks. */
static void
paragraph_print(FILE *out, const char *text, int indent)
{
	int column = 0;

	while (*text != '\0') {
		int length = (int)strcspn(text, " \n");

		if (column > 0 && column + 1 + length > COLUMNS) {
			fputc('\n', out);
			column = 0;
		}
		column += column == 0 ? fprintf(out, "%*s%.*s", indent, "", length, text)
				      : fprintf(out, " %.*s", length, text);
		text += length;
		text += strspn(text, " \n");
	}
	fputc('\n', out);
}

/** What a row has before the user says anything. */
static void
default_print(FILE *out, const struct setting *row)
{
	char text[SETTING_TEXT_MAX];
	struct settings settings;

	settings_init(&settings);
	row->print(&settings, text, sizeof(text));
	fprintf(out, "      Default: %s.\n", text);
}

void
help_settings_print(FILE *out)
{
	size_t i;

	for (i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];

		fprintf(out, "  --%s %s\n", row->name, row->value);
		paragraph_print(out, row->help, 6);
		/* mode has to be given, none of the others. */
		if (i > 0)
			default_print(out, row);
	}
}

/** "Uses --size --burst beside ...": the rows of the table that not all use. */
static void
uses_print(FILE *out, const struct engine *engine)
{
	const char *before = "      Uses";
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if ((engine->uses & settings_table[i].bit) == 0)
			continue;
		fprintf(out, "%s --%s", before, settings_table[i].name);
		before = "";
	}
	if (before[0] == '\0')
		fprintf(out, " beside what all use.\n");
}

void
help_engines_print(FILE *out)
{
	size_t i;

	for (i = 0; i < engines_count; i++) {
		fprintf(out, "  %s\n", engines[i]->name);
		paragraph_print(out, engines[i]->help, 6);
		uses_print(out, engines[i]);
	}
	fprintf(out, "  " MODE_PONG "\n");
	paragraph_print(out,
			"The far end of all modes: obeys one near end after the other until one"
			" tells it to end, or until ^C. It takes --link, --via, --cores and"
			" --strict only.",
			6);
}

/* A line of text is a line of the manual. */
/* clang-format off */

static void
print_synopsis(void)
{
	puts("NAME\n"
	     "  ipc-perf - load a link between a host and its guest, or two processes, and\n"
	     "             measure it\n"
	     "\n"
	     "SYNOPSIS\n"
	     "  ipc-perf [EAL options] -- --mode MODE --link LINK [--via WAY] [options]\n"
	     "  ipc-perf [EAL options] -- --mode pong --link LINK [--via WAY]\n"
	     "  ipc-perf [EAL options] -- --scenario FILE --link LINK [--via WAY] [options]\n"
	     "  ipc-perf [EAL options] -- -i [--cmdline-file FILE] [--link LINK] [options]\n"
	     "  ipc-perf --help | --version\n"
	     "\n"
	     "  The near end leads and measures; the far end, pong, obeys. Each polls on a core\n"
	     "  of its own: choose it by -l N or --cores. Either may be started first, and either may be\n"
	     "  the host. Each option is given once, but --expect and --compare. The words of\n"
	     "  OPTIONS OF A RUN are also those of set at the prompt and of scenario files.\n"
	     "  Times have a unit: ns, us, ms, s or m. Counts may have k, M or G (1000).\n"
	     "\n"
	     "MODES");
}

static void
print_link(void)
{
	puts("\nOPTIONS OF THE PROGRAM\n"
	     "  --link role=host,path=FILE[,peer=FILE][,size=BYTES[K|M|G]][,mode=OCTAL]\n"
	     "         [,group=NAME][,offset=BYTES]\n"
	     "      The host's side of a file (joint layout). With peer, of two files (split):\n"
	     "      path is the one this side writes, peer the one it reads, and maps for\n"
	     "      reading only. What is missing is created. In tmpfs (/dev/shm) or hugetlbfs\n"
	     "      no write-back disturbs the measurement.");
	printf("      size is of each file, a power of two, at least %" PRIu64 "; without it what\n"
	       "      exists, or %" PRIu64 ". mode and group are of created files: mode=0660,\n"
	       "      group=kvm lets a QEMU of that group open them. Without: 0600.\n",
	       NHN_REGION_SIZE_MIN, NHN_REGION_SIZE_DEFAULT);
	puts("  --link role=guest,path=FILE[,peer=FILE]\n"
	     "      The guest's side, whose files must exist: start the host first. Of a split\n"
	     "      link path is the host's peer, and peer the host's path.\n"
	     "  --link pci=BDF[,role=host][,peer=BDF]\n"
	     "      In a guest: the ivshmem device at this address, such as 0000:00:03.0,\n"
	     "      bound to vfio-pci or uio_pci_generic. With peer (split): the device with\n"
	     "      the other side's area, which this side can only read, bound likewise.\n"
	     "      Two guests that share a device: one of them is the host of the link by\n"
	     "      role=host, and no process of the machine uses it.\n"
	     "  --link port=NAME[,limit=FILE]\n"
	     "      Any ethdev port by its name in EAL, to compare with: its --vdev or -a stands\n"
	     "      before --. Via ethdev. limit is a file that both ends share for the words of\n"
	     "      the limit; without it there is no limit and no ratio.\n"
	     "  --via channel|msg|ethdev\n"
	     "      channel (default): messages of the library, written and read in place.\n"
	     "      msg: messages of nhn_msg, which may be larger than a ring.\n"
	     "      ethdev: frames through DPDK's ethdev API, one queue pair, two with mixed.\n"
	     "      Both ends must name the same.");
}

static void
print_own(void)
{
	puts("  --cores N|auto\n"
	     "      The core to poll on, instead of EAL's -l, -c, --lcores and --main-lcore, which\n"
	     "      are refused beside it: isolated ones too. auto: the one that suits best,\n"
	     "      isolated, without an SMT sibling in use and on the node of a device; two\n"
	     "      programs on one machine may both choose it, so give one a number.\n"
	     "      The checks of nahanni-check that concern cores are run: the worst are said,\n"
	     "      all are in the results.\n"
	     "  --strict\n"
	     "      Refuse a core of which a check fails. Also with EAL's -l.\n"
	     "  --json FILE, --csv FILE\n"
	     "      Write the results of all runs: one document, or a row a figure.\n"
	     "  --hgrm FILE, --hlog FILE\n"
	     "      Latency as HdrHistogram's percentile text (of a second run beside it, -2 in its\n"
	     "      name, and so on), or all runs' slices of\n"
	     "      time as HdrHistogram's log.\n"
	     "  --report FILE\n"
	     "      A page of HTML with figures and charts, whole in itself.\n"
	     "  --compare FILE\n"
	     "      A JSON file of an earlier ipc-perf, shown beside these results in the report.\n"
	     "      Up to 8 times. Files are opened before the runs, written after each.\n"
	     "  --scenario FILE\n"
	     "      Run what the file says: see SCENARIOS.\n"
	     "  --interactive, -i\n"
	     "      Take commands from stdin: see PROMPT. Nothing runs before start.\n"
	     "  --cmdline-file FILE\n"
	     "      Take commands from the file first; without -i end after them.\n"
	     "  --help, --version\n"
	     "      Print this manual, or the version.\n"
	     "\n"
	     "OPTIONS OF A RUN\n"
	     "  What a mode does not use is refused.");
}

static void
print_eal(void)
{
	puts("\nEAL OPTIONS\n"
	     "  Those before -- are passed on. The main lcore does the work: -l N. Added are\n"
	     "    --no-pci           unless the link is pci or a port; for pci: -a BDF, and for a\n"
	     "                       split one -a BDF,peer=BDF -a BDF; with role=host\n"
	     "                       -a BDF,role=host\n"
	     "    --vdev=...         the port, for ethdev over a file\n"
	     "    --no-huge -m 128   where no hugepage is free, unless the link is pci or -m,\n"
	     "                       --socket-mem, --no-huge, --legacy-mem, --huge-dir or\n"
	     "                       --in-memory is given\n"
	     "    --in-memory        (--no-shconf with --no-huge or --legacy-mem) unless\n"
	     "                       --file-prefix, --proc-type, --in-memory, --no-shconf or\n"
	     "                       --huge-dir is given\n"
	     "    --no-telemetry     unless --telemetry is given\n"
	     "    --lcores=0@N       for --cores N\n"
	     "  All logs go to stderr.");
}

/* clang-format on */

void
help_print(void)
{
	print_synopsis();
	help_engines_print(stdout);
	print_link();
	print_own();
	help_settings_print(stdout);
	print_eal();
	help_prompt_print();
	help_method_print();
	help_results_print();
	help_examples_print();
}
