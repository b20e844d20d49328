/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Accessors of the 32-bit words that two sides share.
 *
 * The only file of the project that spells an atomic operation. The wire
 * format holds plain fixed-width integers (nhn_wire.h); a word gets its
 * ordering here, at the place of its use. Letters A to E in the code name the
 * release/acquire pairs of doc/memory-ordering.
 *
 * No pair orders a store before a later load, so x86 needs plain moves and no
 * fence; ARMv8 needs stlr and ldar. The memory must be mapped cacheable or
 * uncached, never write-combining: release does not order that.
 *
 * Any thread may call these on naturally aligned words.
 */
#ifndef NHN_WORD_H
#define NHN_WORD_H

#include <stddef.h>
#include <stdint.h>

#include <nhn_libc.h>
#include <nhn_point.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the format is little-endian and its words are accessed as they are"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Load @p word; no later access of this thread is done before it. */
static inline uint32_t
nhn_load_acquire(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/** Store @p value; every earlier access of this thread is done before it. */
static inline void
nhn_store_release(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/** Load @p word whole, ordered with nothing. */
static inline uint32_t
nhn_load_relaxed(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/** Store @p value whole, ordered with nothing. */
static inline void
nhn_store_relaxed(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/**
 * Store bytes word by word, each whole and after all earlier accesses: the
 * counterpart of nhn_foreign_copy_words().
 */
static inline void
nhn_store_words(void *to, const void *from, size_t bytes)
{
	uint32_t *word = (uint32_t *)to;
	const uint8_t *byte = (const uint8_t *)from;
	uint32_t value;
	size_t i;

	for (i = 0; i < bytes / sizeof(value); i++) {
		memcpy(&value, byte + i * sizeof(value), sizeof(value));
		nhn_store_release(word + i, value);
	}
}

/** Earlier loads of this thread are done before any later access. */
static inline void
nhn_fence_acquire(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/** Streaming stores of this thread are done before any later store: end them by this. */
static inline void
nhn_fence_streamed(void)
{
	NHN_POINT("send/fence");
#if defined(__x86_64__)
	__asm__ volatile("sfence" : : : "memory");
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_WORD_H */
