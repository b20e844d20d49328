/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As rpc_client, with many calls open at once, each told of by a function when it
 * ends.
 *
 *     ./rpc_server /dev/shm/nahanni
 *     ./rpc_client_many /dev/shm/nahanni   in another terminal
 */
#include <nhn_rpc.h>

#include "example.h"
#include "sum.h"

#define OPEN_AT_ONCE 16u
#define CALLS 10000u

/** A call and its bytes: all is the caller's memory, and in use until the call ends. */
struct addition {
	struct nhn_rpc_call call;
	uint32_t numbers[2];
	uint64_t sum;
	struct iovec request;
	struct iovec reply;
};

static struct nhn_node me;
static struct nhn_rpc_client client;
static struct nhn_rpc_slot slots[OPEN_AT_ONCE];
static struct addition additions[OPEN_AT_ONCE];
static uint32_t begun, ended, right;

/** Called once for each call, from within nhn_endpoint_poll(). */
static void
addition_done(struct nhn_rpc_call *call)
{
	const struct addition *addition = (const struct addition *)call->context;

	ended++;
	if (call->result == 0 && call->status == SUM_DONE && call->length == sizeof(uint64_t) &&
	    addition->sum == (uint64_t)addition->numbers[0] + addition->numbers[1])
		right++;
}

/** @return whether it has begun; if not, there is no peer or no room yet */
static bool
addition_begin(struct addition *addition, uint32_t number)
{
	struct nhn_rpc_call *call = &addition->call;

	addition->numbers[0] = number;
	addition->numbers[1] = UINT32_MAX;
	addition->request.iov_base = addition->numbers;
	addition->request.iov_len = sizeof(addition->numbers);
	addition->reply.iov_base = &addition->sum;
	addition->reply.iov_len = sizeof(addition->sum);
	call->type = SUM_ADD;
	call->request = &addition->request;
	call->requests = 1;
	call->reply = &addition->reply;
	call->replies = 1;
	call->deadline_ns = nhn_node_now_ns(NULL) + 10 * EXAMPLE_SECOND_NS;
	call->done = addition_done;
	call->context = addition;
	return nhn_rpc_client_call(&client, call) == 0;
}

int
main(int argc, char **argv)
{
	uint32_t i = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: rpc_client_many FILE\n");
		return 2;
	}
	if (example_open(&me, NHN_ROLE_GUEST, argv[1]) != 0 ||
	    nhn_rpc_client_init(&client, &me.endpoint, 0, slots, OPEN_AT_ONCE) != 0)
		return 1;
	example_catch_signals();
	while (ended < CALLS && !example_stopped) {
		if (begun < CALLS && additions[i].call.result != -EINPROGRESS)
			begun += addition_begin(&additions[i], begun);
		i = (i + 1) % OPEN_AT_ONCE;
		nhn_endpoint_poll(&me.endpoint);
	}
	printf("%u calls, %u right\n", ended, right);
	nhn_node_close(&me);
	return right != CALLS;
}
