/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the examples share: an end by ^C, and where the library's sentences go.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <signal.h>
#include <stdio.h>

#include <nhn_node.h>

#define EXAMPLE_SECOND_NS UINT64_C(1000000000)

static volatile sig_atomic_t example_stopped;

static inline void
example_stop(int signal_number)
{
	(void)signal_number;
	example_stopped = 1;
}

/** ^C and kill set example_stopped. */
static inline void
example_catch_signals(void)
{
	signal(SIGINT, example_stop);
	signal(SIGTERM, example_stop);
}

static inline void
example_log(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

/** One end of a link over a file or a device: the host makes the file, so it comes first. */
static inline int
example_open(struct nhn_node *node, enum nhn_role role, const char *path)
{
	struct nhn_node_config config;

	nhn_node_config_init(&config, role, path);
	config.region.log = example_log;
	return nhn_node_open(node, &config);
}

#endif /* EXAMPLE_H */
