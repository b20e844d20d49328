/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration must be, and the sentence where it is not. */

#include <string.h>

#include <rte_lcore.h>

#include "worker_internal.h"

static int
lcore_check(const struct nhn_worker_config *config, uint32_t i)
{
	unsigned int id = config->lcores[i];
	enum rte_lcore_role_t wanted =
		config->launch == NHN_WORKER_LAUNCH_SERVICE ? ROLE_SERVICE : ROLE_RTE;
	uint32_t j;

	if (id >= RTE_MAX_LCORE || rte_eal_lcore_role(id) == ROLE_OFF) {
		WORKER_LOG(ERR, "%s: lcore %u is not one of EAL's: see its -l", config->name, id);
		return -EINVAL;
	}
	for (j = 0; j < i; j++)
		if (config->lcores[j] == id) {
			WORKER_LOG(ERR, "%s: lcore %u is named twice", config->name, id);
			return -EINVAL;
		}
	if (config->idle == NHN_WORKER_IDLE_DEADLINE)
		return 0; /* whose thread calls is the program's business */
	if (rte_eal_lcore_role(id) != wanted || id == rte_get_main_lcore()) {
		WORKER_LOG(ERR,
			   "%s: lcore %u is EAL's main lcore or of another role, expected a %s",
			   config->name, id,
			   wanted == ROLE_SERVICE ? "service lcore (EAL's -s)" : "worker lcore");
		return -EINVAL;
	}
	return 0;
}

int
worker_config_check(const struct nhn_worker_config *config)
{
	uint32_t i;
	int ret = 0;

	if (config->name == NULL ||
	    strnlen(config->name, NHN_WORKER_NAME_BYTES) >= NHN_WORKER_NAME_BYTES) {
		WORKER_LOG(ERR, "a worker has no name, or one of %u bytes or more",
			   NHN_WORKER_NAME_BYTES);
		return -EINVAL;
	}
	if (config->links_max == 0 || config->lcore_count == 0 ||
	    config->lcore_count > NHN_WORKER_LCORES_MAX) {
		WORKER_LOG(ERR, "%s: %u links on %u lcores, expected 1 or more on 1 to %u",
			   config->name, config->links_max, config->lcore_count,
			   NHN_WORKER_LCORES_MAX);
		return -EINVAL;
	}
	for (i = 0; i < config->lcore_count && ret == 0; i++)
		ret = lcore_check(config, i);
	return ret;
}
