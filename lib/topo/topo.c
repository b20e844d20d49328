/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo_internal.h"

int
nhn_topo_refuse(const struct nhn_topo_config *config, int error, const char *format, ...)
{
	char sentence[NHN_TOPO_TEXT_MAX];
	va_list args;

	if (config->log == NULL)
		return -error;
	va_start(args, format);
	errno = error;
	if (vsnprintf(sentence, sizeof(sentence), format, args) >= 0)
		config->log(config->log_context, sentence);
	va_end(args);
	return -error;
}

/* hwloc's functions for a description set errno, but not always. */
static int
describe(hwloc_topology_t hwloc, const struct nhn_topo_config *config)
{
	if (config->synthetic != NULL && config->xml != NULL)
		return nhn_topo_refuse(config, EINVAL,
				       "A machine was described by a text and by the file %s at"
				       " once, and one was expected; leave one of them out.",
				       config->xml);
	if (config->synthetic != NULL &&
	    hwloc_topology_set_synthetic(hwloc, config->synthetic) != 0)
		return nhn_topo_refuse(
			config, EINVAL,
			"\"%s\" describes no machine, and a text such as"
			" \"pack:2 [numa] l3:2 core:4 pu:2\" was expected; see hwloc's"
			" manual, Synthetic topologies.",
			config->synthetic);
	if (config->xml != NULL && hwloc_topology_set_xml(hwloc, config->xml) != 0)
		return errno == ENOENT
			       ? nhn_topo_refuse(config, ENOENT,
						 "%s: there is no such file; write one on the"
						 " machine it describes by lstopo FILE.xml.",
						 config->xml)
			       : nhn_topo_refuse(config, EINVAL,
						 "%s: this is no topology of hwloc; write one by"
						 " lstopo FILE.xml.",
						 config->xml);
	return 0;
}

static int
load(hwloc_topology_t hwloc, const struct nhn_topo_config *config)
{
	unsigned long flags = HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED |
			      /* It would run on each core in turn, isolated ones too. */
			      HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING;
	int rc = describe(hwloc, config);

	if (rc != 0)
		return rc;
	hwloc_topology_set_flags(hwloc, flags);
	/*
	 * Devices are read from sysfs when asked for, but a file has its own.
	 * To hwloc an ivshmem device is not among the important ones.
	 */
	if (config->xml != NULL)
		hwloc_topology_set_io_types_filter(hwloc, HWLOC_TYPE_FILTER_KEEP_ALL);
	errno = 0;
	if (hwloc_topology_load(hwloc) == 0)
		return 0;
	if (config->xml != NULL)
		return nhn_topo_refuse(config, EINVAL,
				       "%s: hwloc cannot read this as a topology; write one by"
				       " lstopo FILE.xml.",
				       config->xml);
	return nhn_topo_refuse(config, errno != 0 ? errno : EIO,
			       "hwloc finds no cores (%m), and they were expected in"
			       " /sys/devices/system/cpu; mount sysfs.");
}

/* Of several nodes, such as one of fast memory beside it, the one of the fewest cores. */
static int
nearest_node(hwloc_topology_t hwloc, unsigned int cpu)
{
	hwloc_obj_t node = NULL, nearest = NULL;

	while ((node = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, node)) != NULL)
		if (hwloc_bitmap_isset(node->cpuset, cpu) &&
		    (nearest == NULL ||
		     hwloc_bitmap_weight(node->cpuset) < hwloc_bitmap_weight(nearest->cpuset)))
			nearest = node;
	return nearest != NULL ? (int)nearest->os_index : -1;
}

static void
note_siblings(struct nhn_topo_cpu *cpu, hwloc_obj_t core)
{
	for (int sibling = hwloc_bitmap_first(core->cpuset); sibling >= 0;
	     sibling = hwloc_bitmap_next(core->cpuset, sibling)) {
		if (sibling == cpu->cpu)
			continue;
		if (cpu->sibling_count < NHN_TOPO_SIBLINGS_MAX)
			cpu->siblings[cpu->sibling_count] = sibling;
		cpu->sibling_count++;
	}
}

static void
note_cpu(hwloc_topology_t hwloc, hwloc_obj_t pu, struct nhn_topo_cpu *cpu)
{
	const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_CORE, pu);
	const hwloc_obj_t l2 = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_L2CACHE, pu);
	const hwloc_obj_t l3 = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_L3CACHE, pu);
	const hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, pu);

	*cpu = (struct nhn_topo_cpu){
		.cpu = (int)pu->os_index,
		/* A machine that tells of no cores has one of each logical CPU. */
		.core = core != NULL ? (int)core->logical_index : (int)pu->logical_index,
		.package = package != NULL ? (int)package->logical_index : 0,
		.node = nearest_node(hwloc, pu->os_index),
		.l2 = l2 != NULL ? (int)l2->logical_index : -1,
		.l3 = l3 != NULL ? (int)l3->logical_index : -1,
		.l2_bytes = l2 != NULL ? l2->attr->cache.size : 0,
		.l3_bytes = l3 != NULL ? l3->attr->cache.size : 0,
	};
	if (core != NULL)
		note_siblings(cpu, core);
}

static unsigned int
number_of(hwloc_topology_t hwloc, hwloc_obj_type_t type, unsigned int least)
{
	const int number = hwloc_get_nbobjs_by_type(hwloc, type);

	return number > (int)least ? (unsigned int)number : least;
}

static int
note_all(struct nhn_topo *topo, const struct nhn_topo_config *config)
{
	const unsigned int cpus = number_of(topo->hwloc, HWLOC_OBJ_PU, 0);
	struct nhn_topo_cpu *cpu = calloc(cpus, sizeof(*cpu));

	if (cpu == NULL)
		return nhn_topo_refuse(config, ENOMEM,
				       "There is no memory for a table of %u cores; free some.",
				       cpus);
	topo->packages = number_of(topo->hwloc, HWLOC_OBJ_PACKAGE, 1);
	topo->nodes = number_of(topo->hwloc, HWLOC_OBJ_NUMANODE, 0);
	topo->l3s = number_of(topo->hwloc, HWLOC_OBJ_L3CACHE, 0);
	topo->cores = number_of(topo->hwloc, HWLOC_OBJ_CORE, 0);
	if (topo->cores == 0)
		topo->cores = cpus;
	topo->cpus = cpus;
	topo->cpu = cpu;
	for (unsigned int i = 0; i < cpus; i++)
		note_cpu(topo->hwloc, hwloc_get_obj_by_type(topo->hwloc, HWLOC_OBJ_PU, i), &cpu[i]);
	return 0;
}

static int
open_closed(struct nhn_topo *topo, const struct nhn_topo_config *config)
{
	int rc;

	if (hwloc_topology_init(&topo->hwloc) != 0)
		return nhn_topo_refuse(config, ENOMEM, "hwloc finds no memory; free some.");
	rc = load(topo->hwloc, config);
	if (rc != 0)
		return rc;
	/* hwloc's environment variables may describe a machine as well. */
	topo->this_machine = hwloc_topology_is_thissystem(topo->hwloc) != 0;
	if (config->root != NULL || topo->this_machine) {
		topo->root = strdup(config->root != NULL ? config->root : "/");
		if (topo->root == NULL)
			return nhn_topo_refuse(config, ENOMEM, "There is no memory; free some.");
	}
	rc = note_all(topo, config);
	return rc == 0 ? nhn_topo_sysfs_isolation(topo, config) : rc;
}

int
nhn_topo_open(struct nhn_topo *topo, const struct nhn_topo_config *config)
{
	const struct nhn_topo_config this_machine = {0};
	int rc;

	if (topo == NULL)
		return -EINVAL;
	*topo = (struct nhn_topo){0};
	rc = open_closed(topo, config != NULL ? config : &this_machine);
	if (rc != 0)
		nhn_topo_close(topo);
	return rc;
}

void
nhn_topo_close(struct nhn_topo *topo)
{
	if (topo == NULL)
		return;
	if (topo->hwloc != NULL)
		hwloc_topology_destroy(topo->hwloc);
	free(topo->cpu);
	free(topo->isolated);
	free(topo->nohz_full);
	free(topo->root);
	*topo = (struct nhn_topo){0};
}

const struct nhn_topo_cpu *
nhn_topo_core(const struct nhn_topo *topo, int cpu)
{
	for (unsigned int i = 0; i < topo->cpus; i++)
		if (topo->cpu[i].cpu == cpu)
			return &topo->cpu[i];
	return NULL;
}

enum nhn_topo_distance
nhn_topo_distance_of(const struct nhn_topo_cpu *one, const struct nhn_topo_cpu *other)
{
	if (one->cpu == other->cpu)
		return NHN_TOPO_SAME;
	if (one->core == other->core)
		return NHN_TOPO_SMT;
	if (one->l2 >= 0 && one->l2 == other->l2)
		return NHN_TOPO_L2;
	if (one->l3 >= 0 && one->l3 == other->l3)
		return NHN_TOPO_L3;
	if (one->node >= 0 && one->node == other->node)
		return NHN_TOPO_NODE;
	return one->package == other->package ? NHN_TOPO_PACKAGE : NHN_TOPO_FAR;
}

enum nhn_topo_distance
nhn_topo_distance(const struct nhn_topo *topo, int a, int b)
{
	const struct nhn_topo_cpu *one = nhn_topo_core(topo, a), *other = nhn_topo_core(topo, b);

	if (one == NULL || other == NULL)
		return NHN_TOPO_FAR;
	return nhn_topo_distance_of(one, other);
}

hwloc_obj_t
nhn_topo_node(const struct nhn_topo *topo, int node)
{
	return node < 0 ? NULL
			: hwloc_get_numanode_obj_by_os_index(topo->hwloc, (unsigned int)node);
}
