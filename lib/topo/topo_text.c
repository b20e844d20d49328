/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "topo_internal.h"

void
nhn_line_init(struct nhn_line *line, char *text, size_t size)
{
	*line = (struct nhn_line){.text = size > 0 ? text : NULL, .size = size};
	if (line->text != NULL)
		*line->text = '\0';
}

void
nhn_line_add(struct nhn_line *line, const char *format, ...)
{
	va_list args;
	int length;

	if (line->text == NULL || line->length + 1 >= line->size)
		return;
	va_start(args, format);
	length = vsnprintf(line->text + line->length, line->size - line->length, format, args);
	va_end(args);
	if (length > 0)
		line->length += (size_t)length;
}

void
nhn_line_add_numbers(struct nhn_line *line, const int *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		nhn_line_add(line, "%s%d",
			     i == 0	     ? ""
			     : i + 1 < count ? ", "
					     : " and ",
			     numbers[i]);
}

void
nhn_line_add_list(struct nhn_line *line, hwloc_const_bitmap_t set)
{
	char *list;

	if (hwloc_bitmap_iszero(set)) {
		nhn_line_add(line, "none");
		return;
	}
	/* Without memory for it the list is left out of a sentence that stands without. */
	if (hwloc_bitmap_list_asprintf(&list, set) < 0)
		return;
	nhn_line_add(line, "%s", list);
	free(list);
}

void
nhn_line_add_bytes(struct nhn_line *line, uint64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	unsigned int unit = 0;

	while (unit < 3 && bytes > 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	nhn_line_add(line, "%" PRIu64 " %s", bytes, units[unit]);
}

const char *
nhn_topo_distance_name(enum nhn_topo_distance distance)
{
	switch (distance) {
	case NHN_TOPO_SAME:
		return "are one core";
	case NHN_TOPO_SMT:
		return "are SMT siblings";
	case NHN_TOPO_L2:
		return "share L2";
	case NHN_TOPO_L3:
		return "share L3";
	case NHN_TOPO_NODE:
		return "share a node";
	case NHN_TOPO_PACKAGE:
		return "share a package";
	case NHN_TOPO_FAR:
		return "share the machine only";
	}
	return "unknown";
}

/* Is `cpus[i]` the first of its kind, by a member of its core? */
#define IS_FIRST(topo, cpus, i, member)                                                            \
	({                                                                                         \
		bool first_ = true;                                                                \
		for (unsigned int j_ = 0; j_ < (i); j_++)                                          \
			first_ = first_ && nhn_topo_core(topo, (cpus)[j_])->member !=              \
						   nhn_topo_core(topo, (cpus)[i])->member;         \
		first_;                                                                            \
	})

static void
add_packages_and_nodes(struct nhn_line *line, const struct nhn_topo *topo, const int *cpus,
		       unsigned int count)
{
	unsigned int packages = 0, nodes = 0;

	for (unsigned int i = 0; i < count; i++) {
		packages += IS_FIRST(topo, cpus, i, package);
		nodes += IS_FIRST(topo, cpus, i, node);
	}
	if (packages == 1)
		nhn_line_add(line, count == 1 ? "package %d" : "one package",
			     nhn_topo_core(topo, cpus[0])->package);
	else
		nhn_line_add(line, "%u packages", packages);
	if (topo->nodes < 2)
		return;
	if (nodes == 1)
		nhn_line_add(line, ", node %d", nhn_topo_core(topo, cpus[0])->node);
	else
		nhn_line_add(line, ", %u nodes", nodes);
}

static void
add_cache(struct nhn_line *line, const struct nhn_topo *topo, const int *cpus, unsigned int count)
{
	const struct nhn_topo_cpu *first = nhn_topo_core(topo, cpus[0]);
	bool l2 = first->l2 >= 0, l3 = first->l3 >= 0;
	uint64_t bytes;

	for (unsigned int i = 1; i < count; i++) {
		const struct nhn_topo_cpu *cpu = nhn_topo_core(topo, cpus[i]);

		l2 = l2 && cpu->l2 == first->l2;
		l3 = l3 && cpu->l3 == first->l3;
	}
	if (count == 1)
		l2 = l2 && !l3;
	if (!l2 && !l3) {
		nhn_line_add(line, ", %s", count == 1 ? "no known L2 or L3" : "share no L2 or L3");
		return;
	}
	nhn_line_add(line, ", %sL%d", count == 1 ? "" : "share ", l2 ? 2 : 3);
	bytes = l2 ? first->l2_bytes : first->l3_bytes;
	if (bytes == 0)
		return;
	nhn_line_add(line, " (");
	nhn_line_add_bytes(line, bytes);
	nhn_line_add(line, ")");
}

/* Of one core its siblings; of several the first pair that are each other's. */
static void
add_siblings(struct nhn_line *line, const struct nhn_topo *topo, const int *cpus,
	     unsigned int count)
{
	const struct nhn_topo_cpu *first = nhn_topo_core(topo, cpus[0]);
	const unsigned int siblings = first->sibling_count < NHN_TOPO_SIBLINGS_MAX
					      ? first->sibling_count
					      : NHN_TOPO_SIBLINGS_MAX;

	if (count == 1) {
		nhn_line_add(line, ", SMT siblings: %s", siblings == 0 ? "none" : "");
		nhn_line_add_numbers(line, first->siblings, siblings);
		return;
	}
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = i + 1; j < count; j++)
			switch (nhn_topo_distance(topo, cpus[i], cpus[j])) {
			case NHN_TOPO_SAME:
				nhn_line_add(line, ", core %d twice", cpus[i]);
				return;
			case NHN_TOPO_SMT:
				nhn_line_add(line, ", SMT siblings of each other: %d and %d",
					     cpus[i], cpus[j]);
				return;
			default:
				break;
			}
	nhn_line_add(line, ", no SMT siblings of each other");
}

static void
add_isolation(struct nhn_line *line, const struct nhn_topo *topo, const int *cpus,
	      unsigned int count)
{
	unsigned int isolated = 0, seen = 0;

	for (unsigned int i = 0; i < count; i++)
		isolated += nhn_topo_core(topo, cpus[i])->isolated;
	nhn_line_add(line, ", isolated: ");
	if (isolated == 0 || isolated == count) {
		nhn_line_add(line, isolated == 0 ? "no" : "yes");
		return;
	}
	for (unsigned int i = 0; i < count; i++)
		if (nhn_topo_core(topo, cpus[i])->isolated)
			nhn_line_add(line, "%s%d",
				     seen++ == 0       ? "only "
				     : seen < isolated ? ", "
						       : " and ",
				     cpus[i]);
}

int
nhn_topo_text(const struct nhn_topo *topo, const int *cpus, unsigned int count, char *text,
	      size_t size)
{
	struct nhn_line line;

	nhn_line_init(&line, text, size);
	if (count == 0) {
		nhn_line_add(&line, "no cores were named, and one at least was expected");
		return -EINVAL;
	}
	for (unsigned int i = 0; i < count; i++)
		if (nhn_topo_core(topo, cpus[i]) == NULL) {
			nhn_line_add(&line, "there is no core %d among the %u of this machine",
				     cpus[i], topo->cpus);
			return -ENOENT;
		}
	nhn_line_add(&line, count == 1 ? "core " : "cores ");
	nhn_line_add_numbers(&line, cpus, count);
	nhn_line_add(&line, ": ");
	add_packages_and_nodes(&line, topo, cpus, count);
	add_cache(&line, topo, cpus, count);
	add_siblings(&line, topo, cpus, count);
	add_isolation(&line, topo, cpus, count);
	return 0;
}
