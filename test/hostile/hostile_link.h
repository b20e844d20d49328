/* SPDX-License-Identifier: BSD-3-Clause */
/* A link against a hostile peer: its control calls within their bounds, its events
 * told and counted to the last one. */
#ifndef NHN_TEST_HOSTILE_LINK_H
#define NHN_TEST_HOSTILE_LINK_H

#include "victim.h"

/** Calls of lib/link. */
enum link_call {
	CALL_INIT,
	CALL_LOOK,
	CALL_STEP,
	CALL_FINISH,
	LINK_CALLS,
};

extern struct hostile_call link_calls[LINK_CALLS];

/** What was reached, over all rounds. */
struct link_reached {
	uint64_t states[NHN_LINK_BROKEN + 1];
	uint64_t faults[NHN_FAULT_CURSOR + 1];
	uint64_t refusals[NHN_REFUSAL_OWN_AREA + 1];
	uint64_t intruders;
	uint64_t told[NHN_LINK_EVENT_INTRUDER + 1];
	uint64_t untold;
	uint64_t sessions; /* of the peer, acknowledged */
	uint64_t layouts;  /* taken up by a guest beyond its first */
};

extern struct link_reached link_reached;

/** The events of one life of a link: each is told, or counted as untold. */
struct link_ledger {
	uint64_t told;	   /* kept by the test, as it is told */
	uint64_t happened; /* found by comparing the link before and after a call */
	uint64_t most;	   /* that may be told by now */
	/* the link before the call */
	enum nhn_link_state state;
	bool intruder;
	uint32_t refused_causes;
	uint64_t refusals;
	uint64_t faults[NHN_FAULT_CURSOR + 1];
	uint32_t session;
};

void link_ledger_before(struct link_ledger *ledger, const struct nhn_link *link);
/** After at most one step: counts what was reached, and fails where an event is missing. */
void link_ledger_after(struct link_ledger *ledger, const struct hostile *h);
/** A victim and what surrounds it. */
struct link_victim {
	struct hostile hostile;
	struct hostile_area own;
	struct hostile_area peer;
	struct nhn_link link;
	struct nhn_link_config config;
	uint64_t now_ns;
	uint64_t begun_ns;
	struct link_ledger ledger;
};

/** Configure for memory that is open. @p hostile has its offers and its role. */
void link_victim_configure(struct link_victim *victim, enum nhn_use use);
/** Init, as the bound says. A host that finds strange memory is given new. */
void link_victim_begin(struct link_victim *victim);
void link_victim_finish(struct link_victim *victim);
/** One of look, step and both. */
void link_victim_control(struct link_victim *victim);
/** Send, receive or give back on some channel. */
void link_victim_traffic(struct link_victim *victim);

/** Loads that a step may do: all rings counted once, and one header copied. */
struct hostile_bound link_step_bound(const struct nhn_link *link);

void link_reached_print(void);

#endif /* NHN_TEST_HOSTILE_LINK_H */
