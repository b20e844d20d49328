/* SPDX-License-Identifier: BSD-3-Clause */
/* /nahanni/worker, /nahanni/links and /nahanni/link,ID for dpdk-telemetry.py. */

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include <nhn_link_text.h>

#include "worker_internal.h"

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct nhn_worker *list;

/** What is told of each lcore: an array a counter, for DPDK 22.11 nests arrays only. */
static const struct column {
	const char *name;
	size_t offset; /**< of a uint64_t in struct nhn_worker_lcore_stats */
} columns[] = {
	{"rounds", offsetof(struct nhn_worker_lcore_stats, rounds)},
	{"rounds_worked", offsetof(struct nhn_worker_lcore_stats, rounds_worked)},
	{"steps", offsetof(struct nhn_worker_lcore_stats, steps)},
	{"sleeps", offsetof(struct nhn_worker_lcore_stats, sleeps)},
	{"controls", offsetof(struct nhn_worker_lcore_stats, controls)},
	{"rounds_timed", offsetof(struct nhn_worker_lcore_stats, timed)},
	{"round_p50_ns", offsetof(struct nhn_worker_lcore_stats, round_p50_ns)},
	{"round_p99_ns", offsetof(struct nhn_worker_lcore_stats, round_p99_ns)},
	{"round_max_ns", offsetof(struct nhn_worker_lcore_stats, round_max_ns)},
};

struct table {
	struct rte_tel_data *worker;
	struct rte_tel_data *lcore;
	struct rte_tel_data *links;
	struct rte_tel_data *column[RTE_DIM(columns)];
};

static struct rte_tel_data *
array_begin(struct rte_tel_data *data, const char *name, enum rte_tel_value_type type)
{
	struct rte_tel_data *array = rte_tel_data_alloc();

	if (array == NULL)
		return NULL;
	rte_tel_data_start_array(array, type);
	/* Telemetry frees it once it has printed it. */
	rte_tel_data_add_dict_container(data, name, array, 0);
	return array;
}

static int
table_begin(struct table *table, struct rte_tel_data *data)
{
	bool whole;
	uint32_t i;

	rte_tel_data_start_dict(data);
	table->worker = array_begin(data, "worker", RTE_TEL_STRING_VAL);
	table->lcore = array_begin(data, "lcore", RTE_TEL_U64_VAL);
	table->links = array_begin(data, "links", RTE_TEL_U64_VAL);
	whole = table->worker != NULL && table->lcore != NULL && table->links != NULL;
	for (i = 0; i < RTE_DIM(columns); i++) {
		table->column[i] = array_begin(data, columns[i].name, RTE_TEL_U64_VAL);
		whole = whole && table->column[i] != NULL;
	}
	return whole ? 0 : -ENOMEM;
}

static void
lcore_tell(const struct table *table, const struct nhn_worker *worker,
	   const struct nhn_worker_lcore_stats *stats)
{
	uint64_t value;
	uint32_t i;

	rte_tel_data_add_array_string(table->worker, worker->name);
	rte_tel_data_add_array_u64(table->lcore, stats->lcore);
	rte_tel_data_add_array_u64(table->links, stats->links);
	for (i = 0; i < RTE_DIM(columns); i++) {
		memcpy(&value, (const uint8_t *)stats + columns[i].offset, sizeof(value));
		rte_tel_data_add_array_u64(table->column[i], value);
	}
}

/** The i-th element of each array is of the i-th lcore. */
static int
worker_tell(const char *command, const char *parameters, struct rte_tel_data *data)
{
	struct nhn_worker_lcore_stats stats;
	struct nhn_worker *worker;
	struct table table;
	uint32_t i;

	(void)command;
	(void)parameters;
	if (table_begin(&table, data) != 0)
		return 0; /* with what there is, which telemetry frees */
	pthread_mutex_lock(&list_mutex);
	for (worker = list; worker != NULL; worker = worker->next)
		for (i = 0; nhn_worker_lcore_stats_get(worker, i, &stats) == 0; i++)
			lcore_tell(&table, worker, &stats);
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
		ret = nhn_worker_link_stats_get(worker, (uint32_t)id, &stats);
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
