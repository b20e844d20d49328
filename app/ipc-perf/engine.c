/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <rte_common.h>

#include "engine.h"

const struct engine *const engines[] = {
	&engine_ping,  &engine_paced,	  &engine_flood,    &engine_rpc,       &engine_duplex,
	&engine_mixed, &engine_idle_wake, &engine_workload, &engine_synthetic,
};
const size_t engines_count = RTE_DIM(engines);

const struct engine *
engine_find(const char *name)
{
	size_t i;

	for (i = 0; i < engines_count; i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}
