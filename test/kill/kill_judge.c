/* SPDX-License-Identifier: BSD-3-Clause */
/* The verdict on a run, by what both sides wrote down. That each message was whole, was
 * meant for this life and came with -ESTALE between two lives, its reader has checked. */

#include "kill_driver.h"

static const char *const way_name[] = {"host to guest", "guest to host"};

/* What became of the messages of one direction. */
struct fate {
	uint32_t lost;	  /* commit returned, never delivered */
	uint32_t unknown; /* killed at the commit, never delivered */
};

/* In order, at most once, only what was sent; of those sent for one life of the reader a
 * first part; for its last life all. */
static void
judge_channel(const struct kill_driver *driver, uint32_t writer, uint32_t channel,
	      struct fate *fate)
{
	const struct kill_way *way = &driver->ledger->way[writer][channel];
	uint32_t last = driver->ledger->status[1 - writer].session;
	uint32_t dead = 0, g = 0;
	uint32_t number;

	for (number = 0; number < way->intended; number++) {
		uint32_t to = way->to[number];

		if (g < way->delivered && way->got[g].number == number) {
			if (way->got[g].session != to || to == dead)
				KILL_FAIL(
					driver,
					"%s, channel %u: message %u for session %u was delivered to"
					" %u, though one before it was lost, or to a wrong one",
					way_name[writer], channel, number, to, way->got[g].session);
			g++;
		} else if (way->done[number]) {
			dead = to;
			if (dead == last)
				KILL_FAIL(driver,
					  "%s, channel %u: message %u was committed for session %u,"
					  " which never restarted, and was not delivered",
					  way_name[writer], channel, number, to);
			fate->lost++;
		} else {
			fate->unknown++;
		}
	}
	if (g != way->delivered)
		KILL_FAIL(driver,
			  "%s, channel %u: delivery %u was message %u: twice, invented or out of"
			  " order",
			  way_name[writer], channel, g, way->got[g].number);
}

static void
judge_count(const struct kill_driver *driver, uint32_t writer, const struct fate *fate)
{
	const struct kill_status *status = driver->ledger->status;
	uint32_t counted = status[writer].discarded;
	uint32_t most = fate->lost + fate->unknown + driver->read_untold[writer] +
			driver->counted_twice[writer];

	if (counted != status[1 - writer].peer_discarded)
		KILL_FAIL(driver, "%s: the writer counts %u discarded, its peer reads %u",
			  way_name[writer], counted, status[1 - writer].peer_discarded);
	if (counted < fate->lost || counted > most)
		KILL_FAIL(driver,
			  "%s: %u counted as discarded, expected %u lost, at most %u killed at"
			  " their commit, %u read and not published, %u counted twice",
			  way_name[writer], counted, fate->lost, fate->unknown,
			  driver->read_untold[writer], driver->counted_twice[writer]);
}

void
kill_judge(const struct kill_driver *driver)
{
	uint32_t writer, channel;

	for (writer = 0; writer < 2; writer++) {
		struct fate fate = {0, 0};

		for (channel = 0; channel < KILL_CHANNELS; channel++) {
			judge_channel(driver, writer, channel, &fate);
			driver->totals->messages += driver->ledger->way[writer][channel].delivered;
		}
		judge_count(driver, writer, &fate);
		driver->totals->discarded += driver->ledger->status[writer].discarded;
	}
}
