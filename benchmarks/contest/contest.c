/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nhn_word.h>

#include "near.h"

enum which {
	BOTH,
	ONLY_NEAR,
	ONLY_FAR,
};

struct options {
	enum which which;
	int core[2];
	const char *cores; /* as given */
	const char *control;
	const char *folder;
	const char *device;
};

static void
usage(FILE *out)
{
	fputs("usage: contest [--cores NEAR,FAR] [--folder FOLDER]\n"
	      "       contest --side near --control file=PATH [--cores NEAR,FAR] [--folder "
	      "FOLDER]\n"
	      "       contest --side far --control file=PATH|pci=BDF [--cores NEAR,FAR] [--device "
	      "SPEC]\n"
	      "\n"
	      "Carry messages between two processes by everything that can, as orders on the\n"
	      "standard input say, one JSON object a line; benchmarks/run writes them.\n"
	      "  --cores    of the near and of the far process; 0,1\n"
	      "  --folder   an empty one for sockets and files, in memory; two processes make one\n"
	      "  --side     one process alone: its other side is in another machine\n"
	      "  --control  the memory where both meet, 64 MiB: a file, or a PCI device's BAR 2\n"
	      "  --device   both sides: far is in a guest, and what contestants have of it, as\n"
	      "             NAME=BDF;NAME=BDF,peer=BDF;...\n",
	      out);
}

static _Noreturn void
refuse(const char *text, const char *value)
{
	fprintf(stderr, "contest: %s '%s'\n", text, value);
	usage(stderr);
	exit(2);
}

static void
option_take(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'c':
		if (sscanf(value, "%d,%d", &options->core[0], &options->core[1]) != 2 ||
		    options->core[0] < 0 || options->core[1] < 0)
			refuse("expected two cores, as 0,1, and not", value);
		options->cores = value;
		break;
	case 's':
		if (strcmp(value, "near") != 0 && strcmp(value, "far") != 0)
			refuse("expected --side near or far, and not", value);
		options->which = strcmp(value, "near") == 0 ? ONLY_NEAR : ONLY_FAR;
		break;
	case 'm':
		options->control = value;
		break;
	case 'f':
		options->folder = value;
		break;
	case 'd':
		options->device = value;
		break;
	case 'h':
		usage(stdout);
		exit(0);
	default:
		usage(stderr);
		exit(2);
	}
}

static void
options_read(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"cores", required_argument, NULL, 'c'},
		{"side", required_argument, NULL, 's'},
		{"control", required_argument, NULL, 'm'},
		{"folder", required_argument, NULL, 'f'},
		{"device", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		option_take(options, option, optarg);
	if (optind != argc)
		refuse("this is no option:", argv[optind]);
	if ((options->which != BOTH) != (options->control != NULL))
		refuse("--side and --control belong together; given",
		       options->control == NULL ? "--side" : "--control");
	if (options->which == BOTH && options->core[0] == options->core[1])
		refuse("two processes that poll need two cores, as 0,1, and not", options->cores);
	if (strlen(options->folder) >= MEETING_PATH_BYTES)
		refuse("--folder is longer than 199 bytes:", options->folder);
}

/* The memory that both have: by name, or anonymous for the process that is forked. */
static int
control_open(const struct options *options)
{
	char path[512];
	int fd;

	if (options->control == NULL)
		return memfd_create("nahanni-contest", MFD_CLOEXEC);
	if (strncmp(options->control, "file=", 5) == 0)
		snprintf(path, sizeof(path), "%s", options->control + 5);
	else if (strncmp(options->control, "pci=", 4) == 0)
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2",
			 options->control + 4);
	else
		refuse("expected --control file=PATH or pci=BDF, and not", options->control);
	fd = open(path,
		  options->which == ONLY_NEAR ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDWR | O_CLOEXEC,
		  0600);
	if (fd < 0)
		fprintf(stderr, "contest: %s cannot be opened: %s\n", path, strerror(errno));
	return fd;
}

static int
meet(struct side *side, int fd, bool create)
{
	if (fd < 0 || (create && ftruncate(fd, MEETING_BYTES) != 0) ||
	    (side->meeting = meeting_map(fd)) == NULL) {
		fprintf(stderr, "contest: no %u MiB of memory to meet in: %s\n",
			MEETING_BYTES >> 20, strerror(errno));
		return -1;
	}
	if (create) {
		memset(side->meeting, 0, MEETING_HEAD_BYTES);
		nhn_store_release(&side->meeting->magic, MEETING_MAGIC);
	}
	return 0;
}

static int
far_main(const struct options *options, int fd)
{
	struct side side = {
		.side = CONTEST_FAR, .core = options->core[1], .device = options->device};

	return meet(&side, fd, false) == 0 && side_init(&side) == 0 ? far_run(&side) : 1;
}

/* In both processes near is the parent, so that ^C and waiting are the shell's with it. */
static int
near_here(const struct options *options, int fd)
{
	struct side side = {
		.side = CONTEST_NEAR, .core = options->core[0], .device = options->device};
	int status;

	if (meet(&side, fd, true) != 0)
		return 1;
	if (options->which == BOTH) {
		side.far = fork();
		if (side.far == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* With what libraries have to do at the exit. */
			exit(far_main(options, fd));
		}
		if (side.far < 0) {
			fprintf(stderr, "contest: fork: %s\n", strerror(errno));
			return 1;
		}
	}
	/* After the fork, which would make each first store to the buffers a fault. */
	status = side_init(&side) == 0 ? near_run(&side, options->folder) : 1;
	if (side.far != 0 && status != 0)
		kill(side.far, SIGKILL);
	if (side.far != 0)
		waitpid(side.far, NULL, 0);
	return status;
}

static int
near_main(const struct options *options, int fd)
{
	char folder[] = "/dev/shm/nahanni-contest.XXXXXX";
	struct options with = *options;
	int status;

	if (options->which != BOTH || options->folder[0] != '\0')
		return near_here(options, fd);
	with.folder = mkdtemp(folder);
	if (with.folder == NULL) {
		fprintf(stderr, "contest: %s cannot be made: %s\n", folder, strerror(errno));
		return 1;
	}
	status = near_here(&with, fd);
	rmdir(folder);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = {.core = {0, 1}, .cores = "", .folder = "", .device = ""};
	int fd;

	options_read(&options, argc, argv);
	contestants_choose(options.device[0] != '\0');
	fd = control_open(&options);
	if (fd < 0)
		return 1;
	return options.which == ONLY_FAR ? far_main(&options, fd) : near_main(&options, fd);
}
