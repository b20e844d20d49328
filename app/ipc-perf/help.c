/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>

#include <nhn_region.h>

#include "ping.h"

/* A line of text is a line of the manual. */
/* clang-format off */

static void
print_synopsis(void)
{
	puts("NAME\n"
	     "  ipc-perf - measure the round trip between a host and its guest, or two\n"
	     "             processes\n"
	     "\n"
	     "SYNOPSIS\n"
	     "  ipc-perf [EAL options] -- --mode ping --link LINK [--via WAY] --size BYTES\n"
	     "           --samples N [--json FILE]\n"
	     "  ipc-perf [EAL options] -- --mode pong --link LINK [--via WAY]\n"
	     "  ipc-perf --help | --version\n"
	     "\n"
	     "  Ping sends a message, waits for the answer and notes the time between; pong\n"
	     "  answers with the same bytes. Each polls on a core of its own: choose it by\n"
	     "  -l N. Either may be started first, and either may be the host. Each option is\n"
	     "  given once.");
}

static void
print_options(void)
{
	puts("\nOPTIONS\n"
	     "  --mode ping|pong\n"
	     "      ping asks, measures and reports; pong serves one ping after the other\n"
	     "      until one has done all of its samples, or until ^C.\n"
	     "  --link role=host,path=FILE[,peer=FILE][,size=BYTES[K|M|G]][,mode=OCTAL]\n"
	     "         [,group=NAME]\n"
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
	     "  --via channel|ethdev\n"
	     "      channel (default): messages of the library, written and read in place.\n"
	     "      ethdev: frames through DPDK's ethdev API and the driver net_nahanni, one\n"
	     "      queue pair. Both sides must name the same.");
	printf("  --size BYTES\n"
	       "      Of a message. channel: %u to half the data ring; up to 60 travel in one\n"
	       "      cache line. ethdev: of the frame without its checksum, %u to MTU + 14; the\n"
	       "      first 14 are an Ethernet header of EtherType 0x88b5.\n"
	       "  --samples N\n"
	       "      Round trips to record, 1 to %" PRIu64 ". A percentile needs 100 samples\n"
	       "      on its scarcer side, else it is not given: p99.99 needs 1000000.\n"
	       "  --json FILE\n"
	       "      Write the results there too. The file is opened before the run.\n"
	       "  --help, --version\n"
	       "      Print this manual, or the version.\n",
	       CHANNEL_BYTES_MIN, FRAME_BYTES_MIN, SAMPLES_MAX);
}

static void
print_eal(void)
{
	puts("\nEAL OPTIONS\n"
	     "  Those before -- are passed on. The main lcore does the work: -l N. Added are\n"
	     "    --no-pci           unless the link is pci; for pci: -a BDF, and for a split one\n"
	     "                       -a BDF,peer=BDF -a BDF; with role=host -a BDF,role=host\n"
	     "    --vdev=...         the port, for ethdev over a file\n"
	     "    --no-huge -m 128   where no hugepage is free, unless the link is pci or -m,\n"
	     "                       --socket-mem, --no-huge, --legacy-mem, --huge-dir or\n"
	     "                       --in-memory is given\n"
	     "    --in-memory        (--no-shconf with --no-huge or --legacy-mem) unless\n"
	     "                       --file-prefix, --proc-type, --in-memory, --no-shconf or\n"
	     "                       --huge-dir is given\n"
	     "    --no-telemetry     unless --telemetry is given\n"
	     "  All logs go to stderr.");
}

static void
print_method(void)
{
	printf("\nMETHOD\n"
	       "  Closed loop: the next message goes out when the last answer is checked. The\n"
	       "  time runs from before the message is written until its answer is seen; then\n"
	       "  length, number and bytes are compared, off the clock. Both sides poll without\n"
	       "  a pause.\n"
	       "  Rounds of a twentieth of all samples, %" PRIu64 " to %" PRIu64 " messages,\n"
	       "  alternate with blocks of %u round trips of the limit: a 32-bit word on a\n"
	       "  line of its own each way, stored with release and loaded with acquire, in the\n"
	       "  same memory, on the same cores, between the same clock reads.\n"
	       "  Ratio p50 is the median over rounds of a round's p50 over the mean p50 of the\n"
	       "  limit blocks before and after it. A round between blocks that differ by more\n"
	       "  than %.0f %% is dropped, its samples left out, and another is run, until %u\n"
	       "  times the rounds planned were run.\n"
	       "  The first %u messages and a limit block are a warm-up and left out.\n"
	       "  Every %u empty polls (on a limit's word every %u) each side takes a\n"
	       "  control step of the link; its cost is in the samples.\n",
	       ROUND_MESSAGES_MIN, ROUND_MESSAGES_MAX, LIMIT_TRIPS, LIMIT_DRIFT * 100,
	       ROUNDS_FACTOR, WARMUP_TRIPS, WATCH_POLLS, WATCH_SPINS);
}

static void
print_results(void)
{
	printf("\nRESULTS\n"
	       "  lost        messages without an answer: the other side was restarted, or the\n"
	       "              link was gone\n"
	       "  duplicates  answers that came before\n"
	       "  misordered  answers to a later message, or to one already counted as lost\n"
	       "  corrupt     answers of another length or other bytes\n"
	       "  restarts    of pong, while the run went on\n"
	       "  These are of all messages, the percentiles of the rounds kept.\n"
	       "  JSON: outcome (complete, unsteady limit, stopped, link gone, memory lost),\n"
	       "  link_state, met, samples, lost, duplicates, misordered, corrupt, restarts,\n"
	       "  rtt_ns and limit_ns {min, p50, p90, p99, p99.9, p99.99, max} with null where N\n"
	       "  cannot carry it, ratio_p50,\n"
	       "  ratio_p50_spread {min, p25, p75, max}, rounds_planned, rounds_kept,\n"
	       "  rounds_dropped, configuration, and usage of this thread in the measured loops.\n"
	       "  A pong that is restarted costs the message under way, if there is one; ping says\n"
	       "  so and goes on. It waits %" PRIu64 " s for the link to come up again, as when pong's\n"
	       "  guest boots, and %" PRIu64 " s for an answer over a link that is up; then it ends\n"
	       "  with what it has. So it does on ^C; pong then waits for the next ping.\n"
	       "  Both end when a file of the link is truncated or replaced under them.\n"
	       "\n"
	       "EXIT STATUS\n"
	       "  0  met: every message was answered right, also where too few rounds had a\n"
	       "     steady limit, which is then printed; pong: ended by ping or ^C\n"
	       "  1  failed: messages lost, duplicate, misordered or corrupt, no steady round at\n"
	       "     all, ^C in ping, link gone, or a report that could not be written; pong too:\n"
	       "     a file of the link truncated or replaced\n"
	       "  2  not begun: an option, or a file, device or memory that it names, is no good\n",
	       DOWN_PATIENCE_NS / 1000000000, PATIENCE_NS / 1000000000);
}

static void
print_examples(void)
{
	puts("\nEXAMPLES\n"
	     "  Two processes, in two terminals:\n"
	     "    ipc-perf -l 0 -- --mode pong --link role=host,path=/dev/shm/nahanni\n"
	     "    ipc-perf -l 1 -- --mode ping --link role=guest,path=/dev/shm/nahanni \\\n"
	     "             --size 60 --samples 1000000\n"
	     "  A guest that measures; the host's side is a pong as above:\n"
	     "    ipc-perf -l 0 -- --mode ping --link pci=0000:00:03.0 --size 60 \\\n"
	     "             --samples 1000000\n"
	     "  A split link: the host's side, and the guest's:\n"
	     "    ipc-perf -l 0 -- --mode pong \\\n"
	     "             --link role=host,path=/dev/shm/h2g,peer=/dev/shm/g2h\n"
	     "    ipc-perf -l 0 -- --mode ping --size 60 --samples 1000000 \\\n"
	     "             --link pci=0000:00:03.0,peer=0000:00:04.0\n"
	     "  Two guests that share one device:\n"
	     "    ipc-perf -l 0 -- --mode pong --link pci=0000:00:03.0,role=host\n"
	     "    ipc-perf -l 0 -- --mode ping --link pci=0000:00:03.0 --size 60 \\\n"
	     "             --samples 1000000\n"
	     "  Frames:\n"
	     "    ipc-perf -l 0 -- --mode pong --via ethdev \\\n"
	     "             --link role=host,path=/dev/shm/nahanni\n"
	     "    ipc-perf -l 1 -- --mode ping --via ethdev \\\n"
	     "             --link role=guest,path=/dev/shm/nahanni --size 64 --samples 1000000");
}

/* clang-format on */

void
help_print(void)
{
	print_synopsis();
	print_options();
	print_eal();
	print_method();
	print_results();
	print_examples();
}
