/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primitive.h"

#define PAGE 4096u

const struct primitive *const primitive_tables[] = {
	primitives_word,
	primitives_channel,
	primitives_copy,
	primitives_message,
#ifdef HAVE_WORKER
	primitives_worker,
#endif
#ifdef HAVE_PMD
	primitives_ethdev,
#endif
	NULL,
};

bool
primitive_each(bool (*function)(const struct primitive *p, void *context), void *context)
{
	const struct primitive *const *table;
	const struct primitive *p;

	for (table = primitive_tables; *table != NULL; table++)
		for (p = *table; p->name != NULL; p++)
			if (!function(p, context))
				return false;
	return true;
}

void
primitive_turn(const struct primitive *p, void *state)
{
	if (p->before != NULL)
		p->before(p, state);
	p->run(p, state);
	if (p->after != NULL)
		p->after(p, state);
}

bool
primitive_differs(const struct primitive *p, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "validate: %s: ", p->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return false;
}

void *
primitive_memory(size_t bytes)
{
	size_t whole = (bytes + PAGE - 1) / PAGE * PAGE;
	void *memory = aligned_alloc(PAGE, whole);

	if (memory == NULL) {
		fprintf(stderr, "primitive: no %zu bytes of memory\n", whole);
		exit(1);
	}
	memset(memory, 0, whole);
	return memory;
}

int
primitive_first_core(void)
{
	cpu_set_t set;
	int core;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (core = 0; core < CPU_SETSIZE; core++)
			if (CPU_ISSET((size_t)core, &set))
				return core;
	fprintf(stderr, "primitive: the first %d cores are not for this process: %s\n", CPU_SETSIZE,
		strerror(errno));
	exit(1);
}

static void
end_init(struct nhn_link *link, enum nhn_role role, const struct nhn_layout *layout, void *areas,
	 uint64_t bytes)
{
	struct nhn_link_config config = {.use = layout->entry[0].use, .random = 2};
	struct nhn_refusal refusal;

	config.layout = *layout;
	nhn_link_joint(&config, role, areas, bytes);
	if (nhn_link_init(link, &config, &refusal) != 0)
		abort();
}

void
primitive_link_control(struct primitive_link *link)
{
	nhn_link_control(&link->host, link->now_ns);
	nhn_link_control(&link->guest, link->now_ns);
}

void *
primitive_link_open(size_t state_bytes, enum nhn_use use, uint32_t cells, uint32_t data_bytes)
{
	const size_t begin = (state_bytes + PAGE - 1) / PAGE * PAGE;
	/* Cells of 128 bytes are the largest, and each channel begins on a page. */
	const uint64_t area = NHN_CONTROL_BYTES + (uint64_t)cells * 128 + data_bytes + PAGE;
	uint8_t *memory = primitive_memory(begin + 2 * area);
	struct primitive_link *link = (struct primitive_link *)(void *)memory;
	struct nhn_layout layout;
	uint32_t turn;

	nhn_layout_uniform(&layout, 1, use, cells, data_bytes);
	end_init(&link->host, NHN_ROLE_HOST, &layout, memory + begin, 2 * area);
	end_init(&link->guest, NHN_ROLE_GUEST, &layout, memory + begin, 2 * area);
	for (turn = 0; turn < 20; turn++)
		primitive_link_control(link);
	if (link->host.state != NHN_LINK_UP || link->guest.state != NHN_LINK_UP)
		abort();
	return memory;
}
