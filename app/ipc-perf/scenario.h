/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A scenario: a file of runs, read by rte_cfgfile. Each section is a run, its
 * keys are the names of settings_table; [all] has defaults of the others.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>

#include "settings.h"

/** Runs of a file. */
#define SCENARIO_RUNS_MAX 256u

/**
 * Read and check all of it. Needs no EAL.
 * @param defaults of what neither the section nor [all] says; a copy is taken
 * @param ethdev as of settings_check()
 * @param runs gets an array for free(), in the order of the file: resolved, with names
 * @return 0, or with *runs NULL -errno and a sentence said: file, section, key
 */
int scenario_load(const char *path, const struct settings *defaults, bool ethdev,
		  struct settings **runs, unsigned int *count);

#endif /* SCENARIO_H */
