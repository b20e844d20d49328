/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A peer's bytes turned into validated private copies.
 *
 * What the peer wrote is copied once, the copy is checked, and only the copy
 * is used: the peer may change any byte of its area at any time. Nothing in
 * here keeps a pointer into a peer's header.
 *
 * Functions are re-entrant. Sizes are bytes.
 */
#ifndef NHN_PEER_H
#define NHN_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_foreign.h>
#include <nhn_libc.h>
#include <nhn_wire.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A channel table that passed nhn_layout_check(). Private memory. */
struct nhn_layout {
	uint32_t channels; /**< rows in use, 1 to NHN_CHANNELS_MAX */
	struct nhn_channel_entry entry[NHN_CHANNELS_MAX];
};

/** Why a header or a layout was refused. */
enum nhn_refusal_cause {
	NHN_REFUSAL_NONE = 0,
	NHN_REFUSAL_MAGIC,	  /**< not an area of this project */
	NHN_REFUSAL_VERSION,	  /**< another major version */
	NHN_REFUSAL_CRC,	  /**< header damaged */
	NHN_REFUSAL_ROLE,	  /**< the peer names the own role */
	NHN_REFUSAL_AREA_BYTES,	  /**< the peer's area has another size than its memory */
	NHN_REFUSAL_HEARTBEAT,	  /**< period times misses below 1 ms or over a minute */
	NHN_REFUSAL_CHANNELS,	  /**< number of channels */
	NHN_REFUSAL_USE,	  /**< use of a channel */
	NHN_REFUSAL_CELL_BYTES,	  /**< size of a channel's cells */
	NHN_REFUSAL_CELLS,	  /**< number of a channel's cells */
	NHN_REFUSAL_DATA_BYTES,	  /**< size of a channel's data ring */
	NHN_REFUSAL_SPACE,	  /**< the channels need more bytes than the area has */
	NHN_REFUSAL_MTU,	  /**< an MTU that the channels cannot carry */
	NHN_REFUSAL_NOT_FOLLOWED, /**< the guest laid out a channel other than the host's */
	NHN_REFUSAL_OWN_AREA,	  /**< the own area holds somebody else's bytes */
};

/** A refusal, with numbers for a sentence: nhn_refusal_text() in nhn_link_text.h. */
struct nhn_refusal {
	enum nhn_refusal_cause cause;
	uint32_t channel; /**< where the cause is one channel's */
	uint64_t found;
	uint64_t expected; /**< the wanted value, or the limit that was passed */
};

/** Note a refusal in @p refusal. @return always -EPROTO */
int nhn_refuse(struct nhn_refusal *refusal, enum nhn_refusal_cause cause, uint32_t channel,
	       uint64_t found, uint64_t expected);

/** A layout of @p channels equal channels. Not checked: see nhn_layout_check(). */
void nhn_layout_uniform(struct nhn_layout *layout, uint32_t channels, enum nhn_use use,
			uint32_t cells, uint32_t data_bytes);

/**
 * Check that each row is within the format's bounds and that all fit an area.
 * Arithmetic is in 64 bits.
 * @return 0, or -EPROTO with @p refusal filled
 */
int nhn_layout_check(const struct nhn_layout *layout, uint64_t area_bytes,
		     struct nhn_refusal *refusal);

/** Offset of a channel's cells in its area; its data ring follows them. */
uint64_t nhn_layout_offset(const struct nhn_layout *layout, uint32_t channel);

/** Whether two rows of a channel table are the same, all bytes of them. */
bool nhn_entry_equal(const struct nhn_channel_entry *a, const struct nhn_channel_entry *b);

/** Whether two checked layouts name the same channels. */
bool nhn_layout_equal(const struct nhn_layout *a, const struct nhn_layout *b);

/** Bytes a cell of this use and size carries inline. */
static inline uint32_t
nhn_inline_bytes(uint32_t use, uint32_t cell_bytes)
{
	uint32_t metadata = use == NHN_USE_ETHERNET ? (uint32_t)sizeof(struct nhn_frame_metadata)
			    : use == NHN_USE_MSG    ? (uint32_t)sizeof(struct nhn_message_head)
						    : 0u;

	return cell_bytes - NHN_COMMIT_BYTES - metadata;
}

/** CRC-32 of a header, over the bytes after its crc field. */
uint32_t nhn_header_crc(const struct nhn_header *header);

/**
 * Copy the peer's header, provided that @p session stands before and after.
 * @param session even, as loaded by the caller with acquire
 * @return 0, or -EAGAIN when the peer was writing: try at a later control step
 */
int nhn_peer_header_copy(const struct nhn_control NHN_FOREIGN *peer, uint32_t session,
			 struct nhn_header *copy);

/**
 * Check a private copy of a header and take the layout out of it.
 * @param role the role that the header's owner must have
 * @param area_bytes size of the memory that the header stands in
 * @return 0, or -EPROTO with @p refusal filled
 */
int nhn_header_check(const struct nhn_header *copy, enum nhn_role role, uint64_t area_bytes,
		     struct nhn_layout *layout, struct nhn_refusal *refusal);

/**
 * Whether a descriptor (a private copy) names bytes that its writer may name.
 *
 * The range must be contiguous, aligned, of 1 to half the ring's bytes, skip
 * less than half a ring (at the wrap), and lie within the ring's bytes that the
 * reader has not yet given back.
 * @param next where the reader expects the next range, bytes since the begin
 * @param held bytes between what the reader gave back and @p next
 * @param data_bytes of the ring: 0, or a power of two
 */
static inline bool
nhn_descriptor_valid(const struct nhn_descriptor *copy, uint32_t next, uint32_t held,
		     uint32_t data_bytes)
{
	uint64_t skipped = copy->position - next;
	uint64_t length = copy->length;
	uint64_t padded = (length + NHN_LINE_BYTES - 1) & ~(uint64_t)(NHN_LINE_BYTES - 1);

	return length != 0 && length <= data_bytes / 2 && copy->position % NHN_LINE_BYTES == 0 &&
	       (copy->position & (data_bytes - 1)) + length <= data_bytes &&
	       skipped < data_bytes / 2 && held + skipped + padded <= data_bytes;
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_PEER_H */
