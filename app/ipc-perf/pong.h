/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PONG_H
#define PONG_H

#include "way.h"

/** An answer that has no room for as long, with the link down, is dropped. */
#define ANSWER_HOLD_NS UINT64_C(1000000000)

/** The answering side's counts. */
struct pong {
	uint64_t answered;
	uint64_t limit_trips;
	uint64_t dropped; /**< answers that a restart of ping made useless */
	uint64_t strange; /**< messages that are none of ping's */
};

/** Serve until told to end or stopped. */
enum outcome pong_run(struct way *way);

#endif /* PONG_H */
