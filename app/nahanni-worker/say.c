/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdarg.h>
#include <stdio.h>

#include "say.h"

/** Bytes of a sentence: longer ones, with a long path in them, are cut. */
#define SENTENCE_BYTES 4096

void
say(const char *format, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	/* One write a line: EAL's threads share the stream. */
	fprintf(stderr, "nahanni-worker: %s\n", sentence);
}
