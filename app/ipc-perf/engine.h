/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * An engine: one way of loading a link. Each is a file; engines[] names all.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "way.h"

/** Settings that an engine may use, beside those of every run. */
enum engine_uses {
	USES_SIZE = 1 << 0,
	USES_REPLY_SIZE = 1 << 1,
	USES_BURST = 1 << 2,
	USES_RATE = 1 << 3,
	USES_DEPTH = 1 << 4,
	USES_IDLE = 1 << 5,
	USES_WORK = 1 << 6,
	USES_WAIT = 1 << 7,
	USES_BULK_SIZE = 1 << 8,
	USES_LINK = 1 << 9, /**< a far end; else the engine runs by itself */
};

struct run;
struct order;
struct settings;

struct engine {
	const char *name;    /**< of --mode */
	const char *help;    /**< what it does and what its figures are, sentences */
	const char *loop;    /**< "closed", "open" or "none": what a sample is taken from */
	const char *latency; /**< what run->round holds; NULL: no samples, rates only */
	const char *extra;   /**< what run->extra holds; NULL: nothing */
	uint32_t uses;	     /**< enum engine_uses */
	/** What the far end is to do in all rounds; zeroed before. NULL: answer. */
	void (*order)(const struct settings *settings, struct order *order);
	/**
	 * One round of run->round_messages, into run->round, run->extra and run->rate.
	 * No kernel call, no allocation and no log but where the link fails.
	 */
	enum outcome (*round)(struct run *run);
};

extern const struct engine engine_ping;
extern const struct engine engine_paced;
extern const struct engine engine_flood;
extern const struct engine engine_rpc;
extern const struct engine engine_duplex;
extern const struct engine engine_mixed;
extern const struct engine engine_idle_wake;
extern const struct engine engine_workload;
extern const struct engine engine_synthetic;

extern const struct engine *const engines[];
extern const size_t engines_count;

/** @return NULL: no such name */
const struct engine *engine_find(const char *name);

#endif /* ENGINE_H */
