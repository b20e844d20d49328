/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_internal.h"

void
nhn_check_sample_free(struct check_moment *moment)
{
	free(moment->interrupts);
	free(moment->stat);
	free(moment->threads);
	memset(moment, 0, sizeof(*moment));
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
wait_ms(unsigned int ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&time, &time) != 0)
		;
}

/* What cannot be read is NULL: the checks say so. */
static int
read_moment(const struct nhn_check *check, bool second, struct check_moment *moment)
{
	if (second) {
		moment->interrupts_rc =
			nhn_check_read_second(check, &moment->interrupts, "proc/interrupts");
		moment->stat_rc = nhn_check_read_second(check, &moment->stat, "proc/stat");
		return nhn_check_threads_read(
			check, check->second[0] != '\0' ? "after/proc" : "proc", moment);
	}
	moment->interrupts_rc = nhn_check_read_all(check, &moment->interrupts, "proc/interrupts");
	moment->stat_rc = nhn_check_read_all(check, &moment->stat, "proc/stat");
	return nhn_check_threads_read(check, "proc", moment);
}

int
nhn_check_sample(struct nhn_check *check)
{
	const unsigned int ms =
		check->config.sample_ms != 0 ? check->config.sample_ms : NHN_CHECK_SAMPLE_MS;
	double begun;
	int rc;

	if (check->sampled)
		return 0;
	begun = now();
	rc = read_moment(check, false, &check->before);
	if (rc == 0 && check->second[0] == '\0')
		wait_ms(ms);
	check->seconds = check->second[0] == '\0' ? now() - begun : ms / 1e3;
	if (rc == 0)
		rc = read_moment(check, true, &check->after);
	if (rc != 0) {
		nhn_check_sample_free(&check->before);
		nhn_check_sample_free(&check->after);
		return rc;
	}
	check->sampled = true;
	return 0;
}
