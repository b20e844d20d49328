/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of keys, as text and as numbers. */
#ifndef VALUES_H
#define VALUES_H

#include <stdbool.h>
#include <stdint.h>

/** A decimal number from @p least to @p most. @return 0 or -EINVAL */
int number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value);

int uint32_parse(const char *text, uint32_t least, uint32_t most, uint32_t *value);

/** The same, with K, M or G behind it for 1024 and its powers. */
int bytes_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/** bytes_parse() of a power of two, or of 0 where @p least is 0. */
int power_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/** "yes" or "no". @return 0 or -EINVAL */
int yes_parse(const char *text, bool *value);

/**
 * Numbers and ranges, as EAL's -l has them: "1,3-5".
 * @param numbers of @p count places; filled in the order of the text
 * @return how many there are; -EINVAL: no such list, a number above @p most, or too many
 */
int list_parse(const char *text, uint32_t most, uint32_t *numbers, uint32_t count);

#endif /* VALUES_H */
