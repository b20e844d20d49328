/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the examples share: a clock, an end by ^C, and a link over a file, with one
 * channel of messages. All of it is plain libnahanni.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <nhn_endpoint.h>
#include <nhn_link_text.h>
#include <nhn_region.h>

#define EXAMPLE_SECOND_NS UINT64_C(1000000000)

/** All that one end of a link needs: 64 KiB, so it stands in static memory. */
struct example {
	struct nhn_region region;
	struct nhn_link link;
	struct nhn_endpoint endpoint;
};

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

/** The clock of the endpoints. It is read once in 256 polls, so any will do. */
static inline uint64_t
example_now_ns(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * EXAMPLE_SECOND_NS + (uint64_t)now.tv_nsec;
}

/** Where the library's sentences go. */
static inline void
example_log(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

/** Take up a link in the region: half of it is the host's to write, half the guest's. */
static inline int
example_open_link(struct example *example, enum nhn_role role)
{
	struct nhn_link_config config;
	struct nhn_refusal refusal;
	char sentence[256];
	int ret;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, example->region.base, example->region.length);
	config.use = NHN_USE_MSG;
	config.random = (uint32_t)example_now_ns(NULL);
	if (role == NHN_ROLE_HOST) /* a guest follows */
		nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, 1024, 1u << 20);
	ret = nhn_link_init(&example->link, &config, &refusal);
	if (ret == -EPROTO) {
		nhn_refusal_text(&refusal, sentence, sizeof(sentence));
		example_log(NULL, sentence);
	}
	if (ret == 0)
		nhn_endpoint_init(&example->endpoint, &example->link, example_now_ns, NULL);
	return ret;
}

/** The host makes the file, so it comes first. One process a role: the lock tells. */
static inline int
example_open_file(struct example *example, enum nhn_role role, const char *path)
{
	struct nhn_region_config where;
	int ret;

	nhn_region_config_init(&where);
	where.path = path;
	where.create = role == NHN_ROLE_HOST;
	where.lock_byte = role == NHN_ROLE_HOST ? 0 : 1; /* as the driver and ipc-perf do */
	where.log = example_log;
	ret = nhn_region_open(&example->region, &where);
	return ret == 0 ? example_open_link(example, role) : ret;
}

static inline void
example_close(struct example *example)
{
	nhn_link_finish(&example->link);
	nhn_region_close(&example->region);
}

#endif /* EXAMPLE_H */
