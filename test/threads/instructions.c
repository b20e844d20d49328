/* SPDX-License-Identifier: BSD-3-Clause */
/* Each accessor of nhn_word.h as a function of its own, for orderings.py to look at. */

#include <nhn_word.h>

uint32_t load_acquire(const uint32_t *word);
uint32_t load_relaxed(const uint32_t *word);
void store_release(uint32_t *word, uint32_t value);
void store_relaxed(uint32_t *word, uint32_t value);
void fence(void);
void fence_streamed(void);

uint32_t
load_acquire(const uint32_t *word)
{
	return nhn_load_acquire(word);
}

uint32_t
load_relaxed(const uint32_t *word)
{
	return nhn_load_relaxed(word);
}

void
store_release(uint32_t *word, uint32_t value)
{
	nhn_store_release(word, value);
}

void
store_relaxed(uint32_t *word, uint32_t value)
{
	nhn_store_relaxed(word, value);
}

void
fence(void)
{
	nhn_fence_acquire();
}

void
fence_streamed(void)
{
	nhn_fence_streamed();
}
