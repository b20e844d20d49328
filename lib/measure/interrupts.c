/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <nhn_interrupts.h>

#define PIECE_BYTES 4096
/* 512 lines of 8192 CPUs take 48 MB. What is longer has no end. */
#define FILE_BYTES_MAX (INT64_C(64) << 20)

#define END (-1)

/* The file, byte by byte. */
struct source {
	int fd;
	int error;
	int64_t offset;
	size_t at;
	size_t held;
	char piece[PIECE_BYTES];
};

static int
fill(struct source *source)
{
	ssize_t got;

	do {
		got = pread(source->fd, source->piece, sizeof(source->piece), source->offset);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		source->error = -errno;
	else if (source->offset > FILE_BYTES_MAX)
		source->error = -EFBIG;
	if (got <= 0 || source->error != 0)
		return END;
	source->offset += got;
	source->held = (size_t)got;
	source->at = 0;
	return 0;
}

static int
next(struct source *source)
{
	if (source->at == source->held && fill(source) == END) {
		source->at = source->held = 0;
		return END;
	}
	return (unsigned char)source->piece[source->at++];
}

static int
next_but_blanks(struct source *source)
{
	int byte;

	do {
		byte = next(source);
	} while (byte == ' ' || byte == '\t');
	return byte;
}

static bool
ends_line(int byte)
{
	return byte == '\n' || byte == END;
}

static void
skip_line(struct source *source, int byte)
{
	while (!ends_line(byte))
		byte = next(source);
}

static bool
is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

/* Digits from *byte* on; the byte behind them is left in *byte*. */
static uint64_t
read_number(struct source *source, int *byte)
{
	uint64_t number = 0;

	for (; is_digit(*byte); *byte = next(source))
		number = number * 10 + (uint64_t)(*byte - '0');
	return number;
}

static char
printable(int byte)
{
	return byte >= ' ' && byte <= '~' ? (char)byte : '?';
}

/* "CPU0 CPU1 CPU4": how many columns, and which one is the CPU's. */
static int
read_head(struct source *source, int cpu, uint32_t *columns, uint32_t *column)
{
	int byte = next_but_blanks(source);
	bool found = false;

	for (*columns = 0; !ends_line(byte); (*columns)++) {
		if (byte != 'C' || next(source) != 'P' || next(source) != 'U')
			return -EPROTO;
		byte = next(source);
		if (!is_digit(byte))
			return -EPROTO;
		if (read_number(source, &byte) == (uint64_t)cpu) {
			*column = *columns;
			found = true;
		}
		if (byte == ' ' || byte == '\t')
			byte = next_but_blanks(source);
	}
	if (source->error != 0)
		return source->error;
	if (*columns == 0)
		return -EPROTO;
	return found ? 0 : -ENODEV;
}

/* Up to the colon. @return whether there is one */
static bool
read_name(struct source *source, int *byte, char *name, size_t room)
{
	size_t length = 0;

	memset(name, 0, room);
	for (; *byte != ':'; *byte = next(source)) {
		if (ends_line(*byte))
			return false;
		if (length < room - 1)
			name[length++] = printable(*byte);
	}
	*byte = next_but_blanks(source);
	return length > 0;
}

/*
 * The rest of the line, blanks made one. A numbered line tells its chip and its pin, then,
 * behind two blanks, who handles it: that alone is kept.
 */
static void
read_what(struct source *source, int byte, bool numbered, char *what, size_t room)
{
	size_t length = 0, blanks = 0;

	memset(what, 0, room);
	for (; !ends_line(byte); byte = next(source)) {
		if (byte == ' ' || byte == '\t') {
			blanks++;
			continue;
		}
		if (numbered && blanks > 1) {
			memset(what, 0, room);
			length = 0;
		}
		if (blanks > 0 && length > 0 && length < room - 1)
			what[length++] = ' ';
		blanks = 0;
		if (length < room - 1)
			what[length++] = printable(byte);
	}
}

/* @return whether it is counted by CPU; the whole line is taken in any case */
static bool
read_line(struct source *source, int byte, uint32_t columns, uint32_t column,
	  struct nhn_interrupt *line)
{
	if (!read_name(source, &byte, line->name, sizeof(line->name))) {
		skip_line(source, byte);
		return false;
	}
	for (uint32_t i = 0; i < columns; i++) {
		uint64_t number;

		if (!is_digit(byte)) {
			skip_line(source, byte);
			return false;
		}
		number = read_number(source, &byte);
		if (i == column)
			line->count = number;
		if (byte == ' ' || byte == '\t')
			byte = next_but_blanks(source);
	}
	read_what(source, byte, is_digit(line->name[0]), line->what, sizeof(line->what));
	return line->what[0] != '\0';
}

int
nhn_interrupts_read(int fd, int cpu, struct nhn_interrupts *table)
{
	struct source source = {.fd = fd};
	struct nhn_interrupt spare;
	uint32_t columns, column = 0;
	int byte, ret;

	table->lines = table->dropped = 0;
	ret = read_head(&source, cpu, &columns, &column);
	if (ret != 0)
		return source.error != 0 ? source.error : ret;

	while ((byte = next_but_blanks(&source)) != END) {
		const bool full = table->lines == NHN_INTERRUPTS_LINES;
		struct nhn_interrupt *line = full ? &spare : &table->line[table->lines];

		if (!read_line(&source, byte, columns, column, line))
			continue;
		if (full)
			table->dropped++;
		else
			table->lines++;
	}
	if (source.error != 0)
		table->lines = 0;
	return source.error;
}

/* Both tables nearly always have the same order: look at the same place first. */
static const struct nhn_interrupt *
find_line(const struct nhn_interrupts *table, uint32_t place, const char *name)
{
	if (place < table->lines && strcmp(table->line[place].name, name) == 0)
		return &table->line[place];
	for (uint32_t i = 0; i < table->lines; i++) {
		if (strcmp(table->line[i].name, name) == 0)
			return &table->line[i];
	}
	return NULL;
}

static uint64_t
grown_by(uint64_t before, uint64_t after)
{
	const uint64_t quarter = UINT64_C(1) << 30;

	if (after >= before)
		return after - before;
	if (before <= UINT32_MAX && before >= 3 * quarter && after < quarter)
		return (uint32_t)(after - before);
	return after;
}

/* Most first; of equal ones the earlier stays first. @return new length */
static uint32_t
insert(struct nhn_interrupt *grown, uint32_t length, uint32_t room,
       const struct nhn_interrupt *line, uint64_t count)
{
	uint32_t place = length;

	while (place > 0 && grown[place - 1].count < count)
		place--;
	if (place == room)
		return length;
	if (length == room)
		length--;
	memmove(&grown[place + 1], &grown[place], (length - place) * sizeof(*grown));
	grown[place] = *line;
	grown[place].count = count;
	return length + 1;
}

uint32_t
nhn_interrupts_grown(const struct nhn_interrupts *before, const struct nhn_interrupts *after,
		     struct nhn_interrupt *grown, uint32_t room)
{
	uint32_t length = 0;

	for (uint32_t i = 0; i < after->lines; i++) {
		const struct nhn_interrupt *line = &after->line[i];
		const struct nhn_interrupt *old = find_line(before, i, line->name);
		const uint64_t count = grown_by(old == NULL ? 0 : old->count, line->count);

		if (count > 0)
			length = insert(grown, length, room, line, count);
	}
	return length;
}
