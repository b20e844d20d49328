/* SPDX-License-Identifier: BSD-3-Clause */

#include "port_peer.h"

struct nhn_link port_peer;

static uint64_t now_ns;

void
port_peer_begin(struct port_victim *victim)
{
	struct hostile *h = &victim->hostile;
	struct nhn_link_config config = {
		.role = h->role,
		.own_area = h->peer,
		.peer_area = victim->split ? victim->own : h->own,
		.own_bytes = h->bytes,
		.peer_bytes = h->bytes,
		.use = NHN_USE_ETHERNET,
		.mtu = 1500,
		.random = (uint32_t)pattern_random(&h->random),
	};
	struct nhn_refusal refusal;

	if (config.role == NHN_ROLE_HOST)
		config.layout = h->offers[h->offer];
	if (nhn_link_init(&port_peer, &config, &refusal) == 0)
		return;
	hostile_check(h, refusal.cause == NHN_REFUSAL_OWN_AREA);
	memset(h->peer, 0, NHN_CONTROL_BYTES);
	hostile_check(h, nhn_link_init(&port_peer, &config, &refusal) == 0);
}

static void
read_out(struct port_victim *victim)
{
	struct rte_mbuf *frames[PORT_BURST];
	struct nhn_view view;
	uint16_t i, k, found;

	for (i = 0; i < victim->queues; i++) {
		found = rte_eth_rx_burst(victim->port, i, frames, PORT_BURST);
		for (k = 0; k < found; k++) {
			port_frame_check(victim, frames[k]);
			port_frame_free(frames[k]);
		}
		while (i < port_peer.layout.channels &&
		       nhn_rx_peek(nhn_link_rx(&port_peer, i), &view, 1) != 0)
			nhn_rx_release(nhn_link_rx(&port_peer, i));
	}
}

bool
port_peer_up(struct port_victim *victim)
{
	uint32_t turn;

	for (turn = 0; turn < 12; turn++) {
		now_ns += 1000000;
		nhn_link_control(&port_peer, now_ns);
		port_victim_control(victim);
		read_out(victim);
		if (nhn_link_state(&port_peer) == NHN_LINK_UP &&
		    nhn_link_state(victim->link) == NHN_LINK_UP)
			return true;
	}
	return false;
}

void
port_peer_send(struct port_victim *victim, uint16_t queue, uint32_t length, uint64_t number)
{
	struct nhn_tx *tx = nhn_link_tx(&port_peer, queue);
	void *body = nhn_tx_reserve(tx, length);

	hostile_check(&victim->hostile, body != NULL);
	pattern_fill(body, length, victim->hostile.seed, number);
	memset(nhn_tx_metadata(tx, tx->tail), 0, sizeof(struct nhn_frame_metadata));
	nhn_tx_commit(tx, body, length);
}

void
port_peer_to_victim(struct port_victim *victim, uint16_t queue, uint16_t length, uint64_t number)
{
	struct hostile *h = &victim->hostile;
	struct rte_mbuf *frame;

	port_peer_send(victim, queue, length, number);
	hostile_check(h, rte_eth_rx_burst(victim->port, queue, &frame, 1) == 1);
	port_frame_check(victim, frame);
	hostile_check(h, frame->pkt_len == length);
	hostile_check(h, pattern_matches(rte_pktmbuf_mtod(frame, void *), length, h->seed, number));
	port_frame_free(frame);
	hostile_check(h, rte_eth_rx_burst(victim->port, queue, &frame, 1) == 0);
}

void
port_victim_to_peer(struct port_victim *victim, uint16_t queue, uint16_t length, uint64_t number)
{
	struct rte_mbuf *frame = port_frame_new(victim, length, number);
	struct nhn_rx *rx = nhn_link_rx(&port_peer, queue);
	struct hostile *h = &victim->hostile;
	struct nhn_view view;

	hostile_check(h, rte_eth_tx_burst(victim->port, queue, &frame, 1) == 1);
	hostile_check(h, nhn_rx_peek(rx, &view, 1) == 1 && view.length == length);
	hostile_check(h, pattern_matches(nhn_foreign_lend(view.data), length, h->seed, number));
	hostile_check(h, nhn_rx_release(rx) == 0);
	hostile_check(h, nhn_rx_peek(rx, &view, 1) == 0);
}
