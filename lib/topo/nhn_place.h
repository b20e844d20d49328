/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_PLACE_H
#define NHN_PLACE_H

/**
 * @file
 * Where the pages of a mapping are: put them on a node, have them there before
 * the first access, keep them there, and look whether it came out so.
 *
 * Control work: nhn_place() asks the kernel for every page, and takes up to a
 * second per GiB. Calls for different mappings may run in any threads at once;
 * the calling thread's own memory policy is changed while its call runs. The
 * mapping must stay mapped during the call. No byte of it is changed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Nodes whose pages are counted one by one; pages of others are `elsewhere`. */
#define NHN_PLACE_NODES_MAX 64

/** Bytes that hold each text of nhn_place_text(). */
#define NHN_PLACE_TEXT_MAX 512

/**
 * What to do. Start from nhn_place_config_init(): 0 is a node. Read during the
 * call only.
 */
struct nhn_place_config {
	/** Node to place on; -1: nowhere in particular, look only. */
	int node;
	/**
	 * Fail when pages are on other nodes afterwards. Without it, the node is
	 * a preference, and the result tells what came of it: another process
	 * may use these pages too, which only root may then move.
	 */
	bool strict;
	/** Have every page in memory, so that none is fetched at an access. */
	bool populate;
	/** Keep every page in memory until it is unmapped; implies populate. */
	bool lock;
	/** Each failure's sentence, valid during the call. NULL: silent. */
	void (*log)(void *context, const char *sentence);
	void *log_context;
};

/** What is so after the call, as the kernel tells it. */
struct nhn_place_result {
	int node;	     /**< The one asked for; -1: none. */
	unsigned int nodes;  /**< Nodes with memory for this process; 1: no NUMA. */
	uint64_t length;     /**< Bytes looked at. */
	uint64_t page_bytes; /**< The mapping's page; the smallest, where they differ. */
	bool hugetlb;	     /**< Its pages are of hugetlbfs. */
	uint64_t thp_bytes;  /**< In transparent huge pages, at most. */
	/** PCI memory or its like: it has no node, and nothing was done. */
	bool device;
	bool bound;	/**< New pages of it will go to `node`, too. */
	bool populated; /**< Every page is in memory. */
	bool locked;	/**< And is kept there. */
	bool verified;	/**< The kernel said of each page where it is. */
	uint64_t pages; /**< Of page_bytes each. */
	uint64_t pages_on[NHN_PLACE_NODES_MAX];
	uint64_t pages_elsewhere; /**< On nodes from NHN_PLACE_NODES_MAX on. */
	uint64_t pages_absent;	  /**< In memory nowhere, or the page of zeros. */
};

/** On no node in particular, not strict, populated, locked, silent. */
void nhn_place_config_init(struct nhn_place_config *config);

/**
 * Place the `length` bytes mapped at `base`, and look where they are. The pages
 * of a file on tmpfs or hugetlbfs and of a memfd keep their node for all that
 * map it, until the file is removed; those of another file as long as they
 * stay in the page cache. Writable pages of it are made as if written to.
 *
 * On a machine with one node there is nothing to place, which is no error.
 *
 * @return
 *   0, or, after a sentence, with *result telling what is so until then
 *   -EINVAL: no base, no length, a base that is not at a page's start;
 *   -EFAULT: not all of it is mapped;
 *   -ENODEV: this process may use no memory of that node, or it has none;
 *   -EPERM: a container's filter forbids to place, or to lock;
 *   -ENOMEM: more than may be locked (ulimit -l), or no memory;
 *   -EXDEV: strict, and pages are on other nodes;
 *   or another error of the kernel.
 */
int nhn_place(void *base, uint64_t length, const struct nhn_place_config *config,
	      struct nhn_place_result *result);

/**
 * One line for a report: "16 MiB in 8 pages of 2 MiB (hugetlbfs), all on node
 * 1, in memory, locked". Cut off at `size` bytes.
 */
void nhn_place_text(const struct nhn_place_result *result, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* NHN_PLACE_H */
