/* SPDX-License-Identifier: BSD-3-Clause */
/* The copy routines of lib/msg, from one private memory to another. */

#include <msg_internal.h>
#include "../../test/unit/pattern.h"

#include "primitive.h"

#define LONGEST 65536u
#define GUARD 64u /* bytes around what is copied, which must stay */

struct copy {
	uint8_t from[GUARD + LONGEST + GUARD];
	uint8_t to[GUARD + LONGEST + GUARD];
};

typedef void copy_function(uint8_t *to, uint8_t *from, uint32_t bytes);

static void *
copy_open(const struct primitive *p)
{
	struct copy *copy = primitive_memory(sizeof(*copy));

	(void)p;
	pattern_fill(copy->from, sizeof(copy->from), PRIMITIVE_SEED, 0);
	return copy;
}

static void
gather(uint8_t *to, uint8_t *from, uint32_t bytes)
{
	const struct iovec part = {from, bytes};
	struct nhn_vector at;

	msg_vector_init(&at, &part, 1);
	msg_gather(&at, to, bytes, false);
}

static void
gather_stream(uint8_t *to, uint8_t *from, uint32_t bytes)
{
	const struct iovec part = {from, bytes};
	struct nhn_vector at;

	msg_vector_init(&at, &part, 1);
	msg_gather(&at, to, bytes, true);
	nhn_fence_streamed();
}

static void
gather_fetched(uint8_t *to, uint8_t *from, uint32_t bytes)
{
	msg_fetch_lines(to, bytes);
	gather(to, from, bytes);
}

static void
scatter(uint8_t *to, uint8_t *from, uint32_t bytes)
{
	const struct iovec part = {to, bytes};
	struct nhn_vector at;

	msg_vector_init(&at, &part, 1);
	msg_scatter(&at, (const uint8_t NHN_FOREIGN *)nhn_foreign_of(from), bytes);
}

/* A pointer to a function is no object: a row's parameter points to one of these. */
static copy_function *const plain = gather;
static copy_function *const stream = gather_stream;
static copy_function *const fetch = gather_fetched;
static copy_function *const out = scatter;

static void
copy_run(const struct primitive *p, void *state)
{
	copy_function *const function = *(copy_function *const *)p->parameter;
	const uint32_t operations = p->operations;
	struct copy *copy = state;
	uint32_t i;

	for (i = 0; i < operations; i++) {
		function(copy->to + GUARD, copy->from + GUARD, p->bytes);
		primitive_apart();
	}
}

/* @return whether so many bytes to that place came whole, and no other was touched */
static bool
copy_is_right(const struct primitive *p, struct copy *copy, uint32_t to, uint32_t from,
	      uint32_t bytes)
{
	copy_function *const function = *(copy_function *const *)p->parameter;
	uint32_t i;

	memset(copy->to, 0xee, sizeof(copy->to));
	function(copy->to + to, copy->from + from, bytes);
	for (i = 0; i < sizeof(copy->to); i++) {
		const bool copied = i - to < bytes;
		const uint8_t expected = copied ? copy->from[from + i - to] : 0xee;

		if (copy->to[i] != expected)
			return primitive_differs(
				p, "%u bytes from %u to %u: byte %d is 0x%02x, expected 0x%02x%s",
				bytes, from, to, (int)(i - to), copy->to[i], expected,
				copied ? "" : " as before");
	}
	return true;
}

static bool
copy_validate(const struct primitive *p, void *state)
{
	struct copy *copy = state;
	uint64_t random = PRIMITIVE_SEED;
	uint32_t i;

	for (i = 0; i < 40; i++) {
		const uint32_t odd = p->bytes - pattern_below(&random, 64);

		/* Whole lines, which streaming wants, and any place. */
		if (!copy_is_right(p, copy, GUARD, GUARD, odd) ||
		    !copy_is_right(p, copy, pattern_below(&random, GUARD),
				   pattern_below(&random, GUARD), odd))
			return false;
	}
	return copy_is_right(p, copy, GUARD, GUARD, p->bytes) &&
	       copy_is_right(p, copy, 1, GUARD, LONGEST) && copy_is_right(p, copy, GUARD, 3, 0);
}

#define ROW(what, bytes_, operations_)                                                             \
	{                                                                                          \
		.name = "copy-" #what "-" #bytes_, .bytes = bytes_, .operations = operations_,     \
		.parameter = &what, .open = copy_open, .run = copy_run, .validate = copy_validate, \
	}
#define ROWS(what)                                                                                 \
	ROW(what, 64, 1024), ROW(what, 1024, 256), ROW(what, 4096, 64), ROW(what, 65536, 8)

const struct primitive primitives_copy[] = {
	ROWS(plain), ROWS(stream), ROWS(fetch), ROWS(out), {.name = NULL},
};
