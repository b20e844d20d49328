/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TOPO_RIG_H
#define TOPO_RIG_H

/* Machines out of descriptions, and a folder that stands for sysfs. */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "nhn_topo.h"

/* Two sockets of two CCX; pairs of cores share L2; SMT siblings side by side. */
#define TWO_SOCKETS "pack:2 [numa(memory=8GB)] l3:2(size=16777216) l2:2(size=1048576) core:2 pu:2"

struct topo_rig {
	struct nhn_topo topo;
	char root[64]; /* a folder of its own */
	char said[NHN_TOPO_TEXT_MAX];
	unsigned int sentences;
};

static inline void
rig_hear(void *context, const char *sentence)
{
	struct topo_rig *rig = context;

	snprintf(rig->said, sizeof(rig->said), "%s", sentence);
	rig->sentences++;
}

static inline int
rig_setup(void **state)
{
	struct topo_rig *rig = calloc(1, sizeof(*rig));

	if (rig == NULL)
		return -1;
	snprintf(rig->root, sizeof(rig->root), "/tmp/nahanni-topo-XXXXXX");
	*state = rig;
	return mkdtemp(rig->root) != NULL ? 0 : -1;
}

static inline int
rig_teardown(void **state)
{
	struct topo_rig *rig = *state;
	char command[100];

	nhn_topo_close(&rig->topo);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig->root);
	if (system(command) != 0)
		return -1;
	free(rig);
	return 0;
}

/* A file below the rig's root, with its folders. */
static inline void
rig_write(const struct topo_rig *rig, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", rig->root, name);
	for (char *slash = path + strlen(rig->root) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Open a described machine with these lists of cores; NULL: none. */
static inline int
rig_open(struct topo_rig *rig, const char *synthetic, const char *isolated, const char *allowed)
{
	const struct nhn_topo_config config = {
		.synthetic = synthetic,
		.root = rig->root,
		.allowed = allowed,
		.log = rig_hear,
		.log_context = rig,
	};

	nhn_topo_close(&rig->topo);
	rig->said[0] = '\0';
	rig->sentences = 0;
	rig_write(rig, "sys/devices/system/cpu/isolated", isolated != NULL ? isolated : "\n");
	return nhn_topo_open(&rig->topo, &config);
}

#endif /* TOPO_RIG_H */
