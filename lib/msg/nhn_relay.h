/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Messages from one link to another with one copy: from the ring of who sent to
 * the ring of who is to receive, by a third that serves both.
 *
 * (Packs are copied twice.) Fragments go on as they come, so a message of any size needs no memory
 * of the relay's. A message that does not end, because its sender was restarted, gave up or broke
 * the rules, ends for its receiver as one that was given up (-ECANCELED). A sender that only stands
 * still, or is dead and not restarted, holds up all that others send to that receiver: when its
 * link is no longer NHN_LINK_UP, call nhn_msg_relay_cancel().
 *
 * Threads: those of both links, which must be one.
 */
#ifndef NHN_RELAY_H
#define NHN_RELAY_H

#include <nhn_msg.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One step: at most NHN_MSG_STEP_BYTES, or one pack. In the middle of a message @p to is the
 * same as at its begin; meanwhile another message for @p to is answered -EAGAIN.
 *
 * @param id of the message on its new way; nhn_msg_front() shows the one it came with
 * @return 0: the message is on its way whole. -EINPROGRESS: a step was done. -EAGAIN: nothing
 *         is there, no room, or another message is on its way there. -ENOTCONN: nobody reads
 *         @p to; wait or nhn_msg_skip(). -ECONNRESET: its reader restarted in the middle, the
 *         rest is dropped. -ECANCELED: the sender gave up. -ESTALE: as nhn_msg_receive()
 */
int nhn_msg_relay(struct nhn_msg_rx *from, struct nhn_msg_tx *to, uint32_t id);

/**
 * Give up the message that is on its way from @p from to @p to, or is the next one: the
 * receiver of what has begun is told -ECANCELED, and what still comes of it is dropped.
 * Messages of others on their way to @p to stay.
 */
void nhn_msg_relay_cancel(struct nhn_msg_rx *from, struct nhn_msg_tx *to);

#ifdef __cplusplus
}
#endif

#endif /* NHN_RELAY_H */
