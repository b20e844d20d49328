/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends of a link as two threads on one memory block, for ThreadSanitizer: messages of all
 * forms both ways, lives that end anywhere, layouts that change.
 *
 * usage: threads_test LIVES SEED same|other
 * other: a new life of the host lays down other channels */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "side.h"

#define SECONDS 600u

static struct side host, guest;
static struct side_flags flags[2];
static uint8_t memory[2 * SIDE_AREA_BYTES] __attribute__((aligned(4096)));

/* One failed side would be waited for by the other for ever. */
static void
end_failed(const char *who, const char *sentence)
{
	fprintf(stderr, "threads_test: %s: %s\n", who, sentence);
	_exit(1);
}

static void *
side_main(void *context)
{
	/* Not sched_yield(): whoever yields often stands behind all others (Linux 6.6). */
	static const struct timespec rest = {.tv_nsec = 1000};
	struct side *side = context;

	while (side_turn(side))
		if (side->turns % 64 == 0)
			nanosleep(&rest, NULL); /* the peer may need this CPU */
	if (side->failed != NULL)
		end_failed(side == &host ? "host" : "guest", side->failed);
	return NULL;
}

static uint32_t
sum(const struct side_ledger *ledger)
{
	uint32_t messages = 0;
	uint32_t i;

	for (i = 0; i < ledger->rows; i++)
		messages += ledger->row[i].messages;
	return messages;
}

static void
say_work(const char *who, const struct side *side)
{
	printf("%s: %u lives, %u turns; per channel", who, side->lives, side->turns);
	for (uint32_t i = 0; i < SIDE_CHANNELS; i++)
		printf(" %u sent in %u pairings, %u taken%s", sum(&side->sent[i]),
		       side->sent[i].rows, sum(&side->taken[i]), i < 2 ? ";" : "\n");
}

int
main(int count, char **arguments)
{
	struct side_plan plan = {
		.life = 4000, .last = 500, .longest = SIDE_MESSAGE_MAX, .stir = 16, .rude = 1000};
	pthread_t thread[2];
	const char *sentence;
	uint64_t seed;

	if (count != 4) {
		fprintf(stderr, "usage: threads_test LIVES SEED same|other\n");
		return 2;
	}
	alarm(SECONDS); /* makes a failure out of a hang */
	plan.lives = (uint32_t)strtoul(arguments[1], NULL, 0);
	seed = strtoull(arguments[2], NULL, 0);
	plan.same_layout = strcmp(arguments[3], "same") == 0;
	side_memory_age(memory);
	side_open(&host, NHN_ROLE_HOST, memory, flags, &plan, seed);
	side_open(&guest, NHN_ROLE_GUEST, memory, flags, &plan, seed);
	if (pthread_create(&thread[0], NULL, side_main, &host) != 0 ||
	    pthread_create(&thread[1], NULL, side_main, &guest) != 0)
		end_failed("main", "a thread could not be started");
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	sentence = sides_compare(&host, &guest);
	if (sentence != NULL)
		end_failed("compare", sentence);
	say_work("host", &host);
	say_work("guest", &guest);
	return 0;
}
