/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <nhn_link_text.h>
#include <nhn_region.h>

#include "peer_ours.h"

/* Between two rounds of a contestant lie those of all others: nobody is late within an hour. */
#define BEAT_PERIOD_US 1000000u
#define BEAT_MISSES 3600u

#define OPEN_NS UINT64_C(10000000000)
#define PAGE_BYTES 4096u

/* The adaptive idle policy: after so many pauses without work, sleeps of so long. */
#define WAIT_PAUSES 4096u
#define WAIT_SLEEP_NS 50000
#define WAIT_SLEEPS 1000u

struct ours_memory {
	struct nhn_link *links; /**< NULL: the port's link */
	struct nhn_region own;
	struct nhn_region other;
	uint8_t *guarded; /**< of the contest's memory what this side must not write */
	size_t guarded_bytes;
	uint16_t port;
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void
ours_control(struct ours *ours)
{
	nhn_link_control(ours->link[ours->next], now_ns());
	if (++ours->next == ours->links)
		ours->next = 0;
}

void
ours_prepare(struct ours *ours)
{
	uint32_t i;

	for (i = 0; i < ours->links; i++)
		ours_control(ours);
}

void
ours_wait(struct ours *ours, const struct nhn_rx *rx)
{
	const struct timespec sleep = {.tv_nsec = WAIT_SLEEP_NS};
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);
	uint32_t turn;

	for (turn = 0; turn < WAIT_PAUSES + WAIT_SLEEPS; turn++) {
		if (nhn_rx_difference(&ring, rx->head, nhn_rx_commit_word(&ring, rx->head)) == 0)
			return;
		if (turn < WAIT_PAUSES) {
			contest_pause();
		} else {
			nanosleep(&sleep, NULL);
			ours_turn(ours);
		}
	}
}

/* ---- memory ---- */

static void
shape_layout(const struct ours_shape *shape, struct nhn_layout *layout)
{
	uint32_t i;

	nhn_layout_uniform(layout, shape->channels, shape->use, OURS_CELLS, shape->data_bytes);
	for (i = 0; i < shape->channels; i++)
		layout->entry[i].priority = (uint8_t)i;
}

/* Whole pages: each area could have page tables of its own. */
static size_t
area_bytes(const struct ours_shape *shape)
{
	struct nhn_layout layout;
	uint64_t bytes;

	shape_layout(shape, &layout);
	bytes = nhn_layout_offset(&layout, shape->channels);
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

size_t
ours_shared_bytes(const struct ours_shape *shape, uint32_t links)
{
	return 2 * links * area_bytes(shape);
}

/* The areas of all links that near writes, then those that far writes. */
static int
areas_shared(struct ours *ours, const struct ours_shape *shape, const struct contest_place *place,
	     struct nhn_link_config *config)
{
	const size_t half = ours->links * area_bytes(shape);
	const bool near = place->side == CONTEST_NEAR;
	uint8_t *other = place->shared + (near ? half : 0);

	config->own_area = place->shared + (near ? 0 : half);
	config->peer_area = other;
	config->own_bytes = config->peer_bytes = area_bytes(shape);
	if (!shape->split)
		return 0;
	if (mprotect(other, half, PROT_READ) != 0)
		return -errno;
	ours->memory->guarded = other;
	ours->memory->guarded_bytes = half;
	return 0;
}

static void
sentence_keep(void *context, const char *sentence)
{
	strncpy(context, sentence, MEETING_TEXT_BYTES - 1);
}
