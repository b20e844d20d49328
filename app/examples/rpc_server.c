/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The answering half of a request and response pair, over a file. Adds the numbers
 * that rpc_client sends. Ends by ^C.
 *
 *     ./rpc_server /dev/shm/nahanni
 *     ./rpc_client /dev/shm/nahanni        in another terminal
 */
#include <nhn_rpc.h>

#include "example.h"
#include "sum.h"

static struct nhn_node me;
static struct nhn_rpc_server server;
static uint32_t memory[SUM_NUMBERS_MAX]; /* a longer request is refused for us */

/** A request is whole, and in our memory: its sender cannot change it any more. */
static int
serve(void *context, const struct nhn_rpc_request *request, struct nhn_rpc_reply *reply)
{
	static uint64_t sum;
	static const struct iovec result = {.iov_base = &sum, .iov_len = sizeof(sum)};
	const uint32_t *number = (const uint32_t *)request->data;
	uint32_t i;

	(void)context;
	if (request->type != SUM_ADD) {
		reply->status = SUM_NO_SUCH;
		return 0;
	}
	if (request->length % sizeof(*number) != 0) {
		reply->status = SUM_NOT_WHOLE;
		return 0;
	}
	for (sum = 0, i = 0; i < request->length / sizeof(*number); i++)
		sum += number[i];
	reply->status = SUM_DONE;
	reply->vector = &result;
	reply->vectors = 1;
	return 0; /* -EINPROGRESS, and nhn_rpc_server_reply() later, where the answer takes time */
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: rpc_server FILE\n");
		return 2;
	}
	if (example_open(&me, NHN_ROLE_HOST, argv[1]) != 0)
		return 1;
	example_catch_signals();
	nhn_rpc_server_init(&server, &me.endpoint, 0, serve, NULL, memory, sizeof(memory));
	while (!example_stopped)
		nhn_endpoint_poll(&me.endpoint); /* receives, serves and sends */
	printf("%llu requests served\n", (unsigned long long)server.requests);
	nhn_node_close(&me);
	return 0;
}
