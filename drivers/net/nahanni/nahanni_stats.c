/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts, of the queues and of the link. */

#include <rte_string_fns.h>

#include "nahanni.h"

int
nahanni_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct nahanni_queue *rx = dev->data->rx_queues[i];
		const struct nahanni_queue *tx = dev->data->tx_queues[i];

		if (rx == NULL || tx == NULL)
			continue;
		stats->ipackets += rx->packets;
		stats->ibytes += rx->bytes;
		stats->ierrors += rx->errors;
		stats->rx_nombuf += rx->no_mbuf;
		stats->opackets += tx->packets;
		stats->obytes += tx->bytes;
		stats->oerrors += tx->errors;
		if (i >= RTE_ETHDEV_QUEUE_STAT_CNTRS)
			continue;
		stats->q_ipackets[i] = rx->packets;
		stats->q_ibytes[i] = rx->bytes;
		stats->q_errors[i] = rx->errors;
		stats->q_opackets[i] = tx->packets;
		stats->q_obytes[i] = tx->bytes;
	}
	return 0;
}

static void
queue_stats_reset(struct nahanni_queue *queue)
{
	if (queue == NULL)
		return;
	queue->packets = 0;
	queue->bytes = 0;
	queue->errors = 0;
	queue->no_mbuf = 0;
}

int
nahanni_stats_reset(struct rte_eth_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->data->nb_rx_queues; i++) {
		queue_stats_reset(dev->data->rx_queues[i]);
		queue_stats_reset(dev->data->tx_queues[i]);
	}
	return 0;
}

static const char *const xstat_names[] = {
	"link_sessions",       /* of the peer, acknowledged */
	"link_discarded",      /* messages that restarts of the peer discarded, sent from here */
	"link_peer_discarded", /* the same, sent from there */
	"link_refusals",       /* headers of the peer refused */
	"link_fault_kind",     "link_fault_length",  "link_fault_descriptor", "link_fault_overrun",
	"link_fault_cursor",   "link_events_untold", /* beyond what the log is told at once */
	"memory_lost",	    /* 1: a file was truncated or replaced, as of the last look */
	"area_own_load_ns", /* of a load, as the link was opened; 50 and above: uncached */
	"area_peer_load_ns",
};

int
nahanni_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names,
			 unsigned int count)
{
	unsigned int i;

	RTE_SET_USED(dev);
	for (i = 0; names != NULL && i < RTE_MIN(count, RTE_DIM(xstat_names)); i++)
		rte_strscpy(names[i].name, xstat_names[i], sizeof(names[i].name));
	return RTE_DIM(xstat_names);
}

int
nahanni_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int count)
{
	const struct nahanni_port *port = dev->data->dev_private;
	const struct nhn_link *link = port->link;
	bool started = port->service == NAHANNI_FRAMES;
	const uint64_t values[RTE_DIM(xstat_names)] = {
		link->sessions,
		nhn_link_discarded(link),
		started ? nhn_link_peer_discarded(link) : 0,
		link->refusals,
		link->faults[NHN_FAULT_KIND],
		link->faults[NHN_FAULT_LENGTH],
		link->faults[NHN_FAULT_DESCRIPTOR],
		link->faults[NHN_FAULT_OVERRUN],
		link->faults[NHN_FAULT_CURSOR],
		link->events_untold,
		port->own_file.found != 0 || port->peer_file.found != 0,
		port->own_load_ns,
		port->peer_load_ns,
	};
	unsigned int i;

	if (count < RTE_DIM(xstat_names))
		return RTE_DIM(xstat_names);
	for (i = 0; i < RTE_DIM(xstat_names); i++) {
		xstats[i].id = i;
		xstats[i].value = values[i];
	}
	return RTE_DIM(xstat_names);
}
