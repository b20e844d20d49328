/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A channel: messages in one direction, one writer and one reader.
 *
 *     writer (struct nhn_tx)                     reader (struct nhn_rx)
 *     ----------------------                     ----------------------
 *     nhn_tx_reserve: room? else load cursor B   nhn_rx_peek: load commit word A
 *     write the body in place                    read the body in place
 *     nhn_tx_commit: store commit word A         nhn_rx_release: load commit word again,
 *                                                store cursor B every quarter ring
 *
 * A pairs the commit word's release store with its acquire load: the body is
 * whole. B pairs the cursor's release store with its acquire load: the bytes
 * are read before they are written again. doc/memory-ordering has the rest.
 *
 * A message of up to nhn_tx.inline_bytes travels in one cell. A longer one, up
 * to half the data ring, travels in the data ring and a cell names it.
 *
 * Threads: a struct nhn_tx belongs to one thread at a time, so does a struct
 * nhn_rx. lib/link opens and closes them; while it steps, no other thread may
 * be in a call of this file on the same link.
 *
 * The functions below never log, allocate, divide or call the kernel, and each
 * does a bounded amount of work: peek looks at one cell more than it returns.
 */
#ifndef NHN_CHANNEL_H
#define NHN_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <nhn_libc.h>
#include <nhn_peer.h>
#include <nhn_wire.h>
#include <nhn_word.h>

/** What a burst does for each message: a call would cost more than what it does. */
#define NHN_ALWAYS_INLINE inline __attribute__((always_inline))

/** Why a channel is broken: the peer broke the format's rules. */
enum nhn_fault {
	NHN_FAULT_NONE = 0,
	NHN_FAULT_KIND,	      /**< a committed cell of a kind this channel does not carry */
	NHN_FAULT_LENGTH,     /**< an inline length over the cell's */
	NHN_FAULT_DESCRIPTOR, /**< a range outside the data ring or not yet given back */
	NHN_FAULT_OVERRUN,    /**< a cell rewritten before the reader gave it back */
	NHN_FAULT_MESSAGE,    /**< a cell that does not go on with the message begun */
	NHN_FAULT_CURSOR,     /**< a cursor the reader cannot have reached */
};

#include <nhn_channel_rx.h>
#include <nhn_channel_tx.h>

#endif /* NHN_CHANNEL_H */
