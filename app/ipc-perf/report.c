/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <rte_lcore.h>
#include <rte_version.h>

#include <nhn_link_text.h>
#include <nhn_percentiles.h>

#include "report.h"
#include "say.h"

/** The ratio at place @p quarters of 4, by nearest rank. */
static double
ratio_at(const struct results *results, uint32_t quarters)
{
	uint32_t last = results->rounds_kept - 1;

	return results->ratios[(last * quarters + 2) / 4];
}

struct ratio_spread
report_ratios(const struct results *results)
{
	struct ratio_spread spread = {.median = 0};

	if (results->rounds_kept == 0)
		return spread;
	spread.min = ratio_at(results, 0);
	spread.quarter = ratio_at(results, 1);
	spread.median = ratio_at(results, 2);
	spread.three_quarters = ratio_at(results, 3);
	spread.max = ratio_at(results, 4);
	return spread;
}

bool
report_met(const struct results *results)
{
	const struct ping *ping = &results->ping;

	return results->outcome == OUTCOME_OK && results->rounds_kept != 0 && ping->lost == 0 &&
	       ping->duplicates == 0 && ping->misordered == 0 && ping->corrupt == 0;
}

static void
print_configuration(const struct options *options, const struct way *way,
		    const struct results *results)
{
	const struct link_option *link = &options->link;
	struct utsname kernel;
	char **word;

	uname(&kernel);
	printf("ipc-perf %s, ping, closed loop: one message at a time, round trips on one clock\n",
	       IPC_PERF_VERSION);
	printf("  command  ");
	for (word = options->argv; *word != NULL; word++)
		printf(" %s", *word);
	printf("\n  link      %s, %s %s", link->peer != NULL ? "split" : "joint",
	       link->pci ? "pci" : "file", link->pci ? link->bdf : link->path);
	if (link->peer != NULL)
		printf(", reads %s", link->peer);
	printf(", %s, via %s\n", options_role_name(link->role), options_via_name(options->via));
	printf("  message   %" PRIu32 " bytes, of which %" PRIu32 " of Ethernet header\n",
	       options->bytes, way->calls->overhead_bytes);
	printf("  samples   %" PRIu64 " asked for, in rounds of %" PRIu64
	       "; warm-up of %u messages and %u limit trips left out\n",
	       options->samples, results->round_messages, WARMUP_TRIPS, LIMIT_TRIPS);
	printf("  core      %d (the other end says its own)\n",
	       rte_lcore_to_cpu_id((int)rte_get_main_lcore()));
	printf("  clock     %" PRIu64 " Hz, error at most %.3f ppm\n", way->clock->hz,
	       way->clock->error_ppm);
	printf("  system    %s %s %s, %s\n", kernel.sysname, kernel.release, kernel.machine,
	       rte_version());
}

/** What a reader must know before the figures. */
static void
print_warnings(const struct results *results)
{
	const uint32_t run = results->rounds_kept + results->rounds_dropped;

	if (results->outcome == OUTCOME_STOPPED)
		printf("STOPPED by a signal: these are the rounds until then.\n");
	else if (results->outcome == OUTCOME_LOST)
		printf("CUT OFF, the link's memory was lost: these are the rounds until then.\n");
	else if (results->outcome == OUTCOME_GONE)
		printf("CUT OFF, the link was %s: these are the rounds until then.\n",
		       nhn_link_state_text(results->state));
	else if (!results->complete)
		printf("WARNING: %" PRIu32 " rounds were run and only %" PRIu32 " of %" PRIu32
		       " planned had a steady limit: this machine is too noisy for this figure.\n",
		       run, results->rounds_kept, results->rounds_planned);
}

int
report_text(const struct options *options, const struct way *way, const struct results *results)
{
	const struct ratio_spread ratio = report_ratios(results);
	const struct ping *ping = &results->ping;

	print_configuration(options, way, results);
	print_warnings(results);
	nhn_percentiles_print(stdout, "round trip", &results->rtt);
	nhn_percentiles_print(stdout, "limit: round trip of one 32-bit word, a line each way",
			      &results->limit);
	printf("messages    lost %" PRIu64 ", duplicates %" PRIu64 ", misordered %" PRIu64
	       ", corrupt %" PRIu64 "; restarts of pong %" PRIu64 "\n",
	       ping->lost, ping->duplicates, ping->misordered, ping->corrupt, results->restarts);
	printf("rounds      kept %" PRIu32 ", dropped %" PRIu32
	       " (limit before and after differed by more than %.0f %%)\n",
	       results->rounds_kept, results->rounds_dropped, LIMIT_DRIFT * 100);
	printf("this thread minor faults %" PRId64 ", major faults %" PRId64
	       ", voluntary switches %" PRId64 ", involuntary switches %" PRId64 "\n",
	       results->usage.minor_faults, results->usage.major_faults,
	       results->usage.voluntary_switches, results->usage.involuntary_switches);
	if (results->rounds_kept == 0)
		printf("ratio p50   -\n");
	else
		printf("ratio p50   %.3f over the limit: median of rounds; quartiles %.3f to %.3f,"
		       " range %.3f to %.3f\n",
		       ratio.median, ratio.quarter, ratio.three_quarters, ratio.min, ratio.max);
	if (fflush(stdout) == 0)
		return 0;
	say("The report could not be written to stdout (%m), expected that it can: see the disk or"
	    " pipe behind it.");
	return -EIO;
}
