/* SPDX-License-Identifier: BSD-3-Clause */
/* What control threads do: make, launch, add, remove. */

#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_service.h>
#include <rte_service_component.h>

#include "worker_internal.h"

/** Between two control steps of an lcore's links at least. */
#define CONTROL_GAP_US 10
/** In which each of its links has one. */
#define CONTROL_PERIOD_US 1000
/** No service of rte_service. */
#define NO_SERVICE UINT32_MAX

RTE_LOG_REGISTER(nhn_worker_logtype, lib.nahanni.worker, NOTICE);

uint64_t
nhn_worker_now_ns(void *unused)
{
	uint64_t cycles = rte_rdtsc();
	uint64_t hz = rte_get_tsc_hz();

	(void)unused;
	/* In two parts, so that nothing overflows for centuries. */
	return cycles / hz * 1000000000u + cycles % hz * 1000000000u / hz;
}

/* ---- make and end ---- */

static void
lcore_free(struct worker_lcore *lcore)
{
	if (lcore == NULL)
		return;
	rte_free(lcore->watch);
	rte_free(lcore->served);
	rte_free(lcore->rounds_ns);
	rte_free(lcore);
}

static struct worker_lcore *
lcore_create(struct nhn_worker *worker, unsigned int id)
{
	const struct nhn_worker_config *config = &worker->config;
	int socket = (int)rte_lcore_to_socket_id(id);
	struct worker_lcore *lcore =
		rte_zmalloc_socket(NULL, sizeof(*lcore), RTE_CACHE_LINE_SIZE, socket);

	if (lcore == NULL)
		return NULL;
	lcore->id = id;
	lcore->worker = worker;
	lcore->budget = config->budget != 0 ? config->budget : NHN_WORKER_BUDGET;
	lcore->control_gap_cycles = rte_get_tsc_hz() / 1000000 * CONTROL_GAP_US;
	lcore->control_period_cycles = rte_get_tsc_hz() / 1000000 * CONTROL_PERIOD_US;
	lcore->service = NO_SERVICE;
	lcore->watch = rte_zmalloc_socket(
		NULL, (size_t)config->links_max * NHN_CHANNELS_MAX * sizeof(*lcore->watch),
		RTE_CACHE_LINE_SIZE, socket);
	lcore->served = rte_zmalloc_socket(NULL, config->links_max * sizeof(*lcore->served),
					   RTE_CACHE_LINE_SIZE, socket);
	lcore->rounds_ns =
		rte_zmalloc_socket(NULL, sizeof(*lcore->rounds_ns), RTE_CACHE_LINE_SIZE, socket);
	if (lcore->watch == NULL || lcore->served == NULL || lcore->rounds_ns == NULL) {
		lcore_free(lcore);
		return NULL;
	}
	nhn_histogram_init(lcore->rounds_ns);
	return lcore;
}

static int32_t
service_round(void *lcore)
{
	return worker_turn(lcore) != 0 ? 0 : -EAGAIN;
}

static int
service_register(struct worker_lcore *lcore)
{
	struct rte_service_spec spec;

	memset(&spec, 0, sizeof(spec));
	snprintf(spec.name, sizeof(spec.name), "%.20s_%u", lcore->worker->name, lcore->id);
	spec.callback = service_round;
	spec.callback_userdata = lcore;
	spec.socket_id = (int)rte_lcore_to_socket_id(lcore->id);
	if (rte_service_component_register(&spec, &lcore->service) != 0) {
		lcore->service = NO_SERVICE;
		return -ENOSPC;
	}
	rte_service_component_runstate_set(lcore->service, 1);
	return rte_service_map_lcore_set(lcore->service, lcore->id, 1);
}

static int
lcores_create(struct nhn_worker *worker)
{
	uint32_t i;

	for (i = 0; i < worker->config.lcore_count; i++) {
		worker->lcore[i] = lcore_create(worker, worker->lcores[i]);
		if (worker->lcore[i] == NULL)
			return -ENOMEM;
		if (worker->config.launch == NHN_WORKER_LAUNCH_SERVICE &&
		    service_register(worker->lcore[i]) != 0) {
			WORKER_LOG(ERR, "%s: EAL takes no service for lcore %u: has it too many?",
				   worker->name, worker->lcores[i]);
			return -ENOMEM;
		}
	}
	return 0;
}

struct nhn_worker *
nhn_worker_create(const struct nhn_worker_config *config)
{
	struct nhn_worker *worker;

	if (worker_config_check(config) != 0) {
		rte_errno = EINVAL;
		return NULL;
	}
	worker = rte_zmalloc(NULL, sizeof(*worker), 0);
	if (worker == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	worker->config = *config;
	strcpy(worker->name, config->name); /* its length was checked */
	memcpy(worker->lcores, config->lcores, config->lcore_count * sizeof(*config->lcores));
	worker->config.name = worker->name;
	worker->config.lcores = worker->lcores;
	pthread_mutex_init(&worker->mutex, NULL);
	if (lcores_create(worker) != 0) {
		WORKER_LOG(ERR, "%s: cannot take %u links on %u lcores: see above, or EAL's -m",
			   worker->name, config->links_max, config->lcore_count);
		nhn_worker_destroy(worker);
		rte_errno = ENOMEM;
		return NULL;
	}
	worker_telemetry_add(worker);
	return worker;
}

static void
lcore_destroy(struct worker_lcore *lcore)
{
	uint32_t i;

	if (lcore == NULL)
		return;
	for (i = 0; i < lcore->links; i++)
		rte_free(lcore->served[i]);
	if (lcore->service != NO_SERVICE) {
		rte_service_component_runstate_set(lcore->service, 0);
		rte_service_component_unregister(lcore->service);
	}
	lcore_free(lcore);
}

void
nhn_worker_destroy(struct nhn_worker *worker)
{
	uint32_t i;

	if (worker == NULL)
		return;
	nhn_worker_stop(worker);
	worker_telemetry_remove(worker);
	for (i = 0; i < worker->config.lcore_count; i++)
		lcore_destroy(worker->lcore[i]);
	pthread_mutex_destroy(&worker->mutex);
	rte_free(worker);
}

/* ---- launch ---- */

static int
lcore_start(struct worker_lcore *lcore)
{
	int ret;

	nhn_store_relaxed(&lcore->stop, 0);
	nhn_store_release(&lcore->running, 1);
	if (lcore->worker->config.launch == NHN_WORKER_LAUNCH_SERVICE) {
		ret = rte_eal_get_lcore_state(lcore->id) == RUNNING
			      ? rte_service_runstate_set(lcore->service, 1)
			      : -ENODEV;
	} else {
		ret = rte_eal_remote_launch(worker_loop, lcore, lcore->id);
	}
	if (ret != 0)
		nhn_store_release(&lcore->running, 0);
	return ret;
}

static void
lcore_stop(struct worker_lcore *lcore)
{
	if (nhn_load_acquire(&lcore->running) == 0)
		return;
	if (lcore->worker->config.launch == NHN_WORKER_LAUNCH_SERVICE) {
		rte_service_runstate_set(lcore->service, 0);
		while (rte_service_may_be_active(lcore->service) == 1)
			rte_delay_us_sleep(10);
		nhn_store_release(&lcore->running, 0);
		return;
	}
	nhn_store_release(&lcore->stop, 1);
	rte_eal_wait_lcore(lcore->id);
}

int
nhn_worker_start(struct nhn_worker *worker)
{
	uint32_t i;
	int ret = 0;

	if (worker->config.idle == NHN_WORKER_IDLE_DEADLINE)
		return 0;
	pthread_mutex_lock(&worker->mutex);
	for (i = 0; i < worker->config.lcore_count && ret == 0; i++)
		if (nhn_load_acquire(&worker->lcore[i]->running) == 0)
			ret = lcore_start(worker->lcore[i]);
	pthread_mutex_unlock(&worker->mutex);
	if (ret != 0) {
		WORKER_LOG(ERR, "%s: lcore %u cannot be started: %s", worker->name,
			   worker->lcores[i - 1],
			   ret == -ENODEV ? "no service core runs (rte_service_lcore_start())"
					  : "it runs something else");
		nhn_worker_stop(worker);
	}
	return ret;
}

void
nhn_worker_stop(struct nhn_worker *worker)
{
	uint32_t i;

	pthread_mutex_lock(&worker->mutex);
	for (i = 0; i < worker->config.lcore_count; i++)
		if (worker->lcore[i] != NULL)
			lcore_stop(worker->lcore[i]);
	pthread_mutex_unlock(&worker->mutex);
}

/* ---- orders: with the mutex held ---- */

/** Call a function between two rounds of an lcore, or here if nobody runs its rounds. */
static void
lcore_order(struct worker_lcore *lcore, void (*function)(void *context), void *context)
{
	uint32_t number = lcore->ordered + 1;

	if (nhn_load_acquire(&lcore->running) == 0) {
		function(context);
		return;
	}
	lcore->order.function = function;
	lcore->order.context = context;
	nhn_store_release(&lcore->ordered, number);	 /* F */
	while (nhn_load_acquire(&lcore->done) != number) /* G */
		rte_delay_us_sleep(1);
}

struct change {
	struct worker_lcore *lcore;
	struct served *served;
};

static void
link_enter(void *context)
{
	struct change *change = context;
	struct worker_lcore *lcore = change->lcore;

	change->served->state = nhn_link_state(change->served->link.endpoint->link);
	lcore->served[lcore->links++] = change->served;
	worker_watch_all(lcore);
}

static void
link_leave(void *context)
{
	struct change *change = context;
	struct worker_lcore *lcore = change->lcore;
	uint32_t i = 0;

	while (lcore->served[i] != change->served)
		i++;
	lcore->blocked -= change->served->blocked;
	lcore->served[i] = lcore->served[--lcore->links];
	worker_watch_all(lcore);
}

/* ---- links ---- */

struct served *
worker_find(struct nhn_worker *worker, uint32_t id, struct worker_lcore **lcore)
{
	uint32_t i, j;

	for (i = 0; i < worker->config.lcore_count; i++) {
		*lcore = worker->lcore[i];
		for (j = 0; j < (*lcore)->links; j++)
			if ((*lcore)->served[j]->link.id == id)
				return (*lcore)->served[j];
	}
	return NULL;
}

static struct worker_lcore *
lcore_choose(const struct nhn_worker *worker, uint32_t id)
{
	struct worker_lcore *best = NULL;
	uint32_t i;

	for (i = 0; i < worker->config.lcore_count; i++) {
		struct worker_lcore *lcore = worker->lcore[i];

		if (lcore->id == id)
			return lcore;
		if (id == NHN_WORKER_ANY_LCORE && (best == NULL || lcore->links < best->links))
			best = lcore;
	}
	return best;
}

static int
link_add(struct nhn_worker *worker, const struct nhn_worker_link *link)
{
	struct worker_lcore *lcore;
	struct change change;

	if (worker_find(worker, link->id, &lcore) != NULL)
		return -EEXIST;
	if (worker->links == worker->config.links_max)
		return -ENOSPC;
	lcore = lcore_choose(worker, link->lcore);
	if (lcore == NULL)
		return -EINVAL;
	change.lcore = lcore;
	change.served = rte_zmalloc_socket(NULL, sizeof(*change.served), RTE_CACHE_LINE_SIZE,
					   (int)rte_lcore_to_socket_id(lcore->id));
	if (change.served == NULL)
		return -ENOMEM;
	change.served->link = *link;
	strcpy(change.served->name, link->name); /* its length was checked */
	change.served->link.name = change.served->name;
	lcore_order(lcore, link_enter, &change);
	worker->links++;
	return 0;
}

int
nhn_worker_add(struct nhn_worker *worker, const struct nhn_worker_link *link)
{
	int ret;

	if (link->message == NULL || link->endpoint == NULL || link->name == NULL ||
	    strnlen(link->name, NHN_WORKER_NAME_BYTES) >= NHN_WORKER_NAME_BYTES)
		return -EINVAL;
	pthread_mutex_lock(&worker->mutex);
	ret = link_add(worker, link);
	pthread_mutex_unlock(&worker->mutex);
	return ret;
}

int
nhn_worker_remove(struct nhn_worker *worker, uint32_t id)
{
	struct change change;

	pthread_mutex_lock(&worker->mutex);
	change.served = worker_find(worker, id, &change.lcore);
	if (change.served != NULL) {
		lcore_order(change.lcore, link_leave, &change);
		worker->links--;
	}
	pthread_mutex_unlock(&worker->mutex);
	rte_free(change.served);
	return change.served != NULL ? 0 : -ENOENT;
}

struct call {
	void (*function)(void *context, struct nhn_endpoint *endpoint);
	void *context;
	struct served *served;
	struct worker_lcore *lcore;
};

static void
call_make(void *context)
{
	struct call *call = context;

	call->function(call->context, call->served->link.endpoint);
	worker_watch_next(call->lcore, call->served); /* it may have sent or taken */
}

int
nhn_worker_run(struct nhn_worker *worker, uint32_t id,
	       void (*function)(void *context, struct nhn_endpoint *endpoint), void *context)
{
	struct call call = {.function = function, .context = context};

	pthread_mutex_lock(&worker->mutex);
	call.served = worker_find(worker, id, &call.lcore);
	if (call.served != NULL)
		lcore_order(call.lcore, call_make, &call);
	pthread_mutex_unlock(&worker->mutex);
	return call.served != NULL ? 0 : -ENOENT;
}

/* ---- the caller's own loop ---- */

uint32_t
nhn_worker_poll_until(struct nhn_worker *worker, unsigned int id, uint64_t deadline_ns)
{
	struct worker_lcore *lcore = lcore_choose(worker, id);
	uint64_t now = nhn_worker_now_ns(NULL);
	uint32_t rounds = 0;

	if (lcore == NULL || worker->config.idle != NHN_WORKER_IDLE_DEADLINE)
		return 0;
	while (now + lcore->longest_ns < deadline_ns) {
		uint64_t begin = now;

		worker_turn(lcore);
		rounds++;
		now = nhn_worker_now_ns(NULL);
		if (now - begin > lcore->longest_ns)
			lcore->longest_ns = now - begin;
	}
	/* Else one long round, as of a core lost for a moment, would end all polling. */
	if (rounds == 0)
		lcore->longest_ns -= lcore->longest_ns / 8;
	return rounds;
}
