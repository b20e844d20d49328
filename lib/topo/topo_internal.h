/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_TOPO_INTERNAL_H
#define NHN_TOPO_INTERNAL_H

#include <hwloc.h>

#include "nhn_topo.h"

/* More than any kernel counts; keeps a list's text from taking all memory. */
#define NHN_TOPO_CPU_MAX 65535

/* A text under construction; cut off at its end, always terminated. */
struct nhn_line {
	char *text; /* NULL: nobody wants it */
	size_t size;
	size_t length; /* as it were without an end */
};

void nhn_line_init(struct nhn_line *line, char *text, size_t size);
void nhn_line_add(struct nhn_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "2", "2 and 3", "2, 3 and 5". */
void nhn_line_add_numbers(struct nhn_line *line, const int *numbers, size_t count);

/* "2-3,5"; "none". */
void nhn_line_add_list(struct nhn_line *line, hwloc_const_bitmap_t set);

/* "32 MiB", in the largest unit that needs no fraction. */
void nhn_line_add_bytes(struct nhn_line *line, uint64_t bytes);

/* Log one sentence; returns -error. "%m" in the format is the error's text. */
int nhn_topo_refuse(const struct nhn_topo_config *config, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A list such as "0-3,8", also with a newline after it, as the kernel ends it.
 * -EINVAL: none; -ENOMEM. Nothing in it is an empty set.
 */
int nhn_topo_list_parse(const char *text, hwloc_bitmap_t set);

/*
 * The first line of the file `name` below `root`, to be freed, in *text. -ENOENT
 * and its like when there is none.
 */
int nhn_topo_sysfs_read(const char *root, const char *name, char **text);

/* Fill the members of *topo that are the kernel's word: isolated, nohz_full. */
int nhn_topo_sysfs_isolation(struct nhn_topo *topo, const struct nhn_topo_config *config);

/* Of two cores of one machine, without looking for them. */
enum nhn_topo_distance nhn_topo_distance_of(const struct nhn_topo_cpu *one,
					    const struct nhn_topo_cpu *other);

/* The object of the node that the kernel calls `node`, or NULL. */
hwloc_obj_t nhn_topo_node(const struct nhn_topo *topo, int node);

/* What nhn_topo_choose() knows; the arrays have an element a core of topo->cpu. */
struct nhn_choice {
	const struct nhn_topo *topo;
	const struct nhn_topo_wish *wish;
	hwloc_bitmap_t busy;
	bool *candidate;     /* meets what is required of each core by itself */
	bool *quiet;	     /* no sibling that the scheduler uses */
	bool *on_node;	     /* of the wish; true where there is no wish */
	uint16_t *node_cost; /* the firmware's distance from the wish's node */
	int first_core;	     /* physical, of CPU 0; -1: it is not there */
	/* By physical core: cores of it in use, by a busy one from the start. */
	unsigned int *used;
	unsigned int *chosen; /* indices of topo->cpu, wish->count of them */
};

/* Why there is no set, or what was chosen, for people. */
void nhn_choice_explain(const struct nhn_choice *choice, struct nhn_line *line);
void nhn_choice_tell(const struct nhn_choice *choice, const int *cpus, struct nhn_line *line);

#endif /* NHN_TOPO_INTERNAL_H */
