/* SPDX-License-Identifier: BSD-3-Clause */

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <nhn_region.h>

#include "measure.h"

/* So many that the clock's own time does not count: 25 ns over 256 loads. */
#define LOADS 256
#define ROUNDS 101

static double
now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int
compare(const void *one, const void *other)
{
	const double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

/* Each address depends on the value before, so that no two loads overlap. */
static double
round_ns(const uint8_t *base)
{
	uint32_t none = 0;
	double begun;

	/* The compiler must not know that it is 0. */
	__asm__ volatile("" : "+r"(none));
	begun = now_ns();
	for (unsigned int i = 0; i < LOADS; i++) {
		uint32_t value = *(const uint32_t *)(const void *)base;

		__asm__ volatile("" : "+r"(value) : : "memory");
		base += value & none;
	}
	/* A chain that nobody waits for would end after the clock is read. */
	__asm__ volatile("" : : "r"(base) : "memory");
	return (now_ns() - begun) / LOADS;
}

double
measure_loads(const void *base)
{
	double rounds[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++)
		rounds[i] = round_ns(base);
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return rounds[ROUNDS / 2];
}

static void
note(void *context, const char *sentence)
{
	snprintf(context, MEASURE_TEXT_MAX, "%s", sentence);
}

double
measure_bar(const char *root, const char *address, char *why_not)
{
	char sysfs[PATH_MAX];
	struct nhn_region_config config;
	struct nhn_region region;
	double load_ns;

	why_not[0] = '\0';
	nhn_region_config_init(&config);
	config.kind = NHN_REGION_PCI;
	config.access = NHN_REGION_READ_ONLY;
	config.path = address;
	config.log = note;
	config.log_context = why_not;
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root != NULL ? root : "");
	config.sysfs_root = sysfs;
	if (nhn_region_open(&region, &config) != 0) {
		if (why_not[0] == '\0')
			note(why_not, "the device cannot be mapped");
		return 0;
	}
	load_ns = measure_loads(region.base);
	nhn_region_close(&region);
	return load_ns;
}
