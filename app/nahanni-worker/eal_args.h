/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_ARGS_H
#define EAL_ARGS_H

#include "config.h"
#include "cores.h"
#include "options.h"

/** Arguments of rte_eal_init(), which reorders argv. */
struct eal_args {
	int argc;
	char **argv;
	char *lcores; /**< the one string that is composed; NULL: none is needed */
	char main_lcore[32];
};

/**
 * The user's EAL options, and those that a daemon needs.
 *
 * @param cores one for each lcore of the worker; empty: the CPU of its number
 * @return 0 or -ENOMEM, said
 */
int eal_args_compose(struct eal_args *args, const struct options *options,
		     const struct worker_config *config, const struct cores *cores);
void eal_args_free(struct eal_args *args);

#endif /* EAL_ARGS_H */
