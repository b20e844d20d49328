/* SPDX-License-Identifier: BSD-3-Clause */
/* A port of net_nahanni against a hostile peer: its driver is compiled into the
 * test, with the points of nhn_point.h. */
#ifndef NHN_TEST_HOSTILE_PORT_H
#define NHN_TEST_HOSTILE_PORT_H

#include "hostile_link.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define PORT_MBUFS 1023u
#define PORT_QUEUES_MAX 2u
/** Frames of a burst at most: more than one byte counts. */
#define PORT_BURST 300u

/** Calls of the driver. */
enum port_call {
	CALL_RX_BURST,
	CALL_TX_BURST,
	CALL_CONTROL,
	CALL_XSTATS,
	CALL_START,
	CALL_STOP,
	PORT_CALLS,
};

extern struct hostile_call port_calls[PORT_CALLS];

/** What was reached, over all rounds. */
struct port_reached {
	uint64_t received;
	uint64_t sent;
	uint64_t dropped; /* as too short or too long */
	uint64_t burst_most;
};

extern struct port_reached port_reached;

struct port_victim {
	struct hostile hostile;
	struct link_ledger ledger;
	uint16_t port;
	uint16_t queues;
	uint16_t descriptors;
	bool split;
	bool clock_ahead; /* the driver's time is far ahead: beats are late */
	uint64_t begun_cycles;
	size_t bytes; /* of each file */
	uint8_t *own; /* hostile mappings; joint: the same file */
	uint8_t *peer;
	struct nhn_link *link;
};

/** Start EAL and make mbufs. @return 0, or 1 with a sentence printed */
int port_rig_start(char *name);

/** Probe a port on new files, and set its queues up. @p hostile has its role. */
void port_victim_open(struct port_victim *victim);
/** Remove the port: every mbuf is back. */
void port_victim_close(struct port_victim *victim);
/** Whether it starts: a host on strange bytes does not. */
bool port_victim_start(struct port_victim *victim);
void port_victim_stop(struct port_victim *victim);

/** A control step by itself, as a program asks for the link's status. */
void port_victim_control(struct port_victim *victim);
/** Read all counts. */
void port_victim_xstats(struct port_victim *victim);
/** A burst in each direction, of any number. Received frames are checked and freed. */
void port_victim_receive(struct port_victim *victim);
void port_victim_send(struct port_victim *victim);

/** One received frame: within its mbuf, and nothing written beside it. */
void port_frame_check(const struct port_victim *victim, const struct rte_mbuf *mbuf);
/** Give a received frame back, as new. */
void port_frame_free(struct rte_mbuf *mbuf);

/** A frame to send, of the pattern of this number. */
struct rte_mbuf *port_frame_new(struct port_victim *victim, uint16_t length, uint64_t number);

/** mbufs that nobody has. */
unsigned int port_mbufs_free(void);

#endif /* NHN_TEST_HOSTILE_PORT_H */
