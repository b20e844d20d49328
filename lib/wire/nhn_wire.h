/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The wire format: every byte that two sides of a link share.
 *
 * A link has two areas, one a direction. One side owns an area and is the only
 * one to store to it; the other side only loads. Nobody formats the peer's
 * area. All words are little-endian, offsets count from the area's begin.
 *
 *     area (one of two)                                 offset
 *     +------------------------------------------------+ 0
 *     | line 0   session  seen  open  discarded    (W) |
 *     | line 1   beat                              (W) |
 *     | line 2   probe                             (W) |
 *     | line 3   -                                     |
 *     | static header, its magic written last      (S) | 0x0100
 *     | table the cells were last cleared for      (S) | 0x0540
 *     | -                                              |
 *     | cursor of channel 0, a line of its own     (R) | 0x1000
 *     | ...                                            |
 *     | cursor of channel 63                       (R) |
 *     +------------------------------------------------+ 0x2000
 *     | channel 0: cells, then its data ring       (W) |
 *     | channel 1: ..., each on a multiple of 4096     |
 *     +------------------------------------------------+ area_bytes
 *
 * Marks: (W) the owner's live words as the writer of this direction, (R) the
 * owner's cursors as the reader of the other area, (S) static between two
 * starts of the owner. The first NHN_CONTROL_BYTES, the control block, never
 * hold cells or data, so a start can rewrite them while the peer still reads
 * the rings.
 *
 * A cell is 64 or 128 bytes, aligned to its size as areas are to 128: the body
 * first, the commit word in the last four bytes.
 *
 *     raw cell, 64 bytes       | body 0..59 | commit word |
 *     msg cell, 64 bytes       | bytes 0..47 | head 48..59 | commit word |
 *     packed msg cell          | messages 0..55 | head 56..59 | commit word |
 *     ethernet cell, 128 bytes | frame 0..107 | metadata 108..123 | commit word |
 *
 *     commit word   31          1 committed, 0 formatted
 *                   30..24      pairing, ((writer + reader session) >> 1) & 127
 *                   23..16      lap, (index >> log2 cells) & 255
 *                   15..8       kind
 *                   7..0        inline length in bytes
 *
 * doc/wire-format holds the same as tables.
 */
#ifndef NHN_WIRE_H
#define NHN_WIRE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define NHN_WIRE_ASSERT(what) static_assert(what, #what)
#else
#define NHN_WIRE_ASSERT(what) _Static_assert(what, #what)
#endif

/** Bytes of a cache line as the format counts them. */
#define NHN_LINE_BYTES 64u
/** Bytes of the control block at the begin of each area. */
#define NHN_CONTROL_BYTES 8192u
/** Channels of a link at most: a line a cursor in the second half of the control block. */
#define NHN_CHANNELS_MAX 64u

/** Areas begin on a multiple of this: the largest cell. */
#define NHN_AREA_ALIGN 128u
/** Each channel's cells begin on a multiple of this within their area. */
#define NHN_CHANNEL_ALIGN 4096u
/** Bytes of a frame beyond its MTU: Ethernet header and two VLAN tags. */
#define NHN_FRAME_OVERHEAD 22u

/** Bytes of a link's file that its host and its guest lock (fcntl's F_OFD_SETLK), so that
 * there is one of each. */
#define NHN_LOCK_BYTE_HOST 0
#define NHN_LOCK_BYTE_GUEST 1

/** Magic of a static header that is complete: "NHNI". */
#define NHN_MAGIC 0x494e484eu
/** Magic of an area of ours whose header is being written: "nhni". */
#define NHN_MAGIC_FORMATTING 0x696e686eu
/** A peer with another major version is refused. */
#define NHN_VERSION_MAJOR 1u
/** A peer with another minor version is tolerated. */
#define NHN_VERSION_MINOR 0u

/**
 * Where a reader's cursors begin in an area that was never used. Eight short
 * of the wrap, so that every program passes it within its first messages (as
 * Linux does with jiffies).
 */
#define NHN_CURSOR_START 0xfffffff8u
/** The same for bytes of a data ring: a multiple of NHN_LINE_BYTES. */
#define NHN_DATA_START 0xfffff000u

/** Cells of a channel: a power of two between these. */
#define NHN_CELLS_MIN 16u
#define NHN_CELLS_MAX (1u << 20)
/** Bytes of a data ring: 0 (inline messages only) or a power of two between these. */
#define NHN_DATA_BYTES_MIN 4096u
#define NHN_DATA_BYTES_MAX (1u << 30)

/** Who a side is: the host decides the layout, the guest follows it. */
enum nhn_role {
	NHN_ROLE_HOST = 1,
	NHN_ROLE_GUEST = 2,
};

/** What a channel carries. Both ends must name the same. */
enum nhn_use {
	NHN_USE_RAW = 1,      /**< messages as they are */
	NHN_USE_MSG = 2,      /**< messages of lib/msg */
	NHN_USE_ETHERNET = 3, /**< frames of an ethdev queue */
};

/** What a cell's body is. */
enum nhn_kind {
	NHN_KIND_RAW = 1,  /**< the message's bytes */
	NHN_KIND_MSG = 2,  /**< all or a part of a message, then a struct nhn_message_head */
	NHN_KIND_PACK = 3, /**< messages of one size, then a struct nhn_pack_head */
	NHN_KIND_DESC = 4, /**< a struct nhn_descriptor; of a msg channel with a message head */
};

#define NHN_COMMIT_COMMITTED (1u << 31)
#define NHN_COMMIT_PAIRING_SHIFT 24
#define NHN_COMMIT_PAIRING_MASK 127u
#define NHN_COMMIT_LAP_SHIFT 16
#define NHN_COMMIT_LAP_MASK 255u
#define NHN_COMMIT_KIND_SHIFT 8
#define NHN_COMMIT_KIND_MASK 255u
#define NHN_COMMIT_LENGTH_MASK 255u
/** Bytes of the commit word at the end of a cell. */
#define NHN_COMMIT_BYTES 4u

/** Body of a DESC cell: where in the channel's data ring a message lies. */
struct nhn_descriptor {
	uint32_t position; /**< bytes since the ring began, wraps; offset = position % data bytes */
	uint32_t length;   /**< bytes, 1 to half the data ring */
};
NHN_WIRE_ASSERT(sizeof(struct nhn_descriptor) == 8);

/**
 * What travels with each message of a msg channel, before the commit word of its
 * cells. A message longer than its first cell names goes on in the next cells of
 * the channel, each with the same head, until all bytes are there.
 */
struct nhn_message_head {
	uint32_t id;	 /**< its meaning is the sender's: correlates a reply with its request */
	uint32_t length; /**< bytes of the whole message */
	uint16_t type;	 /**< its meaning is the sender's */
	uint16_t flags;	 /**< NHN_MESSAGE_* */
};
NHN_WIRE_ASSERT(sizeof(struct nhn_message_head) == 12);

/** Flags of a message. A bit that is not named here breaks the channel. */
#define NHN_MESSAGE_REQUEST 1u /**< wants a reply of the same id */
#define NHN_MESSAGE_REPLY 2u   /**< answers the request of that id */
#define NHN_MESSAGE_REFUSED 4u /**< of a reply: no server took the request, type says why */
/** Only in the last cell of a message that its sender gave up: no more bytes come. */
#define NHN_MESSAGE_ABORTED 8u
/** What a sender may set. */
#define NHN_MESSAGE_FLAGS (NHN_MESSAGE_REQUEST | NHN_MESSAGE_REPLY | NHN_MESSAGE_REFUSED)

/** Of a packed message, in whatever cell: so that each pack's messages fit all others. */
#define NHN_PACK_MESSAGE_BYTES_MAX 56u

/** Of the messages in a PACK cell, before the commit word. */
struct nhn_pack_head {
	uint16_t type;	       /**< of each */
	uint8_t message_bytes; /**< of each, 1 to NHN_PACK_MESSAGE_BYTES_MAX */
	uint8_t messages;      /**< not 0; times message_bytes is the cell's inline length */
};
NHN_WIRE_ASSERT(sizeof(struct nhn_pack_head) == 4);

/** Metadata of a frame in an ethernet cell, before the commit word. All zero: none. */
struct nhn_frame_metadata {
	uint8_t flags;
	uint8_t segmentation_type;
	uint16_t segment_bytes;
	uint16_t checksum_start;
	uint16_t checksum_offset;
	uint16_t header_bytes;
	uint16_t vlan_tci;
	uint32_t hash;
};
NHN_WIRE_ASSERT(sizeof(struct nhn_frame_metadata) == 16);

/** A row of the channel table. The same for both directions. */
struct nhn_channel_entry {
	uint8_t use;	     /**< enum nhn_use */
	uint8_t priority;    /**< 0 is the most urgent */
	uint16_t cell_bytes; /**< 64, or 128 (ethernet: always) */
	uint32_t cells;	     /**< NHN_CELLS_MIN to NHN_CELLS_MAX, a power of two */
	uint32_t data_bytes; /**< of its data ring */
	uint32_t reserved;   /**< 0 */
};
NHN_WIRE_ASSERT(sizeof(struct nhn_channel_entry) == 16);

/** The static header: what a side says of itself, between two of its starts. */
struct nhn_header {
	uint32_t magic; /**< NHN_MAGIC, the last word written */
	uint32_t crc;	/**< CRC-32 (IEEE 802.3) of the bytes that follow */
	uint16_t version_major;
	uint16_t version_minor;
	uint32_t role;	     /**< enum nhn_role of the owner */
	uint64_t area_bytes; /**< of the owner's area */
	uint32_t link_id;
	uint32_t features_offered;  /**< by the host; no bit is defined in version 1.0 */
	uint32_t features_accepted; /**< by the guest, out of the host's */
	uint32_t beat_period_us;    /**< the owner's heartbeat moves at least this often */
	uint32_t beat_misses;	    /**< periods without a beat after which it is late */
	uint32_t mtu;		    /**< of Ethernet, 0 where there is none */
	uint8_t mac[6];		    /**< of Ethernet, 0 where there is none */
	uint16_t channels;	    /**< rows of the table in use */
	uint32_t reserved[2];	    /**< 0 */
	struct nhn_channel_entry table[NHN_CHANNELS_MAX];
};
NHN_WIRE_ASSERT(offsetof(struct nhn_header, version_major) == 8);
NHN_WIRE_ASSERT(offsetof(struct nhn_header, area_bytes) == 16);
NHN_WIRE_ASSERT(offsetof(struct nhn_header, mac) == 48);
NHN_WIRE_ASSERT(offsetof(struct nhn_header, table) == 64);
NHN_WIRE_ASSERT(sizeof(struct nhn_header) == 1088);

/** A reader's place in the peer's ring, on a line of its own. Never reset. */
struct nhn_cursor {
	uint32_t cells; /**< cells consumed, wraps; stored after data */
	uint32_t data;	/**< bytes of the data ring given back, wraps; a multiple of 64 */
	uint32_t reserved[14];
};
NHN_WIRE_ASSERT(sizeof(struct nhn_cursor) == NHN_LINE_BYTES);

/** The control block of an area. handshake words: doc/wire-format. */
struct nhn_control {
	/* line 0: the handshake */
	uint32_t session;   /**< even, not 0: a session. Odd: formatting or closed */
	uint32_t seen;	    /**< peer session this side is done with; | 1: reads its ring */
	uint32_t open;	    /**< peer session the own ring is clear for */
	uint32_t discarded; /**< messages committed and never to be delivered, wraps */
	uint32_t reserved0[12];
	/* line 1: liveness */
	uint32_t beat; /**< counts */
	uint32_t reserved1[15];
	/* lines 2 and 3 */
	uint32_t probe; /**< for measuring what one line costs to cross */
	uint32_t reserved2[31];
	struct nhn_header header;
	/** The table that the own cells were last cleared for: a later life counts by it. */
	struct nhn_channel_entry laid[NHN_CHANNELS_MAX];
	uint8_t reserved3[0x1000 - 0x940];
	struct nhn_cursor cursor[NHN_CHANNELS_MAX];
};
NHN_WIRE_ASSERT(offsetof(struct nhn_control, session) == 0x000);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, seen) == 0x004);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, open) == 0x008);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, discarded) == 0x00c);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, beat) == 0x040);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, probe) == 0x080);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, header) == 0x100);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, laid) == 0x540);
NHN_WIRE_ASSERT(offsetof(struct nhn_control, cursor) == 0x1000);
NHN_WIRE_ASSERT(sizeof(struct nhn_control) == NHN_CONTROL_BYTES);

#ifdef __cplusplus
}
#endif

#endif /* NHN_WIRE_H */
