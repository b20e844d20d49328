/* SPDX-License-Identifier: BSD-3-Clause */
/* Streaming stores: a writer that copies past the caches, and a reader on another core that
 * keeps the bytes it waits for in its cache. Without nhn_fence_streamed() it finds old ones.
 *
 * usage: stream_test MESSAGES
 */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <nhn_msg.h>

#define SECONDS 300u
#define DATA (4u << 20)
#define MESSAGE 16384u /* one fragment */
#define CELLS 512u
#define WORDS (MESSAGE / sizeof(uint64_t))
#define LAST 1024u /* bytes at the end, stored last: all others are there sooner */

static struct nhn_link host, guest;
/* Every message past the caches, in whatever ring. */
static const struct nhn_msg_policy streaming = {
	.fragment_bytes = MESSAGE, .stream_bytes = 1, .stream_ring_bytes = UINT32_MAX};
static uint64_t messages;

static void
fail(const char *sentence, uint64_t number)
{
	fprintf(stderr, "stream_test: message %llu: %s\n", (unsigned long long)number, sentence);
	_exit(1);
}

/* The peer may need this CPU; sched_yield() starves on some kernels. */
static void
rest(void)
{
	struct timespec time = {.tv_nsec = 1000};

	nanosleep(&time, NULL);
}

static void
pin(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || sched_setaffinity(0, sizeof(set), &set) != 0)
		fprintf(stderr, "stream_test: one CPU for both: finds little\n");
}

static void
links_begin(void)
{
	struct nhn_link_config config = {.use = NHN_USE_MSG, .random = 7};
	struct nhn_refusal refusal;
	uint64_t bytes;
	void *memory = NULL;
	uint32_t turn;

	nhn_layout_uniform(&config.layout, 1, NHN_USE_MSG, CELLS, DATA);
	bytes = 2 * nhn_layout_offset(&config.layout, 1);
	if (posix_memalign(&memory, 2u << 20, bytes) != 0)
		fail("no memory", 0);
	memset(memory, 0, bytes);
	nhn_link_joint(&config, NHN_ROLE_HOST, memory, bytes);
	if (nhn_link_init(&host, &config, &refusal) != 0)
		fail("the host's link does not begin", 0);
	config.layout.channels = 0;
	nhn_link_joint(&config, NHN_ROLE_GUEST, memory, bytes);
	if (nhn_link_init(&guest, &config, &refusal) != 0)
		fail("the guest's link does not begin", 0);
	for (turn = 0; turn < 12; turn++) {
		nhn_link_control(&host, turn);
		nhn_link_control(&guest, turn);
	}
	if (nhn_link_state(&host) != NHN_LINK_UP || nhn_link_state(&guest) != NHN_LINK_UP)
		fail("the link does not come up", 0);
}

static void *
writer(void *context)
{
	static uint64_t bytes[WORDS];
	struct nhn_message_head head = {.length = MESSAGE};
	struct nhn_msg_tx tx;
	uint64_t number;
	uint32_t i, turns;

	(void)context;
	pin(0);
	nhn_msg_tx_init(&tx, &host, 0);
	tx.policy = &streaming;
	for (number = 1; number <= messages; number++) {
		for (i = 0; i < WORDS; i++)
			bytes[i] = number;
		for (turns = 1; nhn_msg_send(&tx, &head, bytes) == -EAGAIN; turns++)
			if (turns % 4096 == 0)
				rest();
		while (nhn_msg_busy(&tx))
			nhn_msg_send_step(&tx);
	}
	return NULL;
}

/* Have the bytes where the next message will be in this core's cache, old as they are. */
static uint64_t
keep_near(const struct nhn_rx *rx)
{
	const uint8_t *data = nhn_foreign_lend(rx->data);
	uint64_t sum = 0;
	uint32_t i;

	for (i = MESSAGE - LAST; i < MESSAGE; i += NHN_LINE_BYTES)
		sum += *(const volatile uint64_t *)(const void *)(data +
								  (rx->data_head % DATA + i));
	return sum;
}

static void *
reader(void *context)
{
	struct nhn_msg_piece piece;
	struct nhn_msg_rx rx;
	uint64_t number;
	uint32_t i, turns;

	(void)context;
	pin(1);
	nhn_msg_rx_init(&rx, &guest, 0);
	for (number = 1; number <= messages; number++) {
		const uint64_t *word;

		keep_near(rx.rx);
		for (turns = 1; nhn_msg_peek(&rx, &piece, 1) == 0; turns++)
			if (turns % 4096 == 0)
				rest();
		if (piece.length != MESSAGE)
			fail("came in parts", number);
		word = nhn_foreign_lend(piece.data);
		for (i = WORDS;
		     i-- > WORDS - LAST / sizeof(*word);) /* what was stored last first */
			if (word[i] != number)
				fail("committed before its streaming stores were there", number);
		nhn_msg_release(&rx);
	}
	return NULL;
}

int
main(int count, char **arguments)
{
	pthread_t thread[2];

	if (count != 2) {
		fprintf(stderr, "usage: stream_test MESSAGES\n");
		return 2;
	}
	messages = strtoull(arguments[1], NULL, 0);
	alarm(SECONDS); /* makes a failure out of a hang */
	links_begin();
	if (pthread_create(&thread[0], NULL, writer, NULL) != 0 ||
	    pthread_create(&thread[1], NULL, reader, NULL) != 0)
		fail("a thread could not be started", 0);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	printf("stream_test: %llu messages\n", (unsigned long long)messages);
	return 0;
}
