/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The only way to the peer's memory.
 *
 * Whoever else maps that memory may change any byte of it at any time, so it is
 * no object of this program: a value loaded twice may differ. Copy once, check
 * the copy, use the copy, and never load again.
 *
 * Pointers to it are marked NHN_FOREIGN. sparse, which devtools/check runs,
 * refuses to dereference such a pointer, and to turn it into a plain one; for a
 * compiler the mark is nothing. NHN_FORCE, which lifts the mark, is spelled in
 * this file only.
 *
 * Any thread may call these. Words are aligned to their size.
 */
#ifndef NHN_FOREIGN_H
#define NHN_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include <nhn_libc.h>
#include <nhn_point.h>
#include <nhn_word.h>

#ifdef __CHECKER__
#define NHN_FOREIGN __attribute__((noderef, address_space(1)))
#define NHN_FORCE __attribute__((force))
#else
#define NHN_FOREIGN
#define NHN_FORCE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Take memory for foreign. The own area is, too: in a joint device the peer can write it. */
static inline const void NHN_FOREIGN *
nhn_foreign_of(const void *memory)
{
	return (const void NHN_FORCE NHN_FOREIGN *)memory;
}

/**
 * Lend foreign bytes to a copy routine, which decides nothing by them: it may load some of them
 * twice.
 */
static inline const void *
nhn_foreign_lend(const void NHN_FOREIGN *memory)
{
	NHN_POINT("foreign/lend");
	return (const void NHN_FORCE *)memory;
}

/** Load a word; no later access of this thread is done before it. */
static inline uint32_t
nhn_foreign_acquire(const uint32_t NHN_FOREIGN *word)
{
	NHN_POINT("foreign/load");
	return nhn_load_acquire((const uint32_t NHN_FORCE *)word);
}

/** Load a word whole, ordered with nothing. */
static inline uint32_t
nhn_foreign_relaxed(const uint32_t NHN_FOREIGN *word)
{
	NHN_POINT("foreign/load");
	return nhn_load_relaxed((const uint32_t NHN_FORCE *)word);
}

/** Copy bytes once. What is read from @p to afterwards comes from there. */
static inline void
nhn_foreign_copy(void *to, const void NHN_FOREIGN *from, size_t bytes)
{
	NHN_POINT("foreign/copy");
	memcpy(to, (const void NHN_FORCE *)from, bytes);
	/* Else the compiler might load a byte a second time instead of keeping it. */
	__asm__ volatile("" : : "r"(to) : "memory");
}

/**
 * Copy words, each whole and before all later accesses: for bytes that their
 * owner may be storing by nhn_store_words() at the same time. Whoever sees one
 * word of a store sees all that was stored before it, so that a word which
 * brackets the bytes needs no fence.
 * @param bytes a multiple of 4, as is the address @p from
 */
static inline void
nhn_foreign_copy_words(void *to, const void NHN_FOREIGN *from, size_t bytes)
{
	const uint32_t NHN_FOREIGN *word = (const uint32_t NHN_FOREIGN *)from;
	uint8_t *byte = (uint8_t *)to;
	size_t i;

	for (i = 0; i < bytes / sizeof(uint32_t); i++) {
		uint32_t value = nhn_foreign_acquire(word + i);

		memcpy(byte + i * sizeof(value), &value, sizeof(value));
	}
}

/** Ask for a line early. */
static inline void
nhn_foreign_prefetch(const void NHN_FOREIGN *line)
{
	__builtin_prefetch((const void NHN_FORCE *)line);
}

/**
 * Load a word of a line and take nothing of it, so that it is on its way while the next load is.
 * Unlike a prefetch it is waited for, and an emulator does it too.
 */
static inline void
nhn_foreign_touch(const void NHN_FOREIGN *line)
{
	(void)nhn_foreign_relaxed((const uint32_t NHN_FOREIGN *)line);
}

#ifdef __cplusplus
}
#endif

#endif /* NHN_FOREIGN_H */
