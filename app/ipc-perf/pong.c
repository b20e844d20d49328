/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>

#include "pong.h"

static const char *
end_text(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_OK:
		return "ping ended it";
	case OUTCOME_LOST:
		return "the link's memory is lost";
	default:
		return "stopped by a signal";
	}
}

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
	       end_text(outcome), pong.answered, pong.limit_trips, pong.dropped, pong.strange);
	return outcome;
}
