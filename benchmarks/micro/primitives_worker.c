/* SPDX-License-Identifier: BSD-3-Clause */
/* A round of a worker over links that have nothing: what one idle link costs it. */

#include <stdlib.h>

#include "../../test/unit/pattern.h"

#include "primitive.h"
#include "worker_internal.h"

#define LINKS 64u
#define ROUNDS 16u
#define BYTES 48u

struct fleet {
	struct worker_lcore lcore;
	struct watch watch[LINKS];
	struct served served[LINKS];
	struct served *list[LINKS];
	struct nhn_endpoint near[LINKS];
	struct nhn_endpoint far[LINKS];
	struct primitive_link *link[LINKS];
	uint32_t called; /* link of the last message, */
	uint32_t calls;	 /* how many there were, */
	uint8_t in[BYTES];
};

static uint64_t
now_ns(void *context)
{
	return ((struct primitive_link *)context)->now_ns;
}

static bool
take(void *context, struct nhn_endpoint *endpoint, uint32_t channel)
{
	struct fleet *fleet = context;
	struct nhn_msg_piece piece;

	if (nhn_msg_peek(&endpoint->rx[channel], &piece, 1) != 1 || piece.length > BYTES)
		return false;
	nhn_foreign_copy(fleet->in, piece.data, piece.length);
	nhn_msg_release(&endpoint->rx[channel]);
	fleet->called = (uint32_t)(endpoint - fleet->near);
	fleet->calls++;
	return true;
}

static void
fleet_close(void *state)
{
	struct fleet *fleet = state;
	uint32_t i;

	for (i = 0; i < LINKS; i++)
		free(fleet->link[i]);
}

/* The lcore is made by hand: its rounds are run here, and EAL is not needed. */
static void *
fleet_open(const struct primitive *p)
{
	struct fleet *fleet = primitive_memory(sizeof(*fleet));
	uint32_t i;

	(void)p;
	fleet->lcore.watch = fleet->watch;
	fleet->lcore.served = fleet->list;
	fleet->lcore.budget = NHN_WORKER_BUDGET;
	fleet->lcore.links = LINKS;
	for (i = 0; i < LINKS; i++) {
		struct primitive_link *link =
			primitive_link_open(sizeof(*link), NHN_USE_MSG, 64, 0);

		fleet->link[i] = link;
		nhn_endpoint_init(&fleet->near[i], &link->host, now_ns, link);
		nhn_endpoint_init(&fleet->far[i], &link->guest, now_ns, link);
		fleet->served[i].link.endpoint = &fleet->near[i];
		fleet->served[i].link.message = take;
		fleet->served[i].link.context = fleet;
		fleet->list[i] = &fleet->served[i];
	}
	worker_watch_all(&fleet->lcore);
	worker_round(&fleet->lcore); /* after it all watch */
	return fleet;
}

static void
round_run(const struct primitive *p, void *state)
{
	struct fleet *fleet = state;
	uint32_t i;

	(void)p;
	for (i = 0; i < ROUNDS; i++)
		primitive_keep(worker_round(&fleet->lcore));
}

/* One message at any of the links: found in the next round, and only there. */
static bool
round_validate(const struct primitive *p, void *state)
{
	const struct nhn_message_head head = {.length = BYTES};
	struct fleet *fleet = state;
	const uint32_t begin = fleet->calls;
	uint64_t random = PRIMITIVE_SEED;
	uint8_t out[BYTES];
	uint32_t number;

	for (number = 1; number <= 10000; number++) {
		const uint32_t at = pattern_below(&random, LINKS);
		uint32_t steps;

		pattern_fill(out, BYTES, PRIMITIVE_SEED, number);
		if (nhn_msg_send(&fleet->far[at].tx[0], &head, out) != 0)
			return primitive_differs(p, "no room for message %u on link %u", number,
						 at);
		steps = worker_round(&fleet->lcore);
		steps += worker_round(&fleet->lcore);
		if (steps != 1 || fleet->calls != begin + number || fleet->called != at)
			return primitive_differs(p,
						 "message %u: %u steps, last one on link %u, "
						 "expected 1 on link %u",
						 number, steps, fleet->called, at);
		if (!pattern_matches(fleet->in, BYTES, PRIMITIVE_SEED, number))
			return primitive_differs(p, "message %u has other content", number);
	}
	return true;
}

const struct primitive primitives_worker[] = {
	{
		.name = "worker-idle-link",
		.operations = LINKS * ROUNDS,
		.open = fleet_open,
		.close = fleet_close,
		.run = round_run,
		.validate = round_validate,
	},
	{.name = NULL},
};
