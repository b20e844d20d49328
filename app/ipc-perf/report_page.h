/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The HTML report: the page of app/report, with documents in it.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/**
 * Write the page with these documents in it.
 * @param documents an array: the run's own first, then those to compare it with
 * @return 0; -ENOTSUP: built without the page, said; -EIO: the stream is in error
 */
int report_page_write(FILE *out, json_t *documents);

/** To be asked before a run. @return 0, or -ENOTSUP with a sentence said: no page */
int report_page_check(void);

/** Made by devtools/report-page; only where REPORT_PAGE is defined. */
extern const unsigned char report_page_template[];
extern const size_t report_page_template_bytes;

#endif /* REPORT_PAGE_H */
