/* SPDX-License-Identifier: BSD-3-Clause */
/* An honest peer of a port: a link of the library on the hostile side's mapping. */
#ifndef NHN_TEST_PORT_PEER_H
#define NHN_TEST_PORT_PEER_H

#include "hostile_port.h"

extern struct nhn_link port_peer;

/** Begin a life on what the memory holds; clean it where a host may not. */
void port_peer_begin(struct port_victim *victim);
/** Take turns. @return whether both came up within as many as a restart needs */
bool port_peer_up(struct port_victim *victim);

/** Commit a frame of the pattern of this number. */
void port_peer_send(struct port_victim *victim, uint16_t queue, uint32_t length, uint64_t number);
/** One frame, which arrives as it was sent. */
void port_peer_to_victim(struct port_victim *victim, uint16_t queue, uint16_t length,
			 uint64_t number);
void port_victim_to_peer(struct port_victim *victim, uint16_t queue, uint16_t length,
			 uint64_t number);

#endif /* NHN_TEST_PORT_PEER_H */
