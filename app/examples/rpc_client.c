/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The asking half of a request and response pair, over a file: one call at a time,
 * waited for. Its bytes may be more than the shared memory holds at once.
 *
 *     ./rpc_server /dev/shm/nahanni
 *     ./rpc_client /dev/shm/nahanni        in another terminal
 */
#include <nhn_rpc.h>

#include "example.h"
#include "sum.h"

static struct nhn_node me;
static struct nhn_rpc_client client;
static struct nhn_rpc_slot slots[1];
static uint32_t numbers[SUM_NUMBERS_MAX];

/** @return 0 with the sum of the first @p count numbers, or why not */
static int
ask(uint32_t count, uint64_t *sum)
{
	struct nhn_rpc_call call;
	int ret;

	nhn_rpc_call_init(&call, SUM_ADD, numbers, count * (uint32_t)sizeof(numbers[0]), sum,
			  sizeof(*sum), nhn_node_now_ns(NULL) + 10 * EXAMPLE_SECOND_NS);
	ret = nhn_rpc_client_call_wait(&client, &call);
	if (ret != 0)
		return ret;
	return call.status == SUM_DONE && call.length == sizeof(*sum) ? 0 : -EBADMSG;
}

int
main(int argc, char **argv)
{
	uint32_t count;
	uint64_t sum;
	int ret = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: rpc_client FILE\n");
		return 2;
	}
	if (example_open(&me, NHN_ROLE_GUEST, argv[1]) != 0 ||
	    nhn_rpc_client_init(&client, &me.endpoint, 0, slots, 1) != 0)
		return 1;
	for (count = 0; count < SUM_NUMBERS_MAX; count++)
		numbers[count] = count + 1;
	for (count = 1; count <= SUM_NUMBERS_MAX && ret == 0; count *= 2) {
		ret = ask(count, &sum);
		if (ret == 0 && sum != (uint64_t)count * (count + 1) / 2)
			ret = -EBADMSG;
		if (ret == 0)
			printf("1 + ... + %u = %llu\n", count, (unsigned long long)sum);
	}
	if (ret != 0)
		fprintf(stderr, "call: %s\n", strerror(-ret));
	nhn_node_close(&me);
	return ret != 0;
}
