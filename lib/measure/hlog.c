/* SPDX-License-Identifier: BSD-3-Clause */

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <nhn_histogram.h>
#include <nhn_hlog.h>

#include "measure_internal.h"

/* The byte 0x10 above 3 and 4 says: words by ZigZag LEB128, of at most 9 bytes. */
#define COOKIE_ENCODED UINT32_C(0x1c849313)
#define COOKIE_COMPRESSED UINT32_C(0x1c849314)

#define WORD_BYTES_MAX 9
#define NS_PER_MS 1e6

/* What a histogram starts with, big-endian, before and after the compression. */
struct __attribute__((packed)) encoded_head {
	uint32_t cookie;
	uint32_t payload_bytes;
	uint32_t index_offset;
	uint32_t digits;
	uint64_t lowest;
	uint64_t highest;
	uint64_t ratio; /* a double */
};

struct __attribute__((packed)) compressed_head {
	uint32_t cookie;
	uint32_t bytes;
};

#define ENCODED_BYTES_MAX (sizeof(struct encoded_head) + NHN_HISTOGRAM_COUNTS * WORD_BYTES_MAX)

/* Seven bits a byte, lowest first, the top bit for "more"; the ninth holds eight. */
static size_t
put_word(uint8_t *to, int64_t value)
{
	uint64_t zigzag = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
	size_t bytes = 0;

	while (zigzag > 0x7f && bytes < WORD_BYTES_MAX - 1) {
		to[bytes++] = (uint8_t)(zigzag | 0x80);
		zigzag >>= 7;
	}
	to[bytes++] = (uint8_t)zigzag;
	return bytes;
}

/* Counts up to the last one that is not zero; two zeros and more as their number, negative. */
static size_t
put_counts(uint8_t *to, const struct nhn_histogram *h)
{
	const uint32_t last = nhn_hdr_last(h);
	size_t bytes = 0;
	uint32_t i = 0;

	while (i <= last) {
		const uint64_t count = nhn_hdr_count(h, i);
		const uint32_t first = i++;

		while (count == 0 && i <= last && nhn_hdr_count(h, i) == 0)
			i++;
		if (i - first > 1)
			bytes += put_word(to + bytes, -(int64_t)(i - first));
		else
			bytes += put_word(to + bytes,
					  count > INT64_MAX ? INT64_MAX : (int64_t)count);
	}
	return bytes;
}

static size_t
encode(uint8_t *to, const struct nhn_histogram *h)
{
	const size_t bytes = put_counts(to + sizeof(struct encoded_head), h);
	const double ratio = 1;
	struct encoded_head head = {
		.cookie = htobe32(COOKIE_ENCODED),
		.payload_bytes = htobe32((uint32_t)bytes),
		.digits = htobe32(HDR_DIGITS),
		.lowest = htobe64(NHN_HISTOGRAM_LOWEST_NS),
		.highest = htobe64(NHN_HISTOGRAM_HIGHEST_NS),
	};
	uint64_t ratio_bits;

	memcpy(&ratio_bits, &ratio, sizeof(ratio_bits));
	head.ratio = htobe64(ratio_bits);
	memcpy(to, &head, sizeof(head));
	return sizeof(head) + bytes;
}

/* @return allocated bytes, *bytes* of them, or NULL: no memory */
static uint8_t *
compress_histogram(const struct nhn_histogram *h, size_t *bytes)
{
	uint8_t *encoded = malloc(ENCODED_BYTES_MAX);
	struct compressed_head head = {.cookie = htobe32(COOKIE_COMPRESSED)};
	uint8_t *compressed = NULL;
	uLongf room;
	size_t length;

	if (encoded == NULL)
		return NULL;
	length = encode(encoded, h);
	room = compressBound(length);
	compressed = malloc(sizeof(head) + room);
	/* The room suffices: it can fail for memory only. */
	if (compressed != NULL &&
	    compress(compressed + sizeof(head), &room, encoded, length) != Z_OK) {
		free(compressed);
		compressed = NULL;
	}
	free(encoded);
	if (compressed == NULL)
		return NULL;

	head.bytes = htobe32((uint32_t)room);
	memcpy(compressed, &head, sizeof(head));
	*bytes = sizeof(head) + room;
	return compressed;
}

static void
write_base64(FILE *out, const uint8_t *from, size_t bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes; i += 3) {
		const uint32_t second = i + 1 < bytes ? from[i + 1] : 0;
		const uint32_t third = i + 2 < bytes ? from[i + 2] : 0;
		const uint32_t bits = (uint32_t)from[i] << 16 | second << 8 | third;

		fputc(letters[bits >> 18], out);
		fputc(letters[bits >> 12 & 63], out);
		fputc(i + 1 < bytes ? letters[bits >> 6 & 63] : '=', out);
		fputc(i + 2 < bytes ? letters[bits & 63] : '=', out);
	}
}

/* Written so that not a number is refused too. */
static bool
is_time(double seconds)
{
	return seconds >= 0 && seconds <= NHN_HLOG_SECONDS_MAX;
}

static bool
is_tag(const char *tag)
{
	if (*tag == '\0')
		return false;
	for (; *tag != '\0'; tag++) {
		if (*tag == ',' || (unsigned char)*tag <= ' ' || *tag == 0x7f)
			return false;
	}
	return true;
}

/* A blank after the sign: no line of it can pass for a StartTime. */
static void
write_comment(FILE *out, const char *comment)
{
	while (*comment != '\0') {
		const size_t length = strcspn(comment, "\r\n");

		fprintf(out, "# %.*s\n", (int)length, comment);
		comment += length;
		comment += strspn(comment, "\r\n");
	}
}

int
nhn_hlog_begin(FILE *out, const char *comment, double start_s)
{
	if (!is_time(start_s))
		return -EINVAL;

	fputs("#[Histogram log format version 1.3]\n", out);
	if (comment != NULL)
		write_comment(out, comment);
	fputs("#[StartTime: ", out);
	nhn_hdr_print(out, 0, 3, start_s);
	fputs(" (seconds since epoch)]\n#[BaseTime: ", out);
	nhn_hdr_print(out, 0, 3, start_s);
	fputs(" (seconds since epoch)]\n"
	      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
	      "\"Interval_Compressed_Histogram\"\n",
	      out);
	return ferror(out) ? -EIO : 0;
}

int
nhn_hlog_interval(FILE *out, const char *tag, double start_s, double length_s,
		  const struct nhn_histogram *h)
{
	uint8_t *compressed;
	size_t bytes;

	if (!is_time(start_s) || !is_time(length_s) || (tag != NULL && !is_tag(tag)))
		return -EINVAL;
	compressed = compress_histogram(h, &bytes);
	if (compressed == NULL)
		return -ENOMEM;

	if (tag != NULL)
		fprintf(out, "Tag=%s,", tag);
	nhn_hdr_print(out, 0, 3, start_s);
	fputc(',', out);
	nhn_hdr_print(out, 0, 3, length_s);
	fputc(',', out);
	nhn_hdr_print(out, 0, 3, h->total == 0 ? 0 : (double)nhn_hdr_max(h) / NS_PER_MS);
	fputc(',', out);
	write_base64(out, compressed, bytes);
	fputc('\n', out);
	free(compressed);
	return ferror(out) ? -EIO : 0;
}
