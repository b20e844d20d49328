/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rate of 60-byte messages in bursts of 32 from one process to another: the
 * channel beside a bare ring of one cell a message, in rotated rounds of one
 * run. Both ends do the same work for either: write 60 bytes in place, read 60
 * bytes in place, check the order.
 */

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nhn_link.h>

#include "bare_ring.h"

#define BURST 32u
#define BODY 60u
#define REGION_BYTES (1u << 20)
#define ROUNDS_MAX 1000u
/*
 * Pauses of a reader, of either ring, after a poll that found nothing: a reader
 * at the writer's heels takes each line away before it is full.
 */
#define EMPTY_PAUSES 8

enum contestant {
	BARE,
	CHANNEL,
	CONTESTANTS,
};

/* What both processes share beside the rings: rounds in lock-step. */
struct meeting {
	struct bare_ring bare;
	uint32_t reader_round __attribute__((aligned(64))); /* the reader has finished it */
	uint64_t broken;				    /* messages out of order or changed */
};

struct run {
	struct meeting *meeting;
	struct nhn_link link;
	struct bare_end bare;
	uint32_t rounds;
	uint32_t messages; /* a round */
	uint64_t number;   /* of the next message, over all rounds */
	int core[2];
	uint8_t pattern[BODY];
};

static uint64_t
clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
empty_pause(void)
{
	int i;

	for (i = 0; i < EMPTY_PAUSES; i++)
#if defined(__x86_64__)
		__builtin_ia32_pause();
#else
		__asm__ volatile("" : : : "memory");
#endif
}

static void
message_write(const struct run *run, uint8_t *body, uint64_t number)
{
	memcpy(body, &number, sizeof(number));
	memcpy(body + sizeof(number), run->pattern + sizeof(number), BODY - sizeof(number));
}

/* Read every byte; 0 when all is as it was written. */
static uint64_t
message_difference(const struct run *run, const uint8_t *body, uint64_t number)
{
	uint64_t difference = 0;
	uint64_t word[BODY / 8];
	uint64_t wanted[BODY / 8];
	uint32_t last;
	uint32_t last_wanted;
	unsigned int i;

	memcpy(word, body, sizeof(word));
	memcpy(wanted, run->pattern, sizeof(wanted));
	memcpy(&last, body + sizeof(word), sizeof(last));
	memcpy(&last_wanted, run->pattern + sizeof(word), sizeof(last));
	wanted[0] = number;
	for (i = 0; i < BODY / 8; i++)
		difference |= word[i] ^ wanted[i];
	return difference | (last ^ last_wanted);
}

static void
bare_write(struct run *run)
{
	uint64_t number = run->number;
	uint64_t end = number + run->messages;

	while (number != end) {
		uint8_t *body = bare_reserve(&run->bare);

		if (body == NULL)
			continue;
		message_write(run, body, number++);
		bare_commit(&run->bare);
	}
	run->number = number;
}

static void
bare_read(struct run *run)
{
	uint64_t number = run->number;
	uint64_t broken = 0;
	uint64_t end = number + run->messages;

	while (number != end) {
		const uint8_t *body = bare_peek(&run->bare);

		if (body == NULL) {
			empty_pause();
			continue;
		}
		broken += message_difference(run, body, number++) != 0;
		bare_release(&run->bare);
	}
	run->number = number;
	run->meeting->broken += broken;
}

static void
channel_write(struct run *run)
{
	struct nhn_tx *tx = nhn_link_tx(&run->link, 0);
	uint64_t number = run->number;
	uint64_t end = number + run->messages;
	uint32_t calls = 0;

	while (number != end) {
		uint32_t tail = tx->tail;
		uint32_t i;

		for (i = 0; i < BURST && number != end; i++) {
			uint8_t *body = nhn_tx_reserve_at(tx, tail, BODY);

			if (body == NULL)
				break;
			message_write(run, body, number++);
			tail = nhn_tx_commit_at(tx, tail, body, BODY);
		}
		nhn_tx_end(tx, tail);
		if (++calls % 1024 == 0)
			nhn_link_control(&run->link, clock_now_ns());
	}
	run->number = number;
}

static void
channel_read(struct run *run)
{
	struct nhn_rx *rx = nhn_link_rx(&run->link, 0);
	uint64_t number = run->number;
	uint64_t broken = 0;
	uint64_t end = number + run->messages;
	struct nhn_view views[BURST];
	uint32_t calls = 0;

	while (number != end) {
		int seen = nhn_rx_peek(rx, views, BURST);
		int i;

		if (seen == 0)
			empty_pause();
		for (i = 0; i < seen; i++)
			broken += message_difference(run, nhn_foreign_lend(views[i].data),
						     number++) != 0;
		if (seen > 0 && nhn_rx_release(rx) != 0)
			broken++;
		if (++calls % 1024 == 0)
			nhn_link_control(&run->link, clock_now_ns());
	}
	run->number = number;
	run->meeting->broken += broken;
}

/* The order of contestants turns by one each round. */
static enum contestant
contestant_of(uint32_t turn)
{
	uint32_t round = turn / CONTESTANTS;

	return (enum contestant)((turn + round) % CONTESTANTS);
}

static void
pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return;
	fprintf(stderr, "rate: core %d cannot be used (%s): name two of this machine's\n", core,
		strerror(errno));
	exit(2);
}

static void
link_up(struct run *run, enum nhn_role role, void *memory)
{
	struct nhn_link_config config = {.use = NHN_USE_RAW, .random = 2};
	struct nhn_refusal refusal;

	nhn_layout_uniform(&config.layout, 1, NHN_USE_RAW, BARE_CELLS, 0);
	nhn_link_joint(&config, role, memory, REGION_BYTES);
	if (nhn_link_init(&run->link, &config, &refusal) != 0)
		abort();
	while (nhn_link_control(&run->link, clock_now_ns()) != NHN_LINK_UP)
		;
}

static void
reader(struct run *run)
{
	uint32_t turn;

	for (turn = 0; turn < run->rounds * CONTESTANTS; turn++) {
		if (contestant_of(turn) == BARE)
			bare_read(run);
		else
			channel_read(run);
		nhn_store_release(&run->meeting->reader_round, turn + 1);
	}
}

static void
writer(struct run *run, double rate[CONTESTANTS][ROUNDS_MAX])
{
	uint32_t turn;

	for (turn = 0; turn < run->rounds * CONTESTANTS; turn++) {
		enum contestant who = contestant_of(turn);
		uint64_t begin = clock_now_ns();

		if (who == BARE)
			bare_write(run);
		else
			channel_write(run);
		while (nhn_load_acquire(&run->meeting->reader_round) != turn + 1)
			nhn_link_control(&run->link, clock_now_ns());
		rate[who][turn / CONTESTANTS] =
			(double)run->messages * 1e3 / (double)(clock_now_ns() - begin);
	}
}

static int
ascending(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static void
print_sorted(const char *name, double *values, uint32_t count, const char *unit)
{
	qsort(values, count, sizeof(*values), ascending);
	printf("%-28s median %8.2f %s (quartiles %.2f to %.2f)\n", name, values[count / 2], unit,
	       values[count / 4], values[count - 1 - count / 4]);
}

static int
report(struct run *run, double rate[CONTESTANTS][ROUNDS_MAX])
{
	static double ratio[ROUNDS_MAX];
	uint32_t i;

	for (i = 0; i < run->rounds; i++)
		ratio[i] = rate[CHANNEL][i] / rate[BARE][i];
	printf("%u rounds of %u messages of %u bytes each, bursts of %u, cores %d and %d\n",
	       run->rounds, run->messages, BODY, BURST, run->core[0], run->core[1]);
	print_sorted("bare ring", rate[BARE], run->rounds, "M messages/s");
	print_sorted("channel", rate[CHANNEL], run->rounds, "M messages/s");
	print_sorted("channel / bare ring, a round", ratio, run->rounds, "x");
	printf("out of order, lost or changed: %llu\n", (unsigned long long)run->meeting->broken);
	return run->meeting->broken == 0 ? 0 : 1;
}

static void *
shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	fprintf(stderr, "rate: no %zu bytes of shared memory: %s\n", bytes, strerror(errno));
	exit(1);
}

static void
usage(FILE *out)
{
	fputs("usage: rate [--rounds 1..1000] [--messages N] [--cores WRITER,READER]\n"
	      "Rate of 60-byte messages: the channel beside a bare ring, in rotated rounds.\n",
	      out);
}

static unsigned long
number_or_exit(const char *text, const char *option, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text != '\0' && *end == '\0' && value >= 1 && value <= most)
		return value;
	fprintf(stderr, "rate: %s is '%s', expected 1 to %lu\n", option, text, most);
	exit(2);
}

static void
options_parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"messages", required_argument, NULL, 'm'},
		{"cores", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r') {
			run->rounds = (uint32_t)number_or_exit(optarg, "--rounds", ROUNDS_MAX);
		} else if (option == 'm') {
			run->messages = (uint32_t)number_or_exit(optarg, "--messages", 1u << 30);
		} else if (option == 'c') {
			if (sscanf(optarg, "%d,%d", &run->core[0], &run->core[1]) == 2)
				continue;
			fprintf(stderr, "rate: --cores is '%s', expected two, as 0,1\n", optarg);
			exit(2);
		} else {
			usage(option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
}

int
main(int argc, char **argv)
{
	static struct run run = {.rounds = 61, .messages = 2000000, .core = {0, 1}};
	static double rate[CONTESTANTS][ROUNDS_MAX];
	void *memory = shared_memory(REGION_BYTES);
	pid_t child;
	unsigned int i;

	options_parse(&run, argc, argv);
	run.meeting = shared_memory(sizeof(*run.meeting));
	run.bare.ring = &run.meeting->bare;
	for (i = 0; i < BODY; i++)
		run.pattern[i] = (uint8_t)(i * 37 + 11);
	fflush(stdout);
	child = fork();
	if (child < 0) {
		perror("rate: fork");
		return 1;
	}
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(run.core[1]);
		link_up(&run, NHN_ROLE_GUEST, memory);
		reader(&run);
		_exit(0);
	}
	pin(run.core[0]);
	link_up(&run, NHN_ROLE_HOST, memory);
	writer(&run, rate);
	waitpid(child, NULL, 0);
	return report(&run, rate);
}
