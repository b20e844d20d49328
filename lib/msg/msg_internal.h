/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside lib/msg: copies to and from struct iovec arrays. */
#ifndef MSG_INTERNAL_H
#define MSG_INTERNAL_H

#include <nhn_msg.h>

/** Fetch lines for writing. */
void msg_fetch_lines(const uint8_t *from, uint32_t bytes);

/** Begin at the first byte. */
void msg_vector_init(struct nhn_vector *at, const struct iovec *vector, uint32_t vectors);

/** Bytes of all parts. */
uint64_t msg_vector_bytes(const struct iovec *vector, uint32_t vectors);

/** Copy the next @p bytes, which must be there, to @p to. */
void msg_gather(struct nhn_vector *from, uint8_t *to, uint32_t bytes, bool stream);

/** Copy @p bytes to the next ones, which must be there. */
void msg_scatter(struct nhn_vector *to, const uint8_t NHN_FOREIGN *from, uint32_t bytes);

/** Whether it is a channel of messages, or may become one. */
bool msg_channel_fits(const struct nhn_link *link, uint32_t channel);

/* For the relay: parts of msg_rx.c and msg_tx.c. */

/** Hold the next piece. @return 0, -EAGAIN or -ESTALE */
int msg_hold(struct nhn_msg_rx *msg);
/** Give the piece back. @return 0, or -ESTALE: what was copied of it is void. Readers of
 * messages are told so by the -ESTALE of the link's new begin, which follows. */
int msg_let_go(struct nhn_msg_rx *msg);
/** Drop a piece of the message that is skipped. */
void msg_skip_step(struct nhn_msg_rx *msg);
/** Reserve a fragment of @p most bytes at most. @return false: no room */
bool msg_fragment_begin(struct nhn_msg_tx *msg, uint32_t most);
/** Commit the fragment, which is filled. */
void msg_fragment_end(struct nhn_msg_tx *msg);
/** Nothing is on its way any more. @return @p result */
int msg_send_end(struct nhn_msg_tx *msg, int result);

#endif /* MSG_INTERNAL_H */
