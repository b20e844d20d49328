/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>

#include "pong.h"

enum outcome
pong_run(struct way *way)
{
	struct pong pong = {.answered = 0};
	enum outcome outcome;

	printf("pong: serving until ping ends it or ^C\n");
	fflush(stdout);
	outcome = way->calls->serve(way, &pong);
	printf("pong: %s; answered %" PRIu64 ", limit trips %" PRIu64 ", dropped %" PRIu64
	       ", strange %" PRIu64 "\n",
	       outcome == OUTCOME_OK ? "ping ended it" : "stopped by a signal", pong.answered,
	       pong.limit_trips, pong.dropped, pong.strange);
	return outcome;
}
