/* SPDX-License-Identifier: BSD-3-Clause */
/* What runs on an lcore: rounds, and between them orders, control and rest. */

#include <rte_cycles.h>
#include <rte_pause.h>

#include "worker_internal.h"

/** Channel polls after which the clock is read and a control step may be taken. */
#define CONTROL_POLLS 1024u
/** Rounds after which a link that was blocked is tried again: a full ring takes a while. */
#define BLOCKED_ROUNDS 16u
/** One round in so many is timed. */
#define TIMED_ROUNDS 64u

/** What a link watches that has work whatever its peer writes. */
static const uint32_t always = NHN_COMMIT_COMMITTED;

static void
watch_always(struct watch *watch)
{
	watch->word = nhn_foreign_of(&always);
	watch->expected = NHN_COMMIT_COMMITTED >> NHN_COMMIT_LAP_SHIFT;
}

static void
watch_channel(struct watch *watch, const struct nhn_rx *rx)
{
	const struct nhn_rx_ring ring = nhn_rx_ring_of(rx);

	watch->word = nhn_rx_commit_place(&ring, nhn_rx_cell(&ring, rx->head));
	watch->expected = nhn_rx_expected(&ring, rx->head);
}

/** When a link is looked at again. */
enum again {
	AGAIN_MESSAGE, /**< when one of its channels has a message */
	AGAIN_NEXT,    /**< in the next round */
	AGAIN_LATER,   /**< when those that are blocked are tried again */
};

static void
watch_link(struct worker_lcore *lcore, const struct served *served, enum again again)
{
	struct watch *watch = &lcore->watch[served->first];
	uint32_t i;

	for (i = 0; i < served->channels; i++) {
		watch_channel(&watch[i], served->link.endpoint->rx[i].rx);
		if (again == AGAIN_LATER)
			watch[i].expected = NHN_TAG_NONE; /* no word has it */
	}
	if (again == AGAIN_NEXT)
		watch_always(watch);
}

void
worker_watch_next(struct worker_lcore *lcore, const struct served *served)
{
	watch_link(lcore, served, AGAIN_NEXT);
}

void
worker_watch_all(struct worker_lcore *lcore)
{
	uint32_t i, j;

	lcore->watches = 0;
	for (i = 0; i < lcore->links; i++) {
		struct served *served = lcore->served[i];
		uint32_t channels = served->link.endpoint->link->layout.channels;

		served->first = lcore->watches;
		served->channels = channels != 0 ? channels : 1; /* a parked one finds nothing */
		for (j = 0; j < served->channels; j++)
			lcore->watch[lcore->watches++].link = i;
		watch_link(lcore, served, AGAIN_NEXT);
	}
}

/* ---- a link that has something ---- */

static void
blocked_set(struct worker_lcore *lcore, struct served *served, bool blocked)
{
	lcore->blocked += (uint32_t)blocked - (uint32_t)served->blocked;
	served->blocked = blocked;
	served->blocks += blocked;
}

enum step {
	STEP_NONE,
	STEP_DONE,
	STEP_REFUSED, /**< by message() */
};

static enum step
link_step(struct served *served)
{
	struct nhn_endpoint *endpoint = served->link.endpoint;
	int channel = nhn_endpoint_step(endpoint);

	if (channel < 0)
		return channel == -EINPROGRESS ? STEP_DONE : STEP_NONE;
	return served->link.message(served->link.context, endpoint, (uint32_t)channel)
		       ? STEP_DONE
		       : STEP_REFUSED;
}

/** @return steps, up to the budget */
static uint32_t
link_serve(struct worker_lcore *lcore, struct served *served)
{
	enum again again = AGAIN_NEXT;
	bool refused = false;
	bool left;
	uint32_t steps = 0;
	uint32_t tries;

	for (tries = 0; tries < lcore->budget; tries++) {
		enum step step = link_step(served);

		steps += step == STEP_DONE;
		/* What was refused is passed over by the next step: other channels go on. */
		if (step == STEP_NONE || (step == STEP_REFUSED && refused)) {
			again = AGAIN_MESSAGE;
			break;
		}
		refused = step == STEP_REFUSED;
	}
	served->steps += steps;
	served->exhausted += again == AGAIN_NEXT;
	/* Work is left that cannot be done: not to be found again in each round. */
	left = again == AGAIN_MESSAGE && (refused || nhn_endpoint_pending(served->link.endpoint));
	if (left && steps == 0)
		again = AGAIN_LATER;
	blocked_set(lcore, served, left);
	watch_link(lcore, served, again);
	return steps;
}

static void
blocked_retry(struct worker_lcore *lcore)
{
	uint32_t i;

	for (i = 0; i < lcore->links; i++)
		if (lcore->served[i]->blocked)
			watch_link(lcore, lcore->served[i], AGAIN_NEXT);
}

/* ---- a round ---- */

uint32_t
worker_round(struct worker_lcore *lcore)
{
	const struct watch *watch = lcore->watch;
	const struct watch *end = watch + lcore->watches;
	uint32_t steps = 0;

	while (watch != end) {
		uint32_t word = nhn_foreign_acquire(watch->word); /* A */
		struct served *served;

		if (__builtin_expect(word >> NHN_COMMIT_LAP_SHIFT != watch->expected, 1)) {
			watch++;
			continue;
		}
		served = lcore->served[watch->link];
		steps += link_serve(lcore, served);
		watch = &lcore->watch[served->first + served->channels];
	}
	lcore->steps += steps;
	return steps;
}

/* ---- between two rounds ---- */

static void
order_take(struct worker_lcore *lcore)
{
	uint32_t ordered = nhn_load_acquire(&lcore->ordered); /* F */

	if (ordered == lcore->orders_done)
		return;
	lcore->order.function(lcore->order.context);
	lcore->orders_done = ordered;
	nhn_store_release(&lcore->done, ordered); /* G */
}

static void
link_control(struct worker_lcore *lcore, struct served *served)
{
	struct nhn_endpoint *endpoint = served->link.endpoint;
	enum nhn_link_state state;

	nhn_endpoint_control(endpoint);
	lcore->controls++;
	state = nhn_link_state(endpoint->link);
	if (state != served->state) {
		served->state = state;
		if (served->link.state != NULL)
			served->link.state(served->link.context, endpoint, state);
	}
	/* A step of the link may have begun, ended or moved its channels. */
	if (RTE_MAX(endpoint->link->layout.channels, 1u) != served->channels)
		worker_watch_all(lcore);
	else
		watch_link(lcore, served,
			   nhn_endpoint_pending(endpoint) ? AGAIN_NEXT : AGAIN_MESSAGE);
}

/** As many links' control steps as the time since the last ones asks for, so that each link
 * has one about once a millisecond, however long rounds or sleeps are.
 */
static void
control_when_due(struct worker_lcore *lcore)
{
	uint64_t now = rte_rdtsc();
	uint64_t passed = now - lcore->control_cycles;
	uint64_t count;

	lcore->polls = 0;
	if (lcore->links == 0 || passed < lcore->control_gap_cycles)
		return;
	lcore->control_cycles = now;
	count = RTE_MIN(1 + passed * lcore->links / lcore->control_period_cycles, lcore->links);
	while (count-- != 0) {
		if (++lcore->turn >= lcore->links)
			lcore->turn = 0;
		link_control(lcore, lcore->served[lcore->turn]);
	}
}

/** A round whose time is kept, if it finds something. */
static uint32_t
round_timed(struct worker_lcore *lcore)
{
	uint64_t begin = rte_rdtsc();
	uint32_t steps = worker_round(lcore);

	if (steps != 0)
		nhn_histogram_record(lcore->rounds_ns,
				     (rte_rdtsc() - begin) * 1000000000u / rte_get_tsc_hz());
	return steps;
}

uint32_t
worker_turn(struct worker_lcore *lcore)
{
	uint32_t steps;

	order_take(lcore);
	lcore->rounds++;
	if (lcore->blocked != 0 && lcore->rounds % BLOCKED_ROUNDS == 0)
		blocked_retry(lcore);
	steps = lcore->rounds % TIMED_ROUNDS == 0 ? round_timed(lcore) : worker_round(lcore);
	lcore->rounds_worked += steps != 0;
	lcore->polls += lcore->watches + steps + 1;
	if (lcore->polls >= CONTROL_POLLS)
		control_when_due(lcore);
	return steps;
}

/* ---- the loop ---- */

static void
sleep_once(struct worker_lcore *lcore)
{
	lcore->sleeps++;
	rte_delay_us_sleep(lcore->worker->config.idle_sleep_us);
	control_when_due(lcore);
}

/** After a round that found nothing. */
static void
rest(struct worker_lcore *lcore, uint64_t idle_since)
{
	const struct nhn_worker_config *config = &lcore->worker->config;

	if (config->idle == NHN_WORKER_IDLE_BUSY)
		return;
	if (config->idle == NHN_WORKER_IDLE_ADAPTIVE &&
	    rte_rdtsc() - idle_since > config->idle_after_us * (rte_get_tsc_hz() / 1000000))
		sleep_once(lcore);
	else
		rte_pause();
}

int
worker_loop(void *argument)
{
	struct worker_lcore *lcore = argument;
	uint64_t idle_since = rte_rdtsc();
	bool idle = false;

	while (nhn_load_relaxed(&lcore->stop) == 0) {
		if (worker_turn(lcore) != 0) {
			idle = false;
			continue;
		}
		if (!idle)
			idle_since = rte_rdtsc();
		idle = true;
		rest(lcore, idle_since);
	}
	order_take(lcore);		       /* given before the stop was seen */
	nhn_store_release(&lcore->running, 0); /* G */
	return 0;
}
