/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CHECK_RIG_H
#define CHECK_RIG_H

/*
 * A folder that stands for a machine on which all is well: eight cores, two nodes, cores 2
 * and 3 ours, a guest's vCPUs on 6 and 7. Tests spoil it.
 */

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "nhn_check.h"

/** A file and its text; NULL: none. Paths "thread", "mode" and "node" are orders: see rig_edit().
 */
struct rig_edit {
	const char *path;
	const char *text;
};

struct check_rig {
	char root[64];
	char said[NHN_CHECK_TEXT_MAX];
	struct nhn_check_config config;
	struct nhn_check_bar bar;
	const char *files[2];
	struct nhn_check_result result;
};

#define RIG_FILE "/dev/shm/nahanni"

static const struct rig_edit rig_well[] = {
	{"proc/cmdline", "root=/dev/vda isolcpus=domain,managed_irq,2-7 nohz_full=2-7 quiet\n"},
	{"proc/cpuinfo", "processor\t: 0\nmodel name\t: Test 9000\n"
			 "flags\t\t: fpu tsc constant_tsc nonstop_tsc cat_l3 last\n\n"},
	{"proc/sys/kernel/osrelease", "6.1.0-test\n"},
	{"proc/sys/kernel/version", "#1 SMP PREEMPT_RT Debian 6.1\n"},
	{"proc/sys/kernel/sched_rt_runtime_us", "-1\n"},
	{"proc/sys/kernel/sched_rt_period_us", "1000000\n"},
	{"proc/sys/kernel/timer_migration", "0\n"},
	{"proc/sys/kernel/nmi_watchdog", "0\n"},
	{"proc/sys/kernel/soft_watchdog", "0\n"},
	{"proc/sys/kernel/watchdog_cpumask", "0-7\n"},
	{"proc/sys/kernel/numa_balancing", "0\n"},
	{"proc/sys/vm/stat_interval", "10\n"},
	{"proc/irq/default_smp_affinity", "03\n"},
	{"proc/irq/42/smp_affinity_list", "0-1\n"},
	{"proc/irq/42/effective_affinity_list", "0\n"},
	{"sys/devices/system/cpu/online", "0-7\n"},
	{"sys/devices/system/cpu/isolated", "2-7\n"},
	{"sys/devices/system/cpu/nohz_full", "2-7\n"},
	{"sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n"},
	{"sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2\n"},
	{"sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3\n"},
	{"sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n"},
	{"sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n"},
	{"sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"},
	{"sys/devices/system/cpu/cpu2/cpuidle/state0/latency", "0\n"},
	{"sys/devices/system/cpu/cpu2/cpuidle/state0/name", "POLL\n"},
	{"sys/devices/system/cpu/cpu2/cpuidle/state0/disable", "0\n"},
	{"sys/devices/system/cpu/cpu2/cpuidle/state1/latency", "133\n"},
	{"sys/devices/system/cpu/cpu2/cpuidle/state1/name", "C6\n"},
	{"sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "1\n"},
	{"sys/devices/system/node/online", "0-1\n"},
	{"sys/devices/system/node/node0/cpulist", "0-3\n"},
	{"sys/devices/system/node/node1/cpulist", "4-7\n"},
	{"sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "512\n"},
	{"sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages", "500\n"},
	{"sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "0\n"},
	{"sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "0\n"},
	{"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
	{"sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet\n"},
	{"sys/devices/system/machinecheck/machinecheck2/check_interval", "0\n"},
	{"sys/devices/virtual/workqueue/cpumask", "03\n"},
	{"sys/devices/virtual/workqueue/writeback/cpumask", "00000000,00000003\n"},
	{"sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"},
	{"sys/kernel/mm/ksm/run", "0\n"},
	{"sys/kernel/mm/ksm/pages_sharing", "0\n"},
	{"sys/fs/resctrl/schemata", "    MB:0=100;1=100\n    L3:0=00f;1=00f\n"},
	{"sys/fs/resctrl/cpus_list", "0-1\n"},
	{"sys/fs/resctrl/nahanni/schemata", "L3:0=ff0;1=ff0\nMB:0=100;1=100\n"},
	{"sys/fs/resctrl/nahanni/cpus_list", "2-7\n"},
	{"sys/module/kvm_intel/parameters/ept", "Y\n"},
	{"sys/module/kvm_intel/parameters/ple_gap", "0\n"},
	{"sys/module/kvm/parameters/kvmclock_periodic_sync", "N\n"},
	{"sys/module/kvm/parameters/nx_huge_pages", "Y\n"},
	{"sys/module/kvm/parameters/nx_huge_pages_recovery_ratio", "0\n"},
	{"etc/tuned/active_profile", "realtime-virtual-host\n"},
	{"etc/tuned/realtime-virtual-host-variables.conf", "isolated_cores=2-7\n"},
	{"usr/lib/tuned/realtime-virtual-host/tuned.conf",
	 "[main]\ninclude=realtime\n[scheduler]\nisolated_cores=${isolated_cores}\n"
	 "ps_blacklist = .*pmd.*;^rte-worker-;^dpdk-worker\n"},
	{"usr/lib/tuned/realtime/tuned.conf", "[cpu]\ngovernor=performance\n"},
	{"proc/interrupts", "      CPU0 CPU2 CPU3 CPU6\n"
			    " 42:    9    1    1    0  PCI-MSI 5-edge  nvme0q1\n"
			    "LOC: 5000    7    7    0  Local timer interrupts\n"
			    "ERR:    0\n"},
	{"after/proc/interrupts", "      CPU0 CPU2 CPU3 CPU6\n"
				  " 42:  900    1    1    0  PCI-MSI 5-edge  nvme0q1\n"
				  "LOC: 6000    8    8    0  Local timer interrupts\n"
				  "ERR:    0\n"},
	{"proc/stat", "cpu  1 1 1 1 1 1 1 1 1 1\ncpu2 100 0 0 99900 0 0 0 1 0 0\n"
		      "cpu3 100 0 0 99900 0 0 0 0 0 0\n"},
	{"after/proc/stat", "cpu  1 1 1 1 1 1 1 1 1 1\ncpu2 100 0 0 99999 0 0 0 1 0 0\n"
			    "cpu3 100 0 0 99999 0 0 0 0 0 0\n"},
	{"thread", "20 20 kworker/2:1 kernel 2 2 10 0 10 0"},
	{"thread", "21 21 kworker/u16:0 kernel 0-1 0 10 0 99 0"},
	{"thread", "700 700 nahanni-worker user 0-1 0 10 3 20 9"},
	{"thread", "700 702 rte-worker-2 user 2 2 10 3 12 3"},
	{"thread", "900 900 qemu-system-x86 user 0-1 1 10 3 20 9"},
	{"thread", "900 901 CPU_0/KVM user 6 6 10 3 10 3"},
	{"thread", "900 902 CPU_1/KVM user 7 7 10 3 10 3"},
	{"mode", "0600"},
	{NULL, NULL},
};

static inline void
rig_path(const struct check_rig *rig, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", rig->root, name);
}

/* A file below the rig's root, with its folders; without a text it is removed. */
static inline void
rig_write_bytes(const struct check_rig *rig, const char *name, const void *bytes, size_t length)
{
	char path[PATH_MAX];
	FILE *file;

	rig_path(rig, name, path);
	for (char *slash = path + strlen(rig->root) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static inline int
rig_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

/* With all that is in it; it may be gone already. */
static inline void
rig_remove(const struct check_rig *rig, const char *name)
{
	char path[PATH_MAX];

	rig_path(rig, name, path);
	if (nftw(path, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		assert_int_equal(errno, ENOENT);
}

static inline void
rig_write(const struct check_rig *rig, const char *name, const char *text)
{
	if (text == NULL)
		rig_remove(rig, name);
	else
		rig_write_bytes(rig, name, text, strlen(text));
}

static inline void
rig_thread_at(const struct check_rig *rig, const char *proc, int pid, int tid, const char *name,
	      unsigned int flags, const char *affinity, int cpu, int voluntary, int involuntary)
{
	char path[128], text[512];

	snprintf(path, sizeof(path), "%s/%d/task/%d/status", proc, pid, tid);
	snprintf(text, sizeof(text),
		 "Name:\t%s\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\n"
		 "voluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n",
		 name, affinity, voluntary, involuntary);
	rig_write(rig, path, text);
	snprintf(path, sizeof(path), "%s/%d/task/%d/stat", proc, pid, tid);
	snprintf(text, sizeof(text),
		 "%d (%s) S 1 1 0 0 -1 %u 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
		 " 17 %d 0 0\n",
		 tid, name, flags, cpu);
	rig_write(rig, path, text);
}

/* "PID TID NAME kernel|user AFFINITY CPU", switches before, and after; _ in NAME: a blank. */
static inline void
rig_thread(const struct check_rig *rig, const char *order)
{
	char name[32], kind[16], affinity[32];
	int pid, tid, cpu, before[2], after[2];
	unsigned int flags;

	assert_int_equal(sscanf(order, "%d %d %31s %15s %31s %d %d %d %d %d", &pid, &tid, name,
				kind, affinity, &cpu, &before[0], &before[1], &after[0], &after[1]),
			 10);
	for (char *blank = name; (blank = strchr(blank, '_')) != NULL;)
		*blank = ' ';
	flags = strcmp(kind, "kernel") == 0 ? 0x00200040 : 0x00400040;
	rig_thread_at(rig, "proc", pid, tid, name, flags, affinity, cpu, before[0], before[1]);
	rig_thread_at(rig, "after/proc", pid, tid, name, flags, affinity, cpu, after[0], after[1]);
}

/* The link's file, of 1 MiB and this mode. */
static inline void
rig_mode(const struct check_rig *rig, const char *mode)
{
	char path[PATH_MAX];

	rig_write(rig, RIG_FILE, "");
	rig_path(rig, RIG_FILE, path);
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_int_equal(chmod(path, (mode_t)strtoul(mode, NULL, 8)), 0);
}

/*
 * "MODE USER BUS": the link's file is a device of this bus, by what sysfs says. False: a
 * node cannot be made here.
 */
static inline bool
rig_node(const struct check_rig *rig, const char *order)
{
	char path[PATH_MAX], link[PATH_MAX], bus[16], target[32];
	unsigned int mode, user;

	assert_int_equal(sscanf(order, "%o %u %15s", &mode, &user, bus), 3);
	rig_remove(rig, RIG_FILE);
	rig_path(rig, RIG_FILE, path);
	if (mknod(path, S_IFCHR, makedev(252, 0)) != 0)
		return false;
	assert_int_equal(chmod(path, (mode_t)mode), 0);
	assert_int_equal(chown(path, user, 0), 0);
	rig_write(rig, "sys/dev/char/252:0/size", "1048576\n");
	rig_path(rig, "sys/dev/char/252:0/subsystem", link);
	snprintf(target, sizeof(target), "../../../bus/%s", bus);
	assert_int_equal(symlink(target, link), 0);
	return true;
}

static inline void
rig_edit(const struct check_rig *rig, const struct rig_edit *edit)
{
	if (strcmp(edit->path, "thread") == 0)
		rig_thread(rig, edit->text);
	else if (strcmp(edit->path, "mode") == 0)
		rig_mode(rig, edit->text);
	else if (strcmp(edit->path, "node") == 0)
		assert_true(rig_node(rig, edit->text));
	else
		rig_write(rig, edit->path, edit->text);
}

static inline void
rig_hear(void *context, const char *sentence)
{
	struct check_rig *rig = context;

	snprintf(rig->said, sizeof(rig->said), "%s", sentence);
}

/* All is well again. */
static inline void
rig_mend(struct check_rig *rig)
{
	static const uint32_t latency = 0;

	rig_remove(rig, "");
	assert_int_equal(mkdir(rig->root, 0700), 0);
	for (const struct rig_edit *edit = rig_well; edit->path != NULL; edit++)
		rig_edit(rig, edit);
	rig_write_bytes(rig, "dev/cpu_dma_latency", &latency, sizeof(latency));
	rig->files[0] = RIG_FILE;
	rig->bar = (struct nhn_check_bar){.name = "0000:00:03.0", .load_ns = 1.6};
	rig->config = (struct nhn_check_config){
		.root = rig->root,
		.cores = "2-3",
		.files = rig->files,
		.file_count = 1,
		.bars = &rig->bar,
		.bar_count = 1,
		.log = rig_hear,
		.log_context = rig,
	};
}

static inline int
rig_setup(void **state)
{
	struct check_rig *rig = calloc(1, sizeof(*rig));

	if (rig == NULL)
		return -1;
	*state = rig;
	/* Thousands of small files: faster without a disk. */
	snprintf(rig->root, sizeof(rig->root), "/dev/shm/nahanni-check-XXXXXX");
	if (mkdtemp(rig->root) == NULL) {
		snprintf(rig->root, sizeof(rig->root), "/tmp/nahanni-check-XXXXXX");
		if (mkdtemp(rig->root) == NULL)
			return -1;
	}
	rig_mend(rig);
	return 0;
}

static inline int
rig_teardown(void **state)
{
	rig_remove(*state, "");
	free(*state);
	return 0;
}

/* Open anew and run one check. */
static inline const struct nhn_check_result *
rig_run(struct check_rig *rig, const char *id)
{
	const int index = nhn_check_find(id);
	struct nhn_check *check;

	assert_true(index >= 0);
	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	assert_int_equal(nhn_check_run(check, (unsigned int)index, &rig->result), 0);
	nhn_check_close(check);
	return &rig->result;
}

#endif /* CHECK_RIG_H */
