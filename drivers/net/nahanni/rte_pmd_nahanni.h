/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What net_nahanni offers beside the ethdev API.
 */
#ifndef RTE_PMD_NAHANNI_H
#define RTE_PMD_NAHANNI_H

#include <stdint.h>

#include <nhn_link.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The message link of a probed port that is not started.
 *
 * In a guest, in either role, the PMD's mapping of the device is the only one, so
 * programs that want messages and not frames take the link from here. The first call opens
 * it: one channel of raw messages (NHN_USE_RAW). The caller then owns it: it
 * calls nhn_link_control() and the channel's functions, from one thread at a
 * time, with rte_get_timer_cycles() scaled to ns or any steady clock. The port
 * closes it when it is started, closed or removed.
 *
 * @param port_id an ethdev port of driver net_nahanni
 * @return the link; NULL with rte_errno
 *   - ENODEV: no such port, or of another driver
 *   - EBUSY: the port is started
 *   - EPROTO: the memory is not fit for a link, or of a split one the peer's
 *     device is not there (logged why)
 */
struct nhn_link *rte_pmd_nahanni_link_get(uint16_t port_id);

/**
 * The same with channels for lib/msg (NHN_USE_MSG), for nhn_endpoint_init().
 *
 * @param channels of a host's layout, 1 to NHN_CHANNELS_MAX, priority i for channel i; a
 *        guest follows its host: 0 for any number, else exactly that many
 * @return as rte_pmd_nahanni_link_get(), and NULL with rte_errno
 *   - EINVAL: a host with 0 channels or too many
 *   - EBUSY: also when the link is open with another use; a port start and stop ends that
 */
struct nhn_link *rte_pmd_nahanni_msg_link_get(uint16_t port_id, uint32_t channels);

/**
 * The link of a started port, for nhn_link_probe_store(), nhn_link_probe_load()
 * and nhn_link_state() only: measuring what one line costs beside the frames.
 *
 * @return the link, valid until the port is stopped; NULL with rte_errno
 *   - ENODEV: no such port, or of another driver
 *   - ENETDOWN: the port is not started
 */
struct nhn_link *rte_pmd_nahanni_probe(uint16_t port_id);

/**
 * Say how far the core is that receives what this port sends, as nhn_msg_policy_for() is told
 * for messages: no copy suits all distances (doc/performance, "Copies").
 *
 * From NHN_FAR_TRIP_NS on, in bursts of two frames and more, frames that do not fit a cell are
 * written past the caches, and up to 32 frames can be received only when all of them are written:
 * one fence for all. Below it, and until this is called, each can be received as soon as it is
 * written. From any thread, also while the port is in use; it holds from the next burst on, until
 * the port is closed.
 *
 * @param trip_ns of a round trip of one line between the two cores, as "limit" of ipc-perf and of
 *        the benchmarks
 * @return 0; -ENODEV: no such port, or of another driver
 */
int rte_pmd_nahanni_distance_set(uint16_t port_id, uint64_t trip_ns);

#ifdef __cplusplus
}
#endif

#endif /* RTE_PMD_NAHANNI_H */
