/* SPDX-License-Identifier: BSD-3-Clause */
/* What pack_sender and pack_receiver agree on: a sensor's readings, 8 bytes each. */
#ifndef READING_H
#define READING_H

#include <stdint.h>

#define READING_TYPE 3u
#define READINGS 1048576u /* all */
#define READINGS_AT_ONCE 64u

struct reading {
	uint32_t number;
	uint32_t value;
};

/** What the sensor shows, so that the receiver can tell whether all arrived. */
static inline uint32_t
reading_value(uint32_t number)
{
	return number * 2654435761u;
}

#endif /* READING_H */
