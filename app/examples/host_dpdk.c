/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host with DPDK: a worker lcore polls a link on a file and sends back each
 * message it receives. The file is the memory of a guest's ivshmem device, or is
 * shared with a process of this machine. Ends by ^C.
 *
 *     ./host_dpdk --no-pci --no-huge -m 64 -l 0,1 -- /dev/shm/nahanni
 *
 * --no-pci: EAL would probe the host's own devices. The other end is guest_plain or
 * guest_pmd.
 */
#include <unistd.h>

#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "example.h"

static struct nhn_node me;
static uint8_t memory[1u << 20];

/** Go on receiving; send back what has become whole. @return whether that was done */
static bool
echo(struct nhn_endpoint *endpoint, uint32_t channel, struct nhn_msg_buffer *buffer)
{
	uint64_t deadline_ns = nhn_node_now_ns(NULL) + 10 * EXAMPLE_SECOND_NS;
	struct iovec vector = {.iov_base = memory, .iov_len = 0};
	int ret = nhn_msg_receive(&endpoint->rx[channel], buffer);

	if (ret == -EMSGSIZE) /* longer than memory */
		nhn_msg_skip(&endpoint->rx[channel]);
	if (ret != 0)
		return false; /* more is to come, or the guest was restarted (-ESTALE) */
	vector.iov_len = buffer->head.length;
	return nhn_endpoint_send_wait(endpoint, channel, &buffer->head, &vector, 1, deadline_ns) ==
	       0;
}

/** The worker's lcore does nothing else: a message is seen as soon as it is there. */
static int
poll_link(void *context)
{
	const struct iovec place = {.iov_base = memory, .iov_len = sizeof(memory)};
	struct nhn_endpoint *endpoint = (struct nhn_endpoint *)context;
	struct nhn_msg_buffer buffer;
	int echoed = 0;

	nhn_msg_buffer_init(&buffer, &place, 1);
	while (!example_stopped) {
		int channel = nhn_endpoint_poll(endpoint);

		if (channel >= 0)
			echoed += echo(endpoint, (uint32_t)channel, &buffer);
	}
	return echoed;
}

int
main(int argc, char **argv)
{
	int taken = rte_eal_init(argc, argv);
	unsigned int worker = rte_get_next_lcore(-1, 1, 0);
	int ret = 2;

	if (taken < 0)
		return 2;
	if (argc - taken != 2 || worker == RTE_MAX_LCORE) {
		fprintf(stderr, "usage: host_dpdk [EAL option]... -l MAIN,WORKER -- FILE\n");
	} else if (example_open(&me, NHN_ROLE_HOST, argv[taken + 1]) == 0) {
		example_catch_signals();
		rte_eal_remote_launch(poll_link, &me.endpoint, worker);
		while (!example_stopped)
			sleep(1);
		printf("%d messages sent back\n", rte_eal_wait_lcore(worker));
		ret = 0;
	}
	nhn_node_close(&me);
	rte_eal_cleanup();
	return ret;
}
