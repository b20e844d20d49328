/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_CHECK_CPUS_H
#define NHN_CHECK_CPUS_H

/* Sets of CPUs, and the forms that the kernel writes them in. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nhn_check.h"

struct check_cpus {
	uint64_t bits[NHN_CHECK_CPUS_MAX / 64];
};

void nhn_check_cpus_set(struct check_cpus *cpus, unsigned int cpu);
bool nhn_check_cpus_has(const struct check_cpus *cpus, unsigned int cpu);
/* The first from `cpu` on; -1: none. */
int nhn_check_cpus_next(const struct check_cpus *cpus, int cpu);
unsigned int nhn_check_cpus_count(const struct check_cpus *cpus);
bool nhn_check_cpus_empty(const struct check_cpus *cpus);
/* Is each of `part` in `all`? */
bool nhn_check_cpus_within(const struct check_cpus *part, const struct check_cpus *all);
bool nhn_check_cpus_meet(const struct check_cpus *one, const struct check_cpus *other);
struct check_cpus nhn_check_cpus_and(const struct check_cpus *one, const struct check_cpus *other);
struct check_cpus nhn_check_cpus_minus(const struct check_cpus *one,
				       const struct check_cpus *other);
struct check_cpus nhn_check_cpus_or(const struct check_cpus *one, const struct check_cpus *other);

/*
 * "0-3,8-11:2/4", "all", and "N" for the last of `online`, as kernel parameters and sysfs
 * have them; blanks around it, "" and "(null)" are an empty set. CPUs that are not known
 * are left out. -EINVAL: no such list.
 */
int nhn_check_cpus_parse(const char *text, const struct check_cpus *online,
			 struct check_cpus *cpus);
/* "ff,ffffffff". -EINVAL: no such mask. */
int nhn_check_cpus_parse_mask(const char *text, struct check_cpus *cpus);
/* "2-5,8", "none"; cut off with "...". */
void nhn_check_cpus_text(const struct check_cpus *cpus, char *text, size_t size);
/* As /proc/irq/default_smp_affinity takes it. False: it does not fit. */
bool nhn_check_cpus_mask(const struct check_cpus *cpus, char *text, size_t size);

/* A text of a set for a sentence. */
struct check_list {
	char text[NHN_CHECK_LIST_MAX];
};
struct check_list nhn_check_cpus_list(const struct check_cpus *cpus);

#endif /* NHN_CHECK_CPUS_H */
