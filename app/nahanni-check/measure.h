/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEASURE_H
#define MEASURE_H

/** Bytes that hold why a device could not be measured. */
#define MEASURE_TEXT_MAX 768

/**
 * Map BAR2 of a device for reading and measure its loads.
 *
 * @param root  below which sysfs is; NULL: "/"
 * @param why_not  of MEASURE_TEXT_MAX bytes: "", or a sentence
 * @return the median, in ns, of loads each of which needs the value of the one before
 */
double measure_bar(const char *root, const char *address, char *why_not);

/** The same of memory that is mapped already. */
double measure_loads(const void *base);

#endif /* MEASURE_H */
