/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <nhn_interrupts.h>

static struct nhn_interrupts before, after;
static struct nhn_interrupt grown[NHN_INTERRUPTS_LINES];

static int
open_bytes(const char *bytes, size_t length)
{
	const int fd = memfd_create("interrupts", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	return fd;
}

static int
read_text(const char *text, int cpu, struct nhn_interrupts *table)
{
	const int fd = open_bytes(text, strlen(text));
	const int ret = nhn_interrupts_read(fd, cpu, table);

	close(fd);
	return ret;
}

static void
assert_line(const struct nhn_interrupts *table, uint32_t at, const char *name, const char *what,
	    uint64_t count)
{
	assert_true(at < table->lines);
	assert_string_equal(table->line[at].name, name);
	assert_string_equal(table->line[at].what, what);
	assert_int_equal(table->line[at].count, count);
}

static const char x86[] =
	"            CPU0       CPU1       CPU3       \n"
	"   0:         36          0          5   IO-APIC    2-edge      timer\n"
	"  36:          0      92378         17   PCI-MSIX-0000:00:02.0   1-edge      "
	"virtio1-req.0\n"
	"  40:          1          2          3   IR-PCI-MSI 524288-edge      nvme0q0, eth 0\n"
	" LOC:   51565056   51704462   18446744073709551615   Local timer interrupts\n"
	" ERR:          0\n"
	" MIS:          7\n"
	" PIN:          0          0          9   Posted-interrupt notification event\n";

static void
test_columns(void **state)
{
	(void)state;
	assert_int_equal(read_text(x86, 0, &after), 0);
	assert_int_equal(after.lines, 5);
	assert_int_equal(after.dropped, 0);
	assert_line(&after, 0, "0", "timer", 36);
	assert_line(&after, 1, "36", "virtio1-req.0", 0);
	assert_line(&after, 3, "LOC", "Local timer interrupts", 51565056);
	assert_line(&after, 4, "PIN", "Posted-interrupt notification event", 0);

	/* CPU2 is offline: the third column is CPU3's. */
	assert_int_equal(read_text(x86, 2, &after), -ENODEV);
	assert_int_equal(after.lines, 0);
	assert_int_equal(read_text(x86, 3, &after), 0);
	assert_line(&after, 1, "36", "virtio1-req.0", 17);
	assert_line(&after, 2, "40", "nvme0q0, eth 0", 3);
	assert_line(&after, 3, "LOC", "Local timer interrupts", UINT64_MAX);
	assert_int_equal(read_text(x86, 4, &after), -ENODEV);
}

static void
test_other_machines(void **state)
{
	static const char arm[] = "           CPU0       CPU1\n"
				  " 11:     123456     654321     GICv3  27 Level     arch_timer\n"
				  "IPI0:      3000       4000       Rescheduling interrupts\n"
				  "Err:          0\n";

	(void)state;
	assert_int_equal(read_text(arm, 1, &after), 0);
	assert_int_equal(after.lines, 2);
	assert_line(&after, 0, "11", "arch_timer", 654321);
	assert_line(&after, 1, "IPI0", "Rescheduling interrupts", 4000);
}

/* With one CPU a line that is not counted by CPU has as many numbers as there are columns. */
static void
test_one_cpu(void **state)
{
	(void)state;
	assert_int_equal(read_text("  CPU0\nLOC: 5 Local timer interrupts\nERR: 7\n", 0, &after),
			 0);
	assert_int_equal(after.lines, 1);
	assert_line(&after, 0, "LOC", "Local timer interrupts", 5);
}

static void
test_odd_texts(void **state)
{
	(void)state;
	assert_int_equal(read_text("", 0, &after), -EPROTO);
	assert_int_equal(read_text("\n", 0, &after), -EPROTO);
	assert_int_equal(read_text("CPU", 0, &after), -EPROTO);
	assert_int_equal(read_text("CPUx\n", 0, &after), -EPROTO);
	assert_int_equal(read_text("cpu  1 2 3\n", 0, &after), -EPROTO);
	assert_int_equal(read_text("CPU0", 0, &after), 0);
	assert_int_equal(after.lines, 0);

	/* No colon, no name, letters among the numbers, too few, cut off at its end. */
	assert_int_equal(read_text("CPU0 CPU1\nLOC 1 2 text\n: 1 2 text\nA: 1 x text\n\n   \n"
				   "B: 1\nC:\nD: 1 2 bell\a\nE: 3 4 cut",
				   1, &after),
			 0);
	assert_int_equal(after.lines, 2);
	assert_line(&after, 0, "D", "bell?", 2);
	assert_line(&after, 1, "E", "cut", 4);

	assert_int_equal(read_text("CPU0\nAVERYLONGNAMEINDEED: 1 and what it is takes more than "
				   "thirty-six bytes\n",
				   0, &after),
			 0);
	assert_line(&after, 0, "AVERYLONGNA", "and what it is takes more than thir", 1);
}

static void
test_no_file(void **state)
{
	const int fd = open_bytes("CPU0\n", 5);

	(void)state;
	close(fd);
	after.lines = 3;
	assert_int_equal(nhn_interrupts_read(fd, 0, &after), -EBADF);
	assert_int_equal(after.lines, 0);
}

/* Any bytes, and any part of a good file: within bounds, and all texts end. */
static void
test_hostile_bytes(void **state)
{
	unsigned int seed = 7;
	char bytes[3000];

	(void)state;
	for (int round = 0; round < 300; round++) {
		const size_t kept = (size_t)rand_r(&seed) % sizeof(x86);
		int fd;

		memcpy(bytes, x86, kept);
		for (size_t i = kept; i < sizeof(bytes); i++)
			bytes[i] = (char)("CPU 0129:\n\t\0\xff"[rand_r(&seed) % 13]);
		fd = open_bytes(bytes, sizeof(bytes));
		if (nhn_interrupts_read(fd, 1, &after) != 0)
			assert_int_equal(after.lines, 0);
		for (uint32_t i = 0; i < after.lines; i++) {
			assert_non_null(memchr(after.line[i].name, 0, sizeof(after.line[i].name)));
			assert_non_null(memchr(after.line[i].what, 0, sizeof(after.line[i].what)));
		}
		close(fd);
	}
}

/* 256 columns and 600 lines: a line is longer than what is read at once. */
static void
test_large_machine(void **state)
{
	const size_t room = 256 * 12 * 602;
	char *text = malloc(room);
	size_t length = 0;

	(void)state;
	assert_non_null(text);
	for (int cpu = 0; cpu < 256; cpu++)
		length += (size_t)snprintf(text + length, room - length, " CPU%d", cpu * 2);
	for (int line = 0; line < 600; line++) {
		length += (size_t)snprintf(text + length, room - length, "\n%4d:", line);
		for (int cpu = 0; cpu < 256; cpu++)
			length += (size_t)snprintf(text + length, room - length, " %9d",
						   line * 1000 + cpu);
		length += (size_t)snprintf(text + length, room - length, "  chip  handler%d", line);
	}
	assert_true(length < room);
	assert_int_equal(read_text(text, 255, &after), -ENODEV);
	assert_int_equal(read_text(text, 510, &after), 0);
	assert_int_equal(after.lines, NHN_INTERRUPTS_LINES);
	assert_int_equal(after.dropped, 600 - NHN_INTERRUPTS_LINES);
	for (uint32_t i = 0; i < after.lines; i++)
		assert_int_equal(after.line[i].count, i * 1000 + 255);
	assert_string_equal(after.line[511].what, "handler511");
	free(text);
}

static void
add(struct nhn_interrupts *table, const char *name, uint64_t count)
{
	struct nhn_interrupt *line = &table->line[table->lines++];

	memset(line, 0, sizeof(*line));
	snprintf(line->name, sizeof(line->name), "%s", name);
	snprintf(line->what, sizeof(line->what), "what");
	line->count = count;
}

static void
test_most_first(void **state)
{
	(void)state;
	before.lines = after.lines = 0;
	add(&before, "LOC", 1000);
	add(&before, "gone", 5);
	add(&before, "RES", 10);
	add(&before, "same", 3);
	/* Another order, a new line, and one that is counted in 32 bits. */
	add(&before, "wraps", UINT32_MAX - 9);
	add(&before, "anew", 500);
	add(&after, "same", 3);
	add(&after, "RES", 60);
	add(&after, "LOC", 1020);
	add(&after, "new", 7);
	add(&after, "wraps", 20);
	add(&after, "anew", 2);

	assert_int_equal(nhn_interrupts_grown(&before, &after, grown, 512), 5);
	assert_string_equal(grown[0].name, "RES");
	assert_int_equal(grown[0].count, 50);
	assert_string_equal(grown[1].name, "wraps");
	assert_int_equal(grown[1].count, 30);
	assert_string_equal(grown[2].name, "LOC");
	assert_string_equal(grown[3].name, "new");
	assert_string_equal(grown[4].name, "anew");
	assert_int_equal(grown[4].count, 2);

	grown[2].count = 77;
	assert_int_equal(nhn_interrupts_grown(&before, &after, grown, 2), 2);
	assert_string_equal(grown[1].name, "wraps");
	assert_int_equal(grown[2].count, 77);
	assert_int_equal(nhn_interrupts_grown(&before, &after, grown, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),	      cmocka_unit_test(test_other_machines),
		cmocka_unit_test(test_one_cpu),	      cmocka_unit_test(test_odd_texts),
		cmocka_unit_test(test_no_file),	      cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_large_machine), cmocka_unit_test(test_most_first),
	};

	return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
