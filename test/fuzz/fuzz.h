/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzz targets share: taking an input apart, and what must hold. */
#ifndef NHN_TEST_FUZZ_H
#define NHN_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called by libFuzzer, or by replay.c over files. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A rule that no input may break. */
#define FUZZ_CHECK(rule)                                                                           \
	do {                                                                                       \
		if (!(rule)) {                                                                     \
			fprintf(stderr, "%s:%d: broken by this input: %s\n", __FILE__, __LINE__,   \
				#rule);                                                            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct fuzz_input {
	const uint8_t *next;
	size_t left;
};

/* The next bytes; zeros once the input has ended, so that short inputs say much. */
static inline void
fuzz_take(struct fuzz_input *input, void *to, size_t bytes)
{
	size_t there = bytes < input->left ? bytes : input->left;

	memset(to, 0, bytes);
	if (there != 0)
		memcpy(to, input->next, there);
	input->next += there;
	input->left -= there;
}

static inline uint8_t
fuzz_u8(struct fuzz_input *input)
{
	uint8_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint16_t
fuzz_u16(struct fuzz_input *input)
{
	uint16_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

static inline uint32_t
fuzz_u32(struct fuzz_input *input)
{
	uint32_t value;

	fuzz_take(input, &value, sizeof(value));
	return value;
}

/* -128 to 127, to be added to a counter that wraps. */
static inline uint32_t
fuzz_near(struct fuzz_input *input)
{
	int32_t by = (int8_t)fuzz_u8(input);

	return (uint32_t)by;
}

/* Memory of exactly these bytes, so that AddressSanitizer sees the first one beyond. */
static inline void *
fuzz_memory(size_t bytes)
{
	void *memory = NULL;

	FUZZ_CHECK(posix_memalign(&memory, 128, bytes) == 0);
	memset(memory, 0, bytes);
	return memory;
}

#endif /* NHN_TEST_FUZZ_H */
