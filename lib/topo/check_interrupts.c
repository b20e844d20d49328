/* SPDX-License-Identifier: BSD-3-Clause */

/* Interrupts that came to the cores in use between two moments. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

/* Rows kept: those that came most often. */
#define ROWS_MAX 64
/* Named in a sentence. */
#define NAMED_MAX 4
/* A tickless core has one tick a second at most; every tick comes 100 times or more. */
#define LOCAL_WARN_HZ 2
#define LOCAL_FAIL_HZ 50

/* A line of /proc/interrupts, as far as our cores go. */
struct row {
	char name[16];
	char what[40];
	uint64_t came; /* between the moments, to all of our cores */
	uint64_t most; /* to the one that got most */
	int most_cpu;
};

struct rows {
	struct row row[ROWS_MAX]; /* most often first */
	unsigned int count;
	unsigned int numbers; /* lines of devices at all */
};

/* Columns of the table: which CPU each is of. */
struct columns {
	unsigned int count;
	uint16_t cpu[NHN_CHECK_CPUS_MAX];
};

static const char *
next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

static int
columns_parse(const char *text, struct columns *columns)
{
	const char *end = text + strcspn(text, "\n");

	columns->count = 0;
	for (const char *word = text; word < end;) {
		char *after;
		unsigned long cpu;

		word += strspn(word, " \t");
		if (word >= end)
			break;
		if (strncmp(word, "CPU", 3) != 0 || !isdigit((unsigned char)word[3]))
			return -EINVAL;
		cpu = strtoul(word + 3, &after, 10);
		if (cpu >= NHN_CHECK_CPUS_MAX || columns->count == NHN_CHECK_CPUS_MAX)
			return -EINVAL;
		columns->cpu[columns->count++] = (uint16_t)cpu;
		word = after;
	}
	return columns->count > 0 ? 0 : -EINVAL;
}

/* The name of a line: false when it has none, or one that is too long. */
static bool
name_take(const char *line, char *name, size_t size)
{
	const char *end = line + strcspn(line, ":\n");
	size_t length;

	line += strspn(line, " \t");
	length = end > line ? (size_t)(end - line) : 0;
	if (*end != ':' || length == 0 || length >= size)
		return false;
	memcpy(name, line, length);
	name[length] = '\0';
	return true;
}

/* The counts of a line. NULL: fewer than columns, as ERR and MIS have; else what follows. */
static const char *
counts_take(const char *line, const struct columns *columns, uint64_t *counts)
{
	const char *word = strchr(line, ':') + 1;

	for (unsigned int i = 0; i < columns->count; i++) {
		char *end;

		word += strspn(word, " \t");
		if (!isdigit((unsigned char)*word))
			return NULL;
		counts[i] = strtoull(word, &end, 10);
		word = end;
	}
	return word;
}

/* The line of that name, or NULL. The same place is tried first: tables seldom change. */
static const char *
line_find(const char *text, const char *name, const char **guess)
{
	char other[16];

	if (**guess != '\0' && name_take(*guess, other, sizeof(other)) &&
	    strcmp(other, name) == 0) {
		const char *found = *guess;

		*guess = next_line(found);
		return found;
	}
	for (const char *line = next_line(text); *line != '\0'; line = next_line(line))
		if (name_take(line, other, sizeof(other)) && strcmp(other, name) == 0) {
			*guess = next_line(line);
			return line;
		}
	return NULL;
}

/* With single blanks; of a long one the last words, which name the device. */
static void
what_take(const char *text, char *what, size_t size)
{
	char all[256];
	size_t used = 0, skip;

	for (text += strspn(text, " \t"); *text != '\n' && *text != '\0'; text++) {
		const bool blank = *text == ' ' || *text == '\t';

		if (used + 1 < sizeof(all) && !(blank && (used == 0 || all[used - 1] == ' ')))
			all[used++] = (char)(blank ? ' ' : *text);
	}
	all[used] = '\0';
	for (skip = 0; used - skip >= size;) {
		const char *blank = strchr(all + skip, ' ');

		skip = blank != NULL ? (size_t)(blank - all) + 1 : used - size + 1;
	}
	snprintf(what, size, "%s", all + skip);
}

static void
rows_keep(struct rows *rows, const struct row *row)
{
	unsigned int place = rows->count;

	while (place > 0 && rows->row[place - 1].most < row->most)
		place--;
	if (place == ROWS_MAX)
		return;
	if (rows->count < ROWS_MAX)
		rows->count++;
	memmove(&rows->row[place + 1], &rows->row[place], (rows->count - 1 - place) * sizeof(*row));
	rows->row[place] = *row;
}

/* What came to our cores, by columns. A count that went back began anew. */
static void
row_count(const struct nhn_check *check, const struct columns *columns, const uint64_t *before,
	  const uint64_t *after, struct row *row)
{
	for (unsigned int i = 0; i < columns->count; i++) {
		const uint64_t came = after[i] >= before[i] ? after[i] - before[i] : after[i];

		if (!nhn_check_cpus_has(&check->cores, columns->cpu[i]))
			continue;
		row->came += came;
		if (came > row->most) {
			row->most = came;
			row->most_cpu = columns->cpu[i];
		}
	}
}

static void
rows_fill(const struct nhn_check *check, const struct columns *columns, uint64_t *counts,
	  struct rows *rows)
{
	const char *text = check->before.interrupts, *guess = next_line(text);
	uint64_t *before = counts, *after = counts + columns->count;

	for (const char *line = next_line(check->after.interrupts); *line != '\0';
	     line = next_line(line)) {
		struct row row = {.came = 0};
		const char *rest, *old;

		if (!name_take(line, row.name, sizeof(row.name)))
			continue;
		rest = counts_take(line, columns, after);
		if (rest == NULL)
			continue;
		rows->numbers += isdigit((unsigned char)row.name[0]) != 0;
		old = line_find(text, row.name, &guess);
		if (old == NULL || counts_take(old, columns, before) == NULL)
			memset(before, 0, columns->count * sizeof(*before));
		row_count(check, columns, before, after, &row);
		if (row.came == 0)
			continue;
		what_take(rest, row.what, sizeof(row.what));
		rows_keep(rows, &row);
	}
}

/* 0; -EINVAL: not of this form; -EAGAIN: CPUs came or went; -ENOMEM; or of reading. */
static int
rows_read(const struct nhn_check *check, struct rows *rows)
{
	struct columns columns, now;
	uint64_t *counts;

	memset(rows, 0, sizeof(*rows));
	if (check->before.interrupts_rc != 0)
		return check->before.interrupts_rc;
	if (check->after.interrupts_rc != 0)
		return check->after.interrupts_rc;
	if (columns_parse(check->before.interrupts, &columns) != 0 ||
	    columns_parse(check->after.interrupts, &now) != 0)
		return -EINVAL;
	if (columns.count != now.count ||
	    memcmp(columns.cpu, now.cpu, columns.count * sizeof(columns.cpu[0])) != 0)
		return -EAGAIN;
	counts = calloc(2 * (size_t)columns.count, sizeof(*counts));
	if (counts == NULL)
		return -ENOMEM;
	rows_fill(check, &columns, counts, rows);
	free(counts);
	return 0;
}

static int
skip_rows(struct nhn_check_result *result, int error)
{
	if (error == -ENOMEM)
		return error;
	if (error == -EAGAIN)
		return nhn_check_skip(result, "CPUs came or went while it was looked at");
	return nhn_check_skip_file(result, "/proc/interrupts", error);
}

static bool
is_device(const struct row *row)
{
	return isdigit((unsigned char)row->name[0]) != 0;
}

/* Those that may come to our cores, though none came: the effective affinity counts. */
static int
judge_affinity(const struct nhn_check *check, struct nhn_check_result *result, const char *others)
{
	char list[NHN_CHECK_TEXT_MAX] = "", name[16];
	unsigned int may = 0;

	for (const char *line = next_line(check->after.interrupts); *line != '\0';
	     line = next_line(line)) {
		struct check_cpus set;

		if (!name_take(line, name, sizeof(name)) || !isdigit((unsigned char)name[0]))
			continue;
		if (nhn_check_read_cpus(check, &set, "proc/irq/%s/effective_affinity_list", name) !=
			    0 ||
		    nhn_check_cpus_empty(&set))
			nhn_check_read_cpus(check, &set, "proc/irq/%s/smp_affinity_list", name);
		if (!nhn_check_cpus_meet(&set, &check->cores))
			continue;
		if (may++ < 2 * NAMED_MAX)
			CHECK_ADD(list, "%s%s", may > 1 ? ", " : "", name);
		if (others != NULL)
			nhn_check_note_write(result, others, "/proc/irq/%s/smp_affinity_list",
					     name);
	}
	if (may == 0)
		return nhn_check_pass(result, "none came in %.1f s, and none may", check->seconds);
	if (others != NULL)
		nhn_check_remedy(result,
				 "for each of them: echo %s > /proc/irq/N/smp_affinity_list",
				 others);
	return nhn_check_warn(result, "none came in %.1f s, but %u may: %s%s", check->seconds, may,
			      list, may > 2 * NAMED_MAX ? " ..." : "");
}

/* Those that came. How many, the worst ones of them in `list`. */
static unsigned int
judge_rows(const struct rows *rows, struct nhn_check_result *result, const char *others, char *list)
{
	unsigned int came = 0;

	for (unsigned int i = 0; i < rows->count; i++) {
		const struct row *row = &rows->row[i];

		if (!is_device(row))
			continue;
		if (came++ < NAMED_MAX)
			nhn_check_add(list, NHN_CHECK_TEXT_MAX, "%s%s (%s) %llu times on %d",
				      came > 1 ? ", " : "", row->name, row->what,
				      (unsigned long long)row->most, row->most_cpu);
		if (others == NULL)
			continue;
		if (came == 1)
			nhn_check_remedy(result, "echo %s > /proc/irq/%s/smp_affinity_list", others,
					 row->name);
		nhn_check_note_write(result, others, "/proc/irq/%s/smp_affinity_list", row->name);
	}
	if (others != NULL && came > 1)
		CHECK_ADD(result->remedy, ", and so for %u more", came - 1);
	return came;
}

static int
check_irqs(struct nhn_check *check, struct nhn_check_result *result)
{
	char list[NHN_CHECK_TEXT_MAX] = "";
	struct check_cpus elsewhere;
	struct check_list others;
	const char *to = NULL;
	unsigned int came;
	struct rows rows;
	int rc = rows_read(check, &rows);

	nhn_check_want(result, "none on %s", check->machine.cores);
	if (rc != 0)
		return skip_rows(result, rc);
	if (nhn_check_others(check, result, &elsewhere)) {
		others = nhn_check_cpus_list(&elsewhere);
		to = others.text;
	}
	came = judge_rows(&rows, result, to, list);
	if (came == 0)
		return judge_affinity(check, result, to);
	return nhn_check_fail(result, "in %.1f s: %s%s", check->seconds, list,
			      came > NAMED_MAX ? " ..." : "");
}

/* What a line that is none of a device's calls for. */
static const char *
local_remedy(const char *name)
{
	static const struct {
		const char *name, *remedy;
	} remedies[] = {
		{"LOC", "kernel parameter nohz_full= with these cores, and one thread on each"},
		{"RES", "taskset -cp CORE TID: nothing but one thread on each of these cores"},
		{"CAL", "mlockall() in the programs on these cores, and no munmap() in their other"
			" threads; sysctl -w vm.stat_interval=10"},
		{"TLB", "mlockall() in the programs on these cores, and no munmap() in their other"
			" threads"},
		{"NMI", "sysctl -w kernel.nmi_watchdog=0; end perf"},
		{"PMI", "sysctl -w kernel.nmi_watchdog=0; end perf"},
		{"MCP", "echo 0 > /sys/devices/system/machinecheck/machinecheck0/check_interval"},
		{"IWI", "kernel parameter rcu_nocbs= with these cores"},
	};

	for (unsigned int i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strcmp(remedies[i].name, name) == 0)
			return remedies[i].remedy;
	return "perf trace -C CORE -e 'irq_vectors:*' tells who sends it";
}

static int
check_local_interrupts(struct nhn_check *check, struct nhn_check_result *result)
{
	char list[NHN_CHECK_TEXT_MAX] = "";
	unsigned int named = 0;
	double worst = 0;
	struct rows rows;
	int rc = rows_read(check, &rows);

	nhn_check_want(result, "each at most %d times a second and core", LOCAL_WARN_HZ);
	if (rc != 0)
		return skip_rows(result, rc);
	for (unsigned int i = 0; i < rows.count; i++) {
		const struct row *row = &rows.row[i];
		const double rate = (double)row->most / check->seconds;

		if (is_device(row) || rate <= LOCAL_WARN_HZ)
			continue;
		if (named++ == 0) {
			worst = rate;
			nhn_check_remedy(result, "%s", local_remedy(row->name));
		}
		if (named <= NAMED_MAX)
			CHECK_ADD(list, "%s%s (%s) %.0f a second on %d", named > 1 ? ", " : "",
				  row->name, row->what, rate, row->most_cpu);
	}
	if (named == 0)
		return nhn_check_pass(result, "none came more often");
	return worst >= LOCAL_FAIL_HZ ? nhn_check_fail(result, "%s", list)
				      : nhn_check_warn(result, "%s", list);
}

const struct check_entry nhn_check_interrupts_table[] = {
	{{"irqs", "devices interrupt other cores",
	  "An interrupt of a device takes the core for its handler and all that it wakes:"
	  " microseconds to milliseconds.",
	  true},
	 check_irqs},
	{{"local-interrupts", "timers and other cores leave them alone",
	  "Ticks, and calls that other cores send, each take the core for microseconds.", true},
	 check_local_interrupts},
	{{NULL, NULL, NULL, false}, NULL},
};
