/* SPDX-License-Identifier: BSD-3-Clause */
/* /nahanni/worker, /nahanni/links and /nahanni/link,ID for dpdk-telemetry.py. */

#include <errno.h>
#include <stdlib.h>

#include <rte_telemetry.h>

#include <nhn_link_text.h>

#include "worker_internal.h"

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct nhn_worker *list;

static void
lcore_tell(struct rte_tel_data *dict, const struct nhn_worker *worker,
	   const struct nhn_worker_lcore_stats *stats)
{
	rte_tel_data_add_dict_string(dict, "worker", worker->name);
	rte_tel_data_add_dict_u64(dict, "lcore", stats->lcore);
	rte_tel_data_add_dict_u64(dict, "links", stats->links);
	rte_tel_data_add_dict_u64(dict, "rounds", stats->rounds);
	rte_tel_data_add_dict_u64(dict, "rounds_worked", stats->rounds_worked);
	rte_tel_data_add_dict_u64(dict, "steps", stats->steps);
	rte_tel_data_add_dict_u64(dict, "sleeps", stats->sleeps);
	rte_tel_data_add_dict_u64(dict, "controls", stats->controls);
	rte_tel_data_add_dict_u64(dict, "rounds_timed", stats->timed);
	rte_tel_data_add_dict_u64(dict, "round_p50_ns", stats->round_p50_ns);
	rte_tel_data_add_dict_u64(dict, "round_p99_ns", stats->round_p99_ns);
	rte_tel_data_add_dict_u64(dict, "round_max_ns", stats->round_max_ns);
}

/** One dictionary an lcore. */
static int
worker_tell(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct nhn_worker_lcore_stats stats;
	struct nhn_worker *worker;
	struct rte_tel_data *dict;
	uint32_t i;

	(void)command;
	(void)parameters;
	rte_tel_data_start_array(data, RTE_TEL_CONTAINER);
	pthread_mutex_lock(&list_mutex);
	for (worker = list; worker != NULL; worker = worker->next)
		for (i = 0; nhn_worker_lcore_stats(worker, i, &stats) == 0; i++) {
			dict = rte_tel_data_alloc();
			if (dict == NULL)
				break;
			rte_tel_data_start_dict(dict);
			lcore_tell(dict, worker, &stats);
			rte_tel_data_add_array_container(data, dict, 0);
		}
	pthread_mutex_unlock(&list_mutex);
	return 0;
}

static int
links_tell(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct nhn_worker *worker;
	uint32_t i, j;

	(void)command;
	(void)parameters;
	rte_tel_data_start_array(data, RTE_TEL_U64_VAL);
	pthread_mutex_lock(&list_mutex);
	for (worker = list; worker != NULL; worker = worker->next) {
		pthread_mutex_lock(&worker->mutex);
		for (i = 0; i < worker->config.lcore_count; i++)
			for (j = 0; j < worker->lcore[i]->links; j++)
				rte_tel_data_add_array_u64(data,
							   worker->lcore[i]->served[j]->link.id);
		pthread_mutex_unlock(&worker->mutex);
	}
	pthread_mutex_unlock(&list_mutex);
	return 0;
}

static void
link_dict(struct rte_tel_data *data, const struct nhn_worker_link_stats *stats)
{
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_u64(data, "id", stats->id);
	rte_tel_data_add_dict_string(data, "name", stats->name);
	rte_tel_data_add_dict_string(data, "state", nhn_link_state_text(stats->state));
	rte_tel_data_add_dict_u64(data, "lcore", stats->lcore);
	rte_tel_data_add_dict_u64(data, "steps", stats->steps);
	rte_tel_data_add_dict_u64(data, "exhausted", stats->exhausted);
	rte_tel_data_add_dict_u64(data, "blocked", stats->blocked);
	rte_tel_data_add_dict_u64(data, "sessions", stats->sessions);
	rte_tel_data_add_dict_u64(data, "faults", stats->faults);
	rte_tel_data_add_dict_u64(data, "discarded", stats->discarded);
}

static int
link_tell(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct nhn_worker_link_stats stats;
	struct nhn_worker *worker;
	unsigned long id;
	char *end;
	int ret = -ENOENT;

	(void)command;
	if (parameters == NULL || *parameters == '\0')
		return -EINVAL;
	id = strtoul(parameters, &end, 10);
	if (*end != '\0' || id > UINT32_MAX)
		return -EINVAL;
	pthread_mutex_lock(&list_mutex);
	for (worker = list; worker != NULL && ret != 0; worker = worker->next)
		ret = nhn_worker_link_stats(worker, (uint32_t)id, &stats);
	pthread_mutex_unlock(&list_mutex);
	if (ret == 0)
		link_dict(data, &stats);
	return ret;
}

void
worker_telemetry_add(struct nhn_worker *worker)
{
	static bool registered;

	pthread_mutex_lock(&list_mutex);
	worker->next = list;
	list = worker;
	if (!registered) {
		rte_telemetry_register_cmd("/nahanni/worker", worker_tell,
					   "Counters of the workers' lcores. No parameters");
		rte_telemetry_register_cmd("/nahanni/links", links_tell,
					   "Ids of the links that workers serve. No parameters");
		rte_telemetry_register_cmd("/nahanni/link", link_tell,
					   "Counters of a link. Parameter: its id");
	}
	registered = true;
	pthread_mutex_unlock(&list_mutex);
}

void
worker_telemetry_remove(struct nhn_worker *worker)
{
	struct nhn_worker **at = &list;

	pthread_mutex_lock(&list_mutex);
	while (*at != NULL && *at != worker)
		at = &(*at)->next;
	if (*at != NULL)
		*at = worker->next;
	pthread_mutex_unlock(&list_mutex);
}
