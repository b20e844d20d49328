/* SPDX-License-Identifier: BSD-3-Clause */
/* The control step: one small table of rows a direction, as doc/wire-format has it. */

#include "link_internal.h"

/** Rows of the control step's tables. */
enum row {
	ROW_NONE,
	ROW_TX_END,   /**< the pairing is dead */
	ROW_TX_OPEN,  /**< the reader has let go: count, clear, open for it */
	ROW_TX_UP,    /**< the reader confirmed */
	ROW_TX_PAUSE, /**< the heartbeat is late, or moves again */
	ROW_RX_ACKNOWLEDGE,
	ROW_RX_CONFIRM,
	ROW_RX_FORGET, /**< the peer went before it opened */
	ROW_RX_DRAIN,
};

/** ((writer + reader session) >> 1) without the 33rd bit: both are even. */
static uint32_t
pairing(const struct nhn_link *link, uint32_t peer_session)
{
	return (link->session >> 1) + (peer_session >> 1);
}

/* ---- writer's direction ---- */

static enum row
tx_row(const struct nhn_link *link)
{
	uint32_t p = nhn_foreign_acquire(&link->peer->session); /* C */

	if (link->tx_state != NHN_TX_WAIT_DRAIN && p != link->tx_peer)
		return ROW_TX_END;
	switch (link->tx_state) {
	case NHN_TX_WAIT_DRAIN:
		/* The own acknowledgement first: the user sees one boundary. */
		if (!session_valid(p) || p != link->rx_peer ||
		    nhn_foreign_acquire(&link->peer->seen) != link->session) /* D */
			return ROW_NONE;
		return ROW_TX_OPEN;
	case NHN_TX_WAIT_READER:
		if (nhn_foreign_acquire(&link->peer->seen) != (link->session | 1))
			return ROW_NONE;
		return ROW_TX_UP;
	case NHN_TX_UP:
		return link->paused != link->late ? ROW_TX_PAUSE : ROW_NONE;
	}
	return ROW_NONE;
}

static uint32_t
count_discarded(const struct nhn_link *link)
{
	uint32_t sum = 0;
	uint32_t i;

	for (i = 0; i < link->laid.channels; i++) {
		const struct nhn_channel_entry *entry = &link->laid.entry[i];
		const uint8_t NHN_FOREIGN *cells =
			(const uint8_t NHN_FOREIGN *)nhn_foreign_of(link->own) +
			nhn_layout_offset(&link->laid, i);

		sum += nhn_tx_count_committed(cells, entry->cells, entry->cell_bytes,
					      nhn_foreign_acquire(&link->peer->cursor[i].cells));
	}
	return sum;
}

static void
tx_open(struct nhn_link *link, uint32_t peer_session)
{
	uint32_t i;

	/* Counted before a cell is cleared: a kill in between counts twice, never not. */
	link->discarded += count_discarded(link);
	NHN_POINT("open/count");
	nhn_store_relaxed(&link->own->discarded, link->discarded);
	for (i = 0; i < link->layout.channels; i++)
		nhn_tx_open(&link->tx[i]);
	/* Rows beyond those in use stay zero: the first zero ends the table. */
	memset(&link->laid, 0, sizeof(link->laid));
	link->laid.channels = link->layout.channels;
	memcpy(link->laid.entry, link->layout.entry,
	       link->layout.channels * sizeof(link->laid.entry[0]));
	NHN_POINT("open/laid");
	memcpy(link->own->laid, link->laid.entry, sizeof(link->own->laid));
	NHN_POINT("open/open");
	nhn_store_release(&link->own->open, peer_session); /* E */
	NHN_POINT("open/done");
	link->tx_peer = peer_session;
	link->tx_state = NHN_TX_WAIT_READER;
}

static void
tx_stop(struct nhn_link *link)
{
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++)
		nhn_tx_stop(&link->tx[i]);
}

static void
tx_go(struct nhn_link *link)
{
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++)
		nhn_tx_start(&link->tx[i], pairing(link, link->tx_peer));
}

static void
tx_step(struct nhn_link *link)
{
	switch (tx_row(link)) {
	case ROW_TX_END:
		NHN_POINT("end/stop");
		tx_stop(link);
		link->paused = false;
		link->tx_state = NHN_TX_WAIT_DRAIN;
		break;
	case ROW_TX_OPEN:
		tx_open(link, link->rx_peer);
		break;
	case ROW_TX_UP:
		NHN_POINT("up/go");
		tx_go(link);
		link->tx_state = NHN_TX_UP;
		break;
	case ROW_TX_PAUSE:
		link->paused = link->late;
		if (link->paused)
			tx_stop(link);
		else
			tx_go(link);
		break;
	default:
		break;
	}
}

/* ---- reader's direction ---- */

static enum row
rx_row(const struct nhn_link *link)
{
	uint32_t s = nhn_foreign_acquire(&link->peer->session); /* C */

	switch (link->rx_state) {
	case NHN_RX_IDLE:
		if (!session_valid(s) || s == link->rx_peer || s == link->refused_session ||
		    s == link->broken_session)
			return ROW_NONE;
		return ROW_RX_ACKNOWLEDGE;
	case NHN_RX_WAIT_OPEN:
		if (s != link->rx_peer)
			return ROW_RX_FORGET;
		if (nhn_foreign_acquire(&link->peer->open) != link->session) /* E */
			return ROW_NONE;
		return ROW_RX_CONFIRM;
	case NHN_RX_READING:
		return s != link->rx_peer ? ROW_RX_DRAIN : ROW_NONE;
	case NHN_RX_DRAINING:
		return ROW_RX_DRAIN;
	}
	return ROW_NONE;
}

static void
rx_acknowledge(struct nhn_link *link, uint64_t now_ns)
{
	uint32_t s = nhn_foreign_acquire(&link->peer->session);
	struct nhn_header header;
	struct nhn_layout layout;

	if (!session_valid(s) || link_peer_read(link, s, &header, &layout) != 0)
		return;
	if (!nhn_layout_equal(&layout, &link->layout)) {
		/* The host came back with another layout; its old ring is read out. */
		link_guest_start(link, &header, &layout);
		return;
	}
	link_peer_accept(link, &header);
	link->beat_seen = nhn_foreign_relaxed(&link->peer->beat);
	link->beat_seen_ns = now_ns;
	link->late = false;
	link->sessions++;
	link->broken_session = 0;
	NHN_POINT("acknowledge/seen");
	nhn_store_release(&link->own->seen, s); /* D */
	NHN_POINT("acknowledge/done");
	link->rx_peer = s;
	link->rx_state = NHN_RX_WAIT_OPEN;
}

/** Whether a program has still to be told -ESTALE on a channel. */
static bool
stale_untold(const struct nhn_link *link)
{
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++)
		if (link->rx[i].stale)
			return true;
	return false;
}

static void
rx_confirm(struct nhn_link *link)
{
	uint32_t i;

	/* -ESTALE comes before the first message of the new session. */
	if (stale_untold(link))
		return;
	NHN_POINT("confirm/seen");
	nhn_store_release(&link->own->seen, link->rx_peer | 1);
	NHN_POINT("confirm/done");
	for (i = 0; i < link->layout.channels; i++)
		nhn_rx_start(&link->rx[i], pairing(link, link->rx_peer));
	link->rx_state = NHN_RX_READING;
}

static void
rx_drain(struct nhn_link *link)
{
	uint32_t i;

	link->rx_state = NHN_RX_DRAINING;
	NHN_POINT("drain/poll");
	/* Polled after the load of session that ended the pairing (C), so that all
	 * that the dead writer committed is in sight. */
	for (i = 0; i < link->layout.channels; i++)
		if (!nhn_rx_drained(&link->rx[i]))
			return;
	NHN_POINT("drain/stop");
	for (i = 0; i < link->layout.channels; i++)
		nhn_rx_stop(&link->rx[i]);
	NHN_POINT("drain/done");
	link->rx_state = NHN_RX_IDLE;
}

static void
rx_step(struct nhn_link *link, uint64_t now_ns)
{
	switch (rx_row(link)) {
	case ROW_RX_ACKNOWLEDGE:
		rx_acknowledge(link, now_ns);
		break;
	case ROW_RX_CONFIRM:
		rx_confirm(link);
		break;
	case ROW_RX_FORGET:
		link->rx_state = NHN_RX_IDLE;
		break;
	case ROW_RX_DRAIN:
		rx_drain(link);
		break;
	default:
		break;
	}
}

/* ---- faults ---- */

/** Say nothing more to this peer session; its successor finds a new life. */
static void
break_off(struct nhn_link *link)
{
	uint32_t i;

	link->broken = true;
	/* The one whose words were read: its successor may be there already. */
	link->broken_session = link->rx_peer;
	tx_stop(link);
	for (i = 0; link->intruder && i < link->layout.channels; i++) {
		link->rx[i].tag = NHN_TAG_NONE;
		link->rx[i].cursor = &link->nowhere; /* the own area is another's now */
	}
	if (!link->intruder)
		nhn_store_release(&link->own->session, link->session | 1);
}

static void
faults_take(struct nhn_link *link)
{
	uint32_t session = nhn_foreign_acquire(&link->peer->session);
	uint32_t i;

	nhn_store_relaxed(&link->attention, 0);
	for (i = 0; i < link->layout.channels; i++) {
		uint32_t fault = link->rx[i].fault;

		/* A cursor is a lie only while its session stands. */
		if (fault == NHN_FAULT_NONE && session == link->tx_peer)
			fault = link->tx[i].fault;
		link->tx[i].fault = NHN_FAULT_NONE;
		link->rx[i].fault = NHN_FAULT_NONE;
		if (fault == NHN_FAULT_NONE)
			continue;
		link->faults[fault]++;
		link_tell(link, NHN_LINK_EVENT_FAULT, NULL, i, fault);
		break_off(link);
	}
}

/** After a fault: start anew when nothing is held. Not only once the peer has: a guest that
 * begins writes nothing, hence no new session, before it sees a host's even one. */
static void
revive(struct nhn_link *link)
{
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++)
		if (nhn_rx_holds(&link->rx[i]))
			return;
	for (i = 0; i < link->layout.channels; i++) {
		nhn_rx_stop(&link->rx[i]);
		link->rx[i].stale = 1;
	}
	link_start(link);
}

/** Whether somebody else wrote words that this side alone may write. */
static bool
intruded(struct nhn_link *link)
{
	uint32_t session = nhn_load_relaxed(&link->own->session);

	if (session == link->session && nhn_load_relaxed(&link->own->beat) == link->beat)
		return false;
	if (!link->intruder)
		link_tell(link, NHN_LINK_EVENT_INTRUDER, NULL, 0, session);
	link->intruder = true;
	return true;
}

/* ---- the control step ---- */

static enum nhn_link_state
state_now(const struct nhn_link *link)
{
	bool guest = link->config.role == NHN_ROLE_GUEST;

	if (link->broken || (link->broken_session != 0 &&
			     nhn_foreign_acquire(&link->peer->session) == link->broken_session))
		return NHN_LINK_BROKEN;
	if (link->rx_state == NHN_RX_DRAINING)
		return NHN_LINK_WAIT_DRAIN;
	if (!link->started || link->rx_peer == 0 ||
	    nhn_foreign_acquire(&link->peer->session) != link->rx_peer)
		return guest ? NHN_LINK_WAIT_HOST : NHN_LINK_WAIT_PEER;
	if (link->tx_state == NHN_TX_WAIT_DRAIN)
		return NHN_LINK_WAIT_DRAIN;
	if (link->tx_state != NHN_TX_UP || link->rx_state != NHN_RX_READING)
		return NHN_LINK_WAIT_READER;
	return link->paused ? NHN_LINK_STALLED : NHN_LINK_UP;
}

static void
state_update(struct nhn_link *link)
{
	enum nhn_link_state old = link->state;

	link->state = state_now(link);
	if (link->state != old)
		link_tell(link, NHN_LINK_EVENT_STATE, NULL, 0, old);
}

static void
beat(struct nhn_link *link, uint64_t now_ns)
{
	uint32_t peer_beat = nhn_foreign_relaxed(&link->peer->beat);

	/* Twice a period, so that one late step is no miss. */
	if (time_since(now_ns, link->beat_sent_ns) >= link->beat_period_ns / 2) {
		link->beat_sent_ns = now_ns;
		NHN_POINT("beat");
		nhn_store_relaxed(&link->own->beat, ++link->beat);
	}
	if (peer_beat != link->beat_seen) {
		link->beat_seen = peer_beat;
		link->beat_seen_ns = now_ns;
	}
	link->late = time_since(now_ns, link->beat_seen_ns) > link->beat_late_ns;
}

bool
nhn_link_look(struct nhn_link *link, uint64_t now_ns)
{
	if (link->state == NHN_LINK_CLOSED)
		return false;
	if (link->events_left < NHN_LINK_EVENTS_MAX &&
	    time_since(now_ns, link->events_refilled_ns) >= NHN_LINK_EVENTS_NS) {
		link->events_left++;
		link->events_refilled_ns = now_ns;
	}
	if (!link->started) {
		uint32_t session = nhn_foreign_acquire(&link->peer->session);

		return session_valid(session) && session != link->refused_session;
	}
	if (link->broken)
		return !link->intruder;
	if (intruded(link))
		return true;
	beat(link, now_ns);
	return nhn_load_relaxed(&link->attention) != 0 || tx_row(link) != ROW_NONE ||
	       rx_row(link) != ROW_NONE;
}

/** A guest's first step: follow the host, if there is one to follow. */
static void
first_step(struct nhn_link *link)
{
	uint32_t session = nhn_foreign_acquire(&link->peer->session);
	struct nhn_header header;
	struct nhn_layout layout;

	if (session_valid(session) && link_peer_read(link, session, &header, &layout) == 0)
		link_guest_start(link, &header, &layout);
}

void
nhn_link_step(struct nhn_link *link, uint64_t now_ns)
{
	if (link->state == NHN_LINK_CLOSED)
		return;
	if (!link->started) {
		first_step(link);
	} else if (link->broken) {
		if (!link->intruder)
			revive(link);
	} else if (link->intruder) {
		break_off(link);
	} else {
		if (nhn_load_relaxed(&link->attention) != 0)
			faults_take(link);
		if (!link->broken) {
			tx_step(link);
			rx_step(link, now_ns);
		}
	}
	state_update(link);
}

enum nhn_link_state
nhn_link_control(struct nhn_link *link, uint64_t now_ns)
{
	if (nhn_link_look(link, now_ns))
		nhn_link_step(link, now_ns);
	return link->state;
}
