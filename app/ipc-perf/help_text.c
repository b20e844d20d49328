/* SPDX-License-Identifier: BSD-3-Clause */
/* The manual's chapters. */

#include <inttypes.h>
#include <stdio.h>

#include "help.h"
#include "protocol.h"
#include "run.h"

/* A line of text is a line of the manual. */
/* clang-format off */

void
help_prompt_print(void)
{
	puts("\nPROMPT\n"
	     "  As in testpmd: completion by the tab key, history, # begins a comment.\n"
	     "    start              begin a run, or a sweep, of what set says\n"
	     "    stop               end what is under way, also a scenario; its results stay\n"
	     "    show config|link|stats|xstats|histogram|floor|topology|gaps|runs\n"
	     "    set NAME VALUE     the words of OPTIONS OF A RUN: set rate 10k\n"
	     "    clear              forget all results\n"
	     "    save FILE          by its end .json, .csv, .hgrm, .hlog or .html\n"
	     "    report FILE        HTML\n"
	     "    compare FILE       show this JSON file beside ours in reports\n"
	     "    scenario FILE      run all of the file\n"
	     "    help [COMMAND]\n"
	     "    quit               so does the end of input\n"
	     "  Commands of a file or of a pipe wait for the end of what is under way, but stop;\n"
	     "  the first one that fails is named by file and line and ends the program with\n"
	     "  status 2.\n"
	     "\n"
	     "SCENARIOS\n"
	     "  Each section [NAME] is a run, its lines KEY = VALUE with the words of OPTIONS OF\n"
	     "  A RUN; a comment stands behind ; and [all] has defaults of the others, as the\n"
	     "  command line has of all. Runs follow each other as in the file.\n"
	     "    [all]\n"
	     "    duration = 10s\n"
	     "    [slow]\n"
	     "    mode = paced\n"
	     "    rate = 10k\n"
	     "    expect = p99.99<50us, lost<1");
}

void
help_method_print(void)
{
	printf("\nMETHOD\n"
	       "  First a warm-up of %u round trips and a block of the limit, which are left out.\n"
	       "  Then rounds of a twentieth of all messages, %" PRIu64 " to %" PRIu64 "; where duration\n"
	       "  ends the run, of %" PRIu64 " ms, paced ones of a second. Between two rounds stand\n"
	       "    a block of the limit: %u round trips of a 32-bit word on a line of its own each\n"
	       "      way, stored with release and loaded with acquire, in the same memory, on the\n"
	       "      same cores, between the same clock reads;\n"
	       "    a block of the noise floor: both ends read their clocks, and gaps are noted, for\n"
	       "      as long as a round, %" PRIu64 " to %" PRIu64 " ms (--floor on);\n"
	       "    %u round trips with the far end's time, for the one-way times.\n",
	       WARMUP_TRIPS, ROUND_MESSAGES_MIN, ROUND_MESSAGES_MAX, ROUND_NS / 1000000, LIMIT_TRIPS,
	       FLOOR_NS_MIN / 1000000, FLOOR_NS_MAX / 1000000, STAMP_TRIPS);
	printf("  Ratio p50 is the median over rounds of a round's p50 over the mean p50 of the\n"
	       "  limit blocks before and after it. A round between blocks that differ by more\n"
	       "  than %.0f %% is dropped, its samples left out, and another is run, until %u\n"
	       "  times the rounds planned were run. A round with lost messages is void.\n"
	       "  Closed loop: the next message goes out when the last answer is checked, so a\n"
	       "  stall costs one sample. Open loop (paced): messages have their times, and the\n"
	       "  latency begins at the intended time, so a stall costs all that had to wait. If\n"
	       "  the rate was not held, that is said first.\n"
	       "  One-way times need both clocks: of %u exchanges before and after the run the one\n"
	       "  with the shortest round trip tells the offset; half of that trip is its error.\n"
	       "  Length, number and bytes of all messages are compared, off the clock. Gaps, the\n"
	       "  largest samples, come with what the kernel counted meanwhile: interrupts,\n"
	       "  switches, faults, steal. Memory does not grow with the length of a run.\n",
	       LIMIT_DRIFT * 100, ROUNDS_FACTOR, CLOCK_EXCHANGES);
}

void
help_results_print(void)
{
	printf("\nRESULTS\n"
	       "  lost        messages that did not come, or whose answers did not: the far end was\n"
	       "              restarted, the link was gone, or a port dropped them\n"
	       "  duplicates  messages that came before\n"
	       "  misordered  messages that came after later ones\n"
	       "  corrupt     messages of another length or other bytes\n"
	       "  restarts    of the far end, while the run went on\n"
	       "  These are of all messages at both ends, percentiles of the rounds kept. A\n"
	       "  percentile that the number of samples cannot carry is not given (JSON: null).\n"
	       "  Outcomes: complete, unsteady limit, stopped, link gone, memory lost, refused.\n"
	       "  A far end that is restarted costs the messages under way; the near end says so\n"
	       "  and goes on. It waits %" PRIu64 " s for the link to come up again, as when its guest\n"
	       "  boots, and %" PRIu64 " s for an answer over a link that is up; then the run ends with\n"
	       "  what it has. So it does on ^C; pong then waits for the next near end. Both end\n"
	       "  when a file of the link is truncated or replaced under them.\n"
	       "\n"
	       "EXIT STATUS\n"
	       "  0  met: every message was answered right, and no threshold was missed; also\n"
	       "     where too few rounds had a steady limit, which is then printed; pong: ended\n"
	       "     by its near end or ^C\n"
	       "  1  failed: messages lost, duplicate, misordered or corrupt, no steady round at\n"
	       "     all, ^C, link gone, or a report that could not be written; pong too: a file\n"
	       "     of the link truncated or replaced\n"
	       "  2  not begun: an option, a command of a file, or a file, device or memory that\n"
	       "     they name, is no good\n"
	       "  3  a threshold of --expect was missed\n"
	       "  Of several runs: 2 before 1, 1 before 3.\n",
	       DOWN_PATIENCE_NS / 1000000000, PATIENCE_NS / 1000000000);
}

void
help_examples_print(void)
{
	puts("\nEXAMPLES\n"
	     "  Two processes, in two terminals:\n"
	     "    ipc-perf -l 0 -- --mode pong --link role=host,path=/dev/shm/nahanni\n"
	     "    ipc-perf -l 1 -- --mode ping --link role=guest,path=/dev/shm/nahanni \\\n"
	     "             --size 60 --samples 1M\n"
	     "  The same far end, 100000 messages a second for a minute, with a threshold:\n"
	     "    ipc-perf -l 1 -- --mode paced --link role=guest,path=/dev/shm/nahanni \\\n"
	     "             --rate 100k --duration 1m --expect 'p99.99<20us,lost<1'\n"
	     "  A sweep, with a report:\n"
	     "    ipc-perf -l 1 -- --mode paced --link role=guest,path=/dev/shm/nahanni \\\n"
	     "             --sweep rate=10k,100k,1M --duration 10s --report load.html\n"
	     "  A guest that measures; the host's side is a pong as above:\n"
	     "    ipc-perf -l 0 -- --mode ping --link pci=0000:00:03.0 --size 60\n"
	     "  A split link: the host's side, and the guest's:\n"
	     "    ipc-perf -l 0 -- --mode pong \\\n"
	     "             --link role=host,path=/dev/shm/h2g,peer=/dev/shm/g2h\n"
	     "    ipc-perf -l 0 -- --mode ping --link pci=0000:00:03.0,peer=0000:00:04.0\n"
	     "  Two guests that share one device:\n"
	     "    ipc-perf -l 0 -- --mode pong --link pci=0000:00:03.0,role=host\n"
	     "    ipc-perf -l 0 -- --mode ping --link pci=0000:00:03.0 --size 60\n"
	     "  Frames:\n"
	     "    ipc-perf -l 0 -- --mode pong --via ethdev \\\n"
	     "             --link role=host,path=/dev/shm/nahanni\n"
	     "    ipc-perf -l 1 -- --mode ping --via ethdev \\\n"
	     "             --link role=guest,path=/dev/shm/nahanni --size 64\n"
	     "  Commands, and no link at all:\n"
	     "    printf 'start\\nshow stats\\nquit\\n' | ipc-perf -- -i --mode synthetic");
}
/* clang-format on */
