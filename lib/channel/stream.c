/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies past the caches. */

#include <nhn_channel.h>

#if defined(__x86_64__)
/** A line by general registers, so that a kernel may use it. @p to is aligned to a line. */
static inline void
stream_line(uint8_t *to, const uint8_t *from)
{
	uint64_t word[8];
	uint32_t i;

	memcpy(word, from, sizeof(word));
	for (i = 0; i < 8; i++)
		__asm__ volatile("movnti %1, %0"
				 : "=m"(*(uint64_t *)(void *)(to + i * sizeof(word[0])))
				 : "r"(word[i]));
}

void
nhn_copy_streamed(void *to, const void *from, size_t bytes)
{
	uint8_t *out = to;
	const uint8_t *in = from;

	if ((uintptr_t)to % NHN_LINE_BYTES == 0)
		for (; bytes >= NHN_LINE_BYTES; bytes -= NHN_LINE_BYTES) {
			stream_line(out, in);
			out += NHN_LINE_BYTES;
			in += NHN_LINE_BYTES;
		}
	memcpy(out, in, bytes);
}
#else
void
nhn_copy_streamed(void *to, const void *from, size_t bytes)
{
	memcpy(to, from, bytes);
}
#endif
