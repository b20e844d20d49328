/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "topo_internal.h"

#define ALL_REQUIREMENTS                                                                           \
	(NHN_TOPO_ISOLATED | NHN_TOPO_NO_SIBLINGS | NHN_TOPO_ONE_L3 | NHN_TOPO_ON_NODE)

/* Nodes of which the firmware tells nothing, as its own tables have them. */
#define COST_LOCAL 10
#define COST_REMOTE 20

/* What a set costs, the weightiest first: see nhn_topo_choose(). */
enum {
	COST_NOT_ISOLATED,
	COST_CONFLICTS,
	COST_NOT_QUIET,
	COST_DISTANCE,
	COST_NODE,
	COST_SPREAD,
	COST_CPU_0,
	COSTS,
};

static int
check_wish(const struct nhn_topo *topo, const struct nhn_topo_wish *wish, struct nhn_line *line)
{
	if (topo->hwloc == NULL) {
		nhn_line_add(line, "No machine was looked at; open the topology first.");
		return -EINVAL;
	}
	if (wish->count == 0 || wish->count > NHN_TOPO_CHOICE_MAX) {
		nhn_line_add(line, "%u cores were asked for, and 1 to %u were expected.",
			     wish->count, NHN_TOPO_CHOICE_MAX);
		return -EINVAL;
	}
	if ((wish->require & ~(unsigned int)ALL_REQUIREMENTS) != 0) {
		nhn_line_add(line, "The requirements 0x%x are not all of enum nhn_topo_require.",
			     wish->require);
		return -EINVAL;
	}
	if ((wish->require & NHN_TOPO_ON_NODE) != 0 && wish->node < 0) {
		nhn_line_add(line, "The cores' node was required, and no node was named; name one,"
				   " or do not require it.");
		return -EINVAL;
	}
	if (wish->node >= 0 && nhn_topo_node(topo, wish->node) == NULL) {
		nhn_line_add(line, "Node %d was asked for, and the machine has node%s ", wish->node,
			     topo->nodes == 1 ? "" : "s");
		nhn_line_add_list(line, hwloc_topology_get_topology_nodeset(topo->hwloc));
		nhn_line_add(line, "; name one of these, or none (-1).");
		return -ENOENT;
	}
	return 0;
}

/* By the firmware's table, from the core's node to the memory's. */
static uint16_t
node_cost(const struct hwloc_distances_s *table, int from, int to)
{
	unsigned int row, column;

	if (from < 0 || table == NULL)
		return COST_REMOTE;
	for (row = 0; row < table->nbobjs && (int)table->objs[row]->os_index != from; row++)
		;
	for (column = 0; column < table->nbobjs && (int)table->objs[column]->os_index != to;
	     column++)
		;
	if (row == table->nbobjs || column == table->nbobjs)
		return COST_REMOTE;
	return table->values[row * table->nbobjs + column] < UINT16_MAX
		       ? (uint16_t)table->values[row * table->nbobjs + column]
		       : UINT16_MAX;
}

static void
find_nodes(struct nhn_choice *choice)
{
	const struct nhn_topo *topo = choice->topo;
	const int node = choice->wish->node;
	hwloc_obj_t object = nhn_topo_node(topo, node);
	struct hwloc_distances_s *table = NULL;
	unsigned int tables = 1;

	if (object != NULL &&
	    (hwloc_distances_get_by_name(topo->hwloc, "NUMALatency", &tables, &table, 0) != 0 ||
	     tables == 0))
		table = NULL;
	for (unsigned int i = 0; i < topo->cpus; i++) {
		choice->on_node[i] =
			object == NULL ||
			hwloc_bitmap_isset(object->cpuset, (unsigned int)topo->cpu[i].cpu);
		choice->node_cost[i] =
			choice->on_node[i] ? COST_LOCAL : node_cost(table, topo->cpu[i].node, node);
	}
	if (table != NULL)
		hwloc_distances_release(topo->hwloc, table);
}

static bool
is_quiet(const struct nhn_topo *topo, unsigned int index)
{
	for (unsigned int i = 0; i < topo->cpus; i++)
		if (i != index && topo->cpu[i].core == topo->cpu[index].core &&
		    !topo->cpu[i].isolated)
			return false;
	return true;
}

static void
find_candidates(struct nhn_choice *choice)
{
	const struct nhn_topo *topo = choice->topo;
	const unsigned int require = choice->wish->require;
	const struct nhn_topo_cpu *first = nhn_topo_core(topo, 0);

	choice->first_core = first != NULL ? first->core : -1;
	find_nodes(choice);
	for (unsigned int i = 0; i < topo->cpus; i++) {
		const struct nhn_topo_cpu *cpu = &topo->cpu[i];
		const bool busy = hwloc_bitmap_isset(choice->busy, (unsigned int)cpu->cpu) != 0;

		choice->quiet[i] = is_quiet(topo, i);
		choice->candidate[i] = cpu->allowed && !busy &&
				       ((require & NHN_TOPO_ISOLATED) == 0 || cpu->isolated) &&
				       ((require & NHN_TOPO_ON_NODE) == 0 || choice->on_node[i]);
		choice->used[cpu->core] += busy;
	}
}

/* How well a core comes to those that were taken; the less the better. */
static uint64_t
rank(const struct nhn_choice *choice, unsigned int seed, unsigned int index)
{
	const struct nhn_topo_cpu *cpu = &choice->topo->cpu[index];
	const uint64_t near = nhn_topo_distance_of(&choice->topo->cpu[seed], cpu);

	return (uint64_t)!cpu->isolated << 63 | (uint64_t)(choice->used[cpu->core] > 0) << 62 |
	       (uint64_t)!choice->quiet[index] << 61 | near << 56 |
	       (uint64_t)choice->node_cost[index] << 40 |
	       (uint64_t)(cpu->core == choice->first_core) << 32 | index;
}

/* What comes best to the seed and what was taken after it; UINT_MAX: nothing. */
static unsigned int
pick(const struct nhn_choice *choice, unsigned int seed, const bool *taken)
{
	const struct nhn_topo *topo = choice->topo;
	const unsigned int require = choice->wish->require;
	unsigned int best = UINT_MAX;
	uint64_t best_rank = UINT64_MAX;

	for (unsigned int i = 0; i < topo->cpus; i++) {
		uint64_t this_rank;

		if (!choice->candidate[i] || taken[i])
			continue;
		if ((require & NHN_TOPO_NO_SIBLINGS) != 0 && choice->used[topo->cpu[i].core] > 0)
			continue;
		if ((require & NHN_TOPO_ONE_L3) != 0 &&
		    (topo->cpu[i].l3 < 0 || topo->cpu[i].l3 != topo->cpu[seed].l3))
			continue;
		this_rank = rank(choice, seed, i);
		if (this_rank < best_rank) {
			best_rank = this_rank;
			best = i;
		}
	}
	return best;
}

/*
 * A set around a seed, in choice->chosen. The cores are taken by the same order
 * of preference by which sets are compared, and distances form a tree, in which
 * no two cores are further apart than the further one is from the seed. So the
 * best set is found from any of its members.
 */
static bool
grow(struct nhn_choice *choice, unsigned int seed, bool *taken)
{
	const struct nhn_topo *topo = choice->topo;
	unsigned int count = 0, next = seed;

	memset(taken, 0, topo->cpus * sizeof(*taken));
	if ((choice->wish->require & NHN_TOPO_NO_SIBLINGS) != 0 &&
	    choice->used[topo->cpu[seed].core] > 0)
		return false;
	if ((choice->wish->require & NHN_TOPO_ONE_L3) != 0 && topo->cpu[seed].l3 < 0)
		return false;
	do {
		taken[next] = true;
		choice->used[topo->cpu[next].core]++;
		choice->chosen[count++] = next;
	} while (count < choice->wish->count && (next = pick(choice, seed, taken)) != UINT_MAX);
	return count == choice->wish->count;
}

static void
give_back(struct nhn_choice *choice, const bool *taken)
{
	for (unsigned int i = 0; i < choice->topo->cpus; i++)
		choice->used[choice->topo->cpu[i].core] -= taken[i];
}

static void
weigh(const struct nhn_choice *choice, uint64_t cost[COSTS])
{
	const struct nhn_topo *topo = choice->topo;

	memset(cost, 0, COSTS * sizeof(*cost));
	for (unsigned int i = 0; i < choice->wish->count; i++) {
		const unsigned int index = choice->chosen[i];
		const struct nhn_topo_cpu *cpu = &topo->cpu[index];

		cost[COST_NOT_ISOLATED] += !cpu->isolated;
		cost[COST_CONFLICTS] += choice->used[cpu->core] > 1;
		cost[COST_NOT_QUIET] += !choice->quiet[index];
		cost[COST_NODE] += choice->node_cost[index];
		cost[COST_CPU_0] += cpu->core == choice->first_core;
		for (unsigned int j = 0; j < i; j++) {
			const uint64_t distance =
				nhn_topo_distance_of(cpu, &topo->cpu[choice->chosen[j]]);

			cost[COST_SPREAD] += distance;
			if (distance > cost[COST_DISTANCE])
				cost[COST_DISTANCE] = distance;
		}
	}
}

static bool
is_less(const uint64_t a[COSTS], const uint64_t b[COSTS])
{
	for (unsigned int i = 0; i < COSTS; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

static int
compare_indices(const void *a, const void *b)
{
	const unsigned int one = *(const unsigned int *)a, other = *(const unsigned int *)b;

	return one < other ? -1 : one > other;
}

/* The best set of all seeds in choice->chosen, whose cores are in `used`. */
static bool
search(struct nhn_choice *choice, bool *taken, unsigned int *best)
{
	uint64_t best_cost[COSTS], cost[COSTS];
	bool found = false;

	for (unsigned int seed = 0; seed < choice->topo->cpus; seed++) {
		if (!choice->candidate[seed])
			continue;
		if (grow(choice, seed, taken)) {
			weigh(choice, cost);
			if (!found || is_less(cost, best_cost)) {
				memcpy(best_cost, cost, sizeof(cost));
				memcpy(best, choice->chosen, choice->wish->count * sizeof(*best));
				found = true;
			}
		}
		give_back(choice, taken);
	}
	if (!found)
		return false;
	memcpy(choice->chosen, best, choice->wish->count * sizeof(*best));
	qsort(choice->chosen, choice->wish->count, sizeof(*best), compare_indices);
	for (unsigned int i = 0; i < choice->wish->count; i++)
		choice->used[choice->topo->cpu[choice->chosen[i]].core]++;
	return true;
}

static int
choose(struct nhn_choice *choice, bool *taken, unsigned int *best, int *cpus, struct nhn_line *line)
{
	find_candidates(choice);
	if (!search(choice, taken, best)) {
		nhn_choice_explain(choice, line);
		return -ENOENT;
	}
	for (unsigned int i = 0; i < choice->wish->count; i++)
		cpus[i] = choice->topo->cpu[choice->chosen[i]].cpu;
	nhn_choice_tell(choice, cpus, line);
	return 0;
}

static int
choose_in_memory(struct nhn_choice *choice, int *cpus, struct nhn_line *line)
{
	const size_t all = choice->topo->cpus;
	unsigned int chosen[NHN_TOPO_CHOICE_MAX], best[NHN_TOPO_CHOICE_MAX];
	bool *flags = calloc(all, 4 * sizeof(*flags));
	int rc = -ENOMEM;

	choice->node_cost = calloc(all, sizeof(*choice->node_cost));
	/* Physical cores are at most as many. */
	choice->used = calloc(all, sizeof(*choice->used));
	choice->chosen = chosen;
	if (flags != NULL && choice->node_cost != NULL && choice->used != NULL) {
		choice->candidate = flags;
		choice->quiet = flags + all;
		choice->on_node = flags + 2 * all;
		rc = choose(choice, flags + 3 * all, best, cpus, line);
	}
	free(flags);
	free(choice->node_cost);
	free(choice->used);
	return rc;
}

int
nhn_topo_choose(const struct nhn_topo *topo, const struct nhn_topo_wish *wish, int *cpus,
		char *sentence, size_t size)
{
	struct nhn_choice choice = {.topo = topo, .wish = wish, .busy = hwloc_bitmap_alloc()};
	struct nhn_line line;
	int rc;

	nhn_line_init(&line, sentence, size);
	rc = check_wish(topo, wish, &line);
	if (rc == 0 && choice.busy == NULL)
		rc = -ENOMEM;
	if (rc == 0 && wish->busy != NULL) {
		rc = nhn_topo_list_parse(wish->busy, choice.busy);
		if (rc == -EINVAL)
			nhn_line_add(&line,
				     "\"%s\" is no list of busy cores; write one such as 2-3,5.",
				     wish->busy);
	}
	if (rc == 0)
		rc = choose_in_memory(&choice, cpus, &line);
	if (rc == -ENOMEM)
		nhn_line_add(&line, "There is no memory to choose cores; free some.");
	hwloc_bitmap_free(choice.busy);
	return rc;
}
