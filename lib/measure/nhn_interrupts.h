/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_INTERRUPTS_H
#define NHN_INTERRUPTS_H

/**
 * @file
 * One CPU's column of /proc/interrupts: how often each line came to that CPU.
 *
 * Lines that are not counted by CPU (ERR, MIS) are left out: those with fewer numbers
 * than there are columns, and those with no text behind the numbers.
 *
 * The file has a column for each CPU that is online, in order, with holes: a column is
 * found by its head. It may be of any length and width: it is read in pieces, into memory
 * of the caller. No function allocates.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Lines kept of a file at most; further ones are counted in nhn_interrupts::dropped. */
#define NHN_INTERRUPTS_LINES 512

/** A line. Its texts end with a zero; bytes that do not print are shown as '?'. */
struct nhn_interrupt {
	char name[12];	/**< "LOC", "42" */
	char what[36];	/**< "Local timer interrupts"; of a numbered line who handles it */
	uint64_t count; /**< on this CPU */
};

/** The column of a CPU: 28 KiB. */
struct nhn_interrupts {
	uint32_t lines;					 /**< entries of line[] in use */
	uint32_t dropped;				 /**< lines that found no room */
	struct nhn_interrupt line[NHN_INTERRUPTS_LINES]; /**< in the file's order */
};

/**
 * Read the column of a CPU anew, from the beginning of the file.
 *
 * @param fd  of /proc/interrupts, open for reading. Its file position is left alone.
 * @return 0, or -ENODEV when that CPU has no column (not there, or offline), or -EPROTO
 *   when this is no such file, or the -errno of pread(). On error the table is empty.
 */
int nhn_interrupts_read(int fd, int cpu, struct nhn_interrupts *table);

/**
 * The lines that came between two readings of one CPU's column, those that came most
 * often first.
 *
 * Lines are matched by name. One that is new came as often as it says. The kernel counts
 * some lines in 32 bits: a wrap of those is seen. Any other count that went back is of a
 * line that was given up and taken again: it came as often as it says.
 *
 * @param grown  gets up to *room* lines, count being how often each came.
 * @return lines written to *grown*.
 */
uint32_t nhn_interrupts_grown(const struct nhn_interrupts *before,
			      const struct nhn_interrupts *after, struct nhn_interrupt *grown,
			      uint32_t room);

#ifdef __cplusplus
}
#endif

#endif /* NHN_INTERRUPTS_H */
