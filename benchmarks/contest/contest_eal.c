/* SPDX-License-Identifier: BSD-3-Clause */

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "contest_eal.h"

/** MiB for the mbufs and rings of all ports at once; without hugepages taken when touched. */
#define MEMORY_MIB "1024"
#define ARGUMENTS_MAX 24
#define ARGUMENT_BYTES 64

enum state {
	NOT_BEGUN,
	BEGUN,
	FAILED,
};

struct arguments {
	int count;
	char *word[ARGUMENTS_MAX + 1]; /* EAL moves the pointers about */
	char text[ARGUMENTS_MAX][ARGUMENT_BYTES];
};

static enum state state;
static char failure[256];

static void
add(struct arguments *arguments, const char *word)
{
	char *text = arguments->text[arguments->count];

	snprintf(text, ARGUMENT_BYTES, "%s", word);
	arguments->word[arguments->count++] = text;
}

static bool
hugepages_free(void)
{
	uint64_t pages = 0;
	glob_t files;
	size_t i;

	if (glob("/sys/kernel/mm/hugepages/hugepages-*/free_hugepages", 0, NULL, &files) != 0)
		return false;
	for (i = 0; i < files.gl_pathc && pages == 0; i++) {
		FILE *file = fopen(files.gl_pathv[i], "r");

		if (file == NULL)
			continue;
		if (fscanf(file, "%" SCNu64, &pages) != 1)
			pages = 0;
		fclose(file);
	}
	globfree(&files);
	return pages != 0;
}

/*
 * The peers of virtio_user and of zero-copy memif map this process's memory by its file
 * descriptor: one for all of it.
 */
static void
add_memory(struct arguments *arguments)
{
	add(arguments, "--single-file-segments");
	if (hugepages_free()) {
		add(arguments, "--in-memory");
		return;
	}
	add(arguments, "--no-huge");
	add(arguments, "-m");
	add(arguments, MEMORY_MIB);
	/* As --in-memory, which EAL does not take here. */
	add(arguments, "--no-shconf");
}

/* Contestants add their devices when they open; nothing is probed before. */
static void
add_devices(struct arguments *arguments, const struct contest_place *place)
{
	if (place->side == CONTEST_FAR && place->device[0] != '\0') {
		/* A guest: with --no-pci none could be added later. Under uio its memory is named
		 * by physical addresses. */
		add(arguments, "-a");
		add(arguments, "0000:00:00.0");
		add(arguments, "--iova-mode=pa");
		return;
	}
	add(arguments, "--no-pci");
}

static void
compose(struct arguments *arguments, const struct contest_place *place)
{
	char word[ARGUMENT_BYTES];

	add(arguments, "contest");
	/* An lcore's number is small, a CPU's need not be. */
	snprintf(word, sizeof(word), "--lcores=0@%d", place->core);
	add(arguments, word);
	snprintf(word, sizeof(word), "--file-prefix=contest-%d", (int)getpid());
	add(arguments, word);
	add_devices(arguments, place);
	add_memory(arguments);
	add(arguments, "--no-telemetry");
	/* The vectorised path of packed virtqueues needs leave for AVX512. */
	add(arguments, "--force-max-simd-bitwidth=512");
	add(arguments, "--log-level=*:error");
}

static void
begin(const struct contest_place *place)
{
	static struct arguments arguments;

	compose(&arguments, place);
	if (rte_eal_init(arguments.count, arguments.word) < 0) {
		state = FAILED;
		snprintf(failure, sizeof(failure),
			 "EAL does not begin on core %d (%s), expected that it does: see its"
			 " messages above",
			 place->core, rte_strerror(rte_errno));
		return;
	}
	state = BEGUN;
	/* EAL makes this folder and leaves it behind; it is for files that this one has not. */
	rmdir(rte_eal_get_runtime_dir());
}

int
contest_eal(const struct contest_place *place, char *why, size_t why_bytes)
{
	if (state == NOT_BEGUN)
		begin(place);
	if (state == BEGUN)
		return 0;
	snprintf(why, why_bytes, "%s", failure);
	return -1;
}
