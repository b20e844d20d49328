/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_TOPO_H
#define NHN_TOPO_H

/**
 * @file
 * The machine's cores: what they share, which of them the kernel leaves alone,
 * and which of them to pin a link's two ends or a worker's threads to.
 *
 * All calls are control work: opening reads some hundred files of sysfs and
 * takes milliseconds. It changes no thread's affinity, not for a moment, so
 * that isolated cores stay undisturbed. An open `struct nhn_topo` is a picture
 * of the machine at that moment; it is never written again, so any threads may
 * read it at once until nhn_topo_close(). Log callbacks run in the calling
 * thread. There is no state outside the structures passed in.
 *
 * A core is named by its logical CPU, the number that taskset, DPDK's lcores
 * and /proc/cpuinfo use: one hardware thread. What several hardware threads
 * make up together is called a physical core.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hwloc_topology;

/** Bytes that hold each sentence and text of this header for a few cores. */
#define NHN_TOPO_TEXT_MAX 1024

/** Most cores that nhn_topo_choose() chooses. */
#define NHN_TOPO_CHOICE_MAX 128

/** SMT siblings of one core that are listed; no machine we know has more. */
#define NHN_TOPO_SIBLINGS_MAX 7

/** What to open. Zeroed, or NULL instead: this machine. Read during the call. */
struct nhn_topo_config {
	/** A machine as hwloc describes one: "pack:2 [numa] l3:2 l2:4 core:1 pu:2". */
	const char *synthetic;
	/** A file of `lstopo machine.xml`. At most one of these two. */
	const char *xml;
	/**
	 * The folder below which `sys/devices/system/cpu/isolated`, `nohz_full`
	 * and `sys/bus/pci` are read; NULL: "/" for this machine, and nothing
	 * is read for a described one. The caches are not read from here.
	 */
	const char *root;
	/**
	 * The cores that may be chosen, a list such as "0-3,8". NULL: all of a
	 * described machine; of this one those of the cpuset that the calling
	 * thread's affinity has, and also the isolated ones, unless somebody
	 * narrowed that affinity: the kernel takes isolated cores out of every
	 * process's affinity at boot, and nobody could be pinned to them else.
	 * Open it before this thread is pinned, as by rte_eal_init().
	 */
	const char *allowed;
	/** Each failure's sentence, valid during the call. NULL: silent. */
	void (*log)(void *context, const char *sentence);
	void *log_context;
};

/** One core. Numbers "in the machine's order" count from 0 over all packages. */
struct nhn_topo_cpu {
	int cpu;		     /**< The kernel's number. */
	int core;		     /**< Physical core, in the machine's order. */
	int package;		     /**< In the machine's order. */
	int node;		     /**< The kernel's number of the nearest memory; -1: none. */
	int l2;			     /**< L2 cache, in the machine's order; -1: none known. */
	int l3;			     /**< L3 cache, in the machine's order; -1: none known. */
	uint64_t l2_bytes, l3_bytes; /**< Sizes of these; 0: unknown. */
	/** Other hardware threads of this physical core, ascending. */
	int siblings[NHN_TOPO_SIBLINGS_MAX];
	unsigned int sibling_count; /**< May be more than are listed. */
	bool isolated;		    /**< The scheduler puts nothing there (isolcpus). */
	bool nohz_full;		    /**< Without the timer tick while one thread runs. */
	bool allowed;		    /**< May be chosen: see `allowed` of the config. */
};

/** An open topology; members are for reading. Closed: all zero. */
struct nhn_topo {
	unsigned int packages, nodes, l3s;
	unsigned int cores;	      /**< Physical ones. */
	unsigned int cpus;	      /**< Logical ones; the length of `cpu`. */
	struct nhn_topo_cpu *cpu;     /**< Neighbours here are near each other. */
	char *isolated;		      /**< The kernel's list, such as "2-5"; "": none. */
	char *nohz_full;	      /**< The kernel's list; "": none. */
	bool this_machine;	      /**< And not a described one. */
	struct hwloc_topology *hwloc; /**< For those who link hwloc themselves. */
	char *root;		      /**< Where sysfs is read; NULL: nowhere. */
};

/** What the nearest thing is that two cores share. */
enum nhn_topo_distance {
	NHN_TOPO_SAME,	  /**< They are one and the same. */
	NHN_TOPO_SMT,	  /**< Two hardware threads of one physical core. */
	NHN_TOPO_L2,	  /**< They share an L2 cache. */
	NHN_TOPO_L3,	  /**< They share an L3 cache. */
	NHN_TOPO_NODE,	  /**< They share a node's memory. */
	NHN_TOPO_PACKAGE, /**< They share a package. */
	NHN_TOPO_FAR,	  /**< They share the machine. */
};

/** What must hold of chosen cores. What is not required is preferred. */
enum nhn_topo_require {
	NHN_TOPO_ISOLATED = 1,	  /**< Each is isolated by the kernel. */
	NHN_TOPO_NO_SIBLINGS = 2, /**< None is a sibling of a chosen or a busy one. */
	NHN_TOPO_ONE_L3 = 4,	  /**< All share one L3 cache. */
	NHN_TOPO_ON_NODE = 8,	  /**< Each is on `node`. */
};

/** What to choose. `node` has to be set: 0 is a node, -1 is no wish. */
struct nhn_topo_wish {
	unsigned int count;   /**< Cores, 1 to NHN_TOPO_CHOICE_MAX. */
	unsigned int require; /**< Of enum nhn_topo_require. */
	int node;	      /**< Where the memory is; -1: does not matter. */
	/** A list such as "0-1" of cores that are in use already; NULL: none. */
	const char *busy;
};

/**
 * Look at this machine, or at a described one.
 *
 * @return
 *   0, or with *topo closed, after a sentence, one of
 *   -EINVAL: synthetic and xml at once, a description that hwloc cannot read,
 *     a list that is none;
 *   -ENOENT: no such XML file;
 *   -ENOMEM, or another error of reading.
 */
int nhn_topo_open(struct nhn_topo *topo, const struct nhn_topo_config *config);

/** Free it. Accepts NULL, a zeroed one, one whose open failed, one closed. */
void nhn_topo_close(struct nhn_topo *topo);

/** The core that the kernel calls `cpu`, valid until close; NULL: none. */
const struct nhn_topo_cpu *nhn_topo_core(const struct nhn_topo *topo, int cpu);

/**
 * How near two cores are, by the nearest thing that they share. A core that
 * the machine has not is far from all.
 */
enum nhn_topo_distance nhn_topo_distance(const struct nhn_topo *topo, int a, int b);

/** Such as "share L3"; "unknown" for what is none. */
const char *nhn_topo_distance_name(enum nhn_topo_distance distance);

/**
 * The node that a PCI device such as "0000:00:03.0" or "00:03.0" is at. -1:
 * the firmware does not tell, and the machine has several.
 *
 * @return
 *   0, or with *node -1
 *   -EINVAL: `address` is not of that form;
 *   -ENOENT: no such device, or a described machine without devices;
 *   or another error of reading.
 */
int nhn_topo_device_node(const struct nhn_topo *topo, const char *address, int *node);

/**
 * Choose wish->count allowed cores that are not busy. All that is required
 * holds of them. Of the sets of which it holds, the one with, in this order:
 * most isolated cores; fewest whose sibling is chosen or busy; fewest whose
 * sibling the scheduler uses; the least distance between any two; the least
 * distance from the node, by the firmware's table; then the more compact one,
 * the one without CPU 0 and its siblings, where the kernel does most of its own
 * work, and the one that comes first in the machine's order.
 *
 * Takes microseconds on a desktop, up to a second for 128 of 1024 cores.
 *
 * @param cpus
 *   Of wish->count elements: the chosen ones, neighbours in the machine next to
 *   each other. Untouched by a failure.
 * @param sentence
 *   What was chosen and which preference had to yield, or why there is none:
 *   which requirement, what leaves how many, the remedy. Cut off at `size`
 *   bytes; may be NULL.
 * @return
 *   0, or -ENOENT: no such set, or no such node; -EINVAL: a wish that
 *   contradicts itself or a list that is none; -ENOMEM.
 */
int nhn_topo_choose(const struct nhn_topo *topo, const struct nhn_topo_wish *wish, int *cpus,
		    char *sentence, size_t size);

/**
 * One line about some cores, for a report: "cores 2 and 3: one package, share
 * L3 (32 MiB), no SMT siblings of each other, isolated: no". With more than
 * one node in the machine it also tells theirs. Cut off at `size` bytes.
 *
 * @return
 *   0, or -EINVAL: no cores; -ENOENT: a core that the machine has not. The
 *   text then says so.
 */
int nhn_topo_text(const struct nhn_topo *topo, const int *cpus, unsigned int count, char *text,
		  size_t size);

#ifdef __cplusplus
}
#endif

#endif /* NHN_TOPO_H */
