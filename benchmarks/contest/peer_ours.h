/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What our contestants share: links that come up, over the contest's memory, over files that
 * back a guest's devices, or in that guest over the devices. Near is the host of each link,
 * far its guest.
 */
#ifndef PEER_OURS_H
#define PEER_OURS_H

#include <nhn_link.h>

#include "contest.h"

/** Cells of a channel: those of both directions stay in a first-level cache (doc/performance). */
#define OURS_CELLS 128u

/** Where bursts are what counts: 4 MiB of cells, more than both second caches. */
#define OURS_CELLS_LONG 65536u
/** contestant::ring_max. */
#define OURS_RING_MAX OURS_CELLS_LONG

/** Counter cycles between two control steps of a side: some 25 us on x86. */
#define OURS_CONTROL_CYCLES (UINT64_C(1) << 16)

/** A link as a contestant wants it: contestant::variant. */
struct ours_shape {
	enum nhn_use use;
	uint32_t channels;   /**< where there are several, the contest's links are these, of one */
	uint32_t cells;	     /**< of each channel, unless told by the order; 0: OURS_CELLS */
	uint32_t data_bytes; /**< of each channel's data ring */
	bool split;	     /**< each side can write its own areas only: page tables say so */
};

struct ours_memory;

/** Open links, private to a side: what a struct peer of ours begins with. */
struct ours {
	uint64_t controlled; /**< when the last control step was, cycles */
	uint32_t next;	     /**< link of the next one */
	uint32_t links;
	struct nhn_link *link[CONTEST_LINKS_MAX];
	struct ours_memory *memory;
};

/** As contestant::shared_bytes. */
size_t ours_shared_bytes(const struct contest_place *place);

/**
 * A peer of @p peer_bytes, zeroed but for its links, which are all up.
 * @return NULL with the reason in @p why
 */
void *ours_open(size_t peer_bytes, const struct contest_place *place, char *why, size_t why_bytes);

/** As contestant::close, of what ours_open() made. */
void ours_close(void *peer);

/** The control step of the next link. */
void ours_control(struct ours *ours);

/** Before a round: a control step of each link. */
void ours_prepare(struct ours *ours);

/** peer_wait(): as a worker with its adaptive idle policy does, until @p rx has something. */
void ours_wait(struct ours *ours, const struct nhn_rx *rx);

/** peer_turn(): reads the counter; a control step where one is due. */
static inline void
ours_turn(struct ours *ours)
{
	const uint64_t now = nhn_clock_now();

	if (now - ours->controlled < OURS_CONTROL_CYCLES)
		return;
	ours->controlled = now;
	ours_control(ours);
}

/* In a guest whose devices vfio-pci holds: peer_ours_pci.c, where the build has DPDK. */

/**
 * The link of a device's port, in EAL's mapping.
 * @param device of the contestant: contest_device()
 * @return NULL with the reason in @p why
 */
struct nhn_link *ours_pci_open(const struct contest_place *place, const char *device,
			       uint16_t *port, char *why, size_t why_bytes);
void ours_pci_close(uint16_t port);

#endif /* PEER_OURS_H */
