/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>

#include <nhn_link_text.h>

#include "hostile_link.h"

#define HEADER_WORDS (sizeof(struct nhn_header) / sizeof(uint32_t))
#define CONTROL_WORDS (NHN_CONTROL_BYTES / sizeof(uint32_t))

#define CLEAN_TRIES 100000u

struct hostile_call link_calls[LINK_CALLS] = {
	[CALL_INIT] = {.name = "init", .bound = "two control blocks and 5 words, 1 copy (host)"},
	[CALL_LOOK] = {.name = "look", .bound = "5 words"},
	[CALL_STEP] = {.name = "step",
		       .bound = "284 words (272 of them a header), the commit words of all cells "
				"of the rings, a word for each ring that was and two for each that "
				"is; 1 copy"},
	[CALL_FINISH] = {.name = "finish", .bound = "none"},
};

struct link_reached link_reached;

struct hostile_bound
link_step_bound(const struct nhn_link *link)
{
	/* session for the faults, two each for the rows, two for the state; the header
	 * between two loads of session, three to start a session of our own */
	uint64_t loads = 1 + 2 + 2 + 2 + 1 + HEADER_WORDS + 1 + 3;
	uint32_t i;

	for (i = 0; i < link->laid.channels; i++)
		loads += link->laid.entry[i].cells + 1; /* counted from the cursor on */
	loads += 2 * link->layout.channels;		/* the cursors of each ring */
	return (struct hostile_bound){.loads = loads, .copies = 1};
}

static void
event(void *context, const struct nhn_link *link, const struct nhn_link_event *what)
{
	struct link_victim *victim = context;
	char text[256];

	victim->ledger.told++;
	link_reached.told[what->kind]++;
	nhn_link_event_text(link, what, text, sizeof(text));
	hostile_check(&victim->hostile, strlen(text) > 10 && strlen(text) < sizeof(text) - 1);
}

/* ---- each event is told or counted ---- */

void
link_ledger_before(struct link_ledger *ledger, const struct nhn_link *link)
{
	ledger->state = link->state;
	ledger->intruder = link->intruder;
	ledger->refused_causes = link->refused_causes;
	ledger->refusals = link->refusals;
	ledger->session = link->session;
	memcpy(ledger->faults, link->faults, sizeof(ledger->faults));
}

/* A guest that began anew without a fault has taken up another layout. */
static bool
layout_taken(const struct link_ledger *before, const struct nhn_link *link)
{
	return link->config.role == NHN_ROLE_GUEST && before->session != 0 &&
	       before->session != link->session && before->state != NHN_LINK_BROKEN;
}

void
link_ledger_after(struct link_ledger *ledger, const struct hostile *h)
{
	const struct nhn_link *link = h->link;
	uint32_t causes = link->refused_causes & ~ledger->refused_causes;
	bool intruder = link->intruder && !ledger->intruder;
	uint32_t i;

	ledger->happened += link->state != ledger->state;
	ledger->happened += intruder;
	ledger->happened += (uint64_t)__builtin_popcount(causes);
	for (i = 0; i <= NHN_FAULT_CURSOR; i++) {
		ledger->happened += link->faults[i] - ledger->faults[i];
		link_reached.faults[i] += link->faults[i] - ledger->faults[i];
	}
	for (i = 0; i <= NHN_REFUSAL_OWN_AREA; i++)
		link_reached.refusals[i] += causes >> i & 1;
	link_reached.intruders += intruder;
	link_reached.states[link->state]++;
	link_reached.layouts += layout_taken(ledger, link);
	hostile_check(h, link->refusals - ledger->refusals <= 1);
	hostile_check(h, ledger->told + link->events_untold == ledger->happened);
	hostile_check(h, ledger->told <= ledger->most);
}

/* ---- begin and end ---- */

void
link_victim_configure(struct link_victim *victim, enum nhn_use use)
{
	struct hostile *h = &victim->hostile;
	struct nhn_link_config *config = &victim->config;

	memset(config, 0, sizeof(*config));
	config->role = h->role == NHN_ROLE_HOST ? NHN_ROLE_GUEST : NHN_ROLE_HOST;
	config->own_area = victim->own.victim;
	config->own_bytes = victim->own.bytes;
	config->peer_area = victim->peer.victim;
	config->peer_bytes = victim->peer.bytes;
	config->use = use;
	config->mtu = h->mtu;
	config->random = (uint32_t)pattern_random(&h->random);
	config->event = event;
	config->event_context = victim;
	if (config->role == NHN_ROLE_HOST)
		config->layout = h->offers[h->offer];
	h->link = &victim->link;
	h->peer = victim->peer.mine;
	h->bytes = victim->peer.bytes;
	victim->now_ns = UINT64_C(1000000000);
}

static int
init(struct link_victim *victim)
{
	struct nhn_refusal refusal;
	int ret;

	hostile_enter(&victim->hostile);
	ret = nhn_link_init(&victim->link, &victim->config, &refusal);
	hostile_leave(&victim->hostile, &link_calls[CALL_INIT],
		      (struct hostile_bound){.loads = 2 * CONTROL_WORDS + 5, .copies = 1});
	if (ret != 0)
		link_reached.refusals[refusal.cause]++;
	return ret;
}

void
link_victim_begin(struct link_victim *victim)
{
	int ret;
	uint32_t i;

	memset(&victim->ledger, 0, sizeof(victim->ledger));
	victim->begun_ns = victim->now_ns;
	ret = init(victim);
	if (ret != 0) { /* strange bytes: somebody gives it clean memory, in peace */
		const struct hostile_profile *profile = victim->hostile.profile;

		hostile_check(&victim->hostile, victim->config.role == NHN_ROLE_HOST);
		victim->hostile.profile = NULL;
		/* A racing peer may spoil it again before it is looked at. */
		for (i = 0; i < CLEAN_TRIES && ret != 0; i++) {
			memset(victim->own.mine, 0, NHN_CONTROL_BYTES);
			memset(victim->peer.mine, 0, NHN_CONTROL_BYTES);
			ret = init(victim);
		}
		hostile_check(&victim->hostile, ret == 0);
		victim->hostile.profile = profile;
	}
	link_reached.states[victim->link.state]++;
}

void
link_victim_finish(struct link_victim *victim)
{
	link_reached.untold += victim->link.events_untold;
	link_reached.sessions += victim->link.sessions;
	hostile_enter(&victim->hostile);
	nhn_link_finish(&victim->link);
	hostile_leave(&victim->hostile, &link_calls[CALL_FINISH],
		      (struct hostile_bound){.loads = 0});
	link_reached.states[victim->link.state]++;
}

/* ---- at work ---- */

void
link_victim_control(struct link_victim *victim)
{
	struct hostile *h = &victim->hostile;
	struct nhn_link *link = &victim->link;
	struct hostile_bound bound = link_step_bound(link);
	struct link_ledger *ledger = &victim->ledger;
	bool due = true;

	victim->now_ns +=
		hostile_chance(h, 200) ? UINT64_C(10000000000) : hostile_below(h, 3000000);
	/* one more: the first second may have passed before the begin */
	ledger->most =
		NHN_LINK_EVENTS_MAX + 1 + (victim->now_ns - victim->begun_ns) / NHN_LINK_EVENTS_NS;
	link_ledger_before(ledger, link);
	if (!hostile_chance(h, 8)) {
		hostile_enter(h);
		due = nhn_link_look(link, victim->now_ns);
		hostile_leave(h, &link_calls[CALL_LOOK], (struct hostile_bound){.loads = 5});
	}
	if (due) { /* without a look: what was due is so no more, or something else is */
		hostile_enter(h);
		nhn_link_step(link, victim->now_ns);
		hostile_leave(h, &link_calls[CALL_STEP], bound);
	}
	link_ledger_after(ledger, h);
}

void
link_victim_traffic(struct link_victim *victim)
{
	struct hostile *h = &victim->hostile;
	struct nhn_link *link = &victim->link;
	uint32_t channels = link->layout.channels;
	/* now and then one that is not in use: a program may poll it still */
	uint32_t channel = channels != 0 ? hostile_below(h, channels) : 0;

	if (hostile_chance(h, 64))
		channel = hostile_below(h, NHN_CHANNELS_MAX);
	if (channel < channels && hostile_below(h, 2))
		victim_send(h, nhn_link_tx(link, channel));
	else
		victim_receive(h, nhn_link_rx(link, channel));
	if (hostile_chance(h, 8))
		victim_release(h, nhn_link_rx(link, channel));
}

void
link_reached_print(void)
{
	uint32_t i;

	for (i = 0; i <= NHN_LINK_BROKEN; i++)
		printf("  %8" PRIu64 " times after a call: %s\n", link_reached.states[i],
		       nhn_link_state_text((enum nhn_link_state)i));
	printf("  refusals by cause:");
	for (i = NHN_REFUSAL_MAGIC; i <= NHN_REFUSAL_OWN_AREA; i++)
		printf(" %" PRIu64, link_reached.refusals[i]);
	printf("\n  faults by cause:");
	for (i = NHN_FAULT_KIND; i <= NHN_FAULT_CURSOR; i++)
		printf(" %" PRIu64, link_reached.faults[i]);
	printf("\n  told: %" PRIu64 " states, %" PRIu64 " refusals, %" PRIu64 " faults, %" PRIu64
	       " intruders; untold %" PRIu64 "; %" PRIu64 " sessions, %" PRIu64
	       " other layouts taken up\n",
	       link_reached.told[NHN_LINK_EVENT_STATE], link_reached.told[NHN_LINK_EVENT_REFUSED],
	       link_reached.told[NHN_LINK_EVENT_FAULT], link_reached.told[NHN_LINK_EVENT_INTRUDER],
	       link_reached.untold, link_reached.sessions, link_reached.layouts);
	hostile_calls_print(link_calls, LINK_CALLS);
}
