/* SPDX-License-Identifier: BSD-3-Clause */
/* Included before anything else of each C file of the weak memory test, so that the library's
 * unchanged code reaches shared memory through the simulator. Memory that is not shared stays
 * plain. Bytes are copied as relaxed words: the bodies of messages. */
#ifndef NHN_TEST_THREADS_WEAK_WORDS_H
#define NHN_TEST_THREADS_WEAK_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t weak_load(const uint32_t *word, int order);
void weak_store(uint32_t *word, uint32_t value, int order);
void weak_fence(int order);
void *weak_copy(void *to, const void *from, size_t bytes);
void *weak_set(void *to, int byte, size_t bytes);

#ifdef __cplusplus
}
#else
#define __atomic_load_n(word, order) weak_load(word, order)
#define __atomic_store_n(word, value, order) weak_store(word, value, order)
#define __atomic_thread_fence(order) weak_fence(order)
#define memcpy(to, from, bytes) weak_copy(to, from, bytes)
#define memset(to, byte, bytes) weak_set(to, byte, bytes)
#endif

#endif /* NHN_TEST_THREADS_WEAK_WORDS_H */
