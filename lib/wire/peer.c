/* SPDX-License-Identifier: BSD-3-Clause */

#include <nhn_libc.h>
#include <nhn_peer.h>
#include <nhn_word.h>

/** A dead peer is told within a minute, and a live one is not suspected at every step. */
#define HEARTBEAT_US_MAX 60000000u
#define HEARTBEAT_US_MIN 1000u

int
nhn_refuse(struct nhn_refusal *refusal, enum nhn_refusal_cause cause, uint32_t channel,
	   uint64_t found, uint64_t expected)
{
	refusal->cause = cause;
	refusal->channel = channel;
	refusal->found = found;
	refusal->expected = expected;
	return -EPROTO;
}

void
nhn_layout_uniform(struct nhn_layout *layout, uint32_t channels, enum nhn_use use, uint32_t cells,
		   uint32_t data_bytes)
{
	uint32_t i;

	memset(layout, 0, sizeof(*layout));
	layout->channels = channels;
	for (i = 0; i < channels && i < NHN_CHANNELS_MAX; i++) {
		layout->entry[i].use = (uint8_t)use;
		layout->entry[i].cell_bytes = use == NHN_USE_ETHERNET ? 128 : 64;
		layout->entry[i].cells = cells;
		layout->entry[i].data_bytes = data_bytes;
	}
}

static bool
power_of_two_between(uint32_t value, uint32_t low, uint32_t high)
{
	return value >= low && value <= high && (value & (value - 1)) == 0;
}

static int
entry_check(const struct nhn_channel_entry *entry, uint32_t channel, struct nhn_refusal *refusal)
{
	bool ethernet = entry->use == NHN_USE_ETHERNET;

	if (entry->use < NHN_USE_RAW || entry->use > NHN_USE_ETHERNET)
		return nhn_refuse(refusal, NHN_REFUSAL_USE, channel, entry->use, NHN_USE_ETHERNET);
	if (entry->cell_bytes != 128 && (ethernet || entry->cell_bytes != 64))
		return nhn_refuse(refusal, NHN_REFUSAL_CELL_BYTES, channel, entry->cell_bytes,
				  ethernet ? 128 : 64);
	if (!power_of_two_between(entry->cells, NHN_CELLS_MIN, NHN_CELLS_MAX))
		return nhn_refuse(refusal, NHN_REFUSAL_CELLS, channel, entry->cells,
				  entry->cells < NHN_CELLS_MIN ? NHN_CELLS_MIN : NHN_CELLS_MAX);
	if (entry->data_bytes != 0 &&
	    !power_of_two_between(entry->data_bytes, NHN_DATA_BYTES_MIN, NHN_DATA_BYTES_MAX))
		return nhn_refuse(refusal, NHN_REFUSAL_DATA_BYTES, channel, entry->data_bytes,
				  entry->data_bytes < NHN_DATA_BYTES_MIN ? NHN_DATA_BYTES_MIN
									 : NHN_DATA_BYTES_MAX);
	return 0;
}

static uint64_t
entry_bytes(const struct nhn_channel_entry *entry)
{
	uint64_t bytes = (uint64_t)entry->cells * entry->cell_bytes + entry->data_bytes;

	return (bytes + NHN_CHANNEL_ALIGN - 1) & ~(uint64_t)(NHN_CHANNEL_ALIGN - 1);
}

int
nhn_layout_check(const struct nhn_layout *layout, uint64_t area_bytes, struct nhn_refusal *refusal)
{
	uint64_t needed;
	uint32_t i;

	if (layout->channels == 0 || layout->channels > NHN_CHANNELS_MAX)
		return nhn_refuse(refusal, NHN_REFUSAL_CHANNELS, 0, layout->channels,
				  NHN_CHANNELS_MAX);
	for (i = 0; i < layout->channels; i++) {
		int ret = entry_check(&layout->entry[i], i, refusal);

		if (ret != 0)
			return ret;
	}
	needed = nhn_layout_offset(layout, layout->channels);
	if (needed > area_bytes)
		return nhn_refuse(refusal, NHN_REFUSAL_SPACE, 0, area_bytes, needed);
	return 0;
}

uint64_t
nhn_layout_offset(const struct nhn_layout *layout, uint32_t channel)
{
	uint64_t offset = NHN_CONTROL_BYTES;
	uint32_t i;

	for (i = 0; i < channel; i++)
		offset += entry_bytes(&layout->entry[i]);
	return offset;
}

bool
nhn_entry_equal(const struct nhn_channel_entry *a, const struct nhn_channel_entry *b)
{
	const uint8_t *byte_a = (const uint8_t *)a;
	const uint8_t *byte_b = (const uint8_t *)b;
	uint32_t difference = 0;
	size_t i;

	/* Not memcmp, which a freestanding program need not have. */
	for (i = 0; i < sizeof(*a); i++)
		difference |= byte_a[i] ^ byte_b[i];
	return difference == 0;
}

bool
nhn_layout_equal(const struct nhn_layout *a, const struct nhn_layout *b)
{
	uint32_t i;

	if (a->channels != b->channels)
		return false;
	for (i = 0; i < a->channels; i++)
		if (!nhn_entry_equal(&a->entry[i], &b->entry[i]))
			return false;
	return true;
}

uint32_t
nhn_header_crc(const struct nhn_header *header)
{
	/* The polynomial of IEEE 802.3 reflected, four bits a step. */
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *byte = (const uint8_t *)header + offsetof(struct nhn_header, version_major);
	const uint8_t *end = (const uint8_t *)(header + 1);
	uint32_t crc = 0xffffffffu;

	for (; byte < end; byte++) {
		crc = table[(crc ^ *byte) & 15] ^ (crc >> 4);
		crc = table[(crc ^ ((uint32_t)*byte >> 4)) & 15] ^ (crc >> 4);
	}
	return ~crc;
}

int
nhn_peer_header_copy(const struct nhn_control NHN_FOREIGN *peer, uint32_t session,
		     struct nhn_header *copy)
{
	/* The owner rewrites its header only while its session is odd: two equal
	 * even loads with the copy between them bracket a whole header (C). */
	nhn_foreign_copy_words(copy, &peer->header, sizeof(*copy));
	return nhn_foreign_relaxed(&peer->session) == session ? 0 : -EAGAIN;
}

static int
header_mtu_check(const struct nhn_header *copy, const struct nhn_layout *layout,
		 struct nhn_refusal *refusal)
{
	uint32_t i;

	for (i = 0; i < layout->channels; i++) {
		const struct nhn_channel_entry *entry = &layout->entry[i];

		if (entry->use == NHN_USE_ETHERNET &&
		    (uint64_t)copy->mtu + NHN_FRAME_OVERHEAD > entry->data_bytes / 2)
			return nhn_refuse(refusal, NHN_REFUSAL_MTU, i, copy->mtu,
					  entry->data_bytes / 2);
	}
	return 0;
}

int
nhn_header_check(const struct nhn_header *copy, enum nhn_role role, uint64_t area_bytes,
		 struct nhn_layout *layout, struct nhn_refusal *refusal)
{
	uint64_t late_us = (uint64_t)copy->beat_period_us * copy->beat_misses;
	int ret;

	if (copy->magic != NHN_MAGIC)
		return nhn_refuse(refusal, NHN_REFUSAL_MAGIC, 0, copy->magic, NHN_MAGIC);
	if (copy->version_major != NHN_VERSION_MAJOR)
		return nhn_refuse(refusal, NHN_REFUSAL_VERSION, 0, copy->version_major,
				  NHN_VERSION_MAJOR);
	if (copy->crc != nhn_header_crc(copy))
		return nhn_refuse(refusal, NHN_REFUSAL_CRC, 0, copy->crc, nhn_header_crc(copy));
	if (copy->role != (uint32_t)role)
		return nhn_refuse(refusal, NHN_REFUSAL_ROLE, 0, copy->role, role);
	if (copy->area_bytes != area_bytes)
		return nhn_refuse(refusal, NHN_REFUSAL_AREA_BYTES, 0, copy->area_bytes, area_bytes);
	if (late_us < HEARTBEAT_US_MIN || late_us > HEARTBEAT_US_MAX || copy->beat_misses == 0)
		return nhn_refuse(refusal, NHN_REFUSAL_HEARTBEAT, 0, late_us, HEARTBEAT_US_MAX);
	memset(layout, 0, sizeof(*layout));
	layout->channels = copy->channels;
	memcpy(layout->entry, copy->table, sizeof(layout->entry));
	ret = nhn_layout_check(layout, area_bytes, refusal);
	if (ret != 0)
		return ret;
	/* Rows out of use are not the peer's to fill. */
	memset(&layout->entry[layout->channels], 0,
	       (NHN_CHANNELS_MAX - layout->channels) * sizeof(layout->entry[0]));
	return header_mtu_check(copy, layout, refusal);
}
