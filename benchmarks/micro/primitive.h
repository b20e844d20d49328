/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primitive: one operation of the hot paths that can be looked at by itself. Each is a row
 * of a table, which three programs share: micro/validate proves what it does,
 * micro/primitives measures it, benchmarks/instructions counts it.
 *
 * The row "null" does nothing, by the same harness: that is what the harness itself costs. It
 * is shown and taken off nobody.
 */
#ifndef PRIMITIVE_H
#define PRIMITIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nhn_link.h>

struct primitive {
	const char *name;
	uint32_t bytes;	       /* of a message or of a copy; 0: it has none */
	uint32_t operations;   /* of one run */
	const void *parameter; /* of the functions below */
	/* Fresh memory; the harness frees it after close(). NULL: could not, and has said why. */
	void *(*open)(const struct primitive *p);
	void (*close)(void *state); /* frees what else there is. NULL: nothing */
	/* Neither timed nor counted: makes what run() takes, takes what it made. NULL: nothing. */
	void (*before)(const struct primitive *p, void *state);
	void (*after)(const struct primitive *p, void *state);
	void (*run)(const struct primitive *p, void *state);
	/* @return false: wrong, and has said by primitive_differs() what */
	bool (*validate)(const struct primitive *p, void *state);
};

/* Tables; each ends with a row without a name, the list of them with NULL. */
extern const struct primitive *const primitive_tables[];
extern const struct primitive primitives_word[];
extern const struct primitive primitives_channel[];
extern const struct primitive primitives_copy[];
extern const struct primitive primitives_message[];
extern const struct primitive primitives_worker[];
extern const struct primitive primitives_ethdev[];

/* Call a function for each primitive. @return false: it did once, the rest was left */
bool primitive_each(bool (*function)(const struct primitive *p, void *context), void *context);

/* before(), run() and after() */
void primitive_turn(const struct primitive *p, void *state);

/* Say that it does not do what it should, in the words of printf(). @return false */
bool primitive_differs(const struct primitive *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Zeroed, aligned to a page. Ends the program where there is none. */
void *primitive_memory(size_t bytes);

/* The first core that this process may use. Ends the program where that is not told. */
int primitive_first_core(void);

/* Seed of all content. */
#define PRIMITIVE_SEED 20u

/* Nothing of memory stays in registers: each operation stands alone. */
static inline void
primitive_apart(void)
{
	__asm__ volatile("" : : : "memory");
}

/* The value is used. */
static inline void
primitive_keep(uint64_t value)
{
	__asm__ volatile("" : : "r"(value));
}

/* A link with both ends in one process and a clock that stands still, so that no control
 * step depends on how long something took. First member of the state of who has one. */
struct primitive_link {
	struct nhn_link host;
	struct nhn_link guest;
	uint64_t now_ns;
};

#define PRIMITIVE_CELLS 1024u

/* Zeroed memory for @p state_bytes, which begin with the link, and for its areas; one channel.
 * The link is up. */
void *primitive_link_open(size_t state_bytes, enum nhn_use use, uint32_t cells,
			  uint32_t data_bytes);

/* A control step of both ends. */
void primitive_link_control(struct primitive_link *link);

#endif /* PRIMITIVE_H */
