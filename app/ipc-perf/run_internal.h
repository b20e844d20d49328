/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RUN_INTERNAL_H
#define RUN_INTERNAL_H

#include "run.h"

/** Nanoseconds since the run began. */
uint64_t run_now_ns(const struct run *run);

/* run_rounds.c */

/** All rounds and the blocks between them; sets outcome and complete. */
void run_rounds(struct run *run);

/* run_blocks.c */

/** Void blocks, and those of a link without words, are left empty. */
enum outcome run_limit_block(struct run *run, struct nhn_histogram *limit);
/** Both ends only read their clocks, at the same time, for about so long. */
enum outcome run_floor_block(struct run *run, uint64_t duration_ns);
/** Stamped trips: the times of one way. */
enum outcome run_stamp_block(struct run *run);
/** What disturbed the far end since the last look. @return as an order; @p look only if OK */
enum outcome run_far_look(struct run *run, struct nhn_look_delta *look);

/* run_far.c */

/** Both ends count from nothing, with the orders of this run. */
enum outcome run_count_anew(struct run *run);
/** The difference of the two clocks, by the shortest of some exchanges. */
enum outcome run_offset(struct run *run, struct offset *offset, unsigned int exchanges);
/** The counts of both ends and the far end's histograms, where it still answers. */
void run_counts(struct run *run);

#endif /* RUN_INTERNAL_H */
