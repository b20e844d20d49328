/* SPDX-License-Identifier: BSD-3-Clause */

#include "run.h"

static void
rpc_order(const struct settings *settings, struct order *order)
{
	order->burst = settings->depth < 32 ? settings->depth : 32;
}

static enum outcome
rpc_round(struct run *run)
{
	return run->calls->rpc(run->way, &run->near, run->round_messages, run->round, &run->moved);
}

const struct engine engine_rpc = {
	.name = "rpc",
	.help = "Requests and replies of their own sizes, depth of them open at once; over --via "
		"msg"
		" by the library's client and server. The far end checks each request.",
	.loop = "closed",
	.latency = "request to reply",
	.uses = USES_LINK | USES_SIZE | USES_REPLY_SIZE | USES_DEPTH,
	.order = rpc_order,
	.round = rpc_round,
};
