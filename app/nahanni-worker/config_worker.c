/* SPDX-License-Identifier: BSD-3-Clause */
/* The section [worker]. */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "config.h"
#include "values.h"

static int
name_take(struct worker_config *worker, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= sizeof(worker->name))
		return -EINVAL;
	memcpy(worker->name, value, strlen(value) + 1);
	return 0;
}

static int
lcores_take(struct worker_config *worker, const char *value)
{
	int count = list_parse(value, RTE_MAX_LCORE - 1, worker->lcores, NHN_WORKER_LCORES_MAX);

	if (count < 0)
		return count;
	worker->lcore_count = (uint32_t)count;
	return 0;
}

static int
cores_take(struct worker_config *worker, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= sizeof(worker->cores))
		return -EINVAL;
	memcpy(worker->cores, value, strlen(value) + 1);
	return 0;
}

static int
strict_take(struct worker_config *worker, const char *value)
{
	return yes_parse(value, &worker->strict);
}

static int
idle_take(struct worker_config *worker, const char *value)
{
	static const char *const names[] = {
		[NHN_WORKER_IDLE_BUSY] = "busy",
		[NHN_WORKER_IDLE_PAUSE] = "pause",
		[NHN_WORKER_IDLE_ADAPTIVE] = "adaptive",
	};
	uint32_t i;

	for (i = 0; i < RTE_DIM(names); i++)
		if (strcmp(value, names[i]) == 0) {
			worker->idle = (enum nhn_worker_idle)i;
			return 0;
		}
	return -EINVAL;
}

static int
idle_after_take(struct worker_config *worker, const char *value)
{
	return uint32_parse(value, 0, 1000000, &worker->idle_after_us);
}

static int
idle_sleep_take(struct worker_config *worker, const char *value)
{
	return uint32_parse(value, 1, 10000, &worker->idle_sleep_us);
}

static int
budget_take(struct worker_config *worker, const char *value)
{
	return uint32_parse(value, 1, 65536, &worker->budget);
}

static int
links_max_take(struct worker_config *worker, const char *value)
{
	return uint32_parse(value, 1, 256, &worker->links_max);
}

static const struct worker_key {
	const char *name;
	int (*take)(struct worker_config *worker, const char *value);
	const char *expected;
} keys[] = {
	{"name", name_take, "1 to 63 bytes"},
	{"lcores", lcores_take, "numbers of EAL's lcores, such as 1,3-5"},
	{"cores", cores_take, "auto, or a CPU for each lcore, such as 2,4-6"},
	{"strict", strict_take, "yes or no"},
	{"idle", idle_take, "busy, pause or adaptive"},
	{"idle-after-us", idle_after_take, "microseconds, 0 to 1000000"},
	{"idle-sleep-us", idle_sleep_take, "microseconds, 1 to 10000"},
	{"budget", budget_take, "steps, 1 to 65536"},
	{"links-max", links_max_take, "a number from 1 to 256"},
};

static int
entry_take(struct config *config, struct config_spot spot, const struct rte_cfgfile_entry *entry,
	   uint32_t *given)
{
	uint32_t i = 0;

	while (i < RTE_DIM(keys) && strcmp(entry->name, keys[i].name) != 0)
		i++;
	if (i == RTE_DIM(keys))
		return config_complain(
			config, spot,
			"the key %s is unknown in [worker], expected name, lcores,"
			" cores, strict, idle, idle-after-us, idle-sleep-us, budget or links-max.",
			entry->name);
	if (*given >> i & 1)
		return config_complain(config, spot, "the key %s is given twice, expected once.",
				       entry->name);
	*given |= 1u << i;
	if (keys[i].take == lcores_take)
		config->lcores_spot = spot;
	if (keys[i].take(&config->worker, entry->value) != 0)
		return config_complain(config, spot, "%s is '%s', expected %s.", entry->name,
				       entry->value, keys[i].expected);
	return 0;
}

static void
defaults(struct worker_config *worker)
{
	strcpy(worker->name, "nahanni");
	worker->idle = NHN_WORKER_IDLE_ADAPTIVE;
	worker->idle_after_us = 200;
	worker->idle_sleep_us = 50;
	worker->budget = NHN_WORKER_BUDGET;
	worker->links_max = 64;
}

/** An lcore is named once. */
static int
lcores_check(const struct config *config)
{
	const struct worker_config *worker = &config->worker;
	uint32_t i, j;

	for (i = 0; i < worker->lcore_count; i++)
		for (j = 0; j < i; j++)
			if (worker->lcores[i] == worker->lcores[j])
				return config_complain(config, config->lcores_spot,
						       "lcore %u is named twice in lcores,"
						       " expected once.",
						       worker->lcores[i]);
	return 0;
}

int
config_take_worker(struct config *config, int section, const struct rte_cfgfile_entry *entries,
		   int count)
{
	struct config_spot spot = {.section = section, .entry = -1};
	uint32_t given = 0;
	int ret;

	if (config->worker_spot.section != 0)
		return config_complain(config, spot,
				       "the section [worker] is there twice, expected once.");
	config->worker_spot = spot;
	defaults(&config->worker);
	for (spot.entry = 0; spot.entry < count; spot.entry++) {
		ret = entry_take(config, spot, &entries[spot.entry], &given);
		if (ret != 0)
			return ret;
	}
	if (config->worker.lcore_count == 0)
		return config_complain(config, config->worker_spot,
				       "[worker] has no lcores, expected lcores=LIST.");
	return lcores_check(config);
}
