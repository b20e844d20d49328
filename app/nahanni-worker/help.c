/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include "options.h"

/* A line of text is a line of the manual. */
/* clang-format off */

void
help_print(void)
{
	puts("NAME\n"
	     "  nahanni-worker - serve the links of many guests from DPDK lcores\n"
	     "\n"
	     "SYNOPSIS\n"
	     "  nahanni-worker [EAL options] -- --config FILE [--cores LIST|auto] [--strict]\n"
	     "                 [--check]\n"
	     "  nahanni-worker --help | --version\n"
	     "\n"
	     "OPTIONS\n"
	     "  --config FILE   links, files, lcores and services; config/nahanni-worker.conf is\n"
	     "                  an example with comments. Nobody but root or this user may write\n"
	     "                  it\n"
	     "  --cores LIST|auto\n"
	     "                  a CPU for each lcore of FILE, in order, instead of that of its\n"
	     "                  number. What speaks against them is said\n"
	     "  --strict        refuse CPUs of which a check of nahanni-check fails\n"
	     "  --check         read and check FILE, and end: 0 or 2\n"
	     "  --help          this text\n"
	     "  --version       the version\n"
	     "  EAL's options go before --. Without any: no PCI device, 128 MiB without\n"
	     "  hugepages, the lcores of FILE, and a main lcore that may run on any CPU.\n"
	     "\n"
	     "SIGNALS\n"
	     "  SIGHUP          read FILE again: links that have not changed go on untouched; if\n"
	     "                  anything in it is wrong, all does\n"
	     "  SIGTERM, SIGINT end; the second one at once\n"
	     "\n"
	     "EXIT STATUS\n"
	     "  0  ended by a signal, or FILE is good (--check)\n"
	     "  1  failed: EAL, a file that is another process's, no memory\n"
	     "  2  an option or the configuration is wrong");
	puts("\n"
	     "FILE\n"
	     "  [worker]        name= lcores=LIST cores=LIST|auto strict=yes|no\n"
	     "                  idle=busy|pause|adaptive idle-after-us= idle-sleep-us= budget= links-max=\n"
	     "  [link NAME]     id= path= [peer=] size= create=yes|no mode= group= lcore=\n"
	     "                  channels= cells= data-bytes= priorities=\n"
	     "                  service=echo|forward|sink [to=ID|message-id] [full=wait|drop]\n"
	     "  Comments begin with ;. doc/guides/nahanni-worker has each key, its default and its\n"
	     "  range, and all the rest of the manual.");
}

/* clang-format on */
