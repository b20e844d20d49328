/* SPDX-License-Identifier: BSD-3-Clause */
/* /nahanni/service,ID for dpdk-telemetry.py, beside the worker's own commands. */

#include <errno.h>

#include <rte_telemetry.h>

#include "daemon.h"
#include "service.h"
#include "values.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct daemon *shown;

static void
counters_tell(struct rte_tel_data *data, const struct link *link)
{
	const struct service_counters *counters = &link->counters;

	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_u64(data, "id", link->config.id);
	rte_tel_data_add_dict_string(data, "name", link->config.name);
	rte_tel_data_add_dict_string(data, "service", link->service->name);
	rte_tel_data_add_dict_u64(data, "messages", counters->messages);
	rte_tel_data_add_dict_u64(data, "bytes", counters->bytes);
	rte_tel_data_add_dict_u64(data, "dropped", counters->dropped);
	rte_tel_data_add_dict_u64(data, "lost", counters->lost);
	rte_tel_data_add_dict_u64(data, "given_up", counters->given_up);
	rte_tel_data_add_dict_u64(data, "restarts", counters->restarts);
}

static int
service_tell(const char *command, const char *parameters, struct rte_tel_data *data)
{
	uint64_t id;
	int ret = -ENOENT;

	(void)command;
	if (parameters == NULL || number_parse(parameters, 1, LINK_ID_MAX, &id) != 0)
		return -EINVAL;
	pthread_mutex_lock(&mutex);
	if (shown != NULL) {
		/* A link is taken off the list before it is closed. */
		pthread_mutex_lock(&shown->mutex);
		if (shown->link[id] != NULL) {
			counters_tell(data, shown->link[id]);
			ret = 0;
		}
		pthread_mutex_unlock(&shown->mutex);
	}
	pthread_mutex_unlock(&mutex);
	return ret;
}

static void
show(struct daemon *daemon)
{
	pthread_mutex_lock(&mutex);
	shown = daemon;
	pthread_mutex_unlock(&mutex);
}

void
telemetry_begin(struct daemon *daemon)
{
	rte_telemetry_register_cmd("/nahanni/service", service_tell,
				   "Counters of a link's service. Parameter: the link's id");
	show(daemon);
}

void
telemetry_end(void)
{
	show(NULL);
}
