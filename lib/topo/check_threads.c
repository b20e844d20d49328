/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

/* A machine with more has other worries; it bounds the time that a look takes. */
#define THREADS_MAX 65536
#define PF_KTHREAD 0x00200000u
/* /proc/PID/stat, counted from 1 as proc(5) does. */
#define STAT_FLAGS 9
#define STAT_PROCESSOR 39

static int
is_number(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]);
}

/* The value of a line of /proc/PID/status, or NULL. */
static const char *
status_value(const char *status, const char *name)
{
	const size_t length = strlen(name);

	for (const char *line = status; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1;
	}
	return NULL;
}

static void
status_text(const char *status, const char *name, char *text, size_t size)
{
	const char *value = status_value(status, name);
	size_t length;

	text[0] = '\0';
	if (value == NULL)
		return;
	value += strspn(value, " \t");
	length = strcspn(value, "\n");
	if (length >= size)
		length = size - 1;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)(isprint((unsigned char)value[i]) ? value[i] : '?');
	text[length] = '\0';
}

static bool
status_number(const char *status, const char *name, uint64_t *number)
{
	const char *value = status_value(status, name);
	char *end;

	*number = 0;
	if (value == NULL)
		return false;
	*number = strtoull(value, &end, 10);
	return end != value;
}

static void
note_affinity(const char *status, struct check_thread *thread)
{
	const char *value = status_value(status, "Cpus_allowed_list");
	char *list;

	if (value == NULL)
		return;
	list = strndup(value, strcspn(value, "\n"));
	if (list == NULL || nhn_check_cpus_parse(list, NULL, &thread->affinity) != 0)
		memset(&thread->affinity, 0, sizeof(thread->affinity));
	free(list);
}

/* Its name is in parentheses, and may hold some: what follows the last one counts. */
static void
note_stat(const char *stat, struct check_thread *thread)
{
	const char *word = strrchr(stat, ')');
	unsigned long flags = 0;

	thread->last_cpu = -1;
	if (word == NULL)
		return;
	word++;
	for (unsigned int field = 3; *word != '\0'; field++) {
		word += strspn(word, " ");
		if (field == STAT_FLAGS)
			flags = strtoul(word, NULL, 10);
		else if (field == STAT_PROCESSOR && isdigit((unsigned char)*word))
			thread->last_cpu = (int)strtol(word, NULL, 10);
		word += strcspn(word, " ");
	}
	thread->kernel = (flags & PF_KTHREAD) != 0;
}

/* False: it is gone, or hidden. */
static bool
read_thread(const struct nhn_check *check, const char *proc, int pid, int tid,
	    struct check_thread *thread)
{
	char *status, *stat;
	uint64_t voluntary;
	bool known;

	memset(thread, 0, sizeof(*thread));
	thread->pid = pid;
	thread->tid = tid;
	if (nhn_check_read_all(check, &status, "%s/%d/task/%d/status", proc, pid, tid) != 0)
		return false;
	status_text(status, "Name", thread->name, sizeof(thread->name));
	note_affinity(status, thread);
	known = status_number(status, "voluntary_ctxt_switches", &voluntary);
	thread->interrupted =
		status_number(status, "nonvoluntary_ctxt_switches", &thread->involuntary) && known;
	thread->switches = voluntary + thread->involuntary;
	free(status);
	if (nhn_check_read_all(check, &stat, "%s/%d/task/%d/stat", proc, pid, tid) != 0)
		return false;
	note_stat(stat, thread);
	free(stat);
	return true;
}

static int
room_for_one(struct check_moment *moment)
{
	const unsigned int count = moment->thread_count;
	struct check_thread *larger;

	/* Room doubles at each power of two. */
	if ((count & (count - 1)) != 0 || (count != 0 && count < 64))
		return 0;
	larger =
		reallocarray(moment->threads, count < 64 ? 64 : 2 * (size_t)count, sizeof(*larger));
	if (larger == NULL)
		return -ENOMEM;
	moment->threads = larger;
	return 0;
}

static int
read_process(const struct nhn_check *check, const char *proc, int pid, struct check_moment *moment)
{
	const unsigned int first = moment->thread_count;
	char path[64], full[CHECK_PATH_MAX];
	struct dirent **tasks;
	char name[32] = "";
	int count, rc = 0;

	snprintf(path, sizeof(path), "%s/%d/task", proc, pid);
	if (!nhn_check_path(check, full, sizeof(full), path))
		return 0;
	count = scandir(full, &tasks, is_number, versionsort);
	for (int i = 0; i < count; i++) {
		struct check_thread *thread;
		const int tid = atoi(tasks[i]->d_name);

		free(tasks[i]);
		if (rc == 0)
			rc = room_for_one(moment);
		if (rc != 0 || moment->thread_count >= THREADS_MAX)
			continue;
		thread = &moment->threads[moment->thread_count];
		if (!read_thread(check, proc, pid, tid, thread))
			continue;
		moment->thread_count++;
		if (tid == pid)
			snprintf(name, sizeof(name), "%s", thread->name);
	}
	if (count >= 0)
		free(tasks);
	for (unsigned int i = first; i < moment->thread_count; i++)
		snprintf(moment->threads[i].process, sizeof(name), "%s", name);
	return rc;
}

int
nhn_check_threads_read(const struct nhn_check *check, const char *proc, struct check_moment *moment)
{
	char full[CHECK_PATH_MAX];
	struct dirent **processes;
	int count, rc = 0;

	if (!nhn_check_path(check, full, sizeof(full), proc))
		return 0;
	count = scandir(full, &processes, is_number, versionsort);
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = read_process(check, proc, atoi(processes[i]->d_name), moment);
		free(processes[i]);
	}
	if (count >= 0)
		free(processes);
	return rc;
}

const struct check_thread *
nhn_check_thread_before(const struct nhn_check *check, const struct check_thread *thread)
{
	const struct check_moment *before = &check->before;

	for (unsigned int i = 0; i < before->thread_count; i++)
		if (before->threads[i].tid == thread->tid && before->threads[i].pid == thread->pid)
			return &before->threads[i];
	return NULL;
}

bool
nhn_check_thread_qemu(const struct check_thread *thread)
{
	return !thread->kernel &&
	       (strncmp(thread->process, "qemu-", 5) == 0 ||
		strncmp(thread->process, "CPU ", 4) == 0 || strcmp(thread->process, "kvm") == 0 ||
		strcmp(thread->process, "qemu") == 0);
}

/* "CPU 0/KVM", "CPU 1/TCG", "ALL CPUs/TCG". */
bool
nhn_check_thread_vcpu(const struct check_thread *thread)
{
	const char *slash = strchr(thread->name, '/');

	return nhn_check_thread_qemu(thread) && slash != NULL &&
	       (strncmp(thread->name, "CPU ", 4) == 0 ||
		strncmp(thread->name, "ALL CPUs", 8) == 0) &&
	       (strcmp(slash, "/KVM") == 0 || strcmp(slash, "/TCG") == 0);
}
