/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include "topo_internal.h"

/* Cores that meet some of what is required, for the sentence that says which fails. */
struct stage {
	hwloc_bitmap_t left;
	unsigned int count;
};

static bool
start_stage(struct stage *stage, const struct nhn_choice *choice)
{
	*stage = (struct stage){.left = hwloc_bitmap_alloc()};
	if (stage->left == NULL)
		return false;
	for (unsigned int i = 0; i < choice->topo->cpus; i++) {
		const struct nhn_topo_cpu *cpu = &choice->topo->cpu[i];

		if (cpu->allowed && !hwloc_bitmap_isset(choice->busy, (unsigned int)cpu->cpu))
			hwloc_bitmap_set(stage->left, (unsigned int)cpu->cpu);
	}
	stage->count = (unsigned int)hwloc_bitmap_weight(stage->left);
	return true;
}

static bool
is_left(const struct stage *stage, const struct nhn_topo_cpu *cpu)
{
	return hwloc_bitmap_isset(stage->left, (unsigned int)cpu->cpu) != 0;
}

/* Take those out that `keep` has not, by index of the topology. */
static void
narrow(struct stage *stage, const struct nhn_choice *choice, bool isolated, const bool *keep)
{
	for (unsigned int i = 0; i < choice->topo->cpus; i++)
		if ((isolated && !choice->topo->cpu[i].isolated) || (keep != NULL && !keep[i]))
			hwloc_bitmap_clr(stage->left, (unsigned int)choice->topo->cpu[i].cpu);
	stage->count = (unsigned int)hwloc_bitmap_weight(stage->left);
}

/* One core of each physical one that has no busy one; those in use already are none's. */
static void
leave_one_a_core(struct stage *stage, const struct nhn_choice *choice)
{
	const struct nhn_topo *topo = choice->topo;

	for (unsigned int i = 0; i < topo->cpus; i++) {
		bool first = choice->used[topo->cpu[i].core] == 0;

		for (unsigned int j = 0; j < i; j++)
			first = first && (topo->cpu[j].core != topo->cpu[i].core ||
					  !is_left(stage, &topo->cpu[j]));
		if (!first)
			hwloc_bitmap_clr(stage->left, (unsigned int)topo->cpu[i].cpu);
	}
	stage->count = (unsigned int)hwloc_bitmap_weight(stage->left);
}

static unsigned int
fullest_l3(const struct stage *stage, const struct nhn_topo *topo)
{
	unsigned int fullest = 0;

	for (unsigned int l3 = 0; l3 < topo->l3s; l3++) {
		unsigned int count = 0;

		for (unsigned int i = 0; i < topo->cpus; i++)
			count += topo->cpu[i].l3 == (int)l3 && is_left(stage, &topo->cpu[i]);
		if (count > fullest)
			fullest = count;
	}
	return fullest;
}

static void
add_left(struct nhn_line *line, const struct stage *stage)
{
	nhn_line_add(line, "%u (", stage->count);
	nhn_line_add_list(line, stage->left);
	nhn_line_add(line, ")");
}

/* Are there too few by now? Then the sentence ends with what to do about it. */
static bool
too_few(const struct stage *stage, const struct nhn_choice *choice, struct nhn_line *line,
	const char *remedy)
{
	if (stage->count >= choice->wish->count)
		return false;
	nhn_line_add(line, "; %s.", remedy);
	return true;
}

static bool
too_few_isolated(struct stage *stage, const struct nhn_choice *choice, struct nhn_line *line)
{
	if ((choice->wish->require & NHN_TOPO_ISOLATED) == 0)
		return false;
	narrow(stage, choice, true, NULL);
	nhn_line_add(line, ", of these ");
	add_left(line, stage);
	nhn_line_add(line, " isolated");
	return too_few(stage, choice, line,
		       "boot with isolcpus=, ask for fewer, or do not require isolation");
}

static bool
too_few_on_node(struct stage *stage, const struct nhn_choice *choice, struct nhn_line *line)
{
	if ((choice->wish->require & NHN_TOPO_ON_NODE) == 0)
		return false;
	narrow(stage, choice, false, choice->on_node);
	nhn_line_add(line, ", of these ");
	add_left(line, stage);
	nhn_line_add(line, " on node %d", choice->wish->node);
	return too_few(stage, choice, line,
		       "choose another node, ask for fewer, or do not require the node");
}

static bool
too_few_physical(struct stage *stage, const struct nhn_choice *choice, struct nhn_line *line)
{
	if ((choice->wish->require & NHN_TOPO_NO_SIBLINGS) == 0)
		return false;
	leave_one_a_core(stage, choice);
	nhn_line_add(line, ", of these %u without an SMT sibling chosen or busy", stage->count);
	return too_few(stage, choice, line, "ask for fewer, or do not require it of SMT siblings");
}

/* The first requirement that leaves too few, told behind what was asked for. */
static void
explain(const struct nhn_choice *choice, struct stage *stage, struct nhn_line *line)
{
	const unsigned int count = choice->wish->count;

	nhn_line_add(line, "%u core%s asked for, and ", count, count == 1 ? " was" : "s were");
	add_left(line, stage);
	nhn_line_add(line, " of %u are allowed and not busy", choice->topo->cpus);
	if (too_few(stage, choice, line, "widen the affinity or the cpuset, or ask for fewer") ||
	    too_few_isolated(stage, choice, line) || too_few_on_node(stage, choice, line) ||
	    too_few_physical(stage, choice, line))
		return;
	nhn_line_add(line,
		     ", of these at most %u share one L3; ask for fewer, or do not require one L3.",
		     fullest_l3(stage, choice->topo));
}

void
nhn_choice_explain(const struct nhn_choice *choice, struct nhn_line *line)
{
	struct stage stage;

	if (start_stage(&stage, choice))
		explain(choice, &stage, line);
	else
		nhn_line_add(line, "%u cores were asked for, and there are not so many.",
			     choice->wish->count);
	hwloc_bitmap_free(stage.left);
}

/* What comes before the next thing that was relaxed. */
static const char *
separator(unsigned int *relaxed)
{
	return (*relaxed)++ == 0 ? "; relaxed: " : ", ";
}

static void
tell_cores(const struct nhn_choice *choice, struct nhn_line *line, unsigned int *relaxed)
{
	const struct nhn_topo *topo = choice->topo;
	const unsigned int count = choice->wish->count;
	unsigned int isolated = 0, conflicts = 0, unquiet = 0;

	for (unsigned int i = 0; i < count; i++) {
		const struct nhn_topo_cpu *cpu = &topo->cpu[choice->chosen[i]];

		isolated += cpu->isolated;
		conflicts += choice->used[cpu->core] > 1;
		unquiet += !choice->quiet[choice->chosen[i]];
	}
	if (isolated < count)
		nhn_line_add(line, "%sisolated (%u of %u; the kernel isolates %s)",
			     separator(relaxed), isolated, count,
			     *topo->isolated != '\0' ? topo->isolated : "none");
	if (conflicts > 0)
		nhn_line_add(line, "%sno sibling chosen or busy (%u of %u have one)",
			     separator(relaxed), conflicts, count);
	if (unquiet > 0)
		nhn_line_add(line, "%sno sibling for the scheduler (%u of %u have one)",
			     separator(relaxed), unquiet, count);
}

static void
tell_place(const struct nhn_choice *choice, struct nhn_line *line, unsigned int *relaxed)
{
	const struct nhn_topo *topo = choice->topo;
	const struct nhn_topo_cpu *first = &topo->cpu[choice->chosen[0]];
	const unsigned int count = choice->wish->count;
	unsigned int near = 0, local = 0;

	for (unsigned int i = 0; i < count; i++) {
		near += nhn_topo_distance_of(first, &topo->cpu[choice->chosen[i]]) <= NHN_TOPO_L3;
		local += choice->on_node[choice->chosen[i]];
	}
	if (near < count && topo->l3s == 0)
		nhn_line_add(line, "%sone L3 (none is known)", separator(relaxed));
	else if (near < count)
		nhn_line_add(line, "%sone L3 (%u of %u share that of core %d)", separator(relaxed),
			     near, count, first->cpu);
	if (local < count)
		nhn_line_add(line, "%snode %d (%u of %u on it)", separator(relaxed),
			     choice->wish->node, local, count);
}

void
nhn_choice_tell(const struct nhn_choice *choice, const int *cpus, struct nhn_line *line)
{
	char text[NHN_TOPO_TEXT_MAX];
	unsigned int relaxed = 0;

	nhn_topo_text(choice->topo, cpus, choice->wish->count, text, sizeof(text));
	nhn_line_add(line, "%s", text);
	tell_cores(choice, line, &relaxed);
	tell_place(choice, line, &relaxed);
	if (relaxed == 0)
		nhn_line_add(line, "; nothing relaxed");
}
