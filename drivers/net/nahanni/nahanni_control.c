/* SPDX-License-Identifier: BSD-3-Clause */
/* Control: beats, looks at the handshake, and steps it while no queue is in a burst. */

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "nahanni.h"

static uint64_t
now_ns(const struct nahanni_port *port)
{
	return (uint64_t)(((unsigned __int128)rte_rdtsc() * port->ns_per_cycle_q32) >> 32);
}

static void
gate_open(struct nahanni_port *port)
{
	port->stepping = false;
	nhn_store_release(&port->gate, 0);
}

/**
 * Keep all queues out.
 * @return whether none is in a burst; else the gate stays closed and the next
 *         control call looks again, for a queue's thread may be off its core
 */
static bool
gate_close(struct nahanni_port *port)
{
	const struct rte_eth_dev_data *data = port->data;
	uint16_t i;

	if (!port->stepping) {
		nhn_store_relaxed(&port->gate, 1);
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
			gate_open(port); /* no memory for it just now: the next call tries again */
			return false;
		}
		port->stepping = true;
	}
	for (i = 0; i < data->nb_rx_queues; i++) {
		const struct nahanni_queue *rx = data->rx_queues[i];
		const struct nahanni_queue *tx = data->tx_queues[i];

		if (nhn_load_acquire(&rx->busy) != 0 || nhn_load_acquire(&tx->busy) != 0)
			return false;
	}
	return true;
}

/** Frames know no sessions: nobody is to be told. */
static void
stale_forget(struct nhn_link *link)
{
	uint32_t i;

	for (i = 0; i < link->layout.channels; i++)
		link->rx[i].stale = 0;
}

/**
 * A file that was truncated or replaced brings no link up: say so, once the link
 * has been down for a while. The gate is open.
 */
static void
files_look(struct nahanni_port *port, uint64_t now)
{
	bool up = nhn_link_state(port->link) == NHN_LINK_UP;

	if (!up && now < port->next_check_ns)
		return;
	if (!up)
		nahanni_files_check(port);
	port->next_check_ns = now + NAHANNI_CHECK_INTERVAL_NS;
}

void
nahanni_control(struct nahanni_port *port)
{
	uint64_t now;

	if (!rte_spinlock_trylock(&port->lock))
		return;
	now = now_ns(port);
	if (port->service == NAHANNI_FRAMES &&
	    (port->stepping || (nhn_link_look(port->link, now) && now >= port->next_step_ns))) {
		if (gate_close(port)) {
			nhn_link_step(port->link, now);
			stale_forget(port->link);
			gate_open(port);
			port->next_step_ns = now + NAHANNI_STEP_INTERVAL_NS;
		}
	}
	if (port->service == NAHANNI_FRAMES && !port->stepping)
		files_look(port, now);
	rte_spinlock_unlock(&port->lock);
}
