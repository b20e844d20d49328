/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <string.h>

#include <rte_lcore.h>

#include <nhn_topo.h>

#include "output.h"

/** How the kernel chooses the core's frequency. Virtual machines mostly have no such file. */
static void
governor_read(int cpu, char *text, size_t bytes)
{
	char path[96];
	FILE *file;

	snprintf(text, bytes, "not known");
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(text, (int)bytes, file) == NULL)
		snprintf(text, bytes, "not known");
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
}

int
output_core(void)
{
	const rte_cpuset_t cpus = rte_lcore_cpuset(rte_get_main_lcore());
	unsigned int cpu = 0;

	/* rte_lcore_to_cpu_id() counts physical cores, anew in each package. */
	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &cpus))
		cpu++;
	return cpu < CPU_SETSIZE ? (int)cpu : -1;
}

bool
output_place(int cpu, char *text, size_t bytes)
{
	struct nhn_topo topo;
	char governor[32];
	size_t length;
	bool known;

	if (nhn_topo_open(&topo, NULL) != 0) {
		snprintf(text, bytes, "core %d, of which nothing more is known", cpu);
		return false;
	}
	known = nhn_topo_text(&topo, &cpu, 1, text, bytes) == 0;
	nhn_topo_close(&topo);
	governor_read(cpu, governor, sizeof(governor));
	length = strlen(text);
	snprintf(text + length, bytes - length, ", governor %s", governor);
	return known;
}
