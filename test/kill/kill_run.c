/* SPDX-License-Identifier: BSD-3-Clause */
/* A run: rounds of one injury each, then a quiet end in which all that is owed must come. */

#include <errno.h>

#include "kill_driver.h"
#include "process.h"

/* A point that is not passed by then: the side is killed or stopped where it is. */
#define PATIENCE_US 500000u

static bool
stands(const struct kill_driver *driver, uint32_t who)
{
	return driver->pid[who] == 0 || driver->stopped[who];
}

/* Whoever has no life gets one, in the order of the plan. */
static void
begin_dead(struct kill_driver *driver, const struct kill_injury *injury, bool armed)
{
	uint32_t i;

	for (i = 0; i < 2; i++) {
		uint32_t who = i == 0 ? injury->first : 1 - injury->first;

		if (driver->pid[who] != 0)
			continue;
		kill_begin(driver, who, armed && who == injury->who ? injury : NULL);
		if (i == 0 && driver->pid[1 - who] == 0)
			process_rest_us(injury->gap_us);
	}
}

/* What makes the side pass its point. */
static void
provoke(struct kill_driver *driver, const struct kill_injury *injury)
{
	uint32_t who = injury->who;

	switch (injury->cause) {
	case KILL_BY_OWN_START:
		if (driver->pid[who] != 0)
			kill_now(driver, who);
		begin_dead(driver, injury, true);
		break;
	case KILL_BY_PEER_START:
		kill_arm(driver, who, injury);
		kill_now(driver, 1 - who);
		kill_begin(driver, 1 - who, NULL);
		break;
	case KILL_BY_FINISH:
		kill_arm(driver, who, injury);
		nhn_store_release(&driver->ledger->order[who].finish, 1);
		break;
	case KILL_BY_NOTHING:
		kill_arm(driver, who, injury);
		break;
	}
}

static void
injure_here(struct kill_driver *driver, const struct kill_injury *injury)
{
	if (injury->action == KILL_DEAD)
		kill_now(driver, injury->who);
	else
		kill_stop(driver, injury->who);
}

static void
at_random_instant(struct kill_driver *driver, const struct kill_injury *injury)
{
	process_rest_us(injury->instant_us);
	injure_here(driver, injury);
	driver->totals->random_hits[injury->who][injury->action]++;
}

static void
at_point(struct kill_driver *driver, const struct kill_injury *injury)
{
	const struct kill_status *status = &driver->ledger->status[injury->who];
	uint32_t until_us = kill_now_us(driver) + PATIENCE_US;
	bool peer_was_up = false;

	driver->totals->meant[injury->point][injury->who][injury->action]++;
	while (!stands(driver, injury->who) && kill_now_us(driver) < until_us) {
		peer_was_up = driver->ledger->status[1 - injury->who].state == NHN_LINK_UP + 1u;
		kill_wait(driver);
	}
	if (nhn_load_acquire(&status->hit) != 0) {
		driver->totals->hits[injury->point][injury->who][injury->action]++;
		driver->since_us = status->hit_us;
		driver->peer_was_up = peer_was_up;
		driver->starting = false;
	}
	driver->ledger->order[injury->who].armed = 0;
	if (!stands(driver, injury->who))
		injure_here(driver, injury);
}

/* A stopped process is not gone: nobody can take its place. */
static void
try_second(struct kill_driver *driver, uint32_t who)
{
	struct nhn_region second;
	int ret;

	if (!nhn_load_acquire(&driver->ledger->status[who].locked))
		return;
	ret = process_region_open(&second, (enum nhn_role)(who + 1), driver->path,
				  KILL_REGION_BYTES);
	if (ret != -EBUSY)
		KILL_FAIL(driver, "a second one beside a stopped one: %d, expected -EBUSY", ret);
	driver->totals->refused++;
}

static void
wait_end(struct kill_driver *driver, uint32_t who)
{
	while (driver->pid[who] != 0)
		kill_wait(driver);
}

/* The peer's own deaths, while the side is dead or stopped. */
static void
kill_peer(struct kill_driver *driver, const struct kill_injury *injury)
{
	uint32_t peer = 1 - injury->who;
	uint32_t i;

	for (i = 0; i < injury->peer_deaths; i++) {
		if (driver->pid[peer] == 0)
			kill_begin(driver, peer, NULL);
		process_rest_us(injury->peer_after_us[i]);
		kill_now(driver, peer);
	}
	if (driver->pid[peer] == 0 && injury->peer_early)
		kill_begin(driver, peer, NULL);
}

static void
recover(struct kill_driver *driver, const struct kill_injury *injury)
{
	uint32_t who = injury->who;

	if (driver->stopped[who])
		try_second(driver, who);
	kill_peer(driver, injury);
	process_rest_us(injury->pause_us);
	if (injury->peer_deaths == 0)
		kill_note_told(driver, who);
	if (driver->stopped[who] && injury->killed_stopped)
		kill_now(driver, who);
	else if (driver->stopped[who])
		kill_continue(driver, who);
	if (driver->ledger->order[who].finish)
		wait_end(driver, who);
	begin_dead(driver, injury, false);
}

/* More messages for each channel, each way. */
static void
allow(struct kill_driver *driver)
{
	uint32_t i;

	for (i = 0; i < 2 * KILL_CHANNELS; i++) {
		struct kill_way *way = &driver->ledger->way[i % 2][i / 2];

		nhn_store_release(&way->allowed, way->allowed + KILL_PACE);
	}
}

static void
play(struct kill_driver *driver, const struct kill_injury *injury)
{
	allow(driver);
	if (injury->wait_up)
		kill_wait_up(driver);
	provoke(driver, injury);
	if (injury->point == KILL_NO_POINT)
		at_random_instant(driver, injury);
	else
		at_point(driver, injury);
	recover(driver, injury);
}

/* A few last messages, whatever is left of the former rounds: a machine with much else to
 * do carries no more than a ring each time it comes round. Then nothing is sent any more. */
static void
quieten(struct kill_driver *driver)
{
	struct kill_ledger *ledger = driver->ledger;
	uint32_t i;

	for (i = 0; i < 2 * KILL_CHANNELS; i++) {
		struct kill_way *way = &ledger->way[i % 2][i / 2];

		nhn_store_release(&way->allowed, nhn_load_acquire(&way->intended) + KILL_LAST);
	}
	for (i = 0; i < 2; i++)
		nhn_store_release(&ledger->order[i].quiet, 1);
	for (i = 0; i < 2; i++)
		while (nhn_load_acquire(&ledger->status[i].quiet) == 0)
			kill_wait(driver);
}

static bool
last_has_come(const struct kill_way *way)
{
	uint32_t sent = nhn_load_acquire(&way->intended);
	uint32_t delivered = nhn_load_acquire(&way->delivered);

	return sent >= way->allowed && delivered != 0 && way->got[delivered - 1].number == sent - 1;
}

static void
wait_last(struct kill_driver *driver)
{
	struct nhn_layout layout;
	uint32_t i;

	kill_layout(&layout, driver->ledger->order[0].layout);
	for (i = 0; i < 2 * layout.channels; i++)
		while (!last_has_come(&driver->ledger->way[i % 2][i / 2]))
			kill_wait(driver);
}

void
kill_run(struct kill_driver *driver)
{
	uint32_t i;

	for (i = 0; i < KILL_ROUNDS; i++)
		play(driver, &driver->plan->round[i]);
	kill_wait_up(driver);
	quieten(driver);
	wait_last(driver);
	kill_finish(driver);
	kill_judge(driver);
}
