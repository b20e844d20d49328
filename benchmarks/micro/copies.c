/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which way of copying a long message is fast: by its size and by the ring's.
 * Messages of lib/msg from one process to another, copied in and copied out, by
 * each policy in rotated rounds of one run. Prints the rate of the plain copy,
 * and the others as medians of their ratios to it in the same round.
 */

#include <nhn_endpoint.h>

#include "duel.h"

#define RINGS 5u
#define SIZES 7u
#define POLICIES 6u
#define CELLS 1024u
#define REGION_BYTES (512u << 20)
#define NEVER UINT32_MAX

/* The last one is larger than the caches of most machines. */
static const uint32_t ring_bytes[RINGS] = {64u << 10, 256u << 10, 1u << 20, 4u << 20, 128u << 20};
static const uint32_t message_bytes[SIZES] = {256, 1024, 1500, 4096, 16384, 65536, 1u << 20};

static const struct {
	const char *name;
	struct nhn_msg_policy policy;
} contestants[POLICIES] = {
	{"plain", {16384, 0, NEVER, 0}},	{"fetch", {16384, 2048, NEVER, 0}},
	{"stream", {16384, 0, 0, NEVER}},	{"plain/4K", {4096, 0, NEVER, 0}},
	{"fetch/64K", {65536, 2048, NEVER, 0}}, {"default", {0, 0, 0, 0}},
};

/* What both processes share beside the link. */
struct meeting {
	uint32_t reader_turn __attribute__((aligned(64))); /* the reader has finished it */
	uint64_t broken;				   /* messages out of order or changed */
};

struct run {
	struct duel duel;
	struct meeting *meeting;
	struct nhn_link link;
	struct nhn_endpoint endpoint;
	uint8_t *bytes; /* of one message */
	uint64_t number;
	double rate[POLICIES][DUEL_ROUNDS_MAX];
};

static uint64_t
now_ns(void *context)
{
	(void)context;
	return duel_now_ns();
}

/* Of one turn: --messages is in units of 64 KiB. */
static uint32_t
message_count(const struct run *run, uint32_t bytes)
{
	uint64_t count = (uint64_t)run->duel.messages * 65536 / bytes;

	return count < 8 ? 8 : (uint32_t)count;
}

/* The number stands at both ends of a message. */
static void
number_write(struct run *run, uint32_t bytes)
{
	memcpy(run->bytes, &run->number, sizeof(run->number));
	memcpy(run->bytes + bytes - sizeof(run->number), &run->number, sizeof(run->number));
	run->number++;
}

static void
number_check(struct run *run, uint32_t bytes)
{
	if (memcmp(run->bytes, &run->number, sizeof(run->number)) != 0 ||
	    memcmp(run->bytes + bytes - sizeof(run->number), &run->number, sizeof(run->number)) !=
		    0)
		run->meeting->broken++;
	run->number++;
}

static void
write_turn(struct run *run, uint32_t ring, uint32_t bytes, const struct nhn_msg_policy *policy)
{
	struct iovec memory = {run->bytes, bytes};
	struct nhn_message_head head = {.length = bytes};
	uint32_t count = message_count(run, bytes);
	uint32_t i;

	run->endpoint.tx[ring].policy = policy;
	for (i = 0; i < count; i++) {
		number_write(run, bytes);
		if (nhn_endpoint_send_wait(&run->endpoint, ring, &head, &memory, 1, NHN_NEVER_NS) !=
		    0)
			abort();
	}
}

static void
read_turn(struct run *run, uint32_t ring, uint32_t bytes)
{
	struct iovec memory = {run->bytes, bytes};
	struct nhn_msg_buffer buffer;
	uint32_t count = message_count(run, bytes);
	uint32_t i;

	nhn_msg_buffer_init(&buffer, &memory, 1);
	for (i = 0; i < count; i++) {
		if (nhn_endpoint_receive_wait(&run->endpoint, ring, &buffer, NHN_NEVER_NS) != 0)
			abort();
		number_check(run, bytes);
	}
}

/* All policies at one size and ring. */
static void
write_case(struct run *run, uint32_t ring, uint32_t bytes, uint32_t *turns)
{
	uint32_t turn;

	for (turn = 0; turn < run->duel.rounds * POLICIES; turn++) {
		uint32_t who = duel_contestant(turn, POLICIES);
		uint64_t begin = duel_now_ns();

		write_turn(run, ring, bytes,
			   who == POLICIES - 1 ? &nhn_msg_policy_default
					       : &contestants[who].policy);
		++*turns;
		while (nhn_load_acquire(&run->meeting->reader_turn) != *turns)
			nhn_endpoint_advance(&run->endpoint);
		run->rate[who][turn / POLICIES] =
			(double)message_count(run, bytes) * bytes / (double)(duel_now_ns() - begin);
	}
}

static void
report_case(struct run *run, uint32_t ring, uint32_t bytes)
{
	static double ratio[DUEL_ROUNDS_MAX];
	uint32_t who, i;

	printf("%6u %8u", ring_bytes[ring] >> 10, bytes);
	for (who = 1; who < POLICIES; who++) {
		for (i = 0; i < run->duel.rounds; i++)
			ratio[i] = run->rate[who][i] / run->rate[0][i];
		printf(" %10.2f", duel_median(ratio, run->duel.rounds));
	}
	printf(" %10.2f\n", duel_median(run->rate[0], run->duel.rounds));
	fflush(stdout);
}

static void
writer(struct run *run)
{
	uint32_t turns = 0;
	uint32_t ring, size, who;

	printf("%6s %8s", "KiB of", "bytes a");
	for (who = 1; who < POLICIES; who++)
		printf(" %10s", contestants[who].name);
	printf(" %10s\n%6s %8s%*s over plain%*s plain GB/s\n", "", "ring", "message", 40, "", 5,
	       "");
	for (ring = 0; ring < RINGS; ring++)
		for (size = 0; size < SIZES; size++) {
			write_case(run, ring, message_bytes[size], &turns);
			report_case(run, ring, message_bytes[size]);
		}
}

static void
reader(struct run *run)
{
	uint32_t turns = 0;
	uint32_t ring, size, turn;

	for (ring = 0; ring < RINGS; ring++)
		for (size = 0; size < SIZES; size++)
			for (turn = 0; turn < run->duel.rounds * POLICIES; turn++) {
				read_turn(run, ring, message_bytes[size]);
				nhn_store_release(&run->meeting->reader_turn, ++turns);
			}
}

static void
side_begin(struct run *run, enum nhn_role role, void *memory)
{
	struct nhn_layout layout;
	uint32_t i;

	nhn_layout_uniform(&layout, RINGS, NHN_USE_MSG, CELLS, 0);
	for (i = 0; i < RINGS; i++)
		layout.entry[i].data_bytes = ring_bytes[i];
	duel_pin(&run->duel, role == NHN_ROLE_HOST ? 0 : 1);
	duel_link_up(&run->link, role, &layout, memory, REGION_BYTES);
	nhn_endpoint_init(&run->endpoint, &run->link, now_ns, NULL);
	run->bytes = calloc(1, 1u << 20);
	if (run->bytes == NULL)
		abort();
}

int
main(int argc, char **argv)
{
	static struct run run = {
		.duel = {.name = "copies", .rounds = 15, .messages = 128, .core = {0, 1}}};
	void *memory;
	pid_t child;

	duel_options(&run.duel,
		     "Ways of copying long messages, by size and ring; N is in units of 64 KiB.",
		     argc, argv);
	memory = duel_memory(&run.duel, REGION_BYTES);
	run.meeting = duel_memory(&run.duel, sizeof(*run.meeting));
	child = duel_fork(&run.duel);
	if (child == 0) {
		side_begin(&run, NHN_ROLE_GUEST, memory);
		reader(&run);
		_exit(0);
	}
	side_begin(&run, NHN_ROLE_HOST, memory);
	writer(&run);
	waitpid(child, NULL, 0);
	printf("out of order, lost or changed: %llu\n", (unsigned long long)run.meeting->broken);
	return run.meeting->broken == 0 ? 0 : 1;
}
