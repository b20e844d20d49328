/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over the files of a corpus: for compilers that have no
 * libFuzzer, and for one input that broke a rule.
 *
 * usage: PROGRAM FILE|FOLDER...
 */

#include <fts.h>
#include <sys/stat.h>

#include "fuzz.h"

static void
run(const char *path, size_t bytes)
{
	uint8_t *input = malloc(bytes != 0 ? bytes : 1);
	FILE *file = fopen(path, "rb");

	if (input == NULL || file == NULL || fread(input, 1, bytes, file) != bytes) {
		fprintf(stderr, "replay: %s cannot be read whole (%zu bytes)\n", path, bytes);
		exit(1);
	}
	fclose(file);
	printf("%s\n", path); /* the last one printed is the one that failed */
	fflush(stdout);
	LLVMFuzzerTestOneInput(input, bytes);
	free(input);
}

int
main(int argc, char **argv)
{
	FTS *tree = argc > 1 ? fts_open(argv + 1, FTS_LOGICAL | FTS_NOCHDIR, NULL) : NULL;
	FTSENT *entry;
	unsigned int count = 0;

	while (tree != NULL && (entry = fts_read(tree)) != NULL) {
		if (entry->fts_info != FTS_F)
			continue;
		run(entry->fts_accpath, (size_t)entry->fts_statp->st_size);
		count++;
	}
	if (tree != NULL)
		fts_close(tree);
	if (count == 0) {
		fprintf(stderr, "replay: found no input, expected at least one: "
				"name files or folders of test/fuzz/corpus\n");
		return 1;
	}
	printf("%u inputs\n", count);
	return 0;
}
