/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a restart takes, and how long until a death is told: under traffic, at random
 * instants, with the heartbeat that a host has by default. */

#include "kill_driver.h"
#include "pattern.h"
#include "process.h"

#define KILL_WITHIN_US 2000u
#define LIFE_SECONDS 3600u /* of one side, through all deaths of the other */

/* @p sides: 1 host, 2 guest, 3 both. */
static void
end_sides(struct kill_driver *driver, uint32_t sides, uint64_t *random)
{
	uint32_t who;

	driver->deadline_ns = process_now_ns() + KILL_SECONDS * UINT64_C(1000000000);
	kill_wait_up(driver);
	process_rest_us(pattern_below(random, KILL_WITHIN_US));
	for (who = 0; who < 2; who++)
		if (sides & 1u << who)
			kill_now(driver, who);
}

static void
begin_sides(struct kill_driver *driver, uint32_t sides)
{
	uint32_t who;

	for (who = 0; who < 2; who++)
		if (sides & 1u << who)
			kill_begin(driver, who, NULL);
}

static void
measure_up(struct kill_driver *driver, uint32_t sides, uint32_t count, uint64_t *random)
{
	static const char *const what[] = {"host", "guest", "both"};
	struct nhn_histogram *up = &driver->totals->up;
	char name[64];
	uint32_t i;

	kill_wait_up(driver);
	nhn_histogram_init(up);
	for (i = 0; i < count; i++) {
		end_sides(driver, sides, random);
		begin_sides(driver, sides);
	}
	kill_wait_up(driver);
	snprintf(name, sizeof(name), "up again, %s killed", what[sides - 1]);
	kill_print_times(name, up);
}

static void
measure_told(struct kill_driver *driver, uint32_t count, uint64_t *random)
{
	const struct kill_status *status = driver->ledger->status;
	struct nhn_histogram *told = &driver->totals->told;
	uint32_t i;

	nhn_histogram_init(told);
	for (i = 0; i < count; i++) {
		uint32_t who = i % 2;

		end_sides(driver, 1u << who, random);
		while (nhn_load_acquire(&status[1 - who].state) != NHN_LINK_STALLED + 1u)
			kill_wait(driver);
		kill_note_told(driver, who);
		begin_sides(driver, 1u << who);
	}
	kill_print_times("death told", told);
}

void
kill_measure(struct kill_driver *driver, uint32_t count)
{
	uint64_t random = driver->plan->seed;
	uint32_t sides, i;

	driver->ledger->life_seconds = LIFE_SECONDS;
	driver->ledger->beat_period_us = NHN_BEAT_PERIOD_US;
	for (i = 0; i < 2 * KILL_CHANNELS; i++)
		driver->ledger->way[i % 2][i / 2].allowed = UINT32_MAX;
	begin_sides(driver, 3);
	for (sides = 1; sides <= 3; sides++)
		measure_up(driver, sides, count, &random);
	measure_told(driver, count < 200 ? count : 200, &random);
	printf("%-22s %u ms: %u us times %u\n", "the heartbeat's limit",
	       NHN_BEAT_PERIOD_US * NHN_BEAT_MISSES / 1000, NHN_BEAT_PERIOD_US, NHN_BEAT_MISSES);
	kill_finish(driver);
}
