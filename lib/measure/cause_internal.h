/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading, judging and keeping are apart: what is judged are deltas alone, so that tests
 * can make them up. Not installed.
 */
#ifndef CAUSE_INTERNAL_H
#define CAUSE_INTERNAL_H

#include <nhn_cause.h>

/* cause_look.c: reading */

/** Two short system calls. */
void nhn_look_light(struct nhn_observer *observer, struct nhn_counts *counts);
void nhn_look_full(struct nhn_observer *observer, struct nhn_look *look);

/** The thread's part of a delta; the CPU's part is left alone. */
void nhn_look_light_delta(const struct nhn_counts *before, const struct nhn_counts *after,
			  struct nhn_look_delta *delta);
/** All of it. */
void nhn_look_full_delta(const struct nhn_look *before, const struct nhn_look *after,
			 uint64_t tick_ns, struct nhn_look_delta *delta);

/* cause_judge.c: judging, pure functions */

/** Take a round without large gaps into the usual rates. */
void nhn_usual_learn(struct nhn_usual *usual, const struct nhn_look_delta *round);

/** Name the cause of what was seen: cause, far and detail. */
void nhn_gap_judge(const struct nhn_gap_seen *seen, const struct nhn_usual *usual,
		   const struct nhn_usual *far_usual, struct nhn_gap *gap);

/** Take from what came at the far end in a round what this gap was named by. */
void nhn_gap_take(const struct nhn_gap *gap, struct nhn_look_delta *far);

/* cause_text.c */

/** "1.234 ms"; three digits behind the point, cut off. @return as snprintf() */
int nhn_duration_text(uint64_t ns, char *text, size_t bytes);

/** "1 minor fault, steal 10.000 ms": all that came, but the lines. @return whether any did */
bool nhn_seen_text(const struct nhn_look_delta *delta, char *text, size_t bytes);

/** "waited 1.234 ms for the CPU, 2 switches": of an involuntary switch. */
void nhn_waited_text(const struct nhn_look_delta *delta, char *text, size_t bytes);

/** "TLB TLB shootdowns, 4000 in 12.000 ms, usually 1". @return as snprintf() */
int nhn_line_text(const struct nhn_interrupt *line, uint64_t count, uint64_t window_ns,
		  double usually, char *text, size_t bytes);

/** The sources that are not among *sees*, as nhn_observer_missing(). */
int nhn_missing_text(uint32_t sees, char *text, size_t bytes);

#endif /* CAUSE_INTERNAL_H */
