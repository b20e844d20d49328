/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of lib/worker share: EAL, and links of which the test plays the far end. */
#ifndef WORKER_RIG_H
#define WORKER_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_service.h>

#include "worker_internal.h"

#define PAIRS 4u
#define CELLS 64u
#define AREA_BYTES (1u << 16)
#define BUDGET 8u

/* A link: the near end is the worker's. */
struct pair {
	struct nhn_link near;
	struct nhn_link far;
	struct nhn_endpoint near_end;
	struct nhn_endpoint far_end;
	uint8_t *base;
	uint32_t calls;	    /* of message() */
	uint32_t states;    /* of state() */
	bool refuse;	    /* what message() answers next */
	unsigned int lcore; /* it was called on */
};

static struct pair *pair;
static struct nhn_worker *worker;
static const struct nhn_message_head note = {.length = 8};
static const uint64_t content = 0x1122334455667788u;

/* Lcore 0 is the main one; 1 and 2 work, 3 runs services. All on one CPU will do. */
static inline int
rig_start(char *name)
{
	char *eal[] = {name,
		       (char *)"--no-huge",
		       (char *)"-m",
		       (char *)"64",
		       (char *)"--no-pci",
		       (char *)"--no-shconf",
		       (char *)"--lcores",
		       (char *)"(0-3)@0",
		       (char *)"-S",
		       (char *)"3",
		       (char *)"--no-telemetry"};

	if (rte_eal_init((int)RTE_DIM(eal), eal) >= 0)
		return 0;
	fprintf(stderr, "%s: EAL does not start: see its message above\n", name);
	return 1;
}

/* Echo, a message a call. */
static inline bool
rig_message(void *context, struct nhn_endpoint *endpoint, uint32_t channel)
{
	struct pair *own = context;
	struct nhn_msg_piece piece;

	own->calls++;
	own->lcore = rte_lcore_id();
	if (own->refuse)
		return false;
	if (nhn_msg_peek(&endpoint->rx[channel], &piece, 1) == 1)
		nhn_msg_send(&endpoint->tx[channel], &piece.head, nhn_foreign_lend(piece.data));
	nhn_msg_release(&endpoint->rx[channel]);
	return true;
}

static inline void
rig_state(void *context, struct nhn_endpoint *endpoint, enum nhn_link_state state)
{
	struct pair *own = context;

	(void)endpoint;
	(void)state;
	own->states++;
}

static inline void
end_init(struct pair *own, enum nhn_role role, uint32_t channels)
{
	struct nhn_link *link = role == NHN_ROLE_HOST ? &own->near : &own->far;
	struct nhn_link_config config;
	struct nhn_refusal refusal;

	memset(&config, 0, sizeof(config));
	nhn_link_joint(&config, role, own->base, 2 * AREA_BYTES);
	if (role == NHN_ROLE_HOST)
		nhn_layout_uniform(&config.layout, channels, NHN_USE_MSG, CELLS, 4096);
	config.use = NHN_USE_MSG;
	config.random = 2;
	assert_int_equal(nhn_link_init(link, &config, &refusal), 0);
	nhn_endpoint_init(role == NHN_ROLE_HOST ? &own->near_end : &own->far_end, link,
			  nhn_worker_now_ns, NULL);
}

static inline struct nhn_worker_link
rig_link(uint32_t i)
{
	struct nhn_worker_link link = {.id = i,
				       .name = "pair",
				       .endpoint = &pair[i].near_end,
				       .lcore = NHN_WORKER_ANY_LCORE,
				       .message = rig_message,
				       .state = rig_state,
				       .context = &pair[i]};

	return link;
}

/* Fresh links, not yet given to anybody. */
static inline int
rig_open(void **state)
{
	uint32_t i;

	(void)state;
	pair = aligned_alloc(64, PAIRS * sizeof(*pair));
	if (pair == NULL)
		return -1;
	memset(pair, 0, PAIRS * sizeof(*pair));
	for (i = 0; i < PAIRS; i++) {
		pair[i].base = aligned_alloc(4096, 2 * AREA_BYTES);
		if (pair[i].base == NULL)
			return -1;
		memset(pair[i].base, 0, 2 * AREA_BYTES);
		end_init(&pair[i], NHN_ROLE_HOST, 1);
		end_init(&pair[i], NHN_ROLE_GUEST, 1);
	}
	return 0;
}

static inline int
rig_close(void **state)
{
	uint32_t i;

	(void)state;
	nhn_worker_destroy(worker);
	worker = NULL;
	for (i = 0; i < PAIRS; i++)
		free(pair[i].base);
	free(pair);
	return 0;
}

/* The far end's control, and its answers to -ESTALE. */
static inline void
far_control(struct pair *own)
{
	nhn_endpoint_control(&own->far_end);
	if (nhn_msg_ready(&own->far_end.rx[0]) && own->far.rx[0].stale) {
		struct nhn_msg_piece piece;

		nhn_msg_peek(&own->far_end.rx[0], &piece, 1);
	}
}

static inline bool
far_up(const struct pair *own)
{
	return nhn_link_state(&own->far) == NHN_LINK_UP;
}

static inline void
far_send(struct pair *own, uint32_t count)
{
	while (count-- != 0)
		assert_int_equal(nhn_msg_send(&own->far_end.tx[0], &note, &content), 0);
}

/* Echoes that are there. */
static inline uint32_t
far_take(struct pair *own)
{
	struct nhn_msg_piece piece;
	uint32_t count = 0;
	uint64_t found;

	while (nhn_msg_peek(&own->far_end.rx[0], &piece, 1) == 1) {
		nhn_foreign_copy(&found, piece.data, sizeof(found));
		assert_int_equal(found, content);
		assert_int_equal(nhn_msg_release(&own->far_end.rx[0]), 0);
		count++;
	}
	return count;
}

static const unsigned int lcore_one[] = {1};

/* A worker whose rounds the test runs itself. */
static inline struct worker_lcore *
manual(uint32_t budget)
{
	struct nhn_worker_config config = {.name = "manual",
					   .links_max = 3,
					   .budget = budget,
					   .lcores = lcore_one,
					   .lcore_count = 1,
					   .idle = NHN_WORKER_IDLE_DEADLINE};

	worker = nhn_worker_create(&config);
	assert_non_null(worker);
	assert_int_equal(nhn_worker_start(worker), 0);
	return worker->lcore[0];
}

static inline void
serve(uint32_t i)
{
	struct nhn_worker_link link = rig_link(i);

	assert_int_equal(nhn_worker_add(worker, &link), 0);
}

#endif /* WORKER_RIG_H */
