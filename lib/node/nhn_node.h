/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One end of a link with all that it needs: its memory, its link, its endpoint.
 *
 * For programs that want messages and no say in each part. Whoever wants that
 * too sets fields between nhn_node_config_init() and nhn_node_open(), or takes
 * the parts by themselves: nhn_region.h, nhn_link.h, nhn_endpoint.h.
 *
 *     static struct nhn_node node;
 *
 *     nhn_node_config_init(&config, NHN_ROLE_GUEST, "/dev/shm/nahanni");
 *     if (nhn_node_open(&node, &config) == 0)
 *             nhn_endpoint_send_wait(&node.endpoint, ...);
 *     nhn_node_close(&node);
 *
 * Linux only. Threads: all calls on one node from one thread at a time.
 */
#ifndef NHN_NODE_H
#define NHN_NODE_H

#include <nhn_endpoint.h>
#include <nhn_region.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Cells and bytes of data ring of the channel that nhn_node_config_init() lays out. */
#define NHN_NODE_CELLS 1024u
#define NHN_NODE_DATA_BYTES (1u << 20)

/** What to open. */
struct nhn_node_config {
	struct nhn_region_config region;
	struct nhn_link_config link; /**< its areas are set by nhn_node_open() */
};

/** About 40 KiB: not for a stack. Use endpoint; link and region are for looking at. */
struct nhn_node {
	struct nhn_region region;
	struct nhn_link link;
	struct nhn_endpoint endpoint;
};

/**
 * Fill a config: both halves of one memory, one channel of messages with
 * NHN_NODE_CELLS and NHN_NODE_DATA_BYTES, silent. A host creates the file if there is none;
 * one host and one guest a file, which its lock bytes see to.
 * @param path a file, or the address of a guest's ivshmem device, such as "0000:00:03.0"
 */
void nhn_node_config_init(struct nhn_node_config *config, enum nhn_role role, const char *path);

/**
 * Open all parts. Does not wait for the peer: nhn_endpoint_poll() and the functions named
 * _wait bring the link up.
 * @return 0; or, with everything closed, as nhn_region_open() and nhn_link_init(); in both
 *         cases config->region.log is told why, if it is not NULL
 */
int nhn_node_open(struct nhn_node *node, const struct nhn_node_config *config);

/** Close all parts; the peer sees this end gone at once. Accepts a node whose open failed. */
void nhn_node_close(struct nhn_node *node);

/** The clock of a node's endpoint: CLOCK_MONOTONIC in nanoseconds. For deadlines. */
uint64_t nhn_node_now_ns(void *unused);

#ifdef __cplusplus
}
#endif

#endif /* NHN_NODE_H */
