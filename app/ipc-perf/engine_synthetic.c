/* SPDX-License-Identifier: BSD-3-Clause */
/* A source of known samples, through the same recording and the same reports as any other. */

#include "run.h"

/** Sample i of a run is i ns: the rank rule makes percentile p the value ceil(p * N). */
static enum outcome
synthetic_round(struct run *run)
{
	uint64_t first = run->result->latency.total + 1;
	uint64_t i;

	for (i = 0; i < run->round_messages; i++)
		nhn_histogram_record(run->round, first + i);
	return OUTCOME_OK;
}

const struct engine engine_synthetic = {
	.name = "synthetic",
	.help = "No link: sample i is i ns, for 1 to --samples, so that every percentile of every"
		" report is known. To check a tool chain, this one included.",
	.loop = "none",
	.latency = "known values",
	.round = synthetic_round,
};
