/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_ARGS_H
#define EAL_ARGS_H

#include "options.h"

/** Name of the port that is made over a file. */
#define VDEV_NAME "net_nahanni0"

/** Arguments of rte_eal_init(), which reorders argv. */
struct eal_args {
	int argc;
	char **argv;
	char *device; /**< the one string that is composed; NULL: none */
	char *lcores; /**< --lcores of --cores, or NULL */
};

/** The user's EAL options and those the link needs. @return 0 or -ENOMEM, said */
int eal_args_compose(struct eal_args *args, const struct options *options);
void eal_args_free(struct eal_args *args);

#endif /* EAL_ARGS_H */
