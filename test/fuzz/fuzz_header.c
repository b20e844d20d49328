/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A peer's static header. Input: a byte of modes, the bytes of the area, the header.
 *
 * What is accepted is measured again with arithmetic that cannot overflow: each
 * channel's cells and data ring lie within the area, apart from all others.
 */

#include <errno.h>
#include <stdbool.h>

#include <nhn_link_text.h>
#include <nhn_peer.h>

#include "fuzz.h"

/* Bits of the first byte. */
#define MODE_GUEST 1u	 /* the header must be a guest's, not a host's */
#define MODE_IDENTITY 2u /* magic, version and role are made right */
#define MODE_CRC 4u	 /* so is the CRC */
#define MODE_SPACE 8u	 /* the area has as many bytes as the header says */
#define MODE_BEAT 16u	 /* the heartbeat is made right */

typedef unsigned __int128 wide;

static bool
one_bit(uint64_t value)
{
	return __builtin_popcountll(value) == 1;
}

static void
check_row(const struct nhn_channel_entry *row)
{
	FUZZ_CHECK(row->use == NHN_USE_RAW || row->use == NHN_USE_MSG ||
		   row->use == NHN_USE_ETHERNET);
	FUZZ_CHECK(row->cell_bytes == 128 ||
		   (row->cell_bytes == 64 && row->use != NHN_USE_ETHERNET));
	FUZZ_CHECK(one_bit(row->cells) && row->cells >= 16 && row->cells <= 1048576);
	FUZZ_CHECK(row->data_bytes == 0 || (one_bit(row->data_bytes) && row->data_bytes >= 4096 &&
					    row->data_bytes <= 1073741824));
}

static void
check_accepted(const struct nhn_header *header, const struct nhn_layout *layout, enum nhn_role role,
	       uint64_t area_bytes)
{
	static const struct nhn_channel_entry none;
	wide late = (wide)header->beat_period_us * header->beat_misses;
	wide end = 8192;
	uint32_t i;

	FUZZ_CHECK(header->magic == 0x494e484e && header->version_major == 1);
	FUZZ_CHECK(header->role == (uint32_t)role && header->area_bytes == area_bytes);
	FUZZ_CHECK(late >= 1000 && late <= 60000000);
	FUZZ_CHECK(layout->channels >= 1 && layout->channels <= 64);
	FUZZ_CHECK(layout->channels == header->channels);
	for (i = 0; i < layout->channels; i++) {
		const struct nhn_channel_entry *row = &layout->entry[i];

		FUZZ_CHECK(memcmp(row, &header->table[i], sizeof(*row)) == 0);
		check_row(row);
		FUZZ_CHECK(nhn_layout_offset(layout, i) >= end);
		FUZZ_CHECK(nhn_layout_offset(layout, i) % 4096 == 0);
		end = nhn_layout_offset(layout, i);
		end += (wide)row->cells * row->cell_bytes + row->data_bytes;
		FUZZ_CHECK(end <= area_bytes);
		if (row->use == NHN_USE_ETHERNET)
			FUZZ_CHECK((wide)header->mtu + 22 <= row->data_bytes / 2);
	}
	for (; i < NHN_CHANNELS_MAX; i++)
		FUZZ_CHECK(memcmp(&layout->entry[i], &none, sizeof(none)) == 0);
}

/* The sentence about a refusal, in memory that may be too small for it. */
static void
check_refused(const struct nhn_refusal *refusal, size_t bytes)
{
	char *text = malloc(bytes);

	FUZZ_CHECK(text != NULL);
	FUZZ_CHECK(refusal->cause != NHN_REFUSAL_NONE);
	FUZZ_CHECK(nhn_refusal_text(refusal, text, bytes) == text);
	FUZZ_CHECK(text[0] != '\0' && strlen(text) < bytes);
	free(text);
}

static void
repair(struct nhn_header *header, uint8_t modes, enum nhn_role role, uint64_t *area_bytes)
{
	if (modes & MODE_IDENTITY) {
		header->magic = NHN_MAGIC;
		header->version_major = NHN_VERSION_MAJOR;
		header->role = role;
	}
	if (modes & MODE_BEAT) {
		header->beat_period_us = 10000;
		header->beat_misses = 1 + header->beat_misses % 16;
	}
	if (modes & MODE_SPACE)
		*area_bytes = header->area_bytes;
	if (modes & MODE_CRC)
		header->crc = nhn_header_crc(header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct fuzz_input input = {bytes, count};
	uint8_t modes = fuzz_u8(&input);
	enum nhn_role role = modes & MODE_GUEST ? NHN_ROLE_GUEST : NHN_ROLE_HOST;
	struct nhn_refusal refusal = {.cause = NHN_REFUSAL_NONE};
	struct nhn_header header;
	struct nhn_layout layout;
	uint64_t area_bytes;
	int ret;

	fuzz_take(&input, &area_bytes, sizeof(area_bytes));
	fuzz_take(&input, &header, sizeof(header));
	repair(&header, modes, role, &area_bytes);
	memset(&layout, 0xa5, sizeof(layout));
	ret = nhn_header_check(&header, role, area_bytes, &layout, &refusal);
	FUZZ_CHECK(ret == 0 || ret == -EPROTO);
	if (ret == 0)
		check_accepted(&header, &layout, role, area_bytes);
	else
		check_refused(&refusal, 2 + header.link_id % 256);
	return 0;
}
