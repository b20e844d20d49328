/* SPDX-License-Identifier: BSD-3-Clause */
/* What link.c and link_start.c share. */
#ifndef NHN_LINK_INTERNAL_H
#define NHN_LINK_INTERNAL_H

#include <nhn_link.h>

/** Time since @p then; 0 where another core's clock is a little behind. */
static inline uint64_t
time_since(uint64_t now_ns, uint64_t then_ns)
{
	return (int64_t)(now_ns - then_ns) > 0 ? now_ns - then_ns : 0;
}

static inline bool
session_valid(uint32_t session)
{
	return session != 0 && session % 2 == 0;
}

void link_tell(struct nhn_link *link, enum nhn_link_event_kind kind,
	       const struct nhn_refusal *refusal, uint32_t channel, uint32_t value);

/** Steps 2 to 4 of a start, with link->layout. Touches no cell. */
void link_start(struct nhn_link *link);

/** Use a checked copy of the peer's header. */
void link_peer_accept(struct nhn_link *link, const struct nhn_header *header);

/**
 * Read the header of the peer's session.
 * @return 0, -EAGAIN while the peer writes it, -EPROTO when refused (told once a cause until
 *         one is accepted)
 */
int link_peer_read(struct nhn_link *link, uint32_t session, struct nhn_header *header,
		   struct nhn_layout *layout);

/** A guest takes up the host's layout and formats its own area to match. */
void link_guest_start(struct nhn_link *link, const struct nhn_header *header,
		      const struct nhn_layout *layout);

#endif /* NHN_LINK_INTERNAL_H */
