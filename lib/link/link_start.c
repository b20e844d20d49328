/* SPDX-License-Identifier: BSD-3-Clause */
/* A start of a side: session number, header, cursors; and the reading of the peer's header. */

#include "link_internal.h"

void
link_tell(struct nhn_link *link, enum nhn_link_event_kind kind, const struct nhn_refusal *refusal,
	  uint32_t channel, uint32_t value)
{
	struct nhn_link_event event = {
		.kind = kind, .refusal = refusal, .channel = channel, .value = value};

	/* A peer that changes its words for ever fills no log. */
	if (link->events_left == 0) {
		link->events_untold++;
		return;
	}
	link->events_left--;
	if (link->config.event != NULL)
		link->config.event(link->config.event_context, link, &event);
}

void
nhn_link_joint(struct nhn_link_config *config, enum nhn_role role, void *base,
	       uint64_t region_bytes)
{
	uint64_t half = region_bytes / 2;
	uint8_t *first = base;

	config->role = role;
	config->own_area = role == NHN_ROLE_HOST ? first : first + half;
	config->peer_area = role == NHN_ROLE_HOST ? first + half : first;
	config->own_bytes = half;
	config->peer_bytes = half;
}

static bool
area_ours(const struct nhn_control NHN_FOREIGN *area)
{
	uint32_t magic = nhn_foreign_acquire(&area->header.magic);

	return magic == NHN_MAGIC || magic == NHN_MAGIC_FORMATTING;
}

static bool
area_unused(const struct nhn_control NHN_FOREIGN *area)
{
	const uint32_t NHN_FOREIGN *word = (const uint32_t NHN_FOREIGN *)area;
	uint32_t any = 0;
	size_t i;

	for (i = 0; i < NHN_CONTROL_BYTES / sizeof(*word); i++)
		any |= nhn_foreign_relaxed(word + i);
	return any == 0;
}

/** Memory never used by a host must not hold something else where the guest's half is. */
static bool
areas_usable(const struct nhn_link *link)
{
	const struct nhn_control NHN_FOREIGN *own = nhn_foreign_of(link->own);

	if (area_ours(own))
		return true;
	return area_unused(own) && (area_ours(link->peer) || area_unused(link->peer));
}

/** Next odd number whose even successor neither a former life nor the peer knows. */
static uint32_t
session_next(const struct nhn_link *link, uint32_t last)
{
	uint32_t open = nhn_foreign_relaxed(&link->peer->open);
	uint32_t seen = nhn_foreign_relaxed(&link->peer->seen) & ~1u;
	uint32_t odd = (last + 1) | 1;

	while (odd + 1 == 0 || odd + 1 == open || odd + 1 == seen)
		odd += 2;
	return odd;
}

static void
header_write(const struct nhn_link *link)
{
	const struct nhn_link_config *config = &link->config;
	struct nhn_header *shared = &link->own->header;
	struct nhn_header header;

	memset(&header, 0, sizeof(header));
	header.magic = NHN_MAGIC_FORMATTING;
	header.version_major = NHN_VERSION_MAJOR;
	header.version_minor = NHN_VERSION_MINOR;
	header.role = config->role;
	header.area_bytes = config->own_bytes;
	header.link_id = config->link_id;
	header.beat_period_us = config->beat_period_us;
	header.beat_misses = config->beat_misses;
	header.mtu = config->mtu;
	memcpy(header.mac, config->mac, sizeof(header.mac));
	header.channels = (uint16_t)link->layout.channels;
	memcpy(header.table, link->layout.entry, sizeof(header.table));
	header.crc = nhn_header_crc(&header);
	NHN_POINT("start/header");
	nhn_store_words(shared, &header, sizeof(header));
	NHN_POINT("start/magic");
	nhn_store_release(&shared->magic, NHN_MAGIC);
}

/** What a first life finds in an area that was never used. */
static void
area_first_use(struct nhn_control *own)
{
	uint32_t i;

	NHN_POINT("first/magic");
	nhn_store_relaxed(&own->header.magic, NHN_MAGIC_FORMATTING);
	NHN_POINT("first/cursors");
	nhn_store_relaxed(&own->discarded, 0);
	memset(own->laid, 0, sizeof(own->laid));
	for (i = 0; i < NHN_CHANNELS_MAX; i++) {
		nhn_store_relaxed(&own->cursor[i].cells, NHN_CURSOR_START);
		nhn_store_relaxed(&own->cursor[i].data, NHN_DATA_START);
	}
}

static void
channels_init(struct nhn_link *link)
{
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++) {
		uint8_t stale = link->rx[i].stale;

		nhn_tx_init(&link->tx[i], &link->layout, i, link->config.own_area,
			    &link->peer->cursor[i], &link->attention);
		nhn_rx_init(&link->rx[i], &link->layout, i, link->peer, &link->own->cursor[i],
			    &link->attention);
		link->rx[i].stale = stale;
	}
}

/** Take the table the cells were last cleared for, if it is one, to count by it. */
static void
laid_take(struct nhn_link *link)
{
	struct nhn_refusal ignored;

	nhn_foreign_copy(link->laid.entry, nhn_foreign_of(link->own->laid),
			 sizeof(link->laid.entry));
	link->laid.channels = 0;
	while (link->laid.channels < NHN_CHANNELS_MAX &&
	       link->laid.entry[link->laid.channels].use != 0)
		link->laid.channels++;
	if (nhn_layout_check(&link->laid, link->config.own_bytes, &ignored) != 0)
		link->laid.channels = 0;
}

void
link_start(struct nhn_link *link)
{
	struct nhn_control *own = link->own;
	uint32_t last = link->session;
	uint32_t odd;

	if (!area_ours(nhn_foreign_of(own))) {
		area_first_use(own);
		last = link->config.random;
	} else if (last == 0) {
		last = nhn_load_relaxed(&own->session);
	}
	odd = session_next(link, last);
	NHN_POINT("start/odd");
	nhn_store_release(&own->session,
			  odd); /* C: all that the former life committed is in sight */
	NHN_POINT("start/seen");
	nhn_store_relaxed(&own->seen, 0);
	NHN_POINT("start/open");
	nhn_store_relaxed(&own->open, 0);
	header_write(link);
	laid_take(link);
	channels_init(link);
	link->discarded = nhn_load_relaxed(&own->discarded);
	link->beat = nhn_load_relaxed(&own->beat);
	link->session = odd + 1;
	NHN_POINT("start/even");
	nhn_store_release(&own->session, link->session); /* C */
	NHN_POINT("start/done");
	link->tx_state = NHN_TX_WAIT_DRAIN;
	link->tx_peer = 0;
	link->rx_state = NHN_RX_IDLE;
	link->rx_peer = 0;
	link->refused_session = 0;
	link->attention = 0;
	link->broken = false;
	link->paused = false;
	link->started = true;
}

void
link_peer_accept(struct nhn_link *link, const struct nhn_header *header)
{
	struct nhn_link_config *config = &link->config;

	link->peer_header = *header;
	link->refused_causes = 0;
	if (config->role == NHN_ROLE_GUEST) {
		config->link_id = header->link_id;
		config->beat_period_us = header->beat_period_us;
		config->beat_misses = header->beat_misses;
	}
	link->beat_period_ns = (uint64_t)config->beat_period_us * 1000;
	link->beat_late_ns = link->beat_period_ns * config->beat_misses;
}

void
link_guest_start(struct nhn_link *link, const struct nhn_header *header,
		 const struct nhn_layout *layout)
{
	uint32_t i;

	/* What the new layout no longer has carries nothing more. */
	for (i = layout->channels; i < link->layout.channels; i++) {
		uint8_t stale = link->rx[i].stale; /* told when the channel is there again */

		nhn_tx_stop(&link->tx[i]);
		nhn_rx_park(&link->rx[i], link->peer);
		link->rx[i].stale = stale;
	}
	link_peer_accept(link, header);
	link->layout = *layout;
	link_start(link);
}

/** Whether the peer's layout is one this guest can follow. */
static int
layout_follow(const struct nhn_link *link, const struct nhn_layout *layout,
	      struct nhn_refusal *refusal)
{
	const struct nhn_link_config *config = &link->config;
	uint32_t wanted = config->layout.channels;
	uint32_t i;

	for (i = 0; i < layout->channels; i++)
		if (layout->entry[i].use != config->use)
			return nhn_refuse(refusal, NHN_REFUSAL_USE, i, layout->entry[i].use,
					  config->use);
	if (wanted != 0 && layout->channels != wanted)
		return nhn_refuse(refusal, NHN_REFUSAL_CHANNELS, 0, layout->channels, wanted);
	return nhn_layout_check(layout, config->own_bytes, refusal);
}

/** Whether a guest has followed the layout that this host laid down. */
static int
layout_followed(const struct nhn_link *link, const struct nhn_layout *layout,
		struct nhn_refusal *refusal)
{
	uint32_t i;

	if (layout->channels != link->layout.channels)
		return nhn_refuse(refusal, NHN_REFUSAL_CHANNELS, 0, layout->channels,
				  link->layout.channels);
	for (i = 0; i < layout->channels; i++)
		if (!nhn_entry_equal(&layout->entry[i], &link->layout.entry[i]))
			return nhn_refuse(refusal, NHN_REFUSAL_NOT_FOLLOWED, i,
					  layout->entry[i].use, link->layout.entry[i].use);
	return 0;
}

int
link_peer_read(struct nhn_link *link, uint32_t session, struct nhn_header *header,
	       struct nhn_layout *layout)
{
	bool host = link->config.role == NHN_ROLE_HOST;
	struct nhn_refusal refusal;
	int ret;

	ret = nhn_peer_header_copy(link->peer, session, header);
	if (ret != 0)
		return ret;
	ret = nhn_header_check(header, host ? NHN_ROLE_GUEST : NHN_ROLE_HOST,
			       link->config.peer_bytes, layout, &refusal);
	if (ret == 0)
		ret = host ? layout_followed(link, layout, &refusal)
			   : layout_follow(link, layout, &refusal);
	if (ret != 0) {
		link->refused_session = session;
		link->refusals++;
		/* Once a cause: a peer that writes bad headers for ever fills no log. */
		if (!(link->refused_causes & 1u << refusal.cause))
			link_tell(link, NHN_LINK_EVENT_REFUSED, &refusal, refusal.channel, 0);
		link->refused_causes |= 1u << refusal.cause;
	}
	return ret;
}

/* ---- begin and end ---- */

static bool
area_usable(const void *area, uint64_t bytes)
{
	return area != NULL && (uintptr_t)area % NHN_AREA_ALIGN == 0 && bytes >= NHN_CONTROL_BYTES;
}

static int
host_init(struct nhn_link *link, struct nhn_refusal *refusal)
{
	struct nhn_link_config *config = &link->config;
	uint64_t bytes =
		config->own_bytes < config->peer_bytes ? config->own_bytes : config->peer_bytes;
	int ret = nhn_layout_check(&config->layout, bytes, refusal);

	if (ret != 0)
		return ret;
	if (!areas_usable(link))
		return nhn_refuse(refusal, NHN_REFUSAL_OWN_AREA, 0,
				  nhn_load_relaxed(&link->own->header.magic), NHN_MAGIC);
	if (config->beat_period_us == 0)
		config->beat_period_us = NHN_BEAT_PERIOD_US;
	if (config->beat_misses == 0)
		config->beat_misses = NHN_BEAT_MISSES;
	link->beat_period_ns = (uint64_t)config->beat_period_us * 1000;
	link->layout = config->layout;
	/* All rows go to the peer: of the caller's memory those in use only. */
	memset(&link->layout.entry[link->layout.channels], 0,
	       (NHN_CHANNELS_MAX - link->layout.channels) * sizeof(link->layout.entry[0]));
	link_start(link);
	return 0;
}

int
nhn_link_init(struct nhn_link *link, const struct nhn_link_config *config,
	      struct nhn_refusal *refusal)
{
	int ret = 0;
	uint32_t i;

	memset(link, 0, sizeof(*link));
	memset(refusal, 0, sizeof(*refusal));
	if (!area_usable(config->own_area, config->own_bytes) ||
	    !area_usable(config->peer_area, config->peer_bytes))
		return -EINVAL;
	link->config = *config;
	link->events_left = NHN_LINK_EVENTS_MAX;
	link->own = (struct nhn_control *)config->own_area;
	link->peer = nhn_foreign_of(config->peer_area);
	/* A guest has no ring before it has seen a host, and may be polled. */
	for (i = 0; i < NHN_CHANNELS_MAX; i++)
		nhn_rx_park(&link->rx[i], link->peer);
	if (config->role == NHN_ROLE_HOST)
		ret = host_init(link, refusal);
	if (ret == 0)
		link->state =
			config->role == NHN_ROLE_HOST ? NHN_LINK_WAIT_PEER : NHN_LINK_WAIT_HOST;
	return ret;
}

void
nhn_link_finish(struct nhn_link *link)
{
	uint32_t i;

	if (link->started && !link->intruder) {
		for (i = 0; i < link->layout.channels; i++)
			nhn_rx_publish(&link->rx[i]);
		NHN_POINT("finish/odd");
		nhn_store_release(&link->own->session, link->session | 1);
	}
	link->started = false;
	link->state = NHN_LINK_CLOSED;
}
