/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check_internal.h"

/* In the order of the manual. */
static const struct check_entry *const tables[] = {
	nhn_check_cores_table,	    nhn_check_kernel_table,    nhn_check_timing_table,
	nhn_check_interrupts_table, nhn_check_work_table,      nhn_check_taken_table,
	nhn_check_memory_table,	    nhn_check_hugepages_table, nhn_check_cache_table,
	nhn_check_idle_table,	    nhn_check_power_table,     nhn_check_clock_table,
	nhn_check_kvm_table,	    nhn_check_vcpus_table,     nhn_check_tuned_table,
	nhn_check_link_table,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct check_entry *
entry_at(unsigned int index)
{
	for (unsigned int i = 0; i < TABLES; i++)
		for (const struct check_entry *entry = tables[i]; entry->item.id != NULL; entry++)
			if (index-- == 0)
				return entry;
	return NULL;
}

unsigned int
nhn_check_count(void)
{
	unsigned int count = 0;

	while (entry_at(count) != NULL)
		count++;
	return count;
}

const struct nhn_check_item *
nhn_check_item_at(unsigned int index)
{
	const struct check_entry *entry = entry_at(index);

	return entry != NULL ? &entry->item : NULL;
}

int
nhn_check_find(const char *id)
{
	const struct check_entry *entry;

	for (unsigned int i = 0; (entry = entry_at(i)) != NULL; i++)
		if (strcmp(entry->item.id, id) == 0)
			return (int)i;
	return -ENOENT;
}

/* What a file or a thread's name brings in must not move a terminal's cursor. */
static void
make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int
nhn_check_run(struct nhn_check *check, unsigned int index, struct nhn_check_result *result)
{
	const struct check_entry *entry = entry_at(index);
	int rc;

	memset(result, 0, sizeof(*result));
	if (entry == NULL)
		return -EINVAL;
	result->id = entry->item.id;
	result->title = entry->item.title;
	result->why = entry->item.why;
	rc = entry->item.compares ? nhn_check_sample(check) : 0;
	if (rc == 0)
		rc = entry->run(check, result);
	/* A remedy for what is well, or is not known, would mislead. */
	if (result->status == NHN_CHECK_PASS || result->status == NHN_CHECK_SKIP) {
		result->remedy[0] = '\0';
		result->write_count = 0;
		result->write_more = false;
	}
	make_plain(result->found);
	make_plain(result->wanted);
	make_plain(result->remedy);
	return rc;
}

static int __attribute__((format(printf, 3, 4)))
refuse(const struct nhn_check_config *config, int error, const char *format, ...)
{
	char sentence[NHN_CHECK_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (config->log != NULL)
		config->log(config->log_context, sentence);
	return -error;
}

/* The first line of /proc/cpuinfo of that name; "": none. */
static void
cpuinfo_value(const char *cpuinfo, const char *name, char *value, size_t size)
{
	const size_t length = strlen(name);

	value[0] = '\0';
	for (const char *line = cpuinfo; *line != '\0';) {
		const size_t bytes = strcspn(line, "\n");

		if (strncmp(line, name, length) == 0 && strchr(" \t:", line[length]) != NULL) {
			const char *colon = memchr(line, ':', bytes);

			if (colon == NULL)
				return;
			colon++;
			colon += strspn(colon, " \t");
			if (colon > line + bytes)
				return;
			snprintf(value, size, "%.*s", (int)(line + bytes - colon), colon);
			return;
		}
		line += bytes;
		line += *line == '\n';
	}
}

/* x86 says it by a flag, others by what the hypervisor tells of itself. */
static void
find_role(struct nhn_check *check)
{
	char flags[8192] = "", *cpuinfo;
	struct nhn_check_machine *machine = &check->machine;

	if (nhn_check_read_all(check, &cpuinfo, "proc/cpuinfo") == 0) {
		cpuinfo_value(cpuinfo, "model name", machine->processor,
			      sizeof(machine->processor));
		cpuinfo_value(cpuinfo, "flags", flags, sizeof(flags));
		free(cpuinfo);
	}
	make_plain(machine->processor);
	machine->role = check->config.role;
	if (machine->role != NHN_CHECK_ROLE_UNKNOWN)
		return;
	if (strstr(flags, " hypervisor") != NULL ||
	    nhn_check_exists(check, "sys/hypervisor/type") ||
	    nhn_check_exists(check, "proc/device-tree/hypervisor"))
		machine->role = NHN_CHECK_ROLE_GUEST;
	else if (flags[0] != '\0')
		machine->role = NHN_CHECK_ROLE_HOST;
}

static void
find_isolation(struct nhn_check *check)
{
	struct check_cpus cpuset;

	nhn_check_read_cpus(check, &check->isolated, "sys/devices/system/cpu/isolated");
	/* Since 6.7 the root of cgroup v2 tells of isolated partitions. */
	if (nhn_check_read_cpus(check, &cpuset, "sys/fs/cgroup/cpuset.cpus.isolated") == 0)
		check->isolated = nhn_check_cpus_or(&check->isolated, &cpuset);
	nhn_check_read_cpus(check, &check->nohz_full, "sys/devices/system/cpu/nohz_full");
}

static bool
is_fake(const struct nhn_check *check)
{
	return check->config.root != NULL && strcmp(check->config.root, "/") != 0;
}

/* All that this process may use: of a fake machine, all that are online. */
static void
find_allowed(struct nhn_check *check)
{
	cpu_set_t sets[NHN_CHECK_CPUS_MAX / CPU_SETSIZE];
	struct check_cpus allowed = {0};

	check->cores = check->online;
	if (is_fake(check))
		return;
	if (sched_getaffinity(0, sizeof(sets), sets) != 0)
		return;
	for (unsigned int cpu = 0; cpu < NHN_CHECK_CPUS_MAX; cpu++)
		if (CPU_ISSET_S(cpu, sizeof(sets), sets))
			nhn_check_cpus_set(&allowed, cpu);
	if (!nhn_check_cpus_empty(&allowed))
		check->cores = allowed;
}

static int
find_cores(struct nhn_check *check)
{
	const struct nhn_check_config *config = &check->config;

	if (nhn_check_read_cpus(check, &check->online, "sys/devices/system/cpu/online") != 0 ||
	    nhn_check_cpus_empty(&check->online))
		nhn_check_read_cpus(check, &check->online, "sys/devices/system/cpu/present");
	find_isolation(check);
	if (config->cores != NULL) {
		check->machine.cores_from = "given";
		if (nhn_check_cpus_parse(config->cores, &check->online, &check->cores) != 0 ||
		    nhn_check_cpus_empty(&check->cores))
			return refuse(config, EINVAL,
				      "The cores '%.64s' are no list of CPUs below %d, expected one"
				      " such as 2-5,8.",
				      config->cores, NHN_CHECK_CPUS_MAX);
		return 0;
	}
	check->machine.cores_from = "isolated";
	check->cores = nhn_check_cpus_and(&check->isolated, &check->online);
	if (!nhn_check_cpus_empty(&check->cores))
		return 0;
	check->machine.cores_from = "allowed";
	find_allowed(check);
	if (!nhn_check_cpus_empty(&check->cores))
		return 0;
	return refuse(config, ENOENT,
		      "Nothing tells which cores there are below %.256s, and"
		      " sys/devices/system/cpu/online was expected; mount sysfs, or name the"
		      " cores.",
		      config->root != NULL ? config->root : "/");
}

static int
begin(struct nhn_check *check)
{
	struct nhn_check_machine *machine = &check->machine;
	const char *root = check->config.root;
	struct stat st;
	int rc;

	if (root != NULL && (stat(root, &st) != 0 || !S_ISDIR(st.st_mode)))
		return refuse(&check->config, ENOENT,
			      "The root %.512s is no folder, expected one with proc and sys in it.",
			      root);
	check->second = is_fake(check) && nhn_check_exists(check, "after") ? "after/" : "";
	rc = nhn_check_read_all(check, &check->cmdline, "proc/cmdline");
	if (rc != 0)
		check->cmdline = strdup("");
	if (check->cmdline == NULL)
		return -ENOMEM;
	rc = find_cores(check);
	if (rc != 0)
		return rc;
	find_role(check);
	if (nhn_check_read_line(check, machine->kernel, sizeof(machine->kernel),
				"proc/sys/kernel/osrelease") != 0)
		machine->kernel[0] = '\0';
	nhn_check_cpus_text(&check->cores, machine->cores, sizeof(machine->cores));
	nhn_check_cpus_text(&check->online, machine->online, sizeof(machine->online));
	nhn_check_cpus_text(&check->isolated, machine->isolated, sizeof(machine->isolated));
	nhn_check_cpus_text(&check->nohz_full, machine->nohz_full, sizeof(machine->nohz_full));
	return 0;
}

int
nhn_check_open(struct nhn_check **check, const struct nhn_check_config *config)
{
	struct nhn_check *made = calloc(1, sizeof(*made));
	int rc;

	*check = NULL;
	if (made == NULL)
		return -ENOMEM;
	if (config != NULL)
		made->config = *config;
	rc = begin(made);
	if (rc != 0) {
		nhn_check_close(made);
		return rc;
	}
	*check = made;
	return 0;
}

void
nhn_check_close(struct nhn_check *check)
{
	if (check == NULL)
		return;
	nhn_check_sample_free(&check->before);
	nhn_check_sample_free(&check->after);
	free(check->cmdline);
	free(check);
}

const struct nhn_check_machine *
nhn_check_machine_of(const struct nhn_check *check)
{
	return &check->machine;
}

const char *
nhn_check_status_name(enum nhn_check_status status)
{
	static const char *const names[] = {"pass", "warn", "fail", "skip"};

	return (unsigned int)status < 4 ? names[status] : "unknown";
}

const char *
nhn_check_role_name(enum nhn_check_role role)
{
	return role == NHN_CHECK_ROLE_HOST    ? "host"
	       : role == NHN_CHECK_ROLE_GUEST ? "guest"
					      : "unknown";
}
